/* tests/scenes.c -- a socket in each of its states. See scenes.h. */
#include "config.h"

#include "tests/scenes.h"

#include <fcntl.h>

#include "tests/sockets.h"

enum { MUCH = 1 << 20, BUFFER = 64 << 10 };

static void set(plx_socket *socket, plx_option option, int value)
{
    ck_assert_int_eq(plx_socket_set_option(socket, option, value), 0);
}

static void write_text(plx_socket *socket, const char *text)
{
    ck_assert_int_eq(plx_socket_write(socket, text, strlen(text)), (ptrdiff_t)strlen(text));
}

static void expect_text(struct world *w, plx_socket *socket, const char *text)
{
    char bytes[64] = "";

    UNTIL(w, plx_socket_bytes_available(socket) == strlen(text));
    ck_assert_int_eq(plx_socket_read(socket, bytes, sizeof bytes - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(bytes, text);
}

static void talk(struct world *w, plx_socket *socket, int raw)
{
    for (int i = 0; i < 3; i++) {
        raw_say(raw, "a question");
        expect_text(w, socket, "a question");
        write_text(socket, "an answer");
        raw_expect(w, raw, "an answer");
    }
}

/* Each end is reported. */
static void part(struct world *w, struct stage *stage)
{
    ck_assert_int_eq(stage->log.count[EVENT_ERROR], 0);
    raw_close(w, stage->raw);
    UNTIL(w, stage->log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(stage->log.code, PLX_LOST_CONNECTION);
}

static void begin_socket(struct world *w, struct stage *stage)
{
    stage->socket = world_socket(w, &stage->log);
    stage->log.mute = ~0u;
}

static void begin_pair(struct world *w, struct stage *stage)
{
    begin_socket(w, stage);
    stage->raw = world_pair(w, stage->socket, &stage->log);
}

static void talk_and_part(struct world *w, struct stage *stage)
{
    UNTIL(w, stage->log.count[EVENT_CONNECTED] == 1);
    talk(w, stage->socket, stage->raw);
    part(w, stage);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void connect_and_talk(struct world *w, struct stage *stage)
{
    int listener = raw_listen(w, 5, stage->where);

    ck_assert_int_eq(plx_socket_connect_to(stage->socket, stage->where), 0);
    stage->raw = raw_accept(w, listener);
    raw_close(w, listener);
    talk_and_part(w, stage);
}

const struct scene scene_unconnected = {begin_socket, connect_and_talk};

static int listener;

static void begin_connecting(struct world *w, struct stage *stage)
{
    begin_socket(w, stage);
    listener = raw_listen(w, 5, stage->where);
    ck_assert_int_eq(plx_socket_connect_to(stage->socket, stage->where), 0);
    ck_assert_int_eq(plx_socket_state(stage->socket), PLX_CONNECTING);
}

static void accept_and_talk(struct world *w, struct stage *stage)
{
    stage->raw = raw_accept(w, listener);
    raw_close(w, listener);
    talk_and_part(w, stage);
}

const struct scene scene_connecting = {begin_connecting, accept_and_talk};

/* With filters that establish in the midst of that, else just connected. */
static void begin_establishing(struct world *w, struct stage *stage)
{
    begin_connecting(w, stage);
    world_poll(w);
    world_poll(w);
}

const struct scene scene_establishing = {begin_establishing, accept_and_talk};

static void begin_looking_up(struct world *w, struct stage *stage)
{
    char where[WHERE_SIZE];

    stage->socket = world_socket_of(w, plx_tcp_new, &stage->log);
    w->kind = &kinds[0];
    nameserver_begin(&stage->names);
    nameserver_says(&stage->names, SAYS_LATER);
    listener = raw_listen(w, 5, where);
    where_by_name("later.test", where, stage->where);
    ck_assert_int_eq(plx_socket_connect_to(stage->socket, stage->where), 0);
    UNTIL_ASKED(w, &stage->names, stage->names.held_count >= 1);
    ck_assert_int_eq(plx_socket_state(stage->socket), PLX_HOST_LOOKUP);
}

static void answer_and_talk(struct world *w, struct stage *stage)
{
    stage->names.ipv4 = ADDRESSES("127.0.0.1");
    stage->names.ipv6.says = SAYS_NO_DATA;
    nameserver_release(&stage->names);
    UNTIL_ASKED(w, &stage->names, stage->log.count[EVENT_CONNECTED] == 1);
    nameserver_end(&stage->names);
    accept_and_talk(w, stage);
}

const struct scene scene_looking_up = {begin_looking_up, answer_and_talk};

static void begin_pausing(struct world *w, struct stage *stage)
{
    begin_socket(w, stage);
    time_stop();
    raw_refusing(w, stage->where);
    set(stage->socket, PLX_OPTION_AUTO_CONNECT, 1);
    ck_assert_int_eq(plx_socket_connect_to(stage->socket, stage->where), 0);
    UNTIL(w, stage->log.count[EVENT_ERROR] == 1);
    ck_assert_int_ge(plx_socket_reconnects_in(stage->socket), 0);
}

static void fail_again(struct world *w, struct stage *stage)
{
    UNTIL(w, (time_pass(20), stage->log.count[EVENT_ERROR] == 2));
    time_run();
    plx_socket_close(stage->socket);
}

const struct scene scene_pausing = {begin_pausing, fail_again};

/* ---- connected ------------------------------------------------------------------------------- */

/* With bytes that were received and not read, in the kernel and not received, and queued. */
static void begin_connected(struct world *w, struct stage *stage)
{
    begin_pair(w, stage);
    raw_say(stage->raw, "received ");
    UNTIL(w, plx_socket_bytes_available(stage->socket) == 9);
    write_text(stage->socket, "queued ");
}

static void expect_rest(struct world *w, struct stage *stage)
{
    expect_text(w, stage->socket, "received ");
    raw_expect(w, stage->raw, "queued ");
    talk(w, stage->socket, stage->raw);
    part(w, stage);
}

const struct scene scene_connected = {begin_connected, expect_rest};

/* More than the kernel takes. */
static void begin_blocked(struct world *w, struct stage *stage)
{
    begin_pair(w, stage);
    limit_receiving(stage->raw, BUFFER);
    set(stage->socket, PLX_OPTION_SEND_BUFFER_SIZE, BUFFER);
    write_pattern(w, stage->socket, MUCH);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(stage->socket), 0);
    stage->offset = 0;
}

static bool has_drained(struct stage *stage)
{
    static unsigned char bytes[1 << 17];
    ptrdiff_t count;

    while ((count = raw_take(stage->raw, bytes, sizeof bytes)) > 0) {
        ck_assert(pattern_matches(bytes, (size_t)count, stage->offset));
        stage->offset += (uint64_t)count;
    }
    ck_assert_int_ne(count, RAW_RESET);
    ck_assert(count != RAW_END || stage->offset == MUCH);
    return stage->offset == MUCH;
}

static void drain_and_talk(struct world *w, struct stage *stage)
{
    UNTIL(w, has_drained(stage));
    talk(w, stage->socket, stage->raw);
    part(w, stage);
}

const struct scene scene_blocked = {begin_blocked, drain_and_talk};

static void begin_closing(struct world *w, struct stage *stage)
{
    begin_blocked(w, stage);
    ck_assert_int_eq(plx_socket_disconnect(stage->socket), 0);
    world_settle(w);
    ck_assert_int_eq(plx_socket_state(stage->socket), PLX_CLOSING);
}

static void drain_to_the_end(struct world *w, struct stage *stage)
{
    UNTIL(w, has_drained(stage));
    raw_expect_end(w, stage->raw);
    raw_close(w, stage->raw);
    UNTIL(w, stage->log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(stage->log.count[EVENT_ERROR], 0);
}

const struct scene scene_closing = {begin_closing, drain_to_the_end};

static void begin_half_open(struct world *w, struct stage *stage)
{
    begin_socket(w, stage);
    set(stage->socket, PLX_OPTION_HALF_OPEN, 1);
    stage->raw = world_pair(w, stage->socket, &stage->log);
    raw_end(stage->raw);
    UNTIL(w, stage->log.count[EVENT_END_OF_INPUT] == 1);
}

static void speak_to_the_end(struct world *w, struct stage *stage)
{
    for (int i = 0; i < 3; i++) {
        write_text(stage->socket, "still here");
        raw_expect(w, stage->raw, "still here");
    }
    ck_assert_int_eq(plx_socket_disconnect(stage->socket), 0);
    raw_expect_end(w, stage->raw);
    UNTIL(w, stage->log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(stage->log.count[EVENT_ERROR], 0);
}

const struct scene scene_half_open = {begin_half_open, speak_to_the_end};

/* ---- listening ------------------------------------------------------------------------------- */

static void begin_listening(struct world *w, struct stage *stage)
{
    begin_socket(w, stage);
    world_listen(w, stage->socket, stage->where);
}

static void be_called(struct world *w, struct stage *stage)
{
    stage->raw = raw_connect(w, stage->where);
    talk_and_part(w, stage);
}

const struct scene scene_listening = {begin_listening, be_called};

static void begin_serving(struct world *w, struct stage *stage)
{
    stage->server = world_server(w);
    world_serve(w, stage->server, stage->where);
    stage->raw = raw_connect(w, stage->where);
    UNTIL(w, plx_server_active_count(stage->server) == 1);
    UNTIL(w, plx_socket_is_connected(plx_server_next_active(stage->server, NULL)));
    raw_say(stage->raw, "said before");
}

static void serve_old_and_new(struct world *w, struct stage *stage)
{
    plx_socket *client = plx_server_next_active(stage->server, NULL);
    int raw;

    expect_text(w, client, "said before");
    talk(w, client, stage->raw);
    raw = raw_connect(w, stage->where);
    UNTIL(w, plx_server_active_count(stage->server) == 2);
    raw_close(w, stage->raw);
    UNTIL(w, plx_server_active_count(stage->server) == 1);
    client = plx_server_next_active(stage->server, NULL);
    UNTIL(w, plx_socket_is_connected(client));
    talk(w, client, raw);
    plx_server_stop_listening(stage->server);
}

const struct scene scene_serving = {begin_serving, serve_old_and_new};

/* ---- datagrams ------------------------------------------------------------------------------- */

static const char group[] = "239.7.7.8";

/* In a multicast group, which a second socket that leaves would leave for both. */
static void begin_bound(struct world *w, struct stage *stage)
{
    stage->socket = world_socket_of(w, plx_udp_new, &stage->log);
    ck_assert_int_eq(plx_socket_set_interface(stage->socket, "127.0.0.1"), 0);
    ck_assert_int_eq(plx_socket_connect(stage->socket), 0);
    snprintf(stage->where, sizeof stage->where, "%s%%lo", group);
    ck_assert_int_eq(plx_udp_join_multicast_group(stage->socket, stage->where), 0);
    world_settle(w);
}

static bool is_member(void)
{
    char line[200], wanted[16];
    struct in_addr address;
    bool found = false;
    FILE *file = fopen("/proc/net/igmp", "r");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(inet_pton(AF_INET, group, &address), 1);
    snprintf(wanted, sizeof wanted, "%08X", (unsigned)address.s_addr);
    while (fgets(line, sizeof line, file) != NULL)
        found = found || strstr(line, wanted) != NULL;
    fclose(file);
    return found;
}

static void receive_datagrams(struct world *w, struct stage *stage)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)plx_socket_port(stage->socket)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int raw = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert(is_member());
    for (size_t i = 1; i <= 3; i++) {
        ck_assert_int_eq(sendto(raw, "x", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
        UNTIL(w, plx_udp_packets_available(stage->socket) == i);
    }
    close(raw);
    ck_assert_int_eq(plx_udp_leave_multicast_group(stage->socket, stage->where), 0);
    ck_assert_int_eq(stage->log.count[EVENT_ERROR], 0);
    plx_socket_close(stage->socket);
}

const struct scene scene_bound = {begin_bound, receive_datagrams};

static void begin_with_peer(struct world *w, struct stage *stage)
{
    stage->other = world_socket_of(w, plx_udp_new, &stage->other_log);
    ck_assert_int_eq(plx_udp_bind(stage->other, "127.0.0.1:0"), 0);
    stage->socket = world_socket_of(w, plx_udp_new, &stage->log);
    snprintf(stage->where, sizeof stage->where, "127.0.0.1:%d", plx_socket_port(stage->other));
    ck_assert_int_eq(plx_socket_connect_to(stage->socket, stage->where), 0);
    UNTIL(w, plx_socket_is_connected(stage->socket));
    write_text(stage->socket, "queued");
}

static void exchange_datagrams(struct world *w, struct stage *stage)
{
    plx_datagram datagram;

    UNTIL(w, plx_udp_packets_available(stage->other) == 1);
    ck_assert(plx_udp_read(stage->other, &datagram));
    ck_assert_int_eq(plx_udp_write(stage->other, &datagram.from, "answer", 6), 0);
    UNTIL(w, plx_socket_bytes_available(stage->socket) == 6);
    ck_assert_int_eq(plx_socket_disconnect(stage->socket), 0);
    UNTIL(w, plx_socket_state(stage->socket) == PLX_BOUND);
    ck_assert_int_eq(stage->log.count[EVENT_ERROR], 0);
}

const struct scene scene_with_peer = {begin_with_peer, exchange_datagrams};

/* ---- descriptors ----------------------------------------------------------------------------- */

static void send_zero(plx_socket *socket)
{
    int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(plx_ipc_send_handle(socket, file), 0);
    close(file);
    write_text(socket, "x");
}

static void expect_zero(struct world *w, plx_socket *socket)
{
    char byte = 'x';
    int file;

    UNTIL(w, (file = plx_ipc_receive_handle(socket)) >= 0);
    ck_assert_int_eq(read(file, &byte, 1), 1);
    ck_assert_int_eq(byte, 0);
    close(file);
    ck_assert_uint_eq(plx_socket_skip(socket, 1), 1);
}

/* One was received and not collected, one is queued. */
static void begin_with_handles(struct world *w, struct stage *stage)
{
    w->kind = &kinds[1];
    stage->socket = world_socket_of(w, plx_ipc_new, &stage->log);
    stage->other = world_socket_of(w, plx_ipc_new, &stage->other_log);
    set(stage->socket, PLX_OPTION_RECEIVE_HANDLES, 1);
    set(stage->other, PLX_OPTION_RECEIVE_HANDLES, 1);
    world_couple(w, stage->socket, stage->other);
    send_zero(stage->other);
    UNTIL(w, plx_socket_bytes_available(stage->socket) == 1);
    send_zero(stage->socket);
}

static void exchange_handles(struct world *w, struct stage *stage)
{
    expect_zero(w, stage->socket);
    expect_zero(w, stage->other);
    send_zero(stage->other);
    expect_zero(w, stage->socket);
    plx_socket_close(stage->other);
    UNTIL(w, stage->log.count[EVENT_DISCONNECTED] == 1);
}

const struct scene scene_with_handles = {begin_with_handles, exchange_handles};
