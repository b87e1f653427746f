/* tests/test-filter-bad.c -- filters that break their contract: what the library makes of each
 * result that receive and send must not return, and of calls inside a step. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "tests/counting.h"
#include "tests/puppet.h"
#include "tests/world.h"

/* ---- what the cases share -------------------------------------------------------------------- */

/* A connected socket with a puppet, and its raw peer. */
static struct puppet *pair(struct world *w, plx_socket **ret_socket, struct record *log,
                           int *ret_raw)
{
    struct puppet *puppet;

    *ret_socket = world_socket(w, log);
    puppet = puppet_push(*ret_socket);
    ck_assert_ptr_nonnull(puppet);
    *ret_raw = world_pair(w, *ret_socket, log);
    return puppet;
}

/* ---- results of receive and send ------------------------------------------------------------- */

SECTION("results");

/* The largest result of a step, as a sentence has it. */
#if PTRDIFF_MAX > INT32_MAX
#define LARGEST "9223372036854775807"
#else
#define LARGEST "2147483647"
#endif

/* What a step returns, the code of the end, its sentence behind "filter puppet: receive". */
struct wrong {
    ptrdiff_t result;
    int code;
    const char *sentence;
};

static const struct wrong wrong_receives[] = {
    {PTRDIFF_MAX, 106, "filter puppet: receive returned " LARGEST},
    {-5000, 106, "filter puppet: receive returned -5000"},
    {PTRDIFF_MIN + 1, 106, "filter puppet: receive returned -" LARGEST},
    {-EPROTO, 102, "filter puppet: receive: protocol error (EPROTO)"},
    {-ENOMEM, 108, "filter puppet: receive: out of memory (ENOMEM)"},
    {0, 102, "the peer closed the connection"},
};

CASE(what_receive_must_not_return)
{
    for (size_t i = 0; i < sizeof wrong_receives / sizeof wrong_receives[0]; i++) {
        struct record log;
        plx_socket *socket;
        int raw;
        struct puppet *puppet = pair(w, &socket, &log, &raw);

        puppet->receive = wrong_receives[i].result;
        raw_say(raw, "x");
        puppet_expect_error(w, &log, wrong_receives[i].code, wrong_receives[i].sentence);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
    }
}

static const struct wrong wrong_sends[] = {
    {6, 106, "filter puppet: send returned 6"},
    {PTRDIFF_MAX, 106, "filter puppet: send returned " LARGEST},
    {0, 106, "filter puppet: send returned 0"},
    {-5000, 106, "filter puppet: send returned -5000"},
    {EAGAIN, 106, "filter puppet: send returned 11"},
    {-EPROTO, 102, "filter puppet: send: protocol error (EPROTO)"},
    {-ENOBUFS, 108, "filter puppet: send: out of memory (ENOMEM)"},
};

CASE(what_send_must_not_return)
{
    for (size_t i = 0; i < sizeof wrong_sends / sizeof wrong_sends[0]; i++) {
        struct record log;
        plx_socket *socket;
        int raw;
        struct puppet *puppet = pair(w, &socket, &log, &raw);

        puppet->send = wrong_sends[i].result;
        ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
        puppet_expect_error(w, &log, wrong_sends[i].code, wrong_sends[i].sentence);
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
        ck_assert_int_eq(puppet->count[STEP_SEND], 1);
        raw_expect_end(w, raw);
    }
}

/* A lower filter that breaks the contract is named, whatever the upper one makes of it. */
CASE(the_filter_named_is_the_one_that_failed)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *lower = puppet_push_kind(socket, &puppet_encrypting);
    struct puppet *upper = puppet_push(socket);

    world_pair(w, socket, &log);
    lower->send = 0;
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    puppet_expect_error(w, &log, 106, "filter secret: send returned 0");
    ck_assert_int_eq(upper->count[STEP_SEND], 1);
}

/* What the kernel reports is no failure of the filter that passes it on. */
CASE(an_errno_of_the_kernel_names_no_filter)
{
    struct record log;
    plx_socket *socket;
    int raw;

    pair(w, &socket, &log, &raw);
    if (w->kind->resets) {
        raw_reset(w, raw);
        puppet_expect_error(w, &log, 102,
                            "connection lost: connection reset by the peer (ECONNRESET)");
    }
}

/* Bytes that a receive or a send has moved do not hide the failure that follows them, even if the
 * step returns it once. */
CASE(a_failure_behind_some_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);
    char bytes[8];

    puppet->piece = 3;
    puppet->receive = -EPROTO;
    puppet->receive_after = puppet->receive_times = 1;
    raw_say(raw, "hello!");
    puppet_expect_error(w, &log, 102, "filter puppet: receive: protocol error (EPROTO)");
    ck_assert_int_eq(log.os_error, EPROTO);
    ck_assert_int_eq(plx_socket_read(socket, bytes, sizeof bytes), 3);
    ck_assert_mem_eq(bytes, "hel", 3);
}

CASE(an_end_behind_some_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    puppet->piece = 3;
    puppet->receive = 0;
    puppet->receive_after = puppet->receive_times = 1;
    raw_say(raw, "hello!");
    puppet_expect_error(w, &log, 102, "the peer closed the connection");
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
}

CASE(a_failure_behind_sent_bytes_is_returned_once)
{
    struct record log;
    plx_socket *socket;
    int raw;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    puppet->piece = 3;
    puppet->send = -EPROTO;
    puppet->send_after = puppet->send_times = 1;
    ck_assert_int_eq(plx_socket_write(socket, "hello!", 6), 6);
    puppet_expect_error(w, &log, 102, "filter puppet: send: protocol error (EPROTO)");
    raw_expect(w, raw, "hel");
}

static void say_more(struct puppet *puppet)
{
    static const char bytes[4096];

    raw_try(*(int *)puppet->data, bytes, sizeof bytes);
}

/* The peer goes on sending, so that "until nothing is left" would never end. */
CASE(a_send_fails_while_bytes_arrive_for_ever)
{
    struct record log;
    plx_socket *socket;
    int raw, polls = 0;
    struct puppet *puppet = pair(w, &socket, &log, &raw);

    log.mute = 1u << EVENT_DATA_AVAILABLE;
    puppet->send = -EPROTO;
    puppet->when = STEP_RECEIVE;
    puppet->act = say_more;
    puppet->data = &raw;
    ck_assert_int_eq(plx_socket_write(socket, "hello", 5), 5);
    for (; log.count[EVENT_ERROR] == 0 && polls < 200; polls++)
        world_poll(w);
    puppet_expect_error(w, &log, 102, "filter puppet: send: protocol error (EPROTO)");
    ck_assert_int_lt(polls, 200);
}

/* ---- calls inside a step --------------------------------------------------------------------- */

SECTION("inside", .timeout = 120);

static struct world *inside_world;
static struct puppet *inside_puppet;
static bool inside_freed;

static void in_poll(plx_socket *socket)
{
    ck_assert(!plx_socket_poll(socket));
}

static void in_group_poll(plx_socket *socket)
{
    (void)socket;
    if (inside_world->group != NULL)
        plx_group_poll(inside_world->group, 0);
}

static void in_wait(plx_socket *socket)
{
    ck_assert(!plx_socket_wait(socket, 1000));
    ck_assert(!plx_socket_wait_for_connected(socket, 1000));
    ck_assert(!plx_socket_wait_for_data(socket, 1000));
    ck_assert(!plx_socket_wait_for_sent(socket, 1000));
    ck_assert(!plx_socket_wait_for_disconnected(socket, 1000));
}

static void in_flush(plx_socket *socket)
{
    plx_socket_flush(socket);
}

static void in_disconnect(plx_socket *socket)
{
    plx_socket_disconnect(socket);
}

static void in_connect(plx_socket *socket)
{
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(socket, 0), PLX_INVALID_STATE);
}

static void in_free(plx_socket *socket)
{
    world_forget(inside_world, socket);
    plx_socket_free(socket);
    inside_freed = true;
}

static void in_read(plx_socket *socket)
{
    char bytes[8];

    plx_socket_read(socket, bytes, sizeof bytes);
    plx_socket_skip(socket, 1);
    plx_socket_read_all(socket, NULL);
    plx_socket_lookahead(socket, NULL);
    plx_socket_purge(socket);
}

/* `ask` runs in a poll, and never inside. */
static void in_ask(plx_socket *socket)
{
    (void)socket;
    plx_filter_ask(inside_puppet->filter);
    ck_assert_int_eq(inside_puppet->count[STEP_ASK], 0);
}

static void (*const inside[])(plx_socket *) = {
    in_poll,          in_group_poll,    in_wait, in_flush, in_disconnect, in_connect,
    plx_socket_close, plx_socket_abort, in_free, in_read,  in_ask};

enum { INSIDE = sizeof inside / sizeof inside[0] };

static void call_inside(struct puppet *puppet)
{
    puppet->act = NULL;
    inside_puppet = puppet;
    inside[puppet->result](puppet->socket);
}

/* Calls that forget the filters of the last connection; a free inside refuses them. */
static int connect_anew(struct world *w, plx_socket *socket)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);
    int code = plx_socket_connect_to(socket, where);

    raw_close(w, listener);
    return code;
}

static int listen_anew(struct world *w, plx_socket *socket)
{
    char where[WHERE_SIZE];

    world_place(w, where);
    return plx_socket_listen_on(socket, where);
}

static int adopt_anew(struct world *w, plx_socket *socket)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where);
    int descriptor = raw_give(w, raw_connect(w, where));
    int code = plx_socket_adopt(socket, descriptor);

    if (code != 0)
        close(descriptor);
    raw_close(w, listener);
    return code;
}

static int (*const anew[])(struct world *, plx_socket *) = {connect_anew, listen_anew, adopt_anew};

enum { ANEW = sizeof anew / sizeof anew[0] };

/* Removes the filter, or, if it was pushed in mid-stream, opens the socket anew. */
static void forget_inside(struct world *w, plx_socket *socket, struct puppet *puppet, int way)
{
    plx_socket_close(socket);
    if (way == 0)
        ck_assert_int_eq(plx_socket_remove_filter(socket, puppet->filter), 0);
    else
        ck_assert_int_eq(anew[way - 1](w, socket), inside_freed ? PLX_INVALID_STATE : 0);
}

/* Connects, receives, sends and ends, with one call inside one step. Way 0: the filter is a setting;
 * the other ones: it was pushed in mid-stream. */
static void play_inside(struct world *w, enum step step, int call, int way)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    struct puppet *puppet = way == 0 ? puppet_push(socket) : NULL;
    int raw = puppet_meet(w, socket);

    if (way > 0) {
        UNTIL(w, plx_socket_is_connected(socket));
        puppet = puppet_push(socket);
    }
    inside_freed = false;
    puppet->when = step;
    puppet->act = call_inside;
    puppet->result = call;
    raw_try(raw, "hello", 5);
    for (int i = 0; i < 20 && !inside_freed; i++) {
        if (i == 10 && plx_socket_is_connected(socket))
            plx_socket_write(socket, "world", 5);
        if (i == 15)
            plx_socket_disconnect(socket);
        world_poll(w);
    }
    if (inside[call] == in_ask && step < STEP_SHUTDOWN)
        ck_assert_int_eq(puppet->count[STEP_ASK], 1);
    if (step == STEP_FORGET)
        forget_inside(w, socket, puppet, way);
    ck_assert_msg(puppet->act == NULL, "%s: step %d was not called", world_name(w), (int)step);
    if (!inside_freed)
        world_free(w, socket);
    raw_close(w, raw);
    w->sockets_used = 0;
}

/* `ask` is a handler, see test-filter-handlers.c. */
static int ways_of(enum step step)
{
    return step == STEP_ASK ? 0 : step == STEP_FORGET ? 1 + ANEW : 2;
}

/* Of these calls only the last one is allowed there. None may crash or hang, or run another step
 * inside. */
CASE(calls_inside_a_step)
{
    inside_world = w;
    for (enum step step = STEP_BEGIN; step < STEPS; step++)
        for (int call = 0; call < INSIDE; call++)
            for (int way = 0; way < ways_of(step); way++)
                play_inside(w, step, call, way);
}

static void free_inside(struct puppet *puppet)
{
    puppet->act = NULL;
    world_forget(inside_world, puppet->socket);
    plx_socket_free(puppet->socket);
}

/* The poll of a quiet socket takes a short way, on which nobody may free the socket unseen. */
PAIR_CASE(a_socket_freed_inside_a_step_that_finds_nothing)
{
    struct puppet *puppet = puppet_push(socket);
    size_t blocks;

    UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
    world_settle(w);
    inside_world = w;
    puppet->when = STEP_RECEIVE;
    puppet->act = free_inside;
    puppet->receive = -EAGAIN;
    puppet->receive_times = -1;
    blocks = count_blocks();
    raw_say(raw, "hello");
    UNTIL(w, puppet->act == NULL);
    ck_assert_uint_lt(count_blocks(), blocks);
}

static void call_flush(plx_socket *socket)
{
    plx_socket_write(socket, "little", 6);
    plx_socket_flush(socket);
}

static void call_write(plx_socket *socket)
{
    static const char much[65536];

    plx_socket_write(socket, much, sizeof much);
}

static void call_close(plx_socket *socket)
{
    plx_socket_write(socket, "little", 6);
    plx_socket_close(socket);
}

static void call_free(plx_socket *socket)
{
    plx_socket_write(socket, "little", 6);
    plx_socket_free(socket);
}

/* Calls outside of polls run steps, too: the socket lives until the call returns, and no longer. */
CASE(a_socket_freed_inside_a_step_of_a_call)
{
    static void (*const calls[])(plx_socket *) = {call_flush, call_write, call_close, call_free};

    inside_world = w;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        size_t blocks = count_blocks();
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        struct puppet *puppet;

        world_pair(w, socket, &log);
        puppet = puppet_push(socket);
        UNTIL(w, puppet->count[STEP_ESTABLISH] > 0);
        world_settle(w);
        puppet->when = STEP_SEND;
        puppet->act = free_inside;
        calls[i](socket);
        ck_assert(puppet->act == NULL);
        world_settle(w);
        ck_assert_msg(count_blocks() <= blocks, "call %zu: %zu blocks, %zu before", i,
                      count_blocks(), blocks);
    }
}

static void wake_the_other(struct puppet *puppet)
{
    struct puppet *other = puppet->data;

    plx_filter_set_want(other->filter, PLX_WANT_READ, 0);
}

/* A step says what its own filter wants: the other one, if woken, would run for ever. */
PAIR_CASE(a_want_that_is_set_inside_a_step_of_another)
{
    struct puppet *below = puppet_push(socket), *above = puppet_push(socket);

    UNTIL(w, above->count[STEP_ESTABLISH] > 0);
    below->data = above;
    below->when = STEP_RECEIVE;
    below->act = wake_the_other;
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    world_settle(w);
    ck_assert(!world_poll(w));
    ck_assert_int_lt(below->count[STEP_RECEIVE], 10);
}

WORLD_MAIN("filter-bad")
