/* lib/tls/file.c -- reading files of certificates and keys. */
#include "lib/tls/file.h"
#include "lib/tls/refuse.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>

/* More than any file of certificates has: a bundle of all that are trusted has 250 KiB. */
#define LARGEST_FILE (16 << 20)

/* Reads `file` to its end. Returns NULL after ERR_raise. */
static BIO *copy(BIO *file)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char block[4096];
    int count = 0, total = 0;
    while (memory != NULL && total <= LARGEST_FILE &&
           (count = BIO_read(file, block, sizeof block)) > 0) {
        total += count;
        if (BIO_write(memory, block, count) != count) {
            BIO_free(memory);
            memory = NULL;
        }
    }
    OPENSSL_cleanse(block, sizeof block);
    if (memory != NULL && (total > LARGEST_FILE || ERR_peek_error() != 0)) {
        BIO_free(memory);
        memory = NULL;
    }
    return memory;
}

/* OpenSSL opens a folder as a file, and read(2) then fails. */
static bool is_folder(unsigned long error)
{
    return ERR_SYSTEM_ERROR(error) && ERR_GET_REASON(error) == EISDIR;
}

BIO *plx__tls_file_read(struct plx__tls_refusal *refusal, const char *path, bool *ret_is_folder)
{
    ERR_clear_error();
    BIO *file = BIO_new_file(path, "rb");
    BIO *memory = file == NULL ? NULL : copy(file);
    BIO_free(file);
    if (memory == NULL && ret_is_folder != NULL && is_folder(ERR_peek_error())) {
        *ret_is_folder = true;
        ERR_clear_error();
    } else if (memory == NULL && ERR_peek_error() == 0) {
        plx__tls_refuse(refusal, "read %s: the file is too large", path);
    } else if (memory == NULL) {
        char what[192];
        BIO_snprintf(what, sizeof what, "read %s", path);
        plx__tls_refuse_openssl(refusal, what);
    }
    return memory;
}

static bool is_end(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* PEM_read_bio_X509 skips what is no certificate. */
static int read_all(BIO *pem, STACK_OF(X509) * list)
{
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(list, certificate) == 0) {
            X509_free(certificate);
            return 0;
        }
    }
    return is_end(ERR_peek_last_error());
}

struct plx__tls_bytes plx__tls_file_bytes(BIO *memory, const char *path)
{
    char *data = NULL;
    long size = BIO_get_mem_data(memory, &data);
    return (struct plx__tls_bytes){data, size > 0 ? (size_t)size : 0, path};
}

BIO *plx__tls_file_open(struct plx__tls_refusal *refusal, struct plx__tls_bytes bytes)
{
    if (bytes.size > LARGEST_FILE) {
        plx__tls_refuse(refusal, "%s: too large", bytes.name);
        return NULL;
    }
    /* With a size of -1, which no caller gives, it would be a string. */
    BIO *memory = BIO_new_mem_buf(bytes.size == 0 ? "" : bytes.data, (int)bytes.size);
    if (memory == NULL) {
        plx__tls_refuse_memory(refusal);
    }
    return memory;
}

/* Takes the BIO. */
static STACK_OF(X509) *
    certificates_of(struct plx__tls_refusal *refusal, BIO *pem, const char *name)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    char what[192];
    BIO_snprintf(what, sizeof what, "certificates of %s", name);
    ERR_clear_error();
    bool good = false;
    if (list == NULL) {
        plx__tls_refuse_memory(refusal);
    } else if (!read_all(pem, list)) {
        plx__tls_refuse_openssl(refusal, what);
    } else if (sk_X509_num(list) == 0) {
        plx__tls_refuse(refusal, "%s: there is none in it (in PEM, RFC 7468)", what);
    } else {
        good = true;
    }
    ERR_clear_error();
    BIO_free(pem);
    if (!good) {
        sk_X509_pop_free(list, X509_free);
    }
    return good ? list : NULL;
}

STACK_OF(X509) *
    plx__tls_file_certificates(struct plx__tls_refusal *refusal, struct plx__tls_bytes pem)
{
    BIO *memory = plx__tls_file_open(refusal, pem);
    return memory == NULL ? NULL : certificates_of(refusal, memory, pem.name);
}
