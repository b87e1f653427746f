/* arena/link.h -- lines of text over a connection, counted at both ends.
 *
 * TCP and IPC connections are both streams, so one and the same code serves players and spectators.
 * Each end counts lines and bytes and keeps a checksum of either direction; at the goodbye the two
 * ends compare them, and so find out whether everything arrived. */
#ifndef ARENA_LINK_H
#define ARENA_LINK_H

#include <pollux.h>

#include <stdbool.h>
#include <stdint.h>

#if defined(__GNUC__)
#define ARENA_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ARENA_PRINTF(text, first)
#endif

/* The traffic of one direction. */
struct flow {
    unsigned long long messages, bytes;
    uint64_t sum; /* of the bytes in their order (FNV-1a) */
};

struct link {
    plx_socket *socket; /* NULL once the connection has ended */
    struct flow out, in;
    struct flow in_before; /* `in` as it was before the last line */
};

/* The goodbye of the other end: its datagrams, and what it counted on this link. */
struct goodbye {
    unsigned long long datagrams_out, datagrams_in;
    struct flow out, in;
};

/* link_start begins to count for a connection. */
void link_start(struct link *link, plx_socket *socket);

/* link_send queues one line; the line end is added. False if it could not be queued whole. */
ARENA_PRINTF(2, 3) bool link_send(struct link *link, const char *format, ...);

/* link_receive takes the next whole line, without its end. False if there is none. */
bool link_receive(struct link *link, char *line, size_t size);

/* link_send_goodbye sends what this end has counted until now. */
bool link_send_goodbye(struct link *link, unsigned long long datagrams_out,
                       unsigned long long datagrams_in);

/* link_parse_goodbye returns false for a line that is not a goodbye. */
bool link_parse_goodbye(const char *line, struct goodbye *ret_goodbye);

/* flow_equal returns whether both ends have counted the same. */
bool flow_equal(const struct flow *a, const struct flow *b);

/* flow_add adds the counts of `more`; the sum of a total has no meaning. */
void flow_add(struct flow *total, const struct flow *more);

#endif
