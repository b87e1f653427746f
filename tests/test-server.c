/* tests/test-server.c -- a listener and its clients: who owns them, how many there may be, and what
 * happens when descriptors run out. For every stream kind and every way of polling. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "lib/group/server.h"
#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/world.h"

#define GREETED "state:CONNECTED connected[CONNECTED]"
#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"
#define DATA "data_available[CONNECTED]"

enum { HALL = 128 };

/* What a server reported, and its clients in the order they came, each with a record. */
struct hall {
    struct world *world;
    int accepted, errors;
    int code, os_error;
    plx_socket *clients[HALL];
    struct record logs[HALL];
};

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct hall *hall = user;

    ck_assert_ptr_eq(plx_server_user(server), user);
    ck_assert_int_lt(hall->accepted, HALL);
    hall->clients[hall->accepted] = client;
    record_begin(&hall->logs[hall->accepted], client);
    hall->accepted++;
}

static void on_error(plx_server *server, const plx_error *error, void *user)
{
    struct hall *hall = user;

    ck_assert_int_eq(plx_server_error(server)->code, error->code);
    ck_assert(error->message[0] != '\0');
    hall->errors++;
    hall->code = error->code;
    hall->os_error = error->os_error;
}

static const plx_server_events hall_events = {.accepted = on_accepted, .error = on_error};

/* A server that listens, with a hall for its clients; you free the hall. */
static plx_server *open_hall(struct world *w, struct hall **ret_hall, char *ret_where)
{
    plx_server *server = world_server(w);

    *ret_hall = calloc(1, sizeof **ret_hall);
    (*ret_hall)->world = w;
    plx_server_set_events(server, &hall_events, *ret_hall);
    world_serve(w, server, ret_where);
    return server;
}

/* HALL_CASE is a CASE with such a `server`, its `hall`, and `where` it listens. */
#define HALL_CASE(name)                                                                            \
    static void name##_opened(struct world *w, plx_server *server, struct hall *hall,              \
                              const char *where);                                                  \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct hall *hall;                                                                         \
        char where[WHERE_SIZE];                                                                    \
        plx_server *server = open_hall(w, &hall, where);                                           \
                                                                                                   \
        name##_opened(w, server, hall, where);                                                     \
        free(hall);                                                                                \
    }                                                                                              \
    static void name##_opened(                                                                     \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_server *server CK_ATTRIBUTE_UNUSED,               \
        struct hall *hall CK_ATTRIBUTE_UNUSED, const char *where CK_ATTRIBUTE_UNUSED)

static void expect_echo(struct world *w, plx_socket *client, int raw)
{
    char got[8] = "";

    raw_say(raw, "ping");
    UNTIL(w, plx_socket_bytes_available(client) == 4);
    ck_assert_int_eq(plx_socket_read(client, got, sizeof got), 4);
    ck_assert_str_eq(got, "ping");
    ck_assert_int_eq(plx_socket_write(client, "pong", 4), 4);
    raw_expect(w, raw, "pong");
}

/* Sleeps for about so long the way this world sleeps. Returns what that costs the processor. */
static long long cost_of_sleep(struct world *w, plx_server *server, int milliseconds)
{
    long long before = thread_us(), start = now_ms();

    do {
        if (w->group != NULL)
            plx_group_poll(w->group, milliseconds);
        else
            plx_server_wait(server, milliseconds);
    } while (now_ms() - start < milliseconds);
    return thread_us() - before;
}

/* Fails if half of the time was no sleep. */
static void expect_sleep(struct world *w, plx_server *server, int milliseconds)
{
    EXPECT_BELOW(milliseconds * 500, cost_of_sleep(w, server, milliseconds));
}

/* ---- accepting ------------------------------------------------------------------------------- */

HALL_CASE(accepts_many)
{
    int raws[40];

    for (int i = 0; i < 40; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, hall->accepted == 40);
    ck_assert_uint_eq(plx_server_active_count(server), 40);
    for (int i = 0; i < 40; i++) {
        expect_echo(w, hall->clients[i], raws[i]);
        ck_assert_int_eq(fcntl(plx_socket_handle(hall->clients[i]), F_GETFD), FD_CLOEXEC);
    }
    ck_assert_int_eq(hall->errors, 0);
    if (w->group != NULL)
        ck_assert_uint_eq(plx_group_count(w->group), 40);
}

/* A container or an old sandbox refuses accept4(2) with one of these: accept(2) is left. */
#ifdef SYS_accept4
static void expect_accepted_without(struct world *w, plx_server *server, struct hall *hall,
                                    const char *where, int error)
{
    int raw = raw_connect(w, where), handle;

    if (!kernel_denies(SYS_accept4, -1, error))
        return;
    UNTIL(w, hall->accepted == 1);
    expect_echo(w, hall->clients[0], raw);
    handle = plx_socket_handle(hall->clients[0]);
    ck_assert(closes_on_exec(handle));
    ck_assert(never_waits(handle));
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    ck_assert_int_eq(hall->errors, 0);
}

HALL_CASE(a_kernel_without_accept4)
{
    expect_accepted_without(w, server, hall, where, ENOSYS);
}

HALL_CASE(a_sandbox_that_forbids_accept4)
{
    expect_accepted_without(w, server, hall, where, EPERM);
}
#endif

CASE(accepted_before_connected)
{
    struct hall *hall;
    char where[WHERE_SIZE];
    int raw;

    open_hall(w, &hall, where);
    raw = raw_connect(w, where);
    raw_say(raw, "early");
    raw_close(w, raw);
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    /* The record was given to the client in `accepted`, so all its events came after that. */
    LOGGED(w, &hall->logs[0], GREETED " " DATA " " LOST);
    free(hall);
}

CASE(handlers_that_clients_start_with)
{
    plx_server *server = world_server(w);
    struct record log = {.when = EVENT_NEVER};
    char where[WHERE_SIZE];
    plx_socket *client;

    plx_server_set_client_events(server, &record_events, &log);
    world_serve(w, server, where);
    raw_say(raw_connect(w, where), "hello");
    UNTIL(w, log.count[EVENT_DATA_AVAILABLE] > 0);
    LOGGED(w, &log, GREETED " " DATA);
    client = plx_server_next_active(server, NULL);
    ck_assert_ptr_eq(plx_socket_user(client), &log);
}

static plx_socket *on_add_socket(plx_server *server, void *user)
{
    struct hall *hall = user;
    plx_socket *socket = hall->world->kind->create();

    (void)server;
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 4321), 0);
    hall->clients[hall->accepted++] = socket;
    return socket;
}

static void on_accepted_added(plx_server *server, plx_socket *client, void *user)
{
    struct hall *hall = user;

    (void)server;
    ck_assert_ptr_eq(client, hall->clients[hall->accepted - 1]);
}

HALL_CASE(add_socket_returns_its_own)
{
    static const plx_server_events events = {.add_socket = on_add_socket,
                                             .accepted = on_accepted_added};
    struct record log = {.when = EVENT_NEVER};
    int raw;

    plx_server_set_events(server, &events, hall);
    plx_server_set_client_events(server, &record_events, &log);
    raw = raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    ck_assert_ptr_eq(plx_server_next_active(server, NULL), hall->clients[0]);
    ck_assert_int_eq(plx_socket_option(hall->clients[0], PLX_OPTION_READ_LIMIT), 4321);
    expect_echo(w, hall->clients[0], raw);
    ck_assert_int_eq(log.count[EVENT_CONNECTED],
                     1); /* the server's client events count for it, too */
}

static plx_socket *on_add_socket_never(plx_server *server, void *user)
{
    (void)server;
    ++*(int *)user;
    return NULL;
}

CASE(add_socket_turns_a_peer_away)
{
    static const plx_server_events events = {.add_socket = on_add_socket_never};
    plx_server *server = world_server(w);
    char where[WHERE_SIZE], byte;
    int asked = 0, raw;

    plx_server_set_events(server, &events, &asked);
    world_serve(w, server, where);
    for (int i = 1; i <= 3; i++) {
        raw = raw_connect(w, where);
        UNTIL(w, raw_take(raw, &byte, 1) != -1);
        ck_assert_int_eq(asked, i);
    }
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert(plx_server_is_listening(server));
}

static plx_socket *on_add_socket_lent(plx_server *server, void *user)
{
    (void)server;
    return ((struct hall *)user)->clients[0];
}

/* A socket that is in use, or of another kind, stays as it is, and its owner's. */
CASE(add_socket_returns_what_it_must_not)
{
    static const plx_server_events events = {.add_socket = on_add_socket_lent, .error = on_error};
    plx_socket *used = world_socket(w, NULL), *other = world_socket_of(w, plx_udp_new, NULL);
    struct hall *hall = calloc(1, sizeof *hall);
    plx_server *server = world_server(w);
    char where[WHERE_SIZE], place[WHERE_SIZE], byte;

    plx_server_set_events(server, &events, hall);
    world_serve(w, server, where);
    world_place(w, place);
    ck_assert_int_eq(plx_socket_listen_on(used, place), 0);
    for (int i = 0; i < 2; i++) {
        int raw;

        hall->clients[0] = i == 0 ? used : other;
        raw = raw_connect(w, where);
        UNTIL(w, raw_take(raw, &byte, 1) != -1);
        UNTIL(w, hall->errors == i + 1);
        ck_assert_int_eq(hall->code, PLX_INVALID_STATE);
    }
    ck_assert(plx_socket_is_listening(used));
    ck_assert_int_eq(plx_socket_state(other), PLX_UNCONNECTED);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    free(hall);
}

CASE(options_for_later_clients)
{
    plx_server *server = world_server(w);
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, 1234), 0);
    world_serve(w, server, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    ck_assert_int_eq(plx_socket_option(plx_server_next_active(server, NULL), PLX_OPTION_READ_LIMIT),
                     1234);
    ck_assert_int_eq(plx_server_set_option(server, (plx_option)9999, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, -1), PLX_INVALID_STATE);
}

/* ---- listening ------------------------------------------------------------------------------- */

HALL_CASE(listen_stop_and_listen_again)
{
    char again[WHERE_SIZE];
    int raw = raw_connect(w, where);

    ck_assert(plx_server_is_listening(server));
    UNTIL(w, hall->accepted == 1);
    plx_server_stop_listening(server);
    ck_assert(!plx_server_is_listening(server));
    ck_assert_int_eq(plx_server_port(server), 0);
    ck_assert(raw_is_refused(w, where));
    expect_echo(w, hall->clients[0], raw); /* clients live on */
    world_serve(w, server, again);
    raw_connect(w, again);
    UNTIL(w, hall->accepted == 2);
    ck_assert_uint_eq(plx_server_active_count(server), 2);
    ck_assert_int_eq(hall->errors, 0);
}

HALL_CASE(listen_while_listening)
{
    char place[WHERE_SIZE];

    world_place(w, place);
    ck_assert_int_eq(plx_server_listen_on(server, place), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_server_error(server)->code, PLX_INVALID_STATE);
    ck_assert_int_eq(hall->errors, 0); /* only a poll calls back */
    world_settle(w);
    ck_assert_int_eq(hall->errors, 1);
    ck_assert_int_eq(hall->code, PLX_INVALID_STATE);
    raw_connect(w, where);
    UNTIL(w, hall->accepted == 1);
}

CASE(listen_where_somebody_listens)
{
    struct hall *hall;
    char where[WHERE_SIZE];
    plx_server *second = world_server(w);

    open_hall(w, &hall, where);
    ck_assert_int_eq(plx_server_listen_on(second, where), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_server_error(second)->reason, PLX_REASON_ADDRESS_IN_USE);
    ck_assert(!plx_server_is_listening(second));
    raw_connect(w, where);
    UNTIL(w, hall->accepted == 1);
    ck_assert_uint_eq(plx_server_active_count(second), 0);
    free(hall);
}

HALL_CASE(stop_sends_the_waiting_away)
{
    char byte;
    int raw = raw_connect(w, where);

    plx_server_stop_listening(server);
    UNTIL(w, raw_take(raw, &byte, 1) != -1);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, 0);
}

CASE(calls_on_an_idle_server)
{
    plx_server *server = world_server(w);

    ck_assert(!plx_server_is_listening(server));
    plx_server_stop_listening(server);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert_ptr_null(plx_server_next_active(server, NULL));
    ck_assert(!plx_server_poll(server));
    ck_assert(!plx_server_wait(server, 0));
    ck_assert_int_eq(plx_server_error(server)->code, 0);
    ck_assert_str_eq(plx_server_error(server)->message, "");
    ck_assert_ptr_null(plx_server_user(server));
}

HALL_CASE(wait_for_a_client)
{
    if (w->group != NULL)
        return; /* a member of a group waits with its group */
    world_settle(w);
    ck_assert(!plx_server_wait(server, 0));
    ck_assert(!plx_server_wait(server, 20));
    raw_connect(w, where);
    ck_assert(plx_server_wait(server, 30000));
    ck_assert_int_eq(hall->accepted, 1);
    expect_sleep(w, server, 100);
}

/* ---- the maximum ----------------------------------------------------------------------------- */

HALL_CASE(maximum_lets_others_wait)
{
    int raws[6];

    plx_server_set_maximum_sockets_connected(server, 2);
    for (int i = 0; i < 6; i++) {
        raws[i] = raw_connect(w, where); /* the kernel takes them all */
        raw_say(raws[i], "hello");
    }
    UNTIL(w, hall->accepted == 2);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, 2);
    ck_assert_uint_eq(plx_server_active_count(server), 2);
    expect_sleep(w, server, 100); /* those who wait are no reason to spin */
    /* One goes, one comes; nobody was sent away, and what they said is there. */
    for (int i = 0; i < 4; i++) {
        raw_close(w, raws[i]);
        UNTIL(w, hall->accepted == 3 + i);
        ck_assert_uint_le(plx_server_active_count(server), 2);
        UNTIL(w, hall->logs[2 + i].count[EVENT_DATA_AVAILABLE] > 0);
    }
    /* Freed and taken clients make room as well. */
    for (int i = 0; i < 3; i++)
        raw_connect(w, where);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, 6);
    plx_socket_free(hall->clients[4]);
    UNTIL(w, hall->accepted == 7);
    world_keep(w, plx_server_take(server, hall->clients[5]));
    UNTIL(w, hall->accepted == 8);
    plx_socket_close(hall->clients[6]);
    UNTIL(w, hall->accepted == 9);
    ck_assert_uint_eq(plx_server_active_count(server), 2);
}

HALL_CASE(maximum_raised_and_lowered)
{
    int raws[5];

    plx_server_set_maximum_sockets_connected(server, 1);
    for (int i = 0; i < 5; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, hall->accepted == 1);
    plx_server_set_maximum_sockets_connected(server, 3);
    UNTIL(w, hall->accepted == 3);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, 3);
    plx_server_set_maximum_sockets_connected(server, 1); /* nobody is thrown out */
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(server), 3);
    raw_close(w, raws[0]);
    raw_close(w, raws[1]);
    world_settle(w);
    ck_assert_int_eq(hall->accepted, 3);
    plx_server_set_maximum_sockets_connected(server, 0); /* no limit */
    UNTIL(w, hall->accepted == 5);
    plx_server_set_maximum_sockets_connected(server, -7);
    raw_connect(w, where);
    UNTIL(w, hall->accepted == 6);
}

/* ---- ownership ------------------------------------------------------------------------------- */

HALL_CASE(freed_at_the_end_of_the_poll_in_which_it_ended)
{
    int raw = raw_connect(w, where), before;

    UNTIL(w, hall->accepted == 1);
    UNTIL(w, hall->logs[0].count[EVENT_CONNECTED] > 0);
    before = count_descriptors();
    raw_close(w, raw);
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert_ptr_null(plx_server_next_active(server, NULL));
    ck_assert_int_eq(count_descriptors(), before - 2); /* the raw one, and the client's */
    if (w->group != NULL)
        ck_assert_uint_eq(plx_group_count(w->group), 0);
}

HALL_CASE(freed_after_close_and_abort)
{
    size_t blocks;

    raw_connect(w, where);
    raw_connect(w, where);
    UNTIL(w, hall->accepted == 2);
    world_settle(w);
    plx_socket_close(hall->clients[0]);
    plx_socket_abort(hall->clients[1]);
    /* Not before the end of a poll: until then the program may look at them. */
    ck_assert_int_eq(plx_socket_state(hall->clients[0]), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_state(hall->clients[1]), PLX_UNCONNECTED);
    blocks = count_blocks();
    world_poll(w);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert_uint_lt(count_blocks(), blocks);
}

static void act_close(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED); /* still valid in here */
}

HALL_CASE(freed_after_close_in_a_handler)
{
    int raw = raw_connect(w, where);

    UNTIL(w, hall->accepted == 1);
    record_on(&hall->logs[0], EVENT_DATA_AVAILABLE, act_close, NULL);
    raw_say(raw, "close");
    UNTIL(w, hall->logs[0].fired);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    raw_expect_end(w, raw);
}

HALL_CASE(drained_before_it_is_freed)
{
    int raw = raw_connect(w, where);
    size_t size = 4u * 1024 * 1024, a_packet = 16384;
    unsigned char *bytes = malloc(size), *got = malloc(65536);
    uint64_t total = 0;
    ptrdiff_t piece;

    UNTIL(w, hall->accepted == 1);
    pattern_fill(bytes, size, 0);
    for (size_t done = 0; done < size; done += a_packet) /* each may be a packet */
        ck_assert_int_eq(plx_socket_write(hall->clients[0], bytes + done, a_packet),
                         (ptrdiff_t)a_packet);
    ck_assert_int_eq(plx_socket_disconnect(hall->clients[0]), 0);
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(server), 1); /* CLOSING: it has not ended yet */
    while ((piece = raw_take(raw, got, 65536)) != 0) {
        if (piece > 0)
            ck_assert(pattern_matches(got, (size_t)piece, total));
        total += piece > 0 ? (uint64_t)piece : 0;
        world_poll(w);
    }
    ck_assert_uint_eq(total, size);
    UNTIL(w, plx_server_active_count(server) == 0);
    free(bytes);
    free(got);
}

static void act_connect(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, record->data), 0);
}

HALL_CASE(kept_when_it_connects_again)
{
    char other[WHERE_SIZE];
    int listener = raw_listen(w, 5, other), raw = raw_connect(w, where);

    UNTIL(w, hall->accepted == 1);
    record_on(&hall->logs[0], EVENT_ERROR, act_connect, other);
    raw_close(w, raw);
    UNTIL(w, hall->logs[0].count[EVENT_CONNECTED] == 2);
    ck_assert_uint_eq(plx_server_active_count(server), 1);
    raw = raw_accept(w, listener);
    expect_echo(w, hall->clients[0], raw);
    raw_close(w, raw);
    hall->logs[0].when = EVENT_NEVER;
    UNTIL(w, plx_server_active_count(server) == 0);
}

HALL_CASE(free_of_a_client_outside_of_handlers)
{
    plx_socket *client, *next;
    int raws[5];

    for (int i = 0; i < 5; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, hall->accepted == 5);
    plx_socket_free(hall->clients[2]);
    ck_assert_uint_eq(plx_server_active_count(server), 4);
    raw_expect_end(w, raws[2]);
    for (client = plx_server_next_active(server, NULL); client != NULL; client = next) {
        next = plx_server_next_active(server, client);
        plx_socket_free(client);
    }
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    if (w->group != NULL)
        ck_assert_uint_eq(plx_group_count(w->group), 0);
}

static void act_take_one_and_close(struct record *record, plx_socket *socket)
{
    char byte;

    ck_assert_int_eq(plx_socket_read(socket, &byte, 1), 1);
    plx_socket_close(record->data);
}

/* A client that leaves during the pass gives no other one a second turn. */
HALL_CASE(a_poll_of_the_server_serves_each_client_once)
{
    int raws[3];

    for (int i = 0; i < 3; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, hall->accepted == 3);
    if (w->group == NULL)
        return; /* the poll of the server's own group */
    record_on(&hall->logs[0], EVENT_DATA_AVAILABLE, act_take_one_and_close, hall->clients[1]);
    raw_say(raws[0], "a");
    raw_say(raws[0], "b");
    world_readable(plx_socket_handle(hall->clients[0]));
    plx_server_poll(server);
    ck_assert_int_eq(hall->logs[0].count[EVENT_DATA_AVAILABLE], 1);
    ck_assert_uint_eq(plx_server_active_count(server), 2);
}

HALL_CASE(next_active_visits_each_once)
{
    plx_socket *stranger = world_socket(w, NULL), *seen[10];
    size_t count = 0;

    for (int i = 0; i < 10; i++)
        raw_connect(w, where);
    UNTIL(w, hall->accepted == 10);
    for (plx_socket *client = plx_server_next_active(server, NULL); client != NULL;
         client = plx_server_next_active(server, client)) {
        ck_assert_uint_lt(count, 10);
        for (size_t i = 0; i < count; i++)
            ck_assert_ptr_ne(seen[i], client);
        seen[count++] = client;
    }
    ck_assert_uint_eq(count, 10);
    ck_assert_ptr_null(plx_server_take(server, stranger));
}

HALL_CASE(take_makes_it_the_callers)
{
    int raw = raw_connect(w, where);
    plx_socket *client;

    UNTIL(w, hall->accepted == 1);
    client = plx_server_take(server, hall->clients[0]);
    ck_assert_ptr_eq(client, hall->clients[0]);
    world_keep(w, client);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    ck_assert_ptr_null(plx_server_take(server, client)); /* no longer one of the server's */
    world_free_server(w, server);
    expect_echo(w, client, raw); /* its group keeps it; its handlers stay */
    raw_close(w, raw);
    UNTIL(w, hall->logs[0].count[EVENT_DISCONNECTED] > 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(client), PLX_UNCONNECTED); /* and is not freed */
}

static void on_accepted_take(plx_server *server, plx_socket *client, void *user)
{
    struct hall *hall = user;

    on_accepted(server, client, user);
    ck_assert_ptr_eq(plx_server_take(server, client), client);
    world_keep(hall->world, client);
}

HALL_CASE(take_inside_accepted)
{
    static const plx_server_events events = {.accepted = on_accepted_take};
    int raw;

    plx_server_set_events(server, &events, hall);
    raw = raw_connect(w, where);
    UNTIL(w, hall->accepted == 1);
    ck_assert_uint_eq(plx_server_active_count(server), 0);
    expect_echo(w, hall->clients[0], raw);
    LOGGED(w, &hall->logs[0],
           GREETED " " DATA " send_progress(4,0)[CONNECTED] "
                   "send_complete(false)[CONNECTED]");
}

HALL_CASE(free_of_the_server_closes_its_clients)
{
    int raws[3];

    for (int i = 0; i < 3; i++)
        raws[i] = raw_connect(w, where);
    UNTIL(w, hall->accepted == 3);
    world_settle(w);
    ck_assert_int_eq(plx_socket_write(hall->clients[0], "farewell", 8), 8);
    for (int i = 0; i < 3; i++)
        record_clear(&hall->logs[i]);
    world_free_server(w, server);
    raw_expect(w, raws[0], "farewell"); /* what the kernel took at once */
    for (int i = 0; i < 3; i++) {
        raw_expect_end(w, raws[i]);
        LOGGED(w, &hall->logs[i], ""); /* silent */
    }
    ck_assert(raw_is_refused(w, where));
}

HALL_CASE(moves_between_groups_with_its_clients)
{
    plx_group *first = w->group, *other = plx_group_new();
    int raw = raw_connect(w, where), late;

    UNTIL(w, hall->accepted == 1);
    expect_echo(w, hall->clients[0], raw);
    ck_assert_int_eq(plx_group_add_server(other, server), 0);
    ck_assert_uint_eq(plx_group_count(other), 1);
    if (first != NULL)
        ck_assert_uint_eq(plx_group_count(first), 0);
    w->group = other;
    expect_echo(w, hall->clients[0], raw);
    late = raw_connect(w, where);
    UNTIL(w, hall->accepted == 2);
    expect_echo(w, hall->clients[1], late);
    ck_assert_uint_eq(plx_group_count(other), 2);
    plx_group_remove_server(other, server);
    ck_assert_uint_eq(plx_group_count(other), 0);
    w->group = NULL;
    expect_echo(w, hall->clients[0], raw); /* served by plx_server_poll now */
    plx_group_free(other);
    expect_echo(w, hall->clients[1], late);
    w->group = first;
    if (first != NULL)
        ck_assert_int_eq(plx_group_add_server(first, server), 0);
    expect_echo(w, hall->clients[1], late);
}

struct move {
    plx_server *server;
    plx_group *from, *to; /* `from` NULL: it is in its own group */
    plx_socket *other;    /* another client */
};

/* What the frame would free at its end belongs to another group then. */
static void act_close_and_move(struct record *record, plx_socket *socket)
{
    const struct move *move = record->data;

    (void)socket;
    plx_socket_close(move->other);
    ck_assert(!plx__list_is_empty(&move->server->ended));
    plx_group_remove_server(move->from, move->server);
    ck_assert_int_eq(plx_group_add_server(move->to, move->server), 0);
}

HALL_CASE(moves_in_the_frame_in_which_a_client_ends)
{
    plx_group *first = w->group, *other = plx_group_new();
    struct move move = {server, first, other, NULL};
    int raw = raw_connect(w, where);

    raw_connect(w, where);
    UNTIL(w, hall->accepted == 2);
    world_settle(w);
    move.other = hall->clients[1];
    record_on(&hall->logs[0], EVENT_DATA_AVAILABLE, act_close_and_move, &move);
    raw_say(raw, "x");
    UNTIL(w, hall->logs[0].fired);
    w->group = other;
    world_settle(w);
    ck_assert(plx__list_is_empty(&server->ended)); /* it is freed */
    w->group = first;
    if (first != NULL)
        ck_assert_int_eq(plx_group_add_server(first, server), 0);
    plx_group_free(other);
}

HALL_CASE(a_group_keeps_the_client_of_a_server_that_is_no_member)
{
    plx_group *first = w->group, *other = plx_group_new();
    int raw = raw_connect(w, where);

    UNTIL(w, hall->accepted == 1);
    ck_assert_int_eq(plx_group_add(other, hall->clients[0]), 0);
    plx_group_remove_server(other, server);
    ck_assert_uint_eq(plx_group_count(other), 1);
    w->group = other;
    expect_echo(w, hall->clients[0], raw);
    w->group = first;
    plx_group_free(other);
    if (first != NULL)
        ck_assert_int_eq(plx_group_add_server(first, server), 0);
}

HALL_CASE(free_of_the_group_leaves_the_server_working)
{
    int raw = raw_connect(w, where), late;

    UNTIL(w, hall->accepted == 1);
    if (w->group != NULL)
        world_free_group(w);
    expect_echo(w, hall->clients[0], raw);
    late = raw_connect(w, where);
    UNTIL(w, hall->accepted == 2);
    expect_echo(w, hall->clients[1], late);
    ck_assert_uint_eq(plx_server_active_count(server), 2);
}

static void act_poll(struct record *record, plx_socket *socket)
{
    (void)socket;
    ck_assert(!plx_server_poll(record->data));
}

HALL_CASE(poll_inside_a_handler_does_nothing)
{
    int raw = raw_connect(w, where);

    UNTIL(w, hall->accepted == 1);
    record_on(&hall->logs[0], EVENT_DATA_AVAILABLE, act_poll, server);
    raw_say(raw, "x");
    raw_connect(w, where);
    UNTIL(w, hall->logs[0].fired && hall->accepted == 2);
}

/* ---- out of descriptors ---------------------------------------------------------------------- */

static void allow_descriptors(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Says that a test was left out. */
static bool limits_are_real(void)
{
    if (under_valgrind())
        fprintf(stderr, "SKIP: under valgrind: tests that run out of descriptors\n");
    return !under_valgrind();
}

HALL_CASE(out_of_descriptors)
{
    struct rlimit before;
    int raws[20], highest, accepted;

    if (!limits_are_real())
        return;
    world_settle(w);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 20; i++) {
        raws[i] = raw_connect(w, where);
        raw_say(raws[i], "ping");
    }
    highest = raws[19];
    allow_descriptors((rlim_t)highest + 4); /* three more, and whatever gaps there are */
    for (int i = 0; i < 50; i++)
        world_turn(w, i);
    accepted = hall->accepted;
    ck_assert_int_lt(accepted, 20);
    ck_assert_int_gt(hall->errors, 0);
    ck_assert_int_eq(hall->code, PLX_OPEN_DRIVER);
    ck_assert_int_eq(hall->os_error, EMFILE);
    ck_assert(plx_server_is_listening(server)); /* it survives */
    expect_sleep(w, server, 300);               /* it does not spin */
    ck_assert_int_le(hall->errors, 10);         /* and does not shout */
    ck_assert_int_eq(hall->accepted, accepted);
    for (int i = 0; i < accepted; i++) { /* those inside are served */
        UNTIL(w, plx_socket_bytes_available(hall->clients[i]) == 4);
        ck_assert_int_eq(plx_socket_write(hall->clients[i], "pong", 4), 4);
        raw_expect(w, raws[i], "pong");
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    UNTIL(w, hall->accepted == 20); /* it recovers by itself, and nobody was dropped */
    for (int i = accepted; i < 20; i++) {
        UNTIL(w, plx_socket_bytes_available(hall->clients[i]) == 4);
        ck_assert_int_eq(plx_socket_write(hall->clients[i], "pong", 4), 4);
        raw_expect(w, raws[i], "pong");
    }
}

HALL_CASE(out_of_descriptors_until_one_goes)
{
    struct rlimit before;
    int raws[6], accepted;

    if (!limits_are_real())
        return;
    world_settle(w);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 6; i++)
        raws[i] = raw_connect(w, where);
    allow_descriptors((rlim_t)raws[5] + 3);
    for (int i = 0; i < 50; i++)
        world_turn(w, i);
    accepted = hall->accepted;
    ck_assert_int_lt(accepted, 6);
    ck_assert_int_gt(accepted, 0);
    plx_socket_free(hall->clients[0]); /* makes room */
    UNTIL(w, hall->accepted > accepted);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    UNTIL(w, hall->accepted == 6);
    ck_assert_uint_eq(plx_server_active_count(server), 5);
}

/* ---- budget ---------------------------------------------------------------------------------- */

CASE(two_servers_in_one_world)
{
    struct hall *first_hall, *second_hall;
    char first_where[WHERE_SIZE], second_where[WHERE_SIZE];
    int first, second;

    open_hall(w, &first_hall, first_where);
    open_hall(w, &second_hall, second_where);
    first = raw_connect(w, first_where);
    second = raw_connect(w, second_where);
    UNTIL(w, first_hall->accepted == 1 && second_hall->accepted == 1);
    expect_echo(w, first_hall->clients[0], first);
    expect_echo(w, second_hall->clients[0], second);
    free(first_hall);
    free(second_hall);
}

static void act_echo(struct record *record, plx_socket *socket)
{
    size_t size;
    const void *bytes = plx_socket_read_all(socket, &size);

    (void)record;
    plx_socket_write(socket, bytes, size);
}

/* A crowd at the door costs a frame no more than its budget. */
HALL_CASE(a_budget_ends_accepting)
{
    enum { COMING = 10 };

    if (w->group == NULL)
        return; /* a lone server accepts by its own budget, and no call sets it */
    plx_group_set_budget(w->group, 0, 100);
    for (int i = 0; i < COMING; i++)
        raw_connect(w, where);
    UNTIL(w, hall->accepted > 0);
    ck_assert_int_le(hall->accepted, 3);
    ck_assert_int_eq(plx_group_deadline(w->group), 0); /* work is left */
    UNTIL(w, hall->accepted == COMING);
}

CASE(one_client_in_a_flood_does_not_starve_another)
{
    struct hall *hall;
    char where[WHERE_SIZE], got[8];
    int flood, quiet, rounds = 0;
    uint64_t offset = 0;

    open_hall(w, &hall, where);
    if (w->group != NULL)
        plx_group_set_budget(w->group, 0, 16384);
    flood = raw_connect(w, where);
    quiet = raw_connect(w, where);
    UNTIL(w, hall->accepted == 2);
    hall->logs[0].swallow = true;
    record_on(&hall->logs[1], EVENT_DATA_AVAILABLE, act_echo, NULL);
    for (int i = 0; i < 5; i++) {
        raw_stuff(flood, &offset);
        world_poll(w);
    }
    raw_say(quiet, "me too");
    world_readable(plx_socket_handle(hall->clients[1]));
    while (hall->logs[1].count[EVENT_DATA_AVAILABLE] == 0) {
        ck_assert_msg(++rounds < 50, "%s: starved", world_name(w));
        raw_stuff(flood, &offset);
        world_poll(w);
    }
    UNTIL(w, raw_take(quiet, got, sizeof got) > 0);
    free(hall);
}

WORLD_MAIN("server", .packets = true)
