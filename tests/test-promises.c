/* tests/test-promises.c -- what pollux/socket.h promises of each call in each place of a socket's
 * life. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/promises.h"

static bool same(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

static bool is_reason(const struct stage *s, int code, plx_reason reason)
{
    const plx_error *error = plx_socket_error(s->socket);

    return plx_socket_last_error(s->socket) == code && error->code == code &&
           error->reason == reason;
}

/* ---- what it is now -------------------------------------------------------------------------- */

static void state_as_is(struct stage *s)
{
    EXPECT(s, plx_socket_state(s->socket) == place_state(s));
    EXPECT(s, plx_socket_is_listening(s->socket) == (s->place == LISTENING));
}

static void connected_or_bound(struct stage *s)
{
    EXPECT(s, plx_socket_is_connected(s->socket) ==
                  (place_state(s) == PLX_CONNECTED || place_state(s) == PLX_BOUND));
}

static void handle_or_none(struct stage *s)
{
    EXPECT(s, (plx_socket_handle(s->socket) >= 0) == place_is_open(s));
    EXPECT(s, plx_socket_handle(s->socket) >= -1);
}

/* Of a stream connect_to and listen_on set the properties; of UDP they leave them alone. */
static void address_as_set(struct stage *s)
{
    bool set = s->sort == TCP && s->place != NEW && s->place != LISTENING;
    const char *wanted = !set ? "" : s->place == LOOKING_UP ? "nobody.test" : "127.0.0.1";

    EXPECT(s, same(plx_socket_address(s->socket), wanted));
    EXPECT(s, plx_socket_set_address(s->socket, sort_has_path(s) ? NULL : "other") == 0);
    EXPECT(s, same(plx_socket_address(s->socket), sort_has_path(s) ? "" : "other"));
    EXPECT(s, plx_socket_set_address(s->socket, "") == 0);
    EXPECT(s, same(plx_socket_address(s->socket), ""));
    EXPECT(s, plx_socket_state(s->socket) == place_state(s));
    EXPECT(s, plx_socket_set_address(s->socket, "x") == (sort_has_path(s) ? PLX_INVALID_STATE : 0));
}

static void path_as_set(struct stage *s)
{
    bool set = sort_has_path(s) && s->place != NEW;

    EXPECT(s, same(plx_socket_path(s->socket), set ? s->where : ""));
    EXPECT(s, plx_socket_set_path(s->socket, "/x") == (sort_has_path(s) ? 0 : PLX_INVALID_STATE));
    EXPECT(s, same(plx_socket_path(s->socket), sort_has_path(s) ? "/x" : ""));
    EXPECT(s, plx_socket_set_path(s->socket, NULL) == 0);
    EXPECT(s, plx_socket_set_path(s->socket, "") == 0);
    EXPECT(s, same(plx_socket_path(s->socket), ""));
}

static void path_too_long(struct stage *s)
{
    char path[5000];

    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    if (!sort_has_path(s))
        return;
    ck_assert_int_eq(plx_socket_set_path(s->socket, "/kept"), 0);
    EXPECT(s, plx_socket_set_path(s->socket, path) == ENAMETOOLONG);
    EXPECT(s, is_reason(s, ENAMETOOLONG, PLX_REASON_ADDRESS_NOT_AVAILABLE));
    EXPECT(s, same(plx_socket_path(s->socket), "/kept"));
}

/* The port as set: connect_to sets that of TCP only, and UDP's bind sets the one it was given. */
static int port_set(const struct stage *s)
{
    return s->sort == TCP && s->place == LOOKING_UP ? 9 : s->sort == TCP ? s->address.port : 0;
}

static void port_bound_or_set(struct stage *s)
{
    plx_address local;
    int port = plx_socket_port(s->socket);

    if (s->sort == TCP && (s->place == CONNECTING || s->place == FAILED))
        ck_assert_int_eq(plx_address_parse(s->where, &s->address), 0);
    if (plx_socket_local(s->socket, &local))
        EXPECT(s, port == local.port && port > 0);
    else
        EXPECT(s, port == port_set(s));
    plx_socket_close(s->socket);
    EXPECT(s, plx_socket_port(s->socket) == port_set(s));
}

static void port_in_range(struct stage *s)
{
    int before = plx_socket_port(s->socket);

    EXPECT(s, plx_socket_set_port(s->socket, -1) == PLX_INVALID_PORT);
    EXPECT(s, is_reason(s, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE));
    EXPECT(s, plx_socket_set_port(s->socket, 65536) == PLX_INVALID_PORT);
    EXPECT(s, plx_socket_port(s->socket) == before);
    EXPECT(s, plx_socket_set_port(s->socket, 65535) == (sort_has_path(s) ? PLX_INVALID_STATE : 0));
    EXPECT(s, plx_socket_set_port(s->socket, 0) == 0);
}

static void interface_is_kept(struct stage *s)
{
    int code = sort_has_path(s) ? PLX_INVALID_STATE : 0;

    EXPECT(s, plx_socket_set_interface(s->socket, "no such thing") == code);
    EXPECT(s, plx_socket_set_interface(s->socket, NULL) == 0);
    EXPECT(s, plx_socket_set_interface(s->socket, "") == 0);
    EXPECT(s, plx_socket_state(s->socket) == place_state(s));
}

static void local_or_untouched(struct stage *s)
{
    const plx_address before = {.family = 77, .port = 77, .scope = 77};
    plx_address local = before;
    bool known = !sort_has_path(s) && place_is_open(s);

    EXPECT(s, plx_socket_local(s->socket, &local) == known);
    EXPECT(s, known ? local.family == 4 || local.family == 6
                    : memcmp(&local, &before, sizeof local) == 0);
    EXPECT(s, !plx_socket_local(s->socket, NULL));
}

static void local_as_text(struct stage *s)
{
    const char *text = plx_socket_local_address(s->socket);

    if (!place_is_open(s))
        EXPECT(s, same(text, ""));
    else if (sort_has_path(s))
        EXPECT(s, same(text, s->where));
    else
        EXPECT(s, strcmp(text, "127.0.0.1") == 0 || strcmp(text, "::") == 0);
}

/* They stay known after the end, but not after close, and UDP has none without a peer. */
static bool is_remote_known(const struct stage *s)
{
    return !sort_has_path(s) && (place_has_peer(s) || s->place == ENDED);
}

static void remote_or_untouched(struct stage *s)
{
    const plx_address before = {.family = 77, .port = 77, .scope = 77};
    plx_address remote = before;
    bool known = is_remote_known(s);

    EXPECT(s, plx_socket_remote(s->socket, &remote) == known);
    EXPECT(s, known ? plx_address_equal(&remote, &s->address)
                    : memcmp(&remote, &before, sizeof remote) == 0);
    EXPECT(s, !plx_socket_remote(s->socket, NULL));
    plx_socket_close(s->socket);
    EXPECT(s, !plx_socket_remote(s->socket, &remote));
}

static void remote_as_text(struct stage *s)
{
    const char *text = plx_socket_remote_address(s->socket);

    if (sort_has_path(s))
        EXPECT(s, same(text, place_has_peer(s) || s->place == ENDED ? s->where : ""));
    else
        EXPECT(s, same(text, is_remote_known(s) ? "127.0.0.1" : ""));
    EXPECT(s, plx_socket_remote_port(s->socket) == (is_remote_known(s) ? s->address.port : 0));
}

static void error_or_none(struct stage *s)
{
    const plx_error *error = plx_socket_error(s->socket);
    int code = plx_socket_last_error(s->socket);

    if (s->place == ENDED)
        EXPECT(s, is_reason(s, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED));
    else if (s->place == FAILED && !sort_has_path(s))
        EXPECT(s, is_reason(s, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED));
    else if (s->place == FAILED)
        EXPECT(s, error->reason == PLX_REASON_CONNECTION_REFUSED);
    else
        EXPECT(s, code == 0 && is_reason(s, 0, PLX_REASON_NONE) && same(error->message, ""));
    EXPECT(s, error->message != NULL && error->code == code);
}

static void reconnects_not(struct stage *s)
{
    EXPECT(s, plx_socket_reconnects_in(s->socket) == -1);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A UDP socket without a peer, and without one on its way, is refused by the calls for bytes. */
static bool is_peerless(const struct stage *s)
{
    return s->sort == UDP && !place_has_peer(s) && s->place != LOOKING_UP && s->place != CONNECTING;
}

static void bytes_available(struct stage *s)
{
    EXPECT(s, plx_socket_bytes_available(s->socket) == (place_has_unread(s) ? UNREAD_SIZE : 0));
    plx_socket_purge(s->socket);
    EXPECT(s, plx_socket_bytes_available(s->socket) == 0);
}

static void nothing_left_to_read(struct stage *s)
{
    EXPECT(s, plx_socket_end_of_file(s->socket) == (!place_has_unread(s) && !place_may_receive(s)));
}

static void read_counts(struct stage *s)
{
    char data[100];
    ptrdiff_t nothing = place_may_receive(s) ? 0 : -1;
    int before = plx_socket_last_error(s->socket);

    if (is_peerless(s)) {
        EXPECT(s, plx_socket_read(s->socket, data, sizeof data) == -1);
        EXPECT(s, plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
        return;
    }
    if (place_has_unread(s))
        EXPECT(s, plx_socket_read(s->socket, data, sizeof data) == UNREAD_SIZE);
    EXPECT(s, plx_socket_read(s->socket, data, sizeof data) == nothing);
    EXPECT(s, plx_socket_last_error(s->socket) == before);
    EXPECT(s, plx_socket_read(s->socket, NULL, 1) == -1);
    EXPECT(s, plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
}

static void read_exactly(struct stage *s)
{
    char data[100];

    if (sort_has_packets(s)) {
        EXPECT(s, plx_socket_read_exact(s->socket, data, 1) == -1);
        EXPECT(s, plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
        return;
    }
    EXPECT(s, plx_socket_read_exact(s->socket, data, UNREAD_SIZE + 1) ==
                  (place_may_receive(s) ? 0 : -1));
    EXPECT(s, plx_socket_bytes_available(s->socket) == (place_has_unread(s) ? UNREAD_SIZE : 0));
    if (place_has_unread(s))
        EXPECT(s, plx_socket_read_exact(s->socket, data, UNREAD_SIZE) == UNREAD_SIZE);
}

static void read_all_of_it(struct stage *s)
{
    size_t size = 77, again = 77;
    const void *ahead = plx_socket_lookahead(s->socket, &size);
    bool readable = place_has_unread(s) && !is_peerless(s);

    EXPECT(s, ahead != NULL && size == (readable ? UNREAD_SIZE : 0));
    EXPECT(s, plx_socket_lookahead(s->socket, NULL) != NULL);
    ahead = plx_socket_lookahead(s->socket, NULL);
    EXPECT(s, !readable || ahead == plx_socket_read_all(s->socket, &again));
    EXPECT(s, !readable || (again == UNREAD_SIZE && memcmp(ahead, UNREAD, UNREAD_SIZE) == 0));
    EXPECT(s, plx_socket_read_all(s->socket, &again) != NULL && again == 0);
    EXPECT(s, plx_socket_read_all(s->socket, NULL) != NULL);
}

static void lines(struct stage *s)
{
    char line[100] = "untouched";
    bool ended = !place_may_receive(s);

    EXPECT(s, plx_socket_can_read_line(s->socket) == (place_has_unread(s) && !sort_has_packets(s)));
    EXPECT(s, plx_socket_read_line(s->socket, line, 1) == -1);
    EXPECT(s, plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_read_line(s->socket, NULL, 9) == -1);
    EXPECT(s, same(line, "untouched"));
    if (sort_has_packets(s)) {
        EXPECT(s, plx_socket_read_line(s->socket, line, sizeof line) == -1);
        return;
    }
    if (place_has_unread(s))
        EXPECT(s, plx_socket_read_line(s->socket, line, sizeof line) == 5 && same(line, "line\n"));
    EXPECT(s, plx_socket_can_read_line(s->socket) == (place_has_unread(s) && ended));
    if (place_has_unread(s) && ended)
        EXPECT(s, plx_socket_read_line(s->socket, line, sizeof line) == 4 && same(line, "rest"));
    EXPECT(s, plx_socket_read_line(s->socket, line, sizeof line) == (ended ? -1 : 0));
}

static void skipped(struct stage *s)
{
    bool readable = place_has_unread(s) && !is_peerless(s);
    size_t first = sort_has_packets(s) ? UNREAD_SIZE : 4;

    EXPECT(s, plx_socket_skip(s->socket, 4) == (readable ? first : 0));
    EXPECT(s, plx_socket_skip(s->socket, 100) == (readable ? UNREAD_SIZE - first : 0));
    EXPECT(s, plx_socket_skip(s->socket, 100) == 0);
}

static void unread_first(struct stage *s)
{
    char data[100] = "";
    int code = sort_has_packets(s) ? PLX_INVALID_STATE : 0;
    int told = s->log.count[EVENT_DATA_AVAILABLE];

    EXPECT(s, plx_socket_unread(s->socket, "back", 4) == code);
    EXPECT(s, plx_socket_unread(s->socket, NULL, 0) == code);
    EXPECT(s, plx_socket_unread(s->socket, NULL, 1) == PLX_INVALID_STATE);
    if (code == 0) {
        world_settle(s->w);
        EXPECT(s, s->place == CLOSING || s->log.count[EVENT_DATA_AVAILABLE] == told);
        EXPECT(s, plx_socket_read(s->socket, data, 4) == 4 && same(data, "back"));
        EXPECT(s, plx_socket_bytes_available(s->socket) == (place_has_unread(s) ? UNREAD_SIZE : 0));
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static void written(struct stage *s)
{
    bool can = place_can_write(s);

    EXPECT(s, plx_socket_bytes_left_to_send(s->socket) == (s->place == CLOSING ? 6 : 0));
    EXPECT(s, plx_socket_write(s->socket, "seven..", 7) == (can ? 7 : -1));
    EXPECT(s, can || plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_write_text(s->socket, "text") == (can ? 4 : -1));
    EXPECT(s, plx_socket_bytes_left_to_send(s->socket) == (can ? 11 : s->place == CLOSING ? 6 : 0));
    EXPECT(s, plx_socket_write(s->socket, NULL, 1) == -1);
    EXPECT(s, plx_socket_write_text(s->socket, NULL) == -1);
    EXPECT(s, plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
}

/* An empty packet looks like the end to most, see pollux/seqpacket.h. */
static void written_none(struct stage *s)
{
    bool can = place_can_write(s) && s->sort != SEQPACKET;

    EXPECT(s, plx_socket_write(s->socket, NULL, 0) == (can ? 0 : -1));
    EXPECT(s, plx_socket_write_text(s->socket, "") == (can ? 0 : -1));
}

static void flushed(struct stage *s)
{
    EXPECT(s, plx_socket_flush(s->socket) == 0);
    EXPECT(s, plx_socket_flush(s->socket) == 0);
    EXPECT(s, plx_socket_bytes_left_to_send(s->socket) == 0);
    if (s->place == CLOSING)
        raw_expect(s->w, s->peer, "queued");
}

/* ---- starting and ending --------------------------------------------------------------------- */

/* A socket that is under way refuses what comes too early by another reason. */
static plx_reason reason_of_early_calls(const struct stage *s)
{
    plx_state state = plx_socket_state(s->socket);

    return state == PLX_HOST_LOOKUP || state == PLX_CONNECTING ? PLX_REASON_UNFINISHED_OPERATION
                                                               : PLX_REASON_OPERATION;
}

static void open_already(struct stage *s)
{
    bool again = s->sort == UDP && (s->place == BOUND || s->place == LEFT);
    int raw = world_raw(s->w, promises_raw(s->sort));

    if (place_is_unconnected(s))
        return;
    EXPECT(s, plx_socket_connect(s->socket) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_listen(s->socket) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_listen_on(s->socket, s->where) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_adopt(s->socket, raw) == PLX_INVALID_STATE);
    EXPECT(s, again || plx_socket_connect_to(s->socket, "127.0.0.1:9") == PLX_INVALID_STATE);
    EXPECT(s, again || is_reason(s, PLX_INVALID_STATE, reason_of_early_calls(s)));
    EXPECT(s, s->sort != UDP || plx_udp_bind(s->socket, ":0") == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_state(s->socket) == place_state(s));
    EXPECT(s, place_has_unread(s) == (plx_socket_bytes_available(s->socket) > 0));
}

static void errors_of_the_call(struct stage *s)
{
    plx_address none = {0};

    if (!place_is_unconnected(s))
        return;
    EXPECT(s, plx_socket_connect_to(s->socket, NULL) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_connect_to_address(s->socket, NULL) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_connect_to_address(s->socket, &none) == PLX_INVALID_STATE);
    none = (plx_address){.family = 4, .bytes = {127, 0, 0, 1}};
    EXPECT(s, plx_socket_connect_to_address(s->socket, &none) ==
                  (sort_has_path(s) ? PLX_INVALID_STATE : PLX_INVALID_PORT));
    if (sort_has_path(s)) {
        ck_assert_int_eq(plx_socket_set_path(s->socket, NULL), 0);
        EXPECT(s, plx_socket_connect(s->socket) == PLX_INVALID_STATE);
        EXPECT(s, plx_socket_listen(s->socket) == PLX_INVALID_STATE);
        EXPECT(s, plx_socket_connect_to(s->socket, "") == PLX_INVALID_STATE);
    } else {
        EXPECT(s, plx_socket_connect_to(s->socket, "127.0.0.1") == PLX_INVALID_PORT);
        EXPECT(s, plx_socket_connect_to(s->socket, "127.0.0.1:65536") == PLX_INVALID_PORT);
        EXPECT(s, plx_socket_connect_to(s->socket, "127.0.0.1:0") == PLX_INVALID_PORT);
        EXPECT(s, plx_socket_connect_to(s->socket, ":80") == PLX_NAME_RESOLUTION);
        EXPECT(s, plx_socket_connect_to(s->socket, "[x]:80") == PLX_INVALID_STATE);
    }
    EXPECT(s, plx_socket_state(s->socket) == PLX_UNCONNECTED);
}

static void errors_of_connect(struct stage *s)
{
    if (!place_is_unconnected(s) || s->sort != TCP)
        return;
    ck_assert_int_eq(plx_socket_set_address(s->socket, NULL), 0);
    EXPECT(s, plx_socket_connect(s->socket) == PLX_NAME_RESOLUTION);
    EXPECT(s, is_reason(s, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME));
    ck_assert_int_eq(plx_socket_set_address(s->socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_set_port(s->socket, 0), 0);
    EXPECT(s, plx_socket_connect(s->socket) == PLX_INVALID_PORT);
}

/* Whatever was left is dropped, and the last error cleared. */
static void begins_empty(struct stage *s)
{
    if (!place_is_unconnected(s))
        return;
    plx_socket_set_port(s->socket, -1);
    if (s->sort == UDP)
        EXPECT(s, plx_socket_connect(s->socket) == 0);
    else
        EXPECT(s, plx_socket_connect_to(s->socket, sort_has_path(s) ? "/no/such" : "127.0.0.1:9") ==
                      0);
    EXPECT(s, plx_socket_state(s->socket) == (s->sort == UDP ? PLX_BOUND : PLX_CONNECTING));
    EXPECT(s, plx_socket_bytes_available(s->socket) == 0);
    EXPECT(s, is_reason(s, 0, PLX_REASON_NONE));
}

static void adopt_refused(struct stage *s)
{
    int other = world_raw(s->w, promises_raw(s->sort == TCP ? IPC : TCP));
    int fresh = world_raw(s->w, promises_raw(s->sort));

    if (!place_is_unconnected(s))
        return;
    EXPECT(s, plx_socket_adopt(s->socket, other) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_adopt(s->socket, fresh) == PLX_INVALID_STATE); /* neither of it all */
    EXPECT(s, plx_socket_adopt(s->socket, -1) == EBADF);
    EXPECT(s, plx_socket_adopt_activated(s->socket, NULL) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_adopt_activated(s->socket, "name") == PLX_INVALID_STATE);
    EXPECT(s, fcntl(other, F_GETFD) != -1 && fcntl(fresh, F_GETFD) != -1);
}

static void disconnected(struct stage *s)
{
    bool waits = s->place == CONNECTED || s->place == READABLE || s->place == HALF_ENDED ||
                 s->place == CLOSING;

    record_clear(&s->log);
    EXPECT(s,
           plx_socket_disconnect(s->socket) == (place_is_unconnected(s) ? PLX_INVALID_STATE : 0));
    if (place_is_unconnected(s))
        return;
    if (s->sort == UDP && place_has_peer(s))
        EXPECT(s, plx_socket_state(s->socket) == PLX_BOUND);
    else if (waits)
        EXPECT(s,
               plx_socket_state(s->socket) == PLX_CLOSING && plx_socket_disconnect(s->socket) == 0);
    else
        EXPECT(s, plx_socket_state(s->socket) == PLX_UNCONNECTED);
    EXPECT(s, s->log.length == 0);
}

/* A datagram socket of which the peer is cancelled had been bound by the same call. */
static void kept_by(struct stage *s, bool closed)
{
    char path[WHERE_SIZE];
    int port, error = plx_socket_last_error(s->socket);

    snprintf(path, sizeof path, "%s", plx_socket_path(s->socket));
    ck_assert_int_eq(plx_socket_set_option(s->socket, PLX_OPTION_READ_LIMIT, 12345), 0);
    if (!sort_has_path(s))
        ck_assert_int_eq(plx_socket_set_port(s->socket, 1234), 0);
    port = sort_has_path(s) ? 0 : 1234;
    record_clear(&s->log);
    closed ? plx_socket_close(s->socket) : plx_socket_abort(s->socket);
    EXPECT(s, plx_socket_state(s->socket) == PLX_UNCONNECTED);
    EXPECT(s, plx_socket_bytes_left_to_send(s->socket) == 0);
    EXPECT(s, plx_socket_bytes_available(s->socket) ==
                  (closed && place_has_unread(s) ? UNREAD_SIZE : 0));
    EXPECT(s, plx_socket_port(s->socket) == port && same(plx_socket_path(s->socket), path));
    EXPECT(s, plx_socket_option(s->socket, PLX_OPTION_READ_LIMIT) == 12345);
    EXPECT(s, plx_socket_user(s->socket) == &s->log);
    EXPECT(s, plx_socket_last_error(s->socket) == error);
    world_settle(s->w);
    EXPECT(s, s->log.length == 0);
}

static void closed(struct stage *s)
{
    kept_by(s, true);
}

static void aborted(struct stage *s)
{
    kept_by(s, false);
}

static void freed(struct stage *s)
{
    record_clear(&s->log);
    world_forget(s->w, s->socket);
    EXPECT(s, plx_socket_free(s->socket) == NULL);
    world_settle(s->w);
    EXPECT(s, s->log.length == 0);
}

static void other_handlers(struct stage *s)
{
    static const plx_events none = {.connected = NULL};
    int other;

    EXPECT(s, plx_socket_user(s->socket) == &s->log);
    plx_socket_set_user(s->socket, &other);
    EXPECT(s, plx_socket_user(s->socket) == &other);
    plx_socket_set_events(s->socket, &none, NULL);
    EXPECT(s, plx_socket_user(s->socket) == NULL);
    plx_socket_set_events(s->socket, NULL, &other);
    EXPECT(s, plx_socket_user(s->socket) == &other);
    record_clear(&s->log);
    plx_socket_close(s->socket);
    world_settle(s->w);
    EXPECT(s, s->log.length == 0);
}

/* ---- waits ----------------------------------------------------------------------------------- */

static void waits_of_no_time(struct stage *s)
{
    EXPECT(s, plx_socket_wait_for_connected(s->socket, 0) ==
                  (place_state(s) == PLX_CONNECTED || place_state(s) == PLX_BOUND ||
                   (s->place == CONNECTING && plx_socket_is_connected(s->socket))));
}

static void wait_for_fresh_data(struct stage *s)
{
    bool fresh = place_has_unread(s);

    EXPECT(s, plx_socket_wait_for_data(s->socket, 0) == fresh);
    plx_socket_lookahead(s->socket, NULL);
    EXPECT(s, !plx_socket_wait_for_data(s->socket, 0));
}

static void wait_where_nothing_comes(struct stage *s)
{
    if (!place_is_unconnected(s))
        return;
    plx_socket_purge(s->socket);
    world_settle(s->w);
    EXPECT(s, !plx_socket_wait(s->socket, -1));
    EXPECT(s, !plx_socket_wait_for_connected(s->socket, -1));
    EXPECT(s, !plx_socket_wait_for_data(s->socket, -1));
    EXPECT(s, !plx_socket_wait_for_sent(s->socket, -1));
    EXPECT(s, plx_socket_wait_for_disconnected(s->socket, -1));
}

static void wait_for_all_sent(struct stage *s)
{
    EXPECT(s, plx_socket_wait_for_sent(s->socket, 0) == !place_is_unconnected(s));
    if (s->place != CLOSING)
        return;
    raw_expect(s->w, s->peer, "queued");
    raw_close(s->w, s->peer);
    EXPECT(s, plx_socket_wait_for_disconnected(s->socket, 10000));
    EXPECT(s, plx_socket_wait_for_sent(s->socket, 0)); /* it ended after all was sent */
    plx_socket_close(s->socket);
    EXPECT(s, !plx_socket_wait_for_sent(s->socket, 0));
}

static void wait_for_the_end(struct stage *s)
{
    bool over = place_is_unconnected(s);

    EXPECT(s, plx_socket_wait_for_disconnected(s->socket, 0) == over ||
                  (s->place == CLOSING && plx_socket_state(s->socket) == PLX_UNCONNECTED));
}

static void poll_in_time(struct stage *s)
{
    for (int i = 0; i < 20; i++)
        plx_socket_poll(s->socket);
    EXPECT(s, !plx_socket_poll(s->socket));
}

/* ---- the rules ------------------------------------------------------------------------------- */

#define RULE(sentence, hold)                                                                       \
    {                                                                                              \
        "socket.h", sentence, hold                                                                 \
    }

static const struct rule rules[] = {
    RULE("plx_socket_state returns the state; is_listening whether it is LISTENING", state_as_is),
    RULE("plx_socket_is_connected returns whether the state is CONNECTED or BOUND",
         connected_or_bound),
    RULE("plx_socket_handle returns the descriptor, or -1 when there is none", handle_or_none),
    RULE("plx_socket_address returns the address as set, \"\" when none is", address_as_set),
    RULE("plx_socket_path returns the path as set; \"\" when none is, and for other kinds",
         path_as_set),
    RULE("set_path: ENAMETOOLONG (reason ADDRESS_NOT_AVAILABLE); unless 0, nothing changed",
         path_too_long),
    RULE("plx_socket_port returns the local port really bound while open, else as set",
         port_bound_or_set),
    RULE("set_port: PLX_INVALID_PORT (reason PORT_OUT_OF_RANGE); unless 0, nothing changed",
         port_in_range),
    RULE("set_interface: 0, or PLX_INVALID_STATE for a socket that has a path", interface_is_kept),
    RULE("plx_socket_local: false, and *ret_address untouched: not open, or a Unix path",
         local_or_untouched),
    RULE("plx_socket_local_address: as a string without port, IPC the path; \"\" when not open",
         local_as_text),
    RULE("plx_socket_remote: stays known after the end, until close; false and untouched: no peer",
         remote_or_untouched),
    RULE("plx_socket_remote_address: \"\" when there is no peer; remote_port: 0", remote_as_text),
    RULE("plx_socket_error: without one: code 0, reason NONE, message \"\"; never NULL",
         error_or_none),
    RULE("plx_socket_reconnects_in: -1 when the socket does not wait to connect again",
         reconnects_not),
    RULE("plx_socket_bytes_available returns how many can be read now; purge drops them",
         bytes_available),
    RULE("plx_socket_end_of_file: nothing is left to read and nothing will come",
         nothing_left_to_read),
    RULE("plx_socket_read: how many; 0: nothing now; -1: nothing will come, which is no error",
         read_counts),
    RULE("plx_socket_read_exact: size, or 0 while fewer have arrived, or -1", read_exactly),
    RULE("plx_socket_read_all is never NULL; lookahead returns the same", read_all_of_it),
    RULE("plx_socket_read_line: its length; 0 while no whole line has arrived; -1 at the end",
         lines),
    RULE("plx_socket_skip takes up to size received bytes and drops them; returns how many",
         skipped),
    RULE("plx_socket_unread returns 0 or PLX_INVALID_STATE (NULL, UDP, packets). No event reports "
         "them",
         unread_first),
    RULE("plx_socket_write: how many; -1, PLX_INVALID_STATE when unconnected, listening, after "
         "disconnect",
         written),
    RULE("plx_socket_write: 0 for size 0", written_none),
    RULE("plx_socket_flush returns 0, also when the queue is empty", flushed),
    RULE("connect, listen, adopt: PLX_INVALID_STATE when it is open already", open_already),
    RULE("connect_to: PLX_INVALID_PORT, PLX_NAME_RESOLUTION, PLX_INVALID_STATE for other nonsense",
         errors_of_the_call),
    RULE("connect: PLX_NAME_RESOLUTION with reason EMPTY_HOST_NAME, PLX_INVALID_PORT",
         errors_of_connect),
    RULE("connect: both buffers are emptied, the last error is cleared", begins_empty),
    RULE("adopt: PLX_INVALID_STATE or the kernel's error, and it remains yours", adopt_refused),
    RULE("disconnect: 0 (also when CLOSING already), or PLX_INVALID_STATE when UNCONNECTED",
         disconnected),
    RULE("close: silent; kept: properties, options, handlers, last error, and bytes received",
         closed),
    RULE("abort: silent, and drops both buffers", aborted),
    RULE("free: silent; returns NULL", freed),
    RULE("set_events: the user given with the table; NULL sets none", other_handlers),
    RULE("wait_for_connected: whether it is", waits_of_no_time),
    RULE("wait_for_data: true at once for bytes that came since the last read or lookahead",
         wait_for_fresh_data),
    RULE("waits return false at once when nothing can come (unconnected)",
         wait_where_nothing_comes),
    RULE("wait_for_sent: all that was written; false when the connection ended first",
         wait_for_all_sent),
    RULE("wait_for_disconnected: true at once when it is", wait_for_the_end),
    RULE("plx_socket_poll returns true when work is left", poll_in_time),
};

PROMISES(socket_header, rules)

WORLD_MAIN("promises")
