/* tests/test-ipc-queue.c -- Unix sockets that have to wait for one another: a listener that takes
 * one peer after another, and a listener whose queue is full. */
#include "config.h"

#include <errno.h>

#include "tests/clocks.h"
#include "tests/puppet.h"
#include "tests/sorts.h"

/* ---- one peer after another ------------------------------------------------------------------ */

static void act_listen_again(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert_int_eq(plx_socket_listen(socket), 0);
}

static void take_peers_in_turn(struct world *w, enum event event)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    char path[SIZE];

    path_of(w, event == EVENT_ERROR ? LONG : SHORT, path);
    record_on(&log, event, act_listen_again, NULL);
    log.always = true;
    ck_assert_int_eq(plx_socket_listen_on(socket, path), 0);
    for (int i = 0; i < 30; i++) {
        int raw = world_raw(w, raw_reach(path));

        raw_say(raw, "hello");
        UNTIL(w, plx_socket_bytes_available(socket) == 5);
        ck_assert_int_eq(raw_reach(path), -1); /* it takes one, and is full then */
        ck_assert(!exists(path));
        raw_close(w, raw);
        UNTIL(w, plx_socket_is_listening(socket));
        ck_assert_int_eq(log.count[EVENT_CONNECTED], i + 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], i + 1);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], event == EVENT_ERROR ? 0 : i + 1);
    }
    world_free(w, socket);
}

MODE_CASE(one_peer_after_another)
{
    char path[SIZE];

    take_peers_in_turn(w, EVENT_DISCONNECTED);
    take_peers_in_turn(w, EVENT_ERROR);
    path_of(w, FAR, path);
    expect_tidy(w);
}

/* ---- a full queue ---------------------------------------------------------------------------- */

/* Fills a listener's queue; returns how many wait in it. */
static int fill(const char *path, int *fillers)
{
    int count = 0;

    while (count < 10 && (fillers[count] = raw_reach(path)) >= 0)
        count++;
    ck_assert_int_lt(count, 10);
    ck_assert_int_gt(count, 0);
    return count;
}

static void close_all(const int *descriptors, int count)
{
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
}

static int take_peer(struct world *w, int listener)
{
    UNTIL(w, is_readable(listener));
    return accept_closing(listener, 0);
}

/* What was written at once arrives when the queue has drained at last. */
MODE_CASE(a_full_queue_that_drains)
{
    char path[SIZE];

    for (int i = 0; i < 2 * SORTS; i++) {
        struct record log;
        plx_socket *socket = ipc(w, &log);
        int fillers[10], count, listener, raw;

        path_of(w, (enum sort)(i / 2), path);
        listener = raw_listening(w, path, i % 2);
        count = fill(path, fillers);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
        SETTLED(w, &log, "state:CONNECTING");
        for (int k = 0; k < count; k++)
            close(take_peer(w, listener));
        raw = world_raw(w, take_peer(w, listener));
        raw_expect(w, raw, "hello");
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
        raw_close(w, raw);
        close_all(fillers, count);
        close(listener);
        unlink(path);
        world_free(w, socket);
    }
    expect_tidy(w);
}

/* A listener that goes away ends the waiting: without its file, and with it. */
IPC_SOCKET_CASE(a_full_queue_that_goes_away)
{
    char path[SIZE];

    for (int i = 0; i < 2 * SORTS; i++) {
        int fillers[10], count, listener;

        path_of(w, (enum sort)(i / 2), path);
        listener = raw_listening(w, path, 0);
        count = fill(path, fillers);
        record_clear(log);
        ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
        world_settle(w);
        if (i % 2 == 0)
            unlink(path);
        close(listener);
        UNTIL(w, log->count[EVENT_ERROR] == 1);
        ck_assert_int_eq(log->code, i % 2 == 0 ? ENOENT : ECONNREFUSED);
        ck_assert_int_eq(log->reason, PLX_REASON_CONNECTION_REFUSED);
        unlink(path);
        close_all(fillers, count);
    }
    expect_tidy(w);
}

static int readings; /* of the clock, at least one for each turn of a wait or a poll */

static uint64_t counting_clock(void *user)
{
    (void)user;
    readings++;
    return (uint64_t)clock_ns(CLOCK_MONOTONIC);
}

/* Waiting sleeps: no readiness reports that a queue drains, and a socket that is not connected
 * counts as writable (unix(7)), so that a program that watches it spins. */
MODE_CASE(a_full_queue_for_too_long)
{
    struct record log;
    plx_socket *socket;
    int fillers[10], count, listener, turns = 0;
    char path[SIZE];

    plx_clock_set(counting_clock, NULL);
    socket = ipc(w, &log);
    path_of(w, FAR, path);
    listener = raw_listening(w, path, 0);
    count = fill(path, fillers);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    readings = 0;
    if (w->group == NULL)
        ck_assert(!plx_socket_wait_for_connected(socket, -1));
    else
        for (; log.count[EVENT_ERROR] == 0 && turns < 1000; turns++)
            plx_group_poll(w->group, 10000);
    ck_assert_int_lt(turns, 60);
    ck_assert_int_lt(readings, 300);
    LOGGED(w, &log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log.code, ETIMEDOUT);
    ck_assert_int_eq(log.reason, PLX_REASON_SOCKET_TIMEOUT);
    unlink(path);
    close(listener);
    close_all(fillers, count);
    expect_tidy(w);
    plx_clock_set(NULL, NULL);
}

/* What a filter asks for is connected within the time of the first connection: also what passes
 * while the queue is full counts. */
MODE_CASE(a_full_queue_for_another_connection)
{
    struct record log;
    plx_socket *socket = ipc(w, &log);
    struct puppet *puppet = puppet_push(socket);
    int listener;
    char path[SIZE];

    time_stop();
    path_of(w, SHORT, path);
    listener = raw_listening(w, path, 0);
    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 4000), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), 0);
    UNTIL(w, puppet->establish_times == 0); /* the first connection still fills the queue */
    puppet->establish = EAGAIN;
    puppet->establish_times = -1;
    world_run(w, 3000);
    world_raw(w, take_peer(w, listener));
    UNTIL(w, (time_pass(10), puppet->count[STEP_BEGIN] == 2));
    world_run(w, 1200);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(log.code, ETIMEDOUT);
    close(listener);
    time_run();
}

WORLD_MAIN("ipc-queue")
