/* tests/model/desk.c -- a raw proxy: where it is, and what it hears. */
#include "config.h"

#include "tests/model/desk.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- places ---------------------------------------------------------------------------------- */

/* A listener for each protocol, and for each way in which raw peers speak behind the tunnel. */
enum { PROTOCOLS = 2, RAW_FLAVOURS = FLAVOUR_NOISE + 1 };

static struct {
    bool begun;
    int listeners[PROTOCOLS][RAW_FLAVOURS];
    char where[PROTOCOLS][RAW_FLAVOURS][PEER_WHERE];
    unsigned accepted; /* in this program */
} desks;

void desks_begin(bool again)
{
    desks.accepted = 0;
    if (!player.program->proxies || (desks.begun && !again))
        return;
    desks.begun = true;
    for (int http = 0; http < PROTOCOLS; http++)
        for (int flavour = 0; flavour < RAW_FLAVOURS; flavour++)
            desks.listeners[http][flavour] =
                flavour_has_commands((enum flavour)flavour)
                    ? -1
                    : peer_listen(SORT_TCP, 64, desks.where[http][flavour]);
}

const char *desk_place(bool http, enum flavour flavour)
{
    return desks.where[http][flavour < FLAVOUR_NOISE ? flavour : FLAVOUR_NOISE];
}

static void open_desk(struct person *person, bool http, const char *where)
{
    struct desk *desk = &person->desk;

    *desk = (struct desk){.step = http ? DESK_CONNECT : DESK_GREETING};
    desk->port = atoi(strrchr(where, ':') + 1);
    desk->chance = chance_for(player.program->seed, LIST_DESKS, (int)desks.accepted++);
    desk->demands = chance_in(&desk->chance, 35);
    trace("which is a proxy");
}

void desks_accept(void)
{
    for (int http = 0; http < PROTOCOLS && desks.begun; http++)
        for (int flavour = 0; flavour < RAW_FLAVOURS; flavour++)
            for (;;) {
                int peer = peer_accept(desks.listeners[http][flavour]);
                struct person *person =
                    peer < 0 ? NULL : person_new(peer, SORT_TCP, (enum flavour)flavour);

                if (peer < 0)
                    break;
                if (person == NULL) /* which was closed */
                    route_causes(-1, CAUSE_END);
                else
                    open_desk(person, http == 1, desks.where[http][flavour]);
            }
}

/* ---- what is heard --------------------------------------------------------------------------- */

/* The user's name has the proxy that it is for, and the password the number of the user. */
void desk_hears_user(const struct person *person, const char *user, const char *password)
{
    const struct desk *desk = &person->desk;
    char mark[40], wanted[40];

    snprintf(mark, sizeof mark, "-%d-", desk->port);
    if (strncmp(user, "sesame", 6) != 0 || strstr(user, mark) == NULL) {
        fault("a proxy at port %d heard the user \"%s\"", desk->port, user);
        return;
    }
    snprintf(wanted, sizeof wanted, "sesame%s", strrchr(user, '-') + 1);
    if (strcmp(password, wanted) != 0)
        fault("a proxy heard the password \"%s\" of \"%s\"", password, user);
}

/* The target as the program has named it, or one of its addresses: the number at their end is that
 * of the name. */
static bool is_target(const struct route *route, const char *host)
{
    unsigned number = 0, other = 0, which;

    if (strcmp(host, route->host) == 0)
        return true;
    return route->leads == LEADS_PERHAPS && sscanf(route->host, "e%u.far", &number) == 1 &&
           sscanf(host, "198.18.%u.%u", &which, &other) == 2 && number == other;
}

void desk_hears_target(const struct person *person, const char *host, int port)
{
    const struct model *model = route_of_peer(person->peer);

    trace("a proxy is asked for %s port %d", host, port);
    if (model == NULL || model->reconnects)
        return;
    if (model->route.leads == LEADS_NOT)
        fault("a proxy is asked for %s, which is reached directly", host);
    else if (!is_target(&model->route, host) || port != model->route.port)
        fault("a proxy is asked for %s port %d, not %s port %d", host, port, model->route.host,
              model->route.port);
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* How many bytes the message has at least that the desk hears. */
static size_t size_of_request(const struct desk *desk)
{
    enum { IPV4 = 10, IPV6 = 22, NAME = 7, TYPE_AT = 3 };

    if (desk->in_size <= TYPE_AT + 1)
        return TYPE_AT + 2;
    switch (desk->in[TYPE_AT]) {
    case 1: return IPV4;
    case 3: return NAME + (size_t)desk->in[TYPE_AT + 1];
    case 4: return IPV6;
    default: fault("a request for an address of type %d", desk->in[TYPE_AT]); return 0;
    }
}

static size_t size_of_proof(const struct desk *desk)
{
    size_t user = desk->in_size < 2 ? 0 : desk->in[1];

    if (desk->in_size < 2 || desk->in_size < user + 3)
        return user + 3;
    return user + 3 + desk->in[user + 2];
}

static size_t size_of_connect(const struct desk *desk)
{
    bool is_whole = desk->in_size >= 4 && memcmp(desk->in + desk->in_size - 4, "\r\n\r\n", 4) == 0;

    if (!is_whole && desk->in_size == sizeof desk->in)
        fault("a request of CONNECT without an end");
    return is_whole ? desk->in_size : desk->in_size + 1;
}

static size_t size_of_message(const struct desk *desk)
{
    switch (desk->step) {
    case DESK_GREETING: return desk->in_size < 2 ? 2 : 2 + (size_t)desk->in[1];
    case DESK_PROOF: return size_of_proof(desk);
    case DESK_REQUEST: return size_of_request(desk);
    default: return size_of_connect(desk);
    }
}

static void look_at_message(struct person *person)
{
    struct desk *desk = &person->desk;
    size_t size = size_of_message(desk);

    if (desk->in_size < size || fault_found())
        return;
    if (desk->in_size > size)
        fault("%zu bytes behind a message of %zu to a proxy", desk->in_size - size, size);
    desk->out_size = desk->out_sent = desk->tail = 0;
    desk->effect = (struct effect){.realm = desk->realm};
    desk->end = DESK_GOES_ON;
    desk->realm[0] = '\0';
    desk_answer(person);
    desk->in_size = 0;
    route_causes(person->peer, desk->effect.causes);
    if (desk->out_size == 0) /* silence */
        desk->step = DESK_OVER;
}

static void hear(struct person *person)
{
    struct desk *desk = &person->desk;
    size_t room = desk->step == DESK_OVER ? sizeof desk->in : sizeof desk->in - desk->in_size;
    uint8_t *to = desk->step == DESK_OVER ? desk->in : desk->in + desk->in_size;
    struct gifts gifts;
    ptrdiff_t count = peer_receive(person->peer, to, room, &gifts);

    if (count == PEER_NOTHING)
        return;
    player.moved++;
    trace("a proxy hears %td", count);
    if (count < 0) {
        person->heard_end = (int)count;
        person_close(person, false);
        return;
    }
    if (desk->step == DESK_OVER)
        return;
    desk->in_size += (size_t)count;
    look_at_message(person);
}

/* All of the answer was sent. */
static void go_on(struct person *person)
{
    struct desk *desk = &person->desk;

    if (desk->effect.due != DUE_NOTHING)
        route_due(person->peer, &desk->effect);
    desk->out_size = desk->out_sent = 0;
    desk->step = desk->next;
    if (desk->step == DESK_NONE) {
        struct model *model = route_of_peer(person->peer);

        trace("end %u is behind a tunnel", person->end->number);
        if (model != NULL && !model->reconnects)
            person_meet(person, model);
    }
    if (desk->end != DESK_GOES_ON)
        person_close(person, desk->end == DESK_RESETS);
}

static void say_more(struct person *person)
{
    struct desk *desk = &person->desk;
    size_t left = desk->out_size - desk->out_sent;
    ptrdiff_t count;

    if (left > (size_t)desk->pace)
        left = (size_t)desk->pace;
    count = peer_send(person->peer, desk->out + desk->out_sent, left);
    trace("a proxy says %td of %zu bytes", count, desk->out_size - desk->out_sent);
    if (count < 0) {
        person->ended = true;
        person->end->outlet = OUTLET_CUT;
        desk->step = DESK_OVER;
        desk->out_size = desk->out_sent = 0;
        return;
    }
    player.moved += count > 0;
    desk->out_sent += (size_t)count;
    if (desk->out_sent == desk->out_size)
        go_on(person);
}

void desk_turn(struct person *person)
{
    if (person->peer < 0)
        return;
    if (person->desk.out_size > 0 && !person->ended)
        say_more(person);
    else if (person->heard_end == 0)
        hear(person);
}

void desks_turn(void)
{
    for (int i = 0; i < PEERS; i++)
        if (player.people[i].used && player.people[i].desk.step != DESK_NONE)
            desk_turn(&player.people[i]);
}

/* What it has not sent of a stream it has never written. */
bool desk_leave(struct person *person)
{
    struct desk *desk = &person->desk;
    size_t left = desk->out_size - desk->out_sent;
    bool is_stream = !flavour_has_frame(person->flavour);

    if (desk->step == DESK_NONE)
        return true;
    route_causes(person->peer, CAUSE_END);
    if (is_stream)
        person->end->put -= left < desk->tail ? left : desk->tail;
    desk->out_size = desk->out_sent = 0;
    desk->step = DESK_OVER;
    return is_stream || left == 0;
}
