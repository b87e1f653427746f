/* tests/sim/neighbours.c -- random programs of discoveries, on the simulated kernel.
 *
 *     tests/sim/neighbours [SEEDS [FIRST]]        POLLUX_SEED=7 POLLUX_LOG=1 tests/sim/neighbours
 *
 * Six discoveries of one computer join and leave three groups, send, are refreshed, freed, made again
 * and moved between two groups of sockets, also inside handlers of others, while datagrams are lost,
 * doubled and late, calls fail and memory ends. Each event is held against what the discoveries have
 * done so far. At the end the kernel is calm for a minute, and then all lists have to be equal.
 *
 * What is held: no event outside a poll, none nested; the first member of a group is the program
 * itself; a member joins that is not in the list, and leaves that is; a message comes from one that
 * has sent it, to whom it was sent, and once; blocks and descriptors are all given back. */
#include "config.h"

#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NEIGHBOURS = 6,
    TEAMS = 3,
    CLUSTERS = 2,
    MOST_LIVES = 400,
    MOST_SENT = 2000,
    PORT = 45454,
    STEPS = 600,
    CALM_SECONDS = 60
};
#define SECOND ((uint64_t)1000000000)

static const char *const teams[TEAMS] = {"red", "green", "blue"};

/* What one member says about itself, and what it sends. */
struct words {
    int life, number, team; /* team -1: to one member alone */
};

/* One discovery from plx_discovery_new to its free. */
struct life {
    uint64_t id;    /* 0: no event has named it yet */
    uint32_t teams; /* joined at any time, as bits */
    int sent;
};

struct view {
    uint64_t ids[MOST_LIVES];
    size_t count;
    bool joined, self, refreshed;
};

static struct neighbour {
    plx_discovery *discovery; /* NULL: none */
    int life, about, cluster; /* cluster -1: alone */
    bool inside;
    struct view views[TEAMS];
    uint8_t heard[MOST_LIVES][MOST_SENT / 8];
} neighbours[NEIGHBOURS];

static struct life lives[MOST_LIVES];
static plx_group *clusters[CLUSTERS];
static struct {
    uint64_t events, messages, calls;
    int lives_used, depth;
    bool polling, calm;
} run;

static bool happens(unsigned percent)
{
    return sim_chance(100) < percent;
}

/* ---- what is heard --------------------------------------------------------------------------- */

static int number_of(const struct neighbour *neighbour)
{
    return (int)(neighbour - neighbours);
}

static int team_of(const char *name)
{
    for (int i = 0; i < TEAMS; i++) {
        if (strcmp(teams[i], name) == 0) {
            return i;
        }
    }
    run_fault("an event of the group %s, which nobody has joined", name);
}

static size_t place_in(const struct view *view, uint64_t id)
{
    size_t place = 0;
    while (place < view->count && view->ids[place] != id) {
        place++;
    }
    return place;
}

static struct neighbour *enter(plx_discovery *discovery, void *user)
{
    struct neighbour *neighbour = user;
    if (neighbour->discovery != discovery) {
        run_fault("an event of a discovery that was freed, for %d", number_of(neighbour));
    }
    if (!run.polling) {
        run_fault("an event of %d outside a poll", number_of(neighbour));
    }
    if (neighbour->inside) {
        run_fault("an event of %d inside another one", number_of(neighbour));
    }
    neighbour->inside = true;
    run.events++;
    return neighbour;
}

static void act(int depth);

static void leave(struct neighbour *neighbour)
{
    if (!run.calm && happens(8) && run.depth == 0) {
        run.depth++;
        act(1);
        run.depth--;
    }
    neighbour->inside = false;
}

/* A life is known by what its member says about itself, its id from then on. */
static void learn(const plx_member *member, int team)
{
    struct words words;
    if (member->about_size != sizeof words) {
        run_fault("a member with %zu bytes about itself", member->about_size);
    }
    memcpy(&words, member->about, sizeof words);
    if (words.life < 0 || words.life >= run.lives_used || words.team != team ||
        (lives[words.life].teams & 1u << team) == 0) {
        run_fault("a member %d of %s that never joined", words.life, teams[team]);
    }
    struct life *life = &lives[words.life];
    if (life->id != 0 && life->id != member->id) {
        run_fault("the member %d has two ids", words.life);
    }
    life->id = member->id;
}

static void on_joined(plx_discovery *discovery, const char *name, const plx_member *member,
                      void *user)
{
    struct neighbour *neighbour = enter(discovery, user);
    int team = team_of(name);
    struct view *view = &neighbour->views[team];
    run_log("%d: %016llx joined %s%s", number_of(neighbour), (unsigned long long)member->id, name,
            member->is_self ? ", itself" : "");
    if (!view->joined) {
        run_fault("%d hears of a member of %s, which it has not joined", number_of(neighbour),
                  name);
    }
    if (place_in(view, member->id) < view->count) {
        run_fault("%d: a member of %s joins twice", number_of(neighbour), name);
    }
    if (member->is_self == view->self) {
        run_fault("%d is not the first of %s", number_of(neighbour), name);
    }
    learn(member, team);
    if (member->is_self != (member->id == lives[neighbour->life].id)) {
        run_fault("%d takes another for itself", number_of(neighbour));
    }
    view->self = true;
    view->ids[view->count++] = member->id;
    leave(neighbour);
}

static void on_left(plx_discovery *discovery, const char *name, const plx_member *member,
                    void *user)
{
    struct neighbour *neighbour = enter(discovery, user);
    struct view *view = &neighbour->views[team_of(name)];
    size_t place = place_in(view, member->id);
    run_log("%d: %016llx left %s", number_of(neighbour), (unsigned long long)member->id, name);
    if (place == view->count || member->is_self) {
        run_fault("%d: one leaves %s that is not in it", number_of(neighbour), name);
    }
    view->count--;
    memmove(&view->ids[place], &view->ids[place + 1], (view->count - place) * sizeof view->ids[0]);
    leave(neighbour);
}

static void on_message(plx_discovery *discovery, const char *name, const plx_member *from,
                       int32_t command, const void *data, size_t size, void *user)
{
    struct neighbour *neighbour = enter(discovery, user);
    struct words words;
    if (size != sizeof words) {
        run_fault("a message of %zu bytes", size);
    }
    memcpy(&words, data, sizeof words);
    run_log("%d: message %d of %d to %s", number_of(neighbour), words.number, words.life,
            name == NULL ? "it" : name);
    if (words.life < 0 || words.life >= run.lives_used || words.number != command ||
        words.number >= lives[words.life].sent) {
        run_fault("a message that nobody has sent");
    }
    if ((name == NULL) != (words.team < 0) || (name != NULL && team_of(name) != words.team)) {
        run_fault("a message to somebody else");
    }
    if (name != NULL && !neighbour->views[words.team].joined) {
        run_fault("%d has not joined %s", number_of(neighbour), name);
    }
    if (lives[words.life].id != 0 && lives[words.life].id != from->id) {
        run_fault("a message of another one than %d", words.life);
    }
    uint8_t *byte = &neighbour->heard[words.life][words.number / 8];
    if ((*byte >> words.number % 8 & 1) != 0) {
        run_fault("message %d of %d reaches %d twice", words.number, words.life,
                  number_of(neighbour));
    }
    *byte |= (uint8_t)(1u << words.number % 8);
    run.messages++;
    leave(neighbour);
}

static void on_error(plx_discovery *discovery, const plx_error *error, void *user)
{
    struct neighbour *neighbour = enter(discovery, user);
    run_log("%d: error %d: %s", number_of(neighbour), error->code, error->message);
    if (error->code == 0) {
        run_fault("an error without a code");
    }
    leave(neighbour);
}

/* ---- what is done ---------------------------------------------------------------------------- */

static void forget_views(struct neighbour *neighbour)
{
    memset(neighbour->views, 0, sizeof neighbour->views);
    memset(neighbour->heard, 0, sizeof neighbour->heard);
}

static void make(struct neighbour *neighbour)
{
    static const plx_discovery_events events = {on_joined, on_left, on_message, on_error};
    if (run.lives_used == MOST_LIVES) {
        return;
    }
    plx_discovery *discovery = plx_discovery_new();
    int code = discovery == NULL ? PLX_OUT_OF_MEMORY : plx_discovery_bind(discovery, PORT);
    run_log("%d: made: %d", number_of(neighbour), code);
    if (code != 0) {
        plx_discovery_free(discovery);
        return;
    }
    forget_views(neighbour);
    neighbour->discovery = discovery;
    neighbour->cluster = -1;
    neighbour->life = run.lives_used++;
    lives[neighbour->life] = (struct life){0};
    plx_discovery_set_events(discovery, &events, neighbour);
}

static void unmake(struct neighbour *neighbour)
{
    run_log("%d: freed", number_of(neighbour));
    neighbour->discovery = plx_discovery_free(neighbour->discovery);
    forget_views(neighbour);
}

static struct words words_of(const struct neighbour *neighbour, int number, int team)
{
    return (struct words){neighbour->life, number, team};
}

static void join(struct neighbour *neighbour, int team)
{
    struct view *view = &neighbour->views[team];
    struct words about = words_of(neighbour, ++neighbour->about, team);
    lives[neighbour->life].teams |= 1u << team;
    int code = plx_discovery_join(neighbour->discovery, teams[team], &about, sizeof about);
    run_log("%d: joins %s: %d", number_of(neighbour), teams[team], code);
    if (code == 0 && !view->joined) {
        *view = (struct view){.joined = true};
    }
    if (run.calm && code != 0) {
        run_fault("%d cannot join: %d", number_of(neighbour), code);
    }
}

static void part(struct neighbour *neighbour, int team)
{
    struct view *view = &neighbour->views[team];
    int code = plx_discovery_leave(neighbour->discovery, teams[team]);
    run_log("%d: leaves %s: %d", number_of(neighbour), teams[team], code);
    if ((code == 0) != view->joined) {
        run_fault("%d: leaving %s returned %d", number_of(neighbour), teams[team], code);
    }
    *view = (struct view){.joined = false};
}

static void refresh(struct neighbour *neighbour, int team)
{
    struct view *view = &neighbour->views[team];
    int code = plx_discovery_refresh(neighbour->discovery, teams[team]);
    run_log("%d: refreshes %s: %d", number_of(neighbour), teams[team], code);
    if ((code == 0) != view->joined) {
        run_fault("%d: refreshing %s returned %d", number_of(neighbour), teams[team], code);
    }
    view->refreshed = true;
}

/* A message counts as sent before the call: it may be heard although the call reports a failure. */
static void send(struct neighbour *neighbour, int team)
{
    struct life *life = &lives[neighbour->life];
    plx_member list[NEIGHBOURS];
    if (life->sent == MOST_SENT) {
        return;
    }
    bool alone = !run.calm && happens(40);
    struct words words = words_of(neighbour, life->sent++, alone ? -1 : team);
    size_t count = plx_discovery_members(neighbour->discovery, teams[team], list, NEIGHBOURS);
    count = count > NEIGHBOURS ? NEIGHBOURS : count;
    if (alone && count == 0) {
        return;
    }
    int code = alone ? plx_discovery_send_to(neighbour->discovery, &list[sim_chance(count)],
                                             words.number, &words, sizeof words)
                     : plx_discovery_send_to_group(neighbour->discovery, teams[team], words.number,
                                                   &words, sizeof words);
    run_log("%d: sends %d to %s: %d", number_of(neighbour), words.number,
            alone ? "one member" : teams[team], code);
    if (!alone && !neighbour->views[team].joined && code == 0) {
        run_fault("%d sends to %s without joining", number_of(neighbour), teams[team]);
    }
}

static void move(struct neighbour *neighbour)
{
    int cluster = (int)sim_chance(CLUSTERS + 1) - 1;
    int code = 0;
    if (cluster < 0) {
        plx_group_remove_discovery(neighbour->cluster < 0 ? NULL : clusters[neighbour->cluster],
                                   neighbour->discovery);
    } else {
        code = plx_group_add_discovery(clusters[cluster], neighbour->discovery);
    }
    run_log("%d: moves to %d: %d", number_of(neighbour), cluster, code);
    neighbour->cluster = code == 0 ? cluster : neighbour->cluster;
}

/* ---- polls ----------------------------------------------------------------------------------- */

/* A list is what the events have reported; after a refresh it may have fewer. */
static void check_list(const struct neighbour *neighbour, int team)
{
    plx_member list[MOST_LIVES];
    const struct view *view = &neighbour->views[team];
    size_t count = plx_discovery_members(neighbour->discovery, teams[team], list, MOST_LIVES);
    if (count > view->count + (view->joined && !view->self ? 1 : 0) ||
        (count < view->count && !view->refreshed)) {
        run_fault("%d has %zu members of %s, and %zu were reported", number_of(neighbour), count,
                  teams[team], view->count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!list[i].is_self && place_in(view, list[i].id) == view->count) {
            run_fault("%d has a member of %s that was not reported", number_of(neighbour),
                      teams[team]);
        }
    }
}

static void check_lists(void)
{
    for (int i = 0; i < NEIGHBOURS; i++) {
        for (int team = 0; neighbours[i].discovery != NULL && team < TEAMS; team++) {
            check_list(&neighbours[i], team);
        }
    }
}

static void poll_one(struct neighbour *neighbour, int sleep)
{
    bool outer = run.polling;
    run.polling = true;
    uint64_t before = sim_now();
    bool result = sleep == 0 ? plx_discovery_poll(neighbour->discovery)
                             : plx_discovery_wait(neighbour->discovery, sleep);
    run.polling = outer;
    if (sim_now() - before > (uint64_t)sleep * 1000000 + SECOND) {
        run_fault("a wait of %d ms took %.3f s", sleep, (double)(sim_now() - before) / 1e9);
    }
    (void)result;
}

static void poll_cluster(int cluster, int sleep)
{
    bool outer = run.polling;
    run.polling = true;
    plx_group_poll(clusters[cluster], sleep);
    run.polling = outer;
}

static void poll_all(int sleep)
{
    for (int i = 0; i < CLUSTERS; i++) {
        poll_cluster(i, sleep);
    }
    for (int i = 0; i < NEIGHBOURS; i++) {
        if (neighbours[i].discovery != NULL && neighbours[i].cluster < 0) {
            poll_one(&neighbours[i], sleep);
        }
    }
}

/* One call, by chance; `depth` 1: inside a handler. */
static void act(int depth)
{
    struct neighbour *neighbour = &neighbours[sim_chance(NEIGHBOURS)];
    int team = (int)sim_chance(TEAMS);
    run.calls++;
    if (neighbour->discovery == NULL) {
        make(neighbour);
        return;
    }
    switch (sim_chance(12)) {
    case 0: happens(30) ? unmake(neighbour) : move(neighbour); break;
    case 1:
    case 2: join(neighbour, team); break;
    case 3: part(neighbour, team); break;
    case 4: happens(30) ? refresh(neighbour, team) : send(neighbour, team); break;
    case 5:
    case 6:
    case 7: send(neighbour, team); break;
    case 8: poll_one(neighbour, depth > 0 ? (int)sim_chance(2) * 5 : (int)sim_chance(200)); break;
    default: poll_cluster((int)sim_chance(CLUSTERS), depth > 0 ? 0 : (int)sim_chance(300)); break;
    }
}

/* ---- a program ------------------------------------------------------------------------------- */

static void begin(uint64_t seed)
{
    sim_begin(seed);
    run_begin(seed);
    run.lives_used = 0;
    run.calm = run.polling = false;
    memory_begin(false);
    memset(neighbours, 0, sizeof neighbours);
    sim_spare(true);
    for (int i = 0; i < CLUSTERS; i++) {
        clusters[i] = plx_group_new();
        if (clusters[i] == NULL) {
            run_fault("there is no group");
        }
    }
    sim_spare(false);
    memory_fail(sim_chance(3) == 0);
}

static void pass(uint64_t seconds)
{
    for (uint64_t end = sim_now() + seconds * SECOND; sim_now() < end;) {
        sim_advance(sim_now() + SECOND / 20);
        poll_all(0);
    }
}

/* All members of each team know each other, by their last words, and hear each other. */
static void check_team(int team)
{
    plx_member list[MOST_LIVES];
    size_t members = 0;
    for (int i = 0; i < NEIGHBOURS; i++) {
        members += neighbours[i].discovery != NULL && neighbours[i].views[team].joined;
    }
    for (int i = 0; i < NEIGHBOURS; i++) {
        struct neighbour *neighbour = &neighbours[i];
        if (neighbour->discovery == NULL || !neighbour->views[team].joined) {
            continue;
        }
        size_t count = plx_discovery_members(neighbour->discovery, teams[team], list, MOST_LIVES);
        if (count != members || count != neighbour->views[team].count) {
            run_fault("%d knows %zu of %zu members of %s, %zu reported", i, count, members,
                      teams[team], neighbour->views[team].count);
        }
        for (size_t k = 0; k < count; k++) {
            struct words words;
            memcpy(&words, list[k].about, sizeof words);
            bool lives_now = false;
            for (int other = 0; other < NEIGHBOURS; other++) {
                lives_now = lives_now || (neighbours[other].discovery != NULL &&
                                          neighbours[other].life == words.life);
            }
            if (!lives_now) {
                run_fault("%d has a member of %s that was freed", i, teams[team]);
            }
        }
    }
}

static void check_hearing(void)
{
    int before[NEIGHBOURS];
    for (int i = 0; i < NEIGHBOURS; i++) {
        before[i] = lives[neighbours[i].life].sent;
        for (int team = 0; neighbours[i].discovery != NULL && team < TEAMS; team++) {
            if (neighbours[i].views[team].joined) {
                send(&neighbours[i], team);
            }
        }
    }
    pass(3);
    for (int i = 0; i < NEIGHBOURS; i++) {
        struct neighbour *from = &neighbours[i];
        for (int team = 0, number = before[i]; from->discovery != NULL && team < TEAMS; team++) {
            for (int k = 0; from->views[team].joined && number < MOST_SENT && k < NEIGHBOURS; k++) {
                struct neighbour *to = &neighbours[k];
                bool heard = (to->heard[from->life][number / 8] >> number % 8 & 1) != 0;
                bool wanted = k != i && to->discovery != NULL && to->views[team].joined;
                if (heard != wanted) {
                    run_fault("%d %s message %d of %d to %s", k, wanted ? "lacks" : "got", number,
                              from->life, teams[team]);
                }
            }
            number += from->views[team].joined ? 1 : 0;
        }
    }
}

static void be_calm(void)
{
    run_log("calm");
    run.calm = true;
    sim_calm();
    sim_set_limit(1024);
    memory_calm();
    pass(CALM_SECONDS);
    for (int team = 0; team < TEAMS; team++) {
        check_team(team);
    }
    check_hearing();
}

static void end(void)
{
    for (int i = 0; i < NEIGHBOURS; i++) {
        if (neighbours[i].discovery != NULL) {
            unmake(&neighbours[i]);
        }
    }
    for (int i = 0; i < CLUSTERS; i++) {
        clusters[i] = plx_group_free(clusters[i]);
    }
    if (memory_live() != 0) {
        run_fault("%d blocks are left", (int)memory_live());
    }
    sim_advance(sim_now() + 600 * SECOND);
    if (sim_open_descriptors() != 0) {
        sim_list_descriptors();
        run_fault("%d descriptors are open", sim_open_descriptors());
    }
    sim_end();
}

static uint64_t play(uint64_t seed)
{
    alarm(60);
    begin(seed);
    for (int step = 0; step < STEPS; step++) {
        act(0);
        check_lists();
        if (happens(20)) {
            sim_advance(sim_now() + sim_chance(happens(5) ? 60 * SECOND : 3 * SECOND));
        }
    }
    be_calm();
    end();
    return run_notes.digest;
}

int main(int count, char **arguments)
{
    const char *one = getenv("POLLUX_SEED");
    int seeds = one != NULL ? 1 : count > 1 ? atoi(arguments[1]) : 40;
    uint64_t first = strtoull(one != NULL ? one : count > 2 ? arguments[2] : "1", NULL, 10);
    run_prepare("tests/sim/neighbours");
    for (uint64_t seed = first; seed < first + (uint64_t)seeds; seed++) {
        uint64_t digest = play(seed);
        if (!run_notes.prints && play(seed) != digest) {
            run_fault("the second log differs from the first");
        }
    }
    printf("%d seeds twice: %llu calls, %llu events, %llu of them messages\n", seeds,
           (unsigned long long)run.calls, (unsigned long long)run.events,
           (unsigned long long)run.messages);
    printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", seeds);
    return 0;
}
