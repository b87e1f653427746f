/* tests/soak/meter.h -- what a process of the soak has, and what each of its polls did.
 *
 * Memory and descriptors are counted by tests/counting.h. The work of a poll is counted at the
 * door to the kernel: the program is linked with -Wl,--wrap for the calls of lib/os/ that move
 * bytes and connections, so that nothing is counted that the library merely claims. */
#ifndef POLLUX_TESTS_SOAK_METER_H
#define POLLUX_TESTS_SOAK_METER_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The budget of the soak's groups, in bytes of each direction. A call counts as 64 bytes more. */
enum { METER_BUDGET = 131072, METER_CALL_PRICE = 64 };

/* What a socket of the house may have queued, and the piece by which a closing socket may exceed
 * the budget when it drops what arrives. */
enum { METER_QUEUE = 65536, METER_PIECE = 4096 };

/* What a process has at one moment. */
struct meter_sample {
    size_t blocks, bytes; /* of the library */
    size_t resident;      /* VmRSS, in KiB */
    int descriptors;
};

/* The most that one poll did, and the sums of all polls. What handlers sent themselves is not the
 * poll's own work, and is not in `most`. */
struct meter_work {
    uint64_t polls, received, sent, accepted, calls;
    struct {
        size_t received, sent, accepted, calls, handlers;
        int64_t thread_ns;
    } most;
};

struct meter_sample meter_sample(void);
size_t meter_peak_resident(void); /* VmHWM, in KiB */

/* meter_poll polls a group that has METER_BUDGET, and ends the process if the poll did more than
 * that allows. */
bool meter_poll(plx_group *group, int timeout_ms);
const struct meter_work *meter_work(void);

/* A handler calls meter_enter first and meter_leave last. */
void meter_enter(void);
void meter_leave(void);

#endif
