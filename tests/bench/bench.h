/* tests/bench/bench.h -- the harness: several ways to do the same work, measured side by side.
 *
 * A bench program does its work in rounds. In every round each side does it once, the sides taking
 * turns at being first, in the same process, so that whatever else the computer does meanwhile
 * falls on all of them. The figure printed is the median of the rounds; the ratio is the median of
 * the ratios of each round to the first side, since the parts of one round are close in time. A
 * program never asserts: it prints figures beside their targets.
 *
 *     samples ── names:  raw   Pollux  libuv …
 *                        [0]    [0]    [0]      one round
 *                        [1]    [1]    [1]      the next
 *                        …
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#define BENCH_NEVER_RETURNS
#else
#define BENCH_NEVER_RETURNS _Noreturn
#endif

enum { BENCH_SIDES = 16 };

/* The process's own time counts all its threads: for sides that have some. */
enum bench_clock { BENCH_THREAD_CPU, BENCH_PROCESS_CPU, BENCH_MONOTONIC };

/* Which side of the target is the good one. BENCH_NO_TARGET: printed for information. */
enum bench_bound { BENCH_NO_TARGET, BENCH_AT_MOST, BENCH_AT_LEAST };

struct bench {
    const char *program;
    const char *directory; /* where files go */
    FILE *json;            /* one object a line; NULL: the file could not be opened */
    bool quiet;            /* no table on standard output: the driver prints one of its own */
    bool quick;            /* a tenth of the rounds */
};

/* What a figure is called and what is asked of it. The target is a limit of Pollux / the reference,
 * and holds for those sides alone whose name begins with Pollux. */
struct bench_goal {
    const char *what;
    const char *unit;
    enum bench_bound bound;
    double target;
};

/* A way to do the work: `iterations` operations, one after another. */
struct bench_side {
    const char *name;
    void (*run)(void *user, size_t iterations);
    void *user;
    enum bench_clock clock;
};

/* Samples of all sides, a round an entry. The first side is the reference, unless it is the only
 * one. All zero but for names and sides is empty. */
struct bench_samples {
    size_t sides;
    const char *names[BENCH_SIDES];
    double *values[BENCH_SIDES];
    size_t rounds;
    size_t room;
};

/* bench_start reads the options (-o directory, -q quiet, -s short) and opens
 * <directory>/<program>.jsonl. */
void bench_start(struct bench *bench, const char *program, int argc, char **argv);

/* bench_finish closes the file and returns the exit status of the program. */
int bench_finish(struct bench *bench);

/* bench_rounds returns how many rounds to run where a full run has count: never less than 5. */
size_t bench_rounds(const struct bench *bench, size_t count);

/* bench_goes_on returns whether one more round is to be made: as long as there are fewer than
 * `rounds` and, after the least number, not much time has passed since `begun` on BENCH_MONOTONIC.
 * On a busy computer a run must end, too. */
bool bench_goes_on(double begun, size_t round, size_t rounds);

/* bench_now returns the time of a clock in nanoseconds. */
double bench_now(enum bench_clock clock);

/* bench_of_two returns empty samples of the sides "raw" and "Pollux". */
struct bench_samples bench_of_two(void);

/* bench_samples_add takes one round, a value for each side; bench_samples_clear forgets them all
 * and frees their memory. */
void bench_samples_add(struct bench_samples *samples, const double *round);
void bench_samples_clear(struct bench_samples *samples);

/* bench_samples_turn makes rates of costs: `amount` divided by each sample. */
void bench_samples_turn(struct bench_samples *samples, double amount);

/* bench_quantile returns the sample below which the given share of them lies. Sorts them. */
double bench_quantile(double *samples, size_t count, double share);

/* bench_ratio returns the median of the ratios of one side to another, round by round. */
double bench_ratio(const struct bench_samples *samples, size_t side, size_t reference);

/* bench_sample measures the sides in nanoseconds per operation. A block of iterations is made to
 * last about a millisecond. */
struct bench_samples bench_sample(size_t rounds, const struct bench_side *sides, size_t count);

/* bench_compare does so and reports it. */
void bench_compare(struct bench *bench, const struct bench_goal *goal, size_t rounds,
                   const struct bench_side *sides, size_t count);

/* bench_report prints the median of each side's samples and clears them. */
void bench_report(struct bench *bench, const struct bench_goal *goal,
                  struct bench_samples *samples);

/* bench_report_value prints one figure that is not a median. reference is what the ratio refers
 * to; negative: nothing does, and the target limits the figure itself. */
void bench_report_value(struct bench *bench, const struct bench_goal *goal, const char *side,
                        double reference, double value);

/* bench_write_quantiles writes the distribution of samples to <directory>/<file>.dat, for gnuplot:
 * a block each, which begins with its name. The first one replaces what was there. Sorts them. */
void bench_write_quantiles(struct bench *bench, const char *file, bool is_first, const char *name,
                           double *samples, size_t count);

/* bench_settle keeps the caller to the last processor or the first one. Two processes that talk
 * have one each then: whether they share one, and with it its cache, shows more in the cost of a
 * message than a library does. Nothing where there is only one. */
void bench_settle(bool is_last);

/* bench_memory returns what the C library has given out, in all its arenas and as pages of their own;
 * negative: it cannot say. */
double bench_memory(void);

/* bench_raise_limit allows the process as many descriptors as it may have. */
void bench_raise_limit(void);

/* bench_fail says which step failed and why (errno), and ends the program: a bench that cannot be
 * set up has no figure. */
BENCH_NEVER_RETURNS void bench_fail(const char *step);

#ifdef __cplusplus
}
#endif

#endif
