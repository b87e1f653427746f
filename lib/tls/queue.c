/* lib/tls/queue.c -- OpenSSL's queue of errors. */
#include "lib/tls/queue.h"

#include <pollux/error.h>

#include <openssl/err.h>

#include <stddef.h>

static bool is_memory(unsigned long error)
{
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

struct plx__tls_cause plx__tls_queue_take(void)
{
    struct plx__tls_cause cause = {0, is_memory(ERR_peek_last_error())};
    unsigned long error;
    while ((error = ERR_get_error()) != 0) {
        bool is_better =
            ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_LIB(cause.error) != ERR_LIB_SSL;
        cause.is_memory = cause.is_memory || (cause.error == 0 && is_memory(error));
        cause.error = cause.error == 0 || is_better ? error : cause.error;
    }
    return cause;
}

const char *plx__tls_cause_text(struct plx__tls_cause cause)
{
    const char *text = NULL;
    if (ERR_SYSTEM_ERROR(cause.error)) {
        text = plx_code_text(ERR_GET_REASON(cause.error)); /* ERR_reason_error_string(3) has none */
    } else if (cause.error != 0) {
        text = ERR_reason_error_string(cause.error);
    }
    return text == NULL ? "OpenSSL gives no reason" : text;
}
