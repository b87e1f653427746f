/* lib/socket/socket.h -- SocketCore: what all sockets are, and the contract of a kind.
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
 * and CONNECTING only of a datagram socket that was bound before; `connect` is there in HOST_LOOKUP
 * and CONNECTING, and in no other state; the watch is idle while there is no descriptor. */
#ifndef PLX_LIB_SOCKET_H
#define PLX_LIB_SOCKET_H

#include "lib/base/base.h"
#include "lib/base/buffer.h"
#include "lib/base/event.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/socket/failure.h"
#include "lib/socket/option.h"

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__connect;
struct plx__framing;

/* Where a connection is to go: a name for the system, or a host that has to be looked up first. */
struct plx__target {
    struct plx__sockaddr name;
    const char *host; /* NULL: the name is it */
    uint16_t port;    /* for the addresses found */
};

/* ---- the contract of a kind ------------------------------------------------------------------ */

struct plx_kind {
    const char *name;
    const char *unopened; /* in sentences: what an unconnected one is, and what to call then */
    const char *without_listening; /* what to call in place of listen; NULL: it listens */
    const char *without_peer;      /* what reads and writes without a peer; NULL: always with one */
    size_t size;                   /* of the kind's socket */
    int type;                      /* SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET */
    int families[2];               /* AF_INET …, the second 0 where there is one */
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
    /* Begins to connect, properties being set. NULL: plx__connect_start, which asks `aim`. */
    int (*connect)(plx_socket *socket);
    /* Sets on a new descriptor what is no option. NULL: nothing. */
    void (*prepare)(int descriptor);
    /* Says where the properties lead. Returns 0, or a code after plx__socket_fail. NULL: connect is
     * unsupported. */
    int (*target)(plx_socket *socket, struct plx__target *ret_target);
    /* Binds a descriptor to what the properties say before it connects to `peer`. Returns 0 or a
     * negative errno. NULL: there is nothing to bind. */
    int (*bind_local)(plx_socket *socket, int descriptor, const struct plx__sockaddr *peer);
    /* Opens a descriptor bound to what the properties say. Returns it, or after plx__socket_fail its
     * code, negative. Required of kinds that listen, and of datagrams. */
    int (*bind)(plx_socket *socket);
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
    /* While socket->trying: a datagram came from there; nobody can be reached there (family 0: the
     * address is not known), and true keeps that from the program. Required of who sets it. */
    void (*heard)(plx_socket *socket, const plx_address *from);
    bool (*unreached)(plx_socket *socket, const plx_address *to, int error);

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
    uint8_t next_event;   /* nothing before it is told any more in this pass */
    bool dispatching : 1; /* a handler of this socket runs */
    bool was_connected : 1; /* so it will be told disconnected */
    bool again : 1;         /* the handler took some and left some: tell of the rest */
    bool taken : 1;         /* something was read since data was told */
    bool fresh : 1;         /* something came since the last read */
    bool view_alive : 1;    /* the program may still look at what it was given by read_all */
    bool more : 1;          /* the last input ended before all was in */
    bool stuck : 1;         /* the system takes no more bytes for now */
    bool auto_connects : 1; /* it was connected by connect, which PLX_OPTION_AUTO_CONNECT repeats */
    bool will_connect : 1;  /* UNCONNECTED until wake_at */
    bool wants_room : 1;    /* a write was cut short by the write limit */
    bool large : 1;         /* the last read brought more than a small message */
    bool bulk : 1;          /* the last read filled the room it was given */
    bool input_ended : 1;   /* no more will be received on this connection */
    bool end_told : 1;      /* half-open: end_of_input was set */
    bool sending_ended : 1; /* the system was told that nothing more will be sent */
    bool peer_ended : 1;    /* the peer has ended; what is queued is still sent, until wake_at */
    bool unconfirmed : 1;   /* CLOSING: bytes may still be on their way */
    bool aborted : 1;       /* send_progress returned true */
    bool paused : 1;        /* LISTENING, and no connection is wanted until wake_at; 0: for ever */
    bool disconnecting : 1; /* disconnect was called while connecting with bytes queued */
    bool counted : 1;       /* counted by its owner */
    bool dropping : 1;    /* CLOSING: received bytes had no room, so nothing behind them is kept */
    bool too_long : 1;    /* CONNECTED: a message over the maximum stands first */
    bool trying : 1;      /* the kind wants to know who was heard and who cannot be reached */
    bool has_peer : 1;    /* BOUND to CONNECTED: a datagram socket with a peer */
    bool dropped : 1;     /* what was written for a peer that was not found, and nothing since */
    bool drained : 1;     /* UNCONNECTED: disconnect ended the connection, and nothing was lost */
    bool had_peer : 1;    /* there is a peer, or was one until the connection ended */
    uint16_t input_error; /* errno that ended the input; 0: a clean end */
    uint16_t send_error;  /* errno of a send that failed; told when the input is drained */
    uint16_t next_pause;  /* ms before the next attempt of auto-connect, without its jitter */
    uint16_t path_size;   /* an abstract name may have zero bytes in it */
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
    struct plx__connect *connect;
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
    return socket->kind->record_size > 0 && (socket->has_peer || socket->kind->type != SOCK_DGRAM ||
                                             plx__socket_is_connecting(socket));
}

/* plx__socket_can_send says whether something is queued that the system may take now. */
static inline bool plx__socket_can_send(const plx_socket *socket)
{
    return socket->out.size > 0 && !socket->stuck && socket->send_error == 0 &&
           plx__socket_is_open(socket);
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

/* ---- life (socket.c, adopt.c) ---------------------------------------------------------------- */

/* plx__socket_new makes an unconnected socket of a kind; NULL for want of memory. */
plx_socket *plx__socket_new(const struct plx_kind *kind);

/* plx__socket_leave ends a hold on the socket (lib/base/event.h), and destroys it if it was freed
 * meanwhile. */
void plx__socket_leave(plx_socket *socket);

/* plx__socket_is returns whether the socket is of that kind; false for NULL. */
static inline bool plx__socket_is(const plx_socket *socket, const struct plx_kind *kind)
{
    return socket != NULL && socket->kind == kind;
}

/* plx__socket_begin forgets the last connection: both buffers, news, errors, the peer. */
void plx__socket_begin(plx_socket *socket);

/* plx__socket_set_state moves to a state and makes it news. */
void plx__socket_set_state(plx_socket *socket, plx_state state);

/* plx__socket_open opens a descriptor of that family with the socket's options. Returns it, or a
 * negative errno. */
int plx__socket_open(plx_socket *socket, int family);

/* plx__socket_take_descriptor makes the descriptor the socket's own and watches it for what `state`
 * needs, which the socket is about to enter: a second call to the poller could fail by itself.
 * Returns 0, or a negative errno and the descriptor is still the caller's. */
int plx__socket_take_descriptor(plx_socket *socket, int descriptor, plx_state state);

/* plx__socket_close_descriptor stops watching and closes; the state stays. */
void plx__socket_close_descriptor(plx_socket *socket);

/* plx__socket_become_connected is the moment in which a connection works. `remote` may be NULL. */
void plx__socket_become_connected(plx_socket *socket, const struct plx__sockaddr *remote);

/* plx__socket_drop_sending drops what is queued, plx__socket_drop_received what was received,
 * plx__socket_drop_bytes only the bytes of it. */
void plx__socket_drop_sending(plx_socket *socket);
void plx__socket_drop_bytes(plx_socket *socket);
void plx__socket_drop_received(plx_socket *socket);

/* plx__socket_end ends the connection or the attempt: UNCONNECTED, queued bytes dropped, received
 * ones kept. The error told is set by plx__socket_set_end_error before; without one the end is told
 * by `disconnected` alone. */
void plx__socket_end(plx_socket *socket);

/* plx__socket_inspect tells what a descriptor is. -ENOTSUP: not for this kind of socket; or another
 * negative errno. */
int plx__socket_inspect(const plx_socket *socket, int descriptor,
                        struct plx__os_socket_facts *ret_facts);

/* plx__socket_find_activated returns the first descriptor that a service manager passed by that name
 * (NULL: any) and that fits the socket, and listens if it is to; -1: there is none. */
int plx__socket_find_activated(const plx_socket *socket, const char *name, bool to_listen);

/* plx__socket_fail_activation is plx__socket_fail for when there is none. */
int plx__socket_fail_activation(plx_socket *socket, const char *name);

/* plx__socket_set_linger starts the linger time, within which an ending has to be over. */
void plx__socket_set_linger(plx_socket *socket);

/* plx__socket_drop ends silently and at once, as close does, but moves no byte. */
void plx__socket_drop(plx_socket *socket);

/* ---- serving (service.c) --------------------------------------------------------------------- */

/* plx__socket_input and plx__socket_output are the two halves of a frame. */
void plx__socket_input(struct plx__task *task, struct plx__budget *budget);
bool plx__socket_output(struct plx__task *task, struct plx__budget *budget);

/* plx__socket_serve is both at once, for a socket that is served alone; the caller holds it. True:
 * work is left. */
bool plx__socket_serve(plx_socket *socket, struct plx__budget *budget);

/* plx__socket_release gives the emptied receive buffer back. */
void plx__socket_release(struct plx__task *task);

/* The same without telling: plx__socket_take_in connects on, accepts and receives;
 * plx__socket_send_out sends; plx__socket_settle goes on with an ending. */
void plx__socket_take_in(plx_socket *socket, struct plx__budget *budget);
void plx__socket_send_out(plx_socket *socket, struct plx__budget *budget);
void plx__socket_settle(plx_socket *socket);

/* plx__socket_dispatch_some is plx__socket_dispatch where there are some. */
void plx__socket_dispatch_some(plx_socket *socket, plx__event_set wanted);

/* plx__socket_dispatch tells the news among `wanted`, in their order and never backwards (telling.c).
 * The caller holds the socket; a freed one has no news. */
static inline void plx__socket_dispatch(plx_socket *socket, plx__event_set wanted)
{
    if ((socket->pending & wanted) != 0) {
        plx__socket_dispatch_some(socket, wanted);
    }
}

/* plx__socket_has_work says whether something waits in memory that needs no news from the kernel;
 * plx__socket_has_input_work leaves out what waits to be sent. */
bool plx__socket_has_work(const plx_socket *socket);
bool plx__socket_has_input_work(const plx_socket *socket);

/* plx__socket_has_ending says whether settling goes on with an end at once, of which no readiness will
 * be reported: what ended the connection was noticed already. */
bool plx__socket_has_ending(const plx_socket *socket);

/* plx__socket_probe finds out whether the descriptors are ready, for a socket that is not served by
 * its group now. */
void plx__socket_probe(plx_socket *socket);

/* plx__socket_interest returns what the descriptor is to be watched for in that state. */
unsigned plx__socket_interest(const plx_socket *socket, plx_state state);

/* plx__socket_update brings watch and deadline in line with state, limits and buffers, and changes
 * nothing else. A watch that the poller refuses is noted in watch_error, for plx__socket_settle. */
void plx__socket_update(plx_socket *socket);

/* plx__socket_budget is what one poll of a socket alone may do. */
struct plx__budget plx__socket_budget(void);

/* ---- bytes (bytes.c, write.c) ---------------------------------------------------------------- */

/* plx__socket_room returns how many bytes may be received now, obeying READ_LIMIT. */
size_t plx__socket_room(const plx_socket *socket);

/* plx__socket_write_room returns how many bytes may be queued now, obeying WRITE_LIMIT. */
size_t plx__socket_write_room(const plx_socket *socket);

/* plx__socket_note_bytes sets the news that there are bytes, and perhaps a line. */
void plx__socket_note_bytes(plx_socket *socket);

/* plx__socket_received counts `size` new bytes of payload in the receive buffer and sets the news. */
void plx__socket_received(plx_socket *socket, size_t size);

/* plx__socket_stop_input ends the input of this poll after the receive that calls it, although more
 * may be there: the program is to be told first. */
static inline void plx__socket_stop_input(plx_socket *socket)
{
    socket->more = true;
}

/* plx__socket_has_sent counts `size` bytes as sent and sets the news of it. */
void plx__socket_has_sent(plx_socket *socket, size_t size);

/* plx__socket_note_room sets the news that there is room to write again, for one that had too
 * little. */
void plx__socket_note_room(plx_socket *socket);

/* plx__socket_has_line says whether a whole line was received. */
bool plx__socket_has_line(plx_socket *socket);

/* plx__socket_take_as_view takes `size` bytes of a stream, or the record that is first, and lets
 * the program look at them until the socket is served again. */
void plx__socket_take_as_view(plx_socket *socket, size_t size);

/* plx__socket_refuse_peerless is plx__socket_refuses_peerless where the call is to be refused. */
bool plx__socket_refuse_peerless(plx_socket *socket, const char *call);

/* plx__socket_refuses_peerless refuses a call that reads or writes on a datagram socket without a peer,
 * which has no order of bytes or datagrams, and returns whether it did; a stream always has one. */
static inline bool plx__socket_refuses_peerless(plx_socket *socket, const char *call)
{
    return socket->kind->record_size > 0 && !plx__socket_has_packets(socket) &&
           plx__socket_refuse_peerless(socket, call);
}

/* plx__socket_check_write says whether so much may be written now. Returns 0, or a code after
 * plx__socket_fail. */
int plx__socket_check_write(plx_socket *socket, const void *data, size_t size);

/* plx__socket_write is plx_socket_write, but instead of -1 it returns the code of the failure,
 * negative. */
ptrdiff_t plx__socket_write(plx_socket *socket, const void *data, size_t size);

/* plx__socket_consumed is called when the program has taken bytes: reading may go on. */
void plx__socket_consumed(plx_socket *socket);

/* ---- properties (property.c) ----------------------------------------------------------------- */

/* plx__socket_keep_path replaces the path by a copy of these bytes, a size of 0 being none. False
 * for want of memory, with the path unchanged. */
bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size);

/* plx__socket_set_path is plx_socket_set_path for bytes, none of which ends them. */
int plx__socket_set_path(plx_socket *socket, const char *path, size_t size);

/* plx__text_set replaces *text by a copy; "" and NULL are none. False for want of memory, with
 * *text unchanged. */
bool plx__text_set(char **text, const char *value);

#endif
