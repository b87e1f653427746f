/* tests/sim/log.c -- the log of a seed, its digest, and what ends a run. */
#include "config.h"

#include "tests/sim/run.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct run_notes run_notes;

static void on_alarm(int number)
{
    static const char text[] = "\nFAULT: a call does not return\n";
    (void)number;
    ssize_t ignored = write(1, text, sizeof text - 1);
    (void)ignored;
    abort();
}

void run_prepare(const char *program)
{
    run_notes.program = program;
    run_notes.prints = getenv("POLLUX_LOG") != NULL;
    signal(SIGALRM, on_alarm);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

void run_begin(uint64_t seed)
{
    run_notes.seed = seed;
    run_notes.digest = UINT64_C(0xcbf29ce484222325);
    run_notes.lines = 0;
}

void run_fault(const char *format, ...)
{
    va_list arguments;
    printf("\nFAULT in seed %llu at %.6f s: ", (unsigned long long)run_notes.seed,
           (double)sim_now() / 1e9);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\nreplay: POLLUX_SEED=%llu POLLUX_LOG=1 %s\n", (unsigned long long)run_notes.seed,
           run_notes.program);
    exit(1);
}

void run_log(const char *format, ...)
{
    char line[600];
    va_list arguments;
    int length = snprintf(line, sizeof line, "%.6f ", (double)sim_now() / 1e9);
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    for (const char *c = line; *c != '\0'; c++) { /* FNV-1a */
        run_notes.digest = (run_notes.digest ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    run_notes.lines++;
    if (run_notes.prints) {
        puts(line);
    }
}
