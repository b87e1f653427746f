/* tests/model/calls-scene.c -- several calls in one, which follow each other too seldom by chance:
 * what arrives together, what never stops, and what lasts too long. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/time.h"

#include <string.h>

/* ---- the raw peer of a socket ---------------------------------------------------------------- */

struct person *person_of(const struct model *model)
{
    const struct end *end = model->end;

    for (int i = 0; i < PEERS && end != NULL; i++) {
        struct person *person = &player.people[i];

        if (person->used && person->peer >= 0 && person->end == end->from)
            return person;
    }
    return NULL;
}

void person_meet(struct person *person, struct model *model)
{
    if (person == NULL || person->end->noise || model->end->from != NULL)
        return;
    model->end->from = person->end;
    person->end->from = model->end;
}

static struct person *pick_talker(struct turn *turn)
{
    struct person *person = NULL;

    for (int i = 0; i < 3 && person == NULL; i++) {
        const struct model *model = pick_socket(turn);

        person = model == NULL ? NULL : person_of(model);
    }
    return person != NULL ? person : pick_person(turn);
}

/* ---- what arrives together ------------------------------------------------------------------- */

static size_t pick_little(struct turn *turn)
{
    return 1 + (size_t)chance_of(&turn->chance, 400);
}

/* The peer sends, and ends before anybody has polled. */
void call_burst(struct turn *turn)
{
    struct person *person = pick_talker(turn);
    int pieces = 1 + chance_of(&turn->chance, 3);

    if (person == NULL || person->sort == SORT_UDP)
        return;
    for (int i = 0; i < pieces; i++)
        person_say(person, pick_little(turn));
    switch (chance_of(&turn->chance, 5)) {
    case 0: break;
    case 1: person_close(person, chance_in(&turn->chance, 60)); break;
    default: person_end(person);
    }
}

/* ---- what never stops ------------------------------------------------------------------------ */

/* A peer that sends again whenever its socket reports bytes. */
void call_flood(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    struct person *person = model == NULL ? NULL : person_of(model);

    if (person == NULL || polls_running() > 0 || model->owner != NULL || !may_wait())
        return;
    trace("end %u sends without an end", person->end->number);
    person_say(person, RECORD_HEAD);
    player.flood = model;
    wait_on(model, chance_in(&turn->chance, 70) ? WAIT_DISCONNECTED : WAIT_CONNECTED, 3);
    player.flood = NULL;
}

void flood(struct model *model)
{
    struct person *person = person_of(model);

    take_all(model);
    if (person != NULL && !waits_too_long())
        person_say(person, RECORD_HEAD);
}

/* ---- what lasts too long --------------------------------------------------------------------- */

/* A wait for a listener that does not answer, mostly in the handler of another socket. */
void call_slow_connect(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL || model->sort == SORT_UDP || model->inside > 0 ||
        plx_socket_state(model->socket) != PLX_UNCONNECTED || !may_wait())
        return;
    set_option(model, PLX_OPTION_CONNECT_TIMEOUT, 1 + chance_of(&turn->chance, 5));
    connect_model(model, place_silent(model->sort));
    if (model->socket != NULL)
        wait_on(model, WAIT_CONNECTED, 8 + chance_of(&turn->chance, 6));
}

/* A handler that takes its time, and polls. */
void call_dawdle(struct turn *turn)
{
    plx_group *group = player.groups[pick_group(turn)];
    bool polls = chance_in(&turn->chance, 70);
    uint64_t begin = ground_now();

    if (turn->self == NULL)
        return;
    trace("time passes");
    if (time_is_real())
        time_pass(4);
    else
        time_jump(5 + chance_of(&turn->chance, 40));
    player.wait_limit += (int)((ground_now() - begin) / 1000000u);
    if (polls && group != NULL)
        poll_group(group, 0);
}
