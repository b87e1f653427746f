/* tests/model/calls-life.c -- calls that begin and end sockets and their connections. */
#include "config.h"

#include "tests/filters.h"
#include "tests/model/handlers.h"
#include "tests/model/player.h"
#include "tests/model/route.h"
#include "tests/model/supply.h"
#include "tests/model/timeouts.h"
#include "tests/model/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_scarce(void)
{
    return supply_has_refused() || player.program->starves;
}

static enum sort pick_sort(struct turn *turn)
{
    static const enum sort streams[] = {SORT_TCP, SORT_IPC};
    static const enum sort sorts[] = {SORT_TCP, SORT_TCP,       SORT_TCP, SORT_IPC,
                                      SORT_IPC, SORT_SEQPACKET, SORT_UDP, SORT_UDP};

    if (player.program->tls && chance_in(&turn->chance, 80))
        return streams[chance_of(&turn->chance, 2)];
    if (player.program->proxies && chance_in(&turn->chance, 75))
        return SORT_TCP;
    return sorts[chance_of(&turn->chance, 8)];
}

/* ---- objects --------------------------------------------------------------------------------- */

int free_slot_of_sockets(void)
{
    int slot = 0;

    while (slot < SOCKETS && player.sockets[slot] != NULL)
        slot++;
    return slot;
}

enum flavour pick_flavour(struct turn *turn, enum sort sort)
{
    static const enum flavour drawn[] = {FLAVOUR_FRAMED, FLAVOUR_LINES, FLAVOUR_BITS,
                                         FLAVOUR_NOISE,  FLAVOUR_ORDER, FLAVOUR_STEPS};
    static const enum flavour commands[] = {FLAVOUR_COMMANDS, FLAVOUR_COMMANDS,
                                            FLAVOUR_DATA_LENGTH};

    if (player.program->tls && sort < SORT_SEQPACKET && chance_in(&turn->chance, 75))
        return tls_flavour(turn);
    if (player.program->daemons && sort <= SORT_SEQPACKET && chance_in(&turn->chance, 60))
        return commands[chance_of(&turn->chance, 3)];
    if (sort >= SORT_SEQPACKET || chance_in(&turn->chance, 60))
        return FLAVOUR_PLAIN;
    return drawn[chance_of(&turn->chance, 6)];
}

static void set_timeout(struct turn *turn, struct model *model);

void call_new(struct turn *turn)
{
    enum sort sort = pick_sort(turn);
    enum flavour flavour = pick_flavour(turn, sort);
    int slot = free_slot_of_sockets(), group = pick_group(turn);
    bool joins = chance_in(&turn->chance, 60);
    plx_socket *socket = slot < SOCKETS ? make_socket(sort, flavour) : NULL;

    if (socket == NULL)
        return;
    player.sockets[slot] = model_new(socket, sort, flavour);
    trace("new socket %d: sort %d, flavour %d", slot, sort, flavour);
    plx_socket_set_events(socket, chance_in(&turn->chance, 80) ? &all_events : &few_events,
                          player.sockets[slot]);
    if (joins && player.groups[group] != NULL && plx_group_add(player.groups[group], socket) == 0)
        player.sockets[slot]->group = player.groups[group];
    if (chance_in(&turn->chance, 25))
        set_timeout(turn, player.sockets[slot]);
    if (sort == SORT_UDP && chance_in(&turn->chance, 50))
        model_failed(player.sockets[slot], "set_interface",
                     plx_socket_set_interface(socket, "127.0.0.1"));
}

void call_free(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    trace("free of %u", model->end == NULL ? 0 : model->end->number);
    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] == model)
            player.sockets[i] = NULL;
    plx_socket_free(model->socket);
    model_forget(model);
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* A call that began a connection, or failed and left the one before as it was. */
static void begun(struct model *model, const char *call, int code, plx_state before)
{
    if (code != 0) {
        model_failed(model, call, code);
        return;
    }
    if (before != PLX_UNCONNECTED && !(model->sort == SORT_UDP && before == PLX_BOUND))
        fault("%s worked in state %s", call, plx_state_name(before));
    if (before == PLX_UNCONNECTED)
        model_begin(model);
    model->phase = PHASE_TRYING;
    model->closing = false;
    trace("%s: end %u", call, model->end->number);
}

void connect_model(struct model *model, const char *where)
{
    plx_state before = plx_socket_state(model->socket);
    int code = plx_socket_connect_to(model->socket, where);

    trace("connect to %s%s%s", where, model->route.scheme == SCHEME_NONE ? "" : " with proxy ",
          plx_socket_proxy(model->socket));
    if (code == PLX_INVALID_STATE && before == PLX_UNCONNECTED && strcmp(where, "nonsense") != 0)
        fault("connect was refused to an unconnected socket");
    begun(model, "connect", code, before);
    if (code == 0)
        route_begin(model, where);
}

static int udp_port(struct turn *turn)
{
    const struct person *person = pick_person(turn);
    const struct model *other = player.sockets[chance_of(&turn->chance, SOCKETS)];

    if (person != NULL && person->sort == SORT_UDP)
        return peer_port(person->peer);
    return other != NULL && other->sort == SORT_UDP ? plx_socket_port(other->socket) : 9;
}

static void connect_datagrams(struct turn *turn, struct model *model)
{
    plx_state before = plx_socket_state(model->socket);
    char where[PEER_WHERE];
    int port = udp_port(turn), code;

    snprintf(where, sizeof where, "%s:%d", chance_in(&turn->chance, 80) ? "127.0.0.1" : "localhost",
             port > 0 ? port : 9);
    code = chance_in(&turn->chance, 50) ? plx_socket_connect_to(model->socket, where)
                                        : plx_socket_connect(model->socket);
    begun(model, "connect", code, before);
}

void call_connect(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model != NULL && model->sort == SORT_UDP) {
        connect_datagrams(turn, model);
    } else if (model != NULL) {
        tls_prepare(turn, model, TLS_CLIENT);
        connect_model(model, place_for(turn, model));
    }
}

static void remember_where(struct model *model, const char *where)
{
    snprintf(model->where, sizeof model->where, "%s", where);
    if (model->sort == SORT_TCP)
        snprintf(model->where, sizeof model->where, "127.0.0.1:%d", plx_socket_port(model->socket));
}

void call_listen(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    char where[PEER_WHERE];
    plx_state before;
    int code;

    if (model == NULL || model->sort == SORT_UDP)
        return;
    before = plx_socket_state(model->socket);
    snprintf(where, sizeof where, "@pollux-model-listener-%llu-%d-%d",
             (unsigned long long)player.program->seed, chance_of(&turn->chance, 4),
             (int)model->flavour); /* a listen that fails sets the path for AUTO_CONNECT, too */
    if (model->sort == SORT_TCP)
        strcpy(where, "127.0.0.1:0");
    tls_prepare(turn, model, TLS_SERVER);
    code = plx_socket_listen_on(model->socket, where);
    if ((code == 0) != (plx_socket_is_listening(model->socket) && before != PLX_LISTENING))
        fault("listen returned %d in state %s", code, plx_state_name(before));
    begun(model, "listen", code, before);
    if (code == 0)
        remember_where(model, where);
}

/* An end of a pair, or what a raw peer has just connected to. */
static void adopt(struct model *model, int ends[2])
{
    plx_state before = plx_socket_state(model->socket);
    int code = plx_socket_adopt(model->socket, ends[0]);
    struct person *person;

    if (code != 0)
        peer_close(ends[0]);
    begun(model, "adopt", code, before);
    person = person_new(ends[1], model->sort,
                        model->flavour < FLAVOUR_NOISE ? model->flavour : FLAVOUR_NOISE);
    if (code == 0)
        person_meet(person, model);
}

void call_adopt(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int ends[2];

    if (model == NULL || model->sort == SORT_UDP || player.program->starves)
        return;
    tls_prepare(turn, model, TLS_ANY);
    if (peer_pair(model->sort, ends))
        adopt(model, ends);
}

struct model *connected_model(enum sort sort, plx_group *group)
{
    int slot = free_slot_of_sockets(), ends[2];
    plx_socket *socket = slot < SOCKETS ? make_socket(sort, FLAVOUR_PLAIN) : NULL;
    struct model *model;

    if (socket == NULL)
        return NULL;
    model = player.sockets[slot] = model_new(socket, sort, FLAVOUR_PLAIN);
    plx_socket_set_events(socket, &all_events, model);
    if (plx_group_add(group, socket) == 0)
        model->group = group;
    if (peer_pair(sort, ends))
        adopt(model, ends);
    return model;
}

void call_bind(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    plx_state before;
    int code;

    if (model == NULL || model->sort != SORT_UDP)
        return;
    before = plx_socket_state(model->socket);
    code = plx_udp_bind(model->socket, chance_in(&turn->chance, 80) ? "127.0.0.1:0" : ":0");
    if (code == 0 && plx_socket_state(model->socket) != PLX_BOUND)
        fault("bind returned 0 and the socket is not bound");
    begun(model, "bind", code, before);
}

/* ---- ending ---------------------------------------------------------------------------------- */

void call_close(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    trace("close of %u", model->end == NULL ? 0 : model->end->number);
    plx_socket_close(model->socket);
    model_cut(model);
    if (plx_socket_state(model->socket) != PLX_UNCONNECTED)
        fault("closed, and in state %s", plx_state_name(plx_socket_state(model->socket)));
}

void call_abort(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    trace("abort of %u", model->end == NULL ? 0 : model->end->number);
    plx_socket_abort(model->socket);
    model_cut(model);
    if (model->end != NULL)
        model->end->blind = true; /* its bytes are gone */
    if (plx_socket_bytes_available(model->socket) != 0)
        fault("aborted, and bytes are left");
}

void call_disconnect(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    plx_state before;
    int code;

    if (model == NULL)
        return;
    before = plx_socket_state(model->socket);
    code = plx_socket_disconnect(model->socket);
    trace("disconnect in state %s", plx_state_name(before));
    if ((code == 0) != (before != PLX_UNCONNECTED) && !model->reconnects)
        fault("disconnect returned %d in state %s", code, plx_state_name(before));
    if (code != 0)
        model_failed(model, "disconnect", code);
    else {
        timeouts_closing(model);
        model->closing = true;
    }
    if (code == 0 && plx_socket_state(model->socket) == PLX_UNCONNECTED)
        model->pending = 0; /* it was ended at once, as by close */
}

/* ---- settings -------------------------------------------------------------------------------- */

static const struct {
    plx_option option;
    int value;
} settings[] = {{PLX_OPTION_READ_LIMIT, 1},
                {PLX_OPTION_READ_LIMIT, 0},
                {PLX_OPTION_READ_LIMIT, 100},
                {PLX_OPTION_READ_LIMIT, 1000},
                {PLX_OPTION_WRITE_LIMIT, 1},
                {PLX_OPTION_WRITE_LIMIT, 0},
                {PLX_OPTION_WRITE_LIMIT, 20000},
                {PLX_OPTION_CONNECT_TIMEOUT, 5},
                {PLX_OPTION_CONNECT_TIMEOUT, 0},
                {PLX_OPTION_LINGER_TIMEOUT, 5},
                {PLX_OPTION_LINGER_TIMEOUT, 0},
                {PLX_OPTION_IDLE_TIMEOUT, 3},
                {PLX_OPTION_IDLE_TIMEOUT, 0},
                {PLX_OPTION_HALF_OPEN, 1},
                {PLX_OPTION_HALF_OPEN, 1},
                {PLX_OPTION_HALF_OPEN, 0},
                {PLX_OPTION_AUTO_CONNECT, 1},
                {PLX_OPTION_AUTO_CONNECT, 0},
                {PLX_OPTION_SEND_BUFFER_SIZE, 1},
                {PLX_OPTION_RECEIVE_BUFFER_SIZE, 1},
                {PLX_OPTION_RECEIVE_HANDLES, 1},
                {PLX_OPTION_KEEP_ALIVE, 1},
                {PLX_OPTION_LOW_DELAY, 0},
                {PLX_OPTION_PROTOCOL, 0},
                {PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, 50}};

void set_option(struct model *model, plx_option option, int value)
{
    int code = plx_socket_set_option(model->socket, option, value);

    trace("option %d = %d", option, value);
    if (code == 0 && option == PLX_OPTION_AUTO_CONNECT && value != 0)
        model->reconnects = true;
    if (code == 0 && option == PLX_OPTION_SEND_BUFFER_SIZE && model->end != NULL)
        model->end->may_drop |= model->sort == SORT_SEQPACKET; /* what is queued already, too */
    if (option == PLX_OPTION_HALF_OPEN)
        model->was_half_open = false;
    timeouts_set(model);
    if (code != 0)
        model_failed(model, "set_option", code);
}

void call_option(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int choice = chance_of(&turn->chance, (int)(sizeof settings / sizeof settings[0]));

    if (model != NULL)
        set_option(model, settings[choice].option, settings[choice].value);
}

/* Time-outs, which are set before anything begins. */
static void set_timeout(struct turn *turn, struct model *model)
{
    static const plx_option options[] = {PLX_OPTION_CONNECT_TIMEOUT, PLX_OPTION_LINGER_TIMEOUT,
                                         PLX_OPTION_IDLE_TIMEOUT};
    static const int values[] = {3, 5, 15, 20000};

    set_option(model, options[chance_of(&turn->chance, 3)], values[chance_of(&turn->chance, 4)]);
}

void call_events(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    plx_socket_set_events(model->socket, chance_in(&turn->chance, 80) ? &all_events : &few_events,
                          model);
    model->heard_at = 0;
    model->unheard = true;
}

/* A filter in mid-stream: both ends push it while nothing is under way between them. */
bool model_is_quiet(const struct model *model)
{
    return model != NULL && model_is_stream(model) && model->end != NULL &&
           plx_socket_state(model->socket) == PLX_CONNECTED &&
           plx_socket_bytes_left_to_send(model->socket) == 0 && model->end->from != NULL &&
           !model->end->blind && !model->reconnects && model->end->got == model->end->from->put;
}

static struct model *other_end(const struct model *model)
{
    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] != NULL && player.sockets[i] != model &&
            player.sockets[i]->end == model->end->from)
            return player.sockets[i];
    return NULL;
}

void call_filter(struct turn *turn)
{
    static const plx_filter_kind *const kinds[] = {&bits_filter, &blocks_filter, &records_filter,
                                                   &order_filter, &steps_filter};
    const plx_filter_kind *kind = kinds[chance_of(&turn->chance, 5)];
    struct model *model = pick_socket(turn), *other;

    if (!model_is_quiet(model) || is_scarce())
        return;
    other = other_end(model);
    if (other == NULL || !model_is_quiet(other) || model->inside > 0 || other->inside > 0)
        return;
    trace("%s is pushed at ends %u and %u", kind->name, model->end->number, other->end->number);
    if (plx_socket_push_filter(model->socket, kind) == NULL ||
        plx_socket_push_filter(other->socket, kind) == NULL)
        fault("a filter was refused in mid-stream");
    if (model->flavour < FLAVOUR_NOISE)
        model->flavour = other->flavour = FLAVOUR_STACK;
}

/* Calls that are refused: each is an error of the next poll. */
void call_misuse(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    switch (chance_of(&turn->chance, 4)) {
    case 0:
        if (plx_socket_write(model->socket, NULL, 5) != -1)
            fault("NULL was written");
        model_failed(model, "write of NULL", plx_socket_last_error(model->socket));
        break;
    case 1:
        model_failed(model, "adopt of -1", plx_socket_adopt(model->socket, PLX_NO_HANDLE));
        break;
    case 2: model_failed(model, "set_port", plx_socket_set_port(model->socket, 70000)); break;
    default:
        model_failed(model, "set_option", plx_socket_set_option(model->socket, (plx_option)99, 1));
    }
}

/* Calls that only return something, and change nothing. */
void call_ask(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    const plx_socket *socket;
    plx_address address;

    if (model == NULL)
        return;
    socket = model->socket;
    plx_socket_local(socket, &address);
    plx_socket_remote(socket, &address);
    plx_socket_local_address(socket);
    plx_socket_remote_address(socket);
    plx_socket_can_read_line(socket);
    plx_socket_can_read_message(socket);
    plx_socket_is_encrypted(socket);
    route_keep_secrets(model);
    if (plx_socket_error(socket)->code != plx_socket_last_error(socket) && !supply_has_refused())
        fault("the last error has two codes");
    if (plx_socket_reconnects_in(socket) >= 0 && !model->reconnects)
        fault("reconnects without AUTO_CONNECT");
    if (plx_socket_is_connected(socket) && plx_socket_end_of_file(socket) &&
        !model->has_input_end && model_is_stream(model) &&
        model_option(model, PLX_OPTION_HALF_OPEN) == 0)
        trace("the end is known and not reported");
}
