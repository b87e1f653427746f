/* tests/soak/crowd.c -- the visitors: thousands that stay and sometimes chat, and guests. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/counting.h"
#include "tests/soak/soak.h"

enum { WAVE = 400, LONGEST = 2048, CHATS = 2000 };

/* One that stays: what it sends comes back, byte for byte. */
struct member {
    plx_socket *socket;
    uint64_t number, sent, received;
};

static struct {
    plx_group *group;
    struct member *members;
    size_t count, connected;
    uint64_t owed; /* bytes that have not come back */
    bool is_leaving;
    struct soak_report report;
} crowd;

/* ---- handlers -------------------------------------------------------------------------------- */

static void on_connected(plx_socket *socket, void *user)
{
    (void)socket;
    (void)user;
    crowd.connected++;
    crowd.report.connections++;
}

static void on_data(plx_socket *socket, void *user)
{
    struct member *member = user;
    size_t size;
    const unsigned char *data = plx_socket_read_all(socket, &size);

    for (size_t i = 0; i < size; i++)
        if (data[i] != soak_byte(member->number, member->received + i))
            soak_fail("crowd", "a wrong byte came back at", (long long)(member->received + i));
    member->received += size;
    crowd.owed -= size;
    crowd.report.bytes += size;
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct member *member = user;

    (void)socket;
    fprintf(stderr, "soak %s: crowd: member %llu: %s\n", soak_name,
            (unsigned long long)member->number, error->message);
    exit(EXIT_FAILURE);
}

static const plx_events events = {
    .connected = on_connected, .data_available = on_data, .error = on_error};

/* ---- coming and chatting --------------------------------------------------------------------- */

/* In waves, so that the queue of a listener never overflows. */
static void come(const struct soak_plan *plan)
{
    for (size_t i = 0; i < crowd.count; i++) {
        struct member *member = &crowd.members[i];
        int which = i < plan->stay[0] ? SOAK_STAY_TCP : SOAK_STAY_IPC;

        member->number = i;
        member->socket = which == SOAK_STAY_TCP ? plx_tcp_new() : plx_ipc_new();
        plx_socket_set_events(member->socket, &events, member);
        if (plx_group_add(crowd.group, member->socket) != 0 ||
            plx_socket_connect_to(member->socket, plan->where[which]) != 0)
            soak_fail("crowd", "connect", plx_socket_last_error(member->socket));
        while (i + 1 - crowd.connected >= WAVE)
            meter_poll(crowd.group, 100);
    }
    while (crowd.connected < crowd.count)
        meter_poll(crowd.group, 100);
}

static void say(struct member *member)
{
    unsigned char data[LONGEST];
    size_t size = 1 + soak_chance(LONGEST);

    for (size_t i = 0; i < size; i++)
        data[i] = soak_byte(member->number, member->sent + i);
    if (plx_socket_write(member->socket, data, size) != (ptrdiff_t)size)
        soak_fail("crowd", "write", plx_socket_last_error(member->socket));
    member->sent += size;
    crowd.owed += size;
}

/* A round: some of those that stay chat while guests come and go. */
static void play_round(const struct soak_plan *plan)
{
    int64_t end = soak_now() + 60000;
    bool guests = true, attackers = true;

    for (int i = 0; i < CHATS; i++)
        say(&crowd.members[soak_chance((uint32_t)crowd.count)]);
    soak_guests_begin(plan, crowd.group, &crowd.report);
    soak_attackers_begin(plan, &crowd.report);
    while (guests || attackers || crowd.owed > 0) {
        meter_poll(crowd.group, 1);
        guests = guests && soak_guests_turn();
        attackers = attackers && soak_attackers_turn();
        if (soak_now() > end)
            soak_fail("crowd",
                      guests      ? "guests do not get on; bytes that do not come back"
                      : attackers ? "the house does not end attackers"
                                  : "bytes that do not come back",
                      (long long)crowd.owed);
    }
    crowd.report.rounds++;
}

/* ---- resting and leaving --------------------------------------------------------------------- */

static void report(int channel)
{
    crowd.report.sample = meter_sample();
    crowd.report.peak_bytes = count_peak_bytes();
    crowd.report.peak_resident = meter_peak_resident();
    if (write(channel, &crowd.report, sizeof crowd.report) != sizeof crowd.report)
        soak_fail("crowd", "write", errno);
}

/* Returns whether to go on. */
static bool rest(int channel)
{
    char answer = 0;

    for (int frame = 0; frame < SOAK_REST; frame++)
        meter_poll(crowd.group, 0);
    report(channel);
    soak_rest_compare("crowd", crowd.report.rounds, &crowd.report.sample);
    if (read(channel, &answer, 1) != 1)
        soak_fail("crowd", "the house has ended early", errno);
    return answer == 'g';
}

/* Each in one of four ways. */
static void leave(void)
{
    for (size_t i = 0; i < crowd.count; i++) {
        plx_socket *socket = crowd.members[i].socket;

        switch (soak_chance(4)) {
        case 0: plx_socket_disconnect(socket); continue;
        case 1: plx_socket_abort(socket); break;
        case 2: plx_socket_close(socket); break;
        default: break;
        }
        crowd.members[i].socket = plx_socket_free(socket);
    }
    for (int frame = 0; frame < 20; frame++)
        meter_poll(crowd.group, 1);
    for (size_t i = 0; i < crowd.count; i++)
        plx_socket_free(crowd.members[i].socket);
}

void soak_crowd(const struct soak_plan *plan, int channel)
{
    int descriptors = count_descriptors();

    soak_chance_begin(plan->seed);
    crowd.count = plan->stay[0] + plan->stay[1];
    crowd.members = calloc(crowd.count, sizeof *crowd.members);
    crowd.group = plx_group_new();
    if (crowd.members == NULL || crowd.group == NULL)
        soak_fail("crowd", "no memory", errno);
    plx_group_set_budget(crowd.group, 0, METER_BUDGET);
    come(plan);
    do {
        play_round(plan);
    } while (rest(channel));
    leave();
    plx_group_free(crowd.group);
    free(crowd.members);
    if (count_blocks() != 0 || count_descriptors() != descriptors)
        soak_fail("crowd", "left over: blocks", (long long)count_blocks());
    report(channel);
    exit(EXIT_SUCCESS);
}
