/* tests/fail/guests.c -- the scenario of the members of a group that are no sockets. */
#include "config.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/fail/bodies.h"

struct guests {
    plx_timer *timer;
    plx_watch *watch;
    plx_lookup *lookup;
    int descriptor; /* readable from the beginning */
    int rung, seen, found;
};

static void on_time(plx_timer *timer, void *user)
{
    (void)timer;
    ((struct guests *)user)->rung++;
}

static void on_ready(plx_watch *watch, unsigned ready, void *user)
{
    ck_assert_uint_eq(ready, PLX_WANT_READ);
    ck_assert_int_eq(plx_watch_set(watch, PLX_WANT_NOTHING), 0);
    ((struct guests *)user)->seen++;
}

static void on_found(plx_lookup *lookup, void *user)
{
    (void)lookup;
    ((struct guests *)user)->found++;
}

static void play_guests(struct play *p, struct guests *guests)
{
    plx_group *group;

    STEP(p, play_open_group(p, 0));
    group = p->groups[0];
    guests->timer = plx_timer_new(on_time, guests);
    if (guests->timer == NULL)
        STEP(p, play_miss(p, "a timer"));
    guests->watch = plx_watch_new(guests->descriptor, on_ready, guests);
    if (guests->watch == NULL)
        STEP(p, play_miss(p, "a watch"));
    guests->lookup = plx_lookup_new("localhost", 2, on_found, guests); /* asks no name server */
    if (guests->lookup == NULL)
        STEP(p, play_miss(p, "a lookup"));
    HOLDS(p, plx_timer_set(guests->timer, 1, true) == 0);
    HOLDS(p, plx_watch_set(guests->watch, PLX_WANT_READ) == 0);
    HOLDS(p, plx_group_add_timer(group, guests->timer) == 0);
    if (!play_try_group(p, plx_group_add_watch(group, guests->watch), "plx_group_add_watch") ||
        !play_try_group(p, plx_group_add_lookup(group, guests->lookup), "plx_group_add_lookup"))
        return;
    AWAIT(p, guests->rung > 2 && guests->seen > 0 && guests->found > 0);
    HOLDS(p, guests->seen == 1 && guests->found == 1);
    play_try_group(p, plx_lookup_error(guests->lookup)->code, "plx_lookup_error");
}

/* A timer, a watch and a lookup in one group. */
void run_guests(struct play *p)
{
    struct guests guests = {.descriptor = eventfd(1, EFD_CLOEXEC)};

    play_guests(p, &guests);
    plx_timer_free(guests.timer);
    plx_watch_free(guests.watch);
    plx_lookup_free(guests.lookup);
    close(guests.descriptor);
}
