/* tests/bench/peer/nng.c -- nng: two pair sockets, messages, and threads of its own. */
#include "config.h"

#include "tests/bench/peer.h"
#include "tests/bench/wire.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct pair {
    struct peer_tally *tally;
    nng_socket near, far;
};

static void check(int result, const char *step)
{
    if (result != 0) {
        fprintf(stderr, "bench: %s: %s\n", step, nng_strerror(result));
        exit(1);
    }
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);
    char where[64];

    (void)peer;
    if (pair == NULL)
        bench_fail("memory");
    pair->tally = tally;
    if (family == PEER_TCP)
        (void)snprintf(where, sizeof where, "tcp://127.0.0.1:%d", wire_free_port());
    else
        (void)snprintf(where, sizeof where, "ipc:///tmp/pollux-bench-nng-%d", (int)getpid());
    check(nng_pair0_open(&pair->near), "nng_pair0_open");
    check(nng_pair0_open(&pair->far), "nng_pair0_open");
    check(nng_listen(pair->far, where, NULL, 0), "nng_listen");
    check(nng_dial(pair->near, where, NULL, 0), "nng_dial");
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    check(nng_send(pair->near, (void *)(uintptr_t)data, size, 0), "nng_send");
}

/* Takes one message without waiting; NULL when there is none. */
static void *take(nng_socket socket, size_t *ret_size)
{
    void *data;

    if (nng_recv(socket, &data, ret_size, NNG_FLAG_ALLOC | NNG_FLAG_NONBLOCK) != 0)
        return NULL;
    return data;
}

static void pair_poll(void *object)
{
    struct pair *pair = object;
    struct peer_tally *tally = pair->tally;
    size_t size;
    void *data = take(pair->far, &size);

    if (data != NULL) {
        tally->bytes += size;
        if (tally->echo)
            check(nng_send(pair->far, data, size, NNG_FLAG_ALLOC), "nng_send");
        else
            nng_free(data, size);
    }
    if (tally->echo && (data = take(pair->near, &size)) != NULL) {
        tally->returned += size;
        nng_free(data, size);
    }
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    nng_close(pair->near);
    nng_close(pair->far);
    free(pair);
}

static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_nng = {.name = "nng", .threads = true, .pair = &pair_functions};
