/* tests/commands.h -- what the tests of commands share: commands as bytes, made by the test's own
 * code, and a log that records command_received. */
#ifndef POLLUX_TESTS_COMMANDS_H
#define POLLUX_TESTS_COMMANDS_H

#include <errno.h>
#include <stdlib.h>

#include "tests/sockets.h"
#include "tests/world.h"

/* ---- commands as bytes ----------------------------------------------------------------------- */

enum { HEAD = 4, LENGTH = 4 };

static inline size_t put_number(unsigned char *place, size_t number)
{
    for (int i = 0; i < 4; i++)
        place[i] = (unsigned char)(number >> (24 - 8 * i));
    return 4;
}

/* Writes a command as it travels over that kind of socket. Returns how many bytes it has. */
static inline size_t put_command(const struct world *world, unsigned char *place, int32_t command,
                                 const void *data, size_t size)
{
    size_t at = world->kind->keeps_boundaries ? 0 : put_number(place, HEAD + size);

    at += put_number(place + at, (uint32_t)command);
    if (size > 0)
        memcpy(place + at, data, size);
    return at + size;
}

/* A raw peer sends a command with that string as its data. */
static inline void raw_order(const struct world *world, int raw, int32_t command, const char *text)
{
    unsigned char bytes[1000];

    raw_send(raw, bytes, put_command(world, bytes, command, text, strlen(text)));
}

/* The raw peer receives exactly these bytes. */
static inline void raw_gather(struct world *w, int raw, const void *data, size_t size)
{
    unsigned char got[200];
    size_t have = 0;

    for (int round = 0; have < size; round++) {
        ptrdiff_t piece = raw_take(raw, got + have, sizeof got - have);

        have += piece > 0 ? (size_t)piece : 0;
        ck_assert_int_lt(round, ROUNDS);
        world_turn(w, round);
    }
    ck_assert_uint_eq(have, size);
    ck_assert_mem_eq(got, data, size);
}

/* ---- the log --------------------------------------------------------------------------------- */

struct orders;
typedef void orders_act(struct orders *orders, plx_socket *socket);

struct orders {
    struct record log; /* the first member: all handlers except two get it as their user */
    struct world *world;
    int count;        /* calls of command_received */
    int32_t last;     /* its number */
    int rooms;        /* calls of room_available */
    int messages;     /* calls of message_available */
    orders_act *act;  /* in command_received */
    int when;         /* in which call; 0: in each */
    void *data;       /* for `act` */
    bool says_little; /* the log gets no commands */
};

static inline void orders_note(struct orders *orders, plx_socket *socket, int32_t command,
                               const char *data, size_t size)
{
    struct record *log = &orders->log;
    size_t room = sizeof log->text - log->length;

    ck_assert_msg(!log->inside, "a command inside another event, after \"%s\"", log->text);
    if (room > 100 && !orders->says_little)
        log->length += (size_t)snprintf(
            log->text + log->length, room, "%s%d:%.*s[%s]", log->length > 0 ? " " : "",
            (int)command, (int)(size < 30 ? size : 30), data, state_name(plx_socket_state(socket)));
}

/* Whatever `act` does, the data stay until the handler returns. */
static inline void on_command_received(plx_socket *socket, int32_t command, const void *data,
                                       size_t size, void *user)
{
    struct orders *orders = user;
    char *copy = malloc(size + 1);

    ck_assert_ptr_nonnull(data);
    memcpy(copy, data, size);
    orders->count++;
    orders->last = command;
    orders_note(orders, socket, command, data, size);
    orders->log.inside = true;
    if (orders->act != NULL && (orders->when == 0 || orders->when == orders->count))
        orders->act(orders, socket);
    orders->log.inside = false;
    ck_assert_mem_eq(copy, data, size);
    free(copy);
}

static inline void on_room_again(plx_socket *socket, void *user)
{
    (void)socket;
    ((struct orders *)user)->rooms++;
}

static inline void on_message(plx_socket *socket, void *user)
{
    (void)socket;
    ((struct orders *)user)->messages++;
}

static inline plx_events *orders_table(void)
{
    static plx_events events;

    events = record_events;
    events.room_available = on_room_again;
    events.message_available = on_message;
    events.command_received = on_command_received;
    return &events;
}

static inline void orders_begin(struct orders *orders, struct world *world)
{
    memset(orders, 0, sizeof *orders);
    orders->log.when = EVENT_NEVER;
    orders->log.mute = 1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE;
    orders->world = world;
}

/* Makes a connected socket with commands, with an empty log. */
static inline plx_socket *orders_open(struct world *world, struct orders *orders, int *ret_raw)
{
    plx_socket *socket = world_socket(world, NULL);

    orders_begin(orders, world);
    plx_socket_set_events(socket, orders_table(), orders);
    ck_assert_int_eq(plx_socket_set_commands(socket, 0), 0);
    *ret_raw = world_pair(world, socket, &orders->log);
    return socket;
}

/* ORDERS_CASE(name) is a CASE with such a `socket`, its `orders` and its `log`, and `raw`, its
 * peer. QUIET_CASE is the same without command_received. */
#define ORDERS_CASE_OF(sort, name, prepare)                                                        \
    static void name##_ordered(struct world *w, plx_socket *socket, struct orders *orders,         \
                               struct record *log, int raw);                                       \
    sort(name)                                                                                     \
    {                                                                                              \
        struct orders orders;                                                                      \
        int raw;                                                                                   \
        plx_socket *socket = orders_open(w, &orders, &raw);                                        \
                                                                                                   \
        prepare;                                                                                   \
        name##_ordered(w, socket, &orders, &orders.log, raw);                                      \
    }                                                                                              \
    static void name##_ordered(                                                                    \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct orders *orders CK_ATTRIBUTE_UNUSED, struct record *log CK_ATTRIBUTE_UNUSED,         \
        int raw CK_ATTRIBUTE_UNUSED)
#define ORDERS_CASE(name) ORDERS_CASE_OF(CASE, name, )
#define ORDERS_STREAM_CASE(name) ORDERS_CASE_OF(STREAM_CASE, name, )
#define QUIET_CASE(name)                                                                           \
    ORDERS_CASE_OF(CASE, name, plx_socket_set_events(socket, &record_events, &orders))
#define QUIET_STREAM_CASE(name)                                                                    \
    ORDERS_CASE_OF(STREAM_CASE, name, plx_socket_set_events(socket, &record_events, &orders))

/* ---- reading --------------------------------------------------------------------------------- */

/* Takes the oldest command and compares it. */
static inline void expect_command(plx_socket *socket, int32_t command, const char *text)
{
    int32_t got = -1;
    size_t size = 12345;
    const char *data = plx_socket_read_command(socket, &got, &size);

    ck_assert_msg(data != NULL, "no command, wanted %d \"%s\"", (int)command, text);
    ck_assert_msg(got == command && size == strlen(text) && memcmp(data, text, size) == 0,
                  "wanted %d \"%s\", got %d \"%.*s\"", (int)command, text, (int)got, (int)size,
                  data);
}

static inline void expect_no_command(plx_socket *socket)
{
    int32_t got = 77;
    size_t size = 12345;

    ck_assert_ptr_null(plx_socket_read_command(socket, &got, &size));
    ck_assert_int_eq(got, 77);
    ck_assert_uint_eq(size, 0);
}

/* Waits for a command, which has that text. */
static inline void expect_awaited(plx_socket *socket, int32_t command, int timeout_ms,
                                  const char *text)
{
    size_t size = 12345;
    const char *data = plx_socket_wait_for_command(socket, command, timeout_ms, &size);

    ck_assert_msg(data != NULL, "%d did not come", (int)command);
    ck_assert_uint_eq(size, strlen(text));
    ck_assert_mem_eq(data, text, size);
}

static inline void expect_none_awaited(plx_socket *socket, int32_t command, int timeout_ms)
{
    size_t size = 12345;

    ck_assert_ptr_null(plx_socket_wait_for_command(socket, command, timeout_ms, &size));
    ck_assert_uint_eq(size, 0);
}

static inline uint64_t received_bytes(const plx_socket *socket)
{
    plx_statistics statistics;

    ck_assert(plx_socket_statistics(socket, &statistics));
    return statistics.bytes_received;
}

#endif
