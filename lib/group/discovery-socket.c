/* lib/group/discovery-socket.c -- the sockets of a discovery. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/socket/object.h"

#include <pollux/option.h>

#include <stdio.h>

/* The most bytes that wait for the next poll, for each socket, and for each of many networks: three
 * datagrams of the largest size, of which reserve_of (discovery-out.c) keeps one. */
#define QUEUE ((size_t)256 * 1024)
#define QUEUE_EACH ((size_t)4096)

static void schedule(plx_socket *socket, void *user)
{
    plx_discovery *discovery = user;
    (void)socket;
    plx__task_schedule_input(&discovery->guest.task);
}

/* Networks that have gone make such errors until the next look. That a member has gone is reported,
 * and so is a firewall (EPERM). */
static bool is_of_network(int code)
{
    return code == PLX_OPEN_DRIVER || code == PLX__ENODEV || code == PLX__EADDRNOTAVAIL ||
           code == PLX__EINVAL;
}

static void socket_failed(plx_socket *socket, const plx_error *error, void *user)
{
    plx_discovery *discovery = user;
    (void)socket;
    if (is_of_network(error->code)) {
        uint64_t soon = plx__clock_after(plx__clock_now(), 1000);
        discovery->look_at = plx__clock_earlier(discovery->look_at, soon);
    } else {
        plx__discovery_keep(discovery, error);
    }
    plx__task_schedule_input(&discovery->guest.task);
}

/* Programs on one computer hear each other over IPv4 by the loopback interface. Over IPv6 that one
 * has no route for multicast, so the other interfaces have to loop the datagrams back. */
static int choose(plx_socket *socket, int family, bool shares)
{
    bool is_ipv6 = family == PLX__DISCOVERY_IPV6;
    int code = plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, is_ipv6);
    code = code != 0 ? code : plx_socket_set_option(socket, PLX_OPTION_SEND_TO_SELF, is_ipv6);
    code = code != 0 ? code : plx_socket_set_option(socket, PLX_OPTION_MULTICAST_HOPS, 1);
    code = code != 0 ? code : plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, (int)QUEUE);
    return code != 0 ? code : plx_socket_set_option(socket, PLX_OPTION_SHARE_ADDRESS, shares);
}

/* Binds a new socket, and puts it where the other sockets of the discovery are. Returns 0 or a
 * code. */
static int settle(plx_discovery *discovery, plx_socket *socket, int port)
{
    static const plx_events events = {.data_available = schedule, .error = socket_failed};
    char where[sizeof ":65535"];
    snprintf(where, sizeof where, ":%u", (unsigned)port & 0xffff);
    int code = plx_udp_bind(socket, where);
    if (code == 0) {
        socket->task.hidden = true;
        plx__os_set_only_joined(socket->watch.descriptor);
        plx_socket_set_events(socket, &events, discovery);
        if (discovery->guest.task.loop != NULL) {
            code = plx_group_add(plx__group_of(discovery->guest.task.loop), socket);
        }
    }
    return code;
}

int plx__discovery_open(plx_discovery *discovery, int family, int port, plx_socket **ret_socket)
{
    plx_socket *socket = plx_udp_new();
    *ret_socket = NULL;
    if (socket == NULL) {
        return plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                   "open a socket");
    }
    int code = choose(socket, family, port != 0);
    code = code == 0 ? settle(discovery, socket, port) : code;
    if (code == 0) {
        *ret_socket = socket;
        return 0;
    }
    const plx_error *error = plx_socket_error(socket);
    bool lacks = error->os_error == PLX__EAFNOSUPPORT;
    if (error->code == 0) {
        plx__discovery_fail(discovery, code, PLX_REASON_OPERATION, 0, "serve a socket");
    } else if (!lacks) {
        plx__discovery_keep(discovery, error);
    }
    plx_socket_free(socket);
    return lacks ? 0 : code;
}

size_t plx__discovery_queue(const plx_discovery *discovery)
{
    size_t wanted = discovery->network_count * QUEUE_EACH;
    return wanted > QUEUE ? wanted : QUEUE;
}

void plx__discovery_set_queue(plx_discovery *discovery)
{
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        if (discovery->sockets[i] != NULL) {
            (void)plx_socket_set_option(discovery->sockets[i], PLX_OPTION_WRITE_LIMIT,
                                        (int)plx__discovery_queue(discovery));
        }
    }
}

void plx__discovery_close(plx_socket *sockets[PLX__DISCOVERY_FAMILIES])
{
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        plx_socket **place = sockets + i;
        *place = plx_socket_free(*place);
    }
}

int plx__discovery_write(plx_socket *socket, const plx_address *from, const plx_address *to,
                         const void *data, size_t size)
{
    return plx_udp_write_from(socket, from, to, data, size);
}

bool plx__discovery_read(plx_socket *socket, plx_datagram *ret_datagram)
{
    return plx_udp_read(socket, ret_datagram);
}
