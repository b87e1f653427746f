/* lib/socket/object.h -- SocketCore: the struct that all sockets are.
 *
 * Design: a kind is a const table (lib/socket/kind.h), and its socket begins with a struct plx_socket.
 * The core owns descriptor, buffers, events, state, limits and errors; a kind never touches them but
 * through the functions of lib/socket/. Serving a socket is four steps:
 *
 *      input: connect on, accept, receive -> tell -> output: send, go on with an ending -> tell
 *
 * Moving bytes never calls a handler: it sets news (lib/base/event.h), which the telling steps deliver.
 * A wait inside a handler is the same without telling.
 *
 *                   connect                    an attempt works             disconnect
 *      UNCONNECTED ---------> HOST_LOOKUP, ----------------------> CONNECTED ---------> CLOSING
 *       ^  |  |               CONNECTING                            ^  |                 |
 *       |  |  |  listen           | none works                      |  | the peer ended, |
 *       |  |  +------> LISTENING ---------------- one peer ---------+  | all is sent     |
 *       |  +---------> BOUND      |                                    |                 | drained,
 *       +------------------------<+<-----------------------------------+<----------------+ too late
 *
 * Invariants: a descriptor is open in BOUND, LISTENING, CONNECTED and CLOSING, and in HOST_LOOKUP
 * and CONNECTING only of a datagram socket that was bound before; `race` is there in HOST_LOOKUP
 * and CONNECTING, and in no other state; the watch is idle while there is no descriptor. */
#ifndef PLX_LIB_OBJECT_H
#define PLX_LIB_OBJECT_H

#include "lib/base/base.h"
#include "lib/base/buffer.h"
#include "lib/base/event.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/socket/failure.h"
#include "lib/socket/kind.h"
#include "lib/socket/options.h"

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__framing;
struct plx__race;

/* ---- owner ----------------------------------------------------------------------------------- */

/* Somebody above who has sockets: the way up is these pointers. */
struct plx__owner {
    /* A connection waits at a listening socket. NULL or false: the socket itself becomes it. */
    bool (*incoming)(struct plx__owner *owner, plx_socket *listener, struct plx__budget *budget);
    /* The socket has come to UNCONNECTED, in whatever way; it may be inside a handler. */
    void (*ended)(struct plx__owner *owner, plx_socket *socket);
    /* The socket is UNCONNECTED, nobody serves it and nothing is pending: all was reported. */
    void (*finished)(struct plx__owner *owner, plx_socket *socket);
    /* The socket is being freed. */
    void (*left)(struct plx__owner *owner, plx_socket *socket);
};

/* ---- the socket ------------------------------------------------------------------------------ */

/* The addresses as strings, made on demand. */
struct plx__texts {
    char *local, *remote;
};

/* The halves of a connection: lib/socket/receiving.h and lib/socket/sending.h have their pictures. */
enum plx__rx { PLX__RX_OPEN, PLX__RX_DROPPING, PLX__RX_ENDED, PLX__RX_HALF_CLOSED, PLX__RX_FAILED };
enum plx__tx { PLX__TX_OPEN, PLX__TX_BLOCKED, PLX__TX_SHUT, PLX__TX_FAILED };

/* The ending of a connection: lib/socket/ending.h has the picture. */
enum plx__ending {
    PLX__END_NONE,
    PLX__END_WHEN_CONNECTED,
    PLX__END_BY_US,
    PLX__END_BY_PEER,
    PLX__END_DRAINED
};

/* A listening socket: lib/socket/accepting.h has the picture. */
enum plx__accepting { PLX__ACCEPTING, PLX__PAUSED_FOR_A_WHILE, PLX__PAUSED_UNTIL_ROOM };

/* The next read: lib/socket/read-size.h. */
enum plx__read_size { PLX__READ_SMALL, PLX__READ_BLOCK, PLX__READ_BULK };

/* Whether there is a peer: from CONNECTED to the end of the connection, and then it has been there until
 * the next one begins, or nobody knows its name any more (close, abort, a datagram socket's disconnect). */
enum plx__peer { PLX__PEER_NONE, PLX__PEER_HERE, PLX__PEER_GONE };

struct plx_socket {
    const struct plx_kind *kind;
    struct plx__task task;
    struct plx__watch watch; /* of the descriptor */
    struct plx__handlers handlers;
    plx__event_set pending;
    struct plx__hold hold;
    uint8_t state;        /* plx_state */
    uint8_t idle_polls;   /* alone and nothing found; at a certain number the buffers go */
    uint8_t look_pause;   /* CLOSING: milliseconds from one look for acknowledgements to the next */
    uint8_t rx, tx;       /* plx__rx and plx__tx */
    uint8_t reconnect;    /* plx__reconnect */
    uint8_t ending;       /* plx__ending */
    uint8_t accepting;    /* plx__accepting */
    uint8_t read_size;    /* plx__read_size */
    uint8_t peer;         /* plx__peer */
    uint8_t next_event;   /* nothing before it is told any more in this pass */
    bool dispatching : 1; /* a handler of this socket runs */
    bool was_connected : 1; /* so it will be told disconnected */
    bool again : 1;         /* the handler took some and left some: tell of the rest */
    bool taken : 1;         /* something was read since data was told */
    bool fresh : 1;         /* something came since the last read */
    bool view_alive : 1;    /* the program may still look at what it was given by read_all */
    bool more : 1;          /* the last input ended before all was in */
    bool wants_room : 1;    /* a write was cut short by the write limit */
    bool unconfirmed : 1;   /* CLOSING: bytes may still be on their way */
    bool counted : 1;       /* counted by its owner */
    bool dropped : 1;       /* what was written for a peer that was not found, and nothing since */
    uint16_t rx_error;      /* the errno of RX_FAILED, else 0 */
    uint16_t tx_error;      /* the errno of TX_FAILED, else 0 */
    uint16_t last_pause;    /* ms before the last attempt of auto-connect, without its jitter */
    uint16_t path_size;     /* an abstract name may have zero bytes in it */
    struct plx__bare_errors bare;
    int16_t watch_error; /* negative errno of the poller, which does not watch the descriptor */
    uint16_t port;       /* as set */
    int process;         /* who opened the descriptor: a forked child only closes it */
    struct plx__buffer in, out;
    size_t in_records, out_records;
    size_t sent;                               /* payload since the last send_progress */
    uint64_t bytes_received, bytes_sent;       /* payload since the connection began */
    uint64_t messages_received, messages_sent; /* datagrams since then */
    size_t no_line;                            /* so many bytes at the front hold no end of line */
    size_t lifted;                             /* a read that wants more than READ_LIMIT */
    uint64_t last_activity;                    /* when bytes last moved; 0: none did */
    /* When the present wait is over, whichever it is: the linger time of an ending, a listener's
     * pause, the pause before auto-connect; 0: none is timed. */
    uint64_t wake_at;
    struct plx__race *race;       /* HOST_LOOKUP and CONNECTING; else NULL */
    struct plx__options *options; /* NULL: the defaults */
    struct plx__errors *errors;   /* NULL: there was none, or there are bare ones */
    struct plx__framing *framing; /* NULL: the stream is not cut into messages */
    char *address, *path, *interface;
    char *listen_host; /* what listen_on or a bind was given, which use it before the interface */
    struct plx__texts *texts; /* NULL: nobody has asked for one */
    plx_address remote;
    struct plx__owner *owner;
    struct plx__list sibling; /* among its owner's */
};

/* plx__socket_of returns the socket of a task. */
static inline plx_socket *plx__socket_of(struct plx__task *task)
{
    return PLX__CONTAINER_OF(task, struct plx_socket, task);
}

/* plx__state_is_open says whether bytes move in that state: bound or connected, or on the way out. */
static inline bool plx__state_is_open(plx_state state)
{
    return state == PLX_CONNECTED || state == PLX_CLOSING || state == PLX_BOUND;
}

/* plx__socket_is_open says whether bytes move now. */
static inline bool plx__socket_is_open(const plx_socket *socket)
{
    return plx__state_is_open((plx_state)socket->state);
}

/* plx__socket_is_connecting says whether a connection is on its way. */
static inline bool plx__socket_is_connecting(const plx_socket *socket)
{
    return socket->state == PLX_HOST_LOOKUP || socket->state == PLX_CONNECTING;
}

/* plx__socket_has_packets says whether it reads and writes one record of its one peer at a time: only
 * datagrams may be without a peer, and without one on its way. */
static inline bool plx__socket_has_packets(const plx_socket *socket)
{
    const struct plx__transport *transport = socket->kind->transport;
    return transport->keeps_boundaries &&
           (socket->peer == PLX__PEER_HERE || !transport->connectionless ||
            plx__socket_is_connecting(socket));
}

/* plx__socket_can_send says whether something is queued that the system may take now. */
static inline bool plx__socket_can_send(const plx_socket *socket)
{
    return socket->out.size > 0 && socket->tx == PLX__TX_OPEN && plx__socket_is_open(socket);
}

/* plx__socket_has_unconfirmed asks whether bytes that were sent may not have arrived yet. */
static inline bool plx__socket_has_unconfirmed(plx_socket *socket)
{
    return socket->kind->is_confirmed && socket->kind->unconfirmed(socket) > 0;
}

/* plx__socket_held_back returns how many records were written and are not queued yet, and the bytes in
 * them: a connection queues at once. */
static inline size_t plx__socket_held_back(const plx_socket *socket, size_t *ret_bytes)
{
    *ret_bytes = 0;
    return socket->kind->transport->connectionless
               ? socket->kind->association->held_back(socket, ret_bytes)
               : 0;
}

/* plx__socket_pool returns where the blocks of its buffers come from. */
static inline struct plx__pool *plx__socket_pool(const plx_socket *socket)
{
    return plx__task_pool(&socket->task);
}

/* plx__socket_is returns whether the socket is of that kind; false for NULL. */
static inline bool plx__socket_is(const plx_socket *socket, const struct plx_kind *kind)
{
    return socket != NULL && socket->kind == kind;
}

#endif
