/* tests/test-discovery-forged.c -- datagrams that another program has made: lies, floods, floods of
 * questions, and pieces of datagrams.
 *
 * All are sent on loopback, whose network is 127.0.0.0/8: so a liar can have another address than
 * the member that it pretends to be. */
#include "config.h"

#include <errno.h>

#include "lib/wire/discovery.h"

#include "tests/parties.h"
#include "tests/sockets.h"

struct liar {
    int raw;
    struct plx__discovery_datagram datagram;
};

/* A liar with that last byte of its address, which says `here` as "mallory" at first. */
static void liar_begin(struct liar *liar, int last_byte)
{
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr = {htonl(0x7f000000u + (unsigned)last_byte)}};

    liar->raw = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(liar->raw, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(setsockopt(liar->raw, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof loopback),
                     0);
    liar->datagram = (struct plx__discovery_datagram){.kind = PLX__DISCOVERY_HERE,
                                                      .is_to_group = true,
                                                      .name = "team",
                                                      .name_size = 4,
                                                      .member = 0x1234567890u,
                                                      .value = 30,
                                                      .port = 9,
                                                      .data = "mallory",
                                                      .size = 7};
}

static void liar_send_to(struct liar *liar, const plx_address *to, const void *bytes, size_t size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(to->port)};

    memcpy(&name.sin_addr, to->bytes, 4);
    ck_assert_int_eq(sendto(liar->raw, bytes, size, 0, (struct sockaddr *)&name, sizeof name),
                     (ssize_t)size);
}

static plx_address team(void)
{
    return plx__discovery_group_address("team", 4, 4, (uint16_t)party_port());
}

static void liar_says(struct liar *liar, enum plx__discovery_kind kind)
{
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    plx_address to = team();

    liar->datagram.kind = kind;
    liar->datagram.sequence++;
    if (kind != PLX__DISCOVERY_HERE && kind != PLX__DISCOVERY_MESSAGE) {
        liar->datagram.value = 0;
        liar->datagram.size = 0;
    }
    liar_send_to(liar, &to, bytes, plx__discovery_format(&liar->datagram, bytes, sizeof bytes));
}

/* A member that is alone, and has said so as often as it does at the beginning. */
static void begin(struct world *w, struct party *party)
{
    party_begin(party, w);
    party_join(party, "anna");
    time_stop();
    for (int i = 0; i < 5; i++) {
        parties_settle(w, party, 1);
        time_pass(SECOND);
    }
    PARTY_SAID(party, "+self ");
}

static void end(struct party *party, struct liar *liar)
{
    party_end(party);
    close(liar->raw);
    time_run();
}

/* ---- lies ------------------------------------------------------------------------------------ */

MODE_CASE(a_member_keeps_its_address)
{
    struct party party;
    struct liar honest, liar;

    begin(w, &party);
    liar_begin(&honest, 2);
    liar_begin(&liar, 3);
    liar_says(&honest, PLX__DISCOVERY_HERE);
    PARTIES_UNTIL(w, &party, 1, party.joined == 2);
    PARTY_SAID(&party, "+mallory ");
    liar.datagram.sequence = 1000;
    liar_says(&liar, PLX__DISCOVERY_HERE);
    liar_says(&liar, PLX__DISCOVERY_BYE);
    parties_settle(w, &party, 1);
    PARTY_SAID(&party, "");
    ck_assert_uint_eq(party_knows(&party), 2);
    honest.datagram.kind = PLX__DISCOVERY_MESSAGE;
    liar_says(&honest, PLX__DISCOVERY_MESSAGE); /* the liar's sequences were not noted */
    PARTIES_UNTIL(w, &party, 1, party.messages == 1);
    liar_says(&honest, PLX__DISCOVERY_BYE);
    PARTIES_UNTIL(w, &party, 1, party.left == 1);
    close(honest.raw);
    end(&party, &liar);
}

/* Kinds 1 to 3 count for the group only, and group traffic for no other address. */
MODE_CASE(what_was_not_sent_to_the_group)
{
    struct party party;
    struct liar liar;
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    plx_member list[1];

    begin(w, &party);
    liar_begin(&liar, 2);
    ck_assert_uint_eq(plx_discovery_members(party.discovery, "team", list, 1), 1);
    size_t size = plx__discovery_format(&liar.datagram, bytes, sizeof bytes);
    plx_address shared = {.family = 4, .port = (uint16_t)party_port(), .bytes = {127, 0, 0, 1}};
    plx_address own = shared;
    own.port = list[0].address.port;
    liar_send_to(&liar, &shared, bytes, size);
    liar_send_to(&liar, &own, bytes, size);
    parties_settle(w, &party, 1);
    PARTY_SAID(&party, "");
    ck_assert_uint_eq(party_knows(&party), 1);
    end(&party, &liar);
}

MODE_CASE(another_group_with_the_same_address)
{
    struct party party;
    struct liar liar;

    begin(w, &party);
    liar_begin(&liar, 2);
    plx_address to = team();
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    liar.datagram.name = "maet"; /* as if its hash were the same */
    liar_send_to(&liar, &to, bytes, plx__discovery_format(&liar.datagram, bytes, sizeof bytes));
    parties_settle(w, &party, 1);
    PARTY_SAID(&party, "");
    end(&party, &liar);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

MODE_CASE(truncated_and_changed_datagrams)
{
    struct party party;
    struct liar liar;
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    plx_address to = team();

    begin(w, &party);
    liar_begin(&liar, 2);
    for (int kind = 1; kind <= 3; kind++) {
        liar.datagram.kind = (enum plx__discovery_kind)kind;
        liar.datagram.value = kind == 1 ? 30 : 0;
        liar.datagram.size = 0;
        size_t size = plx__discovery_format(&liar.datagram, bytes, sizeof bytes);
        for (size_t cut = 0; cut < size; cut++)
            liar_send_to(&liar, &to, bytes, cut);
        for (size_t i = 0; i < 8; i++) {
            bytes[i] ^= 0x40;
            if (i != 5) /* flags that have no meaning */
                liar_send_to(&liar, &to, bytes, size);
            bytes[i] ^= 0x40;
        }
        parties_settle(w, &party, 1);
    }
    PARTY_SAID(&party, "");
    ck_assert_uint_eq(party_knows(&party), 1);
    end(&party, &liar);
}

/* A liar sends to this program alone with the number of a member: that hides no message of it. */
MODE_CASE(forged_messages_hide_none)
{
    struct party pair[2];
    struct liar liar;
    plx_member list[2];
    uint8_t bytes[PLX__DISCOVERY_SIZE];

    parties_meet(w, pair);
    ck_assert_uint_eq(plx_discovery_members(pair[0].discovery, "team", list, 2), 2);
    plx_address to = list[0].address;
    memset(to.bytes, 0, sizeof to.bytes);
    to.bytes[0] = 127;
    to.bytes[3] = 1;
    liar_begin(&liar, 2);
    liar.datagram = (struct plx__discovery_datagram){.kind = PLX__DISCOVERY_MESSAGE,
                                                     .name = "",
                                                     .member = list[1].id,
                                                     .port = 9,
                                                     .data = "lie",
                                                     .size = 3};
    for (uint32_t i = 0; list[0].address.family == 4 && i < 100; i++) {
        liar.datagram.sequence = i;
        liar_send_to(&liar, &to, bytes, plx__discovery_format(&liar.datagram, bytes, sizeof bytes));
    }
    parties_settle(w, pair, 2);
    int lies = pair[0].messages;
    for (int i = 0; i < 5; i++)
        plx_discovery_send_to_group(pair[1].discovery, NULL, i, "true", 4);
    PARTIES_UNTIL(w, pair, 2, pair[0].messages == lies + 5);
    close(liar.raw);
    parties_part(pair);
}

/* ---- floods ---------------------------------------------------------------------------------- */

/* How many datagrams have arrived at a raw socket that listens to the group, and their bytes. */
static int count_heard(int ear, size_t *ret_bytes)
{
    char bytes[2048];
    ssize_t size;
    int count = 0;

    *ret_bytes = 0;
    while ((size = recv(ear, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0) {
        count++;
        *ret_bytes += (size_t)size;
    }
    return count;
}

static int ear_open(void)
{
    int ear = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
    plx_address to = team();
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(to.port)};
    struct ip_mreqn request = {.imr_address = {htonl(INADDR_LOOPBACK)}};

    setsockopt(ear, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    memcpy(&name.sin_addr, to.bytes, 4);
    memcpy(&request.imr_multiaddr, to.bytes, 4);
    ck_assert_int_eq(bind(ear, (struct sockaddr *)&name, sizeof name), 0);
    ck_assert_int_eq(setsockopt(ear, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request), 0);
    return ear;
}

/* One answer a second, to the group and to nobody else, however often somebody asks. */
MODE_CASE(a_flood_of_questions)
{
    struct party party;
    struct liar liar;
    size_t heard, asked = 0;

    begin(w, &party);
    liar_begin(&liar, 2);
    for (int second = 0; second < 5; second++)
        for (int tenth = 0; tenth < 10; tenth++) {
            for (int i = 0; i < 20; i++) {
                liar_says(&liar, PLX__DISCOVERY_WHO);
                asked += 30;
            }
            parties_serve(w, &party, 1);
            parties_serve(w, &party, 1);
            time_pass(100);
        }
    parties_settle(w, &party, 1);
    ck_assert_int_eq(count_heard(liar.raw, &heard), 0);
    int ear = ear_open();
    for (int i = 0; i < 50; i++) {
        liar_says(&liar, PLX__DISCOVERY_WHO);
        parties_serve(w, &party, 1);
        time_pass(100);
    }
    parties_settle(w, &party, 1);
    int answers = count_heard(ear, &heard) - 50;
    ck_assert_int_ge(answers, 3);
    ck_assert_int_le(answers, 6);
    ck_assert_int_eq(count_heard(liar.raw, &heard), 0);
    PARTY_SAID(&party, "");
    ck_assert_uint_gt(asked, 0);
    close(ear);
    end(&party, &liar);
}

/* One address cannot push out the members of others. */
MODE_CASE(two_thousand_forged_members)
{
    struct party party;
    struct liar honest, liar;

    begin(w, &party);
    liar_begin(&honest, 2);
    liar_says(&honest, PLX__DISCOVERY_HERE);
    PARTIES_UNTIL(w, &party, 1, party.joined == 2);
    liar_begin(&liar, 3);
    for (int i = 0; i < 2000; i++) {
        liar.datagram.member = 1 + (uint64_t)i;
        party.log[0] = '\0';
        liar_says(&liar, PLX__DISCOVERY_HERE);
        if (i % 16 == 0)
            parties_serve(w, &party, 1);
    }
    for (int i = 0; i < 20; i++) {
        party.log[0] = '\0';
        parties_settle(w, &party, 1);
    }
    ck_assert_uint_le(party_knows(&party), 1024);
    ck_assert_uint_gt(party_knows(&party), 500);
    ck_assert_int_eq(party.left, 0);
    plx_member list[1024];
    size_t count = plx_discovery_members(party.discovery, "team", list, 1024);
    ck_assert_uint_eq(list[1].id, 0x1234567890u);
    ck_assert_uint_eq(count, party_knows(&party));
    close(honest.raw);
    end(&party, &liar);
}

/* A message of a sender that has not said `here` yet is delivered, once. */
MODE_CASE(a_message_of_a_stranger)
{
    struct party party;
    struct liar liar;

    begin(w, &party);
    liar_begin(&liar, 2);
    liar.datagram.value = 7;
    liar_says(&liar, PLX__DISCOVERY_MESSAGE);
    liar.datagram.sequence--;
    liar_says(&liar, PLX__DISCOVERY_MESSAGE);
    liar.datagram.data = "second.";
    liar_says(&liar, PLX__DISCOVERY_MESSAGE);
    PARTIES_UNTIL(w, &party, 1, party.messages == 2);
    parties_settle(w, &party, 1);
    PARTY_SAID(&party, "group:7=mallory group:7=second. ");
    ck_assert_uint_eq(party.last.about_size, 0);
    liar.datagram.sequence++;
    liar.datagram.value = 30;
    liar_says(&liar, PLX__DISCOVERY_HERE);
    liar.datagram.sequence -= 3;
    liar.datagram.value = 7;
    liar_says(&liar, PLX__DISCOVERY_MESSAGE); /* once more, now as a member */
    PARTIES_UNTIL(w, &party, 1, party.joined == 2);
    parties_settle(w, &party, 1);
    PARTY_SAID(&party, "+second. ");
    ck_assert_uint_eq(party.last.id, 0x1234567890u);
    ck_assert_int_eq(party.last.address.port, 9);
    ck_assert_uint_eq(party_knows(&party), 2);
    end(&party, &liar);
}

WORLD_MAIN("discovery-forged", .timeout = 60)
