/* tests/fail/play.c -- plays a scenario. See play.h. */
#include "config.h"

#include "tests/fail/play.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- scenarios ------------------------------------------------------------------------------- */

bool scenario_is_chosen(const struct scenario *scenario)
{
    const char *choice = getenv("POLLUX_SCENARIO");

    return choice == NULL || choice[0] == '\0' || strcmp(choice, scenario->name) == 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *play_name(const struct play *p)
{
    static char name[300];

    snprintf(name, sizeof name, "%s, %s, %d%s", p->scenario->name, world_name(p->w), p->number,
             p->describe == NULL ? "" : p->describe());
    return name;
}

const char *play_text(const struct play *p)
{
    static char text[PARTS * 1200];
    size_t used = 0;

    for (int i = 0; i < PARTS; i++)
        if (LOG(p, i)->length > 0)
            used += (size_t)snprintf(text + used, sizeof text - used, "  %c: %.900s (%.200s)\n",
                                     "ABCDG"[i], LOG(p, i) -> text, LOG(p, i) -> message);
    snprintf(text + used, sizeof text - used, "  server: %d accepted, %d errors", p->accepted,
             p->server_errors);
    return text;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* A lost connection may be the other end of a failure that was expected there, but does not count
 * as its report. An orderly end is a part of scenarios, and so are the reset by a peer that was
 * freed while bytes were under way, and the end of one that gave its goodbye up, for which filters
 * return EPIPE. */
static void note_fault(struct play *p, const struct fault *fault, const char *where)
{
    bool ours = p->expected != NULL && p->expected(fault);
    bool freed = p->sockets[A] == NULL || p->sockets[B] == NULL;
    bool abrupt = fault->os_error == EPIPE && strstr(where, ": the end came ") != NULL;

    if (fault->reason == PLX_REASON_REMOTE_HOST_CLOSED && !ours &&
        (fault->os_error == 0 || freed || abrupt))
        return;
    ck_assert_msg(ours || (p->expected != NULL && fault->code == PLX_LOST_CONNECTION),
                  "%s: %s: code %d, errno %d\n%s", play_name(p), where, fault->code,
                  fault->os_error, play_text(p));
    p->failed = true;
    p->was_ours = p->was_ours || ours;
}

static struct fault fault_of(const plx_error *error)
{
    return (struct fault){error->code, error->os_error, error->reason};
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct part_log *log = user;
    struct fault fault = fault_of(error);

    record_events.error(socket, error, user);
    log->refused = 0;
    note_fault(log->play, &fault, error->message);
}

static void server_failed(plx_server *server, const plx_error *error, void *user)
{
    struct play *p = user;
    struct fault fault = fault_of(error);

    (void)server;
    p->server_errors++;
    p->server_refused = 0;
    note_fault(p, &fault, error->message);
}

static void server_accepted(plx_server *server, plx_socket *client, void *user)
{
    struct play *p = user;

    (void)server;
    (void)client;
    p->accepted++;
}

void play_miss(struct play *p, const char *what)
{
    struct fault fault = {PLX_OUT_OF_MEMORY, 0, PLX_REASON_SOCKET_RESOURCE};

    note_fault(p, &fault, what);
}

/* While there is no memory for a sentence, plx_socket_error is 108 and has no errno. */
bool play_try(struct play *p, enum part part, int code, const char *call)
{
    plx_socket *socket = p->sockets[part];
    const plx_error *error = plx_socket_error(socket);
    struct fault fault = fault_of(error);

    if (code == 0)
        return true;
    p->logs[part].refused++;
    ck_assert_msg(plx_socket_last_error(socket) == code &&
                      (error->code == code || error->code == PLX_OUT_OF_MEMORY),
                  "%s: %s returned %d, last error %d, error %d", play_name(p), call, code,
                  plx_socket_last_error(socket), error->code);
    fault.code = code;
    note_fault(p, &fault, call);
    return false;
}

bool play_try_server(struct play *p, int code, const char *call)
{
    struct fault fault = fault_of(plx_server_error(p->server));

    if (code == 0)
        return true;
    p->server_refused++;
    ck_assert_msg(fault.code == code, "%s: %s returned %d, error %d", play_name(p), call, code,
                  fault.code);
    note_fault(p, &fault, call);
    return false;
}

/* A group has no error of its own, only the code that was returned: an errno, or what stands for
 * it. */
bool play_try_group(struct play *p, int code, const char *call)
{
    struct fault fault = {code, code, PLX_REASON_SOCKET_RESOURCE};

    if (code != 0)
        note_fault(p, &fault, call);
    return code == 0;
}

/* ---- objects --------------------------------------------------------------------------------- */

const plx_events *play_events(void)
{
    static plx_events events;

    events = record_events;
    events.error = on_error;
    return &events;
}

static void clear_log(struct play *p, enum part part)
{
    struct part_log *log = &p->logs[part];

    memset(log, 0, sizeof *log);
    log->record.when = EVENT_NEVER;
    log->play = p;
}

void play_open(struct play *p, enum part part, plx_constructor *create)
{
    if (p->sockets[part] != NULL)
        return;
    p->sockets[part] = create();
    if (p->sockets[part] == NULL) {
        play_miss(p, "a socket");
        return;
    }
    plx_socket_set_events(p->sockets[part], play_events(), &p->logs[part]);
    if (p->w->group != NULL)
        play_try_group(p, plx_group_add(p->w->group, p->sockets[part]), "plx_group_add");
}

void play_open_server(struct play *p)
{
    static const plx_server_events events = {.accepted = server_accepted, .error = server_failed};

    if (p->server != NULL)
        return;
    p->server = plx_server_new(p->w->kind->create);
    if (p->server == NULL) {
        play_miss(p, "a server");
        return;
    }
    plx_server_set_events(p->server, &events, p);
    plx_server_set_client_events(p->server, play_events(), &p->logs[GUESTS]);
    if (p->w->group != NULL)
        play_try_group(p, plx_group_add_server(p->w->group, p->server), "plx_group_add_server");
}

void play_open_group(struct play *p, int number)
{
    if (p->groups[number] == NULL)
        p->groups[number] = plx_group_new();
    if (p->groups[number] == NULL)
        play_miss(p, "a group");
}

void play_forget(struct play *p, enum part part)
{
    p->sockets[part] = NULL;
    p->logs[part].ignored = true;
}

void play_leave(struct play *p, enum part part)
{
    plx_socket_close(p->sockets[part]);
    p->logs[part].ignored = true;
}

/* ---- polling --------------------------------------------------------------------------------- */

static void poll_once(struct play *p, int round)
{
    if (p->scenario->asks_names)
        nameserver_serve(&p->names);
    world_turn(p->w, round);
    for (int i = 0; i < PLAY_GROUPS; i++)
        plx_group_poll(p->groups[i], 0);
    if (p->w->group != NULL)
        return;
    if (p->server != NULL)
        plx_server_poll(p->server);
    for (int i = 0; i < GUESTS; i++)
        plx_socket_poll(p->sockets[i]);
}

bool play_turn(struct play *p, int round, const char *wanted)
{
    if (p->failed)
        return false;
    ck_assert_msg(round < ROUNDS, "%s: in vain: %s\n%s", play_name(p), wanted, play_text(p));
    poll_once(p, round);
    return true;
}

/* Loopback delivers at once, nearly always; a pause is for what the kernel does later. */
static void settle(struct play *p)
{
    for (int i = 0; i < 6; i++)
        poll_once(p, 0);
}

/* ---- the end of a play ----------------------------------------------------------------------- */

/* The watchdog: no play lasts that long, so some call does not return. */
enum { PLAY_SECONDS = 50 };
static char stuck[350];

static void bark(int number)
{
    (void)number;
    (void)!write(STDERR_FILENO, stuck, strlen(stuck));
    _exit(1);
}

static void watch_over(struct play *p)
{
    snprintf(stuck, sizeof stuck, "%s: does not end\n", play_name(p));
    signal(SIGALRM, bark);
    alarm(PLAY_SECONDS);
}

void play_begin(struct play *p, struct world *w, const struct scenario *scenario, int number)
{
    memset(p, 0, sizeof *p);
    p->w = w;
    p->scenario = scenario;
    p->number = number;
    for (int i = 0; i < PARTS; i++)
        clear_log(p, (enum part)i);
    if (scenario->asks_names) {
        nameserver_begin(&p->names);
        p->names.ipv4 = ADDRESSES("127.0.0.1");
    }
    watch_over(p);
}

void play_lenient(struct play *p, bool (*expected)(const struct fault *fault))
{
    p->expected = expected;
}

/* Each end that `connected` began is reported, unless the scenario has ended the part itself. */
static void judge_part(struct play *p, enum part part)
{
    const struct part_log *log = &p->logs[part];
    const plx_socket *socket = part < GUESTS ? p->sockets[part] : NULL;
    int open = part == GUESTS ? (int)plx_server_active_count(p->server)
               : socket == NULL || plx_socket_state(socket) == PLX_UNCONNECTED ||
                       plx_socket_state(socket) == PLX_LISTENING ||
                       plx_socket_state(socket) == PLX_CONNECTING ||
                       plx_socket_state(socket) == PLX_HOST_LOOKUP
                   ? 0
                   : 1;
    int begun = part == GUESTS ? p->accepted : COUNT(p, part, CONNECTED);

    if (log->ignored || p->w->kind->create == plx_udp_new)
        return;
    HOLDS(p, log->refused == 0);
    /* What fails again in each poll is reported by each, as by a UDP socket that cannot receive. */
    HOLDS(p, COUNT(p, part, ERROR) <= begun + 12);
    HOLDS(p, COUNT(p, part, DISCONNECTED) <= begun);
    HOLDS(p, COUNT(p, part, DISCONNECTED) + open >= begun);
}

void play_judge(struct play *p)
{
    settle(p);
    poll_once(p, ROUNDS);
    time_run();
    HOLDS(p, !p->failed || p->was_ours);
    HOLDS(p, p->server_refused == 0);
    HOLDS(p, p->server_errors <= 4);
    for (int i = 0; i < PARTS; i++)
        judge_part(p, (enum part)i);
    p->expected = NULL;
}

static void close_all(struct play *p)
{
    plx_socket *next;

    for (int i = 0; i < GUESTS; i++) {
        plx_socket_close(p->sockets[i]);
        plx_socket_purge(p->sockets[i]);
    }
    if (p->server == NULL)
        return;
    plx_server_stop_listening(p->server);
    for (plx_socket *client = plx_server_next_active(p->server, NULL); client != NULL;
         client = next) {
        next = plx_server_next_active(p->server, client);
        plx_socket_close(client);
    }
}

/* What has failed to move may be in no group. */
static void gather(struct play *p)
{
    if (p->w->group == NULL)
        return;
    for (int i = 0; i < GUESTS; i++)
        if (p->sockets[i] != NULL)
            ck_assert_int_eq(plx_group_add(p->w->group, p->sockets[i]), 0);
    if (p->server != NULL)
        ck_assert_int_eq(plx_group_add_server(p->w->group, p->server), 0);
}

static void free_extras(struct play *p)
{
    for (int i = 0; i < PLAY_EXTRAS; i++)
        p->extras[i] = plx_socket_free(p->extras[i]);
}

void play_again(struct play *p)
{
    close_all(p);
    free_extras(p);
    gather(p);
    settle(p);
    for (int i = 0; i < PARTS; i++)
        clear_log(p, (enum part)i);
    p->failed = p->was_ours = p->equipped = false;
    p->accepted = p->server_errors = p->server_refused = p->found = 0;
    p->scenario->run(p);
    time_run();
    settle(p);
    if (p->w->group == NULL)
        return;
    close_all(p);
    settle(p);
    HOLDS(p, plx_group_deadline(p->w->group) != 0);
}

void play_end(struct play *p)
{
    free_extras(p);
    plx_server_free(p->server);
    for (int i = 0; i < GUESTS; i++)
        plx_socket_free(p->sockets[i]);
    for (int i = 0; i < PLAY_GROUPS; i++)
        plx_group_free(p->groups[i]);
    if (p->scenario->asks_names)
        nameserver_end(&p->names);
    alarm(0);
}

/* ---- steps of many scenarios ----------------------------------------------------------------- */

/* A packet is accepted whole. */
void play_write(struct play *p, enum part part, uint64_t offset, size_t size)
{
    size_t most = p->w->kind->keeps_boundaries ? PACKET : size;
    unsigned char *bytes = malloc(size);

    pattern_fill(bytes, size, offset);
    for (size_t done = 0; done < size && !p->failed;) {
        size_t piece = size - done < most ? size - done : most;
        ptrdiff_t written = plx_socket_write(p->sockets[part], bytes + done, piece);

        if (written < 0)
            play_try(p, part, plx_socket_last_error(p->sockets[part]), "plx_socket_write");
        done += written > 0 ? (size_t)written : 0;
    }
    free(bytes);
}

void play_couple(struct play *p)
{
    char place[WHERE_SIZE];

    OPEN(p, A, p->w->kind->create);
    OPEN(p, B, p->w->kind->create);
    world_place(p->w, place);
    TRY(p, B, plx_socket_listen_on(p->sockets[B], place));
    p->w->kind->reach(place, plx_socket_port(p->sockets[B]), p->where);
    TRY(p, A, plx_socket_connect_to(p->sockets[A], p->where));
    AWAIT(p, COUNT(p, A, CONNECTED) == 1 && COUNT(p, B, CONNECTED) == 1);
    if (p->equipped)
        return;
    HOLDS(p,
          world_logged(p->w, LOG(p, A), "state:CONNECTING state:CONNECTED connected[CONNECTED]"));
    HOLDS(p, world_logged(p->w, LOG(p, B), "state:LISTENING state:CONNECTED connected[CONNECTED]"));
}
