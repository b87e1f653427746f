/* tests/bench/tls.c -- what the sides of bench-tls share. See tls.h. */
#include "config.h"

#include "tests/bench/tls.h"
#include "tests/tls/authority.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

void tls_check(bool good, const char *step)
{
    if (!good)
        bench_fail(step);
}

void tls_check_cipher(const char *cipher)
{
    tls_check(cipher != NULL && strcmp(cipher, TLS_CIPHER) == 0, "agree on " TLS_CIPHER);
}

static void write_papers(struct tls_papers *papers)
{
    const struct paper authority = {.subject = "authority", .is_ca = true};
    const struct paper own = {.subject = TLS_HOST, .names = "DNS:" TLS_HOST};
    struct certificate *issuer = certificate_new(&authority, NULL);
    struct certificate *server = certificate_new(&own, issuer);

    certificate_pem(issuer, papers->trusted, sizeof papers->trusted);
    certificate_pem(server, papers->certificate, sizeof papers->certificate);
    certificate_key_pem(server, papers->key, sizeof papers->key);
    certificate_free(server);
    certificate_free(issuer);
}

const struct tls_papers *tls_papers(void)
{
    static struct tls_papers papers;

    if (papers.trusted[0] == '\0')
        write_papers(&papers);
    return &papers;
}

/* ---- OpenSSL by hand ------------------------------------------------------------------------- */

static X509 *read_certificate(const char *pem)
{
    BIO *text = BIO_new_mem_buf(pem, -1);
    X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);

    BIO_free(text);
    return certificate;
}

static void use_papers(SSL_CTX *context)
{
    X509 *certificate = read_certificate(tls_papers()->certificate);
    BIO *text = BIO_new_mem_buf(tls_papers()->key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);

    tls_check(SSL_CTX_use_certificate(context, certificate) == 1 &&
                  SSL_CTX_use_PrivateKey(context, key) == 1,
              "give OpenSSL the certificate");
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(text);
}

static void trust_papers(SSL_CTX *context)
{
    X509 *certificate = read_certificate(tls_papers()->trusted);

    tls_check(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1,
              "let OpenSSL trust the certificate");
    X509_free(certificate);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
}

static SSL_CTX *make_context(bool is_server)
{
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

    tls_check(context != NULL, "SSL_CTX_new");
    if (is_server)
        use_papers(context);
    else
        trust_papers(context);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    return context;
}

SSL_CTX *tls_context(bool is_server)
{
    static SSL_CTX *contexts[2];

    if (contexts[is_server] == NULL)
        contexts[is_server] = make_context(is_server);
    return contexts[is_server];
}
