/* tests/fail/others.c -- scenarios of datagrams, descriptors, groups and properties. */
#include "config.h"

#include "tests/fail/bodies.h"
#include "tests/sockets.h"

/* ---- datagrams ------------------------------------------------------------------------------- */

static const plx_address loopback = {.family = 4, .bytes = {127, 0, 0, 1}};

static void bind_udp(struct play *p, enum part part, plx_address *ret_address)
{
    OPEN(p, part, plx_udp_new);
    TRY(p, part, plx_udp_bind(p->sockets[part], "127.0.0.1:0"));
    *ret_address = loopback;
    ret_address->port = (uint16_t)plx_socket_port(p->sockets[part]);
}

/* Takes one datagram of 1000 bytes of the pattern. */
static void take(struct play *p, enum part part)
{
    plx_datagram datagram;

    AWAIT(p, plx_udp_packets_available(p->sockets[part]) > 0);
    HOLDS(p, plx_udp_read(p->sockets[part], &datagram));
    HOLDS(p, datagram.size == 1000 && pattern_matches(datagram.data, 1000, 0));
}

void run_datagrams(struct play *p)
{
    plx_address a, b;
    unsigned char bytes[1000];

    pattern_fill(bytes, sizeof bytes, 0);
    STEP(p, bind_udp(p, A, &a));
    STEP(p, bind_udp(p, B, &b));
    for (int i = 0; i < 5; i++)
        TRY(p, A, plx_udp_write(p->sockets[A], &b, bytes, sizeof bytes));
    plx_piece pieces[] = {{bytes, 3}, {bytes + 3, sizeof bytes - 3}};
    TRY(p, B, plx_udp_write_pieces(p->sockets[B], &a, pieces, 2));
    for (int i = 0; i < 5; i++)
        STEP(p, take(p, B));
    STEP(p, take(p, A));
    HOLDS(p, plx_udp_packets_left_to_send(p->sockets[A]) == 0);
}

void run_datagrams_with_peer(struct play *p)
{
    plx_address b;

    STEP(p, bind_udp(p, B, &b));
    OPEN(p, A, plx_udp_new);
    TRY(p, A, plx_socket_connect_to_address(p->sockets[A], &b));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1);
    STEP(p, play_write(p, A, 0, 1000));
    STEP(p, take(p, B));
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, plx_socket_state(p->sockets[A]) == PLX_BOUND);
}

void run_datagrams_by_name(struct play *p)
{
    plx_address a, b;
    unsigned char bytes[1000];

    pattern_fill(bytes, sizeof bytes, 0);
    STEP(p, bind_udp(p, A, &a));
    STEP(p, bind_udp(p, B, &b));
    TRY(p, A, plx_udp_write_to(p->sockets[A], "far.test", b.port, bytes, sizeof bytes));
    TRY(p, A, plx_udp_write_to(p->sockets[A], "localhost", b.port, bytes, sizeof bytes));
    STEP(p, take(p, B));
    STEP(p, take(p, B));
}

void run_multicast(struct play *p)
{
    plx_address a;

    OPEN(p, A, plx_udp_new);
    TRY(p, A, plx_socket_set_option(p->sockets[A], PLX_OPTION_PROTOCOL, 0));
    TRY(p, A, plx_udp_bind(p->sockets[A], "0.0.0.0:0"));
    TRY(p, A, plx_udp_join_multicast_group(p->sockets[A], "239.1.2.3%lo"));
    TRY(p, A, plx_udp_leave_multicast_group(p->sockets[A], "239.1.2.3%lo"));
    STEP(p, bind_udp(p, B, &a));
    TRY(p, B, plx_socket_set_option(p->sockets[B], PLX_OPTION_ROUTER_HOPS, 3));
    TRY(p, B, plx_socket_set_option(p->sockets[B], PLX_OPTION_ROUTER_HOPS, 32));
}

/* ---- descriptors and paths ------------------------------------------------------------------- */

static bool take_handle(struct play *p)
{
    plx_handle got = plx_ipc_receive_handle(p->sockets[B]);

    if (got < 0)
        return false;
    HOLDS(p, closes_on_exec(got));
    close(got);
    return true;
}

void run_handles(struct play *p)
{
    OPEN(p, B, plx_ipc_new);
    TRY(p, B, plx_socket_set_option(p->sockets[B], PLX_OPTION_RECEIVE_HANDLES, 1));
    STEP(p, play_couple(p));
    for (int i = 0; i < 3; i++) {
        TRY(p, A, plx_ipc_send_handle(p->sockets[A], 0));
        STEP(p, play_write(p, A, (uint64_t)i, 1));
    }
    for (int i = 0; i < 3; i++)
        AWAIT(p, take_handle(p));
    AWAIT(p, plx_socket_bytes_available(p->sockets[B]) == 3);
}

void run_adopt(struct play *p)
{
    for (int i = A; i <= B; i++)
        OPEN(p, (enum part)i, plx_ipc_new);
    LOG(p, B)->swallow = true;
    for (int i = A; i <= B; i++) {
        static int ends[2];
        int code;

        if (i == A)
            HOLDS(p, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        code = plx_socket_adopt(p->sockets[i], ends[i]);
        if (code != 0)
            close(ends[i]); /* it remains ours */
        if (code != 0 && i == A)
            close(ends[B]);
        TRY(p, (enum part)i, code);
    }
    AWAIT(p, COUNT(p, A, CONNECTED) == 1 && COUNT(p, B, CONNECTED) == 1);
    STEP(p, play_write(p, A, 0, 1000));
    AWAIT(p, LOG(p, B)->swallowed == 1000);
}

void run_abstract_name(struct play *p)
{
    char name[40];

    for (int i = A; i <= B; i++) {
        OPEN(p, (enum part)i, plx_ipc_new);
        snprintf(name, sizeof name, "pollux-fail-%d", (int)getpid());
        TRY(p, (enum part)i, plx_ipc_set_abstract_name(p->sockets[i], name, strlen(name) + 1));
    }
    TRY(p, B, plx_socket_listen(p->sockets[B]));
    TRY(p, A, plx_socket_connect(p->sockets[A]));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1 && COUNT(p, B, CONNECTED) == 1);
}

/* A path that is too long for a sockaddr_un. */
void run_long_path(struct play *p)
{
    char path[WHERE_SIZE + 200];

    snprintf(path, sizeof path, "%s/%0150d", p->w->folder, ++p->w->places);
    OPEN(p, A, plx_ipc_new);
    OPEN(p, B, plx_ipc_new);
    TRY(p, B, plx_socket_listen_on(p->sockets[B], path));
    TRY(p, A, plx_socket_connect_to(p->sockets[A], path));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1 && COUNT(p, B, CONNECTED) == 1);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* A group that receives more members than it has room for at first. */
void run_group_grows(struct play *p)
{
    STEP(p, play_open_group(p, 0));
    for (int i = 0; i < PLAY_EXTRAS; i++) {
        if (p->extras[i] == NULL)
            p->extras[i] = plx_udp_new();
        if (p->extras[i] == NULL)
            STEP(p, play_miss(p, "a member"));
        if (!play_try_group(p, plx_group_add(p->groups[0], p->extras[i]), "plx_group_add"))
            return;
        if (!play_try_group(p, plx_udp_bind(p->extras[i], "127.0.0.1:0"), "plx_udp_bind"))
            return;
    }
    for (int i = 0; i < PLAY_EXTRAS; i++)
        AWAIT(p, plx_socket_state(p->extras[i]) == PLX_BOUND);
    HOLDS(p, plx_group_count(p->groups[0]) == PLAY_EXTRAS);
    plx_socket_free(p->extras[3]);
    p->extras[3] = NULL;
}

/* A connection whose end moves from group to group, and is heard in each. */
void run_member_moves(struct play *p)
{
    uint64_t sent = 0;

    LOG(p, B)->swallow = true;
    STEP(p, play_open_group(p, 0));
    STEP(p, play_open_group(p, 1));
    STEP(p, play_couple(p));
    for (int i = 0; i < 4; i++) {
        plx_group *to = i < 3 ? p->groups[i % 2] : p->w->group;

        if (to != NULL && !play_try_group(p, plx_group_add(to, p->sockets[B]), "plx_group_add"))
            return;
        STEP(p, play_write(p, A, sent, 1000));
        sent += 1000;
        AWAIT(p, LOG(p, B)->swallowed == sent);
    }
    plx_group_remove(p->groups[0], p->sockets[B]);
    HOLDS(p, plx_group_count(p->groups[1]) == 0);
}

/* A server that moves with its client. */
void run_server_moves(struct play *p)
{
    char where[WHERE_SIZE];

    LOG(p, GUESTS)->swallow = true;
    LOG(p, GUESTS)->swallowed = 0;
    OPEN(p, A, plx_tcp_new);
    STEP(p, play_open_group(p, 0));
    STEP(p, play_open_server(p));
    if (!play_try_server(p, plx_server_listen_on(p->server, "127.0.0.1:0"), "listen"))
        return;
    snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(p->server));
    TRY(p, A, plx_socket_connect_to(p->sockets[A], where));
    AWAIT(p, p->accepted == 1 && COUNT(p, A, CONNECTED) == 1);
    if (!play_try_group(p, plx_group_add_server(p->groups[0], p->server), "plx_group_add_server"))
        return;
    STEP(p, play_write(p, A, 0, 1000));
    AWAIT(p, LOG(p, GUESTS)->swallowed == 1000);
    plx_group_remove_server(p->groups[0], p->server);
    if (p->w->group != NULL &&
        !play_try_group(p, plx_group_add_server(p->w->group, p->server), "plx_group_add_server"))
        return;
    STEP(p, play_write(p, A, 1000, 1000));
    AWAIT(p, LOG(p, GUESTS)->swallowed == 2000);
}

/* ---- properties ------------------------------------------------------------------------------ */

/* Calls that keep something, and calls that fail: those are reported with and without memory. */
void run_properties(struct play *p)
{
    plx_socket *socket;
    plx_statistics statistics;

    OPEN(p, A, plx_tcp_new);
    socket = p->sockets[A];
    TRY(p, A, plx_socket_set_address(socket, "a.name.that.is.long.enough.to.need.a.block.test"));
    TRY(p, A, plx_socket_set_interface(socket, "127.0.0.1"));
    TRY(p, A, plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 100000));
    TRY(p, A, plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 100000));
    TRY(p, A, plx_socket_set_frame(socket, &(plx_frame){.delimiter = "\r\n", .delimiter_size = 2}));
    TRY(p, A, plx_socket_unread(socket, "unread\r\n", 8));
    HOLDS(p, plx_socket_can_read_message(socket));
    plx_socket_purge(socket);
    HOLDS(p, plx_socket_statistics(socket, &statistics));
    HOLDS(p, strncmp(plx_socket_address(socket), "a.name.that", 11) == 0);
    TRY(p, A, plx_socket_set_frame(socket, NULL));
    TRY(p, A, plx_socket_set_option(socket, PLX_OPTION_IDLE_TIMEOUT, 0));
    TRY(p, A, plx_socket_set_address(socket, NULL));
}
