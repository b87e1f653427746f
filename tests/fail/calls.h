/* tests/fail/calls.h -- the system calls of the library, which a player makes fail.
 *
 * A program that links calls.c and the shared library stands between the library and the C library:
 * calls.c defines recv, send and so on, and passes each call on unless it was made by the library
 * (the return address is in libpollux) and has to fail. Calls of tests and of other libraries never
 * fail. io_uring's calls are those of liburing. */
#ifndef POLLUX_TESTS_FAIL_CALLS_H
#define POLLUX_TESTS_FAIL_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* calls_are_ours returns whether calls of the library can be distinguished from others: not where
 * it is linked statically. */
bool calls_are_ours(void);

/* calls_fail makes the call of that number, from now on, fail with one of the errnos that its man
 * page names; then also the next calls of the same function, `length` in all. calls_stop ends
 * that. */
void calls_fail(int number, int choice, int length);
void calls_stop(void);

/* What has failed since calls_fail: its function, NULL: none, because there were fewer calls; the
 * errno, 0: none, because the function has fewer; and whether the library has to go on as if
 * nothing had failed. */
struct failed_call {
    const char *name;
    int error;
    bool is_soft;
    int count; /* calls that failed */
};
struct failed_call calls_failed(void);

/* calls_storm makes calls fail with that chance in a thousand, drawn from the seed, but only with
 * errnos that lose nothing. A gentle storm changes no result: EINTR, a poller that fails. In a
 * rough one a send has EAGAIN and ENOBUFS too, or takes a part, so that bytes leave later. */
void calls_storm(uint64_t seed, int chance, bool rough);
long calls_stormed(void); /* how many have failed since, in this process and its children */

#endif
