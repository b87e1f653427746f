/* tests/datagrams.c -- what the tests of many datagrams share: raw peers and numbered datagrams. */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "tests/datagrams.h"

#ifdef __linux__
#include "tests/denial.h"
#endif

const plx_address datagram_loopback = {.family = 4, .bytes = {127, 0, 0, 1}};

unsigned char datagram_bytes[65536];

const size_t datagram_sizes[DATAGRAM_SIZES] = {
    64,   64,   64,   20,   64, 64, 0, 0, 64, 65, 65, 1, 0,   1,     1,     1472, 1472,
    1473, 9000, 9000, 8999, 7,  7,  7, 8, 8,  7,  7,  0, 500, 65507, 65507, 1,    500};

enum { ROOM = 4000000 };

/* ---- room ------------------------------------------------------------------------------------ */

static void make_room(int descriptor)
{
    int room = ROOM;

    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
#ifdef SO_RCVBUFFORCE
    /* As root, whatever rmem_max. */
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
#endif
}

bool datagrams_have_room(int raw, const char *what)
{
    int room = 0;
    socklen_t size = sizeof room;

    getsockopt(raw, SOL_SOCKET, SO_RCVBUF, &room, &size);
    if (room < ROOM)
        fprintf(stderr, "SKIP: %s: %d bytes of room (root, or net.core.rmem_max=%d)\n", what, room,
                ROOM);
    return room >= ROOM;
}

bool datagrams_all_have_room(const char *what)
{
    int type = 0;

    for (int i = 0; i < 1024; i++) {
        socklen_t size = sizeof type;

        if (getsockopt(i, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM)
            continue;
        make_room(i);
        if (!datagrams_have_room(i, what))
            return false;
    }
    return true;
}

/* ---- peers ----------------------------------------------------------------------------------- */

static int raw_bound(struct world *w, const struct sockaddr *name, socklen_t size)
{
    int raw = world_raw(w, socket(name->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

    make_room(raw);
    ck_assert_int_eq(bind(raw, name, size), 0);
    return raw;
}

static int raw_bound4(struct world *w, uint32_t host, uint16_t port, plx_address *ret_address)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    socklen_t size = sizeof name;
    int raw;

    name.sin_port = htons(port);
    raw = raw_bound(w, (struct sockaddr *)&name, size);
    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    *ret_address = datagram_loopback;
    ret_address->port = ntohs(name.sin_port);
    return raw;
}

int raw_datagrams(struct world *w, plx_address *ret_address)
{
    return raw_bound4(w, INADDR_LOOPBACK, 0, ret_address);
}

int raw_datagrams_any(struct world *w, plx_address *ret_address)
{
    return raw_bound4(w, INADDR_ANY, 0, ret_address);
}

int raw_datagrams_at(struct world *w, uint16_t port, plx_address *ret_address)
{
    return raw_bound4(w, INADDR_LOOPBACK, port, ret_address);
}

int raw_datagrams6(struct world *w, plx_address *ret_address)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof name;
    int raw = raw_bound(w, (struct sockaddr *)&name, size);

    ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&name, &size), 0);
    *ret_address = (plx_address){.family = 6, .bytes = {[15] = 1}};
    ret_address->port = ntohs(name.sin6_port);
    return raw;
}

plx_socket *datagrams_bound(struct world *w, int protocol, struct record *log)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, protocol), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_RECEIVE_BUFFER_SIZE, 2000000), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    world_settle(w);
    return socket;
}

plx_socket *datagrams_connected(struct world *w, struct record *log, const plx_address *peer)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, log);
    char where[64];

    plx_address_format(peer, where, sizeof where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    world_settle(w);
    return socket;
}

/* ---- numbered datagrams ---------------------------------------------------------------------- */

void datagram_put(plx_socket *socket, const plx_address *to, size_t size, size_t number)
{
    pattern_fill(datagram_bytes, size, number);
    ck_assert_int_eq(plx_udp_write(socket, to, datagram_bytes, size), 0);
}

void datagram_expect(struct world *w, int raw, size_t size, size_t number)
{
    ssize_t got;

    UNTIL(w, is_readable(raw));
    got = recv(raw, datagram_bytes, sizeof datagram_bytes, 0);
    ck_assert_msg(got == (ssize_t)size, "datagram %zu: %zd bytes for %zu", number, got, size);
    ck_assert_msg(pattern_matches(datagram_bytes, size, number), "datagram %zu", number);
}

void datagram_expect_none(struct world *w, int raw)
{
    world_settle(w);
    ck_assert(!is_readable(raw));
}

void datagram_send(int raw, const plx_socket *to, size_t size, size_t number)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    name.sin_port = htons((uint16_t)plx_socket_port(to));
    pattern_fill(datagram_bytes, size, number);
    ck_assert_int_eq(sendto(raw, datagram_bytes, size, 0, (struct sockaddr *)&name, sizeof name),
                     (ssize_t)size);
}

plx_datagram datagram_read_text(struct world *w, plx_socket *socket, const char *text)
{
    plx_datagram datagram = {.size = 12345};

    UNTIL(w, plx_udp_packets_available(socket) > 0);
    ck_assert(plx_udp_read(socket, &datagram));
    ck_assert_uint_eq(datagram.size, strlen(text));
    ck_assert_ptr_nonnull(datagram.data);
    ck_assert_mem_eq(datagram.data, text, datagram.size);
    ck_assert(!datagram.truncated);
    return datagram;
}

plx_datagram datagram_read(struct world *w, plx_socket *socket, size_t size, size_t number)
{
    plx_datagram datagram;

    UNTIL(w, plx_udp_packets_available(socket) > 0);
    ck_assert(plx_udp_read(socket, &datagram));
    ck_assert_msg(datagram.size == size, "datagram %zu: %zu bytes for %zu", number, datagram.size,
                  size);
    ck_assert_msg(pattern_matches(datagram.data, size, number), "datagram %zu", number);
    ck_assert(!datagram.truncated);
    return datagram;
}

/* ---- the kernel ------------------------------------------------------------------------------ */

bool kernel_denies(long call, int level, int error)
{
#ifdef __linux__
    const char *fork_mode = getenv("CK_FORK");

    if ((fork_mode == NULL || strcmp(fork_mode, "no") != 0) &&
        deny_call(call, level, DENIAL_ANY, error))
        return true;
#else
    (void)call;
    (void)level;
    (void)error;
#endif
    fprintf(stderr, "SKIP: no seccomp filters here that see this call\n");
    return false;
}
