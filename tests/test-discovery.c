/* tests/test-discovery.c -- programs on one computer that find each other, lose each other, and
 * send each other messages.
 *
 * Time is the test's own where a case waits for more than a moment. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/counting.h"
#include "tests/parties.h"
#include "tests/sockets.h"

static plx_member other_of(const struct party *party)
{
    plx_member list[8];
    size_t count = plx_discovery_members(party->discovery, "team", list, 8);

    for (size_t i = 0; i < count; i++)
        if (!list[i].is_self)
            return list[i];
    ck_abort_msg("knows nobody");
}

/* ---- members --------------------------------------------------------------------------------- */

SECTION("members");

MODE_CASE(two_programs_find_each_other)
{
    struct party pair[2];
    plx_member list[3];

    parties_meet(w, pair);
    memset(list, 0xee, sizeof list);
    ck_assert_uint_eq(plx_discovery_members(pair[0].discovery, "team", list, 3), 2);
    ck_assert(list[0].is_self);
    ck_assert_int_eq(list[0].age, 0);
    ck_assert_uint_eq(list[0].about_size, 4);
    ck_assert_mem_eq(list[0].about, "anna", 4);
    ck_assert(!list[1].is_self);
    ck_assert_uint_ne(list[1].id, 0);
    ck_assert_uint_ne(list[1].id, list[0].id);
    ck_assert_mem_eq(list[1].about, "bob", 3);
    ck_assert_uint_ne(list[1].address.port, 0);
    parties_part(pair);
}

MODE_CASE(a_goodbye_is_seen_at_once)
{
    struct party pair[2];

    parties_meet(w, pair);
    ck_assert_int_eq(plx_discovery_leave(pair[1].discovery, NULL), 0);
    PARTIES_UNTIL(w, pair, 2, pair[0].left == 1);
    PARTY_SAID(&pair[0], "-bob ");
    PARTY_SAID(&pair[1], "");
    ck_assert_uint_eq(party_knows(&pair[0]), 1);
    ck_assert_uint_eq(party_knows(&pair[1]), 0);
    party_join(&pair[1], "bob");
    parties_settle(w, pair, 2);
    time_pass(2 * SECOND);
    PARTIES_UNTIL(w, pair, 2, pair[0].joined == 3 && pair[1].joined == 4);
    PARTY_SAID(&pair[0], "+bob ");
    PARTY_SAID(&pair[1], "+self +anna ");
    party_end(&pair[1]);
    PARTIES_UNTIL(w, pair, 1, pair[0].left == 2);
    parties_part(pair);
}

/* The second `bye` of a group that is joined again is not sent. */
MODE_CASE(a_group_that_is_joined_again_stays)
{
    struct party pair[2];

    parties_meet(w, pair);
    ck_assert_int_eq(plx_discovery_leave(pair[1].discovery, "team"), 0);
    party_join(&pair[1], "bob");
    time_pass(SECOND);
    PARTIES_UNTIL(w, pair, 2, pair[0].joined == 3);
    time_pass(100);
    parties_settle(w, pair, 2);
    PARTY_SAID(&pair[0], "-bob +bob ");
    ck_assert_uint_eq(party_knows(&pair[0]), 2);
    parties_part(pair);
}

/* Without a word, as after kill -9. */
MODE_CASE(a_silent_member_is_gone_after_its_lifetime)
{
    struct party pair[2];
    plx_group *elsewhere = plx_group_new();

    parties_meet(w, pair);
    ck_assert_ptr_nonnull(elsewhere);
    ck_assert_int_eq(plx_group_add_discovery(elsewhere, pair[1].discovery), 0);
    for (int second = 0; second < 25; second++) {
        time_pass(SECOND);
        parties_serve(w, pair, 1);
    }
    PARTY_SAID(&pair[0], "");
    ck_assert_int_ge(other_of(&pair[0]).age, 25 * SECOND);
    time_pass(6 * SECOND);
    PARTIES_UNTIL(w, pair, 1, pair[0].left == 1);
    PARTY_SAID(&pair[0], "-bob ");
    plx_group_free(elsewhere);
    parties_part(pair);
}

MODE_CASE(about_is_replaced_by_another_join)
{
    struct party pair[2];

    parties_meet(w, pair);
    party_join(&pair[1], "robert");
    time_pass(SECOND);
    PARTIES_UNTIL(w, pair, 2, other_of(&pair[0]).about_size == 6);
    ck_assert_mem_eq(other_of(&pair[0]).about, "robert", 6);
    PARTY_SAID(&pair[0], "");
    PARTY_SAID(&pair[1], "");
    parties_part(pair);
}

/* Members that answer come back without a word to the program. */
MODE_CASE(a_refresh_forgets_and_asks)
{
    struct party trio[3];

    parties_meet(w, trio);
    party_begin(&trio[2], w);
    party_join(&trio[2], "carl");
    parties_settle(w, trio, 3);
    time_pass(2 * SECOND);
    PARTIES_UNTIL(w, trio, 3, trio[0].joined == 3);
    PARTY_SAID(&trio[0], "+carl ");
    if (w->group != NULL)
        plx_group_remove_discovery(w->group, trio[2].discovery);
    ck_assert_int_eq(plx_discovery_refresh(trio[0].discovery, "team"), 0);
    ck_assert_uint_eq(party_knows(&trio[0]), 1);
    parties_settle(w, trio, 2);
    time_pass(600);
    PARTIES_UNTIL(w, trio, 2, party_knows(&trio[0]) == 2);
    PARTY_SAID(&trio[0], "");
    time_pass(1500);
    PARTIES_UNTIL(w, trio, 2, trio[0].left == 1);
    PARTY_SAID(&trio[0], "-carl ");
    party_end(&trio[2]);
    parties_part(trio);
}

/* A member may not answer within a second of its last `here`. */
MODE_CASE(a_refresh_right_after_another)
{
    struct party pair[2];

    parties_meet(w, pair);
    ck_assert_int_eq(plx_discovery_refresh(pair[0].discovery, NULL), 0);
    parties_settle(w, pair, 2);
    time_pass(600);
    PARTIES_UNTIL(w, pair, 2, party_knows(&pair[0]) == 2);
    ck_assert_int_eq(plx_discovery_refresh(pair[0].discovery, NULL), 0);
    for (int i = 0; i < 30; i++) {
        parties_serve(w, pair, 2);
        parties_serve(w, pair, 2);
        time_pass(100);
    }
    ck_assert_uint_eq(party_knows(&pair[0]), 2);
    PARTY_SAID(&pair[0], "");
    parties_part(pair);
}

/* Equal lists everywhere, for ten minutes. */
MODE_CASE(a_crowd)
{
    enum { CROWD = 64 };
    static struct party crowd[CROWD];

    time_stop();
    for (int i = 0; i < CROWD; i++) {
        char name[8];

        party_begin(&crowd[i], w);
        snprintf(name, sizeof name, "n%d", i);
        party_join(&crowd[i], name);
    }
    for (int tick = 0; tick < 40; tick++) {
        time_pass(100);
        parties_serve(w, crowd, CROWD);
    }
    for (int second = 0; second < 600; second++) {
        time_pass(SECOND);
        parties_serve(w, crowd, CROWD);
        if (second % 60 == 0)
            for (int i = 0; i < CROWD; i++)
                PARTIES_UNTIL(w, crowd, CROWD, party_knows(&crowd[i]) == CROWD);
    }
    for (int i = 0; i < CROWD; i++) {
        ck_assert_int_eq(crowd[i].joined, CROWD);
        ck_assert_int_eq(crowd[i].left, 0);
        ck_assert_int_eq(crowd[i].errors, 0);
        party_end(&crowd[i]);
    }
    time_run();
}

/* ---- messages -------------------------------------------------------------------------------- */

SECTION("messages");

MODE_CASE(messages_arrive_once)
{
    struct party pair[2];
    char large[1174];

    memset(large, 'x', sizeof large);
    parties_meet(w, pair);
    plx_member bob = other_of(&pair[0]);
    ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, "team", 7, "all", 3), 0);
    ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, NULL, INT32_MAX, NULL, 0), 0);
    ck_assert_int_eq(plx_discovery_send_to(pair[0].discovery, &bob, 0, "you", 3), 0);
    ck_assert_int_eq(plx_discovery_send_to(pair[0].discovery, &bob, 8, large, 1174), 0);
    ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, NULL, 9, large, 1170), 0);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages == 5);
    parties_settle(w, pair, 2);
    char wanted[256];
    snprintf(wanted, sizeof wanted,
             "group:7=all group:%d= group:9=%.40s alone:0=you alone:8=%.40s ", INT32_MAX, large,
             large);
    PARTY_SAID(&pair[1], wanted);
    PARTY_SAID(&pair[0], "");
    ck_assert(!pair[1].last.is_self);
    ck_assert_mem_eq(pair[1].last.about, "anna", 4);
    parties_part(pair);
}

MODE_CASE(what_cannot_be_sent_is_refused)
{
    struct party pair[2];
    static const char large[1200];

    parties_meet(w, pair);
    plx_discovery *anna = pair[0].discovery;
    plx_member bob = other_of(&pair[0]), none = {0};
    ck_assert_int_eq(plx_discovery_send_to_group(anna, "other", 1, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to_group(anna, NULL, -1, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to_group(anna, NULL, 1, NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to_group(anna, NULL, 1, large, 1171), EMSGSIZE);
    ck_assert_int_eq(plx_discovery_error(anna)->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_int_eq(plx_discovery_send_to_group(anna, NULL, 1, large, SIZE_MAX), EMSGSIZE);
    ck_assert_int_eq(plx_discovery_send_to(anna, &bob, 1, large, 1175), EMSGSIZE);
    ck_assert_int_eq(plx_discovery_send_to(anna, &bob, INT32_MIN, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to(anna, &none, 1, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to(anna, NULL, 1, "", 0), PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(strstr(plx_discovery_error(anna)->message, "NULL"));
    bob.address.port = 0;
    ck_assert_int_eq(plx_discovery_send_to(anna, &bob, 1, "", 0), PLX_INVALID_PORT);
    parties_settle(w, pair, 2);
    PARTY_SAID(&pair[0], "error 106 "); /* the first one since the last poll */
    PARTY_SAID(&pair[1], "");
    parties_part(pair);
}

/* ---- calls ----------------------------------------------------------------------------------- */

SECTION("calls");

MODE_CASE(joining_needs_a_port_and_a_name)
{
    plx_discovery *discovery = plx_discovery_new();
    char long_name[65];

    memset(long_name, 'n', sizeof long_name);
    long_name[64] = '\0';
    ck_assert_ptr_nonnull(discovery);
    ck_assert_int_eq(plx_discovery_error(discovery)->code, 0);
    ck_assert_int_eq(plx_discovery_join(discovery, "team", NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_bind(discovery, 0), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_discovery_bind(discovery, -1), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_discovery_bind(discovery, 65536), PLX_INVALID_PORT);
    ck_assert(!plx_discovery_wait(discovery, -1));
    ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), 0);
    ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, NULL, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, "", NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, long_name, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, "\xff", NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, "team", NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(discovery, "team", "", 257), EMSGSIZE);
    ck_assert_int_eq(plx_discovery_leave(discovery, "team"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_leave(discovery, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_refresh(discovery, "team"), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_discovery_members(discovery, "team", NULL, 0), 0);
    long_name[63] = '\0';
    ck_assert_int_eq(plx_discovery_join(discovery, long_name, NULL, 0), 0);
    ck_assert_uint_eq(plx_discovery_members(discovery, NULL, NULL, 0), 1);
    plx_discovery_free(discovery);
    ck_assert_ptr_nonnull(w);
}

MODE_CASE(sixteen_groups)
{
    plx_discovery *discovery = plx_discovery_new();
    char name[8];

    ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), 0);
    for (int i = 0; i < 17; i++) {
        snprintf(name, sizeof name, "g%d", i);
        ck_assert_int_eq(plx_discovery_join(discovery, name, NULL, 0),
                         i < 16 ? 0 : PLX_INVALID_STATE);
    }
    ck_assert_int_eq(plx_discovery_send_to_group(discovery, NULL, 1, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_leave(discovery, "g3"), 0);
    ck_assert_int_eq(plx_discovery_join(discovery, "g16", NULL, 0), 0);
    plx_discovery_free(discovery);
    ck_assert_ptr_nonnull(w);
}

/* A group that is left waits for its second goodbye; only 64 of them do. */
MODE_CASE(groups_that_are_left_without_a_poll)
{
    enum { MANY = 100 };
    struct party party;
    size_t blocks = 0;
    char name[8];

    party_begin(&party, w);
    for (int i = 0; i < 2 * MANY; i++) {
        blocks = i == MANY ? count_blocks() : blocks;
        snprintf(name, sizeof name, "g%d", i);
        ck_assert_int_eq(plx_discovery_join(party.discovery, name, NULL, 0), 0);
        ck_assert_int_eq(plx_discovery_leave(party.discovery, name), 0);
    }
    ck_assert_uint_le(count_blocks(), blocks + 2);
    ck_assert_int_eq(party.errors, 0);
    party_end(&party);
}

/* A program without SO_REUSEADDR has the port. */
MODE_CASE(a_port_that_is_not_shared)
{
    struct party party;
    int raw = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)party_port())};
    plx_discovery *discovery = plx_discovery_new();

    ck_assert_int_eq(bind(raw, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_discovery_error(discovery)->code, PLX_ADDRESS_IN_USE);
    close(raw);
    ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), 0);
    plx_discovery_free(discovery);
    party_begin(&party, w);
    party_end(&party);
}

MODE_CASE(nothing_of_nothing)
{
    ck_assert_int_eq(plx_discovery_bind(NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_join(NULL, "a", NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_leave(NULL, "a"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_refresh(NULL, "a"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to_group(NULL, "a", 1, "", 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_discovery_send_to(NULL, NULL, 1, "", 0), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_discovery_members(NULL, "a", NULL, 0), 0);
    ck_assert_int_eq(plx_discovery_error(NULL)->code, PLX_INVALID_STATE);
    ck_assert(!plx_discovery_poll(NULL));
    ck_assert(!plx_discovery_wait(NULL, -1));
    ck_assert_int_eq(plx_group_add_discovery(w->group, NULL), PLX_INVALID_STATE);
    plx_group_remove_discovery(w->group, NULL);
    plx_group_remove_discovery(NULL, NULL);
    plx_discovery_set_events(NULL, NULL, NULL);
    ck_assert_ptr_null(plx_discovery_free(NULL));
}

MODE_CASE(a_wait_ends_with_news_or_its_time)
{
    struct party party;

    party_begin(&party, w);
    ck_assert(!plx_discovery_wait(party.discovery, 0));
    ck_assert(!plx_discovery_wait(party.discovery, 30));
    party_join(&party, "anna");
    ck_assert(plx_discovery_wait(party.discovery, 5000));
    PARTY_SAID(&party, "+self ");
    ck_assert(!plx_discovery_wait(party.discovery, 0));
    party_end(&party);
}

/* ---- handlers -------------------------------------------------------------------------------- */

SECTION("handlers");

static void free_self(struct party *party)
{
    party->discovery = plx_discovery_free(party->discovery);
}

static void leave_self(struct party *party)
{
    plx_discovery_leave(party->discovery, NULL);
}

static void rejoin(struct party *party)
{
    plx_discovery_leave(party->discovery, NULL);
    plx_discovery_join(party->discovery, "team", "again", 5);
}

static void serve_inside(struct party *party)
{
    ck_assert(!plx_discovery_poll(party->discovery));
    ck_assert(!plx_discovery_wait(party->discovery, -1));
    if (party->group != NULL)
        plx_group_poll(party->group, 0);
}

static void free_group(struct party *party)
{
    if (party->group != NULL)
        plx_group_remove_discovery(party->group, party->discovery);
}

static void (*const acts[])(struct party *) = {free_self, leave_self, rejoin, serve_inside,
                                               free_group};

static void play_act(struct world *w, void (*chosen)(struct party *), bool by_message)
{
    struct party pair[2];

    parties_meet(w, pair);
    pair[1].act = chosen;
    if (by_message)
        plx_discovery_send_to_group(pair[0].discovery, NULL, 7, "data", 4);
    else
        plx_discovery_leave(pair[0].discovery, NULL);
    PARTIES_UNTIL(w, pair, 2, pair[1].log[0] != '\0');
    parties_settle(w, pair, pair[1].discovery == NULL ? 1 : 2);
    time_pass(SECOND);
    parties_settle(w, pair, pair[1].discovery == NULL ? 1 : 2);
    parties_part(pair);
}

MODE_CASE(handlers_may_do_anything)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        play_act(w, acts[i], true);
        play_act(w, acts[i], false);
    }
}

/* A handler that joins again in each call makes one call a poll, not an endless one. */
MODE_CASE(joining_again_in_the_handler_ends)
{
    struct party party;
    int before;

    party_begin(&party, w);
    party.act = rejoin;
    party_join(&party, "anna");
    PARTIES_UNTIL(w, &party, 1, party.joined >= 3);
    before = party.joined;
    if (w->group != NULL)
        plx_group_poll(w->group, 0);
    else
        plx_discovery_poll(party.discovery);
    ck_assert_int_le(party.joined, before + 1);
    party_end(&party);
}

/* ---- another group --------------------------------------------------------------------------- */

MODE_CASE(a_discovery_moves)
{
    struct party pair[2];
    plx_group *other = plx_group_new();

    parties_meet(w, pair);
    ck_assert_int_eq(plx_group_add_discovery(other, pair[1].discovery), 0);
    ck_assert_int_eq(plx_group_add_discovery(other, pair[1].discovery), 0);
    ck_assert_uint_eq(plx_group_count(other), 0);
    plx_discovery_send_to_group(pair[0].discovery, NULL, 1, "moved", 5);
    for (int i = 0; pair[1].messages == 0 && i < 4000; i++) {
        parties_serve(w, pair, 1);
        plx_group_poll(other, 1);
    }
    PARTY_SAID(&pair[1], "group:1=moved ");
    plx_group_free(other);
    plx_discovery_send_to_group(pair[0].discovery, NULL, 2, "alone", 5);
    for (int i = 0; pair[1].messages == 1 && i < 4000; i++) {
        parties_serve(w, pair, 1);
        plx_discovery_wait(pair[1].discovery, 1);
    }
    PARTY_SAID(&pair[1], "group:2=alone ");
    parties_part(pair);
}

WORLD_MAIN("discovery", .timeout = 60)
