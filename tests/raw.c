/* tests/raw.c -- raw peers. See raw.h. */
#include "config.h"

#include "tests/raw.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/sockets.h"
#include "tests/world.h"

static struct world *spoken;

void raw_speak(struct world *world)
{
    spoken = world;
}

/* The open raw peer with that descriptor. */
static struct raw *raw_of(int descriptor)
{
    for (int i = 0; spoken != NULL && i < spoken->raws_used; i++)
        if (spoken->raws[i].descriptor == descriptor)
            return &spoken->raws[i];
    ck_abort_msg("descriptor %d is no raw peer of this world", descriptor);
    return NULL;
}

/* ---- where they come from -------------------------------------------------------------------- */

static struct raw *added_raw(struct world *world)
{
    world->raws = realloc(world->raws, (size_t)(world->raws_used + 1) * sizeof *world->raws);
    ck_assert_ptr_nonnull(world->raws);
    return &world->raws[world->raws_used++];
}

static struct raw *unused_raw(struct world *world)
{
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i].descriptor < 0)
            return &world->raws[i];
    return added_raw(world);
}

static struct raw new_raw(const struct kind *kind)
{
    return (struct raw){.kind = kind, .descriptor = -1, .listener = -1};
}

static int keep(struct world *world, struct raw raw)
{
    *unused_raw(world) = raw;
    return raw.descriptor;
}

static void begin(struct raw *raw, bool accepted)
{
    if (raw->kind->begin != NULL)
        raw->kind->begin(raw, accepted);
}

int world_raw(struct world *world, int descriptor)
{
    struct raw raw = new_raw(world->kind);

    ck_assert_int_ge(descriptor, 0);
    raw.descriptor = descriptor;
    return keep(world, raw);
}

int raw_refusing(struct world *world, char *ret_where)
{
    struct raw raw = new_raw(world->kind);

    ck_assert(world->kind->bind(&raw, world->folder, world->places++, ret_where));
    return keep(world, raw);
}

int raw_listen(struct world *world, int backlog, char *ret_where)
{
    int listener = raw_refusing(world, ret_where);

    world->kind->listen(raw_of(listener), backlog);
    raw_of(listener)->serves = world->kind->establishes && backlog > 0;
    return listener;
}

int raw_silent(struct world *world, char *ret_where)
{
    int listener = raw_listen(world, 0, ret_where);

    raw_connect(world, ret_where);
    return listener;
}

/* The peers that listeners accept by themselves are in the order in which they came. */
static void serve(struct world *world, int listener)
{
    while (is_readable(listener)) {
        struct raw raw = new_raw(raw_of(listener)->kind);

        if (!raw.kind->accept(&raw, raw_of(listener)))
            return;
        begin(&raw, true);
        raw.listener = listener;
        *added_raw(world) = raw;
    }
}

/* The first peer that the listener has accepted and no case has asked for. */
static struct raw *served_by(const struct world *world, int listener)
{
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i].descriptor >= 0 && world->raws[i].listener == listener)
            return &world->raws[i];
    return NULL;
}

bool raw_has_caller(const struct world *world, int listener)
{
    return served_by(world, listener) != NULL || is_readable(listener);
}

int raw_accept(struct world *world, int listener)
{
    struct raw raw = new_raw(raw_of(listener)->kind), *served;

    UNTIL(world, raw_has_caller(world, listener));
    served = served_by(world, listener);
    if (served != NULL) {
        served->listener = -1;
        return served->descriptor;
    }
    ck_assert(raw.kind->accept(&raw, raw_of(listener)));
    begin(&raw, true);
    return keep(world, raw);
}

int raw_connect(struct world *world, const char *where)
{
    struct raw raw = new_raw(world->kind);

    ck_assert_msg(raw.kind->connect(&raw, where), "%s: cannot connect to %s: %s", world_name(world),
                  where, strerror(errno));
    begin(&raw, false);
    return keep(world, raw);
}

bool raw_is_refused(const struct world *world, const char *where)
{
    struct raw raw = new_raw(world->kind);

    if (!raw.kind->connect(&raw, where))
        return true;
    raw.kind->close(&raw);
    return false;
}

/* Two that accept would take the peers from each other. */
int raw_copy(int descriptor)
{
    raw_of(descriptor)->serves = false;
    return dup(descriptor);
}

static void forget(struct raw *raw)
{
    if (raw->kind->forget != NULL)
        raw->kind->forget(raw);
    raw->state = NULL;
    raw->descriptor = -1;
}

int raw_give(struct world *world, int descriptor)
{
    (void)world;
    forget(raw_of(descriptor));
    return descriptor;
}

int raw_answer_aside(struct world *world, int descriptor)
{
    int process = fork();

    ck_assert_int_ge(process, 0);
    if (process > 0) {
        close(raw_give(world, descriptor));
        return process;
    }
    for (;;) {
        raw_turn_all(world);
        poll(NULL, 0, 1);
    }
}

void raw_answered(int process)
{
    ck_assert_int_eq(kill(process, SIGKILL), 0);
    ck_assert_int_eq(waitpid(process, NULL, 0), process);
}

/* ---- what they say --------------------------------------------------------------------------- */

size_t raw_try(int descriptor, const void *data, size_t size)
{
    struct raw *raw = raw_of(descriptor);
    ptrdiff_t sent = raw->kind->say(raw, data, size);

    return sent > 0 ? (size_t)sent : 0;
}

void raw_send(int descriptor, const void *data, size_t size)
{
    struct pollfd room = {.fd = descriptor, .events = POLLOUT};
    struct raw *raw = raw_of(descriptor);
    const char *bytes = data;

    for (size_t done = 0; done < size;) {
        ptrdiff_t sent = raw->kind->say(raw, bytes + done, size - done);

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
    struct raw *raw = raw_of(descriptor);

    raw->kind->end(raw);
}

static void close_raw(struct raw *raw)
{
    raw->kind->close(raw);
    forget(raw);
}

/* The kernel does the same to those in the queue of a listener that is closed. */
static void reset_served(struct world *world, int listener)
{
    struct raw *served;

    while ((served = served_by(world, listener)) != NULL) {
        served->kind->reset(served);
        forget(served);
    }
}

void raw_close(struct world *world, int descriptor)
{
    close_raw(raw_of(descriptor));
    reset_served(world, descriptor);
}

void raw_turn_all(struct world *world)
{
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i].state != NULL && world->raws[i].kind->turn != NULL)
            world->raws[i].kind->turn(&world->raws[i]);
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i].descriptor >= 0 && world->raws[i].serves)
            serve(world, world->raws[i].descriptor);
}

void raw_close_all(struct world *world)
{
    for (int i = 0; i < world->raws_used; i++)
        if (world->raws[i].descriptor >= 0)
            close_raw(&world->raws[i]);
    free(world->raws);
    world->raws = NULL;
    world->raws_used = 0;
}

void raw_reset(struct world *world, int descriptor)
{
    struct raw *raw = raw_of(descriptor);

    raw->kind->reset(raw);
    forget(raw);
    reset_served(world, descriptor);
}

/* ---- what they hear -------------------------------------------------------------------------- */

ptrdiff_t raw_take(int descriptor, void *data, size_t size)
{
    struct raw *raw = raw_of(descriptor);

    return raw->kind->hear(raw, data, size);
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

void raw_expect_soon(int descriptor, const char *text)
{
    char got[256] = "";
    size_t length = 0;

    ck_assert_uint_lt(strlen(text), sizeof got);
    for (int round = 0; length < strlen(text); round++) {
        ptrdiff_t piece = raw_take(descriptor, got + length, sizeof got - 1 - length);

        ck_assert_msg(round < ROUNDS && (piece > 0 || piece == RAW_NOTHING), "only \"%s\" arrived",
                      got);
        length += piece > 0 ? (size_t)piece : 0;
        if (piece == RAW_NOTHING)
            world_pause(1);
    }
    ck_assert_str_eq(got, text);
}
