/* tests/record.c -- writes down every event of a socket. See record.h. */
#include "config.h"

#include "tests/record.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *state_name(plx_state state)
{
    static const char *const names[] = {"UNCONNECTED", "HOST_LOOKUP", "CONNECTING", "CONNECTED",
                                        "BOUND",       "LISTENING",   "CLOSING"};

    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

unsigned char pattern_byte(uint64_t offset)
{
    return (unsigned char)(offset * 31 + (offset >> 8) * 7 + (offset >> 16));
}

void pattern_fill(void *data, size_t size, uint64_t offset)
{
    unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern_byte(offset + i);
}

bool pattern_matches(const void *data, size_t size, uint64_t offset)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != pattern_byte(offset + i))
            return false;
    return true;
}

void record_clear(struct record *record)
{
    record->text[0] = '\0';
    record->length = 0;
    memset(record->count, 0, sizeof record->count);
    record->sent = record->left = 0;
    record->fired = false;
}

void record_begin(struct record *record, plx_socket *socket)
{
    memset(record, 0, sizeof *record);
    record->when = EVENT_NEVER;
    plx_socket_set_events(socket, &record_events, record);
}

void record_on(struct record *record, enum event when, record_act *act, void *data)
{
    record->when = when;
    record->act = act;
    record->data = data;
    record->fired = false;
}

static void note(struct record *record, enum event event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct record *record, enum event event, const char *format, ...)
{
    size_t room = sizeof record->text - record->length;
    va_list arguments;
    int written;

    ck_assert_msg(!record->inside, "an event came inside another of the same socket, after \"%s\"",
                  record->text);
    record->inside = true;
    record->count[event]++;
    if (record->mute & (1u << event) || room < 100)
        return;
    if (record->length > 0) {
        record->text[record->length++] = ' ';
        room--;
    }
    va_start(arguments, format);
    written = vsnprintf(record->text + record->length, room, format, arguments);
    va_end(arguments);
    record->length += (size_t)written;
}

/* The socket may be gone when this returns: nobody looks at it afterwards. */
static void act(struct record *record, enum event event, plx_socket *socket)
{
    if (record->when == event && (record->always || !record->fired)) {
        record->fired = true;
        record->act(record, socket);
    }
    record->inside = false;
}

static void on_connected(plx_socket *socket, void *user)
{
    note(user, EVENT_CONNECTED, "connected[%s]", state_name(plx_socket_state(socket)));
    act(user, EVENT_CONNECTED, socket);
}

static void swallow(struct record *record, plx_socket *socket)
{
    const void *bytes;
    size_t size;

    do { /* a packet at a time, if there are packets */
        bytes = plx_socket_read_all(socket, &size);
        ck_assert_msg(pattern_matches(bytes, size, record->swallowed),
                      "bytes lost, doubled or out of order after %llu",
                      (unsigned long long)record->swallowed);
        record->swallowed += size;
    } while (size > 0);
}

static void on_data_available(plx_socket *socket, void *user)
{
    struct record *record = user;

    note(record, EVENT_DATA_AVAILABLE, "data_available[%s]", state_name(plx_socket_state(socket)));
    if (record->swallow)
        swallow(record, socket);
    act(record, EVENT_DATA_AVAILABLE, socket);
}

static bool on_send_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    struct record *record = user;
    bool cancel = record->cancel;

    note(record, EVENT_SEND_PROGRESS, "send_progress(%zu,%zu)[%s]", sent, left,
         state_name(plx_socket_state(socket)));
    record->sent += sent;
    record->left = left;
    act(record, EVENT_SEND_PROGRESS, socket);
    return cancel;
}

static void on_send_complete(plx_socket *socket, bool user_aborted, void *user)
{
    note(user, EVENT_SEND_COMPLETE, "send_complete(%s)[%s]", user_aborted ? "true" : "false",
         state_name(plx_socket_state(socket)));
    act(user, EVENT_SEND_COMPLETE, socket);
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct record *record = user;

    note(record, EVENT_ERROR, "error(%d,%d)[%s]", error->code, (int)error->reason,
         state_name(plx_socket_state(socket)));
    ck_assert_int_ne(error->code, PLX_OK);
    ck_assert_int_ne(error->reason, PLX_REASON_NONE);
    ck_assert_ptr_nonnull(error->message);
    ck_assert_str_ne(error->message, "");
    ck_assert_int_eq(plx_socket_last_error(socket), error->code);
    record->code = error->code;
    record->reason = error->reason;
    record->os_error = error->os_error;
    snprintf(record->message, sizeof record->message, "%s", error->message);
    act(record, EVENT_ERROR, socket);
}

static void on_end_of_input(plx_socket *socket, void *user)
{
    note(user, EVENT_END_OF_INPUT, "end_of_input[%s]", state_name(plx_socket_state(socket)));
    act(user, EVENT_END_OF_INPUT, socket);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    note(user, EVENT_DISCONNECTED, "disconnected[%s]", state_name(plx_socket_state(socket)));
    act(user, EVENT_DISCONNECTED, socket);
}

static void on_state_changed(plx_socket *socket, plx_state state, void *user)
{
    struct record *record = user;

    if (plx_socket_state(socket) == state)
        note(record, EVENT_STATE_CHANGED, "state:%s", state_name(state));
    else
        note(record, EVENT_STATE_CHANGED, "state:%s[%s]", state_name(state),
             state_name(plx_socket_state(socket)));
    if (!record->picky || record->at == state)
        act(record, EVENT_STATE_CHANGED, socket);
    record->inside = false;
}

static void on_line_available(plx_socket *socket, void *user)
{
    note(user, EVENT_LINE_AVAILABLE, "line_available[%s]", state_name(plx_socket_state(socket)));
    act(user, EVENT_LINE_AVAILABLE, socket);
}

static void on_encrypted(plx_socket *socket, void *user)
{
    note(user, EVENT_ENCRYPTED, "encrypted[%s]", state_name(plx_socket_state(socket)));
    act(user, EVENT_ENCRYPTED, socket);
}

/* The proxy's port is of the kernel's choice, so the text has the realm only. Both strings have to
 * stay as they are until the handler returns, whatever it does. */
static void on_proxy_asks(plx_socket *socket, const char *proxy, const char *realm, void *user)
{
    char same_proxy[300], same_realm[200];

    snprintf(same_proxy, sizeof same_proxy, "%s", proxy);
    snprintf(same_realm, sizeof same_realm, "%s", realm);
    note(user, EVENT_PROXY_ASKS, "proxy_asks(%s)[%s]", realm, state_name(plx_socket_state(socket)));
    ck_assert_str_eq(proxy, plx_socket_proxy(socket));
    act(user, EVENT_PROXY_ASKS, socket);
    ck_assert_str_eq(proxy, same_proxy);
    ck_assert_str_eq(realm, same_realm);
}

const plx_events record_events = {
    .connected = on_connected,
    .data_available = on_data_available,
    .send_progress = on_send_progress,
    .send_complete = on_send_complete,
    .error = on_error,
    .end_of_input = on_end_of_input,
    .disconnected = on_disconnected,
    .state_changed = on_state_changed,
    .line_available = on_line_available,
    .encrypted = on_encrypted,
    .proxy_authentication_required = on_proxy_asks,
};
