/* lib/resolve/order.c -- the order in which the addresses of a name are tried.
 *
 * First the addresses that this computer has a route to, then in the order of RFC 6724, section 6,
 * as far as the source address that the kernel would choose decides it: rules 1 (avoid unusable
 * destinations), 2 (matching scope), 5 (matching label), 6 (precedence), 8 (smaller scope) and 10
 * (otherwise unchanged). Rule 9 (longest prefix) is left out: it undoes the rotation by which name
 * servers spread the load over the computers of a service. Then the families alternate (RFC 8305,
 * 4), so that a family that does not work here costs one head start and not one for each of its
 * addresses. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/base.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/resolve/resolver.h"

#include <string.h>

struct candidate {
    plx_address address;
    unsigned rank; /* the smaller rank first */
};

#define UNREACHABLE (1u << 31)

/* ---- the policy table ------------------------------------------------------------------------ */

/* RFC 6724, 2.1, without the deprecated prefixes (3ffe::/16, fec0::/10, ::/96). */
struct policy {
    uint8_t prefix[4];
    uint8_t bits;
    uint8_t precedence;
    uint8_t label;
};

static const struct policy policies[] = {
    {{0x20, 0x01, 0, 0}, 32, 5, 5}, /* Teredo */
    {{0x20, 0x02}, 16, 30, 2},      /* 6to4 */
    {{0xfc}, 7, 3, 13},             /* unique local */
};
static const struct policy loopback = {.precedence = 50, .label = 0};
static const struct policy ipv4 = {.precedence = 35, .label = 4};
static const struct policy ipv6 = {.precedence = 40, .label = 1};

static bool has_prefix(const uint8_t *bytes, const struct policy *policy)
{
    unsigned whole = policy->bits / 8;
    unsigned rest = policy->bits % 8;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return memcmp(bytes, policy->prefix, whole) == 0 &&
           (rest == 0 || (bytes[whole] & mask) == policy->prefix[whole]);
}

static bool is_loopback(const plx_address *address)
{
    static const uint8_t bytes[16] = {[15] = 1};
    return address->family == 4 ? address->bytes[0] == 127
                                : memcmp(address->bytes, bytes, sizeof bytes) == 0;
}

static const struct policy *policy_of(const plx_address *address)
{
    if (address->family == 4) {
        return &ipv4;
    }
    for (size_t i = 0; i < PLX__COUNT_OF(policies); i++) {
        if (has_prefix(address->bytes, &policies[i])) {
            return &policies[i];
        }
    }
    return is_loopback(address) ? &loopback : &ipv6;
}

/* RFC 6724, 3.1 and 3.2: a multicast address carries its scope, link-local is 2, anything else 14.
 */
static unsigned scope_of(const plx_address *address)
{
    const uint8_t *bytes = address->bytes;
    if (address->family == 6 && bytes[0] == 0xff) {
        return bytes[1] & 15u;
    }
    bool local = address->family == 4 ? bytes[0] == 169 && bytes[1] == 254
                                      : plx__address_is_link_local(bytes);
    return local || is_loopback(address) ? 2 : 14;
}

/* ---- the source address ---------------------------------------------------------------------- */

/* One datagram socket of each family, opened when it is needed. */
struct prober {
    plx__fd descriptors[2];
};

/* Finds the source address of a datagram to `to` by connecting a socket, which sends nothing.
 * Returns false when the kernel has no route; family 0 when no socket could be opened. */
static bool find_local_source(struct prober *prober, const plx_address *to, plx_address *ret_source)
{
    struct plx__sockaddr name, local;
    plx_address address = *to;
    plx__fd *descriptor = &prober->descriptors[to->family == 4 ? 0 : 1];
    address.port = 9; /* discard: some kernels refuse port 0 */
    plx__sockaddr_from_address(&name, &address, PLX__FAMILY_NONE);
    if (*descriptor < 0) {
        *descriptor = plx__os_socket(plx__sockaddr_family(&name), PLX__TYPE_DATAGRAM);
    }
    *ret_source = (plx_address){0};
    if (*descriptor < 0) {
        /* When no descriptor is left, the connection attempt reports it. */
        return *descriptor != -PLX__EAFNOSUPPORT;
    }
    if (plx__os_connect(*descriptor, &name) < 0) {
        return false;
    }
    if (plx__os_local_sockaddr(*descriptor, &local) == 0) {
        plx__sockaddr_to_address(&local, ret_source);
    }
    /* Without this the source address would stay chosen for the next connect. */
    plx__os_dissolve(*descriptor);
    return true;
}

static unsigned rank_of(struct prober *prober, const plx_address *address, bool listed)
{
    plx_address source;
    if (!find_local_source(prober, address, &source)) {
        return UNREACHABLE;
    }
    if (listed || source.family == 0) {
        return 0;
    }
    const struct policy *policy = policy_of(address);
    unsigned scope = scope_of(address);
    unsigned rank = scope == scope_of(&source) ? 0 : 1u << 30;
    rank |= policy->label == policy_of(&source)->label ? 0 : 1u << 29;
    return rank | (255u - policy->precedence) << 8 | scope;
}

/* ---- the order ------------------------------------------------------------------------------- */

/* A stable sort of a few dozen addresses: those of one rank keep their order. */
static void sort(struct candidate *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct candidate moved = list[i];
        size_t at = i;
        for (; at > 0 && list[at - 1].rank > moved.rank; at--) {
            list[at] = list[at - 1];
        }
        list[at] = moved;
    }
}

/* Returns the next address of the family whose turn it is, or, when none is left, of the other
 * family. */
static size_t next_of(const struct candidate *list, size_t count, size_t from, uint16_t family)
{
    while (from < count && list[from].address.family != family) {
        from++;
    }
    return from;
}

static void take_turns(plx_address *places, const struct candidate *list, size_t count,
                       uint16_t family)
{
    while (count > 0 && list[count - 1].rank == UNREACHABLE) {
        count--;
        places[count] = list[count].address;
    }
    size_t next[2] = {next_of(list, count, 0, 4), next_of(list, count, 0, 6)};
    for (size_t i = 0; i < count; i++) {
        size_t turn = family == 4 ? 0 : 1;
        turn = next[turn] < count ? turn : 1 - turn;
        family = turn == 0 ? 4 : 6;
        places[i] = list[next[turn]].address;
        next[turn] = next_of(list, count, next[turn] + 1, family);
        family = family == 4 ? 6 : 4;
    }
}

void plx__query_order(struct plx__query *query, size_t first)
{
    struct candidate list[PLX__COUNT_OF(query->addresses)];
    struct prober prober = {{-1, -1}};
    size_t count = query->count - first;
    if (count < 2) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        list[i].address = query->addresses[first + i];
        list[i].rank = rank_of(&prober, &list[i].address, query->is_listed);
    }
    sort(list, count);
    /* After an address that is being tried already the other family follows. */
    uint16_t family = first == 0 ? list[0].address.family
                                 : (uint16_t)(query->addresses[first - 1].family == 4 ? 6 : 4);
    take_turns(query->addresses + first, list, count, family);
    for (size_t i = 0; i < PLX__COUNT_OF(prober.descriptors); i++) {
        if (prober.descriptors[i] >= 0) {
            plx__os_close(prober.descriptors[i]);
        }
    }
}
