/* tests/counting.h -- what this process has: blocks of Pollux's memory, and descriptors. It needs
 * no Check, so that every program of the tests can count with it. */
#ifndef POLLUX_TESTS_COUNTING_H
#define POLLUX_TESTS_COUNTING_H

#include <stdbool.h>
#include <stddef.h>

int count_descriptors(void); /* of this process, by /proc/self/fd; -1: unknown */
int count_sockets(void);     /* the descriptors that are sockets */

/* count_memory makes Pollux's memory count. It is for one thread. */
void count_memory(void);
size_t count_blocks(void);      /* the allocated blocks of Pollux's memory */
size_t count_bytes(void);       /* the bytes of these blocks */
size_t count_peak_bytes(void);  /* the most that there were at once */
size_t count_allocations(void); /* how often a block was allocated or resized so far */

/* fail_allocation makes the n-th allocation from now on fail; -n: that one and all later ones; 0:
 * none. */
void fail_allocation(int number);
bool allocation_failed(void); /* whether one has failed since fail_allocation */

#endif
