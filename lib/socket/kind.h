/* lib/socket/kind.h -- the contract of a kind of sockets.
 *
 * Design: a kind is a const table that names two others, because kinds are the product of two axes:
 *
 *      endpoint     where: the address of a peer, and what a descriptor is bound to   lib/endpoint/
 *      transport    how bytes travel: as a stream, packets or datagrams               lib/transfer/
 *
 * A transport without connections needs one more table, the association with a peer: how a socket
 * gets a peer and loses it again.
 *
 * The properties of these tables say what a kind is; each has one meaning. If a table leaves a
 * function out, the default stated with the function applies, in one place, and no code concludes
 * anything else from a missing function (tests/check-kinds.sh). */
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
    enum plx__family families[2]; /* the second is NONE if there is only one */
    bool has_paths; /* a peer has a path; false: an address, a port and an interface */

    /* Parses `where` into the properties, for connecting or for listening. Returns 0, or a code
     * after plx__socket_fail. Required. */
    int (*parse)(plx_socket *socket, const char *where, bool to_listen);
    /* Checks a path. Returns 0 or a negative errno. Required if there are paths. */
    int (*check_path)(const char *path, size_t size);
    /* Finds out where to connect to by the properties. Returns 0, or a code after plx__socket_fail.
     * Required. */
    int (*target)(plx_socket *socket, struct plx__target *ret_target);
    /* Opens a descriptor and binds it by the properties. Returns the descriptor, or the negative of
     * a code after plx__socket_fail. Required. */
    plx__fd (*bind)(plx_socket *socket);
    /* Binds a descriptor by the properties before it connects to `peer`. Returns 0 or a negative
     * errno. NULL: there is nothing to bind. */
    int (*bind_local)(plx_socket *socket, plx__fd descriptor, const struct plx__sockaddr *peer);
    /* Removes what bind left, such as a file, before the descriptor is closed. NULL: bind leaves
     * nothing. */
    void (*finish)(plx_socket *socket);
};

/* ---- how ------------------------------------------------------------------------------------- */

struct plx__transport {
    enum plx__type type;
    bool listens;          /* accepts connections; `listen`, `incoming` are required */
    bool connectionless;   /* may be open without a peer; the kind has an association */
    bool keeps_boundaries; /* each write is read as one record, and the kind's socket begins with a
                              struct plx__record_socket; false: the buffers hold a stream */
    size_t record_size;    /* bytes before each record in the queue; 0: none */

    /* Begins to listen. Returns 0, or a code after plx__socket_fail. */
    int (*listen)(plx_socket *socket);
    /* Accepts: a connection may wait at the listening socket. */
    void (*incoming)(plx_socket *socket, struct plx__budget *budget);
    /* Receives from the kernel into the receive buffer and sets events. Required. */
    void (*input)(plx_socket *socket, struct plx__budget *budget);
    /* Sends the queued bytes, at least one, and sets events. Required. */
    void (*output)(plx_socket *socket, struct plx__budget *budget);
    /* Goes on with an ending, after sending. NULL: there is no such ending. */
    void (*settle)(plx_socket *socket);
    /* Reports to the peer that nothing more will be sent. Returns 0, or EAGAIN to be called again.
     * Required if it listens. */
    int (*shutdown)(plx_socket *socket);
    /* Returns how many bytes can be received without the peer: those that the kernel holds, and
     * those that a layer above the descriptor holds. Required. */
    size_t (*pending)(const plx_socket *socket);
    /* Queues a record of `size` bytes that the program writes, with `before` bytes of the number of
     * a command before them, which only a connection has. The caller fills *ret_place, the place of
     * all these bytes. Returns 0; EAGAIN at WRITE_LIMIT, and room_available follows; or a code after
     * plx__socket_fail. NULL: bytes of a stream. Required if boundaries are kept. */
    int (*add)(plx_socket *socket, size_t before, size_t size, uint8_t **ret_place);
    /* `front` returns the first record and its size, `take` takes it whole. NULL: the bytes of a
     * stream, all of them at once; `take` takes `size` bytes. Required if boundaries are kept. */
    const void *(*front)(const plx_socket *socket, size_t *ret_size);
    size_t (*take)(plx_socket *socket, size_t size);
};

/* ---- the peer of a socket without connections ------------------------------------------------ */

/* All functions are required. */
struct plx__association {
    /* Binds by the properties and enters BOUND, without a peer: plx_socket_connect. Returns 0, or a
     * code after plx__socket_fail. */
    int (*bind_only)(plx_socket *socket);
    /* Is called when connect(2) has given the descriptor a peer. */
    void (*connected)(plx_socket *socket);
    /* Is called before `connected` if the peer is addresses[chosen] of a host name. */
    void (*choices)(plx_socket *socket, const plx_address *addresses, size_t count, size_t chosen,
                    uint16_t port);
    /* Dissolves the association with the peer (connect(2)): the socket is bound as before. Returns
     * 0, or a code after plx__socket_fail. */
    int (*disconnect)(plx_socket *socket);
    /* The peer was not found and the socket is bound as before: drops what is queued for the
     * peer. */
    void (*drop_peer)(plx_socket *socket);
    /* Returns how many records were written and are not queued yet, and the bytes in them. */
    size_t (*held_back)(const plx_socket *socket, size_t *ret_bytes);
};

/* ---- the kind -------------------------------------------------------------------------------- */

struct plx_kind {
    const char *name;
    const struct plx__endpoint *endpoint;
    const struct plx__transport *transport;
    const struct plx__association *association; /* if the transport is connectionless */
    const char *unopened; /* for sentences: what an unconnected one is, and what to call first */
    const char *without_listening; /* if it does not listen: what to call instead of listen */
    const char
        *without_peer;       /* if it may have no peer: the calls that read and write without one */
    size_t size;             /* of the kind's socket */
    plx__option_set options; /* those of this kind, besides those of all kinds */
    plx__option_set defaults; /* those of them whose default differs from the kernel's */
    bool short_is_all; /* after a short read the kernel holds no more bytes, apart from the end and
                          from urgent data; false: a read may also stop at the end of a record */
    bool is_confirmed; /* the peer's kernel acknowledges bytes; `unconfirmed` is required */
    bool has_own_work; /* has work of its own while open; `advance`, `deadline` are required */
    bool is_filtered;  /* the `kind` of a struct plx__filtered (lib/socket/filtered.h) */

    /* Prepares a new descriptor after its options were set. NULL: nothing. */
    void (*prepare)(plx__fd descriptor);
    /* Move bytes of a stream. Return a count, 0 for the end (receive), or a negative errno.
     * Required for streams. */
    ptrdiff_t (*receive)(plx_socket *socket, void *data, size_t size);
    ptrdiff_t (*send)(plx_socket *socket, const void *data, size_t size);
    /* Returns how many bytes sent the peer's kernel has not acknowledged. Without it sent bytes
     * count as activity at once (lib/socket/idle.h). */
    ptrdiff_t (*unconfirmed)(plx_socket *socket);
    /* `advance` goes on with the kind's own work while the socket is open; `deadline` returns when
     * to call it at the latest, 0 for never. */
    void (*advance)(plx_socket *socket, struct plx__budget *budget);
    uint64_t (*deadline)(const plx_socket *socket);
    /* Adds the kind's own numbers to the statistics. NULL: nothing. */
    void (*add_statistics)(const plx_socket *socket, plx_statistics *statistics);
    /* Drop what belongs to the queued bytes, or to the received bytes, when these are dropped.
     * NULL: nothing. */
    void (*drop_sending)(plx_socket *socket);
    void (*drop_received)(plx_socket *socket);
    /* Frees what the kind's socket holds. NULL: nothing. */
    void (*destroy)(plx_socket *socket);
};

#endif
