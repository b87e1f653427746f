/* lib/tls/identity.h -- this side's certificate and private key. */
#ifndef PLX_LIB_TLS_IDENTITY_H
#define PLX_LIB_TLS_IDENTITY_H

#include "lib/tls/file.h"

#include <openssl/ssl.h>

/* All NULL: there is none. */
struct plx__tls_identity {
    X509 *certificate;
    STACK_OF(X509) * chain; /* intermediate certificates; NULL: none */
    EVP_PKEY *key;
    /* What to read again: NULL if it came from memory, `key_file` also if it is the same file. The
     * password is kept for that, and erased. */
    char *file, *key_file, *password;
};

/* These read an identity into *ret_identity, which is untouched unless 0 is returned; else a code
 * after plx__tls_refuse. A `key_file` of NULL, and a `key` without data, is that of the
 * certificate. */
int plx__tls_identity_read(struct plx__tls_refusal *refusal, const char *file, const char *key_file,
                           const char *password, struct plx__tls_identity *ret_identity);
int plx__tls_identity_parse(struct plx__tls_refusal *refusal, struct plx__tls_bytes certificate,
                            struct plx__tls_bytes key, const char *password,
                            struct plx__tls_identity *ret_identity);

/* plx__tls_identity_use gives an identity, which is there, to an SSL_CTX. Returns whether OpenSSL
 * has accepted it. */
bool plx__tls_identity_use(const struct plx__tls_identity *identity, SSL_CTX *context);

/* plx__tls_identity_clear frees what it holds and erases the password. */
void plx__tls_identity_clear(struct plx__tls_identity *identity);

#endif
