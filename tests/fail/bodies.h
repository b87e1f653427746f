/* tests/fail/bodies.h -- what the scenarios of scenarios.c do. */
#ifndef POLLUX_TESTS_FAIL_BODIES_H
#define POLLUX_TESTS_FAIL_BODIES_H

#include "tests/fail/play.h"

/* streams.c: connections */
void run_connect(struct play *p);
void run_connect_by_name(struct play *p);
void run_transfer(struct play *p);
void run_disconnect(struct play *p);
void run_goodbye(struct play *p);
void run_goodbye_in_handler(struct play *p);
void run_abort(struct play *p);
void run_half_open(struct play *p);
void run_reconnect(struct play *p);
void run_serve(struct play *p);
void run_messages(struct play *p);
void run_commands(struct play *p);
void run_lines(struct play *p);
void run_urgent(struct play *p);
void run_filter_in_mid_stream(struct play *p);
void run_establish(struct play *p);
void run_free_in_handler(struct play *p);
void run_wait_in_handler(struct play *p);
void run_waits(struct play *p);

/* proxies.c: connections through proxies */
void run_proxy(struct play *p);
void run_proxy_that_asks(struct play *p);
void run_proxy_with_addresses(struct play *p);

/* others.c: datagrams, descriptors, groups, properties */
void run_datagrams(struct play *p);
void run_datagrams_with_peer(struct play *p);
void run_datagrams_by_name(struct play *p);
void run_multicast(struct play *p);
void run_handles(struct play *p);
void run_adopt(struct play *p);
void run_abstract_name(struct play *p);
void run_long_path(struct play *p);
void run_group_grows(struct play *p);
void run_member_moves(struct play *p);
void run_server_moves(struct play *p);
void run_properties(struct play *p);

/* guests.c: timers, watches and lookups */
void run_guests(struct play *p);

/* discovery.c: programs that find each other */
void run_discovery(struct play *p);

#endif
