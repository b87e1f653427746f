/* lib/socket/life.c -- connecting, listening, disconnecting, closing, freeing. */
#include "config.h"

#include "lib/socket/chain.h"
#include "lib/socket/connect.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/move.h"
#include "lib/socket/object.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/sending.h"
#include "lib/socket/state.h"

/* Bytes of the budget beyond those that wait when close is called: each receive costs some. */
#define SLACK ((size_t)4096)

/* ---- ending ---------------------------------------------------------------------------------- */

/* Receives the bytes that wait at this moment, and no more: a peer that goes on sending would keep
 * us here for ever. If bytes stay unread, TCP answers close(2) with a reset, which destroys sent
 * bytes that the peer has not read (RFC 1122, 4.2.2.13). */
static void receive_rest(plx_socket *socket)
{
    size_t size = socket->kind->transport->pending(socket);
    uint64_t last = socket->bytes_received + size;
    uint64_t before;
    do {
        struct plx__budget budget = {size + SLACK, 0, SIZE_MAX};
        before = socket->bytes_received;
        socket->watch.ready |= PLX__READ;
        plx__socket_move_in(socket, &budget);
    } while (socket->more && socket->bytes_received > before && socket->bytes_received < last);
}

void plx_socket_close(plx_socket *socket)
{
    if (socket == NULL || socket->hold.freed) {
        return;
    }
    plx__hold_enter(&socket->hold); /* a step of a filter may free the socket */
    if (plx__socket_is_open(socket) && !plx__chain_is_stepping(socket)) {
        /* No later poll sends what a budget would leave. */
        struct plx__budget budget = {SIZE_MAX, 0, SIZE_MAX};
        receive_rest(socket);
        if (socket->out.size > 0) {
            socket->kind->transport->output(socket, &budget);
        }
        plx__chain_part_once(socket);
    }
    plx__socket_drop(socket);
    plx__socket_leave(socket);
}

void plx_socket_abort(plx_socket *socket)
{
    if (socket == NULL || socket->hold.freed) {
        return;
    }
    if (socket->state == PLX_CONNECTED || socket->state == PLX_CLOSING ||
        (socket->state == PLX_CONNECTING && socket->watch.task != NULL)) {
        plx__os_set_reset(socket->watch.descriptor);
    }
    plx__socket_drop(socket);
    plx_socket_purge(socket);
    plx__socket_drop_received(socket);
}

plx_socket *plx_socket_free(plx_socket *socket)
{
    if (socket == NULL || socket->hold.freed) {
        return NULL;
    }
    plx__hold_enter(&socket->hold);
    /* plx_socket_close receives, but a handler may still look at the bytes in this buffer. */
    struct plx__buffer lent = socket->in;
    socket->in = (struct plx__buffer){.block = NULL};
    plx__socket_drop_bytes(socket);
    /* A forked child shares the connection with its parent: the child must not send or reset. */
    if (socket->process == plx__os_process()) {
        plx_socket_close(socket);
    } else {
        plx__socket_drop(socket);
    }
    /* Unless a step of a filter has freed the socket meanwhile. */
    if (socket->owner != NULL && !socket->hold.freed) {
        socket->owner->left(socket->owner, socket);
    }
    plx__socket_drop_bytes(socket);
    lent.size = lent.start = 0;
    socket->in = lent;
    if (socket->hold.count == 1) {
        plx__buffer_clear(&socket->in, plx__socket_pool(socket));
    }
    plx__loop_remove(&socket->task);
    plx__hold_free(&socket->hold);
    plx__socket_leave(socket);
    return NULL;
}

/* Reports nothing, except the end of a peer that the program knows: of a datagram socket's last
 * peer if that is still pending, because the first disconnect has ended it, and of a client that a
 * server has announced before its filters were established. */
static void close_without_peer(plx_socket *socket)
{
    plx__event_set disconnected = PLX__EVENT_BIT(PLX__EVENT_DISCONNECTED);
    plx__event_set due =
        socket->peer == PLX__PEER_HERE ? disconnected : socket->pending & disconnected;
    plx_socket_close(socket);
    if (due != 0) {
        socket->pending |= due;
        plx__task_schedule(&socket->task);
    }
}

int plx_socket_disconnect(plx_socket *socket)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    bool connecting = plx__socket_is_connecting(socket);
    if (plx__reconnect_stop(socket)) {
        /* The end of the last connection may still be pending: the event stays. */
        plx__socket_update(socket);
        return 0;
    }
    if (socket->state == PLX_UNCONNECTED) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION,
                                  "disconnect: the socket is not connected");
    }
    if (connecting && socket->out.size > 0) {
        plx__ending_when_connected(socket);
    } else if (socket->state == PLX_CONNECTED && socket->kind->transport->connectionless) {
        return socket->kind->association->disconnect(socket);
    } else if (socket->state == PLX_CONNECTED) {
        plx__socket_set_state(socket, PLX_CLOSING);
        plx__ending_by_us(socket);
        plx__socket_update(socket);
    } else if (socket->state != PLX_CLOSING) {
        close_without_peer(socket);
    }
    return 0;
}

/* ---- beginning ------------------------------------------------------------------------------- */

int plx_socket_connect(plx_socket *socket)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!plx__socket_may_open(socket)) {
        return plx__socket_fail_open(socket, "connect");
    }
    plx__reconnect_forget_pauses(socket);
    return socket->kind->transport->connectionless ? socket->kind->association->bind_only(socket)
                                                   : plx__connect_start(socket);
}

int plx_socket_connect_to(plx_socket *socket, const char *where)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    bool fits = socket->state == PLX_UNCONNECTED ||
                (socket->state == PLX_BOUND && socket->kind->transport->connectionless);
    if (!fits || socket->hold.freed || plx__chain_is_stepping(socket)) {
        return plx__socket_fail_open(socket, "connect");
    }
    if (where == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "connect to NULL: no address given");
    }
    int code = socket->kind->endpoint->parse(socket, where, false);
    if (code != 0) {
        return code;
    }
    plx__reconnect_forget_pauses(socket);
    return plx__connect_start(socket);
}

int plx_socket_listen(plx_socket *socket)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!socket->kind->transport->listens) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "listen: %s sockets do not listen, %s", socket->kind->name,
                                  socket->kind->without_listening);
    }
    if (!plx__socket_may_open(socket)) {
        return plx__socket_fail_open(socket, "listen");
    }
    return socket->kind->transport->listen(socket);
}

int plx_socket_listen_on(plx_socket *socket, const char *where)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!socket->kind->transport->listens || socket->state != PLX_UNCONNECTED) {
        return plx_socket_listen(socket);
    }
    if (where == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "listen on NULL: no address given");
    }
    int code = socket->kind->endpoint->parse(socket, where, true);
    return code != 0 ? code : plx_socket_listen(socket);
}
