/* pollux/resolver.h -- who looks up the names of hosts: for connects, datagrams, proxies, lookups.
 *
 *     name       who                finds                                          threads
 *     "ares"     c-ares             the hosts file, DNS                            none
 *     "system"   the C library,     all modules of nsswitch.conf(5): hosts file,   one for each
 *                getaddrinfo(3)     DNS, mDNS ("pc.local"), systemd-resolved,      running lookup
 *                                   a VPN's own servers, directories (LDAP)
 *
 * "ares" is the default, unless the library was built without c-ares. Both find localhost without
 * asking anybody, both report the same codes and reasons, and a lookup takes 30 seconds at most
 * with both. "system" differs in this:
 *
 * - Its thread sleeps in getaddrinfo, which cannot be cancelled. A lookup that is freed, or whose
 *   time is over, leaves the thread behind. The thread touches nothing of yours: its memory comes
 *   from malloc, not from plx_memory_set, and all signals are blocked in it. It ends when the C
 *   library gives up, for DNS by the limits of resolv.conf(5), and holds a stack of 256 KiB and
 *   what the C library has open until then.
 * - Both families come together, in the order of gai.conf(5): a name server that never answers for
 *   IPv6 delays a connect until the C library gives up.
 * - A lookup for which there is no thread fails with PLX_OPEN_DRIVER and
 *   PLX_REASON_SOCKET_RESOURCE; the errno is that of pthread_create(3), EAGAIN where a limit on
 *   threads or memory was reached. Without a descriptor the code is PLX_OPEN_DRIVER, too (EMFILE),
 *   without memory PLX_OUT_OF_MEMORY.
 * - The C library reports less: PLX_REASON_TEMPORARY stands for a server that failed, that refused,
 *   or that did not answer in the C library's time.
 * - In a forked child the lookups of its parent fail when they are polled, because the thread
 *   stayed in the parent. The child's own lookups work, unless a thread was inside the C library at
 *   the fork and held a lock there: then they end after 30 seconds.
 * - getaddrinfo reads the environment: do not call setenv while a lookup runs.
 * - A library that was loaded by dlopen must stay loaded until all these threads have ended.
 * - POLLUX_NAMESERVERS is for c-ares alone. */
#ifndef POLLUX_RESOLVER_H
#define POLLUX_RESOLVER_H

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_resolver_set makes "ares" or "system" look up names from now on, in the whole process; NULL
 * restores the default. Call it before the first lookup. A later call, which any thread may make,
 * is for later lookups: those under way end with the resolver that they began with, and names that
 * a UDP socket has found keep their addresses. Returns 0, ENOTSUP for "ares" in a library that was
 * built without c-ares, PLX_INVALID_STATE for another name, also for ""; unless 0, nothing
 * changes. */
PLX_API int plx_resolver_set(const char *name);

PLX_END_DECLS

#endif
