/* tests/test-system-resolver.c -- lookups by the C library: what they find, how they fail, what
 * their threads hold and for how long.
 *
 * The linker puts functions of this file in the place of getaddrinfo, pthread_create and malloc
 * (--wrap). For a name that ends in ".test" the stand-in for getaddrinfo answers by itself, at once or
 * when the case allows it; any other name goes to the C library. ThreadSanitizer and valgrind look
 * at the rest (.ci/run thread). */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/asker.h"
#include "tests/clocks.h"
#include "tests/idle-frames.h"
#include "tests/netns.h"
#include "tests/scarce.h"

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

/* ---- the C library --------------------------------------------------------------------------- */

/* What the case has set, and what the threads have seen. */
static struct {
    atomic_bool hangs;  /* "hung.test" is not answered yet */
    atomic_int started; /* calls of getaddrinfo */
    atomic_int family;  /* of the last one */
    atomic_bool may_handle_signals;
    atomic_size_t stack;  /* of the last thread */
    int thread_errors[2]; /* of the next calls of pthread_create; 0: none */
    bool no_memory;       /* malloc fails in the main thread */
} c_library;

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list);
int __real_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static void look_at_thread(void)
{
    pthread_attr_t attributes;
    sigset_t blocked;
    size_t stack = 0;

    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP && !sigismember(&blocked, number))
            c_library.may_handle_signals = true;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &stack);
        pthread_attr_destroy(&attributes);
    }
    c_library.stack = stack;
}

/* The addresses that a numeric host has in the C library's own form. */
static int answer_numeric(const char *numeric, const struct addrinfo *hints,
                          struct addrinfo **ret_list)
{
    struct addrinfo numeric_hints = *hints;

    numeric_hints.ai_flags |= AI_NUMERICHOST;
    return __real_getaddrinfo(numeric, NULL, &numeric_hints, ret_list);
}

/* ::1, then 127.0.0.1, then 127.0.0.2, which is not the order of hosts files. */
static int answer_both(const struct addrinfo *hints, struct addrinfo **ret_list)
{
    static const char *const numerics[] = {"::1", "127.0.0.1", "127.0.0.2"};
    struct addrinfo **end = ret_list;

    for (int i = 0; i < 3; i++)
        if (answer_numeric(numerics[i], hints, end) == 0)
            end = &(*end)->ai_next;
    return end == ret_list ? EAI_NONAME : 0;
}

static int answer(const char *host, const struct addrinfo *hints, struct addrinfo **ret_list)
{
    int microseconds;

    while (strcmp(host, "hung.test") == 0 && c_library.hangs)
        usleep(500);
    if (sscanf(host, "after%d.test", &microseconds) == 1)
        usleep((useconds_t)microseconds);
    if (strcmp(host, "again.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "fail.test") == 0)
        return EAI_FAIL;
    if (strcmp(host, "family.test") == 0)
        return EAI_FAMILY;
    if (strcmp(host, "memory.test") == 0)
        return EAI_MEMORY;
    errno = strcmp(host, "files.test") == 0 ? EMFILE : strcmp(host, "nothing.test") == 0 ? 0 : EIO;
    if (errno != EIO || strcmp(host, "broken.test") == 0)
        return EAI_SYSTEM;
    if (strcmp(host, "none.test") == 0)
        return EAI_NONAME;
    if (strncmp(host, "lacks-", 6) == 0) {
        errno = strcmp(host, "lacks-memory.test") == 0 ? ENOMEM : EMFILE;
        return EAI_NONAME;
    }
    return strcmp(host, "both.test") == 0 ? answer_both(hints, ret_list)
                                          : answer_numeric("127.0.0.1", hints, ret_list);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list)
{
    size_t length = strlen(host);

    c_library.started++;
    c_library.family = hints->ai_family;
    look_at_thread();
    if (length < 5 || strcmp(host + length - 5, ".test") != 0)
        return __real_getaddrinfo(host, service, hints, ret_list);
    return answer(host, hints, ret_list);
}

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument)
{
    int error = c_library.thread_errors[0];

    c_library.thread_errors[0] = c_library.thread_errors[1];
    c_library.thread_errors[1] = 0;
    return error != 0 ? error : __real_pthread_create(ret_thread, attributes, run, argument);
}

/* A thread of a lookup reads `no_memory` only while no lookup is begun: the library allocates
 * nothing in a thread. */
void *__wrap_malloc(size_t size)
{
    return c_library.no_memory ? NULL : __real_malloc(size);
}

/* ---- worlds ---------------------------------------------------------------------------------- */

static int threads_before;

static int count_threads(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");

    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void *do_nothing(void *argument)
{
    return argument;
}

static void begin_by_system(struct world *world, int index)
{
    pthread_t first;

    world_begin_plain(world, (enum mode)index);
    /* ThreadSanitizer has a thread of its own from the first one on. */
    ck_assert_int_eq(__real_pthread_create(&first, NULL, do_nothing, NULL), 0);
    ck_assert_int_eq(pthread_join(first, NULL), 0);
    for (int round = 0; count_threads() > 1 + UNDER_TSAN && round < 100; round++)
        usleep(1000); /* the kernel removes it later than the join returns */
    threads_before = count_threads();
    ck_assert_int_eq(plx_resolver_set("system"), 0);
}

/* Waits until each thread is gone, with all that it held. */
static void expect_no_thread(struct world *w)
{
    UNTIL(w, count_threads() == threads_before);
}

/* SYSTEM_CASE is a MODE_CASE whose lookups the C library makes, and whose threads have ended before
 * the world counts its descriptors. */
#define SYSTEM_CASE(name)                                                                          \
    static void name##_threaded(struct world *w);                                                  \
    WORLD_CASE(name, begin_by_system(&world_, _i), world_modes(), NULL)                            \
    {                                                                                              \
        name##_threaded(w);                                                                        \
        expect_no_thread(w);                                                                       \
    }                                                                                              \
    static void name##_threaded(struct world *w)

static void on_finished(plx_lookup *lookup, void *user)
{
    int *count = user;

    (void)lookup;
    ++*count;
}

static plx_lookup *begin(struct world *w, const char *host, int protocol, int *ret_count)
{
    plx_lookup *lookup = plx_lookup_new(host, protocol, on_finished, ret_count);

    ck_assert_ptr_nonnull(lookup);
    *ret_count = 0;
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add_lookup(w->group, lookup), 0);
    return lookup;
}

/* Polls the lookup alone, or its group. */
static bool turn(struct world *w, plx_lookup *lookup, const int *count)
{
    if (w->group == NULL)
        plx_lookup_poll(lookup);
    return *count > 0;
}

static void expect_addresses(plx_lookup *lookup, const char *wanted)
{
    size_t count;
    const plx_address *addresses = plx_lookup_addresses(lookup, &count);
    char text[500] = "", one[64];

    for (size_t i = 0; i < count; i++) {
        plx_address_format(&addresses[i], one, sizeof one);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", one);
    }
    ck_assert_msg(strcmp(text, wanted) == 0, "\"%s\", not \"%s\": %s", text, wanted,
                  plx_lookup_error(lookup)->message);
}

static void finds(struct world *w, const char *host, int protocol, const char *wanted)
{
    int count;
    plx_lookup *lookup = begin(w, host, protocol, &count);

    UNTIL(w, turn(w, lookup, &count));
    expect_addresses(lookup, wanted);
    world_settle(w);
    ck_assert(!plx_lookup_poll(lookup));
    ck_assert_int_eq(count, 1);
    plx_lookup_free(lookup);
}

static void expect_error(plx_lookup *lookup, int code, plx_reason reason, int os_error,
                         const char *words)
{
    const plx_error *error = plx_lookup_error(lookup);

    ck_assert_msg(error->code == code && error->reason == reason && error->os_error == os_error &&
                      strstr(error->message, words) != NULL,
                  "code %d, reason %s, os_error %d: %s", error->code,
                  plx_reason_name(error->reason), error->os_error, error->message);
    expect_addresses(lookup, "");
}

static void fails(struct world *w, const char *host, int code, plx_reason reason, int os_error,
                  const char *words)
{
    int count;
    plx_lookup *lookup = begin(w, host, 2, &count);

    UNTIL(w, turn(w, lookup, &count));
    expect_error(lookup, code, reason, os_error, words);
    plx_lookup_free(lookup);
}

/* ---- the choice ------------------------------------------------------------------------------ */

PLAIN_CASE(names_of_resolvers)
{
#ifdef HAVE_CARES
    ck_assert_int_eq(plx_resolver_set("ares"), 0);
#else
    ck_assert_int_eq(plx_resolver_set("ares"), ENOTSUP);
#endif
    ck_assert_int_eq(plx_resolver_set("system"), 0);
    ck_assert_int_eq(plx_resolver_set(""), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_resolver_set("c-ares"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_resolver_set("SYSTEM"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_resolver_set("system "), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_resolver_set(NULL), 0);
}

/* An unknown name leaves "system" chosen, and NULL restores the default, which asks the C library
 * only where there is nothing else. */
SYSTEM_CASE(the_choice_is_for_later_lookups)
{
    int count;
    plx_lookup *lookup;

    ck_assert_int_eq(plx_resolver_set("none"), PLX_INVALID_STATE);
    c_library.hangs = true;
    lookup = begin(w, "hung.test", 0, &count);
    UNTIL(w, c_library.started == 1);
    ck_assert_int_eq(plx_resolver_set(NULL), 0);
    c_library.hangs = false;
    UNTIL(w, turn(w, lookup, &count));
    expect_addresses(lookup, "127.0.0.1:0");
    plx_lookup_free(lookup);
#ifdef HAVE_CARES
    setenv("POLLUX_NAMESERVERS", "127.0.0.1:1", 1);
    fails(w, "a.test", PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, ECONNREFUSED, "a.test");
    ck_assert_int_eq(c_library.started, 1);
#endif
}

/* ---- what they find and how they fail -------------------------------------------------------- */

SYSTEM_CASE(addresses_in_the_order_of_the_c_library)
{
    finds(w, "both.test", 2, "[::1]:0 127.0.0.1:0 127.0.0.2:0");
    ck_assert_int_eq(c_library.family, AF_UNSPEC);
    finds(w, "both.test", 0, "127.0.0.1:0 127.0.0.2:0");
    ck_assert_int_eq(c_library.family, AF_INET);
    finds(w, "both.test", 1, "[::1]:0");
    ck_assert_int_eq(c_library.family, AF_INET6);
}

SYSTEM_CASE(the_ways_to_look_up)
{
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        asker_begin(w, &asker, (enum way)way, "here.test");
        UNTIL(w, asker_failed(&asker) || asker_reached(&asker));
        ck_assert_msg(!asker_failed(&asker), "%s: %s", way_name((enum way)way), asker.log.message);
        asker_begin(w, &asker, (enum way)way, "none.test");
        UNTIL(w, asker_failed(&asker));
        ck_assert_int_eq(asker.log.code, PLX_NAME_RESOLUTION);
        ck_assert_int_eq(asker.log.reason, PLX_REASON_HOST_NOT_FOUND);
    }
    ck_assert_int_eq(c_library.started, 2 * WAYS);
}

SYSTEM_CASE(failures)
{
    fails(w, "none.test", PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "has no address");
    fails(w, "again.test", PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "did not answer");
    fails(w, "fail.test", PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "EAI_FAIL");
    fails(w, "family.test", PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "EAI_FAIL");
    fails(w, "nothing.test", PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, 0, "EAI_FAIL");
    fails(w, "memory.test", PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, ENOMEM, "memory.test");
    fails(w, "files.test", PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EMFILE, "files.test");
    fails(w, "lacks-files.test", PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EMFILE, "lacks-files");
    fails(w, "lacks-memory.test", PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, ENOMEM,
          "lacks-memory");
    fails(w, "broken.test", PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, EIO, "broken.test");
}

SYSTEM_CASE(what_needs_no_thread)
{
    fails(w, "no name", PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "no host name has");
    fails(w, "0177.0.0.1", PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "IPv4");
    finds(w, "localhost", 0, "127.0.0.1:0");
    finds(w, "pc.localhost", 2, "127.0.0.1:0 [::1]:0");
    finds(w, "127.0.0.1", 0, "127.0.0.1:0");
    ck_assert_int_eq(c_library.started, 0);
}

/* ---- what is scarce -------------------------------------------------------------------------- */

SYSTEM_CASE(no_thread)
{
    c_library.thread_errors[0] = EAGAIN;
    fails(w, "here.test", PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EAGAIN, "pthread_create");
    c_library.thread_errors[0] = EPERM;
    fails(w, "here.test", PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EPERM, "pthread_create");
    ck_assert_int_eq(c_library.started, 0);
}

/* The program's thread-local variables may need more stack than the library asks for. */
SYSTEM_CASE(a_stack_that_is_too_small)
{
    c_library.thread_errors[0] = EINVAL;
    finds(w, "here.test", 0, "127.0.0.1:0");
    c_library.thread_errors[0] = c_library.thread_errors[1] = EINVAL;
    fails(w, "here.test", PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EINVAL, "pthread_create");
}

SYSTEM_CASE(no_memory)
{
    int count;
    plx_lookup *lookup;

    c_library.no_memory = true;
    lookup = plx_lookup_new("here.test", 2, on_finished, &count);
    c_library.no_memory = false;
    ck_assert_ptr_nonnull(lookup);
    count = 0;
    UNTIL(w, (plx_lookup_poll(lookup), count == 1));
    expect_error(lookup, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, ENOMEM, "here.test");
    plx_lookup_free(lookup);
    finds(w, "here.test", 0, "127.0.0.1:0");
}

SYSTEM_CASE(no_descriptor)
{
    int count;
    plx_lookup *lookup;

    take_descriptors();
    lookup = plx_lookup_new("here.test", 2, on_finished, &count);
    give_descriptors();
    ck_assert_ptr_nonnull(lookup);
    count = 0;
    UNTIL(w, (plx_lookup_poll(lookup), count == 1));
    expect_error(lookup, PLX_OPEN_DRIVER, PLX_REASON_SOCKET_RESOURCE, EMFILE, "here.test");
    plx_lookup_free(lookup);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* It is there while the lookup runs, takes no signals and little stack. */
SYSTEM_CASE(a_thread_for_a_lookup)
{
    int count;
    plx_lookup *lookup;

    c_library.hangs = true;
    ck_assert_int_eq(count_threads(), threads_before);
    lookup = begin(w, "hung.test", 0, &count);
    UNTIL(w, c_library.stack != 0);
    ck_assert_int_eq(count_threads(), threads_before + 1);
    ck_assert(!c_library.may_handle_signals);
    if (!SANITIZED && !UNDER_TSAN)
        ck_assert_uint_le(c_library.stack, 512 * 1024);
    world_settle(w);
    ck_assert(!turn(w, lookup, &count));
    c_library.hangs = false;
    UNTIL(w, turn(w, lookup, &count));
    expect_no_thread(w);
    plx_lookup_free(lookup);
}

SYSTEM_CASE(frames_while_a_lookup_runs)
{
    int count;
    plx_lookup *lookup;

    if (w->group == NULL)
        return;
    c_library.hangs = true;
    lookup = begin(w, "hung.test", 0, &count);
    UNTIL(w, c_library.started == 1);
    expect_idle_frames(w);
    c_library.hangs = false;
    UNTIL(w, turn(w, lookup, &count));
    plx_lookup_free(lookup);
}

/* The end of the thread ends a poll that sleeps. */
SYSTEM_CASE(the_answer_wakes)
{
    int count;
    plx_lookup *lookup = begin(w, "after50000.test", 0, &count);
    long long before = now_ms();

    if (w->group == NULL)
        ck_assert(plx_lookup_wait(lookup, 20000));
    for (int i = 0; w->group != NULL && count == 0 && i < 20; i++)
        plx_group_poll(w->group, 20000);
    ck_assert_int_eq(count, 1);
    ck_assert_int_lt(now_ms() - before, 10000);
    expect_addresses(lookup, "127.0.0.1:0");
    plx_lookup_free(lookup);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static uint64_t time_now;

static uint64_t read_time(void *user)
{
    (void)user;
    return time_now;
}

SYSTEM_CASE(the_limit_of_a_lookup)
{
    int count;
    plx_lookup *lookup;

    time_now = 1000000000;
    plx_clock_set(read_time, NULL);
    c_library.hangs = true;
    lookup = begin(w, "hung.test", 2, &count);
    time_now += 29 * (uint64_t)1000000000;
    world_settle(w);
    ck_assert(!turn(w, lookup, &count));
    time_now += 2 * (uint64_t)1000000000;
    UNTIL(w, turn(w, lookup, &count));
    expect_error(lookup, PLX_NAME_RESOLUTION, PLX_REASON_SOCKET_TIMEOUT, ETIMEDOUT, "hung.test");
    plx_clock_set(NULL, NULL);
    ck_assert_int_eq(count_threads(), threads_before + 1);
    c_library.hangs = false;
    plx_lookup_free(lookup);
}

SYSTEM_CASE(the_limits_of_waits_and_connects)
{
    int count;
    long long before = now_ms();
    struct asker asker;
    plx_lookup *lookup;

    c_library.hangs = true;
    lookup = begin(w, "hung.test", 2, &count);
    ck_assert(!plx_lookup_wait(lookup, 50));
    ck_assert_int_ge(now_ms() - before, 49);
    plx_lookup_free(lookup);
    asker_prepare(w, &asker, WAY_TCP);
    ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_CONNECT_TIMEOUT, 50), 0);
    asker_ask(&asker, "hung.test");
    UNTIL(w, asker_failed(&asker));
    ck_assert_int_eq(asker.log.os_error, ETIMEDOUT);
    ck_assert_int_lt(now_ms() - before, 10000);
    ck_assert_int_eq(count_threads(), threads_before + 2);
    c_library.hangs = false;
}

/* ---- cancelled ------------------------------------------------------------------------------- */

/* The descriptors of these lookups are given back at once. */
SYSTEM_CASE(freed_while_it_hangs)
{
    int counts[WORLD_SOCKETS], before = count_descriptors();
    struct asker askers[WAYS];

    c_library.hangs = true;
    for (int i = 0; i < 10; i++)
        plx_lookup_free(begin(w, "hung.test", 2, &counts[i]));
    for (int way = 0; way < WAYS; way++) {
        asker_begin(w, &askers[way], (enum way)way, "hung.test");
        world_turn(w, 0);
        world_free(w, askers[way].socket);
    }
    world_settle(w);
    ck_assert_int_eq(count_descriptors(), before + WAYS); /* the raw peers */
    ck_assert_int_eq(count_threads(), threads_before + 10 + WAYS);
    c_library.hangs = false;
    expect_no_thread(w);
    ck_assert_int_eq(count_descriptors(), before + WAYS);
}

enum { CANCELLED = 200, AT_ONCE = 8, LONGEST = 3000 };

/* Up to eight run at once; each is freed at a random moment, before its answer, in its very moment or
 * after it. */
SYSTEM_CASE(two_hundred_cancelled_at_random_moments)
{
    plx_lookup *running[AT_ONCE] = {NULL};
    int counts[AT_ONCE], finished = 0;
    unsigned seed = (unsigned)w->mode + 1;
    char host[32];

    for (int i = 0; i < CANCELLED + AT_ONCE; i++) {
        int place = i < CANCELLED ? rand_r(&seed) % AT_ONCE : i - CANCELLED;

        if (running[place] != NULL) {
            finished += counts[place];
            running[place] = plx_lookup_free(running[place]);
        }
        if (i >= CANCELLED)
            continue;
        snprintf(host, sizeof host, "after%d.test", rand_r(&seed) % LONGEST);
        running[place] = begin(w, host, 2, &counts[place]);
        usleep((useconds_t)(rand_r(&seed) % (LONGEST / 4)));
        for (int at = 0; at < AT_ONCE; at++)
            if (running[at] != NULL)
                turn(w, running[at], &counts[at]);
        world_poll(w);
    }
    UNTIL(w, c_library.started == CANCELLED);
    expect_no_thread(w);
    ck_assert_int_lt(finished, CANCELLED);
}

/* ---- fork ------------------------------------------------------------------------------------ */

struct forked {
    struct world *w;
    plx_lookup *lookup;
    int *count;
};

/* The child may only free; its polls of a lookup fail, and those of its own work. */
static void in_child(void *argument)
{
    struct forked *forked = argument;
    struct world *w = forked->w;
    plx_lookup *lookup;
    int count = 0, before = count_descriptors();

    alarm(20);
    for (int i = 0; w->group == NULL && *forked->count == 0; i++)
        plx_lookup_poll(forked->lookup);
    if (w->group == NULL)
        expect_error(forked->lookup, PLX_NAME_RESOLUTION, PLX_REASON_OPERATION, 0, "forked");
    plx_lookup_free(forked->lookup);
    if (w->mode != MODE_URING)
        ck_assert_int_eq(count_descriptors(), before - 1);
    if (UNDER_TSAN)
        return; /* it allows no threads in a child of a process with threads */
    lookup = plx_lookup_new("here.test", 0, on_finished, &count);
    ck_assert(plx_lookup_wait(lookup, 20000));
    ck_assert_int_eq(count, 1);
    expect_addresses(lookup, "127.0.0.1:0");
    plx_lookup_free(lookup);
}

SYSTEM_CASE(forked_while_a_lookup_runs)
{
    int count;
    struct forked forked = {.w = w, .count = &count};

    c_library.hangs = true;
    forked.lookup = begin(w, "hung.test", 0, &count);
    UNTIL(w, c_library.started == 1);
    ck_assert_int_eq(status_of(in_child, &forked), 0);
    world_settle(w);
    ck_assert(!turn(w, forked.lookup, &count));
    c_library.hangs = false;
    UNTIL(w, turn(w, forked.lookup, &count));
    expect_addresses(forked.lookup, "127.0.0.1:0");
    plx_lookup_free(forked.lookup);
}

static void frees_only(void *argument)
{
    alarm(20);
    for (plx_lookup **lookup = argument; *lookup != NULL; lookup++)
        plx_lookup_free(*lookup);
}

/* Forks at random moments of the threads: whatever their memory was like, freeing works. */
SYSTEM_CASE(forked_at_random_moments)
{
    enum { ROUNDS_OF_FORKS = 20, RUNNING = 5 };
    unsigned seed = 1;
    char host[32];

    for (int round = 0; round < ROUNDS_OF_FORKS; round++) {
        plx_lookup *lookups[RUNNING + 1] = {NULL};
        int counts[RUNNING];

        for (int i = 0; i < RUNNING; i++) {
            snprintf(host, sizeof host, "after%d.test", rand_r(&seed) % LONGEST);
            lookups[i] = begin(w, host, 0, &counts[i]);
        }
        usleep((useconds_t)(rand_r(&seed) % LONGEST));
        ck_assert_int_eq(status_of(frees_only, lookups), 0);
        for (int i = 0; i < RUNNING; i++) {
            UNTIL(w, turn(w, lookups[i], &counts[i]));
            expect_addresses(lookups[i], "127.0.0.1:0");
            plx_lookup_free(lookups[i]);
        }
    }
}

/* ---- the real one ---------------------------------------------------------------------------- */

static bool enter_names(const char *what)
{
    if (!netns_enter(what))
        return false;
    if (!netns_try("test -e /etc/nsswitch.conf")) {
        fprintf(stderr, "SKIP: %s: no /etc/nsswitch.conf\n", what);
        return false;
    }
    netns_file("/etc/hosts", "127.0.0.9 printer.local\n::9 printer.local\n");
    netns_file("/etc/nsswitch.conf", "hosts: files dns\n");
    netns_file("/etc/resolv.conf",
               "nameserver 127.0.0.1\nsearch lan\noptions timeout:1 attempts:1\n");
    return true;
}

SYSTEM_CASE(what_the_c_library_finds)
{
    struct nameserver server;

    if (!enter_names("names by the C library"))
        return;
    nameserver_begin_at(&server, 53);
    server.ipv4 = ADDRESSES("127.0.0.7");
    server.ipv6.says = SAYS_NO_DATA;
    nameserver_start(&server);
    threads_before++;
    finds(w, "printer.local", 0, "127.0.0.9:0");
    finds(w, "shed.lan", 2, "127.0.0.7:0");
    finds(w, "shed", 0, "127.0.0.7:0");
    nameserver_stop(&server);
    nameserver_says(&server, SAYS_NO_SUCH_NAME);
    nameserver_start(&server);
    fails(w, "gone.lan", PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0, "has no address");
    nameserver_stop(&server);
    nameserver_says(&server, SAYS_FAILED);
    nameserver_start(&server);
    fails(w, "ill.lan.", PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "failed");
    nameserver_stop(&server);
    threads_before--;
    nameserver_end(&server);
}

/* Nobody is at the port of the server. */
SYSTEM_CASE(no_name_server)
{
    if (!enter_names("the C library without a name server"))
        return;
    fails(w, "shed.lan", PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, 0, "did not answer");
}

WORLD_MAIN("system-resolver", .kind = "tcp")
