/* tests/model/places.c -- where the sockets of a program can connect to. */
#include "config.h"

#include "tests/model/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Listeners of raw peers, one for each way in which raw peers speak. They live as long as the
 * kernel or the process. */
enum { RAW_FLAVOURS = FLAVOUR_NOISE + 1 };

static struct {
    bool begun;
    int listeners[SORTS][RAW_FLAVOURS];
    char where[SORTS][RAW_FLAVOURS][PEER_WHERE];
    char refusing[SORTS][PEER_WHERE];
    char silent[SORTS][PEER_WHERE]; /* the queue of the listener is full */
} places;

static void make_silent(enum sort sort)
{
    peer_listen(sort, 0, places.silent[sort]);
    for (int i = 0; i < 3 && sort != SORT_UDP; i++)
        if (peer_connect(sort, places.silent[sort]) < 0)
            break;
}

/* Raw peers with commands, which only programs of daemons have. */
static void begin_commands(void)
{
    for (int sort = 0; sort < SORT_UDP && player.program->daemons; sort++)
        for (int flavour = FLAVOUR_COMMANDS; flavour <= FLAVOUR_DATA_LENGTH; flavour++)
            if (places.listeners[sort][flavour] <= 0)
                places.listeners[sort][flavour] =
                    peer_listen((enum sort)sort, 64, places.where[sort][flavour]);
}

static void begin_all(void)
{
    for (int sort = 0; sort < SORT_UDP; sort++) {
        int flavours = sort == SORT_SEQPACKET ? 1 : RAW_FLAVOURS;

        memset(places.listeners[sort], 0, sizeof places.listeners[sort]);

        for (int flavour = 0; flavour < flavours; flavour++)
            places.listeners[sort][flavour] =
                flavour_has_commands((enum flavour)flavour)
                    ? 0
                    : peer_listen((enum sort)sort, 64, places.where[sort][flavour]);
    }
    for (int sort = 0; sort < SORTS; sort++) {
        peer_refuse((enum sort)sort, places.refusing[sort]);
        make_silent((enum sort)sort);
    }
}

void places_begin(bool again)
{
    if (!places.begun || again)
        begin_all();
    places.begun = true;
    begin_commands();
}

void people_accept(void)
{
    desks_accept();
    for (int sort = 0; sort < SORT_UDP; sort++)
        for (int flavour = 0; flavour < RAW_FLAVOURS; flavour++)
            while (places.listeners[sort][flavour] > 0) {
                int peer = peer_accept(places.listeners[sort][flavour]);

                if (peer < 0)
                    break;
                person_new(peer, (enum sort)sort, (enum flavour)flavour);
            }
}

const char *place_silent(enum sort sort)
{
    return places.silent[sort];
}

const char *place_refusing(enum sort sort)
{
    return places.refusing[sort];
}

static bool suits(enum sort sort, enum flavour flavour, const struct model *model)
{
    return sort == model->sort && flavour == model->flavour;
}

/* In programs with TLS nearly every connection has a server: raw peers do not speak it. */
static bool suits_house(const struct house *house, const struct model *model)
{
    return house->server != NULL && suits(house->sort, house->flavour, model) &&
           plx_server_is_listening(house->server);
}

static const char *house_for(struct turn *turn, const struct model *model)
{
    const struct house *house = pick_house(turn);

    for (int i = 0; i < SERVERS && model_is_tls(model) && !suits_house(house, model); i++)
        house = &player.houses[i];
    return suits_house(house, model) ? house->where : NULL;
}

static const char *listener_for(struct turn *turn, const struct model *model)
{
    const struct model *other = player.sockets[chance_of(&turn->chance, SOCKETS)];

    return other != NULL && other != model && suits(other->sort, other->flavour, model) &&
                   plx_socket_is_listening(other->socket)
               ? other->where
               : NULL;
}

static const char *odd_place(struct turn *turn, const struct model *model)
{
    static char named[PEER_WHERE];
    const char *raw = places.where[model->sort][0];

    switch (chance_of(&turn->chance, 6)) {
    case 0: return places.refusing[model->sort];
    case 1: return places.silent[model->sort];
    case 2: return model->sort == SORT_TCP ? "nobody.example:80" : "@pollux-model-nobody";
    case 3: return "nonsense";
    default:
        if (model->sort != SORT_TCP || model->flavour != FLAVOUR_PLAIN)
            return NULL;
        snprintf(named, sizeof named, "%s:%s",
                 chance_in(&turn->chance, 50) ? "localhost" : "somebody.example",
                 strchr(raw, ':') + 1);
        return named;
    }
}

static const char *raw_place(enum sort sort, enum flavour flavour)
{
    return places
        .where[sort][sort == SORT_SEQPACKET && !flavour_has_commands(flavour) ? 0 : flavour];
}

const char *place_for(struct turn *turn, const struct model *model)
{
    enum flavour flavour = model->flavour < FLAVOUR_NOISE ? model->flavour : FLAVOUR_NOISE;
    int choice = chance_of(&turn->chance, 100);
    const char *where = NULL;

    if (model->route.scheme != SCHEME_NONE && model->route.flavour == model->flavour)
        where = proxy_place(turn, model);

    if (where != NULL)
        return where;
    if (choice < (model_is_tls(model) ? 50 : 35))
        where = house_for(turn, model);
    else if (choice < 60)
        where = listener_for(turn, model);
    else if (choice < 70)
        where = odd_place(turn, model);
    if (where != NULL)
        return where;
    return raw_place(model->sort, flavour);
}
