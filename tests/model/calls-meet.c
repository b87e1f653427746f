/* tests/model/calls-meet.c -- connects through proxies, step by step. */
#include "config.h"

#include "tests/model/desk.h"
#include "tests/model/ground.h"
#include "tests/model/handlers.h"
#include "tests/model/player.h"

#include <stdio.h>

const char *proxy_place(struct turn *turn, const struct model *model)
{
    static char where[PEER_WHERE];
    int choice = chance_of(&turn->chance, 100), number = 1 + chance_of(&turn->chance, 250);

    if (choice < 25 || model->route.scheme == SCHEME_NONE || model->sort != SORT_TCP)
        return NULL;
    if (choice < 72)
        snprintf(where, sizeof where, "e%d.far:99", number);
    else if (choice < 86)
        snprintf(where, sizeof where, "198.18.0.%d:99", number);
    else if (choice < 93)
        snprintf(where, sizeof where, "[2001:db8::%x]:99", number);
    else
        snprintf(where, sizeof where, "%s.example:99", choice < 97 ? "somebody" : "nobody");
    return where;
}

void call_proxy_serve(struct turn *turn)
{
    (void)turn;
    people_accept();
    desks_turn();
}

static struct model *new_caller(struct turn *turn)
{
    int slot = free_slot_of_sockets(), group = pick_group(turn);
    enum flavour flavour = pick_flavour(turn, SORT_TCP);
    plx_socket *socket = slot < SOCKETS ? make_socket(SORT_TCP, flavour) : NULL;
    struct model *model;

    if (socket == NULL)
        return NULL;
    model = player.sockets[slot] = model_new(socket, SORT_TCP, flavour);
    plx_socket_set_events(socket, &all_events, model);
    if (player.groups[group] != NULL && plx_group_add(player.groups[group], socket) == 0)
        model->group = player.groups[group];
    return model;
}

static struct model *caller(struct turn *turn)
{
    int first = chance_of(&turn->chance, SOCKETS);

    for (int i = 0; i < SOCKETS; i++) {
        struct model *model = player.sockets[(first + i) % SOCKETS];

        if (model != NULL && model->sort == SORT_TCP && !model->reconnects &&
            plx_socket_state(model->socket) == PLX_UNCONNECTED)
            return model;
    }
    return new_caller(turn);
}

/* Polls, and the proxies go on; returns whether the socket is still there. */
static bool go_on(struct model *model, int rounds)
{
    for (int i = 0; i < rounds && model->socket != NULL; i++) {
        poll_all();
        ground_pause(1);
        people_accept();
        desks_turn();
        names_serve();
    }
    return model->socket != NULL;
}

/* A socket connects through a proxy, and some bytes are written on the way. */
void call_proxy_meet(struct turn *turn)
{
    struct model *model = polls_running() > 0 ? NULL : caller(turn);
    bool keeps = chance_in(&turn->chance, 30);
    const char *where;

    if (model == NULL)
        return;
    if (!keeps || model->route.scheme == SCHEME_NONE || model->route.flavour != model->flavour)
        proxy_set_any(turn, model);
    where = proxy_place(turn, model);
    if (where == NULL || model->route.flavour != model->flavour)
        return;
    connect_model(model, where);
    if (chance_in(&turn->chance, 50) && model_is_stream(model) && !model->has_dropped)
        write_bytes(turn, model);
    if (!go_on(model, 1 + chance_of(&turn->chance, 14)) || model->has_dropped)
        return;
    if (chance_in(&turn->chance, 60) && model_is_stream(model))
        write_bytes(turn, model);
    if (go_on(model, chance_of(&turn->chance, 4)))
        take_all(model);
}
