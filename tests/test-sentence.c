/* tests/test-sentence.c -- the sentences of errors: what was wrong, and what to call instead. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/sockets.h"
#include "tests/world.h"

/* ---- what a call that is refused leaves ------------------------------------------------------ */

static void expect_error(const plx_error *error, int code, plx_reason reason, const char *sentence)
{
    ck_assert_str_eq(error->message, sentence);
    ck_assert_int_eq(error->code, code);
    ck_assert_int_eq(error->reason, reason);
    ck_assert_int_eq(error->os_error, 0);
}

/* What the socket keeps is what the next poll reports, once. */
static void expect_refusal(struct world *w, struct record *log, plx_socket *socket, int code,
                           plx_reason reason, const char *sentence)
{
    expect_error(plx_socket_error(socket), code, reason, sentence);
    record_clear(log);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, sentence);
}

/* A row of a function's own: a call that is answered by its code, or by -1. */
#define REFUSED(w, log, socket, call, wanted, why, sentence)                                       \
    do {                                                                                           \
        int answer_ = (int)(call);                                                                 \
        ck_assert_msg(answer_ == (wanted) || answer_ == -1, "%s: %d", #call, answer_);             \
        expect_refusal(w, log, socket, wanted, PLX_REASON_##why, sentence);                        \
    } while (0)

/* ---- options --------------------------------------------------------------------------------- */

struct option_row {
    plx_constructor *create;
    int option, value;
    const char *sentence;
};

static const struct option_row option_rows[] = {
    {plx_tcp_new, 99, 1, "set option 99 to 1: there is no such option"},
    {plx_tcp_new, -1, 7, "set option -1 to 7: there is no such option"},
    {plx_tcp_new, PLX_OPTION_MODE, 0600, "set MODE to 0600: TCP sockets do not have this option"},
    {plx_ipc_new, PLX_OPTION_MODE, 01000, "set MODE to 01000: out of range 0 to 0777"},
    {plx_ipc_new, PLX_OPTION_MODE, -1, "set MODE to -1: out of range 0 to 0777"},
    {plx_ipc_new, PLX_OPTION_LOW_DELAY, 1,
     "set LOW_DELAY to 1: IPC sockets do not have this option"},
    {plx_udp_new, PLX_OPTION_AUTO_CONNECT, 1,
     "set AUTO_CONNECT to 1: UDP sockets do not have this option"},
    {plx_seqpacket_new, PLX_OPTION_ROUTER_HOPS, 1,
     "set ROUTER_HOPS to 1: SEQPACKET sockets do not have this option"},
    {plx_udp_new, PLX_OPTION_ROUTER_HOPS, 256, "set ROUTER_HOPS to 256: out of range 1 to 255"},
    {plx_tcp_new, PLX_OPTION_READ_LIMIT, -5, "set READ_LIMIT to -5: out of range 0 to 2147483647"},
};

SECTION("calls");

MODE_CASE(an_option_is_named)
{
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        const struct option_row *row = &option_rows[i];
        struct record log;
        plx_socket *socket = world_socket_of(w, row->create, &log);

        REFUSED(w, &log, socket, plx_socket_set_option(socket, (plx_option)row->option, row->value),
                PLX_INVALID_STATE, UNSUPPORTED_OPERATION, row->sentence);
    }
}

MODE_SOCKET_CASE(every_option_has_a_name)
{
    for (int option = 0; option <= PLX_OPTION_RECEIVE_HANDLES; option++) {
        ck_assert_int_ne(plx_socket_set_option(socket, (plx_option)option, -1), 0);
        ck_assert_msg(strncmp(plx_socket_error(socket)->message, "set option", 10) != 0, "%s",
                      plx_socket_error(socket)->message);
    }
}

/* What a server is asked is refused with the same words. */
MODE_CASE(an_option_of_a_server_is_named)
{
    plx_server *server = world_server(w);

    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_MODE, 0600), PLX_INVALID_STATE);
    expect_error(plx_server_error(server), PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
                 "set MODE to 0600: TCP sockets do not have this option");
}

/* ---- where ----------------------------------------------------------------------------------- */

struct where_row {
    const char *where;
    int code;
    plx_reason reason;
    const char *because; /* what stands behind the call and the text */
};

#define NO_PORT "no port given, write host:port"
#define BAD(where, because)                                                                        \
    {                                                                                              \
        where, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, because                        \
    }
#define PORT(where, because)                                                                       \
    {                                                                                              \
        where, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE, because                             \
    }

static const struct where_row internet_rows[] = {
    BAD("", "no address given, write host:port"),
    BAD("::1:80", "an IPv6 address is written in brackets, as in [::1]:80"),
    BAD("::1", "an IPv6 address is written in brackets, as in [::1]:80"),
    BAD("2001:db8::7:8080", "an IPv6 address is written in brackets, as in [2001:db8::7]:8080"),
    BAD("tcp://localhost:80", "write host:port, without a scheme"),
    BAD("/tmp/socket", "a path is for local sockets, write host:port"),
    BAD("@name", "a path is for local sockets, write host:port"),
    BAD("[localhost]:80", "only a numeric IPv6 address goes in brackets, as in [::1]:80"),
    BAD("[127.0.0.1]:80", "only a numeric IPv6 address goes in brackets, as in [::1]:80"),
    BAD("[::1:80", "only a numeric IPv6 address goes in brackets, as in [::1]:80"),
    BAD("[fe80::1%nowhere9]:80",
        "not a numeric IPv6 address with an interface of this computer behind the %"),
    BAD("me@host:80", "no host name, write host:port"),
    BAD("two words:80", "no host name, write host:port"),
    PORT("localhost", NO_PORT),
    PORT("127.0.0.1:", NO_PORT),
    PORT("[::1]", NO_PORT),
};

/* Those that differ: a listener may have port 0 and no host, a peer may not. */
static const struct where_row peer_rows[] = {
    PORT("localhost:http", "the port is not 1 to 65535"),
    PORT("127.0.0.1:65536", "the port is not 1 to 65535"),
    PORT("127.0.0.1:0", "the port is not 1 to 65535"),
    {":80", PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME, "no host name given"},
};

static const struct where_row listener_rows[] = {
    PORT("127.0.0.1:http", "the port is not 0 to 65535"),
    PORT(":-1", "the port is not 0 to 65535"),
};

static const struct where_row path_rows[] = {
    BAD("", "no path given"),
    BAD("@", "no name given"),
};

typedef int call_where(plx_socket *socket, const char *where);

/* Each row of a table, with one of the calls that take such a string. */
static void refuse_rows(struct world *w, plx_constructor *create, call_where *make,
                        const char *call, const struct where_row *rows, size_t count)
{
    struct record log;
    plx_socket *socket = world_socket_of(w, create, &log);

    for (size_t i = 0; i < count; i++) {
        char sentence[400];

        snprintf(sentence, sizeof sentence, "%s \"%s\": %s", call, rows[i].where, rows[i].because);
        ck_assert_int_eq(make(socket, rows[i].where), rows[i].code);
        expect_refusal(w, &log, socket, rows[i].code, rows[i].reason, sentence);
        ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
        ck_assert_str_eq(plx_socket_address(socket), "");
        ck_assert_int_eq(plx_socket_port(socket), 0);
    }
}

#define ROWS(rows) rows, sizeof rows / sizeof rows[0]

MODE_CASE(a_bad_address_says_how_to_write_it)
{
    refuse_rows(w, plx_tcp_new, plx_socket_connect_to, "connect to", ROWS(internet_rows));
    refuse_rows(w, plx_tcp_new, plx_socket_listen_on, "listen on", ROWS(internet_rows));
    refuse_rows(w, plx_udp_new, plx_socket_connect_to, "connect to", ROWS(internet_rows));
    refuse_rows(w, plx_tcp_new, plx_socket_connect_to, "connect to", ROWS(peer_rows));
    refuse_rows(w, plx_udp_new, plx_socket_connect_to, "connect to", ROWS(peer_rows));
    refuse_rows(w, plx_tcp_new, plx_socket_listen_on, "listen on", ROWS(listener_rows));
}

MODE_CASE(a_bad_path_says_what_is_missing)
{
    refuse_rows(w, plx_ipc_new, plx_socket_connect_to, "connect to", ROWS(path_rows));
    refuse_rows(w, plx_ipc_new, plx_socket_listen_on, "listen on", ROWS(path_rows));
    refuse_rows(w, plx_seqpacket_new, plx_socket_connect_to, "connect to", ROWS(path_rows));
    refuse_rows(w, plx_seqpacket_new, plx_socket_listen_on, "listen on", ROWS(path_rows));
}

/* However long the text is, the sentence still says why. */
TCP_SOCKET_CASE(a_long_text_does_not_push_out_the_reason)
{
    char *text = malloc(100001);

    memset(text, 'x', 100000);
    strcpy(text + 99997, ":80");
    ck_assert_int_eq(plx_socket_connect_to(socket, text), PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(strstr(plx_socket_error(socket)->message, ": longer than any host name"));
    strcpy(text + 99900, "://x:80");
    ck_assert_int_eq(plx_socket_listen_on(socket, text), PLX_INVALID_STATE);
    ck_assert_ptr_nonnull(strstr(plx_socket_error(socket)->message, ": write host:port, without"));
    free(text);
}

TCP_SOCKET_CASE(a_name_is_no_place_to_listen)
{
    static const char *const rows[][2] = {
        {"localhost:7797",
         "bind to localhost port 7797: neither a numeric address nor an interface "
         "of this computer, and names are not looked up; \":7797\" is every "
         "address"},
        {"*:7797", "bind to * port 7797: neither a numeric address nor an interface of this "
                   "computer, and names are not looked up; \":7797\" is every address"},
    };
    plx_server *server = world_server(w);

    for (size_t i = 0; i < 2; i++) {
        REFUSED(w, log, socket, plx_socket_listen_on(socket, rows[i][0]), EADDRNOTAVAIL,
                ADDRESS_NOT_AVAILABLE, rows[i][1]);
        ck_assert_int_eq(plx_server_listen_on(server, rows[i][0]), EADDRNOTAVAIL);
        expect_error(plx_server_error(server), EADDRNOTAVAIL, PLX_REASON_ADDRESS_NOT_AVAILABLE,
                     rows[i][1]);
    }
}

/* ---- calls that do not fit the kind ---------------------------------------------------------- */

#define REFUSED_STATE(w, log, socket, call, sentence)                                              \
    REFUSED(w, log, socket, call, PLX_INVALID_STATE, OPERATION, sentence)
#define REFUSED_KIND(w, log, socket, call, sentence)                                               \
    REFUSED(w, log, socket, call, PLX_INVALID_STATE, UNSUPPORTED_OPERATION, sentence)

MODE_CASE(what_a_kind_does_not_have)
{
    struct record tcp_log, udp_log, ipc_log, packet_log;
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, &tcp_log);
    plx_socket *udp = world_socket_of(w, plx_udp_new, &udp_log);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, &ipc_log);
    plx_socket *packets = world_socket_of(w, plx_seqpacket_new, &packet_log);
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};
    plx_frame frame = {.length_size = 2};
    char byte;

    REFUSED_KIND(w, &udp_log, udp, plx_socket_listen(udp),
                 "listen: UDP sockets do not listen, call plx_udp_bind");
    REFUSED_KIND(w, &udp_log, udp, plx_socket_listen_on(udp, ":7777"),
                 "listen: UDP sockets do not listen, call plx_udp_bind");
    REFUSED_KIND(w, &tcp_log, tcp, plx_udp_write(tcp, &to, "x", 1),
                 "write a datagram: only for UDP sockets, not for TCP sockets");
    REFUSED_KIND(w, &ipc_log, ipc, plx_udp_write_to(ipc, "127.0.0.1", 9, "x", 1),
                 "write a datagram: only for UDP sockets, not for IPC sockets");
    REFUSED_KIND(w, &packet_log, packets, plx_udp_join_multicast_group(packets, "239.1.2.3"),
                 "join: only for UDP sockets, not for SEQPACKET sockets");
    REFUSED_KIND(w, &tcp_log, tcp, plx_ipc_send_handle(tcp, 0),
                 "send a descriptor: only for IPC sockets, not for TCP sockets");
    REFUSED_KIND(w, &udp_log, udp, plx_ipc_set_abstract_name(udp, "x", 1),
                 "set an abstract name: only for IPC sockets, not for UDP sockets");
    REFUSED_KIND(w, &udp_log, udp, plx_socket_set_frame(udp, &frame),
                 "set a frame: UDP sockets have messages without one");
    REFUSED_KIND(w, &packet_log, packets, plx_socket_set_frame(packets, &frame),
                 "set a frame: SEQPACKET sockets have messages without one");
    REFUSED_KIND(w, &packet_log, packets, plx_socket_read_exact(packets, &byte, 1),
                 "read_exact: SEQPACKET sockets have messages and no stream of bytes, call "
                 "plx_socket_read_message");
    REFUSED_KIND(w, &udp_log, udp, plx_socket_read_line(udp, &byte, 1),
                 "read_line: UDP sockets have messages and no stream of bytes, call "
                 "plx_socket_read_message");
    REFUSED_KIND(w, &udp_log, udp, plx_socket_unread(udp, &byte, 1),
                 "unread: UDP sockets have messages and no stream of bytes, call "
                 "plx_socket_read_message");
}

/* What leads to a socket is a path or an address: the other is refused, and having none is not. */
MODE_CASE(properties_of_the_other_sort)
{
    static plx_constructor *const constructors[] = {plx_ipc_new, plx_seqpacket_new, plx_tcp_new,
                                                    plx_udp_new};
    static const char *const names[] = {"IPC", "SEQPACKET", "TCP", "UDP"};

    for (size_t i = 0; i < 4; i++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, constructors[i], &log);
        char sentence[200];

        ck_assert_int_eq(plx_socket_set_address(socket, NULL), 0);
        ck_assert_int_eq(plx_socket_set_address(socket, ""), 0);
        ck_assert_int_eq(plx_socket_set_port(socket, 0), 0);
        ck_assert_int_eq(plx_socket_set_interface(socket, NULL), 0);
        ck_assert_int_eq(plx_socket_set_path(socket, NULL), 0);
        if (i >= 2) {
            snprintf(sentence, sizeof sentence,
                     "set a path: %s sockets have an address and a port instead, call "
                     "plx_socket_set_address",
                     names[i]);
            REFUSED_KIND(w, &log, socket, plx_socket_set_path(socket, "/tmp/x"), sentence);
            continue;
        }
        snprintf(sentence, sizeof sentence,
                 "set an address: %s sockets have a path instead, call plx_socket_set_path",
                 names[i]);
        REFUSED_KIND(w, &log, socket, plx_socket_set_address(socket, "localhost"), sentence);
        ck_assert_str_eq(plx_socket_address(socket), "");
        snprintf(sentence, sizeof sentence,
                 "set a port: %s sockets have a path instead, call plx_socket_set_path", names[i]);
        REFUSED_KIND(w, &log, socket, plx_socket_set_port(socket, 80), sentence);
        ck_assert_int_eq(plx_socket_port(socket), 0);
        snprintf(sentence, sizeof sentence,
                 "set an interface: %s sockets have a path instead, call plx_socket_set_path",
                 names[i]);
        REFUSED_KIND(w, &log, socket, plx_socket_set_interface(socket, "lo"), sentence);
    }
}

/* ---- calls that do not fit the state --------------------------------------------------------- */

/* For streams only: packets have other sentences. */
STREAM_SOCKET_CASE(what_an_unconnected_stream_cannot)
{
    char byte;

    REFUSED_STATE(w, log, socket, plx_socket_write(socket, "x", 1),
                  "write: the socket is not connected, call plx_socket_connect_to first");
    REFUSED_STATE(w, log, socket, plx_socket_disconnect(socket),
                  "disconnect: the socket is not connected");
    REFUSED_STATE(w, log, socket, plx_socket_write_message(socket, "x", 1),
                  "write a message: no frame is set, call plx_socket_set_frame first");
    REFUSED_KIND(w, log, socket, plx_socket_read(socket, NULL, 5), "read 5 bytes into NULL");
    REFUSED_KIND(w, log, socket, plx_socket_write(socket, NULL, 5), "write 5 bytes from NULL");
    REFUSED_KIND(w, log, socket, plx_socket_unread(socket, NULL, 5), "unread 5 bytes from NULL");
    REFUSED_KIND(w, log, socket, plx_socket_read_exact(socket, NULL, 5),
                 "read_exact 5 bytes into NULL");
    REFUSED_KIND(w, log, socket, plx_socket_read_line(socket, NULL, 5),
                 "read_line with room for 5 bytes at NULL");
    REFUSED_KIND(w, log, socket, plx_socket_read_line(socket, &byte, 1),
                 "read_line with room for 1 bytes: the minimum is 2");
    REFUSED_KIND(w, log, socket, plx_socket_connect_to(socket, NULL),
                 "connect to NULL: no address given");
    REFUSED_KIND(w, log, socket, plx_socket_listen_on(socket, NULL),
                 "listen on NULL: no address given");
    REFUSED_KIND(w, log, socket, plx_socket_adopt_activated(socket, "web"),
                 "adopt: no service manager passed a descriptor named \"web\" that fits");
    REFUSED_KIND(w, log, socket, plx_socket_adopt_activated(socket, NULL),
                 "adopt: no service manager passed a descriptor that fits");
}

SOCKET_CASE(what_an_open_stream_cannot)
{
    struct record other;
    plx_socket *listener = world_socket(w, &other);

    world_listen(w, listener, where);
    world_settle(w);
    REFUSED_STATE(w, &other, listener, plx_socket_write(listener, "x", 1),
                  "write: the socket is listening, and nobody has connected to it yet");
    REFUSED_STATE(w, &other, listener, plx_socket_listen(listener),
                  "listen: the socket is listening already, call plx_socket_close first");
    world_pair(w, socket, log);
    REFUSED_STATE(w, log, socket, plx_socket_connect_to(socket, where),
                  "connect: the socket is connected already, call plx_socket_close first");
    REFUSED_STATE(w, log, socket, plx_socket_connect(socket),
                  "connect: the socket is connected already, call plx_socket_close first");
    REFUSED_STATE(w, log, socket, plx_socket_adopt(socket, 0),
                  "adopt: the socket is connected already, call plx_socket_close first");
    plx_socket_write(socket, "x", 1);
    ck_assert_int_eq(plx_socket_disconnect(socket), 0);
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), -1);
    expect_error(plx_socket_error(socket), PLX_INVALID_STATE, PLX_REASON_OPERATION,
                 "write: the socket is closing, because plx_socket_disconnect was called");
}

MODE_CASE(what_a_server_cannot)
{
    plx_server *server = world_server(w), *datagrams = plx_server_new(plx_udp_new);
    char where[WHERE_SIZE];
    int pipes[2];

    ck_assert_int_eq(plx_server_listen_on(datagrams, ":7777"), PLX_INVALID_STATE);
    expect_error(plx_server_error(datagrams), PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
                 "listen: UDP sockets do not listen, call plx_udp_bind");
    plx_server_free(datagrams);
    world_serve(w, server, where);
    ck_assert_int_eq(plx_server_listen_on(server, where), PLX_INVALID_STATE);
    expect_error(plx_server_error(server), PLX_INVALID_STATE, PLX_REASON_OPERATION,
                 "listen: the server is listening already, call plx_server_stop_listening first");
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_ne(plx_server_adopt(server, world_raw(w, pipes[0])), 0);
    world_raw(w, pipes[1]);
}

IPC_SOCKET_CASE(what_a_path_socket_needs)
{
    REFUSED_STATE(w, log, socket, plx_socket_connect(socket),
                  "connect: no path is set, call plx_socket_set_path or plx_socket_connect_to");
    REFUSED_STATE(w, log, socket, plx_socket_listen(socket),
                  "listen: no path is set, call plx_socket_set_path or plx_socket_listen_on");
    REFUSED_KIND(w, log, socket, plx_ipc_set_abstract_name(socket, "x", 0),
                 "set an abstract name: no name given");
    REFUSED_KIND(w, log, socket, plx_ipc_set_abstract_name(socket, NULL, 3),
                 "set an abstract name: no name given");
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_MODE, 0600), 0);
    REFUSED_KIND(w, log, socket, plx_socket_listen_on(socket, "@pollux-sentence"),
                 "listen on @pollux-sentence: MODE is set, and an abstract name has no "
                 "permissions");
}

TCP_SOCKET_CASE(what_an_internet_socket_needs)
{
    REFUSED(w, log, socket, plx_socket_connect(socket), PLX_NAME_RESOLUTION, EMPTY_HOST_NAME,
            "connect: no host given, call plx_socket_set_address or plx_socket_connect_to");
    ck_assert_int_eq(plx_socket_set_address(socket, "localhost"), 0);
    REFUSED(w, log, socket, plx_socket_connect(socket), PLX_INVALID_PORT, PORT_OUT_OF_RANGE,
            "connect to localhost: port 0 is not 1 to 65535");
    REFUSED(w, log, socket, plx_socket_set_port(socket, 65536), PLX_INVALID_PORT, PORT_OUT_OF_RANGE,
            "set the port to 65536: out of range 0 to 65535");
}

UDP_SOCKET_CASE(what_a_datagram_socket_needs)
{
    plx_address to = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};
    char byte;

    REFUSED_STATE(w, log, socket, plx_udp_write(socket, &to, "x", 1),
                  "write: the socket is not bound, call plx_udp_bind or plx_socket_connect_to "
                  "first");
    REFUSED_STATE(
        w, log, socket, plx_udp_join_multicast_group(socket, "239.1.2.3"),
        "join: the socket is not bound, call plx_udp_bind or plx_socket_connect_to first");
    REFUSED_STATE(w, log, socket, plx_socket_write(socket, "x", 1),
                  "write: the socket has no peer, call plx_udp_read or plx_udp_write, or "
                  "plx_socket_connect_to first");
    ck_assert_int_eq(plx_socket_set_address(socket, "localhost"), 0);
    REFUSED_KIND(w, log, socket, plx_socket_connect(socket),
                 "connect: an address is set, and this call only binds a UDP socket, call "
                 "plx_socket_connect_to to choose a peer");
    ck_assert_int_eq(plx_socket_set_address(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_connect(socket), 0);
    REFUSED_STATE(w, log, socket, plx_socket_read(socket, &byte, 1),
                  "read: the socket has no peer, call plx_udp_read or plx_udp_write, or "
                  "plx_socket_connect_to first");
    plx_socket_read_message(socket, NULL);
    expect_refusal(w, log, socket, PLX_INVALID_STATE, PLX_REASON_OPERATION,
                   "read a message: the socket has no peer, call plx_socket_connect_to first");
    REFUSED_KIND(w, log, socket, plx_udp_write(socket, NULL, "x", 1),
                 "write to NULL: no address given");
    REFUSED_KIND(w, log, socket, plx_udp_write(socket, &to, NULL, 3), "write 3 bytes from NULL");
    to.port = 0;
    REFUSED(w, log, socket, plx_udp_write(socket, &to, "x", 1), PLX_INVALID_PORT, PORT_OUT_OF_RANGE,
            "write to 127.0.0.1: the address has port 0");
    to.family = 0;
    REFUSED_KIND(w, log, socket, plx_udp_write(socket, &to, "x", 1),
                 "write to an address of family 0: neither 4 nor 6");
    REFUSED(w, log, socket, plx_udp_write_to(socket, NULL, 9, "x", 1), PLX_NAME_RESOLUTION,
            EMPTY_HOST_NAME, "write to NULL: no host given");
    REFUSED(w, log, socket, plx_udp_write_to(socket, "", 9, "x", 1), PLX_NAME_RESOLUTION,
            EMPTY_HOST_NAME, "write to \"\": no host given");
    REFUSED(w, log, socket, plx_udp_write_to(socket, "localhost", 65536, "x", 1), PLX_INVALID_PORT,
            PORT_OUT_OF_RANGE, "write to localhost: port 65536 is not 1 to 65535");
    REFUSED_KIND(w, log, socket, plx_udp_join_multicast_group(socket, "nonsense"),
                 "join group nonsense: not the address of a multicast group");
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct frame_row {
    plx_frame frame;
    const char *because;
};

MODE_SOCKET_CASE(a_frame_says_which_member)
{
    static const struct frame_row rows[] = {
        {{.length_size = 0}, "it has neither length_size nor delimiter"},
        {{.length_size = 2, .delimiter = "x", .delimiter_size = 1},
         "it has both length_size and delimiter"},
        {{.length_size = 2, .delimiter_size = 1}, "it has both length_size and delimiter"},
        {{.length_size = 3}, "length_size is 3, not 1, 2 or 4"},
        {{.delimiter_size = 2}, "delimiter is NULL and delimiter_size 2"},
        {{.delimiter = "x"}, "delimiter_size is 0, not 1 to 8"},
        {{.delimiter = "123456789", .delimiter_size = 9}, "delimiter_size is 9, not 1 to 8"},
        {{.delimiter = "x", .delimiter_size = 1, .little_endian = true},
         "little_endian is for a length, not for a delimiter"},
        {{.length_size = 1, .maximum = 256}, "maximum is 256, not 0 to 255"},
        {{.length_size = 2, .maximum = 65536}, "maximum is 65536, not 0 to 65535"},
    };
    plx_frame frame = {.delimiter = "\n", .delimiter_size = 1};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char sentence[200];

        snprintf(sentence, sizeof sentence, "set a frame: %s", rows[i].because);
        REFUSED_KIND(w, log, socket, plx_socket_set_frame(socket, &rows[i].frame), sentence);
    }
    ck_assert_int_eq(plx_socket_set_frame(socket, &frame), 0);
    world_pair(w, socket, log);
    REFUSED_KIND(w, log, socket, plx_socket_write_message(socket, "a\nb", 3),
                 "write a message of 3 bytes: it contains the delimiter");
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void expect_orderly_end(struct world *w, struct record *log, plx_socket *socket)
{
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(log->code, PLX_LOST_CONNECTION);
    ck_assert_int_eq(log->reason, PLX_REASON_REMOTE_HOST_CLOSED);
    ck_assert_int_eq(log->os_error, 0);
    ck_assert_str_eq(log->message, "the peer closed the connection");
    ck_assert_str_eq(plx_socket_error(socket)->message, "the peer closed the connection");
}

SECTION("ends");

PAIR_CASE(an_orderly_end_of_a_stream)
{
    raw_close(w, raw);
    expect_orderly_end(w, log, socket);
}

SEQPACKET_SOCKET_CASE(an_orderly_end_of_packets)
{
    struct record other;
    plx_socket *listener = world_socket_of(w, plx_seqpacket_new, &other);

    snprintf(where, WHERE_SIZE, "%s/packets", w->folder);
    ck_assert_int_eq(plx_socket_listen_on(listener, where), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, plx_socket_is_connected(listener) && log->count[EVENT_CONNECTED] == 1);
    plx_socket_close(listener);
    expect_orderly_end(w, log, socket);
}

WORLD_MAIN("sentence", .packets = true)
