/* lib/tls/peer.h -- the check of the peer: its certificate, its name, what the program trusts. */
#ifndef PLX_LIB_TLS_PEER_H
#define PLX_LIB_TLS_PEER_H

#include "lib/tls/connection.h"

/* plx__tls_verify is called by OpenSSL in place of its own verification. A client whose program has
 * to be asked pauses the handshake there, before anything secret is sent; a server lets it go on,
 * and judges by plx__tls_judge when it is done. */
int plx__tls_verify(X509_STORE_CTX *store, void *user);

/* plx__tls_judge decides after the handshake whether to go on. Returns 0, EAGAIN while the answer
 * is not known, or EACCES for no. */
int plx__tls_judge(plx_filter *filter);

/* plx__tls_problem_text writes what is wrong with the peer's certificate, for a message. */
void plx__tls_problem_text(const struct plx__tls_connection *connection, char *ret_text,
                           size_t size);

#endif
