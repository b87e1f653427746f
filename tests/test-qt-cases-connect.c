/* tests/test-qt-cases-connect.c -- what Qt's tests check of sockets, asked of Pollux: connecting.
 *
 * The cases B (connecting) and I (names), and A4, which is about both. See test-qt-cases.c for
 * where they come from and which of them stand elsewhere or do not apply. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "tests/nameserver.h"
#include "tests/sockets.h"

#define CONNECTS "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define REFUSED "state:CONNECTING state:UNCONNECTED error(111,10)[UNCONNECTED]"

/* ---- a name server --------------------------------------------------------------------------- */

/* It runs in a thread of its own, so that blocking calls can be tried, too. */
static void names_begin(struct nameserver *names, struct saying saying)
{
    nameserver_begin(names);
    names->ipv4 = saying;
    if (saying.says == SAYS_NO_SUCH_NAME)
        names->ipv6 = saying;
    nameserver_start(names);
}

static void names_end(struct nameserver *names)
{
    nameserver_stop(names);
    nameserver_end(names);
}

static const struct saying nothing_known = {.says = SAYS_NO_SUCH_NAME};

/* ---- A4: bound, and then connected by name --------------------------------------------------- */

/* A4: from a chosen address to a name whose first address fails, written to and ended at once */
MODE_SOCKET_CASE(from_a_chosen_address_by_name)
{
    struct nameserver names;
    char name[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;

    names_begin(&names, ADDRESSES("127.0.0.2", "127.0.0.1"));
    where_by_name("two.test", where, name);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.3"), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    raw = raw_accept(w, listener);
    ck_assert_int_eq(getpeername(raw, (struct sockaddr *)&peer, &size), 0);
    ck_assert_int_eq(ntohl(peer.sin_addr.s_addr), (int)INADDR_LOOPBACK + 2);
    raw_expect(w, raw, "x");
    raw_expect_end(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] > 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    names_end(&names);
}

/* A4: a datagram socket that is bound keeps port and descriptor when it takes a peer by name */
UDP_SOCKET_CASE(bound_and_then_a_peer_by_name)
{
    struct nameserver names;
    plx_socket *peer = world_socket_of(w, plx_udp_new, NULL);
    plx_datagram datagram;
    int port, handle;

    names_begin(&names, ADDRESSES("127.0.0.1"));
    ck_assert_int_eq(plx_socket_connect(peer), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    port = plx_socket_port(socket);
    handle = plx_socket_handle(socket);
    snprintf(where, WHERE_SIZE, "peer.test:%d", plx_socket_port(peer));
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] > 0);
    ck_assert_int_eq(plx_socket_port(socket), port);
    ck_assert_int_eq(plx_socket_handle(socket), handle);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    UNTIL(w, plx_udp_packets_available(peer) > 0);
    ck_assert(plx_udp_read(peer, &datagram));
    ck_assert_int_eq(datagram.from.port, port);
    names_end(&names);
}

/* ---- B: connecting --------------------------------------------------------------------------- */

/* B1: refused, seen by a blocking call */
SOCKET_CASE(refused_while_waiting)
{
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, -1)); /* not before a time limit: at once */
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    SETTLED(w, log, REFUSED);
}

/* B2: a name that nobody has, seen by a blocking call */
MODE_SOCKET_CASE(not_found_while_waiting)
{
    struct nameserver names;

    names_begin(&names, nothing_known);
    ck_assert_int_eq(plx_socket_connect_to(socket, "nobody.test:80"), 0);
    ck_assert(!plx_socket_wait_for_connected(socket, -1));
    SETTLED(w, log, "state:HOST_LOOKUP state:UNCONNECTED error(103,12)[UNCONNECTED]");
    names_end(&names);
    ck_assert_int_gt(names.asked4 + names.asked6, 0);
}

/* B3: nobody answers; the object can be used again at once */
MODE_SOCKET_CASE(nobody_answers)
{
    raw_silent(w, where);
    for (int round = 0; round < 2; round++) {
        record_clear(log);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        ck_assert(!plx_socket_wait_for_connected(socket, 30));
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
        plx_socket_abort(socket);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        ck_assert_int_eq(plx_socket_handle(socket), -1);
        SETTLED(w, log, "state:CONNECTING");
    }
}

/* B4: this computer, by its name, and nobody listens */
MODE_SOCKET_CASE(localhost_without_a_service)
{
    char name[WHERE_SIZE];

    raw_refusing(w, where);
    where_by_name("localhost", where, name);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    SETTLED(w, log, "state:HOST_LOOKUP " REFUSED);
}

/* B5: three addresses; two of them swallow everything, and the third one is reached */
MODE_SOCKET_CASE(one_of_three_addresses_answers)
{
    struct nameserver names;
    char name[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    raw_silent_at(w, "127.0.0.2", where);
    raw_silent_at(w, "127.0.0.3", where);
    names_begin(&names, ADDRESSES("127.0.0.2", "127.0.0.3", "127.0.0.1"));
    where_by_name("three.test", where, name);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 30000), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
    world_settle(w);
    names_end(&names);
    LOGGED(w, log, "state:HOST_LOOKUP " CONNECTS);
    raw_accept(w, listener);
}

/* B5: all of them swallow everything: one error, within the one limit */
MODE_SOCKET_CASE(none_of_two_addresses_answers)
{
    struct nameserver names;
    char name[WHERE_SIZE];

    raw_silent(w, where);
    raw_silent_at(w, "127.0.0.2", where);
    names_begin(&names, ADDRESSES("127.0.0.2", "127.0.0.1"));
    where_by_name("two.test", where, name);
    time_stop(); /* the lookup takes none of it */
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 300), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTING);
    time_run();
    ck_assert(!plx_socket_wait_for_connected(socket, -1));
    world_settle(w);
    names_end(&names);
    LOGGED(w, log,
           "state:HOST_LOOKUP state:CONNECTING state:UNCONNECTED error(110,15)[UNCONNECTED]");
}

static void act_wait_for_connected(struct record *record, plx_socket *socket)
{
    (void)record;
    ck_assert(plx_socket_wait_for_connected(socket, -1));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
}

static void wait_in(struct world *w, plx_state state)
{
    struct record log;
    struct nameserver names;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], name[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    names_begin(&names, ADDRESSES("127.0.0.1"));
    where_by_name("game.test", where, name);
    record_on(&log, EVENT_STATE_CHANGED, act_wait_for_connected, NULL);
    log.picky = true;
    log.at = state;
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, log.count[EVENT_CONNECTED] > 0);
    ck_assert(log.fired);
    raw_say(raw, "and it works");
    UNTIL(w, plx_socket_bytes_available(socket) == 12);
    names_end(&names);
    ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    /* CONNECTING is left during a wait that begins before it. */
    ck_assert_int_eq(log.count[EVENT_STATE_CHANGED], state == PLX_HOST_LOOKUP ? 2 : 3);
}

/* B9: waiting for the connection in the handler that hears of the address */
MODE_CASE(wait_when_the_host_is_found)
{
    wait_in(w, PLX_CONNECTING);
}

/* B9: and in the one that hears of the lookup */
MODE_CASE(wait_when_the_look_up_begins)
{
    wait_in(w, PLX_HOST_LOOKUP);
}

static void act_know_the_local_address(struct record *record, plx_socket *socket)
{
    plx_address local;

    (void)record;
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, plx_socket_port(socket));
    ck_assert_int_gt(local.port, 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "127.0.0.1");
}

/* B13: the local address is known when `connected` is reported, however fast that was */
MODE_CASE(local_address_at_once)
{
    for (int round = 0; round < 10; round++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];

        raw_listen(w, 5, where);
        record_on(&log, EVENT_CONNECTED, act_know_the_local_address, NULL);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        UNTIL(w, log.fired);
        plx_socket_abort(socket);
    }
}

/* Moves a socket out of its group or into it. */
static void move(struct world *w, plx_socket *socket, bool out)
{
    if (w->group == NULL)
        return;
    if (out)
        plx_group_remove(w->group, socket);
    else
        ck_assert_int_eq(plx_group_add(w->group, socket), 0);
}

/* B15: blocking calls are enough, and the socket may change its group between any two of them */
CASE(blocking_calls_suffice)
{
    for (int when = 0; when < 4; when++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], got[16] = "";
        int listener = raw_listen(w, 5, where), raw;

        move(w, socket, when == 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        move(w, socket, when == 1);
        ck_assert(plx_socket_wait_for_connected(socket, -1));
        raw = world_raw(w, accept_closing(listener, 0));
        ck_assert_int_eq(plx_socket_write(socket, "question", 8), 8);
        move(w, socket, when == 2);
        ck_assert(plx_socket_wait_for_sent(socket, -1));
        move(w, socket, when == 3);
        ck_assert_int_eq(recv(raw, got, sizeof got, 0), 8);
        raw_say(raw, "answer");
        ck_assert(plx_socket_wait_for_data(socket, -1));
        ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 6);
        ck_assert_mem_eq(got, "answer", 6);
        raw_close(w, raw);
        ck_assert(plx_socket_wait_for_disconnected(socket, -1));
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
        ck_assert_int_eq(log.count[EVENT_DATA_AVAILABLE], 1);
        ck_assert_int_eq(log.count[EVENT_SEND_COMPLETE], 1);
        world_settle(w); /* `disconnected` may be due still */
        ck_assert_int_eq(log.count[EVENT_DISCONNECTED], 1);
    }
}

/* B16: connected, written to and answered before the first poll: each event comes, and once */
SOCKET_CASE(all_of_it_before_the_first_poll)
{
    int listener = raw_listen(w, 5, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_write(socket, "early", 5), 5);
    raw = world_raw(w, accept_closing(listener, 0));
    raw_say(raw, "earlier");
    poll(NULL, 0, 2);
    LOGGED(w, log, "");
    UNTIL(w, log->count[EVENT_DATA_AVAILABLE] > 0 && log->count[EVENT_SEND_COMPLETE] > 0);
    raw_expect(w, raw, "early");
    world_settle(w);
    ck_assert_msg(strncmp(log->text, CONNECTS " ", strlen(CONNECTS) + 1) == 0, "%s: \"%s\"",
                  world_name(w), log->text);
    ck_assert_int_eq(log->count[EVENT_SEND_PROGRESS], w->kind->keeps_boundaries ? 0 : 1);
    ck_assert_int_eq(log->count[EVENT_SEND_COMPLETE], 1);
    ck_assert_int_eq(log->count[EVENT_DATA_AVAILABLE], 1);
}

/* ---- I: names -------------------------------------------------------------------------------- */

enum { THREADS = 10, LOOK_UPS = 10 };

/* What one thread saw; -1: something went wrong. */
struct asker {
    pthread_t thread;
    int number, answers;
};

static void on_answer(plx_socket *socket, const plx_error *error, void *user)
{
    int *answers = user;

    (void)socket;
    *answers = *answers < 0 || error->code != PLX_NAME_RESOLUTION ? -1 : *answers + 1;
}

static void *ask(void *user)
{
    static const plx_events events = {.error = on_answer};
    struct asker *asker = user;
    plx_socket *sockets[LOOK_UPS];
    plx_group *group = plx_group_new();

    for (int i = 0; i < LOOK_UPS; i++) {
        char where[64];

        snprintf(where, sizeof where, "host%d.test:80", i % 3 == 0 ? 0 : asker->number * 100 + i);
        sockets[i] = plx_tcp_new();
        plx_socket_set_events(sockets[i], &events, &asker->answers);
        plx_group_add(group, sockets[i]);
        if (plx_socket_connect_to(sockets[i], where) != 0)
            asker->answers = -1;
    }
    for (int i = 0; i < 1000 && asker->answers >= 0 && asker->answers < LOOK_UPS; i++)
        plx_group_poll(group, 10);
    plx_group_poll(group, 10); /* for one too many */
    for (int i = 0; i < LOOK_UPS; i++)
        plx_socket_free(sockets[i]);
    plx_group_free(group);
    return NULL;
}

/* I1: ten threads with ten lookups each, some for the same name: each answered exactly once */
PLAIN_CASE(look_ups_in_threads)
{
    struct asker askers[THREADS] = {{0}};
    struct nameserver names;

    plx_memory_set(NULL, NULL); /* the counting one is for one thread */
    names_begin(&names, nothing_known);
    for (int i = 0; i < THREADS; i++) {
        askers[i].number = i;
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(askers[i].thread, NULL), 0);
        ck_assert_int_eq(askers[i].answers, LOOK_UPS);
    }
    names_end(&names);
}

/* I3: an address is its own answer: nobody is asked, and nothing is looked up */
MODE_CASE(addresses_are_not_looked_up)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    struct nameserver names;

    names_begin(&names, nothing_known);
    for (size_t i = 0; i < 2; i++) {
        struct record log, peer;
        plx_socket *socket = world_socket(w, &log), *listening = world_socket(w, &peer);

        ck_assert_int_eq(plx_socket_listen_on(listening, i == 0 ? "127.0.0.1:0" : "[::1]:0"), 0);
        ck_assert_int_eq(plx_socket_set_address(socket, hosts[i]), 0);
        ck_assert_int_eq(plx_socket_set_port(socket, plx_socket_port(listening)), 0);
        ck_assert_int_eq(plx_socket_connect(socket), 0);
        UNTIL(w, log.count[EVENT_CONNECTED] > 0 && peer.count[EVENT_CONNECTED] > 0);
        LOGGED(w, &log, CONNECTS);
        ck_assert_str_eq(plx_socket_remote_address(socket), hosts[i]);
    }
    names_end(&names);
    ck_assert_int_eq(names.asked4 + names.asked6, 0);
}

WORLD_MAIN("qt-cases-connect", .packets = true)
