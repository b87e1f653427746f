/* tests/sim/tcp.c -- TCP as Linux shows it to a program, without segments that are lost: a stall
 * stands for those.
 *
 * Each end numbers its bytes from 0 on, and the FIN is one more. Segments, acknowledgements and
 * resets are events that keep their order in each direction. What Linux does is cited by function
 * (net/ipv4/tcp.c, tcp_input.c). */
#include "config.h"

#include "tests/sim/tcp.h"

enum { SEGMENT = 65536 };

/* ---- the line between two ends --------------------------------------------------------------- */

/* The moment at which what `from` sends now arrives: never before what it sent before. */
uint64_t sim_tcp_arrival(struct sim_open *from)
{
    uint64_t at = sim.now + from->latency;
    if (from->latency > 0) {
        at += sim_chance(from->latency / 4 + 1);
    }
    if (sim_happens(SIM_STALL)) {
        from->stalled_until = sim.now + sim_chance(120) * SIM_SECOND;
    }
    at = at < from->stalled_until ? from->stalled_until : at;
    at = at < from->last_arrival ? from->last_arrival : at;
    from->last_arrival = at;
    return at;
}

static struct sim_event *send_to_peer(struct sim_open *open, void (*run)(struct sim_event *))
{
    return open->peer == NULL ? NULL : sim_schedule(sim_tcp_arrival(open), run, open->peer);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* tcp_done: the connection is over. */
void sim_tcp_finish(struct sim_open *open)
{
    open->state = SIM_CLOSED;
    open->receive_shut = open->send_shut = true;
    open->flight = 0;
    sim_bytes_free(&open->out);
    if (open->dead) {
        sim_bytes_free(&open->in);
    }
}

void sim_tcp_fail(struct sim_open *open, int error)
{
    if (open->state == SIM_ESTABLISHED || open->state == SIM_SYN_SENT) {
        open->error = error;
        sim_tcp_finish(open);
    }
}

/* tcp_reset */
static void on_reset(struct sim_event *event)
{
    struct sim_open *open = event->to;
    sim_tcp_fail(open, open->state == SIM_SYN_SENT ? ECONNREFUSED
                       : open->fin_received        ? EPIPE
                                                   : ECONNRESET);
}

void sim_tcp_reset_peer(struct sim_open *open)
{
    send_to_peer(open, on_reset);
}

size_t sim_tcp_room_of(const struct sim_open *open)
{
    size_t limit = (size_t)open->options[PLX_OPTION_RECEIVE_BUFFER_SIZE] / 2;
    return limit > open->in.size ? limit - open->in.size : 0;
}

/* Both ends have sent their FIN. The end that acknowledges last is in TIME_WAIT, which has no
 * socket any more. */
static void check_finished(struct sim_open *open)
{
    if (open->state == SIM_ESTABLISHED && open->fin_received && open->fin_acknowledged) {
        sim_tcp_finish(open);
    }
}

static void on_acknowledgement(struct sim_event *event)
{
    struct sim_open *open = event->to;
    if (open->state != SIM_ESTABLISHED) {
        return;
    }
    uint64_t count =
        event->number > open->unacknowledged ? event->number - open->unacknowledged : 0;
    open->heard = sim.now;
    if (count > 0) {
        size_t bytes = count < open->out.size ? (size_t)count : open->out.size;
        sim_bytes_take(&open->out, NULL, bytes);
        open->flight -= bytes < open->flight ? bytes : open->flight;
        open->unacknowledged = event->number;
        open->waits_since = sim.now;
        open->fin_acknowledged = open->fin_sent && open->unacknowledged == open->written;
    }
    open->allowed = event->more > open->allowed ? event->more : open->allowed;
    sim_tcp_push(open);
    check_finished(open);
}

static void acknowledge(struct sim_open *open)
{
    struct sim_event *event = send_to_peer(open, on_acknowledgement);
    open->promised = open->received + sim_tcp_room_of(open);
    if (event != NULL) {
        event->number = open->received + (open->fin_received ? 1 : 0);
        event->more = open->promised;
    }
}

static void on_segment(struct sim_event *event)
{
    struct sim_open *open = event->to;
    struct sim_message *segment = event->message;
    event->message = NULL;
    if (open->state != SIM_ESTABLISHED || open->receive_shut || sim_happens(SIM_RESET)) {
        /* tcp_rcv_state_process: nobody reads any more. */
        if (!open->fin_received) {
            sim_tcp_reset_peer(open);
            sim_tcp_fail(open, ECONNRESET);
        }
    } else {
        sim_bytes_add(&open->in, segment->data, segment->size);
        sim.counts.bytes += segment->size;
        if (segment->charge != 0) { /* tcp_check_urg: the newest mark counts */
            open->has_mark = true;
            open->mark = open->received + segment->size - 1;
        }
        open->received += segment->size;
        open->heard = sim.now;
        acknowledge(open);
    }
    sim_message_free(segment);
}

/* tcp_fin */
static void on_fin(struct sim_event *event)
{
    struct sim_open *open = event->to;
    if (open->state != SIM_ESTABLISHED || open->fin_received) {
        return;
    }
    open->fin_received = open->receive_shut = true;
    acknowledge(open);
    check_finished(open);
}

/* tcp_retransmit_timer: TCP_USER_TIMEOUT. */
static void on_unheard(struct sim_event *event)
{
    struct sim_open *open = event->to;
    uint64_t limit = (uint64_t)open->options[PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] * 1000000;
    if (open->state != SIM_ESTABLISHED || limit == 0 || open->unacknowledged == open->written) {
        return;
    }
    if (sim.now >= open->waits_since + limit) {
        sim_tcp_reset_peer(open);
        sim_tcp_fail(open, ETIMEDOUT);
    } else {
        sim_schedule(open->waits_since + limit, on_unheard, open);
    }
}

void sim_tcp_push(struct sim_open *open)
{
    while (open->state == SIM_ESTABLISHED && open->flight < open->out.size) {
        uint64_t sent = open->unacknowledged + open->flight;
        size_t size = open->out.size - open->flight;
        size = size < SEGMENT ? size : SEGMENT;
        if (sent >= open->allowed) {
            return;
        }
        size = size < open->allowed - sent ? size : (size_t)(open->allowed - sent);
        size = size > 1 && sim_happens(SIM_CUT_SEGMENT) ? 1 + (size_t)sim_chance(size) : size;
        bool has_mark =
            open->has_out_mark && open->out_mark >= sent && open->out_mark < sent + size;
        size = has_mark ? (size_t)(open->out_mark - sent + 1) : size;
        struct sim_event *event = send_to_peer(open, on_segment);
        if (event == NULL) {
            return;
        }
        event->message = sim_message_new(open->out.data + open->out.at + open->flight, size);
        event->message->charge = has_mark;
        open->flight += size;
    }
    if (open->state == SIM_ESTABLISHED && open->fin_wanted && !open->fin_sent) {
        open->fin_sent = true;
        open->written++;
        send_to_peer(open, on_fin);
    }
}

/* ---- ending ---------------------------------------------------------------------------------- */

int sim_tcp_end(struct sim_open *open)
{
    switch (open->state) {
    case SIM_LISTENING: return 0;
    case SIM_SYN_SENT: /* inet_shutdown disconnects */
        open->state = SIM_CLOSED;
        open->remote = (plx_address){0};
        return 0;
    case SIM_CLOSED: open->send_shut = true; return -ENOTCONN;
    default: break;
    }
    open->send_shut = true;
    open->fin_wanted = true;
    sim_tcp_push(open);
    return 0;
}

/* tcp_close: bytes that nobody has read, or SO_LINGER with 0, make it a reset. */
void sim_tcp_close(struct sim_open *open)
{
    if (open->state == SIM_LISTENING) {
        sim_tcp_close_listener(open);
    } else if (open->state == SIM_ESTABLISHED && (open->in.size > 0 || open->reset_at_close)) {
        sim_tcp_reset_peer(open);
        sim_tcp_finish(open);
    } else if (open->state == SIM_ESTABLISHED) {
        open->receive_shut = open->send_shut = true;
        open->fin_wanted = true;
        sim_tcp_push(open);
        check_finished(open);
        return;
    }
    sim_tcp_finish(open);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

/* tcp_sendmsg_locked */
static int refuse_send(struct sim_open *open)
{
    int error = open->error;
    if (open->state == SIM_SYN_SENT && error == 0) {
        return -EAGAIN;
    }
    if (error != 0) {
        open->error = 0;
        return -error;
    }
    return open->state != SIM_ESTABLISHED || open->send_shut ? -EPIPE : 0;
}

ptrdiff_t sim_tcp_send(struct sim_open *open, const void *data, size_t size, bool urgent)
{
    size_t room = (size_t)open->options[PLX_OPTION_SEND_BUFFER_SIZE];
    ptrdiff_t result = refuse_send(open);
    if (result < 0) {
        return result;
    }
    room = room > open->out.size ? room - open->out.size : 0;
    if (room == 0 || sim_happens(SIM_AGAIN)) {
        return -EAGAIN;
    }
    size = size < room ? size : room;
    size = urgent ? size : sim_short(size);
    if (open->unacknowledged == open->written) {
        open->waits_since = sim.now;
        if (open->options[PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] != 0) {
            sim_schedule(sim.now +
                             (uint64_t)open->options[PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] * 1000000,
                         on_unheard, open);
        }
    }
    sim_bytes_add(&open->out, data, size);
    open->written += size;
    if (urgent) {
        open->has_out_mark = true;
        open->out_mark = open->written - 1;
    }
    sim_tcp_push(open);
    return (ptrdiff_t)size;
}

static bool is_at_mark(const struct sim_open *open)
{
    return open->has_mark && open->mark == open->received - open->in.size && open->in.size > 0;
}

size_t sim_tcp_readable(const struct sim_open *open)
{
    return open->in.size - (is_at_mark(open) && !open->urgent_inline ? 1 : 0);
}

/* tcp_recvmsg_locked without bytes */
static ptrdiff_t receive_nothing(struct sim_open *open)
{
    int error = open->error;
    if (open->fin_received) {
        return 0;
    }
    if (error != 0) {
        open->error = 0;
        return -error;
    }
    if (open->receive_shut) {
        return 0;
    }
    return open->state == SIM_CLOSED || open->state == SIM_LISTENING ? -ENOTCONN : -EAGAIN;
}

ptrdiff_t sim_tcp_receive(struct sim_open *open, void *data, size_t size)
{
    if (is_at_mark(open) && !open->urgent_inline) {
        sim_bytes_take(&open->in, NULL, 1);
        open->has_mark = false;
    }
    uint64_t number = open->received - open->in.size;
    if (open->in.size == 0 || open->state == SIM_LISTENING) {
        return receive_nothing(open);
    }
    if (open->has_mark && open->mark > number && open->mark - number < size) {
        size = (size_t)(open->mark - number);
    }
    size = sim_bytes_take(&open->in, data, sim_short(size < open->in.size ? size : open->in.size));
    open->has_mark = open->has_mark && open->mark >= number + size;
    /* tcp_cleanup_rbuf: the peer learns of room that is worth it. */
    size_t promised = (size_t)(open->promised - open->received);
    size_t limit = (size_t)open->options[PLX_OPTION_RECEIVE_BUFFER_SIZE] / 2;
    if (open->state == SIM_ESTABLISHED && sim_tcp_room_of(open) >= promised + limit / 4) {
        acknowledge(open);
    }
    return (ptrdiff_t)size;
}
