/* tests/test-look-up.c -- what a lookup reports when it fails, and what it does while one family is
 * silent: the same by TCP connect_to, UDP connect_to and UDP write_to, alone and in a group. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/asker.h"
#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/netns.h"

/* Starts all three and expects each of them to fail with that. */
static void fails_with(struct world *w, struct nameserver *server, int code, plx_reason reason,
                       int os_error, const char *words)
{
    struct asker askers[WAYS];

    for (int way = 0; way < WAYS; way++)
        asker_begin(w, &askers[way], (enum way)way, "a.test");
    for (int way = 0; way < WAYS; way++) {
        struct asker *asker = &askers[way];
        const char *name = way_name((enum way)way);

        UNTIL_ASKED(w, server, asker_failed(asker));
        ck_assert_msg(asker->log.code == code && asker->log.reason == reason &&
                          asker->log.os_error == os_error,
                      "%s: %s: code %d, reason %s, os_error %d: %s", world_name(w), name,
                      asker->log.code, plx_reason_name(asker->log.reason), asker->log.os_error,
                      asker->log.message);
        ck_assert_msg(strstr(asker->log.message, "a.test") != NULL &&
                          strstr(asker->log.message, words) != NULL,
                      "%s: %s: \"%s\" has no \"%s\"", world_name(w), name, asker->log.message,
                      words);
        world_settle(w);
        ck_assert_int_eq(asker->log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(plx_socket_last_error(asker->socket), code);
        ck_assert_int_eq(plx_socket_state(asker->socket),
                         way == WAY_TCP ? PLX_UNCONNECTED : PLX_BOUND);
    }
}

/* Starts all three and expects each of them to arrive. */
static void arrive(struct world *w, struct nameserver *server, const char *host)
{
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        asker_begin(w, &asker, (enum way)way, host);
        UNTIL_ASKED(w, server, asker_failed(&asker) || asker_reached(&asker));
        ck_assert_msg(!asker_failed(&asker), "%s: %s: %s", world_name(w), way_name((enum way)way),
                      asker.log.message);
    }
}

/* ---- reasons --------------------------------------------------------------------------------- */

NAMES_CASE(no_such_name)
{
    nameserver_says(server, SAYS_NO_SUCH_NAME);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "has no address");
}

NAMES_CASE(a_name_without_addresses)
{
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "has no address");
}

NAMES_CASE(the_server_fails)
{
    nameserver_says(server, SAYS_FAILED);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "SERVFAIL");
}

NAMES_CASE(the_server_fails_for_one_family)
{
    server->ipv6.says =
        SAYS_FAILED; /* there may be an IPv6 address: it is not known that there is none */
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "SERVFAIL");
    server->ipv6.says = SAYS_NO_DATA;
    server->ipv4.says = SAYS_FAILED;
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "SERVFAIL");
}

NAMES_CASE(the_server_refuses)
{
    nameserver_says(server, SAYS_REFUSED);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "refused to answer");
}

NAMES_CASE(the_server_rejects)
{
    nameserver_says(server, SAYS_REJECTED);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "rejected the query");
}

NAMES_CASE(an_answer_that_is_malformed)
{
    nameserver_says(server, SAYS_MISSING);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "malformed");
    nameserver_says(server, SAYS_SHORT);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "malformed");
}

NAMES_CASE(nobody_is_at_the_port_of_the_server)
{
    struct nameserver gone;

    nameserver_begin(&gone); /* its port is free afterwards, and in nobody's range to choose from */
    nameserver_end(&gone);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, ECONNREFUSED,
               "the name server cannot be reached");
}

NAMES_CASE(a_list_of_servers_that_is_none)
{
    setenv("POLLUX_NAMESERVERS", "no:such:server", 1);
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0,
               "no name server can be asked");
}

MODE_CASE(no_way_to_the_server)
{
    struct nameserver server;

    if (!netns_enter("a name server without a route"))
        return;
    nameserver_begin(&server);
    setenv("POLLUX_NAMESERVERS", "192.0.2.1", 1);
    fails_with(w, &server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, ENETUNREACH,
               "the name server cannot be reached");
    nameserver_end(&server);
}

NAMES_CASE(no_descriptor_left)
{
    struct asker askers[WAYS];
    struct rlimit before, few = {0};

    for (int way = 0; way < WAYS; way++)
        asker_prepare(w, &askers[way], (enum way)way);
    /* With a peer it is bound first, which takes one more. */
    ck_assert_int_eq(plx_socket_connect(askers[WAY_UDP_PEER].socket), 0);
    world_settle(w);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few.rlim_max = before.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int way = 0; way < WAYS; way++) {
        record_clear(&askers[way].log);
        asker_ask(&askers[way], "a.test");
        ck_assert_int_eq(askers[way].code, 0);
    }
    for (int way = 0; way < WAYS; way++)
        UNTIL(w, asker_failed(&askers[way]));
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int way = 0; way < WAYS; way++) {
        ck_assert_int_eq(askers[way].log.code, PLX_OPEN_DRIVER); /* as by address */
        ck_assert_int_eq(askers[way].log.reason, PLX_REASON_SOCKET_RESOURCE);
        ck_assert_int_eq(askers[way].log.os_error, EMFILE);
        ck_assert_ptr_nonnull(strstr(askers[way].log.message, "look up a.test: too many files"));
    }
}

/* An answer that nobody is waiting for at the poller would never be heard. */
NAMES_CASE(a_poller_that_takes_no_more)
{
    struct asker askers[WAYS];

    if (w->mode == MODE_LONE || w->mode == MODE_POLL)
        return;
    for (int way = 0; way < WAYS; way++)
        asker_prepare(w, &askers[way], (enum way)way);
    ck_assert_int_eq(plx_socket_connect(askers[WAY_UDP_PEER].socket), 0);
    world_settle(w);
#ifdef SYS_epoll_ctl
    if (!kernel_denies(SYS_epoll_ctl, 1, ENOSPC))
        return;
#endif
    for (int way = 0; way < WAYS; way++) {
        record_clear(&askers[way].log);
        asker_ask(&askers[way], "a.test");
        UNTIL(w, asker_failed(&askers[way]));
        ck_assert_int_eq(askers[way].log.os_error, ENOSPC);
        ck_assert_int_eq(askers[way].log.reason, PLX_REASON_SOCKET_RESOURCE);
    }
}

NAMES_CASE(an_answer_that_is_cut_off)
{
    nameserver_says(server, SAYS_CUT_OFF);
    server->by_tcp = TCP_ENDS;
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "closed the connection");
    ck_assert_int_eq(shutdown(server->tcp, SHUT_RDWR), 0); /* listens no more */
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, ECONNREFUSED,
               "the name server cannot be reached");
}

NAMES_CASE(an_answer_by_tcp)
{
    nameserver_says(server, SAYS_CUT_OFF);
    server->ipv4.addresses[0] = "127.0.0.1";
    arrive(w, server, "a.test");
    ck_assert_int_gt(server->asked_by_tcp, 0);
}

NAMES_CASE(a_failure_by_tcp)
{
    nameserver_says(server, SAYS_CUT_OFF);
    server->by_tcp = TCP_FAILS;
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "SERVFAIL");
}

/* Half of the length arrives alone, and what follows the header is not taken for one. */
NAMES_CASE(an_answer_by_tcp_in_pieces)
{
    nameserver_says(server, SAYS_CUT_OFF);
    server->splits = true;
    server->ipv4.addresses[0] = "127.0.0.1";
    arrive(w, server, "a.test");
    server->by_tcp = TCP_FAILS;
    fails_with(w, server, PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "SERVFAIL");
}

/* `options timeout:1 attempts:1`: without them it takes 14 s. */
static void nobody_answers(struct world *w, enum says says)
{
    struct nameserver server;
    long long before = now_ms();

    nameserver_is_needed("the options timeout and attempts");
    if (!netns_enter("the options timeout and attempts"))
        return;
    netns_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions ndots:1 timeout:1 attempts:1\n");
    nameserver_begin_at(&server, 53);
    nameserver_says(&server, says);
    fails_with(w, &server, PLX_NAME_RESOLUTION, PLX_REASON_SOCKET_TIMEOUT, ETIMEDOUT,
               "the name server did not answer");
    ck_assert_int_eq(server.asked4, WAYS);
    ck_assert_int_eq(server.asked6, WAYS);
    ck_assert_int_ge(now_ms() - before, 900);
    ck_assert_int_lt(now_ms() - before, 10000);
    nameserver_end(&server);
}

MODE_CASE(a_silent_server)
{
    nobody_answers(w, SAYS_NOTHING);
}

MODE_CASE(a_server_that_answers_other_questions)
{
    nobody_answers(w, SAYS_WRONG_ID);
}

MODE_CASE(a_server_that_answers_garbage)
{
    nobody_answers(w, SAYS_GARBAGE);
}

/* Sends the answer to the questions that the name server holds from another port, which is how an
 * answer is forged: its sender has to guess the id, and this one even knows it. */
static void forge_answers(const struct nameserver *server)
{
    struct nameserver stranger;

    nameserver_begin_at(&stranger, 0);
    stranger.ipv4 = ADDRESSES("127.0.0.1");
    stranger.ipv6 = ADDRESSES("::1");
    memcpy(stranger.held, server->held, sizeof stranger.held);
    stranger.held_count = server->held_count;
    nameserver_release(&stranger);
    ck_assert_int_eq(stranger.asked4 + stranger.asked6, server->held_count); /* all answered */
    nameserver_end(&stranger);
}

NAMES_CASE(answers_of_a_stranger)
{
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        server->holds = true;
        asker_begin(w, &asker, (enum way)way, "a.test");
        UNTIL_ASKED(w, server, server->held_count == 2);
        forge_answers(server);
        world_settle(w);
        ck_assert(!asker_reached(&asker));
        ck_assert(!asker_failed(&asker));
        nameserver_release(server);
        UNTIL_ASKED(w, server, asker_failed(&asker));
        ck_assert_int_eq(asker.log.reason, PLX_REASON_HOST_NOT_FOUND);
    }
}

/* There is no proof that an address is the one that the owner of the name chose. */
NAMES_CASE(an_address_inside_for_a_name_outside)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    arrive(w, server, "www.example.com");
}

NAMES_CASE(the_time_of_connect_is_over)
{
    nameserver_says(server, SAYS_NOTHING);
    for (int way = 0; way < WAY_UDP_WRITE; way++) {
        struct asker asker;

        asker_prepare(w, &asker, (enum way)way);
        ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_CONNECT_TIMEOUT, 100), 0);
        asker_ask(&asker, "a.test");
        UNTIL_ASKED(w, server, asker_failed(&asker));
        ck_assert_int_eq(asker.log.code, PLX_NAME_RESOLUTION);
        ck_assert_int_eq(asker.log.reason, PLX_REASON_SOCKET_TIMEOUT);
        ck_assert_int_eq(asker.log.os_error, ETIMEDOUT);
        ck_assert_ptr_nonnull(strstr(asker.log.message, "a.test: the name server did not answer"));
    }
}

/* Writing to a name has no time of its own, but a lookup has. */
NAMES_CASE(the_time_of_a_lookup_is_over)
{
    struct asker asker;

    time_stop();
    nameserver_says(server, SAYS_NOTHING);
    asker_begin(w, &asker, WAY_UDP_WRITE, "a.test");
    world_settle(w);
    ck_assert(!asker_failed(&asker));
    time_pass(60000);
    UNTIL_ASKED(w, server, asker_failed(&asker));
    ck_assert_int_eq(asker.log.reason, PLX_REASON_SOCKET_TIMEOUT);
    ck_assert_int_eq(asker.log.os_error, ETIMEDOUT);
}

/* ---- two families ---------------------------------------------------------------------------- */

NAMES_CASE(silent_about_ipv6)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6.says = SAYS_NOTHING;
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;
        long long before = now_ms();

        asker_begin(w, &asker, (enum way)way, "a.test");
        UNTIL_ASKED(w, server, asker_reached(&asker));
        ck_assert_int_ge(now_ms() - before, 49);   /* it was given the time to answer */
        ck_assert_int_lt(now_ms() - before, 20000); /* and c-ares did not ask again */
    }
    ck_assert_int_eq(server->asked6, WAYS);
}

/* The other way round there is nothing to wait for (RFC 8305, 3). */
NAMES_CASE(silent_about_ipv4)
{
    struct record log;
    plx_socket *listening = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
    char where[WHERE_SIZE];
    long long before;

    server->ipv4.says = SAYS_NOTHING;
    server->ipv6 = ADDRESSES("::1");
    ck_assert_int_eq(plx_socket_listen_on(listening, "[::1]:0"), 0);
    snprintf(where, sizeof where, "a.test:%d", plx_socket_port(listening));
    before = now_ms();
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL_ASKED(w, server, log.count[EVENT_CONNECTED] > 0);
    ck_assert_int_lt(now_ms() - before, 20000);
    ck_assert_str_eq(plx_socket_remote_address(socket), "::1");
}

MODE_CASE(a_family_that_fails_costs_nothing)
{
    static const enum says sorts[] = {SAYS_FAILED, SAYS_REFUSED, SAYS_NO_SUCH_NAME, SAYS_NO_DATA};

    for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++) {
        struct nameserver server;

        nameserver_begin(&server);
        server.ipv4 = ADDRESSES("127.0.0.1");
        server.ipv6.says = sorts[i];
        arrive(w, &server, "a.test");
        nameserver_end(&server);
    }
}

/* An address to which there is no route is tried last, and costs nothing. */
MODE_CASE(an_address_without_a_route)
{
    struct nameserver server;

    if (!netns_enter("an address without a route"))
        return;
    nameserver_begin(&server);
    server.ipv4 = ADDRESSES("192.0.2.1", "127.0.0.1");
    server.ipv6 = ADDRESSES("2001:db8::1", "2001:db8::2");
    arrive(w, &server, "a.test");
    nameserver_end(&server);
}

MODE_CASE(one_family_only)
{
    for (int protocol = 0; protocol < 2; protocol++) {
        struct nameserver server;

        nameserver_begin(&server);
        for (int way = 0; way < WAYS; way++) {
            struct asker asker;

            asker_prepare(w, &asker, (enum way)way);
            ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_PROTOCOL, protocol), 0);
            asker_ask(&asker, "a.test");
            UNTIL_ASKED(w, &server, asker_failed(&asker));
            ck_assert_int_eq(asker.log.reason, PLX_REASON_HOST_NOT_FOUND);
        }
        ck_assert_int_eq(server.asked4, protocol == 0 ? WAYS : 0);
        ck_assert_int_eq(server.asked6, protocol == 0 ? 0 : WAYS);
        nameserver_end(&server);
    }
}

/* A listener at a port of both loopback addresses, of which IPv4 refuses or hangs. */
static plx_socket *listen_by_ipv6(struct world *w, bool hangs, char *ret_where)
{
    plx_socket *listening = world_socket_of(w, plx_tcp_new, NULL);
    char where[WHERE_SIZE], by_six[WHERE_SIZE];

    if (hangs) { /* with its queue full the kernel answers no SYN */
        raw_listen(w, 0, where);
        raw_connect(w, where);
    } else {
        raw_refusing(w, where);
    }
    snprintf(by_six, sizeof by_six, "[::1]%s", strrchr(where, ':'));
    ck_assert_int_eq(plx_socket_set_option(listening, PLX_OPTION_PROTOCOL, 1), 0);
    ck_assert_int_eq(plx_socket_listen_on(listening, by_six), 0);
    where_by_name("a.test", where, ret_where);
    return listening;
}

static void joins_the_race(struct world *w, bool hangs)
{
    struct nameserver server;
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
    char where[WHERE_SIZE];

    listen_by_ipv6(w, hangs, where);
    nameserver_begin(&server);
    server.ipv4 = ADDRESSES("127.0.0.1");
    server.ipv6.says = SAYS_LATER;
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL_ASKED(w, &server, plx_socket_state(socket) == PLX_CONNECTING);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(socket),
                     PLX_CONNECTING); /* also when all has failed so far */
    server.ipv6 = ADDRESSES("::1");
    nameserver_release(&server);
    UNTIL_ASKED(w, &server, log.count[EVENT_CONNECTED] > 0 || log.count[EVENT_ERROR] > 0);
    LOGGED(w, &log, "state:HOST_LOOKUP state:CONNECTING state:CONNECTED connected[CONNECTED]");
    ck_assert_str_eq(plx_socket_remote_address(socket), "::1");
    nameserver_end(&server);
}

MODE_CASE(a_late_answer_while_the_first_hangs)
{
    joins_the_race(w, true);
}

MODE_CASE(a_late_answer_after_the_first_failed)
{
    joins_the_race(w, false);
}

NAMES_CASE(a_late_answer_that_there_is_none)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
    char where[WHERE_SIZE], name[WHERE_SIZE];

    raw_refusing(w, where);
    where_by_name("a.test", where, name);
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6.says = SAYS_LATER;
    ck_assert_int_eq(plx_socket_connect_to(socket, name), 0);
    UNTIL_ASKED(w, server, plx_socket_state(socket) == PLX_CONNECTING);
    world_settle(w);
    server->ipv6.says = SAYS_NO_DATA;
    nameserver_release(server);
    UNTIL_ASKED(w, server, log.count[EVENT_ERROR] > 0);
    ck_assert_int_eq(log.code, ECONNREFUSED); /* and nothing about the lookup */
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

/* 4 000 and 2 300 addresses are what a stream can carry. */
NAMES_CASE(thousands_of_addresses)
{
    long long longest = 0, most = under_valgrind() ? 3000000 : 40000;

    nameserver_says(server, SAYS_ADDRESSES);
    server->ipv4.many = 4000;
    server->ipv4.addresses[0] = "127.0.0.1";
    server->ipv6.many = 2300;
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        asker_prepare(w, &asker, (enum way)way);
        if (way != WAY_TCP) /* it would stay at an IPv6 address to which there may be a route */
            ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_PROTOCOL, 0), 0);
        asker_ask(&asker, "a.test");
        for (int round = 0; !asker_reached(&asker); round++) {
            long long before;

            ck_assert_msg(round < ROUNDS, "%s: %s: in vain", world_name(w),
                          way_name((enum way)way));
            ck_assert_msg(!asker_failed(&asker), "%s: %s", world_name(w), asker.log.message);
            nameserver_serve(server);
            before = thread_us();
            world_turn(w, round);
            before = thread_us() - before;
            longest = before > longest ? before : longest;
        }
    }
    printf("# %s: 6300 addresses: the longest poll took %lld us of CPU time\n", world_name(w),
           longest);
    ck_assert_int_lt(longest, most);
}

/* An alias leads to what counts, and a name may be written with capitals and a dot at its end. */
NAMES_CASE(aliases)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->alias = "the.real.name.test";
    arrive(w, server, "a.test");
    arrive(w, server, "A.Test.");
}

WORLD_MAIN("lookup")
