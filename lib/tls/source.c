/* lib/tls/source.c -- certificates that the program has named. */
#include "lib/tls/source.h"
#include "lib/tls/file.h"
#include "lib/tls/refuse.h"
#include "lib/tls/text.h"

#include <pollux/memory.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

/* Takes the certificates. Unless NULL is returned `path` was copied. */
static struct plx__tls_source *new_source(struct plx__tls_refusal *refusal, const char *path,
                                          STACK_OF(X509) * certificates,
                                          struct plx__tls_source *next)
{
    struct plx__tls_source *source = plx_memory_resize(NULL, sizeof *source);
    char *copy = path == NULL ? NULL : plx__tls_copy(path);
    if (source == NULL || (path != NULL && copy == NULL)) {
        plx_memory_resize(copy, 0);
        plx_memory_resize(source, 0);
        sk_X509_pop_free(certificates, X509_free);
        plx__tls_refuse_memory(refusal);
        return NULL;
    }
    *source = (struct plx__tls_source){next, copy, certificates};
    return source;
}

struct plx__tls_source *plx__tls_source_of_path(struct plx__tls_refusal *refusal, const char *path,
                                                bool may_be_folder, struct plx__tls_source *next)
{
    bool is_folder = false;
    BIO *file = plx__tls_file_read(refusal, path, may_be_folder ? &is_folder : NULL);
    STACK_OF(X509) *certificates =
        file == NULL ? NULL : plx__tls_file_certificates(refusal, plx__tls_file_bytes(file, path));
    BIO_free(file);
    return certificates != NULL || is_folder ? new_source(refusal, path, certificates, next) : NULL;
}

struct plx__tls_source *plx__tls_source_of_memory(struct plx__tls_refusal *refusal, const void *pem,
                                                  size_t size, struct plx__tls_source *next)
{
    struct plx__tls_bytes bytes = {pem, size, "the given memory"};
    STACK_OF(X509) *certificates = plx__tls_file_certificates(refusal, bytes);
    return certificates == NULL ? NULL : new_source(refusal, NULL, certificates, next);
}

static struct plx__tls_source *copy_source(struct plx__tls_refusal *refusal,
                                           const struct plx__tls_source *source,
                                           struct plx__tls_source *next)
{
    if (source->path != NULL) {
        return plx__tls_source_of_path(refusal, source->path, source->certificates == NULL, next);
    }
    STACK_OF(X509) *copy = X509_chain_up_ref(source->certificates);
    if (copy == NULL) {
        plx__tls_refuse_memory(refusal);
        return NULL;
    }
    return new_source(refusal, NULL, copy, next);
}

/* The order of the copy is the reverse, which has no meaning for sources. */
struct plx__tls_source *plx__tls_source_again(struct plx__tls_refusal *refusal,
                                              const struct plx__tls_source *source)
{
    struct plx__tls_source *list = NULL;
    for (; source != NULL; source = source->next) {
        struct plx__tls_source *copy = copy_source(refusal, source, list);
        if (copy == NULL) {
            plx__tls_source_free(list, NULL);
            return NULL;
        }
        list = copy;
    }
    return list;
}

void plx__tls_source_free(struct plx__tls_source *source, const struct plx__tls_source *end)
{
    while (source != NULL && source != end) {
        struct plx__tls_source *next = source->next;
        sk_X509_pop_free(source->certificates, X509_free);
        plx_memory_resize(source->path, 0);
        plx_memory_resize(source, 0);
        source = next;
    }
}

/* ---- using ----------------------------------------------------------------------------------- */

/* Returns the size of what the issuer has signed (RFC 5280, 4.1: TBSCertificate), and where it is
 * in *ret_der, which the caller frees. 0: no memory. */
static size_t find_signed(const X509 *certificate, unsigned char **ret_der,
                          const unsigned char **ret_signed)
{
    int type, class;
    long size = 0;
    int total = i2d_X509(certificate, ret_der);
    const unsigned char *next = *ret_der;
    if (total <= 0 || (ASN1_get_object(&next, &size, &type, &class, total) & 0x80) != 0) {
        return 0;
    }
    *ret_signed = next;
    bool bad = (ASN1_get_object(&next, &size, &type, &class, size) & 0x80) != 0;
    return bad ? 0 : (size_t)(next - *ret_signed) + (size_t)size;
}

/* Compares what was signed and not the signature, as X509_cmp(3) does: from an ECDSA signature
 * (r, s) anybody can make (r, n - s), which is as good. Without memory they are the same. */
static bool is_same(const X509 *one, const X509 *other)
{
    unsigned char *ders[2] = {NULL, NULL};
    const unsigned char *contents[2] = {NULL, NULL};
    if (X509_issuer_and_serial_cmp(one, other) != 0) {
        return false;
    }
    size_t size = find_signed(one, &ders[0], &contents[0]);
    size_t other_size = find_signed(other, &ders[1], &contents[1]);
    bool same = size == 0 || other_size == 0 ||
                (size == other_size && memcmp(contents[0], contents[1], size) == 0);
    OPENSSL_free(ders[0]);
    OPENSSL_free(ders[1]);
    return same;
}

static bool has(STACK_OF(X509) * certificates, const X509 *certificate)
{
    int place = sk_X509_num(certificates) - 1;
    while (place >= 0 && !is_same(sk_X509_value(certificates, place), certificate)) {
        place--;
    }
    return place >= 0;
}

bool plx__tls_source_has(const struct plx__tls_source *source, const X509 *certificate)
{
    while (source != NULL && !has(source->certificates, certificate)) {
        source = source->next;
    }
    return source != NULL;
}

static bool add(X509_STORE *store, const struct plx__tls_source *source)
{
    if (source->certificates == NULL) {
        return X509_STORE_load_path(store, source->path) == 1;
    }
    bool good = true;
    for (int place = 0; good && place < sk_X509_num(source->certificates); place++) {
        good = X509_STORE_add_cert(store, sk_X509_value(source->certificates, place)) == 1;
    }
    return good;
}

X509_STORE *plx__tls_source_store(struct plx__tls_refusal *refusal,
                                  const struct plx__tls_source *source, bool installed)
{
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    bool good = store != NULL;
    if (good && source == NULL && installed) {
        good = X509_STORE_set_default_paths(store) == 1;
    }
    for (; good && source != NULL; source = source->next) {
        good = add(store, source);
    }
    if (good) {
        return store;
    }
    X509_STORE_free(store);
    plx__tls_refuse_internal(refusal, "TLS: certificates to trust");
    return NULL;
}
