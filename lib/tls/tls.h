/* lib/tls/tls.h -- the settings of TLS connections, shared and counted.
 *
 *      plx_tls --makes--> SSL_CTX <--shared-- SSL of a connection
 *         ^                                         |
 *         +-------------- shared -------------------+
 *
 * Design: an SSL_CTX is never changed after it was made. Each change of the settings makes another
 * one (plx__tls_renew), for the connections that begin later: so they keep what they began with,
 * the keys of the tickets are new, and no ticket outlives the check that it skips. A change that
 * OpenSSL refuses leaves the old SSL_CTX, and its caller puts the old value back.
 *
 * Invariants: `shares` is at least 1; `context` is never NULL; in it is what the other members
 * say. */
#ifndef PLX_LIB_TLS_TLS_H
#define PLX_LIB_TLS_TLS_H

#include "lib/tls/identity.h"
#include "lib/tls/refuse.h"
#include "lib/tls/sessions.h"
#include "lib/tls/source.h"

#include <pollux/tls.h>

#include <openssl/ssl.h>

enum { PLX__TLS_OPTIONS = PLX_TLS_PAUSE_ON_PROBLEM + 1 };

struct plx__tls_pin {
    unsigned char sha256[32];
};

struct plx_tls {
    size_t shares;
    bool is_server;
    int options[PLX__TLS_OPTIONS];
    char *ciphers[2]; /* of TLS 1.2 and 1.3; NULL: OpenSSL's own */
    struct plx__tls_protocols {
        unsigned char *names; /* each with its length before it, as in RFC 7301 */
        size_t size;
    } protocols;
    struct plx__tls_source *trusted;  /* NULL: a client trusts what OpenSSL finds installed */
    struct plx__tls_source *rejected; /* NULL: none */
    X509_STORE *store;                /* made of `trusted` */
    struct plx__tls_pin *pins;
    size_t pin_count;
    struct plx__tls_identity identity;
    SSL_CTX *context;
    BIO_METHOD *lower;
    struct plx__tls_sessions sessions;
    int (*check_peer)(plx_socket *socket, const plx_tls_info *problem, void *user);
    void *user;
    struct plx__tls_refusal refusal;
};

/* plx__tls_share adds a share and returns the settings; plx_tls_free gives one up. */
plx_tls *plx__tls_share(plx_tls *tls);

/* plx__tls_renew makes the SSL_CTX anew after a change, and forgets all sessions. Returns 0, or a
 * code after plx__tls_refuse; then the old one is unchanged. */
int plx__tls_renew(plx_tls *tls);

#endif
