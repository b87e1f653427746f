/* tests/bench/service.c -- a Pollux server in a group of its own, filled by a crowd. */
#include "config.h"

#include "tests/bench/service.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS_AT_ONCE = 100, IDLE_POLLS = 100 };

/* io_uring has a short name for the environment. */
plx_group *service_group(const char *mechanism)
{
    bool is_ring = mechanism != NULL && strcmp(mechanism, "io_uring") == 0;
    plx_group *group;

    if (mechanism != NULL)
        (void)setenv("POLLUX_POLLER", is_ring ? "uring" : mechanism, 1);
    group = plx_group_new();
    if (mechanism == NULL)
        return group;
    (void)unsetenv("POLLUX_POLLER");
    return strcmp(plx_group_mechanism(group), mechanism) == 0 ? group : plx_group_free(group);
}

void service_open(struct service *service, const char *mechanism, const plx_events *events,
                  void *user)
{
    service->group = service_group(mechanism);
    service->server = plx_server_new(plx_tcp_new);
    if (service->group == NULL || service->server == NULL)
        bench_fail("make a server and its group");
    plx_server_set_client_events(service->server, events, user);
    errno = plx_server_listen_on(service->server, "127.0.0.1:0");
    if (errno != 0)
        bench_fail("listen");
    errno = plx_group_add_server(service->group, service->server);
    if (errno != 0)
        bench_fail("add the server to the group");
}

void service_admit(struct service *service, struct crowd *crowd, size_t total)
{
    int port = plx_server_port(service->server);
    size_t count = plx_server_active_count(service->server);

    while (count < total) {
        size_t more = total - count < CLIENTS_AT_ONCE ? total - count : CLIENTS_AT_ONCE;

        crowd_connect(crowd, port, (unsigned)more);
        for (int i = 0; i < IDLE_POLLS && plx_server_active_count(service->server) < count + more;
             i++)
            (void)plx_group_poll(service->group, 10);
        if (plx_server_active_count(service->server) < count + more) {
            errno = plx_server_error(service->server)->code;
            bench_fail("accept the clients");
        }
        count += more;
    }
    for (int i = 0; i < IDLE_POLLS; i++) /* `connected` is reported, and no work is left */
        (void)plx_group_poll(service->group, 0);
}

void service_set_option(struct service *service, plx_option option, int value)
{
    plx_socket *client = plx_server_next_active(service->server, NULL);

    for (; client != NULL; client = plx_server_next_active(service->server, client))
        (void)plx_socket_set_option(client, option, value);
}

void service_close(struct service *service)
{
    service->server = plx_server_free(service->server);
    service->group = plx_group_free(service->group);
}
