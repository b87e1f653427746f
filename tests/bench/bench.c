/* tests/bench/bench.c -- the harness: clocks, medians, the table and the JSON lines. */
#include "config.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_NANOSECONDS = 1000000, MAXIMUM_ITERATIONS = 1000000 };

_Noreturn void bench_fail(const char *step)
{
    fprintf(stderr, "bench: %s: %s\n", step, strerror(errno));
    exit(1);
}

/* ---- start and end --------------------------------------------------------------------------- */

static FILE *open_json(const char *directory, const char *program)
{
    char path[1024];
    FILE *file;

    (void)mkdir(directory, 0777); /* it exists already, or else fopen says what is wrong */
    (void)snprintf(path, sizeof path, "%s/%s.jsonl", directory, program);
    file = fopen(path, "w");
    if (file == NULL)
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return file;
}

static void print_header(const struct bench *bench)
{
    printf("\n%s: Pollux beside raw system calls\n", bench->program);
    printf("%-58s %-5s %11s %11s %8s %9s %8s  %s\n", "what", "unit", "raw", "Pollux", "ratio",
           "target", "twice", "");
}

void bench_start(struct bench *bench, const char *program, int argc, char **argv)
{
    const char *directory = ".";
    int option;

    memset(bench, 0, sizeof *bench);
    bench->program = program;
    while ((option = getopt(argc, argv, "o:qs")) != -1) {
        if (option == 'o')
            directory = optarg;
        else if (option == 'q')
            bench->quiet = true;
        else if (option == 's')
            bench->quick = true;
        else {
            fprintf(stderr, "usage: bench-%s [-o directory] [-q] [-s]\n", program);
            exit(2);
        }
    }
    bench->json = open_json(directory, program);
    if (!bench->quiet)
        print_header(bench);
    fflush(stdout); /* before any fork, or a child would print it again */
}

int bench_finish(struct bench *bench)
{
    if (bench->json != NULL)
        fclose(bench->json);
    bench->json = NULL;
    return 0;
}

size_t bench_rounds(const struct bench *bench, size_t count)
{
    size_t rounds = bench->quick ? count / 10 : count;

    return rounds < 5 ? 5 : rounds;
}

/* ---- clocks and samples ---------------------------------------------------------------------- */

double bench_now(enum bench_clock clock)
{
    struct timespec time;

    clock_gettime(clock == BENCH_THREAD_CPU ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void bench_pair_add(struct bench_pair *pair, double raw, double pollux)
{
    if (pair->count == pair->room) {
        pair->room = pair->room == 0 ? 64 : pair->room * 2;
        pair->raw = realloc(pair->raw, pair->room * sizeof *pair->raw);
        pair->pollux = realloc(pair->pollux, pair->room * sizeof *pair->pollux);
        if (pair->raw == NULL || pair->pollux == NULL)
            bench_fail("memory for the samples");
    }
    pair->raw[pair->count] = raw;
    pair->pollux[pair->count++] = pollux;
}

void bench_pair_clear(struct bench_pair *pair)
{
    free(pair->raw);
    free(pair->pollux);
    memset(pair, 0, sizeof *pair);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_quantile(double *samples, size_t count, double share)
{
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof *samples, compare_doubles);
    return samples[(size_t)(share * (double)(count - 1) + 0.5)];
}

static double median_ratio(const struct bench_pair *pair)
{
    double *ratios = calloc(pair->count + 1, sizeof *ratios);
    size_t valid = 0;
    double median;

    if (ratios == NULL)
        bench_fail("memory for the ratios");
    for (size_t i = 0; i < pair->count; i++)
        if (pair->raw[i] > 0)
            ratios[valid++] = pair->pollux[i] / pair->raw[i];
    median = bench_quantile(ratios, valid, 0.5);
    free(ratios);
    return median;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static double time_block(enum bench_clock clock, void (*run)(void *user, size_t iterations),
                         void *user, size_t iterations)
{
    double start = bench_now(clock);

    run(user, iterations);
    return (bench_now(clock) - start) / (double)iterations;
}

/* Doubles until a block lasts long enough that reading the clock (a system call for thread time)
 * does not show. */
static size_t calibrate(enum bench_clock clock, void (*run)(void *user, size_t iterations),
                        void *user)
{
    size_t iterations = 1;

    while (iterations < MAXIMUM_ITERATIONS &&
           time_block(clock, run, user, iterations) * (double)iterations < BLOCK_NANOSECONDS)
        iterations *= 2;
    return iterations;
}

void bench_compare(struct bench *bench, const struct bench_goal *goal, enum bench_clock clock,
                   size_t rounds, void (*raw)(void *user, size_t iterations),
                   void (*pollux)(void *user, size_t iterations), void *user)
{
    struct bench_pair pair = {0};
    size_t raw_iterations = raw == NULL ? 0 : calibrate(clock, raw, user);
    size_t pollux_iterations = calibrate(clock, pollux, user);

    for (size_t round = 0; round < rounds; round++) {
        double raw_time = 0;
        double pollux_time = 0;

        if (raw != NULL && round % 2 == 0)
            raw_time = time_block(clock, raw, user, raw_iterations);
        pollux_time = time_block(clock, pollux, user, pollux_iterations);
        if (raw != NULL && round % 2 == 1)
            raw_time = time_block(clock, raw, user, raw_iterations);
        bench_pair_add(&pair, raw_time, pollux_time);
    }
    bench_report(bench, goal, &pair);
}

/* ---- reporting ------------------------------------------------------------------------------- */

struct row {
    double raw, pollux, ratio;  /* raw and ratio negative: there are none */
    double raw_low, pollux_low; /* a tenth of the rounds were below */
    size_t rounds;
};

/* Twice the target is twice the cost, or half the rate. */
static double twice(const struct bench_goal *goal)
{
    return goal->bound == BENCH_AT_LEAST ? goal->target / 2 : goal->target * 2;
}

static bool within(const struct bench_goal *goal, double value, double limit)
{
    return goal->bound == BENCH_AT_LEAST ? value >= limit : value <= limit;
}

static const char *verdict(const struct bench_goal *goal, double value)
{
    if (goal->bound == BENCH_NO_TARGET)
        return "";
    if (within(goal, value, goal->target))
        return "reached";
    return within(goal, value, twice(goal)) ? "within twice" : "OVER TWICE";
}

static void print_number(double number, int width, int decimals)
{
    if (number < 0)
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, decimals, number);
}

static void print_row(const struct bench_goal *goal, const struct row *row, double judged)
{
    const char *sign = goal->bound == BENCH_AT_LEAST ? ">=" : "<=";
    char target[32];

    printf("%-58s %-5s", goal->what, goal->unit);
    print_number(row->raw, 11, 1);
    print_number(row->pollux, 11, 1);
    print_number(row->ratio, 8, 3);
    if (goal->bound == BENCH_NO_TARGET) {
        printf(" %9s %8s\n", "-", "-");
    } else {
        (void)snprintf(target, sizeof target, "%s %.5g", sign, goal->target);
        printf(" %9s %8.5g  %s\n", target, twice(goal), verdict(goal, judged));
    }
    fflush(stdout);
}

static void write_number(FILE *json, const char *name, double number)
{
    if (number < 0)
        fprintf(json, ",\"%s\":null", name);
    else
        fprintf(json, ",\"%s\":%.10g", name, number);
}

/* The keys always come in this order, one object a line: tests/bench/run reads them with awk. */
static void write_row(const struct bench *bench, const struct bench_goal *goal,
                      const struct row *row, double judged)
{
    bool aimed = goal->bound != BENCH_NO_TARGET;

    if (bench->json == NULL)
        return;
    fprintf(bench->json, "{\"program\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\"", bench->program,
            goal->what, goal->unit);
    write_number(bench->json, "raw", row->raw);
    write_number(bench->json, "pollux", row->pollux);
    write_number(bench->json, "ratio", row->ratio);
    fprintf(bench->json, ",\"bound\":\"%s\"",
            !aimed                          ? ""
            : goal->bound == BENCH_AT_LEAST ? ">="
                                            : "<=");
    write_number(bench->json, "target", aimed ? goal->target : -1);
    write_number(bench->json, "twice", aimed ? twice(goal) : -1);
    fprintf(bench->json, ",\"verdict\":\"%s\"", verdict(goal, judged));
    write_number(bench->json, "raw_p10", row->raw_low);
    write_number(bench->json, "pollux_p10", row->pollux_low);
    fprintf(bench->json, ",\"rounds\":%zu}\n", row->rounds);
    fflush(bench->json);
}

static void report_row(struct bench *bench, const struct bench_goal *goal, const struct row *row)
{
    double judged = row->ratio < 0 ? row->pollux : row->ratio;

    if (!bench->quiet)
        print_row(goal, row, judged);
    write_row(bench, goal, row, judged);
}

void bench_report(struct bench *bench, const struct bench_goal *goal, struct bench_pair *pair)
{
    bool alone = pair->count == 0 || pair->raw[0] <= 0;
    struct row row = {.rounds = pair->count};

    row.ratio =
        alone ? -1 : median_ratio(pair); /* before the quantiles: they sort the two sides apart */
    row.raw = alone ? -1 : bench_quantile(pair->raw, pair->count, 0.5);
    row.raw_low = alone ? -1 : bench_quantile(pair->raw, pair->count, 0.1);
    row.pollux = bench_quantile(pair->pollux, pair->count, 0.5);
    row.pollux_low = bench_quantile(pair->pollux, pair->count, 0.1);
    report_row(bench, goal, &row);
    bench_pair_clear(pair);
}

void bench_report_value(struct bench *bench, const struct bench_goal *goal, double raw,
                        double pollux)
{
    struct row row = {.raw = raw,
                      .pollux = pollux,
                      .ratio = raw > 0 ? pollux / raw : -1,
                      .raw_low = -1,
                      .pollux_low = -1,
                      .rounds = 1};

    report_row(bench, goal, &row);
}
