/* tests/test-filter-waits.c -- what a step of a filter waits for, and for how long. */
#include "config.h"

#include <errno.h>

#include "tests/puppet.h"
#include "tests/world.h"

/* ---- moments --------------------------------------------------------------------------------- */

SECTION("moments");

/* A late filter hands up what it has received one byte at a time, LATE ms apart. It holds the bytes
 * itself, so that only its moments show when to go on. */
enum { LATE = 20 };

static struct {
    char bytes[8];
    size_t size;
    uint64_t next; /* when the first byte is due */
    bool eager;    /* the first byte is due at once */
} lateness;

static void late_want(plx_filter *filter)
{
    uint64_t now = plx_clock_now();
    int left = lateness.next > now ? (int)((lateness.next - now) / 1000000) + 1 : 0;

    plx_filter_set_want(filter, PLX_WANT_READ, lateness.size > 0 ? left : -1);
}

static ptrdiff_t late_receive(plx_filter *filter, void *data, size_t size)
{
    ptrdiff_t count = plx_filter_lower_receive(filter, lateness.bytes + lateness.size,
                                               sizeof lateness.bytes - lateness.size);
    uint64_t pause = LATE * UINT64_C(1000000);

    (void)size;
    if (count > 0) {
        lateness.next = plx_clock_now() + (lateness.eager ? 0 : pause);
        lateness.size += (size_t)count;
    }
    if (lateness.size > 0 && plx_clock_now() >= lateness.next) {
        *(char *)data = lateness.bytes[0];
        memmove(lateness.bytes, lateness.bytes + 1, --lateness.size);
        lateness.next = plx_clock_now() + pause;
        late_want(filter);
        return 1;
    }
    late_want(filter);
    return count > 0 ? -EAGAIN : count;
}

static const plx_filter_kind late_filter = {
    .size = sizeof(plx_filter_kind), .name = "late", .receive = late_receive};

/* Both polls are of a socket that waits for its peer only: the second one must not lose the moment
 * that the first one has set. */
static void expect_late_bytes(struct world *w, plx_socket *socket, int raw)
{
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_filter));
    world_settle(w);
    raw_say(raw, "ab");
    world_poll(w);
    ck_assert(plx_socket_wait_for_data(socket, 5000));
    plx_socket_purge(socket);
    ck_assert(plx_socket_wait_for_data(socket, 5000));
    ck_assert_uint_eq(lateness.size, 0);
}

STREAM_PAIR_CASE(a_moment_behind_no_bytes)
{
    lateness.size = 0;
    lateness.eager = false;
    expect_late_bytes(w, socket, raw);
}

STREAM_PAIR_CASE(a_moment_behind_some_bytes)
{
    lateness.size = 0;
    lateness.eager = true;
    expect_late_bytes(w, socket, raw);
}

/* A moment of receiving keeps nobody awake while there is no room to receive. */
STREAM_PAIR_CASE_WITH(a_moment_without_room, PLX_OPTION_READ_LIMIT, 1)
{
    lateness.size = 0;
    lateness.eager = true;
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &late_filter));
    raw_say(raw, "ab");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
    world_settle(w);
    ck_assert(!plx_socket_wait_for_disconnected(socket, 2 * LATE));
    if (w->group != NULL)
        ck_assert_int_ne(plx_group_deadline(w->group), 0);
    plx_socket_purge(socket);
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

/* A filter that waits for the program keeps nobody awake, whatever those below it hold. */
STREAM_PAIR_CASE(pending_bytes_below_a_filter_that_waits)
{
    struct puppet *lower = puppet_push(socket), *upper;
    int before;

    UNTIL(w, lower->count[STEP_ESTABLISH] == 1);
    world_settle(w);
    before = lower->count[STEP_RECEIVE];
    lower->pending = true;
    upper = puppet_push(socket);
    upper->establish = EAGAIN;
    upper->sets_want = true;
    UNTIL(w, upper->count[STEP_ESTABLISH] > 0);
    world_settle(w);
    if (w->group != NULL)
        ck_assert_int_ne(plx_group_deadline(w->group), 0);
    ck_assert_int_eq(lower->count[STEP_RECEIVE], before);
    lower->pending = false;
    puppet_answer(upper);
    raw_say(raw, "x");
    UNTIL(w, plx_socket_bytes_available(socket) == 1);
}

WORLD_MAIN("filter-waits")
