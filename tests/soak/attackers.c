/* tests/soak/attackers.c -- guests that mean harm, by plain system calls: they keep connections
 * half open, never read, send a byte now and then, vanish. The house has to end them, or to stand
 * them until they go. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/soak/soak.h"

enum { MOST = 1000 };

enum way {
    SILENT,             /* says nothing */
    HALF,               /* says half a thing, then nothing */
    GREEDY,             /* asks for ever and never reads */
    ENDING,             /* ends its sending side, and stays */
    PATIENT_,           /* the ways before are ended by the house; those behind end by themselves */
    TRICKLE = PATIENT_, /* a byte in each turn, and never reads */
    DEAF,               /* vanishes: no segment reaches it any more (TCP) */
    RESET,              /* resets at once (TCP) */
    WAYS
};

struct attacker {
    int descriptor; /* -1: gone */
    enum way way;
};

static struct {
    struct attacker attackers[MOST];
    size_t count;
    int64_t end;
    struct soak_report *report;
} band;

/* ---- system calls ---------------------------------------------------------------------------- */

static int connect_tcp(const char *where)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    char host[SOAK_WHERE];
    char *colon;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(host, where);
    colon = strchr(host, ':');
    *colon = '\0';
    name.sin_port = htons((uint16_t)atoi(colon + 1));
    if (descriptor < 0 || inet_pton(AF_INET, host, &name.sin_addr) != 1 ||
        connect(descriptor, (const struct sockaddr *)&name, sizeof name) != 0)
        soak_fail("attacker", "connect to TCP", errno);
    return descriptor;
}

static int connect_ipc(const char *where)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(name.sun_path, where);
    if (descriptor < 0 || connect(descriptor, (const struct sockaddr *)&name, sizeof name) != 0)
        soak_fail("attacker", "connect to IPC", errno);
    return descriptor;
}

/* Sends until the kernel takes no more, 16 pieces at most. */
static void push(int descriptor)
{
    static const unsigned char piece[16384];

    for (int i = 0; i < 16; i++)
        if (send(descriptor, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return;
}

static void vanish(int descriptor)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &drop};

    setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    send(descriptor, "where are you", 13, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void go(struct attacker *attacker)
{
    struct linger reset = {.l_onoff = 1};

    if (attacker->way == RESET)
        setsockopt(attacker->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(attacker->descriptor);
    attacker->descriptor = -1;
}

/* ---- a round --------------------------------------------------------------------------------- */

static void begin(struct attacker *attacker)
{
    switch (attacker->way) {
    case HALF: send(attacker->descriptor, "hal", 3, MSG_NOSIGNAL); break;
    case GREEDY: push(attacker->descriptor); break;
    case ENDING:
        send(attacker->descriptor, "good", 4, MSG_NOSIGNAL);
        shutdown(attacker->descriptor, SHUT_WR);
        break;
    case DEAF: vanish(attacker->descriptor); break;
    case RESET:
        send(attacker->descriptor, "bye", 3, MSG_NOSIGNAL);
        go(attacker);
        break;
    default: break;
    }
}

/* The connects block until there is room in the listener's queue; the house makes room. */
void soak_attackers_begin(const struct soak_plan *plan, struct soak_report *report)
{
    band.count = plan->attack < MOST ? plan->attack : MOST;
    band.report = report;
    band.end = soak_now() + 3 * SOAK_IDLE;
    for (size_t i = 0; i < band.count; i++) {
        struct attacker *attacker = &band.attackers[i];
        bool is_tcp = i % 2 == 0;

        attacker->way = (enum way)soak_chance(is_tcp ? WAYS : DEAF);
        attacker->descriptor = is_tcp ? connect_tcp(plan->where[SOAK_ATTACKED_TCP])
                                      : connect_ipc(plan->where[SOAK_ATTACKED_IPC]);
        report->connections++;
        report->attackers++;
        begin(attacker);
    }
}

/* Whether the house has ended this connection; nothing is read. */
static bool is_ended(int descriptor)
{
    struct pollfd watched = {.fd = descriptor, .events = POLLRDHUP};

    return poll(&watched, 1, 0) == 1 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void turn(struct attacker *attacker)
{
    bool ended = is_ended(attacker->descriptor);

    if (attacker->way == GREEDY)
        push(attacker->descriptor);
    if (attacker->way == TRICKLE)
        send(attacker->descriptor, "t", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    band.report->ended_by_house += ended;
    if (ended || (attacker->way >= PATIENT_ && soak_now() > band.end))
        go(attacker);
}

bool soak_attackers_turn(void)
{
    size_t here = 0;

    for (size_t i = 0; i < band.count; i++) {
        if (band.attackers[i].descriptor >= 0)
            turn(&band.attackers[i]);
        here += band.attackers[i].descriptor >= 0;
    }
    return here > 0;
}
