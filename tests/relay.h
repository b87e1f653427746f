/* tests/relay.h -- a network path that loses, delays, reorders and doubles packets as a case wants.
 *
 *       near network                  a thread of the test              far network
 *     10.77.0.1 on "near" ──TUN──→ [ packets with a moment each ] ──TUN──→ "far" 10.77.0.2
 *
 * Two TUN devices (Linux, Documentation/networking/tuntap), each in a network namespace of the case
 * (netns.h), are joined by a thread that reads the packets of one and writes them to the other.
 * tc-netem(8) does the same inside the kernel, but many kernels lack the module, netem draws from
 * the kernel's random numbers, and it cannot say which packets it dropped. The relay works wherever
 * there is TUN, draws the fate of the n-th packet of a direction from POLLUX_SEED and n alone, and
 * counts every packet: so a case can expect exact sums.
 *
 * The two networks carry IPv4 only, so that no packet travels which the case did not cause. */
#ifndef POLLUX_TESTS_RELAY_H
#define POLLUX_TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/suite.h"
#include "tests/world.h"

#define RELAY_NEAR "10.77.0.1"
#define RELAY_FAR "10.77.0.2"

/* Which way packets go. */
enum relay_way { RELAY_OUT, RELAY_BACK, RELAY_WAYS };

/* What happens to packets, both ways. All zero: they pass at once. */
struct relay_weather {
    int delay;   /* milliseconds that each packet takes */
    int lost;    /* of 1000 packets */
    int late;    /* of 1000 packets, which take `later` milliseconds more: others overtake them */
    int later;   /* milliseconds */
    int doubled; /* of 1000 packets, which arrive twice */
    bool cut;    /* the cable is cut: nothing passes, also of what is under way */
};

/* What the relay did with packets of UDP, and with all packets. */
struct relay_count {
    uint64_t entered, lost, late, doubled, delivered;
};

struct relay {
    int far; /* the far network, for netns_in */
    struct relay_engine *engine;
};

/* relay_open enters a new network, makes the far one and joins them, in fine weather. Returns
 * false, after a line on stderr that names `what`, where that is not possible. relay_close ends the
 * thread and closes the descriptors. */
bool relay_open(struct relay *relay, const char *what);
void relay_close(struct relay *relay);

/* relay_set changes the weather from the next packet on. */
void relay_set(struct relay *relay, const struct relay_weather *weather);

/* relay_count returns the counts of one way since relay_open: of UDP alone, or of all packets. */
struct relay_count relay_count(struct relay *relay, enum relay_way way, bool udp_alone);

/* relay_is_empty returns whether no packet is under way. */
bool relay_is_empty(struct relay *relay);

/* relay_far_run runs a shell command in the far network, as netns_run does in this one. */
void relay_far_run(struct relay *relay, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- cases ----------------------------------------------------------------------------------- */

/* RELAY_CASE(name) { ... } runs in each chosen way of polling (world_chosen_modes), with a `relay`
 * and a world `w` of the program's kind. The relay exists before the world and after it. */
#define RELAY_CASE(name)                                                                           \
    static void name##_relayed(struct world *w, struct relay *relay);                              \
    LOOP_CASE(name, 0, relay_runs())                                                               \
    {                                                                                              \
        relay_case(_i, #name, name##_relayed);                                                     \
    }                                                                                              \
    static void name##_relayed(struct world *w, struct relay *relay)
int relay_runs(void);
void relay_case(int run, const char *name, void (*body)(struct world *w, struct relay *relay));

/* RELAY_MAIN is WORLD_MAIN for a program of RELAY_CASEs. Where networks of the test's own are
 * refused, the whole program counts as skipped (exit status 77, Automake's). */
#define RELAY_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return relay_main(&(struct suite_program){.name = __VA_ARGS__});                           \
    }
int relay_main(const struct suite_program *program);

/* ---- sockets on both sides ------------------------------------------------------------------- */

/* Two sockets that are to send each other the pattern, one in each network. */
struct relay_pair {
    plx_socket *near, *far;
    struct record near_log, far_log;
};

/* relay_pair_begin makes both sockets and connects `near` with `far`, which listens in the far
 * network. Their records swallow what arrives and leave out what moving bytes reports.
 * relay_listen makes a socket listen there, and sets *ret_where to what reaches it. */
void relay_pair_begin(struct world *w, struct relay *relay, struct relay_pair *pair);
void relay_listen(struct relay *relay, plx_socket *far, char *ret_where);

/* RELAY_UNTIL is UNTIL for what may take a minute. */
#define RELAY_UNTIL(world, condition)                                                              \
    do {                                                                                           \
        for (int round_ = 0; !(condition); round_++) {                                             \
            ck_assert_msg(round_ < 6 * ROUNDS, "%s: in vain: %s", world_name(world), #condition);  \
            world_turn(world, round_);                                                             \
        }                                                                                          \
    } while (0)

#endif
