/* tests/test-watch.c -- watches of a group: descriptors of every sort, what is reported, what handlers
 * may do, and descriptors that are closed too early. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/datagrams.h"
#include "tests/idle-frames.h"
#include "tests/world.h"

/* GROUP_CASE runs in each way of polling that has a group. */
#define GROUP_CASE(name)                                                                           \
    WORLD_CASE(name, world_begin_plain(&world_, (enum mode)(_i + MODE_POLL)),                      \
               world_modes() - MODE_POLL, NULL)

enum { READ = PLX_WANT_READ, WRITE = PLX_WANT_WRITE, BOTH = READ | WRITE, CROWD = 10000 };

struct eye {
    plx_watch *watch;
    int fd;
    int count;      /* calls of the handler */
    unsigned ready; /* in the last call */
    bool inside;
    void (*act)(struct eye *eye); /* in the handler; NULL: nothing */
    struct eye *other;
    plx_group *group, *elsewhere;
    plx_socket *socket;
};

static void see(plx_watch *watch, unsigned ready, void *user)
{
    struct eye *eye = user;

    ck_assert(!eye->inside);
    ck_assert_ptr_eq(watch, eye->watch);
    ck_assert_uint_ne(ready, 0);
    ck_assert_uint_eq(ready & ~(unsigned)BOTH, 0);
    eye->inside = true;
    eye->count++;
    eye->ready = ready;
    if (eye->act != NULL)
        eye->act(eye);
    eye->inside = false;
}

static void eye_make(struct eye *eye, plx_group *group, int fd, unsigned want)
{
    memset(eye, 0, sizeof *eye);
    eye->fd = fd;
    eye->group = group;
    eye->watch = plx_watch_new(fd, see, eye);
    ck_assert_ptr_nonnull(eye->watch);
    ck_assert_int_eq(plx_watch_set(eye->watch, want), 0);
    ck_assert_int_eq(plx_group_add_watch(group, eye->watch), 0);
}

static void eye_free(struct eye *eye)
{
    eye->watch = plx_watch_free(eye->watch);
}

/* Polls a few times, and returns how often the handler was called and with what last. */
static int polls(struct eye *eye, plx_group *group)
{
    eye->count = 0;
    eye->ready = 0;
    for (int i = 0; i < 3; i++)
        plx_group_poll(group, 0);
    return eye->count;
}

static void make_pipe(int *ends)
{
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
}

static void close_pipe(const int *ends)
{
    close(ends[0]);
    close(ends[1]);
}

static void say(int fd)
{
    ck_assert_int_eq(write(fd, "x", 1), 1);
}

static void take(struct eye *eye)
{
    char bytes[100];

    ck_assert_int_gt(read(eye->fd, bytes, sizeof bytes), 0);
}

/* PIPE_CASE has a pipe and an eye that watches the reading end. */
#define PIPE_CASE(name)                                                                            \
    static void name##_piped(struct world *w, struct eye *eye, int *ends);                         \
    GROUP_CASE(name)                                                                               \
    {                                                                                              \
        struct eye eye;                                                                            \
        int ends[2];                                                                               \
                                                                                                   \
        make_pipe(ends);                                                                           \
        eye_make(&eye, w->group, ends[0], READ);                                                   \
        name##_piped(w, &eye, ends);                                                               \
        plx_watch_free(eye.watch);                                                                 \
        close_pipe(ends);                                                                          \
    }                                                                                              \
    static void name##_piped(struct world *w CK_ATTRIBUTE_UNUSED,                                  \
                             struct eye *eye CK_ATTRIBUTE_UNUSED, int *ends CK_ATTRIBUTE_UNUSED)

/* ---- what is reported ------------------------------------------------------------------------ */

PIPE_CASE(in_each_poll_while_it_is_ready)
{
    ck_assert_int_eq(polls(eye, w->group), 0);
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_uint_eq(eye->ready, READ);
    eye->act = take;
    ck_assert_int_eq(polls(eye, w->group), 1);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ck_assert_uint_eq(plx_group_count(w->group), 0);
}

PIPE_CASE(what_is_wanted_changes)
{
    say(ends[1]);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_int_eq(plx_watch_set(eye->watch, WRITE), 0);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ck_assert_int_eq(plx_watch_set(eye->watch, BOTH), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_uint_eq(eye->ready, READ);
}

GROUP_CASE(sockets_can_be_ready_for_both)
{
    struct eye eye;
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    eye_make(&eye, w->group, ends[0], BOTH);
    ck_assert_int_eq(polls(&eye, w->group), 3);
    ck_assert_uint_eq(eye.ready, WRITE);
    say(ends[1]);
    ck_assert_int_eq(polls(&eye, w->group), 3);
    ck_assert_uint_eq(eye.ready, BOTH);
    ck_assert_int_eq(plx_watch_set(eye.watch, READ), 0);
    polls(&eye, w->group);
    ck_assert_uint_eq(eye.ready, READ);
    ck_assert_int_eq(plx_watch_set(eye.watch, WRITE), 0);
    polls(&eye, w->group);
    ck_assert_uint_eq(eye.ready, WRITE);
    eye_free(&eye);
    close_pipe(ends);
}

GROUP_CASE(an_eventfd)
{
    struct eye eye;
    int fd = eventfd(0, EFD_CLOEXEC);

    eye_make(&eye, w->group, fd, READ);
    ck_assert_int_eq(polls(&eye, w->group), 0);
    eventfd_write(fd, 1);
    eye.act = take;
    ck_assert_int_eq(polls(&eye, w->group), 1);
    eye_free(&eye);
    close(fd);
}

/* ---- hang-ups -------------------------------------------------------------------------------- */

PIPE_CASE(a_hang_up_sets_every_wanted_bit)
{
    close(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_uint_eq(eye->ready, READ);
    ck_assert_int_eq(plx_watch_set(eye->watch, BOTH), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_uint_eq(eye->ready, BOTH);
    ck_assert_int_eq(plx_watch_set(eye->watch, WRITE), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_uint_eq(eye->ready, WRITE);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    if (plx_group_handle(w->group) >= 0)
        ck_assert(!is_readable(plx_group_handle(w->group)));
    ends[1] = dup(ends[0]);
}

GROUP_CASE(a_pipe_that_nobody_reads)
{
    struct eye eye;
    int ends[2];

    make_pipe(ends);
    eye_make(&eye, w->group, ends[1], WRITE);
    ck_assert_int_eq(polls(&eye, w->group), 3);
    close(ends[0]);
    ck_assert_int_eq(plx_watch_set(eye.watch, READ), 0);
    ck_assert_int_eq(polls(&eye, w->group), 3);
    ck_assert_uint_eq(eye.ready, READ);
    eye_free(&eye);
    close(ends[1]);
}

GROUP_CASE(a_fifo_whose_writers_come_and_go)
{
    struct eye eye;
    char path[100];
    int fd, writer;

    snprintf(path, sizeof path, "%s/fifo", w->folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    eye_make(&eye, w->group, fd, READ);
    ck_assert_int_eq(polls(&eye, w->group), 0);
    for (int i = 0; i < 3; i++) {
        writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        ck_assert_int_eq(polls(&eye, w->group), 0);
        say(writer);
        eye.act = take;
        ck_assert_int_eq(polls(&eye, w->group), 1);
        close(writer);
        eye.act = NULL;
        ck_assert_int_eq(polls(&eye, w->group), 3);
    }
    eye_free(&eye);
    close(fd);
    unlink(path);
}

/* ---- what cannot be watched ------------------------------------------------------------------ */

static void expect_refused(struct world *w, int fd, int code)
{
    plx_watch *watch = plx_watch_new(fd, see, NULL);

    ck_assert_int_eq(plx_group_add_watch(w->group, watch), code);
    ck_assert_int_eq(plx_watch_set(watch, READ), 0); /* it is in no group */
    ck_assert_int_eq(plx_group_add_watch(w->group, watch), code);
    plx_group_poll(w->group, 0);
    plx_watch_free(watch);
}

GROUP_CASE(files_and_what_is_no_descriptor)
{
    char path[100];
    int file, folder, closed;

    snprintf(path, sizeof path, "%s/file", w->folder);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    folder = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    closed = dup(file);
    close(closed);
    expect_refused(w, file, EPERM);
    expect_refused(w, folder, EPERM);
    expect_refused(w, closed, EBADF);
    expect_refused(w, -1, EBADF);
    expect_refused(w, 1 << 30, EBADF);
    close(file);
    close(folder);
    unlink(path);
}

GROUP_CASE(the_descriptor_of_its_own_group)
{
    plx_watch *watch = plx_watch_new(plx_group_handle(w->group), see, NULL);

    ck_assert_int_eq(plx_watch_set(watch, READ), 0);
    ck_assert_int_ne(plx_group_add_watch(w->group, watch), 0);
    plx_group_poll(w->group, 0);
    plx_watch_free(watch);
}

PIPE_CASE(arguments_that_make_no_sense)
{
    say(ends[1]);
    ck_assert_int_eq(plx_watch_set(eye->watch, 4), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_watch_set(eye->watch, ~0u), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_watch_set(NULL, READ), PLX_INVALID_STATE);
    ck_assert_ptr_null(plx_watch_free(NULL));
    ck_assert_int_eq(plx_group_add_watch(NULL, eye->watch), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_watch(w->group, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_watch(NULL, NULL), PLX_INVALID_STATE);
    plx_group_remove_watch(NULL, eye->watch);
    plx_group_remove_watch(w->group, NULL);
    ck_assert_int_eq(plx_group_add_watch(w->group, eye->watch), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
}

PIPE_CASE(without_a_handler)
{
    plx_watch *watch = plx_watch_new(ends[1], NULL, NULL);

    ck_assert_int_eq(plx_watch_set(watch, WRITE), 0);
    ck_assert_int_eq(plx_group_add_watch(w->group, watch), 0);
    plx_group_poll(w->group, -1); /* ends */
    ck_assert_int_eq(eye->count, 0);
    plx_watch_free(watch);
}

/* ---- several watches ------------------------------------------------------------------------- */

PIPE_CASE(two_watches_of_one_descriptor)
{
    struct eye other;

    eye_make(&other, w->group, ends[0], READ);
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    ck_assert_int_eq(other.count, 3);
    eye_free(&other);
    ck_assert_int_eq(polls(eye, w->group), 3);
    eye_make(&other, w->group, ends[0], READ);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    ck_assert_int_eq(polls(&other, w->group), 3);
    eye_free(&other);
}

/* The first one that is called reads all there is. */
PIPE_CASE(the_second_is_not_called_in_vain)
{
    struct eye other;

    eye_make(&other, w->group, ends[0], READ);
    eye->act = other.act = take;
    say(ends[1]);
    polls(eye, w->group);
    ck_assert_int_eq(eye->count + other.count, 1);
    eye_free(&other);
}

/* Also not when the readiness is left over from a frame whose budget was spent. */
PIPE_CASE(the_budget_counts_each_call)
{
    struct eye others[5];
    int called = 0;

    for (int i = 0; i < 5; i++)
        eye_make(&others[i], w->group, ends[0], READ);
    plx_group_set_budget(w->group, 0, 1);
    say(ends[1]);
    for (int i = 0; i < 6; i++)
        ck_assert(plx_group_poll(w->group, 0));
    for (int i = 0; i < 5; i++)
        called += others[i].count;
    ck_assert_int_eq(called + eye->count, 6);
    ck_assert_int_eq(eye->count, 1); /* in turn */
    take(eye);
    for (int i = 0; i < 10; i++)
        plx_group_poll(w->group, 0);
    for (int i = 0; i < 5; i++)
        called -= others[i].count;
    ck_assert_int_eq(called, 0);
    for (int i = 0; i < 5; i++)
        eye_free(&others[i]);
}

/* The library watches the socket too. */
GROUP_CASE(a_socket_of_the_group)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);
    struct eye eye;

    eye_make(&eye, w->group, plx_socket_handle(socket), READ);
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    eye_free(&eye);
    raw_say(raw, "hello");
    UNTIL(w, plx_socket_bytes_available(socket) == 10);
}

/* ---- what handlers do ------------------------------------------------------------------------ */

static void free_itself(struct eye *eye)
{
    plx_watch *watch = eye->watch;

    plx_watch_free(watch);
    ck_assert_ptr_null(plx_watch_free(watch));
    ck_assert_int_eq(plx_watch_set(watch, READ), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_group_add_watch(eye->group, watch), PLX_INVALID_STATE);
    plx_group_remove_watch(eye->group, watch);
    eye->watch = NULL;
}

static void free_other(struct eye *eye)
{
    eye_free(eye->other);
    eye->act = free_itself;
}

static void stop_other(struct eye *eye)
{
    ck_assert_int_eq(plx_watch_set(eye->other->watch, PLX_WANT_NOTHING), 0);
}

static void other_wants_to_write(struct eye *eye)
{
    ck_assert_int_eq(plx_watch_set(eye->other->watch, WRITE), 0);
}

static void remove_other(struct eye *eye)
{
    plx_group_remove_watch(eye->group, eye->other->watch);
}

/* The other one is ready in the same poll. */
PIPE_CASE(an_other_that_is_ready_too)
{
    struct eye other;

    eye_make(&other, w->group, ends[0], READ);
    eye->other = &other;
    other.other = eye;
    say(ends[1]);
    eye->act = other.act = stop_other;
    plx_group_poll(w->group, 0);
    ck_assert_int_eq(eye->count + other.count, 1);
    for (int i = 0; i < 2; i++) {
        eye->act = other.act = i == 0 ? other_wants_to_write : remove_other;
        ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
        ck_assert_int_eq(plx_watch_set(other.watch, READ), 0);
        eye->count = other.count = 0;
        plx_group_poll(w->group, 0);
        ck_assert_int_eq(eye->count + other.count, 1);
    }
    ck_assert_int_eq(plx_group_add_watch(w->group, eye->watch), 0);
    ck_assert_int_eq(plx_group_add_watch(w->group, other.watch), 0);
    eye->act = other.act = free_other;
    eye->count = other.count = 0;
    polls(eye, w->group);
    ck_assert_ptr_null(eye->watch);
    ck_assert_ptr_null(other.watch);
}

static void poll_inside(struct eye *eye)
{
    ck_assert(!plx_group_poll(eye->group, 1000));
}

static void move_and_poll(struct eye *eye)
{
    ck_assert_int_eq(plx_group_add_watch(eye->elsewhere, eye->watch), 0);
    for (int i = 0; i < 3; i++)
        plx_group_poll(eye->elsewhere, 0);
    eye->act = NULL;
}

PIPE_CASE(polls_and_moves_in_the_handler)
{
    plx_group *elsewhere = plx_group_new();

    eye->elsewhere = elsewhere;
    say(ends[1]);
    eye->act = poll_inside;
    ck_assert_int_eq(polls(eye, w->group), 3);
    eye->act = move_and_poll;
    ck_assert_int_eq(polls(eye, w->group), 1);
    plx_group_remove_watch(w->group, eye->watch); /* a member of another group */
    ck_assert_int_eq(polls(eye, elsewhere), 3);
    plx_group_free(elsewhere);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ck_assert_int_eq(plx_group_add_watch(w->group, eye->watch), 0);
    ck_assert_int_eq(polls(eye, w->group), 3);
}

static void free_group(struct eye *eye)
{
    eye->group = plx_group_free(eye->group);
}

GROUP_CASE(freeing_the_group)
{
    plx_group *group = plx_group_new();
    struct eye eyes[3];
    int ends[2];

    make_pipe(ends);
    for (int i = 0; i < 3; i++)
        eye_make(&eyes[i], group, ends[0], READ);
    for (int i = 0; i < 3; i++)
        eyes[i].act = free_group;
    say(ends[1]);
    plx_group_poll(group, 0);
    ck_assert_int_eq(eyes[0].count + eyes[1].count + eyes[2].count, 1);
    ck_assert_int_eq(plx_watch_set(eyes[1].watch, PLX_WANT_NOTHING), 0);
    for (int i = 0; i < 3; i++) {
        eyes[i].act = NULL;
        ck_assert_int_eq(plx_group_add_watch(w->group, eyes[i].watch), 0);
    }
    ck_assert_int_eq(polls(&eyes[0], w->group), 3);
    ck_assert_int_eq(polls(&eyes[1], w->group), 0);
    for (int i = 0; i < 3; i++)
        eye_free(&eyes[i]);
    close_pipe(ends);
}

static void wait_for_data(struct eye *eye)
{
    ck_assert(plx_socket_wait_for_data(eye->socket, 10000));
    take(eye);
}

PIPE_CASE(waiting_in_a_handler)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int raw = world_pair(w, socket, &log);

    eye->socket = socket;
    eye->act = wait_for_data;
    raw_say(raw, "hello");
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 1);
}

/* ---- closed too early ------------------------------------------------------------------------ */

/* The file lives on by another descriptor: epoll(7) then cannot remove what was registered. */
PIPE_CASE(closed_while_another_descriptor_has_the_file)
{
    int other = dup(ends[0]);

    say(ends[1]);
    close(ends[0]);
    polls(eye, w->group);
    eye_free(eye);
    for (int i = 0; i < 3; i++)
        ck_assert(!plx_group_poll(w->group, 0));
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    if (plx_group_handle(w->group) >= 0)
        ck_assert(!is_readable(plx_group_handle(w->group)));
    ends[0] = other;
}

PIPE_CASE(closed_and_no_more)
{
    close(ends[0]);
    polls(eye, w->group);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), EBADF);
    ck_assert_int_eq(polls(eye, w->group), 0);
    ends[0] = dup(ends[1]);
}

/* The number belongs to a socket of the library before the watch ends: the socket goes on. */
PIPE_CASE(closed_and_the_number_reused)
{
    plx_socket *socket = world_socket_of(w, plx_udp_new, NULL);
    plx_address address;

    close(ends[0]);
    ck_assert_int_eq(plx_udp_bind(socket, "127.0.0.1:0"), 0);
    ck_assert_int_eq(plx_socket_handle(socket), ends[0]);
    ck_assert_int_eq(plx_watch_set(eye->watch, BOTH), 0);
    polls(eye, w->group);
    eye_free(eye);
    ck_assert(plx_socket_local(socket, &address));
    ck_assert_int_eq(plx_udp_write(socket, &address, "hello", 5), 0);
    UNTIL(w, plx_socket_bytes_available(socket) == 5);
    ends[0] = dup(ends[1]);
}

/* A watch that wants nothing or was removed does not keep the file open. */
PIPE_CASE(a_stopped_watch_has_no_descriptor)
{
    int before;

    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    before = count_descriptors();
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
    ck_assert_int_eq(plx_watch_set(eye->watch, BOTH), 0);
    plx_group_remove_watch(w->group, eye->watch);
    ck_assert_int_eq(count_descriptors(), before);
    ck_assert_int_eq(plx_group_add_watch(w->group, eye->watch), 0);
    ck_assert_int_eq(count_descriptors(), before + 1);
    eye_free(eye);
    ck_assert_int_eq(count_descriptors(), before);
}

/* Nor does one whose group was freed: the other end of the pipe sees that it is closed. */
GROUP_CASE(a_freed_group_leaves_no_descriptor)
{
    plx_group *group = plx_group_new();
    struct eye eye;
    char byte;
    int ends[2];

    make_pipe(ends);
    eye_make(&eye, group, ends[1], WRITE);
    plx_group_free(group);
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    ck_assert_int_eq(plx_group_add_watch(w->group, eye.watch), EBADF);
    eye_free(&eye);
    close(ends[0]);
}

/* In its next group a watch watches the file that has its number then. */
GROUP_CASE(a_freed_group_and_the_number_reused)
{
    plx_group *group = plx_group_new();
    struct eye eye;
    int ends[2], others[2];

    make_pipe(ends);
    make_pipe(others);
    eye_make(&eye, group, ends[0], READ);
    plx_group_free(group);
    ck_assert_int_eq(dup2(others[0], ends[0]), ends[0]);
    ck_assert_int_eq(plx_group_add_watch(w->group, eye.watch), 0);
    say(others[1]);
    ck_assert_int_eq(polls(&eye, w->group), 3);
    eye_free(&eye);
    close_pipe(ends);
    close_pipe(others);
}

/* ---- scarcity -------------------------------------------------------------------------------- */

static void set_limit(rlim_t limit)
{
    struct rlimit now;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
    now.rlim_cur = limit < now.rlim_max ? limit : now.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* The number of the descriptor that is opened next. */
static int next_descriptor(void)
{
    int next = dup(0);

    ck_assert_int_ge(next, 0);
    close(next);
    return next;
}

/* Without a spare descriptor one watch works all the same, and a second one where poll(2) does. */
PIPE_CASE(no_descriptors_left)
{
    struct eye other = {.fd = ends[0]};
    int code;

    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    set_limit((rlim_t)next_descriptor());
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
    other.watch = plx_watch_new(ends[0], see, &other);
    ck_assert_int_eq(plx_watch_set(other.watch, READ), 0);
    code = plx_group_add_watch(w->group, other.watch);
    ck_assert_int_eq(code, w->mode == MODE_POLL ? 0 : PLX_OPEN_DRIVER);
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    eye_free(&other);
    ck_assert_int_eq(polls(eye, w->group), 3);
    set_limit(1024);
}

/* A quarter of the descriptors is the program's, also where there are fewer than 256. */
PIPE_CASE(few_descriptors)
{
    int next;

    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    next = next_descriptor();
    set_limit((rlim_t)next * 2);
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
    ck_assert_int_gt(next_descriptor(), next);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    set_limit((rlim_t)next + 1);
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), 0);
    ck_assert_int_eq(next_descriptor(), next);
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    set_limit(1024);
}

static int fill(plx_group *group, struct eye *eyes, int fd)
{
    int count = 0, code = 0;

    for (; code == 0 && count < 20; count++) {
        eyes[count].watch = plx_watch_new(fd, see, &eyes[count]);
        ck_assert_int_eq(plx_watch_set(eyes[count].watch, READ), 0);
        fail_allocation(1);
        code = plx_group_add_watch(group, eyes[count].watch);
        fail_allocation(0);
    }
    ck_assert_int_eq(code, PLX_OUT_OF_MEMORY);
    return count;
}

/* A member that cannot move stays where it was. Only poll(2) needs memory of the library's. */
PIPE_CASE(no_memory)
{
    plx_group *elsewhere = plx_group_new();
    struct eye eyes[20] = {{0}};
    int count = 0;

    fail_allocation(1);
    ck_assert_ptr_null(plx_watch_new(ends[0], see, NULL));
    fail_allocation(0);
    if (w->mode == MODE_POLL) {
        count = fill(elsewhere, eyes, ends[0]);
        fail_allocation(1);
        ck_assert_int_eq(plx_group_add_watch(elsewhere, eye->watch), PLX_OUT_OF_MEMORY);
        fail_allocation(0);
    }
    say(ends[1]);
    ck_assert_int_eq(polls(eye, w->group), 3);
    while (count > 0)
        eye_free(&eyes[--count]);
    plx_group_free(elsewhere);
}

#ifdef SYS_epoll_ctl
/* Neither the new group nor the old one can watch it. */
PIPE_CASE(a_kernel_that_watches_nothing_more)
{
    plx_group *elsewhere = plx_group_new();
    struct eye other = {.fd = ends[0]};
    int before;

    if (w->mode == MODE_POLL || !kernel_denies(SYS_epoll_ctl, EPOLL_CTL_ADD, ENOSPC)) {
        plx_group_free(elsewhere);
        return;
    }
    other.watch = plx_watch_new(ends[0], see, &other);
    ck_assert_int_eq(plx_watch_set(other.watch, READ), 0);
    ck_assert_int_eq(plx_group_add_watch(w->group, other.watch), ENOSPC);
    ck_assert_int_eq(plx_group_add_watch(elsewhere, eye->watch), ENOSPC);
    say(ends[1]);
    UNTIL(w, eye->count > 3);
    ck_assert_int_eq(other.count, 0);
    ck_assert_int_eq(plx_watch_set(eye->watch, PLX_WANT_NOTHING), 0);
    world_pause(20);
    polls(eye, w->group);
    ck_assert_int_eq(eye->count, 0);
    ck_assert_int_eq(plx_group_deadline(w->group), -1);
    before = count_descriptors();
    ck_assert_int_eq(plx_watch_set(eye->watch, READ), ENOSPC);
    ck_assert_int_eq(count_descriptors(), before);
    eye_free(&other);
    plx_group_free(elsewhere);
}
#endif

/* ---- sleeping, and ten thousand -------------------------------------------------------------- */

PIPE_CASE(a_timed_poll_ends_when_a_watch_is_ready)
{
    pid_t child = fork();

    if (child == 0) {
        usleep(20000);
        say(ends[1]);
        _exit(0);
    }
    while (eye->count == 0)
        plx_group_poll(w->group, 60000);
    ck_assert_uint_eq(eye->ready, READ);
    waitpid(child, NULL, 0);
}

/* Each has a descriptor of its own, all of the same kind of file. */
GROUP_CASE(an_idle_frame_with_ten_thousand)
{
    struct eye *eyes = calloc(CROWD, sizeof *eyes);
    int count = 0;

    set_limit(RLIM_INFINITY);
    for (; count < CROWD; count++) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0)
            break;
        eye_make(&eyes[count], w->group, fd, READ);
    }
    if (count < CROWD)
        fprintf(stderr, "SKIP: only %d descriptors here\n", count);
    expect_idle_frames(w);
    eventfd_write(eyes[count / 2].fd, 1);
    ck_assert_int_eq(polls(&eyes[count / 2], w->group), 3);
    for (int i = 0; i < count; i++) {
        eye_free(&eyes[i]);
        close(eyes[i].fd);
    }
    free(eyes);
}

WORLD_MAIN("watch")
