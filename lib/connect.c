/* lib/connect.c -- floor 4: from a name to a connected descriptor. */
#include "config.h"

#include "lib/address.h"
#include "lib/connect.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "lib/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NANOSECONDS_PER_MILLISECOND ((uint64_t)1000000)
#define FIRST_RETRY                                                                                \
    1 /* milliseconds until a full listener is tried again, doubled up to LAST_RETRY */
#define LAST_RETRY 50

struct plx__connect {
    struct plx__query *query; /* NULL: not looking up */
    struct plx__aim aim;
    size_t next; /* which of the query's addresses is tried next */
    struct plx__watch attempt;
    struct plx__os_name name; /* where the attempt goes */
    bool lent_descriptor; /* the socket's own descriptor is what connects: a datagram socket that is
                             bound */
    bool trying;
    int error;         /* of the attempt that failed last, negative */
    uint64_t until;    /* 0: no limit */
    uint64_t retry_at; /* 0: none */
    int retry_milliseconds;
};

/* ---- one attempt ----------------------------------------------------------------------------- */

static void stop_attempt(struct plx__connect *connect)
{
    if (connect->attempt.task != NULL) {
        int descriptor = connect->attempt.descriptor;
        plx__watch_stop(&connect->attempt);
        plx__os_close(descriptor);
    }
    connect->trying = false;
    connect->retry_at = 0;
}

static int open_descriptor(plx_socket *socket, int family)
{
    int descriptor = plx__socket_open(socket, family);
    if (descriptor < 0) {
        return descriptor;
    }
    int result =
        socket->kind->bind_local == NULL ? 0 : socket->kind->bind_local(socket, descriptor, family);
    if (result < 0) {
        plx__os_close(descriptor);
        return result;
    }
    return descriptor;
}

static int begin_attempt(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    int descriptor = open_descriptor(socket, plx__os_name_family(&connect->name));
    if (descriptor < 0) {
        return descriptor;
    }
    int result = plx__os_connect(descriptor, &connect->name);
    if (result == -EAGAIN) {
        /* A Unix listener whose queue is full, of which no readiness ever tells (connect(2)): tried
         * again in a while. */
        plx__os_close(descriptor);
        connect->retry_milliseconds =
            connect->retry_milliseconds == 0 ? FIRST_RETRY : connect->retry_milliseconds * 2;
        connect->retry_milliseconds =
            connect->retry_milliseconds > LAST_RETRY ? LAST_RETRY : connect->retry_milliseconds;
        connect->retry_at = plx__task_now(&socket->task) +
                            (uint64_t)connect->retry_milliseconds * NANOSECONDS_PER_MILLISECOND;
        connect->trying = true;
        return 0;
    }
    if (result == 0) {
        result = plx__watch_start(&connect->attempt, &socket->task, descriptor, PLX__WRITE);
    }
    connect->trying = result == 0;
    if (result < 0) {
        plx__os_close(descriptor);
    }
    return result;
}

/* A connect to a port that nobody listens at, chosen by the system for this very socket, can meet
 * itself: TCP's simultaneous open (RFC 9293, 3.5). That is no peer. */
static bool is_itself(int descriptor, const struct plx__os_name *remote)
{
    struct plx__os_name local;
    plx_address here, there;
    return plx__os_local_name(descriptor, &local) == 0 && plx__os_name_to_address(&local, &here) &&
           plx__os_name_to_address(remote, &there) && plx_address_equal(&here, &there);
}

/* Whom the descriptor is connected to, which for an address such as 0.0.0.0 is not whom we asked
 * for. */
static struct plx__os_name peer_of(int descriptor, const struct plx__os_name *asked)
{
    struct plx__os_name remote;
    return plx__os_remote_name(descriptor, &remote) == 0 ? remote : *asked;
}

static void finish_attempt(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    int descriptor = connect->attempt.descriptor;
    struct plx__os_name remote = peer_of(descriptor, &connect->name);
    connect->error = plx__os_take_error(descriptor);
    if (connect->error == 0 && is_itself(descriptor, &remote)) {
        connect->error = -ECONNREFUSED;
    }
    if (connect->error < 0) {
        stop_attempt(connect);
        return;
    }
    plx__watch_stop(&connect->attempt);
    connect->error = plx__socket_take_descriptor(socket, descriptor);
    connect->trying = false;
    if (connect->error == 0) {
        plx__socket_become_connected(socket, &remote);
    } else {
        plx__os_close(descriptor);
    }
}

/* A datagram socket that is bound keeps its descriptor: connecting it only chooses the peer, at
 * once. */
static void connect_own_descriptor(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    struct plx__os_name local, name = connect->name;
    plx_address address;
    if (plx__os_name_to_address(&name, &address) &&
        plx__os_local_name(socket->watch.descriptor, &local) == 0) {
        plx__os_name_from_address(&name, &address, plx__os_name_family(&local));
    }
    connect->error = plx__os_connect(socket->watch.descriptor, &name);
    connect->trying = false;
    if (connect->error == 0) {
        struct plx__os_name remote = peer_of(socket->watch.descriptor, &name);
        plx__socket_become_connected(socket, &remote);
    }
}

/* ---- from one to the next -------------------------------------------------------------------- */

/* Puts the next name to try into connect->name; false: there is none left. */
static bool next_name(struct plx__connect *connect)
{
    if (connect->query == NULL) {
        connect->name = connect->aim.name;
        return connect->next++ == 0;
    }
    if (connect->next >= connect->query->count) {
        return false;
    }
    plx_address address = connect->query->addresses[connect->next++];
    address.port = connect->aim.port;
    plx__os_name_from_address(&connect->name, &address, 0);
    return true;
}

static void describe(const plx_socket *socket, char *text, size_t size)
{
    plx_address address;
    char host[PLX__ADDRESS_TEXT_SIZE];
    if (plx__os_name_to_address(&socket->connect->name, &address)) {
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

static void fail_look_up(plx_socket *socket, plx_reason reason)
{
    int error = reason == PLX_REASON_SOCKET_TIMEOUT    ? -ETIMEDOUT
                : reason == PLX_REASON_SOCKET_RESOURCE ? -ENOMEM
                                                       : 0;
    int code = error == -ENOMEM ? PLX_OUT_OF_MEMORY : PLX_NAME_RESOLUTION;
    plx__socket_set_end_error(socket, code, reason, error, "look up %s", socket->connect->aim.host);
    fall_back(socket);
}

/* Tries names until one is under way or works. With none left the failure is told by the next
 * serving, never by the call that began it. */
static void try_names(plx_socket *socket)
{
    while (socket->connect != NULL && !socket->connect->trying && next_name(socket->connect)) {
        if (socket->connect->lent_descriptor) {
            connect_own_descriptor(socket);
        } else {
            int result = begin_attempt(socket);
            socket->connect->error = result < 0 ? result : socket->connect->error;
        }
    }
}

static void go_on(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    if (connect->attempt.task != NULL && connect->attempt.ready != 0) {
        finish_attempt(socket);
    } else if (connect->retry_at != 0 && plx__task_now(&socket->task) >= connect->retry_at) {
        connect->retry_at = 0;
        connect->trying = false;
        connect->error = begin_attempt(socket);
    }
    try_names(socket);
}

static bool finish_look_up(plx_socket *socket)
{
    struct plx__query *query = socket->connect->query;
    if (query == NULL || socket->state != PLX_HOST_LOOKUP) {
        return true;
    }
    if (!plx__query_process(query)) {
        return false;
    }
    if (query->failure != PLX_REASON_NONE) {
        fail_look_up(socket, query->failure);
        return false;
    }
    plx__socket_set_state(socket, PLX_CONNECTING);
    return true;
}

static void check_time(plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    if (connect->until == 0 || plx__task_now(&socket->task) < connect->until) {
        return;
    }
    if (socket->state == PLX_HOST_LOOKUP) {
        fail_look_up(socket, PLX_REASON_SOCKET_TIMEOUT);
    } else {
        fail_attempts(socket, -ETIMEDOUT);
    }
}

void plx__connect_continue(plx_socket *socket)
{
    if (!finish_look_up(socket)) {
        if (socket->connect != NULL) {
            check_time(socket);
        }
        return;
    }
    go_on(socket);
    if (socket->connect != NULL && !socket->connect->trying) {
        fail_attempts(socket, socket->connect->error);
    } else if (socket->connect != NULL) {
        check_time(socket);
    }
}

/* ---- begin and end --------------------------------------------------------------------------- */

static int family_of(const plx_socket *socket)
{
    int protocol = plx__option_value(socket->options, PLX_OPTION_PROTOCOL);
    return protocol == 0 ? 4 : protocol == 1 ? 6 : 0;
}

static int fail_memory(plx_socket *socket)
{
    return plx__socket_fail(socket, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0, "connect");
}

/* The host's text belongs to the property, which may change while we look up. */
static struct plx__connect *make(const struct plx__aim *aim)
{
    struct plx__connect *connect = plx__memory_new(sizeof *connect);
    if (connect == NULL) {
        return NULL;
    }
    connect->aim = *aim;
    connect->aim.host = aim->host == NULL ? NULL : plx__memory_copy_text(aim->host);
    if (aim->host != NULL && connect->aim.host == NULL) {
        plx__memory_free(connect);
        return NULL;
    }
    return connect;
}

/* A datagram socket that chooses a peer has to be bound, as it will be again without one. */
static int bind_first(plx_socket *socket)
{
    int descriptor = socket->kind->bind(socket);
    if (descriptor < 0) {
        return plx_socket_last_error(socket);
    }
    int result = plx__socket_take_descriptor(socket, descriptor);
    if (result < 0) {
        plx__os_close(descriptor);
        return plx__socket_fail_system(socket, result, "connect");
    }
    return 0;
}

static int begin(plx_socket *socket, struct plx__connect *connect)
{
    int limit = plx__option_value(socket->options, PLX_OPTION_CONNECT_TIMEOUT);
    plx__socket_begin(socket);
    connect->until =
        limit == 0 ? 0
                   : plx__task_now(&socket->task) + (uint64_t)limit * NANOSECONDS_PER_MILLISECOND;
    connect->lent_descriptor = socket->watch.task != NULL;
    socket->connect = connect;
    if (connect->aim.host != NULL) {
        connect->query = plx__query_start(&socket->task, connect->aim.host, family_of(socket));
        if (connect->query == NULL) {
            socket->connect = plx__connect_free(connect);
            return fail_memory(socket);
        }
    }
    plx__socket_set_state(socket, connect->query != NULL ? PLX_HOST_LOOKUP : PLX_CONNECTING);
    if (connect->query == NULL && !connect->lent_descriptor) {
        try_names(socket);
    }
    plx__socket_update(socket);
    return 0;
}

int plx__connect_start(plx_socket *socket)
{
    struct plx__aim aim = {0};
    if (socket->kind->aim == NULL) {
        return plx__socket_fail_unsupported(socket, "connect");
    }
    int code = socket->kind->aim(socket, &aim);
    if (code == 0 && socket->kind->type == SOCK_DGRAM && socket->watch.task == NULL) {
        code = bind_first(socket);
    }
    if (code != 0) {
        return code;
    }
    struct plx__connect *connect = make(&aim);
    return connect == NULL ? fail_memory(socket) : begin(socket, connect);
}

uint64_t plx__connect_deadline(const plx_socket *socket)
{
    struct plx__connect *connect = socket->connect;
    if (connect == NULL) {
        return 0;
    }
    uint64_t next = connect->retry_at;
    if (connect->query != NULL && socket->state == PLX_HOST_LOOKUP) {
        next = plx__query_next(connect->query);
    }
    return next == 0 || (connect->until != 0 && connect->until < next) ? connect->until : next;
}

struct plx__connect *plx__connect_free(struct plx__connect *connect)
{
    if (connect != NULL) {
        stop_attempt(connect);
        plx__query_free(connect->query);
        plx__memory_free((void *)connect->aim.host);
        plx__memory_free(connect);
    }
    return NULL;
}
