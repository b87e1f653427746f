/* tests/sim/world.c -- the seed, the clock, the events and the table of descriptors. */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdio.h>
#include <stdlib.h>

struct sim_kernel sim;

static const char *const fault_names[SIM_FAULTS] = {
    [SIM_AGAIN] = "EAGAIN",
    [SIM_SHORT] = "short count",
    [SIM_INTR] = "EINTR",
    [SIM_MFILE] = "EMFILE",
    [SIM_NFILE] = "ENFILE",
    [SIM_NOBUFS] = "ENOBUFS",
    [SIM_NOMEM] = "ENOMEM",
    [SIM_PERM] = "EPERM",
    [SIM_ABORTED] = "ECONNABORTED",
    [SIM_UNREACHABLE] = "unreachable",
    [SIM_RESET] = "reset",
    [SIM_SILENT] = "SYN lost",
    [SIM_STALL] = "stall",
    [SIM_LOST] = "datagram lost",
    [SIM_DOUBLED] = "datagram doubled",
    [SIM_LATE] = "datagram late",
    [SIM_CUT_SEGMENT] = "small segment",
    [SIM_SPURIOUS] = "spurious readiness",
};

/* How often of 10 000 times, when a seed makes a fault frequent. */
static const unsigned frequent[SIM_FAULTS] = {
    [SIM_AGAIN] = 500,        [SIM_SHORT] = 2000,      [SIM_INTR] = 300,    [SIM_MFILE] = 100,
    [SIM_NFILE] = 60,         [SIM_NOBUFS] = 100,      [SIM_NOMEM] = 60,    [SIM_PERM] = 30,
    [SIM_ABORTED] = 200,      [SIM_UNREACHABLE] = 300, [SIM_RESET] = 6,     [SIM_SILENT] = 400,
    [SIM_STALL] = 6,          [SIM_LOST] = 1000,       [SIM_DOUBLED] = 300, [SIM_LATE] = 500,
    [SIM_CUT_SEGMENT] = 1500, [SIM_SPURIOUS] = 100,
};

const char *sim_fault_name(enum sim_fault fault)
{
    return fault_names[fault];
}

/* ---- chance ---------------------------------------------------------------------------------- */

/* splitmix64 (Steele and others 2014). */
static uint64_t next_number(void)
{
    uint64_t x = sim.chance += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t sim_chance(uint64_t count)
{
    return count == 0 ? 0 : next_number() % count;
}

bool sim_happens(enum sim_fault fault)
{
    bool of_call = fault <= SIM_PERM || fault == SIM_SPURIOUS;
    if (sim.calm || (sim.spares && of_call) || sim.rates[fault] == 0 ||
        sim_chance(10000) >= sim.rates[fault]) {
        return false;
    }
    sim.counts.faults[fault]++;
    return true;
}

size_t sim_short(size_t size)
{
    return size > 1 && sim_happens(SIM_SHORT) ? 1 + (size_t)sim_chance(size - 1) : size;
}

void sim_set_rate(enum sim_fault fault, unsigned of_10000)
{
    sim.rates[fault] = of_10000;
}

void sim_calm(void)
{
    sim.calm = true;
}

bool sim_spare(bool on)
{
    bool before = sim.spares;
    sim.spares = on;
    return before;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* A seed chooses which faults happen at all, and how far away the others are. */
static void draw(void)
{
    static const uint64_t distances[] = {0, 20000, 300000, 5000000, 40000000, 250000000};
    size_t far = (size_t)sim_chance(sizeof distances / sizeof *distances);
    sim.most_latency = distances[far];
    sim.least_latency = sim_chance(2) == 0 ? sim.most_latency / 2 : 0;
    for (int i = 0; i < SIM_FAULTS; i++) {
        sim.rates[i] = sim_chance(3) == 0 ? 0 : frequent[i] / (unsigned)(1 + sim_chance(6));
    }
}

void sim_begin(uint64_t seed)
{
    if (sim.begun) {
        sim_end();
    }
    sim = (struct sim_kernel){.seed = seed,
                              .chance = seed * UINT64_C(0xD1342543DE82EF95) + 1,
                              .now = 1000 * SIM_SECOND,
                              .limit = 1024,
                              .ports = 32768,
                              .numbers = 2,
                              .begun = true};
    sim_set_file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
    if (seed != 0) {
        draw();
        sim.ports += sim_chance(20000);
    }
}

static void free_open(struct sim_open *open)
{
    sim_bytes_free(&open->in);
    sim_bytes_free(&open->out);
    while (open->first != NULL) {
        struct sim_message *message = open->first;
        open->first = message->next;
        free(message->passed);
        free(message);
    }
    while (open->refusals != NULL) {
        struct sim_refusal *refusal = open->refusals;
        open->refusals = refusal->next;
        free(refusal);
    }
    free(open->name);
    free(open);
}

static void free_list(struct sim_open **list)
{
    while (*list != NULL) {
        struct sim_open *open = *list;
        *list = open->next_of_all;
        free_open(open);
    }
}

void sim_end(void)
{
    for (size_t i = 0; i < sim.event_count; i++) {
        if (sim.events[i]->message != NULL) {
            free(sim.events[i]->message->passed);
            free(sim.events[i]->message);
        }
        free(sim.events[i]);
    }
    free(sim.events);
    free_list(&sim.all);
    free_list(&sim.over);
    while (sim.nodes != NULL) {
        struct sim_node *node = sim.nodes;
        sim.nodes = node->next;
        free(node->path);
        free(node->contents);
        free(node);
    }
    sim.events = NULL;
    sim.event_count = 0;
    sim.begun = false;
}

const struct sim_counts *sim_counts(void)
{
    return &sim.counts;
}

/* ---- events: a heap by moment, and by order within a moment ---------------------------------- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void rise(size_t at)
{
    while (at > 0 && is_before(sim.events[at], sim.events[(at - 1) / 2])) {
        struct sim_event *other = sim.events[(at - 1) / 2];
        sim.events[(at - 1) / 2] = sim.events[at];
        sim.events[at] = other;
        at = (at - 1) / 2;
    }
}

static void sink(void)
{
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < sim.event_count; child++) {
            least = is_before(sim.events[child], sim.events[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        struct sim_event *other = sim.events[least];
        sim.events[least] = sim.events[at];
        sim.events[at] = other;
        at = least;
    }
}

struct sim_event *sim_schedule(uint64_t at, void (*run)(struct sim_event *), struct sim_open *to)
{
    struct sim_event *event = calloc(1, sizeof *event);
    if (sim.event_count == sim.event_capacity) {
        sim.event_capacity = sim.event_capacity == 0 ? 64 : 2 * sim.event_capacity;
        sim.events = realloc(sim.events, sim.event_capacity * sizeof(struct sim_event *));
    }
    event->at = at;
    event->order = sim.order++;
    event->run = run;
    event->to = to;
    sim.events[sim.event_count++] = event;
    rise(sim.event_count - 1);
    return event;
}

void sim_run(void)
{
    while (sim.event_count > 0 && sim.events[0]->at <= sim.now) {
        struct sim_event *event = sim.events[0];
        sim.events[0] = sim.events[--sim.event_count];
        sink();
        sim.counts.events++;
        event->run(event);
        free(event);
    }
}

void sim_enter(void)
{
    if (!sim.begun) {
        sim_begin(0);
    }
    sim.now += 1000;
    sim.counts.calls++;
    sim_run();
}

uint64_t sim_now(void)
{
    return sim.now;
}

uint64_t sim_next(void)
{
    return sim.event_count > 0 ? sim.events[0]->at : 0;
}

void sim_advance(uint64_t moment)
{
    while (sim.event_count > 0 && sim.events[0]->at <= moment) {
        sim.now = sim.events[0]->at > sim.now ? sim.events[0]->at : sim.now;
        sim_run();
    }
    sim.now = moment > sim.now ? moment : sim.now;
}

void sim_set_idle(uint64_t (*run)(void *user), void *user)
{
    sim.idle = run;
    sim.idle_user = user;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* Moves what is over out of the list in which names are looked for. */
static void bury(void)
{
    struct sim_open **place = &sim.all;
    while (*place != NULL) {
        struct sim_open *open = *place;
        if (open->dead && open->state == SIM_CLOSED) {
            *place = open->next_of_all;
            open->next_of_all = sim.over;
            sim.over = open;
        } else {
            place = &open->next_of_all;
        }
    }
}

struct sim_open *sim_new(enum sim_sort sort)
{
    if (++sim.made % 64 == 0) {
        bury();
    }
    struct sim_open *open = calloc(1, sizeof *open);
    open->sort = sort;
    open->last = &open->first;
    open->next_of_all = sim.all;
    sim.all = open;
    sim.counts.sockets += sort < SIM_WAKE;
    return open;
}

int sim_give(struct sim_open *open)
{
    for (int i = 3; i < sim.limit && i < SIM_TABLE; i++) {
        if (sim.table[i] == NULL) {
            sim.table[i] = open;
            open->references++;
            return i;
        }
    }
    return -EMFILE;
}

struct sim_open *sim_of(plx__fd descriptor)
{
    return descriptor >= 0 && descriptor < SIM_TABLE ? sim.table[descriptor] : NULL;
}

struct sim_open *sim_socket_of(plx__fd descriptor, int *ret_error)
{
    struct sim_open *open = sim_of(descriptor);
    if (open != NULL && open->sort < SIM_WAKE) {
        return open;
    }
    *ret_error = open == NULL ? -EBADF : -ENOTSOCK;
    return NULL;
}

void sim_drop(struct sim_open *open)
{
    if (--open->references > 0) {
        return;
    }
    open->dead = true;
    if (open->sort == SIM_TCP) {
        sim_tcp_close(open);
    } else if (open->sort == SIM_STREAM || open->sort == SIM_PACKET) {
        sim_unix_close(open);
    } else if (open->sort == SIM_FILE) {
        sim_file_close(open);
    }
    sim_queue_clear(open);
}

int sim_descriptors_of_table(void)
{
    int count = 0;
    for (int i = 0; i < SIM_TABLE; i++) {
        count += sim.table[i] != NULL;
    }
    return count;
}

int sim_open_descriptors(void)
{
    int count = 0;
    for (const struct sim_open *open = sim.all; open != NULL; open = open->next_of_all) {
        count += open->references;
    }
    return count;
}

void sim_list_descriptors(void)
{
    static const char *const sorts[] = {"tcp", "udp", "unix stream", "unix packet", "wake", "file"};
    for (int i = 0; i < SIM_TABLE; i++) {
        const struct sim_open *open = sim.table[i];
        if (open != NULL) {
            printf("  %d: %s, state %d, port %d, peer's port %d, %s\n", i, sorts[open->sort],
                   (int)open->state, open->local.port, open->remote.port,
                   open->name == NULL ? "" : open->name);
        }
    }
}

void sim_set_limit(int count)
{
    sim.limit = count;
}
