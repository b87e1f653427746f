/* lib/wire/proxy-failure.c -- why no connection through a proxy was made. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/wire/proxy-failure.h"

#include <stdio.h>

struct plx__proxy_failure plx__proxy_failure(enum plx__proxy_trouble trouble)
{
    static const struct plx__proxy_failure failures[] = {
        [PLX__PROXY_NOT_FOUND] = {PLX_NAME_RESOLUTION, PLX_REASON_PROXY_NOT_FOUND, 0,
                                  "the proxy's name has no address"},
        [PLX__PROXY_REFUSED] = {PLX__ECONNREFUSED, PLX_REASON_PROXY_CONNECTION_REFUSED,
                                PLX__ECONNREFUSED, "the proxy refuses the connection"},
        [PLX__PROXY_CLOSED] = {PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, 0,
                               "the proxy closed the connection"},
        [PLX__PROXY_SILENT] = {PLX__ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT, PLX__ETIMEDOUT,
                               "the proxy did not answer in time"},
        [PLX__PROXY_PROTOCOL] = {PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO,
                                 "the proxy's answer was not understood"},
        [PLX__PROXY_AUTHENTICATION] = {PLX__EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                                       PLX__EACCES, "the proxy requires other credentials"},
        [PLX__PROXY_BAD_TARGET] = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                   "the host cannot be sent to a proxy"},
        [PLX__PROXY_BAD_CREDENTIALS] = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                        "the user or the password cannot be sent to the proxy"},
    };
    return failures[trouble];
}
