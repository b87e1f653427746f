/* pollux/lookup.h -- the addresses of a host name, without a socket.
 *
 * Sockets look up the names that they connect to by themselves. A lookup is for programs that want
 * the addresses: to show, to compare or to store them. It blocks no more than a socket does;
 * pollux/resolver.h describes the two resolvers, one of which takes a thread.
 *
 *     static void finished(plx_lookup *lookup, void *user)
 *     {
 *         size_t count;
 *         const plx_address *addresses = plx_lookup_addresses(lookup, &count);
 *         if (count == 0) {
 *             puts(plx_lookup_error(lookup)->message);
 *         }
 *     }
 *
 *     plx_lookup *lookup = plx_lookup_new("example.org", 2, finished, game);
 *     plx_group_add_lookup(group, lookup);
 *
 * A lookup that is in no group is polled by itself (plx_lookup_poll, plx_lookup_wait). The result is
 * reported once. It is complete when the name servers have answered for both families; once there
 * are addresses, the other family has 500 ms left with c-ares. plx_resolver_set chooses the
 * resolver. */
#ifndef POLLUX_LOOKUP_H
#define POLLUX_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/export.h>
#include <pollux/group.h>

PLX_BEGIN_DECLS

/* A lookup. Opaque. */
typedef struct plx_lookup plx_lookup;

/* plx_lookup_handler is called once, when the lookup has found addresses or failed: from a poll of
 * its group, or from plx_lookup_poll or plx_lookup_wait. It may make any call, and may free the
 * lookup. */
typedef void plx_lookup_handler(plx_lookup *lookup, void *user);

/* plx_lookup_new begins to look up `host`, a name or a numeric address without a port. `protocol` is
 * 0 for IPv4, 1 for IPv6, 2 for both, as PLX_OPTION_PROTOCOL. `finished` may be NULL; `user` is
 * passed to it. Whatever is wrong with the arguments is reported as the result: an empty host, or
 * NULL, fails with PLX_NAME_RESOLUTION, another protocol with PLX_INVALID_STATE. You free the lookup
 * with plx_lookup_free. A lookup that is under way has one or two descriptors, at most 16: begin
 * some dozens at a time, not thousands, or descriptors run out (PLX_OPEN_DRIVER). Memory that lacks
 * later is reported as the result, too (PLX_OUT_OF_MEMORY). Returns NULL without memory. */
PLX_API plx_lookup *plx_lookup_new(const char *host, int protocol, plx_lookup_handler *finished,
                                   void *user);

/* plx_lookup_free ends the lookup, takes it out of its group and frees it; the handler is not called
 * any more. Accepts NULL; returns NULL. */
PLX_API plx_lookup *plx_lookup_free(plx_lookup *lookup);

/* plx_lookup_poll goes on with the lookup, and calls the handler when it has finished; it never
 * blocks. Returns true while the lookup is under way. While a poll of its group runs, a poll of the
 * lookup does not call the handler: a later poll of the group does. */
PLX_API bool plx_lookup_poll(plx_lookup *lookup);

/* plx_lookup_wait does the same until the lookup has finished, but not longer than `timeout_ms`; -1
 * sets no limit. Returns true when the lookup has finished, also when it had finished before. */
PLX_API bool plx_lookup_wait(plx_lookup *lookup, int timeout_ms);

/* plx_lookup_addresses returns the addresses in the order in which a socket would try them, with
 * port 0, and sets *ret_count to their number unless it is NULL. They belong to the lookup. NULL and
 * 0 before the lookup has finished, when it has failed, and for NULL. */
PLX_API const plx_address *plx_lookup_addresses(const plx_lookup *lookup, size_t *ret_count);

/* plx_lookup_error returns why the lookup has failed, with the codes, reasons and messages of a
 * connect by name; code 0 when it has not failed or not finished. Never NULL. */
PLX_API const plx_error *plx_lookup_error(const plx_lookup *lookup);

/* plx_group_add_lookup makes a lookup a member; a member of another group moves, a member of this
 * group stays. The group borrows the lookup: you free the lookup, which then leaves the group by
 * itself. plx_group_count does not count lookups. Returns 0, PLX_INVALID_STATE for NULL,
 * PLX_OUT_OF_MEMORY or an errno; unless 0, the lookup stays where it was. */
PLX_API int plx_group_add_lookup(plx_group *group, plx_lookup *lookup);

/* plx_group_remove_lookup takes the lookup out of the group; the lookup goes on when it is polled by
 * itself. Returns 0; PLX_INVALID_STATE for a lookup that is not a member, and for NULL. */
PLX_API int plx_group_remove_lookup(plx_group *group, plx_lookup *lookup);

PLX_END_DECLS

#endif
