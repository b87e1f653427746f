/* lib/socket/kind.h -- the contract of a kind of sockets.
 *
 * Design: a kind is a const table that names two others, for the kinds are a product of two axes:
 *
 *      endpoint     where: what leads to a peer, and what a descriptor is bound to   lib/endpoint/
 *      transport    how bytes travel: a stream, packets, datagrams                   lib/transfer/
 *
 * A transport without connections needs a fourth table, the association with a peer: how a socket gets
 * a peer and loses it again.
 *
 * What a kind is stands in the properties of these tables, each with one meaning. A function that a table
 * leaves out has the default stated with it, one place applies that default, and nobody concludes
 * anything else from it (tests/check-kinds.sh). */
#ifndef PLX_LIB_KIND_H
#define PLX_LIB_KIND_H

#include "lib/os/os.h"
#include "lib/poll/loop.h"
#include "lib/socket/options.h"

#include <pollux/address.h>
#include <pollux/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__target;

/* ---- where ----------------------------------------------------------------------------------- */

struct plx__endpoint {
    enum plx__family families[2]; /* the second NONE where there is one */
    bool has_paths; /* a path leads to it; false: an address, a port and an interface */

    /* Reads `where` into the properties, for connecting or for listening. Returns 0, or a code after
     * plx__socket_fail. Required. */
    int (*parse)(plx_socket *socket, const char *where, bool to_listen);
    /* Says whether `path` may be one. Returns 0 or a negative errno. Required where it has paths. */
    int (*check_path)(const char *path, size_t size);
    /* Says where the properties lead. Returns 0, or a code after plx__socket_fail. Required. */
    int (*target)(plx_socket *socket, struct plx__target *ret_target);
    /* Opens a descriptor bound to what the properties say. Returns it, or after plx__socket_fail its
     * code, negative. Required. */
    plx__fd (*bind)(plx_socket *socket);
    /* Binds a descriptor to what the properties say before it connects to `peer`. Returns 0 or a
     * negative errno. NULL: there is nothing to bind. */
    int (*bind_local)(plx_socket *socket, plx__fd descriptor, const struct plx__sockaddr *peer);
    /* Leaves nothing behind, a descriptor that was bound being about to be closed. NULL: nothing is
     * left. */
    void (*finish)(plx_socket *socket);
};

/* ---- how ------------------------------------------------------------------------------------- */

struct plx__transport {
    enum plx__type type;
    bool listens;          /* accepts connections; `listen`, `incoming` are required */
    bool connectionless;   /* may be open without a peer; the kind has an association */
    bool keeps_boundaries; /* each write is read as one record; false: the buffers hold a stream */
    size_t record_size;    /* bytes that precede each record in the queue; 0: none */

    /* Begins to listen. Returns 0, or a code after plx__socket_fail. */
    int (*listen)(plx_socket *socket);
    /* A connection waits at the listening socket. */
    void (*incoming)(plx_socket *socket, struct plx__budget *budget);
    /* Moves bytes from the kernel, where some may wait, into the receive buffer and sets events.
     * Required. */
    void (*input)(plx_socket *socket, struct plx__budget *budget);
    /* Moves queued bytes, of which there are some, to the kernel and sets events. Required. */
    void (*output)(plx_socket *socket, struct plx__budget *budget);
    /* Goes on with an ending, after sending. NULL: there is never one to go on with. */
    void (*settle)(plx_socket *socket);
    /* Reports to the peer that nothing more will be sent. Returns 0, or EAGAIN and is called once more.
     * Required where it listens. */
    int (*shutdown)(plx_socket *socket);
    /* Returns how many bytes can be received without the peer: those that the kernel holds, and those
     * that stand above the descriptor. Required. */
    size_t (*pending)(const plx_socket *socket);
    /* Queues what the program writes. Returns the count taken, or after plx__socket_fail its code,
     * negative. NULL: bytes of a stream; required where boundaries are kept. */
    ptrdiff_t (*write)(plx_socket *socket, const void *data, size_t size);
    /* Returns the first thing to read and its size, and takes `size` bytes or the whole record.
     * NULL: the stream, all of it at the front; required where boundaries are kept. */
    const void *(*front)(const plx_socket *socket, size_t *ret_size);
    size_t (*take)(plx_socket *socket, size_t size);
};

/* ---- the peer of a socket without connections ------------------------------------------------ */

/* All of it is required. */
struct plx__association {
    /* Becomes BOUND to what the properties say, without a peer: what plx_socket_connect does. Returns
     * 0, or a code after plx__socket_fail. */
    int (*bind_only)(plx_socket *socket);
    /* The descriptor has got a peer. */
    void (*connected)(plx_socket *socket);
    /* That peer is addresses[chosen] of a name. */
    void (*choices)(plx_socket *socket, const plx_address *addresses, size_t count, size_t chosen,
                    uint16_t port);
    /* Gives back the peer, so that the socket is bound as before. Returns 0, or a code after
     * plx__socket_fail. */
    int (*disconnect)(plx_socket *socket);
    /* The peer was not found, and the socket is bound as before: drops what is queued for the peer. */
    void (*drop_peer)(plx_socket *socket);
    /* Returns how many records were written and are held back, not being queued yet, and the bytes in
     * them. */
    size_t (*held_back)(const plx_socket *socket, size_t *ret_bytes);
};

/* ---- the kind -------------------------------------------------------------------------------- */

struct plx_kind {
    const char *name;
    const struct plx__endpoint *endpoint;
    const struct plx__transport *transport;
    const struct plx__association *association; /* where the transport is connectionless */
    const char *unopened; /* in sentences: what an unconnected one is, and what to call then */
    const char *without_listening; /* what to call in place of listen, where it does not listen */
    const char *without_peer; /* what reads and writes without a peer, where it may have none */
    size_t size;              /* of the kind's socket */
    plx__option_set options;  /* those that this kind has beside what all obey */
    plx__option_set defaults; /* those of them whose default differs from the kernel's */
    bool
        short_is_all; /* a read that brings less than asked for was all there is, but for the end and
                          for urgent bytes; false: it may as well end behind a record */
    bool
        is_confirmed; /* the peer's kernel confirms the bytes that it has; `unconfirmed` is required */
    bool has_own_work; /* goes on with something of its own; `advance`, `deadline` are required */

    /* Sets on a new descriptor what is no option. NULL: nothing. */
    void (*prepare)(plx__fd descriptor);
    /* Move bytes of a stream: a count, 0 for the end (receive), or a negative errno. Required of
     * streams. */
    ptrdiff_t (*receive)(plx_socket *socket, void *data, size_t size);
    ptrdiff_t (*send)(plx_socket *socket, const void *data, size_t size);
    /* Returns the bytes sent that the peer's kernel has not confirmed. Without it what was sent counts
     * as movement at once (lib/socket/idle.h). */
    ptrdiff_t (*unconfirmed)(plx_socket *socket);
    /* Goes on with something of its own while the socket is open, and says when to at the latest, 0
     * for never. */
    void (*advance)(plx_socket *socket);
    uint64_t (*deadline)(const plx_socket *socket);
    /* Adds what only this kind knows to statistics. NULL: nothing. */
    void (*add_statistics)(const plx_socket *socket, plx_statistics *statistics);
    /* Drop what goes with the queued bytes, or with the received ones, which are being dropped. NULL:
     * nothing does. */
    void (*drop_sending)(plx_socket *socket);
    void (*drop_received)(plx_socket *socket);
    /* Frees what the kind's socket holds. NULL: nothing. */
    void (*destroy)(plx_socket *socket);
};

#endif
