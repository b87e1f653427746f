/* lib/tls/queue.h -- OpenSSL's queue of errors, which each thread has (ERR_get_error(3)). */
#ifndef PLX_LIB_TLS_QUEUE_H
#define PLX_LIB_TLS_QUEUE_H

#include <stdbool.h>

/* Why a call has failed. */
struct plx__tls_cause {
    unsigned long error; /* 0: OpenSSL does not say */
    bool is_memory;      /* there was no memory */
};

/* plx__tls_queue_take returns the cause of the last failure, and empties the queue. The first error
 * is the cause; those behind it are of the callers of the function that failed. But one of TLS
 * itself says more than those of the ciphers below it. */
struct plx__tls_cause plx__tls_queue_take(void);

/* plx__tls_cause_text returns the cause in OpenSSL's words; static. */
const char *plx__tls_cause_text(struct plx__tls_cause cause);

#endif
