/* tests/test-bad-input.c -- what a program may do wrong: the documented code at once, `error` from
 * a poll, and an object that works afterwards. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/nameserver.h"
#include "tests/sockets.h"
#include "tests/world.h"

/* A string of `length` bytes that begins with `start`; static. */
static const char *long_text(const char *start, size_t length)
{
    static char text[5001];

    memset(text, 'x', sizeof text);
    memcpy(text, start, strlen(start));
    text[length] = '\0';
    return text;
}

/* The one proof that counts: after all the mistakes the socket still connects, and bytes go
 * through. */
static void expect_usable(struct world *w, plx_socket *socket, struct record *log)
{
    int raw;

    plx_socket_close(socket);
    plx_socket_set_path(socket, NULL);
    record_clear(log);
    raw = world_pair(w, socket, log);
    raw_say(raw, "usable?");
    UNTIL(w, plx_socket_bytes_available(socket) == 7);
    ck_assert_int_eq(plx_socket_write(socket, "usable.", 7), 7);
    raw_expect(w, raw, "usable.");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

static void expect_told(struct world *w, struct record *log, int code, plx_reason reason)
{
    char wanted[100];

    world_settle(w);
    snprintf(wanted, sizeof wanted, "error(%d,%d)[UNCONNECTED]", code, (int)reason);
    LOGGED(w, log, wanted);
    record_clear(log);
}

/* ---- NULL for the object --------------------------------------------------------------------- */

SECTION("NULL");

PLAIN_CASE(null_socket)
{
    plx_address address = {.family = 7};
    char bytes[8] = "bytes";
    size_t size = 1;

    ck_assert_ptr_null(plx_socket_free(NULL));
    plx_socket_set_events(NULL, &record_events, bytes);
    plx_socket_set_events(NULL, NULL, NULL);
    plx_socket_set_user(NULL, bytes);
    ck_assert_ptr_null(plx_socket_user(NULL));
    ck_assert_int_eq(plx_socket_set_address(NULL, "localhost"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_address(NULL), "");
    ck_assert_int_eq(plx_socket_set_port(NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_port(NULL), 0);
    ck_assert_int_eq(plx_socket_set_path(NULL, "/x"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_path(NULL), "");
    ck_assert_int_eq(plx_socket_set_interface(NULL, "lo"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect(NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to(NULL, "127.0.0.1:1"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen_on(NULL, "127.0.0.1:1"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to_address(NULL, &address), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_adopt(NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_disconnect(NULL), PLX_INVALID_STATE);
    plx_socket_close(NULL);
    plx_socket_abort(NULL);
    ck_assert(!plx_socket_poll(NULL));
    ck_assert(!plx_socket_wait(NULL, -1));
    ck_assert(!plx_socket_wait_for_connected(NULL, -1));
    ck_assert(!plx_socket_wait_for_data(NULL, -1));
    ck_assert(!plx_socket_wait_for_sent(NULL, -1));
    ck_assert(!plx_socket_wait_for_disconnected(NULL, -1));
    ck_assert_int_eq(plx_socket_write(NULL, bytes, 5), -1);
    ck_assert_int_eq(plx_socket_flush(NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_read(NULL, bytes, 5), -1);
    ck_assert_int_eq(plx_socket_read_exact(NULL, bytes, 5), -1);
    ck_assert_ptr_null(plx_socket_read_all(NULL, &size));
    ck_assert_ptr_null(plx_socket_lookahead(NULL, &size));
    ck_assert_ptr_null(plx_socket_read_all(NULL, NULL));
    ck_assert_int_eq(plx_socket_read_line(NULL, bytes, sizeof bytes), -1);
    ck_assert(!plx_socket_can_read_line(NULL));
    ck_assert_uint_eq(plx_socket_skip(NULL, 5), 0);
    ck_assert_int_eq(plx_socket_unread(NULL, bytes, 5), PLX_INVALID_STATE);
    plx_socket_purge(NULL);
    ck_assert_uint_eq(plx_socket_bytes_available(NULL), 0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(NULL), 0);
    ck_assert(plx_socket_end_of_file(NULL));
    ck_assert_int_eq(plx_socket_handle(NULL), -1);
    ck_assert_int_eq(plx_socket_state(NULL), PLX_UNCONNECTED);
    ck_assert(!plx_socket_is_connected(NULL));
    ck_assert(!plx_socket_is_listening(NULL));
    ck_assert(!plx_socket_local(NULL, &address));
    ck_assert(!plx_socket_remote(NULL, &address));
    ck_assert_int_eq(address.family, 7);
    ck_assert_str_eq(plx_socket_local_address(NULL), "");
    ck_assert_str_eq(plx_socket_remote_address(NULL), "");
    ck_assert_int_eq(plx_socket_remote_port(NULL), 0);
    ck_assert_int_eq(plx_socket_last_error(NULL), PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(plx_socket_error(NULL));
    ck_assert_int_eq(plx_socket_error(NULL)->code, PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(plx_socket_error(NULL)->message);
    ck_assert_int_eq(plx_socket_set_option(NULL, PLX_OPTION_READ_LIMIT, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_option(NULL, PLX_OPTION_READ_LIMIT), -1);
    ck_assert_str_eq(bytes, "bytes");
}

PLAIN_CASE(null_udp_and_ipc)
{
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};
    plx_datagram datagram = {.size = 77};
    plx_credentials who = {.process = 77};

    ck_assert(!plx_udp_read(NULL, &datagram));
    ck_assert_uint_eq(datagram.size, 77);
    ck_assert_int_eq(plx_udp_write(NULL, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_to(NULL, "127.0.0.1", 9, "x", 1), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_udp_packets_available(NULL), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(NULL), 0);
    ck_assert_int_eq(plx_udp_join_multicast_group(NULL, "239.1.2.3"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_leave_multicast_group(NULL, "239.1.2.3"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_udp_broadcast_address(NULL), "");
    ck_assert_int_eq(plx_ipc_peer_credentials(NULL, &who), PLX_INVALID_STATE);
    ck_assert_int_eq(who.process, 77);
    ck_assert_int_eq(plx_ipc_send_handle(NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_receive_handle(NULL), -1);
}

PLAIN_CASE(null_server)
{
    plx_socket *socket = plx_tcp_new();
    static const plx_server_events events = {.accepted = NULL};

    ck_assert_ptr_null(plx_server_new(NULL));
    ck_assert_ptr_null(plx_server_free(NULL));
    plx_server_set_events(NULL, &events, NULL);
    plx_server_set_client_events(NULL, &record_events, NULL);
    ck_assert_int_eq(plx_server_listen_on(NULL, "127.0.0.1:0"), PLX_INVALID_STATE);
    plx_server_stop_listening(NULL);
    ck_assert(!plx_server_is_listening(NULL));
    ck_assert_int_eq(plx_server_port(NULL), 0);
    plx_server_set_maximum_sockets_connected(NULL, 3);
    ck_assert_int_eq(plx_server_set_maximum_per_address(NULL, 3), PLX_INVALID_STATE);
    plx_server_pause(NULL, true);
    ck_assert_int_eq(plx_server_set_option(NULL, PLX_OPTION_READ_LIMIT, 1), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_server_user(NULL));
    ck_assert_ptr_nonnull(plx_server_error(NULL));
    ck_assert_int_eq(plx_server_error(NULL)->code, PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_server_active_count(NULL), 0);
    ck_assert_ptr_null(plx_server_next_active(NULL, NULL));
    ck_assert_ptr_null(plx_server_next_active(NULL, socket));
    ck_assert_uint_eq(plx_server_write_all(NULL, "a", 1), 0);
    ck_assert_uint_eq(plx_server_write_message_all(NULL, "a", 1), 0);
    ck_assert_ptr_null(plx_server_take(NULL, socket));
    ck_assert(!plx_server_poll(NULL));
    ck_assert(!plx_server_wait(NULL, -1));
    plx_socket_free(socket);
}

PLAIN_CASE(null_group)
{
    plx_socket *socket = plx_tcp_new();
    plx_server *server = plx_server_new(plx_tcp_new);
    plx_group *group = plx_group_new();

    ck_assert_ptr_null(plx_group_free(NULL));
    ck_assert_int_eq(plx_group_add(NULL, socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add(group, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_server(NULL, server), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_server(group, NULL), PLX_INVALID_STATE);
    plx_group_remove(NULL, socket);
    plx_group_remove(group, NULL);
    plx_group_remove(group, socket); /* no member */
    plx_group_remove_server(NULL, server);
    plx_group_remove_server(group, NULL);
    plx_group_remove_server(group, server);
    ck_assert(!plx_group_poll(NULL, -1));
    ck_assert_int_eq(plx_group_flush(NULL), PLX_INVALID_STATE);
    plx_group_set_budget(NULL, 1, 1);
    plx_group_wake(NULL);
    ck_assert_int_eq(plx_group_handle(NULL), -1);
    ck_assert_int_eq(plx_group_deadline(NULL), -1);
    ck_assert_uint_eq(plx_group_count(NULL), 0);
    ck_assert_uint_eq(plx_group_count(group), 0);
    ck_assert_str_eq(plx_group_mechanism(NULL), "");
    plx_server_free(server);
    plx_socket_free(socket);
    plx_group_free(group);
}

PLAIN_CASE(null_values)
{
    plx_address address = {.family = 7};
    char text[8] = "before";

    ck_assert_int_eq(plx_address_parse(NULL, &address), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_address_parse("127.0.0.1:1", NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(address.family, 7);
    ck_assert_uint_eq(plx_address_format(NULL, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    ck_assert(!plx_address_equal(NULL, &address));
    ck_assert(!plx_address_equal(&address, NULL));
    ck_assert(!plx_address_equal(NULL, NULL));
    ck_assert_ptr_nonnull(plx_code_name(-1));
    ck_assert_ptr_nonnull(plx_code_text(101));
    ck_assert_ptr_nonnull(plx_reason_name((plx_reason)1000));
    ck_assert_uint_gt(plx_interface_list(NULL, 0), 0);
}

/* ---- NULL for an argument -------------------------------------------------------------------- */

MODE_SOCKET_CASE(null_arguments)
{
    plx_socket *udp = plx_udp_new();
    plx_server *server = world_server(w);
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};

    ck_assert_int_ne(plx_socket_connect_to(socket, NULL), 0);
    ck_assert_int_ne(plx_socket_listen_on(socket, NULL), 0);
    ck_assert_int_ne(plx_server_listen_on(server, NULL), 0);
    ck_assert_int_eq(plx_socket_set_address(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, NULL), 0);
    ck_assert(!plx_socket_local(socket, NULL));
    ck_assert(!plx_socket_remote(socket, NULL));
    ck_assert_int_eq(plx_socket_connect(udp), 0);
    ck_assert(!plx_udp_read(udp, NULL));
    ck_assert_int_eq(plx_udp_write(udp, NULL, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write(udp, &to, NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_ne(plx_udp_write_to(udp, NULL, 9, "x", 1), 0);
    ck_assert_int_eq(plx_udp_join_multicast_group(udp, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_leave_multicast_group(udp, NULL), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_server_take(server, NULL));
    ck_assert_ptr_null(plx_server_take(server, socket));
    plx_socket_free(udp);
    expect_usable(w, socket, log);
}

MODE_PAIR_CASE(null_out_parameters_of_a_connection)
{
    plx_socket_local(socket, NULL);
    plx_socket_remote(socket, NULL);
    ck_assert_int_ne(plx_ipc_peer_credentials(socket, NULL), 0);
    expect_usable(w, socket, log);
}

/* ---- ports ----------------------------------------------------------------------------------- */

SECTION("wrong");

MODE_SOCKET_CASE(ports_out_of_range)
{
    static const int bad[] = {-1, 65536, 1000000, -65535};
    plx_socket *udp = plx_udp_new();

    ck_assert_int_eq(plx_socket_set_port(socket, 4321), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(plx_socket_set_port(socket, bad[i]), PLX_INVALID_PORT);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_PORT_OUT_OF_RANGE);
        ck_assert_int_eq(plx_socket_port(socket), 4321);
        expect_told(w, log, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE);
        snprintf(where, WHERE_SIZE, "127.0.0.1:%d", bad[i]);
        ck_assert_int_eq(plx_socket_connect_to(socket, where), PLX_INVALID_PORT);
        expect_told(w, log, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE);
        ck_assert_int_eq(plx_socket_listen_on(socket, where), PLX_INVALID_PORT);
        expect_told(w, log, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE);
        ck_assert_int_eq(plx_socket_set_port(udp, bad[i]), PLX_INVALID_PORT);
        ck_assert_int_eq(plx_socket_connect_to(udp, where), PLX_INVALID_PORT);
    }
    ck_assert_int_eq(plx_socket_port(socket), 4321);
    plx_socket_free(udp);
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(port_zero_is_no_port_to_connect_to)
{
    ck_assert_int_eq(plx_socket_connect_to(socket, "127.0.0.1:0"), PLX_INVALID_PORT);
    expect_told(w, log, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE);
    ck_assert_int_eq(plx_socket_set_address(socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, 0), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_PORT);
    expect_told(w, log, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE);
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(port_taken_by_somebody_else)
{
    plx_server *server = world_server(w);

    raw_listen(w, 1, where);
    ck_assert_int_eq(plx_socket_listen_on(socket, where), PLX_ADDRESS_IN_USE);
    expect_told(w, log, PLX_ADDRESS_IN_USE, PLX_REASON_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_server_listen_on(server, where), PLX_ADDRESS_IN_USE);
    ck_assert_int_eq(plx_server_error(server)->code, PLX_ADDRESS_IN_USE);
    ck_assert(!plx_server_is_listening(server));
    world_serve(w, server, where);
    raw_connect(w, where);
    UNTIL(w, plx_server_active_count(server) == 1);
    expect_usable(w, socket, log);
}

/* Runs as an ordinary user, in a child. Returns what went wrong, 0 if nothing did. */
static int listen_at_a_reserved_port(void)
{
    plx_socket *socket = plx_tcp_new(), *udp = plx_udp_new();
    plx_server *server = plx_server_new(plx_tcp_new);
    struct record log;
    int wrong = 0;

    record_begin(&log, socket);
    wrong |= plx_socket_listen_on(socket, "127.0.0.1:7") != PLX_INVALID_PORT ? 1 : 0;
    wrong |= plx_socket_last_error(socket) != PLX_INVALID_PORT ? 2 : 0;
    wrong |= plx_socket_error(socket)->os_error != EACCES ? 4 : 0;
    plx_socket_poll(socket);
    plx_socket_poll(socket);
    wrong |= strncmp(log.text, "error(107,", 10) != 0 || log.count[EVENT_ERROR] != 1 ? 8 : 0;
    wrong |= plx_server_listen_on(server, "127.0.0.1:7") != PLX_INVALID_PORT ? 16 : 0;
    plx_socket_set_port(udp, 7);
    wrong |= plx_socket_connect(udp) != PLX_INVALID_PORT ? 32 : 0;
    wrong |= plx_socket_listen_on(socket, "127.0.0.1:0") != 0 ? 64 : 0;
    plx_server_free(server);
    plx_socket_free(udp);
    plx_socket_free(socket);
    return wrong;
}

PLAIN_CASE(privileged_port_as_an_ordinary_user)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "r");
    int start = 1024, status = 0;
    pid_t child;

    if (file != NULL && fscanf(file, "%d", &start) != 1)
        start = 1024;
    if (file != NULL)
        fclose(file);
    if (start <= 7) {
        fprintf(stderr, "SKIP: no port is reserved here: privileged_port_as_an_ordinary_user\n");
        return;
    }
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(128);
        _exit(listen_at_a_reserved_port());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child died of signal %d", WTERMSIG(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

MODE_SOCKET_CASE(empty_host)
{
    ck_assert_int_eq(plx_socket_set_port(socket, 80), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_NAME_RESOLUTION); /* never set */
    expect_told(w, log, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME);
    ck_assert_int_eq(plx_socket_set_address(socket, ""), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_NAME_RESOLUTION);
    expect_told(w, log, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME);
    ck_assert_int_eq(plx_socket_set_address(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_NAME_RESOLUTION);
    expect_told(w, log, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME);
    ck_assert_int_eq(plx_socket_connect_to(socket, ":80"), PLX_NAME_RESOLUTION);
    expect_told(w, log, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(malformed_places)
{
    static const char *const bad[] = {
        "",        "127.0.0.1", "127.0.0.1:",    "127.0.0.1:x", "host:12x",
        "host:-1", "host: 80",  "host:99999",    "[::1",        "[::1]",
        "[::1]80", "[::1]:",    "[nonsense]:80", "host:080000", "host:+80",
        "::1:80:"};
    plx_server *server = world_server(w);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int code = plx_socket_connect_to(socket, bad[i]);

        ck_assert_msg(code == PLX_INVALID_PORT || code == PLX_NAME_RESOLUTION ||
                          code == PLX_INVALID_STATE,
                      "\"%s\" gave %d", bad[i], code);
        ck_assert_int_eq(plx_socket_last_error(socket), code);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        world_settle(w);
        ck_assert_int_eq(log->count[EVENT_ERROR], 1);
        record_clear(log);
        ck_assert_msg(plx_socket_listen_on(socket, bad[i]) != 0, "listens at \"%s\"", bad[i]);
        ck_assert_msg(plx_server_listen_on(server, bad[i]) != 0, "serves at \"%s\"", bad[i]);
        world_settle(w);
        record_clear(log);
    }
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(endless_texts)
{
    /* 4000 bytes of host: copied, and refused by connect or by the lookup, never cut. */
    ck_assert_int_eq(plx_socket_set_address(socket, long_text("", 4000)), 0);
    ck_assert_uint_eq(strlen(plx_socket_address(socket)), 4000);
    ck_assert_int_eq(plx_socket_set_port(socket, 80), 0);
    nameserver_is_needed("a host of 4000 bytes");
    setenv("POLLUX_NAMESERVERS", "127.0.0.1:1", 1);
    if (plx_socket_connect(socket) == 0)
        UNTIL(w, plx_socket_state(socket) == PLX_UNCONNECTED);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_NAME_RESOLUTION);
    ck_assert_int_ne(plx_socket_connect_to(socket, long_text("host:", 4000)), 0);
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(unknown_interface)
{
    ck_assert_int_eq(plx_socket_set_interface(socket, "no-such-interface"), 0);
    ck_assert_int_ne(plx_socket_listen(socket), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_set_interface(socket, NULL), 0);
    expect_usable(w, socket, log);
}

MODE_SOCKET_CASE(foreign_address)
{
    /* 198.51.100.1 is an address for documentation (RFC 5737) and none of this computer's. */
    ck_assert_int_eq(plx_socket_listen_on(socket, "198.51.100.1:0"), EADDRNOTAVAIL);
    expect_told(w, log, EADDRNOTAVAIL, PLX_REASON_ADDRESS_NOT_AVAILABLE);
    expect_usable(w, socket, log);
}

/* ---- paths ----------------------------------------------------------------------------------- */

IPC_SOCKET_CASE(path_of_5000_bytes)
{
    plx_server *server = plx_server_new(plx_ipc_new);
    const char *path = long_text("/tmp/", 5000);

    ck_assert_int_eq(plx_socket_set_path(socket, "/kept"), 0);
    ck_assert_int_eq(plx_socket_set_path(socket, path), ENAMETOOLONG);
    ck_assert_str_eq(plx_socket_path(socket), "/kept");
    expect_told(w, log, ENAMETOOLONG, PLX_REASON_ADDRESS_NOT_AVAILABLE);
    ck_assert_int_eq(plx_socket_connect_to(socket, path), ENAMETOOLONG);
    expect_told(w, log, ENAMETOOLONG, PLX_REASON_ADDRESS_NOT_AVAILABLE);
    ck_assert_int_eq(plx_socket_listen_on(socket, path), ENAMETOOLONG);
    expect_told(w, log, ENAMETOOLONG, PLX_REASON_ADDRESS_NOT_AVAILABLE);
    ck_assert_int_eq(plx_server_listen_on(server, path), ENAMETOOLONG);
    ck_assert_int_eq(plx_server_error(server)->code, ENAMETOOLONG);
    plx_server_free(server);
    w->kind = &kinds[1];
    expect_usable(w, socket, log);
}

IPC_SOCKET_CASE(no_path)
{
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(socket), PLX_INVALID_STATE);
    ck_assert_int_ne(plx_socket_connect_to(socket, ""), 0);
    ck_assert_int_ne(plx_socket_listen_on(socket, ""), 0);
    ck_assert_int_eq(plx_socket_set_path(socket, ""), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    world_settle(w);
    w->kind = &kinds[1];
    expect_usable(w, socket, log);
}

/* ---- the wrong kind -------------------------------------------------------------------------- */

MODE_CASE(calls_of_another_kind)
{
    struct record log;
    plx_socket *tcp = world_socket(w, &log);
    plx_socket *ipc = plx_ipc_new(), *udp = plx_udp_new();
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};
    plx_datagram datagram;
    plx_credentials who;

    ck_assert(!plx_udp_read(tcp, &datagram));
    ck_assert_int_eq(plx_udp_write(tcp, &to, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_to(ipc, "127.0.0.1", 9, "x", 1), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_udp_packets_available(tcp), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(ipc), 0);
    ck_assert_int_eq(plx_udp_join_multicast_group(tcp, "239.1.2.3"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_leave_multicast_group(ipc, "239.1.2.3"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_udp_broadcast_address(tcp), "");
    ck_assert_int_eq(plx_ipc_peer_credentials(tcp, &who), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_send_handle(udp, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_receive_handle(tcp), -1);
    ck_assert_int_eq(plx_socket_set_path(tcp, "/path"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_path(tcp), "");
    ck_assert_int_eq(plx_socket_set_interface(ipc, "lo"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_listen(udp), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(tcp, PLX_OPTION_MODE, 0600), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(tcp, PLX_OPTION_ROUTER_HOPS, 3), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_option(ipc, PLX_OPTION_KEEP_ALIVE, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_option(tcp, PLX_OPTION_MODE), -1);
    ck_assert_int_eq(plx_socket_option(ipc, PLX_OPTION_KEEP_ALIVE), -1);
    plx_socket_free(ipc);
    plx_socket_free(udp);
    expect_usable(w, tcp, &log);
}

MODE_CASE(a_server_of_datagrams)
{
    plx_server *server = plx_server_new(plx_udp_new);

    if (server != NULL) {
        ck_assert_int_ne(plx_server_listen_on(server, "127.0.0.1:0"), 0);
        ck_assert(!plx_server_is_listening(server));
        for (int i = 0; i < 3; i++)
            ck_assert(!plx_server_poll(server));
    }
    plx_server_free(server);
    (void)w;
}

/* ---- descriptors that are none --------------------------------------------------------------- */

static int datagram_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

MODE_SOCKET_CASE(adopt_what_is_no_socket)
{
    int file = dup(STDERR_FILENO), closed = dup(STDERR_FILENO), pair[2], datagrams;

    close(closed);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    datagrams = world_raw(w, datagram_socket());
    ck_assert_int_ne(plx_socket_adopt(socket, -1), 0);
    ck_assert_int_ne(plx_socket_adopt(socket, closed), 0);
    ck_assert_int_ne(plx_socket_adopt(socket, file), 0);
    ck_assert_int_ne(plx_socket_adopt(socket, datagrams), 0);
    ck_assert_int_eq(plx_socket_adopt(socket, pair[0]), PLX_INVALID_STATE); /* another kind */
    ck_assert_int_eq(plx_socket_handle(socket), -1);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    /* What was refused remains the caller's, open. */
    ck_assert_int_eq(close(file), 0);
    ck_assert_int_eq(close(pair[0]), 0);
    ck_assert_int_eq(close(pair[1]), 0);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    expect_usable(w, socket, log);
}

/* ---- no descriptors left --------------------------------------------------------------------- */

MODE_SOCKET_CASE(no_descriptors_left)
{
    struct rlimit limit, none;

    raw_listen(w, 5, where);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    plx_socket_connect_to(socket, where);
    for (int i = 0; i < 50 && log->count[EVENT_ERROR] == 0; i++)
        world_poll(w);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, PLX_OPEN_DRIVER);
    ck_assert_int_eq(log->os_error, EMFILE);
    ck_assert_int_eq(log->reason, PLX_REASON_SOCKET_RESOURCE);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    expect_usable(w, socket, log);
}

WORLD_MAIN("bad input")
