/* pollux/discovery.h -- programs on a network that find each other (Xojo's EasyUDPSocket and
 * AutoDiscovery).
 *
 * A program joins groups by their names. It learns which members each group has, when a member
 * joins, leaves or falls silent, and sends messages to a group or to one member. Nobody needs to
 * know an address; all programs use the same port.
 *
 *     static void joined(plx_discovery *discovery, const char *group, const plx_member *member,
 *                        void *user)
 *     {
 *         char text[64];
 *         plx_address_format(&member->address, text, sizeof text);
 *         printf("%s%s\n", text, member->is_self ? " (this program)" : "");
 *     }
 *     static const plx_discovery_events events = { .member_joined = joined };
 *
 *     plx_discovery *discovery = plx_discovery_new();
 *     plx_discovery_set_events(discovery, &events, NULL);
 *     plx_discovery_bind(discovery, 45454);
 *     plx_discovery_join(discovery, "chess", "Anna's table", 12);
 *     plx_group_add_discovery(group, discovery);
 *
 * A random number distinguishes members, not an address: two programs on one computer are two
 * members, and a program that was started again is a new member. Messages are datagrams: one may be
 * lost or arrive in another order, but does not arrive twice.
 *
 * Group traffic is multicast on each interface that is up, over IPv4 and IPv6, and does not pass a
 * router; on an interface without multicast it is broadcast, over IPv4. Interfaces may come and go.
 * Of the addresses of this computer the first 1024 are used. What arrives for a group from beyond the
 * networks of this computer is not believed. But on these networks there is no protection: any
 * computer there can pretend to be any member, and read and send everything. Put a secret of your
 * own into the data, or connect with TLS, where that matters.
 *
 * A discovery may be in a group of sockets (plx_group_add_discovery), which serves it, or be served
 * alone by plx_discovery_poll and plx_discovery_wait. doc/discovery.md has the format of the
 * datagrams, for programs without Pollux. */
#ifndef POLLUX_DISCOVERY_H
#define POLLUX_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pollux/address.h>
#include <pollux/error.h>
#include <pollux/export.h>
#include <pollux/group.h>

PLX_BEGIN_DECLS

/* A program's part in discovery. Opaque. */
typedef struct plx_discovery plx_discovery;

/* A member of a group, as a value: copy it, store it. Later versions add members at the end. */
typedef struct plx_member {
    plx_address address; /* where it receives messages for itself alone */
    uint64_t id;         /* distinguishes members; random, never 0 */
    bool is_self;        /* this program */
    int age;             /* milliseconds since it was heard last; 0 for this program */
    size_t about_size;   /* bytes in `about` */
    uint8_t about[256];  /* what it says about itself (plx_discovery_join) */
} plx_member;

/* Handlers, as a table: static const, borrowed, NULL members are not called, as in plx_events. They
 * run inside polls and waits only, and may make any call, also free the discovery. All pointers are
 * valid until the handler returns. Later versions add members at the end. */
typedef struct plx_discovery_events {
    /* member_joined: a member of `group` was heard for the first time. The first one is this
     * program itself. */
    void (*member_joined)(plx_discovery *discovery, const char *group, const plx_member *member,
                          void *user);

    /* member_left: a member has left, or was silent for its lifetime (30 s). Not called for the
     * members of a group that this program leaves. */
    void (*member_left)(plx_discovery *discovery, const char *group, const plx_member *member,
                        void *user);

    /* message: a member sent a message to `group`, or, if `group` is NULL, to this program alone.
     * `from` may be no member of a group of this program: a message can arrive before the sender
     * has been heard as a member. `data` is not NULL even when size is 0. */
    void (*message)(plx_discovery *discovery, const char *group, const plx_member *from,
                    int32_t command, const void *data, size_t size, void *user);

    /* error: a call failed, or a datagram could not be sent; the discovery goes on. Called once
     * for each failure, but only for the first one since the last poll. */
    void (*error)(plx_discovery *discovery, const plx_error *error, void *user);
} plx_discovery_events;

/* plx_discovery_new makes a discovery that is not bound. You free it with plx_discovery_free.
 * Returns NULL without memory. */
PLX_API plx_discovery *plx_discovery_new(void);

/* plx_discovery_free leaves all groups, as plx_discovery_leave does, and frees the discovery. No
 * handler is called. Allowed in any handler. Accepts NULL; returns NULL. */
PLX_API plx_discovery *plx_discovery_free(plx_discovery *discovery);

/* plx_discovery_set_events sets the handlers, and the `user` that they are given. The table is
 * borrowed; NULL sets no handlers. plx_discovery_set_events_sized states the size of the table:
 * handlers beyond `size` bytes count as NULL. */
PLX_API void plx_discovery_set_events_sized(plx_discovery *discovery,
                                            const plx_discovery_events *events, size_t size,
                                            void *user);
static inline void plx_discovery_set_events(plx_discovery *discovery,
                                            const plx_discovery_events *events, void *user)
{
    plx_discovery_set_events_sized(discovery, events, sizeof *events, user);
}

/* plx_discovery_bind opens the sockets. `port` is the port of all group traffic, 1 to 65535, the
 * same one in all programs; several programs of one computer share it. Call it once, before
 * plx_discovery_join. Returns 0 or a code: PLX_INVALID_PORT (out of range or privileged),
 * PLX_ADDRESS_IN_USE when a program has the port that does not share it, PLX_INVALID_STATE when the
 * discovery is bound already, and for NULL; PLX_OPEN_DRIVER without a descriptor (EMFILE);
 * PLX_OUT_OF_MEMORY; or another errno. After a failure it may be called again. When no interface is
 * up, `error` reports it (ENODEV), and the discovery waits for one. */
PLX_API int plx_discovery_bind(plx_discovery *discovery, int port);

/* plx_discovery_join joins a group: other members are heard, and hear of this program, from the
 * next poll on. `group` has 1 to 63 bytes of UTF-8, and upper and lower case differ. `about` are up
 * to 256 bytes for the other members to read, such as a name and a port to connect to; copied; NULL
 * with size 0: none. Joining a group again replaces `about`, also at the members. At most 16
 * groups. Returns 0 or a code: PLX_INVALID_STATE (not bound, no valid name, a 17th group, NULL),
 * EMSGSIZE for too many bytes, PLX_OUT_OF_MEMORY, or what plx_discovery_bind returns. */
PLX_API int plx_discovery_join(plx_discovery *discovery, const char *group, const void *about,
                               size_t size);

/* plx_discovery_leave leaves a group; its members see it at once. `group` NULL: the only group.
 * Returns 0, or PLX_INVALID_STATE when there is no such group. */
PLX_API int plx_discovery_leave(plx_discovery *discovery, const char *group);

/* plx_discovery_send_to_group sends a message to all other members of a group. `group` NULL: the
 * only group. `command` is a number of the program's, 0 or above. The message leaves in the next
 * poll. `size` is at most 1174 bytes less the name of the group: a datagram of 1200 bytes passes
 * every network. Returns 0; EAGAIN when a copy for each network does not fit into the queue, 192
 * KiB for each family, more where this computer has more than 64 addresses (not an error: nothing
 * was queued, and a later poll makes room);
 * PLX_INVALID_STATE when the group is not joined, for a negative command, and for NULL; EMSGSIZE
 * with reason DATAGRAM_TOO_LARGE; PLX_OPEN_DRIVER when no network can take it (ENETUNREACH);
 * PLX_OUT_OF_MEMORY; or another errno. */
PLX_API int plx_discovery_send_to_group(plx_discovery *discovery, const char *group,
                                        int32_t command, const void *data, size_t size);

/* plx_discovery_send_to sends a message to the address of one member alone, which may be a copy of
 * a plx_member, or one with nothing but an address. `size` is at most 1174. Returns as
 * plx_discovery_send_to_group does, PLX_OPEN_DRIVER also for an address of a family that this
 * computer does not have, and PLX_INVALID_PORT for a port of 0. Nothing reports whether
 * the member has received it. A program does not hear itself: what it sends to its own address
 * reaches no handler, and the call returns 0. */
PLX_API int plx_discovery_send_to(plx_discovery *discovery, const plx_member *member,
                                  int32_t command, const void *data, size_t size);

/* plx_discovery_members copies the first `count` members of a group into `list`, in the order in
 * which they were heard first, this program included. `group` NULL: the only group. Returns how
 * many there are, which may be more; 0 when there is no such group. With count 0 `list` may be
 * NULL. plx_discovery_members_sized states the size of an entry of the list; bytes beyond those that
 * this library knows become 0. */
PLX_API size_t plx_discovery_members_sized(const plx_discovery *discovery, const char *group,
                                           plx_member *list, size_t count, size_t size);
static inline size_t plx_discovery_members(const plx_discovery *discovery, const char *group,
                                           plx_member *list, size_t count)
{
    return plx_discovery_members_sized(discovery, group, list, count, sizeof *list);
}

/* plx_discovery_refresh forgets the members of a group and asks all members to answer, as
 * Xojo's UpdateMemberList. Members that answer are in the list again, without member_joined;
 * member_left reports those that do not answer within two seconds. `group` NULL: the only group.
 * Returns 0, or PLX_INVALID_STATE when there is no such group. */
PLX_API int plx_discovery_refresh(plx_discovery *discovery, const char *group);

/* plx_discovery_error returns the last error; code 0: none. Never NULL. Valid until the next
 * call. */
PLX_API const plx_error *plx_discovery_error(const plx_discovery *discovery);

/* plx_discovery_poll serves the discovery once and never blocks. Returns true when work is left. In
 * one of its own handlers it does nothing and returns false. */
PLX_API bool plx_discovery_poll(plx_discovery *discovery);

/* plx_discovery_wait serves the discovery until a handler was called, but not longer than
 * `timeout_ms`; -1 sets no limit. If the discovery is in a group, the whole group is served.
 * Returns true when there was something to report; false at the end of the time, and at once in a
 * handler and for a discovery that is not bound. */
PLX_API bool plx_discovery_wait(plx_discovery *discovery, int timeout_ms);

/* plx_group_add_discovery makes a discovery a member of a group, which then serves it; a member of
 * another group moves. The group borrows it: you free it, which also takes it out. plx_group_count
 * does not count it. Returns 0, PLX_INVALID_STATE for NULL, PLX_OUT_OF_MEMORY or an errno; unless
 * 0, the discovery stays where it was. */
PLX_API int plx_group_add_discovery(plx_group *group, plx_discovery *discovery);

/* plx_group_remove_discovery takes the discovery out of the group; it is then served by
 * plx_discovery_poll. Does nothing for a discovery that is not a member. */
PLX_API void plx_group_remove_discovery(plx_group *group, plx_discovery *discovery);

PLX_END_DECLS

#endif
