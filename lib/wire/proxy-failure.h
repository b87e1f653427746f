/* lib/wire/proxy-failure.h -- why no connection through a proxy was made.
 *
 * Design: as lib/resolve/failure.h has it, a failure is a code, a reason and a string, and not yet
 * a sentence: the caller adds the step and the proxy when it sets the error of its socket. */
#ifndef PLX_LIB_WIRE_PROXY_FAILURE_H
#define PLX_LIB_WIRE_PROXY_FAILURE_H

#include <pollux/error.h>

/* Room for the longest text: a phrase, and a status line or a list of schemes. */
#define PLX__PROXY_FAILURE_SIZE 192

/* What failed. All strings are printable ASCII. */
struct plx__proxy_failure {
    int code;
    plx_reason reason;
    int os_error; /* the errno that fits the code; 0: none */
    char text[PLX__PROXY_FAILURE_SIZE];
};

/* What may fail without an answer from the proxy, or because of an answer that is none. */
enum plx__proxy_trouble {
    PLX__PROXY_NOT_FOUND,      /* the proxy's name has no address */
    PLX__PROXY_REFUSED,        /* the proxy refuses the connection */
    PLX__PROXY_CLOSED,         /* the proxy ended the connection before the tunnel was there */
    PLX__PROXY_SILENT,         /* the proxy did not answer in time, whatever the step */
    PLX__PROXY_PROTOCOL,       /* the answer breaks the protocol, is too long or was cut */
    PLX__PROXY_AUTHENTICATION, /* the proxy wants credentials, or refuses those it was sent */
    PLX__PROXY_BAD_TARGET,     /* the target's host cannot be sent to the proxy */
    PLX__PROXY_BAD_CREDENTIALS /* user or password cannot be sent to the proxy */
};

/* plx__proxy_failure returns the failure of a trouble. */
struct plx__proxy_failure plx__proxy_failure(enum plx__proxy_trouble trouble);

#endif
