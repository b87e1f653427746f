/* tests/model/settle.c -- what must hold once nothing moves any more, and after two polls. */
#include "config.h"

#include "tests/model/commands.h"
#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/player.h"
#include "tests/model/route.h"
#include "tests/model/supply.h"
#include "tests/model/time.h"
#include "tests/model/timeouts.h"

#include <stdlib.h>

enum { MOST = 200, ROUNDS = 4000, QUIET_ROUNDS = 6, USUAL = 20000 };

/* All sockets that live, with the clients of servers. */
static int sockets_of(struct model *ret_models[MOST])
{
    int count = 0;

    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] != NULL)
            ret_models[count++] = player.sockets[i];
    for (int i = 0; i < SERVERS; i++) {
        const plx_server *server = player.houses[i].server;
        plx_socket *client = server == NULL ? NULL : plx_server_next_active(server, NULL);

        for (; client != NULL && count < MOST; client = plx_server_next_active(server, client))
            if (model_of(client) != NULL)
                ret_models[count++] = model_of(client);
    }
    return count;
}

/* ---- within two polls ------------------------------------------------------------------------ */

/* What the kernel and the socket knew. */
struct knowledge {
    int ready;
    plx_state state;
    plx_statistics counts;
    size_t unread, unsent;
};

static struct knowledge knowledge_of(const struct model *model)
{
    const plx_socket *socket = model->socket;
    struct knowledge now = {.ready = ground_ready(plx_socket_handle(socket)),
                            .state = plx_socket_state(socket),
                            .unread = plx_socket_bytes_available(socket),
                            .unsent = plx_socket_bytes_left_to_send(socket)};

    plx_socket_statistics(socket, &now.counts);
    return now;
}

static bool may_receive(const struct model *model)
{
    int limit = model_option(model, PLX_OPTION_READ_LIMIT);
    size_t unread = plx_socket_bytes_available(model->socket); /* of the first record */

    return !model->has_input_end &&
           (limit <= 0 || (model_is_stream(model) ? unread < (size_t)limit : unread == 0));
}

static bool has_moved(const struct knowledge *before, const struct knowledge *after)
{
    return before->state != after->state ||
           before->counts.bytes_received != after->counts.bytes_received ||
           before->counts.messages_received != after->counts.messages_received ||
           before->counts.bytes_sent != after->counts.bytes_sent;
}

/* A listener whose accept has failed makes a pause. */
static bool is_pausing(const struct model *model)
{
    return plx_socket_is_listening(model->socket) &&
           (model->line == LINE_CALL_ERROR || (player.program->starves && !ground_is_simulated()));
}

/* Compares the socket with what the kernel knew before, and still knows after two polls. */
static void expect_served(const struct model *model, const struct knowledge *before)
{
    struct knowledge after = knowledge_of(model);
    int ready = before->ready & after.ready;
    bool open =
        after.state == PLX_CONNECTED || after.state == PLX_BOUND || after.state == PLX_LISTENING;

    /* The peer has ended, which is reported once the queue is empty. */
    bool sends_on = (after.ready & GROUND_PEER_ENDED) != 0 && after.unsent > 0;

    if (!open || has_moved(before, &after) || model_is_filtered(model) || is_pausing(model))
        return;
    if ((ready & GROUND_READABLE) != 0 && may_receive(model) &&
        !plx_socket_end_of_file(model->socket) && !sends_on)
        fault("end %u in %s: the kernel has bytes, and two polls received none", model->end->number,
              plx_state_name(after.state));
    if ((ready & GROUND_ENDED) != 0 && after.state == PLX_CONNECTED && model->sort != SORT_UDP &&
        may_receive(model) == !model->has_input_end)
        fault("end %u: the kernel knows the end, and two polls did not report it",
              model->end->number);
    if ((ready & (GROUND_WRITABLE | GROUND_ENDED)) == GROUND_WRITABLE &&
        after.state == PLX_CONNECTED && before->unsent > 0 && after.unsent > 0 &&
        model->sort != SORT_UDP)
        fault("end %u: the kernel has room, and two polls sent none of %zu bytes",
              model->end->number, after.unsent);
}

/* Polls as often as the smallest budget wants it: each poll serves at least one member. */
static void poll_budget(plx_group *group)
{
    int left = 4 + 2 * ((int)plx_group_count(group) + guests_in(group));

    plx_group_set_budget(group, 1, 0);
    do
        plx_group_wake(group); /* to find that costs time, too */
    while (poll_group(group, 0) && left-- > 0);
    plx_group_set_budget(group, 0, 0);
}

void call_react(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    struct knowledge before;
    bool alone = chance_in(&turn->chance, 50), is_due;

    if (model == NULL || polls_running() > 0 || supply_has_refused() || player.program->starves ||
        model->end == NULL || model->owner != NULL)
        return;
    if (person_of(model) != NULL)
        person_say(person_of(model), 50);
    trace("two polls of %u", model->end->number);
    player.settling = true;
    ground_spare(true);
    before = knowledge_of(model);
    is_due = (before.ready & GROUND_READABLE) != 0 && route_is_due(model) && !ground_is_busy();
    for (int i = 0; i < 2; i++) {
        if (alone || model->was_taken)
            poll_socket(model);
        else if (model->group == NULL)
            poll_all();
        else
            poll_budget(model->group);
    }
    ground_spare(false);
    player.settling = false;
    expect_served(model, &before);
    if (is_due)
        route_expect_known(model);
}

/* ---- at rest --------------------------------------------------------------------------------- */

static void read_everything(void)
{
    struct model *models[MOST];
    int count = sockets_of(models);

    for (int i = 0; i < count; i++)
        take_all(models[i]);
    people_accept();
    for (int i = 0; i < PEERS; i++)
        if (player.people[i].used && player.people[i].peer >= 0)
            person_hear(&player.people[i], PEER_LONGEST);
    names_serve();
    guests_rest();
}

static bool wants_a_poll(void)
{
    for (int i = 0; i < GROUPS; i++)
        if (player.groups[i] != NULL && plx_group_deadline(player.groups[i]) == 0)
            return true;
    return false;
}

static void prepare(void)
{
    struct model *models[MOST];
    int count;

    supply_refuse(0);
    ground_feed();
    ground_calm();
    guests_stop();
    count = sockets_of(models);
    for (int i = 0; i < count; i++) {
        plx_socket_set_option(models[i]->socket, PLX_OPTION_READ_LIMIT, 0);
        if (models[i]->sort != SORT_UDP)
            plx_socket_set_option(models[i]->socket, PLX_OPTION_AUTO_CONNECT, 0);
    }
    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].server != NULL)
            plx_server_set_option(player.houses[i].server, PLX_OPTION_READ_LIMIT, 0);
    for (int i = 0; i < GROUPS; i++)
        if (player.groups[i] != NULL)
            plx_group_set_budget(player.groups[i], 0, 0);
}

/* How many bytes all sockets have received and sent: no handler may hear of a part of a message. */
static uint64_t bytes_of_all(void)
{
    struct model *models[MOST];
    int count = sockets_of(models);
    uint64_t sum = 0;

    for (int i = 0; i < count; i++) {
        plx_statistics counts;

        plx_socket_statistics(models[i]->socket, &counts);
        sum += counts.bytes_received + counts.bytes_sent;
    }
    return sum;
}

/* Polls and reads until nothing moves for some rounds. */
static void come_to_rest(void)
{
    int quiet = 0;

    for (int round = 0; quiet < QUIET_ROUNDS; round++) {
        long before = player.moved;
        uint64_t bytes = bytes_of_all();
        bool more, still;

        read_everything();
        poll_members();
        still = player.moved == before && bytes_of_all() == bytes;
        more = wants_a_poll() || ground_is_busy();
        time_jump(quiet > 2 ? 150 : 1); /* a listener pauses for 100 ms */
        if (still)
            ground_pause(quiet > 2 ? 500 : 50);
        quiet = still && !more ? quiet + 1 : 0;
        if (round == ROUNDS) {
            fault("never at rest");
            return;
        }
    }
}

/* A question or an answer that is lost is repeated after seconds, which cost nothing in
 * simulation. */
static void find_names(void)
{
    for (int i = 0; i < 60 && names_are_known() && ground_is_simulated(); i++) {
        read_everything();
        poll_members();
        ground_pause(500);
    }
}

/* What the kernel still knows of a socket at rest is known to the socket. */
static void expect_known(const struct model *model)
{
    struct knowledge before = knowledge_of(model);

    expect_served(model, &before);
    route_expect_known(model);
    if (model->pending != 0 && model->sort != SORT_UDP)
        fault("end %u: the error %d of a call was never reported",
              model->end == NULL ? 0 : model->end->number, model->pending);
    if (model->phase == PHASE_UP && before.state == PLX_UNCONNECTED && !model->reconnects)
        fault("end %u ended without disconnected", model->end->number);
    if (model->phase == PHASE_TRYING && before.state == PLX_CONNECTED && !model->reconnects &&
        model->sort != SORT_UDP)
        fault("end %u is connected, and connected was not reported", model->end->number);
}

/* What one living end has sent is what the other living end has received. A small window of TCP
 * makes a sender wait for its timer (RFC 9293, 3.8.6.2). */
static void expect_arrived(const struct model *model)
{
    const struct end *end = model->end, *from = end == NULL ? NULL : end->from;
    plx_state state = plx_socket_state(model->socket);

    if (from == NULL || state != PLX_CONNECTED || end->blind || from->noise ||
        (from->gone && from->outlet != OUTLET_ENDED) || !from->raw || model->reconnects ||
        (model->sort == SORT_TCP && model_option(model, PLX_OPTION_RECEIVE_BUFFER_SIZE) < USUAL))
        return;
    if (model_is_stream(model) && end->got + plx_socket_bytes_available(model->socket) != from->put)
        fault("end %u received %llu bytes of %llu from end %u", end->number,
              (unsigned long long)end->got, (unsigned long long)from->put, from->number);
    if (from->outlet == OUTLET_ENDED && model_option(model, PLX_OPTION_HALF_OPEN) == 0 &&
        !model->has_input_end && model->sort != SORT_UDP)
        fault("end %u is connected to end %u, which has ended", end->number, from->number);
}

/* What a socket has sent has arrived at the raw peer, which has read all. A peer that has ended
 * ends a disconnect before it has acknowledged the last bytes: a network that breaks the connection
 * then loses them, and there is no socket any more that could report it. */
static void expect_heard(const struct person *person)
{
    const struct end *end = person->end, *from = end->from;
    bool broken = ground_cuts() && person->heard_end == PEER_RESET;

    if (from == NULL || from->noise || end->blind || person->peer < 0 || broken)
        return;
    if (from->outlet == OUTLET_ENDED && !from->raw && person->sort < SORT_SEQPACKET &&
        !flavour_has_frame(person->flavour) && end->got != from->put)
        fault("end %u heard %llu bytes of %llu", end->number, (unsigned long long)end->got,
              (unsigned long long)from->put);
}

/* A peer that a server did not report is not turned away while the server listens. */
static void expect_served_peer(const struct person *person)
{
    const struct house *house = person->house;

    if (house == NULL || person->sort != SORT_TCP || ground_cuts() || person->accepted ||
        person->reset || person->peer < 0 || house->server == NULL ||
        house->listening != person->listening || house->turned_away == house->listening ||
        house->flavour != FLAVOUR_PLAIN)
        return;
    if (person->heard_end != 0 && person->heard_end != PEER_UNANSWERED)
        fault("end %u was turned away, and no handler has done it", person->end->number);
}

/* ---- time-outs ------------------------------------------------------------------------------- */

static void follow(bool first)
{
    struct model *models[MOST];
    int count = sockets_of(models);

    for (int i = 0; i < count; i++)
        timeouts_follow(models[i], first);
}

/* Polls while the short time-outs pass several times: what passes between two polls counts as a
 * quarter of a time-out at most, and only when its time is over does a socket learn that the peer
 * has confirmed bytes meanwhile. */
static void expect_timeouts(void)
{
    enum { QUARTERS = 16 };
    struct model *models[MOST];
    int count = sockets_of(models), longest = 0;

    for (int i = 0; i < count; i++)
        if (timeouts_longest(models[i]) > longest)
            longest = timeouts_longest(models[i]);
    follow(true);
    for (int i = 0; i < QUARTERS && longest > 0; i++) {
        if (!time_pass(longest / 4 + 1))
            return;
        poll_members();
        follow(false);
    }
    poll_members();
    follow(false);
    count = sockets_of(models);
    for (int i = 0; i < count; i++)
        timeouts_expect_over(models[i]);
}

/* ---- sleep ----------------------------------------------------------------------------------- */

/* The longest of some polls of 3 ms lasts more than a moment: a group with nothing to do sleeps. A
 * jump of the clock may have made a deadline due, so that only every second poll follows one. */
static void expect_sleep(plx_group *group, int slot)
{
    uint64_t longest = 0;

    for (int i = 0; i < 20 && longest < 1500000; i++) {
        uint64_t begin = ground_now();

        poll_group(group, 3);
        if (ground_now() - begin > longest)
            longest = ground_now() - begin;
        time_jump(i % 2);
    }
    if (longest < 1000000)
        fault("group %d (%s) does not sleep", slot, plx_group_mechanism(group));
}

static void expect_lone_sleep(struct model *model)
{
    uint64_t longest = 0;

    for (int i = 0; i < 20 && longest < 1500000; i++) {
        uint64_t begin = ground_now();

        if (plx_socket_state(model->socket) == PLX_UNCONNECTED)
            return;
        poll_begin(true);
        plx_socket_wait(model->socket, 3);
        poll_end();
        if (ground_now() - begin > longest)
            longest = ground_now() - begin;
        time_jump(i % 2);
    }
    if (longest < 1000000)
        fault("a wait of end %u in %s does not sleep", model->end->number,
              plx_state_name(plx_socket_state(model->socket)));
}

void play_settle(void)
{
    struct model *models[MOST];
    int count;

    player.settling = true;
    prepare();
    come_to_rest();
    find_names();
    if (player.program->proxies)
        come_to_rest(); /* what was found may be a proxy's name */
    count = sockets_of(models);
    for (int i = 0; i < count; i++) {
        expect_known(models[i]);
        if (flavour_has_commands(models[i]->flavour))
            command_expect_known(models[i]);
        names_expect_found(models[i]);
    }
    queries_expect_found();
    for (int i = 0; i < count; i++)
        expect_arrived(models[i]);
    for (int i = 0; i < PEERS; i++) {
        if (player.people[i].used) {
            expect_heard(&player.people[i]);
            expect_served_peer(&player.people[i]);
        }
    }
    if (!fault_found())
        expect_timeouts();
    for (int i = 0; i < GROUPS && !fault_found(); i++)
        if (player.groups[i] != NULL)
            expect_sleep(player.groups[i], i);
    count = sockets_of(models); /* a server frees clients that have ended meanwhile */
    if (count > 0 && !fault_found() && models[0]->end != NULL)
        expect_lone_sleep(models[0]);
    player.settling = false;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void free_slot(int slot)
{
    struct model *model = player.sockets[slot];

    player.sockets[slot] = NULL;
    if (model == NULL)
        return;
    plx_socket_free(model->socket);
    model_forget(model);
}

static void free_house(int slot)
{
    plx_server *server = player.houses[slot].server;

    models_forget_owner(&player.houses[slot]);
    player.houses[slot].server = NULL;
    player.houses[slot].group = NULL;
    plx_server_free(server);
}

static void free_group(int slot)
{
    plx_group *group = player.groups[slot];

    player.groups[slot] = NULL;
    models_forget_group(group);
    plx_group_free(group);
}

/* Frees some objects in any order, with polls between them, and then the rest. */
void play_free(void)
{
    struct chance chance = chance_for(player.program->seed, LIST_FREE, 0);

    player.settling = true;
    for (int i = 0; i < 10; i++) {
        int what = chance_of(&chance, player.program->daemons ? 4 : 3);

        if (what == 0)
            free_slot(chance_of(&chance, SOCKETS));
        else if (what == 1)
            free_house(chance_of(&chance, SERVERS));
        else if (what == 3)
            guests_free(&chance);
        else
            free_group(chance_of(&chance, GROUPS));
        if (chance_in(&chance, 30))
            poll_all();
    }
    for (int i = 0; i < SERVERS; i++)
        free_house(i);
    for (int i = 0; i < SOCKETS; i++)
        free_slot(i);
    for (int i = 0; i < GROUPS; i++)
        free_group(i);
    guests_end();
}
