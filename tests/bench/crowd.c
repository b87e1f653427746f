/* tests/bench/crowd.c -- many TCP clients in a process of their own. */
#include "config.h"

#include "tests/bench/crowd.h"

#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAXIMUM_CLIENTS = 19000, FLOOD_BLOCK = 65536 };
enum verb { CONNECT, SEND, RECEIVE, FLOOD, CALM, CLOSE };

struct order {
    enum verb verb;
    int port;
    struct crowd_choice choice;
};

/* ---- the clients' side ----------------------------------------------------------------------- */

struct clients {
    int descriptors[MAXIMUM_CLIENTS];
    unsigned count;
    int channel;
};

static int chosen(const struct clients *clients, const struct crowd_choice *choice, unsigned i)
{
    return clients->descriptors[choice->base + (choice->first + i) % choice->total];
}

static void connect_clients(struct clients *clients, int port, unsigned count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned i = 0; i < count && clients->count < MAXIMUM_CLIENTS; i++) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
            bench_fail("connect a client");
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients->descriptors[clients->count++] = descriptor;
    }
}

static void send_messages(const struct clients *clients, const struct crowd_choice *choice)
{
    char message[CROWD_MESSAGE] = {0};

    for (unsigned i = 0; i < choice->count; i++)
        if (send(chosen(clients, choice, i), message, sizeof message, MSG_NOSIGNAL) !=
            CROWD_MESSAGE)
            bench_fail("send a client's message");
}

static void receive_messages(const struct clients *clients, const struct crowd_choice *choice)
{
    char message[CROWD_MESSAGE];

    for (unsigned i = 0; i < choice->count; i++)
        if (recv(chosen(clients, choice, i), message, sizeof message, MSG_WAITALL) != CROWD_MESSAGE)
            bench_fail("receive a client's message");
}

/* Sends until the next order is there. When no more fits it sleeps until the first of them has
 * room: spinning would take the processor from the side that is measured. */
static void flood(const struct clients *clients, const struct crowd_choice *choice)
{
    static char block[FLOOD_BLOCK];
    struct pollfd watched[2] = {{.fd = clients->channel, .events = POLLIN},
                                {.fd = chosen(clients, choice, 0), .events = POLLOUT}};
    bool full = false;

    for (;;) {
        (void)poll(watched, full ? 2 : 1, full ? 1 : 0);
        if (watched[0].revents != 0)
            return;
        full = true;
        for (unsigned i = 0; i < choice->count; i++)
            if (send(chosen(clients, choice, i), block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT) >
                0)
                full = false;
    }
}

static void close_clients(struct clients *clients)
{
    while (clients->count > 0)
        close(clients->descriptors[--clients->count]);
}

static void obey(struct clients *clients, const struct order *order)
{
    switch (order->verb) {
    case CONNECT: connect_clients(clients, order->port, order->choice.count); break;
    case SEND: send_messages(clients, &order->choice); break;
    case RECEIVE: receive_messages(clients, &order->choice); break;
    case FLOOD: flood(clients, &order->choice); break;
    case CLOSE: close_clients(clients); break;
    case CALM: /* its arrival alone ends a flood */ break;
    }
}

static _Noreturn void live(int channel)
{
    static struct clients clients;
    struct order order;
    char done = 0;

    clients.channel = channel;
    while (read(channel, &order, sizeof order) == (ssize_t)sizeof order) {
        obey(&clients, &order);
        if (order.verb != FLOOD && write(channel, &done, 1) != 1)
            break;
    }
    _exit(0);
}

/* ---- the bench's side ------------------------------------------------------------------------ */

void crowd_start(struct crowd *crowd)
{
    int channel[2];

    bench_raise_limit();
    (void)signal(SIGPIPE, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
        bench_fail("make the channel to the crowd");
    crowd->process = fork();
    if (crowd->process < 0)
        bench_fail("fork the crowd");
    if (crowd->process == 0) {
        close(channel[0]);
        bench_settle(false);
        live(channel[1]);
    }
    bench_settle(true);
    close(channel[1]);
    crowd->channel = channel[0];
}

static void tell(struct crowd *crowd, const struct order *order)
{
    if (write(crowd->channel, order, sizeof *order) != (ssize_t)sizeof *order)
        bench_fail("give the crowd an order");
}

static void tell_and_wait(struct crowd *crowd, const struct order *order)
{
    char done;

    tell(crowd, order);
    if (read(crowd->channel, &done, 1) != 1)
        bench_fail("hear from the crowd");
}

void crowd_connect(struct crowd *crowd, int port, unsigned count)
{
    struct order order = {.verb = CONNECT, .port = port, .choice = {.count = count}};

    tell_and_wait(crowd, &order);
}

void crowd_send(struct crowd *crowd, const struct crowd_choice *choice)
{
    struct order order = {.verb = SEND, .choice = *choice};

    tell_and_wait(crowd, &order);
}

void crowd_receive(struct crowd *crowd, const struct crowd_choice *choice)
{
    struct order order = {.verb = RECEIVE, .choice = *choice};

    tell_and_wait(crowd, &order);
}

void crowd_flood(struct crowd *crowd, const struct crowd_choice *choice)
{
    struct order order = {.verb = FLOOD, .choice = *choice};

    tell(crowd, &order);
}

void crowd_calm(struct crowd *crowd)
{
    struct order order = {.verb = CALM};

    tell_and_wait(crowd, &order);
}

void crowd_close(struct crowd *crowd)
{
    struct order order = {.verb = CLOSE};

    tell_and_wait(crowd, &order);
}

/* A crowd that was started later holds a copy of our end: closing ours alone would not be seen. */
void crowd_end(struct crowd *crowd)
{
    (void)shutdown(crowd->channel, SHUT_RDWR);
    close(crowd->channel);
    (void)waitpid(crowd->process, NULL, 0);
}
