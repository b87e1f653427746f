/* tests/test-copy.c -- the settings of a socket for another one. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/socket/framing.h"
#include "lib/socket/property.h"
#include "tests/commands.h"
#include "tests/proxies.h"
#include "tests/world.h"

/* ---- settings as a string -------------------------------------------------------------------- */

enum { SETTINGS = 4000 };

struct settings {
    char text[SETTINGS];
    size_t length;
};

static void say(struct settings *settings, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    settings->length += (size_t)vsnprintf(settings->text + settings->length,
                                          SETTINGS - settings->length, format, arguments);
    va_end(arguments);
    ck_assert_uint_lt(settings->length, SETTINGS);
}

static struct settings settings_of(const plx_socket *socket)
{
    const struct plx__properties *properties = plx__socket_properties(socket);
    const struct plx__framing *framing = plx__framing_of(socket);
    struct settings settings = {.length = 0};

    say(&settings,
        "address %s port %d local %d path %s (%d) interface %s listen %s proxy %s tag %s",
        plx_socket_address(socket), properties->port, properties->local_port,
        plx_socket_path(socket), properties->path_size, plx_socket_interface(socket),
        properties->listen_host == NULL ? "" : properties->listen_host, plx_socket_proxy(socket),
        plx_socket_protocol_tag(socket));
    for (int option = 0; plx_option_name((plx_option)option) != NULL; option++)
        say(&settings, " %s %d", plx_option_name((plx_option)option),
            plx_socket_option(socket, (plx_option)option));
    if (framing != NULL)
        say(&settings, " maximum %zu length %d delimiter %.*s uncounted %d little %d commands %d",
            framing->maximum, framing->length_size, framing->delimiter_size,
            (const char *)framing->delimiter, framing->uncounted, framing->little_endian,
            framing->commands);
    return settings;
}

static void expect_settings(const plx_socket *socket, const struct settings *wanted)
{
    struct settings settings = settings_of(socket);

    ck_assert_str_eq(settings.text, wanted->text);
}

static void expect_copy(plx_socket *socket, const plx_socket *from)
{
    struct settings before = settings_of(from);

    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    expect_settings(socket, &before);
    expect_settings(from, &before);
}

static void set_option(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

static void set_tcp(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_set_address(socket, "example.test"), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, 7777), 0);
    ck_assert_int_eq(plx_socket_set_local_port(socket, 8888), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.3"), 0);
    ck_assert_int_eq(
        plx_socket_set_frame(socket, &(plx_frame){.delimiter = "\r\n", .delimiter_size = 2}), 0);
    ck_assert_int_eq(plx_socket_set_proxy(socket, "socks5h://" SECRETS "proxy.test:1080"), 0);
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "irc"), 0);
    set_option(socket, PLX_OPTION_LOW_DELAY, 0);
    set_option(socket, PLX_OPTION_KEEP_ALIVE_IDLE, 77);
    set_option(socket, PLX_OPTION_WRITE_LIMIT, 4321);
    set_option(socket, PLX_OPTION_AUTO_CONNECT, 1);
}

static void set_other_tcp(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_set_address(socket, "other.test"), 0);
    ck_assert_int_eq(plx_socket_set_port(socket, 1), 0);
    ck_assert_int_eq(plx_socket_set_local_port(socket, 2), 0);
    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.4"), 0);
    ck_assert_int_eq(plx_socket_set_commands(socket, PLX_COMMANDS_DATA_LENGTH), 0);
    ck_assert_int_eq(plx_socket_set_proxy(socket, "http://other.test:3128"), 0);
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "http"), 0);
    set_option(socket, PLX_OPTION_TYPE_OF_SERVICE, 8);
    set_option(socket, PLX_OPTION_READ_LIMIT, 1234);
    set_option(socket, PLX_OPTION_WRITE_LIMIT, 1234);
}

/* ---- one kind -------------------------------------------------------------------------------- */

SECTION("one-kind");

MODE_CASE(all_is_copied)
{
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *empty = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *other = world_socket_of(w, plx_tcp_new, NULL);

    set_tcp(from);
    set_other_tcp(other);
    expect_copy(empty, from);
    expect_copy(other, from);
    world_free(w, from);
    ck_assert_str_eq(plx_socket_address(empty), "example.test"); /* a copy of its own */
    expect_copy(empty, other);
}

/* What is not set in one is not set in the other afterwards. */
MODE_CASE(nothing_is_copied)
{
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *bare = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *full = world_socket_of(w, plx_tcp_new, NULL);

    set_tcp(full);
    expect_copy(full, from);
    ck_assert_str_eq(plx_socket_proxy(full), "");
    expect_copy(bare, from);
    set_other_tcp(full);
    expect_copy(full, from);
    ck_assert_int_eq(plx_socket_write_message(full, "a", 1), PLX_INVALID_STATE);
}

MODE_CASE(paths)
{
    plx_socket *from = world_socket_of(w, plx_ipc_new, NULL);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, NULL);
    plx_socket *seqpacket = world_socket_of(w, plx_seqpacket_new, NULL);

    ck_assert_int_eq(plx_socket_set_path(from, "@a name"), 0);
    set_option(from, PLX_OPTION_MODE, 0600);
    ck_assert_int_eq(plx_socket_set_frame(from, &(plx_frame){.length_size = 1}), 0);
    expect_copy(ipc, from);
    ck_assert_int_eq(plx_socket_copy_settings(seqpacket, from), 0); /* has no frame */
    ck_assert_str_eq(plx_socket_path(seqpacket), "@a name");
    ck_assert_int_eq(plx_socket_option(seqpacket, PLX_OPTION_MODE), 0600);
    ck_assert_int_eq(plx_socket_set_path(from, NULL), 0);
    expect_copy(ipc, from);
}

MODE_CASE(what_is_not_copied)
{
    struct record log, others;
    plx_socket *from = world_socket_of(w, plx_tcp_new, &log);
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &others);

    set_tcp(from);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_ptr_eq(plx_socket_user(socket), &others);
    ck_assert_int_eq(plx_socket_set_address(from, "changed.test"), 0);
    set_option(from, PLX_OPTION_WRITE_LIMIT, 5);
    ck_assert_str_eq(plx_socket_address(socket), "example.test");
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_WRITE_LIMIT), 4321);
}

/* The copy connects to the same place, from the same address, with the same frame, although the
 * connection of the other one has begun a message. */
TCP_SOCKET_CASE(a_copy_of_a_connection)
{
    struct record others;
    plx_socket *copy = world_socket_of(w, plx_tcp_new, &others);
    int listener = raw_listen(w, 5, where), raw, second;
    plx_address local;

    ck_assert_int_eq(plx_socket_set_interface(socket, "127.0.0.3"), 0);
    ck_assert_int_eq(
        plx_socket_set_frame(socket, &(plx_frame){.delimiter = "\r\n", .delimiter_size = 2}), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    raw_say(raw, "a long message that has no end yet");
    UNTIL(w, plx_socket_bytes_available(socket) > 30);
    ck_assert(!plx_socket_can_read_message(socket));
    ck_assert_int_eq(plx_socket_copy_settings(copy, socket), 0);
    ck_assert_int_eq(plx_socket_connect(copy), 0);
    second = raw_accept(w, listener);
    UNTIL(w, others.count[EVENT_CONNECTED] == 1);
    ck_assert(plx_socket_local(copy, &local));
    ck_assert_int_eq(local.bytes[3], 3);
    raw_say(second, "short\r\n");
    UNTIL(w, plx_socket_can_read_message(copy));
    raw_say(raw, "\r\n");
    UNTIL(w, plx_socket_can_read_message(socket));
}

/* plx_socket_listen_on sets an address, too. */
TCP_SOCKET_CASE(a_copy_of_a_listener)
{
    plx_socket *copy = world_socket_of(w, plx_tcp_new, NULL);
    plx_address local;

    ck_assert_int_eq(plx_socket_listen_on(socket, "127.0.0.3:0"), 0);
    ck_assert_int_gt(plx_socket_port(socket), 0);
    ck_assert_int_eq(plx_socket_copy_settings(copy, socket), 0);
    ck_assert_int_eq(plx_socket_port(copy), 0);
    ck_assert_int_eq(plx_socket_listen(copy), 0);
    ck_assert(plx_socket_local(copy, &local));
    ck_assert_int_eq(local.bytes[3], 3);
}

/* ---- two kinds ------------------------------------------------------------------------------- */

SECTION("two-kinds");

MODE_CASE(from_tcp_to_udp_and_back)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *udp = world_socket_of(w, plx_udp_new, NULL);
    struct settings before;

    set_tcp(tcp);
    set_option(tcp, PLX_OPTION_TYPE_OF_SERVICE, 16);
    set_option(udp, PLX_OPTION_BROADCAST, 0);
    ck_assert_int_eq(plx_socket_copy_settings(udp, tcp), 0);
    ck_assert_str_eq(plx_socket_address(udp), "example.test");
    ck_assert_str_eq(plx_socket_interface(udp), "127.0.0.3");
    ck_assert_str_eq(plx_socket_protocol_tag(udp), "irc");
    ck_assert_str_eq(plx_socket_proxy(udp), "");
    ck_assert_int_eq(plx_socket_port(udp), 7777);
    ck_assert_int_eq(plx__socket_properties(udp)->local_port, 0);
    ck_assert_int_eq(plx_socket_option(udp, PLX_OPTION_WRITE_LIMIT), 4321);
    ck_assert_int_eq(plx_socket_option(udp, PLX_OPTION_TYPE_OF_SERVICE), 16);
    ck_assert_int_eq(plx_socket_option(udp, PLX_OPTION_KEEP_ALIVE_IDLE), -1);
    ck_assert_int_eq(plx_socket_option(udp, PLX_OPTION_BROADCAST), 0); /* TCP has none */
    ck_assert_ptr_null(plx__framing_of(udp));
    ck_assert_int_eq(plx_socket_copy_settings(tcp, udp), 0); /* what UDP does not have stays */
    before = settings_of(tcp);
    ck_assert_int_eq(plx__socket_properties(tcp)->local_port, 8888);
    ck_assert_str_eq(plx_socket_proxy(tcp), "socks5h://proxy.test:1080");
    ck_assert_int_eq(plx_socket_option(tcp, PLX_OPTION_KEEP_ALIVE_IDLE), 77);
    ck_assert_ptr_nonnull(plx__framing_of(tcp));
    ck_assert_int_eq(plx_socket_copy_settings(tcp, udp), 0);
    expect_settings(tcp, &before);
}

MODE_CASE(from_tcp_to_ipc_and_back)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *ipc = world_socket_of(w, plx_ipc_new, NULL);

    set_tcp(tcp);
    ck_assert_int_eq(plx_socket_set_path(ipc, "@here"), 0);
    ck_assert_int_eq(plx_socket_copy_settings(ipc, tcp), 0);
    ck_assert_str_eq(plx_socket_path(ipc), "@here");
    ck_assert_str_eq(plx_socket_address(ipc), "");
    ck_assert_str_eq(plx_socket_proxy(ipc), "");
    ck_assert_int_eq(plx_socket_port(ipc), 0);
    ck_assert_int_eq(plx_socket_option(ipc, PLX_OPTION_WRITE_LIMIT), 4321);
    ck_assert_uint_eq(plx__framing_of(ipc)->delimiter_size, 2);
    ck_assert_int_eq(plx_socket_set_frame(ipc, NULL), 0);
    ck_assert_int_eq(plx_socket_copy_settings(tcp, ipc), 0);
    ck_assert_str_eq(plx_socket_address(tcp), "example.test");
    ck_assert_str_eq(plx_socket_path(tcp), "");
    ck_assert_ptr_null(plx__framing_of(tcp));
}

/* ---- commands -------------------------------------------------------------------------------- */

SECTION("commands");

static void set_commands(plx_socket *socket, unsigned flags)
{
    ck_assert_int_eq(plx_socket_set_commands(socket, flags), 0);
}

MODE_CASE(commands_between_streams_and_packets)
{
    plx_socket *tcp = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *packets = world_socket_of(w, plx_seqpacket_new, NULL);
    plx_socket *third = world_socket_of(w, plx_seqpacket_new, NULL);

    ck_assert_int_eq(plx_socket_set_frame(tcp, &(plx_frame){.length_size = 4, .maximum = 999}), 0);
    set_commands(tcp, PLX_COMMANDS_DATA_LENGTH);
    ck_assert_int_eq(plx_socket_copy_settings(packets, tcp), 0);
    ck_assert(plx__framing_has_commands(packets));
    ck_assert_uint_eq(plx__framing_maximum(packets), 999);
    ck_assert_int_eq(plx__framing_of(packets)->length_size, 0);
    ck_assert_int_eq(plx__framing_of(packets)->uncounted, 0);
    expect_copy(third, packets);
    ck_assert_int_eq(plx_socket_set_frame(tcp, &(plx_frame){.length_size = 1}), 0);
    ck_assert_int_eq(plx_socket_copy_settings(tcp, packets), 0);
    ck_assert(plx__framing_has_commands(tcp));
    ck_assert_int_eq(plx__framing_of(tcp)->length_size, LENGTH);
    ck_assert_int_eq(plx__framing_of(tcp)->uncounted, HEAD); /* packets keep the flag */
    ck_assert_int_eq(plx_socket_set_frame(packets, NULL), 0);
    ck_assert_int_eq(plx_socket_copy_settings(tcp, packets), 0); /* unset there, unset here */
    ck_assert_ptr_null(plx__framing_of(tcp));
    ck_assert_int_eq(plx_socket_set_frame(tcp, &(plx_frame){.length_size = 1}), 0);
    ck_assert_int_eq(plx_socket_copy_settings(tcp, packets), 0); /* packets never have a frame */
    ck_assert_ptr_nonnull(plx__framing_of(tcp));
    ck_assert_int_eq(plx_socket_copy_settings(third, tcp), 0);
    ck_assert(!plx__framing_has_commands(third));
}

/* Commands that were not read become those of the copied settings, or bytes. */
TCP_SOCKET_CASE(unread_commands)
{
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    int listener = raw_listen(w, 5, where), raw;
    static const char much[] = "much more data, too many to be moved";
    const size_t rest = LENGTH + HEAD + sizeof much - 1;
    int32_t command = 0;
    size_t size;

    set_commands(socket, 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    for (int i = 1; i <= 3; i++)
        raw_order(w, raw, i, i < 3 ? "data" : much);
    ck_assert_ptr_nonnull(plx_socket_wait_for_command(socket, 2, -1, &size));
    UNTIL(w, plx_socket_bytes_available(socket) == 12 + rest);
    plx_socket_close(socket);
    set_commands(from, 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_ptr_nonnull(plx_socket_read_command(socket, &command, &size));
    ck_assert_int_eq(command, 1);
    ck_assert_int_eq(plx_socket_set_frame(from, NULL), 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_uint_eq(plx_socket_bytes_available(socket), rest);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* Bytes that were not read become commands, and messages of a frame that was searched elsewhere. */
TCP_SOCKET_CASE(unread_bytes)
{
    static const plx_frame line = {.delimiter = "\n", .delimiter_size = 1};
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *ordered = world_socket_of(w, plx_tcp_new, NULL);
    int listener = raw_listen(w, 5, where), raws[2];
    int32_t command = 0;
    size_t size;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(plx_socket_connect_to(i == 0 ? socket : from, where), 0);
        raws[i] = raw_accept(w, listener);
    }
    raw_order(w, raws[0], 7, "a line\nand more bytes than were searched in the other");
    raw_say(raws[1], "a long message that has no end yet");
    UNTIL(w, plx_socket_bytes_available(socket) > 50 && plx_socket_bytes_available(from) > 30);
    ck_assert_int_eq(plx_socket_set_frame(from, &line), 0);
    ck_assert(!plx_socket_can_read_message(from));
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert(plx_socket_can_read_message(socket));
    set_commands(ordered, 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, ordered), 0);
    ck_assert_ptr_nonnull(plx_socket_read_command(socket, &command, &size));
    ck_assert_int_eq(command, 7);
}

/* ---- proxies --------------------------------------------------------------------------------- */

SECTION("proxies");

TCP_SOCKET_CASE(a_proxy_with_its_credentials)
{
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    int listener = raw_listen(w, 5, where), proxy;

    proxy_set(from, "socks5h", "", where);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(from, USER, PASSWORD), 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_int_eq(plx_socket_set_proxy(from, NULL), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_PASSWORD);
    HEARS(w, proxy, PROOF);
    SAYS(proxy, ACCEPTED);
    HEARS(w, proxy, REQUEST);
    SAYS(proxy, GRANTED);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    raw_close(w, proxy);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_str_eq(plx_socket_remote_address(socket), "tunnel.test");
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_str_eq(plx_socket_remote_address(socket), "tunnel.test"); /* of the last connection */
    ck_assert_str_eq(plx_socket_proxy(socket), "");
    listener = raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0); /* directly */
    proxy = raw_accept(w, listener);
    UNTIL(w, log->count[EVENT_CONNECTED] == 2);
    raw_say(proxy, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
}

/* ---- when it is refused ---------------------------------------------------------------------- */

SECTION("refused");

CASE(only_while_unconnected)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log), *from = world_socket(w, NULL);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), raw;

    set_option(from, PLX_OPTION_WRITE_LIMIT, 4321);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), PLX_INVALID_STATE);
    raw = raw_accept(w, listener);
    UNTIL(w, log.count[EVENT_CONNECTED] == 1);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_copy_settings(socket, socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_option(socket, PLX_OPTION_WRITE_LIMIT), 0);
    ck_assert_int_eq(plx_socket_copy_settings(from, socket), 0); /* from a connected one */
    ck_assert_int_eq(plx_socket_option(from, PLX_OPTION_WRITE_LIMIT), 0);
    raw_close(w, raw);
    UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
}

MODE_CASE(null_and_itself)
{
    plx_socket *socket = world_socket_of(w, plx_tcp_new, NULL);
    struct settings before;

    set_tcp(socket);
    before = settings_of(socket);
    ck_assert_int_eq(plx_socket_copy_settings(NULL, socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_copy_settings(NULL, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_copy_settings(socket, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_copy_settings(socket, socket), 0);
    expect_settings(socket, &before);
}

/* AUTO_CONNECT of the copy ends the waiting, as the option does. */
TCP_SOCKET_CASE(while_it_waits_to_connect_again)
{
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);

    raw_close(w, raw_refusing(w, where));
    set_option(socket, PLX_OPTION_AUTO_CONNECT, 1);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_ge(plx_socket_reconnects_in(socket), 0);
    ck_assert_int_eq(plx_socket_copy_settings(socket, from), 0);
    ck_assert_int_eq(plx_socket_reconnects_in(socket), -1);
}

/* Copies while that allocation fails, to a socket that has settings, or none. Returns whether one
 * has failed. */
static bool try_copy(struct world *w, int number, bool has_settings)
{
    struct record log;
    plx_socket *from = world_socket_of(w, plx_tcp_new, NULL);
    plx_socket *socket = world_socket_of(w, plx_tcp_new, &log);
    struct settings before;
    bool failed;
    int code;

    set_tcp(from);
    if (has_settings)
        set_other_tcp(socket);
    else
        set_commands(from, PLX_COMMANDS_DATA_LENGTH);
    before = settings_of(socket);
    fail_allocation(number);
    code = plx_socket_copy_settings(socket, from);
    failed = allocation_failed();
    fail_allocation(0);
    ck_assert_int_eq(code, failed ? PLX_OUT_OF_MEMORY : 0);
    if (failed) {
        expect_settings(socket, &before);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_ERROR], 1);
        ck_assert_int_eq(log.code, PLX_OUT_OF_MEMORY);
    }
    expect_copy(socket, from);
    world_free(w, from);
    world_free(w, socket);
    return failed;
}

/* A failure leaves all as it was. */
MODE_CASE(each_allocation_fails)
{
    for (int has_settings = 0; has_settings < 2; has_settings++) {
        int number = 1;

        while (try_copy(w, number, has_settings != 0))
            number++;
        ck_assert_int_gt(number, 4); /* the copies of four strings */
    }
}

WORLD_MAIN("copy", .packets = true)
