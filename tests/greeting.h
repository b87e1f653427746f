/* tests/greeting.h -- a filter that waits for a greeting, and a server whose clients have it. */
#ifndef POLLUX_TESTS_GREETING_H
#define POLLUX_TESTS_GREETING_H

#include "tests/world.h"

/* ---- the filter ------------------------------------------------------------------------------ */

/* A greeting filter waits for one '!' of the peer before the bytes pass, and refuses any other byte
 * with EPROTO. */
extern const plx_filter_kind greeting_filter;

/* What happened to all greeting filters so far: how many have begun, how often one was established
 * or tried to be, how many are forgotten. */
extern int greeting_begins, greeting_steps, greeting_forgotten;

/* A letter for each filter that has begun, and for each greeting_trace. */
extern char greeting_text[64];
void greeting_trace(char letter);

/* greeting_push pushes a greeting filter that has a letter; '\0': none. Returns 0 or a code, as
 * greeting_equip, which is for plx_server_add_filter. */
int greeting_push(plx_socket *client, char letter);
int greeting_equip(plx_socket *client, void *user);

/* greeting_equip_letter does so for the letter that `user` points to, and traces the capital. */
int greeting_equip_letter(plx_socket *client, void *user);

/* ---- a server and its clients ---------------------------------------------------------------- */

enum { HALL = 1200, HALL_LOGS = 24 };

/* What a server reported, and its clients in the order they came. The first ones have a record. */
struct hall {
    struct world *world;
    plx_server *server;
    int accepted, errors, code;
    char message[300];
    plx_socket *clients[HALL];
    struct record logs[HALL_LOGS];
    record_act *act; /* called in `accepted` with a record whose data is the hall; NULL: nothing */
    char where[WHERE_SIZE];
};

/* The handlers of a hall, and the one of `accepted` for tables of a case's own. */
extern const plx_server_events hall_events;
void hall_accepted(plx_server *server, plx_socket *client, void *user);

/* hall_open makes a server that listens, and whose clients have a greeting filter. hall_open_plain
 * makes one that has no filters yet. You free the hall with free(3), the world frees the server. */
struct hall *hall_open(struct world *world);
struct hall *hall_open_plain(struct world *world);

/* hall_expect_echo expects that bytes travel both ways; hall_expect_service that a new peer, which
 * greets, is served. */
void hall_expect_echo(struct hall *hall, int client, int raw);
void hall_expect_service(struct hall *hall);

#endif
