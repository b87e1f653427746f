/* lib/tls/notice.c -- what OpenSSL reports of a connection while it works. */
#include "lib/tls/notice.h"

/* More messages of TLS without a byte of the program between them end the connection: to answer a
 * key update costs more than to ask for one, and each try to renegotiate is answered too. */
#define MOST_MESSAGES 32

static bool is_renewal(int type, const unsigned char *data, size_t size)
{
    return type == SSL3_RT_HANDSHAKE && size > 0 &&
           (data[0] == SSL3_MT_KEY_UPDATE || data[0] == SSL3_MT_NEWSESSION_TICKET ||
            data[0] == SSL3_MT_HELLO_REQUEST || data[0] == SSL3_MT_CLIENT_HELLO);
}

void plx__tls_note_message(int writes, int version, int type, const void *data, size_t size,
                           SSL *ssl, void *user)
{
    (void)version;
    (void)user;
    if (writes == 0 && is_renewal(type, data, size)) {
        struct plx__tls_connection *connection = plx__tls_connection_of(plx__tls_filter_of(ssl));
        connection->lower.refuses = ++connection->messages > MOST_MESSAGES;
    }
}

/* A session would skip the check, so it is kept only if the check has found nothing, and if the
 * settings are still those of the connection. */
int plx__tls_keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(plx__tls_filter_of(ssl));
    plx_tls *tls = connection->tls;
    bool good = connection->peer != NULL && connection->answer == PLX__TLS_UNASKED &&
                connection->problem.check == PLX_TLS_CHECK_NONE &&
                SSL_get_SSL_CTX(ssl) == tls->context;
    return good && plx__tls_sessions_keep(&tls->sessions, connection->peer, session);
}
