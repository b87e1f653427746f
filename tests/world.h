/* tests/world.h -- what a test runs in: a kind, a way of polling, a folder, and everything made in
 * it.
 *
 * Each case runs for every row of kinds.h times every way of polling. The number of a loop test
 * says which: index = mode * world_kinds() + kind, with the modes in the order of `enum mode`, so that
 * "connect.c:...:connect_works:4" is the second of three kinds (ipc) on a group with poll(2). The last
 * modes are left out where they are not built in or the kernel refuses them, which is told on stderr.
 * world_begin sets it all up; world_end frees what the test left and then holds the process to what it had before:
 * as many descriptors, as many blocks of Pollux's memory. */
#ifndef POLLUX_TESTS_WORLD_H
#define POLLUX_TESTS_WORLD_H

#include <check.h>
#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/kernel.h"
#include "tests/kinds.h"
#include "tests/raw.h"
#include "tests/record.h"
#include "tests/suite.h"

enum mode { MODE_LONE, MODE_POLL, MODE_EPOLL, MODE_URING, MODES };
enum { WORLD_SOCKETS = 64, WORLD_SERVERS = 8, WORLD_RAWS = 64 };

struct world {
    const struct kind *kind;
    enum mode mode;
    plx_group *group;                   /* NULL when every socket is polled alone */
    plx_socket *sockets[WORLD_SOCKETS]; /* holes are NULL */
    plx_server *servers[WORLD_SERVERS];
    int raws[WORLD_RAWS]; /* descriptors to close at the end; -1: none */
    int sockets_used, servers_used, raws_used;
    int places; /* numbers given out for names */
    char folder[64];
    char name[32];
    int descriptors_before;
    size_t blocks_before;
};

/* world_modes returns how many ways of polling there are here, world_kinds how many kinds the CASEs of
 * this program run for, world_count how many worlds that makes. world_is_of_streams: the world of that
 * number is of a kind that keeps no boundaries. */
int world_modes(void);
int world_kinds(void);
int world_count(void);
bool world_is_of_streams(int index);

/* world_begin sets a world up by the number of a loop test; world_begin_plain is for tests of one
 * noun and takes the kind of the program, as a rule the first. world_end takes it down and counts
 * what is left over. */
void world_begin(struct world *world, int index);
void world_begin_plain(struct world *world, enum mode mode);
void world_end(struct world *world);
const char *world_name(const struct world *world);

/* LOGGED compares the whole text of a record with the events that are wanted, and names kind and mode of
 * the world when they differ. Kinds that keep boundaries report no send_progress: for them those words
 * of `wanted` do not count. */
#define LOGGED(world, record, wanted)                                                              \
    ck_assert_msg(world_logged(world, record, wanted),                                             \
                  "%s:\n  happened: \"%s\"\n  wanted:   \"%s\"", world_name(world),                \
                  (record)->text, (wanted))
bool world_logged(const struct world *world, const struct record *record, const char *wanted);

/* ---- cases ------------------------------------------------------------------------------------ */

/* CASE(name) { ... } runs in each world: the body gets a begun one as `w`. */
#define CASE(name) WORLD_CASE(name, world_begin(&world_, _i), world_count(), NULL)

/* MODE_CASE is the same over the ways of polling only, for tests of one kind: that of the program. */
#define MODE_CASE(name)                                                                            \
    WORLD_CASE(name, world_begin_plain(&world_, (enum mode)_i), world_modes(), NULL)

/* STREAM_CASE is CASE without the kinds that keep boundaries: for what counts the single bytes of a
 * stream. A program that has the others names the cases that it leaves out for them. */
#define STREAM_CASE(name)                                                                          \
    WORLD_CASE(name, world_begin(&world_, _i), world_count(), world_is_of_streams)

/* PAIR_CASE, STREAM_PAIR_CASE and MODE_PAIR_CASE are the same for what begins with a connection:
 * `socket` is ours and connected, with an empty `log`, and `raw` its raw peer. */
#define PAIR_CASE(name) WORLD_PAIR_CASE(CASE, name, world_socket)
#define STREAM_PAIR_CASE(name) WORLD_PAIR_CASE(STREAM_CASE, name, world_socket)
#define MODE_PAIR_CASE(name) WORLD_PAIR_CASE(MODE_CASE, name, world_socket)

/* Of these the sorts of cases are made: `begin` sets `world_` up for the number `_i`, which is less
 * than `runs` and for which `wanted` holds, unless that is NULL; `sort` is one of the sorts above, and
 * `create` makes the socket as world_socket does. */
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
#define WORLD_PAIR_CASE(sort, name, create)                                                        \
    static void name##_connected(struct world *w, plx_socket *socket, struct record *log,          \
                                 int raw);                                                         \
    sort(name)                                                                                     \
    {                                                                                              \
        struct record log_;                                                                        \
        plx_socket *socket_ = create(w, &log_);                                                    \
                                                                                                   \
        name##_connected(w, socket_, &log_, world_pair(w, socket_, &log_));                        \
    }                                                                                              \
    static void name##_connected(                                                                  \
        struct world *w CK_ATTRIBUTE_UNUSED, plx_socket *socket CK_ATTRIBUTE_UNUSED,               \
        struct record *log CK_ATTRIBUTE_UNUSED, int raw CK_ATTRIBUTE_UNUSED)

/* WORLD_MAIN("tcp") is the main function of a program whose cases run in worlds; WORLD_MAIN("ipc",
 * .kind = "ipc", .timeout = 90) of one that says more of itself (struct suite_program). */
#define WORLD_MAIN(...)                                                                            \
    int main(void)                                                                                 \
    {                                                                                              \
        return world_main(&(struct suite_program){.name = __VA_ARGS__});                           \
    }
int world_main(const struct suite_program *program);

/* ---- what is in it --------------------------------------------------------------------------- */

/* world_socket makes a socket of the world's kind, in its group, with a fresh record if one is
 * given. */
plx_socket *world_socket(struct world *world, struct record *record);
plx_socket *world_socket_of(struct world *world, plx_constructor *create, struct record *record);
plx_server *world_server(struct world *world);
/* world_keep takes charge of a socket made elsewhere (taken from a server); world_forget gives one
 * up. */
void world_keep(struct world *world, plx_socket *socket);
void world_forget(struct world *world, const plx_socket *socket);
void world_free(struct world *world, plx_socket *socket);
void world_free_server(struct world *world, plx_server *server);
void world_free_group(struct world *world);

/* world_listen lets a socket listen at a place of its own and says what reaches it. */
void world_listen(struct world *world, plx_socket *socket, char *ret_where);
void world_serve(struct world *world, plx_server *server, char *ret_where);
void world_place(struct world *world, char *ret_where);

/* ---- connections ------------------------------------------------------------------------------ */

/* A connected pair: a socket of ours and a raw descriptor, with an empty log. */
int world_pair(struct world *world, plx_socket *socket, struct record *record);
/* Two of ours, connected to each other. */
void world_couple(struct world *world, plx_socket *a, plx_socket *b);

/* ---- polling --------------------------------------------------------------------------------- */

bool world_poll(struct world *world); /* one pass over everything; true: work is left */
void world_turn(struct world *world,
                int round); /* one pass; later rounds wait a moment for the kernel */
void world_settle(
    struct world *world); /* several passes, after which nothing should be under way */

/* Ten seconds at least, for what takes a few milliseconds where the machine is not busy. */
enum { ROUNDS = 10000 };

#define UNTIL(world, condition)                                                                    \
    do {                                                                                           \
        for (int round_ = 0; !(condition); round_++) {                                             \
            ck_assert_msg(round_ < ROUNDS, "%s: in vain: %s", world_name(world), #condition);      \
            world_turn(world, round_);                                                             \
        }                                                                                          \
    } while (0)

/* under_valgrind says so: everything is thirty times slower there, and the limit of descriptors is
 * valgrind's own, which closes what the kernel accepted beyond it. */
bool under_valgrind(void);

/* ---- time ------------------------------------------------------------------------------------ */

/* time_stop lets the library's clock stand, from the present moment on, until time_pass moves it on, so
 * that a time-out is over when a case says so and not because the machine was busy. time_run gives the
 * clock back to the kernel. A sleep ends by the kernel's time all the same. */
void time_stop(void);
void time_pass(int milliseconds);
void time_run(void);

/* alarm_once_asleep sends SIGALRM to this process as soon as it sleeps, however long it takes to get
 * there. Returns the process that does, to be waited for. */
pid_t alarm_once_asleep(void);

/* ---- counting -------------------------------------------------------------------------------- */

int count_descriptors(void);    /* of this process, by /proc/self/fd; -1: unknown */
int count_sockets(void);        /* those of them that are sockets */
size_t count_blocks(void);      /* of Pollux's memory that are alive */
size_t count_bytes(void);       /* of Pollux's memory in these */
size_t count_allocations(void); /* calls of the allocator so far that gave or changed a block */

/* fail_allocation lets the n-th allocation from now on fail; -n: that one and all later ones; 0:
 * none. */
void fail_allocation(int number);
bool allocation_failed(void); /* whether that has happened since */

#endif
