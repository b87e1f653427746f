/* tests/fuzz/fuzz-deflate.c -- a filter under a hostile peer: the one of examples/compressed-chat
 * gets the tape's bytes in place of compressed ones, in pieces, with a READ_LIMIT; and what it
 * sends is inflated by zlib alone and compared.
 *
 * A byte of the tape chooses: bytes of the tape, compressed bytes, a poll, a read, a write, an
 * end. */
#include "examples/compressed-chat/deflate.h"
#include "tests/fuzz/fuzz.h"

#include <pollux.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static plx_socket *socket_of_ours;
static int peer;
static z_stream packer, unpacker; /* the peer's */
static bool is_honest;            /* the peer has sent nothing but compressed bytes */
static bool has_ended;
static struct bytes sent, written; /* the peer's bytes and ours, as the programs see them */

static void begin(size_t limit)
{
    int ends[2];
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    socket_of_ours = plx_ipc_new();
    peer = ends[1];
    packer = unpacker = (z_stream){0};
    NEED(deflateInit2(&packer, 1, Z_DEFLATED, 12, 1, Z_DEFAULT_STRATEGY) == Z_OK);
    NEED(inflateInit2(&unpacker, 12) == Z_OK);
    is_honest = true;
    has_ended = false;
    sent.size = written.size = 0;
    NEED(plx_socket_set_option(socket_of_ours, PLX_OPTION_READ_LIMIT, (int)limit) == 0);
    NEED(plx_socket_push_filter(socket_of_ours, &deflate_filter) != NULL);
    NEED(plx_socket_adopt(socket_of_ours, ends[0]) == 0);
    plx_socket_poll(socket_of_ours);
}

static void end(void)
{
    close(peer);
    plx_socket_free(socket_of_ours);
    deflateEnd(&packer);
    inflateEnd(&unpacker);
}

/* What the program reads is what the peer has compressed. */
static void read_some(size_t size)
{
    static char bytes[1 << 15];
    ptrdiff_t count = plx_socket_read(socket_of_ours, bytes, size);
    if (is_honest && count > 0) {
        NEED((size_t)count <= sent.size && memcmp(sent.data, bytes, (size_t)count) == 0);
        bytes_drop(&sent, (size_t)count);
    }
}

static void send_raw(struct tape *tape)
{
    size_t size;
    const uint8_t *bytes = tape_bytes(tape, tape_byte(tape) % 64, &size);
    is_honest = is_honest && size == 0;
    send(peer, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Compressed bytes, sometimes without their last ones, which follow then with the next. */
static void send_packed(struct tape *tape, int flush)
{
    static uint8_t run[1 << 15], packed[1 << 16];
    size_t size = flush == Z_FINISH ? 0 : tape_size(tape);
    if (!bytes_fit(&sent, size) || has_ended) {
        return;
    }
    for (size_t i = 0, c = tape_byte(tape); i < size; i++) {
        run[i] = (uint8_t)(c + i / 100);
    }
    packer.next_in = run;
    packer.avail_in = (uInt)size;
    packer.next_out = packed;
    packer.avail_out = sizeof packed;
    deflate(&packer, flush);
    has_ended = flush == Z_FINISH;
    size_t length = sizeof packed - packer.avail_out;
    ssize_t count = length == 0 ? 0 : send(peer, packed, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    is_honest = is_honest && count == (ssize_t)length;
    bytes_append(&sent, run, size);
}

/* What the peer inflates is what was written. */
static void receive(void)
{
    static uint8_t packed[1 << 16], plain[1 << 17];
    ssize_t count = recv(peer, packed, sizeof packed, MSG_DONTWAIT);
    if (count <= 0) {
        return;
    }
    unpacker.next_in = packed;
    unpacker.avail_in = (uInt)count;
    unpacker.next_out = plain;
    unpacker.avail_out = sizeof plain;
    int result = inflate(&unpacker, Z_SYNC_FLUSH);
    NEED(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
    size_t size = sizeof plain - unpacker.avail_out;
    NEED(size <= written.size && memcmp(written.data, plain, size) == 0);
    bytes_drop(&written, size);
}

static void write_some(struct tape *tape)
{
    static uint8_t run[1 << 15];
    size_t size = tape_size(tape);
    memset(run, (int)tape_byte(tape), size);
    if (bytes_fit(&written, size)) {
        ptrdiff_t count = plx_socket_write(socket_of_ours, run, size);
        bytes_append(&written, run, count < 0 ? 0 : (size_t)count);
    }
}

static void step(struct tape *tape)
{
    switch (tape_byte(tape) % 10) {
    case 0: send_raw(tape); break;
    case 1:
    case 2: send_packed(tape, Z_SYNC_FLUSH); break;
    case 3: send_packed(tape, Z_NO_FLUSH); break;
    case 4: tape_byte(tape) % 8 == 0 ? send_packed(tape, Z_FINISH) : (void)0; break;
    case 5: plx_socket_poll(socket_of_ours); break;
    case 6: read_some(tape_size(tape)); break;
    case 7: write_some(tape); break;
    case 8: receive(); break;
    default: tape_byte(tape) % 16 == 0 ? plx_socket_disconnect(socket_of_ours) : 0; break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    size_t limit = tape_byte(&tape) * (size_t)32;
    begin(limit);
    while (tape.left > 0) {
        step(&tape);
        NEED(limit == 0 || plx_socket_bytes_available(socket_of_ours) <= limit);
    }
    /* All that an honest peer has flushed arrives. */
    send_packed(&tape, Z_SYNC_FLUSH);
    for (int i = 0; i < 5000 && sent.size > 0; i++) {
        plx_socket_poll(socket_of_ours);
        receive();
        read_some(1 << 14);
    }
    NEED(!is_honest || sent.size == 0 || plx_socket_state(socket_of_ours) != PLX_CONNECTED);
    end();
    return 0;
}
