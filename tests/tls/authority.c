/* tests/tls/authority.c -- certificates for tests. See authority.h. */
#include "config.h"

#include "tests/tls/authority.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string.h>

#include "tests/kinds.h"
#include "tests/tls/must.h"

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
    const struct certificate *issuer; /* NULL: itself */
};

/* ---- what is in a certificate ---------------------------------------------------------------- */

static EVP_PKEY *new_key(const char *name)
{
    int bits = name != NULL && strncmp(name, "RSA-", 4) == 0 ? atoi(name + 4) : 0;
    EVP_PKEY *key = bits > 0 ? EVP_RSA_gen((unsigned)bits)
                    : name != NULL && strcmp(name, "ED25519") == 0
                        ? EVP_PKEY_Q_keygen(NULL, NULL, name)
                        : EVP_EC_gen(name == NULL ? "P-256" : name);

    MUST(key != NULL);
    return key;
}

/* Ed25519 digests what it signs by itself. */
static void sign(X509 *x509, EVP_PKEY *key, const char *name)
{
    const EVP_MD *digest = EVP_get_digestbyname(name == NULL ? "SHA256" : name);

    MUST(digest != NULL);
    MUST(X509_sign(x509, key, EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : digest));
}

static void set_times(X509 *x509, const struct paper *paper)
{
    bool named = paper->from != 0 || paper->to != 0;

    MUST(X509_time_adj_ex(X509_getm_notBefore(x509), named ? paper->from : -1, 0, NULL));
    MUST(X509_time_adj_ex(X509_getm_notAfter(x509), named ? paper->to : 30, 0, NULL));
}

static void set_names(X509 *x509, const struct paper *paper, const struct certificate *issuer)
{
    const char *subject = paper->subject != NULL ? paper->subject
                          : paper->is_ca         ? "test authority"
                                                 : "test";
    X509_NAME *name = X509_get_subject_name(x509);

    MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1,
                                    -1, 0));
    MUST(X509_set_issuer_name(x509, issuer == NULL ? name : X509_get_subject_name(issuer->x509)));
}

static void add(X509 *x509, int which, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    MUST(extension != NULL);
    MUST(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *x509, const struct paper *paper)
{
    char basic[64] = "critical,CA:FALSE";

    if (paper->is_ca) {
        snprintf(basic, sizeof basic, "critical,CA:TRUE");
        if (paper->has_limit)
            snprintf(basic, sizeof basic, "critical,CA:TRUE,pathlen:%d", paper->path_length);
        add(x509, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
    }
    add(x509, NID_basic_constraints, basic);
    if (paper->names != NULL)
        add(x509, NID_subject_alt_name, paper->names);
    if (paper->usage != NULL)
        add(x509, NID_ext_key_usage, paper->usage);
}

struct certificate *certificate_new(const struct paper *paper, const struct certificate *issuer)
{
    static long serial;
    struct certificate *certificate = calloc(1, sizeof *certificate);
    X509 *x509 = X509_new();

    MUST(certificate != NULL);
    MUST(x509 != NULL);
    *certificate = (struct certificate){x509, new_key(paper->key), issuer};
    MUST(X509_set_version(x509, X509_VERSION_3));
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial));
    set_times(x509, paper);
    set_names(x509, paper, issuer);
    MUST(X509_set_pubkey(x509, certificate->key));
    add_extensions(x509, paper);
    sign(x509, issuer == NULL ? certificate->key : issuer->key, paper->digest);
    return certificate;
}

void certificate_free(struct certificate *certificate)
{
    if (certificate == NULL)
        return;
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
    free(certificate);
}

/* ---- files ----------------------------------------------------------------------------------- */

static BIO *new_file(const char *folder, const char *name, char *ret_path)
{
    BIO *file;

    snprintf(ret_path, WHERE_SIZE, "%s/%s", folder, name);
    file = BIO_new_file(ret_path, "wb");
    MUST(file != NULL);
    return file;
}

/* The next one of a chain; NULL: it would sign itself. */
static const struct certificate *above(const struct certificate *certificate)
{
    const struct certificate *issuer = certificate->issuer;

    return issuer == NULL || issuer->issuer == NULL ? NULL : issuer;
}

void certificate_write(const struct certificate *certificate, const char *folder, const char *name,
                       char *ret_path)
{
    BIO *file = new_file(folder, name, ret_path);

    MUST(PEM_write_bio_X509(file, certificate->x509));
    MUST(BIO_free(file));
}

void certificate_write_chain(const struct certificate *certificate, const char *folder,
                             const char *name, char *ret_path)
{
    BIO *file = new_file(folder, name, ret_path);

    for (; certificate != NULL; certificate = above(certificate))
        MUST(PEM_write_bio_X509(file, certificate->x509));
    MUST(BIO_free(file));
}

void certificate_write_key(const struct certificate *certificate, const char *password,
                           const char *folder, const char *name, char *ret_path)
{
    BIO *file = new_file(folder, name, ret_path);

    MUST(PEM_write_bio_PrivateKey(file, certificate->key,
                                  password == NULL ? NULL : EVP_aes_256_cbc(), NULL, 0, NULL,
                                  (void *)password));
    MUST(BIO_free(file));
}

void certificate_write_pkcs12(const struct certificate *certificate, const char *password,
                              const char *folder, const char *name, char *ret_path)
{
    BIO *file = new_file(folder, name, ret_path);
    STACK_OF(X509) *chain = sk_X509_new_null();
    PKCS12 *pkcs12;

    MUST(chain != NULL);
    for (const struct certificate *next = above(certificate); next != NULL; next = above(next))
        MUST(sk_X509_push(chain, next->x509) > 0);
    pkcs12 =
        PKCS12_create(password, NULL, certificate->key, certificate->x509, chain, 0, 0, 0, 0, 0);
    MUST(pkcs12 != NULL);
    MUST(i2d_PKCS12_bio(file, pkcs12));
    PKCS12_free(pkcs12);
    sk_X509_free(chain);
    MUST(BIO_free(file));
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static size_t take(BIO *memory, char *ret_pem, size_t size)
{
    char *data = NULL;
    long length = BIO_get_mem_data(memory, &data);

    MUST(length > 0);
    MUST((size_t)length < size);
    memcpy(ret_pem, data, (size_t)length);
    ret_pem[length] = '\0';
    BIO_free(memory);
    return (size_t)length;
}

size_t certificate_pem(const struct certificate *certificate, char *ret_pem, size_t size)
{
    BIO *memory = BIO_new(BIO_s_mem());

    MUST(memory != NULL && PEM_write_bio_X509(memory, certificate->x509));
    return take(memory, ret_pem, size);
}

size_t certificate_key_pem(const struct certificate *certificate, char *ret_pem, size_t size)
{
    BIO *memory = BIO_new(BIO_s_mem());

    MUST(memory != NULL &&
         PEM_write_bio_PrivateKey(memory, certificate->key, NULL, NULL, 0, NULL, NULL));
    return take(memory, ret_pem, size);
}

size_t certificate_der(const struct certificate *certificate, void *ret_der, size_t size)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate->x509, &der);

    MUST(length > 0);
    MUST((size_t)length <= size);
    memcpy(ret_der, der, (size_t)length);
    OPENSSL_free(der);
    return (size_t)length;
}

void certificate_pin(const struct certificate *certificate, unsigned char ret_sha256[32])
{
    unsigned char *key = NULL;
    unsigned size = 0;
    int length = i2d_PUBKEY(certificate->key, &key);

    MUST(length > 0);
    MUST(EVP_Digest(key, (size_t)length, ret_sha256, &size, EVP_sha256(), NULL));
    MUST(size == 32);
    OPENSSL_free(key);
}

void certificate_use(const struct certificate *certificate, struct ssl_ctx_st *context)
{
    MUST(SSL_CTX_use_certificate(context, certificate->x509) == 1);
    MUST(SSL_CTX_use_PrivateKey(context, certificate->key) == 1);
    for (const struct certificate *next = above(certificate); next != NULL; next = above(next))
        MUST(SSL_CTX_add1_chain_cert(context, next->x509) == 1);
}
