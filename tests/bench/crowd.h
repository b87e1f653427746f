/* tests/bench/crowd.h -- many TCP clients in a process of their own.
 *
 * They live apart because 10 000 connections have 20 000 ends, more descriptors than one process
 * may have, and because what they do must not be charged to the thread that is measured. The
 * process obeys one order at a time and answers each when it is done, so that the measured side
 * always finds all it is to find:
 *
 *     bench                      crowd
 *       │── send on 100 of them ──→│
 *       │←────────── done ─────────│
 *       │  one measured frame      │
 *       │── receive on the same ──→│  blocks until every reply is there
 *       │←────────── done ─────────│
 */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include <stddef.h>
#include <sys/types.h>

enum { CROWD_MESSAGE = 64 }; /* bytes in a message */

struct crowd {
    pid_t process;
    int channel;
};

/* Some of a crowd's clients: `count` of those numbered base … base + total - 1, from base + first
 * on, all round. */
struct crowd_choice {
    unsigned base, total, first, count;
};

/* crowd_start makes the process, and gives it and the caller a processor each, where there are two.
 * To be called before any socket is made: what is open then stays open there. */
void crowd_start(struct crowd *crowd);

/* crowd_connect connects `count` more clients to a port of 127.0.0.1. They wait in the kernel's
 * queue until accepted, so one call must not ask for more than fit. */
void crowd_connect(struct crowd *crowd, int port, unsigned count);

/* crowd_send sends one message on each of the chosen; crowd_receive takes one on each. */
void crowd_send(struct crowd *crowd, const struct crowd_choice *choice);
void crowd_receive(struct crowd *crowd, const struct crowd_choice *choice);

/* crowd_flood has the chosen send as fast as they can, and returns at once; crowd_calm ends that.
 */
void crowd_flood(struct crowd *crowd, const struct crowd_choice *choice);
void crowd_calm(struct crowd *crowd);

/* crowd_close closes every client. The next one is number 0 again. */
void crowd_close(struct crowd *crowd);

/* crowd_end ends the process. */
void crowd_end(struct crowd *crowd);

#endif
