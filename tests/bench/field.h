/* tests/bench/field.h -- all the peers that are installed, each with an object for one work.
 *
 *     field ── side: peer, tally, object, its clients in the crowd
 *          ├── side …
 *
 * The first side is always "raw". What is missing is named in the figures, and never fatal. */
#ifndef TESTS_BENCH_FIELD_H
#define TESTS_BENCH_FIELD_H

#include "tests/bench/crowd.h"
#include "tests/bench/peer.h"

struct side {
    const struct peer *peer;
    struct peer_tally tally;
    void *object;
    int port;
    unsigned base; /* of its clients, the number of the first in the crowd */
};

struct field {
    struct side sides[BENCH_SIDES];
    size_t count;
    unsigned clients; /* that servers of the field have in the crowd */
};

/* field_peers returns the peers that are built in, NULL after the last; raw is the first. */
const struct peer *const *field_peers(void);

/* field_name_missing writes into the figures which peers are not built in. */
void field_name_missing(struct bench *bench);

/* field_name_left_out writes so of anything else. */
void field_name_left_out(struct bench *bench, const char *what, const char *why);

/* field_name_unable writes so of a peer that could not be opened: a mechanism that is not there. */
void field_name_unable(struct bench *bench, const struct peer *peer);

/* field_open_servers opens a TCP server of every peer that has one (threads: also of those with
 * threads of their own) and fills each with `total` of the crowd's clients, who are numbered
 * through. */
void field_open_servers(struct bench *bench, struct field *field, struct crowd *crowd, size_t total,
                        bool threads);

/* field_add_server adds one side more, of a peer that is not in the list: another way to use
 * one. */
void field_add_server(struct field *field, const struct peer *peer, struct crowd *crowd,
                      size_t total);

/* field_open_pairs opens a pair of every peer that can. */
void field_open_pairs(struct bench *bench, struct field *field, enum peer_family family);

/* field_close closes what was opened: servers or pairs. */
void field_close_servers(struct field *field);
void field_close_pairs(struct field *field);

/* field_samples returns empty samples with the names of the sides. */
struct bench_samples field_samples(const struct field *field);

/* side_open_server opens a server of a peer, over TCP or (path) a Unix socket. False: it cannot. */
bool side_open_server(struct side *side, const struct peer *peer, const char *path);

/* side_admit connects clients until the server has `total`; side_dismiss closes all of the crowd
 * and waits until the server has seen it. */
void side_admit(struct side *side, struct crowd *crowd, size_t total);
void side_dismiss(struct side *side, struct crowd *crowd);

/* side_poll runs frames until nothing is left to do. */
void side_poll(struct side *side);

/* Works of a pair, for bench_side with a struct side: side_trips sends PEER_PAYLOAD bytes there and
 * back, side_blocks sends PEER_BLOCK bytes one way. */
void side_trips(void *side, size_t iterations);
void side_blocks(void *side, size_t iterations);

#endif
