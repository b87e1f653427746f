/* tests/test-server-all.c -- writing the same to all clients of a server. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/greeting.h"
#include "tests/sanitized.h"
#include "tests/world.h"

enum { CLIENTS = 4, LIMIT = 1000 };

/* A server with its first clients, and what all of them have reported. */
struct party {
    struct world *w;
    struct hall *hall;
    plx_server *server;
    plx_socket **clients;
    int raws[CLIENTS];
    int rooms, errors, code;
    plx_socket *roomy;                                    /* the last with room_available */
    void (*act)(struct party *party, plx_socket *client); /* in data_available; NULL: nothing */
    size_t counted;
};

static void on_room(plx_socket *client, void *user)
{
    struct party *party = user;

    party->rooms++;
    party->roomy = client;
}

static void on_error(plx_socket *client, const plx_error *error, void *user)
{
    struct party *party = user;

    (void)client;
    party->errors++;
    party->code = error->code;
}

static void on_data(plx_socket *client, void *user)
{
    struct party *party = user;

    if (party->act != NULL)
        party->act(party, client);
}

static const plx_events guest_events = {
    .room_available = on_room, .error = on_error, .data_available = on_data};

static void open_party(struct world *w, struct party *party)
{
    *party = (struct party){.w = w, .hall = hall_open_plain(w)};
    party->server = party->hall->server;
    party->clients = party->hall->clients;
}

/* Lets the clients in, after the case has set what the server gives them. */
static void fill(struct party *party)
{
    for (int i = 0; i < CLIENTS; i++) {
        party->raws[i] = raw_connect(party->w, party->hall->where);
        UNTIL(party->w, party->hall->accepted == i + 1);
        UNTIL(party->w, plx_socket_is_connected(party->clients[i]));
        plx_socket_set_events(party->clients[i], &guest_events, party);
    }
}

/* A PARTY_CASE is a CASE with such a `party`; one of STREAM_CASE's or another's `sort`. */
#define PARTY_CASE_OF(sort, name)                                                                  \
    static void name##_opened(struct world *w, struct party *party);                               \
    sort(name)                                                                                     \
    {                                                                                              \
        struct party party;                                                                        \
                                                                                                   \
        open_party(w, &party);                                                                     \
        name##_opened(w, &party);                                                                  \
        free(party.hall);                                                                          \
    }                                                                                              \
    static void name##_opened(struct world *w CK_ATTRIBUTE_UNUSED, struct party *party)
#define PARTY_CASE(name) PARTY_CASE_OF(CASE, name)

static size_t say(struct party *party, const char *text)
{
    return plx_server_write_all(party->server, text, strlen(text));
}

static void limit(struct party *party, int client, int bytes)
{
    ck_assert_int_eq(plx_socket_set_option(party->clients[client], PLX_OPTION_WRITE_LIMIT, bytes),
                     0);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

SECTION("bytes");

PARTY_CASE(every_client_takes_them)
{
    ck_assert_uint_eq(say(party, "nobody"), 0);
    fill(party);
    ck_assert_uint_eq(say(party, "one"), CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_uint_eq(plx_socket_bytes_left_to_send(party->clients[i]), 3);
    for (int i = 0; i < CLIENTS; i++)
        raw_expect(w, party->raws[i], "one");
    ck_assert_int_eq(plx_socket_write(party->clients[0], "two", 3), 3);
    ck_assert_uint_eq(say(party, "three"), CLIENTS); /* behind what is queued */
    raw_expect(w, party->raws[1], "three");
    for (int i = 0; i < 2 && w->kind->keeps_boundaries; i++)
        raw_expect(w, party->raws[0], i == 0 ? "two" : "three");
    if (!w->kind->keeps_boundaries)
        raw_expect(w, party->raws[0], "twothree");
    ck_assert_int_eq(party->errors + party->rooms + party->hall->errors, 0);
}

PARTY_CASE(a_client_without_room_takes_none)
{
    char most[LIMIT - 50] = "";

    fill(party);
    limit(party, 1, LIMIT);
    memset(most, 'm', sizeof most - 1);
    ck_assert_int_eq(plx_socket_write(party->clients[1], most, sizeof most - 1), sizeof most - 1);
    ck_assert_uint_eq(say(party, "a message that needs more bytes than there is room for"),
                      CLIENTS - 1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(party->clients[1]), sizeof most - 1);
    ck_assert_int_eq(party->rooms, 0);
    UNTIL(w, party->rooms == 1);
    ck_assert_ptr_eq(party->roomy, party->clients[1]);
    raw_expect(w, party->raws[1], most);
    ck_assert_uint_eq(say(party, "again"), CLIENTS);
    raw_expect(w, party->raws[1], "again");
    world_settle(w);
    ck_assert_int_eq(party->rooms, 1);
    ck_assert_int_eq(party->errors, 0);
}

/* The larger one still waits for room. */
PARTY_CASE(a_smaller_one_does_not_take_the_promise_back)
{
    char text[LIMIT] = {0};

    ck_assert_int_eq(plx_server_set_option(party->server, PLX_OPTION_WRITE_LIMIT, LIMIT), 0);
    fill(party);
    ck_assert_uint_eq(plx_server_write_all(party->server, text, LIMIT / 2), CLIENTS);
    ck_assert_uint_eq(plx_server_write_all(party->server, text, LIMIT - 100), 0);
    ck_assert_uint_eq(plx_server_write_all(party->server, text, 10), CLIENTS);
    UNTIL(w, party->rooms == CLIENTS);
    ck_assert_uint_eq(plx_server_write_all(party->server, text, LIMIT - 100), CLIENTS);
}

PARTY_CASE(an_empty_queue_takes_any_number)
{
    fill(party);
    limit(party, 0, 10);
    ck_assert_uint_eq(say(party, "more than ten bytes"), CLIENTS);
    ck_assert_uint_eq(say(party, "!"), CLIENTS - 1);
    raw_expect(w, party->raws[0], "more than ten bytes");
    UNTIL(w, party->rooms == 1);
}

/* What the kernel takes no more stays in the queue of that client alone. */
PARTY_CASE_OF(STREAM_CASE, a_peer_that_does_not_read)
{
    enum { PIECE = 40000, PIECES = 400 };
    static char piece[PIECE], got[PIECE];
    size_t taken = 0, arrived = 0;
    int refused = 0;

    fill(party);
    for (int i = 0; i < CLIENTS; i++)
        limit(party, i, 4 * PIECE);
    for (int i = 0; i < PIECES && refused < 20; i++) {
        size_t count = plx_server_write_all(party->server, piece, PIECE);

        refused += count == CLIENTS ? 0 : 1;
        taken += count == CLIENTS ? 1 : 0;
        ck_assert_uint_ge(count, CLIENTS - 1);
        for (int client = 1; client < CLIENTS; client++) {
            for (size_t read = 0; read < PIECE;) {
                ptrdiff_t size = raw_take(party->raws[client], got, PIECE - read);

                world_poll(w);
                read += size > 0 ? (size_t)size : 0;
            }
        }
    }
    ck_assert_int_eq(refused, 20);
    ck_assert_uint_le(plx_socket_bytes_left_to_send(party->clients[0]), 4 * PIECE);
    while (arrived < taken * PIECE) {
        ptrdiff_t size = raw_take(party->raws[0], got, PIECE);

        world_poll(w);
        arrived += size > 0 ? (size_t)size : 0;
    }
    world_settle(w);
    ck_assert_int_eq(raw_take(party->raws[0], got, PIECE), RAW_NOTHING);
    ck_assert_int_eq(party->rooms, 1);
}

/* ---- who is left out ------------------------------------------------------------------------- */

SECTION("left-out");

PARTY_CASE(clients_that_end)
{
    fill(party);
    ck_assert_int_eq(plx_socket_disconnect(party->clients[0]), 0);
    ck_assert_int_eq(plx_socket_state(party->clients[0]), PLX_CLOSING);
    plx_socket_close(party->clients[1]);
    plx_socket_free(party->clients[2]);
    ck_assert_uint_eq(say(party, "hello"), 1);
    raw_expect(w, party->raws[3], "hello");
    raw_close(w, party->raws[3]);
    UNTIL(w, party->errors == 1); /* its peer has gone */
    ck_assert_uint_eq(say(party, "hello"), 0);
    world_settle(w);
    ck_assert_int_eq(party->errors, 1);
}

PARTY_CASE(clients_that_only_receive)
{
    fill(party);
    ck_assert_int_eq(plx_socket_set_option(party->clients[0], PLX_OPTION_DIRECTION, 1), 0);
    ck_assert_int_eq(plx_socket_set_option(party->clients[1], PLX_OPTION_DIRECTION, 2), 0);
    ck_assert_uint_eq(say(party, "hello"), CLIENTS - 1);
    raw_expect(w, party->raws[1], "hello");
    ck_assert_int_eq(plx_socket_last_error(party->clients[0]), 0);
    world_settle(w);
    ck_assert_int_eq(party->errors, 0);
}

/* The peer has ended its side, and the queue still drains. */
PARTY_CASE_OF(STREAM_KERNEL_CASE, clients_that_drain)
{
    enum { MUCH = 20000000 };
    char *much = calloc(MUCH, 1);
    size_t left;

    fill(party);
    ck_assert_int_eq(plx_socket_write(party->clients[0], much, MUCH), MUCH);
    world_settle(w);
    raw_end(party->raws[0]);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(party->clients[0]), PLX_CONNECTED);
    left = plx_socket_bytes_left_to_send(party->clients[0]);
    ck_assert_uint_gt(left, 0);
    ck_assert_uint_eq(say(party, "hello"), CLIENTS - 1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(party->clients[0]), left);
    free(much);
}

/* The peer has ended its side, and the connection goes on. */
PARTY_CASE_OF(HALF_OPEN_CASE, clients_half_open)
{
    ck_assert_int_eq(plx_server_set_option(party->server, PLX_OPTION_HALF_OPEN, 1), 0);
    fill(party);
    raw_end(party->raws[0]);
    world_settle(w);
    ck_assert_uint_eq(say(party, "hello"), CLIENTS);
    raw_expect(w, party->raws[0], "hello");
}

STREAM_CASE(clients_whose_filters_are_not_established)
{
    struct hall *hall = hall_open(w);
    int raws[2];

    for (int i = 0; i < 2; i++) {
        raws[i] = raw_connect(w, hall->where);
        UNTIL(w, hall->accepted == i + 1);
    }
    raw_say(raws[1], "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[1]));
    ck_assert_uint_eq(plx_server_write_all(hall->server, "hello", 5), 1);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(hall->clients[0]), 0);
    raw_expect(w, raws[1], "hello");
    raw_say(raws[0], "!");
    UNTIL(w, plx_socket_is_connected(hall->clients[0]));
    ck_assert_uint_eq(plx_server_write_all(hall->server, "hello", 5), 2);
    free(hall);
}

/* ---- messages -------------------------------------------------------------------------------- */

SECTION("messages");

static size_t send_all(struct party *party, const char *text)
{
    return plx_server_write_message_all(party->server, text, strlen(text));
}

static void set_frame(struct party *party, const plx_frame *frame)
{
    if (!party->w->kind->keeps_boundaries)
        ck_assert_int_eq(plx_server_set_frame(party->server, frame), 0);
}

PARTY_CASE(a_length_before_each)
{
    bool packets = w->kind->keeps_boundaries;

    set_frame(party, &(plx_frame){.length_size = 1});
    fill(party);
    ck_assert_uint_eq(send_all(party, "hello"), CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        raw_expect(w, party->raws[i], packets ? "hello" : "\5hello");
    ck_assert_int_eq(party->errors, 0);
}

PARTY_CASE_OF(STREAM_CASE, frames_of_their_own)
{
    set_frame(party, &(plx_frame){.delimiter = "\r\n", .delimiter_size = 2});
    fill(party);
    ck_assert_int_eq(plx_socket_set_frame(party->clients[1], &(plx_frame){.length_size = 1}), 0);
    ck_assert_int_eq(plx_socket_set_frame(party->clients[2], NULL), 0);
    ck_assert_uint_eq(send_all(party, "hello"), CLIENTS - 1);
    raw_expect(w, party->raws[0], "hello\r\n");
    raw_expect(w, party->raws[1], "\5hello");
    ck_assert_int_eq(party->errors, 1); /* the one without a frame */
    ck_assert_int_eq(party->code, PLX_INVALID_STATE);
    ck_assert_uint_eq(send_all(party, "hel\r\nlo"), 1); /* a delimiter inside */
    world_settle(w);
    ck_assert_int_eq(party->errors, 4);
    raw_expect(w, party->raws[1], "\7hel\r\nlo");
    ck_assert_uint_eq(plx_server_write_message_all(party->server, NULL, 0), CLIENTS - 1);
    raw_expect(w, party->raws[0], "\r\n");
}

PARTY_CASE_OF(STREAM_CASE, a_message_over_the_maximum)
{
    set_frame(party, &(plx_frame){.length_size = 2, .maximum = 5});
    fill(party);
    ck_assert_int_eq(plx_socket_set_frame(party->clients[3], &(plx_frame){.length_size = 1}), 0);
    ck_assert_uint_eq(send_all(party, "hello!"), 1);
    raw_expect(w, party->raws[3], "\6hello!");
    UNTIL(w, party->errors == CLIENTS - 1);
    ck_assert_int_eq(party->code, EMSGSIZE);
    ck_assert_uint_eq(plx_server_write_message_all(party->server, "", SIZE_MAX), 0);
    UNTIL(w, party->errors == 2 * CLIENTS - 1);
    ck_assert_int_eq(party->code, EMSGSIZE);
}

PARTY_CASE(a_message_without_room)
{
    char most[LIMIT - 50] = "";

    set_frame(party, &(plx_frame){.delimiter = "\n", .delimiter_size = 1});
    fill(party);
    limit(party, 1, LIMIT);
    memset(most, 'm', sizeof most - 1);
    ck_assert_int_eq(plx_socket_write_message(party->clients[1], most, sizeof most - 1), 0);
    ck_assert_uint_eq(send_all(party, "a message that needs more bytes than there is room for"),
                      CLIENTS - 1);
    UNTIL(w, party->rooms == 1);
    ck_assert_ptr_eq(party->roomy, party->clients[1]);
    ck_assert_uint_eq(send_all(party, "again"), CLIENTS);
    ck_assert_int_eq(party->errors, 0);
}

/* ---- handlers -------------------------------------------------------------------------------- */

SECTION("handlers");

/* Writes to all, and then ends three of the clients, among them the one that has called. */
static void write_and_end(struct party *party, plx_socket *client)
{
    plx_socket_purge(client);
    party->counted = say(party, "hello");
    plx_socket_free(party->clients[0]);
    plx_socket_disconnect(party->clients[1]);
    plx_socket_free(client);
    party->counted += 10 * say(party, "later");
}

PARTY_CASE(a_handler_ends_clients)
{
    fill(party);
    party->act = write_and_end;
    raw_say(party->raws[2], "go");
    UNTIL(w, party->counted > 0);
    ck_assert_uint_eq(party->counted, CLIENTS + 10);
    raw_expect(w, party->raws[1], "hello");
    raw_expect_end(w, party->raws[1]);
    for (int i = 0; i < 2 && w->kind->keeps_boundaries; i++)
        raw_expect(w, party->raws[3], i == 0 ? "hello" : "later");
    if (!w->kind->keeps_boundaries)
        raw_expect(w, party->raws[3], "hellolater");
    world_settle(w);
    ck_assert_uint_eq(plx_server_active_count(party->server), 1);
}

static void write_and_free_the_server(struct party *party, plx_socket *client)
{
    plx_socket_purge(client);
    party->counted = say(party, "hello");
    world_free_server(party->w, party->server);
}

PARTY_CASE(a_handler_frees_the_server)
{
    fill(party);
    party->act = write_and_free_the_server;
    raw_say(party->raws[2], "go");
    UNTIL(w, party->counted > 0);
    ck_assert_uint_eq(party->counted, CLIENTS);
    raw_expect(w, party->raws[3], "hello");
    raw_expect_end(w, party->raws[3]);
}

static void write_in_accepted(struct record *record, plx_socket *client)
{
    struct hall *hall = record->data;

    (void)client;
    plx_server_write_all(hall->server, "+", 1);
}

PARTY_CASE(accepted_writes_to_all)
{
    party->hall->act = write_in_accepted;
    party->raws[0] = raw_connect(w, party->hall->where);
    UNTIL(w, party->hall->accepted == 1);
    UNTIL(w, plx_socket_is_connected(party->clients[0]));
    raw_expect(w, party->raws[0], w->kind->filtered ? "" : "+"); /* CONNECTING: left out */
    party->raws[1] = raw_connect(w, party->hall->where);
    UNTIL(w, party->hall->accepted == 2);
    raw_expect(w, party->raws[0], "+");
}

/* ---- arguments and memory -------------------------------------------------------------------- */

SECTION("arguments");

PARTY_CASE(arguments)
{
    size_t nothing = w->kind->keeps_boundaries ? 0 : CLIENTS;

    fill(party);
    ck_assert_uint_eq(plx_server_write_all(party->server, NULL, 5), 0);
    ck_assert_int_eq(plx_server_error(party->server)->code, PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_server_write_message_all(party->server, NULL, 5), 0);
    UNTIL(w, party->hall->errors == 1);
    ck_assert_int_eq(party->errors, 0);
    ck_assert_uint_eq(plx_server_write_all(party->server, NULL, 0), nothing);
    ck_assert_uint_eq(plx_server_write_all(party->server, "", 0), nothing);
    world_settle(w);
    ck_assert_int_eq(party->errors, w->kind->keeps_boundaries ? CLIENTS : 0);
    party->errors = 0;
    ck_assert_uint_eq(plx_server_write_all(party->server, "", SIZE_MAX), 0);
    UNTIL(w, party->errors == CLIENTS);
    ck_assert_int_eq(party->code, PLX_OUT_OF_MEMORY);
    ck_assert_uint_eq(say(party, "hello"), CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        raw_expect(w, party->raws[i], "hello");
}

PARTY_CASE(clients_with_commands)
{
    ck_assert_int_eq(plx_server_set_commands(party->server, 0), 0);
    fill(party);
    ck_assert_uint_eq(say(party, "hello"), 0);
    world_settle(w);
    ck_assert_int_eq(party->errors, CLIENTS);
    ck_assert_int_eq(party->code, PLX_INVALID_STATE);
    ck_assert_uint_eq(plx_server_write_message_all(party->server, "hello", 5), 0);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_uint_eq(plx_socket_bytes_left_to_send(party->clients[i]), 0);
}

/* One that has no memory takes none, large or small, and the others take all. */
PARTY_CASE(each_allocation_fails)
{
    static const char large[60000];
    size_t size = w->kind->keeps_boundaries ? 20000 : sizeof large;
    bool failed = true;

    fill(party);
    for (int number = 1; failed; number++) {
        size_t count, left = 0;

        party->errors = 0;
        fail_allocation(number);
        count = plx_server_write_all(party->server, large, size);
        failed = allocation_failed();
        fail_allocation(0);
        for (int i = 0; i < CLIENTS; i++) {
            size_t queued = plx_socket_bytes_left_to_send(party->clients[i]);

            ck_assert(queued == 0 || queued == size);
            left += queued;
        }
        ck_assert_uint_eq(left, count * size);
        ck_assert_uint_ge(count, failed ? CLIENTS - 1 : CLIENTS);
        for (int i = 0; i < CLIENTS; i++) {
            plx_socket_abort(party->clients[i]);
            raw_close(w, party->raws[i]);
        }
        UNTIL(w, plx_server_active_count(party->server) == 0);
        world_settle(w);
        party->hall->accepted = 0;
        fill(party);
    }
}

PARTY_CASE(a_client_without_memory_reports_it)
{
    fill(party);
    fail_allocation(-1);
    ck_assert_uint_eq(say(party, "hello"), 0);
    fail_allocation(0);
    UNTIL(w, party->errors == CLIENTS);
    ck_assert_int_eq(party->code, PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(party->rooms, 0);
    ck_assert_uint_eq(say(party, "hello"), CLIENTS);
}

/* ---- a thousand ------------------------------------------------------------------------------ */

SECTION("thousand");

enum { MANY = 1000 };

static void raise_limit(void)
{
    struct rlimit most;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &most), 0);
    if (most.rlim_cur < 4 * MANY) {
        most.rlim_cur = most.rlim_max < 4 * MANY ? most.rlim_max : 4 * MANY;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &most), 0);
    }
}

static void pass_frame(struct party *party, const int *raws)
{
    char got[200];

    ck_assert_uint_eq(plx_server_write_message_all(party->server, "a message of the frame", 22),
                      MANY);
    ck_assert_uint_eq(say(party, "bytes"), MANY);
    for (int i = 0; i < MANY; i++) {
        size_t arrived = 0;

        for (int round = 0; arrived < 28; round++) {
            ptrdiff_t size = raw_take(raws[i], got, sizeof got);

            arrived += size > 0 ? (size_t)size : 0;
            if (size <= 0)
                world_turn(party->w, round);
        }
        ck_assert_uint_eq(arrived, 28);
    }
}

/* A steady frame allocates nothing. */
MODE_CASE(a_thousand_clients)
{
    static int raws[MANY];
    struct party party;
    size_t before;

    raise_limit();
    open_party(w, &party);
    set_frame(&party, &(plx_frame){.delimiter = "\n", .delimiter_size = 1});
    for (int i = 0; i < MANY; i++) {
        raws[i] = raw_connect(w, party.hall->where);
        if (i % 50 == 49)
            UNTIL(w, party.hall->accepted == i + 1);
    }
    UNTIL(w, plx_server_active_count(party.server) == MANY);
    world_settle(w);
    for (int i = 0; i < 3; i++)
        pass_frame(&party, raws);
    before = count_allocations();
    for (int i = 0; i < 5; i++)
        pass_frame(&party, raws);
    ck_assert_uint_eq(count_allocations(), before);
    free(party.hall);
}

LEAKS_ARE_COUNTED

WORLD_MAIN("server-all", .packets = true, .filtered = true)
