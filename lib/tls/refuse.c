/* lib/tls/refuse.c -- errors of calls on settings. */
#include "lib/tls/refuse.h"
#include "lib/tls/queue.h"

#include <openssl/err.h>

#include <stdarg.h>
#include <stdio.h>

/* The program, which may use OpenSSL too, finds nothing of ours in the queue of errors. */
static int record(struct plx__tls_refusal *refusal, int code, plx_reason reason, const char *format,
                  va_list arguments)
{
    vsnprintf(refusal->sentence, sizeof refusal->sentence, format, arguments);
    refusal->error = (plx_error){code, reason, 0, refusal->sentence};
    ERR_clear_error();
    return code;
}

static int fail(struct plx__tls_refusal *refusal, int code, plx_reason reason, const char *format,
                ...) PLX__TLS_PRINTF(4, 5);

static int fail(struct plx__tls_refusal *refusal, int code, plx_reason reason, const char *format,
                ...)
{
    va_list arguments;
    va_start(arguments, format);
    code = record(refusal, code, reason, format, arguments);
    va_end(arguments);
    return code;
}

int plx__tls_refuse(struct plx__tls_refusal *refusal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int code =
        record(refusal, PLX_INVALID_STATE, PLX_REASON_TLS_INVALID_USER_DATA, format, arguments);
    va_end(arguments);
    return code;
}

int plx__tls_refuse_memory(struct plx__tls_refusal *refusal)
{
    return fail(refusal, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, "TLS: %s",
                plx_code_text(PLX_OUT_OF_MEMORY));
}

int plx__tls_refuse_openssl(struct plx__tls_refusal *refusal, const char *what)
{
    struct plx__tls_cause cause = plx__tls_queue_take();
    return cause.is_memory ? plx__tls_refuse_memory(refusal)
                           : plx__tls_refuse(refusal, "%s: %s", what, plx__tls_cause_text(cause));
}

int plx__tls_refuse_internal(struct plx__tls_refusal *refusal, const char *what)
{
    struct plx__tls_cause cause = plx__tls_queue_take();
    return cause.is_memory ? plx__tls_refuse_memory(refusal)
                           : fail(refusal, PLX_OPEN_DRIVER, PLX_REASON_TLS_INTERNAL, "%s: %s", what,
                                  plx__tls_cause_text(cause));
}
