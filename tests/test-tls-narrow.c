/* tests/test-tls-narrow.c -- TLS over a layer that moves few bytes at once, and sockets that end in
 * each step of the handshake. */
#include "config.h"

#include "tests/tls/rows.h"
#include "tests/world.h"

enum { SOME = 300, PIECE = 61, POLLS = 100000 };

static const char *const rows[] = {"tls12 tcp", "tls13 tcp", "tls12 ipc", "tls13 ipc"};

WORLD_MAIN("tls-narrow")

#define ROW_CASE(name) WORLD_CASE(name, begin_row(&world_, _i), 4, NULL)

static void begin_row(struct world *world, int row)
{
    world_begin_of(world, rows[row], MODE_POLL);
    ck_assert_ptr_nonnull(tls_settings(12, false));
}

/* A step moves a byte: polls without a pause. */
#define SOON(w, condition)                                                                         \
    do {                                                                                           \
        int polls_ = 0;                                                                            \
                                                                                                   \
        while (!(condition)) {                                                                     \
            world_poll(w);                                                                         \
            ck_assert_msg(polls_++ < POLLS, "%s: in vain: %s", world_name(w), #condition);         \
        }                                                                                          \
    } while (0)

static void meet(struct world *w, plx_socket *caller, plx_socket *listener)
{
    char where[WHERE_SIZE];

    world_listen(w, listener, where);
    ck_assert_int_eq(plx_socket_connect_to(caller, where), 0);
}

/* ---- a byte at a time ------------------------------------------------------------------------ */

ROW_CASE(a_byte_at_a_time)
{
    struct record logs[2];
    plx_socket *caller, *listener;

    tls_narrow(1);
    caller = world_socket(w, &logs[0]);
    listener = world_socket(w, &logs[1]);
    logs[0].swallow = logs[1].swallow = true;
    meet(w, caller, listener);
    SOON(w, plx_socket_is_encrypted(caller) && plx_socket_is_encrypted(listener));
    write_pattern(w, caller, SOME);
    write_pattern(w, listener, SOME);
    SOON(w, logs[0].swallowed == SOME && logs[1].swallowed == SOME);
    ck_assert_int_eq(plx_socket_disconnect(caller), 0);
    SOON(w, plx_socket_state(caller) == PLX_UNCONNECTED &&
                plx_socket_state(listener) == PLX_UNCONNECTED);
    world_settle(w);
    ck_assert_int_eq(logs[0].count[EVENT_ERROR], 0);
    ck_assert_int_eq(logs[1].count[EVENT_ERROR], 1);
    ck_assert_int_eq(logs[1].os_error, 0); /* with a goodbye */
}

/* ---- an end in each step --------------------------------------------------------------------- */

enum way { CLOSE, ABORT, FREE, DISCONNECT, WAYS };

static void leave(struct world *w, plx_socket *socket, enum way way)
{
    switch (way) {
    case CLOSE: plx_socket_close(socket); break;
    case ABORT: plx_socket_abort(socket); break;
    case FREE: world_free(w, socket); break;
    default: plx_socket_disconnect(socket);
    }
}

/* Lets one of two that connect end after a number of polls. Returns whether both were encrypted by
 * then. The other one ends, with one error or, if it has accepted nothing yet, not at all. */
static bool end_after(struct world *w, int polls, enum way way, bool is_caller)
{
    struct record log, other_log;
    plx_socket *one = world_socket(w, &log), *other = world_socket(w, &other_log);
    bool done;

    meet(w, is_caller ? one : other, is_caller ? other : one);
    for (int i = 0; i < polls; i++)
        world_poll(w);
    done = plx_socket_is_encrypted(one) && plx_socket_is_encrypted(other);
    leave(w, one, way);
    SOON(w, plx_socket_state(other) == PLX_UNCONNECTED || plx_socket_is_listening(other));
    if (way != FREE)
        SOON(w, plx_socket_state(one) == PLX_UNCONNECTED || plx_socket_is_listening(one));
    world_settle(w);
    ck_assert_int_le(other_log.count[EVENT_ERROR], 1);
    ck_assert_int_le(other_log.count[EVENT_CONNECTED], 1);
    ck_assert_int_le(other_log.count[EVENT_DISCONNECTED], other_log.count[EVENT_CONNECTED]);
    if (other_log.count[EVENT_ERROR] > 0)
        ck_assert_int_eq(other_log.code, PLX_LOST_CONNECTION);
    if (way != DISCONNECT)
        ck_assert_int_eq(log.count[EVENT_ERROR] + log.count[EVENT_DISCONNECTED], 0);
    if (way != FREE)
        world_free(w, one);
    world_free(w, other);
    w->sockets_used = 0;
    return done;
}

ROW_CASE(an_end_in_each_step)
{
    tls_narrow(PIECE);
    for (int way = 0; way < WAYS; way++)
        for (int is_caller = 0; is_caller < 2; is_caller++) {
            int polls = 0;

            while (!end_after(w, polls, (enum way)way, is_caller != 0))
                ck_assert_int_lt(polls++, 1000);
            ck_assert_int_gt(polls, 20);
        }
}
