/* tests/conform/conform.c -- what several files of cases use, and the program. See conform.h. */
#include "config.h"

#include "tests/conform/conform.h"
#include "tests/sanitized.h"

#include <stdlib.h>

bool raw_sip(int raw, uint64_t *got, size_t most)
{
    static unsigned char piece[128 * 1024];
    ptrdiff_t size = raw_take(raw, piece, most < sizeof piece ? most : sizeof piece);

    if (size <= 0)
        return size == -1;
    ck_assert_msg(pattern_matches(piece, (size_t)size, *got), "wrong bytes after %llu",
                  (unsigned long long)*got);
    *got += (uint64_t)size;
    return true;
}

bool raw_drain(int raw, uint64_t *got)
{
    uint64_t before;

    do {
        before = *got;
        if (!raw_sip(raw, got, SIZE_MAX))
            return false;
    } while (*got > before);
    return true;
}

void arrives(plx_socket *socket)
{
    world_readable(plx_socket_handle(socket));
}

void expect_read(plx_socket *socket, const char *text)
{
    char got[256] = "";
    size_t length = 0;
    ptrdiff_t piece;

    do {
        piece = plx_socket_read(socket, got + length, sizeof got - 1 - length);
        length += piece > 0 ? (size_t)piece : 0;
    } while (piece > 0 && length < strlen(text));
    ck_assert_str_eq(got, text);
}

void expect_sent(const struct world *w, const struct record *log, size_t size)
{
    if (w->kind->keeps_boundaries)
        return;
    ck_assert_uint_eq(log->sent, size);
    ck_assert_uint_eq(log->left, 0);
}

void queue_pattern(plx_socket *socket, size_t size)
{
    unsigned char piece[QUEUE_PIECE];

    for (size_t done = 0; done < size; done += sizeof piece) {
        pattern_fill(piece, sizeof piece, done);
        ck_assert_int_eq(plx_socket_write(socket, piece, sizeof piece), sizeof piece);
    }
}

void raw_send_in(const struct world *w, int raw, size_t most, const void *data, size_t size)
{
    const char *bytes = data;

    if (!w->kind->keeps_boundaries)
        most = size;
    for (size_t done = 0; done < size; done += most) {
        most = most < size - done ? most : size - done;
        raw_send(raw, bytes + done, most);
    }
}

void expect_error(plx_socket *socket, int code)
{
    ck_assert_int_eq(plx_socket_last_error(socket), code);
    ck_assert_int_eq(plx_socket_error(socket)->code, code);
}

void echoes(struct world *w, plx_socket *socket, int raw)
{
    char got[16] = "";

    raw_say(raw, "still?");
    UNTIL(w, plx_socket_bytes_available(socket) == 6);
    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 6);
    ck_assert_str_eq(got, "still?");
    ck_assert_int_eq(plx_socket_write(socket, "still.", 6), 6);
    raw_expect(w, raw, "still.");
}

void expect_quiet(struct world *w)
{
    if (w->group == NULL)
        return;
    if (plx_group_handle(w->group) >= 0)
        ck_assert_msg(!is_readable(plx_group_handle(w->group)), "%s: the group's handle spins",
                      world_name(w));
    ck_assert_msg(plx_group_deadline(w->group) != 0, "%s: the group wants a poll without cause",
                  world_name(w));
}

void act_connect(struct record *record, plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
    ck_assert_int_eq(plx_socket_connect_to(socket, record->data), 0);
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
}

void act_close(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

void act_abort(struct record *record, plx_socket *socket)
{
    (void)record;
    plx_socket_abort(socket);
    ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
}

LEAKS_ARE_COUNTED

WORLD_MAIN("conform", .packets = true, .filtered = true)
