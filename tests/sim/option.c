/* tests/sim/option.c -- options of sockets, with the limits of Linux. */
#include "config.h"

#include "lib/base/base.h"
#include "tests/sim/kernel.h"

#include <limits.h>
#include <string.h>

/* For each option the sorts of sockets that have it, and its limits. */
struct option_rule {
    unsigned sorts;
    int least, most;
    bool is_switch;
};

enum {
    TCP = 1 << SIM_TCP,
    UDP = 1 << SIM_UDP,
    ALL = TCP | UDP | 1 << SIM_STREAM | 1 << SIM_PACKET
};

static const struct option_rule rules[] = {
    [PLX_OPTION_KEEP_ALIVE] = {ALL, INT_MIN, INT_MAX, true},
    [PLX_OPTION_KEEP_ALIVE_IDLE] = {TCP, 1, 32767, false},
    [PLX_OPTION_KEEP_ALIVE_INTERVAL] = {TCP, 1, 32767, false},
    [PLX_OPTION_KEEP_ALIVE_COUNT] = {TCP, 1, 127, false},
    [PLX_OPTION_LOW_DELAY] = {TCP, INT_MIN, INT_MAX, true},
    [PLX_OPTION_TYPE_OF_SERVICE] = {TCP | UDP, INT_MIN, INT_MAX, false},
    [PLX_OPTION_SEND_BUFFER_SIZE] = {ALL, INT_MIN, INT_MAX, false},
    [PLX_OPTION_RECEIVE_BUFFER_SIZE] = {ALL, INT_MIN, INT_MAX, false},
    [PLX_OPTION_PATH_MTU] = {TCP | UDP, 1280, 65535, false},
    [PLX_OPTION_ROUTER_HOPS] = {TCP | UDP, 1, 255, false},
    [PLX_OPTION_SEND_TO_SELF] = {UDP, INT_MIN, INT_MAX, true},
    [PLX_OPTION_BROADCAST] = {ALL, INT_MIN, INT_MAX, true},
    [PLX_OPTION_SHARE_ADDRESS] = {ALL, INT_MIN, INT_MAX, true},
    [PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] = {TCP, 0, INT_MAX, false},
    [PLX_OPTION_MULTICAST_HOPS] = {TCP | UDP, -1, 255, false},
};

bool plx__os_has_option(plx_option option)
{
    return (unsigned)option < PLX__COUNT_OF(rules) && rules[option].sorts != 0;
}

/* The socket, if it has the option; else NULL and the errno of setsockopt. */
static struct sim_open *find(plx__fd descriptor, plx_option option, bool asks, int *ret_error)
{
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, ret_error);
    if (open == NULL) {
        return NULL;
    }
    if (!plx__os_has_option(option)) {
        *ret_error = -ENOPROTOOPT;
        return NULL;
    }
    if ((rules[option].sorts & 1u << open->sort) == 0) {
        bool has_level = open->family != PLX__FAMILY_UNIX && !(asks && rules[option].sorts == TCP);
        *ret_error = has_level ? -ENOPROTOOPT : -EOPNOTSUPP;
        return NULL;
    }
    return open;
}

/* sock_setsockopt doubles what a buffer is asked to hold, up to wmem_max and rmem_max. */
static int buffer_size(int value, int least)
{
    int most = 4194304;
    value = value < 0 || value > most ? most : value;
    return 2 * value < least ? least : 2 * value;
}

int plx__os_set_option(plx__fd descriptor, plx_option option, int value)
{
    int error = 0;
    struct sim_open *open = find(descriptor, option, false, &error);
    if (open == NULL) {
        return error;
    }
    const struct option_rule *rule = &rules[option];
    if (option == PLX_OPTION_PATH_MTU && open->family == PLX__FAMILY_IPV4) {
        return -ENOPROTOOPT;
    }
    if (value < rule->least || value > rule->most) {
        return -EINVAL;
    }
    switch (option) {
    case PLX_OPTION_SEND_BUFFER_SIZE: value = buffer_size(value, 4608); break;
    case PLX_OPTION_RECEIVE_BUFFER_SIZE: value = buffer_size(value, 2304); break;
    case PLX_OPTION_TYPE_OF_SERVICE: value &= open->sort == SIM_TCP ? 0xfc : 0xff; break;
    case PLX_OPTION_ROUTER_HOPS: open->options[PLX_OPTION_MULTICAST_HOPS] = value; break;
    case PLX_OPTION_SHARE_ADDRESS: open->reuse = open->share = value != 0; break;
    default: value = rule->is_switch ? value != 0 : value; break;
    }
    open->options[option] = value;
    return 0;
}

int plx__os_option(plx__fd descriptor, plx_option option, int *ret_value)
{
    int error = 0;
    const struct sim_open *open = find(descriptor, option, true, &error);
    if (open == NULL) {
        return error;
    }
    if (option == PLX_OPTION_PATH_MTU) {
        if (open->remote.family == 0 || open->state == SIM_SYN_SENT) {
            return -ENOTCONN;
        }
        *ret_value = 65535 + (open->remote.family == 6);
        return 0;
    }
    *ret_value = open->options[option];
    return 0;
}

/* Sets one switch of a socket of the Internet. */
static struct sim_open *internet_of(plx__fd descriptor, int *ret_error)
{
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, ret_error);
    if (open != NULL && open->family == PLX__FAMILY_UNIX) {
        *ret_error = -EOPNOTSUPP;
        return NULL;
    }
    return open;
}

int plx__os_set_only_ipv6(plx__fd descriptor, bool only)
{
    int error;
    struct sim_open *open = internet_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->family == PLX__FAMILY_IPV4) {
        return -ENOPROTOOPT;
    }
    if (open->is_bound) {
        return -EINVAL;
    }
    open->only_ipv6 = only;
    return 0;
}

int plx__os_set_reuse(plx__fd descriptor)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open != NULL) {
        open->reuse = true;
    }
    return open == NULL ? error : 0;
}

int plx__os_set_late_port(plx__fd descriptor)
{
    int error;
    struct sim_open *open = internet_of(descriptor, &error);
    if (open != NULL) {
        open->late_port = true;
    }
    return open == NULL ? error : 0;
}

int plx__os_set_urgent_inline(plx__fd descriptor)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open != NULL) {
        open->urgent_inline = true;
    }
    return open == NULL ? error : 0;
}

/* ---- groups and interfaces: there are none but the loopback device --------------------------- */

/* The place of a group among those that were joined, SIM_GROUPS if it was not. */
static int membership_at(const struct sim_open *open, const plx_address *group)
{
    int place = 0;
    while (place < SIM_GROUPS && !plx_address_equal(&open->groups[place], group)) {
        place++;
    }
    return place;
}

/* ip_mc_join_group, ip_mc_leave_group */
int plx__os_membership(plx__fd descriptor, const plx_address *group, unsigned interface_index,
                       bool join)
{
    int error;
    bool is_group = sim_is_group(group);
    struct sim_open *open = internet_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (!is_group || interface_index > 1) {
        return !is_group ? -EINVAL : -ENODEV;
    }
    int place = membership_at(open, group);
    int free_place = membership_at(open, &(plx_address){0});
    if (!join && place < SIM_GROUPS) {
        open->groups[place] = (plx_address){0};
        return 0;
    }
    if (!join || place < SIM_GROUPS) {
        return join ? -EADDRINUSE : -EADDRNOTAVAIL;
    }
    if (free_place < SIM_GROUPS) {
        open->groups[free_place] = *group;
    }
    return free_place < SIM_GROUPS ? 0 : -ENOBUFS;
}

/* Nothing takes a membership away here. */
int plx__os_memberships(const plx_address *group, void (*visit)(uint32_t interface, void *user),
                        void *user)
{
    (void)group;
    (void)visit;
    (void)user;
    return -ENOENT;
}

int plx__os_set_only_joined(plx__fd descriptor)
{
    int error;
    return internet_of(descriptor, &error) == NULL ? error : 0;
}

int plx__os_set_multicast_interface(plx__fd descriptor, unsigned interface_index,
                                    const plx_address *source)
{
    int error;
    (void)source;
    if (internet_of(descriptor, &error) == NULL) {
        return error;
    }
    return interface_index > 1 ? -ENODEV : 0;
}

int plx__os_bind_device(plx__fd descriptor, const char *name)
{
    int error;
    sim_enter();
    if (sim_socket_of(descriptor, &error) == NULL) {
        return error;
    }
    return strcmp(name, "lo") == 0 || name[0] == '\0' ? 0 : -ENODEV;
}

int plx__os_bound_device(plx__fd descriptor)
{
    (void)descriptor;
    sim_enter();
    return 0;
}

bool plx__os_has_interface(unsigned index)
{
    return index == 1;
}

unsigned plx__os_interface_index(const char *name)
{
    return strcmp(name, "lo") == 0 ? 1 : 0;
}

int plx__os_check_source(const plx_address *address)
{
    sim_enter();
    return sim_is_local(address) || sim_is_any(address) ? 0 : -EADDRNOTAVAIL;
}
