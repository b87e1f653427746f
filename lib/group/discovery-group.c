/* lib/group/discovery-group.c -- the groups that a discovery has joined, and the networks. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/interface.h"
#include "lib/os/os.h"
#include "lib/socket/object.h"

#include <string.h>

/* Milliseconds between two looks at the networks, and while there are none. */
#define LOOK_EVERY 10000
#define LOOK_SOON 1000

/* The room for networks is a multiple of this. */
#define ROOM 16

struct plx__discovery_group *plx__discovery_find(const plx_discovery *discovery, const char *name)
{
    struct plx__discovery_group *found = NULL;
    const struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (group->stage != PLX__GROUP_JOINED) {
            continue;
        }
        if (name == NULL && found != NULL) {
            return NULL; /* which of them? */
        }
        if (name == NULL || strcmp(name, group->name) == 0) {
            found = group;
        }
        if (name != NULL && found != NULL) {
            return found;
        }
    }
    return found;
}

/* ---- networks -------------------------------------------------------------------------------- */

/* Link-local addresses first: they are reached on every network of IPv6, and no router passes them
 * on. So of the networks of IPv6 on an interface only the first one is sent to. */
static int precedence(const struct plx__network *network)
{
    return network->address.family == 6 && plx__address_is_link_local(network->address.bytes) ? 0
                                                                                              : 1;
}

/* Whether an address reaches the neighbours of another network of its interface. They believe an
 * address of their own subnet only, but each of them is on the link-local network of IPv6, and the
 * programs of this computer are on all networks of the loopback interface. */
static bool reaches(const struct plx__network *other, const struct plx__network *network)
{
    bool is_shared = other->is_loopback || precedence(other) == 0;
    return plx__network_has(network, &other->address) ||
           (is_shared && other->address.family == network->address.family);
}

/* Whether an earlier network of the interface reaches the same neighbours. */
static bool is_repeated(const struct plx__network *list, const struct plx__network *network)
{
    for (const struct plx__network *other = list; other != network; other++) {
        if (other->interface == network->interface && other->takes_multicast &&
            reaches(other, network)) {
            return true;
        }
    }
    return false;
}

/* Makes the new list, which stands behind the old one, the present one. */
static void replace(plx_discovery *discovery, size_t count)
{
    const struct plx__network *list = discovery->networks + discovery->network_room;
    size_t place = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < count; i++) {
            if (precedence(&list[i]) == turn) {
                struct plx__network *network = &discovery->networks[place++];
                *network = list[i];
                network->is_repeated = is_repeated(discovery->networks, network);
            }
        }
    }
    discovery->network_count = count;
    plx__discovery_set_queue(discovery);
}

static bool is_same(const struct plx__network *a, const struct plx__network *b)
{
    return a->interface == b->interface && a->prefix == b->prefix &&
           a->takes_multicast == b->takes_multicast &&
           plx_address_equal(&a->address, &b->address) &&
           plx_address_equal(&a->far_end, &b->far_end);
}

/* Whether the new list has a network that the old one lacks: also one that takes multicast now, or no
 * longer, as the neighbours are reached in another way. Both are mostly in one order. */
static bool has_new(const plx_discovery *discovery, size_t count)
{
    const struct plx__network *list = discovery->networks + discovery->network_room;
    size_t old = 0;
    for (size_t i = 0; i < count; i++) {
        size_t tries = 0;
        while (tries < discovery->network_count && !is_same(&list[i], &discovery->networks[old])) {
            old = (old + 1) % discovery->network_count;
            tries++;
        }
        if (tries == discovery->network_count) {
            return true;
        }
    }
    return false;
}

/* The address of this program for its own list: of the first network that others reach. */
static void own_address(const plx_discovery *discovery, plx_address *ret_address)
{
    const struct plx__network *best = NULL;
    for (size_t i = 0; i < discovery->network_count; i++) {
        const struct plx__network *network = &discovery->networks[i];
        int family = plx__discovery_family(&network->address);
        bool is_usable = discovery->sockets[family] != NULL;
        bool is_better = best == NULL || (best->is_loopback && !network->is_loopback) ||
                         (best->is_loopback == network->is_loopback && best->address.family == 6 &&
                          network->address.family == 4);
        best = is_usable && is_better ? network : best;
    }
    *ret_address =
        best == NULL ? (plx_address){.family = 4, .bytes = {127, 0, 0, 1}} : best->address;
    ret_address->port = discovery->ports[plx__discovery_family(ret_address)];
}

static void renew_own_address(const plx_discovery *discovery, struct plx__discovery_group *group)
{
    struct plx__known *self = plx__members_find(&group->members, discovery->id);
    if (self != NULL) {
        own_address(discovery, &self->address);
    }
}

/* Takes the new list into the groups. Joins that have failed are tried again, although the list may
 * be the old one. */
static void follow_networks(plx_discovery *discovery, bool is_new)
{
    struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (group->stage != PLX__GROUP_JOINED) {
            continue;
        }
        renew_own_address(discovery, group);
        plx__discovery_leave_networks(discovery, group);
        if (plx__discovery_join_networks(discovery, group) || is_new) {
            plx__discovery_announce(discovery, group);
        }
    }
}

/* Makes room for this many networks, twice: for the present list and the next one. */
static bool make_room(plx_discovery *discovery, size_t count)
{
    size_t most = PLX__DISCOVERY_NETWORKS, room = (count + ROOM - 1) / ROOM * ROOM;
    room = room < most ? room : most;
    struct plx__network *block =
        plx__memory_resize(discovery->networks, 2 * room * sizeof *discovery->networks);
    if (block != NULL) {
        discovery->networks = block;
        discovery->network_room = room;
    }
    return block != NULL;
}

/* Writes the next list behind the present one. Returns its length, or a negative errno. */
static ptrdiff_t list_networks(plx_discovery *discovery)
{
    size_t room = discovery->network_room;
    ptrdiff_t count = room == 0 ? ROOM : plx__interface_networks(discovery->networks + room, room);
    while (count > (ptrdiff_t)room && room < PLX__DISCOVERY_NETWORKS) {
        if (!make_room(discovery, (size_t)count)) {
            return -PLX__ENOMEM;
        }
        room = discovery->network_room;
        count = plx__interface_networks(discovery->networks + room, room);
    }
    return count > (ptrdiff_t)room ? (ptrdiff_t)room : count;
}

int plx__discovery_look(plx_discovery *discovery, uint64_t now)
{
    ptrdiff_t result = list_networks(discovery);
    if (result >= 0) {
        size_t count = (size_t)result;
        bool is_new = has_new(discovery, count);
        if (is_new || count != discovery->network_count) {
            replace(discovery, count);
        }
        follow_networks(discovery, is_new);
    } /* else the old list is better than none */
    discovery->look_at =
        plx__clock_after(now, discovery->network_count == 0 ? LOOK_SOON : LOOK_EVERY);
    return result < 0 ? (int)-result : result == 0 ? PLX__ENODEV : 0;
}

/* ---- joining and leaving --------------------------------------------------------------------- */

static void destroy(struct plx__discovery_group *group)
{
    plx__list_remove(&group->link);
    plx__discovery_drop_receivers(group);
    plx__members_clear(&group->members);
    plx__memory_free(group);
}

static int begin_members(plx_discovery *discovery, struct plx__discovery_group *group,
                         const void *about, size_t size)
{
    plx_address address;
    own_address(discovery, &address);
    plx__members_begin(&group->members, plx__os_random());
    return plx__members_add_self(&group->members, discovery->id, &address, about, size) != NULL
               ? 0
               : plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                     "join group %s", group->name);
}

struct plx__discovery_group *plx__discovery_enter(plx_discovery *discovery, const char *name,
                                                  const void *about, size_t size)
{
    struct plx__discovery_group *group = plx__memory_new(sizeof *group);
    if (group == NULL) {
        plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                            "join group %s", name);
        return NULL;
    }
    plx__list_init(&group->receivers);
    group->name_size = strlen(name);
    memcpy(group->name, name, group->name_size);
    if (begin_members(discovery, group, about, size) != 0 ||
        plx__discovery_open_receivers(discovery, group) != 0) {
        destroy(group);
        return NULL;
    }
    plx__list_append(&discovery->groups, &group->link);
    discovery->joined++;
    plx__discovery_join_networks(discovery, group);
    return group;
}

void plx__discovery_exit(plx_discovery *discovery, struct plx__discovery_group *group)
{
    plx__discovery_say(discovery, group, PLX__DISCOVERY_BYE);
    group->stage = PLX__GROUP_LEAVING;
    group->who_at = 0;
    group->here_at = plx__clock_after(plx__clock_now(), 50);
    discovery->joined--;
    plx__discovery_close_receivers(group);
    plx__members_clear(&group->members);
}

void plx__discovery_reap(plx_discovery *discovery)
{
    struct plx__list *head = &discovery->groups;
    struct plx__list *link = head->next;
    while (!discovery->serving && link != head) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        link = link->next;
        if (group->stage == PLX__GROUP_LEFT) {
            destroy(group);
        }
    }
}
