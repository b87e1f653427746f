/* lib/tls/queue.c -- OpenSSL's queue of errors. */
#include "lib/tls/queue.h"

#include <openssl/err.h>

#include <stddef.h>

static bool is_memory(unsigned long error)
{
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

struct plx__tls_cause plx__tls_queue_take(void)
{
    unsigned long first = ERR_get_error();
    struct plx__tls_cause cause = {first, is_memory(first) || is_memory(ERR_peek_last_error())};
    ERR_clear_error();
    return cause;
}

const char *plx__tls_cause_text(struct plx__tls_cause cause)
{
    const char *text = cause.error == 0 ? NULL : ERR_reason_error_string(cause.error);
    return text == NULL ? "OpenSSL gives no reason" : text;
}
