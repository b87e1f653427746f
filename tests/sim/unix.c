/* tests/sim/unix.c -- Unix sockets, streams and packets (net/unix/af_unix.c). */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

/* What the kernel reserves for a piece beside its bytes. */
enum { OVERHEAD = 768 };

/* ---- names ----------------------------------------------------------------------------------- */

static struct sim_open *bound_to(const char *path)
{
    if (path[0] != '@') {
        struct sim_node *node = sim_node_at(path);
        return node == NULL ? NULL : node->bound;
    }
    struct sim_open *open = sim.all;
    while (open != NULL &&
           (open->dead || !open->is_bound || open->name == NULL || strcmp(open->name, path) != 0)) {
        open = open->next_of_all;
    }
    return open;
}

int sim_unix_bind(struct sim_open *open, const char *path)
{
    if (open->is_bound) {
        return -EINVAL;
    }
    if (path[0] == '@' ? bound_to(path) != NULL : sim_node_at(path) != NULL) {
        return -EADDRINUSE;
    }
    if (path[0] != '@') {
        open->node = sim_node_new(path, true);
        open->node->bound = open;
        open->node->mode = open->options[PLX_OPTION_MODE] & 0755;
    }
    open->name = strdup(path);
    open->is_bound = true;
    return 0;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* unix_stream_connect */
static int find_listener(struct sim_open *open, const char *path, struct sim_open **ret_listener)
{
    struct sim_open *listener = bound_to(path);
    if (listener == NULL && (path[0] == '@' || sim_node_at(path) != NULL)) {
        return -ECONNREFUSED;
    }
    if (listener == NULL) {
        return -ENOENT;
    }
    if (listener->sort != open->sort) {
        return -EPROTOTYPE;
    }
    if (listener->state != SIM_LISTENING) {
        return -ECONNREFUSED;
    }
    if (listener->queued > listener->backlog) {
        return -EAGAIN;
    }
    *ret_listener = listener;
    return 0;
}

int sim_unix_connect(struct sim_open *open, const char *path)
{
    struct sim_open *listener;
    int result = find_listener(open, path, &listener);
    if (result < 0) {
        return result;
    }
    if (open->state != SIM_CLOSED) {
        return open->state == SIM_ESTABLISHED ? -EISCONN : -EINVAL;
    }
    struct sim_open *child = sim_new(open->sort);
    struct sim_open **place = &listener->queue;
    memcpy(child->options, listener->options, sizeof child->options);
    child->options[PLX_OPTION_SEND_BUFFER_SIZE] = 212992;
    child->family = PLX__FAMILY_UNIX;
    child->state = open->state = SIM_ESTABLISHED;
    child->peer = open;
    open->peer = child;
    child->listener = listener;
    child->name = strdup(listener->name);
    while (*place != NULL) {
        place = &(*place)->next_waiting;
    }
    *place = child;
    listener->queued++;
    sim.counts.connections++;
    return 0;
}

/* ---- ending ---------------------------------------------------------------------------------- */

int sim_unix_end(struct sim_open *open)
{
    open->send_shut = true;
    if (open->peer != NULL) {
        open->peer->receive_shut = true;
    }
    return 0;
}

/* unix_release_sock: bytes that nobody has read are reported to the sender. */
void sim_unix_close(struct sim_open *open)
{
    if (open->node != NULL) {
        open->node->bound = NULL;
    }
    while (open->queue != NULL) {
        struct sim_open *child = open->queue;
        open->queue = child->next_waiting;
        child->dead = true;
        if (child->peer != NULL) {
            child->peer->error = ECONNRESET;
        }
        sim_unix_close(child);
        sim_queue_clear(child);
    }
    struct sim_open *peer = open->peer;
    if (peer != NULL && !peer->dead) {
        peer->receive_shut = peer->send_shut = true;
        if (open->first != NULL) {
            peer->error = ECONNRESET;
        }
    }
    open->state = SIM_CLOSED;
    open->receive_shut = open->send_shut = true;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* unix_stream_sendmsg, unix_dgram_sendmsg, sock_alloc_send_pskb */
static int refuse_send(struct sim_open *open, size_t size)
{
    size_t limit = (size_t)open->options[PLX_OPTION_SEND_BUFFER_SIZE];
    bool is_stream = open->sort == SIM_STREAM;
    if (open->peer == NULL || open->state != SIM_ESTABLISHED) {
        return -ENOTCONN;
    }
    if (is_stream && open->send_shut) {
        return -EPIPE;
    }
    if (!is_stream && size > limit - 32) {
        return -EMSGSIZE;
    }
    if (open->error != 0) {
        int error = open->error;
        open->error = 0;
        return -error;
    }
    if (open->send_shut || open->peer->dead || open->peer->receive_shut) {
        return -EPIPE;
    }
    if (open->charged >= limit || sim_happens(SIM_AGAIN)) {
        return -EAGAIN;
    }
    return sim_happens(SIM_NOBUFS) ? -ENOBUFS : sim_happens(SIM_NOMEM) ? -ENOMEM : 0;
}

static void put(struct sim_open *open, const uint8_t *data, size_t size, struct sim_open **passed,
                size_t count)
{
    struct sim_message *message = sim_message_new(data, size);
    message->sender = open;
    message->charge = size + OVERHEAD;
    message->count = count;
    if (count > 0) {
        message->passed = malloc(count * sizeof *message->passed);
        memcpy(message->passed, passed, count * sizeof *passed);
        sim.counts.descriptors_passed += count;
    }
    for (size_t i = 0; i < count; i++) {
        passed[i]->references++;
    }
    sim.counts.bytes += size;
    sim_queue_add(open->peer, message);
}

ptrdiff_t sim_unix_send(struct sim_open *open, const void *data, size_t size,
                        struct sim_open **passed, size_t count)
{
    size_t limit = (size_t)open->options[PLX_OPTION_SEND_BUFFER_SIZE];
    size_t sent = 0;
    ptrdiff_t result = refuse_send(open, size);
    if (result < 0) {
        return result;
    }
    if (open->sort == SIM_PACKET) {
        put(open, data, size, passed, count);
        return (ptrdiff_t)size;
    }
    size = sim_short(size);
    while (sent < size && open->charged < limit) {
        size_t piece = size - sent < limit / 2 - 64 ? size - sent : limit / 2 - 64;
        put(open, (const uint8_t *)data + sent, piece, sent == 0 ? passed : NULL,
            sent == 0 ? count : 0);
        sent += piece;
    }
    return (ptrdiff_t)sent;
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* The descriptors of a message, which the receiver gets with its first byte (scm_detach_fds). */
static void detach(struct sim_message *message, struct plx__os_handles *handles)
{
    for (size_t i = 0; i < message->count; i++) {
        int descriptor = handles == NULL || handles->lost ? -EMFILE : sim_give(message->passed[i]);
        if (descriptor < 0) {
            sim.counts.leaked_in_flight++;
            if (handles != NULL) {
                handles->lost = true;
            }
        } else {
            handles->list[handles->count++] = descriptor;
        }
        sim_drop(message->passed[i]);
    }
    message->count = 0;
}

static int take_error(struct sim_open *open)
{
    int error = open->error;
    open->error = 0;
    return -error;
}

static ptrdiff_t receive_packet(struct sim_open *open, void *data, size_t size,
                                struct plx__os_handles *handles, bool *ret_truncated)
{
    struct sim_message *message = open->first;
    if (open->state != SIM_ESTABLISHED) {
        return -ENOTCONN;
    }
    if (open->error != 0) { /* __skb_try_recv_datagram: before the queue */
        return take_error(open);
    }
    if (message == NULL) {
        return open->receive_shut ? 0 : -EAGAIN;
    }
    *ret_truncated = size < message->size;
    size = size < message->size ? size : message->size;
    if (size > 0) {
        memcpy(data, message->data, size);
    }
    detach(message, handles);
    sim_queue_remove(open);
    return (ptrdiff_t)size;
}

/* unix_stream_read_generic: a read goes on over pieces, and ends behind one with descriptors. */
static size_t read_pieces(struct sim_open *open, uint8_t *data, size_t size,
                          struct plx__os_handles *handles)
{
    size_t done = 0;
    bool ends = false;
    while (!ends && done < size && open->first != NULL) {
        struct sim_message *message = open->first;
        size_t piece = message->size - message->at;
        piece = piece < size - done ? piece : size - done;
        memcpy(data + done, message->data + message->at, piece);
        message->at += piece;
        done += piece;
        ends = message->count > 0;
        detach(message, handles);
        if (message->at == message->size) {
            sim_queue_remove(open);
        }
    }
    return done;
}

static ptrdiff_t receive_stream(struct sim_open *open, void *data, size_t size,
                                struct plx__os_handles *handles)
{
    if (open->state != SIM_ESTABLISHED) {
        return -EINVAL;
    }
    if (open->first != NULL) {
        return (ptrdiff_t)read_pieces(open, data, sim_short(size), handles);
    }
    if (open->error != 0) {
        return take_error(open);
    }
    return open->receive_shut ? 0 : -EAGAIN;
}

ptrdiff_t sim_unix_receive(struct sim_open *open, void *data, size_t size,
                           struct plx__os_handles *handles, bool *ret_truncated)
{
    return open->sort == SIM_PACKET ? receive_packet(open, data, size, handles, ret_truncated)
                                    : receive_stream(open, data, size, handles);
}
