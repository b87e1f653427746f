/* tests/model/model.c -- what a socket may do next. */
#include "config.h"

#include "tests/model/model.h"

#include "tests/model/commands.h"
#include "tests/model/goodbye.h"
#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/route.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/timeouts.h"

#include <errno.h>
#include <stdlib.h>

enum { DEEPEST = 64, MOST_COMMANDS = 64 };

static struct model *models;

/* The polls that run, one inside the other; `frames` counts the outermost ones. */
static struct {
    unsigned serial[DEEPEST];
    bool is_wait[DEEPEST];
    int depth;
    unsigned last, frames;
    const struct model *ran; /* whose handler was the last one that ran, in this poll */
} polls;

/* ---- models ---------------------------------------------------------------------------------- */

void models_begin(void)
{
    polls.depth = 0;
    models = NULL;
}

void models_end(void)
{
    while (models != NULL) {
        struct model *next = models->next;

        free(models);
        models = next;
    }
}

void models_forget_group(const plx_group *group)
{
    guests_forget_group(group);
    for (struct model *model = models; model != NULL; model = model->next)
        if (model->group == group) {
            model->group = NULL;
            model->is_alone = model->owner == NULL || model->owner->group != group;
        }
    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].group == group)
            player.houses[i].group = NULL;
}

void models_follow(const struct house *house, plx_group *group)
{
    for (struct model *model = models; model != NULL; model = model->next)
        if (model->owner == house && model->socket != NULL) {
            model->group = group;
            model->is_alone = false;
        }
}

void models_forget_owner(const struct house *owner)
{
    for (struct model *model = models; model != NULL; model = model->next)
        if (model->owner == owner && model->socket != NULL)
            model_forget(model);
}

struct model *model_new(plx_socket *socket, enum sort sort, enum flavour flavour)
{
    struct model *model = calloc(1, sizeof *model);

    if (model == NULL)
        abort();
    *model = (struct model){
        .socket = socket, .sort = sort, .flavour = flavour, .line = LINE_NONE, .next = models};
    plx_socket_set_user(socket, model);
    return models = model;
}

struct model *model_of(const plx_socket *socket)
{
    return plx_socket_user(socket);
}

bool flavour_has_frame(enum flavour flavour)
{
    return flavour == FLAVOUR_FRAMED || flavour == FLAVOUR_LINES || flavour_has_commands(flavour);
}

bool flavour_has_commands(enum flavour flavour)
{
    return flavour == FLAVOUR_COMMANDS || flavour == FLAVOUR_DATA_LENGTH;
}

bool model_is_stream(const struct model *model)
{
    return (model->sort == SORT_TCP || model->sort == SORT_IPC) &&
           !flavour_has_frame(model->flavour);
}

bool model_has_records(const struct model *model)
{
    return !model_is_stream(model);
}

bool model_is_filtered(const struct model *model)
{
    return model->flavour >= FLAVOUR_BITS;
}

bool model_is_encrypted(const struct model *model)
{
    return model_is_tls(model) && (model->has_tls || model->has_begun_tls);
}

/* ---- connections ----------------------------------------------------------------------------- */

void model_begin(struct model *model)
{
    if (model->end != NULL)
        model->end->gone = true;
    model->end = end_new(false);
    model->phase = PHASE_TRYING;
    model->closing = model->has_input_end = model->has_dropped = model->is_over = false;
    model->awaited = false;
    model->reconnects = model_option(model, PLX_OPTION_AUTO_CONNECT) > 0;
    model->was_half_open = model_option(model, PLX_OPTION_HALF_OPEN) == 1;
    model->pending = 0;
    model->joined = 0;
    route_forget(model);
    timeouts_begin(model);
    if (model->flavour >= FLAVOUR_NOISE)
        model->end->blind = false;
    if (model->has_begun_tls)
        model->flavour = FLAVOUR_PLAIN;
    model->has_begun_tls = model->waits_encrypted = false;
    if (model_is_tls(model) && !model->has_tls) /* in clear, and the other end is not */
        model->end->blind = model->end->noise = true;
}

void model_cut(struct model *model)
{
    model->phase = PHASE_IDLE;
    model->pending = 0;
    model->joined = 0;
    route_forget(model);
    if (model->end == NULL)
        return;
    if (model->end->outlet == OUTLET_FLOWS)
        model->end->outlet = OUTLET_CUT;
    model->end->gone = true;
}

void model_forget(struct model *model)
{
    model_cut(model);
    model->socket = NULL;
}

void model_failed(struct model *model, const char *call, int code)
{
    int last = plx_socket_last_error(model->socket);

    trace("%s of %u returned %d", call, model->end == NULL ? 0 : model->end->number, code);
    if (code == 0 || code == EAGAIN)
        return;
    if (code < 0 || last != code)
        fault("%s returned %d, and the last error is %d", call, code, last);
    if (model->pending == 0)
        model->pending = code;
}

/* The connection that AUTO_CONNECT has made has the statistics of its own. */
static void renew(struct model *model, const plx_statistics *now, size_t unread, size_t unsent)
{
    struct end *end;

    model_begin(model);
    end = model->end;
    end->got = now->bytes_received - unread;
    end->put = now->bytes_sent + unsent;
    end->blind = end->got > 0;
    end->noise = end->put > 0;
}

void model_renew(struct model *model)
{
    plx_statistics now;
    size_t unread = plx_socket_bytes_available(model->socket);
    size_t unsent = plx_socket_bytes_left_to_send(model->socket);
    struct end *end = model->end;
    bool in, out;

    if (end == NULL || !model_is_stream(model))
        return;
    plx_socket_statistics(model->socket, &now);
    in = now.bytes_received == end->got + unread || model->closing || end->blind;
    out = now.bytes_sent + unsent == end->put || model->has_dropped || end->noise ||
          plx_socket_state(model->socket) != PLX_CONNECTED;
    if (model->reconnects && !(in && out))
        renew(model, &now, unread, unsent);
    else if (!in)
        fault("end %u: %llu bytes received, %llu read, %zu unread", end->number,
              (unsigned long long)now.bytes_received, (unsigned long long)end->got, unread);
    else if (!out)
        fault("end %u: %llu bytes sent, %zu unsent, %llu written", end->number,
              (unsigned long long)now.bytes_sent, unsent, (unsigned long long)end->put);
}

/* ---- polls ----------------------------------------------------------------------------------- */

void poll_begin(bool is_wait)
{
    if (polls.depth == 0)
        polls.frames++;
    if (polls.depth == DEEPEST)
        abort();
    polls.ran = NULL;
    time_mark();
    polls.serial[polls.depth] = ++polls.last;
    polls.is_wait[polls.depth++] = is_wait;
}

void poll_end(void)
{
    polls.depth--;
}

int polls_running(void)
{
    return polls.depth;
}

void model_wait(struct model *model)
{
    model->murky = model->murky_next = polls.frames;
}

bool model_is_murky(const struct model *model)
{
    return model->murky != 0 && (polls.frames == model->murky || polls.frames == model->murky_next);
}

/* ---- events ---------------------------------------------------------------------------------- */

#define STATE(state) (1u << PLX_##state)

/* The states in which each line may be reported; 0: any. */
static const unsigned states[] = {
    [LINE_HOST_LOOKUP] = STATE(HOST_LOOKUP),
    [LINE_CONNECTING] = STATE(CONNECTING),
    [LINE_BOUND] = STATE(BOUND),
    [LINE_LISTENING] = STATE(LISTENING),
    [LINE_STATE_CONNECTED] = STATE(CONNECTED),
    [LINE_CONNECTED] = STATE(CONNECTED),
    [LINE_ENCRYPTED] = STATE(CONNECTED),
    [LINE_DATA] = STATE(CONNECTED) | STATE(CLOSING) | STATE(BOUND),
    [LINE_LINE] = STATE(CONNECTED) | STATE(CLOSING) | STATE(BOUND),
    [LINE_MESSAGE] = STATE(CONNECTED) | STATE(CLOSING) | STATE(BOUND),
    [LINE_COMMAND] = STATE(CONNECTED) | STATE(CLOSING),
    [LINE_END_OF_INPUT] = STATE(CONNECTED),
    [LINE_CLOSING] = STATE(CLOSING),
    [LINE_PROGRESS] = STATE(CONNECTED) | STATE(CLOSING) | STATE(BOUND),
    [LINE_COMPLETE] = STATE(CONNECTED) | STATE(CLOSING) | STATE(BOUND),
    /* Before CONNECTED if the limit was raised. */
    [LINE_ROOM] = STATE(HOST_LOOKUP) | STATE(CONNECTING) | STATE(CONNECTED) | STATE(BOUND),
    [LINE_UNCONNECTED] = STATE(UNCONNECTED),
    [LINE_END_ERROR] = STATE(UNCONNECTED),
    [LINE_DISCONNECTED] = 0,
};

/* One poll reports its lines in their order, each at most once. In a wait many polls run. */
static void look_at_order(struct model *model, enum line line, const char *name)
{
    unsigned serial = polls.serial[polls.depth - 1];

    bool again = line == LINE_COMMAND && model->line == line && model->poll == serial;

    if (polls.is_wait[polls.depth - 1])
        model->line = LINE_NONE;
    else if (model->poll == serial && line <= model->line && !again)
        fault("%s: line %d after line %d in one poll", name, line, model->line);
    model->commands = again ? model->commands + 1 : 1;
    if (again && model->commands > MOST_COMMANDS && !polls.is_wait[polls.depth - 1])
        fault("%d commands in one poll", model->commands);
    model->poll = serial;
    model->line = line;
}

static void look_at_state(const struct model *model, enum line line, const char *name)
{
    plx_state state = plx_socket_state(model->socket);

    if (line == LINE_COMMAND && state == PLX_UNCONNECTED && (model->closing || model->awaited))
        return; /* only the events of the end wait for the commands */
    if (states[line] != 0 && (states[line] & 1u << state) == 0 && !model_is_murky(model))
        fault("%s in state %s", name, plx_state_name(state));
}

/* Nothing but the error of a call follows `disconnected`, or the error of an attempt that failed,
 * until a connection begins. AUTO_CONNECT begins one by its state. */
static void look_at_phase(const struct model *model, enum line line, const char *name)
{
    bool is_state = line >= LINE_HOST_LOOKUP && line <= LINE_STATE_CONNECTED;
    bool begins = model->reconnects && (is_state || model_is_murky(model));

    if (line == LINE_CALL_ERROR || begins)
        return;
    if (model->phase == PHASE_IDLE)
        fault("%s without a connection", name);
    if (model->is_over && line != LINE_DISCONNECTED)
        fault("%s behind the error that ends the connection", name);
}

/* Bytes of the other end are those of an encrypted connection, and `encrypted` follows `connected`
 * at once. */
static void look_at_secrecy(struct model *model, enum line line, const char *name)
{
    bool is_bytes = line >= LINE_DATA && line <= LINE_END_OF_INPUT;
    bool is_sending = line >= LINE_PROGRESS && line <= LINE_ROOM && !model->has_begun_tls;
    bool is_up = plx_socket_state(model->socket) == PLX_CONNECTED && model->phase == PHASE_UP;
    bool waits = model->waits_encrypted;

    if (line == LINE_ENCRYPTED)
        model->waits_encrypted = false;
    if (!model_is_encrypted(model) || model_is_murky(model) || model->reconnects || !is_up)
        return;
    if (line == LINE_ENCRYPTED && !waits)
        fault("encrypted twice, or before connected");
    if ((is_bytes || is_sending) && waits)
        fault("%s before encrypted", name);
    if ((is_bytes || line == LINE_ENCRYPTED) && !plx_socket_is_encrypted(model->socket))
        fault("%s, and the socket is not encrypted", name);
    if (line == LINE_END_OF_INPUT && model->flavour == FLAVOUR_TLS12)
        fault("end_of_input in TLS 1.2, which has no half-open connections");
}

void model_enter(struct model *model, enum line line, const char *name)
{
    player.moved++;
    trace_page()->events++;
    if (model->socket == NULL) {
        fault("%s after free", name);
        return;
    }
    trace("> %s of %u in %s", name, model->end == NULL ? 0 : model->end->number,
          plx_state_name(plx_socket_state(model->socket)));
    if (polls.depth == 0)
        fault("%s outside a poll", name);
    if (model->inside++ > 0)
        fault("%s inside a handler of the same socket", name);
    if (model->murky_next == model->murky)
        model->murky_next = polls.frames;
    if (polls.depth > 0)
        look_at_order(model, line, name);
    look_at_state(model, line, name);
    look_at_phase(model, line, name);
    look_at_secrecy(model, line, name);
    if (line == LINE_DATA)
        timeouts_hear(model);
    if (line >= LINE_DATA && line <= LINE_MESSAGE && flavour_has_commands(model->flavour))
        fault("%s of a socket with commands", name);
}

bool model_has_begun(const struct model *model)
{
    return polls.depth > 0 && model->poll == polls.serial[polls.depth - 1] &&
           !polls.is_wait[polls.depth - 1];
}

bool model_was_last(const struct model *model, enum line line)
{
    return polls.depth > 0 && model->poll == polls.serial[polls.depth - 1] && model->line == line;
}

bool model_is_first(const struct model *model)
{
    return polls.ran != model;
}

void model_leave(struct model *model)
{
    model->inside--;
    polls.ran = model;
    time_mark();
}

void model_state(struct model *model, plx_state state)
{
    bool begins = state == PLX_HOST_LOOKUP || state == PLX_CONNECTING;

    if (state == PLX_CONNECTED)
        route_connected(model);
    if (begins && model->reconnects && (model->phase == PHASE_IDLE || model->is_over))
        model_begin(model);
}

void model_connected(struct model *model)
{
    if (model->reconnects && (model->phase == PHASE_IDLE || model->is_over))
        model_begin(model);
    if (model->phase == PHASE_UP && model->sort != SORT_UDP && !model->reconnects)
        fault("connected twice");
    route_connected(model);
    model->phase = PHASE_UP;
    model->waits_encrypted = model_is_encrypted(model);
    timeouts_connected(model);
}

/* The errors that come while the socket goes on. */
static bool may_go_on(const struct model *model, int code)
{
    return model->sort == SORT_UDP || (model->sort == SORT_SEQPACKET && code == EMSGSIZE) ||
           (code == PLX_OUT_OF_MEMORY && supply_has_refused()) ||
           (code == PLX_OPEN_DRIVER && player.program->starves) || model->reconnects ||
           (code == EPERM && plx_socket_is_listening(model->socket)); /* accept(2): a firewall */
}

void model_error(struct model *model, const plx_error *error)
{
    bool ended = plx_socket_state(model->socket) == PLX_UNCONNECTED;

    trace("  %d %s", error->code, error->message == NULL ? "NULL" : error->message);
    if (error->code == 0 || error->message == NULL || error->message[0] == '\0')
        fault("an error with code %d and message \"%s\"", error->code,
              error->message == NULL ? "NULL" : error->message);
    route_keep_secret(error->message, "an error");
    if (model->pending == error->code && model->line != LINE_END_ERROR) {
        model->pending = 0;
    } else if (ended && model->phase != PHASE_IDLE && !model->is_over &&
               (model->line == LINE_END_ERROR || !command_lacks_memory(model, error)) &&
               (model->sort != SORT_SEQPACKET || error->code != EMSGSIZE)) {
        model->is_over = true;
        timeouts_over(model, error);
        route_error(model, error);
        if (error->reason == PLX_REASON_REMOTE_HOST_CLOSED)
            goodbye_look(model, error);
        if (flavour_has_commands(model->flavour))
            command_error(model, error);
        if (model->end != NULL && model->end->outlet == OUTLET_FLOWS)
            model->end->outlet = OUTLET_CUT;
    } else if (may_go_on(model, error->code)) {
        model->pending = 0; /* a later failure of a call is not reported beside this one */
    } else {
        fault("an error %d that nothing has caused", error->code);
    }
}

/* A peer that has ended ends a disconnect too, and the kernel sends the rest, for as long as the
 * option allows. */
static bool gives_up(const struct model *model)
{
    return model->sort == SORT_TCP && model_option(model, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT) > 0;
}

void model_disconnected(struct model *model)
{
    if (model->sort == SORT_UDP) {
        model->phase = PHASE_TRYING;
        return;
    }
    if (model->closing && model->end->outlet == OUTLET_FLOWS && !model->has_dropped)
        model->end->outlet = gives_up(model) ? OUTLET_CUT : OUTLET_ENDED;
    model->end->gone = true;
    model->phase = PHASE_IDLE;
}
