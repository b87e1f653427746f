/* tests/promises.h -- sentences of the public headers, each with a function that checks it.
 *
 * A rule is one sentence and a function that checks the sentence with a socket. Every rule runs on
 * a new socket of each kind, in each place of its life, alone and in a group. A failure names the
 * sentence and the place where it does not hold. EXPECT is the assertion of a rule. */
#ifndef POLLUX_TESTS_PROMISES_H
#define POLLUX_TESTS_PROMISES_H

#include "tests/world.h"

enum sort { TCP, UDP, IPC, SEQPACKET, SORTS };

/* Where a socket is in its life. The unread bytes are UNREAD, which a socket of packets received as
 * one packet and a UDP socket as one datagram. */
enum place {
    NEW,        /* no call yet */
    LOOKING_UP, /* connect_to a name, and no name server answers */
    CONNECTING, /* connect_to an address, and no poll since */
    BOUND,
    LISTENING,
    CONNECTED,
    READABLE,   /* connected, with UNREAD */
    HALF_ENDED, /* the peer has ended its side, HALF_OPEN is set */
    CLOSING,    /* disconnect with "queued" in the queue, and no poll since */
    LEFT,       /* UDP: disconnect has removed the peer */
    ENDED,      /* the peer has ended, with UNREAD */
    CLOSED,     /* close, with UNREAD */
    ABORTED,    /* abort */
    FAILED,     /* connect was refused */
    PLACES
};

#define UNREAD "line\nrest"
enum { UNREAD_SIZE = sizeof UNREAD - 1 };

struct rule;

struct stage {
    struct world *w;
    const struct rule *rule;
    enum sort sort;
    enum place place;
    plx_socket *socket;
    struct record log;
    int peer;               /* a raw descriptor at the other end, -1: none */
    char where[WHERE_SIZE]; /* as given to connect_to or listen_on */
    plx_address address;    /* of the peer; none: a path, or no peer */
    char name[64];
};

struct rule {
    const char *header;   /* without "pollux/" */
    const char *sentence; /* of the header */
    void (*hold)(struct stage *s);
};

#define EXPECT(s, condition)                                                                       \
    ck_assert_msg((condition), "pollux/%s: \"%s\"\n  does not hold %s: %s", (s)->rule->header,     \
                  (s)->rule->sentence, (s)->name, #condition)

/* What a place means. */
bool place_is_open(const struct stage *s);  /* a descriptor is bound or connected */
bool place_has_peer(const struct stage *s); /* now */
bool place_has_unread(const struct stage *s);
bool place_can_write(const struct stage *s); /* write is not refused */
bool place_may_receive(const struct stage *s);
bool place_is_unconnected(const struct stage *s);
plx_state place_state(const struct stage *s);

static inline bool sort_has_path(const struct stage *s)
{
    return s->sort == IPC || s->sort == SEQPACKET;
}

static inline bool sort_has_packets(const struct stage *s)
{
    return s->sort == UDP || s->sort == SEQPACKET;
}

plx_socket *promises_new(enum sort sort);
int promises_raw(enum sort sort); /* a raw descriptor of that kind */
/* promises_listen makes a raw socket that listens (UDP: is bound) at a place of the world. */
int promises_listen(struct world *w, enum sort sort, char *ret_where);
/* promises_take accepts (UDP: connects) the peer of a socket that connects there, in blocking
 * mode. */
int promises_take(struct world *w, enum sort sort, int listener, plx_socket *socket);

/* promises_hold checks a rule on all sockets and in all places. */
void promises_hold(const struct rule *rule);

/* PROMISES registers a case that runs once for each rule of the array. */
#define PROMISES(name, rules)                                                                      \
    LOOP_CASE(name, 0, sizeof(rules) / sizeof((rules)[0]))                                         \
    {                                                                                              \
        promises_hold(&(rules)[_i]);                                                               \
    }

#endif
