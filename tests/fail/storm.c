/* tests/fail/storm.c -- the conformance suite while the kernel interrupts calls and pollers fail:
 * no result changes.
 *
 * A fifth of the calls fail. Each case begins the same storm, which POLLUX_SEED in the environment
 * chooses. The cases run for packets with epoll, with POLLUX_TEST_WORLDS=all for IPC of all kinds
 * with epoll (poll(2) in a build without it), and with POLLUX_FAIL=all, as in `make fail`, in all
 * worlds. */
#include "config.h"

#include <stdlib.h>

#include "tests/fail/calls.h"
#include "tests/world.h"

enum { CHANCE = 200 }; /* in a thousand */

#ifdef HAVE_SYS_EPOLL_H
#define MECHANISM "epoll"
#else
#define MECHANISM "poll"
#endif

static unsigned long long seed;

/* The cases are processes that begin with the state of this one. */
__attribute__((constructor)) static void begin(void)
{
    const char *choice = getenv("POLLUX_SEED");

    seed = choice == NULL ? 1 : strtoull(choice, NULL, 0);
    setenv("POLLUX_TEST_WORLDS", "seqpacket/" MECHANISM, 0);
    if (strcmp(getenv("POLLUX_TEST_WORLDS"), "all") == 0 && getenv("POLLUX_FAIL") == NULL)
        setenv("POLLUX_TEST_WORLDS", "ipc/" MECHANISM, 1);
    calls_storm(seed, CHANCE, false);
}

PLAIN_CASE(how_much_has_failed)
{
    if (!calls_are_ours()) {
        fprintf(stderr, "SKIP: no shared library, so no call of the library can be made to fail\n");
        return;
    }
    printf("# seed %llu, %ld calls failed, no result changed\n", seed, calls_stormed());
    ck_assert_int_gt(calls_stormed(), 0);
}
