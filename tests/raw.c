/* tests/raw.c -- raw peers. See raw.h. */
#include "config.h"

#include "tests/raw.h"

#include "tests/sockets.h"
#include "tests/world.h"

static const struct world *spoken;

void raw_speak(const struct world *world)
{
    spoken = world;
}

static const struct kind *language(void)
{
    return spoken != NULL ? spoken->kind : &kinds[0];
}

/* ---- where they come from ----------------------------------------------------------------------- */

int world_raw(struct world *world, int descriptor)
{
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_lt(world->raws_used, WORLD_RAWS);
    world->raws[world->raws_used++] = descriptor;
    return descriptor;
}

int raw_refusing(struct world *world, char *ret_where)
{
    return world_raw(world, world->kind->raw_bind(world->folder, world->places++, ret_where));
}

int raw_listen(struct world *world, int backlog, char *ret_where)
{
    int listener = raw_refusing(world, ret_where);

    ck_assert_int_eq(listen(listener, backlog), 0);
    return listener;
}

int raw_accept(struct world *world, int listener)
{
    int peer;

    UNTIL(world, is_readable(listener));
    peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    return world_raw(world, peer);
}

int raw_connect(struct world *world, const char *where)
{
    return world_raw(world, world->kind->raw_connect(where));
}

bool raw_is_refused(const struct world *world, const char *where)
{
    int raw = world->kind->raw_connect(where);

    if (raw >= 0)
        close(raw);
    return raw < 0;
}

int raw_copy(int descriptor)
{
    return dup(descriptor);
}

int raw_give(struct world *world, int descriptor)
{
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i] == descriptor)
            world->raws[i] = -1;
    return descriptor;
}

/* ---- what they say ------------------------------------------------------------------------------ */

size_t raw_try(int descriptor, const void *data, size_t size)
{
    ptrdiff_t sent = language()->say(descriptor, data, size);

    return sent > 0 ? (size_t)sent : 0;
}

void raw_send(int descriptor, const void *data, size_t size)
{
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    const char *bytes = data;

    for (size_t done = 0; done < size;) {
        ptrdiff_t sent = language()->say(descriptor, bytes + done, size - done);

        ck_assert_msg(sent >= 0, "the raw peer cannot send");
        done += (size_t)sent;
        if (sent == 0)
            ck_assert_int_eq(poll(&room, 1, 30000), 1);
    }
}

void raw_say(int descriptor, const char *text)
{
    raw_send(descriptor, text, strlen(text));
}

size_t raw_stuff(int descriptor, uint64_t *offset)
{
    unsigned char piece[16384];
    size_t total = 0, sent;

    do {
        pattern_fill(piece, sizeof piece, *offset);
        sent = raw_try(descriptor, piece, sizeof piece);
        total += sent;
        *offset += sent;
    } while (sent > 0);
    return total;
}

void raw_end(int descriptor)
{
    language()->end(descriptor, false);
}

void raw_close(struct world *world, int descriptor)
{
    language()->end(raw_give(world, descriptor), true);
}

void raw_reset(struct world *world, int descriptor)
{
    language()->reset(raw_give(world, descriptor));
}

/* ---- what they hear ----------------------------------------------------------------------------- */

ptrdiff_t raw_take(int descriptor, void *data, size_t size)
{
    return language()->hear(descriptor, data, size);
}

void raw_expect(struct world *world, int descriptor, const char *text)
{
    char got[1024] = "";
    size_t length = 0;
    ptrdiff_t piece = 0;

    ck_assert_uint_lt(strlen(text), sizeof got);
    UNTIL(world, (piece = raw_take(descriptor, got + length, sizeof got - 1 - length)) == RAW_END ||
                     piece == RAW_RESET ||
                     (length += piece > 0 ? (size_t)piece : 0) >= strlen(text));
    got[length] = '\0';
    ck_assert_str_eq(got, text);
}

void raw_expect_end(struct world *world, int descriptor)
{
    char got[16];
    ptrdiff_t piece = RAW_NOTHING;

    UNTIL(world, (piece = raw_take(descriptor, got, sizeof got)) != RAW_NOTHING);
    ck_assert_int_eq(piece, RAW_END);
}
