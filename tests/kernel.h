/* tests/kernel.h -- what the kernel knows of a descriptor, and how it is asked without its headers.
 *
 * The cases of tests/conform/ include no header of the kernel, so that they hold on every one. */
#ifndef POLLUX_TESTS_KERNEL_H
#define POLLUX_TESTS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* errno_of is the number of an errno by its name, such as "ECONNRESET"; few are known. */
int errno_of(const char *name);

bool closes_on_exec(int descriptor);
bool never_waits(int descriptor);

bool is_readable(int descriptor);
void world_readable(int descriptor); /* sleeps until the kernel has something to read there */
void world_hung_up(int descriptor);  /* sleeps until the kernel knows that the peer has ended */
void world_pause(int milliseconds);

/* send_buffer_of is how much the kernel takes for a descriptor (SO_SNDBUF), as it was asked for;
 * limit_receiving asks for that little (SO_RCVBUF). */
int send_buffer_of(int descriptor);
void limit_receiving(int descriptor, int size);

/* deepen makes the kernel hold more between two descriptors than a poll may do. Not every user may
 * have that: may_deepen. */
void deepen(int receiver, int sender);
bool may_deepen(void);

#endif
