/* tests/model/guests.h -- members of groups that are no sockets: timers, watches and lookups.
 *
 * Polls of groups stand between guests_poll_begin and guests_poll_end, which remember what must be
 * called in this poll and then compare.
 *
 *     calls-timer.c --> alarms.c --+
 *     calls-watch.c --> sights.c --+--> guests.c: which group is polled
 *     calls-lookup.c -> queries.c -+ */
#ifndef POLLUX_TESTS_MODEL_GUESTS_H
#define POLLUX_TESTS_MODEL_GUESTS_H

#include <pollux.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/model/player.h"

/* A poll of a group. */
struct frame {
    plx_group *group; /* NULL: it was freed meanwhile */
    unsigned serial;  /* grows, with what is set and joins between polls */
    uint64_t begun;   /* by plx_clock_now */
    int depth;        /* the polls that ran then, with this one */
    bool idle;        /* a handler of this group makes the call, which does nothing */
    bool more;        /* what the poll returned */
};

void guests_begin(void); /* of a program */
void guests_forget_group(const plx_group *group);
void guests_poll_begin(plx_group *group); /* behind poll_begin; NULL: no group of the program */
void guests_poll_end(bool more);          /* before poll_end */
int guests_in(const plx_group *group);    /* how many are members */
bool guests_are_polled(const plx_group *group);

/* guests_stop stops what would never rest, guests_rest lets what goes on do so while nothing else
 * moves, guests_free frees one by chance, guests_end all. guests_poll_alone polls those that are in
 * no group by themselves. */
void guests_stop(void);
void guests_rest(void);
void guests_poll_alone(void);
void guests_free(struct chance *chance);
void guests_end(void);

/* guest_frame returns the poll that runs now and calls handlers of guests; NULL: none.
 * guest_serial numbers what happens to guests. */
const struct frame *guest_frame(void);
unsigned guest_serial(void);

/* A handler of a guest stands between guest_enter and guest_leave. guest_expect_frame expects that
 * it is called from a poll of its group. guest_chance returns the numbers of what it does. */
void guest_enter(const char *name, int number);
void guest_leave(void);
void guest_expect_frame(const char *name, const plx_group *group);
struct chance guest_chance(void);

/* guest_may_act returns whether a handler may make calls of its own. */
bool guest_may_act(void);

/* guest_slack: by how many nanoseconds a poll may miss a moment, with the kernel's coarse clock. */
uint64_t guest_slack(void);

/* guest_sum returns a later moment, at most the last one of the clock. */
uint64_t guest_sum(uint64_t moment, uint64_t nanoseconds);

/* ---- timers (alarms.c) ----------------------------------------------------------------------- */

enum { ALARMS = 12 };

/* A timer of the program. A moment is known as a span, since the clock may go on between two
 * calls. */
struct alarm {
    plx_timer *timer; /* NULL: an empty slot, or freed */
    bool heard;       /* it has a handler */
    plx_group *group;
    uint64_t from, to; /* when it is due; 0: it is not running */
    uint64_t period;   /* 0: once */
    unsigned order;    /* when it was set or joined */
    unsigned left;     /* the poll whose budget left it; 0: none */
    unsigned called;   /* the last poll that called it */
    bool vague;        /* its order is not known */
    int inside;
};

void alarms_begin(void);
void alarms_forget_group(const plx_group *group);
void alarms_poll_end(const struct frame *frame);
int alarms_in(const plx_group *group);
void alarms_stop(void);
void alarm_free(struct alarm *alarm);
struct alarm *alarm_at(int slot);
struct alarm *alarm_ringing(void); /* the innermost whose handler runs; NULL: none */
void alarm_ring(plx_timer *timer, void *user);
void alarm_act(struct chance *chance, struct alarm *alarm); /* a call in calls-timer.c */

/* alarm_set follows a call that has made the timer due; alarm_left looks at plx_timer_left. */
void alarm_set(struct alarm *alarm, uint64_t before, int milliseconds, bool repeat);
void alarm_look(const struct alarm *alarm);
uint64_t alarms_next(const plx_group *group); /* the latest moment of the first; 0: none */

/* ---- watches (sights.c) ---------------------------------------------------------------------- */

/* Enough watches that the list of a group grows. */
enum { SIGHTS = 24, WIRES = 4 };

/* Two connected descriptors of the program (wires.c). */
struct wire {
    enum sort sort;
    int ends[2];    /* -1: closed */
    unsigned moved; /* when a call last changed what is in it */
};

/* A watch of the program. */
struct sight {
    plx_watch *watch; /* NULL: an empty slot, or freed */
    bool heard;       /* it has a handler */
    plx_group *group;
    struct wire *wire;
    int side; /* of the wire */
    unsigned want;
    bool blind;       /* its descriptor was closed before it was stopped: the file stays open */
    bool deaf;        /* the kernel may not watch it: it could not move to another group */
    unsigned changed; /* when it was set or joined */
    unsigned primed;  /* the last poll that found it ready */
    unsigned called;  /* the last poll that called it */
    int left;         /* polls that left it for their budget */
    int inside;
};

void wires_begin(void);
void wires_end(void);
struct wire *wire_at(int slot);
bool wire_open(struct wire *wire, enum sort sort); /* false: there is no descriptor */
void wire_say(struct wire *wire, int side, int size);
void wire_hear(struct wire *wire, int side, int size);
void wire_fill(struct wire *wire, int side); /* until nothing fits */
void wire_end(struct wire *wire, int side);
void wire_close(struct wire *wire, int side);
void wire_act(struct chance *chance, struct wire *wire); /* a call in calls-watch.c */

void sights_begin(void);
void sights_forget_group(const plx_group *group);
void sights_poll_begin(const struct frame *frame);
void sights_poll_end(const struct frame *frame);
int sights_in(const plx_group *group);
void sights_stop(void);
void sights_rest(void);
struct sight *sight_at(int slot);
int sight_number(const struct sight *sight);
unsigned sight_ready(const struct sight *sight); /* those bits of what it wants */
void sight_free(struct sight *sight);
void sight_see(plx_watch *watch, unsigned ready, void *user);
void sight_act(struct chance *chance, struct sight *sight); /* a call in calls-watch.c */
void sight_set(struct sight *sight, unsigned want);         /* the same */
bool sights_are_deaf(const plx_group *group);               /* one of them may be */

/* sights_keep_end follows the close of an end, and returns whether a watch still has its file.
 * sight_forget_lost frees a watch that does not watch that file any more. */
bool sights_keep_end(const struct wire *wire, int side);
void sight_forget_lost(struct sight *sight);
void sights_forget_lost(void);

/* ---- lookups (queries.c) --------------------------------------------------------------------- */

enum { QUERIES = 16 };

/* What is known of a host. */
enum host_sort {
    HOST_EMPTY,
    HOST_WRONG,
    HOST_NUMERIC,
    HOST_LOCAL,
    HOST_FOUND,
    HOST_BOTH, /* in both families */
    HOST_FAR,
    HOST_NOBODY
};

/* A lookup of the program. */
struct query {
    plx_lookup *lookup; /* NULL: an empty slot, or freed */
    bool heard;         /* it has a handler */
    plx_group *group;
    enum host_sort sort;
    int number; /* of a host that is far, and the family of one that is numeric */
    int protocol;
    bool reported;
    uint64_t begun, ground_begun; /* not later than that, by the two clocks */
    uint64_t asked;               /* and not earlier than that */
    unsigned order;               /* when it joined */
    unsigned ripe;                /* the last poll that found it finished */
    int left;                     /* polls that left it for their budget */
    int inside;
    const plx_address *addresses; /* that were reported */
    size_t count;
};

void queries_begin(void);
void queries_forget_group(const plx_group *group);
void queries_poll_begin(const struct frame *frame);
void queries_poll_end(const struct frame *frame);
int queries_in(const plx_group *group);
void queries_poll_alone(void);
void queries_expect_found(void); /* once nothing moves */
struct query *query_at(int slot);
int query_number(const struct query *query);
void query_free(struct query *query);
bool query_poll(struct query *query); /* by itself; the same result */
void query_wait(struct query *query, int timeout);
bool query_is_finished(const struct query *query); /* whether there is a result */
bool query_is_instant(const struct query *query);  /* it needs no name server */
void query_finish(plx_lookup *lookup, void *user);
void query_look(struct query *query);                       /* at its result */
void query_judge(struct query *query);                      /* answers.c: the result is right */
void query_act(struct chance *chance, struct query *query); /* a call in calls-lookup.c */

#endif
