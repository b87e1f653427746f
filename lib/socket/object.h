/* lib/socket/object.h -- the struct that all sockets are.
 *
 * lib/socket/ holds what sockets of every kind share: the state, the descriptor, the buffers, the
 * options, the errors, and the calls of <pollux/socket.h>. It may use lib/base, lib/os, lib/poll
 * and lib/resolve. lib/transfer, lib/endpoint, lib/kind and lib/group use it.
 *
 * Design: a kind is a const table (lib/socket/kind.h), and its socket begins with a struct
 * plx_socket. lib/socket/ alone changes the state, the descriptor and the errors; lib/transfer/
 * moves bytes between the kernel and the buffers. Serving a socket takes four steps:
 *
 *      input: go on connecting, accept, receive -> dispatch -> output: send, settle -> dispatch
 *
 * Moving bytes never calls a handler: it sets pending events (lib/base/event.h), which the
 * dispatching steps report to the handlers. A wait inside a handler of the same socket skips these
 * steps.
 *
 *                   connect               an attempt connects           disconnect
 *      UNCONNECTED ---------> HOST_LOOKUP, --------------------> CONNECTED ---------> CLOSING
 *       ^  |  |               CONNECTING                          ^  |                 |
 *       |  |  |  listen           | all fail                      |  | the peer ended, | done,
 *       |  |  +------> LISTENING ------------- one connection ----+  | or a failure    | failed, or
 *       |  +---------> BOUND      |                                  |                 | too late
 *       +------------------------<+<---------------------------------+<----------------+
 *
 * plx_socket_adopt enters LISTENING, CONNECTED or BOUND; close and abort lead to UNCONNECTED from
 * every state. A datagram socket enters HOST_LOOKUP or CONNECTING from BOUND too, and returns to
 * BOUND when all attempts fail or by disconnect.
 *
 * Invariants: a descriptor is open in BOUND, LISTENING, CONNECTED and CLOSING, and in HOST_LOOKUP
 * and CONNECTING for a datagram socket, and in CONNECTING while filters are established
 * (lib/socket/chain.h); there is a race in HOST_LOOKUP, and in CONNECTING unless filters are
 * established, and in no other state; the watch is idle while there is no descriptor. */
#ifndef PLX_LIB_OBJECT_H
#define PLX_LIB_OBJECT_H

#include "lib/base/base.h"
#include "lib/base/buffer.h"
#include "lib/base/event.h"
#include "lib/base/hold.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/socket/failure.h"
#include "lib/socket/handlers.h"
#include "lib/socket/kind.h"
#include "lib/socket/options.h"

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__rare;

/* ---- owner ----------------------------------------------------------------------------------- */

/* What the owner of a socket, an object of a higher folder, is called for. */
struct plx__owner {
    /* A connection waits at a listening socket. NULL or false: the socket itself becomes the
     * connection. */
    bool (*incoming)(struct plx__owner *owner, plx_socket *listener, struct plx__budget *budget);
    /* The filters of the connection are established. NULL: nothing. */
    void (*established)(struct plx__owner *owner, plx_socket *socket);
    /* The socket has entered UNCONNECTED, for any reason; one of its handlers may be running. */
    void (*ended)(struct plx__owner *owner, plx_socket *socket);
    /* The socket is UNCONNECTED, nobody holds it and no event is pending: all was reported. */
    void (*finished)(struct plx__owner *owner, plx_socket *socket);
    /* The socket is being freed. */
    void (*left)(struct plx__owner *owner, plx_socket *socket);
};

/* ---- the socket ------------------------------------------------------------------------------ */

/* Whether there is a peer whose end `disconnected` reports. HERE: from CONNECTED, or from
 * `accepted` if filters are established after it, to the end of the connection. GONE: from then on
 * until the next connection begins. close, abort and a datagram socket's disconnect forget the
 * peer: NONE. */
enum plx__peer { PLX__PEER_NONE, PLX__PEER_HERE, PLX__PEER_GONE };

struct plx_socket {
    const struct plx_kind *kind;
    struct plx__task task;
    struct plx__watch watch; /* of the descriptor */
    struct plx__handlers handlers;
    plx__event_set pending;
    struct plx__hold hold;
    uint8_t state;      /* plx_state, lib/socket/state.h */
    uint8_t idle_polls; /* polls alone that found nothing: after a number of them the buffers go */
    uint8_t look_pause; /* CLOSING: ms until the kernel is asked again for acknowledgements */
    uint8_t rx;         /* plx__rx, lib/socket/receiving.h */
    uint8_t tx;         /* plx__tx, lib/socket/sending.h */
    uint8_t reconnect;  /* plx__reconnect, lib/socket/reconnect.h */
    uint8_t ending;     /* plx__ending, lib/socket/ending.h */
    uint8_t accepting;  /* plx__accepting, lib/socket/accepting.h */
    uint8_t read_size;  /* plx__read_size, lib/socket/read-size.h */
    uint8_t peer;       /* plx__peer, lib/socket/state.h */
    uint8_t client;     /* plx__client, lib/group/clients.h */
    uint8_t next_event; /* this pass dispatches no event before it any more */
    bool dispatching : 1; /* a handler of this socket runs */
    bool again : 1;       /* the handler read some bytes and left some: report these again */
    bool taken : 1;       /* the program has read since data was reported */
    bool fresh : 1;       /* bytes were received since the last read */
    bool view_alive : 1;  /* the program may still look at the bytes that read_all returned */
    bool more : 1;        /* the last input stopped before all was received */
    bool wants_room : 1;  /* the write limit cut a write short */
    bool unconfirmed : 1; /* CLOSING: the peer's kernel may not have acknowledged all bytes */
    bool is_caller : 1;   /* connect has made the connection: it was not accepted or adopted */
    bool reported : 1;    /* an event was dispatched since a wait has cleared this */
    bool dropped : 1;     /* writes for a peer that was not found were dropped, none came since */
    uint16_t rx_error;    /* the errno of RX_FAILED, else 0 */
    uint16_t tx_error;    /* the errno of TX_FAILED, else 0 */
    struct plx__bare_errors bare;
    int16_t watch_error; /* negative errno: the poller does not watch the descriptor */
    int process;         /* that opened the descriptor: a forked child only closes it */
    struct plx__buffer in, out;
    size_t sent;                         /* payload since the last send_progress */
    uint64_t bytes_received, bytes_sent; /* payload since the connection began */
    uint64_t last_activity;              /* when bytes last moved; 0: none did */
    /* When the present wait is over; 0: there is none. Three machines share it, to keep the socket
     * small, because no state has two of them: an ending in CONNECTED and CLOSING of a stream
     * (lib/socket/ending.h), a pause of a listener or of datagrams (lib/socket/accepting.h), and
     * the pause before auto-connect in UNCONNECTED (lib/socket/reconnect.h). */
    uint64_t wake_at;
    struct plx__options *options; /* NULL: the defaults */
    struct plx__errors *errors;   /* NULL: there was none, or `bare` has them */
    struct plx__rare *rare;       /* NULL: plx__no_rare */
    plx_address remote;
    struct plx__owner *owner;
    struct plx__list sibling; /* in the owner's list of sockets */
};

/* Each connection costs that much: what most sockets never use goes into lib/socket/rare.h. A block
 * of up to 392 bytes takes 400 of malloc's. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct plx_socket) <= 392, "the socket has grown");

/* plx__socket_of returns the socket of a task. */
static inline plx_socket *plx__socket_of(struct plx__task *task)
{
    return PLX__CONTAINER_OF(task, struct plx_socket, task);
}

/* plx__state_is_open returns whether bytes move in a state. */
static inline bool plx__state_is_open(plx_state state)
{
    return state == PLX_CONNECTED || state == PLX_CLOSING || state == PLX_BOUND;
}

/* plx__socket_is_open returns whether bytes move now. */
static inline bool plx__socket_is_open(const plx_socket *socket)
{
    return plx__state_is_open((plx_state)socket->state);
}

/* plx__socket_is_connecting returns whether the socket is in HOST_LOOKUP or CONNECTING. */
static inline bool plx__socket_is_connecting(const plx_socket *socket)
{
    return socket->state == PLX_HOST_LOOKUP || socket->state == PLX_CONNECTING;
}

/* plx__socket_has_packets returns whether the socket reads and writes records of one peer. Only a
 * datagram socket may have no peer. */
static inline bool plx__socket_has_packets(const plx_socket *socket)
{
    const struct plx__transport *transport = socket->kind->transport;
    return transport->keeps_boundaries &&
           (socket->peer == PLX__PEER_HERE || !transport->connectionless ||
            plx__socket_is_connecting(socket));
}

/* plx__socket_has_unconfirmed returns whether the peer's kernel has not acknowledged all bytes
 * sent. */
static inline bool plx__socket_has_unconfirmed(plx_socket *socket)
{
    return socket->kind->is_confirmed && socket->kind->unconfirmed(socket) > 0;
}

/* plx__socket_held_back returns how many records were written and are not queued yet, and the bytes
 * in them. A connection queues at once. */
static inline size_t plx__socket_held_back(const plx_socket *socket, size_t *ret_bytes)
{
    *ret_bytes = 0;
    return socket->kind->transport->connectionless
               ? socket->kind->association->held_back(socket, ret_bytes)
               : 0;
}

/* plx__socket_pool returns the pool of the buffers' blocks. */
static inline struct plx__pool *plx__socket_pool(const plx_socket *socket)
{
    return plx__task_pool(&socket->task);
}

/* plx__socket_is returns whether the socket is of a kind; false for NULL. The table of a socket
 * with filters is a copy (lib/socket/chain.h), which has the same string as its name. */
static inline bool plx__socket_is(const plx_socket *socket, const struct plx_kind *kind)
{
    return socket != NULL && socket->kind->name == kind->name;
}

#endif
