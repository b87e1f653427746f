/* tests/test-lookup.c -- lookups without a socket: what they find, how they fail, and what their
 * handlers may do; alone and in a group. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "tests/clocks.h"
#include "tests/datagrams.h"
#include "tests/nameserver.h"
#include "tests/world.h"

struct quest {
    plx_lookup *lookup;
    plx_group *group;
    int count; /* calls of the handler */
    bool inside;
    void (*act)(struct quest *quest); /* in the handler; NULL: nothing */
    struct quest *other;
    struct nameserver *server;
    bool answer; /* of the act */
};

static void on_finished(plx_lookup *lookup, void *user)
{
    struct quest *quest = user;
    size_t count = 12345;
    const plx_address *addresses = plx_lookup_addresses(lookup, &count);

    ck_assert(!quest->inside);
    ck_assert_ptr_eq(lookup, quest->lookup);
    ck_assert_int_eq(addresses == NULL, count == 0);
    ck_assert_int_eq(plx_lookup_error(lookup)->code == 0, count > 0);
    quest->inside = true;
    quest->count++;
    if (quest->act != NULL)
        quest->act(quest);
    quest->inside = false;
}

static void quest_begin(struct world *w, struct quest *quest, const char *host, int protocol)
{
    memset(quest, 0, sizeof *quest);
    quest->group = w->group;
    quest->lookup = plx_lookup_new(host, protocol, on_finished, quest);
    ck_assert_ptr_nonnull(quest->lookup);
    ck_assert_int_eq(quest->count, 0);
    if (w->group != NULL) {
        ck_assert_int_eq(plx_group_add_lookup(w->group, quest->lookup), 0);
        ck_assert_int_eq(plx_group_add_lookup(w->group, quest->lookup), 0);
        ck_assert_uint_eq(plx_group_count(w->group), 0);
    }
}

/* Polls the quest alone, or its group. */
static bool turn(struct world *w, struct quest *quest)
{
    world_poll(w);
    if (w->group == NULL)
        plx_lookup_poll(quest->lookup);
    return quest->count > 0;
}

static void expect_error(struct world *w, const struct quest *quest, int code, plx_reason reason,
                         const char *message)
{
    const plx_error *error = plx_lookup_error(quest->lookup);
    size_t count = 12345;

    ck_assert_msg(error->code == code && error->reason == reason &&
                      strcmp(error->message, message) == 0,
                  "%s: %d, %d: %s", world_name(w), error->code, (int)error->reason, error->message);
    ck_assert_ptr_null(plx_lookup_addresses(quest->lookup, &count));
    ck_assert_uint_eq(count, 0);
}

static void expect_addresses(const struct quest *quest, const char *wanted)
{
    size_t count;
    const plx_address *addresses = plx_lookup_addresses(quest->lookup, &count);
    char text[500] = "", one[64];

    ck_assert_ptr_eq(plx_lookup_addresses(quest->lookup, NULL), addresses);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(addresses[i].port, 0);
        plx_address_format(&addresses[i], one, sizeof one);
        strncat(text, i > 0 ? " " : "", sizeof text - strlen(text) - 1);
        strncat(text, one, sizeof text - strlen(text) - 1);
    }
    ck_assert_str_eq(text, wanted);
}

/* Polls several times, and expects no further call. */
static void expect_once(struct world *w, struct quest *quest)
{
    for (int i = 0; i < 5; i++)
        turn(w, quest);
    ck_assert_int_eq(quest->count, 1);
    ck_assert(!plx_lookup_poll(quest->lookup));
    ck_assert(plx_lookup_wait(quest->lookup, -1));
    ck_assert_int_eq(quest->count, 1);
    plx_lookup_free(quest->lookup);
}

/* ---- without a name server ------------------------------------------------------------------- */

static void finds(struct world *w, const char *host, int protocol, const char *wanted)
{
    struct quest quest;

    quest_begin(w, &quest, host, protocol);
    ck_assert(turn(w, &quest));
    expect_addresses(&quest, wanted);
    expect_once(w, &quest);
}

MODE_CASE(addresses_are_found_in_the_first_poll)
{
    finds(w, "127.0.0.1", 2, "127.0.0.1:0");
    finds(w, "127.0.0.1", 0, "127.0.0.1:0");
    finds(w, "::1", 2, "[::1]:0");
    finds(w, "::1", 1, "[::1]:0");
    finds(w, "::ffff:1.2.3.4", 0, "1.2.3.4:0");
    finds(w, "fe80::1%1", 2, "[fe80::1%1]:0");
}

static void fails(struct world *w, const char *host, int protocol, int code, plx_reason reason,
                  const char *message)
{
    struct quest quest;

    quest_begin(w, &quest, host, protocol);
    ck_assert(turn(w, &quest));
    expect_error(w, &quest, code, reason, message);
    expect_once(w, &quest);
}

MODE_CASE(what_is_no_name_fails_in_the_first_poll)
{
    const plx_reason empty = PLX_REASON_EMPTY_HOST_NAME, unknown = PLX_REASON_HOST_NOT_FOUND;
    const plx_reason wrong = PLX_REASON_OPERATION;
    char name[1000], message[1100];

    fails(w, "", 2, PLX_NAME_RESOLUTION, empty, "look up \"\": no host name given");
    fails(w, NULL, 2, PLX_NAME_RESOLUTION, empty, "look up \"\": no host name given");
    fails(w, "a b", 2, PLX_NAME_RESOLUTION, unknown,
          "look up a b: it has a character that no host name has");
    fails(w, "127.1", 2, PLX_NAME_RESOLUTION, unknown,
          "look up 127.1: it looks like an IPv4 address and is none");
    fails(w, "a.test", 3, PLX_INVALID_STATE, wrong, "look up a.test: the protocol is not 0 to 2");
    fails(w, "a.test", -1, PLX_INVALID_STATE, wrong, "look up a.test: the protocol is not 0 to 2");
    fails(w, NULL, 99, PLX_INVALID_STATE, wrong, "look up \"\": the protocol is not 0 to 2");
    memset(name, 'a', sizeof name);
    name[260] = '\0';
    snprintf(message, sizeof message, "look up %s: it is longer than a host name can be", name);
    fails(w, name, 2, PLX_NAME_RESOLUTION, unknown, message);
}

MODE_CASE(an_address_of_the_other_family)
{
    struct quest quest;

    quest_begin(w, &quest, "::1", 0);
    ck_assert(turn(w, &quest));
    ck_assert_int_eq(plx_lookup_error(quest.lookup)->code, PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx_lookup_error(quest.lookup)->os_error, EAFNOSUPPORT);
    expect_once(w, &quest);
}

PLAIN_CASE(nothing)
{
    size_t count = 12345;

    ck_assert_ptr_null(plx_lookup_free(NULL));
    ck_assert(!plx_lookup_poll(NULL));
    ck_assert(!plx_lookup_wait(NULL, -1));
    ck_assert_ptr_null(plx_lookup_addresses(NULL, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(plx_lookup_addresses(NULL, NULL));
    ck_assert_int_eq(plx_lookup_error(NULL)->code, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_lookup(NULL, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_remove_lookup(NULL, NULL), PLX_INVALID_STATE);
}

MODE_CASE(without_a_handler)
{
    plx_lookup *lookup = plx_lookup_new("127.0.0.1", 2, NULL, NULL);

    ck_assert_ptr_nonnull(plx_lookup_addresses(lookup, NULL)); /* known, and not reported yet */
    ck_assert(!plx_lookup_poll(lookup));
    ck_assert_int_eq(plx_group_add_lookup(w->group, lookup),
                     w->group == NULL ? PLX_INVALID_STATE : 0);
    plx_lookup_free(lookup);
}

/* ---- with a name server ---------------------------------------------------------------------- */

NAMES_CASE(in_the_order_in_which_a_socket_tries_them)
{
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
    server->ipv6 = ADDRESSES("::1");
    quest_begin(w, &quest, "a.test", 2);
    ck_assert_ptr_null(plx_lookup_addresses(quest.lookup, NULL));
    ck_assert_int_eq(plx_lookup_error(quest.lookup)->code, 0);
    ck_assert_str_eq(plx_lookup_error(quest.lookup)->message, "");
    UNTIL_ASKED(w, server, turn(w, &quest));
    ck_assert_int_eq(server->asked4, 1);
    ck_assert_int_eq(server->asked6, 1);
    ck_assert_ptr_nonnull(plx_lookup_addresses(quest.lookup, NULL));
    if (plx_lookup_addresses(quest.lookup, NULL)[0].family == 6)
        expect_addresses(&quest, "[::1]:0 127.0.0.2:0 127.0.0.1:0");
    expect_once(w, &quest);
}

NAMES_CASE(one_family_alone)
{
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
    server->ipv6 = ADDRESSES("::1");
    quest_begin(w, &quest, "a.test", 0);
    UNTIL_ASKED(w, server, turn(w, &quest));
    expect_addresses(&quest, "127.0.0.2:0 127.0.0.1:0");
    ck_assert_int_eq(server->asked6, 0);
    expect_once(w, &quest);
    quest_begin(w, &quest, "a.test", 1);
    UNTIL_ASKED(w, server, turn(w, &quest));
    expect_addresses(&quest, "[::1]:0");
    expect_once(w, &quest);
}

/* The other family has 500 ms, whichever it is, then the lookup is over. */
static void expect_patience(struct world *w, struct nameserver *server, const char *found)
{
    struct quest quest;

    server->asked4 = server->asked6 = 0;
    time_stop();
    quest_begin(w, &quest, "a.test", 2);
    UNTIL_ASKED(w, server, (turn(w, &quest), server->asked4 > 0 && server->asked6 > 0));
    for (int i = 0; i < 20; i++)
        ck_assert(!turn(w, &quest));
    time_pass(499);
    ck_assert(!turn(w, &quest));
    time_pass(1);
    ck_assert(turn(w, &quest));
    expect_addresses(&quest, found);
    expect_once(w, &quest);
    time_run();
}

NAMES_CASE(one_family_is_silent)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6.says = SAYS_NOTHING;
    expect_patience(w, server, "127.0.0.1:0");
    server->ipv6 = ADDRESSES("::1");
    server->ipv4.says = SAYS_NOTHING;
    expect_patience(w, server, "[::1]:0");
}

static uint64_t jumping_time;

static uint64_t jump(void *user CK_ATTRIBUTE_UNUSED)
{
    return jumping_time += 300000000;
}

/* The 500 ms end between two readings of the clock in one poll: the next moment has passed then. */
NAMES_CASE(the_clock_jumps)
{
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.1");
    server->ipv6.says = SAYS_NOTHING;
    quest_begin(w, &quest, "a.test", 2);
    UNTIL_ASKED(w, server, (server->asked4 > 0 && server->asked6 > 0) || turn(w, &quest));
    jumping_time = plx_clock_now();
    plx_clock_set(jump, NULL);
    for (int i = 0; i < 4; i++)
        turn(w, &quest);
    plx_clock_set(NULL, NULL);
    expect_addresses(&quest, "127.0.0.1:0");
    expect_once(w, &quest);
}

NAMES_CASE(one_family_is_late)
{
    struct quest quest;

    server->ipv4.says = SAYS_LATER;
    server->ipv6 = ADDRESSES("::1");
    time_stop();
    quest_begin(w, &quest, "a.test", 2);
    UNTIL_ASKED(w, server, (turn(w, &quest), server->asked6 > 0 && server->held_count > 0));
    for (int i = 0; i < 20; i++)
        ck_assert(!turn(w, &quest));
    server->ipv4 = ADDRESSES("127.0.0.1");
    nameserver_release(server);
    UNTIL_ASKED(w, server, turn(w, &quest));
    expect_addresses(&quest, plx_lookup_addresses(quest.lookup, NULL)[0].family == 6
                                 ? "[::1]:0 127.0.0.1:0"
                                 : "127.0.0.1:0 [::1]:0");
    expect_once(w, &quest);
    time_run();
}

NAMES_CASE(no_such_name)
{
    struct quest quest;

    nameserver_says(server, SAYS_NO_SUCH_NAME);
    quest_begin(w, &quest, "a.test", 2);
    UNTIL_ASKED(w, server, turn(w, &quest));
    expect_error(w, &quest, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND,
                 "look up a.test: the host name has no address (NameResolution)");
    expect_once(w, &quest);
}

/* The errors are those of a connect. */
NAMES_CASE(as_a_connect_fails)
{
    static const enum says says[] = {SAYS_NO_DATA, SAYS_NO_SUCH_NAME, SAYS_FAILED, SAYS_REFUSED};

    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        struct record log;
        plx_socket *socket;
        struct quest quest;
        const plx_error *error;

        nameserver_says(server, says[i]);
        quest_begin(w, &quest, "a.test", 2);
        socket = world_socket_of(w, plx_tcp_new, &log);
        ck_assert_int_eq(plx_socket_connect_to(socket, "a.test:80"), 0);
        UNTIL_ASKED(w, server, turn(w, &quest) && log.count[EVENT_ERROR] > 0);
        error = plx_lookup_error(quest.lookup);
        ck_assert_int_eq(error->code, log.code);
        ck_assert_int_eq(error->reason, log.reason);
        ck_assert_int_eq(error->os_error, log.os_error);
        ck_assert_str_eq(error->message, log.message);
        expect_once(w, &quest);
        world_free(w, socket);
    }
}

/* ---- cancelling, moving, waiting ------------------------------------------------------------- */

NAMES_CASE(freed_while_it_looks)
{
    struct quest quests[10];

    nameserver_says(server, SAYS_NOTHING);
    for (int i = 0; i < 10; i++)
        quest_begin(w, &quests[i], "a.test", 2);
    UNTIL_ASKED(w, server, (turn(w, &quests[0]), server->asked4 > 0));
    for (int i = 0; i < 10; i++) {
        plx_lookup_free(quests[i].lookup);
        ck_assert_int_eq(quests[i].count, 0);
    }
    world_settle(w);
}

static void free_itself(struct quest *quest)
{
    plx_lookup *lookup = quest->lookup;
    size_t count;

    plx_lookup_free(lookup);
    plx_lookup_free(lookup);
    ck_assert_ptr_null(plx_lookup_addresses(lookup, &count));
    ck_assert(!plx_lookup_poll(lookup));
    ck_assert(!plx_lookup_wait(lookup, -1));
    ck_assert_int_eq(plx_group_add_lookup(quest->group, lookup), PLX_INVALID_STATE);
    quest->lookup = NULL;
}

static void free_other(struct quest *quest)
{
    quest->other->lookup = plx_lookup_free(quest->other->lookup);
}

static void poll_itself(struct quest *quest)
{
    ck_assert(!plx_lookup_poll(quest->lookup));
    ck_assert(plx_lookup_wait(quest->lookup, -1));
    plx_group_poll(quest->group, 0);
}

MODE_CASE(in_the_handler)
{
    struct quest a, b;

    quest_begin(w, &a, "127.0.0.1", 2);
    a.act = free_itself;
    ck_assert(turn(w, &a));
    quest_begin(w, &a, "", 2);
    quest_begin(w, &b, "::1", 2);
    a.act = free_other;
    a.other = &b;
    ck_assert(turn(w, &a));
    ck_assert_int_eq(b.count, 0);
    plx_lookup_free(a.lookup);
    quest_begin(w, &a, "::1", 2);
    a.act = poll_itself;
    ck_assert(turn(w, &a));
    expect_once(w, &a);
    quest_begin(w, &a, "127.0.0.1", 2);
    a.act = free_itself;
    ck_assert(plx_lookup_wait(a.lookup, 1000));
    ck_assert_int_eq(a.count, 1);
}

NAMES_CASE(a_wait_ends_with_the_result)
{
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.1");
    nameserver_start(server);
    quest_begin(w, &quest, "a.test", 2);
    ck_assert(plx_lookup_wait(quest.lookup, 30000));
    ck_assert_int_eq(quest.count, 1);
    nameserver_stop(server);
    expect_addresses(&quest, "127.0.0.1:0");
    expect_once(w, &quest);
}

NAMES_CASE(a_wait_ends_with_its_time)
{
    struct quest quest;
    long long begin = now_ms();

    nameserver_says(server, SAYS_NOTHING);
    quest_begin(w, &quest, "a.test", 2);
    ck_assert(!plx_lookup_wait(quest.lookup, 50));
    ck_assert_int_ge(now_ms() - begin, 50);
    ck_assert(!plx_lookup_wait(quest.lookup, 0));
    time_stop();
    ck_assert(!plx_lookup_wait(quest.lookup, 20)); /* the program's clock stands */
    time_run();
    ck_assert(plx_lookup_poll(quest.lookup));
    plx_lookup_free(quest.lookup);
}

static void wait_for_other(struct quest *quest)
{
    nameserver_start(quest->server);
    quest->answer = plx_lookup_wait(quest->other->lookup, 30000);
    nameserver_stop(quest->server);
    ck_assert_int_eq(quest->other->count, quest->group == NULL ? 1 : 0);
    expect_addresses(quest->other, "127.0.0.1:0");
}

/* In a handler of the group the wait is for the addresses, and a later poll reports them. */
NAMES_CASE(a_wait_in_a_handler)
{
    struct quest a, b;

    server->ipv4 = ADDRESSES("127.0.0.1");
    quest_begin(w, &a, "::1", 2);
    quest_begin(w, &b, "a.test", 2);
    a.act = wait_for_other;
    a.other = &b;
    a.server = server;
    ck_assert(turn(w, &a));
    ck_assert(a.answer);
    turn(w, &b);
    turn(w, &b);
    ck_assert_int_eq(b.count, 1);
    expect_once(w, &a);
    expect_once(w, &b);
}

NAMES_CASE(moving)
{
    plx_group *elsewhere = plx_group_new();
    struct quest quest;

    quest_begin(w, &quest, "a.test", 2);
    ck_assert_int_eq(plx_group_add_lookup(elsewhere, quest.lookup), 0);
    ck_assert_int_eq(plx_group_remove_lookup(w->group, quest.lookup), PLX_INVALID_STATE);
    UNTIL_ASKED(w, server, (plx_group_poll(elsewhere, 0), server->asked4 > 0));
    ck_assert_int_eq(plx_group_remove_lookup(elsewhere, quest.lookup), 0);
    UNTIL_ASKED(w, server, !plx_lookup_poll(quest.lookup));
    ck_assert_int_eq(quest.count, 1);
    plx_lookup_free(quest.lookup);
    quest_begin(w, &quest, "a.test", 2);
    ck_assert_int_eq(plx_group_add_lookup(elsewhere, quest.lookup), 0);
    plx_group_free(elsewhere);
    UNTIL_ASKED(w, server, !plx_lookup_poll(quest.lookup));
    ck_assert_int_eq(quest.count, 1);
    plx_lookup_free(quest.lookup);
}

#ifdef SYS_epoll_ctl
/* Neither the new group nor the old one can watch it. */
NAMES_CASE(a_kernel_that_watches_nothing_more)
{
    plx_group *elsewhere = plx_group_new();
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.1");
    quest_begin(w, &quest, "a.test", 2);
    turn(w, &quest);
    if (w->mode > MODE_POLL && kernel_denies(SYS_epoll_ctl, EPOLL_CTL_ADD, ENOSPC))
        ck_assert_int_eq(plx_group_add_lookup(elsewhere, quest.lookup), ENOSPC);
    UNTIL_ASKED(w, server, turn(w, &quest));
    expect_addresses(&quest, "127.0.0.1:0");
    expect_once(w, &quest);
    plx_group_free(elsewhere);
}
#endif

/* A timed poll of the group sleeps until the answer arrives. */
NAMES_CASE(a_timed_poll)
{
    struct quest quest;

    server->ipv4 = ADDRESSES("127.0.0.1");
    nameserver_start(server);
    quest_begin(w, &quest, "a.test", 2);
    for (int i = 0; w->group != NULL && quest.count == 0 && i < ROUNDS; i++)
        plx_group_poll(w->group, 10000);
    ck_assert_int_eq(quest.count, w->group != NULL);
    nameserver_stop(server);
    plx_lookup_free(quest.lookup);
}

/* Sleeps until the second of CLOCK_MONOTONIC reaches that number of milliseconds. */
static void sleep_until(int milliseconds)
{
    struct timespec now, pause = {0, 0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    pause.tv_nsec = (1000000000 + milliseconds * 1000000L - now.tv_nsec) % 1000000000;
    nanosleep(&pause, NULL);
}

/* A lookup that was polled in vain makes no poll of its group urgent, also not in the last
 * millisecond of the name server's time. c-ares counts that as none where it ends in the same second
 * of the clock. */
NAMES_CASE(a_silent_name_server_makes_no_idle_frames)
{
    enum { LAST = 30, FEW = 10 };
    struct quest quest;
    int idle = 0;

    if (w->group == NULL || strcmp(plx_group_mechanism(w->group), "poll") != 0)
        return;
    setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
    nameserver_says(server, SAYS_NOTHING);
    sleep_until(600);
    quest_begin(w, &quest, "a.test", 0);
    while (plx_lookup_poll(quest.lookup)) {
        int deadline = plx_group_deadline(w->group);

        idle += deadline == 0;
        plx_group_poll(w->group, deadline > LAST ? deadline - LAST : 0);
    }
    ck_assert_msg(idle <= FEW, "%s: %d polls", world_name(w), idle);
    expect_error(w, &quest, PLX_NAME_RESOLUTION, PLX_REASON_SOCKET_TIMEOUT,
                 "look up a.test: the name server did not answer: timed out (ETIMEDOUT)");
    plx_lookup_free(quest.lookup);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Each allocation fails once: there is no lookup, or it fails, or it works. */
NAMES_CASE(every_allocation_fails_once)
{
    bool failed = true;

    for (int number = 1; failed; number++) {
        struct quest quest = {.group = w->group};
        int code = 0;

        server->ipv4 = ADDRESSES("127.0.0.1");
        fail_allocation(number);
        quest.lookup = plx_lookup_new("a.test", 2, on_finished, &quest);
        if (quest.lookup != NULL && w->group != NULL)
            code = plx_group_add_lookup(w->group, quest.lookup);
        ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
        if (quest.lookup != NULL && code == 0)
            UNTIL_ASKED(w, server, turn(w, &quest));
        failed = allocation_failed();
        fail_allocation(0);
        if (quest.lookup != NULL && !failed)
            expect_addresses(&quest, "127.0.0.1:0");
        plx_lookup_free(quest.lookup);
    }
}

WORLD_MAIN("lookup")
