/* tests/soak/meter.c -- what a process of the soak has and does. See meter.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/os/os.h"
#include "tests/counting.h"
#include "tests/soak/meter.h"
#include "tests/soak/soak.h"

/* ---- memory ---------------------------------------------------------------------------------- */

/* A line of /proc/self/status, in KiB. */
static size_t status_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[200];
    size_t found = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            found = strtoul(line + strlen(name), NULL, 10);
    if (file != NULL)
        fclose(file);
    return found;
}

size_t meter_peak_resident(void)
{
    return status_of("VmHWM:");
}

struct meter_sample meter_sample(void)
{
    return (struct meter_sample){count_blocks(), count_bytes(), status_of("VmRSS:"),
                                 count_descriptors()};
}

/* ---- work ------------------------------------------------------------------------------------ */

static struct meter_work work;

/* Of the running poll. */
static struct {
    size_t received, sent, accepted, receives, sends, handlers;
    bool runs, in_handler;
} now;

ptrdiff_t __real_plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t __wrap_plx__os_receive(plx__fd descriptor, void *data, size_t size);
ptrdiff_t __real_plx__os_send(plx__fd descriptor, const void *data, size_t size);
ptrdiff_t __wrap_plx__os_send(plx__fd descriptor, const void *data, size_t size);
plx__fd __real_plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name);
plx__fd __wrap_plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name);

ptrdiff_t __wrap_plx__os_receive(plx__fd descriptor, void *data, size_t size)
{
    ptrdiff_t count = __real_plx__os_receive(descriptor, data, size);

    if (!now.in_handler) {
        now.receives++;
        now.received += count > 0 ? (size_t)count : 0;
    }
    return count;
}

ptrdiff_t __wrap_plx__os_send(plx__fd descriptor, const void *data, size_t size)
{
    ptrdiff_t count = __real_plx__os_send(descriptor, data, size);

    if (!now.in_handler) {
        now.sends++;
        now.sent += count > 0 ? (size_t)count : 0;
    }
    return count;
}

plx__fd __wrap_plx__os_accept(plx__fd descriptor, struct plx__sockaddr *ret_name)
{
    now.accepted++;
    return __real_plx__os_accept(descriptor, ret_name);
}

void meter_enter(void)
{
    now.handlers++;
    now.in_handler = true;
}

void meter_leave(void)
{
    now.in_handler = false;
}

static void expect_at_most(const char *what, size_t done, size_t limit)
{
    if (done > limit) {
        fprintf(stderr, "soak %s: a poll did %zu %s; its budget allows %zu\n", soak_name, done,
                what, limit);
        exit(EXIT_FAILURE);
    }
}

/* A closing socket, which drops what arrives, may exceed the budget by one piece. Each call costs
 * something, so their number is limited as well. */
static void judge(void)
{
    expect_at_most("bytes received", now.received, METER_BUDGET + METER_PIECE);
    expect_at_most("bytes sent", now.sent, METER_BUDGET);
    expect_at_most("accepts", now.accepted, METER_BUDGET / METER_CALL_PRICE + SOAK_SERVERS);
    expect_at_most("receives", now.receives, METER_BUDGET / METER_CALL_PRICE + 1);
    expect_at_most("sends", now.sends, METER_BUDGET / METER_CALL_PRICE + 1);
}

#define NOTE_MOST(member, value)                                                                   \
    (work.most.member = (value) > work.most.member ? (value) : work.most.member)

static void note(int64_t thread_ns)
{
    work.polls++;
    work.received += now.received;
    work.sent += now.sent;
    work.accepted += now.accepted;
    work.calls += now.receives + now.sends + now.accepted;
    NOTE_MOST(received, now.received);
    NOTE_MOST(sent, now.sent);
    NOTE_MOST(accepted, now.accepted);
    NOTE_MOST(calls, now.receives + now.sends + now.accepted);
    NOTE_MOST(handlers, now.handlers);
    NOTE_MOST(thread_ns, thread_ns);
}

static int64_t thread_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

bool meter_poll(plx_group *group, int timeout_ms)
{
    int64_t begin = thread_ns();
    bool more;

    memset(&now, 0, sizeof now);
    more = plx_group_poll(group, timeout_ms);
    note(thread_ns() - begin);
    judge();
    return more;
}

const struct meter_work *meter_work(void)
{
    return &work;
}
