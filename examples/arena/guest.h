/* arena/guest.h -- everybody who is connected to the server: bots by TCP, spectators by IPC. */
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

/* What a guest may have queued at most; one that reads so little is turned out. */
#define GUEST_WRITE_LIMIT (512 * 1024)
/* And with so much queued a spectator is spared further pictures. */
#define GUEST_ENOUGH_QUEUED (128 * 1024)

enum guest_stage {
    GUEST_NONE,    /* the place is free */
    GUEST_NEW,     /* connected, has not said what it wants */
    GUEST_IN,      /* plays or watches */
    GUEST_ENDING,  /* was told END */
    GUEST_GOODBYE, /* has said GOODBYE */
};

struct guest {
    enum guest_stage stage;
    bool is_spectator;
    bool has_ended; /* the connection is no more; the place is cleared after the poll */
    struct link link;
    struct goodbye goodbye;

    /* of a bot: */
    int id; /* in the world, 0 is A */
    char name[NAME_SIZE];
    uint32_t key;
    plx_address address; /* where its datagrams come from; family 0 while unknown */
    uint32_t sequence;   /* of the last picture sent to it */
    uint32_t newest;     /* the highest sequence of its inputs */
    struct datagrams out, in;
};

/* The guests and what they act upon. */
struct guests {
    struct guest all[GUESTS_MAX];
    struct guest *bots[PLAYERS_MAX]; /* by id; NULL is nobody */
    struct world *world;
    struct report *report;
    plx_socket *udp;
    uint32_t random; /* for the keys */
};

/* The handlers of a guest's connection; user is the struct guests. */
extern const plx_events guest_events;

/* guests_admit gives a new connection a place, or turns it away. */
void guests_admit(struct guests *guests, plx_socket *client, bool is_spectator);

/* guests_take_datagrams reads what the bots have sent over UDP. */
void guests_take_datagrams(struct guests *guests);

/* guests_show sends the world as it is to all bots and spectators. */
void guests_show(struct guests *guests);

/* guests_tell_spectators sends one line to all who watch. */
void guests_tell_spectators(struct guests *guests, const char *line);

/* guests_tell_hits tells everybody who was bumped into in this frame. */
void guests_tell_hits(struct guests *guests);

/* guests_say_end tells everybody that it is over. */
void guests_say_end(struct guests *guests);

/* guests_clear lets those go whose connection has ended, and takes their counts into the report. To
 * be called outside the poll, when all datagrams that came before their end have been read, too. */
void guests_clear(struct guests *guests);

/* guests_count returns how many are connected. */
int guests_count(const struct guests *guests);

/* guests_complain notes those who are still there as a problem. */
void guests_complain(struct guests *guests);

#endif
