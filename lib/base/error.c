/* lib/base/error.c -- codes, reasons, texts; the one errno table. */
#include "config.h"

#include "lib/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/memory.h"

/* ---- the table ------------------------------------------------------------------------------- */

/* What the library knows of one errno. */
struct row {
    uint16_t os_error;
    uint8_t code;      /* the errno's class, or PLAIN: the errno itself */
    uint8_t reason;    /* what the errno means to a socket */
    const char *words; /* its name, a zero byte, its text: one pointer a row to relocate, not two */
};

#define PLAIN 0
#define ROW(name, code, reason, text)                                                              \
    {                                                                                              \
        name, code, PLX_REASON_##reason, #name "\0" text                                           \
    }

/* The errnos that calls on sockets, files and pollers return, in the order of Linux, and the names
 * that other kernels have for the same errnos. Any other number is an error that this library does
 * not know, and is shown as a number. The texts are our own: strerror depends on the locale and is
 * not safe in threads (strerror(3)), and only glibc has strerrorname_np.
 *
 * plx__error_code and the other functions search the rows one by one: an array indexed by number
 * would have different holes on each kernel, and an error need not be fast.
 *
 * EACCES at a reserved port is PLX_INVALID_PORT, which the caller of bind decides. For the path of
 * a Unix socket that does not exist connect fails with ENOENT (unix(7)). */
static const struct row rows[] = {
    ROW(EPERM, PLAIN, SOCKET_ACCESS, "operation not permitted"),
    ROW(ENOENT, PLAIN, CONNECTION_REFUSED, "no such file or directory"),
    ROW(EINTR, PLAIN, TEMPORARY, "interrupted by a signal"),
    ROW(EIO, PLAIN, OPERATION, "input or output failed"),
    ROW(ENXIO, PLAIN, OPERATION, "no such device or address"),
    ROW(EBADF, PLAIN, OPERATION, "not an open descriptor"),
    ROW(EAGAIN, PLAIN, TEMPORARY, "not possible right now"),
    ROW(ENOMEM, PLX_OUT_OF_MEMORY, SOCKET_RESOURCE, "out of memory"),
    ROW(EACCES, PLAIN, SOCKET_ACCESS, "permission denied"),
    ROW(EFAULT, PLAIN, OPERATION, "bad memory address"),
    ROW(EBUSY, PLAIN, OPERATION, "device or file in use"),
    ROW(EEXIST, PLAIN, OPERATION, "file exists already"),
    ROW(EXDEV, PLAIN, OPERATION, "link across file systems"),
    ROW(ENODEV, PLAIN, ADDRESS_NOT_AVAILABLE, "no such device"),
    ROW(ENOTDIR, PLAIN, ADDRESS_NOT_AVAILABLE, "a part of the path is not a directory"),
    ROW(EISDIR, PLAIN, ADDRESS_NOT_AVAILABLE, "the path is a directory"),
    ROW(EINVAL, PLAIN, OPERATION, "invalid argument"),
    ROW(ENFILE, PLX_OPEN_DRIVER, SOCKET_RESOURCE, "too many files open in all processes"),
    ROW(EMFILE, PLX_OPEN_DRIVER, SOCKET_RESOURCE, "too many files open in this process"),
    ROW(ENOTTY, PLAIN, UNSUPPORTED_OPERATION, "the device does not know this request"),
    ROW(ETXTBSY, PLAIN, OPERATION, "program file in use"),
    ROW(EFBIG, PLAIN, OPERATION, "file too large"),
    ROW(ENOSPC, PLAIN, SOCKET_RESOURCE, "no space left"),
    ROW(EROFS, PLAIN, ADDRESS_NOT_AVAILABLE, "file system is read-only"),
    ROW(EMLINK, PLAIN, OPERATION, "too many links"),
    ROW(EPIPE, PLX_LOST_CONNECTION, REMOTE_HOST_CLOSED, "the peer does not receive any more"),
    ROW(ERANGE, PLAIN, OPERATION, "result too large"),
    ROW(ENAMETOOLONG, PLAIN, ADDRESS_NOT_AVAILABLE, "name too long"),
    ROW(ENOLCK, PLAIN, SOCKET_RESOURCE, "no locks available"),
    ROW(ENOSYS, PLAIN, UNSUPPORTED_OPERATION, "the kernel does not have this call"),
    ROW(ELOOP, PLAIN, ADDRESS_NOT_AVAILABLE, "too many symbolic links"),
#ifdef ENODATA
    ROW(ENODATA, PLAIN, OPERATION, "no data available"),
#endif
#ifdef ENONET
    ROW(ENONET, PLAIN, NETWORK, "this computer is not on the network"),
#endif
    ROW(EPROTO, PLAIN, OPERATION, "protocol error"),
    ROW(EOVERFLOW, PLAIN, OPERATION, "value too large for its type"),
    ROW(ENOTSOCK, PLAIN, UNSUPPORTED_OPERATION, "not a socket"),
    ROW(EDESTADDRREQ, PLAIN, OPERATION, "destination address missing"),
    ROW(EMSGSIZE, PLAIN, DATAGRAM_TOO_LARGE, "datagram too large"),
    ROW(EPROTOTYPE, PLAIN, UNSUPPORTED_OPERATION, "wrong kind of socket for this protocol"),
    ROW(ENOPROTOOPT, PLAIN, UNSUPPORTED_OPERATION, "option not known to this protocol"),
    ROW(EPROTONOSUPPORT, PLX_OPEN_DRIVER, UNSUPPORTED_OPERATION, "protocol not supported"),
#ifdef ESOCKTNOSUPPORT
    ROW(ESOCKTNOSUPPORT, PLAIN, UNSUPPORTED_OPERATION, "kind of socket not supported"),
#endif
    ROW(EOPNOTSUPP, PLAIN, UNSUPPORTED_OPERATION, "operation not supported by this socket"),
#ifdef EPFNOSUPPORT
    ROW(EPFNOSUPPORT, PLAIN, UNSUPPORTED_OPERATION, "protocol family not supported"),
#endif
    ROW(EAFNOSUPPORT, PLX_OPEN_DRIVER, UNSUPPORTED_OPERATION, "address family not supported"),
    ROW(EADDRINUSE, PLX_ADDRESS_IN_USE, ADDRESS_IN_USE, "address in use already"),
    ROW(EADDRNOTAVAIL, PLAIN, ADDRESS_NOT_AVAILABLE, "not an address of this computer"),
    ROW(ENETDOWN, PLX_OPEN_DRIVER, NETWORK, "network is down"),
    ROW(ENETUNREACH, PLAIN, NETWORK, "network cannot be reached"),
    ROW(ENETRESET, PLX_LOST_CONNECTION, NETWORK, "connection dropped when the network was reset"),
    ROW(ECONNABORTED, PLX_LOST_CONNECTION, REMOTE_HOST_CLOSED, "connection aborted"),
    ROW(ECONNRESET, PLX_LOST_CONNECTION, REMOTE_HOST_CLOSED, "connection reset by the peer"),
    ROW(ENOBUFS, PLX_OUT_OF_MEMORY, SOCKET_RESOURCE, "no buffer space available"),
    ROW(EISCONN, PLX_INVALID_STATE, OPERATION, "connected already"),
    ROW(ENOTCONN, PLX_INVALID_STATE, OPERATION, "not connected"),
#ifdef ESHUTDOWN
    ROW(ESHUTDOWN, PLX_INVALID_STATE, OPERATION, "sending has been shut down"),
#endif
#ifdef ETOOMANYREFS
    ROW(ETOOMANYREFS, PLAIN, SOCKET_RESOURCE, "too many descriptors in flight"),
#endif
    ROW(ETIMEDOUT, PLAIN, SOCKET_TIMEOUT, "timed out"),
    ROW(ECONNREFUSED, PLAIN, CONNECTION_REFUSED, "connection refused"),
#ifdef EHOSTDOWN
    ROW(EHOSTDOWN, PLAIN, NETWORK, "host is down"),
#endif
    ROW(EHOSTUNREACH, PLAIN, NETWORK, "host cannot be reached"),
    ROW(EALREADY, PLAIN, UNFINISHED_OPERATION, "in progress already"),
    ROW(EINPROGRESS, PLAIN, UNFINISHED_OPERATION, "in progress"),
#ifdef ESTALE
    ROW(ESTALE, PLAIN, OPERATION, "stale file handle"),
#endif
#ifdef EDQUOT
    ROW(EDQUOT, PLAIN, SOCKET_RESOURCE, "disk quota exceeded"),
#endif
    ROW(ECANCELED, PLAIN, OPERATION, "cancelled"),
#if defined(EWOULDBLOCK) && EWOULDBLOCK != EAGAIN
    ROW(EWOULDBLOCK, PLAIN, TEMPORARY, "not possible right now"),
#endif
#if defined(ENOTSUP) && ENOTSUP != EOPNOTSUPP
    ROW(ENOTSUP, PLAIN, UNSUPPORTED_OPERATION, "operation not supported"),
#endif
};

static const struct row *find_row(int os_error)
{
    for (size_t i = 0; i < PLX__COUNT_OF(rows); i++) {
        if (rows[i].os_error == os_error) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- codes ----------------------------------------------------------------------------------- */

static const char unknown_name[] = "unknown";
static const char unknown_text[] = "an error that this library does not know";
static const char no_message[] = "";

/* is_class_number returns whether the library keeps a number for a class. 101 and 104 are no longer
 * classes. */
static bool is_class_number(int code)
{
    return code == PLX_OK || (code >= PLX_OPEN_DRIVER && code <= PLX_OUT_OF_MEMORY);
}

int plx__error_code(int os_error)
{
    const struct row *row = find_row(os_error);
    if (row != NULL && row->code != PLAIN) {
        return row->code;
    }
    /* On Linux such a number is ENETUNREACH (101); on another kernel it may be any errno. */
    if (os_error < 0 || (os_error != 0 && is_class_number(os_error))) {
        return PLX_OPEN_DRIVER;
    }
    return os_error;
}

plx_reason plx__error_reason(int os_error)
{
    if (os_error == 0) {
        return PLX_REASON_NONE;
    }
    const struct row *row = find_row(os_error);
    return row != NULL ? (plx_reason)row->reason : PLX_REASON_OPERATION;
}

const char *plx__error_os_name(int os_error)
{
    const struct row *row = find_row(os_error);
    return row != NULL ? row->words : unknown_name;
}

const char *plx__error_os_text(int os_error)
{
    const struct row *row = find_row(os_error);
    return row != NULL ? row->words + strlen(row->words) + 1 : unknown_text;
}

const char *plx_code_name(int code)
{
    switch (code) {
    case PLX_OK: return "Ok";
    case PLX_OPEN_DRIVER: return "OpenDriver";
    case PLX_LOST_CONNECTION: return "LostConnection";
    case PLX_NAME_RESOLUTION: return "NameResolution";
    case PLX_ADDRESS_IN_USE: return "AddressInUse";
    case PLX_INVALID_STATE: return "InvalidState";
    case PLX_INVALID_PORT: return "InvalidPort";
    case PLX_OUT_OF_MEMORY: return "OutOfMemory";
    default: return is_class_number(code) ? unknown_name : plx__error_os_name(code);
    }
}

const char *plx_code_text(int code)
{
    switch (code) {
    case PLX_OK: return "no error";
    case PLX_OPEN_DRIVER: return "the network cannot be used";
    case PLX_LOST_CONNECTION: return "the connection has ended";
    case PLX_NAME_RESOLUTION: return "the host name has no address";
    case PLX_ADDRESS_IN_USE: return "the address is in use already";
    case PLX_INVALID_STATE: return "not possible in this state or for this kind of object";
    case PLX_INVALID_PORT: return "the port is missing, out of range or reserved";
    case PLX_OUT_OF_MEMORY: return "out of memory";
    default: return is_class_number(code) ? unknown_text : plx__error_os_text(code);
    }
}

int plx__error_code_of(int number)
{
    bool is_class = is_class_number(number) && plx_code_name(number) != unknown_name;
    return is_class ? number : plx__error_code(number);
}

const char *plx_reason_name(plx_reason reason)
{
    static const char *const names[] = {
        [PLX_REASON_NONE] = "None",
        [PLX_REASON_EMPTY_HOST_NAME] = "EmptyHostName",
        [PLX_REASON_PORT_OUT_OF_RANGE] = "PortOutOfRange",
        [PLX_REASON_DATAGRAM_WRITE] = "DatagramWrite",
        [PLX_REASON_CONNECTION_REFUSED] = "ConnectionRefused",
        [PLX_REASON_REMOTE_HOST_CLOSED] = "RemoteHostClosed",
        [PLX_REASON_HOST_NOT_FOUND] = "HostNotFound",
        [PLX_REASON_SOCKET_ACCESS] = "SocketAccess",
        [PLX_REASON_SOCKET_RESOURCE] = "SocketResource",
        [PLX_REASON_SOCKET_TIMEOUT] = "SocketTimeout",
        [PLX_REASON_DATAGRAM_TOO_LARGE] = "DatagramTooLarge",
        [PLX_REASON_NETWORK] = "Network",
        [PLX_REASON_ADDRESS_IN_USE] = "AddressInUse",
        [PLX_REASON_ADDRESS_NOT_AVAILABLE] = "AddressNotAvailable",
        [PLX_REASON_UNSUPPORTED_OPERATION] = "UnsupportedOperation",
        [PLX_REASON_UNFINISHED_OPERATION] = "UnfinishedOperation",
        [PLX_REASON_PROXY_AUTHENTICATION_REQUIRED] = "ProxyAuthenticationRequired",
        [PLX_REASON_TLS_HANDSHAKE_FAILED] = "TlsHandshakeFailed",
        [PLX_REASON_PROXY_CONNECTION_REFUSED] = "ProxyConnectionRefused",
        [PLX_REASON_PROXY_CONNECTION_CLOSED] = "ProxyConnectionClosed",
        [PLX_REASON_PROXY_CONNECTION_TIMEOUT] = "ProxyConnectionTimeout",
        [PLX_REASON_PROXY_NOT_FOUND] = "ProxyNotFound",
        [PLX_REASON_PROXY_PROTOCOL] = "ProxyProtocol",
        [PLX_REASON_OPERATION] = "Operation",
        [PLX_REASON_TLS_INTERNAL] = "TlsInternal",
        [PLX_REASON_TLS_INVALID_USER_DATA] = "TlsInvalidUserData",
        [PLX_REASON_TEMPORARY] = "Temporary",
    };
    /* An enum may be signed or unsigned; as size_t a negative reason is out of range as well. */
    size_t index = (size_t)reason;
    return index < PLX__COUNT_OF(names) && names[index] != NULL ? names[index] : unknown_name;
}

/* ---- an error in full ------------------------------------------------------------------------ */

/* make_line replaces each character that would break a line of a log by a space: a host name may be
 * any string. */
static void make_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = ' ';
        }
    }
}

/* make_message returns "<step>: <text> (<name>)" in a block of its own, and "<step>" when text is
 * NULL; NULL when out of memory. */
PLX__PRINTF(3, 0)
static char *make_message(const char *text, const char *name, const char *format, va_list arguments)
{
    int step = 0;
    if (format != NULL) {
        va_list measured;
        va_copy(measured, arguments);
        step = vsnprintf(NULL, 0, format, measured);
        va_end(measured);
    }
    size_t length = step > 0 ? (size_t)step : 0;
    size_t behind = text == NULL ? 0 : strlen(": ") + strlen(text) + strlen(" ()") + strlen(name);
    size_t size = length + behind + 1;
    char *message = plx__memory_resize(NULL, size);
    if (message == NULL) {
        return NULL;
    }
    message[0] = '\0';
    if (length > 0) {
        (void)vsnprintf(message, length + 1, format, arguments);
    }
    if (text != NULL) {
        const char *colon = length > 0 ? ": " : "";
        (void)snprintf(message + length, size - length, "%s%s (%s)", colon, text, name);
    }
    make_line(message);
    return message;
}

/* release frees the message, unless it is the static text of the code or of no error. */
static void release(plx_error *error)
{
    const char *message = error->message;
    if (message != no_message && message != plx_code_text(error->code)) {
        plx__memory_free((char *)message);
    }
}

void plx__error_set(plx_error *error, int code, plx_reason reason, int os_error, const char *format,
                    ...)
{
    if (error == NULL) {
        return;
    }
    char number[32];
    bool whole = os_error < 0;
    os_error = plx__error_number(os_error);
    const char *name = os_error != 0 ? plx__error_os_name(os_error) : plx_code_name(code);
    const char *text = os_error != 0 ? plx__error_os_text(os_error) : plx_code_text(code);
    if (name == unknown_name) {
        (void)snprintf(number, sizeof number, "error %d", os_error != 0 ? os_error : code);
        name = number;
    }
    va_list arguments;
    va_start(arguments, format);
    const char *message = make_message(whole ? NULL : text, name, format, arguments);
    va_end(arguments);
    release(error);
    error->code = code;
    error->reason = reason;
    error->os_error = os_error;
    error->message = message != NULL ? message : plx_code_text(code);
}

/* The usual reason of a class when no call of the kernel failed. */
static plx_reason reason_of_class(int code)
{
    switch (code) {
    case PLX_OK: return PLX_REASON_NONE;
    case PLX_OPEN_DRIVER:
    case PLX_OUT_OF_MEMORY: return PLX_REASON_SOCKET_RESOURCE;
    case PLX_LOST_CONNECTION: return PLX_REASON_REMOTE_HOST_CLOSED;
    case PLX_NAME_RESOLUTION: return PLX_REASON_HOST_NOT_FOUND;
    case PLX_ADDRESS_IN_USE: return PLX_REASON_ADDRESS_IN_USE;
    case PLX_INVALID_PORT: return PLX_REASON_PORT_OUT_OF_RANGE;
    default: return PLX_REASON_OPERATION;
    }
}

plx_error plx__error_bare(int code, int os_error)
{
    int known = os_error != 0 || is_class_number(code) ? os_error : code;
    return (plx_error){.code = code,
                       .reason = known != 0 ? plx__error_reason(known) : reason_of_class(code),
                       .os_error = known,
                       .message = plx_code_text(code)};
}

void plx__error_clear(plx_error *error)
{
    if (error == NULL) {
        return;
    }
    release(error);
    *error = (plx_error){.message = no_message};
}

void plx__error_copy(plx_error *error, const plx_error *from)
{
    if (error == NULL || error == from) {
        return;
    }
    plx__error_clear(error);
    if (from == NULL) {
        return;
    }
    *error = *from;
    if (from->message == NULL || from->message[0] == '\0') {
        error->message = no_message;
        return;
    }
    const char *message = plx__memory_copy_text(from->message);
    error->message = message != NULL ? message : plx_code_text(from->code);
}

void plx__error_take(plx_error *error, plx_error *from)
{
    if (error == NULL || from == NULL || error == from) {
        return;
    }
    plx__error_clear(error);
    *error = *from;
    if (error->message == NULL) {
        error->message = no_message;
    }
    *from = (plx_error){.message = no_message};
}
