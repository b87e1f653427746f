/* lib/endpoint/membership.c -- multicast groups, and the interfaces a datagram socket depends
 * on. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/endpoint/internet.h"
#include "lib/endpoint/membership.h"
#include "lib/os/address.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"

#include <string.h>

/* Milliseconds between two checks. A netlink socket would report a removed interface at once, but
 * would cost a second descriptor for each socket that depends on an interface. */
#define LOOK_EVERY 5000

/* ---- interfaces ------------------------------------------------------------------------------ */

static void plan_look(struct plx__membership *self)
{
    self->look_at = self->count == 0 ? 0 : plx__clock_after(plx__clock_now(), LOOK_EVERY);
}

/* The index of an interface in the list, or the first free one. */
static size_t membership_at(const struct plx__membership *self, uint32_t interface)
{
    size_t place = 0;
    while (place < self->count && self->interfaces[place].index != interface) {
        place++;
    }
    return place;
}

static void depend_on(plx_socket *socket, struct plx__membership *self, uint32_t interface)
{
    size_t place = membership_at(self, interface);
    if (interface == 0 || place == PLX__MEMBERSHIP_INTERFACES) {
        return;
    }
    if (place < self->count) {
        self->interfaces[place].uses++;
        return;
    }
    self->interfaces[place] = (struct plx__membership_interface){interface, 1};
    self->count++;
    if (self->look_at == 0) {
        plan_look(self);
    }
    plx__socket_update(socket);
}

/* Removes one use of an interface after its socket has left a group there. */
static void depend_less(plx_socket *socket, struct plx__membership *self, uint32_t interface)
{
    size_t place = membership_at(self, interface);
    if (place == self->count || --self->interfaces[place].uses > 0) {
        return;
    }
    self->count--;
    self->interfaces[place] = self->interfaces[self->count];
    if (self->count == 0) {
        self->look_at = 0;
        plx__socket_update(socket);
    }
}

void plx__membership_bound(plx_socket *socket, struct plx__membership *self)
{
    int index = plx__os_bound_device(socket->watch.descriptor);
    if (index > 0) {
        depend_on(socket, self, (uint32_t)index);
    }
}

void plx__membership_look(plx_socket *socket, struct plx__membership *self)
{
    if (self->look_at == 0 || plx__clock_now() < self->look_at) {
        return;
    }
    uint8_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        uint32_t interface = self->interfaces[i].index;
        if (plx__os_has_interface(interface)) {
            self->interfaces[kept++] = self->interfaces[i];
        } else {
            plx__socket_fail_system(socket, -PLX__ENODEV,
                                    "receive by interface %lu, which has gone (close the socket, "
                                    "connect and join again when it is back)",
                                    (unsigned long)interface);
        }
    }
    self->count = kept;
    plan_look(self);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* Reads an address, and the interface behind '%', which is not part of a plx_address except for
 * some addresses of IPv6. */
static bool parse_membership(const char *text, plx_address *ret_group, uint32_t *ret_interface)
{
    size_t length = strlen(text);
    const char *percent = strchr(text, '%');
    size_t bare = percent == NULL ? length : (size_t)(percent - text);
    if (!plx__address_parse_host(text, bare, ret_group) || !plx__address_is_group(ret_group)) {
        return false;
    }
    *ret_interface = 0;
    return percent == NULL ||
           plx__address_parse_scope(percent + 1, length - bare - 1, ret_interface);
}

static int refuse_group(plx_socket *socket, const char *call, const char *text)
{
    const char *percent = text == NULL ? NULL : strchr(text, '%');
    plx_address group;
    if (percent != NULL && plx__address_parse_host(text, (size_t)(percent - text), &group) &&
        plx__address_is_group(&group)) {
        return plx__socket_fail_system(socket, -PLX__ENODEV, "%s group %s", call, text);
    }
    return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                              "%s group %s: not the address of a multicast group", call,
                              text == NULL ? "NULL" : text);
}

static int fail_change(plx_socket *socket, const char *call, const char *text, int index, int error)
{
    if (error == -PLX__ENODEV && index == 0) {
        return plx__socket_fail_system(
            socket, error, "%s group %s without an interface, when no route leads there", call,
            text);
    }
    return plx__socket_fail_system(socket, error, "%s group %s", call, text);
}

int plx__membership_change(plx_socket *socket, struct plx__membership *self, const char *text,
                           int family, bool join)
{
    const char *call = join ? "join" : "leave";
    plx_address group;
    uint32_t wanted;
    if (text == NULL || !parse_membership(text, &group, &wanted)) {
        return refuse_group(socket, call, text);
    }
    /* Linux lets an IPv6-only socket join a group of IPv4, but delivers none of the group's
     * datagrams. */
    if (family != 0 && family != group.family) {
        return plx__socket_fail_system(socket, -PLX__EAFNOSUPPORT, "%s group %s", call, text);
    }
    if (join && plx__os_bound_device(socket->watch.descriptor) == -PLX__ENODEV) {
        return plx__socket_fail_system(socket, -PLX__ENODEV,
                                       "join group %s by an interface that has gone (close the "
                                       "socket and connect again)",
                                       text);
    }
    int index = wanted != 0 ? (int)wanted : plx__internet_interface_index(socket);
    int result = index < 0
                     ? index
                     : plx__os_membership(socket->watch.descriptor, &group, (unsigned)index, join);
    if (result < 0) {
        return fail_change(socket, call, text, index, result);
    }
    if (join) {
        depend_on(socket, self, (uint32_t)index);
    } else {
        depend_less(socket, self, (uint32_t)index);
    }
    return 0;
}
