/* pollux/error.h -- what can go wrong: a code, a reason, the system's error and a sentence.
 *
 * Calls return 0 or a positive code. A code is one of the classes below (the numbers are Xojo's) or
 * else the plain errno of the system. The two never mix, although Linux has errnos from 100 to 108
 * as well: an error of the system that has a class is returned as its class, and any other errno
 * that the system numbers 100 to 108 is returned as PLX_OPEN_DRIVER. The errno itself stays
 * readable in plx_error.os_error.
 *
 *     class                  errors of the system that are returned as this class
 *     PLX_OPEN_DRIVER        ENETDOWN, EMFILE, ENFILE, EAFNOSUPPORT, EPROTONOSUPPORT, and those
 *                            numbered 100 to 108 that are not named here (on Linux ENETUNREACH)
 *     PLX_LOST_CONNECTION    ECONNRESET, ECONNABORTED, ENETRESET, EPIPE
 *     PLX_NAME_RESOLUTION    none: the resolver found no address for a name
 *     PLX_ADDRESS_IN_USE     EADDRINUSE
 *     PLX_INVALID_STATE      EISCONN, ENOTCONN, ESHUTDOWN
 *     PLX_INVALID_PORT       EACCES when it was a port that is reserved for the administrator
 *     PLX_OUT_OF_MEMORY      ENOMEM, ENOBUFS
 *
 * An error is told three times, for whoever wants it: the call returns its code (or -1), the socket
 * keeps it (plx_socket_last_error, plx_socket_error), and the next poll hands it once to the error
 * handler. All three hold without memory, too: code and os_error are kept and handed out then with the
 * bare text of the code as message, and the reason is the usual one of the code. */
#ifndef POLLUX_ERROR_H
#define POLLUX_ERROR_H

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* The classes of errors; every other positive code is an errno. */
enum plx_code {
    PLX_OK = 0,                /* No error. */
    PLX_OPEN_DRIVER = 100,     /* The system gave no socket, or has no such network. */
    PLX_LOST_CONNECTION = 102, /* The connection has ended, whoever ended it and however. */
    PLX_NAME_RESOLUTION = 103, /* The host name has no address, or there is no host name. */
    PLX_ADDRESS_IN_USE = 105,  /* Somebody is bound to that address and port already. */
    PLX_INVALID_STATE = 106,   /* The call does not fit the object's state, kind or arguments. */
    PLX_INVALID_PORT = 107,    /* The port is out of range, missing or reserved. */
    PLX_OUT_OF_MEMORY = 108    /* There was no memory, here or in the system. */
};

/* What happened, precisely. A code may have several reasons and a reason several codes. The numbers
 * are those of InCore. */
typedef enum plx_reason {
    PLX_REASON_NONE = 0,
    PLX_REASON_EMPTY_HOST_NAME = 1,           /* connect without an address */
    PLX_REASON_PORT_OUT_OF_RANGE = 2,         /* not 0 to 65535, or 0 where a port is needed */
    PLX_REASON_DATAGRAM_WRITE = 3,            /* a datagram was not taken */
    PLX_REASON_CONNECTION_REFUSED = 10,       /* nobody listens there */
    PLX_REASON_REMOTE_HOST_CLOSED,            /* the peer closed or reset the connection */
    PLX_REASON_HOST_NOT_FOUND,                /* the name has no address, and the server is sure */
    PLX_REASON_SOCKET_ACCESS,                 /* not permitted */
    PLX_REASON_SOCKET_RESOURCE,               /* too many descriptors, or too little memory */
    PLX_REASON_SOCKET_TIMEOUT,                /* a time-out of this library or of the system */
    PLX_REASON_DATAGRAM_TOO_LARGE,            /* larger than the protocol can carry */
    PLX_REASON_NETWORK,                       /* the network or the host cannot be reached */
    PLX_REASON_ADDRESS_IN_USE,                /* somebody is bound to it already */
    PLX_REASON_ADDRESS_NOT_AVAILABLE,         /* not an address of this computer, or no such path */
    PLX_REASON_UNSUPPORTED_OPERATION,         /* this kind of socket or system cannot do it */
    PLX_REASON_UNFINISHED_OPERATION,          /* it was begun already and is not finished */
    PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, /* the proxy asks for a name and a password */
    PLX_REASON_TLS_HANDSHAKE_FAILED,          /* no encrypted connection came about */
    PLX_REASON_PROXY_CONNECTION_REFUSED,      /* nobody listens at the proxy's address */
    PLX_REASON_PROXY_CONNECTION_CLOSED,       /* the proxy closed the connection too early */
    PLX_REASON_PROXY_CONNECTION_TIMEOUT,      /* the proxy did not answer in time */
    PLX_REASON_PROXY_NOT_FOUND,               /* the proxy's name has no address */
    PLX_REASON_PROXY_PROTOCOL,                /* the proxy's answer was not understood */
    PLX_REASON_OPERATION,                     /* the operation failed in any other way */
    PLX_REASON_TLS_INTERNAL,                  /* the TLS library failed */
    PLX_REASON_TLS_INVALID_USER_DATA,         /* a bad certificate, key or cipher was given */
    PLX_REASON_TEMPORARY                      /* not now; try again */
} plx_reason;

/* An error in full. All zero means none. `message` is one line without a full stop that names
 * the step that failed, as in `connect to 127.0.0.1 port 9: connection refused (ECONNREFUSED)`;
 * it is never NULL in an error that the library hands out, and belongs to the object that hands
 * it out. */
typedef struct plx_error {
    int code;            /* a class or an errno, as returned by calls */
    plx_reason reason;   /* what happened, precisely */
    int os_error;        /* the errno of the system, 0 when it was not the system that failed */
    const char *message; /* a sentence for the log */
} plx_error;

/* plx_code_name returns the name of a code, such as "LostConnection" for a class and "ECONNREFUSED"
 * for an errno, "Ok" for 0, and "unknown" for a number that is no code, such as 101 or 104. Never
 * NULL; static. */
PLX_API const char *plx_code_name(int code);

/* plx_code_text returns what a code means, in English: one sentence without capital and full stop,
 * so that it can follow a colon. A number that is no code has a sentence of its own. Never NULL;
 * static. */
PLX_API const char *plx_code_text(int code);

/* plx_reason_name returns the name of a reason, such as "ConnectionRefused", "None" for 0, and
 * "unknown" for a number that is none. Never NULL; static. */
PLX_API const char *plx_reason_name(plx_reason reason);

PLX_END_DECLS

#endif
