/* tests/model/ground.h -- what else the player asks the kernel: the time, and what is there. With
 * peer.h the only door to the kernel: ground.c and peer.c lead to the real one, ground-sim.c and
 * peer-sim.c to the simulated one of tests/sim. */
#ifndef POLLUX_TESTS_MODEL_GROUND_H
#define POLLUX_TESTS_MODEL_GROUND_H

#include <pollux.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/model/chance.h"
#include "tests/model/program.h"

/* ground_begin begins a program. Returns whether the kernel is a new one, which has none of the
 * sockets that were open before. */
bool ground_begin(const struct program *program);
bool ground_is_simulated(void);

/* ground_cuts returns whether the kernel may break connections of TCP at any moment of this
 * program, and refuse attempts; ground_has_refused whether it has failed a call because it lacked
 * memory. */
bool ground_cuts(void);
bool ground_has_refused(void);

uint64_t ground_now(void); /* nanoseconds; never runs backwards */

/* How many milliseconds a wait may last longer than its limit. */
int ground_tolerance(void);

/* ground_pause lets time pass, and what is on its way arrive; ground_is_busy returns whether
 * something is known to be on its way. ground_pass lets time pass between two calls of a
 * program. */
void ground_pause(int microseconds);
bool ground_is_busy(void);
void ground_pass(struct chance *chance);

/* A kernel may fail and shorten calls that could work. ground_spare stops that while it is on,
 * ground_calm for the rest of the program. */
void ground_spare(bool on);
void ground_calm(void);

/* ground_descriptors returns how many descriptors the process has, -1 where nobody can know.
 * ground_starve leaves none free; ground_feed gives all back. */
int ground_descriptors(void);
void ground_starve(void);
void ground_feed(void);

/* ground_wake_soon wakes a group from another thread, after that number of microseconds; a kernel
 * without threads wakes it at once. ground_wake_over waits for that thread. */
void ground_wake_soon(plx_group *group, int microseconds);
void ground_wake_over(void);

/* What the kernel reports of a descriptor at this moment. */
enum { GROUND_READABLE = 1, GROUND_WRITABLE = 2, GROUND_ENDED = 4, GROUND_PEER_ENDED = 8 };
int ground_ready(plx_handle descriptor);

/* ground_is_exact returns whether poll(2) reports nothing that ground_ready does not. */
bool ground_is_exact(void);

/* ground_mechanism makes later groups poll by "uring", "epoll" or "poll". Returns false where that
 * is not here. ground_set_variable sets a variable of the environment. */
bool ground_mechanism(const char *name);
void ground_set_variable(const char *name, const char *value);

/* ground_counts gives the time that has passed in programs, 0 for the real kernel's, and how many
 * faults the kernel has played. */
void ground_counts(uint64_t *ret_nanoseconds, uint64_t *ret_faults);

#endif
