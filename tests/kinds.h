/* tests/kinds.h -- one row per kind of connection: a kind that has a row here inherits the whole
 * conformance suite.
 *
 * To add a kind, add a row to `kinds` in kinds.c. A row says how to make a socket of the kind,
 * where the socket can listen, how a peer reaches that place, and how a raw peer lives, which does
 * not use Pollux. Everything that a raw peer does goes through its row, from `bind` to `close`. So
 * the peers of a row whose bytes are not those of the kernel (`filtered`) change the bytes in `say`
 * and `hear`, and keep what they need from one call to the next in `state` (speaker.h). A socket of
 * a row that `establishes` connects only when the peer has answered. So the raw listeners of such a
 * row accept by themselves and let their peers answer, unless their backlog is 0, and a case finds
 * the peers in the order in which they came. Each place is in a folder of the test's own or on a
 * port that the kernel chose, so that test programs can run side by side. */
#ifndef POLLUX_TESTS_KINDS_H
#define POLLUX_TESTS_KINDS_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>

enum { WHERE_SIZE = 200 };

/* What `hear` returns besides a number of bytes. */
enum { RAW_END = 0, RAW_NOTHING = -1, RAW_RESET = -2 };

struct kind;

/* A raw peer as its row sees it. Everybody else names it by its descriptor (raw.h). */
struct raw {
    const struct kind *kind; /* the row that speaks for the peer */
    int descriptor;          /* -1: none */
    void *state;             /* belongs to the row; NULL: none */
    bool serves;             /* a listener that accepts in each poll of the world */
    int listener;            /* has accepted the peer, and no case has asked for it yet; -1: none */
};

struct kind {
    const char *name;
    plx_constructor *create;
    bool resets;           /* the peer sees a reset after an abort, not only an end */
    bool keeps_boundaries; /* packets: each write is read as one record, without send_progress */
    bool filtered;         /* has filters: the kernel's bytes may be others than the program's */
    bool establishes;      /* has a filter that waits for the peer's answer while it establishes */
    bool ends_both;        /* the end of one side ends both: there is no half-open connection */
    /* Where a Pollux socket or server may listen; each place of a test has its own `number`. */
    void (*place)(const char *folder, int number, char *ret_where);
    /* Where to connect to, once something listens at `listened` and reports `port`. */
    void (*reach)(const char *listened, int port, char *ret_where);

    /* These three make a peer's descriptor. If they fail, they return false and leave none.
     * `bind` does not listen yet, and sets *ret_where to what reaches the peer. `connect` fails if
     * the connection was refused. `accept` does not wait. */
    bool (*bind)(struct raw *raw, const char *folder, int number, char *ret_where);
    bool (*connect)(struct raw *raw, const char *where);
    bool (*accept)(struct raw *raw, const struct raw *listener);
    void (*listen)(const struct raw *raw, int backlog);
    /* Makes the state of a peer that has connected or was accepted; NULL: the row has no state. */
    void (*begin)(struct raw *raw, bool accepted);
    /* Sends without waiting. Returns how many bytes were accepted, 0 when the kernel's buffer is
     * full, -1 when the connection is gone. A packet is sent whole or not at all. */
    ptrdiff_t (*say)(struct raw *raw, const void *data, size_t size);
    /* Receives without waiting, at most one packet. Returns how many bytes, or RAW_END,
     * RAW_NOTHING, RAW_RESET. */
    ptrdiff_t (*hear)(struct raw *raw, void *data, size_t size);
    /* Sends what `say` and `end` could not send at once, in each poll of the world; NULL: there is
     * never any. */
    void (*turn)(struct raw *raw);
    void (*end)(struct raw *raw); /* ends sending */
    /* Both close the descriptor; with `reset` the other side sees a reset, if it can. */
    void (*close)(struct raw *raw);
    void (*reset)(struct raw *raw);
    /* Frees the state, after `close` and `reset` or when the descriptor is given away; NULL: the
     * row has no state. */
    void (*forget)(struct raw *raw);
};

extern struct kind kinds[];
extern int kind_count;

/* kinds_add adds a row behind the others, before main begins: the rows of a library that not every
 * program links. kind_of_name returns a row. Both fail the program when there is none. */
void kinds_add(const struct kind *kind);
const struct kind *kind_of_name(const char *name);

#endif
