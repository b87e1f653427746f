/* lib/socket/object.h -- SocketCore: the struct that all sockets are, and the contract of a kind.
 *
 * Design: a kind is a const table, and its socket begins with a struct plx_socket. The core owns
 * descriptor, buffers, news, state, limits and errors; a kind never touches them but through the
 * functions below. Serving a socket is four steps:
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
#include "lib/socket/options.h"

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__framing;
struct plx__race;
struct plx__target;

/* ---- the contract of a kind ------------------------------------------------------------------ */

struct plx_kind {
    const char *name;
    const char *unopened; /* in sentences: what an unconnected one is, and what to call then */
    const char *without_listening; /* what to call in place of listen; NULL: it listens */
    const char *without_peer;      /* what reads and writes without a peer; NULL: always with one */
    size_t size;                   /* of the kind's socket */
    enum plx__type type;
    enum plx__family families[2]; /* the second NONE where there is one */
    size_t record_size; /* bytes that precede each record in the buffers; 0: the buffers hold a
                                stream */
    bool short_is_all;  /* a read that brings less than asked for was all there is, but for the end
                                and for urgent bytes; false: it may as well end behind a record */
    plx__option_set options;  /* those that this kind has beside what all obey */
    plx__option_set defaults; /* those of them whose default differs from the kernel's */

    /* Reads `where` into the properties, for connecting or for listening. Returns 0, or a code after
     * plx__socket_fail. Required. */
    int (*parse)(plx_socket *socket, const char *where, bool to_listen);
    /* Says whether `path` may be one of this kind. Returns 0 or a negative errno. NULL: the kind has
     * no paths, and an interface instead. */
    int (*check_path)(const char *path, size_t size);
    /* Begins to connect, properties being set. NULL: plx__connect_start, which asks `target`. */
    int (*connect)(plx_socket *socket);
    /* Sets on a new descriptor what is no option. NULL: nothing. */
    void (*prepare)(plx__fd descriptor);
    /* Says where the properties lead. Returns 0, or a code after plx__socket_fail. NULL: connect is
     * unsupported. */
    int (*target)(plx_socket *socket, struct plx__target *ret_target);
    /* Binds a descriptor to what the properties say before it connects to `peer`. Returns 0 or a
     * negative errno. NULL: there is nothing to bind. */
    int (*bind_local)(plx_socket *socket, plx__fd descriptor, const struct plx__sockaddr *peer);
    /* Opens a descriptor bound to what the properties say. Returns it, or after plx__socket_fail its
     * code, negative. Required of kinds that listen, and of datagrams. */
    plx__fd (*bind)(plx_socket *socket);
    /* Begins to listen. NULL: unsupported. */
    int (*listen)(plx_socket *socket);
    /* A connection waits at the listening socket. Required of kinds that listen. */
    void (*incoming)(plx_socket *socket, struct plx__budget *budget);
    /* Has connected to the peer, descriptor in place; NULL: nothing more to do. */
    void (*connected)(plx_socket *socket);
    /* Gives back the peer, so that the socket is bound as before. Returns 0, or a code after
     * plx__socket_fail. NULL: to disconnect is to drain what is queued and to end. */
    int (*disconnect)(plx_socket *socket);
    /* The peer was not found, and the socket is bound as before: drops what is queued for the peer.
     * Required where `disconnect` is there. */
    void (*drop_peer)(plx_socket *socket);

    /* Returns how many records were written and are held back, not being queued yet, and the bytes in
     * them. NULL: nothing ever is. */
    size_t (*held_back)(const plx_socket *socket, size_t *ret_bytes);

    /* Has a peer that is the `chosen` one of several addresses of a name. NULL: the others are
     * forgotten. */
    void (*choices)(plx_socket *socket, const plx_address *addresses, size_t count, size_t chosen,
                    uint16_t port);

    /* Goes on with something of its own while the socket is open, and says when to at the latest, 0
     * for never. NULL: there is nothing of the sort. */
    void (*advance)(plx_socket *socket);
    uint64_t (*deadline)(const plx_socket *socket);

    /* Moves bytes from the system, where some may wait, into the receive buffer and sets news.
     * Required. */
    void (*input)(plx_socket *socket, struct plx__budget *budget);
    /* Moves queued bytes, of which there are some, to the system and sets news. Required. */
    void (*send_queue)(plx_socket *socket, struct plx__budget *budget);
    /* Goes on with an ending, after sending. NULL: there is never one to go on with. */
    void (*settle)(plx_socket *socket);
    /* Move bytes of a stream: a count, 0 for the end (receive), or a negative errno. Required of
     * streams. */
    ptrdiff_t (*receive)(plx_socket *socket, void *data, size_t size);
    ptrdiff_t (*send)(plx_socket *socket, const void *data, size_t size);
    /* Returns the bytes sent that the peer's kernel has not confirmed. NULL: none ever, and what was
     * sent counts as movement at once (lib/socket/idle.h). */
    ptrdiff_t (*unconfirmed)(plx_socket *socket);

    /* Queues what the program writes. Returns the count taken, or after plx__socket_fail its code,
     * negative. NULL: the bytes of a stream. */
    ptrdiff_t (*write)(plx_socket *socket, const void *data, size_t size);
    /* Returns the first thing to read and its size, and takes `size` bytes or the whole record.
     * NULL: the stream, all of it at the front. */
    const void *(*front)(const plx_socket *socket, size_t *ret_size);
    size_t (*take)(plx_socket *socket, size_t size);

    /* Adds what only this kind knows to statistics. NULL: nothing. */
    void (*add_statistics)(const plx_socket *socket, plx_statistics *statistics);

    /* Drop what goes with the queued bytes, or with the received ones, which are being dropped. NULL:
     * nothing does. */
    void (*drop_sending)(plx_socket *socket);
    void (*drop_received)(plx_socket *socket);

    /* Leaves nothing behind, the descriptor being about to be closed. NULL: nothing is left. */
    void (*finish)(plx_socket *socket);
    /* Frees what the kind's socket holds. NULL: nothing. */
    void (*destroy)(plx_socket *socket);
};

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
    uint8_t next_event;   /* nothing before it is told any more in this pass */
    bool dispatching : 1; /* a handler of this socket runs */
    bool was_connected : 1; /* so it will be told disconnected */
    bool again : 1;         /* the handler took some and left some: tell of the rest */
    bool taken : 1;         /* something was read since data was told */
    bool fresh : 1;         /* something came since the last read */
    bool view_alive : 1;    /* the program may still look at what it was given by read_all */
    bool more : 1;          /* the last input ended before all was in */
    bool wants_room : 1;    /* a write was cut short by the write limit */
    bool large : 1;         /* the last read brought more than a small message */
    bool bulk : 1;          /* the last read filled the room it was given */
    bool peer_ended : 1;    /* the peer has ended; what is queued is still sent, until wake_at */
    bool unconfirmed : 1;   /* CLOSING: bytes may still be on their way */
    bool aborted : 1;       /* send_progress returned true */
    bool paused : 1;        /* LISTENING, and no connection is wanted until wake_at; 0: for ever */
    bool disconnecting : 1; /* disconnect was called while connecting with bytes queued */
    bool counted : 1;       /* counted by its owner */
    bool too_long : 1;      /* CONNECTED: a message over the maximum stands first */
    bool has_peer : 1;      /* BOUND to CONNECTED: a datagram socket with a peer */
    bool dropped : 1;       /* what was written for a peer that was not found, and nothing since */
    bool drained : 1;       /* UNCONNECTED: disconnect ended the connection, and nothing was lost */
    bool had_peer : 1;      /* there is a peer, or was one until the connection ended */
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
    return socket->kind->record_size > 0 &&
           (socket->has_peer || socket->kind->type != PLX__TYPE_DATAGRAM ||
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
    return socket->kind->unconfirmed != NULL && socket->kind->unconfirmed(socket) > 0;
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
