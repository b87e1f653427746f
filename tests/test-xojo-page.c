/* tests/test-xojo-page.c -- the blocks of C of doc/coming-from-xojo.md, as they stand there. */
#include "config.h"

#include <stdlib.h>

#include "tests/sockets.h"
#include "tests/world.h"

/* Made from the page (Makefile.am). */
#include "tests/xojo-habits.c"
#include "tests/xojo-ipcsocket.c"
#include "tests/xojo-socketcore.c"

static const char *peer_says(struct world *w, const plx_socket *socket, int raw, const char *words)
{
    raw_say(raw, words);
    UNTIL(w, plx_socket_bytes_available(socket) == strlen(words));
    return words;
}

SECTION("habits");

MODE_PAIR_CASE(end_of_file_and_the_loop_of_xojo)
{
    char data[100] = "";

    ck_assert_uint_eq(read_what_there_is(socket, data, sizeof data), 0);
    ck_assert(!plx_socket_end_of_file(socket)); /* Xojo's is true here */
    peer_says(w, socket, raw, "hello");
    ck_assert(!plx_socket_end_of_file(socket));
    ck_assert_uint_eq(read_what_there_is(socket, data, 2), 2);
    ck_assert_uint_eq(read_what_there_is(socket, data + 2, sizeof data - 2), 3);
    ck_assert_str_eq(data, "hello");
    ck_assert(!plx_socket_end_of_file(socket));
    raw_close(w, raw);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert(plx_socket_end_of_file(socket));
}

TCP_SOCKET_CASE(the_local_address_is_that_of_the_socket)
{
    ck_assert_str_eq(plx_socket_local_address(socket), "");
    ck_assert_int_eq(plx_socket_listen_on(socket, ":0"), 0);
    ck_assert(strcmp(plx_socket_local_address(socket), "::") == 0 ||
              strcmp(plx_socket_local_address(socket), "0.0.0.0") == 0);
    plx_socket_close(socket);
    ck_assert_str_eq(plx_socket_local_address(socket), "");
}

MODE_CASE(the_address_of_the_computer)
{
    char address[64] = "x", short_of_room[1] = "x";
    plx_socket *socket = world_socket_of(w, plx_tcp_new, NULL);

    my_address(short_of_room, sizeof short_of_room);
    ck_assert_str_eq(short_of_room, "");
    my_address(address, sizeof address);
    if (address[0] == '\0') {
        fprintf(stderr, "SKIP: this computer has no address that others reach\n");
        return;
    }
    ck_assert_int_eq(plx_socket_set_interface(socket, address), 0);
    ck_assert_int_eq(plx_socket_listen(socket), 0);
    ck_assert_str_eq(plx_socket_local_address(socket), address);
}

SECTION("SocketCore");

TCP_SOCKET_CASE(an_interface_and_a_port_of_the_kernel)
{
    int port;
    plx_address local;

    ck_assert_int_eq(use_interface(socket, true), 0);
    port = listen_anywhere(socket);
    ck_assert_int_gt(port, 1023);
    ck_assert(plx_socket_local(socket, &local));
    ck_assert_int_eq(local.port, port);
    ck_assert_msg(local.family == 4 ? local.bytes[0] == 127 : local.bytes[15] == 1, "%s",
                  plx_socket_local_address(socket));
    ck_assert_int_eq(listen_anywhere(socket), 0); /* it listens already */
}

UDP_SOCKET_CASE(a_bound_socket_is_connected)
{
    plx_socket *other = world_socket_of(w, plx_udp_new, NULL);

    ck_assert(bind_to(socket, 0));
    ck_assert(!bind_to(other, plx_socket_port(socket)));
    ck_assert_int_eq(plx_socket_last_error(other), PLX_ADDRESS_IN_USE);
}

MODE_PAIR_CASE(an_upload_is_stopped_and_another_one_sent)
{
    enum { MUCH = 8 << 20 };
    struct upload upload = {.stopped = false};
    unsigned char *data = pattern(MUCH);

    plx_socket_set_events(socket, &uploading, &upload);
    ck_assert_int_eq(plx_socket_write(socket, data, MUCH), MUCH);
    UNTIL(w, upload.sent > 0);
    ck_assert_uint_gt(upload.left, 0);
    upload.stopped = true;
    for (int i = 0; i < 100000 && !upload.complete; i++) {
        raw_take(raw, data, MUCH);
        world_poll(w);
    }
    ck_assert(upload.complete && upload.aborted);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert(plx_socket_is_connected(socket));
    while (raw_take(raw, data, MUCH) > 0) {
    }
    upload = (struct upload){.stopped = false};
    plx_socket_write_text(socket, "all of it");
    UNTIL(w, upload.complete);
    ck_assert(!upload.aborted);
    ck_assert_uint_eq(upload.sent, 9);
    ck_assert_uint_eq(upload.left, 0);
    free(data);
}

TCP_SOCKET_CASE(the_number_of_an_error)
{
    char explained[200] = "";
    int listener;

    plx_socket_set_events(socket, &explaining, explained);
    raw_refusing(w, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, explained[0] != '\0');
    ck_assert_ptr_nonnull(strstr(explained, "111, the kernel refused: connect to 127.0.0.1"));
    listener = raw_listen(w, 5, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    UNTIL(w, raw_has_caller(w, listener));
    explained[0] = '\0';
    raw_close(w, raw_accept(w, listener));
    UNTIL(w, explained[0] != '\0');
    ck_assert_ptr_nonnull(strstr(explained, "102, the peer is gone: "));
    explained[0] = '\0';
    ck_assert_int_eq(plx_socket_set_port(socket, 70000), PLX_INVALID_PORT);
    UNTIL(w, explained[0] != '\0');
    ck_assert_ptr_nonnull(strstr(explained, "107, this port is not for you: "));
}

TCP_SOCKET_CASE(a_question_without_events)
{
    char answer[20] = "";
    int raw, listener = raw_listen(w, 5, where);

    plx_socket_set_events(socket, NULL, NULL);
    ck_assert(!ask(socket, "who?\n", answer, sizeof answer)); /* unconnected */
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    raw_say(raw, "me\nand");
    ck_assert(ask(socket, "who?\n", answer, sizeof answer));
    ck_assert_str_eq(answer, "me\n");
    raw_expect(w, raw, "who?\n");
    raw_end(raw);
    ck_assert(!ask(socket, "who?\n", answer, sizeof answer)); /* no line any more */
    ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
}

MODE_PAIR_CASE(close_keeps_and_purge_drops)
{
    peer_says(w, socket, raw, "hello");
    ck_assert_uint_eq(close_and_count(socket, false), 5);
    ck_assert_uint_eq(close_and_count(socket, true), 0);
}

SECTION("IPCSocket");

static void place(const struct world *w, char *ret_path)
{
    snprintf(ret_path, WHERE_SIZE, "%s/xojo", w->folder);
}

IPC_SOCKET_CASE(two_programs_talk)
{
    struct window first = {.size = 0}, second = {.size = 0};
    plx_socket *other = world_socket_of(w, plx_ipc_new, NULL);

    place(w, where);
    ck_assert_int_eq(open_first(socket, where, &first), 0);
    ck_assert_int_eq(open_second(other, where, &second), 0);
    send_text(other, "early ");
    UNTIL(w, first.connected && second.connected);
    send_text(socket, "hello");
    ck_assert(send_and_wait(other, "bird"));
    UNTIL(w, first.size == 10 && second.size == 5);
    ck_assert_str_eq(first.text, "early bird");
    ck_assert_str_eq(second.text, "hello");
    plx_socket_close(other);
    UNTIL(w, first.error != 0);
    ck_assert_int_eq(first.error, PLX_LOST_CONNECTION);
    ck_assert_int_eq(second.error, 0);
}

IPC_SOCKET_CASE(more_than_the_window_holds)
{
    struct window first = {.size = 0}, second = {.size = 0};
    plx_socket *other = world_socket_of(w, plx_ipc_new, NULL);
    char line[700];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    place(w, where);
    ck_assert_int_eq(open_first(socket, where, &first), 0);
    ck_assert_int_eq(open_second(other, where, &second), 0);
    send_text(other, line);
    send_text(other, line);
    send_text(other, line);
    UNTIL(w, first.size == sizeof first.text - 1);
    ck_assert_int_eq(first.text[sizeof first.text - 1], '\0');
}

IPC_SOCKET_CASE(nobody_listens)
{
    struct window window = {.size = 0};

    place(w, where);
    ck_assert_int_eq(open_second(socket, where, &window), 0);
    UNTIL(w, window.error != 0);
    ck_assert_int_ne(window.error, PLX_LOST_CONNECTION);
}

MODE_CASE(a_group_runs_until_the_end)
{
    char where[WHERE_SIZE];
    struct window first = {.size = 0}, second = {.size = 0};
    plx_group *group = plx_group_new();
    plx_socket *one = plx_ipc_new(), *two = plx_ipc_new();

    place(w, where);
    ck_assert_int_eq(plx_group_add(group, one) + plx_group_add(group, two), 0);
    ck_assert_int_eq(open_first(one, where, &first), 0);
    ck_assert_int_eq(open_second(two, where, &second), 0);
    send_text(two, "the end");
    plx_socket_disconnect(two);
    run_until_error(group, &first);
    ck_assert_int_eq(first.error, PLX_LOST_CONNECTION);
    ck_assert_str_eq(first.text, "the end");
    plx_socket_free(one);
    plx_socket_free(two);
    plx_group_free(group);
}

WORLD_MAIN("xojo-page")
