/* tests/test-start.c -- the short ways to begin: binding by a string, connecting to an address,
 * writing a string, and the names of states. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/datagrams.h"
#include "tests/netns.h"
#include "tests/sockets.h"

static plx_address at(const plx_socket *socket, int family)
{
    plx_address address = {.family = (uint16_t)family, .port = (uint16_t)plx_socket_port(socket)};

    memcpy(address.bytes, family == 4 ? (uint8_t[16]){127, 0, 0, 1} : (uint8_t[16]){[15] = 1}, 16);
    return address;
}

/* ---- plx_udp_bind ---------------------------------------------------------------------------- */

UDP_SOCKET_CASE(bind_to_every_address)
{
    struct record other;
    plx_socket *sender = world_socket_of(w, plx_udp_new, &other);
    plx_address to4, to6;

    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_BOUND);
    ck_assert(plx_socket_is_connected(socket));
    ck_assert_int_gt(plx_socket_port(socket), 0);
    LOGGED(w, log, ""); /* from a poll, and not from the call */
    SETTLED(w, log, "state:BOUND");
    ck_assert_int_eq(plx_udp_bind(sender, ":0"), 0);
    to4 = at(socket, 4);
    to6 = at(socket, 6);
    ck_assert_int_eq(plx_udp_write(sender, &to4, "four", 4), 0);
    datagram_read_text(w, socket, "four");
    ck_assert_int_eq(plx_udp_write(sender, &to6, "six", 3), 0);
    datagram_read_text(w, socket, "six");
}

MODE_CASE(bind_to_one_address)
{
    static const char *const places[][2] = {{"127.0.0.1:0", "127.0.0.1"}, {"[::1]:0", "::1"}};

    for (size_t i = 0; i < 2; i++) {
        plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);
        plx_socket *second = world_socket_of(w, plx_udp_new, NULL);
        char where[64];
        int port;

        ck_assert_int_eq(plx_udp_bind(socket, places[i][0]), 0);
        ck_assert_str_eq(plx_socket_local_address(socket), places[i][1]);
        port = plx_socket_port(socket);
        ck_assert_int_gt(port, 0);
        snprintf(where, sizeof where, i == 0 ? "127.0.0.1:%d" : "[::1]:%d", port);
        ck_assert_int_eq(plx_udp_bind(second, where), PLX_ADDRESS_IN_USE);
        ck_assert_int_eq(plx_socket_state(second), PLX_UNCONNECTED);
        plx_socket_close(socket);
        ck_assert_int_eq(plx_udp_bind(second, where), 0);
        ck_assert_int_eq(plx_socket_port(second), port);
    }
}

/* Bound again where it was by a plain bind; elsewhere by another text or another interface. */
MODE_CASE(bind_again)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "127.0.0.1");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "::");
    plx_socket_close(socket);
    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_interface(socket, "::1"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), "::1");
}

/* An address that is set does not disturb it, as it would plx_socket_connect. */
MODE_CASE(bind_with_an_address_set)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_socket_set_address(socket, "localhost"), 0);
    ck_assert_int_eq(plx_socket_connect(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0);
    ck_assert_str_eq(plx_socket_address(socket), "localhost");
}

UDP_SOCKET_CASE(bind_and_choose_a_peer)
{
    struct record other;
    plx_socket *peer = world_socket_of(w, plx_udp_new, &other);
    plx_address to;
    int port;

    ck_assert_int_eq(plx_udp_bind(peer, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    port = plx_socket_port(socket);
    to = at(peer, 4);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_port(socket), port);
    ck_assert_int_eq(plx_socket_write_text(socket, "hello"), 5);
    datagram_read_text(w, peer, "hello");
}

static void bind_elsewhere(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_udp_bind(socket, record->data), 0);
}

UDP_SOCKET_CASE(bind_in_the_error_handler)
{
    plx_socket *holder = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_udp_bind(holder, "127.0.0.1:0"), 0);
    snprintf(where, WHERE_SIZE, "127.0.0.1:%d", plx_socket_port(holder));
    record_on(log, EVENT_ERROR, bind_elsewhere, "127.0.0.1:0");
    ck_assert_int_eq(plx_udp_bind(socket, where), PLX_ADDRESS_IN_USE);
    UNTIL(w, plx_socket_state(socket) == PLX_BOUND);
    SETTLED(w, log, "error(105,18)[UNCONNECTED] state:BOUND");
}

/* A group is joined on the interface of the address that the socket is bound to, as with
 * set_interface. */
MODE_CASE(bind_chooses_the_interface)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);
    plx_socket *any = world_socket_of(w, plx_udp_new, NULL);

    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_udp_join_multicast_group(socket, "239.1.2.3"), 0);
    ck_assert_int_eq(plx_udp_leave_multicast_group(socket, "239.1.2.3"), 0);
    ck_assert_int_eq(plx_udp_bind(any, "0.0.0.0:0"), 0);
    ck_assert_str_eq(plx_udp_broadcast_address(any), "255.255.255.255");
}

static void expect_refused(struct world *w, struct record *log, int answer, int code,
                           const char *sentence)
{
    ck_assert_int_eq(answer, code);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, sentence);
    record_clear(log);
}

UDP_SOCKET_CASE(bind_is_refused)
{
    static plx_constructor *const others[] = {plx_tcp_new, plx_ipc_new, plx_seqpacket_new};
    static const char *const names[] = {"TCP", "IPC", "SEQPACKET"};
    char *text = malloc(100001), sentence[200];

    ck_assert_int_eq(plx_udp_bind(NULL, ":0"), PLX_INVALID_STATE);
    expect_refused(w, log, plx_udp_bind(socket, NULL), PLX_INVALID_STATE,
                   "bind to NULL: no address given");
    expect_refused(w, log, plx_udp_bind(socket, ""), PLX_INVALID_STATE,
                   "bind to \"\": no address given, write host:port");
    expect_refused(w, log, plx_udp_bind(socket, "127.0.0.1"), PLX_INVALID_PORT,
                   "bind to \"127.0.0.1\": no port given, write host:port");
    expect_refused(w, log, plx_udp_bind(socket, ":65536"), PLX_INVALID_PORT,
                   "bind to \":65536\": the port is not 0 to 65535");
    expect_refused(w, log, plx_udp_bind(socket, "::1:5"), PLX_INVALID_STATE,
                   "bind to \"::1:5\": an IPv6 address is written in brackets, as in [::1]:5");
    expect_refused(w, log, plx_udp_bind(socket, "localhost:0"), EADDRNOTAVAIL,
                   "bind to localhost port 0: neither a numeric address nor an interface of this "
                   "computer, and names are not looked up; \":0\" is every address");
    expect_refused(w, log, plx_udp_bind(socket, "192.0.2.77:0"), EADDRNOTAVAIL,
                   "bind to 192.0.2.77 port 0: not an address of this computer (EADDRNOTAVAIL)");
    memset(text, '7', 100000);
    text[100000] = '\0';
    ck_assert_int_ne(plx_udp_bind(socket, text), 0);
    world_settle(w);
    free(text);
    for (size_t i = 0; i < 3; i++) {
        struct record other;

        snprintf(sentence, sizeof sentence, "bind: only for UDP sockets, not for %s sockets",
                 names[i]);
        expect_refused(w, &other, plx_udp_bind(world_socket_of(w, others[i], &other), ":0"),
                       PLX_INVALID_STATE, sentence);
    }
    ck_assert_int_eq(plx_udp_bind(socket, ":0"), 0); /* usable after all that */
    world_settle(w);
    record_clear(log);
    expect_refused(w, log, plx_udp_bind(socket, ":0"), PLX_INVALID_STATE,
                   "bind: the socket is bound already, call plx_socket_close first");
}

/* ---- plx_socket_connect_to_address ----------------------------------------------------------- */

MODE_CASE(connect_by_address)
{
    for (int family = 4; family <= 6; family += 2) {
        struct record log, other;
        plx_socket *listener = world_socket_of(w, plx_tcp_new, &other);
        plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
        plx_address to, remote;

        ck_assert_int_eq(plx_socket_listen_on(listener, family == 4 ? "127.0.0.1:0" : "[::1]:0"),
                         0);
        to = at(listener, family);
        ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), 0);
        ck_assert_str_eq(plx_socket_address(socket), family == 4 ? "127.0.0.1" : "::1");
        memset(&to, 0xff, sizeof to); /* it was copied */
        UNTIL(w, log.count[EVENT_CONNECTED] == 1 && other.count[EVENT_CONNECTED] == 1);
        ck_assert(plx_socket_remote(socket, &remote));
        ck_assert_int_eq(remote.port, plx_socket_remote_port(socket));
        ck_assert_int_eq(plx_socket_write_text(socket, "hello"), 5);
        UNTIL(w, plx_socket_bytes_available(listener) == 5);
    }
}

/* The peer of another socket at another port, whatever its family: what a string needed brackets
 * for. */
MODE_CASE(the_same_host_at_another_port)
{
    struct record log, other;
    plx_server *server = world_server(w);
    plx_socket *lobby = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *positions = world_socket_of(w, plx_udp_new, &log);
    plx_socket *game = world_socket_of(w, plx_udp_new, &other);
    plx_address peer;
    char where[64];

    ck_assert_int_eq(plx_server_listen_on(server, "[::1]:0"), 0);
    ck_assert_int_eq(plx_udp_bind(game, "[::1]:0"), 0);
    snprintf(where, sizeof where, "[::1]:%d", plx_server_port(server));
    ck_assert_int_eq(plx_socket_connect_to(lobby, where), 0);
    UNTIL(w, plx_socket_state(lobby) == PLX_CONNECTED);
    ck_assert(plx_socket_remote(lobby, &peer));
    peer.port = (uint16_t)plx_socket_port(game);
    ck_assert_int_eq(plx_socket_connect_to_address(positions, &peer), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert_str_eq(plx_socket_address(positions), ""); /* UDP leaves the properties alone */
    ck_assert_int_eq(plx_socket_write_text(positions, "here"), 4);
    datagram_read_text(w, game, "here");
}

MODE_CASE(a_link_local_address_with_its_scope)
{
    struct record log, other;
    plx_socket *listener, *socket;
    plx_address to = {.family = 6, .scope = 1, .bytes = {0xfe, 0x80, [15] = 5}}, remote;

    if (!netns_enter("connecting to a link-local address"))
        return;
    netns_run("ip addr add fe80::5/64 dev lo nodad");
    netns_wait_addresses();
    listener = world_socket_of(w, plx_tcp_new, &other);
    socket = world_socket_of(w, plx_tcp_new, &log);
    ck_assert_int_eq(plx_socket_listen_on(listener, "[fe80::5%lo]:0"), 0);
    to.port = (uint16_t)plx_socket_port(listener);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_remote(socket, &remote));
    ck_assert(plx_address_equal(&remote, &to));
    to.port = (uint16_t)plx_socket_port(socket);
    socket = world_socket_of(w, plx_udp_new, &log);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), 0);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_remote(socket, &remote));
    ck_assert(plx_address_equal(&remote, &to));
}

static void connect_by_data(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, record->data), 0);
}

TCP_SOCKET_CASE(connect_by_address_in_the_error_handler)
{
    struct record other;
    plx_socket *listener = world_socket_of(w, plx_tcp_new, &other);
    plx_address to;

    ck_assert_int_eq(plx_socket_listen_on(listener, "127.0.0.1:0"), 0);
    to = at(listener, 4);
    raw_refusing(w, where);
    record_on(log, EVENT_ERROR, connect_by_data, &to);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
}

TCP_SOCKET_CASE(auto_connect_repeats_the_address)
{
    int raw = raw_refusing(w, where);
    plx_address to;

    ck_assert_int_eq(plx_address_parse(where, &to), 0);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), 0);
    UNTIL(w, log->count[EVENT_ERROR] > 0);
    ck_assert_int_eq(listen(raw, 5), 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
}

TCP_SOCKET_CASE(connect_by_address_is_refused)
{
    struct record path_log;
    plx_socket *datagrams = world_socket_of(w, plx_udp_new, NULL);
    plx_address good = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}}, bad = good;
    plx_address scoped = {.family = 6, .port = 9, .scope = 3, .bytes = {0x20, 0x01, 0x0d, 0xb8}};

    ck_assert_int_eq(plx_socket_connect_to_address(NULL, &good), PLX_INVALID_STATE);
    expect_refused(w, log, plx_socket_connect_to_address(socket, NULL), PLX_INVALID_STATE,
                   "connect to NULL: no address given");
    bad.family = 0;
    expect_refused(w, log, plx_socket_connect_to_address(socket, &bad), PLX_INVALID_STATE,
                   "connect to an address of family 0: neither 4 nor 6");
    bad.family = 65535;
    expect_refused(w, log, plx_socket_connect_to_address(socket, &bad), PLX_INVALID_STATE,
                   "connect to an address of family 65535: neither 4 nor 6");
    bad = good;
    bad.port = 0;
    expect_refused(w, log, plx_socket_connect_to_address(socket, &bad), PLX_INVALID_PORT,
                   "connect to 127.0.0.1: the address has port 0");
    ck_assert_int_eq(plx_socket_connect_to_address(datagrams, &bad), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_socket_connect_to_address(datagrams, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &scoped), PLX_INVALID_STATE);
    world_settle(w);
    record_clear(log);
    ck_assert_str_eq(plx_socket_address(socket), "");
    expect_refused(w, &path_log,
                   plx_socket_connect_to_address(world_socket_of(w, plx_ipc_new, &path_log), &good),
                   PLX_INVALID_STATE,
                   "connect to an address: IPC sockets have a path instead, call "
                   "plx_socket_connect_to");
    expect_refused(
        w, &path_log,
        plx_socket_connect_to_address(world_socket_of(w, plx_seqpacket_new, &path_log), &good),
        PLX_INVALID_STATE,
        "connect to an address: SEQPACKET sockets have a path instead, call "
        "plx_socket_connect_to");
    ck_assert_int_eq(plx_socket_listen_on(socket, "127.0.0.1:0"), 0);
    world_settle(w);
    record_clear(log);
    expect_refused(w, log, plx_socket_connect_to_address(socket, &good), PLX_INVALID_STATE,
                   "connect: the socket is listening already, call plx_socket_close first");
}

TCP_SOCKET_CASE(a_family_that_is_not_allowed)
{
    plx_address to = {.family = 6, .port = 9, .bytes = {[15] = 1}};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0), 0);
    ck_assert_int_eq(plx_socket_connect_to_address(socket, &to), PLX_OPEN_DRIVER);
    ck_assert_int_eq(plx_socket_error(socket)->os_error, EAFNOSUPPORT);
}

/* ---- plx_socket_write_text ------------------------------------------------------------------- */

/* For streams only: an empty text is no packet, and WRITE_LIMIT cuts none. */
STREAM_PAIR_CASE(write_a_text)
{
    ck_assert_int_eq(plx_socket_write_text(socket, "hello, "), 7);
    ck_assert_int_eq(plx_socket_write_text(socket, ""), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "world\n"), 6);
    raw_expect(w, raw, "hello, world\n");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 3), 0);
    ck_assert_int_eq(plx_socket_write_text(socket, "limit"), 3);
    raw_expect(w, raw, "lim");
    record_clear(log);
    expect_refused(w, log, plx_socket_write_text(socket, NULL) == -1 ? PLX_INVALID_STATE : 0,
                   PLX_INVALID_STATE, "write_text of NULL");
}

SOCKET_CASE(a_text_where_nothing_is_written)
{
    ck_assert_int_eq(plx_socket_write_text(NULL, "x"), -1);
    ck_assert_int_eq(plx_socket_write_text(NULL, NULL), -1);
    ck_assert_int_eq(plx_socket_write_text(socket, "x"), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
}

/* ---- names of options, kinds and interfaces -------------------------------------------------- */

PLAIN_CASE(names_of_options)
{
    char small[64];

    for (int i = 0; i <= PLX_OPTION_DIRECTION; i++) {
        const char *name = plx_option_name((plx_option)i);

        ck_assert_ptr_nonnull(name);
        ck_assert_int_eq(plx_option_by_name(name), i);
        snprintf(small, sizeof small, "%s", name);
        small[0] = (char)(small[0] - 'A' + 'a');
        ck_assert_int_eq(plx_option_by_name(small), i);
        ck_assert_int_eq(plx_option_by_name(small + 1), -1);
        small[strlen(small) - 1] = '\0';
        ck_assert_msg(plx_option_by_name(small) != i, "%s", small);
    }
    ck_assert_str_eq(plx_option_name(PLX_OPTION_KEEP_ALIVE), "KEEP_ALIVE");
    ck_assert_int_eq(plx_option_by_name("keep_alive_idle"), PLX_OPTION_KEEP_ALIVE_IDLE);
    ck_assert_ptr_null(plx_option_name((plx_option)-1));
    ck_assert_ptr_null(plx_option_name((plx_option)(PLX_OPTION_DIRECTION + 1)));
    ck_assert_int_eq(plx_option_by_name(NULL), -1);
    ck_assert_int_eq(plx_option_by_name(""), -1);
    ck_assert_int_eq(plx_option_by_name("KEEP_ALIVE "), -1);
    ck_assert_int_eq(plx_option_by_name("PLX_OPTION_KEEP_ALIVE"), -1);
}

PLAIN_CASE(names_of_kinds_and_interfaces)
{
    static plx_socket *(*const makers[])(void) = {plx_tcp_new, plx_udp_new, plx_ipc_new,
                                                  plx_seqpacket_new};
    static const char *const names[] = {"TCP", "UDP", "IPC", "SEQPACKET"};

    for (int i = 0; i < 4; i++) {
        plx_socket *socket = makers[i]();

        ck_assert_str_eq(plx_socket_kind_name(socket), names[i]);
        ck_assert_str_eq(plx_socket_interface(socket), "");
        ck_assert_int_eq(plx_socket_set_interface(socket, "lo"), i < 2 ? 0 : PLX_INVALID_STATE);
        ck_assert_str_eq(plx_socket_interface(socket), i < 2 ? "lo" : "");
        plx_socket_set_interface(socket, NULL);
        ck_assert_str_eq(plx_socket_interface(socket), "");
        plx_socket_free(socket);
    }
    ck_assert_str_eq(plx_socket_kind_name(NULL), "");
    ck_assert_str_eq(plx_socket_interface(NULL), "");
}

/* ---- plx_state_name -------------------------------------------------------------------------- */

PLAIN_CASE(states_have_names)
{
    static const char *const names[] = {"Unconnected", "HostLookup", "Connecting", "Connected",
                                        "Bound",       "Listening",  "Closing"};

    for (int i = 0; i < 7; i++)
        ck_assert_str_eq(plx_state_name((plx_state)i), names[i]);
    ck_assert_str_eq(plx_state_name((plx_state)7), "unknown");
    ck_assert_str_eq(plx_state_name((plx_state)-1), "unknown");
    ck_assert_str_eq(plx_state_name((plx_state)1000), "unknown");
    ck_assert_str_eq(plx_state_name(plx_socket_state(NULL)), "Unconnected");
}

WORLD_MAIN("start", .packets = true)
