/* tests/sim/name.c -- addresses, ports and paths, and who is bound to them. */
#include "config.h"

#include "lib/os/address.h"
#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

/* ---- addresses: the only device is the loopback device --------------------------------------- */

static const uint8_t loopback6[16] = {[15] = 1};

bool sim_is_any(const plx_address *address)
{
    static const uint8_t none[16] = {0};
    return memcmp(address->bytes, none, sizeof none) == 0;
}

bool sim_is_local(const plx_address *address)
{
    return address->family == 4 ? address->bytes[0] == 127
                                : memcmp(address->bytes, loopback6, sizeof loopback6) == 0;
}

bool sim_is_group(const plx_address *address)
{
    return address->family == 4 ? address->bytes[0] >> 4 == 14 : address->bytes[0] == 0xff;
}

/* An IPv6 socket bound to :: also serves IPv4, unless it is limited to IPv6. */
static bool serves(const struct sim_open *open, const plx_address *address)
{
    if (open->is_bound_to_any) {
        return open->family == PLX__FAMILY_IPV4 ? address->family == 4
                                                : address->family == 6 || !open->only_ipv6;
    }
    return open->local.family == address->family &&
           memcmp(open->local.bytes, address->bytes, sizeof address->bytes) == 0;
}

static bool overlaps(const struct sim_open *open, const struct sim_open *other)
{
    if (open->is_bound_to_any && other->is_bound_to_any) {
        return open->family == other->family ||
               !(open->family == PLX__FAMILY_IPV6 ? open : other)->only_ipv6;
    }
    return open->is_bound_to_any ? serves(open, &other->local) : serves(other, &open->local);
}

/* socket(7): SO_REUSEADDR shares a port unless one of the two listens; for UDP it shares always. */
static bool shares(const struct sim_open *open, const struct sim_open *other)
{
    if (open->sort == SIM_UDP) {
        return (open->reuse && other->reuse) || (open->share && other->share);
    }
    return (open->share && other->share) ||
           (open->reuse && other->reuse && other->state != SIM_LISTENING);
}

static bool is_free(const struct sim_open *open, bool exactly)
{
    for (const struct sim_open *other = sim.all; other != NULL; other = other->next_of_all) {
        bool holds = other->sort == open->sort && other != open && other->is_bound &&
                     other->local.port == open->local.port &&
                     (!other->dead || other->state != SIM_CLOSED);
        if (holds && overlaps(open, other) && (exactly || !shares(open, other))) {
            return false;
        }
    }
    return true;
}

bool sim_is_free(const struct sim_open *open)
{
    return is_free(open, false);
}

/* Finds a port that no other socket of this sort has. */
int sim_choose_port(struct sim_open *open)
{
    for (int i = 0; i < 28232; i++) {
        sim.ports = sim.ports >= 60999 ? 32768 : sim.ports + 1;
        open->local.port = (uint16_t)sim.ports;
        if (is_free(open, true)) {
            return 0;
        }
    }
    open->local.port = 0;
    return -EADDRINUSE;
}

int sim_bind_address(struct sim_open *open, const plx_address *address)
{
    int result = 0;
    bool any = sim_is_any(address);
    if (open->is_bound) {
        return -EINVAL;
    }
    if ((address->family == 6 && open->family == PLX__FAMILY_IPV4) ||
        (address->family == 4 && open->family == PLX__FAMILY_IPV6 && open->only_ipv6)) {
        return address->family == 6 ? -EAFNOSUPPORT : -EINVAL;
    }
    if (!any && !sim_is_local(address)) {
        return -EADDRNOTAVAIL;
    }
    open->local = *address;
    open->is_bound_to_any = any;
    if (address->port == 0) {
        result = open->late_port ? 0 : sim_choose_port(open);
    } else if (!is_free(open, false)) {
        result = -EADDRINUSE;
    }
    if (result < 0) {
        open->local = (plx_address){0};
        open->is_bound_to_any = false;
        return result;
    }
    open->is_bound = true;
    return 0;
}

struct sim_open *sim_find_listener(const plx_address *to)
{
    struct sim_open *found = NULL;
    for (struct sim_open *open = sim.all; open != NULL; open = open->next_of_all) {
        bool fits = open->sort == SIM_TCP && open->state == SIM_LISTENING && !open->dead &&
                    open->local.port == to->port && serves(open, to);
        if (fits && (found == NULL || found->is_bound_to_any)) {
            found = open;
        }
    }
    return found;
}

/* A socket with a peer receives from its peer only, and is preferred. */
struct sim_open *sim_find_receiver(const plx_address *to, const plx_address *from)
{
    struct sim_open *found = NULL;
    int best = 0;
    for (struct sim_open *open = sim.all; open != NULL; open = open->next_of_all) {
        if (open->sort != SIM_UDP || open->dead || !open->is_bound ||
            open->local.port != to->port || !serves(open, to) ||
            (open->remote.family != 0 && !plx_address_equal(&open->remote, from))) {
            continue;
        }
        int rank = 1 + (open->remote.family != 0 ? 2 : 0) + (open->is_bound_to_any ? 0 : 1);
        if (rank > best) {
            found = open;
            best = rank;
        }
    }
    return found;
}

/* ---- paths ----------------------------------------------------------------------------------- */

bool sim_hears_group(const struct sim_open *open, const plx_address *to, const plx_address *from)
{
    bool has_joined = false;
    for (int i = 0; i < SIM_GROUPS; i++) {
        has_joined =
            has_joined || (open->groups[i].family == to->family &&
                           memcmp(open->groups[i].bytes, to->bytes, sizeof to->bytes) == 0);
    }
    return open->sort == SIM_UDP && !open->dead && open->is_bound && has_joined &&
           open->local.port == to->port && serves(open, to) &&
           (open->remote.family == 0 || plx_address_equal(&open->remote, from));
}

struct sim_node *sim_node_at(const char *path)
{
    struct sim_node *node = sim.nodes;
    while (node != NULL && (node->removed || strcmp(node->path, path) != 0)) {
        node = node->next;
    }
    return node;
}

struct sim_node *sim_node_new(const char *path, bool is_socket)
{
    struct sim_node *node = calloc(1, sizeof *node);
    node->path = strdup(path);
    node->number = sim.numbers++;
    node->is_socket = is_socket;
    node->mode = is_socket ? 0755 : 0600;
    node->changed = sim.now;
    node->next = sim.nodes;
    sim.nodes = node;
    return node;
}
