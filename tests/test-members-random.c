/* tests/test-members-random.c -- random calls of a table of members against the plainest list of
 * them, which walks for everything. */
#include "config.h"

#include "tests/members.h"
#include "tests/model/chance.h"

/* A member as the model knows it. */
struct person {
    uint64_t id, lifetime, end, heard;
    plx_address address;
    bool is_self, is_doubted, is_reported;
    uint8_t about; /* its only byte; 0: it has none */
    int turn;      /* when it was heard, as a number of the call */
};

#define MOST PLX__MEMBERS_MOST
static struct person people[MOST + 1]; /* in the order in which they joined */
static int count;
static uint64_t gone[16 * MOST]; /* those that left, in any order */
static int gone_count;
static uint64_t now;
static int turn;

/* ---- the model ------------------------------------------------------------------------------- */

static int find(uint64_t id)
{
    int i = 0;
    while (i < count && people[i].id != id) {
        i++;
    }
    return i;
}

static void drop(int place)
{
    if (people[place].is_reported) {
        gone[gone_count++] = people[place].id;
    }
    memmove(&people[place], &people[place + 1], (size_t)(count - place - 1) * sizeof people[0]);
    count--;
}

static void hear(struct person *person)
{
    if (!person->is_self) {
        person->is_doubted = false;
        person->heard = now;
        person->turn = turn;
        person->end = now + person->lifetime;
    }
}

/* The member that a newcomer pushes out; -1: none. */
static int find_victim(const plx_address *from)
{
    int same = 0, silent = -1;
    for (int i = 0; i < count; i++) {
        plx_address address = people[i].address;
        address.port = from->port;
        same += plx_address_equal(&address, from);
        if (!people[i].is_self && (silent < 0 || people[i].turn < people[silent].turn)) {
            silent = i;
        }
    }
    return same >= PLX__MEMBERS_OF_ADDRESS ? -1 : silent;
}

static enum plx__heard model_here(const struct person *news)
{
    int place = find(news->id);
    if (place < count) {
        struct person *known = &people[place];
        if (known->is_self || !plx_address_equal(&known->address, &news->address)) {
            return PLX__HEARD_ELSEWHERE;
        }
        known->lifetime = news->lifetime;
        known->about = news->about;
        hear(known);
        return PLX__HEARD_KNOWN;
    }
    if (count == MOST) {
        int victim = find_victim(&news->address);
        if (victim < 0) {
            return PLX__HEARD_FULL;
        }
        drop(victim);
    }
    people[count] = *news;
    hear(&people[count++]);
    return PLX__HEARD_NEW;
}

static void model_expire(void)
{
    for (int i = count - 1; i >= 0; i--) {
        if (!people[i].is_self && people[i].end <= now) {
            drop(i);
        }
    }
}

static void model_doubt(void)
{
    for (int i = 0; i < count; i++) {
        struct person *person = &people[i];
        if (!person->is_self && !person->is_doubted) {
            person->is_doubted = true;
            person->end = person->end < now + 2 * SECOND ? person->end : now + 2 * SECOND;
        }
    }
}

/* ---- the comparison -------------------------------------------------------------------------- */

static bool is_person(const struct plx__known *known, const struct person *person)
{
    return known->id == person->id && known->is_self == person->is_self &&
           plx_address_equal(&known->address, &person->address) &&
           known->about_size == (person->about != 0) &&
           (person->about == 0 || known->about[0] == person->about) &&
           known->heard == person->heard;
}

static void compare_lists(void)
{
    struct plx__known *known = NULL;
    size_t listed = 0;
    uint64_t next = 0;
    for (int i = 0; i < count; i++) {
        const struct person *person = &people[i];
        next = person->is_self || (next != 0 && next < person->end) ? next : person->end;
        if (person->is_doubted) {
            continue;
        }
        known = plx__members_step(&table, known);
        if (known == NULL || !is_person(known, person)) {
            ck_abort_msg("member %d", i); /* a thousand assertions here would take seconds */
        }
        listed++;
    }
    ck_assert_ptr_null(plx__members_step(&table, known));
    ck_assert_uint_eq(table.listed, listed);
    ck_assert_uint_eq(plx__members_next(&table), next);
}

static void compare_joined(void)
{
    for (int i = 0; i < count; i++) {
        if (!people[i].is_reported) {
            if (take_joined() != people[i].id) {
                ck_abort_msg("member %d", i);
            }
            people[i].is_reported = true;
        }
    }
    ck_assert_uint_eq(take_joined(), 0);
}

static void compare_left(void)
{
    uint64_t id;
    while ((id = take_left()) != 0) {
        int place = 0;
        while (place < gone_count && gone[place] != id) {
            place++;
        }
        if (place == gone_count) {
            ck_abort_msg("%llu has not left", (unsigned long long)id);
        }
        gone[place] = gone[--gone_count];
    }
    ck_assert_int_eq(gone_count, 0);
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* How many numbers and hosts there are, and how long members live. */
struct world {
    int ids, hosts, seconds, doubts; /* one call of how many doubts */
};

static plx_address some_address(struct chance *chance, const struct world *world)
{
    plx_address address;
    unsigned host = (unsigned)chance_of(chance, world->hosts);
    if (host % 5 > 0) {
        return address_of(host, 1 + (unsigned)chance_of(chance, 2));
    }
    ck_assert_int_eq(plx_address_parse("[fe80::1]:1", &address), 0);
    address.scope = host;
    return address;
}

static uint64_t some_id(struct chance *chance, const struct world *world)
{
    int id = chance_of(chance, world->ids);
    return id == 0 ? SELF : (uint64_t)id;
}

static void do_here(struct chance *chance, const struct world *world)
{
    struct person news = {.id = some_id(chance, world), .address = some_address(chance, world)};
    news.lifetime = (uint64_t)(5 + chance_of(chance, world->seconds)) * SECOND;
    news.about = (uint8_t)chance_of(chance, 3);
    int place = find(news.id);
    if (place < count && chance_in(chance, 80)) {
        news.address = people[place].address;
    }
    ck_assert_int_eq((int)plx__members_here(&table, news.id, &news.address, news.lifetime,
                                            &news.about, news.about != 0, now),
                     (int)model_here(&news));
}

static void do_word(struct chance *chance, const struct world *world)
{
    uint64_t id = some_id(chance, world);
    struct plx__known *known = plx__members_find(&table, id);
    int place = find(id);
    ck_assert_int_eq(known != NULL, place < count);
    if (known != NULL) {
        ck_assert_uint_eq(known->id, id);
        plx__members_word(&table, known, now);
        hear(&people[place]);
    }
}

static void do_bye(struct chance *chance, const struct world *world)
{
    uint64_t id = some_id(chance, world);
    plx_address from = some_address(chance, world);
    int place = find(id);
    if (place < count && chance_in(chance, 50)) {
        from = people[place].address;
    }
    plx__members_bye(&table, id, &from);
    if (place < count && !people[place].is_self &&
        plx_address_equal(&people[place].address, &from)) {
        drop(place);
    }
}

static void step(struct chance *chance, const struct world *world)
{
    int call = chance_of(chance, 100);
    turn++;
    now += (uint64_t)chance_of(chance, 1000) * PLX__MILLISECOND;
    if (call < 50) {
        do_here(chance, world);
    } else if (call < 70) {
        do_word(chance, world);
    } else if (call < 80) {
        do_bye(chance, world);
    } else if (call < 90) {
        plx__members_expire(&table, now);
        model_expire();
    } else if (chance_of(chance, world->doubts) == 0) {
        plx__members_doubt(&table, now);
        model_doubt();
    } else if (call < 95) {
        compare_joined();
    } else {
        compare_left();
    }
}

static void play(uint64_t seed, const struct world *world, int steps, int compare_every)
{
    struct chance chance = {seed};
    count = gone_count = turn = 0;
    now = 1;
    add_self();
    people[count++] = (struct person){.id = SELF, .address = address_of(1, 1), .is_self = true};
    people[0].about = 'm';
    plx_address address = address_of(1, 1);
    plx__members_add_self(&table, SELF, &address, "m", 1);
    for (int i = 0; i < steps; i++) {
        step(&chance, world);
        if (i % compare_every == 0) {
            compare_lists();
        }
    }
    compare_joined();
    compare_left();
    compare_lists();
}

LOOP_CASE(few_members, 0, 20)
{
    play((uint64_t)_i, &(struct world){.ids = 12, .hosts = 4, .seconds = 10, .doubts = 10}, 2000,
         5);
}

/* Long lives fill the table. */
LOOP_CASE(many_members, 0, 4)
{
    struct world world = {.ids = 8000, .hosts = 20 << 2 * _i, .seconds = 5000, .doubts = 1000};
    play((uint64_t)_i, &world, 12000, 200);
    ck_assert_int_gt(count, MOST / 2);
}

SUITE_MAIN("members-random", .setup = setup, .teardown = teardown)
