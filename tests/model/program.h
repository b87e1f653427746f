/* tests/model/program.h -- a program of random calls: a seed, and the calls that are left out. */
#ifndef POLLUX_TESTS_MODEL_PROGRAM_H
#define POLLUX_TESTS_MODEL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* How groups poll, or that there are none. */
enum way { WAY_URING, WAY_EPOLL, WAY_POLL, WAY_LONE, WAYS };

/* The lists that the numbers of a program are drawn from. */
enum { LIST_TRAITS, LIST_CALLS, LIST_INNER, LIST_FREE, LIST_PAUSES, LIST_DESKS, LIST_GUESTS };

enum { PROGRAM_CALLS = 400, PROGRAM_INNER = 400 };

/* The programs of seeds from here on are those with TLS. */
#define PROGRAM_TLS UINT64_C(1000000000000000)

/* And from here on those with proxies. */
#define PROGRAM_PROXIES UINT64_C(2000000000000000)

/* And from here on those of daemons. */
#define PROGRAM_DAEMONS UINT64_C(3000000000000000)

enum clock_kind { CLOCK_REAL, CLOCK_JUMPS, CLOCK_STANDS, CLOCK_ENDS };

struct program {
    uint64_t seed;
    enum way way;
    int calls; /* how many, without those of handlers */
    int inner; /* how many calls handlers may make */
    bool left_out[PROGRAM_CALLS], left_out_inner[PROGRAM_INNER];

    enum clock_kind clock;
    bool waits_in_handlers;
    int refused;  /* thousandths of the requests for memory, from some call on; 0: none */
    bool starves; /* descriptors run out for some calls */
    bool fenced;  /* memory is guarded by its pages */
    bool cuts;    /* the network breaks connections of TCP, where the kernel can play that */

    bool tls;     /* most streams are encrypted */
    bool proxies; /* most connections of TCP go through proxies */
    bool daemons; /* with timers, watches, lookups, commands, and the same for all clients */
};

/* program_make makes the program of a seed. program_way returns a way by its name, such as
 * "epoll", WAYS for another name; program_way_name the name. */
void program_make(struct program *program, uint64_t seed, enum way way);
enum way program_way(const char *name);
const char *program_way_name(enum way way);

#endif
