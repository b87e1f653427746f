/* lib/tls/info.c -- what is known about a connection, for the program. */
#include "lib/tls/info.h"
#include "lib/tls/text.h"

#include <stdio.h>
#include <string.h>

/* The chain of a server's peer begins behind the peer's own certificate
 * (SSL_get_peer_cert_chain(3)), and while a client asks only the chain is known. */
static X509 *certificate_at(const SSL *ssl, size_t depth)
{
    X509 *own = SSL_get0_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    size_t skipped = SSL_is_server(ssl) ? 1 : 0;
    size_t count = chain == NULL ? 0 : (size_t)sk_X509_num(chain);
    if (depth == 0 && own != NULL) {
        return own;
    }
    return depth < skipped || depth - skipped >= count
               ? NULL
               : sk_X509_value(chain, (int)(depth - skipped));
}

static void fill_protocol(const SSL *ssl, plx_tls_info *info)
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    if (size > 0 && size < sizeof info->protocol) {
        memcpy(info->protocol, name, size);
    }
}

static void fill_handshake(const SSL *ssl, plx_tls_info *info)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (cipher != NULL) {
        info->version = SSL_version(ssl) == TLS1_3_VERSION ? 13 : 12;
        snprintf(info->cipher, sizeof info->cipher, "%s", SSL_CIPHER_get_name(cipher));
    }
    fill_protocol(ssl, info);
    info->resumed = SSL_session_reused(ssl) == 1;
}

void plx__tls_info_fill(const struct plx__tls_connection *connection, plx_tls_info *ret_info)
{
    const struct plx__tls_problem *problem = &connection->problem;
    memset(ret_info, 0, sizeof *ret_info);
    X509 *shown = problem->culprit;
    if (connection->ssl != NULL) {
        X509 *own = certificate_at(connection->ssl, 0);
        fill_handshake(connection->ssl, ret_info);
        ret_info->peer_has_certificate = own != NULL;
        shown = shown != NULL ? shown : own;
    }
    ret_info->check = problem->check;
    ret_info->depth = problem->depth;
    if (shown != NULL) {
        plx__tls_subject(shown, ret_info->subject, sizeof ret_info->subject);
    }
}

bool plx_socket_tls_info_sized(const plx_socket *socket, plx_tls_info *ret_info, size_t size)
{
    plx_filter *filter = plx_socket_filter(socket, &plx__tls_kind);
    plx_tls_info info;
    if (filter == NULL || ret_info == NULL) {
        return false;
    }
    plx__tls_info_fill(plx__tls_connection_of(filter), &info);
    memcpy(ret_info, &info, size < sizeof info ? size : sizeof info);
    return true;
}

size_t plx_socket_peer_certificate(const plx_socket *socket, size_t depth, void *der, size_t size)
{
    plx_filter *filter = plx_socket_filter(socket, &plx__tls_kind);
    const SSL *ssl = filter == NULL ? NULL : plx__tls_connection_of(filter)->ssl;
    X509 *certificate = ssl == NULL ? NULL : certificate_at(ssl, depth);
    int length = certificate == NULL ? 0 : i2d_X509(certificate, NULL);
    if (length > 0 && der != NULL && (size_t)length <= size) {
        unsigned char *place = der;
        i2d_X509(certificate, &place);
    }
    return length > 0 ? (size_t)length : 0;
}
