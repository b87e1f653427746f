/* arena/link.h -- commands over a connection, counted at both ends.
 *
 * TCP and IPC connections are both streams, so one and the same code serves players and spectators.
 * The data of a command are a string with its zero byte. Each end counts commands and bytes and
 * keeps a checksum of either direction; at the goodbye the two ends compare them, and so find out
 * whether everything arrived. */
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

/* The commands, with their data. */
enum command {
    SAY_JOIN,    /* bot to server: name */
    SAY_CLAIM,   /* bot to server: star generation */
    SAY_WATCH,   /* spectator to server */
    SAY_LEAVE,   /* to server */
    SAY_GOODBYE, /* to server: counts */
    SAY_WELCOME, /* to bot: id port key rate */
    SAY_MISSED,  /* to bot: star */
    SAY_STAR,    /* to all: id score */
    SAY_HIT,     /* to all: id id */
    SAY_END,     /* to all */
    SAY_PLAYER,  /* to spectator: id name */
    SAY_LEFT,    /* to spectator: id */
    SAY_FRAME,   /* to spectator: picture */
    SAY_FIGURES  /* to spectator: numbers */
};

/* The traffic of one direction. */
struct flow {
    unsigned long long messages, bytes;
    unsigned long long sum; /* of the bytes in their order (FNV-1a, 64 bits) */
};

struct link {
    plx_socket *socket; /* NULL once the connection has ended */
    struct flow out, in;
    struct flow in_before; /* `in` as it was before the last command */
};

/* The goodbye of the other end: its datagrams, and what it counted on this link. */
struct goodbye {
    unsigned long long datagrams_out, datagrams_in;
    struct flow out, in;
};

/* link_start begins to count for a connection. */
void link_start(struct link *link, plx_socket *socket);

/* link_send queues one command. False if it could not be queued. */
ARENA_PRINTF(3, 4)
bool link_send(struct link *link, enum command command, const char *format, ...);

/* link_receive counts a command that has arrived, and returns its data as a string: "" if they are
 * none. */
const char *link_receive(struct link *link, int32_t command, const void *data, size_t size);

/* link_send_goodbye sends what this end has counted until now. */
bool link_send_goodbye(struct link *link, unsigned long long datagrams_out,
                       unsigned long long datagrams_in);

/* link_parse_goodbye returns false for data that are not those of a goodbye. */
bool link_parse_goodbye(const char *text, struct goodbye *ret_goodbye);

/* flow_equal returns whether both ends have counted the same. */
bool flow_equal(const struct flow *a, const struct flow *b);

/* flow_add adds the counts of `more`; the sum of a total has no meaning. */
void flow_add(struct flow *total, const struct flow *more);

#endif
