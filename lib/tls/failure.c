/* lib/tls/failure.c -- why a TLS connection ends, in codes and words. */
#include "lib/tls/failure.h"
#include "lib/tls/peer.h"
#include "lib/tls/queue.h"

#include <openssl/err.h>

#include <errno.h>
#include <stdio.h>

/* OpenSSL's reasons for alerts of the peer are the number of the alert (RFC 8446, 6.2) and this. */
#define ALERT SSL_AD_REASON_OFFSET

/* ---- with whom ------------------------------------------------------------------------------- */

/* Writes "TLS to example.org port 443", "TLS from 192.0.2.1 port 5000", or "TLS with
 * /run/socket". */
static void peer_text(plx_filter *filter, char *ret_text, size_t size)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    const plx_socket *socket = plx_filter_socket(filter);
    const char *address = plx_socket_address(socket);
    int port = plx_socket_remote_port(socket);
    bool from = connection->tls->is_server;
    address = from || address[0] == '\0' ? plx_socket_remote_address(socket) : address;
    if (port == 0) {
        snprintf(ret_text, size, "TLS with %.100s", address[0] == '\0' ? "the peer" : address);
    } else {
        snprintf(ret_text, size, "TLS %s %.100s port %d", from ? "from" : "to", address, port);
    }
}

static int fail(plx_filter *filter, int code, plx_reason reason, const char *why)
{
    char peer[160];
    peer_text(filter, peer, sizeof peer);
    return plx_filter_fail(filter, code, reason, "%s: %s", peer, why);
}

int plx__tls_fail_memory(plx_filter *filter)
{
    return fail(filter, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE,
                plx_code_text(PLX_OUT_OF_MEMORY));
}

int plx__tls_fail_settings(plx_filter *filter, const char *why)
{
    fail(filter, PLX_INVALID_STATE, PLX_REASON_TLS_INVALID_USER_DATA, why);
    return ECANCELED;
}

/* ---- what OpenSSL says ----------------------------------------------------------------------- */

static bool is_alert(struct plx__tls_cause cause)
{
    return ERR_GET_LIB(cause.error) == ERR_LIB_SSL && ERR_GET_REASON(cause.error) >= ALERT;
}

static plx_tls_check check_of_alert(int alert)
{
    switch (alert) {
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY: return PLX_TLS_NO_COMMON_PROTOCOL;
    case SSL_AD_NO_APPLICATION_PROTOCOL: return PLX_TLS_NO_ALPN;
    default: return PLX_TLS_ALERT;
    }
}

/* What a failed handshake says about the peer; the alerts are those that the peer has sent. */
static plx_tls_check check_of(struct plx__tls_cause cause)
{
    int reason = ERR_GET_REASON(cause.error);
    if (ERR_GET_LIB(cause.error) != ERR_LIB_SSL) {
        return PLX_TLS_OTHER;
    }
    if (reason >= ALERT) {
        return check_of_alert(reason - ALERT);
    }
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_PACKET_LENGTH_TOO_LONG: return PLX_TLS_NOT_TLS;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_CIPHERS_AVAILABLE: return PLX_TLS_NO_COMMON_PROTOCOL;
    case SSL_R_NO_APPLICATION_PROTOCOL: return PLX_TLS_NO_ALPN;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return PLX_TLS_NO_CERTIFICATE;
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
    case SSL_R_CA_MD_TOO_WEAK:
    case SSL_R_DH_KEY_TOO_SMALL: return PLX_TLS_WEAK;
    default: return PLX_TLS_OTHER;
    }
}

/* SSL_alert_desc_string_long(3) of OpenSSL 3.0 has no words for these of TLS 1.3. */
static const char *alert_name(int alert)
{
    switch (alert) {
    case SSL_AD_MISSING_EXTENSION: return "missing extension";
    case SSL_AD_CERTIFICATE_REQUIRED: return "certificate required";
    default: return SSL_alert_desc_string_long(alert);
    }
}

static void error_text(struct plx__tls_cause cause, char *ret_text, size_t size)
{
    int reason = ERR_GET_REASON(cause.error);
    if (is_alert(cause)) {
        snprintf(ret_text, size, "the peer has sent the alert \"%s\"", alert_name(reason - ALERT));
    } else {
        snprintf(ret_text, size, "%s", plx__tls_cause_text(cause));
    }
}

static void check_text(plx_filter *filter, struct plx__tls_cause cause, char *ret_text, size_t size)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    switch (is_alert(cause) ? PLX_TLS_ALERT : connection->problem.check) {
    case PLX_TLS_NOT_TLS: snprintf(ret_text, size, "the peer does not speak TLS"); return;
    case PLX_TLS_NO_COMMON_PROTOCOL:
        snprintf(ret_text, size, "no version or cipher of TLS in common");
        return;
    case PLX_TLS_NO_ALPN:
        snprintf(ret_text, size, "no application protocol in common (ALPN)");
        return;
    case PLX_TLS_NO_CERTIFICATE: plx__tls_problem_text(connection, ret_text, size); return;
    default: error_text(cause, ret_text, size);
    }
}

/* ---- failures -------------------------------------------------------------------------------- */

static bool has_ended(const struct plx__tls_connection *connection, struct plx__tls_cause cause)
{
    return connection->lower.error != 0 || connection->lower.ended ||
           (ERR_GET_LIB(cause.error) == ERR_LIB_SSL &&
            ERR_GET_REASON(cause.error) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

/* Whether the peer is one that this side does not want: another attempt would find the same. A
 * problem that the program has accepted is not why the connection fails. */
static bool is_refused(const struct plx__tls_connection *connection)
{
    bool accepted = connection->answer == PLX__TLS_ACCEPTED;
    return connection->answer == PLX__TLS_REFUSED ||
           (connection->problem.check != PLX_TLS_CHECK_NONE && !accepted);
}

static void handshake_text(plx_filter *filter, struct plx__tls_cause cause, char *ret_text,
                           size_t size)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    if (is_refused(connection)) {
        plx__tls_problem_text(connection, ret_text, size);
    } else if (connection->lower.refuses) {
        snprintf(ret_text, size, "the peer sends too many messages of TLS");
    } else if (has_ended(connection, cause)) {
        snprintf(ret_text, size, "the connection has ended during the handshake");
    } else {
        plx__tls_problem_set(&connection->problem, check_of(cause));
        check_text(filter, cause, ret_text, size);
    }
}

int plx__tls_fail_handshake(plx_filter *filter)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    char why[256];
    struct plx__tls_cause cause = plx__tls_queue_take();
    if (cause.is_memory) {
        return plx__tls_fail_memory(filter);
    }
    bool refused = is_refused(connection);
    handshake_text(filter, cause, why, sizeof why);
    int code = fail(filter, PLX_LOST_CONNECTION, PLX_REASON_TLS_HANDSHAKE_FAILED, why);
    return refused ? ECANCELED : code;
}

static void bytes_text(plx_filter *filter, struct plx__tls_cause cause, char *ret_text, size_t size)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    if (connection->lower.refuses) {
        snprintf(ret_text, size, "the peer sends too many messages of TLS and no data");
    } else if (has_ended(connection, cause)) {
        snprintf(ret_text, size, "the peer has ended without a goodbye: data may be missing");
    } else {
        plx__tls_problem_set(&connection->problem, is_alert(cause) ? PLX_TLS_ALERT : PLX_TLS_OTHER);
        error_text(cause, ret_text, size);
    }
}

ptrdiff_t plx__tls_fail_bytes(plx_filter *filter)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    char why[256];
    struct plx__tls_cause cause = plx__tls_queue_take();
    if (cause.is_memory || connection->lower.error != 0) {
        return cause.is_memory ? -ENOMEM : connection->lower.error;
    }
    bytes_text(filter, cause, why, sizeof why);
    fail(filter, PLX_LOST_CONNECTION,
         connection->lower.refuses ? PLX_REASON_TLS_HANDSHAKE_FAILED
                                   : PLX_REASON_REMOTE_HOST_CLOSED,
         why);
    return -EPROTO;
}
