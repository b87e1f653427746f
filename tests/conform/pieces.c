/* tests/conform/pieces.c -- bytes that lie in several places leave as one write. */
#include "config.h"

#include "tests/conform/conform.h"

SECTION("pieces");

PAIR_CASE(pieces_leave_as_one_write)
{
    const plx_piece pieces[] = {{"head", 4}, {NULL, 0}, {"", 0}, {"er", 2}, {" body", 5}};

    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 5), 11);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 11);
    LOGGED(w, log, "");
    SETTLED(w, log, SENT(11));
    raw_expect(w, raw, "header body");
    expect_quiet(w);
}

/* The view is valid while the pieces are copied. */
PAIR_CASE(pieces_of_what_was_received)
{
    size_t size;

    raw_say(raw, "echo");
    UNTIL(w, plx_socket_bytes_available(socket) == 4);
    const char *view = plx_socket_lookahead(socket, &size);
    const plx_piece pieces[] = {{"<", 1}, {view, size}, {view, size}, {">", 1}};
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 4), 10);
    raw_expect(w, raw, "<echoecho>");
}

/* Sizes about one page, one block and one direct write. */
PAIR_CASE(large_pieces)
{
    static const size_t sizes[] = {4096, 16383, 16384, 16385, 40000};
    static char body[40000];
    uint64_t got = 0, before = 0;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t cut = sizes[i] / 3;

        for (size_t at = 0; at < sizes[i]; at++)
            body[at] = (char)pattern_byte(before + at);
        const plx_piece pieces[] = {{body, cut}, {body + cut, sizes[i] - cut}};
        ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 2), (int)sizes[i]);
        before += sizes[i];
        UNTIL(w, raw_drain(raw, &got) && got == before);
    }
}

static void expect_refused(plx_socket *socket, const plx_piece *pieces, size_t count,
                           const char *sentence)
{
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, count), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_error(socket)->message, sentence);
}

PAIR_CASE(pieces_that_are_none)
{
    const plx_piece missing[] = {{"ab", 2}, {NULL, 3}};
    const plx_piece endless[] = {{"ab", 2}, {"cd", SIZE_MAX}};
    const plx_piece huge[] = {{"ab", SIZE_MAX / 2}, {"cd", 2}};
    const plx_piece good[] = {{"still ", 6}, {"here", 4}};

    ck_assert_int_eq(plx_socket_write_pieces(NULL, good, 2), -1);
    expect_refused(socket, NULL, 1, "write 1 pieces from NULL");
    expect_refused(socket, missing, 2, "write 3 bytes from NULL in piece 1");
    expect_refused(socket, endless, 2, "write 2 pieces: their sizes exceed any memory");
    ck_assert_int_eq(plx_socket_write_pieces(socket, huge, 2), -1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, good, 2), 10);
    raw_expect(w, raw, "still here");
}

/* For streams only: an empty packet would look like the end. */
STREAM_PAIR_CASE(no_pieces_are_no_bytes)
{
    const plx_piece empty[] = {{NULL, 0}, {"x", 0}};

    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_write_pieces(socket, NULL, 0), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, empty, 2), 0);
    ck_assert(!allocation_failed());
    fail_allocation(0);
    SETTLED(w, log, "");
}

/* For streams only: WRITE_LIMIT cuts no packet. */
STREAM_PAIR_CASE(pieces_are_cut_at_the_limit)
{
    const plx_piece pieces[] = {{"0123", 4}, {"456789", 6}, {"never", 5}};
    const plx_piece more[] = {{"ab", 2}};

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_WRITE_LIMIT, 7), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 3), 7);
    ck_assert_int_eq(plx_socket_write_pieces(socket, more, 1), 0);
    raw_expect(w, raw, "0123456");
    world_settle(w);
    ck_assert_int_eq(plx_socket_write_pieces(socket, more, 1), 2);
    raw_expect(w, raw, "ab");
}

PAIR_CASE(pieces_after_disconnect)
{
    const plx_piece pieces[] = {{"too", 3}, {"late", 4}};

    plx_socket_disconnect(socket);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 2), -1);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_INVALID_STATE);
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 2), -1);
}

PAIR_CASE(pieces_without_memory)
{
    static char body[100000];
    const plx_piece pieces[] = {{"head", 4}, {body, sizeof body}};

    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 2), -1);
    fail_allocation(0);
    ck_assert_int_eq(plx_socket_last_error(socket), PLX_OUT_OF_MEMORY);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 0);
    ck_assert_int_eq(plx_socket_write_pieces(socket, pieces, 1), 4);
    raw_expect(w, raw, "head");
}
