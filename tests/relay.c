/* tests/relay.c -- a network path in a test's hands. See relay.h. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/netns.h"
#include "tests/relay.h"

enum { PACKET_SIZE = 2048, PACKETS = 65536, PROTOCOL = 9 /* in the header of IPv4 */ };

/* A packet under way. The packets of a way form a list in the order of their moments. */
struct parcel {
    struct parcel *next;
    int64_t due; /* ns */
    size_t size;
    unsigned char data[PACKET_SIZE];
};

struct direction {
    int from, to; /* descriptors of devices */
    struct parcel *first;
    uint64_t number; /* of the next packet */
    struct relay_count all, udp;
};

/* The thread takes the lock for each round, and the case for each call. */
struct relay_engine {
    pthread_t thread;
    pthread_mutex_t lock;
    int devices[2], stop[2];
    uint64_t seed;
    struct relay_weather weather;
    struct direction ways[RELAY_WAYS];
};

/* ---- chance ---------------------------------------------------------------------------------- */

/* The fate of a packet depends on the seed, its way, its number and the question alone, and so not
 * on the moment at which the thread looks. The mixer is splitmix64's. */
static bool is_so(const struct relay_engine *engine, const struct direction *way, int question,
                  int of_thousand)
{
    uint64_t x = engine->seed + (way->number * 8 + (uint64_t)question * 2 +
                                 (uint64_t)(way == &engine->ways[RELAY_BACK])) *
                                    0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (int)((x ^ x >> 31) % 1000) < of_thousand;
}

/* ---- packets --------------------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Counts in one member, of all packets and, for a packet of UDP, of those. */
#define COUNT(way, data, member)                                                                   \
    ((way)->all.member++, (way)->udp.member += (data)[PROTOCOL] == IPPROTO_UDP)

/* Behind those that are due at the same moment, so that packets keep their order. */
static void insert(struct direction *way, struct parcel *parcel)
{
    struct parcel **place = &way->first;

    while (*place != NULL && (*place)->due <= parcel->due)
        place = &(*place)->next;
    parcel->next = *place;
    *place = parcel;
}

static void send_later(struct direction *way, const unsigned char *data, size_t size, int64_t due)
{
    struct parcel *parcel = malloc(sizeof *parcel);

    ck_assert_ptr_nonnull(parcel);
    parcel->due = due;
    parcel->size = size;
    memcpy(parcel->data, data, size);
    insert(way, parcel);
}

static void decide(struct relay_engine *engine, struct direction *way, const unsigned char *data,
                   size_t size)
{
    const struct relay_weather *weather = &engine->weather;
    int64_t due = now() + weather->delay * INT64_C(1000000);

    COUNT(way, data, entered);
    if (weather->cut || is_so(engine, way, 0, weather->lost)) {
        COUNT(way, data, lost);
    } else {
        if (is_so(engine, way, 1, weather->late)) {
            COUNT(way, data, late);
            due += weather->later * INT64_C(1000000);
        }
        send_later(way, data, size, due);
        if (is_so(engine, way, 2, weather->doubled)) {
            COUNT(way, data, doubled);
            send_later(way, data, size, due);
        }
    }
    way->number++;
}

/* At most as many packets in a row as a device queues. */
static void take_all(struct relay_engine *engine, struct direction *way)
{
    unsigned char data[PACKET_SIZE];

    for (int i = 0; i < 500; i++) {
        ssize_t size = read(way->from, data, sizeof data);

        if (size <= PROTOCOL)
            return;
        decide(engine, way, data, (size_t)size);
    }
}

static void deliver(struct relay_engine *engine, struct direction *way)
{
    int64_t moment = now();

    while (way->first != NULL && way->first->due <= moment) {
        struct parcel *parcel = way->first;

        way->first = parcel->next;
        if (!engine->weather.cut && write(way->to, parcel->data, parcel->size) > 0)
            COUNT(way, parcel->data, delivered);
        else
            COUNT(way, parcel->data, lost);
        free(parcel);
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* How long nothing is due: -1 for ever. */
static int64_t time_left(struct relay_engine *engine)
{
    int64_t due = -1;

    for (int i = 0; i < RELAY_WAYS; i++) {
        const struct parcel *parcel = engine->ways[i].first;

        if (parcel != NULL && (due < 0 || parcel->due < due))
            due = parcel->due;
    }
    if (due < 0)
        return -1;
    due -= now();
    return due < 0 ? 0 : due;
}

static void *work(void *argument)
{
    struct relay_engine *engine = argument;
    struct pollfd watched[3] = {{.fd = engine->devices[0], .events = POLLIN},
                                {.fd = engine->devices[1], .events = POLLIN},
                                {.fd = engine->stop[0], .events = POLLIN}};

    while (watched[2].revents == 0) {
        int64_t left;
        struct timespec time;

        pthread_mutex_lock(&engine->lock);
        for (int i = 0; i < RELAY_WAYS; i++) {
            take_all(engine, &engine->ways[i]);
            deliver(engine, &engine->ways[i]);
        }
        left = time_left(engine);
        pthread_mutex_unlock(&engine->lock);
        time = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        ppoll(watched, 3, left < 0 ? NULL : &time, NULL);
    }
    return NULL;
}

/* ---- the networks ---------------------------------------------------------------------------- */

static int refused(const char *what, const char *step)
{
    fprintf(stderr, "SKIP: %s: %s: %s\n", what, step, strerror(errno));
    return -1;
}

/* Makes a device in the present network. Returns its descriptor, or -1. */
static int open_device(const char *what, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (device < 0)
        return refused(what, "open /dev/net/tun");
    strcpy(request.ifr_name, name);
    if (ioctl(device, TUNSETIFF, &request) != 0) {
        close(device);
        return refused(what, "make a TUN device");
    }
    return device;
}

static int make_device(const char *what, const char *name, const char *address)
{
    int device = open_device(what, name);

    if (device < 0)
        return -1;
    /* One ICMP message a second would be all that a peer gets (icmp_ratelimit in icmp(7)). */
    netns_run("sysctl -qw net.ipv6.conf.%s.disable_ipv6=1 2>/dev/null; "
              "sysctl -qw net.ipv4.icmp_ratelimit=0 && "
              "ip addr add %s/24 dev %s && ip link set %s up txqueuelen 10000",
              name, address, name, name);
    return device;
}

/* The kernel retransmits after 5 ms instead of 200, so that a case with losses takes no minutes. */
static void hurry(const char *device)
{
    netns_run("ip route replace 10.77.0.0/24 dev %s rto_min 5ms", device);
}

static bool make_networks(struct relay *relay, const char *what)
{
    int home;

    if (!netns_enter(what))
        return false;
    relay->engine->devices[0] = make_device(what, "near", RELAY_NEAR);
    if (relay->engine->devices[0] < 0)
        return false;
    hurry("near");
    relay->far = netns_new();
    home = netns_in(relay->far);
    netns_run("ip link set lo up");
    relay->engine->devices[1] = make_device(what, "far", RELAY_FAR);
    hurry("far");
    netns_back(home);
    return relay->engine->devices[1] >= 0;
}

static uint64_t seed(void)
{
    const char *chosen = getenv("POLLUX_SEED");

    return chosen == NULL ? 1 : strtoull(chosen, NULL, 10);
}

bool relay_open(struct relay *relay, const char *what)
{
    struct relay_engine *engine = relay->engine = calloc(1, sizeof *engine);

    ck_assert_ptr_nonnull(engine);
    if (!make_networks(relay, what))
        return false;
    engine->seed = seed();
    for (int i = 0; i < RELAY_WAYS; i++) {
        engine->ways[i].from = engine->devices[i];
        engine->ways[i].to = engine->devices[!i];
    }
    ck_assert_int_eq(pipe2(engine->stop, O_CLOEXEC), 0);
    ck_assert_int_eq(pthread_mutex_init(&engine->lock, NULL), 0);
    ck_assert_int_eq(pthread_create(&engine->thread, NULL, work, engine), 0);
    return true;
}

static void drop_all(struct direction *way)
{
    for (struct parcel *parcel = way->first, *next; parcel != NULL; parcel = next) {
        next = parcel->next;
        free(parcel);
    }
}

void relay_close(struct relay *relay)
{
    struct relay_engine *engine = relay->engine;

    ck_assert_int_eq(write(engine->stop[1], "", 1), 1);
    pthread_join(engine->thread, NULL);
    for (int i = 0; i < 2; i++) {
        close(engine->devices[i]);
        close(engine->stop[i]);
        drop_all(&engine->ways[i]);
    }
    close(relay->far);
    free(engine);
}

/* ---- calls ----------------------------------------------------------------------------------- */

void relay_set(struct relay *relay, const struct relay_weather *weather)
{
    pthread_mutex_lock(&relay->engine->lock);
    relay->engine->weather = *weather;
    pthread_mutex_unlock(&relay->engine->lock);
}

struct relay_count relay_count(struct relay *relay, enum relay_way way, bool udp_alone)
{
    struct direction *direction = &relay->engine->ways[way];
    struct relay_count count;

    pthread_mutex_lock(&relay->engine->lock);
    count = udp_alone ? direction->udp : direction->all;
    pthread_mutex_unlock(&relay->engine->lock);
    return count;
}

bool relay_is_empty(struct relay *relay)
{
    bool empty = true;

    pthread_mutex_lock(&relay->engine->lock);
    for (int i = 0; i < RELAY_WAYS; i++)
        empty = empty && relay->engine->ways[i].first == NULL;
    pthread_mutex_unlock(&relay->engine->lock);
    return empty;
}

void relay_far_run(struct relay *relay, const char *format, ...)
{
    char command[1024];
    va_list arguments;
    int home = netns_in(relay->far);

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    netns_run("%s", command);
    netns_back(home);
}

/* ---- cases ----------------------------------------------------------------------------------- */

int relay_runs(void)
{
    enum mode modes[MODES];

    return world_chosen_modes(modes);
}

void relay_case(int run, const char *name, void (*body)(struct world *w, struct relay *relay))
{
    enum mode modes[MODES];
    struct relay relay;
    struct world world;

    world_chosen_modes(modes);
    if (!relay_open(&relay, name))
        return;
    world_begin_plain(&world, modes[run]);
    body(&world, &relay);
    world_end(&world);
    relay_close(&relay);
}

/* In a process of its own, because the networks of a process cannot be left; without an assertion,
 * which Check allows in cases only. */
static bool is_possible(void)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        bool alone = unshare(CLONE_NEWNS | CLONE_NEWNET) == 0;
        int result = alone ? open_device("a relay", "probe") : refused("a relay", "unshare");

        _exit(result >= 0 ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int relay_main(const struct suite_program *program)
{
    if (is_possible())
        return world_main(program);
    fprintf(stderr, "SKIPPED: ALL CASES OF %s\n", program->name);
    return 77;
}

/* ---- sockets on both sides ------------------------------------------------------------------- */

void relay_listen(struct relay *relay, plx_socket *far, char *ret_where)
{
    int home = netns_in(relay->far), code = plx_socket_listen_on(far, RELAY_FAR ":0");

    netns_back(home);
    ck_assert_int_eq(code, 0);
    snprintf(ret_where, WHERE_SIZE, "%s:%d", RELAY_FAR, plx_socket_port(far));
}

void relay_pair_begin(struct world *w, struct relay *relay, struct relay_pair *pair)
{
    char where[WHERE_SIZE];

    pair->near = world_socket(w, &pair->near_log);
    pair->far = world_socket(w, &pair->far_log);
    pair->near_log.swallow = pair->far_log.swallow = true;
    pair->near_log.mute = pair->far_log.mute =
        1u << EVENT_SEND_PROGRESS | 1u << EVENT_SEND_COMPLETE | 1u << EVENT_DATA_AVAILABLE;
    relay_listen(relay, pair->far, where);
    ck_assert_int_eq(plx_socket_connect_to(pair->near, where), 0);
    RELAY_UNTIL(w, plx_socket_is_connected(pair->near) && plx_socket_is_connected(pair->far));
    record_clear(&pair->near_log);
    record_clear(&pair->far_log);
}
