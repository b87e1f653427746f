/* lib/resolve/failure.c -- the reason of a failed lookup. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/os/errno.h"
#include "lib/resolve/failure.h"

#include <stdbool.h>
#include <stdio.h>

const struct plx__failure plx__failure_not_found = {PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND,
                                                    0, NULL};
const struct plx__failure plx__failure_timed_out = {PLX_NAME_RESOLUTION, PLX_REASON_SOCKET_TIMEOUT,
                                                    -PLX__ETIMEDOUT,
                                                    "the name server did not answer"};

struct plx__failure plx__failure_refused(const char *text)
{
    return (struct plx__failure){PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, -PLX__SENTENCE,
                                 text};
}

struct plx__failure plx__failure_of_system(int error)
{
    plx_reason reason = plx__error_reason(-error);
    if (reason == PLX_REASON_SOCKET_RESOURCE) {
        return (struct plx__failure){plx__error_code(-error), reason, error, NULL};
    }
    return (struct plx__failure){PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, error,
                                 "the name server cannot be reached"};
}

void plx__failure_describe(const struct plx__failure *failure, const char *host, char *text,
                           size_t size)
{
    bool explains = failure->text != NULL;
    snprintf(text, size, "look up %s%s%s", host[0] == '\0' ? "\"\"" : host, explains ? ": " : "",
             explains ? failure->text : "");
}
