/* tests/provoke.c -- makes one chosen event happen on a socket. See provoke.h. */
#include "config.h"

#include "tests/provoke.h"

static const struct {
    const char *name;
    enum event event;
    bool picky;
    plx_state at;
} provocations[PROVOCATIONS] = {
    [PROVOKE_STATE_CONNECTING] = {"state CONNECTING", EVENT_STATE_CHANGED, true, PLX_CONNECTING},
    [PROVOKE_REFUSED] = {"error of a refused connect", EVENT_ERROR, false, PLX_UNCONNECTED},
    [PROVOKE_STATE_AFTER_REFUSED] = {"state UNCONNECTED of a refused connect", EVENT_STATE_CHANGED,
                                     true, PLX_UNCONNECTED},
    [PROVOKE_STATE_CONNECTED] = {"state CONNECTED", EVENT_STATE_CHANGED, true, PLX_CONNECTED},
    [PROVOKE_CONNECTED] = {"connected", EVENT_CONNECTED, false, PLX_CONNECTED},
    [PROVOKE_DATA] = {"data_available", EVENT_DATA_AVAILABLE, false, PLX_CONNECTED},
    [PROVOKE_LINE] = {"line_available", EVENT_LINE_AVAILABLE, false, PLX_CONNECTED},
    [PROVOKE_END_OF_INPUT] = {"end_of_input", EVENT_END_OF_INPUT, false, PLX_CONNECTED},
    [PROVOKE_PROGRESS] = {"send_progress", EVENT_SEND_PROGRESS, false, PLX_CONNECTED},
    [PROVOKE_COMPLETE] = {"send_complete", EVENT_SEND_COMPLETE, false, PLX_CONNECTED},
    [PROVOKE_CALL_ERROR] = {"error of a call", EVENT_ERROR, false, PLX_CONNECTED},
    [PROVOKE_STATE_CLOSING] = {"state CLOSING", EVENT_STATE_CHANGED, true, PLX_CLOSING},
    [PROVOKE_STATE_UNCONNECTED] = {"state UNCONNECTED", EVENT_STATE_CHANGED, true, PLX_UNCONNECTED},
    [PROVOKE_LOST] = {"error of a lost connection", EVENT_ERROR, false, PLX_UNCONNECTED},
    [PROVOKE_DISCONNECTED] = {"disconnected", EVENT_DISCONNECTED, false, PLX_UNCONNECTED},
};

const char *provoke_name(enum provocation how)
{
    return provocations[how].name;
}

void provoke_arm(struct record *record, enum provocation how, record_act *act, void *data)
{
    record_on(record, provocations[how].event, act, data);
    record->picky = provocations[how].picky;
    record->at = provocations[how].at;
}

static void until_fired(struct world *world, enum provocation how, const struct record *record)
{
    for (int round = 0; !record->fired; round++) {
        ck_assert_msg(round < ROUNDS, "%s: in vain for %s, so far \"%s\"", world_name(world),
                      provoke_name(how), record->text);
        world_turn(world, round);
    }
}

bool provoke_is_possible(const struct world *world, enum provocation how)
{
    if (how == PROVOKE_END_OF_INPUT && world->kind->ends_both)
        return false;
    return !world->kind->keeps_boundaries || (how != PROVOKE_LINE && how != PROVOKE_PROGRESS);
}

void provoke_stir(struct world *world, enum provocation how, plx_socket *socket, int raw,
                  struct record *record)
{
    switch (how) {
    case PROVOKE_DATA: raw_say(raw, "data"); break;
    case PROVOKE_LINE: raw_say(raw, "line\n"); break;
    case PROVOKE_END_OF_INPUT: raw_end(raw); break;
    case PROVOKE_PROGRESS:
    case PROVOKE_COMPLETE: ck_assert_int_eq(plx_socket_write(socket, "bytes", 5), 5); break;
    case PROVOKE_CALL_ERROR: ck_assert_int_eq(plx_socket_write(socket, NULL, 5), -1); break;
    case PROVOKE_STATE_CLOSING: ck_assert_int_eq(plx_socket_disconnect(socket), 0); break;
    case PROVOKE_LOST:
    case PROVOKE_STATE_UNCONNECTED:
    case PROVOKE_DISCONNECTED: raw_close(world, raw); break;
    default: break;
    }
    until_fired(world, how, record);
}

int provoke(struct world *world, enum provocation how, plx_socket *socket, struct record *record,
            record_act *act, void *data)
{
    char where[WHERE_SIZE];
    bool refused = how == PROVOKE_REFUSED || how == PROVOKE_STATE_AFTER_REFUSED;
    int listener = refused ? raw_refusing(world, where) : raw_listen(world, 5, where);
    int raw = -1;

    provoke_arm(record, how, act, data);
    if (how == PROVOKE_END_OF_INPUT)
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_HALF_OPEN, 1), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    for (int round = 0; !record->fired; round++) {
        world_turn(world, round);
        if (raw < 0 && !refused && raw_has_caller(world, listener))
            raw = raw_accept(world, listener);
        if (record->fired || (raw >= 0 && plx_socket_is_connected(socket)))
            break;
        ck_assert_msg(round < ROUNDS, "%s: no connection", world_name(world));
    }
    if (!record->fired)
        provoke_stir(world, how, socket, raw, record);
    return raw;
}
