/* tests/conform/conform.c -- small steps of the cases, and the program. See conform.h. */
#include "config.h"

#include "tests/conform/conform.h"

#include <stdlib.h>

unsigned char *pattern(size_t size)
{
    unsigned char *bytes = malloc(size);

    ck_assert_ptr_nonnull(bytes);
    pattern_fill(bytes, size, 0);
    return bytes;
}

void write_pattern(plx_socket *socket, size_t size)
{
    unsigned char *bytes = pattern(size);

    ck_assert_int_eq(plx_socket_write(socket, bytes, size), (ptrdiff_t)size);
    free(bytes);
}

bool raw_sip(int raw, uint64_t *got, size_t most)
{
    static unsigned char piece[64 * 1024];
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

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(got, text);
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

WORLD_MAIN("conform")
