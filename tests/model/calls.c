/* tests/model/calls.c -- which calls a program makes, and how often. */
#include "config.h"

#include "tests/model/player.h"
#include "tests/model/supply.h"

struct choice {
    player_call *run; /* NULL: the end of the table */
    int weight;
};

static const struct choice every[] = {
    {call_new, 6},          {call_free, 2},          {call_connect, 6},     {call_listen, 3},
    {call_adopt, 3},        {call_bind, 2},          {call_close, 2},       {call_abort, 2},
    {call_disconnect, 4},   {call_hold, 3},          {call_option, 5},      {call_filter, 2},
    {call_events, 1},       {call_misuse, 2},        {call_ask, 1},         {call_write, 14},
    {call_datagram, 3},     {call_read, 12},         {call_flush, 2},       {call_unread, 2},
    {call_token, 2},        {call_poll, 12},         {call_poll_group, 18}, {call_poll_house, 8},
    {call_wait, 6},         {call_wait_house, 2},    {call_react, 4},       {call_group, 3},
    {call_move, 5},         {call_group_setting, 3}, {call_house, 4},       {call_house_setting, 3},
    {call_take_client, 1},  {call_clock, 3},         {call_memory, 2},      {call_starve, 2},
    {call_peer_connect, 8}, {call_peer_accept, 6},   {call_peer_say, 16},   {call_peer_hear, 8},
    {call_peer_end, 2},     {call_peer_close, 4},    {call_peer_odd, 3},    {call_burst, 10},
    {call_flood, 2},        {call_slow_connect, 3},  {call_dawdle, 6},      {call_join, 2},
    {call_many_names, 2},   {call_name_server, 3},   {call_wake, 2},        {call_frame, 1},
    {call_lapse, 2},        {call_stale, 2},         {call_ruin, 1},
    {NULL, 0},
};

/* In programs with TLS only. */
static const struct choice with_tls[] = {
    {call_tls_set, 4},     {call_tls_name, 3}, {call_tls_start, 10}, {call_tls_resume, 6},
    {call_tls_setting, 5}, {call_tls_ask, 4},  {call_tls_meet, 14},  {call_tls_upgrade, 5},
    {NULL, 0},
};

/* In programs with proxies only. */
static const struct choice with_proxies[] = {
    {call_proxy_set, 9},          {call_proxy_user, 5},   {call_proxy_tag, 2},
    {call_proxy_environment, 2},  {call_proxy_serve, 24}, {call_proxy_meet, 16},
    {NULL, 0},
};

/* In programs of daemons only. */
static const struct choice with_guests[] = {
    {call_timer, 24},
    {call_timer_ask, 2},
    {call_timer_sleep, 4},
    {call_command_wait, 16},
    {call_command_burst, 5},
    {call_command_misuse, 2},
    {call_command_anew, 2},
    {call_peer_spoil, 2},
    {call_write_all, 8},
    {call_watch, 24},
    {call_watch_meet, 12},
    {call_watch_sleep, 3},
    {call_wire, 14},
    {call_deadline, 3},
    {call_lookup, 20},
    {call_lookup_many, 2},
    {call_lookup_find, 3},
    {call_lookup_wait, 5},
    {call_guest_misuse, 1},
    {NULL, 0},
};

static const struct choice *others(void)
{
    static const struct choice none[] = {{NULL, 0}};

    return player.program->tls       ? with_tls
           : player.program->proxies ? with_proxies
           : player.program->daemons ? with_guests
                                     : none;
}

static int weights(const struct choice *choices)
{
    int sum = 0;

    for (; choices->run != NULL; choices++)
        sum += choices->weight;
    return sum;
}

/* The calls of all programs come first: a number is the same one in each. */
static player_call *call_at(int at)
{
    const struct choice *choice = every;

    if (at >= weights(every)) {
        at -= weights(every);
        choice = others();
    }
    while (at >= choice->weight)
        at -= choice++->weight;
    return choice->run;
}

static void play(struct turn *turn)
{
    player_call *call = call_at(chance_of(&turn->chance, weights(every) + weights(others())));

    trace_page()->calls++;
    if (player.program->refused > 0 && chance_in(&turn->chance, 10))
        supply_refuse_one(chance_of(&turn->chance, 6));
    call(turn);
}

void play_call(int index)
{
    struct turn turn = {chance_for(player.program->seed, LIST_CALLS, index), NULL};

    if (!player.program->left_out[index])
        play(&turn);
}

/* How many calls a handler makes: mostly none, at most two. */
void play_inner(struct model *self)
{
    enum { DEEPEST = 5 };
    static const int counts[] = {0, 0, 1, 1, 2};
    struct chance chance = chance_for(player.program->seed, LIST_INNER, player.inner);

    if (player.settling || trace_depth() > DEEPEST)
        return;
    for (int left = counts[chance_of(&chance, 5)]; left > 0; left--) {
        struct turn turn = {
            chance_for(player.program->seed, LIST_INNER, PROGRAM_INNER + player.inner), self};

        if (player.inner >= player.program->inner || (self != NULL && self->socket == NULL))
            return;
        if (player.program->left_out_inner[player.inner++])
            continue;
        if (self != NULL && end_is_here(self) && chance_in(&turn.chance, 60))
            wait_for_end(&turn);
        else if (player.program->waits_in_handlers && chance_in(&turn.chance, 4))
            call_slow_connect(&turn);
        else
            play(&turn);
    }
}

/* ---- picking --------------------------------------------------------------------------------- */

enum { TRIES = 3 };

/* One of the slots that are used, if some draws find one. */
static struct model *pick_own(struct turn *turn)
{
    struct model *model = NULL;

    for (int i = 0; i < TRIES && model == NULL; i++)
        model = player.sockets[chance_of(&turn->chance, SOCKETS)];
    return model;
}

static struct model *pick_client(struct turn *turn)
{
    const struct house *house = pick_house(turn);
    plx_socket *client, *after;

    if (house->server == NULL)
        return NULL;
    client = plx_server_next_active(house->server, NULL);
    for (int skip = chance_of(&turn->chance, 3); skip > 0 && client != NULL; skip--) {
        after = plx_server_next_active(house->server, client);
        client = after == NULL ? client : after;
    }
    return client == NULL ? NULL : model_of(client);
}

struct model *pick_socket(struct turn *turn)
{
    struct model *client;
    bool own = chance_in(&turn->chance, 45), any = chance_in(&turn->chance, 70);

    if (turn->self != NULL && own)
        return turn->self->socket == NULL ? NULL : turn->self;
    client = any ? NULL : pick_client(turn);
    return client != NULL ? client : pick_own(turn);
}
