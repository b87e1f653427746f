/* tests/nameserver.h -- a name server that does as a test tells it.
 *
 * It answers on 127.0.0.1 by UDP and TCP, at a port of its own that POLLUX_NAMESERVERS names, or at
 * port 53 inside a network of the test's own (tests/netns.h), where resolv.conf names it. What it
 * says of IPv4 and of IPv6 is told apart, since that is where look-ups go wrong:
 *
 *     struct nameserver server;
 *     nameserver_begin(&server);
 *     server.ipv4 = ADDRESSES("127.0.0.1");
 *     server.ipv6.says = SAYS_NOTHING;
 *     UNTIL_ASKED(w, &server, log.count[EVENT_CONNECTED] > 0);
 *     nameserver_end(&server);
 *
 * NAMES_CASE begins one for a case and ends it behind it.
 *
 * It answers when nameserver_serve is called, or in a thread of its own between nameserver_start and
 * nameserver_stop, for tests that sleep in a wait; what it says is not changed meanwhile. */
#ifndef POLLUX_TESTS_NAMESERVER_H
#define POLLUX_TESTS_NAMESERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/sockets.h"
#include "tests/world.h"

enum says {
    SAYS_NO_DATA, /* the name is there and has no address of that family */
    SAYS_ADDRESSES,
    SAYS_NOTHING, /* no answer at all */
    SAYS_LATER,   /* the question is kept until nameserver_release */
    SAYS_NO_SUCH_NAME,
    SAYS_FAILED,  /* SERVFAIL */
    SAYS_REFUSED, /* REFUSED */
    SAYS_CUT_OFF, /* truncated: ask again by TCP */
    SAYS_GARBAGE,
    SAYS_WRONG_ID /* the right answer to another question */
};

enum by_tcp { TCP_ANSWERS, TCP_ENDS, TCP_IS_SILENT };

enum { NAMESERVER_ADDRESSES = 8, NAMESERVER_HELD = 64, NAMESERVER_STREAMS = 8 };

struct saying {
    enum says says;
    const char *addresses[NAMESERVER_ADDRESSES]; /* in the order in which they are answered */
    int many;                                    /* so many more, 127.1.x.y or fd00::x:y */
};

/* An answer with these addresses. */
#define ADDRESSES(...) ((struct saying){.says = SAYS_ADDRESSES, .addresses = {__VA_ARGS__}})

struct held {
    unsigned char packet[600];
    size_t size;
    struct sockaddr_storage from;
    socklen_t from_size;
};

struct nameserver {
    struct saying ipv4, ipv6;
    enum by_tcp by_tcp;
    const char
        *alias; /* the answers' addresses belong to this name, which the asked one leads to */
    const char *unknown; /* a part of names that do not exist, whatever else is said */
    const char *ignored; /* a part of names that are never answered */
    bool holds;          /* questions of both families are kept until nameserver_release */
    int asked4, asked6;  /* questions that came, by sort */
    int asked_by_tcp;    /* those of them */
    char names[1024]; /* what was asked for, each with a blank behind it, as far as there is room */
    char where[64];   /* "127.0.0.1:4711" */
    int udp, tcp;     /* descriptors */
    int streams[NAMESERVER_STREAMS];
    struct held held[NAMESERVER_HELD];
    int held_count;
    pthread_t thread;
    int stop[2]; /* a pipe that ends the thread */
};

/* nameserver_begin starts one at a port that the kernel chose and makes Pollux ask it, again after 30 s
 * only, so that no question is repeated while the machine is busy. To begin with it says SAYS_NO_DATA of
 * both families. */
void nameserver_begin(struct nameserver *server);

/* nameserver_begin_at starts one at that port, and leaves POLLUX_NAMESERVERS alone. */
void nameserver_begin_at(struct nameserver *server, int port);

/* nameserver_says lets it say that of both families. */
static inline void nameserver_says(struct nameserver *server, enum says says)
{
    server->ipv4.says = server->ipv6.says = says;
}

/* nameserver_serve answers every question that has come. */
void nameserver_serve(struct nameserver *server);

/* nameserver_release answers what was held, by what is said now, and holds no more. */
void nameserver_release(struct nameserver *server);

/* nameserver_start serves in a thread until nameserver_stop. */
void nameserver_start(struct nameserver *server);
void nameserver_stop(struct nameserver *server);

/* nameserver_end closes everything; a thread is stopped before. */
void nameserver_end(struct nameserver *server);

/* nameserver_alone waits for questions and answers them, for that many milliseconds. */
void nameserver_alone(struct nameserver *server, int milliseconds);

/* where_by_name puts the port of a place that a raw listener gave behind a name. */
void where_by_name(const char *name, const char *where, char *ret_where);

#define UNTIL_ASKED(world, server, condition) UNTIL(world, (nameserver_serve(server), (condition)))

/* NAMES_CASE is a MODE_CASE whose body gets a name server besides, begun, which Pollux asks. */
#define NAMES_CASE(name)                                                                           \
    static void name##_asks(struct world *w, struct nameserver *server);                           \
    MODE_CASE(name)                                                                                \
    {                                                                                              \
        struct nameserver server;                                                                  \
        nameserver_begin(&server);                                                                 \
        name##_asks(w, &server);                                                                   \
        nameserver_end(&server);                                                                   \
    }                                                                                              \
    static void name##_asks(struct world *w, __attribute__((unused)) struct nameserver *server)

#endif
