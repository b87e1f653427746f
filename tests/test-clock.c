/* tests/test-clock.c -- the time: it never runs back, and a user's clock replaces it entirely. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "lib/os/clock.h"
#include "tests/suite.h"

static uint64_t read_user_clock(void *user)
{
    return *(uint64_t *)user;
}

static void teardown(void)
{
    plx_clock_set(NULL, NULL);
}

PLAIN_CASE(it_never_runs_back)
{
    uint64_t last = plx__clock_now();
    uint64_t last_coarse = plx__clock_coarse();
    for (int i = 0; i < 100000; i++) {
        uint64_t now = plx__clock_now();
        uint64_t coarse = plx__clock_coarse();
        ck_assert_uint_ge(now, last);
        ck_assert_uint_ge(coarse, last_coarse);
        last = now;
        last_coarse = coarse;
    }
}

PLAIN_CASE(the_coarse_clock_is_behind_by_little)
{
    for (int i = 0; i < 1000; i++) {
        uint64_t before = plx__clock_coarse();
        uint64_t now = plx__clock_now();
        ck_assert_uint_le(before, now);
        ck_assert_uint_lt(now - before, 1000000000u);
    }
}

PLAIN_CASE(it_counts_nanoseconds)
{
    struct timespec pause = {.tv_nsec = 50000000};
    uint64_t before = plx__clock_now();
    uint64_t before_coarse = plx__clock_coarse();
    nanosleep(&pause, NULL);
    uint64_t passed = plx__clock_now() - before;
    uint64_t passed_coarse = plx__clock_coarse() - before_coarse;
    ck_assert_uint_ge(passed, 50000000u);
    ck_assert_uint_lt(passed, 10000000000u);
    ck_assert_uint_ge(passed_coarse, 25000000u);
}

PLAIN_CASE(the_users_clock_replaces_both)
{
    uint64_t time = 12345;
    plx_clock_set(read_user_clock, &time);
    ck_assert_uint_eq(plx__clock_now(), 12345);
    ck_assert_uint_eq(plx__clock_coarse(), 12345);
    time = UINT64_MAX;
    ck_assert_uint_eq(plx__clock_now(), UINT64_MAX);
    ck_assert_uint_eq(plx__clock_coarse(), UINT64_MAX);
}

PLAIN_CASE(it_is_never_zero)
{
    uint64_t time = 0;
    plx_clock_set(read_user_clock, &time);
    ck_assert_uint_eq(plx__clock_now(), 1);
    ck_assert_uint_eq(plx__clock_coarse(), 1);
}

PLAIN_CASE(null_goes_back_to_the_systems)
{
    uint64_t time = 5;
    plx_clock_set(read_user_clock, &time);
    plx_clock_set(NULL, NULL);
    ck_assert_uint_gt(plx__clock_now(), 5);
}

PLAIN_CASE(moments_stay_within_its_range)
{
    uint64_t late = UINT64_MAX - 5;
    ck_assert_uint_eq(plx__clock_after(late, 1), UINT64_MAX);
    ck_assert_uint_eq(plx__clock_after(late, 0), 0);
    ck_assert_uint_eq(plx__clock_after(1, 2), 2000001);
    ck_assert_uint_eq(plx__clock_after(1, INT32_MAX), 1 + UINT64_C(2147483647000000));
    ck_assert_uint_eq(plx__clock_add(late, 5), UINT64_MAX);
    ck_assert_uint_eq(plx__clock_add(late, UINT64_MAX), UINT64_MAX);
    ck_assert_uint_eq(plx__clock_earlier(0, late), late);
    ck_assert_uint_eq(plx__clock_earlier(late, 0), late);
    ck_assert_uint_eq(plx__clock_earlier(late, 7), 7);
}

PLAIN_CASE(a_pause_is_doubled_up_to_the_last)
{
    ck_assert_uint_eq(plx__clock_back_off(0, 1, 50), 1);
    ck_assert_uint_eq(plx__clock_back_off(1, 1, 50), 2);
    ck_assert_uint_eq(plx__clock_back_off(25, 1, 50), 50);
    ck_assert_uint_eq(plx__clock_back_off(32, 1, 50), 50);
    ck_assert_uint_eq(plx__clock_back_off(50, 1, 50), 50);
}

PLAIN_CASE(how_long_a_call_lasts_is_the_kernels_time)
{
    uint64_t time = 5;
    uint64_t before = plx__clock_now();
    plx_clock_set(read_user_clock, &time);
    ck_assert_uint_ge(plx__clock_real(), before);
}

SUITE_MAIN("clock", .teardown = teardown)
