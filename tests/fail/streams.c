/* tests/fail/streams.c -- scenarios of connections. */
#include "config.h"

#include "tests/fail/bodies.h"
#include "tests/filters.h"

enum { LITTLE = 100, MUCH = 200000 };

/* ---- begin and end --------------------------------------------------------------------------- */

void run_connect(struct play *p)
{
    STEP(p, play_couple(p));
    HOLDS(p, plx_socket_is_connected(p->sockets[A]) && plx_socket_is_connected(p->sockets[B]));
}

void run_connect_by_name(struct play *p)
{
    char where[WHERE_SIZE + 20];
    plx_address remote;

    OPEN(p, A, plx_tcp_new);
    OPEN(p, B, plx_tcp_new);
    TRY(p, B, plx_socket_listen_on(p->sockets[B], "127.0.0.1:0"));
    snprintf(where, sizeof where, "far.test:%d", plx_socket_port(p->sockets[B]));
    TRY(p, A, plx_socket_connect_to(p->sockets[A], where));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1 && COUNT(p, B, CONNECTED) == 1);
    HOLDS(p, world_logged(p->w, LOG(p, A),
                          "state:HOST_LOOKUP state:CONNECTING state:CONNECTED "
                          "connected[CONNECTED]"));
    HOLDS(p, plx_socket_remote(p->sockets[A], &remote) && remote.bytes[0] == 127);
}

/* For filters that say goodbye: B answers the goodbye of A with its own. */
static void prepare_goodbye(struct play *p)
{
    OPEN(p, B, p->w->kind->create);
    TRY(p, B, plx_socket_set_option(p->sockets[B], PLX_OPTION_HALF_OPEN, 1));
}

static void end_with_goodbye(struct play *p)
{
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, COUNT(p, B, END_OF_INPUT) == 1 || COUNT(p, B, DISCONNECTED) == 1);
    /* A goodbye that cannot be sent is given up, and missing at the other end. */
    if (p->expected != NULL && COUNT(p, B, END_OF_INPUT) == 0)
        return;
    TRY(p, B, plx_socket_disconnect(p->sockets[B]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && COUNT(p, B, DISCONNECTED) == 1);
    HOLDS(p, p->expected != NULL || (COUNT(p, A, ERROR) == 0 && COUNT(p, B, ERROR) == 0));
}

/* Both ends have ended, A by its own disconnect. */
static void end(struct play *p)
{
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && COUNT(p, B, DISCONNECTED) == 1);
    HOLDS(p, COUNT(p, A, ERROR) == 0 && COUNT(p, B, ERROR) == 1);
    HOLDS(p, LOG(p, B)->code == PLX_LOST_CONNECTION);
}

void run_disconnect(struct play *p)
{
    LOG(p, B)->swallow = true;
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, MUCH));
    STEP(p, end(p));
    HOLDS(p, LOG(p, B)->swallowed == MUCH);
}

void run_goodbye(struct play *p)
{
    LOG(p, B)->swallow = true;
    STEP(p, prepare_goodbye(p));
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, MUCH));
    STEP(p, end_with_goodbye(p));
    HOLDS(p, LOG(p, B)->swallowed == MUCH);
}

static void act_part(struct record *record, plx_socket *socket)
{
    struct play *p = ((struct part_log *)record)->play;

    if (plx_socket_disconnect(socket) == 0 && plx_socket_wait_for_disconnected(socket, 5000))
        p->found++;
}

/* B answers the goodbye of A inside the handler that reports it, and waits there for the end. */
void run_goodbye_in_handler(struct play *p)
{
    LOG(p, B)->swallow = true;
    record_on(LOG(p, B), EVENT_END_OF_INPUT, act_part, NULL);
    STEP(p, prepare_goodbye(p));
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && COUNT(p, B, DISCONNECTED) == 1);
    /* A goodbye that cannot be sent is given up, and missing at the other end. */
    HOLDS(p, p->expected != NULL || (COUNT(p, A, ERROR) == 0 && COUNT(p, B, ERROR) == 0));
    HOLDS(p, p->expected != NULL || (p->found == 1 && LOG(p, B)->swallowed == LITTLE));
}

void run_abort(struct play *p)
{
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    plx_socket_abort(p->sockets[A]);
    p->logs[A].ignored = true;
    HOLDS(p, plx_socket_state(p->sockets[A]) == PLX_UNCONNECTED);
    /* The peer's reset is no failure of ours, so B is not asked for its events. */
    play_leave(p, B);
}

/* The peer ends its side, A answers, and then A ends. */
void run_half_open(struct play *p)
{
    char where[WHERE_SIZE], bytes[LITTLE];
    int listener = raw_listen(p->w, 1, where), raw;

    OPEN(p, A, plx_tcp_new);
    TRY(p, A, plx_socket_set_option(p->sockets[A], PLX_OPTION_HALF_OPEN, 1));
    TRY(p, A, plx_socket_connect_to(p->sockets[A], where));
    AWAIT(p, is_readable(listener) && COUNT(p, A, CONNECTED) == 1);
    raw = raw_accept(p->w, listener);
    raw_end(raw);
    AWAIT(p, COUNT(p, A, END_OF_INPUT) == 1);
    STEP(p, play_write(p, A, 0, LITTLE));
    TRY(p, A, plx_socket_disconnect(p->sockets[A]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && is_readable(raw));
    HOLDS(p, raw_take(raw, bytes, sizeof bytes) == LITTLE);
    TRY(p, A, plx_socket_set_option(p->sockets[A], PLX_OPTION_HALF_OPEN, 0));
    raw_close(p->w, raw);
    raw_close(p->w, listener);
}

/* B ends the first connection, and A connects again by itself to a listener at the same place, as
 * soon as the pause is over (the players let the clock run again). */
void run_reconnect(struct play *p)
{
    OPEN(p, A, p->w->kind->create);
    OPEN(p, C, p->w->kind->create);
    TRY(p, A, plx_socket_set_option(p->sockets[A], PLX_OPTION_AUTO_CONNECT, 1));
    STEP(p, play_couple(p));
    TRY(p, C, plx_socket_listen_on(p->sockets[C], p->where));
    TRY(p, B, plx_socket_disconnect(p->sockets[B]));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1 && COUNT(p, B, DISCONNECTED) == 1);
    time_stop();
    time_pass(1000);
    AWAIT(p, COUNT(p, A, CONNECTED) == 2 && COUNT(p, C, CONNECTED) == 1);
    time_run();
    TRY(p, A, plx_socket_set_option(p->sockets[A], PLX_OPTION_AUTO_CONNECT, 0));
}

/* ---- bytes ----------------------------------------------------------------------------------- */

void run_transfer(struct play *p)
{
    LOG(p, A)->swallow = LOG(p, B)->swallow = true;
    if (p->w->kind->filtered)
        STEP(p, prepare_goodbye(p));
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    STEP(p, play_write(p, B, 0, MUCH));
    AWAIT(p, LOG(p, A)->swallowed == MUCH && LOG(p, B)->swallowed == LITTLE);
    STEP(p, play_write(p, A, LITTLE, MUCH));
    STEP(p, play_write(p, B, MUCH, LITTLE));
    AWAIT(p, LOG(p, B)->swallowed == LITTLE + MUCH && LOG(p, A)->swallowed == MUCH + LITTLE);
    AWAIT(p, COUNT(p, A, SEND_COMPLETE) > 0 && COUNT(p, B, SEND_COMPLETE) > 0);
    if (p->w->kind->filtered)
        STEP(p, end_with_goodbye(p));
    else
        STEP(p, end(p));
}

void run_messages(struct play *p)
{
    static const char text[30000] = "a message";
    const plx_piece pieces[] = {{text, 2}, {text + 2, 7}};
    const void *got;
    size_t size;

    OPEN(p, A, plx_tcp_new);
    OPEN(p, B, plx_tcp_new);
    TRY(p, A, plx_socket_set_frame(p->sockets[A], &(plx_frame){.length_size = 4}));
    TRY(p, B, plx_socket_set_frame(p->sockets[B], &(plx_frame){.length_size = 4}));
    STEP(p, play_couple(p));
    TRY(p, A, plx_socket_write_message_pieces(p->sockets[A], pieces, 2));
    TRY(p, A, plx_socket_write_message(p->sockets[A], text, sizeof text));
    AWAIT(p, plx_socket_can_read_message(p->sockets[B]));
    got = plx_socket_read_message(p->sockets[B], &size);
    HOLDS(p, size == 9 && memcmp(got, text, 9) == 0);
    AWAIT(p, plx_socket_can_read_message(p->sockets[B]));
    got = plx_socket_read_message(p->sockets[B], &size);
    HOLDS(p, size == sizeof text && memcmp(got, text, size) == 0);
    TRY(p, A, plx_socket_set_frame(p->sockets[A], NULL));
    TRY(p, B, plx_socket_set_frame(p->sockets[B], NULL));
}

static void count_command(plx_socket *socket, int32_t command, const void *data, size_t size,
                          void *user)
{
    (void)socket;
    (void)data;
    ((struct part_log *)user)->play->found += command == 1 && size == 30000;
}

/* A sends to the handler of B, B to a wait and a read of A. */
void run_commands(struct play *p)
{
    static const char text[30000] = "data";
    static plx_events heard;
    int32_t command = 0;
    const void *got;
    size_t size;

    OPEN(p, A, p->w->kind->create);
    OPEN(p, B, p->w->kind->create);
    heard = *play_events();
    heard.command_received = count_command;
    plx_socket_set_events(p->sockets[B], &heard, &p->logs[B]);
    TRY(p, A, plx_socket_set_commands(p->sockets[A], 0));
    TRY(p, B, plx_socket_set_commands(p->sockets[B], 0));
    STEP(p, play_couple(p));
    p->found = 0;
    for (int i = 0; i < 3; i++)
        TRY(p, A, plx_socket_send_command(p->sockets[A], 1, text, sizeof text));
    AWAIT(p, p->found == 3);
    TRY(p, B, plx_socket_send_command(p->sockets[B], 7, text, 9));
    TRY(p, B, plx_socket_send_command(p->sockets[B], 8, text, sizeof text));
    AWAIT(p, (got = plx_socket_wait_for_command(p->sockets[A], 8, 0, &size)) != NULL);
    HOLDS(p, size == sizeof text && memcmp(got, text, size) == 0);
    got = plx_socket_read_command(p->sockets[A], &command, &size);
    HOLDS(p, got != NULL && command == 7 && size == 9 && memcmp(got, text, 9) == 0);
    TRY(p, A, plx_socket_set_frame(p->sockets[A], NULL));
    TRY(p, B, plx_socket_set_frame(p->sockets[B], NULL));
    plx_socket_set_events(p->sockets[B], play_events(), &p->logs[B]);
}

void run_lines(struct play *p)
{
    char line[40] = "";
    const void *rest;
    size_t size;

    STEP(p, play_couple(p));
    TRY(p, A,
        plx_socket_write_text(p->sockets[A], "a line\nand more") == 15
            ? 0
            : plx_socket_last_error(p->sockets[A]));
    AWAIT(p, plx_socket_bytes_available(p->sockets[B]) == 15);
    HOLDS(p, plx_socket_read_line(p->sockets[B], line, sizeof line) == 7);
    HOLDS(p, strcmp(line, "a line\n") == 0);
    TRY(p, B, plx_socket_unread(p->sockets[B], line, 7));
    rest = plx_socket_lookahead(p->sockets[B], &size);
    HOLDS(p, size == 15 && memcmp(rest, "a line\nand more", 15) == 0);
    HOLDS(p, plx_socket_skip(p->sockets[B], 15) == 15);
}

/* The urgent byte is one of the pattern, and a raw peer reads it in its place. */
void run_urgent(struct play *p)
{
    char where[WHERE_SIZE], bytes[3 * LITTLE];
    int listener = raw_listen(p->w, 1, where), on = 1, raw;
    ptrdiff_t piece;

    OPEN(p, A, plx_tcp_new);
    TRY(p, A, plx_socket_connect_to(p->sockets[A], where));
    AWAIT(p, is_readable(listener) && COUNT(p, A, CONNECTED) == 1);
    raw = raw_accept(p->w, listener);
    HOLDS(p, setsockopt(raw, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on) == 0);
    STEP(p, play_write(p, A, 0, LITTLE));
    TRY(p, A, plx_socket_write_urgent(p->sockets[A], pattern_byte(LITTLE)));
    STEP(p, play_write(p, A, LITTLE + 1, LITTLE));
    /* The kernel stops a receive in front of the mark. */
    for (ptrdiff_t size = 0; size < 2 * LITTLE + 1; size += piece) {
        AWAIT(p, is_readable(raw));
        piece = raw_take(raw, bytes, sizeof bytes);
        HOLDS(p, piece > 0 && pattern_matches(bytes, (size_t)piece, (uint64_t)size));
    }
    raw_close(p->w, raw);
    raw_close(p->w, listener);
}

/* ---- servers --------------------------------------------------------------------------------- */

static void act_echo(struct record *record, plx_socket *socket)
{
    char bytes[256];
    ptrdiff_t size = plx_socket_read(socket, bytes, sizeof bytes);

    (void)record;
    if (size > 0 && plx_socket_write(socket, bytes, (size_t)size) != size)
        ((struct part_log *)record)->refused++;
}

/* Three clients of a server that echoes. */
void run_serve(struct play *p)
{
    char place[WHERE_SIZE], where[WHERE_SIZE];

    record_on(LOG(p, GUESTS), EVENT_DATA_AVAILABLE, act_echo, NULL);
    LOG(p, GUESTS)->always = true;
    STEP(p, play_open_server(p));
    world_place(p->w, place);
    if (!play_try_server(p, plx_server_listen_on(p->server, place), "plx_server_listen_on"))
        return;
    p->w->kind->reach(place, plx_server_port(p->server), where);
    for (int i = A; i <= C; i++) {
        enum part part = (enum part)i;

        OPEN(p, part, p->w->kind->create);
        LOG(p, part)->swallow = true;
        TRY(p, part, plx_socket_connect_to(p->sockets[part], where));
        STEP(p, play_write(p, part, 0, LITTLE));
    }
    AWAIT(p, LOG(p, A)->swallowed == LITTLE && LOG(p, B)->swallowed == LITTLE &&
                 LOG(p, C)->swallowed == LITTLE);
    HOLDS(p, p->accepted == 3 && plx_server_active_count(p->server) == 3);
    for (int i = A; i <= C; i++)
        TRY(p, (enum part)i, plx_socket_disconnect(p->sockets[i]));
    AWAIT(p, COUNT(p, GUESTS, DISCONNECTED) == 3 && plx_server_active_count(p->server) == 0);
    AWAIT(p,
          COUNT(p, A, DISCONNECTED) + COUNT(p, B, DISCONNECTED) + COUNT(p, C, DISCONNECTED) == 3);
    plx_server_stop_listening(p->server);
}

/* ---- filters --------------------------------------------------------------------------------- */

static void push(struct play *p, enum part part, const plx_filter_kind *kind)
{
    if (plx_socket_push_filter(p->sockets[part], kind) == NULL)
        play_try(p, part, plx_socket_last_error(p->sockets[part]), "plx_socket_push_filter");
}

/* Both ends agree on records in the middle of the stream, and end with a goodbye. */
void run_filter_in_mid_stream(struct play *p)
{
    LOG(p, A)->swallow = LOG(p, B)->swallow = true;
    STEP(p, prepare_goodbye(p));
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    AWAIT(p, LOG(p, B)->swallowed == LITTLE);
    STEP(p, push(p, A, &records_filter));
    STEP(p, push(p, B, &records_filter));
    STEP(p, play_write(p, A, LITTLE, MUCH));
    STEP(p, play_write(p, B, 0, LITTLE));
    AWAIT(p, LOG(p, B)->swallowed == LITTLE + MUCH && LOG(p, A)->swallowed == LITTLE);
    STEP(p, end_with_goodbye(p));
}

/* A filter whose greeting waits, and asks the program. */
void run_establish(struct play *p)
{
    OPEN(p, A, plx_ipc_new);
    OPEN(p, B, plx_ipc_new);
    p->equipped = true;
    for (int i = A; i <= B; i++) {
        plx_filter *old = plx_socket_filter(p->sockets[i], &steps_filter);

        if (old != NULL)
            HOLDS(p, plx_socket_remove_filter(p->sockets[i], old) == 0);
        STEP(p, push(p, (enum part)i, &steps_filter));
        LOG(p, i)->swallow = true;
    }
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    AWAIT(p, LOG(p, B)->swallowed == LITTLE);
    STEP(p, end(p));
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void act_free(struct record *record, plx_socket *socket)
{
    struct play *p = ((struct part_log *)record)->play;
    enum part part = socket == p->sockets[A] ? A : B;

    plx_socket_write(socket, "a reply", 7);
    play_forget(p, part);
    plx_socket_free(socket);
}

/* B frees itself in the handler of the first bytes. */
void run_free_in_handler(struct play *p)
{
    record_on(LOG(p, B), EVENT_DATA_AVAILABLE, act_free, NULL);
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    AWAIT(p, COUNT(p, A, DISCONNECTED) == 1);
    HOLDS(p, p->sockets[B] == NULL);
}

/* B waits in its handler until its answer has left. */
static void act_wait(struct record *record, plx_socket *socket)
{
    struct play *p = ((struct part_log *)record)->play;
    char bytes[LITTLE];

    plx_socket_read(socket, bytes, 1);
    if (plx_socket_write(socket, "!", 1) == 1 && plx_socket_wait_for_sent(socket, 5000))
        p->found++;
}

void run_wait_in_handler(struct play *p)
{
    record_on(LOG(p, B), EVENT_DATA_AVAILABLE, act_wait, NULL);
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    AWAIT(p, p->found == 1 && plx_socket_bytes_available(p->sockets[A]) == 1);
    AWAIT(p, COUNT(p, B, SEND_COMPLETE) == 1);
    AWAIT(p, plx_socket_bytes_available(p->sockets[B]) == LITTLE - 1);
}

/* Waits outside of handlers, each within its limit. */
void run_waits(struct play *p)
{
    STEP(p, play_couple(p));
    STEP(p, play_write(p, A, 0, LITTLE));
    if (!plx_socket_wait_for_sent(p->sockets[A], 5000) ||
        !plx_socket_wait_for_data(p->sockets[B], 5000))
        AWAIT(p, false); /* what has failed is reported */
    HOLDS(p, plx_socket_bytes_available(p->sockets[B]) == LITTLE);
    TRY(p, B, plx_socket_disconnect(p->sockets[B]));
    if (!plx_socket_wait_for_disconnected(p->sockets[B], 5000) ||
        !plx_socket_wait_for_disconnected(p->sockets[A], 5000))
        AWAIT(p, false);
    HOLDS(p, !plx_socket_wait(p->sockets[A], 1));
}
