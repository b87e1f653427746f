/* lib/group/discovery-out.c -- what a discovery sends, and when.
 *
 * A datagram for a group is sent on each network from an address of that network, by the interface
 * whose index stands beside it (IP_PKTINFO in ip(7), IPV6_PKTINFO in ipv6(7)): of several interfaces
 * with one address, as those of ppp, the kernel would choose the same one for each copy. The copies
 * have one sequence. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/mix.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/socket/room.h"

#include <string.h>

/* How often a group says at the beginning that this program is here, and the pauses after each. */
#define HERES 3
static const int pauses[HERES] = {1000, 2000, 0};

/* Milliseconds between two `here` of a group at least: so nobody's question makes much traffic. */
#define QUIET 1000

/* Milliseconds until the answer to a question: as many as this for each member, up to the other. */
#define ANSWER_EACH 10
#define ANSWER_MOST 500

/* The most bytes that the queue of a socket needs beside those of a datagram; and those that messages
 * leave free for who, here and bye, or a program that sends much would never be heard of. */
#define QUEUE_HEAD 128
#define QUEUE_RESERVE(queue) ((queue) / 4)

/* Milliseconds until the next attempt to send what did not fit into the queue. */
#define AGAIN 1000

uint64_t plx__discovery_random(plx_discovery *discovery, uint64_t count)
{
    discovery->random += UINT64_C(0x9e3779b97f4a7c15);
    return plx__mix(discovery->random) % count;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

/* The address to send to on a network; false when the network reaches nobody. */
static bool target_on(const plx_discovery *discovery, const struct plx__network *network,
                      const struct plx__discovery_datagram *datagram, plx_address *ret_target)
{
    uint16_t port = (uint16_t)discovery->port;
    if (discovery->sockets[plx__discovery_family(&network->address)] == NULL ||
        network->is_repeated) {
        return false;
    }
    if (network->takes_multicast) {
        *ret_target = plx__discovery_group_address(datagram->name, datagram->name_size,
                                                   network->address.family, port);
    } else if (network->takes_broadcast) {
        *ret_target = plx__network_broadcast(network, port);
    }
    return network->takes_multicast || network->takes_broadcast;
}

/* Queues the datagram; the code is that of plx_udp_write_from. */
static int write_to(plx_discovery *discovery, const plx_address *from, const plx_address *to,
                    struct plx__discovery_datagram *datagram)
{
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    int family = plx__discovery_family(to);
    datagram->port = discovery->ports[family];
    size_t size = plx__discovery_format(datagram, bytes, sizeof bytes);
    return plx__discovery_write(discovery->sockets[family], from, to, bytes, size);
}

static void sign(plx_discovery *discovery, struct plx__discovery_datagram *datagram)
{
    datagram->member = discovery->id;
    datagram->sequence = discovery->sequence++;
}

static size_t reserve_of(const plx_discovery *discovery, enum plx__discovery_kind kind)
{
    switch (kind) {
    case PLX__DISCOVERY_MESSAGE: return QUEUE_RESERVE(plx__discovery_queue(discovery));
    default: return 0;
    }
}

/* Whether all networks have room: a message that only some had room for would not reach those who
 * know this member by another address. */
static bool has_room(const plx_discovery *discovery, const struct plx__discovery_datagram *datagram)
{
    size_t count[PLX__DISCOVERY_FAMILIES] = {0};
    size_t each = PLX__DISCOVERY_HEAD + datagram->name_size + datagram->size + QUEUE_HEAD;
    size_t reserve = reserve_of(discovery, datagram->kind);
    for (size_t i = 0; i < discovery->network_count; i++) {
        count[plx__discovery_family(&discovery->networks[i].address)]++;
    }
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        const plx_socket *socket = discovery->sockets[i];
        size_t room = socket == NULL ? SIZE_MAX : plx__socket_write_room(socket);
        if (room < reserve || room - reserve < count[i] * each) {
            return false;
        }
    }
    return true;
}

int plx__discovery_send(plx_discovery *discovery, struct plx__discovery_datagram *datagram)
{
    int code = PLX__ENETUNREACH;
    bool is_sent = false;
    if (!has_room(discovery, datagram)) {
        return PLX__EAGAIN;
    }
    sign(discovery, datagram);
    for (size_t i = 0; i < discovery->network_count; i++) {
        const struct plx__network *network = &discovery->networks[i];
        plx_address target, from = network->address;
        if (!target_on(discovery, network, datagram, &target)) {
            continue;
        }
        from.scope = network->interface;
        code = write_to(discovery, &from, &target, datagram);
        is_sent = is_sent || code == 0;
    }
    return is_sent ? 0 : code;
}

int plx__discovery_send_one(plx_discovery *discovery, const plx_address *to,
                            struct plx__discovery_datagram *datagram)
{
    if (discovery->sockets[plx__discovery_family(to)] == NULL) {
        return PLX__EAFNOSUPPORT;
    }
    sign(discovery, datagram);
    return write_to(discovery, NULL, to, datagram);
}

/* ---- here, who and bye ----------------------------------------------------------------------- */

int plx__discovery_say(plx_discovery *discovery, struct plx__discovery_group *group,
                       enum plx__discovery_kind what)
{
    struct plx__discovery_datagram datagram = {
        .kind = what, .is_to_group = true, .name = group->name, .name_size = group->name_size};
    const struct plx__known *self = plx__members_find(&group->members, discovery->id);
    if (what == PLX__DISCOVERY_HERE && self != NULL) {
        datagram.value = PLX__DISCOVERY_LIFETIME;
        datagram.data = self->about;
        datagram.size = self->about_size;
    }
    int code = plx__discovery_send(discovery, &datagram);
    return code != PLX_OUT_OF_MEMORY
               ? code
               : plx__discovery_fail(discovery, code, PLX_REASON_SOCKET_RESOURCE, 0,
                                     "send to group %s", group->name);
}

static uint64_t latest(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The earliest moment for the next `here`. */
static uint64_t allowed_at(const struct plx__discovery_group *group, uint64_t now)
{
    return group->last_here == 0 ? now : latest(now, plx__clock_after(group->last_here, QUIET));
}

void plx__discovery_announce(plx_discovery *discovery, struct plx__discovery_group *group)
{
    uint64_t now = plx__clock_now();
    group->heres = 0;
    group->who_at = now;
    group->here_at = allowed_at(group, now);
    plx__task_set_deadline(&discovery->guest.task, plx__discovery_next(discovery));
}

void plx__discovery_answer(plx_discovery *discovery, struct plx__discovery_group *group)
{
    uint64_t most = group->members.listed * ANSWER_EACH;
    uint64_t pause = plx__discovery_random(discovery, most < ANSWER_MOST ? most + 1 : ANSWER_MOST);
    uint64_t now = plx__clock_now();
    uint64_t at = plx__clock_add(now, pause * PLX__MILLISECOND);
    group->here_at = plx__clock_earlier(group->here_at, latest(at, allowed_at(group, now)));
}

/* A third of the lifetime, a quarter more or less. */
static uint64_t next_pause(plx_discovery *discovery, struct plx__discovery_group *group)
{
    if (group->heres < HERES) {
        group->heres++;
    }
    int pause = pauses[group->heres - 1];
    uint64_t third = PLX__DISCOVERY_LIFETIME * 1000 / 3;
    return pause != 0 ? (uint64_t)pause
                      : third * 3 / 4 + plx__discovery_random(discovery, third / 2);
}

static void say_here(plx_discovery *discovery, struct plx__discovery_group *group, uint64_t now)
{
    if (plx__discovery_say(discovery, group, PLX__DISCOVERY_HERE) != 0) {
        group->here_at = plx__clock_after(now, AGAIN);
    } else {
        group->last_here = now;
        group->here_at = plx__clock_add(now, next_pause(discovery, group) * PLX__MILLISECOND);
    }
}

static void say_due_of(plx_discovery *discovery, struct plx__discovery_group *group, uint64_t now)
{
    if (group->who_at != 0 && group->who_at <= now) {
        /* Once more with the second `here`: the first datagrams on a network are often lost. */
        bool again = group->heres == 0;
        again = plx__discovery_say(discovery, group, PLX__DISCOVERY_WHO) == PLX__EAGAIN || again;
        group->who_at = again ? plx__clock_after(now, pauses[0]) : 0;
    }
    if (group->here_at == 0 || group->here_at > now) {
        return;
    }
    if (group->stage == PLX__GROUP_JOINED) {
        say_here(discovery, group, now);
    } else if (group->stage == PLX__GROUP_LEAVING) {
        plx__discovery_say(discovery, group, PLX__DISCOVERY_BYE);
        group->stage = PLX__GROUP_LEFT;
        group->here_at = 0;
    }
}

void plx__discovery_say_due(plx_discovery *discovery, uint64_t now)
{
    struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        say_due_of(discovery, plx__discovery_group_at(link), now);
    }
}

uint64_t plx__discovery_next(const plx_discovery *discovery)
{
    uint64_t next = discovery->waiting.code != 0 ? PLX__PAST_MOMENT : discovery->look_at;
    const struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        const struct plx__discovery_group *group = plx__discovery_group_at(link);
        next = plx__clock_earlier(next, group->who_at);
        next = plx__clock_earlier(next, group->here_at);
        next = plx__clock_earlier(next, plx__members_next(&group->members));
    }
    return next;
}
