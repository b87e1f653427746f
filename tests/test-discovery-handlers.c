/* tests/test-discovery-handlers.c -- discoveries in combination: with each other, with sockets, with
 * processes, and without memory or descriptors. */
#include "config.h"

#include <signal.h>
#include <sys/wait.h>

#include "tests/netns.h"
#include "tests/parties.h"
#include "tests/scarce.h"
#include "tests/sockets.h"

/* ---- each other ------------------------------------------------------------------------------ */

SECTION("each other");

static void free_other(struct party *party)
{
    if (party->other->discovery != NULL)
        party_end(party->other);
}

static void serve_left(struct world *w, struct party *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair[i].discovery != NULL)
            parties_serve(w, &pair[i], 1);
}

/* In lone mode a handler frees one that is not polled; in a group, one that is polled next or was
 * polled before. */
static void frees(struct world *w, int mask)
{
    struct party pair[2];

    parties_meet(w, pair);
    for (int i = 0; i < 2; i++) {
        pair[i].other = &pair[1 - i];
        pair[i].act = (mask & (1 << i)) != 0 ? free_other : NULL;
        plx_discovery_send_to_group(pair[i].discovery, NULL, i, "to the other", 12);
    }
    for (int turn = 0; pair[0].discovery != NULL && pair[1].discovery != NULL; turn++) {
        ck_assert_int_lt(turn, ROUNDS);
        serve_left(w, pair);
    }
    for (int turn = 0; turn < 20; turn++)
        serve_left(w, pair);
    ck_assert(pair[0].discovery != NULL || pair[1].discovery != NULL);
    parties_part(pair);
}

MODE_CASE(a_handler_frees_another)
{
    frees(w, 1);
    frees(w, 2);
}

MODE_CASE(two_free_each_other)
{
    for (int i = 0; i < 5; i++)
        frees(w, 3);
}

static void move_other(struct party *party)
{
    plx_group_remove_discovery(party->group, party->other->discovery);
    if (party->group != NULL)
        ck_assert_int_eq(plx_group_add_discovery(party->group, party->other->discovery), 0);
}

/* Taken out and added again within the poll, it is served no second time in it. */
MODE_CASE(a_handler_moves_another)
{
    struct party pair[2];

    parties_meet(w, pair);
    for (int i = 0; i < 2; i++) {
        pair[i].other = &pair[1 - i];
        pair[i].act = move_other;
    }
    for (int i = 0; i < 20; i++) {
        plx_discovery_send_to_group(pair[0].discovery, NULL, i, "a", 1);
        plx_discovery_send_to_group(pair[1].discovery, NULL, i, "b", 1);
        parties_settle(w, pair, 2);
    }
    ck_assert_int_eq(pair[0].messages, 20);
    ck_assert_int_eq(pair[1].messages, 20);
    parties_part(pair);
}

/* ---- sockets --------------------------------------------------------------------------------- */

SECTION("sockets");

struct waiting {
    struct party *pair;
    int waits;
    bool result;
};

static void wait_inside(struct record *record, plx_socket *socket)
{
    struct waiting *waiting = record->data;
    int messages = waiting->pair[0].messages;

    (void)socket;
    plx_discovery_send_to_group(waiting->pair[1].discovery, NULL, 5, "inside", 6);
    plx_socket_read_all(socket, NULL);
    plx_discovery_poll(waiting->pair[1].discovery);
    waiting->result = plx_discovery_wait(waiting->pair[0].discovery, 20);
    waiting->waits++;
    ck_assert(waiting->result == (waiting->pair[0].messages > messages));
}

/* A wait in the handler of a socket: in the same group it returns false at once, because the group
 * is being polled; alone it may serve. */
MODE_CASE(a_wait_in_the_handler_of_a_socket)
{
    struct party pair[2];
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
    struct waiting waiting = {pair, 0, false};

    parties_meet(w, pair);
    time_run();
    record_on(&log, EVENT_DATA_AVAILABLE, wait_inside, &waiting);
    log.always = true;
    for (int i = 1; i <= 3; i++) {
        raw_say(raw, "x");
        UNTIL(w, waiting.waits == i);
        ck_assert(w->group == NULL || !waiting.result);
        PARTIES_UNTIL(w, pair, 2, pair[0].messages == i);
    }
    parties_part(pair);
}

/* ---- processes ------------------------------------------------------------------------------- */

SECTION("processes", .timeout = 120);

/* What a member in a process of its own does: it joins, writes a byte, and goes on for ever. */
static void live(int written)
{
    plx_discovery *discovery = plx_discovery_new();

    plx_discovery_bind(discovery, party_port());
    plx_discovery_join(discovery, "team", "child", 5);
    plx_discovery_wait(discovery, 1000);
    if (write(written, "x", 1) != 1)
        _exit(1);
    for (;;)
        plx_discovery_wait(discovery, 1000);
}

/* Starts that process. The port is that of this process. */
static pid_t start(void)
{
    int ends[2], port = party_port();
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        party_use_port(port);
        close(ends[0]);
        live(ends[1]);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static void end(pid_t child)
{
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* Two real processes: one sees the other, and after kill -9 that it is gone within its lifetime. */
static void see_a_kill(struct world *w)
{
    struct party party;
    pid_t child = start();

    party_begin(&party, w);
    party_join(&party, "parent");
    PARTIES_UNTIL(w, &party, 1, party.joined == 2);
    PARTY_SAID(&party, "+self +child ");
    end(child);
    time_stop();
    parties_settle(w, &party, 1);
    for (int second = 0; second < 29 && party.left == 0; second++) {
        parties_settle(w, &party, 1);
        time_pass(SECOND);
    }
    ck_assert_int_eq(party.left, 0);
    time_pass(2 * SECOND);
    PARTIES_UNTIL(w, &party, 1, party.left == 1);
    PARTY_SAID(&party, "-child ");
    party_end(&party);
    time_run();
}

MODE_CASE(a_killed_process_is_seen)
{
    see_a_kill(w);
}

/* Two processes of one computer without IPv4. */
MODE_CASE(a_killed_process_is_seen_over_ipv6)
{
    int beside;

    if (!netns_enter("discovery without IPv4"))
        return;
    beside = netns_beside("discovery without IPv4", "here");
    if (beside < 0)
        return;
    netns_run("ip -4 addr flush dev lo");
    netns_wait_addresses();
    see_a_kill(w);
    close(beside);
}

/* A forked child may only free, and that says no goodbye for the parent. */
MODE_CASE(a_child_frees_and_nobody_leaves)
{
    struct party pair[2];
    int status;

    parties_meet(w, pair);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_discovery_free(pair[0].discovery);
        plx_discovery_free(pair[1].discovery);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    parties_settle(w, pair, 2);
    plx_discovery_send_to_group(pair[0].discovery, NULL, 1, "still", 5);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages == 1);
    PARTY_SAID(&pair[1], "group:1=still ");
    PARTY_SAID(&pair[0], "");
    ck_assert_uint_eq(party_knows(&pair[0]), 2);
    parties_part(pair);
}

/* ---- scarce ---------------------------------------------------------------------------------- */

SECTION("scarce");

static void join_without_memory(struct party *party)
{
    char about[200] = "larger than before";

    party->act = NULL;
    for (int number = 1; number < 20; number++) {
        fail_allocation(-number);
        int code = plx_discovery_join(party->discovery, "team", about, sizeof about);
        fail_allocation(0);
        ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
        plx_discovery_leave(party->discovery, NULL);
        fail_allocation(-number);
        code = plx_discovery_join(party->discovery, "team", "bob", 3);
        fail_allocation(0);
        ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
    }
    party_join(party, "bob");
}

MODE_CASE(no_memory_in_a_handler_that_joins)
{
    struct party pair[2];

    parties_meet(w, pair);
    pair[1].act = join_without_memory;
    plx_discovery_send_to_group(pair[0].discovery, NULL, 1, "now", 3);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages == 1);
    for (int i = 0; i < 4; i++) {
        time_pass(SECOND);
        parties_settle(w, pair, 2);
    }
    ck_assert_uint_eq(party_knows(&pair[0]), 2);
    ck_assert_uint_eq(party_knows(&pair[1]), 2);
    parties_part(pair);
}

/* Without descriptors for a group of its own, a discovery polls its sockets one by one, and a wait
 * ends within its time. */
MODE_CASE(no_descriptor_for_a_group)
{
    struct party pair[2];

    for (int i = 0; i < 2; i++) {
        party_begin(&pair[i], w);
        party_join(&pair[i], i == 0 ? "anna" : "bob");
    }
    take_descriptors();
    for (int i = 0; i < 2000 && (pair[0].joined < 2 || pair[1].joined < 2); i++)
        for (int k = 0; k < 2; k++)
            plx_discovery_wait(pair[k].discovery, 1);
    ck_assert_int_eq(pair[0].joined, 2);
    ck_assert_int_eq(pair[1].joined, 2);
    plx_discovery_wait(pair[0].discovery, 10);
    give_descriptors();
    plx_discovery_send_to_group(pair[0].discovery, NULL, 3, "later", 5);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages == 1);
    parties_part(pair);
}

WORLD_MAIN("discovery-handlers", .timeout = 60)
