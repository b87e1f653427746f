/* tests/fail/scenarios.c -- the list of scenarios, a row each. See play.h. */
#include "config.h"

#include <stdlib.h>

#include "tests/fail/bodies.h"

const struct scenario scenarios[] = {
    {.name = "connect", .kind = "tcp", .run = run_connect},
    {.name = "connect", .kind = "ipc", .run = run_connect},
    {.name = "connect", .kind = "seqpacket", .run = run_connect},
    {.name = "connect with filters", .kind = "stack tcp", .run = run_connect},
    {.name = "connect by name", .kind = "tcp", .run = run_connect_by_name, .asks_names = true},
    {.name = "transfer", .kind = "tcp", .run = run_transfer},
    {.name = "transfer", .kind = "ipc", .run = run_transfer},
    {.name = "transfer", .kind = "seqpacket", .run = run_transfer},
    {.name = "transfer with filters", .kind = "stack ipc", .run = run_transfer},
    {.name = "transfer with permissions", .kind = "order tcp", .run = run_transfer},
    {.name = "transfer with a greeting", .kind = "hello tcp", .run = run_transfer},
    {.name = "disconnect", .kind = "tcp", .run = run_disconnect},
    {.name = "disconnect", .kind = "ipc", .run = run_disconnect},
    {.name = "disconnect", .kind = "seqpacket", .run = run_disconnect},
    {.name = "disconnect with a goodbye", .kind = "stack tcp", .run = run_goodbye},
    {.name = "goodbye in a handler", .kind = "stack tcp", .run = run_goodbye_in_handler},
    {.name = "abort", .kind = "tcp", .run = run_abort},
    {.name = "half open", .kind = "tcp", .run = run_half_open},
    {.name = "connect again", .kind = "tcp", .run = run_reconnect},
    {.name = "connect again", .kind = "ipc", .run = run_reconnect},
    {.name = "connect again with a greeting", .kind = "hello ipc", .run = run_reconnect},
    {.name = "serve", .kind = "tcp", .run = run_serve},
    {.name = "serve", .kind = "ipc", .run = run_serve},
    {.name = "serve", .kind = "seqpacket", .run = run_serve},
    {.name = "serve with filters", .kind = "stack tcp", .run = run_serve},
    {.name = "serve with a greeting", .kind = "hello tcp", .run = run_serve},
    {.name = "messages", .kind = "tcp", .run = run_messages},
    {.name = "lines", .kind = "ipc", .run = run_lines},
    {.name = "a filter in mid-stream", .kind = "tcp", .run = run_filter_in_mid_stream},
    {.name = "a filter that greets", .kind = "ipc", .run = run_establish},
    {.name = "free in a handler", .kind = "tcp", .run = run_free_in_handler},
    {.name = "wait in a handler", .kind = "ipc", .run = run_wait_in_handler},
    {.name = "waits", .kind = "tcp", .run = run_waits},
    {.name = "datagrams", .kind = "tcp", .run = run_datagrams},
    {.name = "datagrams with a peer", .kind = "tcp", .run = run_datagrams_with_peer},
    {.name = "datagrams by name", .kind = "tcp", .run = run_datagrams_by_name, .asks_names = true},
    {.name = "multicast", .kind = "tcp", .run = run_multicast},
    {.name = "descriptors", .kind = "ipc", .run = run_handles},
    {.name = "adopt", .kind = "ipc", .run = run_adopt},
    {.name = "an abstract name", .kind = "ipc", .run = run_abstract_name},
    {.name = "a long path", .kind = "ipc", .run = run_long_path},
    {.name = "a group grows", .kind = "tcp", .run = run_group_grows},
    {.name = "a member moves", .kind = "tcp", .run = run_member_moves},
    {.name = "a server moves", .kind = "tcp", .run = run_server_moves},
    {.name = "properties", .kind = "tcp", .run = run_properties},
};

const int scenario_count = sizeof scenarios / sizeof scenarios[0];

bool scenario_is_chosen(const struct scenario *scenario)
{
    const char *choice = getenv("POLLUX_SCENARIO");

    return choice == NULL || choice[0] == '\0' || strcmp(choice, scenario->name) == 0;
}
