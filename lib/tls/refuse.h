/* lib/tls/refuse.h -- errors of calls on settings: why they were refused. */
#ifndef PLX_LIB_TLS_REFUSE_H
#define PLX_LIB_TLS_REFUSE_H

#include <pollux/error.h>

#if defined(__GNUC__)
#define PLX__TLS_PRINTF(text, arguments) __attribute__((format(printf, text, arguments)))
#else
#define PLX__TLS_PRINTF(text, arguments)
#endif

/* The last failure of a call with some settings. */
struct plx__tls_refusal {
    plx_error error;
    char sentence[256]; /* of `error` */
};

/* plx__tls_refuse records that what the caller gave cannot be used, and returns
 * PLX_INVALID_STATE. */
int plx__tls_refuse(struct plx__tls_refusal *refusal, const char *format, ...)
    PLX__TLS_PRINTF(2, 3);

/* plx__tls_refuse_openssl does so for what OpenSSL has just refused, and adds its reason. When
 * there was no memory, it records and returns PLX_OUT_OF_MEMORY. */
int plx__tls_refuse_openssl(struct plx__tls_refusal *refusal, const char *what);

/* plx__tls_refuse_memory records that there was no memory, and returns PLX_OUT_OF_MEMORY. */
int plx__tls_refuse_memory(struct plx__tls_refusal *refusal);

/* plx__tls_refuse_internal records that OpenSSL failed, and returns PLX_OPEN_DRIVER, or
 * PLX_OUT_OF_MEMORY. */
int plx__tls_refuse_internal(struct plx__tls_refusal *refusal, const char *what);

#endif
