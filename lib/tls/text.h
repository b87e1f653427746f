/* lib/tls/text.h -- strings: copies, and names of certificates in words. */
#ifndef PLX_LIB_TLS_TEXT_H
#define PLX_LIB_TLS_TEXT_H

#include <openssl/x509.h>

#include <stddef.h>

/* plx__tls_copy returns a copy of a string, to be freed by plx_memory_resize. NULL when there is no
 * memory. */
char *plx__tls_copy(const char *text);

/* These write what a certificate says, without a control character that it may have: its subject,
 * as "CN=example.org" (RFC 2253); its issuer; the first host name or address it is for; the moment
 * from which, or until which, it is valid, as "2026-01-03". "" if there is none. */
void plx__tls_subject(const X509 *certificate, char *ret_text, size_t size);
void plx__tls_issuer(const X509 *certificate, char *ret_text, size_t size);
void plx__tls_first_name(const X509 *certificate, char *ret_text, size_t size);
void plx__tls_day(const ASN1_TIME *time, char *ret_text, size_t size);

#endif
