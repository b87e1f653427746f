/* arena/guest.h -- the guests that are connected to the server, by TCP or IPC. */
#ifndef ARENA_GUEST_H
#define ARENA_GUEST_H

#include "link.h"
#include "picture.h"
#include "report.h"
#include "world.h"

#include <pollux.h>

#include <stdbool.h>
#include <stdint.h>

#define GUESTS_MAX 64
#define NAME_SIZE 16

/* The most that may be queued for a guest; a guest that reads less is turned out. */
#define GUEST_WRITE_LIMIT (512 * 1024)
/* With this much queued a spectator gets no further pictures. */
#define GUEST_ENOUGH_QUEUED (128 * 1024)

enum guest_stage {
    GUEST_NONE,    /* the place is free */
    GUEST_NEW,     /* connected, has sent neither JOIN nor WATCH */
    GUEST_IN,      /* plays or watches */
    GUEST_ENDING,  /* END was sent to it */
    GUEST_GOODBYE, /* has sent GOODBYE */
};

struct guest {
    struct guests *guests;
    enum guest_stage stage;
    bool is_spectator, by_ipc;
    bool has_ended; /* the connection has ended; the place is cleared after the poll */
    struct link link;
    struct goodbye goodbye;

    /* of a bot: */
    int id; /* in the world, 0 is A */
    char name[NAME_SIZE];
    uint32_t key;
    plx_address address; /* the sender of its datagrams; family 0 while unknown */
    uint32_t sequence;   /* of the last picture sent to it */
    uint32_t newest;     /* the highest sequence of its inputs */
    struct datagrams out, in;
};

/* The guests and the objects they change. */
struct guests {
    struct guest all[GUESTS_MAX];
    struct guest *bots[PLAYERS_MAX]; /* by id; NULL is nobody */
    struct world *world;
    struct report *report;
    plx_socket *udp;
    uint32_t random; /* for the keys */
};

/* guests_admit gives a new connection a place, or turns it away. */
void guests_admit(struct guests *guests, plx_socket *client, bool by_ipc);

/* guests_take_datagrams reads the datagrams of the bots. */
void guests_take_datagrams(struct guests *guests);

/* guests_show sends the world as it is to all bots and spectators. */
void guests_show(struct guests *guests);

/* guests_tell_spectators sends one command to all spectators. */
void guests_tell_spectators(struct guests *guests, enum command command, const char *text);

/* guests_tell_hits sends the hits of this frame to all guests. */
void guests_tell_hits(struct guests *guests);

/* guests_say_end sends END to all guests. */
void guests_say_end(struct guests *guests);

/* guests_clear removes the guests whose connection has ended, and adds their counts to the report.
 * Call it outside the poll, when all datagrams that arrived before their end have been read. */
void guests_clear(struct guests *guests);

/* guests_count returns how many guests are connected. */
int guests_count(const struct guests *guests);

/* guests_complain notes the guests that are still connected as a problem. */
void guests_complain(struct guests *guests);

#endif
