/* tests/model/ground.h -- what else the player asks the kernel: the time, and what is there. With
 * peer.h the only door to the kernel. */
#ifndef POLLUX_TESTS_MODEL_GROUND_H
#define POLLUX_TESTS_MODEL_GROUND_H

#include <pollux.h>
#include <stdbool.h>
#include <stdint.h>

uint64_t ground_now(void); /* nanoseconds; never runs backwards */
void ground_pause(int microseconds);

/* ground_descriptors returns how many descriptors the process has, -1 where nobody can know.
 * ground_starve leaves none free; ground_feed gives all back. */
int ground_descriptors(void);
void ground_starve(void);
void ground_feed(void);

/* What the kernel reports of a descriptor at this moment. */
enum { GROUND_READABLE = 1, GROUND_WRITABLE = 2, GROUND_ENDED = 4, GROUND_PEER_ENDED = 8 };
int ground_ready(plx_handle descriptor);

/* ground_mechanism makes later groups poll by "uring", "epoll" or "poll". Returns false where that
 * is not here. */
bool ground_mechanism(const char *name);

#endif
