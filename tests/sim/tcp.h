/* tests/sim/tcp.h -- what the two files of TCP share. */
#ifndef POLLUX_TESTS_SIM_TCP_H
#define POLLUX_TESTS_SIM_TCP_H

#include "tests/sim/kernel.h"

/* sim_tcp_arrival returns when something that is sent now arrives; things keep their order. */
uint64_t sim_tcp_arrival(struct sim_open *from);
void sim_tcp_push(struct sim_open *open); /* sends what the peer has room for */
size_t sim_tcp_room_of(const struct sim_open *open);
void sim_tcp_reset_peer(struct sim_open *open);
void sim_tcp_finish(struct sim_open *open); /* the connection is over (tcp_done) */
void sim_tcp_close_listener(struct sim_open *open);

#endif
