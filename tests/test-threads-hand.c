/* tests/test-threads-hand.c -- a socket, a server or a group in each of its states goes to another
 * thread, with a mutex or a join between, and goes on there.
 *
 * ThreadSanitizer finds what is shared besides, as in test-threads.c. Here a scene (scenes.h) is the
 * main thread's, and each poll of it may be another thread's. */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "tests/sanitized.h"
#include "tests/scenes.h"

/* ---- polls in other threads ------------------------------------------------------------------ */

enum { THREADS = 2 };

/* A poll that a thread makes for the main thread, and who may go on. */
enum turn { TURN_OF_MAIN = THREADS, ALL_IS_OVER };
enum call { GROUP_POLL, SOCKET_POLL, SERVER_POLL };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int turn; /* the number of a thread, or one of enum turn */
    enum call call;
    void *object;
    int timeout;
    bool result;
} shared = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .turn = TURN_OF_MAIN};

static pthread_t threads[THREADS];
static bool are_started; /* of the main thread */
static __thread bool is_started_thread;
static unsigned polls;

bool __real_plx_group_poll(plx_group *group, int timeout_ms);
bool __real_plx_socket_poll(plx_socket *socket);
bool __real_plx_server_poll(plx_server *server);
bool __wrap_plx_group_poll(plx_group *group, int timeout_ms);
bool __wrap_plx_socket_poll(plx_socket *socket);
bool __wrap_plx_server_poll(plx_server *server);

static bool poll_here(enum call call, void *object, int timeout)
{
    switch (call) {
    case GROUP_POLL: return __real_plx_group_poll(object, timeout);
    case SOCKET_POLL: return __real_plx_socket_poll(object);
    default: return __real_plx_server_poll(object);
    }
}

/* Waits until it is this one's turn, or all is over; holds the lock afterwards. */
static int wait_for_turn(int turn)
{
    while (shared.turn != turn && shared.turn != ALL_IS_OVER)
        pthread_cond_wait(&shared.changed, &shared.lock);
    return shared.turn;
}

static void pass_turn(int turn)
{
    shared.turn = turn;
    pthread_cond_broadcast(&shared.changed);
}

static void *run_polls(void *number)
{
    int turn = *(int *)number;

    is_started_thread = true;
    pthread_mutex_lock(&shared.lock);
    while (wait_for_turn(turn) == turn) {
        shared.result = poll_here(shared.call, shared.object, shared.timeout);
        pass_turn(TURN_OF_MAIN);
    }
    pthread_mutex_unlock(&shared.lock);
    return NULL;
}

/* Every third poll is the main thread's own. A poll inside a poll stays where that is. */
static bool poll_there(enum call call, void *object, int timeout)
{
    bool result;
    int turn = (int)(polls++ % (THREADS + 1));

    if (!are_started || is_started_thread || turn == TURN_OF_MAIN)
        return poll_here(call, object, timeout);
    pthread_mutex_lock(&shared.lock);
    shared.call = call;
    shared.object = object;
    shared.timeout = timeout;
    pass_turn(turn);
    wait_for_turn(TURN_OF_MAIN);
    result = shared.result;
    pthread_mutex_unlock(&shared.lock);
    return result;
}

bool __wrap_plx_group_poll(plx_group *group, int timeout_ms)
{
    return poll_there(GROUP_POLL, group, timeout_ms);
}

bool __wrap_plx_socket_poll(plx_socket *socket)
{
    return poll_there(SOCKET_POLL, socket, 0);
}

bool __wrap_plx_server_poll(plx_server *server)
{
    return poll_there(SERVER_POLL, server, 0);
}

static void start_threads(void)
{
    static int numbers[THREADS] = {0, 1};

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_polls, &numbers[i]), 0);
    are_started = true;
}

static void end_threads(void)
{
    pthread_mutex_lock(&shared.lock);
    pass_turn(ALL_IS_OVER);
    pthread_mutex_unlock(&shared.lock);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    shared.turn = TURN_OF_MAIN;
    are_started = false;
}

/* ---- what another thread does ---------------------------------------------------------------- */

struct part {
    struct world *w;
    struct stage *stage;
    const struct scene *scene;
};

static void *go_on(void *user)
{
    struct part *part = user;

    part->scene->go_on(part->w, part->stage);
    return NULL;
}

static void *poll_some(void *user)
{
    struct part *part = user;

    for (int i = 0; i < 3; i++)
        world_poll(part->w);
    return NULL;
}

static void leave(plx_group *group, struct world *w)
{
    for (int i = 0; i < w->servers_used; i++)
        plx_group_remove_server(group, w->servers[i]);
    for (int i = 0; i < w->sockets_used; i++)
        plx_group_remove(group, w->sockets[i]);
}

static void enter(plx_group *group, struct world *w)
{
    for (int i = 0; i < w->servers_used; i++)
        if (w->servers[i] != NULL)
            ck_assert_int_eq(plx_group_add_server(group, w->servers[i]), 0);
    for (int i = 0; i < w->sockets_used; i++)
        if (w->sockets[i] != NULL)
            ck_assert_int_eq(plx_group_add(group, w->sockets[i]), 0);
}

static void *go_on_in_another_group(void *user)
{
    struct part *part = user;

    part->w->group = plx_group_new();
    ck_assert_ptr_nonnull(part->w->group);
    enter(part->w->group, part->w);
    part->scene->go_on(part->w, part->stage);
    return NULL;
}

static void free_part(struct part *part)
{
    if (part->stage->server != NULL)
        world_free_server(part->w, part->stage->server);
    if (part->stage->other != NULL)
        world_free(part->w, part->stage->other);
    if (part->stage->socket != NULL)
        world_free(part->w, part->stage->socket);
}

static void *free_there(void *user)
{
    free_part(user);
    return NULL;
}

static void in_thread(void *(*run)(void *part), struct part *part)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, run, part), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* ---- ways to hand over ----------------------------------------------------------------------- */

/* The group goes along, through several threads, and what is left is freed in one more. */
static void with_its_group(struct part *part)
{
    part->scene->begin(part->w, part->stage);
    for (int i = 0; i < 2; i++)
        in_thread(poll_some, part);
    in_thread(go_on, part);
    in_thread(free_there, part);
}

/* The sockets and servers go, and the group stays. */
static void without_its_group(struct part *part)
{
    plx_group *stays = part->w->group;

    if (stays == NULL)
        return;
    part->scene->begin(part->w, part->stage);
    leave(stays, part->w);
    in_thread(go_on_in_another_group, part);
    __real_plx_group_poll(stays, 0);
    leave(part->w->group, part->w);
    world_free_group(part->w);
    part->w->group = stays;
    enter(stays, part->w);
    free_part(part);
}

/* To and fro, with each poll. */
static void poll_by_poll(struct part *part)
{
    start_threads();
    part->scene->begin(part->w, part->stage);
    part->scene->go_on(part->w, part->stage);
    end_threads();
    free_part(part);
}

static void play(struct world *w, const struct scene *scene)
{
    static void (*const ways[])(struct part * part) = {with_its_group, without_its_group,
                                                       poll_by_poll};

    if (scene == &scene_half_open && w->kind->ends_both)
        return; /* there is no such state, as with TLS 1.2 */
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct part part = {w, calloc(1, sizeof *part.stage), scene};

        ways[i](&part);
        free(part.stage);
    }
}

SCENES(CASE, another_thread_goes_on_with_what_is_, play)
SCENES_OF_ONE_KIND(MODE_CASE, another_thread_goes_on_with_what_is_, play)

LEAKS_ARE_COUNTED

WORLD_MAIN("threads-hand", .packets = true, .filtered = true, .timeout = 120)
