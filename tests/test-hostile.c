/* tests/test-hostile.c -- a server among peers that mean harm: it stays within its memory and its
 * descriptors, and answers a good client all the while.
 *
 * The peers are raw descriptors of this process. After each attack the server is held to what it
 * had before it: clients, descriptors, and bytes of memory but for what a pool may keep. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/world.h"

#define KIB ((size_t)1024)

enum {
    LONGEST = 64 * 1024,     /* of the messages that the server takes */
    READ_LIMIT = 16 * 1024,  /* of each client */
    WRITE_LIMIT = 64 * 1024, /* of each client */
    HANDLES = 253,           /* that ride on one byte at most: SCM_MAX_FD, unix(7) */
    PATIENCE = 200,          /* polls within which the good client is answered */
    CROWD = 1000             /* raw peers at once */
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#endif

/* How often something is done: everything is slower under a sanitizer and most of all in valgrind. */
static int times(int usual)
{
#ifdef SANITIZED
    return usual / 5;
#else
    return under_valgrind() ? usual / 20 : usual;
#endif
}

/* ---- the server and its good client ---------------------------------------------------------- */

/* A server, the good client, and the peers that are there. `mean` bytes and descriptors are what
 * was there before the attack. */
struct fort {
    struct world *w;
    plx_server *server;
    plx_socket *good;
    char where[WHERE_SIZE];
    bool collecting; /* the server takes the descriptors that come, and closes them */
    int asked, answered, silence, longest_silence;
    size_t messages, collected, too_long; /* of all clients */
    size_t bytes, most_bytes;
    int descriptors, most_descriptors;
    int peers[CROWD];
    int count;
};

static const plx_frame frame = {.length_size = 4, .maximum = LONGEST};

/* Answers until the limit is reached; what does not fit any more is the peer's loss. */
static void answer_much(plx_socket *client)
{
    static const char piece[1000];
    int result = 0;

    while (result == 0)
        result = plx_socket_write_message(client, piece, sizeof piece);
    ck_assert(result == EAGAIN || result == PLX_INVALID_STATE);
}

static void on_request(plx_socket *client, void *user)
{
    struct fort *fort = user;
    const char *message;
    size_t size;

    while ((message = plx_socket_read_message(client, &size)) != NULL) {
        ck_assert_uint_le(size, LONGEST);
        fort->messages++;
        if (size > 5 && memcmp(message, "ping ", 5) == 0)
            plx_socket_write_message(client, message + 5, size - 5);
        else if (size == 4 && memcmp(message, "much", 4) == 0)
            answer_much(client);
    }
}

static void on_bytes(plx_socket *client, void *user)
{
    struct fort *fort = user;

    for (int got; fort->collecting && (got = plx_ipc_receive_handle(client)) >= 0; close(got))
        fort->collected++;
}

static void on_client_error(plx_socket *client, const plx_error *error, void *user)
{
    struct fort *fort = user;

    (void)client;
    fort->too_long += error->reason == PLX_REASON_DATAGRAM_TOO_LARGE;
}

static const plx_events client_events = {
    .message_available = on_request, .data_available = on_bytes, .error = on_client_error};

static void ask(struct fort *fort)
{
    char text[32];
    int size = snprintf(text, sizeof text, "ping %d", ++fort->asked);

    ck_assert_int_eq(plx_socket_write_message(fort->good, text, (size_t)size), 0);
}

static void on_answer(plx_socket *good, void *user)
{
    struct fort *fort = user;
    char wanted[32];
    size_t size;
    const char *message = plx_socket_read_message(good, &size);

    snprintf(wanted, sizeof wanted, "%d", fort->asked);
    ck_assert_uint_eq(size, strlen(wanted));
    ck_assert_int_eq(memcmp(message, wanted, size), 0);
    ck_assert(!plx_socket_can_read_message(good));
    fort->answered++;
    ask(fort);
}

static void on_lost(plx_socket *good, const plx_error *error, void *user)
{
    (void)good;
    (void)user;
    ck_abort_msg("the good client: %s", error->message);
}

static const plx_events good_events = {.message_available = on_answer, .error = on_lost};

/* One poll of everything. The good client asks anew as soon as it is answered. Only after some polls
 * in vain the kernel is given a moment. */
static void turn(struct fort *fort)
{
    int before = fort->answered, descriptors;

    world_turn(fort->w, fort->silence);
    fort->silence = fort->answered > before ? 0 : fort->silence + 1;
    if (fort->silence > fort->longest_silence)
        fort->longest_silence = fort->silence;
    ck_assert_msg(fort->silence <= PATIENCE, "%s: the good client waits for answer %d",
                  world_name(fort->w), fort->asked);
    if (count_bytes() > fort->most_bytes)
        fort->most_bytes = count_bytes();
    descriptors = fort->descriptors < 0 ? 0 : count_descriptors();
    if (descriptors > fort->most_descriptors)
        fort->most_descriptors = descriptors;
}

static void turns(struct fort *fort, int count)
{
    for (int i = 0; i < count; i++)
        turn(fort);
}

#define TURNS_UNTIL(fort, condition)                                                               \
    do {                                                                                           \
        for (int turn_ = 0; !(condition); turn_++) {                                               \
            ck_assert_msg(turn_ < 4 * ROUNDS, "%s: in vain: %s", world_name((fort)->w),            \
                          #condition);                                                             \
            turn(fort);                                                                            \
        }                                                                                          \
    } while (0)

static void open_server(struct fort *fort)
{
    plx_server *server = fort->server = world_server(fort->w);

    plx_server_set_client_events(server, &client_events, fort);
    ck_assert_int_eq(plx_server_set_frame(server, &frame), 0);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_READ_LIMIT, READ_LIMIT), 0);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_WRITE_LIMIT, WRITE_LIMIT), 0);
    ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_LINGER_TIMEOUT, 50), 0);
    if (fort->w->kind == &kinds[1])
        ck_assert_int_eq(plx_server_set_option(server, PLX_OPTION_RECEIVE_HANDLES, 1), 0);
    world_serve(fort->w, server, fort->where);
}

/* Too large for the stack of a test, and freed by nobody's handler: it lives as long as the
 * program. */
static struct fort *open_fort(struct world *w)
{
    static struct fort kept;
    struct fort *fort = &kept;

    memset(fort, 0, sizeof *fort);
    fort->w = w;
    open_server(fort);
    fort->good = world_socket(w, NULL);
    plx_socket_set_events(fort->good, &good_events, fort);
    ck_assert_int_eq(plx_socket_set_frame(fort->good, &frame), 0);
    ck_assert_int_eq(plx_socket_connect_to(fort->good, fort->where), 0);
    ask(fort);
    TURNS_UNTIL(fort, fort->answered >= 20);
    fort->bytes = fort->most_bytes = count_bytes();
    fort->descriptors = fort->most_descriptors = count_descriptors();
    return fort;
}

/* ---- its peers ------------------------------------------------------------------------------- */

static int peer(struct fort *fort)
{
    int raw = fort->w->kind->raw_connect(fort->where);

    ck_assert_msg(raw >= 0, "a peer cannot connect: %s", strerror(errno));
    ck_assert_int_lt(fort->count, CROWD);
    return fort->peers[fort->count++] = raw;
}

static void close_peers(struct fort *fort)
{
    while (fort->count > 0)
        close(fort->peers[--fort->count]);
}

/* So many peers, which are all let in. */
static void crowd(struct fort *fort, int count)
{
    for (int i = 0; i < count; i++) {
        peer(fort);
        if (i % 8 == 7)
            turn(fort);
    }
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == (size_t)count + 1);
}

/* Sends what fits; returns how much, or -1 where the server has ended the connection. */
static ptrdiff_t push(int raw, const void *data, size_t size)
{
    ssize_t sent = send(raw, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent >= 0 || errno == EAGAIN)
        return sent < 0 ? 0 : sent;
    ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "a peer cannot send: %s", strerror(errno));
    return -1;
}

static void put_length(uint32_t length, unsigned char *ret_bytes)
{
    for (int i = 0; i < 4; i++)
        ret_bytes[i] = (unsigned char)(length >> (24 - 8 * i));
}

static bool is_ended(int raw)
{
    char bytes[4096];

    return raw_take(raw, bytes, sizeof bytes) == 0;
}

/* After an attack: the good client is the only one, and what was taken is given back. */
static void expect_calm(struct fort *fort)
{
    int before = fort->answered;

    close_peers(fort);
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    TURNS_UNTIL(fort, count_bytes() <= fort->bytes + 64 * KIB);
    TURNS_UNTIL(fort, fort->answered >= before + 20);
    ck_assert_msg(count_descriptors() == fort->descriptors, "%s: %d descriptors before, %d after",
                  world_name(fort->w), fort->descriptors, count_descriptors());
}

/* ---- frames ---------------------------------------------------------------------------------- */

CASE(lengths_of_four_gib)
{
    static const uint32_t lengths[] = {UINT32_MAX, 0x80000000u, 0x7fffffffu, LONGEST + 1};
    struct fort *fort = open_fort(w);
    int count = times(200);

    crowd(fort, count);
    for (int i = 0; i < count; i++) {
        unsigned char bytes[104] = {0};

        put_length(lengths[i % 4], bytes);
        raw_send(fort->peers[i], bytes, i % 8 < 4 ? sizeof bytes : 4);
        if (i % 10 == 9)
            turn(fort);
    }
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    ck_assert_uint_eq(fort->too_long, (size_t)count);
    /* Never was there room made for what was announced: a block for each that had come and not
     * been looked at yet. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB);
    expect_calm(fort);
}

CASE(messages_before_one_that_is_too_long_count)
{
    static const unsigned char bytes[] = "\0\0\0\1x\0\0\0\2yz\0\1\0\1nothing";
    struct fort *fort = open_fort(w);

    for (int i = 0; i < 20; i++) {
        int raw = peer(fort);
        size_t before = fort->messages - (size_t)fort->answered;

        raw_send(raw, bytes, sizeof bytes);
        TURNS_UNTIL(fort, fort->too_long == (size_t)i + 1);
        turns(fort, 5);
        ck_assert_uint_ge(fort->messages - (size_t)fort->answered, before + 2);
    }
    expect_calm(fort);
}

/* How many peers there may be: each takes two descriptors of this process. */
static int crowd_size(void)
{
    struct rlimit limit;
    int most;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    most = limit.rlim_cur > 4 * CROWD ? CROWD : (int)limit.rlim_cur / 2 - 100;
    return times(CROWD) < most ? times(CROWD) : most;
}

CASE(half_a_frame_and_silence)
{
    struct fort *fort = open_fort(w);
    int count = crowd_size();
    unsigned char bytes[104] = {0};

    crowd(fort, count);
    put_length(LONGEST, bytes);
    for (int i = 0; i < count; i++) {
        raw_send(fort->peers[i], bytes, i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : sizeof bytes);
        if (i % 20 == 19)
            turn(fort);
    }
    turns(fort, 100);
    ck_assert_uint_eq(plx_server_active_count(fort->server), (size_t)count + 1);
    ck_assert_uint_eq(fort->too_long, 0);
    /* A block each, and not the 64 KiB that they have announced. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

CASE(a_byte_now_and_then)
{
    struct fort *fort = open_fort(w);
    int count = times(100), rounds = times(200);
    unsigned char bytes[204] = {0};

    crowd(fort, count);
    put_length(LONGEST, bytes);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < count; i++)
            raw_send(fort->peers[i], bytes + round, 1);
        turn(fort);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), (size_t)count + 1);
    /* The block with what has come, and room for another block behind it. */
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 40 * KIB + 256 * KIB);
    expect_calm(fort);
}

CASE(empty_messages_for_ever)
{
    static const unsigned char zeros[32 * 1024];
    struct fort *fort = open_fort(w);
    int raw = peer(fort), rounds = times(100);

    for (int i = 0; i < rounds; i++) { /* 8 192 messages each time, at most */
        ck_assert_int_ge(push(raw, zeros, sizeof zeros), 0);
        turn(fort);
    }
    ck_assert_uint_gt(fort->messages, (size_t)rounds * 1000);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 512 * KIB);
    expect_calm(fort);
}

/* ---- coming and going ------------------------------------------------------------------------ */

enum { STAYING = 100 };

/* The i-th peer comes: it goes at once, is reset, says half a thing and goes, or stays a while. */
static void come_and_go(struct fort *fort, int i)
{
    int *place = &fort->peers[i / 4 % STAYING], raw = fort->w->kind->raw_connect(fort->where);

    ck_assert_msg(raw >= 0, "peer %d cannot connect: %s", i, strerror(errno));
    if (i % 4 == 3) {
        if (i / 4 >= STAYING)
            close(*place);
        *place = raw;
        fort->count = i / 4 < STAYING ? i / 4 + 1 : STAYING;
        return;
    }
    if (i % 4 == 2)
        push(raw, "\0\0\0\5half", 8);
    if (i % 4 == 1)
        raw_reset(fort->w, raw);
    else
        close(raw);
}

CASE(ten_thousand_come_and_go)
{
    struct fort *fort = open_fort(w);
    int count = times(10000);

    for (int i = 0; i < count; i++) {
        come_and_go(fort, i);
        if (i % 8 == 7)
            turn(fort);
    }
    ck_assert_int_lt(fort->most_descriptors, fort->descriptors + 2 * STAYING + 200);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 2 * STAYING * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

/* ---- those who do not read ------------------------------------------------------------------- */

CASE(asking_for_ever_and_never_reading)
{
    enum { PEERS = 10 };
    struct fort *fort = open_fort(w);
    int rounds = times(1000);

    crowd(fort, PEERS);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < PEERS; i++)
            ck_assert_int_ge(push(fort->peers[i], "\0\0\0\4much", 8), 0);
        turn(fort);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), PEERS + 1);
    /* Twice the limit, for a buffer grows by doubling. */
    ck_assert_uint_lt(fort->most_bytes,
                      fort->bytes + PEERS * (2 * WRITE_LIMIT + 2 * READ_LIMIT) + 256 * KIB);
    ck_assert_uint_gt(fort->most_bytes, fort->bytes + PEERS * WRITE_LIMIT / 2);
    expect_calm(fort);
}

CASE(ending_and_never_reading)
{
    enum { PEERS = 10 };
    struct fort *fort = open_fort(w);

    /* They end their side with answers under way: the linger time gets rid of them. */
    crowd(fort, PEERS);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < PEERS; i++)
            push(fort->peers[i], "\0\0\0\4much", 8);
        turn(fort);
    }
    for (int i = 0; i < PEERS; i++)
        ck_assert_int_eq(shutdown(fort->peers[i], SHUT_WR), 0);
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    expect_calm(fort);
}

/* ---- nonsense -------------------------------------------------------------------------------- */

/* A xorshift generator (Marsaglia): the same numbers each time. */
static uint32_t chance(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A piece of nonsense. Every other one begins with a length that the server takes, so that it gets
 * further. Returns whether the connection lives. */
static bool babble(int raw, uint32_t *seed)
{
    unsigned char bytes[600];
    size_t size = 1 + chance(seed) % sizeof bytes;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)chance(seed);
    if (chance(seed) % 2 == 0 && size >= 4)
        put_length(chance(seed) % 500, bytes);
    return push(raw, bytes, size) >= 0;
}

CASE(random_bytes)
{
    struct fort *fort = open_fort(w);
    int count = times(1000);
    uint32_t seed = 2463534242u;

    for (int i = 0; i < count; i++) {
        int raw = peer(fort);

        for (uint32_t left = 1 + chance(&seed) % 8; left > 0 && babble(raw, &seed); left--)
            if (chance(&seed) % 4 == 0)
                turn(fort);
        if (chance(&seed) % 4 != 0) { /* others stay until the end */
            fort->count--;
            close(raw);
        }
    }
    turns(fort, 50);
    ck_assert_uint_gt(fort->too_long, 0);
    ck_assert_uint_gt(fort->messages, (size_t)fort->answered);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + (size_t)count * 20 * KIB + 256 * KIB);
    expect_calm(fort);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* Sends as many copies of a descriptor as ride on a byte; false where the connection has ended. */
static bool push_handles(int raw, int handle, int count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * HANDLES)];
        struct cmsghdr align;
    } control;
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    memset(&control, 0, sizeof control);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + sizeof(int) * (size_t)i, &handle, sizeof handle);
    if (sendmsg(raw, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN)
        return true;
    ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "a peer cannot send: %s", strerror(errno));
    return false;
}

static struct fort *open_ipc_fort(struct world *w, bool collecting)
{
    struct fort *fort;

    w->kind = &kinds[1];
    fort = open_fort(w);
    fort->collecting = collecting;
    return fort;
}

MODE_CASE(descriptors_for_ever_and_all_are_taken)
{
    struct fort *fort = open_ipc_fort(w, true);
    int raw = peer(fort), rounds = times(300), null = world_raw(w, open("/dev/null", O_CLOEXEC));

    for (int i = 0; i < rounds; i++) {
        ck_assert(push_handles(raw, null, HANDLES));
        TURNS_UNTIL(fort, fort->collected == ((size_t)i + 1) * HANDLES);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), 2);
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 3);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 128 * KIB);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_for_ever_and_faster_than_they_are_taken)
{
    struct fort *fort = open_ipc_fort(w, true);
    int raw = peer(fort), rounds = times(300), null = world_raw(w, open("/dev/null", O_CLOEXEC));

    /* Whether they are all taken or the peer loses its connection, nothing piles up here. */
    for (int i = 0; i < rounds; i++) {
        for (int k = 0; k < 4; k++)
            if (!push_handles(raw, null, HANDLES))
                raw = peer(fort);
        turn(fort);
    }
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 2 * HANDLES + 2 * fort->count + 8);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 256 * KIB);
    close_peers(fort);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_for_ever_and_none_is_taken)
{
    struct fort *fort = open_ipc_fort(w, false);
    int null = world_raw(w, open("/dev/null", O_CLOEXEC)), rounds = times(100);

    for (int i = 0; i < rounds; i++) {
        int raw = peer(fort);

        for (int k = 0; k < 10 && push_handles(raw, null, HANDLES); k++)
            turn(fort);
        TURNS_UNTIL(fort, is_ended(raw));
        fort->count--;
        close(raw);
    }
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 3 + 2 * HANDLES);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 128 * KIB);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_of_many_that_end_by_themselves)
{
    struct fort *fort = open_ipc_fort(w, false);
    int null = world_raw(w, open("/dev/null", O_CLOEXEC)), rounds = times(300);
    uint32_t seed = 88675123u;

    for (int i = 0; i < rounds; i++) { /* some never polled for before they are gone */
        int raw = peer(fort);

        for (uint32_t left = chance(&seed) % 4; left > 0; left--) {
            ck_assert(push_handles(raw, null, 1 + (int)(chance(&seed) % 60)));
            if (chance(&seed) % 2 == 0)
                turn(fort);
        }
        fort->count--;
        close(raw);
    }
    raw_close(w, null);
    expect_calm(fort);
}

/* ---- the suite ------------------------------------------------------------------------------- */

/* A thousand peers take two descriptors each, and where the soft limit is 1 024 the hard one is
 * larger. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 4 * CROWD)
        return;
    limit.rlim_cur = limit.rlim_max > 4 * CROWD ? 4 * CROWD + 1 : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("setrlimit");
}

int main(void)
{
    static const TTest *const *const cases[] = {
        &lengths_of_four_gib,
        &messages_before_one_that_is_too_long_count,
        &half_a_frame_and_silence,
        &a_byte_now_and_then,
        &empty_messages_for_ever,
        &ten_thousand_come_and_go,
        &asking_for_ever_and_never_reading,
        &ending_and_never_reading,
        &random_bytes,
    };
    static const TTest *const *const of_ipc[] = {
        &descriptors_for_ever_and_all_are_taken,
        &descriptors_for_ever_and_faster_than_they_are_taken,
        &descriptors_for_ever_and_none_is_taken,
        &descriptors_of_many_that_end_by_themselves,
    };
    Suite *suite = suite_create("hostile");
    TCase *peers = tcase_create("peers"), *handles = tcase_create("handles");

    raise_limit();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ADD_CASE(peers, *cases[i]);
    for (size_t i = 0; i < sizeof of_ipc / sizeof of_ipc[0]; i++)
        ADD_MODE_CASE(handles, *of_ipc[i]);
    tcase_set_timeout(peers, 60);
    tcase_set_timeout(handles, 60);
    suite_add_tcase(suite, peers);
    suite_add_tcase(suite, handles);
    return world_run(suite);
}
