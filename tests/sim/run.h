/* tests/sim/run.h -- what the files of a run share.
 *
 * A run is one seed: a server, ten clients, senders of datagrams, a name server and raw peers live
 * in one process on the simulated kernel, for some hours of its time. */
#ifndef POLLUX_TESTS_SIM_RUN_H
#define POLLUX_TESTS_SIM_RUN_H

#include "tests/sim/sim.h"

#include <pollux.h>
#include <stdint.h>

/* ---- log.c: of this program and of tests/sim/neighbours -------------------------------------- */

/* What is known of the seed that is played. */
extern struct run_notes {
    const char *program;
    uint64_t seed, digest, lines;
    bool prints; /* each line of the log (POLLUX_LOG) */
} run_notes;

/* run_prepare names the program for faults, and ends it when alarm(2) is over; run_begin begins the
 * log of a seed. */
void run_prepare(const char *program);
void run_begin(uint64_t seed);

/* run_fault prints what is wrong, with the seed, and ends the program. run_log adds a line to the
 * log of the run, whose digest two runs of a seed have in common. */
_Noreturn void run_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
void run_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- run.c ----------------------------------------------------------------------------------- */

uint64_t run_events(void); /* the lines so far */

/* run_call_begins and run_call_ends are around each call of the library: it is bounded. `sleeps` is
 * how many milliseconds the call may sleep. */
void run_call_begins(void);
void run_call_ends(const char *name, int sleeps);

/* ---- memory.c -------------------------------------------------------------------------------- */

void memory_begin(bool fails);
void memory_fail(bool fails);
void memory_calm(void);
size_t memory_live(void);

/* ---- watch.c: the order of events ------------------------------------------------------------ */

struct watched {
    char name[24];
    int rank;      /* the line of the last event in this poll; -1: none */
    bool in_poll;  /* a call that may call handlers is running */
    bool in_wait;  /* it may poll several times */
    bool inside;   /* a handler is running: nothing is nested */
    bool up;       /* `connected` was reported, and not yet the end */
    bool accepted; /* by a server: it ends in `disconnected` */
    bool unended;  /* UNCONNECTED was reported, `disconnected` was not */
};

enum line {
    LINE_CALL_ERROR,
    LINE_STATE,
    LINE_CONNECTED,
    LINE_DATA,
    LINE_MESSAGE,
    LINE_END_OF_INPUT,
    LINE_CLOSING,
    LINE_PROGRESS,
    LINE_COMPLETE,
    LINE_ROOM,
    LINE_UNCONNECTED,
    LINE_ERROR,
    LINE_DISCONNECTED
};

void watch_poll_begins(struct watched *watched, bool waits);
void watch_poll_ends(struct watched *watched);
/* watch_event is called first in each handler, watch_handled last. */
void watch_event(struct watched *watched, plx_socket *socket, enum line line);
void watch_handled(struct watched *watched);
/* watch_silent: close, abort or a new connect has ended what was. */
void watch_silent(struct watched *watched);

/* ---- house.c: the server --------------------------------------------------------------------- */

enum run_sort { RUN_TCP, RUN_IPC, RUN_PACKET };

struct setting {
    enum run_sort sort;
    bool filtered;
    int grouping; /* of the clients: 0 one group, 1 a group each, 2 none */
    bool by_name;
    bool urgent; /* raw peers send urgent bytes */
};
extern struct setting setting;

plx_socket *make_socket(void);
const char *house_where(void);
int equip(plx_socket *socket, void *user);

void house_begin(void);
void house_act(void);
bool house_poll(void); /* whether work is left */
int house_deadline(void);
void house_calm(void);
void house_end(void);

/* ---- crowd.c: the clients -------------------------------------------------------------------- */

enum { CLIENTS = 10 };

void crowd_begin(void);
void crowd_act(int client);
bool crowd_poll(int client);
int crowd_deadline(int client);
void crowd_calm(void);
bool crowd_has_echo(int client); /* it has got back all that it sent since */
void crowd_end(void);

/* ---- others.c: datagrams, the name server, raw peers ----------------------------------------- */

void others_begin(void);
void others_act(void);
bool others_poll(void);
int others_deadline(void);
void others_calm(void);
void others_end(void);

#endif
