/* tests/netns.h -- a network of a test's own.
 *
 * Check runs each case in a process of its own, so that a case can move into new namespaces
 * (namespaces(7)) and leave them by ending: it has its own loopback, addresses, routes, sysctls and
 * firewall, and may put files over those in /etc. That takes root; elsewhere a case says aloud that it
 * is skipped and returns:
 *
 *     if (!netns_enter("udp answers from the address that was asked"))
 *         return;
 *     netns_run("ip addr add 10.60.0.1/24 dev lo label lo:game");
 *
 * Enter before world_begin or inside a case alike: descriptors that are open stay in the old network. */
#ifndef POLLUX_TESTS_NETNS_H
#define POLLUX_TESTS_NETNS_H

#include <stdbool.h>

/* netns_enter moves this process into a new network with its loopback up and a mount namespace in
 * which nothing spreads. False, and a line that names `what` on stderr: not allowed here. Entering
 * twice in one process is entering once. */
bool netns_enter(const char *what);

/* netns_run runs a command by the shell, with printf's format; the case fails unless it ends with 0. */
void netns_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* netns_try runs it and returns whether it ended with 0; what it prints is dropped. */
bool netns_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* netns_needs runs it too, and says on stderr that `what` is skipped unless it ended with 0: for devices
 * that not every kernel has (veth, tun). */
bool netns_needs(const char *what, const char *command);

/* netns_hurry makes the kernel repeat lost segments of TCP over this network's IPv4 loopback after some
 * milliseconds instead of 200 and more (rto_min in ip-route(8)); connections that begin later do so. */
void netns_hurry(void);

/* netns_wait_up waits until this device carries packets, which the kernel finds out in its own time. */
void netns_wait_up(const char *device);

/* netns_wait_addresses waits until all IPv6 addresses that were added can be reached: the kernel makes
 * the way to each later than the address, and drops what is sent before without a word. */
void netns_wait_addresses(void);

/* netns_beside makes another network beside the one that was entered and a cable between the two, whose
 * ends are the interfaces `here`, in this network, and "cable", in that one; both are up and have no
 * address but a link-local one. Returns a descriptor of that network, to be closed, for netns_in; -1
 * where the kernel has no such cable, and `what` is skipped aloud. */
int netns_beside(const char *what, const char *here);

/* netns_in moves this process into the network of a descriptor, and returns one of the network that it
 * was in, to be given to netns_back, which moves it back and closes the descriptor. Sockets stay in the
 * network where they were made. */
int netns_in(int network);
void netns_back(int network);

/* netns_file puts a file of this text over `path`, for this process and its children only. */
void netns_file(const char *path, const char *text);

#endif
