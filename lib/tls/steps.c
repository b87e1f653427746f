/* lib/tls/steps.c -- the steps of the filter. */
#include "lib/tls/steps.h"
#include "lib/tls/failure.h"
#include "lib/tls/name.h"
#include "lib/tls/peer.h"
#include "lib/tls/question.h"

#include <pollux/memory.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* ---- the beginning --------------------------------------------------------------------------- */

/* OpenSSL would not resume a session whose connection was freed without a goodbye, a rule of TLS
 * 1.0 (RFC 4346, 7.2.1, has dropped it). */
void plx__tls_forget_connection(struct plx__tls_connection *connection)
{
    if (connection->ssl != NULL) {
        SSL_set_shutdown(connection->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(connection->ssl);
        connection->ssl = NULL;
    }
    plx__tls_problem_clear(&connection->problem);
    plx_memory_resize(connection->peer, 0);
    connection->peer = NULL;
    plx__tls_lower_clear(&connection->lower);
    connection->taken = 0;
    connection->messages = 0;
    connection->more = false;
    plx__tls_question_begin(connection);
}

/* IP addresses are matched with the addresses of the certificate, and are no name to ask for (RFC
 * 6066, 3). */
static bool expect_name(SSL *ssl, const struct plx__tls_name *name)
{
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (name->text[0] == '\0') {
        return true;
    }
    if (name->is_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, name->text) == 1;
    }
    return X509_VERIFY_PARAM_set1_host(parameters, name->text, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, name->text) == 1;
}

/* The name that is checked is a part of what the session is for; it is kept, because the program
 * may set another one while connected. */
static bool remember_peer(struct plx__tls_connection *connection, const plx_socket *socket,
                          const struct plx__tls_name *name)
{
    size_t size = strlen(name->text) + sizeof " 65535";
    connection->peer = plx_memory_resize(NULL, size);
    if (connection->peer != NULL) {
        snprintf(connection->peer, size, "%s %d", name->text, plx_socket_remote_port(socket));
    }
    return connection->peer != NULL;
}

static void resume_session(struct plx__tls_connection *connection)
{
    SSL_SESSION *session = plx__tls_sessions_take(&connection->tls->sessions, connection->peer);
    if (session != NULL) {
        SSL_set_session(connection->ssl, session);
        SSL_SESSION_free(session);
    }
}

static int begin_client(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    const plx_socket *socket = plx_filter_socket(filter);
    struct plx__tls_name name = plx__tls_name_of(socket);
    if (name.text[0] == '\0' && plx__tls_verifies(connection)) {
        return plx__tls_fail_settings(filter, "no name to check the certificate of the peer with: "
                                              "plx_socket_set_tls_name");
    }
    if (!expect_name(connection->ssl, &name) ||
        (name.text[0] != '\0' && !remember_peer(connection, socket, &name))) {
        return plx__tls_fail_memory(filter);
    }
    if (connection->peer != NULL) {
        resume_session(connection);
    }
    SSL_set_connect_state(connection->ssl);
    return 0;
}

static bool make_ssl(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    plx_tls *tls = connection->tls;
    connection->lower = (struct plx__tls_lower){.filter = filter};
    connection->ssl = SSL_new(tls->context);
    BIO *bio = connection->ssl == NULL ? NULL : plx__tls_lower_bio(tls->lower, &connection->lower);
    if (bio == NULL) {
        return false;
    }
    SSL_set_bio(connection->ssl, bio, bio);
    return SSL_set_app_data(connection->ssl, filter) == 1;
}

static int begin(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    plx__tls_forget_connection(connection);
    connection->verify = (unsigned char)connection->tls->options[PLX_TLS_VERIFY];
    ERR_clear_error();
    int code = make_ssl(filter) ? 0 : plx__tls_fail_memory(filter);
    if (code == 0 && connection->tls->is_server) {
        SSL_set_accept_state(connection->ssl);
    } else if (code == 0) {
        code = begin_client(filter);
    }
    ERR_clear_error();
    return code;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static SSL *enter(struct plx__tls_connection *connection)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error(); /* SSL_get_error looks at the whole queue */
    }
    connection->lower.allowance = PLX__TLS_ALLOWANCE;
    connection->lower.error = 0;
    return connection->ssl;
}

/* Whether the step that has returned `result` can go on later. What it waits for is known from its
 * calls of the layer below, unless it has used up what it may receive at once. */
static bool can_wait(plx_filter *filter, int result)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    int error = SSL_get_error(connection->ssl, result);
    bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (waits && connection->lower.allowance == 0) {
        plx_filter_set_want(filter, PLX_WANT_READ, 0);
    }
    return waits;
}

static int wait_for_answer(plx_filter *filter)
{
    plx_filter_set_want(filter, PLX_WANT_NOTHING, -1);
    return EAGAIN;
}

/* Behind the last message of the handshake may be bytes of the program, which only `receive`
 * finds. */
static int end_handshake(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    int code = plx__tls_judge(filter);
    if (code == EAGAIN) {
        return wait_for_answer(filter);
    }
    connection->more = code == 0;
    return code == 0 ? 0 : plx__tls_fail_handshake(filter);
}

static int establish(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    if (plx__tls_question_waits(connection)) {
        return wait_for_answer(filter);
    }
    int result = SSL_do_handshake(enter(connection));
    if (result == 1) {
        return end_handshake(filter);
    }
    if (plx__tls_question_waits(connection)) {
        return wait_for_answer(filter); /* SSL_ERROR_WANT_RETRY_VERIFY */
    }
    return can_wait(filter, result) ? EAGAIN : plx__tls_fail_handshake(filter);
}

static bool has_parted(const struct plx__tls_connection *connection)
{
    return (SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) != 0;
}

/* RFC 5246, 7.2.1: in TLS 1.2 the goodbye of one side ends both, and the other side answers it.
 * After a failure `shutdown` is not called. What the layer below does not take now is not sent. */
static ptrdiff_t end_both(plx_filter *filter)
{
    SSL_shutdown(plx__tls_connection_of(filter)->ssl);
    ERR_clear_error();
    plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                    "TLS 1.2: the peer has ended the connection");
    return -EPIPE;
}

static ptrdiff_t end_input(plx_filter *filter)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    bool half_open = plx_socket_option(plx_filter_socket(filter), PLX_OPTION_HALF_OPEN) == 1;
    bool ends_both = half_open && SSL_version(connection->ssl) < TLS1_3_VERSION;
    return ends_both && !has_parted(connection) ? end_both(filter) : 0;
}

static ptrdiff_t receive_bytes(plx_filter *filter, void *data, size_t size)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    SSL *ssl = enter(connection);
    int result = SSL_read(ssl, data, size > INT_MAX ? INT_MAX : (int)size);
    connection->more = result > 0;
    if (result > 0) {
        connection->messages = 0;
        return result;
    }
    if (SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN) {
        return end_input(filter);
    }
    if (connection->lower.ended && has_parted(connection)) {
        ERR_clear_error();
        return 0; /* many peers answer a goodbye by an end without one: no byte is missing */
    }
    return can_wait(filter, result) ? -EAGAIN : plx__tls_fail_bytes(filter);
}

/* Counts the bytes of a record when all of it was sent. */
static ptrdiff_t end_record(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    int taken = connection->taken;
    ptrdiff_t code = plx__tls_lower_flush(&connection->lower);
    if (code != 0) {
        return code == -EAGAIN ? code : plx__tls_fail_bytes(filter);
    }
    connection->taken = 0;
    return taken;
}

static ptrdiff_t send_bytes(plx_filter *filter, const void *data, size_t size)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    SSL *ssl = enter(connection);
    if (connection->taken > 0) {
        return end_record(filter);
    }
    connection->lower.keeps = true;
    int result = SSL_write(ssl, data, size > INT_MAX ? INT_MAX : (int)size);
    connection->lower.keeps = false;
    if (result > 0) {
        connection->taken = result;
        return end_record(filter);
    }
    return can_wait(filter, result) ? -EAGAIN : plx__tls_fail_bytes(filter);
}

static bool pending(const plx_filter *filter)
{
    const struct plx__tls_connection *connection = plx__tls_connection_of((plx_filter *)filter);
    return connection->more && SSL_has_pending(connection->ssl) == 1;
}

/* The goodbye of the peer is not waited for: TCP acknowledges what has arrived. */
static int part(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    int result = SSL_shutdown(enter(connection));
    if (result >= 0) {
        return 0;
    }
    int code = can_wait(filter, result) ? EAGAIN : EPROTO;
    ERR_clear_error();
    return code;
}

static void forget(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    plx__tls_forget_connection(connection);
    connection->tls = plx_tls_free(connection->tls);
}

const plx_filter_kind plx__tls_kind = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct plx__tls_connection),
    .name = "TLS",
    .flags = PLX_FILTER_ENCRYPTS,
    .begin = begin,
    .establish = establish,
    .receive = receive_bytes,
    .send = send_bytes,
    .pending = pending,
    .shutdown = part,
    .ask = plx__tls_question_ask,
    .forget = forget,
};
