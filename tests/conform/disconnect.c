/* tests/conform/disconnect.c -- an orderly end of a connection, also while it is connecting. */
#include "config.h"

#include "tests/conform/conform.h"
#include "tests/provoke.h"

SECTION("disconnect");

/* ---- disconnect ------------------------------------------------------------------------------ */

PAIR_CASE(disconnect_with_nothing_queued)
{
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    LOGGED(w, log, "");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log, "state:CLOSING state:UNCONNECTED disconnected[UNCONNECTED]");
    expect_error(socket, 0);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
}

PAIR_CASE(disconnect_drains_while_the_peer_keeps_sending)
{
    static const char junk[4096];
    uint64_t got = 0;

    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_DATA_AVAILABLE;
    write_pattern(w, socket, MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    /* The peer reads less than has arrived, so that the kernel holds bytes that a reset would
     * destroy. */
    for (int round = 0; raw_sip(raw, &got, 16 * KIB); round++) {
        ck_assert_int_lt(round, ROUNDS);
        for (int burst = 0; burst < 4; burst++)
            raw_try(raw, junk, sizeof junk);
        world_turn(w, round);
    }
    ck_assert_uint_eq(got, MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log,
            "state:CLOSING send_complete(false)[CLOSING] state:UNCONNECTED "
            "disconnected[UNCONNECTED]");
    expect_sent(w, log, MIB);
}

/* All bytes fit into the kernel's buffers, without a filter's. */
KERNEL_PAIR_CASE(disconnect_tells_the_peer_that_this_was_all)
{
    uint64_t got = 0;

    /* More than the receive buffer of a peer that does not read, and less than our send buffer. */
    write_pattern(w, socket, 100 * KIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    /* From here on our socket needs no poll: a peer may read to the end before it does anything. */
    while (raw_drain(raw, &got))
        world_readable(raw);
    ck_assert_uint_eq(got, 100 * KIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

PAIR_CASE(disconnect_hears_the_peer_to_its_end)
{
    ck_assert_int_eq(plx_socket_write(socket, "any last words?", 15), 15);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_say(raw, "yes");
    arrives(socket);
    world_poll(w);
    raw_expect(w, raw, "any last words?");
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    expect_read(socket, "yes");
}

PAIR_CASE(disconnect_keeps_what_came)
{
    raw_say(raw, "read me later");
    arrives(socket);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    expect_read(socket, "read me later");
}

PAIR_CASE(disconnect_then_write_is_refused)
{
    uint64_t got = 0;

    write_pattern(w, socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "late", 4), -1);
    expect_error(socket, PLX_INVALID_STATE);
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, 8 * MIB);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert_msg(strncmp(log->text, "error(106,", 10) == 0, "first came \"%.40s\"", log->text);
}

SOCKET_CASE(disconnect_gives_up_after_the_linger_time)
{
    char wanted[200];

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LINGER_TIMEOUT, 50), 0);
    world_pair(w, socket, log);
    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(w, socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    snprintf(wanted, sizeof wanted,
             "state:CLOSING state:UNCONNECTED error(102,%d)[UNCONNECTED] disconnected[UNCONNECTED]",
             (int)log->reason);
    LOGGED(w, log, wanted);
    ck_assert_int_eq(log->os_error, errno_of("ETIMEDOUT"));
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

PAIR_CASE(disconnect_and_the_peer_goes_too_early)
{
    char wanted[200];

    log->mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(w, socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    world_settle(w);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    snprintf(wanted, sizeof wanted,
             "state:CLOSING state:UNCONNECTED error(102,%d)[UNCONNECTED] disconnected[UNCONNECTED]",
             (int)log->reason);
    LOGGED(w, log, wanted);
}

/* ---- the peer ends while received bytes are dropped ------------------------------------------ */

/* Returns a closing socket that has filled its read limit, which the program has read since. The
 * kernel does not take all queued bytes, so the socket stays CLOSING. */
static plx_socket *dropping(struct world *w, struct record *log, int *ret_raw)
{
    static const char junk[3000];
    plx_socket *socket = world_socket(w, log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 1000), 0);
    *ret_raw = world_pair(w, socket, log);
    log->mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_DATA_AVAILABLE;
    write_pattern(w, socket, 8 * MIB);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_send_in(w, *ret_raw, 500, junk, sizeof junk);
    UNTIL(w, plx_socket_bytes_available(socket) > 0);
    world_settle(w);
    plx_socket_purge(socket);
    raw_say(*ret_raw, "behind the hole");
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    return socket;
}

CASE(disconnect_drops_bytes_and_the_peer_ends)
{
    struct record log;
    uint64_t got = 0;
    int raw;
    plx_socket *socket = dropping(w, &log, &raw);
    char byte;

    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 0);
    raw_end(raw);
    UNTIL(w, plx_socket_end_of_file(socket));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CLOSING);
    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), -1);
    ck_assert(!plx_socket_wait_for_data(socket, -1));
    UNTIL(w, !raw_drain(raw, &got));
    ck_assert_uint_eq(got, 8 * MIB);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &log,
           "state:CLOSING send_complete(false)[CLOSING] state:UNCONNECTED "
           "disconnected[UNCONNECTED]");
}

CASE(disconnect_drops_bytes_and_the_peer_resets)
{
    struct record log;
    int raw;
    plx_socket *socket = dropping(w, &log, &raw);

    raw_reset(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] > 0);
    LOGGED(w, &log, "state:CLOSING " LOST);
    ck_assert_int_eq(log.os_error, errno_of("ECONNRESET"));
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
}

/* ---- disconnect while still connecting ------------------------------------------------------- */

SOCKET_CASE(disconnect_while_connecting_with_bytes)
{
    int listener = raw_listen(w, 5, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "just this", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "just this");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    SETTLED(w, log,
            CONNECTS " state:CLOSING send_progress(9,0)[CLOSING] "
                     "send_complete(false)[CLOSING] state:UNCONNECTED disconnected[UNCONNECTED]");
}

SOCKET_CASE(disconnect_while_connecting_without_bytes)
{
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    SETTLED(w, log, "");
}

SOCKET_CASE(disconnect_while_connecting_and_it_fails)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "in vain", 7), 7);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, REFUSED);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

/* ---- a wait in a handler while a disconnect waits for the connection ------------------------- */

static void act_wait_for_the_end(struct record *record, plx_socket *socket)
{
    bool *ended = record->data;

    *ended = plx_socket_wait_for_disconnected(socket, 10000);
}

/* Connects, writes, disconnects, and waits in that handler for the end; the given allocation fails.
 * Returns whether one has failed. */
static bool wait_in_a_handler(struct world *w, enum provocation how, int allocation)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);
    bool ended = false, failed;

    provoke_arm(&log, how, act_wait_for_the_end, &ended);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "just this", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    fail_allocation(allocation);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    world_settle(w);
    failed = allocation_failed();
    fail_allocation(0);
    ck_assert(ended || !log.fired);
    if (!failed) {
        int raw = raw_accept(w, listener);

        ck_assert(log.fired);
        raw_expect(w, raw, "just this");
        raw_expect_end(w, raw);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
        raw_close(w, raw);
    }
    ck_assert_int_le(log.count[EVENT_DISCONNECTED], 1);
    world_free(w, socket);
    raw_close(w, listener);
    return failed;
}

PROMPT_CASE(disconnect_while_connecting_and_a_handler_waits_for_the_end)
{
    static const enum provocation places[] = {PROVOKE_STATE_CONNECTING, PROVOKE_STATE_CONNECTED,
                                              PROVOKE_CONNECTED};

    for (int i = 0; i < 3; i++)
        for (int allocation = 1; wait_in_a_handler(w, places[i], allocation); allocation++)
            ck_assert_int_lt(allocation, 100);
}

/* ---- the queue is empty before the turn of a disconnect that waits for the connection -------- */

static void flush(plx_socket *socket, void *user)
{
    (void)user;
    plx_socket_flush(socket);
}

static void connect_and_disconnect(struct world *w, const plx_events *events)
{
    plx_socket *socket = world_socket(w, NULL);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    plx_socket_set_events(socket, events, NULL);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "just this", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "just this");
    raw_expect_end(w, raw);
}

/* No event of sending follows that would keep the poll busy. */
CASE(disconnect_while_connecting_and_a_handler_flushes)
{
    static const plx_events events = {.connected = flush};

    connect_and_disconnect(w, &events);
}

static void wait_for_sent(plx_socket *socket, plx_state state, void *user)
{
    (void)user;
    if (state == PLX_CONNECTING)
        ck_assert(plx_socket_wait_for_sent(socket, 10000));
}

PROMPT_CASE(disconnect_while_connecting_and_a_handler_waits_for_sent)
{
    static const plx_events events = {.state_changed = wait_for_sent};

    connect_and_disconnect(w, &events);
}

/* ---- events that a disconnect withdraws ------------------------------------------------------ */

static void count_room(plx_socket *socket, void *user)
{
    (void)socket;
    ++*(int *)user;
}

/* Room for bytes that write refuses from now on is not reported. */
PAIR_CASE_WITH(disconnect_withdraws_room, PLX_OPTION_WRITE_LIMIT, 8)
{
    static const plx_events events = {.room_available = count_room};
    int rooms = 0;

    plx_socket_set_events(socket, &events, &rooms);
    ck_assert_int_ge(plx_socket_write(socket, "12345678", 8), 0);
    ck_assert_int_le(plx_socket_write(socket, "9", 1), 0);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw_expect(w, raw, "12345678");
    raw_expect_end(w, raw);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    ck_assert_int_eq(rooms, 0);
}

static void act_disconnect_now(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
}

/* end_of_input is an event of CONNECTED. */
HALF_OPEN_PAIR_CASE(disconnect_withdraws_end_of_input)
{
    record_on(log, EVENT_DATA_AVAILABLE, act_disconnect_now, NULL);
    raw_say(raw, "all I have");
    raw_end(raw);
    arrives(socket);
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_END_OF_INPUT], 0);
}
