/* tests/bench/service.h -- a Pollux server in a group of its own, filled by a crowd. */
#ifndef TESTS_BENCH_SERVICE_H
#define TESTS_BENCH_SERVICE_H

#include "tests/bench/crowd.h"

#include <pollux.h>

struct service {
    plx_group *group;
    plx_server *server;
};

/* service_group makes a group with the mechanism named ("uring", "epoll", "poll"; NULL: the best
 * there is). NULL where that one is refused. */
plx_group *service_group(const char *mechanism);

/* service_has_uring says whether io_uring can be measured here, and complains if it cannot. */
bool service_has_uring(void);

/* service_open listens on 127.0.0.1 at a port the system picks, in a group as of service_group.
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
