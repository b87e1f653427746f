/* tests/test-discovery-scarce.c -- discoveries whose queue is full, whose group refuses them, and
 * whose kernel refuses calls. */
#include "config.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "lib/base/network.h"
#include "tests/datagrams.h"
#include "tests/parties.h"
#include "tests/sockets.h"

/* ---- networks -------------------------------------------------------------------------------- */

static bool has(const char *network, uint8_t prefix, const char *address)
{
    struct plx__network one = {.prefix = prefix};
    plx_address other = {0};

    ck_assert_int_eq(plx_address_parse(network, &one.address), 0);
    ck_assert_int_eq(plx_address_parse(address, &other), 0);
    one.address.port = other.port = 0;
    return plx__network_has(&one, &other);
}

PLAIN_CASE(networks_of_any_prefix)
{
    ck_assert(has("10.7.16.1:1", 20, "10.7.31.255:1"));
    ck_assert(!has("10.7.16.1:1", 20, "10.7.32.0:1"));
    ck_assert(has("10.7.16.1:1", 24, "10.7.16.200:1"));
    ck_assert(!has("10.7.16.1:1", 32, "10.7.16.2:1"));
    ck_assert(has("10.7.16.1:1", 0, "192.0.2.1:1"));
    ck_assert(has("[fd00::1]:1", 7, "[fc00::2]:1"));
    ck_assert(!has("[fd00::1]:1", 8, "[fc00::2]:1"));
    ck_assert(!has("10.7.16.1:1", 0, "[fd00::1]:1"));
}

/* Of a link that joins two addresses the network has both, and of the peer's side its neighbours. */
PLAIN_CASE(networks_with_a_peer)
{
    struct plx__network link = {.prefix = 24};
    static const char *const inside[] = {"10.7.0.1", "192.0.2.9", "192.0.2.200"};
    static const char *const outside[] = {"10.7.0.2", "192.0.3.9", "fd00::1"};
    plx_address other;

    ck_assert_int_eq(plx_address_parse("10.7.0.1", &link.address), 0);
    ck_assert_int_eq(plx_address_parse("192.0.2.9", &link.far_end), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(plx_address_parse(inside[i], &other), 0);
        ck_assert(plx__network_has(&link, &other));
        ck_assert_int_eq(plx_address_parse(outside[i], &other), 0);
        ck_assert(!plx__network_has(&link, &other));
    }
}

/* ---- messages -------------------------------------------------------------------------------- */

MODE_CASE(a_message_of_one_that_has_left)
{
    struct party pair[2];
    plx_member list[2];

    parties_meet(w, pair);
    ck_assert_uint_eq(plx_discovery_members(pair[1].discovery, "team", list, 2), 2);
    ck_assert_int_eq(plx_discovery_leave(pair[1].discovery, NULL), 0);
    PARTIES_UNTIL(w, pair, 2, pair[0].left == 1);
    ck_assert_int_eq(plx_discovery_send_to(pair[1].discovery, &list[1], 4, "late", 4), 0);
    PARTIES_UNTIL(w, pair, 2, pair[0].messages == 1);
    PARTY_SAID(&pair[0], "-bob alone:4=late ");
    ck_assert_uint_ne(pair[0].last.id, 0);
    ck_assert_uint_eq(pair[0].last.about_size, 0);
    parties_part(pair);
}

/* A program that sends and does not poll is refused at last, and goes on after a poll. */
MODE_CASE(a_full_queue)
{
    struct party pair[2];
    static const char data[1000];
    int code = 0, sent = 0;

    parties_meet(w, pair);
    while (code == 0 && sent < 10000) {
        code = plx_discovery_send_to_group(pair[0].discovery, NULL, sent, data, sizeof data);
        sent += code == 0;
    }
    ck_assert_int_eq(code, EAGAIN);
    ck_assert_int_gt(sent, 10);
    ck_assert_int_eq(plx_discovery_error(pair[0].discovery)->code, 0);
    plx_member member = {.address = datagram_loopback};
    member.address.port = 9;
    do {
        code = plx_discovery_send_to(pair[0].discovery, &member, 1, data, sizeof data);
    } while (code == 0);
    ck_assert_int_eq(code, EAGAIN);
    for (int i = 0; i < 6; i++) { /* a `here` that has no room, too */
        time_pass(SECOND);
        parties_settle(w, pair, 2);
    }
    ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, NULL, 7, "room", 4), 0);
    pair[1].log[0] = '\0';
    PARTIES_UNTIL(w, pair, 2, strstr(pair[1].log, "group:7=room") != NULL);
    ck_assert_int_eq(pair[0].left + pair[1].left, 0);
    parties_part(pair);
}

/* The goodbye of a program whose queue is full. The other one does not read meanwhile, and without
 * UDP_GRO each datagram takes twice its size of the room in the kernel. */
MODE_CASE(a_goodbye_behind_a_full_queue)
{
    struct party pair[2];
    static const char data[1000];

    parties_meet(w, pair);
    if (!datagrams_all_have_room("a goodbye behind a full queue")) {
        parties_part(pair);
        return;
    }
    while (plx_discovery_send_to_group(pair[0].discovery, NULL, 1, data, sizeof data) == 0) {
    }
    while (plx_discovery_send_to_group(pair[0].discovery, NULL, 1, data, 0) == 0) {
    }
    party_end(&pair[0]);
    pair[0] = pair[1];
    plx_discovery_set_events(pair[1].discovery, NULL, NULL);
    for (int i = 0; i < 4000 && plx_discovery_members(pair[1].discovery, "team", NULL, 0) > 1; i++)
        parties_serve(w, &pair[1], 1);
    ck_assert_uint_eq(plx_discovery_members(pair[1].discovery, "team", NULL, 0), 1);
    pair[0].discovery = NULL;
    parties_part(pair);
}

/* The messages of one that was not heard as a member yet arrive once, although they are sent on
 * several networks. */
MODE_CASE(messages_before_the_first_hello)
{
    enum { MANY = 100 };
    struct party pair[2];

    party_begin(&pair[0], w);
    party_begin(&pair[1], w);
    party_join(&pair[0], "anna");
    time_stop();
    for (int i = 0; i < 5; i++) {
        time_pass(SECOND);
        parties_settle(w, pair, 2);
    }
    party_join(&pair[1], "bob");
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, NULL, i, "x", 1), 0);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages >= MANY);
    parties_settle(w, pair, 2);
    ck_assert_int_eq(pair[1].messages, MANY);
    parties_part(pair);
}

/* It sends the message, and does not hear itself. */
MODE_CASE(a_message_to_oneself)
{
    struct party pair[2];
    plx_member list[2];

    parties_meet(w, pair);
    ck_assert_uint_eq(plx_discovery_members(pair[0].discovery, NULL, list, 2), 2);
    ck_assert(list[0].is_self);
    ck_assert_int_eq(plx_discovery_send_to(pair[0].discovery, &list[0], 1, "me", 2), 0);
    parties_settle(w, pair, 2);
    PARTY_SAID(&pair[0], "");
    PARTY_SAID(&pair[1], "");
    parties_part(pair);
}

/* A program of a later version knows larger members. */
MODE_CASE(a_list_of_larger_members)
{
    struct later {
        plx_member member;
        uint8_t more[40];
    } list[2], none = {0};
    struct party pair[2];

    parties_meet(w, pair);
    memset(list, 0xff, sizeof list);
    ck_assert_uint_eq(
        plx_discovery_members_sized(pair[0].discovery, NULL, &list[0].member, 2, sizeof *list), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_mem_eq(list[i].more, none.more, sizeof none.more);
        ck_assert_uint_eq(list[i].member.about_size, i == 0 ? 4 : 3);
    }
    parties_part(pair);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static plx_group *elsewhere;

static void go_elsewhere(struct party *party)
{
    party->act = NULL;
    ck_assert_int_eq(plx_group_add_discovery(elsewhere, party->discovery), 0);
    for (int i = 0; i < 3; i++)
        plx_group_poll(elsewhere, 0); /* calls no handler of a discovery that is in one */
}

MODE_CASE(a_handler_goes_elsewhere_and_polls_there)
{
    struct party pair[2];

    parties_meet(w, pair);
    elsewhere = plx_group_new();
    pair[1].act = go_elsewhere;
    for (int i = 0; i < 3; i++)
        plx_discovery_send_to_group(pair[0].discovery, NULL, i, "x", 1);
    for (int i = 0; i < 4000 && pair[1].messages < 3; i++) {
        parties_serve(w, pair, 1);
        if (pair[1].act == NULL)
            plx_group_poll(elsewhere, 1);
        else if (w->group == NULL)
            plx_discovery_poll(pair[1].discovery);
    }
    PARTY_SAID(&pair[1], "group:0=x group:1=x group:2=x ");
    plx_group_free(elsewhere);
    parties_part(pair);
}

/* Without memory for another group a discovery stays where it is, and hears. */
MODE_CASE(a_group_without_memory)
{
    struct party pair[2];

    parties_meet(w, pair);
    for (int number = 1; number < 8; number++) {
        plx_group *other = plx_group_new();
        int before = pair[1].messages;

        fail_allocation(-number);
        int code = plx_group_add_discovery(other, pair[1].discovery);
        fail_allocation(0);
        ck_assert(code == 0 || code == PLX_OUT_OF_MEMORY);
        if (code == 0 && w->group != NULL)
            ck_assert_int_eq(plx_group_add_discovery(w->group, pair[1].discovery), 0);
        else if (code == 0)
            plx_group_remove_discovery(other, pair[1].discovery);
        plx_group_free(other);
        plx_discovery_send_to_group(pair[0].discovery, NULL, number, "still", 5);
        PARTIES_UNTIL(w, pair, 2, pair[1].messages == before + 1);
    }
    parties_part(pair);
}

/* ---- a kernel that refuses ------------------------------------------------------------------- */

SECTION("a kernel that refuses");

/* A group that the kernel lets watch nothing more refuses the sockets of a discovery. */
MODE_CASE(nothing_more_is_watched)
{
    struct party party;

    if (w->mode != MODE_EPOLL || !kernel_denies(SYS_epoll_ctl, EPOLL_CTL_ADD, ENOSPC))
        return;
    memset(&party, 0, sizeof party);
    party.discovery = plx_discovery_new();
    ck_assert_int_eq(plx_group_add_discovery(w->group, party.discovery), 0);
    ck_assert_int_eq(plx_discovery_bind(party.discovery, party_port()), ENOSPC);
    ck_assert_int_eq(plx_discovery_error(party.discovery)->code, ENOSPC);
    party_end(&party);
}

MODE_CASE(no_family_at_all)
{
    plx_discovery *discovery = plx_discovery_new();

    (void)w;
    if (kernel_denies(SYS_socket, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, EAFNOSUPPORT)) {
        ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), PLX_OPEN_DRIVER);
        ck_assert_int_eq(plx_discovery_error(discovery)->os_error, EAFNOSUPPORT);
        ck_assert_int_eq(plx_discovery_join(discovery, "team", NULL, 0), PLX_INVALID_STATE);
    }
    plx_discovery_free(discovery);
}

/* Where the networks cannot be listed, `error` reports it, and the discovery waits. */
MODE_CASE(no_list_of_networks)
{
    struct party party;

    if (!kernel_denies(SYS_socket, SOCK_RAW | SOCK_CLOEXEC, EPERM))
        return;
    party_begin(&party, w);
    PARTIES_UNTIL(w, &party, 1, party.errors == 1);
    PARTY_SAID(&party, "error 1 ");
    party_end(&party);
}

/* Where the kernel does not list what the interfaces receive, the memberships count. */
PLAIN_CASE(no_list_of_memberships)
{
    struct world world = {.mode = MODE_LONE}, *w = &world; /* whose end would open /proc, too */
    struct party pair[2];

    if (!kernel_denies(SYS_openat, -1, EACCES))
        return;
    parties_meet(w, pair);
    for (int second = 0; second < 25; second++) {
        parties_serve(w, pair, 2);
        time_pass(SECOND);
    }
    ck_assert_int_eq(plx_discovery_send_to_group(pair[0].discovery, NULL, 1, "a", 1), 0);
    PARTIES_UNTIL(w, pair, 2, pair[1].messages == 1);
    ck_assert_int_eq(pair[0].left + pair[1].left + pair[0].errors + pair[1].errors, 0);
    parties_part(pair);
}

MODE_CASE(no_name_of_a_socket)
{
    plx_discovery *discovery = plx_discovery_new();

    (void)w;
    if (kernel_denies(SYS_getsockname, -1, ENOBUFS))
        ck_assert_int_eq(plx_discovery_bind(discovery, party_port()), PLX_OUT_OF_MEMORY);
    plx_discovery_free(discovery);
}

MODE_CASE(no_random_numbers)
{
    struct party pair[2];

    if (!kernel_denies(SYS_getrandom, -1, ENOSYS))
        return;
    parties_meet(w, pair);
    ck_assert_uint_eq(party_knows(&pair[0]), 2);
    parties_part(pair);
}

WORLD_MAIN("discovery-scarce", .timeout = 60)
