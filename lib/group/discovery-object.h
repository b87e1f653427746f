/* lib/group/discovery-object.h -- programs that find each other.
 *
 * Design: a discovery is a guest of a group (lib/group/group.h) with a deadline and UDP sockets,
 * for each family that this computer has:
 *
 *      own socket, any port         sends everything, receives messages for this program alone
 *      sockets for each group,      receive what is sent to the group; one, and further ones where
 *      the shared port              there are many interfaces
 *
 * Several programs of one computer share a port for multicast, of which each gets a copy; of a
 * datagram to one address only one of them gets it, so that these need a port of their own. A
 * socket that served all groups was rejected: Linux lets a socket have 20 memberships
 * (igmp_max_memberships, ip-sysctl), and one group on four interfaces takes four of them.
 *
 * The sockets are plain UDP sockets of the library, served by the loop before the guest: their
 * handlers only schedule the guest, whose one pass then reads what has arrived, sends what is due,
 * and calls the program.
 *
 *      sockets --data_available--> guest: error, joined and messages as they arrive, left
 *                                         here, who, bye --> own sockets --output--> network */
#ifndef PLX_LIB_DISCOVERY_OBJECT_H
#define PLX_LIB_DISCOVERY_OBJECT_H

#include "lib/base/base.h"
#include "lib/base/network.h"
#include "lib/group/group.h"
#include "lib/group/members.h"
#include "lib/wire/discovery.h"

#include <pollux/discovery.h>

#define PLX__DISCOVERY_GROUPS 16
#define PLX__DISCOVERY_NETWORKS 1024 /* further ones are not used */
#define PLX__DISCOVERY_LIFETIME 30   /* seconds that this program's `here` is good for */
#define PLX__DISCOVERY_STRANGERS 32
#define PLX__DISCOVERY_GONE 64
#define PLX__DISCOVERY_FAREWELLS 64 /* groups that are LEAVING; beyond them some end early */

/* The families, in the order of the sockets. */
enum { PLX__DISCOVERY_IPV4, PLX__DISCOVERY_IPV6, PLX__DISCOVERY_FAMILIES };

static inline int plx__discovery_family(const plx_address *address)
{
    return address->family == 4 ? PLX__DISCOVERY_IPV4 : PLX__DISCOVERY_IPV6;
}

/* A member that said goodbye. Its older datagrams, and copies of those that were received, may still
 * be in the queue of another socket, or on another network, until that moment. */
struct plx__discovery_gone {
    uint64_t member;
    struct plx__window window;
    uint64_t until;
};

/* An interface on which a receiver is a member, and whether that interface receives the group, as far
 * as the kernel lists it. */
struct plx__discovery_membership {
    uint32_t interface;
    bool is_real;
};

/* A socket that receives what is sent to a group, and the interfaces on which it is a member. Each
 * interface stands at one receiver of a family. The memory stays until the group is freed: a pass
 * may read the receiver whose handler leaves the group. */
struct plx__discovery_receiver {
    struct plx__list link;
    plx_socket *socket; /* NULL: closed */
    int family;
    struct plx__discovery_membership *memberships;
    size_t count, room;
};

static inline struct plx__discovery_receiver *plx__discovery_receiver_at(struct plx__list *link)
{
    return PLX__CONTAINER_OF(link, struct plx__discovery_receiver, link);
}

/* One group that was joined.
 *
 *      JOINED --leave: first bye--> LEAVING --50 ms: second bye--> LEFT --no handler runs--> freed
 *
 * A group that is LEAVING or LEFT has no sockets and no members, and the program does not see
 * it. */
struct plx__discovery_group {
    struct plx__list link;
    enum { PLX__GROUP_JOINED, PLX__GROUP_LEAVING, PLX__GROUP_LEFT } stage;
    char name[PLX__DISCOVERY_NAME + 1];
    size_t name_size;
    struct plx__list receivers; /* at least one of each family that this computer has */
    struct plx__members members;
    struct plx__discovery_gone gone[PLX__DISCOVERY_GONE];
    size_t gone_next;
    uint64_t who_at;    /* when to send the next `who`; 0: never */
    uint64_t here_at;   /* when to send the next `here`, or the second `bye` */
    uint64_t last_here; /* when the last one was sent; 0: none was */
    uint8_t heres;      /* how many were sent, at most as many as at the beginning */
};

/* One that has sent messages and is no member so far, or sends to this program alone. A message for
 * a group counts from the address that the first one came from, as those of a member do: it is sent
 * on each network. One to this program alone is sent once, from any address. */
struct plx__discovery_stranger {
    uint64_t member;
    plx_address from;
    bool is_to_group;
    uint64_t heard; /* when */
    struct plx__window window;
};

struct plx_discovery {
    struct plx__guest guest; /* first, so that a task, a guest and a discovery have one address */
    plx_group *own;          /* the discovery's own group; NULL: not needed yet */
    plx_socket *sockets[PLX__DISCOVERY_FAMILIES];
    uint16_t ports[PLX__DISCOVERY_FAMILIES]; /* of these sockets */
    int port;                                /* the shared one; 0: not bound */
    int process;                             /* that bound it: a forked child says no bye */
    struct plx__list groups;
    size_t joined;                 /* how many are JOINED */
    struct plx__network *networks; /* in one block with as much room for the next list */
    size_t network_count, network_room;
    uint64_t look_at; /* when to look at the networks again; 0: never */
    uint64_t id;
    uint64_t random; /* the state of the generator of pauses */
    uint32_t sequence;
    struct plx__discovery_stranger strangers[PLX__DISCOVERY_STRANGERS];
    bool alone_first; /* the next pass begins with the messages for this program alone */
    uint8_t *message; /* a copy of the data that a handler has, and its room */
    size_t message_room;
    plx_error error;   /* the last one */
    plx_error waiting; /* the first one since the last poll, which the next one reports */
    bool serving;      /* a pass runs, and perhaps a handler */
    bool reported;     /* there was something to report since a wait has cleared this */
    const plx_discovery_events *events;
    size_t events_size;
    void *user;
};

/* A handler of the program's table; NULL: the table has none. */
#define PLX__DISCOVERY_HANDLER(discovery, member)                                                  \
    ((discovery)->events != NULL &&                                                                \
             offsetof(plx_discovery_events, member) + sizeof(discovery)->events->member <=         \
                 (discovery)->events_size                                                          \
         ? (discovery)->events->member                                                             \
         : NULL)

/* plx__discovery_random returns a number below `count`, which is not 0. */
uint64_t plx__discovery_random(plx_discovery *discovery, uint64_t count);

/* plx__discovery_group_at returns the group that a link is part of. */
static inline struct plx__discovery_group *plx__discovery_group_at(struct plx__list *link)
{
    return PLX__CONTAINER_OF(link, struct plx__discovery_group, link);
}

/* plx__discovery_is_usable returns whether a call may change the discovery. */
static inline bool plx__discovery_is_usable(const plx_discovery *discovery)
{
    return discovery != NULL && !discovery->guest.hold.freed;
}

/* plx__discovery_release ends a hold, and frees the rest of a discovery that was freed
 * meanwhile. */
void plx__discovery_release(plx_discovery *discovery);

/* ---- errors (discovery-failure.c) ------------------------------------------------------------ */

/* plx__discovery_keep keeps an error for plx_discovery_error, and for the next poll to report. */
void plx__discovery_keep(plx_discovery *discovery, const plx_error *error);

/* plx__discovery_fail makes an error and keeps it. Returns `code`. */
PLX__PRINTF(5, 6)
int plx__discovery_fail(plx_discovery *discovery, int code, plx_reason reason, int os_error,
                        const char *format, ...);

/* ---- sending (discovery-out.c) --------------------------------------------------------------- */

/* plx__discovery_send queues a datagram for a group, once for each network. The member, the
 * sequence and the port are filled in. Returns 0 when a network takes it, else a code or an
 * errno. */
int plx__discovery_send(plx_discovery *discovery, struct plx__discovery_datagram *datagram);

/* plx__discovery_send_one queues a datagram for one address. Returns as plx__discovery_send
 * does. */
int plx__discovery_send_one(plx_discovery *discovery, const plx_address *to,
                            struct plx__discovery_datagram *datagram);

/* plx__discovery_say sends `here`, `who` or `bye` of a group. Returns as plx__discovery_send does; a
 * lack of memory is kept as an error. */
int plx__discovery_say(plx_discovery *discovery, struct plx__discovery_group *group,
                       enum plx__discovery_kind kind);

/* plx__discovery_announce makes a group send `who` and `here` in the next poll, and again later. */
void plx__discovery_announce(plx_discovery *discovery, struct plx__discovery_group *group);

/* plx__discovery_answer makes a group send a `here` soon, because a member has asked. */
void plx__discovery_answer(plx_discovery *discovery, struct plx__discovery_group *group);

/* plx__discovery_say_due sends what is due. plx__discovery_next returns the moment when something
 * is due next, or a member is silent for too long; 0: never. */
void plx__discovery_say_due(plx_discovery *discovery, uint64_t now);
uint64_t plx__discovery_next(const plx_discovery *discovery);

/* ---- receiving and reporting (discovery-in.c) ------------------------------------------------ */

/* plx__discovery_describe writes what a program sees of a member. */
void plx__discovery_describe(const struct plx__known *known, uint64_t now, plx_member *ret_member);

/* plx__discovery_hear reads what has arrived, and calls the program for it: error, joined, message.
 * Returns false when the budget was spent before everything was read. A handler may free the
 * discovery, whose memory the caller holds. */
bool plx__discovery_hear(plx_discovery *discovery, struct plx__budget *budget);

/* plx__discovery_report_left calls the program for the members that have left. */
void plx__discovery_report_left(plx_discovery *discovery, uint64_t now);

/* ---- the sockets of a group (discovery-receiver.c) ------------------------------------------- */

/* plx__discovery_open_receivers opens one for each family that this computer has. Returns 0, or a
 * code with the error kept. */
int plx__discovery_open_receivers(plx_discovery *discovery, struct plx__discovery_group *group);

/* plx__discovery_close_receivers closes the sockets; a pass may still be at one of them.
 * plx__discovery_drop_receivers frees everything. */
void plx__discovery_close_receivers(struct plx__discovery_group *group);
void plx__discovery_drop_receivers(struct plx__discovery_group *group);

/* plx__discovery_leave_networks leaves the group on the interfaces that have gone, or have lost the
 * group, and closes receivers that are of no use then. */
void plx__discovery_leave_networks(const plx_discovery *discovery,
                                   struct plx__discovery_group *group);

/* plx__discovery_join_networks joins the group on each interface that can multicast, unless it is
 * joined there, and opens receivers for that. A join that fails is kept as an error, unless the
 * interface has just gone. Returns whether one was joined. */
bool plx__discovery_join_networks(plx_discovery *discovery, struct plx__discovery_group *group);

/* ---- the groups that were joined (discovery-group.c) ----------------------------------------- */

/* plx__discovery_find returns the group of that name; for NULL the only group; else NULL. */
struct plx__discovery_group *plx__discovery_find(const plx_discovery *discovery, const char *name);

/* plx__discovery_enter makes a group of that name, with its sockets. Returns NULL after
 * plx__discovery_fail. */
struct plx__discovery_group *plx__discovery_enter(plx_discovery *discovery, const char *name,
                                                  const void *about, size_t size);

/* plx__discovery_exit ends a group: its sockets and members go, and it says the first `bye`. */
void plx__discovery_exit(plx_discovery *discovery, struct plx__discovery_group *group);

/* plx__discovery_reap frees the groups that are LEFT, unless a handler may use them. */
void plx__discovery_reap(plx_discovery *discovery);

/* plx__discovery_look takes a list of the networks, and joins and leaves the groups there. Returns 0
 * or the errno for which there is no list. */
int plx__discovery_look(plx_discovery *discovery, uint64_t now);

#endif
