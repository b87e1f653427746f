/* lib/tls/identity.c -- this side's certificate and private key. */
#include "lib/tls/identity.h"
#include "lib/tls/queue.h"
#include "lib/tls/refuse.h"
#include "lib/tls/text.h"

#include <pollux/memory.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <stdio.h>
#include <string.h>

/* ---- passwords ------------------------------------------------------------------------------- */

struct secret {
    const char *password; /* NULL: none was given */
    bool asked;           /* the key is encrypted */
};

/* Without a callback OpenSSL would ask on the terminal and block (pem_password_cb(3)). */
static int give_password(char *buffer, int size, int writes, void *user)
{
    struct secret *secret = user;
    size_t length = secret->password == NULL ? 0 : strlen(secret->password);
    (void)writes;
    secret->asked = true;
    if (secret->password == NULL || size < 0 || length > (size_t)size) {
        return -1;
    }
    memcpy(buffer, secret->password, length);
    return (int)length;
}

static int refuse_password(struct plx__tls_refusal *refusal, const char *password, const char *name)
{
    ERR_clear_error();
    return plx__tls_refuse(refusal, "private key of %s: %s", name,
                           password == NULL ? "it is encrypted, and no password was given"
                                            : "the password does not fit");
}

/* OpenSSL 3 says of PEM without a private key that it is unsupported. */
static bool is_of_no_key(unsigned long error)
{
    return (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) ||
           (ERR_GET_LIB(error) == ERR_LIB_OSSL_DECODER &&
            ERR_GET_REASON(error) == ERR_R_UNSUPPORTED);
}

static int refuse_key(struct plx__tls_refusal *refusal, const struct secret *secret,
                      const char *name)
{
    unsigned long last = ERR_peek_last_error();
    struct plx__tls_cause cause = plx__tls_queue_take();
    if (cause.is_memory) {
        return plx__tls_refuse_memory(refusal);
    }
    if (secret->asked) {
        return refuse_password(refusal, secret->password, name);
    }
    return plx__tls_refuse(refusal, "private key of %s: %s", name,
                           last == 0 || is_of_no_key(last)
                               ? "there is none in it that can be read (in PEM, RFC 7468)"
                               : plx__tls_cause_text(cause));
}

/* ---- the two formats ------------------------------------------------------------------------- */

static int parse_key(struct plx__tls_refusal *refusal, struct plx__tls_bytes pem,
                     const char *password, struct plx__tls_identity *identity)
{
    struct secret secret = {password, false};
    BIO *memory = plx__tls_file_open(refusal, pem);
    if (memory == NULL) {
        return refusal->error.code;
    }
    ERR_clear_error();
    identity->key = PEM_read_bio_PrivateKey(memory, NULL, give_password, &secret);
    BIO_free(memory);
    return identity->key != NULL ? 0 : refuse_key(refusal, &secret, pem.name);
}

/* The first certificate is this side's own, those behind it lead to one that the peer trusts. */
static int parse_pem(struct plx__tls_refusal *refusal, struct plx__tls_bytes pem,
                     struct plx__tls_bytes key, const char *password,
                     struct plx__tls_identity *identity)
{
    identity->chain = plx__tls_file_certificates(refusal, pem);
    if (identity->chain == NULL) {
        return refusal->error.code;
    }
    identity->certificate = sk_X509_shift(identity->chain);
    return parse_key(refusal, key.data != NULL ? key : pem, password, identity);
}

/* PKCS#12 is a SEQUENCE in DER (RFC 7292); PEM is text. */
static bool is_pkcs12(struct plx__tls_bytes bytes)
{
    return bytes.size > 0 && *(const unsigned char *)bytes.data == 0x30;
}

/* No password and an empty one are two keys (RFC 7292, B.1), and programs write either. */
static bool fits(PKCS12 *file, const char *password)
{
    if (!PKCS12_mac_present(file)) {
        return true;
    }
    if (password == NULL || password[0] == '\0') {
        return PKCS12_verify_mac(file, NULL, 0) || PKCS12_verify_mac(file, "", 0);
    }
    return PKCS12_verify_mac(file, password, -1);
}

static int parse_pkcs12(struct plx__tls_refusal *refusal, struct plx__tls_bytes bytes,
                        const char *password, struct plx__tls_identity *identity)
{
    char what[192];
    const unsigned char *data = bytes.data;
    ERR_clear_error();
    PKCS12 *file = d2i_PKCS12(NULL, &data, (long)bytes.size);
    if (file != NULL && !fits(file, password)) {
        PKCS12_free(file);
        return refuse_password(refusal, password, bytes.name);
    }
    bool good = file != NULL && PKCS12_parse(file, password, &identity->key, &identity->certificate,
                                             &identity->chain) == 1;
    PKCS12_free(file);
    snprintf(what, sizeof what, "PKCS#12 of %s", bytes.name);
    if (!good) {
        return plx__tls_refuse_openssl(refusal, what);
    }
    if (identity->key == NULL || identity->certificate == NULL) {
        return plx__tls_refuse(refusal, "%s: there is no certificate or no private key in it",
                               what);
    }
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int parse(struct plx__tls_refusal *refusal, struct plx__tls_bytes certificate,
                 struct plx__tls_bytes key, const char *password,
                 struct plx__tls_identity *identity)
{
    int code = is_pkcs12(certificate) && key.data == NULL
                   ? parse_pkcs12(refusal, certificate, password, identity)
                   : parse_pem(refusal, certificate, key, password, identity);
    if (code == 0 && X509_check_private_key(identity->certificate, identity->key) != 1) {
        ERR_clear_error();
        code = plx__tls_refuse(refusal, "private key of %s: it does not belong to the certificate",
                               key.data != NULL ? key.name : certificate.name);
    }
    return code;
}

int plx__tls_identity_parse(struct plx__tls_refusal *refusal, struct plx__tls_bytes certificate,
                            struct plx__tls_bytes key, const char *password,
                            struct plx__tls_identity *ret_identity)
{
    struct plx__tls_identity identity = {0};
    int code = parse(refusal, certificate, key, password, &identity);
    if (code == 0) {
        *ret_identity = identity;
    } else {
        plx__tls_identity_clear(&identity);
    }
    return code;
}

static int keep_names(struct plx__tls_refusal *refusal, const char *file, const char *key_file,
                      const char *password, struct plx__tls_identity *identity)
{
    identity->file = plx__tls_copy(file);
    identity->key_file = key_file == NULL ? NULL : plx__tls_copy(key_file);
    identity->password = password == NULL ? NULL : plx__tls_copy(password);
    bool good = identity->file != NULL && (key_file == NULL || identity->key_file != NULL) &&
                (password == NULL || identity->password != NULL);
    if (!good) {
        plx__tls_identity_clear(identity);
    }
    return good ? 0 : plx__tls_refuse_memory(refusal);
}

int plx__tls_identity_read(struct plx__tls_refusal *refusal, const char *file, const char *key_file,
                           const char *password, struct plx__tls_identity *ret_identity)
{
    struct plx__tls_bytes key = {0};
    struct plx__tls_identity identity = {0};
    BIO *memory = plx__tls_file_read(refusal, file, NULL);
    BIO *key_memory =
        memory == NULL || key_file == NULL ? NULL : plx__tls_file_read(refusal, key_file, NULL);
    int code = refusal->error.code;
    if (memory != NULL && (key_file == NULL || key_memory != NULL)) {
        if (key_memory != NULL) {
            key = plx__tls_file_bytes(key_memory, key_file);
        }
        code = plx__tls_identity_parse(refusal, plx__tls_file_bytes(memory, file), key, password,
                                       &identity);
        code = code == 0 ? keep_names(refusal, file, key_file, password, &identity) : code;
    }
    BIO_free(memory);
    BIO_free(key_memory);
    if (code == 0) {
        *ret_identity = identity;
    }
    return code;
}

/* ---- using ----------------------------------------------------------------------------------- */

bool plx__tls_identity_use(const struct plx__tls_identity *identity, SSL_CTX *context)
{
    return SSL_CTX_use_cert_and_key(context, identity->certificate, identity->key, identity->chain,
                                    1) == 1;
}

static void erase(char *text)
{
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
        plx_memory_resize(text, 0);
    }
}

void plx__tls_identity_clear(struct plx__tls_identity *identity)
{
    X509_free(identity->certificate);
    sk_X509_pop_free(identity->chain, X509_free);
    EVP_PKEY_free(identity->key);
    erase(identity->file);
    erase(identity->key_file);
    erase(identity->password);
    *identity = (struct plx__tls_identity){0};
}
