/* tests/test-serving.c -- the short way of serving does what the long one does.
 *
 * A socket polled alone for which only its peer can have something to do is served by a way of its
 * own (lib/socket/serve.c, serve_quiet). Here two sockets get the same traffic: `quick` may go that
 * way, `whole` has a time-out far away and so never does. What their handlers see, what the polls
 * return, the states and the statistics are compared after each poll. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/socket/object.h"
#include "tests/world.h"

enum { SEEDS = 60, STEPS = 80, TRACE = 16384, MOST = 3000 };

/* What a handler did with what it was called for, in a form that can be compared. */
struct side {
    plx_socket *socket;
    int raw;
    plx_address peer; /* UDP: where the raw peer is */
    uint32_t random;  /* of its handlers */
    char trace[TRACE];
    size_t length;
};

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

PLX__PRINTF(2, 3) static void note(struct side *side, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int added = vsnprintf(side->trace + side->length, TRACE - side->length, format, arguments);
    va_end(arguments);
    ck_assert_int_gt(added, 0);
    side->length += (size_t)added;
    ck_assert_uint_lt(side->length, TRACE);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void read_some(struct side *side, bool all)
{
    static uint8_t bytes[1 << 16];
    plx_datagram datagram;
    size_t there = plx_socket_bytes_available(side->socket);
    if (side->peer.family != 0) {
        bool read = plx_udp_read(side->socket, &datagram);
        note(side, "read %d %zu\n", read, read ? datagram.size : 0);
        return;
    }
    ptrdiff_t count = plx_socket_read(side->socket, bytes,
                                      all ? sizeof bytes : next(&side->random) % (there + 1));
    note(side, "read %td %u\n", count, count > 0 ? bytes[count - 1] : 0u);
}

static void we_write(struct side *side, uint32_t random)
{
    static char bytes[MOST];
    size_t size = 1 + random % MOST;
    if (side->peer.family != 0) {
        note(side, "write %d\n", plx_udp_write(side->socket, &side->peer, bytes, size));
    } else {
        note(side, "write %td\n", (ptrdiff_t)plx_socket_write(side->socket, bytes, size));
    }
}

static void data_available(plx_socket *socket, void *user)
{
    struct side *side = user;
    note(side, "data %zu\n", plx_socket_bytes_available(socket));
    uint32_t random = next(&side->random);
    if (random % 2 == 0) {
        read_some(side, false);
    }
    if (random % 3 == 0) {
        we_write(side, random);
    }
}

static bool send_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    (void)socket;
    note(user, "progress %zu %zu\n", sent, left);
    return false;
}

static void send_complete(plx_socket *socket, bool aborted, void *user)
{
    (void)socket;
    note(user, "complete %d\n", aborted);
}

static void failed(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    note(user, "error %d %s\n", error->code, error->message);
}

static void end_of_input(plx_socket *socket, void *user)
{
    (void)socket;
    note(user, "end of input\n");
}

static void disconnected(plx_socket *socket, void *user)
{
    note(user, "disconnected %zu\n", plx_socket_bytes_available(socket));
}

static void state_changed(plx_socket *socket, plx_state state, void *user)
{
    (void)socket;
    note(user, "state %d\n", (int)state);
}

static void line_available(plx_socket *socket, void *user)
{
    (void)socket;
    note(user, "line\n");
}

static void room_available(plx_socket *socket, void *user)
{
    (void)socket;
    note(user, "room\n");
}

static const plx_events events = {.data_available = data_available,
                                  .send_progress = send_progress,
                                  .send_complete = send_complete,
                                  .error = failed,
                                  .end_of_input = end_of_input,
                                  .disconnected = disconnected,
                                  .state_changed = state_changed,
                                  .line_available = line_available,
                                  .room_available = room_available};

/* ---- two sockets with a raw peer each -------------------------------------------------------- */

static void open_pair(struct side *side, int type)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(side->socket, ends[0]), 0);
    side->raw = ends[1];
}

static void open_udp(struct side *side)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    side->raw = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(side->raw, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(getsockname(side->raw, (struct sockaddr *)&name, &size), 0);
    side->peer = (plx_address){.family = 4, .bytes = {127, 0, 0, 1}, .port = ntohs(name.sin_port)};
    ck_assert_int_eq(plx_socket_connect(side->socket), 0);
    name.sin_port = htons((uint16_t)plx_socket_port(side->socket));
    ck_assert_int_eq(connect(side->raw, (struct sockaddr *)&name, sizeof name), 0);
}

static void open_side(struct side *side, plx_constructor *create, uint32_t seed)
{
    *side = (struct side){.socket = create(), .random = seed};
    plx_socket_set_events(side->socket, &events, side);
    if (create == plx_udp_new) {
        open_udp(side);
    } else {
        open_pair(side, create == plx_ipc_new ? SOCK_STREAM : SOCK_SEQPACKET);
    }
}

/* ---- what happens to both -------------------------------------------------------------------- */

static void peer_sends(struct side *side, uint32_t random)
{
    static char bytes[MOST];
    size_t size = 1 + random % MOST;
    if (side->raw < 0) {
        return;
    }
    memset(bytes, 'a' + (int)(random % 26), size);
    bytes[size / 2] = '\n';
    ptrdiff_t sent = send(side->raw, bytes, size, MSG_NOSIGNAL);
    note(side, "peer sends %td\n", sent);
    if (sent > 0 && side->socket->watch.descriptor >= 0) {
        /* UDP: it has arrived when the kernel says that it can be read. */
        struct pollfd ready = {.fd = side->socket->watch.descriptor, .events = POLLIN};
        ck_assert_int_eq(poll(&ready, 1, 10000), 1);
    }
}

static void peer_drains(struct side *side)
{
    static char bytes[1 << 16];
    size_t size = 0;
    ptrdiff_t count;
    while (side->raw >= 0 && (count = recv(side->raw, bytes, sizeof bytes, 0)) > 0) {
        size += (size_t)count;
    }
    note(side, "peer has %zu\n", size);
}

static void peer_ends(struct side *side, bool half)
{
    if (side->raw >= 0 && half) {
        (void)shutdown(side->raw, SHUT_WR);
    } else if (side->raw >= 0) {
        (void)close(side->raw);
        side->raw = -1;
    }
}

static void step(struct side *side, uint32_t what, uint32_t random)
{
    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: peer_sends(side, random); break;
    case 5: we_write(side, random); break;
    case 6: read_some(side, true); break;
    case 7: peer_drains(side); break;
    case 8:
        (void)plx_socket_set_option(side->socket, PLX_OPTION_READ_LIMIT, (int)(random % 8000));
        break;
    case 9:
        if (random % 8 == 0) {
            peer_ends(side, random % 16 == 0);
        }
        break;
    default: break; /* nothing but a poll */
    }
}

static void compare(struct side *quick, struct side *whole)
{
    plx_statistics a, b;
    ck_assert_str_eq(quick->trace, whole->trace);
    ck_assert_int_eq((int)plx_socket_state(quick->socket), (int)plx_socket_state(whole->socket));
    ck_assert(plx_socket_statistics(quick->socket, &a) && plx_socket_statistics(whole->socket, &b));
    ck_assert_uint_eq(a.bytes_received, b.bytes_received);
    ck_assert_uint_eq(a.bytes_sent, b.bytes_sent);
    ck_assert_uint_eq(a.messages_received, b.messages_received);
    ck_assert_uint_eq(a.messages_sent, b.messages_sent);
    ck_assert_int_eq(quick->socket->watch.interest, whole->socket->watch.interest);
    ck_assert_uint_eq(quick->socket->pending, whole->socket->pending);
    ck_assert_int_eq(quick->socket->next_event, whole->socket->next_event);
    ck_assert_int_eq(plx_socket_last_error(quick->socket), plx_socket_last_error(whole->socket));
}

static bool is_open(const struct side *side)
{
    plx_state state = plx_socket_state(side->socket);
    return state == PLX_CONNECTED || state == PLX_BOUND;
}

static void poll_both(struct side *quick, struct side *whole)
{
    /* What keeps a socket from the short way is known to stand in the way of one alone. */
    ck_assert(!is_open(quick) || quick->socket->task.deadline.at == 0);
    if (whole->peer.family != 0) {
        plx__task_set_deadline(&whole->socket->task,
                               UINT64_MAX); /* the time-out is for connections */
    }
    ck_assert(!is_open(whole) || whole->socket->task.deadline.at != 0);
    note(quick, "poll %d\n", plx_socket_poll(quick->socket));
    note(whole, "poll %d\n", plx_socket_poll(whole->socket));
    compare(quick, whole);
    quick->length = whole->length = 0;
}

static void play(plx_constructor *create, uint32_t seed)
{
    static struct side quick, whole;
    uint32_t random = seed;
    open_side(&quick, create, seed);
    open_side(&whole, create, seed);
    ck_assert_int_eq(plx_socket_set_option(whole.socket, PLX_OPTION_IDLE_TIMEOUT, 3600000), 0);
    for (int i = 0; i < STEPS; i++) {
        for (uint32_t steps = next(&random) % 3; steps > 0; steps--) {
            uint32_t what = next(&random) % 10, size = next(&random);
            step(&quick, what, size);
            step(&whole, what, size);
        }
        poll_both(&quick, &whole);
    }
    peer_ends(&quick, false);
    peer_ends(&whole, false);
    for (int i = 0; i < 4; i++) {
        poll_both(&quick, &whole);
    }
    plx_socket_free(quick.socket);
    plx_socket_free(whole.socket);
}

static void play_all(plx_constructor *create)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        play(create, seed);
    }
}

#define LONE_CASE(name) WORLD_CASE(name, world_begin_plain(&world_, MODE_LONE), 1, NULL)

LONE_CASE(a_quiet_stream_is_served_like_any)
{
    (void)w;
    play_all(plx_ipc_new);
}

LONE_CASE(quiet_packets_are_served_like_any)
{
    (void)w;
    play_all(plx_seqpacket_new);
}

LONE_CASE(quiet_datagrams_are_served_like_any)
{
    (void)w;
    play_all(plx_udp_new);
}

WORLD_MAIN("serving")
