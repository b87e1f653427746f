/* lib/tls/file.h -- reading files of certificates and keys, by OpenSSL's means. */
#ifndef PLX_LIB_TLS_FILE_H
#define PLX_LIB_TLS_FILE_H

#include "lib/tls/refuse.h"

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stddef.h>

/* Bytes of somebody else's, which have the name `name` in messages. */
struct plx__tls_bytes {
    const void *data;
    size_t size;
    const char *name;
};

/* plx__tls_file_read reads a whole file into memory, which is erased when it is freed. NULL after
 * plx__tls_refuse, except for a folder if ret_is_folder is given. plx__tls_file_bytes returns what
 * was read, and borrows it. */
BIO *plx__tls_file_read(struct plx__tls_refusal *refusal, const char *path, bool *ret_is_folder);
struct plx__tls_bytes plx__tls_file_bytes(BIO *memory, const char *path);

/* plx__tls_file_open makes a BIO that reads the bytes, which it borrows. NULL after
 * plx__tls_refuse. */
BIO *plx__tls_file_open(struct plx__tls_refusal *refusal, struct plx__tls_bytes bytes);

/* plx__tls_file_certificates returns all certificates of some PEM, in their order. NULL after
 * plx__tls_refuse: one cannot be read, or there is none. */
STACK_OF(X509) *
    plx__tls_file_certificates(struct plx__tls_refusal *refusal, struct plx__tls_bytes pem);

#endif
