/* pollux/filter.h -- what the bytes of a stream pass through between the kernel and the program.
 *
 * A filter is for TLS, compression, a proxy's greeting, or a protocol of your own. Each socket of a
 * stream (TCP, IPC) may have a chain of filters:
 *
 *     program <-- received bytes <-- filter pushed last <-- ... <-- filter pushed first <-- kernel
 *     program --> queued bytes   --> filter pushed last --> ... --> filter pushed first --> kernel
 *
 * You describe a filter by a table of functions, its steps. A step never blocks and never calls the
 * program: it moves bytes by plx_filter_lower_receive and plx_filter_lower_send, keeps what it
 * needs in plx_filter_state, and returns. The library calls the steps from polls, waits, flush,
 * close and writes of 16 KiB or more.
 *
 *                   begin              establish                   receive, send
 *     (connection) -------> (begun) --------------> (establishing) 0 ---------> (established)
 *                                    in its turn       | EAGAIN: again, when what
 *                                                      +-- plx_filter_set_want named has happened
 *
 * `receive`, `send`, `pending` and `shutdown` are not called before `establish` has returned 0. The
 * end or an error that `receive` has returned is its last result, and so is an error of `send`.
 *
 * The program gives a filter what it has to know, such as a host name or a role, by writing it into
 * plx_filter_state right after the push: no step runs inside the push. `begin` has to keep it.
 *
 * Establishing goes from the filter pushed first to the one pushed last, and is a part of
 * PLX_CONNECTING: PLX_OPTION_CONNECT_TIMEOUT limits a connect with its establishing. For a
 * connection that was accepted or adopted the limit is 10 seconds, unless the option was set.
 *
 * A filter pushed while connected divides the stream: bytes queued before the push pass it by, and
 * bytes not yet received at the push are received through it. A filter that establishes, or
 * encrypts, has its turn when the older bytes were sent, and nothing is received until it is
 * established: push it when both ends have agreed on where the streams are divided. The connection
 * ends if none of the older bytes could be sent within the limit above, and if the filter is not
 * established within the limit from its turn on. If the connection ends before, what the peer has
 * sent for the filter is lost with it. Any other filter receives at once.
 *
 * What a step may call: the functions named plx_filter_..., plx_memory_resize, plx_clock_now, and
 * those calls on the socket that only return a property. All others on the same socket are not
 * allowed, because the library is in the middle of moving the socket's bytes: those that push,
 * remove, connect, listen or adopt are refused there, polls, waits and flush do nothing, and write
 * and unread may move the bytes of the step away. `ask` is a handler and may make any call. */
#ifndef POLLUX_FILTER_H
#define POLLUX_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/error.h>
#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* A filter of one socket. Opaque; plx_socket_push_filter makes one. The library frees it, see
 * there. */
typedef struct plx_filter plx_filter;

/* What a step that could not finish waits for; to be combined. */
typedef enum plx_want {
    PLX_WANT_NOTHING = 0,
    PLX_WANT_READ = 1, /* the layer below may have bytes to receive, or the end */
    PLX_WANT_WRITE = 2 /* the layer below may take bytes to send */
} plx_want;

/* Flags of a kind of filters. */
enum {
    PLX_FILTER_ENCRYPTS = 1 /* the bytes below are encrypted: see plx_socket_is_encrypted */
};

/* A kind of filters, as a table. Make the table static const: the library borrows it for as long as
 * a filter of that kind exists. A step that is NULL is left out. In C name the members: later
 * versions add members at the end. */
typedef struct plx_filter_kind {
    size_t size;       /* sizeof(plx_filter_kind): the size of this table */
    size_t state_size; /* bytes of the filter's own state, zero at first: plx_filter_state */
    const char *name;  /* for error messages, such as "tls"; not NULL */
    unsigned flags;    /* PLX_FILTER_ENCRYPTS, or 0 */

    /* begin: a connection begins, the first one or another: forget the last one, and keep what the
     * program has set. Settings begin before any of them establishes, and a filter pushed while
     * connected at its turn. Returns 0, or a positive code, which ends the connection as one of
     * `establish` does. */
    int (*begin)(plx_filter *filter);

    /* establish: does what has to be done before the bytes of the program pass, such as a greeting.
     * Returns 0 when that is done; EAGAIN when the step must wait, see plx_filter_set_want;
     * ERESTART when the filter needs a new connection to the same address, which only a connect can
     * make, 8 times at most; or any other positive code after plx_filter_fail, which ends the
     * connection. ECANCELED does so too, and PLX_OPTION_AUTO_CONNECT does not try again: the
     * failure would be the same. Bytes of the layer above that arrived behind the last byte of the
     * greeting must come out of `receive` first: ask plx_filter_lower_receive for no more bytes than
     * you need, or keep them. */
    int (*establish)(plx_filter *filter);

    /* receive: writes up to `size` bytes to `data` for the layer above; `size` is not 0. Returns
     * how many; 0 for the orderly end, behind all bytes; -EAGAIN when there are none now; or
     * another negative errno, which ends the connection: with the code and sentence of
     * plx_filter_fail, else with PLX_OUT_OF_MEMORY for ENOMEM, else with PLX_LOST_CONNECTION, and
     * with the name of the filter unless a layer below has returned that errno. The os_error of the
     * error is the errno. When a send has
     * failed, `receive` is called for the bytes that arrived before: until it returns -EAGAIN and
     * has set no moment by plx_filter_set_want, and within PLX_OPTION_LINGER_TIMEOUT. NULL: bytes
     * pass unchanged, at no cost. */
    ptrdiff_t (*receive)(plx_filter *filter, void *data, size_t size);

    /* send: takes bytes of the layer above; `size` is not 0, and 256 KiB at most. Returns how many
     * it has taken: the layer below has taken all that these bytes have become. -EAGAIN: not yet,
     * and the next call offers the same bytes again at any address, perhaps more of them, never
     * fewer. So a filter may make a record of the bytes, keep it, return -EAGAIN until the layer
     * below has taken the record, and then the count of the bytes: no later call sends what a
     * filter has kept. Another negative errno ends the connection as that of `receive`, ENOBUFS as
     * ENOMEM. NULL: bytes pass unchanged, at no cost. */
    ptrdiff_t (*send)(plx_filter *filter, const void *data, size_t size);

    /* pending: whether a receive would return bytes, the end or an error although the kernel may
     * report nothing, because the filter holds or knows them. NULL: never. */
    bool (*pending)(const plx_filter *filter);

    /* shutdown: the program has disconnected, and all queued bytes were sent: says the goodbye of
     * the filter's protocol. Returns 0, or EAGAIN to be called again, within
     * PLX_OPTION_LINGER_TIMEOUT; any other code gives the goodbye up. plx_socket_close calls it
     * once if all queued bytes were sent, and so does the end of a connection that the peer has
     * ended; not after a failed send. `receive` may be called after it. */
    int (*shutdown)(plx_filter *filter);

    /* ask: puts a question to the program, see plx_filter_ask. */
    void (*ask)(plx_filter *filter);

    /* forget: frees what the state holds, also a state that is zero because the push has failed or
     * the filter never began; the library frees the state. It may run at any time in which no other
     * step of the filter runs, and calls no other function of the filter. */
    void (*forget)(plx_filter *filter);
} plx_filter_kind;

/* ---- filters of a socket --------------------------------------------------------------------- */

/* plx_socket_push_filter adds a filter of a kind to a socket of a stream, nearest the program.
 * In PLX_UNCONNECTED the filter is a setting: each connection that is made, accepted or adopted
 * afterwards begins it anew, close keeps it, and plx_socket_free frees it. In PLX_HOST_LOOKUP,
 * PLX_CONNECTING and PLX_CONNECTED the filter is for this connection only: bytes that are queued
 * already pass it by, later ones wait behind them until it is established, and received ones that
 * the program has not read stay as they are. Such a filter remains after the end of its connection,
 * so that `error` can ask what it knows; the next connect, listen or adopt, or plx_socket_free,
 * frees it. Returns the filter, which the library owns. Returns NULL and sets the last error:
 * PLX_OUT_OF_MEMORY; PLX_INVALID_STATE in any other state, for a socket of datagrams or packets, for
 * a table that is smaller than plx_filter_kind or has no name, inside a step, and, for a filter that
 * encrypts, while received bytes are unread: somebody on the way may have put them in. */
PLX_API plx_filter *plx_socket_push_filter(plx_socket *socket, const plx_filter_kind *kind);

/* plx_socket_remove_filter removes a filter from an unconnected socket and frees the filter.
 * Returns 0, or PLX_INVALID_STATE in any other state, inside a step and for a filter that the
 * socket does not have. */
PLX_API int plx_socket_remove_filter(plx_socket *socket, plx_filter *filter);

/* plx_socket_filter returns the first of the socket's filters of a kind, counted from the kernel;
 * NULL when there is none. */
PLX_API plx_filter *plx_socket_filter(const plx_socket *socket, const plx_filter_kind *kind);

/* plx_socket_is_encrypted returns whether an established filter of the present connection encrypts
 * its bytes. */
PLX_API bool plx_socket_is_encrypted(const plx_socket *socket);

/* ---- for steps ------------------------------------------------------------------------------- */

/* plx_filter_state returns the filter's state_size bytes, aligned for every type; NULL for NULL. */
PLX_API void *plx_filter_state(plx_filter *filter);

/* plx_filter_socket returns the socket of a filter; NULL for NULL. */
PLX_API plx_socket *plx_filter_socket(const plx_filter *filter);

/* plx_filter_lower_receive receives up to `size` bytes from the filter below or from the kernel.
 * Returns how many; 0 for the end; -EAGAIN when there are none now; or another negative errno, also
 * -ENOTCONN while there is no connection and -EINVAL for NULL or size 0. */
PLX_API ptrdiff_t plx_filter_lower_receive(plx_filter *filter, void *data, size_t size);

/* plx_filter_lower_send gives bytes to the filter below or to the kernel. Returns how many it has
 * taken; -EAGAIN when none: offer the same ones again, perhaps more, never fewer; or another
 * negative errno, also -ENOTCONN and -EINVAL as above. */
PLX_API ptrdiff_t plx_filter_lower_send(plx_filter *filter, const void *data, size_t size);

/* plx_filter_set_want sets what a step that returns EAGAIN waits for: bits of plx_want, and a
 * moment `milliseconds` from now (-1: none). The step is then called again when one of them has
 * happened, perhaps earlier. PLX_WANT_READ waits for what plx_filter_lower_receive waits for if it
 * has returned -EAGAIN in this step: for a filter below that may be room to send, or a moment.
 * PLX_WANT_WRITE does so for plx_filter_lower_send. A step that does not call this function waits
 * for what all its calls of the two wait for. A receive that returns bytes may set a moment too:
 * when it holds others back until then. Once plx_filter_lower_receive has returned 0 or an error,
 * PLX_WANT_READ is always true: to hold bytes back behind the end, return -EAGAIN with a moment
 * alone. Called outside a step, the function makes the next poll call the waiting steps again: the
 * answer to a question has arrived. It has no effect inside a step of another filter of the same
 * socket. */
PLX_API void plx_filter_set_want(plx_filter *filter, unsigned want, int milliseconds);

/* plx_filter_fail records why the connection is about to end, and returns `code`,
 * PLX_LOST_CONNECTION for a code that is not from 1 to 65535. The step then returns the code
 * (establish, begin) or a negative errno (receive, send). The format and its arguments make the
 * sentence that `error` reports; 255 bytes of it are kept. The first call of a connection counts,
 * also if the step goes on: the message is then that of whatever ends the connection later. The
 * os_error of the error is the errno that `receive` or `send` of this filter has returned, and 0
 * when neither has: an end inside a record (os_error EPROTO) differs from the orderly end. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
PLX_API int
plx_filter_fail(plx_filter *filter, int code, plx_reason reason, const char *format, ...);

/* plx_filter_ask makes `ask` run as a handler does: in its turn during a poll, never nested, and
 * not in a wait inside a handler. The step that asks returns EAGAIN with PLX_WANT_NOTHING. When
 * `ask` has returned, the steps that wait are called again; if the answer is not known by then, the
 * step waits again, and plx_filter_set_want reports the answer later. */
PLX_API void plx_filter_ask(plx_filter *filter);

PLX_END_DECLS

#endif
