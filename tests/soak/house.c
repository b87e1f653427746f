/* tests/soak/house.c -- the servers of the soak: what arrives is sent back. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/soak/soak.h"

static struct {
    plx_group *group;
    plx_server *servers[SOAK_SERVERS];
    uint64_t accepted, ended, most;
} house;

/* ---- handlers -------------------------------------------------------------------------------- */

/* Sends back what arrived, as much as the queue takes; the rest waits in the socket, which stops
 * reading when it is full. */
static void echo(plx_socket *socket)
{
    size_t size;
    const void *data = plx_socket_lookahead(socket, &size);
    ptrdiff_t taken = size == 0 ? 0 : plx_socket_write(socket, data, size);

    if (taken > 0)
        plx_socket_skip(socket, (size_t)taken);
}

static void on_data(plx_socket *socket, void *user)
{
    (void)user;
    meter_enter();
    echo(socket);
    meter_leave();
}

static bool on_progress(plx_socket *socket, size_t sent, size_t left, void *user)
{
    (void)sent;
    (void)left;
    (void)user;
    meter_enter();
    echo(socket);
    meter_leave();
    return false;
}

static void on_end(plx_socket *socket, void *user)
{
    (void)socket;
    (void)user;
    house.ended++;
}

static void on_accepted(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    (void)client;
    (void)user;
    house.accepted++;
}

static void on_error(plx_server *server, const plx_error *error, void *user)
{
    (void)server;
    (void)user;
    fprintf(stderr, "soak %s: house: %s\n", soak_name, error->message);
    exit(EXIT_FAILURE);
}

static const plx_events client_events = {
    .data_available = on_data, .send_progress = on_progress, .disconnected = on_end};
static const plx_server_events server_events = {.accepted = on_accepted, .error = on_error};

/* ---- opening --------------------------------------------------------------------------------- */

static void set(plx_server *server, plx_option option, int value)
{
    if (plx_server_set_option(server, option, value) != 0)
        soak_fail("house", "option", option);
}

static plx_server *open_server(struct soak_plan *plan, int which, const char *folder)
{
    bool is_tcp = which % 2 == 0;
    int number = which / 2 + 1;
    plx_server *server = plx_server_new(is_tcp ? plx_tcp_new : plx_ipc_new);
    char *where = plan->where[which];

    plx_server_set_events(server, &server_events, NULL);
    plx_server_set_client_events(server, &client_events, NULL);
    set(server, PLX_OPTION_READ_LIMIT, METER_QUEUE);
    set(server, PLX_OPTION_WRITE_LIMIT, METER_QUEUE);
    set(server, PLX_OPTION_LINGER_TIMEOUT, SOAK_IDLE);
    if (which >= SOAK_ATTACKED_TCP)
        set(server, PLX_OPTION_IDLE_TIMEOUT, SOAK_IDLE);
    if (plx_group_add_server(house.group, server) != 0)
        soak_fail("house", "add a server", which);
    /* Addresses of their own, so that those that stay do not use up the ports of guests. */
    if (is_tcp)
        snprintf(where, SOAK_WHERE, "127.0.0.%d:0", number);
    else
        snprintf(where, SOAK_WHERE, "%s/%d", folder, which);
    if (plx_server_listen_on(server, where) != 0)
        soak_fail("house", plx_server_error(server)->message, which);
    if (is_tcp)
        snprintf(where, SOAK_WHERE, "127.0.0.%d:%d", number, plx_server_port(server));
    return server;
}

/* Each poll(2) asks the kernel about all: with 10 000 a round would take half a minute. */
static void fit_crowd(struct soak_plan *plan)
{
    if (strcmp(plx_group_mechanism(house.group), "poll") != 0)
        return;
    plan->stay[0] /= 10;
    plan->stay[1] /= 10;
    printf("%s house: poll(2): a tenth of the connections\n", soak_name);
}

void soak_house_open(struct soak_plan *plan, const char *folder)
{
    house.group = plx_group_new();
    if (house.group == NULL)
        soak_fail("house", "no group", errno);
    plx_group_set_budget(house.group, 0, METER_BUDGET);
    fit_crowd(plan);
    for (int i = 0; i < SOAK_SERVERS; i++)
        house.servers[i] = open_server(plan, i, folder);
}

void soak_house_close(void)
{
    for (int i = 0; i < SOAK_SERVERS; i++)
        plx_server_free(house.servers[i]);
    printf("%s house: %s, %llu clients, %llu of them ended, at most %llu at once\n", soak_name,
           plx_group_mechanism(house.group), (unsigned long long)house.accepted,
           (unsigned long long)house.ended, (unsigned long long)house.most);
    plx_group_free(house.group);
}

/* ---- serving --------------------------------------------------------------------------------- */

static size_t clients(void)
{
    size_t count = 0;

    for (int i = 0; i < SOAK_SERVERS; i++)
        count += plx_server_active_count(house.servers[i]);
    return count;
}

/* The crowd has sent its guests away: the house must notice that within some seconds, and then give
 * back what they used. */
static void rest(size_t expected, uint64_t round)
{
    struct meter_sample sample;
    int64_t end = soak_now() + 20000;

    while (clients() != expected) {
        meter_poll(house.group, 1);
        if (soak_now() > end)
            soak_fail("house", "clients that stay although their peers have gone",
                      (long long)(clients() - expected));
    }
    for (int frame = 0; frame < SOAK_REST; frame++)
        meter_poll(house.group, 0);
    sample = meter_sample();
    soak_rest_compare("house", round, &sample);
}

/* Whether a report has arrived. */
static bool hear(int channel, struct soak_report *report)
{
    ssize_t size = recv(channel, report, sizeof *report, MSG_DONTWAIT);

    if (size == 0 || (size > 0 && size != sizeof *report))
        soak_fail("house", "the crowd has ended early", (long long)size);
    return size > 0;
}

void soak_house_run(const struct soak_plan *plan, int channel, struct soak_report *report)
{
    int64_t end = soak_now() + plan->seconds * 1000;
    bool goes_on = true;

    while (goes_on || clients() > 0) {
        meter_poll(house.group, 5);
        house.most = clients() > house.most ? clients() : house.most;
        if (goes_on && hear(channel, report)) {
            rest(plan->stay[0] + plan->stay[1], report->rounds);
            goes_on = soak_now() < end;
            if (write(channel, goes_on ? "g" : "e", 1) != 1)
                soak_fail("house", "write", errno);
        }
    }
    while (!hear(channel, report))
        meter_poll(house.group, 5);
}
