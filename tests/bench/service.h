/* tests/bench/service.h -- a Pollux server in a group of its own, filled by a crowd. */
#ifndef TESTS_BENCH_SERVICE_H
#define TESTS_BENCH_SERVICE_H

#include "tests/bench/crowd.h"

#include <pollux.h>

struct service {
    plx_group *group;
    plx_server *server;
};

/* service_group returns a new group with the mechanism named ("epoll", "io_uring", "poll"; NULL:
 * the best there is), or NULL when this system or this build does not have it. */
plx_group *service_group(const char *mechanism);

/* service_open listens on 127.0.0.1 at a port that the kernel chooses, with the mechanism named.
 * `events` and `user` are those of every client. */
void service_open(struct service *service, const char *mechanism, const plx_events *events,
                  void *user);

/* service_admit connects clients of the crowd and accepts them, until the server has `total`. */
void service_admit(struct service *service, struct crowd *crowd, size_t total);

/* service_set_option sets an option of every client. */
void service_set_option(struct service *service, plx_option option, int value);

/* service_close frees server, clients and group. */
void service_close(struct service *service);

#endif
