/* tests/kernel.h -- what the kernel knows about a descriptor, for tests without the kernel's
 * headers.
 *
 * The cases of tests/conform/ include no header of the kernel, so that they hold on every
 * kernel. */
#ifndef POLLUX_TESTS_KERNEL_H
#define POLLUX_TESTS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* errno_of returns the number of an errno by its name, such as "ECONNRESET"; it knows only a
 * few. */
int errno_of(const char *name);

bool closes_on_exec(int descriptor);
bool never_waits(int descriptor);

bool is_readable(int descriptor);
void world_readable(int descriptor); /* sleeps until the descriptor is readable (POLLIN) */
void world_hung_up(int descriptor);  /* sleeps until the kernel reports the peer's end (POLLHUP) */
void world_pause(int milliseconds);

/* accept_closing accepts a connection by accept(2), because tests/elsewhere/refusals refuses
 * accept4(2). The descriptor closes on exec, and has the flags of fcntl(2), 0 or O_NONBLOCK. */
int accept_closing(int listener, int flags);

/* send_buffer_of returns the size of the kernel's send buffer (SO_SNDBUF) as the socket asked for
 * it; limit_receiving sets that of the receive buffer (SO_RCVBUF). */
int send_buffer_of(int descriptor);
void limit_receiving(int descriptor, int size);

/* deepen enlarges the kernel's buffers between two descriptors above the budget of a poll.
 * may_deepen returns whether this user may do that. */
void deepen(int receiver, int sender);
bool may_deepen(void);

#endif
