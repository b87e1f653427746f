/* tests/bench/tls.h -- what the sides of bench-tls share: certificates, settings, and the sides.
 *
 * Each side is a peer (peer.h) that can do pairs only; `family` says nothing, a pair of Unix
 * sockets carries all of them. `open` returns when both ends have shaken hands: TLS 1.3, X25519 or
 * what OpenSSL prefers, a certificate on P-256 that the client verifies with the name, no session.
 * `close` says goodbye at both ends. */
#ifndef TESTS_BENCH_TLS_H
#define TESTS_BENCH_TLS_H

#include "tests/bench/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TLS_HOST "bench.test"
#define TLS_CIPHER "TLS_AES_256_GCM_SHA384"

struct ssl_ctx_st; /* SSL_CTX */
struct plx_tls;

/* As PEM. */
struct tls_papers {
    char trusted[4096], certificate[4096], key[4096];
};

/* tls_papers returns the certificates of this run. */
const struct tls_papers *tls_papers(void);

/* tls_context returns the settings of one end for those that use OpenSSL by hand; they live until
 * the program ends. */
struct ssl_ctx_st *tls_context(bool is_server);

/* tls_pollux_settings returns those for Pollux; they live as long. */
struct plx_tls *tls_pollux_settings(bool is_server);

/* tls_check ends the program if the step has failed. tls_check_cipher does so if a side has agreed
 * on another cipher than the others. */
void tls_check(bool good, const char *step);
void tls_check_cipher(const char *cipher);

extern const struct peer peer_tls_raw, peer_tls_pollux, peer_tls_event, peer_tls_qt;

#ifdef __cplusplus
}
#endif

#endif
