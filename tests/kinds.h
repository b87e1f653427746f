/* tests/kinds.h -- one row per kind of connection: a kind that has a row here inherits the whole
 * conformance suite.
 *
 * Adding a kind is adding a row to `kinds` in kinds.c. A row says how to make a socket of the kind, at
 * which place it can listen, how that place is reached afterwards, and how a raw peer, one that knows
 * nothing of Pollux, is made for it and speaks. A raw peer is a descriptor; each byte that it sends or
 * receives goes through `say`, `hear`, `end` and `reset`. Everything a row hands out lies in a folder of
 * the test's own or on a port that the kernel picked, so that test programs may run side by side. */
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
    bool resets;           /* an abort shows as a reset and not only as an end */
    bool keeps_boundaries; /* packets: each is read as it was written, and nothing reports progress */
    /* Where a Pollux socket or server may listen; `number` tells the places of one test apart. */
    void (*place)(const char *folder, int number, char *ret_where);
    /* Where to connect to, once something listens at `listened` and reports `port`. */
    void (*reach)(const char *listened, int port, char *ret_where);
    /* A raw descriptor, bound and not yet listening, and the place that reaches it. */
    int (*raw_bind)(const char *folder, int number, char *ret_where);
    /* A raw descriptor connected to `where`, or -1 if that was refused. */
    int (*raw_connect)(const char *where);
    /* Sends without waiting: how many bytes the kernel took, 0 when it is full, -1 when the connection
     * is gone. A packet is sent whole or not at all. */
    ptrdiff_t (*say)(int raw, const void *data, size_t size);
    /* Receives without waiting: how many bytes, or RAW_END, RAW_NOTHING, RAW_RESET. One packet at most. */
    ptrdiff_t (*hear)(int raw, void *data, size_t size);
    /* Sends nothing any more, and with `gone` closes the descriptor. */
    void (*end)(int raw, bool gone);
    /* Closes the descriptor so that the other side sees a reset, if it can. */
    void (*reset)(int raw);
};

/* Those that keep boundaries come last. */
extern const struct kind kinds[];
extern const int kind_count;

#endif
