/* tests/nameserver.h -- a name server that answers as a test wants.
 *
 * It answers on 127.0.0.1 by UDP and TCP, at a port that POLLUX_NAMESERVERS names, or at port 53
 * inside a network of the test's own (tests/netns.h), where resolv.conf names it. A test sets the
 * answers for IPv4 and for IPv6 separately, because lookups fail where the two differ:
 *
 *     struct nameserver server;
 *     nameserver_begin(&server);
 *     server.ipv4 = ADDRESSES("127.0.0.1");
 *     server.ipv6.says = SAYS_NOTHING;
 *     UNTIL_ASKED(w, &server, log.count[EVENT_CONNECTED] > 0);
 *     nameserver_end(&server);
 *
 * NAMES_CASE begins a name server before a case and ends it afterwards.
 *
 * A name server answers when nameserver_serve is called, or in its own thread between
 * nameserver_start and nameserver_stop, for tests that sleep in a wait. A test must not change the
 * answers while the thread runs. */
#ifndef POLLUX_TESTS_NAMESERVER_H
#define POLLUX_TESTS_NAMESERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/sockets.h"
#include "tests/world.h"

enum says {
    SAYS_NO_DATA, /* the name exists and has no address of that family */
    SAYS_ADDRESSES,
    SAYS_NOTHING, /* no answer at all */
    SAYS_LATER,   /* the question is kept until nameserver_release */
    SAYS_NO_SUCH_NAME,
    SAYS_FAILED,   /* SERVFAIL */
    SAYS_REFUSED,  /* REFUSED */
    SAYS_REJECTED, /* NOTIMP */
    SAYS_MISSING,  /* counts a record that is not there */
    SAYS_SHORT,    /* a record that ends before its data does */
    SAYS_CUT_OFF,  /* truncated: ask again by TCP */
    SAYS_GARBAGE,
    SAYS_WRONG_ID /* the right answer to another question */
};

enum by_tcp {
    TCP_ANSWERS,
    TCP_FAILS, /* SERVFAIL to what was cut off */
    TCP_ENDS,
    TCP_IS_SILENT
};

enum { NAMESERVER_ADDRESSES = 8, NAMESERVER_HELD = 64, NAMESERVER_STREAMS = 8 };

struct saying {
    enum says says;
    const char *addresses[NAMESERVER_ADDRESSES]; /* in the order in which they are answered */
    int many;                                    /* how many more, 127.1.x.y or fd00::x:y */
};

/* An answer with these addresses. */
#define ADDRESSES(...) ((struct saying){.says = SAYS_ADDRESSES, .addresses = {__VA_ARGS__}})

struct held {
    unsigned char packet[600];
    size_t size;
    struct sockaddr_storage from;
    socklen_t from_size;
};

/* Answers that are sent in pieces. */
struct late {
    unsigned char bytes[1000];
    size_t size, sent;
};

struct nameserver {
    struct saying ipv4, ipv6;
    enum by_tcp by_tcp;
    bool splits; /* by TCP each nameserver_serve sends one piece: a byte of the length, the other,
                  * the header, and all that follows */
    const char
        *alias; /* the answer is a CNAME to this name, which has the addresses */
    const char *unknown; /* a part of names that do not exist, whatever the other members say */
    const char *ignored; /* a part of names that are never answered */
    bool holds;          /* questions of both families are kept until nameserver_release */
    int asked4, asked6;  /* received questions for A and AAAA */
    int asked_by_tcp;    /* the questions of these that arrived by TCP */
    char names[1024]; /* the names asked for, a blank after each, as many as fit */
    char where[64];   /* "127.0.0.1:4711" */
    int udp, tcp;     /* descriptors */
    int streams[NAMESERVER_STREAMS];
    struct late late[NAMESERVER_STREAMS];
    struct held held[NAMESERVER_HELD];
    int held_count;
    pthread_t thread;
    int stop[2]; /* a pipe that ends the thread */
};

/* nameserver_is_needed ends the process of a case, without failure and with a line on stderr that
 * `what` is skipped, where Pollux was built without c-ares: only c-ares asks the servers in
 * POLLUX_NAMESERVERS, at any port, and the C library may read resolv.conf in its own way. */
void nameserver_is_needed(const char *what);

/* nameserver_begin starts a name server at a port that the kernel chooses, and makes Pollux ask it;
 * it calls nameserver_is_needed. Pollux asks again only after 30 s, so that no question is repeated
 * while the machine is busy. The first answers are SAYS_NO_DATA for both families. */
void nameserver_begin(struct nameserver *server);

/* nameserver_begin_at starts a name server at that port, and does not change POLLUX_NAMESERVERS. */
void nameserver_begin_at(struct nameserver *server, int port);

/* nameserver_says sets the answers for both families. */
static inline void nameserver_says(struct nameserver *server, enum says says)
{
    server->ipv4.says = server->ipv6.says = says;
}

/* nameserver_serve answers every question that has arrived. */
void nameserver_serve(struct nameserver *server);

/* nameserver_release answers the kept questions, with the answers set now, and keeps no more. */
void nameserver_release(struct nameserver *server);

/* nameserver_start serves in a thread until nameserver_stop. */
void nameserver_start(struct nameserver *server);
void nameserver_stop(struct nameserver *server);

/* nameserver_end closes everything; stop the thread first. */
void nameserver_end(struct nameserver *server);

/* nameserver_alone waits for questions and answers them, for that many milliseconds. */
void nameserver_alone(struct nameserver *server, int milliseconds);

/* where_by_name makes "name:port" from a name and the port of a raw listener's place. */
void where_by_name(const char *name, const char *where, char *ret_where);

/* raw_silent_at makes a listener at this address, with the port of `where`, whose queue is full:
 * the kernel answers no SYN, as if packets were dropped on the way. */
void raw_silent_at(struct world *w, const char *address, const char *where);

#define UNTIL_ASKED(world, server, condition) UNTIL(world, (nameserver_serve(server), (condition)))

/* NAMES_CASE is a MODE_CASE whose body also gets a name server, which has begun and which Pollux
 * asks. */
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

/* NAMES_SOCKET_CASE is a NAMES_CASE with a new `socket` of ours, its `log`, and `where`, which has
 * room for a place. */
#define NAMES_SOCKET_CASE(name)                                                                    \
    static void name##_opened(struct world *w, struct nameserver *server, plx_socket *socket,      \
                              struct record *log, char *where);                                    \
    NAMES_CASE(name)                                                                               \
    {                                                                                              \
        struct record log;                                                                         \
        plx_socket *socket = world_socket(w, &log);                                                \
                                                                                                   \
        name##_opened(w, server, socket, &log, (char[WHERE_SIZE]){0});                             \
    }                                                                                              \
    static void name##_opened(                                                                     \
        struct world *w CK_ATTRIBUTE_UNUSED, struct nameserver *server CK_ATTRIBUTE_UNUSED,        \
        plx_socket *socket CK_ATTRIBUTE_UNUSED, struct record *log CK_ATTRIBUTE_UNUSED,            \
        char *where CK_ATTRIBUTE_UNUSED)

#endif
