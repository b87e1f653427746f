/* pollux/error.h -- the errors of the library: a code, a reason, the kernel's errno and a message.
 *
 * Calls return 0 or a positive code. A code is one of the classes below (the numbers are Xojo's) or
 * a plain errno. The two never mix, although Linux also numbers some errnos 100 to 108: an errno
 * that has a class is returned as its class, and any other errno numbered 100 to 108 is returned as
 * PLX_OPEN_DRIVER. plx_error.os_error always holds the errno itself.
 *
 *     class                  errnos that are returned as this class
 *     PLX_OPEN_DRIVER        ENETDOWN, EMFILE, ENFILE, EAFNOSUPPORT, EPROTONOSUPPORT, and those
 *                            numbered 100 to 108 that are not named here (on Linux ENETUNREACH)
 *     PLX_LOST_CONNECTION    ECONNRESET, ECONNABORTED, ENETRESET, EPIPE
 *     PLX_NAME_RESOLUTION    none: the resolver found no address for a name
 *     PLX_ADDRESS_IN_USE     EADDRINUSE
 *     PLX_INVALID_STATE      EISCONN, ENOTCONN, ESHUTDOWN
 *     PLX_INVALID_PORT       EACCES of a bind to a privileged port
 *     PLX_OUT_OF_MEMORY      ENOMEM, ENOBUFS
 *
 * A program can learn of an error in three ways: the call returns the code (or -1), the socket
 * keeps the error (plx_socket_last_error, plx_socket_error), and the next poll passes the error
 * once to the `error` handler. All three work without memory, too: the code and os_error are kept
 * and reported; `message` is then the plain text of the code, and `reason` is the usual reason of
 * the code. */
#ifndef POLLUX_ERROR_H
#define POLLUX_ERROR_H

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* The classes of errors; every other positive code is an errno. */
enum plx_code {
    PLX_OK = 0,                /* No error. */
    PLX_OPEN_DRIVER = 100,     /* The kernel gave no socket, or has no such network. */
    PLX_LOST_CONNECTION = 102, /* The connection has ended, in whatever way. */
    PLX_NAME_RESOLUTION = 103, /* The host name has no address, or no host name was given. */
    PLX_ADDRESS_IN_USE = 105,  /* Another socket is bound to that address and port. */
    PLX_INVALID_STATE = 106,   /* The call does not fit the object's state, kind or arguments. */
    PLX_INVALID_PORT = 107,    /* The port is out of range, missing or privileged. */
    PLX_OUT_OF_MEMORY = 108    /* There was no memory, in the process or in the kernel. */
};

/* What happened, precisely. A code may have several reasons, and a reason may have several codes.
 * The numbers are those of InCore. */
typedef enum plx_reason {
    PLX_REASON_NONE = 0,
    PLX_REASON_EMPTY_HOST_NAME = 1,           /* connect without an address */
    PLX_REASON_PORT_OUT_OF_RANGE = 2,         /* not 0 to 65535, or 0 where a port is needed */
    PLX_REASON_DATAGRAM_WRITE = 3,            /* a datagram could not be sent */
    PLX_REASON_CONNECTION_REFUSED = 10,       /* nobody listens there */
    PLX_REASON_REMOTE_HOST_CLOSED,            /* the peer closed (os_error 0) or reset it */
    PLX_REASON_HOST_NOT_FOUND,                /* invalid name, or no address found for it */
    PLX_REASON_SOCKET_ACCESS,                 /* not permitted */
    PLX_REASON_SOCKET_RESOURCE,               /* too many descriptors, or too little memory */
    PLX_REASON_SOCKET_TIMEOUT,                /* a time-out of this library or of the kernel */
    PLX_REASON_DATAGRAM_TOO_LARGE,            /* larger than the protocol can carry */
    PLX_REASON_NETWORK,                       /* the network or the host cannot be reached */
    PLX_REASON_ADDRESS_IN_USE,                /* another socket is bound to the address */
    PLX_REASON_ADDRESS_NOT_AVAILABLE,         /* not an address of this computer, or no such path */
    PLX_REASON_UNSUPPORTED_OPERATION,         /* the kind of socket or the kernel cannot do it */
    PLX_REASON_UNFINISHED_OPERATION,          /* the operation has begun and is not finished */
    PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, /* the proxy asks for a name and a password */
    PLX_REASON_TLS_HANDSHAKE_FAILED,          /* the TLS handshake failed */
    PLX_REASON_PROXY_CONNECTION_REFUSED,      /* nobody listens at the proxy's address */
    PLX_REASON_PROXY_CONNECTION_CLOSED,       /* the proxy closed the connection too early */
    PLX_REASON_PROXY_CONNECTION_TIMEOUT,      /* the proxy did not answer in time */
    PLX_REASON_PROXY_NOT_FOUND,               /* the proxy's name has no address */
    PLX_REASON_PROXY_PROTOCOL,                /* the proxy's answer was not understood */
    PLX_REASON_OPERATION,                     /* the operation failed in any other way */
    PLX_REASON_TLS_INTERNAL,                  /* the TLS library failed */
    PLX_REASON_TLS_INVALID_USER_DATA,         /* a bad certificate, key, cipher or proxy was given */
    PLX_REASON_TEMPORARY                      /* not possible now; try again */
} plx_reason;

/* An error in full. All zero means no error. `message` is one line without a full stop that names
 * the step that failed, as in `connect to 127.0.0.1 port 9: connection refused (ECONNREFUSED)`.
 * `message` is never NULL in an error that the library returns or passes to a handler, and belongs
 * to the object that the error belongs to. */
typedef struct plx_error {
    int code;            /* a class or an errno, as returned by calls */
    plx_reason reason;   /* what happened, precisely */
    int os_error;        /* the errno of a system call or of a filter; 0: none */
    const char *message; /* a line for the log */
} plx_error;

/* plx_code_name returns the name of a code: such as "LostConnection" for a class, "ECONNREFUSED"
 * for an errno, "Ok" for 0, and "unknown" for a number that is not a code, such as 101 or 104, and
 * for an errno that no call on sockets or their files returns. Never NULL; static. */
PLX_API const char *plx_code_name(int code);

/* plx_code_text returns what a code means, in English: one phrase without a capital and a full
 * stop, so that the phrase can follow a colon. A number that is not a code has a phrase of its own.
 * Never NULL; static. */
PLX_API const char *plx_code_text(int code);

/* plx_reason_name returns the name of a reason, such as "ConnectionRefused", "None" for 0, and
 * "unknown" for a number that is not a reason. Never NULL; static. */
PLX_API const char *plx_reason_name(plx_reason reason);

PLX_END_DECLS

#endif
