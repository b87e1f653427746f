/* lib/group/discovery-in.c -- what a discovery receives, and what it calls the program for.
 *
 * Of group traffic counts what was sent to the address of the group, or to the broadcast address,
 * by an address of a network of the interface that it arrived by: no router has passed it on.
 *
 * A handler may do anything, so that after each call the discovery may be freed and the group left;
 * the memory of both stays while the discovery is held. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/clock.h"

#include <string.h>

/* ---- reporting ------------------------------------------------------------------------------- */

void plx__discovery_describe(const struct plx__known *known, uint64_t now, plx_member *ret_member)
{
    *ret_member = (plx_member){.address = known->address,
                               .id = known->id,
                               .is_self = known->is_self,
                               .about_size = known->about_size};
    if (!known->is_self && now > known->heard) {
        uint64_t age = (now - known->heard) / PLX__MILLISECOND;
        ret_member->age = age < INT32_MAX ? (int)age : INT32_MAX;
    }
    if (known->about_size > 0) {
        memcpy(ret_member->about, known->about, known->about_size);
    }
}

static void report_error(plx_discovery *discovery)
{
    plx_error error = {0};
    if (discovery->waiting.code == 0) {
        return;
    }
    plx__error_take(&error, &discovery->waiting);
    discovery->reported = true;
    if (PLX__DISCOVERY_HANDLER(discovery, error) != NULL) {
        discovery->events->error(discovery, &error, discovery->user);
    }
    plx__error_clear(&error);
}

static bool is_alive(const plx_discovery *discovery, const struct plx__discovery_group *group)
{
    return !discovery->guest.hold.freed && group->stage == PLX__GROUP_JOINED;
}

static void report_left(plx_discovery *discovery, struct plx__discovery_group *group, uint64_t now)
{
    struct plx__known *known;
    while (is_alive(discovery, group) &&
           (known = plx__members_take_left(&group->members)) != NULL) {
        plx_member member;
        plx__discovery_describe(known, now, &member);
        plx__members_forget(known);
        discovery->reported = true;
        if (PLX__DISCOVERY_HANDLER(discovery, member_left) != NULL) {
            discovery->events->member_left(discovery, group->name, &member, discovery->user);
        }
    }
}

static void report_joined(plx_discovery *discovery, struct plx__discovery_group *group)
{
    struct plx__known *known;
    while (is_alive(discovery, group) &&
           (known = plx__members_take_joined(&group->members)) != NULL) {
        plx_member member;
        plx__discovery_describe(known, known->heard, &member);
        discovery->reported = true;
        if (PLX__DISCOVERY_HANDLER(discovery, member_joined) != NULL) {
            discovery->events->member_joined(discovery, group->name, &member, discovery->user);
        }
    }
}

void plx__discovery_report_left(plx_discovery *discovery, uint64_t now)
{
    struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (is_alive(discovery, group)) {
            plx__members_expire(&group->members, now);
            report_left(discovery, group, now);
        }
    }
}

/* Copies the data of a message: the handler may free the socket that holds the datagram. */
static bool keep_message(plx_discovery *discovery, const void *data, size_t size)
{
    if (size + 1 > discovery->message_room) {
        uint8_t *block = plx__memory_resize(discovery->message, size + 1);
        if (block == NULL) {
            plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                "receive a message of %zu bytes", size);
            return false;
        }
        discovery->message = block;
        discovery->message_room = size + 1;
    }
    memcpy(discovery->message, data, size);
    return true;
}

static void report_message(plx_discovery *discovery, const char *group, const plx_member *from,
                           const struct plx__discovery_datagram *datagram)
{
    discovery->reported = true;
    if (PLX__DISCOVERY_HANDLER(discovery, message) != NULL &&
        keep_message(discovery, datagram->data, datagram->size)) {
        discovery->events->message(discovery, group, from, (int32_t)datagram->value,
                                   discovery->message, datagram->size, discovery->user);
    }
}

/* ---- what counts ----------------------------------------------------------------------------- */

static bool is_for_group(const plx_discovery *discovery, const struct plx__discovery_group *group,
                         const plx_datagram *datagram)
{
    plx_address address = plx__discovery_group_address(group->name, group->name_size,
                                                       datagram->to.family, datagram->to.port);
    if (plx_address_equal(&address, &datagram->to)) {
        return true;
    }
    for (size_t i = 0; i < discovery->network_count; i++) {
        const struct plx__network *network = &discovery->networks[i];
        if (network->interface == datagram->interface && network->takes_broadcast) {
            address = plx__network_broadcast(network, datagram->to.port);
            if (plx_address_equal(&address, &datagram->to)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_of_neighbour(const plx_discovery *discovery, const plx_datagram *datagram)
{
    plx_address from = datagram->from;
    from.port = 0;
    for (size_t i = 0; i < discovery->network_count; i++) {
        if (discovery->networks[i].interface == datagram->interface &&
            plx__network_has(&discovery->networks[i], &from)) {
            return true;
        }
    }
    return false;
}

/* ---- strangers ------------------------------------------------------------------------------- */

/* How far the sequences of one sender are from each other at most, in the order of arrival. */
#define SEQUENCE_REACH UINT32_C(64)

/* Nanoseconds of silence after which a stranger may be heard from another address. */
#define STRANGER_TIME (PLX__DISCOVERY_LIFETIME * 1000 * PLX__MILLISECOND)

static struct plx__discovery_stranger *find_stranger(plx_discovery *discovery, uint64_t member,
                                                     bool is_to_group, const plx_address *from)
{
    for (size_t i = 0; i < PLX__DISCOVERY_STRANGERS; i++) {
        struct plx__discovery_stranger *stranger = &discovery->strangers[i];
        if (stranger->member == member && stranger->is_to_group == is_to_group &&
            (is_to_group || plx_address_equal(&stranger->from, from))) {
            return stranger;
        }
    }
    return NULL;
}

/* The one that was silent for longest is forgotten. */
static struct plx__discovery_stranger *meet(plx_discovery *discovery, uint64_t member,
                                            bool is_to_group, const plx_address *from)
{
    struct plx__discovery_stranger *silent = &discovery->strangers[0];
    for (size_t i = 1; i < PLX__DISCOVERY_STRANGERS; i++) {
        struct plx__discovery_stranger *other = &discovery->strangers[i];
        silent = other->heard < silent->heard ? other : silent;
    }
    *silent = (struct plx__discovery_stranger){
        .member = member, .from = *from, .is_to_group = is_to_group};
    return silent;
}

/* Whether a message of one that is no member arrives for the first time, as far as its sender is
 * remembered. */
static bool is_first(plx_discovery *discovery, const struct plx__discovery_datagram *datagram,
                     const plx_address *from)
{
    uint64_t member = datagram->member;
    bool is_to_group = datagram->is_to_group;
    struct plx__discovery_stranger *stranger = find_stranger(discovery, member, is_to_group, from);
    uint64_t now = plx__clock_now();
    if (stranger != NULL && now - stranger->heard > STRANGER_TIME) {
        *stranger = (struct plx__discovery_stranger){.member = 0};
        stranger = NULL;
    }
    if (stranger == NULL) {
        stranger = meet(discovery, member, is_to_group, from);
    } else if (is_to_group && !plx_address_equal(&stranger->from, from)) {
        return false;
    }
    stranger->heard = now;
    return plx__window_is_fresh(&stranger->window, datagram->sequence);
}

/* What was heard of a stranger counts for the member that it becomes, also from another address: it
 * may have been heard on another network first. A liar's numbers, which are far away, do not. */
static void become_member(plx_discovery *discovery, struct plx__known *known,
                          const struct plx__discovery_datagram *datagram)
{
    const struct plx__discovery_stranger *stranger =
        find_stranger(discovery, datagram->member, true, &known->address);
    if (stranger != NULL &&
        datagram->sequence - stranger->window.newest + SEQUENCE_REACH <= 2 * SEQUENCE_REACH) {
        known->window = stranger->window;
    }
    plx__window_is_fresh(&known->window, datagram->sequence);
}

/* ---- group traffic --------------------------------------------------------------------------- */

/* The longest, in milliseconds, that an older `here` may arrive after a `bye`. It is short because a
 * liar's `bye` with a high sequence hides a member as long. */
#define GONE_TIME 2000

static void hear_bye(struct plx__discovery_group *group, const struct plx__known *known,
                     const struct plx__discovery_datagram *datagram, uint64_t now)
{
    if (known == NULL) {
        return;
    }
    group->gone[group->gone_next] = (struct plx__discovery_gone){datagram->member, known->window,
                                                                 plx__clock_after(now, GONE_TIME)};
    group->gone_next = (group->gone_next + 1) % PLX__DISCOVERY_GONE;
    plx__members_bye(&group->members, datagram->member, &known->address);
}

/* The goodbye of the member that a datagram is older than; NULL: there is none. */
static struct plx__discovery_gone *find_gone(struct plx__discovery_group *group,
                                             const struct plx__discovery_datagram *datagram,
                                             uint64_t now)
{
    for (size_t i = 0; i < PLX__DISCOVERY_GONE; i++) {
        struct plx__discovery_gone *gone = &group->gone[i];
        if (gone->member == datagram->member && now < gone->until &&
            gone->window.newest - datagram->sequence <= INT32_MAX) {
            return gone;
        }
    }
    return NULL;
}

/* The same as is_first for a group, from which the sender may have gone. */
static bool is_first_of_gone(plx_discovery *discovery, struct plx__discovery_group *group,
                             const plx_address *from,
                             const struct plx__discovery_datagram *datagram)
{
    struct plx__discovery_gone *gone = find_gone(group, datagram, plx__clock_now());
    return gone != NULL ? plx__window_is_fresh(&gone->window, datagram->sequence)
                        : is_first(discovery, datagram, from);
}

static void hear_here(plx_discovery *discovery, struct plx__discovery_group *group,
                      const plx_address *from, const struct plx__discovery_datagram *datagram)
{
    uint64_t now = plx__clock_now();
    uint64_t lifetime = (uint64_t)datagram->value * 1000 * PLX__MILLISECOND;
    if (find_gone(group, datagram, now) != NULL) {
        return;
    }
    enum plx__heard heard = plx__members_here(&group->members, datagram->member, from, lifetime,
                                              datagram->data, datagram->size, now);
    if (heard == PLX__HEARD_FULL && group->members.living < PLX__MEMBERS_MOST) {
        plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                            "remember a member of group %s", group->name);
    }
    if (heard == PLX__HEARD_NEW) {
        struct plx__known *known = plx__members_find(&group->members, datagram->member);
        if (known != NULL) {
            become_member(discovery, known, datagram);
        }
        report_left(discovery, group, now); /* perhaps the same member, which has left before */
        report_joined(discovery, group);
    }
}

/* A stranger is a member whose `here` has not arrived yet, or for whom there was no room. */
static void describe_stranger(const plx_address *from,
                              const struct plx__discovery_datagram *datagram,
                              plx_member *ret_member)
{
    *ret_member = (plx_member){.address = *from, .id = datagram->member};
}

static void hear_message(plx_discovery *discovery, struct plx__discovery_group *group,
                         const struct plx__known *known, const plx_address *from,
                         const struct plx__discovery_datagram *datagram)
{
    plx_member member;
    if (known != NULL) {
        plx__discovery_describe(known, known->heard, &member);
    } else if (!is_first_of_gone(discovery, group, from, datagram)) {
        return;
    } else {
        describe_stranger(from, datagram, &member);
    }
    report_message(discovery, group->name, &member, datagram);
}

/* What arrives from another address than the one that a member is known by does not count: a member
 * on two networks sends everything twice, and a liar can use the number of another. */
static void hear_group(plx_discovery *discovery, struct plx__discovery_group *group,
                       const plx_datagram *arrival, const struct plx__discovery_datagram *datagram)
{
    plx_address from = arrival->from;
    from.port = datagram->port;
    if (!datagram->is_to_group || datagram->name_size != group->name_size ||
        memcmp(datagram->name, group->name, group->name_size) != 0 ||
        !is_for_group(discovery, group, arrival) || !is_of_neighbour(discovery, arrival)) {
        return;
    }
    struct plx__known *known = plx__members_find(&group->members, datagram->member);
    if (known != NULL && (!plx_address_equal(&known->address, &from) ||
                          !plx__window_is_fresh(&known->window, datagram->sequence))) {
        return;
    }
    if (known != NULL) {
        plx__members_word(&group->members, known, plx__clock_now());
    }
    switch (datagram->kind) {
    case PLX__DISCOVERY_HERE: hear_here(discovery, group, &from, datagram); break;
    case PLX__DISCOVERY_WHO: plx__discovery_answer(discovery, group); break;
    case PLX__DISCOVERY_BYE: hear_bye(group, known, datagram, plx__clock_now()); break;
    case PLX__DISCOVERY_MESSAGE: hear_message(discovery, group, known, &from, datagram); break;
    }
}

/* ---- messages for this program alone --------------------------------------------------------- */

static const struct plx__known *find_known(const plx_discovery *discovery, uint64_t id,
                                           const plx_address *from)
{
    const struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        const struct plx__discovery_group *group = plx__discovery_group_at(link);
        const struct plx__known *known = plx__members_find(&group->members, id);
        if (known != NULL && plx_address_equal(&known->address, from)) {
            return known;
        }
    }
    return NULL;
}

static void hear_alone(plx_discovery *discovery, const plx_datagram *arrival,
                       const struct plx__discovery_datagram *datagram)
{
    plx_member member;
    plx_address from = arrival->from;
    from.port = datagram->port;
    if (datagram->is_to_group || !is_first(discovery, datagram, &from)) {
        return;
    }
    const struct plx__known *known = find_known(discovery, datagram->member, &from);
    if (known != NULL) {
        plx__discovery_describe(known, plx__clock_now(), &member);
    } else {
        describe_stranger(&from, datagram, &member);
    }
    report_message(discovery, NULL, &member, datagram);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Reads what a socket has received; `group` NULL: one of the discovery's own sockets. */
static bool hear_socket(plx_discovery *discovery, struct plx__discovery_group *group,
                        plx_socket *const *place, struct plx__budget *budget)
{
    plx_datagram arrival;
    while (!discovery->guest.hold.freed && *place != NULL && !plx__budget_is_spent(budget)) {
        struct plx__discovery_datagram datagram;
        if (!plx__discovery_read(*place, &arrival)) {
            return true;
        }
        plx__budget_spend(budget, arrival.size);
        if (arrival.truncated || !plx__discovery_parse(arrival.data, arrival.size, &datagram) ||
            datagram.member == discovery->id) {
            continue;
        }
        if (group != NULL) {
            hear_group(discovery, group, &arrival, &datagram);
        } else {
            hear_alone(discovery, &arrival, &datagram);
        }
    }
    return discovery->guest.hold.freed || *place == NULL;
}

static bool hear_own(plx_discovery *discovery, struct plx__budget *budget)
{
    plx_socket *const *sockets = discovery->sockets;
    bool is_all = hear_socket(discovery, NULL, &sockets[PLX__DISCOVERY_IPV4], budget);
    return hear_socket(discovery, NULL, &sockets[PLX__DISCOVERY_IPV6], budget) && is_all;
}

static bool hear_receivers(plx_discovery *discovery, struct plx__discovery_group *group,
                           struct plx__budget *budget)
{
    bool is_all = true;
    struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        plx_socket *const *place = &plx__discovery_receiver_at(link)->socket;
        is_all = hear_socket(discovery, group, place, budget) && is_all;
    }
    return is_all;
}

static void put_first_last(struct plx__list *list)
{
    struct plx__list *first = plx__list_take_first(list);
    if (first != NULL) {
        plx__list_append(list, first);
    }
}

/* After a pass that the budget has ended, the next one begins elsewhere: a flood of one group, at one
 * of its receivers, or of messages for this program alone, keeps nobody else from being heard. */
static void take_turns(plx_discovery *discovery)
{
    struct plx__list *first = plx__list_first(&discovery->groups);
    discovery->alone_first = !discovery->alone_first;
    if (first != NULL) {
        put_first_last(&plx__discovery_group_at(first)->receivers);
        put_first_last(&discovery->groups);
    }
}

static bool hear_groups(plx_discovery *discovery, struct plx__budget *budget)
{
    bool is_all = true;
    struct plx__list *link = &discovery->groups;
    struct plx__list *last = link->previous; /* not those that handlers join meanwhile */
    while (link != last) {
        link = link->next;
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (is_alive(discovery, group)) {
            report_joined(discovery, group); /* this program itself */
        }
        is_all = hear_receivers(discovery, group, budget) && is_all;
    }
    return is_all;
}

bool plx__discovery_hear(plx_discovery *discovery, struct plx__budget *budget)
{
    bool alone_first = discovery->alone_first, is_all = true;
    report_error(discovery);
    if (alone_first) {
        is_all = hear_own(discovery, budget);
    }
    is_all = hear_groups(discovery, budget) && is_all;
    if (!alone_first) {
        is_all = hear_own(discovery, budget) && is_all;
    }
    if (!is_all && !discovery->guest.hold.freed) {
        take_turns(discovery);
    }
    return is_all;
}
