/* deflate.c -- see deflate.h.
 *
 *     program <-- inflate <-- [received] <-- lower_receive <-- kernel
 *     program --> deflate --> [packed]   --> lower_send    --> kernel
 *
 * Each direction is one zlib stream (RFC 1950) for the whole connection. One call of `send` gets
 * all that is queued, so each frame of the program ends with one flush (Z_SYNC_FLUSH), about 5
 * bytes, and the peer can decompress at once what has arrived. The goodbye is the end of the zlib
 * stream: an end of the connection without it is an error, because something may be missing. A side
 * that has said goodbye does not need an answer.
 *
 * A few bytes may inflate to gigabytes. `receive` never makes more than it was asked for, and the
 * library asks for no more than PLX_OPTION_READ_LIMIT allows; the rest waits, compressed. */
#include "deflate.h"

#include <errno.h>
#include <stdbool.h>

#define ZLIB_CONST
#include <zlib.h>

#define LEVEL 6
#define WINDOW_BITS 12 /* both ends look back 4 KiB: about 40 KiB of memory a connection */
#define MEMORY_LEVEL 5
#define MOST_AT_ONCE ((size_t)1 << 20)

struct deflate_state {
    z_stream out, in;
    size_t offered;    /* bytes of the program that deflate is working on, 0: none */
    size_t sent, made; /* of `packed` */
    bool is_flushed;   /* deflate has nothing more to give for these bytes */
    bool is_full;      /* inflate has filled the last room, and may have more */
    bool has_ended;    /* the peer has said goodbye */
    bool has_parted;   /* this side has begun its goodbye */
    unsigned char packed[4096];
    unsigned char received[4096];
};

/* ---- a connection ---------------------------------------------------------------------------- */

static void *allocate(void *user, uInt count, uInt size)
{
    (void)user;
    return plx_memory_resize(NULL, (size_t)count * size);
}

static void release(void *user, void *block)
{
    (void)user;
    plx_memory_resize(block, 0);
}

static void deflate_forget(plx_filter *filter)
{
    struct deflate_state *state = plx_filter_state(filter);
    deflateEnd(&state->out); /* zlib allows a stream that was never made */
    inflateEnd(&state->in);
}

static int deflate_begin(plx_filter *filter)
{
    struct deflate_state *state = plx_filter_state(filter);
    deflate_forget(filter); /* the last connection's */
    *state = (struct deflate_state){.is_flushed = true};
    state->out.zalloc = state->in.zalloc = allocate;
    state->out.zfree = state->in.zfree = release;
    bool made = deflateInit2(&state->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                             Z_DEFAULT_STRATEGY) == Z_OK &&
                inflateInit2(&state->in, WINDOW_BITS) == Z_OK;
    return made ? 0 : PLX_OUT_OF_MEMORY;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Returns 0 when the layer below has taken all that is packed, or a negative errno. */
static int send_packed(plx_filter *filter)
{
    struct deflate_state *state = plx_filter_state(filter);
    while (state->sent < state->made) {
        ptrdiff_t count =
            plx_filter_lower_send(filter, state->packed + state->sent, state->made - state->sent);
        if (count < 0) {
            return (int)count; /* -EAGAIN: this step is called again when there is room */
        }
        state->sent += (size_t)count;
    }
    state->sent = state->made = 0;
    return 0;
}

/* Packs and sends in turns, until deflate has nothing more to give. */
static int pack(plx_filter *filter, int flush)
{
    struct deflate_state *state = plx_filter_state(filter);
    int error = send_packed(filter);
    while (error == 0 && !state->is_flushed) {
        state->out.next_out = state->packed;
        state->out.avail_out = sizeof state->packed;
        deflate(&state->out, flush);
        state->made = sizeof state->packed - state->out.avail_out;
        state->is_flushed = state->out.avail_out > 0;
        error = send_packed(filter);
    }
    return error;
}

/* After -EAGAIN the same bytes are offered again, perhaps at another address and with more behind
 * them. deflate has seen some of them and goes on where it stopped. */
static ptrdiff_t deflate_send(plx_filter *filter, const void *data, size_t size)
{
    struct deflate_state *state = plx_filter_state(filter);
    if (state->offered == 0) {
        state->offered = size < MOST_AT_ONCE ? size : MOST_AT_ONCE;
        state->out.avail_in = (uInt)state->offered;
        state->is_flushed = false;
    }
    state->out.next_in = (const Bytef *)data + (state->offered - state->out.avail_in);
    int error = pack(filter, Z_SYNC_FLUSH);
    if (error != 0) {
        return error;
    }
    ptrdiff_t taken = (ptrdiff_t)state->offered;
    state->offered = 0;
    return taken;
}

static int deflate_shutdown(plx_filter *filter)
{
    struct deflate_state *state = plx_filter_state(filter);
    if (!state->has_parted) {
        state->has_parted = true;
        state->out.avail_in = 0;
        state->is_flushed = false;
    }
    return -pack(filter, Z_FINISH);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static ptrdiff_t receive_more(plx_filter *filter)
{
    struct deflate_state *state = plx_filter_state(filter);
    ptrdiff_t count = plx_filter_lower_receive(filter, state->received, sizeof state->received);
    if (count > 0) {
        state->in.next_in = state->received;
        state->in.avail_in = (uInt)count;
    } else if (count == 0 && !state->has_parted) {
        plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_OPERATION,
                        "deflate: the peer has ended without the end of its compressed bytes");
        return -EPROTO;
    }
    return count;
}

static ptrdiff_t inflate_some(plx_filter *filter, void *data, size_t size)
{
    struct deflate_state *state = plx_filter_state(filter);
    size_t room = size < MOST_AT_ONCE ? size : MOST_AT_ONCE;
    state->in.next_out = data;
    state->in.avail_out = (uInt)room;
    int result = inflate(&state->in, Z_SYNC_FLUSH);
    state->is_full = state->in.avail_out == 0;
    state->has_ended = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        plx_filter_fail(filter, result == Z_MEM_ERROR ? PLX_OUT_OF_MEMORY : PLX_LOST_CONNECTION,
                        PLX_REASON_OPERATION, "deflate: the peer's bytes are not compressed: %s",
                        state->in.msg != NULL ? state->in.msg : zError(result));
        return -EPROTO;
    }
    return (ptrdiff_t)(room - state->in.avail_out);
}

static bool deflate_pending(const plx_filter *filter)
{
    const struct deflate_state *state = plx_filter_state((plx_filter *)filter);
    return state->has_ended || state->in.avail_in > 0 || state->is_full;
}

static ptrdiff_t deflate_receive(plx_filter *filter, void *data, size_t size)
{
    struct deflate_state *state = plx_filter_state(filter);
    ptrdiff_t made = 0;
    while (made == 0 && !state->has_ended) {
        ptrdiff_t more = deflate_pending(filter) ? 1 : receive_more(filter);
        if (more <= 0) {
            return more;
        }
        made = inflate_some(filter, data, size);
    }
    return made;
}

/* ---- the filter ------------------------------------------------------------------------------ */

const plx_filter_kind deflate_filter = {
    .size = sizeof(plx_filter_kind),
    .state_size = sizeof(struct deflate_state),
    .name = "deflate",
    .begin = deflate_begin,
    .receive = deflate_receive,
    .send = deflate_send,
    .pending = deflate_pending,
    .shutdown = deflate_shutdown,
    .forget = deflate_forget,
};

struct deflate_count deflate_count(plx_filter *filter)
{
    const struct deflate_state *state = plx_filter_state(filter);
    if (state == NULL) {
        return (struct deflate_count){0, 0};
    }
    return (struct deflate_count){state->out.total_in + state->in.total_out,
                                  state->out.total_out + state->in.total_in};
}
