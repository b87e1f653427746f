/* tests/test-filter.c -- pushing and removing filters: where it is refused, which filters stay for
 * the next connection, and what happens when memory runs out. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "tests/filters.h"
#include "tests/puppet.h"
#include "tests/world.h"

static void expect_refused(plx_socket *socket, const plx_filter_kind *kind, int code)
{
    ck_assert_ptr_null(plx_socket_push_filter(socket, kind));
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_str_ne(plx_socket_error(socket)->message, "");
}

/* ---- pushing --------------------------------------------------------------------------------- */

SECTION("pushing");

CASE(tables_that_are_no_filters)
{
    plx_socket *socket = world_socket(w, &(struct record){.length = 0});
    static plx_filter_kind kind; /* lent until the world has freed the socket */

    kind = (plx_filter_kind){.size = sizeof kind, .name = "x", .state_size = SIZE_MAX};
    plx_socket_set_events(socket, NULL, NULL);
    ck_assert_ptr_null(plx_socket_push_filter(NULL, &puppet_filter));
    ck_assert_ptr_null(plx_socket_push_filter(NULL, NULL));
    expect_refused(socket, NULL, PLX_INVALID_STATE);
    expect_refused(socket, &kind, PLX_OUT_OF_MEMORY);
    kind.state_size = PTRDIFF_MAX;
    expect_refused(socket, &kind, PLX_OUT_OF_MEMORY);
    kind = (plx_filter_kind){.size = sizeof kind};
    expect_refused(socket, &kind, PLX_INVALID_STATE);
    kind = (plx_filter_kind){.size = 0, .name = "x"};
    expect_refused(socket, &kind, PLX_INVALID_STATE);
    kind.size = sizeof kind - 1;
    expect_refused(socket, &kind, PLX_INVALID_STATE);
    kind.size = sizeof kind;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &kind)); /* no step, no state */
    ck_assert_ptr_nonnull(plx_socket_filter(socket, &kind));
    puppet_meet(w, socket);
    UNTIL(w, plx_socket_is_connected(socket));
}

CASE(sockets_that_have_no_filters)
{
    plx_socket *listener = world_socket(w, NULL);
    char where[WHERE_SIZE];

    expect_refused(world_socket_of(w, plx_udp_new, NULL), &puppet_filter, PLX_INVALID_STATE);
    expect_refused(world_socket_of(w, plx_seqpacket_new, NULL), &puppet_filter, PLX_INVALID_STATE);
    world_listen(w, listener, where);
    expect_refused(listener, &puppet_filter, PLX_INVALID_STATE);
}

STREAM_PAIR_CASE(a_socket_that_closes_has_no_new_filters)
{
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    expect_refused(socket, &puppet_filter, PLX_INVALID_STATE);
}

static void free_and_push(struct record *record, plx_socket *socket)
{
    world_forget(record->data, socket);
    plx_socket_free(socket);
    ck_assert_ptr_null(plx_socket_push_filter(socket, &puppet_filter));
    ck_assert_int_eq(plx_socket_remove_filter(socket, NULL), PLX_INVALID_STATE);
}

STREAM_PAIR_CASE(a_freed_socket_has_no_new_filters)
{
    record_on(log, EVENT_DATA_AVAILABLE, free_and_push, w);
    raw_say(raw, "x");
    UNTIL(w, log->fired);
}

STREAM_PAIR_CASE(bytes_that_were_not_encrypted)
{
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    expect_refused(socket, &puppet_encrypting, PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(puppet_push(socket));
    plx_socket_purge(socket);
    ck_assert_ptr_nonnull(puppet_push_kind(socket, &puppet_encrypting));
    UNTIL(w, plx_socket_is_encrypted(socket));
}

CASE(the_first_filter_of_a_kind)
{
    plx_socket *socket = world_socket(w, NULL);

    ck_assert_ptr_null(plx_socket_filter(socket, &puppet_filter));
    ck_assert_ptr_null(plx_socket_filter(NULL, &puppet_filter));
    puppet_push_kind(socket, &puppet_encrypting);
    ck_assert_ptr_null(plx_socket_filter(socket, &puppet_filter));
    plx_filter *first = puppet_push(socket)->filter;
    puppet_push(socket);
    ck_assert_ptr_eq(plx_socket_filter(socket, &puppet_filter), first);
    ck_assert_ptr_null(plx_socket_filter(socket, NULL));
    ck_assert(!plx_socket_is_encrypted(socket));
    ck_assert(!plx_socket_is_encrypted(NULL));
}

CASE(a_hundred_filters)
{
    static char sent[20000], got[20000];
    plx_socket *socket = world_socket(w, NULL);
    size_t size = 0;
    int raw;

    for (int i = 0; i < 100; i++)
        ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &bits_filter));
    for (int i = 0; i < 50; i++)
        ck_assert_ptr_nonnull(puppet_push(socket));
    pattern_fill(sent, sizeof sent, 0);
    raw = puppet_meet(w, socket);
    ck_assert_int_eq(plx_socket_write(socket, sent, sizeof sent), sizeof sent);
    while (size < sizeof sent) {
        ptrdiff_t count = raw_take(raw, got + size, sizeof got - size);

        size += count > 0 ? (size_t)count : 0;
        world_turn(w, 0);
    }
    ck_assert_mem_eq(got, sent, sizeof sent);
    raw_send(raw, sent, sizeof sent);
    UNTIL(w, plx_socket_bytes_available(socket) == sizeof sent);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), sizeof got);
    ck_assert_mem_eq(got, sent, sizeof sent);
}

/* ---- removing -------------------------------------------------------------------------------- */

SECTION("removing");

CASE(a_filter_is_removed_from_an_unconnected_socket_only)
{
    plx_socket *socket = world_socket(w, NULL), *other = world_socket(w, NULL);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_socket_remove_filter(NULL, puppet->filter), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_remove_filter(socket, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_remove_filter(other, puppet->filter), PLX_INVALID_STATE);
    world_listen(w, socket, where);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), PLX_INVALID_STATE);
    plx_socket_close(socket);
    puppet->establish = EAGAIN;
    puppet_meet(w, socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), PLX_INVALID_STATE);
    puppet->establish = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), PLX_INVALID_STATE);
    puppet->shutdown = EAGAIN;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), PLX_INVALID_STATE);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), 0);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 1);
    ck_assert_ptr_null(plx_socket_filter(socket, &puppet_filter));
    raw_say(puppet_meet(w, socket), "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

static plx_filter *other_filter;

/* In a step both calls are refused, in `forget` too. */
static void push_and_remove(struct puppet *puppet)
{
    puppet->result += plx_socket_push_filter(puppet->socket, &puppet_filter) == NULL;
    puppet->result +=
        plx_socket_remove_filter(puppet->socket, puppet->filter) == PLX_INVALID_STATE;
    puppet->result += plx_socket_remove_filter(puppet->socket, other_filter) == PLX_INVALID_STATE;
    puppet->act = NULL;
}

CASE(a_step_neither_pushes_nor_removes)
{
    for (enum step step = STEP_BEGIN; step < STEPS; step++) {
        struct record log;
        plx_socket *socket;
        struct puppet *below, *puppet;
        int raw;

        if (step == STEP_ASK)
            continue; /* it is a handler */
        socket = world_socket(w, &log);
        below = puppet_push(socket);
        puppet = puppet_push(socket);
        other_filter = below->filter;
        puppet->when = step;
        puppet->act = push_and_remove;
        raw = puppet_meet(w, socket);
        raw_say(raw, "x");
        UNTIL(w, plx_socket_bytes_available(socket) == 1);
        ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
        raw_expect(w, raw, "x");
        plx_socket_close(socket);
        if (step == STEP_FORGET)
            ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), 0);
        ck_assert_msg(puppet->result == 3, "%s, step %d: %d", world_name(w), (int)step,
                      puppet->result);
        ck_assert_int_eq(below->count[STEP_FORGET], 0);
        world_free(w, socket);
    }
}

/* A connection frees the filters of the last one: `forget` of one must not free the next. */
STREAM_PAIR_CASE(forgetting_a_filter_does_not_remove_another)
{
    struct puppet *below = puppet_push(socket), *puppet = puppet_push(socket);

    UNTIL(w, below->count[STEP_ESTABLISH] > 0 && puppet->count[STEP_ESTABLISH] > 0);
    other_filter = below->filter;
    puppet->when = STEP_FORGET;
    puppet->act = push_and_remove;
    plx_socket_close(socket);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 0);
    puppet_meet(w, socket);
    ck_assert_int_eq(puppet->result, 3);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 1);
    ck_assert_int_eq(below->count[STEP_FORGET], 1);
}

/* ---- settings and filters of one connection -------------------------------------------------- */

SECTION("settings");

CASE(a_setting_begins_anew_with_each_connection)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *setting = puppet_push(socket), *late;
    char where[WHERE_SIZE];
    int raw = puppet_meet(w, socket);

    UNTIL(w, plx_socket_is_connected(socket));
    late = puppet_push(socket);
    UNTIL(w, late->count[STEP_ESTABLISH] == 1);
    plx_socket_close(socket);
    ck_assert_ptr_nonnull(late->filter); /* still to be asked what it knows */
    ck_assert_ptr_nonnull(setting->filter);
    raw_close(w, raw);
    puppet_meet(w, socket);
    ck_assert_ptr_null(late->filter);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(setting->count[STEP_BEGIN], 2);
    ck_assert_int_eq(setting->count[STEP_ESTABLISH], 2);
    late = puppet_push(socket);
    plx_socket_close(socket);
    world_listen(w, socket, where);
    ck_assert_ptr_null(late->filter);
    raw_connect(w, where);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_int_eq(setting->count[STEP_BEGIN], 3);
    late = puppet_push(socket);
    world_free(w, socket);
    ck_assert_ptr_null(late->filter);
    ck_assert_ptr_null(setting->filter);
}

static void ask_what_it_knows(struct record *record, plx_socket *socket)
{
    struct puppet *puppet = record->data;

    ck_assert_ptr_nonnull(puppet->filter);
    ck_assert_ptr_eq(plx_socket_filter(socket, &puppet_filter), puppet->filter);
    ck_assert_ptr_eq(plx_filter_socket(puppet->filter), socket);
    ck_assert(!plx_socket_is_encrypted(socket));
    puppet->result = 1;
}

STREAM_PAIR_CASE(a_filter_of_one_connection_is_there_in_error)
{
    struct puppet *puppet = puppet_push(socket);

    UNTIL(w, puppet->count[STEP_ESTABLISH] == 1);
    record_on(log, EVENT_ERROR, ask_what_it_knows, puppet);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(puppet->result, 1);
    ck_assert_int_eq(puppet->count[STEP_FORGET], 0);
}

CASE(auto_connect_begins_the_settings_anew)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *setting = puppet_push(socket), *late;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    late = puppet_push(socket);
    UNTIL(w, late->count[STEP_ESTABLISH] == 1);
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_ptr_nonnull(late->filter);
    UNTIL(w, (time_pass(1000), is_readable(listener)));
    raw_accept(w, listener);
    UNTIL(w, plx_socket_is_connected(socket));
    ck_assert_ptr_null(late->filter);
    ck_assert_int_eq(setting->count[STEP_BEGIN], 2);
    time_run();
}

/* What a filter says would be the same with another connection. */
CASE(auto_connect_does_not_repeat_what_a_filter_cancels)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push(socket);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    puppet->establish = EPROTO;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_ge(plx_socket_reconnects_in(socket), 0);
    puppet->establish = ECANCELED;
    UNTIL(w, (time_pass(1000), log.count[EVENT_ERROR] == 2));
    ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
    time_pass(100000);
    world_settle(w);
    ck_assert_int_eq(log.count[EVENT_ERROR], 2);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    puppet->establish = 0;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(socket));
    time_run();
    (void)listener;
}

CASE(encrypted_comes_behind_connected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = puppet_push_kind(socket, &puppet_encrypting);

    puppet->establish = EAGAIN;
    puppet_meet(w, socket);
    world_settle(w);
    ck_assert(!plx_socket_is_encrypted(socket));
    puppet->establish = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_is_encrypted(socket));
    plx_socket_purge(socket);
    ck_assert_ptr_nonnull(puppet_push_kind(socket, &puppet_encrypting));
    UNTIL(w, log.count[EVENT_ENCRYPTED] == 2);
    LOGGED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED] encrypted[CONNECTED] "
                    "encrypted[CONNECTED]");
    plx_socket_close(socket);
    ck_assert(!plx_socket_is_encrypted(socket));
}

/* ---- memory ---------------------------------------------------------------------------------- */

SECTION("memory");

/* Both ways through two filters, one of them pushed in mid-stream. Returns whether all was done. */
static bool live(struct world *w, plx_socket *socket, plx_socket *peer)
{
    char place[WHERE_SIZE], where[WHERE_SIZE], bytes[8];

    world_place(w, place);
    if (puppet_push(socket) == NULL || puppet_push(peer) == NULL ||
        plx_socket_listen_on(peer, place) != 0)
        return false;
    w->kind->reach(place, plx_socket_port(peer), where);
    if (plx_socket_connect_to(socket, where) != 0)
        return false;
    for (int i = 0; i < 60 && !plx_socket_is_connected(socket); i++)
        world_turn(w, i);
    for (int i = 0; i < 60 && !plx_socket_is_connected(peer); i++)
        world_turn(w, i);
    if (!plx_socket_is_connected(socket) || !plx_socket_is_connected(peer))
        return false;
    if (puppet_push_kind(socket, &puppet_encrypting) == NULL ||
        plx_socket_write(socket, "hello", 5) != 5 || plx_socket_write(peer, "world", 5) != 5)
        return false;
    for (int i = 0; i < 60 && (plx_socket_bytes_available(socket) < 5 ||
                               plx_socket_bytes_available(peer) < 5);
         i++)
        world_turn(w, i);
    return plx_socket_read(socket, bytes, 8) == 5 && plx_socket_read(peer, bytes, 8) == 5;
}

/* Every end has a reason, and what has no end is done. */
CASE(each_allocation_fails_once)
{
    bool failed = true;

    for (int number = 1; failed; number++) {
        struct record log, peer_log;
        plx_socket *socket = world_socket(w, &log), *peer = world_socket(w, &peer_log);
        bool done;

        ck_assert_int_lt(number, 100);
        fail_allocation(number);
        done = live(w, socket, peer);
        failed = allocation_failed();
        fail_allocation(0);
        world_settle(w);
        ck_assert_msg(done || strstr(log.text, "error(108") != NULL ||
                          strstr(peer_log.text, "error(108") != NULL,
                      "%s: allocation %d: \"%s\" %s \"%s\"", world_name(w), number, log.text,
                      log.message, peer_log.text);
        world_free(w, socket);
        world_free(w, peer);
        w->sockets_used = 0;
    }
}

/* A filter that asks for connections: each of them allocates. */
CASE(each_allocation_of_another_connection_fails_once)
{
    bool failed = true;

    for (int number = 1; failed; number++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        struct puppet *puppet = puppet_push(socket);
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 20, where);

        puppet->establish = ERESTART;
        puppet->establish_times = 2;
        ck_assert_int_lt(number, 60);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        fail_allocation(number);
        UNTIL(w, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
        failed = allocation_failed();
        fail_allocation(0);
        ck_assert_int_eq(log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR], 1);
        ck_assert(log.count[EVENT_CONNECTED] == 1 || log.code == PLX_OUT_OF_MEMORY);
        world_free(w, socket);
        raw_close(w, listener);
        w->sockets_used = 0;
    }
}

WORLD_MAIN("filter")
