/* tests/model/ground.c -- the time and the descriptors of the real kernel. */
#include "config.h"

#include "tests/counting.h"
#include "tests/model/ground.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

bool ground_begin(const struct program *program)
{
    (void)program;
    return false;
}

bool ground_cuts(void)
{
    return false;
}

bool ground_has_refused(void)
{
    return false;
}

bool ground_is_simulated(void)
{
    return false;
}

uint64_t ground_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void ground_pause(int microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000L};

    nanosleep(&time, NULL);
}

/* A busy machine delays a wait, but not by seconds. */
int ground_tolerance(void)
{
    return 5000;
}

/* The loopback device has delivered before a call returns; what else there is, nobody knows. */
bool ground_is_busy(void)
{
    return false;
}

/* Time passes by itself. */
void ground_pass(struct chance *chance)
{
    (void)chance;
}

/* This kernel fails no call by chance. */
void ground_spare(bool on)
{
    (void)on;
}

void ground_calm(void)
{
}

int ground_descriptors(void)
{
    return count_descriptors();
}

static struct rlimit usual;

/* The limit becomes the number that the next descriptor would get. */
void ground_starve(void)
{
    struct rlimit few;
    int next;

    if (usual.rlim_max != 0 || (next = dup(0)) < 0)
        return;
    close(next);
    getrlimit(RLIMIT_NOFILE, &usual);
    few = (struct rlimit){(rlim_t)next, usual.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
}

void ground_feed(void)
{
    if (usual.rlim_max != 0)
        setrlimit(RLIMIT_NOFILE, &usual);
    usual.rlim_max = 0;
}

/* ---- another thread -------------------------------------------------------------------------- */

static struct {
    pthread_t thread;
    bool runs;
    plx_group *group;
    int microseconds;
} waker;

static void *wake(void *user)
{
    (void)user;
    ground_pause(waker.microseconds);
    plx_group_wake(waker.group);
    return NULL;
}

void ground_wake_soon(plx_group *group, int microseconds)
{
    waker.group = group;
    waker.microseconds = microseconds;
    waker.runs = pthread_create(&waker.thread, NULL, wake, NULL) == 0;
    if (!waker.runs)
        plx_group_wake(group);
}

void ground_wake_over(void)
{
    if (waker.runs)
        pthread_join(waker.thread, NULL);
    waker.runs = false;
}

int ground_ready(plx_handle descriptor)
{
    struct pollfd one = {.fd = descriptor, .events = POLLIN | POLLOUT | POLLRDHUP};

    if (descriptor < 0 || poll(&one, 1, 0) < 1)
        return 0;
    return (one.revents & POLLIN ? GROUND_READABLE : 0) |
           (one.revents & POLLOUT ? GROUND_WRITABLE : 0) |
           (one.revents & (POLLHUP | POLLERR) ? GROUND_ENDED : 0) |
           (one.revents & POLLRDHUP ? GROUND_PEER_ENDED : 0);
}

bool ground_is_exact(void)
{
    return true;
}

bool ground_mechanism(const char *name)
{
    plx_group *group;
    bool is_here;

    setenv("POLLUX_POLLER", name, 1);
    group = plx_group_new();
    is_here = group != NULL;
    plx_group_free(group);
    return is_here;
}

void ground_set_variable(const char *name, const char *value)
{
    setenv(name, value, 1);
}

void ground_counts(uint64_t *ret_nanoseconds, uint64_t *ret_faults)
{
    *ret_nanoseconds = *ret_faults = 0;
}
