/* tests/test-race.c -- the race between addresses alone: its states, its moments and its verdicts,
 * without a socket of Pollux's and without a network. The clock stands still unless a case moves
 * it. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/socket/race.h"
#include "tests/deaf.h"
#include "tests/nameserver.h"

enum { MOST = 8, PATIENCE = 1000 };

static uint64_t time_now;

static uint64_t read_time(void *user)
{
    return *(uint64_t *)user;
}

static void pass(uint64_t milliseconds)
{
    time_now += milliseconds * PLX__MILLISECOND;
}

/* A task with its race, and what its opener was asked for. */
struct track {
    struct plx__task task;
    struct plx__race *race;
    struct nameserver *server; /* NULL: nobody asks one */
    int fails[MOST];           /* with which errno the opener fails for its nth call; 0: it opens */
    struct plx__sockaddr names[MOST];
    int opened[MOST];
    int count;
};

static int open_one(void *user, const struct plx__sockaddr *name)
{
    struct track *track = user;
    int number = track->count++;

    ck_assert_int_lt(number, MOST);
    track->names[number] = *name;
    track->opened[number] = -track->fails[number];
    if (track->fails[number] == 0) {
        track->opened[number] = plx__os_socket(plx__sockaddr_family(name), PLX__TYPE_STREAM);
        ck_assert_int_ge(track->opened[number], 0);
    }
    return track->opened[number];
}

static void setup(void)
{
    time_now = 1000 * PLX__MILLISECOND;
    plx_clock_set(read_time, &time_now);
}

static void teardown(void)
{
    plx_clock_set(NULL, NULL);
}

static struct plx__sockaddr name_of(const char *host, int port)
{
    struct plx__sockaddr name;
    plx_address address;

    ck_assert_int_eq(plx_address_parse(host, &address), 0);
    address.port = (uint16_t)port;
    plx__sockaddr_from_address(&name, &address, 0);
    return name;
}

static int port_of(const struct plx__sockaddr *name)
{
    plx_address address;

    ck_assert(plx__sockaddr_to_address(name, &address));
    return address.port;
}

static bool is_at(const struct plx__sockaddr *name, const char *host, int port)
{
    struct plx__sockaddr expected = name_of(host, port);
    plx_address a, b;

    return plx__sockaddr_to_address(name, &a) && plx__sockaddr_to_address(&expected, &b) &&
           plx_address_equal(&a, &b) && a.port == b.port;
}

/* Binds a TCP socket there; port 0: one that the kernel chooses, which is written back. A bound one
 * that does not listen refuses. */
static int bind_at(const char *host, int *port)
{
    struct plx__sockaddr name = name_of(host, *port);
    int raw = plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_STREAM);

    ck_assert_int_eq(plx__os_bind(raw, &name), 0);
    ck_assert_int_eq(plx__os_local_sockaddr(raw, &name), 0);
    *port = port_of(&name);
    return raw;
}

static int listen_at(const char *host, int *port)
{
    int raw = bind_at(host, port);

    ck_assert_int_eq(listen(raw, 5), 0);
    return raw;
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static void prepare(struct track *track, const struct plx__target *target,
                    const struct plx__options *options)
{
    struct plx__opener opener = {.open = open_one, .user = track};

    track->race = plx__race_new(&track->task, target, options, &opener);
    ck_assert_ptr_nonnull(track->race);
}

/* Begins to race for one address, or for those of a name. */
static void begin_address(struct track *track, const char *host, int port,
                          const struct plx__options *options)
{
    struct plx__target target = {.name = name_of(host, port)};

    prepare(track, &target, options);
    ck_assert(!plx__race_is_looking_up(track->race));
    plx__race_begin(track->race);
}

static void begin_name(struct track *track, const char *host, int port,
                       const struct plx__options *options)
{
    struct plx__target target = {.host = host, .port = (uint16_t)port};

    prepare(track, &target, options);
    ck_assert(plx__race_is_looking_up(track->race));
    plx__race_begin(track->race);
    ck_assert_int_eq(track->count, 0);
}

static const struct plx__verdict *continue_once(struct track *track, int milliseconds)
{
    if (track->server != NULL)
        nameserver_serve(track->server);
    plx__task_sleep(&track->task, milliseconds);
    return plx__race_continue(track->race);
}

/* Continues until the race is in that state; what is not, after the time of a case, fails. */
static const struct plx__verdict *continue_until(struct track *track, enum plx__race_state state)
{
    const struct plx__verdict *verdict = continue_once(track, 0);

    while (verdict->state != state) {
        ck_assert_msg(verdict->state == PLX__RACE_LOOKING_UP || verdict->state == PLX__RACE_RUNNING,
                      "state %d, error %d, in place of state %d", (int)verdict->state,
                      verdict->error, (int)state);
        verdict = continue_once(track, 10);
    }
    return verdict;
}

/* Continues for some real time and expects that nothing is decided. */
static void stays_running(struct track *track)
{
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(continue_once(track, 5)->state, PLX__RACE_RUNNING);
}

static struct plx__options with_option(plx_option option, int value)
{
    struct plx__options options = {.set = (plx__option_set)1 << option};

    options.values[option] = value;
    return options;
}

/* ---- one address ----------------------------------------------------------------------------- */

PLAIN_CASE(one_that_accepts_wins)
{
    struct track track = {.count = 0};
    int port = 0, listener = listen_at("127.0.0.1", &port), descriptor;
    const struct plx__verdict *verdict;

    begin_address(&track, "127.0.0.1", port, NULL);
    verdict = continue_until(&track, PLX__RACE_WON);
    descriptor = verdict->descriptor;
    ck_assert_int_eq(descriptor, track.opened[0]);
    ck_assert(is_at(&verdict->name, "127.0.0.1", port));
    ck_assert_int_eq(plx__race_continue(track.race)->state, PLX__RACE_WON);
    plx__race_free(track.race);
    ck_assert_ptr_null(track.task.watches);
    ck_assert_int_eq(write(descriptor, "x", 1), 1); /* it is the caller's, and connected */
    close(descriptor);
    close(listener);
}

PLAIN_CASE(the_peer_is_whom_the_kernel_connected_to)
{
    struct track track = {.count = 0};
    int port = 0, listener = listen_at("127.0.0.1", &port);
    const struct plx__verdict *verdict;

    begin_address(&track, "0.0.0.0", port, NULL);
    verdict = continue_until(&track, PLX__RACE_WON);
    ck_assert(is_at(&verdict->name, "127.0.0.1", port));
    close(verdict->descriptor);
    plx__race_free(track.race);
    close(listener);
}

PLAIN_CASE(one_that_refuses_fails)
{
    struct track track = {.count = 0};
    int port = 0, refusing = bind_at("127.0.0.1", &port);
    const struct plx__verdict *verdict;

    begin_address(&track, "127.0.0.1", port, NULL);
    verdict = continue_until(&track, PLX__RACE_FAILED);
    ck_assert_int_eq(verdict->error, -ECONNREFUSED);
    ck_assert(is_at(&verdict->name, "127.0.0.1", port));
    ck_assert_int_eq(track.count, 1);
    ck_assert(!is_open(track.opened[0]));
    plx__race_free(track.race);
    close(refusing);
}

PLAIN_CASE(an_opener_that_fails_fails_the_race)
{
    struct track track = {.fails = {EMFILE}};
    const struct plx__verdict *verdict;

    begin_address(&track, "127.0.0.1", 4711, NULL);
    ck_assert_int_eq(track.count, 1);
    ck_assert(plx__race_is_idle(track.race)); /* a wait must not sleep before the verdict */
    verdict = plx__race_continue(track.race);
    ck_assert_int_eq(verdict->state, PLX__RACE_FAILED);
    ck_assert_int_eq(verdict->error, -EMFILE);
    ck_assert(is_at(&verdict->name, "127.0.0.1", 4711));
    plx__race_free(track.race);
}

PLAIN_CASE(a_silent_one_fails_when_the_time_is_over)
{
    struct track track = {.count = 0};
    struct plx__options options = with_option(PLX_OPTION_CONNECT_TIMEOUT, PATIENCE);
    int port = 0, listener = listen_at("127.0.0.1", &port);
    uint64_t over = time_now + PATIENCE * PLX__MILLISECOND;
    const struct plx__verdict *verdict;

    deafen(listener);
    begin_address(&track, "127.0.0.1", port, &options);
    ck_assert(!plx__race_is_idle(track.race));
    for (int quarter = 0; quarter < 3; quarter++) { /* see lib/base/patience.h */
        uint64_t look = time_now + PATIENCE / 4 * PLX__MILLISECOND;

        ck_assert_uint_eq(plx__race_deadline(track.race), look);
        pass(PATIENCE / 4);
        stays_running(&track);
    }
    ck_assert_uint_eq(plx__race_deadline(track.race), over);
    pass(PATIENCE / 4 - 1);
    stays_running(&track);
    pass(1);
    verdict = plx__race_continue(track.race);
    ck_assert_int_eq(verdict->state, PLX__RACE_FAILED);
    ck_assert_int_eq(verdict->error, -ETIMEDOUT);
    ck_assert(is_at(&verdict->name, "127.0.0.1", port));
    plx__race_free(track.race);
    ck_assert(!is_open(track.opened[0]));
    close(listener);
}

PLAIN_CASE(no_limit_is_no_deadline)
{
    struct track track = {.count = 0};
    struct plx__options options = with_option(PLX_OPTION_CONNECT_TIMEOUT, 0);
    int port = 0, listener = listen_at("127.0.0.1", &port);

    deafen(listener);
    begin_address(&track, "127.0.0.1", port, &options);
    ck_assert_uint_eq(plx__race_deadline(track.race), 0);
    plx__race_free(track.race);
    close(listener);
}

PLAIN_CASE(an_option_reaches_attempts_under_way)
{
    struct track track = {.count = 0};
    int port = 0, listener = listen_at("127.0.0.1", &port), value = 0;
    socklen_t size = sizeof value;

    deafen(listener);
    begin_address(&track, "127.0.0.1", port, NULL);
    plx__race_set_option(track.race, PLX_OPTION_KEEP_ALIVE, 1);
    ck_assert_int_eq(getsockopt(track.opened[0], SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
    ck_assert_int_eq(value, 1);
    plx__race_free(track.race);
    close(listener);
}

PLAIN_CASE(no_race_has_nothing_to_do)
{
    ck_assert(!plx__race_is_idle(NULL));
    ck_assert_uint_eq(plx__race_deadline(NULL), 0);
    ck_assert_ptr_null(plx__race_free(NULL));
}

/* ---- the addresses of a name ----------------------------------------------------------------- */

/* ASKING_CASE is a PLAIN_CASE whose body gets a track with a name server. */
#define ASKING_CASE(name)                                                                          \
    static void name##_asks(struct track *track, struct nameserver *server);                       \
    PLAIN_CASE(name)                                                                               \
    {                                                                                              \
        struct nameserver server;                                                                  \
        struct track track = {.server = &server};                                                  \
                                                                                                   \
        nameserver_begin(&server);                                                                 \
        name##_asks(&track, &server);                                                              \
        ck_assert_ptr_null(plx__race_free(track.race));                                            \
        ck_assert_ptr_null(track.task.watches);                                                    \
        nameserver_end(&server);                                                                   \
    }                                                                                              \
    static void name##_asks(struct track *track, struct nameserver *server)

ASKING_CASE(one_that_refuses_hands_its_turn_on_at_once)
{
    int port = 0, listener = listen_at("127.0.0.3", &port);
    int refusing = bind_at("127.0.0.2", &port);
    const struct plx__verdict *verdict;

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    begin_name(track, "race.test", port, NULL);
    verdict = continue_until(track, PLX__RACE_WON);
    ck_assert_int_eq(track->count, 2);
    ck_assert(is_at(&track->names[0], "127.0.0.2", port));
    ck_assert(is_at(&verdict->name, "127.0.0.3", port));
    close(verdict->descriptor);
    close(listener);
    close(refusing);
}

ASKING_CASE(a_silent_one_has_a_head_start)
{
    int port = 0, silent = listen_at("127.0.0.2", &port), listener = listen_at("127.0.0.3", &port);
    const struct plx__verdict *verdict;

    deafen(silent);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    begin_name(track, "race.test", port, NULL);
    continue_until(track, PLX__RACE_RUNNING);
    ck_assert_uint_eq(plx__race_deadline(track->race), time_now + 250 * PLX__MILLISECOND);
    pass(249);
    stays_running(track);
    ck_assert_int_eq(track->count, 1);
    pass(1);
    verdict = continue_until(track, PLX__RACE_WON);
    ck_assert_int_eq(track->count, 2);
    ck_assert_int_eq(verdict->descriptor, track->opened[1]);
    ck_assert(is_at(&verdict->name, "127.0.0.3", port));
    track->race = plx__race_free(track->race);
    ck_assert(!is_open(track->opened[0])); /* the loser is given up */
    ck_assert(is_open(track->opened[1]));
    close(track->opened[1]);
    close(silent);
    close(listener);
}

ASKING_CASE(one_that_was_overtaken_may_still_win)
{
    int port = 0, slow = listen_at("127.0.0.2", &port), silent = listen_at("127.0.0.3", &port);
    const struct plx__verdict *verdict;

    deafen(slow);
    deafen(silent);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    begin_name(track, "race.test", port, NULL);
    continue_until(track, PLX__RACE_RUNNING);
    pass(250);
    stays_running(track);
    ck_assert_int_eq(track->count, 2);
    hear_again(slow);
    verdict = continue_until(track, PLX__RACE_WON); /* by a retransmission, after a second */
    ck_assert(is_at(&verdict->name, "127.0.0.2", port));
    close(verdict->descriptor);
    close(slow);
    close(silent);
}

/* Where it is refused first and cannot be reached second, or the other way about, the refusal says
 * more. */
static void refusal_tells_more(struct track *track, const char *refusing, int port)
{
    const struct plx__verdict *verdict;

    begin_name(track, "race.test", port, NULL);
    verdict = continue_until(track, PLX__RACE_FAILED);
    ck_assert_int_eq(track->count, 2);
    ck_assert_int_eq(verdict->error, -ECONNREFUSED);
    ck_assert(is_at(&verdict->name, refusing, port));
}

ASKING_CASE(the_most_telling_error_is_the_first)
{
    int port = 0, refusing = bind_at("127.0.0.2", &port);

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    track->fails[1] = ENETUNREACH;
    refusal_tells_more(track, "127.0.0.2", port);
    close(refusing);
}

ASKING_CASE(the_most_telling_error_is_the_last)
{
    int port = 0, refusing = bind_at("127.0.0.3", &port);

    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    track->fails[0] = ENETUNREACH;
    refusal_tells_more(track, "127.0.0.3", port);
    close(refusing);
}

ASKING_CASE(a_late_address_joins_the_race)
{
    int port = 0, refusing = bind_at("127.0.0.2", &port);
    const struct plx__verdict *verdict;

    server->ipv4 = ADDRESSES("127.0.0.2");
    server->ipv6.says = SAYS_LATER;
    track->fails[1] = ENETUNREACH; /* there may be no IPv6 here */
    begin_name(track, "race.test", port, NULL);
    while (server->asked4 == 0 || server->held_count == 0)
        ck_assert_int_eq(continue_once(track, 5)->state, PLX__RACE_LOOKING_UP);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(continue_once(track, 5)->state, PLX__RACE_LOOKING_UP);
    pass(50); /* how long IPv4 waits for IPv6 (RFC 8305, 3) */
    continue_until(track, PLX__RACE_RUNNING);
    stays_running(track); /* all that is known has refused */
    ck_assert_int_eq(track->count, 1);
    ck_assert(!plx__race_is_idle(track->race));
    server->ipv6 = ADDRESSES("fd00::1");
    nameserver_release(server);
    verdict = continue_until(track, PLX__RACE_FAILED);
    ck_assert_int_eq(track->count, 2);
    ck_assert(is_at(&track->names[1], "fd00::1", port));
    ck_assert_int_eq(verdict->error, -ECONNREFUSED);
    close(refusing);
}

ASKING_CASE(the_protocol_says_which_addresses_are_asked_for)
{
    struct plx__options options = with_option(PLX_OPTION_PROTOCOL, 0);
    int port = 0, listener = listen_at("127.0.0.2", &port);

    server->ipv4 = ADDRESSES("127.0.0.2");
    begin_name(track, "race.test", port, &options);
    close(continue_until(track, PLX__RACE_WON)->descriptor);
    ck_assert_int_gt(server->asked4, 0);
    ck_assert_int_eq(server->asked6, 0);
    close(listener);
}

/* ---- lookups that fail ----------------------------------------------------------------------- */

PLAIN_CASE(a_host_that_is_no_name_fails_the_lookup)
{
    struct track track = {.count = 0};
    const struct plx__verdict *verdict;

    begin_name(&track, "a b.test", 80, NULL);
    ck_assert_uint_eq(plx__race_deadline(track.race), time_now);
    verdict = plx__race_continue(track.race);
    ck_assert_int_eq(verdict->state, PLX__RACE_LOOKUP_FAILED);
    ck_assert_int_eq(verdict->failure.code, PLX_NAME_RESOLUTION);
    ck_assert_str_eq(plx__race_host(track.race), "a b.test");
    ck_assert_int_eq(plx__race_port(track.race), 80);
    ck_assert_int_eq(track.count, 0);
    plx__race_free(track.race);
}

ASKING_CASE(a_host_without_addresses_fails_the_lookup)
{
    const struct plx__verdict *verdict;

    nameserver_says(server, SAYS_NO_SUCH_NAME);
    begin_name(track, "race.test", 80, NULL);
    verdict = continue_until(track, PLX__RACE_LOOKUP_FAILED);
    ck_assert_int_eq(verdict->failure.reason, PLX_REASON_HOST_NOT_FOUND);
    ck_assert_int_eq(track->count, 0);
}

ASKING_CASE(a_silent_name_server_fails_when_the_time_is_over)
{
    struct plx__options options = with_option(PLX_OPTION_CONNECT_TIMEOUT, PATIENCE);
    const struct plx__verdict *verdict = NULL;

    nameserver_says(server, SAYS_NOTHING);
    begin_name(track, "race.test", 80, &options);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(continue_once(track, 5)->state, PLX__RACE_LOOKING_UP);
    ck_assert_uint_le(plx__race_deadline(track->race), time_now + PATIENCE * PLX__MILLISECOND);
    for (int quarter = 0; quarter < 4; quarter++) { /* see lib/base/patience.h */
        pass(PATIENCE / 4);
        verdict = plx__race_continue(track->race);
    }
    ck_assert_int_eq(verdict->state, PLX__RACE_LOOKUP_FAILED);
    ck_assert_int_eq(verdict->failure.code, plx__failure_timed_out.code);
    ck_assert_int_eq(verdict->failure.reason, plx__failure_timed_out.reason);
}

/* ---- a descriptor that is there -------------------------------------------------------------- */

ASKING_CASE(a_given_descriptor_stays_the_callers)
{
    struct plx__target target = {.host = "race.test", .port = 4711};
    struct plx__sockaddr here = name_of("127.0.0.1", 0);
    int descriptor = plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_DATAGRAM);
    const struct plx__verdict *verdict;
    const plx_address *addresses;
    size_t count, last;

    ck_assert_int_eq(plx__os_bind(descriptor, &here), 0);
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.3");
    prepare(track, &target, NULL);
    plx__race_begin_by(track->race, descriptor);
    verdict = continue_until(track, PLX__RACE_WON);
    ck_assert_int_eq(verdict->descriptor, descriptor);
    ck_assert(is_at(&verdict->name, "127.0.0.2", 4711)); /* connect(2) only chooses */
    ck_assert_int_eq(track->count, 0);
    addresses = plx__race_addresses(track->race, &count, &last);
    ck_assert_ptr_nonnull(addresses);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(last, 0);
    track->race = plx__race_free(track->race);
    ck_assert(is_open(descriptor));
    close(descriptor);
}

SUITE_MAIN("race", .setup = setup, .teardown = teardown)
