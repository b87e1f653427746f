/* tests/model/calls-group.c -- calls on groups and servers, the clock, memory and descriptors. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/handlers.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- groups ---------------------------------------------------------------------------------- */

/* In a handler mostly the group of its socket. */
int pick_group(struct turn *turn)
{
    int any = chance_of(&turn->chance, GROUPS);
    bool own = chance_in(&turn->chance, 50);

    for (int i = 0; i < GROUPS && own && turn->self != NULL && turn->self->group != NULL; i++)
        if (player.groups[i] == turn->self->group)
            return i;
    return any;
}

void forget_group(int slot)
{
    plx_group *gone = player.groups[slot];

    trace("free of group %d", slot);
    player.groups[slot] = NULL;
    models_forget_group(gone);
    plx_group_free(gone);
}

void call_group(struct turn *turn)
{
    int group = pick_group(turn);
    bool frees = chance_in(&turn->chance, 15);

    if (player.program->way == WAY_LONE)
        return;
    if (player.groups[group] == NULL) {
        player.groups[group] = plx_group_new();
        player.budgeted[group] = false;
        trace("new group %d", group);
    } else if (frees && player.groups[group] != player.woken) {
        forget_group(group);
    }
}

static void join_house(struct house *house, plx_group *group)
{
    int code = plx_group_add_server(group, house->server);

    trace("add_server: %d", code);
    if (code != 0)
        return;
    house->group = group;
    models_follow(house, group);
}

/* Without a group of the program it joins its own in its next poll. */
static void leave_house(struct house *house, plx_group *group)
{
    trace("remove_server");
    plx_group_remove_server(group, house->server);
    if (house->group != group)
        return;
    house->group = NULL;
    models_follow(house, NULL);
}

static void move_house(struct turn *turn, plx_group *group)
{
    struct house *house = pick_house(turn);

    if (house->server == NULL)
        return;
    if (chance_in(&turn->chance, 70))
        join_house(house, group);
    else
        leave_house(house, group);
}

void call_move(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    struct model *model = pick_socket(turn);

    if (group == NULL)
        return;
    if (chance_in(&turn->chance, 30)) {
        move_house(turn, group);
    } else if (model != NULL && chance_in(&turn->chance, 70)) {
        int code = plx_group_add(group, model->socket);

        trace("add of %u: %d", model->end == NULL ? 0 : model->end->number, code);
        if (code == 0) {
            model->group = group;
            model->is_alone = false;
        }
    } else if (model != NULL) {
        trace("remove of %u", model->end == NULL ? 0 : model->end->number);
        plx_group_remove(group, model->socket);
        if (model->group == group) {
            model->group = NULL;
            model->is_alone = true;
        }
    }
}

void call_group_setting(struct turn *turn)
{
    int slot = pick_group(turn);
    plx_group *group = player.groups[slot];

    if (group == NULL)
        return;
    switch (chance_of(&turn->chance, 4)) {
    case 0:
        trace("flush of group %d", slot);
        plx_group_flush(group);
        break;
    case 1:
        player.budgeted[slot] = chance_in(&turn->chance, 50);
        trace("budget of group %d", slot);
        plx_group_set_budget(group, player.budgeted[slot] && chance_in(&turn->chance, 50),
                             player.budgeted[slot] ? 1 : 1 << 20);
        break;
    case 2: plx_group_wake(group); break;
    default:
        if (plx_group_deadline(group) < -1)
            fault("a group's deadline is %d", plx_group_deadline(group));
    }
}

/* ---- servers --------------------------------------------------------------------------------- */

struct house *pick_house(struct turn *turn)
{
    return &player.houses[chance_of(&turn->chance, SERVERS)];
}

static void listen_at_place(struct house *house)
{
    char where[PEER_WHERE] = "127.0.0.1:0";
    int code;

    if (house->sort != SORT_TCP)
        snprintf(where, sizeof where, "@pollux-model-server-%llu-%d-%d",
                 (unsigned long long)player.program->seed, (int)(house - player.houses),
                 (int)house->flavour); /* AUTO_CONNECT finds no other server there later */
    code = plx_server_listen_on(house->server, where);
    trace("server listens: %d", code);
    if ((code == 0) != plx_server_is_listening(house->server) && code != PLX_INVALID_STATE)
        fault("listen_on returned %d, and the server %s", code,
              plx_server_is_listening(house->server) ? "listens" : "does not listen");
    if (code != 0)
        return;
    house->listening++;
    if (house->sort == SORT_TCP)
        snprintf(where, sizeof where, "127.0.0.1:%d", plx_server_port(house->server));
    strcpy(house->where, where);
}

void house_open(struct turn *turn, struct house *house, bool adds)
{
    static plx_constructor *const constructors[] = {plx_tcp_new, plx_ipc_new, plx_seqpacket_new};

    house->server = plx_server_new(constructors[house->sort]);
    if (house->server == NULL)
        return;
    trace("new server: sort %d, flavour %d", house->sort, house->flavour);
    plx_server_set_events(house->server, adds ? &adding_house_events : &house_events, house);
    plx_server_set_client_events(house->server,
                                 chance_in(&turn->chance, 80) ? &all_events : &few_events, NULL);
    if ((flavour_has_commands(house->flavour) &&
         plx_server_set_commands(house->server, flags_of(house->flavour)) != 0) ||
        (frame_of(house->flavour) != NULL &&
         plx_server_set_frame(house->server, frame_of(house->flavour)) != 0) ||
        (house->flavour >= FLAVOUR_TLS12 && !tls_equip(house)) ||
        (house->flavour >= FLAVOUR_BITS && house->flavour < FLAVOUR_TLS12 &&
         plx_server_add_filter(house->server, equip, NULL, house) != 0))
        house->server = plx_server_free(house->server);
    else
        listen_at_place(house);
}

static void open_house(struct turn *turn, struct house *house)
{
    bool adds = chance_in(&turn->chance, 20);

    house->sort = (enum sort)(chance_of(&turn->chance, 7) / 3);
    house->flavour = pick_flavour(turn, house->sort);
    house_open(turn, house, adds);
}

static void close_house(struct house *house)
{
    plx_server *gone = house->server;

    trace("free of a server");
    house->server = NULL;
    house->group = NULL;
    house->listening++;
    models_forget_owner(house);
    plx_server_free(gone);
}

void call_house(struct turn *turn)
{
    struct house *house = pick_house(turn);
    plx_group *group = player.groups[pick_group(turn)];

    if (house->server == NULL)
        open_house(turn, house);
    else if (chance_in(&turn->chance, 15))
        close_house(house);
    if (house->server != NULL && group != NULL && chance_in(&turn->chance, 40))
        join_house(house, group);
}

void call_house_setting(struct turn *turn)
{
    struct house *house = pick_house(turn);
    plx_server *server = house->server;

    if (server == NULL)
        return;
    switch (chance_of(&turn->chance, 6)) {
    case 0:
        trace("server stops listening");
        plx_server_stop_listening(server);
        house->listening++;
        break;
    case 1: listen_at_place(house); break;
    case 2: plx_server_set_maximum_sockets_connected(server, chance_of(&turn->chance, 4)); break;
    case 3:
        plx_server_set_option(server, PLX_OPTION_IDLE_TIMEOUT, chance_of(&turn->chance, 20));
        break;
    case 4: plx_server_set_option(server, PLX_OPTION_HALF_OPEN, chance_of(&turn->chance, 2)); break;
    default:
        plx_server_set_option(server, PLX_OPTION_READ_LIMIT, chance_of(&turn->chance, 2) * 500);
    }
}

void call_take_client(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int slot = 0;

    while (slot < SOCKETS && player.sockets[slot] != NULL)
        slot++;
    if (model == NULL || model->owner == NULL || slot == SOCKETS)
        return;
    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].server != NULL &&
            plx_server_take(player.houses[i].server, model->socket) != NULL) {
            trace("take of %u", model->end->number);
            model->owner = NULL;
            model->was_taken = true;
            model->is_alone = model->group == NULL;
            player.sockets[slot] = model;
            return;
        }
}

/* ---- what the process lives on --------------------------------------------------------------- */

void call_clock(struct turn *turn)
{
    time_jump(chance_of(&turn->chance, 60));
}

void call_memory(struct turn *turn)
{
    if (player.program->refused == 0)
        return;
    switch (chance_of(&turn->chance, 6)) {
    case 0: supply_refuse(0); break;
    case 1: supply_refuse(1000); break;
    default: supply_refuse(player.program->refused);
    }
    trace("memory fails: %d", supply_refuses());
}

void call_starve(struct turn *turn)
{
    if (!player.program->starves)
        return;
    if (chance_in(&turn->chance, 50))
        ground_starve();
    else
        ground_feed();
    trace("descriptors");
}
