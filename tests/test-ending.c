/* tests/test-ending.c -- what ends a connection is heard of, and what arrived before it has no
 * holes: resets behind a half-open end, buffers that are full while closing, ends inside handlers.
 *
 * Each case runs for tcp and ipc as rows of kinds.h, and the first ones for packets as well. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/socket/object.h"
#include "tests/sockets.h"
#include "tests/world.h"

static void expect_silent_end(struct world *w, struct record *log, plx_socket *socket)
{
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log,
           "end_of_input[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] "
           "disconnected[UNCONNECTED]");
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

/* Nothing is written: only the watch can report the end. */
PAIR_CASE_WITH(a_reset_behind_the_end_of_input_is_reported, PLX_OPTION_HALF_OPEN, 1)
{
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    SETTLED(w, log, "end_of_input[CONNECTED]");
    raw_reset(w, raw);
    expect_silent_end(w, log, socket);
    /* EPIPE is what Linux makes of a reset in CLOSE_WAIT (tcp_reset in tcp_input.c). */
    ck_assert_int_eq(log->os_error, w->kind->resets ? EPIPE : 0);
}

/* A group sleeps meanwhile, and the hang-up wakes it. */
PAIR_CASE_WITH(an_idle_half_open_connection_costs_no_poll, PLX_OPTION_HALF_OPEN, 1)
{
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    world_settle(w);
    if (w->group != NULL) {
        ck_assert_int_eq(plx_group_deadline(w->group), -1);
        ck_assert(!plx_group_poll(w->group, 5));
    }
    ck_assert(!plx_socket_wait(socket, 5));
    /* Writing goes on. */
    ck_assert_int_eq(plx_socket_write(socket, "still", 5), 5);
    raw_expect(w, raw, "still");
    raw_reset(w, raw);
    ck_assert(plx_socket_wait_for_disconnected(socket, 3000));
}

/* Data, the end and the reset in one go: all is delivered, then the end. */
PAIR_CASE_WITH(bytes_before_the_reset_are_kept, PLX_OPTION_HALF_OPEN, 1)
{
    raw_say(raw, "last words");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    raw_reset(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 10);
}

SEQPACKET_SOCKET_CASE(packets_hear_of_the_end_too)
{
    int ends[2];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    world_raw(w, ends[1]);
    world_settle(w);
    record_clear(log);
    ck_assert_int_eq(shutdown(ends[1], SHUT_WR), 0);
    UNTIL(w, log->count[EVENT_END_OF_INPUT] == 1);
    world_settle(w);
    raw_close(w, ends[1]);
    expect_silent_end(w, log, socket);
}

/* ---- holes ----------------------------------------------------------------------------------- */

static char much[16 << 20];

/* Reads all there is now and returns how many bytes; they go on from *offset of the pattern. */
static size_t take_pattern(plx_socket *socket, uint64_t *offset)
{
    size_t size;
    const void *bytes = plx_socket_read_all(socket, &size);

    ck_assert_msg(pattern_matches(bytes, size, *offset), "a hole after %llu bytes",
                  (unsigned long long)*offset);
    *offset += size;
    return size;
}

static void say_pattern(int raw, size_t size, uint64_t *offset)
{
    char bytes[10000];

    pattern_fill(bytes, size, *offset);
    raw_send(raw, bytes, size);
    *offset += size;
}

/* While closing, the buffer is full and the program makes room: what was dropped in between stays
 * dropped to the end. For streams only: so much in one write is no packet. */
STREAM_PAIR_CASE_WITH(nothing_is_kept_behind_what_was_dropped, PLX_OPTION_READ_LIMIT, 1000)
{
    uint64_t said = 0, taken = 0;

    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0; i < 5; i++) {
        say_pattern(raw, 3000, &said);
        for (int k = 0; k < 4; k++)
            world_turn(w, 20);
        take_pattern(socket, &taken);
    }
    ck_assert_uint_ge(taken, 1000);
    plx_socket_close(socket);
}

/* The same while the program takes it in time: all of it is there.
 * For streams only: so much in one write is no packet. */
STREAM_PAIR_CASE_WITH(what_fits_while_closing_is_kept, PLX_OPTION_READ_LIMIT, 1000)
{
    uint64_t said = 0, taken = 0;

    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0; i < 5; i++) {
        say_pattern(raw, 900, &said);
        UNTIL(w, plx_socket_bytes_available(socket) == 900);
        take_pattern(socket, &taken);
    }
    ck_assert_uint_eq(taken, said);
    plx_socket_close(socket);
}

SEQPACKET_SOCKET_CASE(no_packet_is_kept_behind_one_that_was_dropped)
{
    int ends[2];
    char number[16];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[0]), 0);
    world_raw(w, ends[1]);
    world_settle(w);
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(plx_socket_write(socket, much, 100000), 100000);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    for (int i = 0, last = -1; i < 60; i++) {
        snprintf(number, sizeof number, "%15d", i);
        raw_send(ends[1], number, sizeof number);
        world_turn(w, 20);
        if (i % 20 != 19)
            continue;
        while (plx_socket_read(socket, number, sizeof number) == sizeof number)
            ck_assert_int_eq(atoi(number), ++last);
    }
    plx_socket_close(socket);
}

/* A peer that sends on while a full, closing socket is closed does not keep close. */
PAIR_CASE_WITH(close_returns_although_the_peer_sends_on, PLX_OPTION_READ_LIMIT, 10)
{
    uint64_t said = 0;

    ck_assert_int_eq(plx_socket_write(socket, much, sizeof much), sizeof much);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    raw_stuff(raw, &said);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

/* ---- states that handlers see ---------------------------------------------------------------- */

static void disconnects(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

static void waits_for_the_end(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_wait_for_disconnected(socket, 3000);
}

/* `connected` is seen in CONNECTED or not at all. */
CASE(connected_comes_in_no_other_state)
{
    struct record log;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    record_act *const acts[] = {disconnects, waits_for_the_end};

    for (int i = 0; i < 2; i++) {
        plx_socket *socket = world_socket(w, &log);

        record_on(&log, EVENT_STATE_CHANGED, acts[i], NULL);
        log.picky = true;
        log.at = PLX_CONNECTED;
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        world_readable(listener); /* no poll before the peer has gone */
        raw_close(w, raw_accept(w, listener));
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 0);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    }
}

/* ---- a goodbye ------------------------------------------------------------------------------- */

static const struct plx_kind *plain_kind;
static int goodbyes;

static int say_goodbye_late(plx_socket *socket)
{
    return ++goodbyes < 3 ? EAGAIN : plain_kind->transport->shutdown(socket);
}

/* A transport whose goodbye takes several steps, as a protocol above the descriptor may have. */
PAIR_CASE(a_goodbye_that_is_not_over_is_continued)
{
    struct plx_kind kind = *socket->kind;
    struct plx__transport transport = *kind.transport;

    plain_kind = socket->kind;
    goodbyes = 0;
    transport.shutdown = say_goodbye_late;
    kind.transport = &transport;
    socket->kind = &kind;
    ck_assert_int_eq(plx_socket_write(socket, "bye", 3), 3);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    socket->kind = plain_kind;
    ck_assert_int_eq(goodbyes, 3);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    raw_expect(w, raw, "bye");
    raw_expect_end(w, raw);
}

/* ---- a flush in a handler -------------------------------------------------------------------- */

struct pair_of_pairs {
    struct world *w;
    plx_socket *sockets[2];
    int raws[2];
    bool done;
};

static void writes_and_flushes(struct record *record, plx_socket *socket)
{
    struct pair_of_pairs *both = record->data;

    plx_socket_purge(socket);
    if (both->done)
        return;
    both->done = true;
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(plx_socket_write(both->sockets[i], "now", 3), 3);
    ck_assert_int_eq(plx_group_flush(both->w->group), 0);
    for (int i = 0; i < 2; i++)
        world_readable(both->raws[i]);
}

/* Whichever member's handler it is, and whether or not the other one was served in this frame. */
CASE(a_flush_in_a_handler_sends_what_the_frame_wrote)
{
    struct record logs[2];
    struct pair_of_pairs both = {.w = w};

    if (w->group == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        both.sockets[i] = world_socket(w, &logs[i]);
        both.raws[i] = world_pair(w, both.sockets[i], &logs[i]);
    }
    for (int who = 0; who < 2; who++) {
        both.done = false;
        for (int i = 0; i < 2; i++)
            record_on(&logs[i], i == who ? EVENT_DATA_AVAILABLE : EVENT_NEVER, writes_and_flushes,
                      &both);
        for (int i = 0; i < 2; i++)
            raw_say(both.raws[i], "x");
        UNTIL(w, both.done);
        for (int i = 0; i < 2; i++)
            raw_expect(w, both.raws[i], "now");
    }
}

/* ---- a group that its own handler frees ------------------------------------------------------ */

static void frees_the_group(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    (void)client;
    world_free_group(user);
}

CASE(a_servers_wait_survives_its_group)
{
    static const plx_server_events events = {.accepted = frees_the_group};
    char where[WHERE_SIZE];
    plx_server *server = world_server(w);

    plx_server_set_events(server, &events, w);
    world_serve(w, server, where);
    raw_connect(w, where);
    plx_server_wait(server, 3000);
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    plx_server_set_events(server, NULL, NULL);
}

static void act_wait_for_sent(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert(!plx_socket_wait_for_sent(socket, 20));
    plx_socket_purge(socket);
}

/* The socket disconnects when it is connected and has sent all; a wait in a handler sees the peer's
 * end before that. It is no loss. For streams only: 8 MiB in one write are no packet. */
STREAM_SOCKET_CASE(a_disconnect_that_waits_comes_before_the_peers_end)
{
    static char bytes[8 << 20], place[65536];
    int listener = raw_listen(w, 5, where), raw;
    size_t got = 0;
    ptrdiff_t size;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, bytes, sizeof bytes), (ptrdiff_t)sizeof bytes);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "late", 4), -1);
    world_readable(listener);
    raw = world_raw(w, accept_closing(listener, O_NONBLOCK));
    raw_say(raw, "hello");
    ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    record_clear(log);
    record_on(log, EVENT_DATA_AVAILABLE, act_wait_for_sent, NULL);
    for (int round = 0; plx_socket_state(socket) != PLX_UNCONNECTED; round++) {
        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, round);
        while (log->fired && (size = raw_take(raw, place, sizeof place)) > 0)
            got += (size_t)size;
    }
    world_settle(w);
    while ((size = raw_take(raw, place, sizeof place)) > 0)
        got += (size_t)size;
    ck_assert_uint_eq(got, sizeof bytes);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1); /* of the late write */
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
}

/* The first disconnect ends the connection of a datagram socket to its peer, the second closes what
 * is bound, and does not take the end of the first back. */
UDP_SOCKET_CASE(a_second_disconnect_takes_nothing_back)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1:9"), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

WORLD_MAIN("ending", .packets = true)
