/* tests/bench/bench.h -- the harness: two ways to do the same work, measured side by side.
 *
 * A bench program does its work in rounds. In every round it does it once by raw system calls and
 * once by Pollux, in turn first and second, in the same process, so that whatever else the computer
 * does meanwhile falls on both. The figure printed is the median of the rounds; the ratio is the
 * median of the ratios of each round, since the two halves of one round are close in time. A
 * program never asserts: it prints figures beside their targets.
 *
 *     bench ── figure ── pair: raw[0] pollux[0]   one round
 *                              raw[1] pollux[1]   the next
 *                              …
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum bench_clock { BENCH_THREAD_CPU, BENCH_MONOTONIC };

/* Which side of the target is the good one. BENCH_NO_TARGET: printed for information. */
enum bench_bound { BENCH_NO_TARGET, BENCH_AT_MOST, BENCH_AT_LEAST };

struct bench {
    const char *program;
    FILE *json; /* one object a line; NULL: the file could not be opened */
    bool quiet; /* no table on standard output: the driver prints one of its own */
    bool quick; /* a tenth of the rounds */
};

/* What a figure is called and what is asked of it. The target is a limit of Pollux / raw. */
struct bench_goal {
    const char *what;
    const char *unit;
    enum bench_bound bound;
    double target;
};

/* Samples of both sides, a round an entry. The zero value is empty. */
struct bench_pair {
    double *raw;
    double *pollux;
    size_t count;
    size_t room;
};

/* bench_start reads the options (-o directory, -q quiet, -s short) and opens
 * <directory>/<program>.jsonl. */
void bench_start(struct bench *bench, const char *program, int argc, char **argv);

/* bench_finish closes the file and returns the exit status of the program. */
int bench_finish(struct bench *bench);

/* bench_rounds returns how many rounds to run where a full run has count: never less than 5. */
size_t bench_rounds(const struct bench *bench, size_t count);

/* bench_now returns the time of a clock in nanoseconds. */
double bench_now(enum bench_clock clock);

/* bench_pair_add takes one round; bench_pair_clear forgets them all and frees their memory. */
void bench_pair_add(struct bench_pair *pair, double raw, double pollux);
void bench_pair_clear(struct bench_pair *pair);

/* bench_quantile returns the sample below which the given share of them lies. Sorts them. */
double bench_quantile(double *samples, size_t count, double share);

/* bench_compare measures two functions that do `iterations` operations each, and reports
 * nanoseconds per operation. A block of iterations is made to last about a millisecond. raw NULL:
 * Pollux alone. */
void bench_compare(struct bench *bench, const struct bench_goal *goal, enum bench_clock clock,
                   size_t rounds, void (*raw)(void *user, size_t iterations),
                   void (*pollux)(void *user, size_t iterations), void *user);

/* bench_report prints the median of a pair's samples and clears it. */
void bench_report(struct bench *bench, const struct bench_goal *goal, struct bench_pair *pair);

/* bench_report_value prints one figure that is not a median. raw is what the ratio refers to;
 * negative: nothing does, and the target limits Pollux's figure itself. */
void bench_report_value(struct bench *bench, const struct bench_goal *goal, double raw,
                        double pollux);

/* bench_fail says which step failed and why (errno), and ends the program: a bench that cannot be
 * set up has no figure. */
_Noreturn void bench_fail(const char *step);

#endif
