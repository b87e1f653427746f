/* lib/tls/source.h -- certificates that the program has named, by file, by folder or in memory. */
#ifndef PLX_LIB_TLS_SOURCE_H
#define PLX_LIB_TLS_SOURCE_H

#include "lib/tls/refuse.h"

#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>

/* A list; the source that was added last is first. A source does not change once it is made. */
struct plx__tls_source {
    struct plx__tls_source *next;
    char *path;                    /* NULL: from memory */
    STACK_OF(X509) * certificates; /* NULL: a folder, in which OpenSSL looks when it verifies */
};

/* These make a source in front of `next`. NULL after plx__tls_refuse. A folder is allowed only for
 * certificates that are trusted. plx__tls_source_again reads all files of a list again: a list of
 * its own, or NULL after plx__tls_refuse. */
struct plx__tls_source *plx__tls_source_of_path(struct plx__tls_refusal *refusal, const char *path,
                                                bool may_be_folder, struct plx__tls_source *next);
struct plx__tls_source *plx__tls_source_of_memory(struct plx__tls_refusal *refusal, const void *pem,
                                                  size_t size, struct plx__tls_source *next);
struct plx__tls_source *plx__tls_source_again(struct plx__tls_refusal *refusal,
                                              const struct plx__tls_source *source);

/* plx__tls_source_free frees the sources from `source` up to `end`, which is in the list or NULL;
 * for NULL it does nothing. */
void plx__tls_source_free(struct plx__tls_source *source, const struct plx__tls_source *end);

/* plx__tls_source_has returns whether one of the certificates is in the list. */
bool plx__tls_source_has(const struct plx__tls_source *source, const X509 *certificate);

/* plx__tls_source_store makes what OpenSSL verifies with: of the list, or for NULL, if
 * `installed`, of the certificates that OpenSSL finds installed. NULL after plx__tls_refuse. */
X509_STORE *plx__tls_source_store(struct plx__tls_refusal *refusal,
                                  const struct plx__tls_source *source, bool installed);

#endif
