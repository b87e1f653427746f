/* lib/group/discovery-receiver.c -- the sockets that receive the traffic of a group.
 *
 * A socket takes 20 memberships on Linux (igmp_max_memberships, ip-sysctl), counted over all
 * interfaces; for IPv6 as many as there is memory for (optmem_max). What it refuses beyond that, with
 * ENOBUFS or ENOMEM, a further receiver takes. It hears nothing twice over IPv4, where a socket
 * receives by the interfaces that it has joined on; over IPv6 Linux looks at the address alone
 * (inet6_mc_check, net/ipv6/mcast.c), and broadcast reaches each socket: the windows of sequences
 * drop those copies. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/socket/object.h"

/* The first room for interfaces. Most computers have fewer. */
#define ROOM 8

/* ---- opening and closing --------------------------------------------------------------------- */

/* Opens a receiver. Returns 0, with *ret_receiver NULL when this computer lacks the family; or a
 * code, with the error kept. */
static int open_receiver(plx_discovery *discovery, struct plx__discovery_group *group, int family,
                         struct plx__discovery_receiver **ret_receiver)
{
    struct plx__discovery_receiver *receiver = plx__memory_new(sizeof *receiver);
    *ret_receiver = NULL;
    if (receiver == NULL) {
        return plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                   "open a socket");
    }
    int code = plx__discovery_open(discovery, family, discovery->port, &receiver->socket);
    if (receiver->socket == NULL) {
        plx__memory_free(receiver);
        return code;
    }
    receiver->family = family;
    plx__list_append(&group->receivers, &receiver->link);
    *ret_receiver = receiver;
    return 0;
}

static void drop(struct plx__discovery_receiver *receiver)
{
    plx__list_remove(&receiver->link);
    plx_socket_free(receiver->socket);
    plx__memory_free(receiver->memberships);
    plx__memory_free(receiver);
}

int plx__discovery_open_receivers(plx_discovery *discovery, struct plx__discovery_group *group)
{
    struct plx__discovery_receiver *receiver;
    int code = 0;
    for (int i = 0; code == 0 && i < PLX__DISCOVERY_FAMILIES; i++) {
        if (discovery->sockets[i] != NULL) {
            code = open_receiver(discovery, group, i, &receiver);
        }
    }
    return code;
}

void plx__discovery_close_receivers(struct plx__discovery_group *group)
{
    struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_receiver *receiver = plx__discovery_receiver_at(link);
        receiver->socket = plx_socket_free(receiver->socket);
    }
}

void plx__discovery_drop_receivers(struct plx__discovery_group *group)
{
    struct plx__list *link;
    while ((link = plx__list_first(&group->receivers)) != NULL) {
        drop(plx__discovery_receiver_at(link));
    }
}

/* ---- joining --------------------------------------------------------------------------------- */

/* The membership on an interface; NULL: there is none. */
static struct plx__discovery_membership *find(const struct plx__discovery_group *group, int family,
                                              uint32_t interface)
{
    const struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        const struct plx__discovery_receiver *receiver = plx__discovery_receiver_at(link);
        for (size_t i = 0; receiver->family == family && i < receiver->count; i++) {
            if (receiver->memberships[i].interface == interface) {
                return &receiver->memberships[i];
            }
        }
    }
    return NULL;
}

/* Makes room to note one more interface. Returns 0 or a negative errno. */
static int reserve(struct plx__discovery_receiver *receiver)
{
    if (receiver->count < receiver->room) {
        return 0;
    }
    size_t room = receiver->room == 0 ? ROOM : receiver->room * 2;
    struct plx__discovery_membership *block =
        plx__memory_resize(receiver->memberships, room * sizeof *block);
    if (block == NULL) {
        return -PLX__ENOMEM;
    }
    receiver->memberships = block;
    receiver->room = room;
    return 0;
}

static int join_by(struct plx__discovery_receiver *receiver, const plx_address *address,
                   uint32_t interface)
{
    int result = reserve(receiver);
    if (result == 0) {
        result = plx__os_membership(receiver->socket->watch.descriptor, address, interface, true);
        result = result == -PLX__EADDRINUSE ? 0 : result; /* it is a member already */
    }
    if (result == 0) {
        receiver->memberships[receiver->count++] =
            (struct plx__discovery_membership){.interface = interface, .is_real = true};
    }
    return result;
}

/* Whether a receiver has no room, so that another one may join. */
static bool is_full(int result)
{
    return result == -PLX__ENOBUFS || result == -PLX__ENOMEM;
}

/* A receiver that is refused its first interface, too, would be of no use. */
static int join_by_further(plx_discovery *discovery, struct plx__discovery_group *group,
                           const plx_address *address, uint32_t interface)
{
    struct plx__discovery_receiver *receiver;
    int code = open_receiver(discovery, group, plx__discovery_family(address), &receiver);
    if (receiver == NULL) {
        return code != 0 ? code : -PLX__ENODEV; /* the computer has lost the family */
    }
    int result = join_by(receiver, address, interface);
    if (result != 0) {
        drop(receiver);
    }
    return result;
}

/* Returns 0; a code when a further receiver cannot be opened, with the error kept; or a negative
 * errno. */
static int join_on(plx_discovery *discovery, struct plx__discovery_group *group,
                   const struct plx__network *network)
{
    int family = plx__discovery_family(&network->address);
    int result = -PLX__ENOBUFS;
    plx_address address =
        plx__discovery_group_address(group->name, group->name_size, network->address.family, 0);
    const struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; is_full(result) && link != head; link = link->next) {
        struct plx__discovery_receiver *receiver = plx__discovery_receiver_at(link);
        if (receiver->family == family) {
            result = join_by(receiver, &address, network->interface);
        }
    }
    return is_full(result) ? join_by_further(discovery, group, &address, network->interface)
                           : result;
}

/* Whether a join has failed as it would on the next interface, too. Else the interface has gone since
 * the list was made. */
static bool is_failure(plx_discovery *discovery, const struct plx__discovery_group *group,
                       int result)
{
    if (result == 0 || result == -PLX__ENODEV || result == -PLX__EINVAL) {
        return false;
    }
    if (result < 0) {
        plx__discovery_fail(discovery, plx__error_code(-result), plx__error_reason(-result),
                            -result, "join group %s on each interface", group->name);
    }
    return true;
}

/* Joins where the group is not joined yet. Returns whether it was joined anywhere. */
static bool join(plx_discovery *discovery, struct plx__discovery_group *group, int family)
{
    bool is_new = false, is_over = discovery->sockets[family] == NULL;
    for (size_t i = 0; !is_over && i < discovery->network_count; i++) {
        const struct plx__network *network = &discovery->networks[i];
        if (plx__discovery_family(&network->address) != family || !network->takes_multicast ||
            find(group, family, network->interface) != NULL) {
            continue;
        }
        int result = join_on(discovery, group, network);
        is_new = is_new || result == 0;
        is_over = is_failure(discovery, group, result);
    }
    return is_new;
}

/* ---- leaving --------------------------------------------------------------------------------- */

static bool is_listed(const plx_discovery *discovery, int family, uint32_t interface)
{
    for (size_t i = 0; i < discovery->network_count; i++) {
        const struct plx__network *network = &discovery->networks[i];
        if (network->interface == interface && plx__discovery_family(&network->address) == family) {
            return true;
        }
    }
    return false;
}

static void set_all(struct plx__discovery_group *group, int family, bool is_real)
{
    struct plx__list *head = &group->receivers;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_receiver *receiver = plx__discovery_receiver_at(link);
        for (size_t i = 0; receiver->family == family && i < receiver->count; i++) {
            receiver->memberships[i].is_real = is_real;
        }
    }
}

/* What the kernel's list is compared with. */
struct examined {
    struct plx__discovery_group *group;
    int family;
};

static void note(uint32_t interface, void *user)
{
    const struct examined *examined = user;
    struct plx__discovery_membership *membership =
        find(examined->group, examined->family, interface);
    if (membership != NULL) {
        membership->is_real = true;
    }
}

/* Where the kernel does not list what the interfaces receive, each membership counts as real. */
static void examine(struct plx__discovery_group *group, int family, const plx_address *address)
{
    struct examined examined = {group, family};
    set_all(group, family, false);
    if (plx__os_memberships(address, note, &examined) < 0) {
        set_all(group, family, true);
    }
}

/* The kernel counts a membership on an interface that was deleted until the socket leaves. */
static void leave_by(const plx_discovery *discovery, struct plx__discovery_receiver *receiver,
                     const plx_address *address)
{
    size_t kept = 0;
    for (size_t i = 0; i < receiver->count; i++) {
        struct plx__discovery_membership membership = receiver->memberships[i];
        if (membership.is_real && is_listed(discovery, receiver->family, membership.interface)) {
            receiver->memberships[kept++] = membership;
        } else {
            (void)plx__os_membership(receiver->socket->watch.descriptor, address,
                                     membership.interface, false);
        }
    }
    receiver->count = kept;
}

/* Leaves where an interface has gone, or has lost the group. The first receiver of a family stays: it
 * hears broadcast. */
static void leave(const plx_discovery *discovery, struct plx__discovery_group *group, int family)
{
    int version = family == PLX__DISCOVERY_IPV4 ? 4 : 6;
    plx_address address = plx__discovery_group_address(group->name, group->name_size, version, 0);
    bool is_first = true;
    struct plx__list *head = &group->receivers, *next;
    examine(group, family, &address);
    for (struct plx__list *link = head->next; link != head; link = next) {
        struct plx__discovery_receiver *receiver = plx__discovery_receiver_at(link);
        next = link->next;
        if (receiver->family != family) {
            continue;
        }
        leave_by(discovery, receiver, &address);
        if (receiver->count == 0 && !is_first) {
            drop(receiver);
        }
        is_first = false;
    }
}

void plx__discovery_leave_networks(const plx_discovery *discovery,
                                   struct plx__discovery_group *group)
{
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        leave(discovery, group, i);
    }
}

bool plx__discovery_join_networks(plx_discovery *discovery, struct plx__discovery_group *group)
{
    bool is_new = false;
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        is_new = join(discovery, group, i) || is_new;
    }
    return is_new;
}
