/* tests/test-promises-life.c -- how long something is valid, what is copied, and how much of a
 * table or a struct counts: what the public headers promise of what is lent and handed over. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "tests/datagrams.h"
#include "tests/promises.h"
#include "tests/sockets.h"

static const enum sort streams[] = {TCP, IPC, SEQPACKET};
enum { STREAMS = 3 };

static plx_socket *of(struct world *w, enum sort sort, struct record *log)
{
    static plx_constructor *const make[] = {plx_tcp_new, plx_udp_new, plx_ipc_new,
                                            plx_seqpacket_new};

    return world_socket_of(w, make[sort], log);
}

/* A socket that is connected to a raw peer of any kind. */
static int connect_to_peer(struct world *w, enum sort sort, plx_socket *socket)
{
    char where[WHERE_SIZE];
    int peer, listener = promises_listen(w, sort, where);

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    memset(where, '!', sizeof where - 1); /* it was copied */
    world_turn(w, 0);
    peer = promises_take(w, sort, listener, socket);
    UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
    world_settle(w);
    return peer;
}

/* ---- pollux.h: a string handed in is copied -------------------------------------------------- */

static char changing[WHERE_SIZE];

/* The same buffer each time, overwritten by the next one. */
static const char *soon_changed(const char *text)
{
    memset(changing, '!', sizeof changing);
    snprintf(changing, sizeof changing, "%s", text);
    return changing;
}

MODE_CASE(properties_are_copied)
{
    plx_socket *tcp = of(w, TCP, NULL), *ipc = of(w, IPC, NULL);

    ck_assert_int_eq(plx_socket_set_address(tcp, soon_changed("127.0.0.1")), 0);
    ck_assert_int_eq(plx_socket_set_path(ipc, soon_changed("/some/path")), 0);
    ck_assert_int_eq(plx_socket_set_interface(tcp, soon_changed("127.0.0.2")), 0);
    soon_changed("something else");
    ck_assert_str_eq(plx_socket_address(tcp), "127.0.0.1");
    ck_assert_str_eq(plx_socket_path(ipc), "/some/path");
    ck_assert_int_eq(plx_socket_listen(tcp), 0);
    ck_assert_str_eq(plx_socket_local_address(tcp), "127.0.0.2");
}

MODE_CASE(places_are_copied)
{
    for (int i = 0; i < STREAMS; i++) {
        plx_socket *listener = of(w, streams[i], NULL), *client = of(w, streams[i], NULL);
        char where[WHERE_SIZE];

        snprintf(where, sizeof where, "%s/c%d", w->folder, i);
        snprintf(where, sizeof where, i == 0 ? "127.0.0.1:0" : "%s/c%d", w->folder, i);
        ck_assert_int_eq(plx_socket_listen_on(listener, soon_changed(where)), 0);
        if (i == 0)
            snprintf(where, sizeof where, "localhost:%d", plx_socket_port(listener));
        ck_assert_int_eq(plx_socket_connect_to(client, soon_changed(where)), 0);
        soon_changed("something else");
        UNTIL(w, plx_socket_is_connected(client) && plx_socket_is_connected(listener));
        if (i == 0)
            ck_assert_str_eq(plx_socket_address(client), "localhost");
        else
            ck_assert_str_eq(plx_socket_path(client), where);
    }
}

MODE_CASE(datagrams_and_their_hosts_are_copied)
{
    plx_socket *socket = of(w, UDP, NULL), *heard = of(w, UDP, NULL);
    plx_datagram datagram;
    plx_address to;
    char bytes[] = "bytes";

    ck_assert_int_eq(plx_udp_bind(heard, soon_changed("127.0.0.1:0")), 0);
    ck_assert_int_eq(plx_udp_bind(socket, soon_changed("127.0.0.1:0")), 0);
    ck_assert(plx_socket_local(heard, &to));
    ck_assert_int_eq(plx_udp_write(socket, &to, bytes, 5), 0);
    ck_assert_int_eq(
        plx_udp_write_to(socket, soon_changed("localhost"), plx_socket_port(heard), bytes, 5), 0);
    memset(bytes, '!', 5);
    soon_changed("something else");
    memset(&to, 0, sizeof to);
    for (int i = 0; i < 2; i++) {
        UNTIL(w, plx_udp_packets_available(heard) > 0);
        ck_assert(plx_udp_read(heard, &datagram) && datagram.size == 5);
        ck_assert_mem_eq(datagram.data, "bytes", 5);
    }
}

/* ---- socket.h, server.h: "handlers beyond `size` bytes count as NULL" ------------------------ */

struct heard {
    int connected, data, error, end, states;
};

static void hear_connected(plx_socket *socket, void *user)
{
    (void)socket;
    ((struct heard *)user)->connected++;
}

static void hear_data(plx_socket *socket, void *user)
{
    (void)socket;
    ((struct heard *)user)->data++;
}

static void hear_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    (void)error;
    ((struct heard *)user)->error++;
}

static void hear_end(plx_socket *socket, void *user)
{
    (void)socket;
    ((struct heard *)user)->end++;
}

static void hear_state(plx_socket *socket, plx_state state, void *user)
{
    (void)socket;
    (void)state;
    ((struct heard *)user)->states++;
}

static const plx_events hearing = {.connected = hear_connected,
                                   .data_available = hear_data,
                                   .error = hear_error,
                                   .disconnected = hear_end,
                                   .state_changed = hear_state};

/* A member counts that is there whole. */
#define REACHES(size, type, member) ((size) >= offsetof(type, member) + sizeof(((type *)0)->member))

MODE_CASE(a_table_as_large_as_it_says)
{
    for (size_t size = 0; size <= sizeof hearing + 8; size += 4) {
        struct heard heard = {0, 0, 0, 0, 0};
        plx_socket *socket = of(w, IPC, NULL);
        int peer;

        plx_socket_set_events_sized(socket, &hearing, size, &heard);
        peer = connect_to_peer(w, IPC, socket);
        raw_say(peer, "x");
        UNTIL(w, plx_socket_bytes_available(socket) == 1);
        raw_close(w, peer);
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
        world_settle(w);
        ck_assert_int_eq(heard.connected, REACHES(size, plx_events, connected));
        ck_assert_int_eq(heard.data, REACHES(size, plx_events, data_available));
        ck_assert_int_eq(heard.error, REACHES(size, plx_events, error));
        ck_assert_int_eq(heard.end, REACHES(size, plx_events, disconnected));
        ck_assert_int_eq(heard.states > 0, REACHES(size, plx_events, state_changed));
        world_free(w, socket);
    }
}

static void hear_accepted(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    (void)client;
    ((struct heard *)user)->connected++;
}

static void hear_server_error(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    (void)error;
    ((struct heard *)user)->error++;
}

MODE_CASE(a_servers_table_as_large_as_it_says)
{
    static const plx_server_events events = {.accepted = hear_accepted, .error = hear_server_error};

    for (size_t size = 0; size <= sizeof events + 8; size += 4) {
        struct heard heard = {0, 0, 0, 0, 0}, clients = {0, 0, 0, 0, 0};
        plx_server *server = world_server(w);
        char where[WHERE_SIZE];
        int peer;

        world_serve(w, server, where);
        plx_server_set_events_sized(server, &events, size, &heard);
        plx_server_set_client_events_sized(server, &hearing, size, &clients);
        ck_assert_ptr_eq(plx_server_user(server), &heard);
        ck_assert_int_ne(plx_server_listen_on(server, where), 0);
        peer = raw_connect(w, where);
        UNTIL(w, plx_server_active_count(server) == 1);
        world_settle(w);
        ck_assert_int_eq(heard.connected, REACHES(size, plx_server_events, accepted));
        ck_assert_int_eq(heard.error, REACHES(size, plx_server_events, error));
        ck_assert_int_eq(clients.connected, REACHES(size, plx_events, connected));
        raw_close(w, peer);
        world_free_server(w, server);
        w->servers_used--;
    }
}

/* "... writes the first `size` bytes of them only" */
MODE_CASE(structs_as_large_as_they_say)
{
    plx_socket *socket = of(w, UDP, NULL);
    int peer = connect_to_peer(w, UDP, socket);

    for (size_t size = 0; size <= sizeof(plx_datagram) + 8; size++) {
        unsigned char bytes[sizeof(plx_datagram) + 8];

        raw_say(peer, "datagram");
        UNTIL(w, plx_udp_packets_available(socket) == 1);
        memset(bytes, 77, sizeof bytes);
        ck_assert(plx_udp_read_sized(socket, (plx_datagram *)(void *)bytes, size));
        for (size_t i = size; i < sizeof bytes; i++)
            ck_assert_uint_eq(bytes[i], 77);
    }
    for (size_t size = 0; size <= sizeof(plx_statistics) + 8; size++) {
        unsigned char bytes[sizeof(plx_statistics) + 8];

        memset(bytes, 77, sizeof bytes);
        ck_assert(plx_socket_statistics_sized(socket, (plx_statistics *)(void *)bytes, size));
        for (size_t i = size; i < sizeof bytes; i++)
            ck_assert_uint_eq(bytes[i], 77);
    }
}

/* ---- socket.h: "Called in a handler it holds from the next event on" ------------------------- */

static struct heard second;

static void change_handlers(plx_socket *socket, void *user)
{
    hear_connected(socket, user);
    plx_socket_set_events(socket, &hearing, &second);
}

MODE_CASE(handlers_changed_in_a_handler)
{
    static const plx_events changing_events = {.connected = change_handlers,
                                               .data_available = hear_data};

    for (int i = 0; i < STREAMS; i++) {
        struct heard first = {0, 0, 0, 0, 0};
        plx_socket *socket = of(w, streams[i], NULL);
        int peer;

        second = first;
        plx_socket_set_events(socket, &changing_events, &first);
        peer = connect_to_peer(w, streams[i], socket);
        raw_say(peer, "x");
        UNTIL(w, second.data == 1);
        ck_assert_int_eq(first.connected, 1);
        ck_assert_int_eq(first.data + second.connected, 0);
        ck_assert_ptr_eq(plx_socket_user(socket), &second);
    }
}

/* ---- socket.h: what read_all and lookahead lend ---------------------------------------------- */

/* "write and lookahead leave them valid"; "`data` may be what read_all or lookahead of this socket
 * returned" */
MODE_CASE(what_was_lent_is_written)
{
    static unsigned char bytes[50000];

    for (int sort = TCP; sort < SORTS; sort++)
        for (int ahead = 0; ahead < 2; ahead++) {
            static unsigned char got[sizeof bytes];
            plx_socket *socket = of(w, (enum sort)sort, NULL);
            int peer = connect_to_peer(w, (enum sort)sort, socket);
            size_t size = 0, asked = sort == TCP || sort == IPC ? sizeof bytes : 5000, done = 0;
            const void *lent;

            pattern_fill(bytes, sizeof bytes, 0);
            raw_send(peer, bytes, asked);
            UNTIL(w, plx_socket_bytes_available(socket) == asked);
            lent = ahead ? plx_socket_lookahead(socket, &size) : plx_socket_read_all(socket, &size);
            ck_assert_uint_eq(size, asked);
            ck_assert_int_eq(plx_socket_write(socket, "first", 5), 5);
            ck_assert_int_eq(plx_socket_write(socket, lent, size), (ptrdiff_t)size);
            plx_socket_lookahead(socket, NULL);
            ck_assert_int_eq(plx_socket_flush(socket), 0);
            ck_assert(pattern_matches(lent, size, 0));
            UNTIL(w, raw_take(peer, got, 5) == 5);
            ck_assert_mem_eq(got, "first", 5);
            while (done < asked) {
                ptrdiff_t more = -1;

                UNTIL(w, (more = raw_take(peer, got + done, sizeof got - done)) > 0);
                done += (size_t)more;
            }
            ck_assert(done == asked && pattern_matches(got, asked, 0));
            ck_assert_uint_eq(plx_socket_bytes_available(socket), ahead ? asked : 0);
        }
}

/* "They are valid until the next poll or wait that serves this socket ..., or the next read ...,
 * skip, unread, purge, connect, listen, adopt, close, abort or free of it": hence through all
 * others. */
static void call_all_others(struct world *w, plx_socket *socket, plx_socket *other)
{
    static const unsigned char bytes[100000];
    plx_group *group = plx_group_new();
    plx_statistics seen;
    plx_address address;

    plx_socket_set_events(socket, NULL, NULL);
    for (int option = 0; option <= PLX_OPTION_UNACKNOWLEDGED_TIMEOUT; option++)
        plx_socket_set_option(socket, (plx_option)option,
                              plx_socket_option(socket, (plx_option)option));
    plx_socket_set_option(socket, PLX_OPTION_READ_LIMIT, 5);
    plx_socket_write(socket, bytes, 30000);
    plx_socket_write_message(socket, bytes, 10);
    plx_socket_flush(socket);
    plx_socket_statistics(socket, &seen);
    plx_socket_local_address(socket);
    plx_socket_remote(socket, &address);
    plx_socket_bytes_available(socket);
    plx_socket_can_read_line(socket);
    plx_socket_can_read_message(socket);
    plx_socket_set_address(socket, "x");
    plx_socket_set_path(socket, "/x");
    plx_socket_set_port(socket, -1);
    plx_socket_error(socket);
    plx_group_add(group, socket);
    plx_group_flush(group);
    plx_socket_poll(other);
    plx_socket_wait(other, 0);
    plx_group_free(group);
    if (w->group != NULL)
        plx_group_add(w->group, socket);
    plx_socket_disconnect(socket);
}

MODE_CASE(what_was_lent_stays_through_other_calls)
{
    for (int sort = TCP; sort < SORTS; sort++)
        for (int way = 0; way < 4; way++) {
            plx_socket *socket = of(w, (enum sort)sort, NULL), *other = of(w, TCP, NULL);
            int peer = connect_to_peer(w, (enum sort)sort, socket);
            const plx_frame line = {.delimiter = "\n", .delimiter_size = 1};
            plx_datagram datagram = {.data = NULL};
            size_t size = 0;
            const void *lent;

            connect_to_peer(w, TCP, other);
            raw_say(peer, UNREAD);
            UNTIL(w, plx_socket_bytes_available(socket) == UNREAD_SIZE);
            raw_say(peer, "what comes later");
            switch (way) {
            case 0: lent = plx_socket_read_all(socket, &size); break;
            case 1: lent = plx_socket_lookahead(socket, &size); break;
            case 2:
                plx_socket_set_frame(socket, &line); /* refused to sockets that need none */
                lent = plx_socket_read_message(socket, &size);
                break;
            default:
                plx_udp_read(socket, &datagram);
                lent = sort == UDP ? datagram.data : plx_socket_read_all(socket, &size);
                size = sort == UDP ? datagram.size : size;
            }
            ck_assert_uint_ge(size, 4);
            call_all_others(w, socket, other);
            ck_assert_mem_eq(lent, UNREAD, size);
            world_free(w, other);
        }
}

/* "what the socket lent out stays valid until the handler has returned": also where bytes come
 * meanwhile, which closing receives. */
struct lender {
    struct world *w;
    int peer;
    bool more, ahead, freed;
};

static void free_and_look(plx_socket *socket, void *user)
{
    struct lender *lender = user;
    size_t size;
    const char *lent =
        lender->ahead ? plx_socket_lookahead(socket, &size) : plx_socket_read_all(socket, &size);

    lender->freed = true;
    if (lender->more)
        raw_say(lender->peer, "something else");
    world_free(lender->w, socket);
    ck_assert_uint_eq(size, UNREAD_SIZE);
    ck_assert_mem_eq(lent, UNREAD, UNREAD_SIZE);
    /* The socket itself, too: its calls do nothing. */
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    ck_assert(!plx_socket_poll(socket));
    plx_socket_purge(socket);
    plx_socket_close(socket);
    plx_socket_abort(socket);
    ck_assert_mem_eq(lent, UNREAD, UNREAD_SIZE);
}

MODE_CASE(what_was_lent_outlives_free_in_a_handler)
{
    static const plx_events events = {.data_available = free_and_look};

    for (int sort = TCP; sort < SORTS; sort++)
        for (int way = 0; way < 4; way++) {
            plx_socket *socket = of(w, (enum sort)sort, NULL);
            struct lender lender = {.w = w, .more = way & 1, .ahead = way & 2};

            lender.peer = connect_to_peer(w, (enum sort)sort, socket);
            plx_socket_set_events(socket, &events, &lender);
            raw_say(lender.peer, UNREAD);
            UNTIL(w, lender.freed);
        }
}

/* ---- events.h: "`error` is borrowed and valid until the handler returns" --------------------- */

enum deed { CONNECT_AGAIN, CLOSE, FAIL_ANOTHER_CALL, FREE, DEEDS };

struct reader {
    struct world *w;
    enum deed deed;
    char message[300];
    bool told;
};

static void do_and_look(plx_socket *socket, const plx_error *error, void *user)
{
    struct reader *reader = user;
    plx_error before = *error;

    if (reader->told)
        return;
    reader->told = true;
    snprintf(reader->message, sizeof reader->message, "%s", error->message);
    switch (reader->deed) {
    case CONNECT_AGAIN: plx_socket_connect_to(socket, "127.0.0.1:9"); break;
    case CLOSE: plx_socket_close(socket); break;
    case FAIL_ANOTHER_CALL: plx_socket_set_port(socket, -1); break;
    default: world_free(reader->w, socket);
    }
    ck_assert_int_eq(error->code, before.code);
    ck_assert_int_eq(error->reason, before.reason);
    ck_assert_int_eq(error->os_error, before.os_error);
    ck_assert_str_eq(error->message, reader->message);
    ck_assert_str_ne(error->message, "");
}

MODE_CASE(an_error_is_valid_in_its_handler)
{
    static const plx_events events = {.error = do_and_look};

    for (int i = 0; i < STREAMS; i++)
        for (int deed = 0; deed < DEEDS; deed++)
            for (int call = 0; call < 2; call++) {
                struct reader reader = {.w = w, .deed = (enum deed)deed};
                plx_socket *socket = of(w, streams[i], NULL);
                int peer = connect_to_peer(w, streams[i], socket);

                plx_socket_set_events(socket, &events, &reader);
                if (call)
                    plx_socket_set_port(socket, 65536);
                else
                    raw_close(w, peer);
                UNTIL(w, reader.told);
                world_settle(w);
            }
}

/* ---- socket.h: "until the next connect, listen, adopt" --------------------------------------- */

MODE_CASE(what_the_next_beginning_forgets)
{
    for (int i = 0; i < STREAMS; i++)
        for (int way = 0; way < 3; way++) {
            plx_socket *socket = of(w, streams[i], NULL);
            int peer = connect_to_peer(w, streams[i], socket), code;
            char where[WHERE_SIZE];
            plx_statistics seen;

            raw_say(peer, UNREAD);
            UNTIL(w, plx_socket_bytes_available(socket) == UNREAD_SIZE);
            raw_close(w, peer);
            UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
            world_settle(w);
            ck_assert(plx_socket_statistics(socket, &seen));
            ck_assert_uint_eq(seen.bytes_received, UNREAD_SIZE);
            ck_assert_int_ge(seen.idle, 0);
            ck_assert_str_ne(plx_socket_remote_address(socket), "");
            ck_assert_int_ne(plx_socket_last_error(socket), 0);
            peer = promises_listen(w, streams[i], where);
            if (way == 0) {
                code = plx_socket_connect_to(socket, where);
            } else if (way == 1) {
                snprintf(where, sizeof where, i == 0 ? "127.0.0.1:0" : "%s/n%d", w->folder,
                         w->places++);
                code = plx_socket_listen_on(socket, where);
            } else {
                code = plx_socket_adopt(socket, dup(peer));
            }
            ck_assert_int_eq(code, 0);
            ck_assert(plx_socket_statistics(socket, &seen));
            ck_assert_uint_eq(seen.bytes_received, 0);
            ck_assert_int_eq(seen.idle, -1);
            ck_assert_str_eq(plx_socket_remote_address(socket), "");
            ck_assert_uint_eq(plx_socket_bytes_available(socket), 0);
            ck_assert_int_eq(plx_socket_last_error(socket), 0);
            plx_socket_close(socket);
        }
}

/* ---- group.h: "or the kernel's error; then the socket is where it was" ----------------------- */

static void expect_alive(struct world *w, plx_socket *socket, int peer)
{
    char got[8];

    raw_say(peer, "alive");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 5);
    ck_assert_int_eq(plx_socket_write(socket, "alive", 5), 5);
    raw_expect(w, peer, "alive");
}

PLAIN_CASE(a_socket_that_cannot_be_added_stays)
{
#ifdef SYS_epoll_ctl
    struct world world, *w = &world;
    plx_socket *socket;
    plx_group *group;
    int peer, before = 1; /* EPOLL_CTL_ADD */

    setenv("POLLUX_POLLER", "epoll", 1);
    group = plx_group_new();
    unsetenv("POLLUX_POLLER");
    if (strcmp(plx_group_mechanism(group), "epoll") != 0) {
        fprintf(stderr, "SKIP: no epoll: a socket that cannot be added stays\n");
        plx_group_free(group);
        return;
    }
    world_begin_plain(w, MODE_LONE);
    socket = of(w, TCP, NULL);
    peer = connect_to_peer(w, TCP, socket);
    if (kernel_denies(SYS_epoll_ctl, before, ENOSPC)) {
        ck_assert_int_eq(plx_group_add(group, socket), ENOSPC);
        ck_assert_uint_eq(plx_group_count(group), 0);
        expect_alive(w, socket, peer);
        ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTED);
    }
    world_end(w);
    plx_group_free(group);
#endif
}

/* What the program has not read is kept by a call that fails, also by the last step of one. */
MODE_CASE(a_descriptor_that_cannot_be_watched_changes_nothing)
{
    plx_socket *socket = of(w, TCP, NULL);
    int peer = connect_to_peer(w, TCP, socket), other;
    char where[WHERE_SIZE];

    if (w->mode == MODE_LONE || w->mode == MODE_POLL)
        return;
    raw_say(peer, "bye");
    raw_end(peer);
    UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    raw_listen(w, 5, where);
    other = raw_connect(w, where);
#ifdef SYS_epoll_ctl
    if (!kernel_denies(SYS_epoll_ctl, 1, ENOSPC))
        return;
#endif
    ck_assert_int_eq(plx_socket_adopt(socket, other), ENOSPC);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    ck_assert_int_eq(plx_socket_listen_on(socket, "127.0.0.1:0"), ENOSPC);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
}

WORLD_MAIN("promises of lifetimes")
