/* tests/model/calls-command.c -- calls on commands. */
#include "config.h"

#include "tests/model/commands.h"
#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

#include <errno.h>

enum { LARGEST = 100000 };

static uint8_t room[LARGEST];

/* ---- sending --------------------------------------------------------------------------------- */

int command_write(struct model *model, bool may)
{
    struct end *end = model->end;
    size_t size = may ? end_command_size(end->number, end->records) : 3;
    int32_t command = may ? end_command(end->number, end->records) : 5;

    if (may && size > 0)
        end_record(end, room, size);
    trace("command %ld of %zu", (long)command, size);
    return plx_socket_send_command(model->socket, command, room, size);
}

/* What a socket with commands refuses, and what one without does. */
void call_command_misuse(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    bool has = model != NULL && flavour_has_commands(model->flavour);
    int code = 0;
    size_t size = 7;

    if (model == NULL || model->sort == SORT_UDP)
        return;
    switch (chance_of(&turn->chance, has ? 5 : 3)) {
    case 0: code = plx_socket_send_command(model->socket, has ? -1 : 1, NULL, 0); break;
    case 1:
        if (plx_socket_wait_for_command(model->socket, has ? -7 : 1, 5, &size) != NULL || size != 0)
            fault("a command was found that cannot be");
        code = plx_socket_last_error(model->socket);
        break;
    case 2: code = plx_socket_set_commands(model->socket, has ? 2 : 6); break;
    case 3: code = plx_socket_write_message(model->socket, "x", 1); break;
    default:
        code =
            plx_socket_write(model->socket, "x", 1) < 0 ? plx_socket_last_error(model->socket) : 0;
    }
    if (code != PLX_INVALID_STATE)
        fault("misuse of commands returned %d", code);
    model_failed(model, "misuse of commands", code);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* How many bytes a socket has that were not read; 0: not known. */
static size_t unread_by(const struct model *model)
{
    return model->sort == SORT_SEQPACKET ? 0 : plx_socket_bytes_available(model->socket);
}

/* What is not returned is not there. */
static void expect_absent(const struct model *model, long refused, int32_t command, bool any)
{
    size_t size = unread_by(model) / COMMAND_LEAST;

    if (supply_refused() != refused || size == 0 || model->reconnects || model_is_murky(model))
        return;
    if (end_has_command(model->end, unread_by(model), command, any))
        fault("end %u: command %ld is there and was not returned", model->end->number,
              (long)command);
}

bool command_take(struct model *model)
{
    int32_t command = -5;
    size_t size = 1;
    long refused = supply_refused();
    const void *data = plx_socket_read_command(model->socket, &command, &size);

    if (data == NULL) {
        if (size != 0 || command != -5)
            fault("no command was read, and it is %ld of %zu bytes", (long)command, size);
        expect_absent(model, refused, 0, true);
        return false;
    }
    trace("command %ld of %zu is read", (long)command, size);
    end_take_command(model->end, command, data, size, false);
    return true;
}

/* The wait takes the oldest command of its number. */
static void wait_for(struct turn *turn, struct model *model, int timeout)
{
    struct chance chance = turn->chance;
    int32_t command = end_command(0, (unsigned)chance_of(&chance, 16));
    long refused = supply_refused();
    uint64_t begun = ground_now();
    int before = player.wait_limit, inner = player.inner;
    const void *data;
    size_t size = 1;

    if (model->inside > 0)
        model_wait(model);
    model->awaits++;
    model->awaited = true;
    poll_begin(true);
    data = plx_socket_wait_for_command(model->socket, command, timeout, &size);
    poll_end();
    model->awaits--;
    trace("wait for command %ld: %d, %zu", (long)command, data != NULL, size);
    if (data == NULL && size != 0)
        fault("a wait found no command, which has %zu bytes", size);
    if (data != NULL && model->socket == NULL)
        fault("a wait of a socket that was freed found a command");
    else if (data != NULL)
        end_take_command(model->end, command, data, size, true);
    else if (model->socket != NULL && player.inner == inner)
        expect_absent(model, refused, command, false);
    if (ground_now() - begun >
        (uint64_t)(timeout + player.wait_limit - before + ground_tolerance()) * 1000000u)
        fault("a wait of %d ms for a command lasted too long", timeout);
    player.wait_limit += timeout;
}

void call_command_wait(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int timeout = chance_in(&turn->chance, 50) ? 0 : chance_of(&turn->chance, 8);

    if (model == NULL || model->end == NULL || !flavour_has_commands(model->flavour) ||
        (timeout > 0 && !may_wait()) ||
        (timeout == 0 && polls_running() > 0 && !player.program->waits_in_handlers))
        return;
    trace("wait for a command of %u, %d ms", model->end->number, timeout);
    wait_for(turn, model, timeout);
}

/* Commands are set anew, with what has arrived. */
void call_command_anew(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int code;

    if (model == NULL || !flavour_has_commands(model->flavour))
        return;
    code = plx_socket_set_commands(
        model->socket, model->flavour == FLAVOUR_DATA_LENGTH ? PLX_COMMANDS_DATA_LENGTH : 0);
    trace("commands anew of %u: %d", model->end == NULL ? 0 : model->end->number, code);
    model_failed(model, "set_commands", code);
}

/* More commands than one poll reports, and the poll that finds them. */
void call_command_burst(struct turn *turn)
{
    struct person *person = pick_person(turn);
    int count = 40 + chance_of(&turn->chance, 120);

    if (person == NULL || !flavour_has_commands(person->flavour) || person->ended)
        return;
    for (int i = 0; i < count && person->outbox_size == 0 && !person->ended; i++)
        person_say(person, 1);
    if (polls_running() == 0)
        poll_members();
}

/* ---- what is no command ---------------------------------------------------------------------- */

void call_peer_spoil(struct turn *turn)
{
    struct person *person = pick_person(turn);

    if (person != NULL && flavour_has_commands(person->flavour) && person->peer >= 0 &&
        !person->ended && person->outbox_size == 0)
        person_spoil(person, chance_of(&turn->chance, 8));
}

/* ---- the event ------------------------------------------------------------------------------- */

static uint64_t sum_of(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

uint64_t command_event(struct model *model, int32_t command, const void *data, size_t size)
{
    trace("  command %ld of %zu", (long)command, size);
    if (!flavour_has_commands(model->flavour))
        fault("command_received without commands");
    if (model->awaits > 0)
        fault("command_received in a wait for a command");
    if (data == NULL)
        fault("command_received without data");
    if (model->end != NULL && data != NULL)
        end_take_command(model->end, command, data, size, false);
    return sum_of(data, size);
}

void command_event_over(uint64_t sum, const void *data, size_t size)
{
    if (sum_of(data, size) != sum)
        fault("the data of a command have changed while its handler ran");
}

/* ---- the end --------------------------------------------------------------------------------- */

bool command_lacks_memory(const struct model *model, const plx_error *error)
{
    return flavour_has_commands(model->flavour) && error->code == PLX_OUT_OF_MEMORY &&
           supply_has_refused();
}

void command_error(const struct model *model, const plx_error *error)
{
    const struct end *end = model->end, *from = end == NULL ? NULL : end->from;
    bool says = error->code == EPROTO || error->reason == PLX_REASON_DATAGRAM_TOO_LARGE;

    if (from == NULL || end->blind || !says || model->reconnects)
        return;
    if (from->spoilt != error->code)
        fault("end %u ends with %d, and its peer has sent %d", end->number, error->code,
              from->spoilt);
    if (!from->may_drop && end_next_command(end) != from->records)
        fault("end %u ends before command %u of %u was taken", end->number, end_next_command(end),
              from->records);
}

/* At rest. */
void command_expect_known(const struct model *model)
{
    const struct end *end = model->end, *from = end == NULL ? NULL : end->from;

    if (from == NULL || end->blind || model->reconnects || !from->raw || from->may_drop ||
        plx_socket_state(model->socket) != PLX_CONNECTED)
        return;
    if (from->spoilt != 0)
        fault("end %u is connected to end %u, which has sent no command", end->number,
              from->number);
    if (!from->gone && from->outlet == OUTLET_FLOWS && !from->partly &&
        end_next_command(end) != from->records)
        fault("end %u has %u commands of %u", end->number, end_next_command(end), from->records);
}
