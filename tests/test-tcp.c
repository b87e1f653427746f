/* tests/test-tcp.c -- TCP: addresses of both families, names, and the time it all may take. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "tests/clocks.h"
#include "tests/nameserver.h"

#define CONNECTS "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define LOST "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]"

/* Begins to connect to a name at the port of a place that a raw peer gave. */
static void connect_by_name(plx_socket *socket, const char *name, const char *where)
{
    char by_name[WHERE_SIZE];

    where_by_name(name, where, by_name);
    ck_assert_int_eq(plx_socket_connect_to(socket, by_name), 0);
}

/* ---- addresses ------------------------------------------------------------------------------- */

MODE_SOCKET_CASE(version_four)
{
    char text[64];
    int listener = raw_listen(w, 5, where), raw, port;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    plx_address remote, local;

    ck_assert(!plx_socket_remote(socket, &remote));
    ck_assert_str_eq(plx_socket_remote_address(socket), "");
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_str_eq(plx_socket_address(socket), "127.0.0.1");
    raw = raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    LOGGED(w, log, CONNECTS);
    ck_assert_int_eq(getpeername(raw, (struct sockaddr *)&peer, &size), 0);
    ck_assert_int_eq(plx_socket_port(socket), ntohs(peer.sin_port)); /* while open the one bound */
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, ntohs(peer.sin_port));
    ck_assert_str_eq(plx_socket_local_address(socket), "127.0.0.1");
    ck_assert(plx_socket_remote(socket, &remote));
    plx_address_format(&remote, text, sizeof text);
    ck_assert_str_eq(text, where);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    port = plx_socket_remote_port(socket);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(plx_socket_port(socket), port);        /* as connect_to set it */
    ck_assert_int_eq(plx_socket_remote_port(socket), port); /* stays known after the end */
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_remote_port(socket), 0);
    ck_assert_str_eq(plx_socket_remote_address(socket), "");
}

/* The kernel reports a reset once, and the socket asks for it when the attempt ends: the end behind
 * the bytes is a reset all the same. */
static void reset_early(struct world *w, plx_socket *socket, const struct record *log, char *where,
                        bool ended)
{
    struct linger hard = {1, 0};
    char got[8] = "";
    int listener = raw_listen(w, 5, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_readable(listener);
    raw = accept(listener, NULL, NULL);
    ck_assert_int_ge(raw, 0);
    ck_assert_int_eq(send(raw, "hello", 5, MSG_NOSIGNAL), 5);
    if (ended)
        ck_assert_int_eq(shutdown(raw, SHUT_WR), 0);
    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    ck_assert_int_eq(close(raw), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->os_error, ended ? EPIPE : ECONNRESET);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 5);
    ck_assert_str_eq(got, "hello");
}

MODE_SOCKET_CASE(reset_before_the_first_poll)
{
    reset_early(w, socket, log, where, false);
}

/* The kernel's errno is EPIPE then. */
MODE_SOCKET_CASE(ended_and_reset_before_the_first_poll)
{
    reset_early(w, socket, log, where, true);
}

/* A program may have closed its standard input: then 0 is a descriptor as every other one. */
MODE_CASE(descriptor_zero)
{
    char where[WHERE_SIZE], byte;
    int input = fcntl(0, F_DUPFD_CLOEXEC, 100);
    plx_socket *listener = world_socket_of(w, plx_tcp_new, NULL);

    ck_assert_int_eq(plx_socket_listen_on(listener, "127.0.0.1:0"), 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_socket_port(listener));
    int raw = raw_connect(w, where);
    close(0);
    UNTIL(w, plx_socket_state(listener) == PLX_CONNECTED);
    ck_assert_int_eq(plx_socket_handle(listener), 0);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_read(listener, &byte, 1) == 1);
    ck_assert_int_eq(plx_socket_write(listener, "y", 1), 1);
    raw_expect(w, raw, "y");
    world_free(w, listener);
    if (input >= 0) {
        dup2(input, 0);
        close(input);
    }
}

MODE_CASE(version_six)
{
    struct record log_a, log_b;
    plx_socket *a = world_socket(w, &log_a), *b = world_socket(w, &log_b);
    char where[WHERE_SIZE];
    plx_address remote;

    ck_assert_int_eq(plx_socket_listen_on(b, "[::1]:0"), 0);
    ck_assert_str_eq(plx_socket_local_address(b), "::1");
    snprintf(where, sizeof where, "[::1]:%d", plx_socket_port(b));
    ck_assert_int_eq(plx_socket_connect_to(a, where), 0);
    ck_assert_str_eq(plx_socket_address(a), "::1");
    UNTIL(w, plx_socket_is_connected(a) && plx_socket_is_connected(b));
    ck_assert(plx_socket_remote(a, &remote));
    ck_assert_int_eq(remote.family, 6);
    ck_assert_int_eq(plx_socket_remote_port(b), plx_socket_port(a));
    ck_assert_str_eq(plx_socket_remote_address(b), "::1");
    ck_assert_int_eq(plx_socket_write(a, "six", 3), 3);
    UNTIL(w, plx_socket_bytes_available(b) == 3);
    /* the same by properties */
    plx_socket_abort(a);
    UNTIL(w, plx_socket_state(b) == PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_listen(b), 0);
    ck_assert_int_eq(plx_socket_set_address(a, "::1"), 0);
    ck_assert_int_eq(plx_socket_set_port(a, plx_socket_port(b)), 0);
    ck_assert_int_eq(plx_socket_connect(a), 0);
    UNTIL(w, plx_socket_is_connected(a) && plx_socket_is_connected(b));
}

static int connect_raw_six(struct world *w, int port)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int raw = world_raw(w, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));

    name.sin6_port = htons((uint16_t)port);
    return connect(raw, (struct sockaddr *)&name, sizeof name) == 0 ? raw : -1;
}

MODE_CASE(listen_in_both_families)
{
    plx_server *server = world_server(w);
    plx_socket *client;
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_server_listen_on(server, ":0"), 0);
    ck_assert_int_gt(plx_server_port(server), 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(server));
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    client = plx_server_next_active(server, NULL);
    ck_assert_str_eq(plx_socket_remote_address(client), "127.0.0.1"); /* not ::ffff:127.0.0.1 */
    ck_assert_int_ge(connect_raw_six(w, plx_server_port(server)), 0);
    UNTIL(w, plx_server_active_count(server) == 2);
}

/* Listens in one family, on a port that nobody has in the other one: another program may have got
 * the same number there. A server that listens in both families never finds one. */
static int listen_in_one(struct world *w, plx_server *server, const char *at, bool six)
{
    char where[WHERE_SIZE];
    bool refused = false;

    for (int tries = 0; !refused && tries < 20; tries++) {
        plx_server_stop_listening(server);
        ck_assert_int_eq(plx_server_listen_on(server, at), 0);
        snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(server));
        refused = six ? raw_is_refused(w, where) : connect_raw_six(w, plx_server_port(server)) < 0;
    }
    ck_assert(refused);
    return plx_server_port(server);
}

MODE_CASE(listen_in_one_family)
{
    plx_server *four = world_server(w), *six = world_server(w);
    char where[WHERE_SIZE];

    snprintf(where, sizeof where, "127.0.0.1:%d", listen_in_one(w, four, "0.0.0.0:0", false));
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(four) == 1);
    ck_assert_int_eq(plx_server_set_option(six, PLX_OPTION_PROTOCOL, 1), 0);
    ck_assert_int_ge(connect_raw_six(w, listen_in_one(w, six, ":0", true)), 0);
    UNTIL(w, plx_server_active_count(six) == 1);
}

MODE_SOCKET_CASE(port_read_back)
{
    int port, raw;

    ck_assert_int_eq(plx_socket_set_port(socket, 0), 0);
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    port = plx_socket_port(socket);
    ck_assert_int_gt(port, 0);
    snprintf(where, WHERE_SIZE, "127.0.0.1:%d", port);
    raw = raw_connect(w, where);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_socket_port(socket), port);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_port(socket), 0); /* as set */
    /* We closed first, so this port waits (TIME_WAIT); listening works at once all the same. */
    raw_close(w, raw);
    ck_assert_int_eq(plx_socket_set_port(socket, port), 0);
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    ck_assert_int_eq(plx_socket_port(socket), port);
    raw_connect(w, where);
    UNTIL(w, log->count[EVENT_CONNECTED] == 2);
}

MODE_CASE(ports_of_the_systems_choice_differ)
{
    plx_socket *first = world_socket(w, NULL), *second = world_socket(w, NULL);
    plx_server *server = world_server(w);

    ck_assert_int_eq(plx_socket_listen_on(first, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_socket_listen_on(second, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_server_port(server), 0);
    ck_assert_int_eq(plx_server_listen_on(server, "127.0.0.1:0"), 0);
    ck_assert_int_ne(plx_socket_port(first), plx_socket_port(second));
    ck_assert_int_ne(plx_socket_port(first), plx_server_port(server));
    ck_assert_int_ne(plx_socket_port(second), plx_server_port(server));
}

MODE_SOCKET_CASE(from_an_interface)
{
    raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.2"), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "127.0.0.2");
}

/* ---- options --------------------------------------------------------------------------------- */

static int kernel_option(const plx_socket *socket, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;

    ck_assert_int_eq(getsockopt(plx_socket_handle(socket), level, option, &value, &size), 0);
    return value;
}

MODE_SOCKET_CASE(options_reach_the_system)
{
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_LOW_DELAY), 1);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_KEEP_ALIVE, 1), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_KEEP_ALIVE_IDLE, 33), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_TYPE_OF_SERVICE, 0x10), 0);
    world_pair(w, socket, log);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(kernel_option(socket, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_KEEPIDLE), 33);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_IP, IP_TOS), 0x10);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_KEEP_ALIVE_INTERVAL, 7), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_KEEP_ALIVE_COUNT, 4), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_LOW_DELAY, 0), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_KEEPCNT), 4);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_gt(plx_socket_option(socket, PLX_OPTION_PATH_MTU), 1000);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_TYPE_OF_SERVICE, 256),
                     PLX_INVALID_STATE);
    plx_socket_close(socket);
    world_pair(w, socket, log); /* and once more, remembered */
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_KEEPIDLE), 33);
    ck_assert_int_eq(kernel_option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 7);
}

MODE_SOCKET_CASE(options_read_back_as_the_system_has_them)
{
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_KEEP_ALIVE_IDLE), 0); /* nobody set it */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_SEND_BUFFER_SIZE, 20000), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SEND_BUFFER_SIZE), 20000);
    world_pair(w, socket, log);
    ck_assert_int_gt(plx_socket_option(socket, PLX_OPTION_KEEP_ALIVE_IDLE), 0);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SEND_BUFFER_SIZE), 40000); /* socket(7) */
    ck_assert_int_gt(plx_socket_option(socket, PLX_OPTION_PATH_MTU), 1000);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_LOW_DELAY), 1);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SHARE_ADDRESS), 0);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_SEND_BUFFER_SIZE), 20000);
}

MODE_CASE(accepted_sockets_have_the_options_too)
{
    plx_server *server = world_server(w);
    plx_socket *client;
    char where[WHERE_SIZE];

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_KEEP_ALIVE, 1), 0);
    world_serve(w, server, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    client = plx_server_next_active(server, NULL);
    ck_assert_int_eq(kernel_option(client, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(kernel_option(client, SOL_SOCKET, SO_KEEPALIVE), 1);
}

/* ---- names ----------------------------------------------------------------------------------- */

NAMES_SOCKET_CASE(name_in_the_hosts_file)
{
    int listener = raw_listen(w, 5, where);

    nameserver_says(server, SAYS_NOTHING); /* nobody but /etc/hosts can know */
    connect_by_name(socket, "localhost", where);
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    ck_assert_str_eq(plx_socket_address(socket), "localhost");
    LOGGED(w, log, "");
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, "state:HOST_LOOKUP " CONNECTS);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
}

/* RFC 6761, 6.3: whether or not there is an /etc/hosts, and without asking anybody. */
NAMES_SOCKET_CASE(name_below_localhost)
{
    int listener = raw_listen(w, 5, where);

    nameserver_says(server, SAYS_NOTHING);
    connect_by_name(socket, "My-Game.LocalHost", where);
    raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

NAMES_SOCKET_CASE(name_by_the_name_server)
{
    int listener = raw_listen(w, 5, where), raw;

    server->ipv4 = ADDRESSES("127.0.0.1");
    connect_by_name(socket, "game.test", where);
    ck_assert_int_eq(plx_socket_write(socket, "queued", 6), 6); /* before there is an address */
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] > 0);
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "queued");
    ck_assert_ptr_nonnull(strstr(log->text, "state:HOST_LOOKUP " CONNECTS));
    ck_assert_str_eq(plx_socket_address(socket), "game.test");
    ck_assert_int_gt(server->asked4, 0);
}

NAMES_SOCKET_CASE(name_that_does_not_exist)
{
    nameserver_says(server, SAYS_NO_SUCH_NAME);
    ck_assert_int_eq(plx_socket_connect_to(socket, "nowhere.test:80"), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, "state:HOST_LOOKUP state:UNCONNECTED error(103,12)[UNCONNECTED]");
    ck_assert_msg(strstr(log->message, "nowhere.test") != NULL, "the sentence is \"%s\"",
                  log->message);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

NAMES_SOCKET_CASE(name_without_an_address)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, "empty.test:80"), 0);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    LOGGED(w, log, "state:HOST_LOOKUP state:UNCONNECTED error(103,12)[UNCONNECTED]");
}

static void expect_failure(struct world *w, struct nameserver *server, enum says says)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    nameserver_says(server, says);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, "failing.test:80"), 0);
    UNTIL_ASKED(w, server, log.count[EVENT_ERROR] > 0);
    world_settle(w);
    ck_assert_int_eq(log.code, PLX_NAME_RESOLUTION);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

NAMES_CASE(name_server_that_fails)
{
    expect_failure(w, server, SAYS_FAILED);
}

NAMES_CASE(name_server_that_talks_nonsense)
{
    expect_failure(w, server, SAYS_GARBAGE);
}

NAMES_CASE(name_server_that_says_ask_by_tcp_and_does_not_listen)
{
    ck_assert_int_eq(shutdown(server->tcp, SHUT_RDWR), 0);
    expect_failure(w, server, SAYS_CUT_OFF);
}

NAMES_SOCKET_CASE(name_server_that_never_answers)
{
    long long longest = 0, start, limit = under_valgrind() ? 600000 : 20000;

    nameserver_says(server, SAYS_NOTHING);
    start = thread_us();
    ck_assert_int_eq(plx_socket_connect_to(socket, "silent.test:80"), 0);
    start = thread_us() - start;
    ck_assert_int_lt(start, limit); /* the aim is 1 ms; this much would be a blocking call */
    for (int i = 0; i < 300; i++) {
        long long before = thread_us(), took;

        world_poll(w);
        took = thread_us() - before;
        longest = took > longest ? took : longest;
        poll(NULL, 0, 1);
    }
    printf("# %s: starting a lookup took %lld us of CPU time, the longest of 300 polls %lld us\n",
           world_name(w), start, longest);
    ck_assert_int_lt(longest, limit);
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    nameserver_serve(server);
    ck_assert_int_gt(server->asked4 + server->asked6, 0);
    LOGGED(w, log, "state:HOST_LOOKUP");
}

NAMES_SOCKET_CASE(time_out_of_a_look_up)
{
    nameserver_says(server, SAYS_NOTHING);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, "silent.test:80"), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, "state:HOST_LOOKUP state:UNCONNECTED error(103,15)[UNCONNECTED]");
}

static long long cost_of_waiting(plx_socket *socket)
{
    long long before = thread_us();

    ck_assert(!plx_socket_wait_for_connected(socket, 300));
    return thread_us() - before;
}

NAMES_SOCKET_CASE(waiting_for_a_look_up_does_not_spin)
{
    nameserver_says(server, SAYS_NOTHING);
    ck_assert_int_eq(plx_socket_connect_to(socket, "silent.test:80"), 0);
    world_settle(w);
    EXPECT_BELOW(100000, cost_of_waiting(socket)); /* a third of it would be a spin */
    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
}

/* Ends a lookup by one of the calls that may, and then lets the answer come too late. */
static void end_a_look_up(struct world *w, struct nameserver *server,
                          void (*end)(struct world *, plx_socket *))
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    server->ipv4 = ADDRESSES("127.0.0.1");
    connect_by_name(socket, "late.test", where);
    SETTLED(w, &log, "state:HOST_LOOKUP");
    end(w, socket);
    for (int i = 0; i < 20; i++) {
        nameserver_serve(server);
        world_settle(w);
    }
    LOGGED(w, &log, "state:HOST_LOOKUP");
    ck_assert(!is_readable(listener)); /* nobody came */
}

static void end_by_close(struct world *w, plx_socket *socket)
{
    (void)w;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

static void end_by_abort(struct world *w, plx_socket *socket)
{
    (void)w;
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

static void end_by_disconnect(struct world *w, plx_socket *socket)
{
    (void)w;
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

NAMES_CASE(close_during_a_look_up)
{
    end_a_look_up(w, server, end_by_close);
}

NAMES_CASE(abort_during_a_look_up)
{
    end_a_look_up(w, server, end_by_abort);
}

NAMES_CASE(disconnect_during_a_look_up)
{
    end_a_look_up(w, server, end_by_disconnect);
}

NAMES_CASE(free_during_a_look_up)
{
    end_a_look_up(w, server, world_free);
}

NAMES_CASE(free_before_the_first_poll_of_a_look_up)
{
    plx_socket *socket = world_socket(w, NULL);

    nameserver_says(server, SAYS_NOTHING);
    ck_assert_int_eq(plx_socket_connect_to(socket, "silent.test:80"), 0);
    world_free(w, socket);
}

NAMES_SOCKET_CASE(free_of_the_group_during_a_look_up)
{
    raw_listen(w, 5, where);
    server->ipv4 = ADDRESSES("127.0.0.1");
    connect_by_name(socket, "late.test", where);
    world_settle(w);
    if (w->group != NULL)
        world_free_group(w);
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] > 0); /* it lives on, polled alone */
    LOGGED(w, log, "state:HOST_LOOKUP " CONNECTS);
}

NAMES_SOCKET_CASE(disconnect_during_a_look_up_with_bytes)
{
    int listener = raw_listen(w, 5, where), raw;

    server->ipv4 = ADDRESSES("127.0.0.1");
    connect_by_name(socket, "late.test", where);
    ck_assert_int_eq(plx_socket_write(socket, "just this", 9), 9);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    UNTIL_ASKED(w, server, is_readable(listener));
    raw = raw_accept(w, listener);
    raw_expect(w, raw, "just this");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

NAMES_SOCKET_CASE(another_connect_after_a_look_up_was_ended)
{
    int listener = raw_listen(w, 5, where);

    /* The first one's answer must not be taken for the second's. */
    server->ipv4 = ADDRESSES("127.0.0.9");
    connect_by_name(socket, "old.test", where);
    world_settle(w);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_STATE);
    plx_socket_close(socket);
    record_clear(log);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, CONNECTS);
    raw_accept(w, listener);
}

NAMES_SOCKET_CASE(addresses_one_after_another)
{
    int listener = raw_listen(w, 5, where); /* at 127.0.0.1 only */

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3", "127.0.0.1");
    server->ipv6 = ADDRESSES("::1");
    connect_by_name(socket, "many.test", where);
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] > 0);
    SETTLED(w, log, "state:HOST_LOOKUP " CONNECTS); /* one connected, no error */
    raw_accept(w, listener);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
}

NAMES_SOCKET_CASE(addresses_that_all_refuse)
{
    raw_refusing(w, where);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
    connect_by_name(socket, "many.test", where);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log,
            "state:HOST_LOOKUP state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]");
}

/* A name with three addresses, two of them silent: the third is tried beside them. */
NAMES_SOCKET_CASE(silent_addresses_are_overtaken)
{
    int listener = raw_listen(w, 5, where);
    long long before;

    raw_silent_at(w, "127.0.0.2", where);
    raw_silent_at(w, "127.0.0.3", where);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3", "127.0.0.1");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 30000), 0);
    connect_by_name(socket, "silent.test", where);
    before = now_ms();
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
    printf("# %s: connected past two silent addresses after %lld ms\n", world_name(w),
           now_ms() - before);
    SETTLED(w, log, "state:HOST_LOOKUP " CONNECTS);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    raw_accept(w, listener);
}

NAMES_SOCKET_CASE(only_silent_addresses_time_out_once)
{
    raw_refusing(w, where);
    raw_silent_at(w, "127.0.0.2", where);
    raw_silent_at(w, "127.0.0.3", where);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    time_stop(); /* the lookup takes none of it */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 600), 0);
    connect_by_name(socket, "silent.test", where);
    UNTIL_ASKED(w, server, plx_socket_state(socket) == PLX_CONNECTING);
    UNTIL(w, (time_pass(5), log->count[EVENT_ERROR] > 0));
    time_run();
    SETTLED(w, log,
            "state:HOST_LOOKUP state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
}

/* CONNECTING is over before a handler could see it. */
NAMES_SOCKET_CASE(an_answer_and_the_time_out_in_one_poll)
{
    raw_refusing(w, where);
    raw_silent_at(w, "127.0.0.2", where);
    server->ipv4 = ADDRESSES("127.0.0.2");
    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 600), 0);
    connect_by_name(socket, "silent.test", where);
    UNTIL(w, is_readable(server->udp));
    world_run(w, 599);
    nameserver_serve(server);
    time_pass(1);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    time_run();
    SETTLED(w, log, "state:HOST_LOOKUP state:UNCONNECTED error(110,15)[UNCONNECTED]");
}

/* Closed in the middle of the race: nothing is left of any attempt, which the world counts. */
NAMES_SOCKET_CASE(close_in_the_middle_of_a_race)
{
    int before;

    raw_refusing(w, where);
    raw_silent_at(w, "127.0.0.2", where);
    raw_silent_at(w, "127.0.0.3", where);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    connect_by_name(socket, "silent.test", where);
    UNTIL_ASKED(w, server, plx_socket_state(socket) == PLX_CONNECTING);
    before = count_sockets();
    UNTIL(w, count_sockets() > before); /* the second attempt is under way */
    plx_socket_close(socket);
    ck_assert_int_eq(count_sockets(), before - 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR] + log->count[EVENT_CONNECTED], 0);
}

NAMES_SOCKET_CASE(only_the_family_that_was_asked_for)
{
    raw_listen(w, 5, where);
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6 = ADDRESSES("::1");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    connect_by_name(socket, "both.test", where);
    UNTIL_ASKED(w, server, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(server->asked6, 0);
    plx_socket_close(socket);
    record_clear(log);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 1), 0);
    server->asked4 = 0;
    connect_by_name(socket, "both.test", where);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0); /* nobody listens at ::1 */
    ck_assert_int_eq(log->code, ECONNREFUSED);
    ck_assert_int_eq(server->asked4, 0);
}

NAMES_SOCKET_CASE(the_group_shows_an_answer_to_an_outer_loop)
{
    raw_listen(w, 5, where);
    server->ipv4 = ADDRESSES("127.0.0.1");
    connect_by_name(socket, "game.test", where);
    for (int round = 0; log->count[EVENT_CONNECTED] == 0; round++) {
        struct pollfd watches[] = {{.fd = plx_group_handle(w->group), .events = POLLIN},
                                   {.fd = server->udp, .events = POLLIN},
                                   {.fd = server->tcp, .events = POLLIN}};

        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, w->group == NULL || watches[0].fd < 0 ? round : 0);
        nameserver_serve(server);
        if (w->group == NULL || watches[0].fd < 0)
            continue;
        /* Sleeps as an outer loop would, and its name server: if neither the handle nor the
         * deadline wakes it, the test's time runs out. */
        if (log->count[EVENT_CONNECTED] == 0)
            poll(watches, 3, plx_group_deadline(w->group));
    }
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

NAMES_CASE(many_look_ups_at_once)
{
    enum { COUNT = 40 };
    struct record logs[COUNT];
    char where[WHERE_SIZE], host[32];
    plx_socket *sockets[COUNT];
    int done = 0;

    raw_listen(w, COUNT, where);
    server->ipv4 = ADDRESSES("127.0.0.1");
    for (int i = 0; i < COUNT; i++) {
        sockets[i] = world_socket(w, &logs[i]);
        snprintf(host, sizeof host, "host%d.test", i / 2); /* each name twice */
        connect_by_name(sockets[i], host, where);
    }
    for (int i = 0; i < COUNT; i += 5)
        world_free(w, sockets[i]); /* some lose interest */
    for (int round = 0; done < COUNT - COUNT / 5; round++) {
        ck_assert_int_lt(round, ROUNDS);
        nameserver_serve(server);
        world_turn(w, round);
        done = 0;
        for (int i = 0; i < COUNT; i++)
            done += i % 5 != 0 && logs[i].count[EVENT_CONNECTED] == 1;
    }
    world_settle(w);
    for (int i = 0; i < COUNT; i++)
        if (i % 5 == 0)
            LOGGED(w, &logs[i], "");
        else
            LOGGED(w, &logs[i], "state:HOST_LOOKUP " CONNECTS);
}

/* ---- time ------------------------------------------------------------------------------------ */

MODE_SOCKET_CASE(connect_time_out)
{
    /* With its queue full the kernel answers no SYN: as if packets were dropped on the way. */
    raw_listen(w, 0, where);
    raw_connect(w, where);
    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 200), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    world_run(w, 199);
    SETTLED(w, log, "state:CONNECTING");
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_deadline(w->group), 1);
    time_pass(1);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, "state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ETIMEDOUT);
    time_run();
}

/* Asleep for ever but for the deadline. Returns what that costs the processor. */
static long long connect_asleep(struct world *w, plx_socket *socket, struct record *log,
                                const char *where)
{
    long long before;

    record_clear(log);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    before = thread_us();
    for (int i = 0; log->count[EVENT_ERROR] == 0; i++) {
        ck_assert_int_lt(i, 100);
        if (w->group != NULL)
            plx_group_poll(w->group, -1);
        else
            plx_socket_wait(socket, -1);
    }
    ck_assert_int_eq(log->code, ETIMEDOUT);
    ck_assert_int_eq(log->reason, PLX_REASON_SOCKET_TIMEOUT);
    return thread_us() - before;
}

MODE_SOCKET_CASE(connect_time_out_while_asleep)
{
    raw_listen(w, 0, where);
    raw_connect(w, where);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 150), 0);
    EXPECT_BELOW(75000, connect_asleep(w, socket, log, where));
}

MODE_SOCKET_CASE(wait_that_times_out_leaves_the_connecting_alone)
{
    int listener = raw_listen(w, 0, where);

    raw_connect(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, 50));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    ck_assert_int_eq(plx_socket_last_error(socket), 0);
    LOGGED(w, log, "state:CONNECTING");
    (void)listener;
}

MODE_SOCKET_CASE(network_out_of_reach)
{
    /* The kernel refuses this one at once (no TCP to a broadcast address); a poll reports it. */
    ck_assert_int_eq(plx_socket_connect_to(socket, "255.255.255.255:80"), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->os_error, ENETUNREACH);
    ck_assert_int_eq(log->code, PLX_OPEN_DRIVER); /* an errno between 100 and 108 must not leak */
    ck_assert_int_eq(log->reason, PLX_REASON_NETWORK);
}

/* ---- urgent data ----------------------------------------------------------------------------- */

MODE_PAIR_CASE(urgent_data_does_not_upset)
{
    raw_say(raw, "ab");
    ck_assert_int_eq(send(raw, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    raw_say(raw, "cd");
    UNTIL(w, plx_socket_bytes_available(socket) >= 4);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
}

WORLD_MAIN("tcp")
