/* tests/sim/sim.h -- a kernel in memory, which stands in the place of lib/os.
 *
 * The functions of lib/os/os.h, clock.h and interface.h are implemented a second time here: TCP,
 * UDP and Unix sockets, files, locks and the clock, for one process with one thread. The clock is
 * the kernel's own: each call takes a microsecond, and a poll that sleeps moves it to the next
 * moment at which something happens. Nothing else moves it, so that an hour passes at once.
 *
 * A seed decides everything that a program cannot know: latency, loss, short counts and failures.
 * The same seed and the same calls give the same results. Seed 0 is a loopback device without
 * latency and without failures. */
#ifndef POLLUX_TESTS_SIM_SIM_H
#define POLLUX_TESTS_SIM_SIM_H

#include "lib/os/fd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel may do to a program that did nothing wrong. */
enum sim_fault {
    SIM_AGAIN,       /* EAGAIN of a send although the descriptor was ready: no memory */
    SIM_SHORT,       /* fewer bytes than there are, or than fit */
    SIM_INTR,        /* EINTR: a signal ended a sleep */
    SIM_MFILE,       /* EMFILE */
    SIM_NFILE,       /* ENFILE */
    SIM_NOBUFS,      /* ENOBUFS */
    SIM_NOMEM,       /* ENOMEM */
    SIM_PERM,        /* EPERM: a firewall forbids it */
    SIM_ABORTED,     /* a connection ends while it waits in a listener's queue */
    SIM_UNREACHABLE, /* EHOSTUNREACH, ENETUNREACH for a connection attempt */
    SIM_RESET,       /* a connection is reset from outside */
    SIM_SILENT,      /* a SYN is lost, once or for good */
    SIM_STALL,       /* a connection moves no byte for up to two minutes */
    SIM_LOST,        /* a datagram is lost */
    SIM_DOUBLED,     /* a datagram arrives twice */
    SIM_LATE,        /* a datagram arrives after later ones */
    SIM_CUT_SEGMENT, /* bytes arrive in small pieces */
    SIM_SPURIOUS,    /* poll reports a readable descriptor, and a receive or accept finds nothing */
    SIM_FAULTS
};

/* sim_begin makes a new kernel, sim_end frees it. sim_calm stops new faults from now on: latency
 * stays. sim_spare stops those of calls, but not those of the network, while it is on, and returns
 * whether it was on. sim_set_rate sets how often of 10 000 times a fault happens. */
void sim_begin(uint64_t seed);
void sim_end(void);
void sim_calm(void);
bool sim_spare(bool on);
void sim_set_rate(enum sim_fault fault, unsigned of_10000);

/* sim_chance returns a number below `count`, for other deciders that want to be replayed too. */
uint64_t sim_chance(uint64_t count);

uint64_t sim_now(void); /* nanoseconds, without spending any */
/* sim_next returns the moment of the kernel's next event, 0: none. sim_advance moves the clock. */
uint64_t sim_next(void);
void sim_advance(uint64_t moment);

/* sim_set_idle has `run` called before a poll moves the clock: it lets others go on and returns
 * the next moment at which they have to, 0 for never; at most the present: look again. */
void sim_set_idle(uint64_t (*run)(void *user), void *user);

/* sim_set_limit sets how many descriptors may be open (RLIMIT_NOFILE). */
void sim_set_limit(int count);
int sim_open_descriptors(void); /* also those in flight between two sockets */
int sim_descriptors_of_table(void);
void sim_list_descriptors(void); /* prints those that are open */

/* sim_set_file makes a file with contents; sim_set_variable is setenv(3). */
void sim_set_file(const char *path, const char *contents);
void sim_set_variable(const char *name, const char *value);

struct sim_counts {
    uint64_t calls, events, sockets, connections, bytes, datagrams, descriptors_passed,
        leaked_in_flight;
    uint64_t faults[SIM_FAULTS];
};
const struct sim_counts *sim_counts(void);
const char *sim_fault_name(enum sim_fault fault);

#endif
