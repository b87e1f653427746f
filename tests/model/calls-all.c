/* tests/model/calls-all.c -- the same for all clients of a server. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

enum { CLIENTS = 60, LARGEST = 60000 };

/* A client, before all are written to. */
struct listener {
    struct model *model;
    const plx_socket *socket;
    size_t left;
};

static struct listener listeners[CLIENTS];
static uint8_t room[LARGEST];

/* Returns -1 when the bytes could not be followed: with too many clients, and after a handler has
 * dropped bytes, as a program writes nothing more on that stream. */
static int clients_of(const struct house *house)
{
    plx_socket *client = plx_server_next_active(house->server, NULL);
    int count = 0;

    for (; client != NULL && count < CLIENTS; count++) {
        listeners[count] =
            (struct listener){model_of(client), client, plx_socket_bytes_left_to_send(client)};
        client = plx_server_next_active(house->server, client);
    }
    for (int i = 0; i < count; i++)
        if (listeners[i].model == NULL || listeners[i].model->has_dropped)
            return -1;
    return client == NULL ? count : -1;
}

/* A client from which nothing keeps the bytes. */
static bool must_take(const struct listener *listener)
{
    const struct model *model = listener->model;
    int ready = ground_ready(plx_socket_handle(listener->socket));

    return model != NULL && plx_socket_state(listener->socket) == PLX_CONNECTED &&
           model->phase == PHASE_UP && !model->closing && !model_is_filtered(model) &&
           model_option(model, PLX_OPTION_WRITE_LIMIT) == 0 &&
           (ready & (GROUND_ENDED | GROUND_PEER_ENDED)) == 0 && model->inside == 0;
}

/* Each client takes all or nothing. Returns whether it has taken it. */
static bool follow(const struct listener *listener, unsigned number, size_t size, size_t whole,
                   bool is_record)
{
    size_t more = plx_socket_bytes_left_to_send(listener->socket) - listener->left;
    struct model *model = listener->model;
    plx_state state = plx_socket_state(listener->socket);

    if (more != 0 && more != whole)
        fault("a client took %zu bytes of %zu", more, whole);
    if (more != 0 && state != PLX_CONNECTED)
        fault("a client took bytes in state %s", plx_state_name(state));
    if (more == 0 && must_take(listener) && !supply_has_refused())
        fault("end %u did not take what all clients were to take", model->end->number);
    if (more != 0 && model != NULL)
        end_sing(model->end, number, size, is_record);
    return more != 0;
}

static size_t overhead_of(const struct house *house, bool is_record)
{
    return is_record && house->sort != SORT_SEQPACKET ? 2 : 0;
}

/* Each stream begins with what names its sender. Returns false where that was not accepted. */
static bool begin_streams(int count)
{
    bool begun = true;

    for (int i = 0; i < count; i++) {
        struct model *model = listeners[i].model;
        ptrdiff_t taken;

        if (plx_socket_state(model->socket) != PLX_CONNECTED)
            continue;
        model_renew(model);
        end_bytes(model->end, room, END_HEAD);
        taken = model->end->put >= END_HEAD ? 0 : plx_socket_write(model->socket, room, END_HEAD);
        if (taken < 0)
            model_failed(model, "write", plx_socket_last_error(model->socket));
        else
            end_put(model->end, (size_t)taken);
        begun = begun && (model->end->put >= END_HEAD || model->end->noise);
        listeners[i].left = plx_socket_bytes_left_to_send(model->socket);
    }
    return begun;
}

static void write_to(struct house *house, unsigned number, size_t size, bool is_record)
{
    int count = clients_of(house), took = 0;
    bool as_bytes = !is_record || (house->sort == SORT_SEQPACKET && number % 2 == 0);
    size_t result;

    if (count < 0 || (!is_record && !begin_streams(count)))
        return;
    end_hymn(number, room, size, is_record);
    result = as_bytes ? plx_server_write_all(house->server, room, size)
                      : plx_server_write_message_all(house->server, room, size);
    trace("%zu bytes for %d clients: %zu", size, count, result);
    for (int i = 0; i < count; i++)
        took +=
            follow(&listeners[i], number, size, size + overhead_of(house, is_record), is_record);
    if (result != (size_t)took)
        fault("%d clients took what all were to take, and %zu were counted", took, result);
}

/* With filters the bytes may have left, or wait in a filter. */
static bool is_countable(const struct house *house)
{
    return house->flavour <= FLAVOUR_LINES;
}

/* NULL has no bytes, and an empty string has. */
static void write_nothing(const struct house *house)
{
    if (plx_server_write_all(NULL, "x", 1) != 0)
        fault("no server wrote to clients");
    if (house->sort != SORT_SEQPACKET && !flavour_has_commands(house->flavour))
        (void)plx_server_write_all(house->server, NULL, 0);
}

void call_write_all(struct turn *turn)
{
    static const int most[] = {8, 100, 3000, 40000};
    struct house *house = pick_house(turn);
    int size = 1 + chance_of(&turn->chance, most[chance_of(&turn->chance, 4)]);
    unsigned number = (unsigned)chance_of(&turn->chance, 100000);
    bool is_record = house->sort == SORT_SEQPACKET || flavour_has_frame(house->flavour);

    if (house->server == NULL || flavour_has_commands(house->flavour))
        return;
    if (chance_in(&turn->chance, 5))
        write_nothing(house);
    else if (is_countable(house))
        write_to(house, number, (size_t)size + (is_record ? RECORD_HEAD : 0), is_record);
}
