/* tests/model/handlers.c -- what the handlers of a program do. */
#include "config.h"

#include "tests/model/handlers.h"

#include "tests/filters.h"
#include "tests/model/commands.h"
#include "tests/model/player.h"
#include "tests/model/time.h"

#include <errno.h>

/* ---- sockets --------------------------------------------------------------------------------- */

/* The two bytes of the delimiter may arrive one by one. */
const plx_frame *frame_of(enum flavour flavour)
{
    static const plx_frame framed = {.length_size = 2};
    static const plx_frame lines = {.delimiter = "\r\n", .delimiter_size = 2};

    return flavour == FLAVOUR_FRAMED ? &framed : flavour == FLAVOUR_LINES ? &lines : NULL;
}

unsigned flags_of(enum flavour flavour)
{
    return flavour == FLAVOUR_DATA_LENGTH ? PLX_COMMANDS_DATA_LENGTH : 0;
}

static plx_socket *push(plx_socket *socket, const plx_filter_kind *kind)
{
    return socket == NULL || plx_socket_push_filter(socket, kind) != NULL ? socket
                                                                          : plx_socket_free(socket);
}

static plx_socket *push_flavour(plx_socket *socket, enum flavour flavour)
{
    switch (flavour) {
    case FLAVOUR_BITS: return push(socket, &bits_filter);
    case FLAVOUR_STACK:
        return push(push(push(socket, &bits_filter), &blocks_filter), &records_filter);
    case FLAVOUR_ORDER: return push(socket, &order_filter);
    case FLAVOUR_STEPS: return push(socket, &steps_filter);
    case FLAVOUR_PLAIN:
    case FLAVOUR_FRAMED:
    case FLAVOUR_LINES:
    case FLAVOUR_COMMANDS:
    case FLAVOUR_DATA_LENGTH:
    case FLAVOUR_TLS12:
    case FLAVOUR_TLS13:
    case FLAVOURS: break;
    }
    return socket;
}

static plx_socket *create(enum sort sort)
{
    static plx_constructor *const constructors[] = {plx_tcp_new, plx_ipc_new, plx_seqpacket_new,
                                                    plx_udp_new};

    return constructors[sort]();
}

plx_socket *make_socket(enum sort sort, enum flavour flavour)
{
    plx_socket *socket = create(sort);
    const plx_frame *frame = frame_of(flavour);

    if (socket != NULL && flavour_has_commands(flavour))
        return plx_socket_set_commands(socket, flags_of(flavour)) == 0 ? socket
                                                                       : plx_socket_free(socket);
    if (socket == NULL || frame == NULL)
        return push_flavour(socket, flavour);
    return plx_socket_set_frame(socket, frame) == 0 ? socket : plx_socket_free(socket);
}

int equip(plx_socket *client, void *user)
{
    const struct house *house = user;
    const plx_filter_kind *kinds[FLAVOURS][3] = {
        [FLAVOUR_BITS] = {&bits_filter},
        [FLAVOUR_STACK] = {&bits_filter, &blocks_filter, &records_filter},
        [FLAVOUR_ORDER] = {&order_filter},
        [FLAVOUR_STEPS] = {&steps_filter}};

    for (int i = 0; i < 3 && kinds[house->flavour][i] != NULL; i++)
        if (plx_socket_push_filter(client, kinds[house->flavour][i]) == NULL)
            return PLX_OUT_OF_MEMORY;
    return 0;
}

/* ---- events of sockets ----------------------------------------------------------------------- */

/* Returns the model, NULL for a client that `accepted` did not report. */
static struct model *enter(plx_socket *socket, void *user, enum line line, const char *name)
{
    struct model *model = user;

    (void)socket;
    if (model == NULL)
        fault("%s before accepted", name);
    else
        model_enter(model, line, name);
    trace_in();
    return model;
}

static void leave(struct model *model)
{
    ruin();
    if (model != NULL && model->socket != NULL && model == player.slow)
        take_time(model);
    else if (model != NULL && model == player.flood)
        flood(model);
    else if (model != NULL)
        play_inner(model);
    trace_out();
    if (model != NULL)
        model_leave(model);
}

static void on_connected(plx_socket *socket, void *user)
{
    struct model *model = enter(socket, user, LINE_CONNECTED, "connected");

    if (model != NULL)
        model_connected(model);
    leave(model);
}

static void on_data(plx_socket *socket, void *user)
{
    leave(enter(socket, user, LINE_DATA, "data_available"));
}

static void on_line(plx_socket *socket, void *user)
{
    struct model *model = enter(socket, user, LINE_LINE, "line_available");

    if (!plx_socket_can_read_line(socket))
        fault("line_available without a line");
    leave(model);
}

static void on_message(plx_socket *socket, void *user)
{
    struct model *model = enter(socket, user, LINE_MESSAGE, "message_available");

    if (!plx_socket_can_read_message(socket))
        fault("message_available without a message");
    leave(model);
}

static void on_command(plx_socket *socket, int32_t command, const void *data, size_t size,
                       void *user)
{
    struct model *model = enter(socket, user, LINE_COMMAND, "command_received");
    uint64_t sum = model == NULL || model->socket == NULL
                       ? 0
                       : command_event(model, command, data, size);

    leave(model);
    if (sum != 0)
        command_event_over(sum, data, size);
}

/* Dropping is for unfiltered streams: how much of what was offered a filter knows is its own. */
static bool on_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    struct model *model = enter(socket, user, LINE_PROGRESS, "send_progress");
    bool drops = model != NULL && left > 0 && model->end->number % 16 == 3;

    trace("  %zu sent, %zu left", sent, left);
    if (left != plx_socket_bytes_left_to_send(socket))
        fault("send_progress: %zu left of %zu", left, plx_socket_bytes_left_to_send(socket));
    if (drops) {
        model->has_dropped = true;
        model->end->outlet = OUTLET_CUT;
        model->end->drops = true;
        trace_out();
        model_leave(model);
        return true;
    }
    leave(model);
    return false;
}

static void on_complete(plx_socket *socket, bool dropped, void *user)
{
    struct model *model = enter(socket, user, LINE_COMPLETE, "send_complete");

    if (model != NULL && dropped && !model->has_dropped)
        fault("send_complete with nothing dropped");
    leave(model);
}

static void on_room(plx_socket *socket, void *user)
{
    leave(enter(socket, user, LINE_ROOM, "room_available"));
}

/* An error of a call, or of the end: that one is reported next behind the state, and only a wait in
 * a handler may pass the state by. A packet that was too large may be reported behind the end, and
 * AUTO_CONNECT makes calls itself. */
static bool is_of_end(const struct model *model, const plx_error *error)
{
    bool follows = model != NULL && model_was_last(model, LINE_UNCONNECTED);

    if (model == NULL || plx_socket_state(model->socket) != PLX_UNCONNECTED ||
        (model->sort == SORT_SEQPACKET && error->code == EMSGSIZE))
        return false;
    if (model->reconnects || command_lacks_memory(model, error))
        return follows;
    return model->phase != PHASE_IDLE && !model->is_over &&
           (model->pending != error->code || model_has_begun(model) || follows);
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct model *model = user;
    bool is_end = is_of_end(model, error);

    model = enter(socket, user, is_end ? LINE_END_ERROR : LINE_CALL_ERROR, "error");
    if (model != NULL)
        model_error(model, error);
    leave(model);
}

static void on_end_of_input(plx_socket *socket, void *user)
{
    struct model *model = enter(socket, user, LINE_END_OF_INPUT, "end_of_input");

    if (model != NULL && model->has_input_end && !model->reconnects)
        fault("end_of_input twice");
    if (model != NULL)
        model->has_input_end = true;
    leave(model);
}

static void on_disconnected(plx_socket *socket, void *user)
{
    struct model *model = enter(socket, user, LINE_DISCONNECTED, "disconnected");

    if (model != NULL)
        model_disconnected(model);
    leave(model);
}

static void on_state(plx_socket *socket, plx_state state, void *user)
{
    static const enum line lines[] = {LINE_UNCONNECTED,     LINE_HOST_LOOKUP, LINE_CONNECTING,
                                      LINE_STATE_CONNECTED, LINE_BOUND,       LINE_LISTENING,
                                      LINE_CLOSING};
    struct model *model = user;

    if (model != NULL && model->socket != NULL)
        model_state(model, state);
    leave(enter(socket, user, lines[state], plx_state_name(state)));
}

static void on_encrypted(plx_socket *socket, void *user)
{
    leave(enter(socket, user, LINE_ENCRYPTED, "encrypted"));
}

#define FEW                                                                                        \
    .connected = on_connected, .error = on_error, .disconnected = on_disconnected,                 \
    .state_changed = on_state, .end_of_input = on_end_of_input, .send_progress = on_progress,  \
    .encrypted = on_encrypted, .proxy_authentication_required = proxy_asks

const plx_events few_events = {FEW};
const plx_events all_events = {FEW,
                               .data_available = on_data,
                               .line_available = on_line,
                               .message_available = on_message,
                               .command_received = on_command,
                               .send_complete = on_complete,
                               .room_available = on_room};

/* ---- events of servers ----------------------------------------------------------------------- */

static void enter_house(const char *name)
{
    player.moved++;
    trace_page()->events++;
    trace("> %s of a server", name);
    if (polls_running() == 0)
        fault("%s outside a poll", name);
    trace_in();
}

static void leave_house(void)
{
    trace_out();
    time_mark();
}

/* The raw peer at the other end: known for TCP, by its port. */
static void meet_person(const struct house *house, struct model *model)
{
    int port = plx_socket_remote_port(model->socket);

    for (int i = 0; i < PEERS; i++) {
        struct person *person = &player.people[i];

        if (person->used && person->peer >= 0 && person->house == house &&
            person->sort == SORT_TCP && peer_port(person->peer) == port) {
            person->accepted = true;
            person_meet(person, model);
        }
    }
}

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct house *house = user;
    struct model *model;

    (void)server;
    enter_house("accepted");
    if (model_of(client) != NULL)
        fault("accepted twice");
    model = model_new(client, house->sort, house->flavour);
    model->owner = house;
    model->group = house->group;
    model->has_tls = model_is_tls(model);
    model_begin(model);
    trace("  end %u", model->end->number);
    meet_person(house, model);
    ruin();
    play_inner(model);
    leave_house();
}

static void on_house_error(plx_server *server, const plx_error *error, void *user)
{
    struct house *house = user;

    (void)server;
    enter_house("error");
    trace("  %d %s", error->code, error->message);
    if (error->code == 0 || error->message == NULL || error->message[0] == '\0')
        fault("a server's error with code %d", error->code);
    if (house->pending == error->code)
        house->pending = 0;
    play_inner(NULL);
    leave_house();
}

static plx_socket *on_add_socket(plx_server *server, void *user)
{
    struct house *house = user;
    enum sort sort = house->sort;
    plx_socket *socket;

    (void)server;
    enter_house("add_socket");
    play_inner(NULL);
    leave_house();
    socket = create(sort);
    if (socket == NULL)
        house->turned_away = house->listening;
    return socket;
}

const plx_server_events house_events = {.accepted = on_accepted, .error = on_house_error};
const plx_server_events adding_house_events = {
    .add_socket = on_add_socket, .accepted = on_accepted, .error = on_house_error};
