/* tests/netns.h -- a network of a test's own.
 *
 * Check runs each case in a process of its own. So a case can move into new namespaces
 * (namespaces(7)), which end with the process: the case has its own loopback, addresses, routes,
 * sysctls and firewall, and may mount files over those in /etc. That needs root; without root a
 * case reports on stderr that it is skipped, and returns:
 *
 *     if (!netns_enter("udp answers from the address that was asked"))
 *         return;
 *     netns_run("ip addr add 10.60.0.1/24 dev lo label lo:game");
 *
 * Call netns_enter before world_begin or inside a case: open descriptors stay in the old
 * network. */
#ifndef POLLUX_TESTS_NETNS_H
#define POLLUX_TESTS_NETNS_H

#include <stdbool.h>

/* netns_enter moves this process into a new network, whose loopback is up, and into a private mount
 * namespace. Returns false, after a line on stderr that names `what`, if that is not allowed here.
 * The second call in a process does nothing. */
bool netns_enter(const char *what);

/* netns_run runs a shell command, given by a format of printf(3); the case fails unless the command
 * exits with 0. */
void netns_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* netns_try runs a command like netns_run and returns whether it exited with 0; its output is
 * dropped. */
bool netns_try(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* netns_needs runs a command too. Unless the command exits with 0, a line on stderr says that
 * `what` is skipped: for devices that not every kernel has (veth, tun). */
bool netns_needs(const char *what, const char *command);

/* netns_hurry makes the kernel retransmit lost TCP segments on this network's IPv4 loopback after a
 * few milliseconds instead of 200 or more (rto_min in ip-route(8)), for connections that begin
 * later. */
void netns_hurry(void);

/* netns_wait_up waits until this device carries packets, which is some time after it was set up. */
void netns_wait_up(const char *device);

/* netns_wait_addresses waits until all added IPv6 addresses can be reached: the kernel adds the
 * route of an address later than the address, and silently drops packets that are sent before. */
void netns_wait_addresses(void);

/* netns_beside makes a second network and a veth cable between it and the entered one. The cable's
 * ends are the interfaces `here`, in the entered network, and "cable", in the second one; both are
 * up and have only a link-local address. Returns a descriptor of the second network for netns_in,
 * which the caller closes; -1, after a line on stderr that `what` is skipped, where the kernel has
 * no veth. */
int netns_beside(const char *what, const char *here);

/* netns_new makes an empty network, in which nothing is up, and returns its descriptor. */
int netns_new(void);

/* netns_in moves this process into the network of a descriptor, and returns a descriptor of the
 * network that the process was in. netns_back moves the process back and closes that descriptor.
 * Sockets stay in the network where they were made. */
int netns_in(int network);
void netns_back(int network);

/* netns_file mounts a file with this content over `path`, for this process and its children
 * only. */
void netns_file(const char *path, const char *text);

#endif
