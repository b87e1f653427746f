/* tests/sim/call.c -- the calls of lib/os/os.h on sockets, which look for the kind. */
#include "config.h"

#include "tests/sim/extra.h"
#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

enum { UNIX_BUFFER = 212992, TCP_BUFFER = 87040, TCP_WINDOW = 131072 };

/* ---- life ------------------------------------------------------------------------------------ */

static void set_defaults(struct sim_open *open)
{
    bool tcp = open->sort == SIM_TCP;
    int send = tcp ? TCP_BUFFER : UNIX_BUFFER;
    int receive = tcp ? TCP_WINDOW : UNIX_BUFFER;
    if (sim.seed != 0 && tcp) { /* some computers have little memory */
        send = 4608 << sim_chance(6);
        receive = 2304 << sim_chance(8);
    }
    open->options[PLX_OPTION_SEND_BUFFER_SIZE] = send;
    open->options[PLX_OPTION_RECEIVE_BUFFER_SIZE] = receive;
    open->options[PLX_OPTION_KEEP_ALIVE_IDLE] = 7200;
    open->options[PLX_OPTION_KEEP_ALIVE_INTERVAL] = 75;
    open->options[PLX_OPTION_KEEP_ALIVE_COUNT] = 9;
    open->options[PLX_OPTION_ROUTER_HOPS] = 64;
    open->options[PLX_OPTION_MULTICAST_HOPS] = 1;
    open->options[PLX_OPTION_SEND_TO_SELF] = 1;
    open->options[PLX_OPTION_MODE] = 0777;
}

static int lack(void)
{
    return sim_happens(SIM_MFILE)    ? -EMFILE
           : sim_happens(SIM_NFILE)  ? -ENFILE
           : sim_happens(SIM_NOBUFS) ? -ENOBUFS
           : sim_happens(SIM_NOMEM)  ? -ENOMEM
                                     : 0;
}

static int sort_of(enum plx__family family, enum plx__type type)
{
    if (family == PLX__FAMILY_UNIX) {
        return type == PLX__TYPE_STREAM ? SIM_STREAM : type == PLX__TYPE_PACKET ? SIM_PACKET : -1;
    }
    return type == PLX__TYPE_STREAM ? SIM_TCP : type == PLX__TYPE_DATAGRAM ? SIM_UDP : -1;
}

plx__fd plx__os_socket(enum plx__family family, enum plx__type type)
{
    sim_enter();
    int sort = sort_of(family, type);
    int result = lack();
    if (family != PLX__FAMILY_UNIX && family != PLX__FAMILY_IPV4 && family != PLX__FAMILY_IPV6) {
        return -EAFNOSUPPORT;
    }
    if (sort < 0 || result < 0) {
        return sort < 0 ? -ESOCKTNOSUPPORT : result;
    }
    struct sim_open *open = sim_new((enum sim_sort)sort);
    open->family = family;
    set_defaults(open);
    result = sim_give(open);
    return result;
}

int plx__os_close(plx__fd descriptor)
{
    sim_enter();
    struct sim_open *open = sim_of(descriptor);
    if (open == NULL) {
        return -EBADF;
    }
    sim.table[descriptor] = NULL;
    sim_drop(open);
    sim_run();
    return 0;
}

plx__fd plx__os_copy(plx__fd descriptor)
{
    sim_enter();
    struct sim_open *open = sim_of(descriptor);
    if (open == NULL) {
        return -EBADF;
    }
    return sim_happens(SIM_MFILE) ? -EMFILE : sim_give(open);
}

plx__fd plx__os_copy_spare(plx__fd descriptor)
{
    return plx__os_copy(descriptor);
}

int plx__os_check_pollable(plx__fd descriptor)
{
    sim_enter();
    const struct sim_open *open = sim_of(descriptor);
    return open == NULL ? -EBADF : open->sort == SIM_FILE ? -EPERM : 0;
}

int sim_listen(plx__fd descriptor, int backlog)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->sort == SIM_UDP) {
        return -EOPNOTSUPP;
    }
    if ((open->state != SIM_CLOSED && open->state != SIM_LISTENING) ||
        (open->sort != SIM_TCP && !open->is_bound)) {
        return -EINVAL;
    }
    if (open->sort == SIM_TCP && open->state == SIM_CLOSED && open->is_bound &&
        !sim_is_free(open)) {
        return -EADDRINUSE;
    }
    if (open->sort == SIM_TCP && !open->is_bound) {
        open->is_bound = open->is_bound_to_any = true;
        open->local.family = open->family == PLX__FAMILY_IPV4 ? 4 : 6;
        sim_choose_port(open);
    }
    open->state = SIM_LISTENING;
    open->backlog = backlog;
    return 0;
}

int plx__os_listen(plx__fd descriptor)
{
    return sim_listen(descriptor, sim.seed != 0 && sim_chance(4) == 0 ? (int)sim_chance(4) : 4096);
}

static int refuse_accept(const struct sim_open *open)
{
    if (open->sort == SIM_UDP) {
        return -EOPNOTSUPP;
    }
    return open->state != SIM_LISTENING ? -EINVAL
           : open->queue == NULL        ? -EAGAIN
           : sim_happens(SIM_PERM)      ? -EPERM
                                        : lack();
}

plx__fd plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    int result;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &result);
    if (open == NULL) {
        return result;
    }
    result = refuse_accept(open);
    if (result < 0) {
        return result;
    }
    struct sim_open *child = open->queue;
    result = sim_give(child);
    if (result >= 0) {
        open->queue = child->next_waiting;
        open->queued--;
        child->next_waiting = NULL;
        child->listener = NULL;
        if (plx__os_remote_sockaddr(result, ret_name) < 0) {
            plx__sockaddr_from_address(ret_name, &child->remote, child->family);
        }
    }
    return result;
}

/* ---- names ----------------------------------------------------------------------------------- */

static void write_name(const struct sim_open *of, enum plx__family family, const char *path,
                       const plx_address *address, struct plx__sockaddr *ret_name)
{
    plx_address any = {.family = family == PLX__FAMILY_IPV4 ? 4 : 6};
    if (family != PLX__FAMILY_UNIX) {
        any.port = address->port;
        plx__sockaddr_from_address(
            ret_name, address->family == 0 || sim_is_any(address) ? &any : address, family);
        return;
    }
    (void)of;
    if (path == NULL || plx__sockaddr_from_path(ret_name, path, strlen(path)) < 0 ||
        ret_name->long_path != NULL) {
        plx__sockaddr_from_path(ret_name, "x", 1);
        ret_name->size = 2; /* the family alone */
        ret_name->long_path = NULL;
    }
}

int plx__os_local_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    write_name(open, open->family, open->name, &open->local, ret_name);
    return 0;
}

int plx__os_remote_sockaddr(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    bool is_unix = open->family == PLX__FAMILY_UNIX;
    bool connected = open->sort == SIM_UDP   ? open->remote.family != 0
                     : open->sort == SIM_TCP ? open->state == SIM_ESTABLISHED
                                             : open->peer != NULL;
    if (!connected) {
        return -ENOTCONN;
    }
    write_name(open, open->family, is_unix ? open->peer->name : NULL, &open->remote, ret_name);
    return 0;
}

int plx__os_bind(plx__fd descriptor, const struct plx__sockaddr *name)
{
    int error;
    char path[PLX__OS_SOCKADDR_TEXT_SIZE];
    plx_address address;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->family == PLX__FAMILY_UNIX) {
        if (name->long_path == NULL && !plx__sockaddr_to_path(name, path, sizeof path)) {
            return -EINVAL;
        }
        return sim_unix_bind(open, name->long_path != NULL ? name->long_path : path);
    }
    if (!plx__sockaddr_to_address(name, &address)) {
        return -EAFNOSUPPORT;
    }
    return sim_bind_address(open, &address);
}

int plx__os_connect(plx__fd descriptor, const struct plx__sockaddr *name)
{
    int result;
    char path[PLX__OS_SOCKADDR_TEXT_SIZE];
    plx_address address;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &result);
    if (open == NULL) {
        return result;
    }
    if (open->family == PLX__FAMILY_UNIX) {
        if (name->long_path == NULL && !plx__sockaddr_to_path(name, path, sizeof path)) {
            return -EINVAL;
        }
        return sim_unix_connect(open, name->long_path != NULL ? name->long_path : path);
    }
    if (!plx__sockaddr_to_address(name, &address) ||
        (open->family == PLX__FAMILY_IPV4 && address.family == 6)) {
        return -EAFNOSUPPORT;
    }
    if (open->only_ipv6 && address.family == 4) {
        return -ENETUNREACH;
    }
    result =
        open->sort == SIM_UDP ? sim_udp_connect(open, &address) : sim_tcp_connect(open, &address);
    sim_run();
    return result;
}

int plx__os_dissolve(plx__fd descriptor)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    open->remote = (plx_address){0};
    return 0;
}

int plx__os_shutdown_sending(plx__fd descriptor)
{
    int result;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &result);
    if (open == NULL) {
        return result;
    }
    if (open->sort == SIM_UDP) {
        return sim_udp_end(open);
    }
    result = open->sort == SIM_TCP ? sim_tcp_end(open) : sim_unix_end(open);
    sim_run();
    return result;
}

void plx__os_set_reset(plx__fd descriptor)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open != NULL) {
        open->reset_at_close = true;
    }
}

int plx__os_take_error(plx__fd descriptor)
{
    int result;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &result);
    if (open != NULL) {
        result = -open->error;
        open->error = 0;
    }
    return result;
}

/* ---- facts ----------------------------------------------------------------------------------- */

ptrdiff_t plx__os_bytes_waiting(plx__fd descriptor)
{
    int error;
    ptrdiff_t count = 0;
    sim_enter();
    const struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error == -ENOTSOCK ? 0 : error;
    }
    if (open->state == SIM_LISTENING) {
        return -EINVAL;
    }
    if (open->sort == SIM_TCP) {
        return (ptrdiff_t)sim_tcp_readable(open);
    }
    for (const struct sim_message *one = open->first; one != NULL; one = one->next) {
        count += (ptrdiff_t)(one->size - one->at);
        if (open->sort == SIM_UDP) {
            break; /* the size of the next datagram */
        }
    }
    return count;
}

ptrdiff_t plx__os_bytes_unacknowledged(plx__fd descriptor)
{
    int error;
    sim_enter();
    const struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->sort == SIM_TCP) {
        return open->state == SIM_LISTENING  ? -EINVAL
               : open->state == SIM_SYN_SENT ? 0
                                             : (ptrdiff_t)(open->written - open->unacknowledged);
    }
    return (ptrdiff_t)open->charged;
}

uint32_t plx__os_acknowledged_ago(plx__fd descriptor)
{
    sim_enter();
    const struct sim_open *open = sim_of(descriptor);
    return open == NULL || open->sort != SIM_TCP ? 0
                                                 : (uint32_t)((sim.now - open->heard) / 1000000);
}

int plx__os_connection_facts(plx__fd descriptor, struct plx__os_connection_facts *ret_facts)
{
    int error;
    sim_enter();
    const struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    if (open->sort != SIM_TCP) {
        return open->sort == SIM_UDP ? -ENOPROTOOPT : -EOPNOTSUPP;
    }
    if (open->state == SIM_LISTENING) {
        return -ENOTCONN;
    }
    int64_t trip = open->latency == 0 ? 20 : (int64_t)(open->latency / 500);
    *ret_facts = (struct plx__os_connection_facts){
        .round_trip = open->state == SIM_ESTABLISHED ? trip : -1,
        .round_trip_variation = open->state == SIM_ESTABLISHED ? trip / 2 : -1,
        .retransmissions = (uint32_t)open->tries,
        .congestion_window = 10};
    return 0;
}

/* ---- descriptors that other programs opened -------------------------------------------------- */

int plx__os_inspect(plx__fd descriptor, struct plx__os_socket_facts *ret_facts)
{
    static const enum plx__type types[] = {PLX__TYPE_STREAM, PLX__TYPE_DATAGRAM, PLX__TYPE_STREAM,
                                           PLX__TYPE_PACKET};
    struct plx__sockaddr name;
    int error;
    sim_enter();
    const struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    *ret_facts = (struct plx__os_socket_facts){
        .family = open->family,
        .type = types[open->sort],
        .listening = open->state == SIM_LISTENING,
        .bound = open->family == PLX__FAMILY_UNIX ? open->name != NULL : open->local.port != 0,
        .connected = plx__os_remote_sockaddr(descriptor, &name) == 0};
    return 0;
}

int plx__os_set_nonblocking(plx__fd descriptor)
{
    sim_enter();
    return sim_of(descriptor) == NULL ? -EBADF : 0;
}

int plx__os_is_close_on_exec(plx__fd descriptor)
{
    sim_enter();
    return sim_of(descriptor) == NULL ? -EBADF : 1;
}

int plx__os_credentials(plx__fd descriptor, struct plx__os_credentials *ret_credentials)
{
    int error;
    sim_enter();
    const struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open == NULL) {
        return error;
    }
    bool has_peer =
        open->family == PLX__FAMILY_UNIX && (open->peer != NULL || open->state == SIM_LISTENING);
    *ret_credentials = (struct plx__os_credentials){has_peer ? plx__os_process() : -1,
                                                    has_peer ? 0 : -1, has_peer ? 0 : -1};
    return 0;
}

plx__fd plx__os_peer_process(plx__fd descriptor)
{
    (void)descriptor;
    sim_enter();
    return -ENOPROTOOPT;
}
