/* lib/socket/connect.c -- from a name to a connected descriptor. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/resolve/resolver.h"
#include "lib/socket/attempt.h"
#include "lib/socket/connect.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/options.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The head start that an attempt has before the next address is tried beside it (RFC 8305, 5). */
#define HEAD_START ((uint64_t)250 * PLX__MILLISECOND)

/* So many attempts at most are under way at once, and so many fail at once in one poll. */
#define MOST_ATTEMPTS 8

struct plx__connect {
    struct plx__query *query; /* NULL: not looking up */
    struct plx__target target;
    size_t next;                   /* which of the query's addresses is tried next */
    size_t ordered;                /* so many of them are in the order in which to try them */
    struct plx__attempt *attempts; /* under way */
    size_t running;                /* how many */
    bool own_descriptor;           /* a datagram socket that is bound connects its own */
    int error;                     /* the most telling failure so far, a negative errno */
    struct plx__sockaddr failed;   /* what it was with; or what was tried first */
    uint64_t next_at;              /* when the next address gets its turn */
    uint64_t until;                /* 0: no limit */
};

/* ---- names to try ---------------------------------------------------------------------------- */

/* The next name to try; false: there is none left. */
static bool next_name(struct plx__connect *connect, struct plx__sockaddr *ret_name)
{
    if (connect->query == NULL) {
        *ret_name = connect->target.name;
        return connect->next++ == 0;
    }
    if (connect->next >= connect->query->count) {
        return false;
    }
    plx_address address = connect->query->addresses[connect->next++];
    address.port = connect->target.port;
    plx__sockaddr_from_address(ret_name, &address, PLX__FAMILY_NONE);
    return true;
}

static bool has_next(const struct plx__connect *connect)
{
    return connect->next < (connect->query == NULL ? 1 : connect->query->count);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* How much a failure tells: that there is no way there says less than that somebody was there and
 * refused. */
static int weight_of(int error)
{
    switch (-error) {
    case 0: return 0;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return 1;
    case ETIMEDOUT: return 2;
    default: return 3;
    }
}

static void note_failure(struct plx__connect *connect, int error, const struct plx__sockaddr *name)
{
    if (weight_of(error) > weight_of(connect->error)) {
        connect->error = error;
        connect->failed = *name;
    }
}

static void describe(const plx_socket *socket, char *text, size_t size)
{
    plx_address address;
    char host[PLX__ADDRESS_TEXT_SIZE];
    if (plx__sockaddr_to_address(&socket->connect->failed, &address)) {
        plx__address_format_host(&address, host, sizeof host);
        snprintf(text, size, "connect to %s port %d", host, address.port);
    } else {
        snprintf(text, size, "connect to %s", plx_socket_path(socket));
    }
}

/* How it ends for a socket that was bound before: it still is. */
static void fall_back(plx_socket *socket)
{
    socket->connect = plx__connect_free(socket->connect);
    if (socket->watch.task == NULL) {
        plx__socket_end(socket);
    } else {
        socket->kind->drop_peer(socket);
        socket->disconnecting = false;
        plx__socket_set_state(socket, PLX_BOUND);
        plx__socket_update(socket);
    }
}

static void fail_attempts(plx_socket *socket, int error)
{
    char text[200];
    describe(socket, text, sizeof text);
    plx__socket_set_end_error(socket, plx__error_code(-error), plx__error_reason(-error), error,
                              "%s", text);
    fall_back(socket);
}

static void fail_look_up(plx_socket *socket, const struct plx__failure *failure)
{
    char text[PLX__HOST_SIZE + 200];
    plx__failure_describe(failure, socket->connect->target.host, text, sizeof text);
    plx__socket_set_end_error(socket, failure->code, failure->reason, failure->error, "%s", text);
    fall_back(socket);
}

/* ---- the race -------------------------------------------------------------------------------- */

/* A datagram socket that is bound keeps its descriptor: connecting it only chooses the peer, at
 * once. True: it has. */
static bool connect_own_descriptor(plx_socket *socket, struct plx__sockaddr *name)
{
    struct plx__sockaddr local;
    plx_address address;
    int descriptor = socket->watch.descriptor;
    if (plx__sockaddr_to_address(name, &address) &&
        plx__os_local_sockaddr(descriptor, &local) == 0) {
        plx__sockaddr_from_address(name, &address, plx__sockaddr_family(&local));
    }
    int result = plx__os_connect(descriptor, name);
    if (result < 0) {
        note_failure(socket->connect, result, name);
        return false;
    }
    struct plx__sockaddr remote = plx__attempt_peer(descriptor, name);
    const struct plx__query *query = socket->connect->query;
    if (query != NULL && socket->kind->choices != NULL) {
        socket->kind->choices(socket, query->addresses, query->count, socket->connect->next - 1,
                              socket->connect->target.port);
    }
    plx__socket_become_connected(socket, &remote);
    return true;
}

/* True: it is under way. */
static bool begin_attempt(plx_socket *socket, const struct plx__sockaddr *name)
{
    struct plx__connect *connect = socket->connect;
    struct plx__attempt *attempt = plx__attempt_new(socket, name);
    if (attempt == NULL || attempt->progress == PLX__FAILED) {
        note_failure(connect, attempt == NULL ? -ENOMEM : attempt->error, name);
        plx__attempt_free(attempt);
        return false;
    }
    if (plx__sockaddr_family(&connect->failed) == PLX__FAMILY_NONE) {
        connect->failed = *name;
    }
    attempt->next = connect->attempts;
    connect->attempts = attempt;
    connect->running++;
    connect->next_at = plx__clock_add(plx__clock_now(), HEAD_START);
    return true;
}

/* Begins the attempt whose turn it is: at once while none is under way, and else after a head start.
 * One that fails at once hands its turn on; after a few of them the rest is left to the next poll. */
static void begin_attempts(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    struct plx__sockaddr name;
    bool due = connect->running == 0 || plx__clock_now() >= connect->next_at;
    for (int tried = 0; due && tried < MOST_ATTEMPTS && connect->running < MOST_ATTEMPTS &&
                        next_name(connect, &name);
         tried++) {
        if (!connect->own_descriptor) {
            due = !begin_attempt(socket, &name);
        } else if (connect_own_descriptor(socket, &name)) {
            return;
        }
    }
}

/* Hands the winner's descriptor to the socket and gives up the others. */
static void win(plx_socket *socket, struct plx__attempt *attempt)
{
    int descriptor = plx__attempt_take(attempt);
    struct plx__sockaddr remote = plx__attempt_peer(descriptor, &attempt->name);
    int result = plx__socket_take_descriptor(socket, descriptor, PLX_CONNECTED);
    if (result < 0) {
        plx__os_close(descriptor);
        fail_attempts(socket, result);
        return;
    }
    plx__socket_become_connected(socket, &remote);
}

/* Goes on with what is under way. True: one has won, or that failed. */
static bool continue_attempts(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    struct plx__attempt **place = &connect->attempts;
    while (*place != NULL) {
        struct plx__attempt *attempt = *place;
        plx__attempt_continue(attempt);
        if (attempt->progress == PLX__WON) {
            win(socket, attempt);
            return true;
        }
        if (attempt->progress == PLX__FAILED) {
            note_failure(connect, attempt->error, &attempt->name);
            *place = attempt->next;
            plx__attempt_free(attempt);
            connect->running--;
            connect->next_at = 0;
        } else {
            place = &attempt->next;
        }
    }
    return false;
}

/* Whether an address may still come that is none of those tried. */
static bool is_looking(const struct plx__connect *connect)
{
    return connect->query != NULL && !connect->query->done;
}

static void race(plx_socket *socket)
{
    if (continue_attempts(socket)) {
        return;
    }
    begin_attempts(socket);
    struct plx__connect *connect = socket->connect;
    if (connect == NULL || connect->running > 0) {
        return;
    }
    if (!has_next(connect) && !is_looking(connect)) {
        fail_attempts(socket, connect->error);
    }
}

/* Goes on with the look-up. What comes while the race is on joins those not tried yet (RFC 8305, 3
 * and 5). */
static void look_up(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    struct plx__query *query = connect->query;
    if (!plx__query_process(query)) {
        return;
    }
    if (query->count > connect->ordered) {
        plx__query_order(query, connect->next);
        connect->ordered = query->count;
    }
    if (query->count == 0) {
        fail_look_up(socket, &query->failure);
    } else if (socket->state == PLX_HOST_LOOKUP) {
        plx__socket_set_state(socket, PLX_CONNECTING);
    }
}

static void check_time(plx_socket *socket)
{
    uint64_t until = socket->connect->until;
    if (until == 0 || plx__clock_now() < until) {
        return;
    }
    if (socket->state == PLX_HOST_LOOKUP) {
        fail_look_up(socket, &plx__failure_timed_out);
    } else {
        fail_attempts(socket, -ETIMEDOUT);
    }
}

void plx__connect_continue(plx_socket *socket)
{
    if (is_looking(socket->connect) || socket->state == PLX_HOST_LOOKUP) {
        look_up(socket);
    }
    if (socket->state == PLX_CONNECTING) {
        race(socket);
    }
    if (socket->connect != NULL) {
        check_time(socket);
    }
}

/* ---- begin and end --------------------------------------------------------------------------- */

static int family_of(const plx_socket *socket)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    return protocol == 0 ? 4 : protocol == 1 ? 6 : 0;
}

/* All that a connect needs memory for; NULL where there is none. The texts belong to the properties,
 * which may change while we look up and connect. */
static struct plx__connect *make(plx_socket *socket, const struct plx__target *target)
{
    struct plx__connect *connect = plx__memory_new(sizeof *connect);
    if (connect == NULL) {
        return NULL;
    }
    connect->target = *target;
    connect->target.host = plx__memory_copy_text(target->host);
    connect->target.name.long_path = plx__memory_copy_text(target->name.long_path);
    if ((target->host != NULL && connect->target.host == NULL) ||
        (target->name.long_path != NULL && connect->target.name.long_path == NULL)) {
        return plx__connect_free(connect);
    }
    if (target->host != NULL) {
        connect->query = plx__query_start(&socket->task, target->host, family_of(socket));
    }
    return target->host != NULL && connect->query == NULL ? plx__connect_free(connect) : connect;
}

/* A datagram socket that chooses a peer has to be bound, as it will be again without one. */
static int bind_first(plx_socket *socket)
{
    int descriptor = socket->kind->bind(socket);
    if (descriptor < 0) {
        return -descriptor;
    }
    int result = plx__socket_take_descriptor(socket, descriptor, PLX_CONNECTING);
    if (result < 0) {
        plx__os_close(descriptor);
        return plx__socket_fail_system(socket, result, "connect");
    }
    return 0;
}

static void begin(plx_socket *socket, struct plx__connect *connect)
{
    int limit = plx__option_value(socket->options, PLX_OPTION_CONNECT_TIMEOUT);
    plx__socket_begin(socket);
    connect->until = plx__clock_after(plx__clock_now(), limit);
    connect->own_descriptor = socket->watch.task != NULL;
    if (!connect->own_descriptor) {
        plx__reconnect_arm(socket);
    }
    socket->connect = connect;
    plx__socket_set_state(socket, connect->query != NULL ? PLX_HOST_LOOKUP : PLX_CONNECTING);
    if (connect->query == NULL && !connect->own_descriptor) {
        begin_attempts(socket);
    }
    plx__socket_update(socket);
}

/* What may fail for the lack of memory comes before the descriptor: whoever fails then has nothing to
 * give back that others know of. */
int plx__connect_start(plx_socket *socket)
{
    struct plx__target target = {0};
    if (socket->kind->target == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "connect: %s sockets do not connect", socket->kind->name);
    }
    int code = socket->kind->target(socket, &target);
    if (code != 0) {
        return code;
    }
    struct plx__connect *connect = make(socket, &target);
    if (connect == NULL) {
        return plx__socket_fail_memory(socket, "connect");
    }
    if (socket->kind->type == PLX__TYPE_DATAGRAM && socket->watch.task == NULL) {
        code = bind_first(socket);
    }
    if (code != 0) {
        plx__connect_free(connect);
        return code;
    }
    begin(socket, connect);
    return 0;
}

bool plx__connect_is_idle(const plx_socket *socket)
{
    const struct plx__connect *connect = socket->connect;
    return socket->state == PLX_CONNECTING && connect->running == 0 &&
           (has_next(connect) || !is_looking(connect));
}

void plx__connect_set_option(const plx_socket *socket, plx_option option, int value)
{
    for (const struct plx__attempt *one = socket->connect->attempts; one != NULL; one = one->next) {
        if (one->watch.task != NULL) {
            plx__os_set_option(one->watch.descriptor, option, value);
        }
    }
}

uint64_t plx__connect_deadline(const plx_socket *socket)
{
    const struct plx__connect *connect = socket->connect;
    if (connect == NULL) {
        return 0;
    }
    bool is_found = socket->state == PLX_HOST_LOOKUP && connect->query->done;
    if (is_found || (has_next(connect) && plx__connect_is_idle(socket))) {
        return plx__clock_now();
    }
    uint64_t next = connect->until;
    if (is_looking(connect)) {
        next = plx__clock_earlier(next, plx__query_next(connect->query));
    }
    if (socket->state == PLX_HOST_LOOKUP) {
        return next;
    }
    for (const struct plx__attempt *one = connect->attempts; one != NULL; one = one->next) {
        next = plx__clock_earlier(next, one->retry_at);
    }
    return has_next(connect) && connect->running < MOST_ATTEMPTS
               ? plx__clock_earlier(next, connect->next_at)
               : next;
}

/* ---- again ----------------------------------------------------------------------------------- */

void plx__connect_again(plx_socket *socket)
{
    if (plx__reconnect_is_due(socket) && plx__connect_start(socket) != 0) {
        plx__reconnect_wait(socket);
        plx__socket_update(socket);
    }
}

struct plx__connect *plx__connect_free(struct plx__connect *connect)
{
    if (connect != NULL) {
        while (connect->attempts != NULL) {
            struct plx__attempt *attempt = connect->attempts;
            connect->attempts = attempt->next;
            plx__attempt_free(attempt);
        }
        plx__query_free(connect->query);
        plx__memory_free((void *)connect->target.host);
        plx__memory_free((void *)connect->target.name.long_path);
        plx__memory_free(connect);
    }
    return NULL;
}
