/* tests/bench/report.c -- the harness: rows of the table, JSON lines, distributions. */
#include "config.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <string.h>

struct row {
    const char *side;
    const char *against;     /* what the ratio refers to; "" for nothing */
    double reference, ratio; /* negative: there are none */
    double value, low;       /* low: a tenth of the rounds were below; negative: there is none */
    size_t rounds;
};

/* ---- targets --------------------------------------------------------------------------------- */

/* Twice the target is twice the cost, or half the rate. */
static double twice(const struct bench_goal *goal)
{
    return goal->bound == BENCH_AT_LEAST ? goal->target / 2 : goal->target * 2;
}

static bool within(const struct bench_goal *goal, double value, double limit)
{
    return goal->bound == BENCH_AT_LEAST ? value >= limit : value <= limit;
}

static bool aimed(const struct bench_goal *goal, const struct row *row)
{
    return goal->bound != BENCH_NO_TARGET && strncmp(row->side, "Pollux", 6) == 0;
}

static const char *verdict(const struct bench_goal *goal, const struct row *row)
{
    double value = row->ratio < 0 ? row->value : row->ratio;

    if (!aimed(goal, row))
        return "";
    if (within(goal, value, goal->target))
        return "reached";
    return within(goal, value, twice(goal)) ? "missed" : "MISSED BY FAR";
}

/* ---- a row, twice ---------------------------------------------------------------------------- */

static void print_number(double number, int width, int decimals)
{
    if (number < 0)
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, decimals, number);
}

static void print_row(const struct bench_goal *goal, const struct row *row)
{
    const char *sign = goal->bound == BENCH_AT_LEAST ? ">=" : "<=";
    char target[32];

    printf("%-58s %-18s %-5s", goal->what, row->side, goal->unit);
    print_number(row->value, 11, row->value < 10 ? 3 : 1);
    print_number(row->ratio, 8, 3);
    if (!aimed(goal, row)) {
        printf(" %9s %8s\n", "-", "-");
    } else {
        (void)snprintf(target, sizeof target, "%s %.5g", sign, goal->target);
        printf(" %9s %8.5g  %s\n", target, twice(goal), verdict(goal, row));
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

/* The keys always come in this order, one object a line: scripts read them with awk. */
static void write_row(const struct bench *bench, const struct bench_goal *goal,
                      const struct row *row)
{
    bool is_aimed = aimed(goal, row);
    const char *bound = !is_aimed ? "" : goal->bound == BENCH_AT_LEAST ? ">=" : "<=";

    if (bench->json == NULL)
        return;
    fprintf(bench->json, "{\"program\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\",\"side\":\"%s\"",
            bench->program, goal->what, goal->unit, row->side);
    write_number(bench->json, "value", row->value);
    fprintf(bench->json, ",\"against\":\"%s\"", row->against);
    write_number(bench->json, "reference", row->reference);
    write_number(bench->json, "ratio", row->ratio);
    fprintf(bench->json, ",\"bound\":\"%s\"", bound);
    write_number(bench->json, "target", is_aimed ? goal->target : -1);
    write_number(bench->json, "twice", is_aimed ? twice(goal) : -1);
    fprintf(bench->json, ",\"verdict\":\"%s\"", verdict(goal, row));
    write_number(bench->json, "p10", row->low);
    fprintf(bench->json, ",\"rounds\":%zu}\n", row->rounds);
    fflush(bench->json);
}

static void report_row(struct bench *bench, const struct bench_goal *goal, const struct row *row)
{
    if (!bench->quiet)
        print_row(goal, row);
    write_row(bench, goal, row);
}

/* ---- reporting ------------------------------------------------------------------------------- */

void bench_report(struct bench *bench, const struct bench_goal *goal, struct bench_samples *samples)
{
    bool alone = samples->sides == 1;
    double ratios[BENCH_SIDES];
    double reference;

    for (size_t i = 0; i < samples->sides; i++) /* before the quantiles, which sort each side */
        ratios[i] = alone ? -1 : bench_ratio(samples, i, 0);
    reference = alone ? -1 : bench_quantile(samples->values[0], samples->rounds, 0.5);
    for (size_t i = 0; i < samples->sides; i++) {
        struct row row = {.side = samples->names[i],
                          .against = alone ? "" : samples->names[0],
                          .reference = reference,
                          .ratio = ratios[i],
                          .value = bench_quantile(samples->values[i], samples->rounds, 0.5),
                          .low = bench_quantile(samples->values[i], samples->rounds, 0.1),
                          .rounds = samples->rounds};

        report_row(bench, goal, &row);
    }
    bench_samples_clear(samples);
}

void bench_report_value(struct bench *bench, const struct bench_goal *goal, const char *side,
                        double reference, double value)
{
    struct row row = {.side = side,
                      .against = reference > 0 ? "reference" : "",
                      .reference = reference,
                      .ratio = reference > 0 ? value / reference : -1,
                      .value = value,
                      .low = -1,
                      .rounds = 1};

    report_row(bench, goal, &row);
}

/* Two empty lines end a block. */
void bench_write_quantiles(struct bench *bench, const char *file, bool is_first, const char *name,
                           double *samples, size_t count)
{
    static const double shares[] = {0,   0.01, 0.02, 0.05, 0.1,  0.2,  0.3,   0.4,   0.5,   0.6,
                                    0.7, 0.8,  0.9,  0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1};
    char path[1024];
    FILE *stream;

    (void)snprintf(path, sizeof path, "%s/%s.dat", bench->directory, file);
    stream = fopen(path, is_first ? "w" : "a");
    if (stream == NULL) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return;
    }
    fprintf(stream, "# %s\n", name);
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        fprintf(stream, "%g %.10g\n", shares[i], bench_quantile(samples, count, shares[i]));
    fprintf(stream, "\n\n");
    fclose(stream);
}
