/* tests/test-pieces.c -- messages and datagrams that lie in several places. What all kinds do stands
 * in tests/conform/pieces.c. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/datagrams.h"
#include "tests/frames.h"

/* ---- messages -------------------------------------------------------------------------------- */

/* Cuts a message at two places that follow from its number. */
static void cut(plx_piece pieces[3], const unsigned char *message, size_t size, size_t number)
{
    size_t first = size == 0 ? 0 : number * 7 % (size + 1);
    size_t second = first + (size - first) / 2;

    pieces[0] = (plx_piece){message, first};
    pieces[1] = (plx_piece){message + first, second - first};
    pieces[2] = (plx_piece){message + second, size - second};
}

FORMS_CASE(messages_look_as_if_written_at_once)
{
    enum { MANY = 60 };
    size_t size;
    unsigned char *wire = wire_of(frame, MANY, &size), *message = malloc(maximum_of(frame) + 1);

    for (size_t i = 0; i < MANY; i++) {
        plx_piece pieces[3];
        size_t length = message_size(frame, i);

        message_fill(frame, i, message, length);
        cut(pieces, message, length, i);
        ck_assert_int_eq(plx_socket_write_message_pieces(socket, pieces, 3), 0);
    }
    gather(w, raw, wire, size);
    free(message);
    free(wire);
}

/* The delimiter \r\n, in one piece, across two and three, and begun by the last byte. */
LETTERS_CASE(a_delimiter_across_pieces_is_found, &forms[FORM_LINE])
{
    static const plx_piece bad[][3] = {
        {{"a\r\nb", 4}, {NULL, 0}, {NULL, 0}},
        {{"a\r", 2}, {"\nb", 2}, {NULL, 0}},
        {{"a\r", 2}, {NULL, 0}, {"\n", 1}},
    };
    static const plx_piece good[] = {{"a\n", 2}, {"\r", 1}, {"b\r", 2}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(plx_socket_write_message_pieces(socket, bad[i], 3), PLX_INVALID_STATE);
        ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
        ck_assert_int_eq(plx_socket_write_message(socket, "kept", 4), 0);
        ck_assert_int_eq(plx_socket_write_message_pieces(socket, bad[i], 3), PLX_INVALID_STATE);
        gather(w, raw, "kept\r\n", 6);
    }
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, good, 3), 0);
    gather(w, raw, "a\n\rb\r\r\n", 7);
}

LETTERS_CASE(messages_in_pieces_that_are_none, &forms[FORM_SHORT])
{
    static char half[40000];
    const plx_piece large[] = {{half, sizeof half}, {half, sizeof half}};
    const plx_piece missing[] = {{NULL, 1}};

    ck_assert_int_eq(plx_socket_write_message_pieces(NULL, NULL, 0), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, NULL, 2), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, missing, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, large, 2), EMSGSIZE);
    ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_DATAGRAM_TOO_LARGE);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, NULL, 0), 0);
    gather(w, raw, "\0\0", 2);
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 10), 0);
    ck_assert_int_eq(plx_socket_write_message(socket, "12345", 5), 0);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, large, 1), EAGAIN);
    gather(w, raw, "\0\00512345", 7);
    UNTIL(w, letters->rooms == 1);
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, large, 1), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_set_frame(socket, NULL), 0);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, large, 1), PLX_INVALID_STATE);
}

LETTERS_CASE(commands_refuse_pieces, &forms[FORM_SHORT])
{
    const plx_piece piece = {"x", 1};

    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, &piece, 1), -1);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, &piece, 1), PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

DATAGRAMS_CASE(a_datagram_in_pieces, 0)
{
    plx_address to;
    int raw = raw_datagrams(w, &to);
    const plx_piece pieces[] = {{"head", 4}, {NULL, 0}, {" body", 5}};

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(plx_udp_write_pieces(socket, &to, pieces, 3), 0);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, NULL, 0), 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 4);
    for (int i = 0; i < 3; i++)
        raw_expect(w, raw, "head body");
    world_settle(w);
    ck_assert_int_eq(raw_take(raw, datagram_bytes, sizeof datagram_bytes), 0);
}

PEER_CASE(a_datagram_in_pieces_to_the_peer, raw_datagrams)
{
    const plx_piece pieces[] = {{"head", 4}, {" body", 5}};

    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 2), 9);
    ck_assert_int_eq(plx_socket_write_message_pieces(socket, pieces, 2), 0);
    ck_assert_int_eq(plx_udp_write_pieces(socket, peer, pieces, 2), 0);
    for (int i = 0; i < 3; i++)
        raw_expect(w, raw, "head body");
}

DATAGRAMS_CASE(datagrams_in_pieces_that_are_none, 0)
{
    static char half[40000];
    plx_address to, nowhere = {.family = 4};
    int raw = raw_datagrams(w, &to);
    const plx_piece good[] = {{"ok", 2}}, missing[] = {{NULL, 1}};
    const plx_piece large[] = {{half, sizeof half}, {half, sizeof half}};
    plx_socket *stream = world_socket_of(w, plx_tcp_new, NULL);

    ck_assert_int_eq(plx_udp_write_pieces(NULL, &to, good, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_pieces(stream, &to, good, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_pieces(socket, NULL, good, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &nowhere, good, 1), PLX_INVALID_PORT);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, missing, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, large, 2), EMSGSIZE);
    ck_assert_int_eq(plx_socket_write_pieces(socket, good, 1), -1); /* it has no peer */
    fail_allocation(-1);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, large, 1), PLX_OUT_OF_MEMORY);
    fail_allocation(0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(socket), 0);
    ck_assert_int_eq(plx_udp_write_pieces(socket, &to, good, 1), 0);
    raw_expect(w, raw, "ok");
}

/* For streams only: packets refuse a frame. */
WORLD_MAIN("pieces")
