/* tests/world.h -- what a test runs in: a kind, a way of polling, a folder, and everything that the
 * test makes.
 *
 * Each case runs for every row of kinds.h and every way of polling. The number of a loop test says
 * which: index = mode * world_kinds() + kind, with the modes in the order of `enum mode`. So
 * "connect.c:...:connect_works:4" is the second of three kinds (ipc) in a group with poll(2). Modes
 * that are not built in, or that the kernel refuses, are left out, which a line on stderr reports.
 * world_begin makes a world. world_end frees what the test left, and then expects the process to
 * have as many descriptors and as many blocks of Pollux's memory as before. */
#ifndef POLLUX_TESTS_WORLD_H
#define POLLUX_TESTS_WORLD_H

#include <check.h>
#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/counting.h"
#include "tests/kernel.h"
#include "tests/kinds.h"
#include "tests/raw.h"
#include "tests/record.h"
#include "tests/suite.h"

enum mode { MODE_LONE, MODE_POLL, MODE_EPOLL, MODE_URING, MODES };
enum { WORLD_SOCKETS = 64, WORLD_SERVERS = 8 };

struct world {
    const struct kind *kind;
    enum mode mode;
    plx_group *group;                   /* NULL when every socket is polled alone */
    plx_socket *sockets[WORLD_SOCKETS]; /* holes are NULL */
    plx_server *servers[WORLD_SERVERS];
    struct raw *raws; /* to close at the end; holes have no descriptor */
    int sockets_used, servers_used, raws_used;
    int places; /* how many numbers of places are used */
    char folder[64];
    char name[32];
    int descriptors_before;
    size_t blocks_before;
};

/* world_modes returns how many ways of polling there are here, world_kinds how many kinds the CASEs
 * of this program run for, world_count how many worlds there are. world_is_chosen returns whether
 * CASEs run in the world of that number: filtered kinds run in one way of polling only, unless
 * POLLUX_TEST_WORLDS in the environment is "all"; if it is part of a world's name (such as "tcp",
 * "stack ipc/poll"), only those worlds run. world_is_of_streams also returns whether the world's
 * kind keeps no boundaries, world_is_unfiltered whether the kind sends the program's bytes as they
 * are, and world_is_of_unfiltered_streams both. world_is_prompt also returns whether the kind
 * connects without an answer of the peer, world_is_half_open whether the end of one side of its
 * connections leaves the other one open. */
int world_modes(void);
int world_kinds(void);
int world_count(void);
bool world_is_chosen(int index);
bool world_is_of_streams(int index);
bool world_is_unfiltered(int index);
bool world_is_of_unfiltered_streams(int index);
bool world_is_prompt(int index);
bool world_is_half_open(int index);

/* world_chosen_modes returns the ways of polling for cases that choose a world by themselves: one,
 * unless POLLUX_TEST_WORLDS is "all" or names others ("tcp/poll"). */
int world_chosen_modes(enum mode ret_modes[MODES]);

/* world_begin makes a world by the number of a loop test. world_begin_plain makes one with the
 * program's kind, which is the first row's unless the program names another. world_begin_of makes
 * one with the kind of that name. world_end ends a world, and expects that nothing is left over. */
void world_begin(struct world *world, int index);
void world_begin_plain(struct world *world, enum mode mode);
void world_begin_of(struct world *world, const char *name, enum mode mode);
void world_end(struct world *world);
const char *world_name(const struct world *world);

/* LOGGED compares the whole text of a record with the wanted events, and names the world's kind and
 * mode when they differ. Kinds that keep boundaries report no send_progress: for them LOGGED
 * ignores these words of `wanted`. SETTLED polls several times first (world_settle). */
#define LOGGED(world, record, wanted)                                                              \
    ck_assert_msg(world_logged(world, record, wanted),                                             \
                  "%s:\n  happened: \"%s\"\n  wanted:   \"%s\"", world_name(world),                \
                  (record)->text, (wanted))
#define SETTLED(world, record, wanted)                                                             \
    do {                                                                                           \
        world_settle(world);                                                                       \
        LOGGED(world, record, wanted);                                                             \
    } while (0)
bool world_logged(const struct world *world, const struct record *record, const char *wanted);

/* ---- cases ----------------------------------------------------------------------------------- */

/* CASE(name) { ... } runs in each world, which the body gets as `w`. */
#define CASE(name) WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_chosen)

/* MODE_CASE runs in each way of polling, with the program's kind only. */
#define MODE_CASE(name)                                                                            \
    WORLD_CASE(name, world_begin_plain(&world_, (enum mode)_i), world_modes(), NULL)

/* STREAM_CASE is CASE without the kinds that keep boundaries: for cases that count the single bytes
 * of a stream. A program with `packets` reports the cases that it leaves out. */
#define STREAM_CASE(name)                                                                          \
    WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_of_streams)

/* KERNEL_CASE is CASE without the kinds that are filtered: for cases that count the bytes in the
 * kernel's buffers. A program with `filtered` reports the cases that it leaves out. */
#define KERNEL_CASE(name)                                                                          \
    WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_unfiltered)
#define STREAM_KERNEL_CASE(name)                                                                   \
    WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_of_unfiltered_streams)

/* PROMPT_CASE is CASE without the kinds that establish: for cases whose raw peer cannot answer
 * while the socket connects, because the case sleeps in a wait or the peer is gone. A program with
 * `filtered` reports the cases that it leaves out. */
#define PROMPT_CASE(name) WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_prompt)

/* HALF_OPEN_PAIR_CASE is PAIR_CASE_WITH PLX_OPTION_HALF_OPEN without the kinds whose end is that of
 * both sides, which a program with `filtered` reports too. */
#define HALF_OPEN_CASE(name)                                                                       \
    WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_half_open)
#define HALF_OPEN_PAIR_CASE(name)                                                                  \
    WORLD_PAIR_CASE(HALF_OPEN_CASE, name, world_socket_with(w, log, PLX_OPTION_HALF_OPEN, 1))

/* SOCKET_CASE, STREAM_SOCKET_CASE and MODE_SOCKET_CASE begin with a new `socket` of ours, its
 * `log`, and `where`, which has room for a place (WHERE_SIZE). TCP_SOCKET_CASE and so on are
 * MODE_CASEs with a socket of that kind. */
#define SOCKET_CASE(name) WORLD_SOCKET_CASE(CASE, name, world_socket(w, log))
#define PROMPT_SOCKET_CASE(name) WORLD_SOCKET_CASE(PROMPT_CASE, name, world_socket(w, log))
#define STREAM_SOCKET_CASE(name) WORLD_SOCKET_CASE(STREAM_CASE, name, world_socket(w, log))
#define MODE_SOCKET_CASE(name) WORLD_SOCKET_CASE(MODE_CASE, name, world_socket(w, log))
#define TCP_SOCKET_CASE(name)                                                                      \
    WORLD_SOCKET_CASE(MODE_CASE, name, world_socket_of(w, plx_tcp_new, log))
#define UDP_SOCKET_CASE(name)                                                                      \
    WORLD_SOCKET_CASE(MODE_CASE, name, world_socket_of(w, plx_udp_new, log))
#define IPC_SOCKET_CASE(name)                                                                      \
    WORLD_SOCKET_CASE(MODE_CASE, name, world_socket_of(w, plx_ipc_new, log))
#define SEQPACKET_SOCKET_CASE(name)                                                                \
    WORLD_SOCKET_CASE(MODE_CASE, name, world_socket_of(w, plx_seqpacket_new, log))

/* PAIR_CASE and the others with PAIR are for cases that begin with a connection: `socket` is ours
 * and connected, with an empty `log`, and `raw` is its raw peer. Those `_WITH` an option set the
 * option before they connect. */
#define PAIR_CASE(name) WORLD_PAIR_CASE(CASE, name, world_socket(w, log))
#define STREAM_PAIR_CASE(name) WORLD_PAIR_CASE(STREAM_CASE, name, world_socket(w, log))
#define KERNEL_PAIR_CASE(name) WORLD_PAIR_CASE(KERNEL_CASE, name, world_socket(w, log))
#define STREAM_KERNEL_PAIR_CASE(name)                                                              \
    WORLD_PAIR_CASE(STREAM_KERNEL_CASE, name, world_socket(w, log))
#define MODE_PAIR_CASE(name) WORLD_PAIR_CASE(MODE_CASE, name, world_socket(w, log))
#define PAIR_CASE_WITH(name, option, value)                                                        \
    WORLD_PAIR_CASE(CASE, name, world_socket_with(w, log, option, value))
#define STREAM_PAIR_CASE_WITH(name, option, value)                                                 \
    WORLD_PAIR_CASE(STREAM_CASE, name, world_socket_with(w, log, option, value))
#define MODE_PAIR_CASE_WITH(name, option, value)                                                   \
    WORLD_PAIR_CASE(MODE_CASE, name, world_socket_with(w, log, option, value))

/* The macros above use these three. `begin` makes `world_` for the number `_i`, which is less than
 * `runs` and for which `wanted` returns true; `wanted` NULL: for every number. `sort` is one of the
 * macros above. `create` is an expression with `w` and `log` that makes the socket. */
#define WORLD_CASE(name, begin, runs, wanted)                                                      \
    static void name##_body(struct world *w);                                                      \
    START_TEST(name)                                                                               \
    {                                                                                              \
        struct world world_;                                                                       \
                                                                                                   \
        begin;                                                                                     \
        name##_body(&world_);                                                                      \
        world_end(&world_);                                                                        \
    }                                                                                              \
    END_TEST                                                                                       \
    SUITE_REGISTER(name, 0, runs, wanted)                                                          \
    static void name##_body(struct world *w)
#define WORLD_SOCKET_CASE(sort, name, create)                                                      \
    static void name##_opened(struct world *w, plx_socket *socket, struct record *log,             \
                              char *where);                                                        \
    sort(name)                                                                                     \
    {                                                                                              \
        struct record log_, *log = &log_;                                                          \
                                                                                                   \
        name##_opened(w, create, log, (char[WHERE_SIZE]){0});                                      \
    }                                                                                              \
    static void name##_opened(                                                                     \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct record *log CK_ATTRIBUTE_UNUSED, char *where CK_ATTRIBUTE_UNUSED)
#define WORLD_PAIR_CASE(sort, name, create)                                                        \
    static void name##_connected(struct world *w, plx_socket *socket, struct record *log,          \
                                 int raw);                                                         \
    WORLD_SOCKET_CASE(sort, name, create)                                                          \
    {                                                                                              \
        name##_connected(w, socket, log, world_pair(w, socket, log));                              \
    }                                                                                              \
    static void name##_connected(                                                                  \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct record *log CK_ATTRIBUTE_UNUSED, int raw CK_ATTRIBUTE_UNUSED)

/* WORLD_MAIN("tcp") is the main function of a program whose cases run in worlds; WORLD_MAIN("ipc",
 * .kind = "ipc", .timeout = 90) sets other members of struct suite_program too. */
#define WORLD_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return world_main(&(struct suite_program){.name = __VA_ARGS__});                           \
    }
int world_main(const struct suite_program *program);

/* ---- sockets and servers --------------------------------------------------------------------- */

/* world_socket makes a socket of the world's kind, in the world's group, and begins `record` unless
 * it is NULL. */
plx_socket *world_socket(struct world *world, struct record *record);
plx_socket *world_socket_with(struct world *world, struct record *record, plx_option option,
                              int value);
plx_socket *world_socket_of(struct world *world, plx_constructor *create, struct record *record);
plx_server *world_server(struct world *world);
/* world_keep makes the world own a socket made elsewhere (taken from a server); after world_forget
 * the world does not own the socket any more. */
void world_keep(struct world *world, plx_socket *socket);
void world_forget(struct world *world, const plx_socket *socket);
void world_free(struct world *world, plx_socket *socket);
void world_free_server(struct world *world, plx_server *server);
void world_free_group(struct world *world);

/* world_listen makes a socket listen at a place of its own, and sets *ret_where to what reaches
 * it. */
void world_listen(struct world *world, plx_socket *socket, char *ret_where);
void world_serve(struct world *world, plx_server *server, char *ret_where);
void world_place(struct world *world, char *ret_where);

/* ---- connections ----------------------------------------------------------------------------- */

/* world_pair connects a socket of ours to a raw descriptor, which it returns, and empties the
 * record. */
int world_pair(struct world *world, plx_socket *socket, struct record *record);
/* world_couple connects two of our sockets to each other. */
void world_couple(struct world *world, plx_socket *a, plx_socket *b);

/* ---- bytes ----------------------------------------------------------------------------------- */

/* pattern returns bytes of the test pattern, which the caller frees. */
unsigned char *pattern(size_t size);

/* write_pattern queues that many bytes of the pattern, with one write or as packets of at most
 * PACKET bytes, and expects that all are accepted. */
enum { PACKET = 16384 };
void write_pattern(struct world *w, plx_socket *socket, size_t size);

/* ---- polling --------------------------------------------------------------------------------- */

bool world_poll(struct world *world); /* polls everything once; true: work is left */
void world_turn(struct world *world,
                int round); /* polls once; later rounds wait a moment for the kernel */
void world_settle(
    struct world *world); /* polls several times, after which nothing should be in progress */

/* At least ten seconds, for what takes a few milliseconds on an idle machine. */
enum { ROUNDS = 10000 };

#define UNTIL(world, condition)                                                                    \
    do {                                                                                           \
        for (int round_ = 0; !(condition); round_++) {                                             \
            ck_assert_msg(round_ < ROUNDS, "%s: in vain: %s", world_name(world), #condition);      \
            world_turn(world, round_);                                                             \
        }                                                                                          \
    } while (0)

/* under_valgrind returns whether the program runs under valgrind, where everything is thirty times
 * slower. Valgrind has its own limit of descriptors, and closes the accepted ones above it. */
bool under_valgrind(void);

/* ---- time ------------------------------------------------------------------------------------ */

/* time_stop stops the library's clock; only time_pass moves it on. So a time-out ends when a case
 * calls time_pass, and not because the machine was busy. time_run makes the library use the
 * kernel's clock again. A sleep always ends by the kernel's clock. */
void time_stop(void);
void time_pass(int milliseconds);
void time_run(void);

/* world_run lets the time pass for a program that runs: in frames, with a poll after each. A single
 * step of time_pass is a halt of the program to the library (<pollux/clock.h>). */
void world_run(struct world *world, int milliseconds);

/* alarm_once_asleep starts a process that sends SIGALRM to this one as soon as this one sleeps.
 * Returns the started process, for waitpid(2). */
pid_t alarm_once_asleep(void);

#endif
