/* tests/test-promises-kinds.c -- what pollux/message.h, udp.h, ipc.h and seqpacket.h promise, and
 * socket.h of options and statistics, of each kind in each place of a socket's life. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>

#include "tests/promises.h"
#include "tests/sockets.h"

static const plx_address somebody = {.family = 4, .port = 9, .bytes = {127, 0, 0, 1}};

static const char by_four[] = "\0\0\0\2hi\0\0\0\1x";
enum { FOUR_SIZE = sizeof by_four - 1 };

/* ---- message.h ------------------------------------------------------------------------------- */

static void frames(struct stage *s)
{
    const plx_frame none = {.length_size = 3}, both = {4, false, "x", 1, 0},
                    line = {.delimiter = "\n", .delimiter_size = 1};
    int code = sort_has_packets(s) ? PLX_INVALID_STATE : 0;

    EXPECT(s, plx_socket_set_frame(s->socket, &none) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_set_frame(s->socket, &both) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_set_frame(s->socket, NULL) == code);
    EXPECT(s, !plx_socket_can_read_message(s->socket) || code != 0);
    EXPECT(s, plx_socket_set_frame(s->socket, &line) == code);
    EXPECT(s,
           plx_socket_can_read_message(s->socket) ==
               (place_has_unread(s) && (code == 0 || s->sort == SEQPACKET || place_has_peer(s))));
}

static bool has_messages(const struct stage *s)
{
    return s->sort == SEQPACKET ||
           (s->sort == UDP &&
            (place_has_peer(s) || s->place == LOOKING_UP || s->place == CONNECTING));
}

static void without_a_frame(struct stage *s)
{
    size_t size = 77;
    bool whole = place_has_unread(s) && has_messages(s);
    const void *message = plx_socket_read_message(s->socket, &size);

    EXPECT(s, (message != NULL) == whole && size == (whole ? UNREAD_SIZE : 0));
    EXPECT(s, has_messages(s) || plx_socket_last_error(s->socket) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_read_message(s->socket, NULL) == NULL);
    EXPECT(s, plx_socket_write_message(s->socket, "x", 1) ==
                  (place_can_write(s) && has_messages(s) ? 0 : PLX_INVALID_STATE));
}

static void with_a_frame(struct stage *s)
{
    const plx_frame line = {.delimiter = "\n", .delimiter_size = 1, .maximum = 10};
    size_t size = 77;
    const void *message;
    int code = place_can_write(s) ? 0 : PLX_INVALID_STATE;

    if (sort_has_packets(s))
        return;
    ck_assert_int_eq(plx_socket_set_frame(s->socket, &line), 0);
    message = plx_socket_read_message(s->socket, &size);
    EXPECT(s, (message != NULL) == place_has_unread(s) && size == (place_has_unread(s) ? 4 : 0));
    EXPECT(s, plx_socket_read_message(s->socket, &size) == NULL && size == 0);
    EXPECT(s, plx_socket_write_message(s->socket, "x", 1) == code);
    EXPECT(s, plx_socket_write_message(s->socket, NULL, 0) == code);
    EXPECT(s, plx_socket_write_message(s->socket, NULL, 1) == PLX_INVALID_STATE);
    EXPECT(s, plx_socket_write_message(s->socket, "a\nb", 3) == PLX_INVALID_STATE);
    EXPECT(s,
           plx_socket_write_message(s->socket, "0123456789a", 11) == (code != 0 ? code : EMSGSIZE));
    EXPECT(s, code != 0 || plx_socket_error(s->socket)->reason == PLX_REASON_DATAGRAM_TOO_LARGE);
}

/* A message alone is taken whole, whatever the limit; one behind it is refused whole. */
static void at_the_write_limit(struct stage *s)
{
    const plx_frame four = {.length_size = 4};
    size_t before;

    if (!place_can_write(s) || s->place == HALF_ENDED)
        return;
    ck_assert(sort_has_packets(s) || plx_socket_set_frame(s->socket, &four) == 0);
    ck_assert_int_eq(plx_socket_set_option(s->socket, PLX_OPTION_WRITE_LIMIT, 3), 0);
    EXPECT(s, plx_socket_write_message(s->socket, "more than three", 15) == 0);
    before = plx_socket_bytes_left_to_send(s->socket);
    EXPECT(s, plx_socket_write_message(s->socket, "x", 1) == EAGAIN);
    EXPECT(s, plx_socket_write(s->socket, "x", 1) == 0);
    EXPECT(s, plx_socket_bytes_left_to_send(s->socket) == before);
    EXPECT(s, plx_socket_last_error(s->socket) == 0);
}

static void changed_while_connected(struct stage *s)
{
    const plx_frame four = {.length_size = 4};
    size_t size;

    if (s->place != CONNECTED || sort_has_packets(s))
        return;
    raw_send(s->peer, by_four, FOUR_SIZE);
    UNTIL(s->w, plx_socket_bytes_available(s->socket) == FOUR_SIZE);
    ck_assert_int_eq(plx_socket_set_frame(s->socket, &four), 0);
    EXPECT(s, plx_socket_can_read_message(s->socket));
    EXPECT(s, plx_socket_read_message(s->socket, &size) != NULL && size == 2);
    EXPECT(s,
           plx_socket_set_frame(s->socket, NULL) == 0 && !plx_socket_can_read_message(s->socket));
    EXPECT(s, plx_socket_bytes_available(s->socket) == 5);
}

/* ---- udp.h ----------------------------------------------------------------------------------- */

static void datagrams_read(struct stage *s)
{
    plx_datagram before, datagram;
    bool any = s->sort == UDP && place_has_unread(s);

    memset(&before, 77, sizeof before);
    datagram = before;
    EXPECT(s, plx_udp_packets_available(s->socket) == (any ? 1 : 0));
    EXPECT(s, !plx_udp_read(s->socket, NULL));
    EXPECT(s, plx_udp_read(s->socket, &datagram) == any);
    EXPECT(s, any ? datagram.size == UNREAD_SIZE && !datagram.truncated &&
                        plx_address_equal(&datagram.from, &s->address)
                  : memcmp(&datagram, &before, sizeof before) == 0);
    datagram = before;
    EXPECT(s,
           !plx_udp_read(s->socket, &datagram) && memcmp(&datagram, &before, sizeof before) == 0);
}

static void datagrams_written(struct stage *s)
{
    plx_address none = {0}, portless = somebody;
    bool can = s->sort == UDP && (place_can_write(s) || place_state(s) == PLX_BOUND);
    int code = can ? 0 : PLX_INVALID_STATE;
    static char large[65508];

    portless.port = 0;
    EXPECT(s, plx_udp_write(s->socket, &somebody, "x", 1) == code);
    EXPECT(s, plx_udp_write(s->socket, &somebody, NULL, 0) == code);
    EXPECT(s, plx_udp_packets_left_to_send(s->socket) == (can ? 2 : 0));
    EXPECT(s, plx_udp_write(s->socket, NULL, "x", 1) == PLX_INVALID_STATE);
    EXPECT(s, plx_udp_write(s->socket, &none, "x", 1) == PLX_INVALID_STATE);
    EXPECT(s, plx_udp_write(s->socket, &somebody, NULL, 1) == PLX_INVALID_STATE);
    EXPECT(s, s->sort != UDP || plx_udp_write(s->socket, &portless, "x", 1) == PLX_INVALID_PORT);
    EXPECT(s, plx_udp_write(s->socket, &somebody, large, sizeof large) == (can ? EMSGSIZE : code));
    EXPECT(s, !can || plx_socket_error(s->socket)->reason == PLX_REASON_DATAGRAM_TOO_LARGE);
    EXPECT(s, plx_udp_packets_left_to_send(s->socket) == (can ? 2 : 0));
    ck_assert_int_eq(plx_socket_set_option(s->socket, PLX_OPTION_WRITE_LIMIT, 1), 0);
    EXPECT(s, plx_udp_write(s->socket, &somebody, "x", 1) == (can ? EAGAIN : code));
}

static void datagrams_written_by_name(struct stage *s)
{
    bool can = s->sort == UDP && (place_can_write(s) || place_state(s) == PLX_BOUND);
    int code = can ? 0 : PLX_INVALID_STATE;

    EXPECT(s, plx_udp_write_to(s->socket, "127.0.0.1", 9, "x", 1) == code);
    EXPECT(s, plx_udp_write_to(s->socket, "localhost", 9, "x", 1) == code);
    EXPECT(s, plx_udp_packets_left_to_send(s->socket) == (can ? 2 : 0));
    EXPECT(s, !can || plx_socket_bytes_left_to_send(s->socket) == 2);
    EXPECT(s, plx_udp_write_to(s->socket, "localhost", 9, NULL, 1) == PLX_INVALID_STATE);
    if (s->sort != UDP)
        return;
    EXPECT(s, plx_udp_write_to(s->socket, "localhost", 0, "x", 1) == PLX_INVALID_PORT);
    EXPECT(s, plx_udp_write_to(s->socket, "127.0.0.1", 65536, "x", 1) == PLX_INVALID_PORT);
    EXPECT(s, plx_udp_write_to(s->socket, NULL, 9, "x", 1) == PLX_NAME_RESOLUTION);
    EXPECT(s, plx_udp_write_to(s->socket, "", 9, "x", 1) == PLX_NAME_RESOLUTION);
    EXPECT(s, plx_socket_error(s->socket)->reason == PLX_REASON_EMPTY_HOST_NAME);
}

static void groups(struct stage *s)
{
    bool bound = s->sort == UDP && place_is_open(s);

    EXPECT(s, plx_udp_join_multicast_group(s->socket, NULL) == PLX_INVALID_STATE);
    EXPECT(s, plx_udp_join_multicast_group(s->socket, "10.0.0.1") == PLX_INVALID_STATE);
    EXPECT(s, plx_udp_leave_multicast_group(s->socket, "x") == PLX_INVALID_STATE);
    EXPECT(s, bound || plx_udp_join_multicast_group(s->socket, "239.1.2.3") == PLX_INVALID_STATE);
    EXPECT(s, bound || plx_udp_leave_multicast_group(s->socket, "239.1.2.3") == PLX_INVALID_STATE);
    EXPECT(s, !bound || plx_udp_leave_multicast_group(s->socket, "239.1.2.3") != 0);
}

static void broadcasts(struct stage *s)
{
    const char *address = plx_udp_broadcast_address(s->socket);

    EXPECT(s, strcmp(address, s->sort == UDP ? "255.255.255.255" : "") == 0);
}

static void binds(struct stage *s)
{
    if (s->sort == UDP && place_is_unconnected(s)) {
        EXPECT(s, plx_udp_bind(s->socket, NULL) == PLX_INVALID_STATE);
        EXPECT(s, plx_udp_bind(s->socket, "127.0.0.1") == PLX_INVALID_PORT);
        EXPECT(s, plx_udp_bind(s->socket, "127.0.0.1:65536") == PLX_INVALID_PORT);
        EXPECT(s, plx_udp_bind(s->socket, "[x]:5") == PLX_INVALID_STATE);
        EXPECT(s, plx_udp_bind(s->socket, "192.0.2.1:0") == EADDRNOTAVAIL);
        EXPECT(s, plx_socket_state(s->socket) == PLX_UNCONNECTED);
        EXPECT(s, plx_udp_bind(s->socket, "127.0.0.1:0") == 0);
        EXPECT(s,
               plx_socket_state(s->socket) == PLX_BOUND && plx_socket_last_error(s->socket) == 0);
        EXPECT(s, plx_udp_packets_available(s->socket) == 0);
    }
    EXPECT(s, plx_udp_bind(s->socket, ":0") == PLX_INVALID_STATE);
}

/* ---- ipc.h ----------------------------------------------------------------------------------- */

static void credentials(struct stage *s)
{
    plx_credentials who = {.process = 77, .user = 77, .group = 77};
    bool known = s->sort == IPC && place_has_peer(s);

    EXPECT(s, plx_ipc_peer_credentials(s->socket, NULL) == PLX_INVALID_STATE);
    EXPECT(s, plx_ipc_peer_credentials(s->socket, &who) == (known ? 0 : PLX_INVALID_STATE));
    EXPECT(s, who.process == (known ? getpid() : 77));
    EXPECT(s, who.user == (known ? (int64_t)geteuid() : 77) &&
                  who.group == (known ? (int64_t)getegid() : 77));
}

static void process_handles(struct stage *s)
{
    int handle = plx_ipc_peer_process_handle(s->socket);

    EXPECT(s, handle >= -1);
    EXPECT(s, (s->sort == IPC && place_has_peer(s)) || handle == -1);
    if (handle >= 0) {
        EXPECT(s, (fcntl(handle, F_GETFD) & FD_CLOEXEC) != 0);
        EXPECT(s, !is_readable(handle));
        close(handle);
    }
}

static void handles(struct stage *s)
{
    bool can = s->sort == IPC && place_can_write(s);

    EXPECT(s, plx_ipc_receive_handle(s->socket) == -1);
    EXPECT(s, plx_ipc_send_handle(s->socket, 1) == (can ? 0 : PLX_INVALID_STATE));
    EXPECT(s, plx_ipc_send_handle(s->socket, -1) == (can ? EBADF : PLX_INVALID_STATE));
}

static void abstract_names(struct stage *s)
{
    char name[200] = "a\0b";

    EXPECT(s, plx_ipc_set_abstract_name(s->socket, NULL, 0) == PLX_INVALID_STATE);
    EXPECT(s, plx_ipc_set_abstract_name(s->socket, name, 0) == PLX_INVALID_STATE);
    EXPECT(s, plx_ipc_set_abstract_name(s->socket, name, 3) ==
                  (s->sort == IPC ? 0 : PLX_INVALID_STATE));
    EXPECT(s, s->sort != IPC || strcmp(plx_socket_path(s->socket), "@a") == 0);
    EXPECT(s, s->sort != IPC ||
                  plx_ipc_set_abstract_name(s->socket, name, sizeof name) == ENAMETOOLONG);
    EXPECT(s, s->sort != IPC || strcmp(plx_socket_path(s->socket), "@a") == 0);
}

/* ---- options --------------------------------------------------------------------------------- */

#define OF(sort) (1u << (sort))
enum {
    ALL = 15,
    NET = OF(TCP) | OF(UDP),
    STREAMS = OF(TCP) | OF(IPC) | OF(SEQPACKET),
    PATHS = OF(IPC) | OF(SEQPACKET)
};

static const struct {
    plx_option option;
    unsigned sorts;
    int usual, least, most;
    bool kernels; /* read from the kernel while open */
} options[] = {
    {PLX_OPTION_KEEP_ALIVE, OF(TCP), 0, 0, 1, true},
    {PLX_OPTION_KEEP_ALIVE_IDLE, OF(TCP), 0, 1, 32767, true},
    {PLX_OPTION_KEEP_ALIVE_INTERVAL, OF(TCP), 0, 1, 32767, true},
    {PLX_OPTION_KEEP_ALIVE_COUNT, OF(TCP), 0, 1, 127, true},
    {PLX_OPTION_LOW_DELAY, OF(TCP), 1, 0, 1, true},
    {PLX_OPTION_TYPE_OF_SERVICE, NET, 0, 0, 255, true},
    {PLX_OPTION_SEND_BUFFER_SIZE, ALL, 0, 1, 0x7fffffff, true},
    {PLX_OPTION_RECEIVE_BUFFER_SIZE, ALL, 0, 1, 0x7fffffff, true},
    {PLX_OPTION_PATH_MTU, NET, 0, 1280, 65535, true},
    {PLX_OPTION_PROTOCOL, NET, 2, 0, 2, false},
    {PLX_OPTION_READ_LIMIT, ALL, 0, 0, 0x7fffffff, false},
    {PLX_OPTION_WRITE_LIMIT, ALL, 0, 0, 0x7fffffff, false},
    {PLX_OPTION_CONNECT_TIMEOUT, ALL, 30000, 0, 0x7fffffff, false},
    {PLX_OPTION_LINGER_TIMEOUT, ALL, 30000, 0, 0x7fffffff, false},
    {PLX_OPTION_IDLE_TIMEOUT, ALL, 0, 0, 0x7fffffff, false},
    {PLX_OPTION_HALF_OPEN, ALL, 0, 0, 1, false},
    {PLX_OPTION_AUTO_CONNECT, STREAMS, 0, 0, 1, false},
    {PLX_OPTION_ROUTER_HOPS, OF(UDP), 32, 1, 255, true},
    {PLX_OPTION_SEND_TO_SELF, OF(UDP), 0, 0, 1, true},
    {PLX_OPTION_BROADCAST, OF(UDP), 1, 0, 1, true},
    {PLX_OPTION_SHARE_ADDRESS, NET, 0, 0, 1, false},
    {PLX_OPTION_MODE, PATHS, 0, 0, 0777, false},
    {PLX_OPTION_RECEIVE_HANDLES, OF(IPC), 0, 0, 1, false},
    {PLX_OPTION_UNACKNOWLEDGED_TIMEOUT, OF(TCP), 0, 0, 0x7fffffff, true},
    {PLX_OPTION_MULTICAST_HOPS, OF(UDP), 32, 0, 255, true},
    {PLX_OPTION_PAUSE_READING, ALL, 0, 0, 1, false},
    {PLX_OPTION_DIRECTION, ALL, 0, 0, 2, false},
};

enum { OPTIONS = sizeof options / sizeof options[0] };

static void defaults(struct stage *s)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        bool there = (options[i].sorts & OF(s->sort)) != 0;
        bool set = s->place == HALF_ENDED && options[i].option == PLX_OPTION_HALF_OPEN;
        int value = plx_socket_option(s->socket, options[i].option);

        if (there && options[i].kernels && place_is_open(s) && options[i].usual == 0)
            ck_assert_msg(value >= 0, "option %zu %s", i, s->name);
        else
            ck_assert_msg(value == (!there ? -1
                                    : set  ? 1
                                           : options[i].usual),
                          "option %zu %s is %d", i, s->name, value);
    }
    EXPECT(s, plx_socket_option(s->socket, (plx_option)OPTIONS) == -1);
    EXPECT(s, plx_socket_option(s->socket, (plx_option)-1) == -1);
}

static void refuse_option(struct stage *s, size_t i, int value)
{
    int before = plx_socket_option(s->socket, options[i].option);

    ck_assert_msg(plx_socket_set_option(s->socket, options[i].option, value) == PLX_INVALID_STATE,
                  "option %zu to %d %s", i, value, s->name);
    EXPECT(s, plx_socket_error(s->socket)->reason == PLX_REASON_UNSUPPORTED_OPERATION);
    EXPECT(s, plx_socket_option(s->socket, options[i].option) == before);
}

static void refused_options(struct stage *s)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        bool there = (options[i].sorts & OF(s->sort)) != 0;

        refuse_option(s, i, there ? options[i].least - 1 : options[i].least);
        if (options[i].most < 0x7fffffff)
            refuse_option(s, i, there ? options[i].most + 1 : options[i].most);
    }
    EXPECT(s, plx_socket_set_option(s->socket, (plx_option)OPTIONS, 0) == PLX_INVALID_STATE);
}

/* The kernel keeps the two lowest bits of TCP's byte for itself. */
static int another_value(size_t i)
{
    return options[i].option == PLX_OPTION_TYPE_OF_SERVICE ? 4 : options[i].least + 1;
}

static void remembered_options(struct stage *s)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        int value = another_value(i);
        bool kernels = options[i].kernels && place_is_open(s);

        if ((options[i].sorts & OF(s->sort)) == 0 || options[i].option == PLX_OPTION_PATH_MTU)
            continue;
        ck_assert_msg(plx_socket_set_option(s->socket, options[i].option, value) == 0,
                      "option %zu %s: %s", i, s->name, plx_socket_error(s->socket)->message);
        ck_assert_msg(kernels ? plx_socket_option(s->socket, options[i].option) >= value
                              : plx_socket_option(s->socket, options[i].option) == value,
                      "option %zu %s is %d", i, s->name,
                      plx_socket_option(s->socket, options[i].option));
    }
    plx_socket_close(s->socket);
    for (size_t i = 0; i < OPTIONS; i++)
        if ((options[i].sorts & OF(s->sort)) != 0 && options[i].option != PLX_OPTION_PATH_MTU)
            ck_assert_msg(plx_socket_option(s->socket, options[i].option) == another_value(i),
                          "option %zu %s", i, s->name);
}

static void path_mtu(struct stage *s)
{
    int mtu = plx_socket_option(s->socket, PLX_OPTION_PATH_MTU);

    if (!sort_has_path(s) && (place_has_peer(s)))
        EXPECT(s, mtu >= 1280);
    else
        EXPECT(s, mtu == (sort_has_path(s) ? -1 : 0));
    if (!sort_has_path(s) && place_is_open(s) && place_has_peer(s) && s->sort == TCP)
        EXPECT(s, plx_socket_set_option(s->socket, PLX_OPTION_PATH_MTU, 1400) == ENOPROTOOPT);
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void statistics(struct stage *s)
{
    plx_statistics seen;
    bool moved = place_has_unread(s), tcp = s->sort == TCP && place_has_peer(s);
    bool packets = sort_has_packets(s), began = moved || (place_has_peer(s) || s->place == ENDED);
    size_t bytes = s->place == ABORTED ? 0 : moved ? UNREAD_SIZE : 0;

    EXPECT(s, !plx_socket_statistics(s->socket, NULL));
    EXPECT(s, plx_socket_statistics(s->socket, &seen));
    EXPECT(s, seen.bytes_received == bytes && seen.bytes_sent == 0);
    EXPECT(s, seen.messages_received == (packets && moved ? 1 : 0) && seen.messages_sent == 0);
    EXPECT(s, began || s->place == LEFT || s->place == ABORTED ? seen.idle >= 0 : seen.idle == -1);
    EXPECT(s, tcp ? seen.round_trip > 0 : seen.round_trip == -1);
    EXPECT(s, tcp ? seen.round_trip_variation >= 0 : seen.round_trip_variation == -1);
    EXPECT(s, tcp ? seen.retransmissions >= 0 : seen.retransmissions == -1);
    EXPECT(s, tcp ? seen.congestion_window > 0 : seen.congestion_window == -1);
    EXPECT(s, seen.messages_dropped == (s->sort == UDP && place_is_open(s) ? 0 : -1));
}

static void first_statistics(struct stage *s)
{
    plx_statistics seen;

    memset(&seen, 77, sizeof seen);
    EXPECT(s, plx_socket_statistics_sized(s->socket, &seen, sizeof seen.bytes_received));
    EXPECT(s, seen.bytes_received == (place_has_unread(s) ? UNREAD_SIZE : 0));
    EXPECT(s, memchr((const char *)&seen.bytes_sent, 0, sizeof seen.bytes_sent) == NULL);
}

/* ---- the rules ------------------------------------------------------------------------------- */

static const struct rule rules[] = {
    {"message.h", "set_frame: PLX_INVALID_STATE for a frame that is none and for a datagram socket",
     frames},
    {"message.h", "Without a frame it fails with PLX_INVALID_STATE", without_a_frame},
    {"message.h",
     "write_message: 0; EMSGSIZE over the maximum; PLX_INVALID_STATE where write would say so",
     with_a_frame},
    {"message.h",
     "taken whole or not at all: whole where it alone is over WRITE_LIMIT; EAGAIN, no failure",
     at_the_write_limit},
    {"message.h", "Changing it while connected holds for the bytes that have not been read",
     changed_while_connected},
    {"udp.h", "plx_udp_read: false: there is none, or NULL; then *ret_datagram is untouched",
     datagrams_read},
    {"udp.h", "plx_udp_write: 0, EAGAIN, PLX_INVALID_STATE, PLX_INVALID_PORT, EMSGSIZE",
     datagrams_written},
    {"udp.h", "plx_udp_write_to: as plx_udp_write does, and PLX_NAME_RESOLUTION for no host",
     datagrams_written_by_name},
    {"udp.h", "join: PLX_INVALID_STATE when not bound or no group's address; leave: as that does",
     groups},
    {"udp.h", "plx_udp_broadcast_address: \"\" for NULL or another kind", broadcasts},
    {"udp.h", "plx_udp_bind: PLX_INVALID_PORT, PLX_INVALID_STATE, EADDRNOTAVAIL", binds},
    {"ipc.h",
     "plx_ipc_peer_credentials: 0, or PLX_INVALID_STATE; then *ret_credentials is untouched",
     credentials},
    {"ipc.h", "plx_ipc_peer_process_handle: -1 where the socket has no connection",
     process_handles},
    {"ipc.h",
     "send_handle: 0; EBADF; PLX_INVALID_STATE where write would say so; receive_handle: -1",
     handles},
    {"ipc.h", "set_abstract_name: as set_path, and PLX_INVALID_STATE for NULL and size 0",
     abstract_names},
    {"socket.h",
     "plx_socket_option: as it was set, or its default; -1 when unknown or not for this kind",
     defaults},
    {"socket.h",
     "set_option: PLX_INVALID_STATE with UNSUPPORTED_OPERATION; unless 0, nothing changed",
     refused_options},
    {"socket.h", "Options are remembered and applied when the descriptor appears; kept by close",
     remembered_options},
    {"socket.h", "PATH_MTU: 0: no peer, or not known yet; an open IPv4 socket refuses it",
     path_mtu},
    {"socket.h",
     "statistics: idle: since a byte moved or the connection began; -1: neither has; -1: unknown",
     statistics},
    {"socket.h", "plx_socket_statistics_sized writes the first `size` bytes of them only",
     first_statistics},
};

PROMISES(kinds_of_sockets, rules)

WORLD_MAIN("promises of kinds")
