/* tests/fuzz/stream.h -- a socket whose raw peer sends what the tape says, with a model of the
 * bytes on their way and of those that were received. */
#ifndef POLLUX_TESTS_FUZZ_STREAM_H
#define POLLUX_TESTS_FUZZ_STREAM_H

#include "tests/fuzz/fuzz.h"

#include <pollux.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream {
    plx_socket *socket;
    int peer;          /* -1: closed */
    size_t limit;      /* READ_LIMIT; 0: none */
    struct bytes wire; /* sent by the peer and not received */
    struct bytes got;  /* received and not read */
};

/* Begins a connection, with a READ_LIMIT of that many bytes. */
static inline void stream_begin(struct stream *stream, size_t limit)
{
    int ends[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    stream->socket = plx_ipc_new();
    stream->peer = ends[1];
    stream->limit = limit;
    stream->wire.size = stream->got.size = 0;
    NEED(plx_socket_set_option(stream->socket, PLX_OPTION_READ_LIMIT, (int)limit) == 0);
    NEED(plx_socket_adopt(stream->socket, ends[0]) == 0);
    plx_socket_poll(stream->socket);
    NEED(plx_socket_state(stream->socket) == PLX_CONNECTED);
}

static inline void stream_need_same(const struct stream *stream)
{
    size_t size;
    const void *data = plx_socket_lookahead(stream->socket, &size);
    NEED(bytes_equal(&stream->got, data, size));
    NEED(plx_socket_bytes_available(stream->socket) == size);
}

/* Polls once. What was received is the beginning of what was sent. The socket may hold `most` bytes
 * now, and it receives some if it holds fewer than `least`. */
static inline void stream_poll(struct stream *stream, size_t least, size_t most)
{
    size_t before = stream->got.size;
    bool live = plx_socket_state(stream->socket) == PLX_CONNECTED;
    plx_socket_poll(stream->socket);
    size_t after = plx_socket_bytes_available(stream->socket);
    NEED(after >= before && after - before <= stream->wire.size);
    NEED(after == before || after <= most);
    NEED(after > before || !live || stream->wire.size == 0 || before >= least ||
         plx_socket_state(stream->socket) != PLX_CONNECTED);
    bytes_append(&stream->got, stream->wire.data, after - before);
    bytes_drop(&stream->wire, after - before);
    stream_need_same(stream);
}

static inline void stream_send(struct stream *stream, const void *data, size_t size)
{
    if (stream->peer < 0 || !bytes_fit(&stream->wire, size)) {
        return;
    }
    ssize_t sent = size == 0 ? 0 : send(stream->peer, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    bytes_append(&stream->wire, data, sent < 0 ? 0 : (size_t)sent);
}

static inline void stream_hang_up(struct stream *stream)
{
    if (stream->peer >= 0) {
        close(stream->peer);
        stream->peer = -1;
    }
}

static inline void stream_end(struct stream *stream)
{
    stream_hang_up(stream);
    plx_socket_free(stream->socket);
}

/* Drops bytes that the socket has returned, after a comparison. */
static inline void stream_took(struct stream *stream, const void *data, size_t size)
{
    NEED(size <= stream->got.size);
    NEED(size == 0 || memcmp(stream->got.data, data, size) == 0);
    bytes_drop(&stream->got, size);
}

static inline void stream_unread(struct stream *stream, const void *data, size_t size)
{
    if (bytes_fit(&stream->got, size)) {
        NEED(plx_socket_unread(stream->socket, data, size) == 0);
        bytes_prepend(&stream->got, data, size);
    }
}

static inline void stream_skip(struct stream *stream, size_t size)
{
    size_t expected = size < stream->got.size ? size : stream->got.size;
    NEED(plx_socket_skip(stream->socket, size) == expected);
    bytes_drop(&stream->got, expected);
}

#endif
