/* tests/test-process-fork.c -- a child that frees everything, forked in each state of a socket.
 *
 * In a forked child only free is allowed. The child shares the connection, the epoll set, the ring,
 * the path and the multicast groups with its parent, so that it may neither send nor shut down nor
 * leave anything. Afterwards the parent goes on and sees each event. test-group.c forks with
 * several sockets at once. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenes.h"

enum order { SOCKETS_FIRST, GROUP_FIRST, ORDERS };

static void free_members(struct world *w)
{
    for (int i = 0; i < w->servers_used; i++)
        plx_server_free(w->servers[i]);
    for (int i = 0; i < w->sockets_used; i++)
        plx_socket_free(w->sockets[i]);
}

/* Exits 0 when no more than that many blocks of memory are left. */
static void free_all(struct world *w, enum order order, size_t most)
{
    alarm(20);
    if (order == GROUP_FIRST)
        plx_group_free(w->group);
    free_members(w);
    if (order == SOCKETS_FIRST)
        plx_group_free(w->group);
    _exit(count_blocks() <= most ? 0 : 1);
}

static void fork_and_free(struct world *w, enum order order, size_t most)
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        free_all(w, order, most);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: the child: status %d",
                  world_name(w), status);
}

static void play(struct world *w, const struct scene *scene)
{
    for (int order = 0; order < ORDERS; order++) {
        struct stage *stage = calloc(1, sizeof *stage);

        scene->begin(w, stage);
        fork_and_free(w, (enum order)order, w->blocks_before);
        scene->go_on(w, stage);
        if (stage->server != NULL)
            world_free_server(w, stage->server);
        if (stage->other != NULL)
            world_free(w, stage->other);
        if (stage->socket != NULL)
            world_free(w, stage->socket);
        free(stage);
    }
}

SCENES(CASE, a_child_frees_what_is_, play)
SCENES_OF_ONE_KIND(MODE_CASE, a_child_frees_what_is_, play)

static void fork_here(struct record *record, plx_socket *socket)
{
    (void)socket;
    for (int order = 0; order < ORDERS; order++)
        fork_and_free(record->data, (enum order)order, SIZE_MAX);
}

/* The child is born in a handler and frees the objects that called it, which last as long as the
 * handler. */
CASE(a_child_of_a_handler_frees_what_has_called_it)
{
    static const enum event events[] = {EVENT_CONNECTED, EVENT_DATA_AVAILABLE, EVENT_DISCONNECTED};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct stage *stage = calloc(1, sizeof *stage);

        scene_unconnected.begin(w, stage);
        record_on(&stage->log, events[i], fork_here, w);
        scene_unconnected.go_on(w, stage);
        ck_assert(stage->log.fired);
        world_free(w, stage->socket);
        free(stage);
    }
}

/* A child of the child frees, and then the child itself. */
CASE(a_grandchild_frees_what_is_connected)
{
    struct stage *stage = calloc(1, sizeof *stage);
    int status = 0;
    pid_t child;

    scene_connected.begin(w, stage);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        fork_and_free(w, SOCKETS_FIRST, w->blocks_before);
        free_all(w, GROUP_FIRST, w->blocks_before);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    scene_connected.go_on(w, stage);
    world_free(w, stage->socket);
    free(stage);
}

WORLD_MAIN("process-fork", .packets = true, .filtered = true, .timeout = 120)
