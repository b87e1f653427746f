/* lib/tls/context.c -- makes an SSL_CTX of the settings. */
#include "lib/tls/notice.h"
#include "lib/tls/peer.h"
#include "lib/tls/refuse.h"
#include "lib/tls/tls.h"

#include <openssl/err.h>

/* ---- what is safe ---------------------------------------------------------------------------- */

static int version_of(int number)
{
    return number == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

static bool set_protection(SSL_CTX *context, const plx_tls *tls)
{
    uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
    bool truncation = tls->options[PLX_TLS_ALLOW_TRUNCATION] != 0;
    options |= truncation ? SSL_OP_IGNORE_UNEXPECTED_EOF : 0;
    options |= tls->options[PLX_TLS_SESSIONS] != 0 ? 0 : SSL_OP_NO_TICKET;
    SSL_CTX_set_options(context, options);
    /* What a send has made of its bytes stays the same when they are offered again at another
     * address. An idle connection holds no buffer. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1); /* a record with one receive, instead of two */
    SSL_CTX_set_msg_callback(context, plx__tls_note_message);
    return SSL_CTX_set_min_proto_version(context, version_of(tls->options[PLX_TLS_MINIMUM])) == 1 &&
           SSL_CTX_set_max_proto_version(context, version_of(tls->options[PLX_TLS_MAXIMUM])) == 1;
}

/* ---- what the program has set ---------------------------------------------------------------- */

static int set_ciphers(SSL_CTX *context, plx_tls *tls)
{
    if (tls->ciphers[0] != NULL && SSL_CTX_set_cipher_list(context, tls->ciphers[0]) != 1) {
        return plx__tls_refuse_openssl(&tls->refusal, "ciphers of TLS 1.2");
    }
    /* OpenSSL accepts an empty list here, and then no handshake succeeds. */
    if (tls->ciphers[1] != NULL && tls->ciphers[1][0] == '\0') {
        return plx__tls_refuse(&tls->refusal, "ciphers of TLS 1.3: none; see PLX_TLS_MAXIMUM");
    }
    if (tls->ciphers[1] != NULL && SSL_CTX_set_ciphersuites(context, tls->ciphers[1]) != 1) {
        return plx__tls_refuse_openssl(&tls->refusal, "ciphers of TLS 1.3");
    }
    return 0;
}

/* The server's preference decides. Without one in common the handshake ends (RFC 7301, 3.2). */
static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_size,
                           const unsigned char *offered, unsigned offered_size, void *user)
{
    const plx_tls *tls = user;
    unsigned char *name = NULL;
    (void)ssl;
    if (tls->protocols.size == 0) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    int result = SSL_select_next_proto(&name, ret_size, tls->protocols.names,
                                       (unsigned)tls->protocols.size, offered, offered_size);
    *ret_name = name;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool set_protocols(SSL_CTX *context, plx_tls *tls)
{
    if (tls->is_server) {
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, tls);
        return true;
    }
    return tls->protocols.size == 0 || SSL_CTX_set_alpn_protos(context, tls->protocols.names,
                                                               (unsigned)tls->protocols.size) == 0;
}

/* ---- the peer -------------------------------------------------------------------------------- */

static int mode_of(const plx_tls *tls)
{
    int verify = tls->options[PLX_TLS_VERIFY];
    bool needed = verify == PLX_TLS_VERIFY_REQUIRE || tls->pin_count > 0;
    bool wanted = needed || verify == PLX_TLS_VERIFY_OPTIONAL || tls->rejected != NULL;
    if (!wanted) {
        return SSL_VERIFY_NONE;
    }
    return tls->is_server && needed ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                    : SSL_VERIFY_PEER;
}

/* Names to a client those who may have issued its certificate (RFC 8446, 4.2.4). */
static bool name_issuers(SSL_CTX *context, const struct plx__tls_source *source)
{
    bool good = true;
    for (; good && source != NULL; source = source->next) {
        for (int place = 0; good && place < sk_X509_num(source->certificates); place++) {
            good = SSL_CTX_add_client_CA(context, sk_X509_value(source->certificates, place)) == 1;
        }
    }
    return good;
}

static bool set_verification(SSL_CTX *context, const plx_tls *tls)
{
    SSL_CTX_set_verify(context, mode_of(tls), NULL);
    SSL_CTX_set_cert_verify_callback(context, plx__tls_verify, NULL);
    if (tls->options[PLX_TLS_VERIFY_DEPTH] > 0) {
        SSL_CTX_set_verify_depth(context, tls->options[PLX_TLS_VERIFY_DEPTH]);
    }
    SSL_CTX_set1_cert_store(context, tls->store);
    /* A certificate that is trusted needs no way to another one, also if it has not signed
     * itself. */
    bool good =
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN) == 1;
    return good && (!tls->is_server || tls->options[PLX_TLS_VERIFY] == PLX_TLS_VERIFY_NONE ||
                    name_issuers(context, tls->trusted));
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* Lets the peer show a certificate again whose time is over. The rest is what OpenSSL does without
 * this function (SSL_CTX_set_session_ticket_cb(3)). */
static SSL_TICKET_RETURN judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                      size_t size, SSL_TICKET_STATUS status, void *user)
{
    (void)ssl;
    (void)name;
    (void)size;
    (void)user;
    switch (status) {
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT: return SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW: break;
    default: return SSL_TICKET_RETURN_ABORT;
    }
    if (plx__tls_session_is_stale(session)) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* A server keeps none: all is in the ticket, under keys that this SSL_CTX alone has. Without the
 * name of a context a server that verifies would refuse its own tickets. */
static bool set_sessions(SSL_CTX *context, const plx_tls *tls)
{
    static const unsigned char name[] = "pollux";
    bool remembers = tls->options[PLX_TLS_SESSIONS] != 0;
    if (tls->is_server) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return SSL_CTX_set_session_ticket_cb(context, NULL, judge_ticket, NULL) == 1 &&
               SSL_CTX_set_session_id_context(context, name, sizeof name - 1) == 1 &&
               (remembers || SSL_CTX_set_num_tickets(context, 0) == 1);
    }
    SSL_CTX_set_session_cache_mode(context, remembers
                                                ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
                                                : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(context, plx__tls_keep_session);
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int fill(SSL_CTX *context, plx_tls *tls)
{
    int code = set_ciphers(context, tls);
    if (code != 0) {
        return code;
    }
    if (tls->identity.certificate != NULL && !plx__tls_identity_use(&tls->identity, context)) {
        return plx__tls_refuse_openssl(&tls->refusal, "certificate");
    }
    bool good = set_protection(context, tls) && set_protocols(context, tls) &&
                set_verification(context, tls) && set_sessions(context, tls);
    return good ? 0 : plx__tls_refuse_internal(&tls->refusal, "TLS: settings");
}

int plx__tls_renew(plx_tls *tls)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    int code = context == NULL ? plx__tls_refuse_internal(&tls->refusal, "TLS: settings")
                               : fill(context, tls);
    SSL_CTX_free(code == 0 ? tls->context : context);
    if (code == 0) {
        tls->context = context;
        plx__tls_sessions_clear(&tls->sessions);
    }
    ERR_clear_error(); /* a step that has succeeded may leave some, too */
    return code;
}
