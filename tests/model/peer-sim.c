/* tests/model/peer-sim.c -- raw peers on the simulated kernel.
 *
 * A raw peer is exact: the kernel fails and shortens the calls of the library alone. What happens
 * on the way between two ends, such as small segments, happens to the bytes of both. */
#include "config.h"

#include "tests/model/peer.h"

#include "lib/os/os.h"
#include "tests/sim/extra.h"
#include "tests/sim/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_internet(enum sort sort)
{
    return sort == SORT_TCP || sort == SORT_UDP;
}

static plx__fd peer_new(enum sort sort)
{
    static const enum plx__type types[] = {PLX__TYPE_STREAM, PLX__TYPE_STREAM, PLX__TYPE_PACKET,
                                           PLX__TYPE_DATAGRAM};

    return plx__os_socket(is_internet(sort) ? PLX__FAMILY_IPV4 : PLX__FAMILY_UNIX, types[sort]);
}

static void internet_name(int port, struct plx__sockaddr *ret_name)
{
    plx_address address = {.family = 4, .port = (uint16_t)port, .bytes = {127, 0, 0, 1}};

    plx__sockaddr_from_address(ret_name, &address, PLX__FAMILY_NONE);
}

/* `where` is "127.0.0.1:port" or "@name". */
static void name_of(enum sort sort, const char *where, struct plx__sockaddr *ret_name)
{
    if (is_internet(sort))
        internet_name(atoi(strrchr(where, ':') + 1), ret_name);
    else
        plx__sockaddr_from_path(ret_name, where, strlen(where));
}

int peer_port(int peer)
{
    struct plx__sockaddr name;
    plx_address address;

    if (peer < 0 || plx__os_local_sockaddr(peer, &name) < 0 ||
        !plx__sockaddr_to_address(&name, &address))
        return 0;
    return address.port;
}

int peer_far_port(int peer)
{
    struct plx__sockaddr name;
    plx_address address;
    bool before = sim_spare(true);
    bool known = peer >= 0 && plx__os_remote_sockaddr(peer, &name) >= 0 &&
                 plx__sockaddr_to_address(&name, &address);

    sim_spare(before);
    return known ? address.port : 0;
}

/* The number of the socket makes a name that no other socket of this kernel has. */
static int bind_somewhere(enum sort sort, char *ret_where)
{
    struct plx__sockaddr name;
    bool before = sim_spare(true);
    int peer = peer_new(sort);

    snprintf(ret_where, PEER_WHERE, "@pollux-model-%llu",
             (unsigned long long)sim_counts()->sockets);
    name_of(sort, is_internet(sort) ? "127.0.0.1:0" : ret_where, &name);
    if (peer >= 0 && plx__os_bind(peer, &name) < 0)
        abort();
    if (peer >= 0 && is_internet(sort))
        snprintf(ret_where, PEER_WHERE, "127.0.0.1:%d", peer_port(peer));
    sim_spare(before);
    return peer < 0 ? -1 : peer;
}

int peer_refuse(enum sort sort, char *ret_where)
{
    return bind_somewhere(sort, ret_where);
}

int peer_listen(enum sort sort, int backlog, char *ret_where)
{
    int peer = bind_somewhere(sort, ret_where);

    if (peer >= 0 && sort != SORT_UDP)
        sim_listen(peer, backlog);
    return peer;
}

int peer_accept(int listener)
{
    struct plx__sockaddr name;
    bool before = sim_spare(true);
    int peer = plx__os_accept(listener, &name);

    sim_spare(before);
    return peer < 0 ? -1 : peer;
}

/* Over a distance TCP is refused later: then the peer hears a reset. */
int peer_connect(enum sort sort, const char *where)
{
    struct plx__sockaddr name;
    bool before = sim_spare(true);
    int peer = peer_new(sort);

    name_of(sort, where, &name);
    if (peer >= 0 && plx__os_connect(peer, &name) < 0) {
        plx__os_close(peer);
        peer = -1;
    }
    sim_spare(before);
    return peer < 0 ? -1 : peer;
}

/* Connects without a distance, so that no time passes, and moves the two apart afterwards. */
static void connect_here(enum sort sort, const char *where, int listener, int ret_ends[2])
{
    uint64_t least = sim.least_latency, most = sim.most_latency;

    sim.least_latency = sim.most_latency = 0;
    ret_ends[0] = peer_connect(sort, where);
    ret_ends[1] = peer_accept(listener);
    sim.least_latency = least;
    sim.most_latency = most;
    if (sort == SORT_TCP && ret_ends[0] >= 0 && ret_ends[1] >= 0)
        sim_of(ret_ends[0])->latency = sim_of(ret_ends[1])->latency =
            least + sim_chance(most - least + 1);
}

bool peer_pair(enum sort sort, int ret_ends[2])
{
    char where[PEER_WHERE];
    int listener = peer_listen(sort, 1, where);

    if (listener < 0)
        return false;
    connect_here(sort, where, listener, ret_ends);
    peer_close(listener);
    if (ret_ends[0] >= 0 && ret_ends[1] >= 0)
        return true;
    peer_close(ret_ends[0]);
    peer_close(ret_ends[1]);
    return false;
}

static bool is_unanswered(ptrdiff_t error)
{
    return error == -ETIMEDOUT || error == -EHOSTUNREACH;
}

static ptrdiff_t sent(ptrdiff_t count)
{
    if (count >= 0)
        return count;
    if (is_unanswered(count))
        return PEER_UNANSWERED;
    return count == -EAGAIN || count == -ECONNREFUSED || count == -ENOTCONN || count == -EMSGSIZE
               ? 0
               : -1;
}

ptrdiff_t peer_send(int peer, const void *data, size_t size)
{
    bool before = sim_spare(true);
    ptrdiff_t count = sent(plx__os_send(peer, data, size));

    sim_spare(before);
    return count;
}

ptrdiff_t peer_send_to(int peer, int port, const void *data, size_t size)
{
    struct plx__sockaddr name;
    bool before = sim_spare(true);
    ptrdiff_t count;

    internet_name(port, &name);
    count = sent(plx__os_send_to(peer, data, size, &name));
    sim_spare(before);
    return count;
}

ptrdiff_t peer_give(int peer, int descriptor, const void *data, size_t size)
{
    bool before = sim_spare(true);
    ptrdiff_t count = sent(plx__os_send_handles(peer, data, size, &descriptor, 1));

    sim_spare(before);
    return count;
}

ptrdiff_t peer_urgent(int peer, uint8_t byte)
{
    bool before = sim_spare(true);
    ptrdiff_t count = sent(sim_send_urgent(peer, &byte, 1));

    sim_spare(before);
    return count;
}

ptrdiff_t peer_receive(int peer, void *data, size_t size, struct gifts *ret_gifts)
{
    static struct plx__os_handles handles;
    bool before = sim_spare(true);
    ptrdiff_t count = plx__os_receive_handles(peer, data, size, &handles);

    sim_spare(before);
    ret_gifts->count = (int)handles.count;
    memcpy(ret_gifts->descriptors, handles.list, handles.count * sizeof *handles.list);
    if (count > 0)
        return count;
    if (count == 0)
        return PEER_END;
    return count == -EAGAIN || count == -ENOTCONN ? PEER_NOTHING
           : count == -ETIMEDOUT                  ? PEER_UNANSWERED
                                                  : PEER_RESET;
}

ptrdiff_t peer_receive_from(int peer, void *data, size_t size, int *ret_port)
{
    struct plx__sockaddr name;
    plx_address from;
    bool before = sim_spare(true), truncated;
    ptrdiff_t count = plx__os_receive_from(peer, data, size, &name, &truncated);

    sim_spare(before);
    if (count <= 0 || !plx__sockaddr_to_address(&name, &from))
        return 0;
    *ret_port = from.port;
    return count;
}

void peer_end(int peer)
{
    plx__os_shutdown_sending(peer);
}

void peer_close(int peer)
{
    if (peer >= 0)
        plx__os_close(peer);
}

void peer_reset(int peer)
{
    plx__os_set_reset(peer);
    plx__os_close(peer);
}

/* A token is a file, and its path has the number. */
static const char token_path[] = "/sim/token/%d";

int peer_token(int number)
{
    char path[40];
    bool before = sim_spare(true);
    int descriptor;

    snprintf(path, sizeof path, token_path, number);
    sim_set_file(path, "");
    descriptor = plx__os_open_file(path);
    sim_spare(before);
    return descriptor < 0 ? -1 : descriptor;
}

int peer_token_number(int descriptor)
{
    const struct sim_open *open = sim_of(descriptor);
    int number;

    return open != NULL && open->sort == SIM_FILE &&
                   sscanf(open->node->path, token_path, &number) == 1
               ? number
               : -1;
}
