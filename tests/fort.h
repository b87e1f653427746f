/* tests/fort.h -- a server under attack, and its good client, which it must answer all the time.
 *
 * The peers are raw descriptors of this process. After each attack the server must have the
 * clients, descriptors and bytes of memory that it had before, except for what a pool may keep. */
#ifndef POLLUX_TESTS_FORT_H
#define POLLUX_TESTS_FORT_H

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/clocks.h"
#include "tests/sockets.h"
#include "tests/world.h"

#define KIB ((size_t)1024)

enum {
    LONGEST = 64 * 1024,     /* of the messages that the server accepts */
    READ_LIMIT = 16 * 1024,  /* of each client */
    WRITE_LIMIT = 64 * 1024, /* of each client */
    PATIENCE = 200,          /* polls within which the good client is answered */
    CROWD = 1000             /* raw peers at once */
};

/* Reduces a number of repetitions under a sanitizer, and even more under valgrind. */
static inline int times(int usual)
{
    return SANITIZED ? usual / 5 : under_valgrind() ? usual / 20 : usual;
}

/* ---- the server and its good client ---------------------------------------------------------- */

/* A server, the good client, and the raw peers. `bytes` and `descriptors` were counted before the
 * attack. */
struct fort {
    struct world *w;
    plx_server *server;
    plx_socket *good;
    char where[WHERE_SIZE];
    bool collecting; /* the server takes received descriptors, and closes them */
    int asked, answered, silence, longest_silence;
    size_t messages, collected, too_long; /* of all clients */
    size_t bytes, most_bytes;
    int descriptors, most_descriptors;
    int peers[CROWD];
    int count;
};

static const plx_frame frame = {.length_size = 4, .maximum = LONGEST};

/* Answers until WRITE_LIMIT is reached; the peer misses the rest. */
static inline void answer_much(plx_socket *client)
{
    static const char piece[1000];
    int result = 0;

    while (result == 0)
        result = plx_socket_write_message(client, piece, sizeof piece);
    ck_assert(result == EAGAIN || result == PLX_INVALID_STATE);
}

static inline void on_request(plx_socket *client, void *user)
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

static inline void on_bytes(plx_socket *client, void *user)
{
    struct fort *fort = user;

    for (int got; fort->collecting && (got = plx_ipc_receive_handle(client)) >= 0; close(got))
        fort->collected++;
}

static inline void on_client_error(plx_socket *client, const plx_error *error, void *user)
{
    struct fort *fort = user;

    (void)client;
    fort->too_long += error->reason == PLX_REASON_DATAGRAM_TOO_LARGE;
}

static const plx_events client_events = {
    .message_available = on_request, .data_available = on_bytes, .error = on_client_error};

static inline void ask(struct fort *fort)
{
    char text[32];
    int size = snprintf(text, sizeof text, "ping %d", ++fort->asked);

    ck_assert_int_eq(plx_socket_write_message(fort->good, text, (size_t)size), 0);
}

static inline void on_answer(plx_socket *good, void *user)
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

static inline void on_lost(plx_socket *good, const plx_error *error, void *user)
{
    (void)good;
    (void)user;
    ck_abort_msg("the good client: %s", error->message);
}

static const plx_events good_events = {.message_available = on_answer, .error = on_lost};

/* Polls everything once. The good client asks again as soon as it is answered. After some polls
 * without an answer this waits a moment for the kernel. */
static inline void turn(struct fort *fort)
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

static inline void turns(struct fort *fort, int count)
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

static inline void open_server(struct fort *fort)
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

/* A struct fort is too large for the stack of a test, so it is static. */
static inline struct fort *open_fort(struct world *w)
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

static inline int peer(struct fort *fort)
{
    ck_assert_int_lt(fort->count, CROWD);
    return fort->peers[fort->count++] = raw_connect(fort->w, fort->where);
}

static inline void close_peers(struct fort *fort)
{
    while (fort->count > 0)
        raw_close(fort->w, fort->peers[--fort->count]);
}

/* After an attack the good client is the only client, and descriptors and memory are as before. */
static inline void expect_calm(struct fort *fort)
{
    int before = fort->answered;

    close_peers(fort);
    TURNS_UNTIL(fort, plx_server_active_count(fort->server) == 1);
    TURNS_UNTIL(fort, count_bytes() <= fort->bytes + 64 * KIB);
    TURNS_UNTIL(fort, fort->answered >= before + 20);
    ck_assert_msg(count_descriptors() == fort->descriptors, "%s: %d descriptors before, %d after",
                  world_name(fort->w), fort->descriptors, count_descriptors());
}

/* ---- numbers and limits ---------------------------------------------------------------------- */

/* A xorshift generator (Marsaglia); each run has the same numbers. */
static inline uint32_t chance(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A thousand peers need two descriptors each. Where the soft limit is 1 024, the hard limit is
 * larger. */
static inline void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 4 * CROWD)
        return;
    limit.rlim_cur = limit.rlim_max > 4 * CROWD ? 4 * CROWD + 1 : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        perror("setrlimit");
}

#endif
