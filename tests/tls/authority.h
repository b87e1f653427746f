/* tests/tls/authority.h -- certificates that a test makes for itself, so that no file of keys lies
 * in the tree and none expires.
 *
 * struct paper says what a certificate has; members that are not named have a default. So
 *
 *     struct certificate *root = certificate_new(&(struct paper){.is_ca = true}, NULL);
 *     struct certificate *server = certificate_new(
 *         &(struct paper){.subject = "server", .names = "DNS:localhost,IP:127.0.0.1"}, root);
 *     certificate_write(root, w->folder, "root.pem", path);
 *
 * The certificates have no key identifiers (RFC 5280, 4.2.1.1): two authorities of one subject can
 * differ in their keys only, and so a signature can be made that is wrong. Whatever fails
 * here ends the process (must.h). */
#ifndef POLLUX_TESTS_TLS_AUTHORITY_H
#define POLLUX_TESTS_TLS_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

struct paper {
    const char *subject; /* its common name; NULL: "test", of an authority "test authority" */
    const char *names;   /* subjectAltName: "DNS:localhost,IP:127.0.0.1"; NULL: none */
    int from, to;        /* valid from and to, in days from now; both 0: -1 and 30 */
    bool is_ca;          /* may sign others */
    bool has_limit;      /* at most `path_length` authorities may be between it and the end */
    int path_length;
    const char *usage;  /* extendedKeyUsage: "serverAuth", "clientAuth"; NULL: any */
    const char *key;    /* "P-256", "ED25519", "RSA-2048", "RSA-512"; NULL: "P-256" */
    const char *digest; /* of the signature: "SHA1"; NULL: "SHA256", none for Ed25519 */
};

/* A certificate with its private key. Opaque. */
struct certificate;
struct ssl_ctx_st;

/* certificate_new makes one that `issuer` has signed, which must outlive it; NULL: itself.
 * certificate_free accepts NULL. */
struct certificate *certificate_new(const struct paper *paper, const struct certificate *issuer);
void certificate_free(struct certificate *certificate);

/* ---- files ----------------------------------------------------------------------------------- */

/* Each returns in ret_path (WHERE_SIZE bytes) the path of `name` in the folder. */

void certificate_write(const struct certificate *certificate, const char *folder, const char *name,
                       char *ret_path);
/* The certificate and those that have signed it, without the last one, which signs itself. */
void certificate_write_chain(const struct certificate *certificate, const char *folder,
                             const char *name, char *ret_path);
/* The private key; with a password (NULL: none) it is encrypted. */
void certificate_write_key(const struct certificate *certificate, const char *password,
                           const char *folder, const char *name, char *ret_path);
/* The key, the certificate and the same others as in a chain. */
void certificate_write_pkcs12(const struct certificate *certificate, const char *password,
                              const char *folder, const char *name, char *ret_path);

/* ---- bytes ----------------------------------------------------------------------------------- */

/* These write a string, or `size` bytes at most; they return how many bytes it has. */
size_t certificate_pem(const struct certificate *certificate, char *ret_pem, size_t size);
size_t certificate_key_pem(const struct certificate *certificate, char *ret_pem, size_t size);
size_t certificate_der(const struct certificate *certificate, void *ret_der, size_t size);

/* The SHA-256 of the SubjectPublicKeyInfo, for plx_tls_pin. */
void certificate_pin(const struct certificate *certificate, unsigned char ret_sha256[32]);

/* ---- for raw peers --------------------------------------------------------------------------- */

/* certificate_use gives an SSL_CTX the certificate and its key, and the same others as in a
 * chain. */
void certificate_use(const struct certificate *certificate, struct ssl_ctx_st *context);

#endif
