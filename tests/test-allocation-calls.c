/* tests/test-allocation-calls.c -- every public call in turn, with each of its allocations failing
 * and with all from one on: it works, or it is 108 four times (the result, plx_socket_last_error,
 * plx_socket_error, one `error`), leaves no descriptor and no block, and works when there is
 * memory. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/sockets.h"
#include "tests/world.h"

struct trial {
    struct world *w;
    plx_socket *socket, *other; /* of the call, and who helps; NULL: none */
    plx_group *group;           /* NULL: none but the world's */
    plx_server *server;
    struct record log;
    int raw;
    char where[WHERE_SIZE + 20];
};

struct scenario {
    const char *name;
    void (*prepare)(struct trial *t); /* with memory */
    int (*call)(struct trial *t);     /* returns its code */
    void (*verify)(struct trial *t);  /* with memory, after it has worked; NULL: nothing */
};

static const char bytes[100000];

/* ---- preparing ------------------------------------------------------------------------------- */

static void a_tcp(struct trial *t)
{
    t->socket = world_socket_of(t->w, plx_tcp_new, &t->log);
}

static void a_tcp_and_one_with_settings(struct trial *t)
{
    a_tcp(t);
    t->other = world_socket_of(t->w, plx_tcp_new, NULL);
    ck_assert_int_eq(plx_socket_set_address(t->other, "example.test"), 0);
    ck_assert_int_eq(plx_socket_set_option(t->other, PLX_OPTION_READ_LIMIT, 5), 0);
    ck_assert_int_eq(plx_socket_set_frame(t->other, &(plx_frame){.length_size = 1}), 0);
    ck_assert_int_eq(plx_socket_set_proxy(t->other, "http://proxy.test:3128"), 0);
}

static void an_ipc(struct trial *t)
{
    t->socket = world_socket_of(t->w, plx_ipc_new, &t->log);
    snprintf(t->where, sizeof t->where, "%s/place", t->w->folder);
}

static void a_seqpacket(struct trial *t)
{
    t->socket = world_socket_of(t->w, plx_seqpacket_new, &t->log);
    snprintf(t->where, sizeof t->where, "%s/place", t->w->folder);
}

static void a_udp(struct trial *t)
{
    t->socket = world_socket_of(t->w, plx_udp_new, &t->log);
}

static void a_bound_udp(struct trial *t)
{
    a_udp(t);
    ck_assert_int_eq(plx_socket_set_interface(t->socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(t->socket), 0);
}

static void a_udp_with_peer(struct trial *t)
{
    t->other = world_socket_of(t->w, plx_udp_new, NULL);
    ck_assert_int_eq(plx_socket_set_interface(t->other, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(t->other), 0);
    snprintf(t->where, sizeof t->where, "127.0.0.1:%d", plx_socket_port(t->other));
    a_udp(t);
    ck_assert_int_eq(plx_socket_connect_to(t->socket, t->where), 0);
    UNTIL(t->w, plx_socket_state(t->socket) == PLX_CONNECTED);
}

static void a_tcp_and_a_listener(struct trial *t)
{
    t->raw = raw_listen(t->w, 5, t->where);
    a_tcp(t);
}

static void listen_there(struct trial *t, plx_constructor *create)
{
    t->other = world_socket_of(t->w, create, NULL);
    ck_assert_int_eq(plx_socket_listen_on(t->other, t->where), 0);
}

static void an_ipc_and_a_listener(struct trial *t)
{
    an_ipc(t);
    listen_there(t, plx_ipc_new);
}

static void a_seqpacket_and_a_listener(struct trial *t)
{
    a_seqpacket(t);
    listen_there(t, plx_seqpacket_new);
}

static void a_tcp_connection(struct trial *t)
{
    a_tcp(t);
    t->raw = world_pair(t->w, t->socket, &t->log);
}

static void a_framed_connection(struct trial *t)
{
    a_tcp_connection(t);
    ck_assert_int_eq(plx_socket_set_frame(t->socket, &(plx_frame){.length_size = 4}), 0);
}

static void adopt_one_end(struct trial *t, int type)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    t->raw = world_raw(t->w, ends[0]);
    ck_assert_int_eq(plx_socket_adopt(t->socket, ends[1]), 0);
}

static void an_ipc_connection(struct trial *t)
{
    an_ipc(t);
    adopt_one_end(t, SOCK_STREAM);
}

static void a_seqpacket_connection(struct trial *t)
{
    a_seqpacket(t);
    adopt_one_end(t, SOCK_SEQPACKET);
}

/* A descriptor that waits to be adopted, in t->raw; its other end is the world's. */
static void an_end(struct trial *t, int type)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    world_raw(t->w, ends[0]);
    t->raw = ends[1];
}

static void an_ipc_and_an_end(struct trial *t)
{
    an_ipc(t);
    an_end(t, SOCK_STREAM);
}

static void a_seqpacket_and_an_end(struct trial *t)
{
    a_seqpacket(t);
    an_end(t, SOCK_SEQPACKET);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static int set_address(struct trial *t)
{
    return plx_socket_set_address(t->socket, "somewhere.example.com");
}

static int set_interface(struct trial *t)
{
    return plx_socket_set_interface(t->socket, "127.0.0.1");
}

static int set_path(struct trial *t)
{
    return plx_socket_set_path(t->socket, t->where);
}

static int set_abstract_name(struct trial *t)
{
    return plx_ipc_set_abstract_name(t->socket, "a\0b", 3);
}

static int copy_settings(struct trial *t)
{
    return plx_socket_copy_settings(t->socket, t->other);
}

static int set_option(struct trial *t)
{
    return plx_socket_set_option(t->socket, PLX_OPTION_WRITE_LIMIT, 1000000);
}

static int set_frame(struct trial *t)
{
    return plx_socket_set_frame(t->socket, &(plx_frame){.length_size = 4});
}

static int unread(struct trial *t)
{
    return plx_socket_unread(t->socket, bytes, 30000);
}

static int connect_to(struct trial *t)
{
    return plx_socket_connect_to(t->socket, t->where);
}

static int connect_to_a_name(struct trial *t)
{
    char where[WHERE_SIZE + 20];

    snprintf(where, sizeof where, "localhost%s", strrchr(t->where, ':'));
    return plx_socket_connect_to(t->socket, where);
}

static int udp_connect_to(struct trial *t)
{
    return plx_socket_connect_to(t->socket, "127.0.0.1:9");
}

static int udp_connect_to_a_name(struct trial *t)
{
    return plx_socket_connect_to(t->socket, "localhost:9");
}

static int udp_connect(struct trial *t)
{
    return plx_socket_connect(t->socket);
}

static int listen_on(struct trial *t)
{
    return plx_socket_listen_on(t->socket, t->where[0] == '\0' ? "127.0.0.1:0" : t->where);
}

static int adopt(struct trial *t)
{
    return plx_socket_adopt(t->socket, t->raw);
}

static int result_of_write(plx_socket *socket, size_t size)
{
    ptrdiff_t written = plx_socket_write(socket, bytes, size);

    ck_assert(written == -1 || written == (ptrdiff_t)size);
    return written == -1 ? plx_socket_last_error(socket) : 0;
}

static int write_little(struct trial *t)
{
    return result_of_write(t->socket, 10);
}

static int write_much(struct trial *t)
{
    return result_of_write(t->socket, 60000);
}

static int write_message(struct trial *t)
{
    return plx_socket_write_message(t->socket, bytes, 60000);
}

static int udp_write_to_a_name(struct trial *t)
{
    return plx_udp_write_to(t->socket, "localhost", 9, "x", 1);
}

static int udp_write(struct trial *t)
{
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};

    return plx_udp_write(t->socket, &to, bytes, 1000);
}

static int join_and_leave(struct trial *t)
{
    int code = plx_udp_join_multicast_group(t->socket, "239.1.2.3");

    return code != 0 ? code : plx_udp_leave_multicast_group(t->socket, "239.1.2.3");
}

static int send_handle(struct trial *t)
{
    return plx_ipc_send_handle(t->socket, 0);
}

static int disconnect(struct trial *t)
{
    return plx_socket_disconnect(t->socket);
}

/* ---- what has to be true then ---------------------------------------------------------------- */

static void is_connected(struct trial *t)
{
    UNTIL(t->w, plx_socket_state(t->socket) == PLX_CONNECTED);
}

static void is_bound(struct trial *t)
{
    UNTIL(t->w, plx_socket_state(t->socket) == PLX_BOUND);
    ck_assert_int_ge(plx_socket_handle(t->socket), 0);
}

static void is_listening(struct trial *t)
{
    UNTIL(t->w, plx_socket_is_listening(t->socket));
}

static void has_bytes(struct trial *t)
{
    ck_assert_uint_ge(plx_socket_bytes_available(t->socket), 30000);
}

static void all_leaves(struct trial *t)
{
    static char place[200000];

    UNTIL(t->w, plx_socket_bytes_left_to_send(t->socket) == 0 ||
                    recv(t->raw, place, sizeof place, MSG_DONTWAIT) < -1);
    ck_assert_int_eq(plx_socket_state(t->socket), PLX_CONNECTED);
}

static void a_handle_leaves(struct trial *t)
{
    ck_assert_int_eq(plx_socket_write(t->socket, "x", 1), 1);
    all_leaves(t);
}

static void is_over(struct trial *t)
{
    UNTIL(t->w, plx_socket_state(t->socket) != PLX_CLOSING);
}

static const struct scenario scenarios[] = {
    {"tcp: set_address", a_tcp, set_address, NULL},
    {"tcp: set_interface", a_tcp, set_interface, NULL},
    {"tcp: set_option", a_tcp, set_option, NULL},
    {"tcp: copy_settings", a_tcp_and_one_with_settings, copy_settings, NULL},
    {"tcp: set_frame", a_tcp, set_frame, NULL},
    {"tcp: unread", a_tcp, unread, has_bytes},
    {"tcp: connect_to", a_tcp_and_a_listener, connect_to, is_connected},
    {"tcp: connect_to a name", a_tcp_and_a_listener, connect_to_a_name, is_connected},
    {"tcp: listen_on", a_tcp, listen_on, is_listening},
    {"tcp: write little", a_tcp_connection, write_little, all_leaves},
    {"tcp: write much", a_tcp_connection, write_much, all_leaves},
    {"tcp: write_message", a_framed_connection, write_message, all_leaves},
    {"tcp: disconnect", a_tcp_connection, disconnect, is_over},
    {"ipc: set_path", an_ipc, set_path, NULL},
    {"ipc: set_abstract_name", an_ipc, set_abstract_name, NULL},
    {"ipc: connect_to", an_ipc_and_a_listener, connect_to, is_connected},
    {"ipc: listen_on", an_ipc, listen_on, is_listening},
    {"ipc: adopt", an_ipc_and_an_end, adopt, is_connected},
    {"ipc: write much", an_ipc_connection, write_much, all_leaves},
    {"ipc: send_handle", an_ipc_connection, send_handle, a_handle_leaves},
    {"seqpacket: connect_to", a_seqpacket_and_a_listener, connect_to, is_connected},
    {"seqpacket: listen_on", a_seqpacket, listen_on, is_listening},
    {"seqpacket: adopt", a_seqpacket_and_an_end, adopt, is_connected},
    {"seqpacket: write", a_seqpacket_connection, write_much, all_leaves},
    {"seqpacket: write_message", a_seqpacket_connection, write_message, all_leaves},
    {"udp: connect", a_udp, udp_connect, is_bound},
    {"udp: connect_to", a_udp, udp_connect_to, is_connected},
    {"udp: connect_to a name", a_udp, udp_connect_to_a_name, is_connected},
    {"udp: connect_to, bound", a_bound_udp, udp_connect_to, is_connected},
    {"udp: connect_to a name, bound", a_bound_udp, udp_connect_to_a_name, is_connected},
    {"udp: write", a_bound_udp, udp_write, is_bound},
    {"udp: write_to a name", a_bound_udp, udp_write_to_a_name, is_bound},
    {"udp: write to the peer", a_udp_with_peer, write_much, is_connected},
    {"udp: write_message", a_udp_with_peer, write_message, is_connected},
    {"udp: join and leave", a_bound_udp, join_and_leave, is_bound},
    {"udp: disconnect", a_udp_with_peer, disconnect, is_bound},
};

enum { SCENARIOS = (int)(sizeof scenarios / sizeof *scenarios) };

/* ---- one trial ------------------------------------------------------------------------------- */

/* True: it has failed, and is 108 in all the ways that it has to be. What the call began may fail
 * later, in a poll: then the call has returned 0 and `error` comes alone. */
static bool expect_failure(struct trial *t, const char *name, int number, int code)
{
    ck_assert_msg(code == 0 || code == PLX_OUT_OF_MEMORY, "%s, %s, %d: code %d", world_name(t->w),
                  name, number, code);
    if (code != 0) {
        ck_assert_int_eq(plx_socket_last_error(t->socket), PLX_OUT_OF_MEMORY);
        ck_assert_int_eq(plx_socket_error(t->socket)->code, PLX_OUT_OF_MEMORY);
    }
    world_settle(t->w);
    ck_assert_msg(t->log.count[EVENT_ERROR] <= 1 && (code == 0 || t->log.count[EVENT_ERROR] == 1),
                  "%s, %s, %d: code %d, \"%s\"", world_name(t->w), name, number, code, t->log.text);
    if (t->log.count[EVENT_ERROR] == 0)
        return false;
    ck_assert_msg(t->log.code == PLX_OUT_OF_MEMORY, "%s, %s, %d: error %d, \"%s\"",
                  world_name(t->w), name, number, t->log.code, t->log.message);
    ck_assert_int_eq(plx_socket_last_error(t->socket), PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_error(t->socket)->code, PLX_OUT_OF_MEMORY);
    return true;
}

static void release(struct trial *t)
{
    world_free(t->w, t->socket);
    if (t->other != NULL)
        world_free(t->w, t->other);
    t->w->sockets_used = 0; /* its places are few */
    raw_close_all(t->w);
}

/* Returns whether an allocation has failed. */
static bool try(struct world *w, const struct scenario *scenario, int number)
{
    struct trial trial = {.w = w, .raw = -1}, *t = &trial;
    int descriptors, code;
    bool has_failed;

    scenario->prepare(t);
    world_settle(w);
    record_clear(&t->log);
    descriptors = count_descriptors();
    fail_allocation(number);
    code = scenario->call(t);
    if (code != 0 && t->log.count[EVENT_DISCONNECTED] == 0)
        ck_assert_msg(count_descriptors() == descriptors, "%s, %s, %d: %d descriptors, %d before",
                      world_name(w), scenario->name, number, count_descriptors(), descriptors);
    if (expect_failure(t, scenario->name, number, code)) {
        has_failed = allocation_failed();
        ck_assert(has_failed);
        fail_allocation(0);
        code = scenario->call(t);
        ck_assert_msg(code == 0, "%s, %s, %d: again: %d", world_name(w), scenario->name, number,
                      code);
    } else {
        has_failed = allocation_failed();
        fail_allocation(0);
    }
    if (scenario->verify != NULL)
        scenario->verify(t);
    ck_assert_int_le(t->log.count[EVENT_ERROR], 1);
    release(t);
    return has_failed;
}

/* The index is that of a scenario and of a way of polling. */
LOOP_CASE(each_allocation_of_a_call, 0, SCENARIOS *world_modes())
{
    const struct scenario *scenario = &scenarios[_i % SCENARIOS];
    struct world world, *w = &world;
    bool has_failed = true;

    world_begin_plain(w, (enum mode)(_i / SCENARIOS));
    for (int number = 1; has_failed; number++) {
        ck_assert_int_lt(number, 200);
        has_failed = try(w, scenario, number);
        if (has_failed)
            try(w, scenario, -number);
    }
    world_end(w);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* With poll(2) each member takes memory in its group. One that cannot move stays where it was, and
 * is heard there. */
static void move_one(struct world *w, int members, int number)
{
    plx_group *old = plx_group_new(), *new = plx_group_new();
    plx_socket *socket = plx_ipc_new(), *others[40];
    int ends[2], code;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, ends[1]), 0);
    ck_assert_int_eq(plx_group_add(old, socket), 0);
    plx_group_poll(old, 0);
    for (int i = 0; i < members; i++) {
        others[i] = plx_udp_new();
        ck_assert_int_eq(plx_group_add(new, others[i]), 0);
        ck_assert_int_eq(plx_socket_connect(others[i]), 0);
    }
    fail_allocation(number);
    code = plx_group_add(new, socket);
    fail_allocation(0);
    ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
    ck_assert_uint_eq(plx_group_count(old), code == 0 ? 0 : 1);
    ck_assert_uint_eq(plx_group_count(new), (size_t)members + (code == 0));
    raw_say(world_raw(w, ends[0]), "hello");
    for (int i = 0; i < 100 && plx_socket_bytes_available(socket) < 5; i++)
        plx_group_poll(code == 0 ? new : old, 10);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 5);
    raw_close(w, ends[0]);
    plx_socket_free(socket);
    for (int i = 0; i < members; i++)
        plx_socket_free(others[i]);
    plx_group_free(old);
    plx_group_free(new);
}

MODE_CASE(a_member_that_cannot_move)
{
    for (int members = 0; members < 40; members++) {
        move_one(w, members, 1);
        move_one(w, members, -1);
    }
}

/* ---- servers --------------------------------------------------------------------------------- */

static int server_listen(plx_server *server, const char *place)
{
    return plx_server_listen_on(server, place);
}

static int server_set_option(plx_server *server, const char *place)
{
    (void)place;
    return plx_server_set_option(server, PLX_OPTION_READ_LIMIT, 100);
}

static int server_set_frame(plx_server *server, const char *place)
{
    (void)place;
    return plx_server_set_frame(server, &(plx_frame){.length_size = 1});
}

static void count_error(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    ck_assert_int_eq(error->code, PLX_OUT_OF_MEMORY);
    ++*(int *)user;
}

static bool try_server(struct world *w, int (*call)(plx_server *, const char *), int number)
{
    static const plx_server_events events = {.error = count_error};
    plx_server *server = world_server(w);
    char place[WHERE_SIZE];
    int errors = 0, code;
    bool has_failed;

    plx_server_set_events(server, &events, &errors);
    world_place(w, place);
    world_settle(w);
    fail_allocation(number);
    code = call(server, place);
    ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_server_error(server)->code, code);
    world_settle(w);
    has_failed = allocation_failed();
    fail_allocation(0);
    world_settle(w);
    ck_assert_int_eq(errors, code == 0 ? 0 : 1);
    ck_assert_int_eq(plx_server_error(server)->code, code);
    if (code != 0)
        ck_assert_int_eq(call(server, place), 0);
    world_free_server(w, server);
    w->servers_used = 0; /* its places are few */
    return has_failed;
}

static void each_of_a_server(struct world *w, int (*call)(plx_server *, const char *))
{
    for (int number = 1; try_server(w, call, number); number++)
        try_server(w, call, -number);
}

CASE(each_allocation_of_a_server)
{
    each_of_a_server(w, server_listen);
    each_of_a_server(w, server_set_option);
    if (!w->kind->keeps_boundaries) /* frames are for streams */
        each_of_a_server(w, server_set_frame);
}

WORLD_MAIN("allocation-calls", .packets = true)
