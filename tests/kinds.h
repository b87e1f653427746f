/* tests/kinds.h -- one row per kind of connection: a kind that has a row here inherits the whole
 * conformance suite.
 *
 * To add a kind, add a row to `kinds` in kinds.c. A row says how to make a socket of the kind,
 * where the socket can listen, how a peer reaches that place, and how to make a raw peer, which
 * does not use Pollux. A raw peer is a descriptor; each byte that it sends or receives goes through
 * `say`, `hear`, `end` and `reset`. Each place is in a folder of the test's own or on a port that
 * the kernel chose, so that test programs can run side by side. */
#ifndef POLLUX_TESTS_KINDS_H
#define POLLUX_TESTS_KINDS_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>

enum { WHERE_SIZE = 200 };

/* What `hear` returns besides a number of bytes. */
enum { RAW_END = 0, RAW_NOTHING = -1, RAW_RESET = -2 };

struct kind {
    const char *name;
    plx_constructor *create;
    bool resets;           /* the peer sees a reset after an abort, not only an end */
    bool keeps_boundaries; /* packets: each write is read as one record, without send_progress */
    /* Where a Pollux socket or server may listen; each place of a test has its own `number`. */
    void (*place)(const char *folder, int number, char *ret_where);
    /* Where to connect to, once something listens at `listened` and reports `port`. */
    void (*reach)(const char *listened, int port, char *ret_where);
    /* Returns a raw descriptor, bound but not listening, and sets *ret_where to what reaches it. */
    int (*raw_bind)(const char *folder, int number, char *ret_where);
    /* Returns a raw descriptor connected to `where`, or -1 if the connection was refused. */
    int (*raw_connect)(const char *where);
    /* Sends without waiting. Returns how many bytes the kernel accepted, 0 when its buffer is full,
     * -1 when the connection is gone. A packet is sent whole or not at all. */
    ptrdiff_t (*say)(int raw, const void *data, size_t size);
    /* Receives without waiting, at most one packet. Returns how many bytes, or RAW_END,
     * RAW_NOTHING, RAW_RESET. */
    ptrdiff_t (*hear)(int raw, void *data, size_t size);
    /* Ends sending, and with `gone` closes the descriptor. */
    void (*end)(int raw, bool gone);
    /* Closes the descriptor so that the other side sees a reset, if it can. */
    void (*reset)(int raw);
};

/* The kinds that keep boundaries are the last rows. */
extern const struct kind kinds[];
extern const int kind_count;

#endif
