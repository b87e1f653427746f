/* lib/socket/race.c -- the race between the addresses of a peer (RFC 8305, "happy eyeballs"). */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/race.h"

/* The head start of an attempt: the race tries the next address after it (RFC 8305, 5). */
#define HEAD_START ((uint64_t)250 * PLX__MILLISECOND)

/* At most this many attempts are under way at once, and at most this many fail at once in one
 * poll. */
#define MOST_ATTEMPTS 8

struct plx__race {
    struct plx__task *task;
    struct plx__opener opener;
    struct plx__target target;     /* with copies of its strings */
    struct plx__query *query;      /* NULL: there is no host */
    size_t next;                   /* the index of the address to try next */
    size_t ordered;                /* this many addresses are in the order in which to try them */
    struct plx__attempt *attempts; /* under way */
    size_t running;                /* the number of attempts */
    plx__fd descriptor; /* plx__race_begin_by; else PLX__NO_FD: each attempt opens its own */
    uint64_t next_at;   /* when the next address gets its turn */
    struct plx__patience limit;
    bool only_looks_up;
    struct plx__verdict verdict; /* RUNNING: error and name are of the failures so far */
};

/* ---- addresses to try ------------------------------------------------------------------------ */

/* Returns false if all addresses were tried. */
static bool next_name(struct plx__race *race, struct plx__sockaddr *ret_name)
{
    if (race->query == NULL) {
        *ret_name = race->target.name;
        return race->next++ == 0;
    }
    if (race->next >= race->query->count) {
        return false;
    }
    plx_address address = race->query->addresses[race->next++];
    address.port = race->target.port;
    plx__sockaddr_from_address(ret_name, &address, PLX__FAMILY_NONE);
    return true;
}

static bool has_next(const struct plx__race *race)
{
    return race->next < (race->query == NULL ? 1 : race->query->count);
}

/* Whether the lookup may still find an address. */
static bool expects_more(const struct plx__race *race)
{
    return race->query != NULL && !race->query->done;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* How specific an errno is: ENETUNREACH says less about the peer than ECONNREFUSED. */
static int weight_of(int error)
{
    switch (-error) {
    case 0: return 0;
    case PLX__ENETUNREACH:
    case PLX__EHOSTUNREACH:
    case PLX__EADDRNOTAVAIL:
    case PLX__EAFNOSUPPORT: return 1;
    case PLX__ETIMEDOUT: return 2;
    default: return 3;
    }
}

static void note_failure(struct plx__race *race, int error, const struct plx__sockaddr *name)
{
    if (weight_of(error) > weight_of(race->verdict.error)) {
        race->verdict.error = error;
        race->verdict.name = *name;
    }
}

static void fail(struct plx__race *race, int error)
{
    race->verdict.state = PLX__RACE_FAILED;
    race->verdict.error = error;
}

static void fail_lookup(struct plx__race *race, const struct plx__failure *failure)
{
    race->verdict.state = PLX__RACE_LOOKUP_FAILED;
    race->verdict.failure = *failure;
}

static void win(struct plx__race *race, plx__fd descriptor, const struct plx__sockaddr *asked,
                int error)
{
    race->verdict.state = PLX__RACE_WON;
    race->verdict.error = error;
    race->verdict.descriptor = descriptor;
    race->verdict.name = plx__attempt_peer(descriptor, asked);
}

/* ---- attempts -------------------------------------------------------------------------------- */

/* Connects the caller's descriptor. Returns whether the race is won. */
static bool connect_given(struct plx__race *race, struct plx__sockaddr *name)
{
    struct plx__sockaddr local;
    plx_address address;
    if (plx__sockaddr_to_address(name, &address) &&
        plx__os_local_sockaddr(race->descriptor, &local) == 0) {
        plx__sockaddr_from_address(name, &address, plx__sockaddr_family(&local));
    }
    int result = plx__os_connect(race->descriptor, name);
    if (result < 0) {
        note_failure(race, result, name);
        return false;
    }
    win(race, race->descriptor, name, 0);
    return true;
}

/* Returns whether the attempt is under way. */
static bool begin_attempt(struct plx__race *race, const struct plx__sockaddr *name)
{
    struct plx__attempt *attempt = plx__attempt_new(race->task, &race->opener, name);
    if (attempt == NULL || attempt->progress == PLX__FAILED) {
        note_failure(race, attempt == NULL ? -PLX__ENOMEM : attempt->error, name);
        plx__attempt_free(attempt);
        return false;
    }
    if (plx__sockaddr_family(&race->verdict.name) == PLX__FAMILY_NONE) {
        race->verdict.name = *name;
    }
    attempt->next = race->attempts;
    race->attempts = attempt;
    race->running++;
    race->next_at = plx__clock_add(plx__clock_now(), HEAD_START);
    return true;
}

/* Begins the next attempt: at once if none is under way, otherwise after the head start. If an
 * attempt fails at once, begins the next one, up to MOST_ATTEMPTS in one poll. */
static void begin_attempts(struct plx__race *race)
{
    struct plx__sockaddr name;
    bool due = race->running == 0 || plx__clock_now() >= race->next_at;
    for (int tried = 0;
         due && tried < MOST_ATTEMPTS && race->running < MOST_ATTEMPTS && next_name(race, &name);
         tried++) {
        due = race->descriptor == PLX__NO_FD ? !begin_attempt(race, &name)
                                             : !connect_given(race, &name);
    }
}

/* Continues the attempts until one has won. */
static void continue_attempts(struct plx__race *race)
{
    struct plx__attempt **place = &race->attempts;
    while (*place != NULL) {
        struct plx__attempt *attempt = *place;
        plx__attempt_continue(attempt);
        if (attempt->progress == PLX__WON) {
            win(race, plx__attempt_take(attempt), &attempt->name, attempt->error);
            return;
        }
        if (attempt->progress == PLX__FAILED) {
            note_failure(race, attempt->error, &attempt->name);
            *place = attempt->next;
            plx__attempt_free(attempt);
            race->running--;
            race->next_at = 0;
        } else {
            place = &attempt->next;
        }
    }
}

/* ---- going on -------------------------------------------------------------------------------- */

/* Continues the lookup. Addresses that it finds while attempts are under way join those not
 * tried yet (RFC 8305, 3 and 5). */
static void continue_lookup(struct plx__race *race)
{
    struct plx__query *query = race->query;
    if (!plx__query_process(query)) {
        return;
    }
    if (query->count > race->ordered) {
        plx__query_order(query, race->next);
        race->ordered = query->count;
    }
    if (query->count == 0) {
        fail_lookup(race, &query->failure);
    } else {
        race->verdict.state = race->only_looks_up ? PLX__RACE_FOUND : PLX__RACE_RUNNING;
    }
}

static void run(struct plx__race *race)
{
    continue_attempts(race);
    if (race->verdict.state == PLX__RACE_RUNNING) {
        begin_attempts(race);
    }
    bool ended = race->verdict.state == PLX__RACE_RUNNING && race->running == 0;
    if (ended && !has_next(race) && !expects_more(race)) {
        fail(race, race->verdict.error);
    }
}

/* Asks the kernel once more before the attempts are given up: one may have connected behind the
 * poller's back, or while the process was halted between the poller's answer and this moment. */
static void end_attempts(struct plx__race *race)
{
    plx__task_sleep(race->task, 0);
    continue_attempts(race);
    if (race->verdict.state == PLX__RACE_RUNNING) {
        fail(race, -PLX__ETIMEDOUT);
    }
}

static void check_time(struct plx__race *race)
{
    uint64_t now = plx__clock_now();
    bool over = plx__patience_is_over(&race->limit, now);
    plx__patience_look(&race->limit, now);
    if (over && race->verdict.state == PLX__RACE_LOOKING_UP) {
        fail_lookup(race, &plx__failure_timed_out);
    } else if (over && race->verdict.state == PLX__RACE_RUNNING) {
        end_attempts(race);
    }
}

static bool is_over(const struct plx__race *race)
{
    return race->verdict.state != PLX__RACE_LOOKING_UP && race->verdict.state != PLX__RACE_RUNNING;
}

const struct plx__verdict *plx__race_continue(struct plx__race *race)
{
    if (!is_over(race) && (plx__race_is_looking_up(race) || expects_more(race))) {
        continue_lookup(race);
    }
    if (race->verdict.state == PLX__RACE_RUNNING) {
        run(race);
    }
    check_time(race);
    return &race->verdict;
}

/* ---- begin and end --------------------------------------------------------------------------- */

static int family_of(const struct plx__options *options)
{
    int protocol = plx__option_value(options, PLX_OPTION_PROTOCOL);
    return protocol == 0 ? 4 : protocol == 1 ? 6 : 0;
}

/* The strings belong to the socket, whose program may change them while the race is under way. */
static bool copy_target(struct plx__race *race, const struct plx__target *target)
{
    race->target = *target;
    race->target.host = plx__memory_copy_text(target->host);
    race->target.name.long_path = plx__memory_copy_text(target->name.long_path);
    return (target->host == NULL || race->target.host != NULL) &&
           (target->name.long_path == NULL || race->target.name.long_path != NULL);
}

static bool start_lookup(struct plx__race *race, const struct plx__options *options)
{
    const char *host = race->target.host;
    race->verdict.state = host != NULL ? PLX__RACE_LOOKING_UP : PLX__RACE_RUNNING;
    race->query = host != NULL ? plx__query_start(race->task, host, family_of(options)) : NULL;
    return host == NULL || race->query != NULL;
}

struct plx__race *plx__race_new(struct plx__task *task, const struct plx__target *target,
                                const struct plx__options *options,
                                const struct plx__opener *opener)
{
    struct plx__race *race = plx__memory_new(sizeof *race);
    if (race == NULL) {
        return NULL;
    }
    race->task = task;
    race->opener = *opener;
    race->descriptor = PLX__NO_FD;
    race->limit = plx__patience_begin(plx__clock_now(),
                                      plx__option_value(options, PLX_OPTION_CONNECT_TIMEOUT));
    return copy_target(race, target) && start_lookup(race, options) ? race : plx__race_free(race);
}

void plx__race_only_looks_up(struct plx__race *race)
{
    race->only_looks_up = true;
    race->query->is_patient = true;
}

void plx__race_go_on(struct plx__race *race, size_t count)
{
    plx__query_keep(race->query, count);
    race->verdict.state = PLX__RACE_RUNNING;
    begin_attempts(race);
}

void plx__race_begin(struct plx__race *race)
{
    if (race->query == NULL) {
        begin_attempts(race);
    }
}

void plx__race_begin_by(struct plx__race *race, plx__fd descriptor)
{
    race->descriptor = descriptor;
}

bool plx__race_take_name(struct plx__race *race, struct plx__sockaddr *ret_name)
{
    if (race->target.host != NULL) {
        return false;
    }
    *ret_name = race->target.name;
    race->target.name.long_path = NULL;
    return true;
}

struct plx__race *plx__race_free(struct plx__race *race)
{
    if (race != NULL) {
        while (race->attempts != NULL) {
            struct plx__attempt *attempt = race->attempts;
            race->attempts = attempt->next;
            plx__attempt_free(attempt);
        }
        plx__query_free(race->query);
        plx__memory_free((void *)race->target.host);
        plx__memory_free((void *)race->target.name.long_path);
        plx__memory_free(race);
    }
    return NULL;
}

/* ---- what others ask ------------------------------------------------------------------------- */

bool plx__race_is_looking_up(const struct plx__race *race)
{
    return race->verdict.state == PLX__RACE_LOOKING_UP;
}

bool plx__race_is_idle(const struct plx__race *race)
{
    return race != NULL && race->verdict.state == PLX__RACE_RUNNING && race->running == 0 &&
           (has_next(race) || !expects_more(race));
}

/* When to continue the attempts: at the retry of one that waits, or when the next one may begin. */
static uint64_t deadline_of_attempts(const struct plx__race *race)
{
    uint64_t next = 0;
    for (const struct plx__attempt *one = race->attempts; one != NULL; one = one->next) {
        next = plx__clock_earlier(next, one->retry_at);
    }
    return has_next(race) && race->running < MOST_ATTEMPTS ? plx__clock_earlier(next, race->next_at)
                                                           : next;
}

uint64_t plx__race_deadline(const struct plx__race *race)
{
    if (race == NULL) {
        return 0;
    }
    bool is_found = plx__race_is_looking_up(race) && race->query->done;
    if (is_found || plx__race_is_idle(race)) {
        return plx__clock_now();
    }
    uint64_t next = plx__patience_deadline(&race->limit);
    if (expects_more(race)) {
        next = plx__clock_earlier(next, plx__query_next(race->query));
    }
    return plx__race_is_looking_up(race) ? next
                                         : plx__clock_earlier(next, deadline_of_attempts(race));
}

struct plx__patience plx__race_limit(const struct plx__race *race)
{
    return race->limit;
}

void plx__race_set_limit(struct plx__race *race, struct plx__patience limit)
{
    race->limit = limit;
}

void plx__race_set_option(const struct plx__race *race, plx_option option, int value)
{
    for (const struct plx__attempt *one = race->attempts; one != NULL; one = one->next) {
        if (one->watch.task != NULL) {
            plx__os_set_option(one->watch.descriptor, option, value);
        }
    }
}

const plx_address *plx__race_addresses(const struct plx__race *race, size_t *ret_count,
                                       size_t *ret_last)
{
    if (race->query == NULL) {
        return NULL;
    }
    *ret_count = race->query->count;
    *ret_last = race->next - 1;
    return race->query->addresses;
}

const char *plx__race_host(const struct plx__race *race)
{
    return race->target.host;
}

uint16_t plx__race_port(const struct plx__race *race)
{
    return race->target.port;
}
