/* tests/model/trace.h -- the last calls and events of the program that runs, and its first
 * fault. */
#ifndef POLLUX_TESTS_MODEL_TRACE_H
#define POLLUX_TESTS_MODEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum { TRACE_LINE = 160, TRACE_LINES = 256 };

/* What a player writes and its watchdog reads, in memory that both processes share. */
struct page {
    uint64_t seed;
    unsigned long beat; /* grows with each line */
    unsigned next;      /* of `lines`, which are a ring */
    char lines[TRACE_LINES][TRACE_LINE];
    char fault[2 * TRACE_LINE]; /* of this program; "": none */
    uint64_t digest, log;       /* of the lines of this program, and of all programs */
    long programs, faults, calls, events, refused;
    uint64_t simulated, played; /* nanoseconds and faults of the simulated kernel */
};

/* trace_begin begins a program; NULL for `page` keeps the page that was set. */
void trace_begin(struct page *page, uint64_t seed);
struct page *trace_page(void);

/* trace writes a line, under the calls that it happened in (trace_in, trace_out). */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void trace(const char *format, ...);
void trace_in(void);
void trace_out(void);
int trace_depth(void);

/* fault records what contradicts the model; the first one of a program counts. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
void fault(const char *format, ...);
bool fault_found(void);

void trace_print(const struct page *page);

#endif
