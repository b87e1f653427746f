/* lib/tls/notice.h -- what OpenSSL reports of a connection while it works: each message of TLS, and
 * each session that a client could resume. */
#ifndef PLX_LIB_TLS_NOTICE_H
#define PLX_LIB_TLS_NOTICE_H

#include "lib/tls/connection.h"

void plx__tls_note_message(int writes, int version, int type, const void *data, size_t size,
                           SSL *ssl, void *user);
int plx__tls_keep_session(SSL *ssl, SSL_SESSION *session);

#endif
