/* lib/resolver/ares.c -- floor 3: look-ups by c-ares: /etc/hosts, then DNS.
 *
 * Each look-up has a channel of its own: it costs reading resolv.conf again, and makes cancelling
 * one look-up, freeing its socket and changing its group touch nothing else. The channel's sockets
 * are made, used and closed through lib/os.h, so that they are non-blocking, close-on-exec and
 * never raise SIGPIPE. */
#include "config.h"

#include "lib/base.h"
#include "lib/clock.h"
#include "lib/os.h"
#include "lib/resolver.h"

#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>

/* First try 2 s, doubled for each further one: 2 + 4 + 8 s for each server, within the limit of the
 * contract. */
#define TRY_MILLISECONDS 2000
#define TRIES 3

struct ares_query {
    struct plx__query base;
    ares_channel channel;
    struct plx__watch watches[ARES_GETSOCK_MAXNUM];
};

/* ---- sockets of the channel ------------------------------------------------------------------ */

/* c-ares looks for the reason of a failure in errno, as after a system call. */
static int result_for_ares(ptrdiff_t result)
{
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return (int)result;
}

static ares_socket_t ares_open(int family, int type, int protocol, void *user)
{
    (void)protocol;
    (void)user;
    return result_for_ares(plx__os_socket(family, type));
}

static int ares_close_socket(ares_socket_t descriptor, void *user)
{
    (void)user;
    return result_for_ares(plx__os_close(descriptor));
}

static int ares_connect(ares_socket_t descriptor, const struct sockaddr *address,
                        ares_socklen_t size, void *user)
{
    struct plx__os_name name = {.size = size};
    (void)user;
    if ((size_t)size > sizeof name.as) {
        return result_for_ares(-EINVAL);
    }
    memcpy(&name.as, address, (size_t)size);
    return result_for_ares(plx__os_connect(descriptor, &name));
}

static ares_ssize_t ares_receive(ares_socket_t descriptor, void *data, size_t size, int flags,
                                 struct sockaddr *from, ares_socklen_t *from_size, void *user)
{
    struct plx__os_name name;
    bool truncated;
    (void)flags;
    (void)user;
    ptrdiff_t count = plx__os_receive_from(descriptor, data, size, &name, &truncated);
    if (count >= 0 && from != NULL && from_size != NULL) {
        *from_size = name.size < *from_size ? name.size : *from_size;
        memcpy(from, &name.as, (size_t)*from_size);
    }
    return result_for_ares(count);
}

/* A datagram is always one piece; of a stream's pieces sending the first is a short write, after
 * which c-ares goes on. */
static ares_ssize_t ares_send_pieces(ares_socket_t descriptor, const struct iovec *pieces,
                                     int count, void *user)
{
    (void)user;
    return count < 1
               ? 0
               : result_for_ares(plx__os_send(descriptor, pieces[0].iov_base, pieces[0].iov_len));
}

static const struct ares_socket_functions socket_functions = {
    .asocket = ares_open,
    .aclose = ares_close_socket,
    .aconnect = ares_connect,
    .arecvfrom = ares_receive,
    .asendv = ares_send_pieces,
};

/* ---- watches --------------------------------------------------------------------------------- */

static struct plx__watch *watch_for(struct ares_query *self, int descriptor)
{
    struct plx__watch *idle = NULL;
    for (size_t i = 0; i < PLX__COUNT_OF(self->watches); i++) {
        struct plx__watch *watch = &self->watches[i];
        if (watch->task != NULL && watch->descriptor == descriptor) {
            return watch;
        }
        idle = idle == NULL && watch->task == NULL ? watch : idle;
    }
    return idle;
}

/* Called by c-ares whenever it wants other news of a socket, and with neither before it closes one.
 */
static void socket_changed(void *user, ares_socket_t descriptor, int readable, int writable)
{
    struct ares_query *self = user;
    struct plx__watch *watch = watch_for(self, descriptor);
    unsigned interest = (readable ? PLX__READ : 0u) | (writable ? PLX__WRITE : 0u);
    if (watch == NULL) {
        return; /* More sockets than c-ares itself can name: the answer comes by another try. */
    }
    if (watch->task == NULL && interest != 0) {
        plx__watch_start(watch, self->base.task, descriptor, interest);
    } else if (watch->task != NULL && interest != 0) {
        plx__watch_set(watch, interest);
    } else {
        plx__watch_stop(watch);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static plx_reason failure_of(int status)
{
    switch (status) {
    case ARES_SUCCESS: return PLX_REASON_NONE;
    case ARES_ETIMEOUT: return PLX_REASON_SOCKET_TIMEOUT;
    case ARES_ENOMEM: return PLX_REASON_SOCKET_RESOURCE;
    default: return PLX_REASON_HOST_NOT_FOUND;
    }
}

static void take_answer(struct plx__query *query, const struct ares_addrinfo *answer)
{
    for (const struct ares_addrinfo_node *node = answer->nodes; node != NULL;
         node = node->ai_next) {
        struct plx__os_name name = {.size = node->ai_addrlen};
        plx_address address;
        if ((size_t)node->ai_addrlen > sizeof name.as) {
            continue;
        }
        memcpy(&name.as, node->ai_addr, (size_t)node->ai_addrlen);
        if (plx__os_name_to_address(&name, &address) && !plx__query_add(query, &address)) {
            plx__query_end(query, PLX_REASON_SOCKET_RESOURCE);
            return;
        }
    }
}

static void answered(void *user, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct plx__query *query = user;
    (void)timeouts;
    if (!query->done) {
        plx__query_end(query, failure_of(status));
        if (answer != NULL) {
            take_answer(query, answer);
        }
        if (query->count == 0 && query->failure == PLX_REASON_NONE) {
            plx__query_end(query, PLX_REASON_HOST_NOT_FOUND);
        }
    }
    if (answer != NULL) {
        ares_freeaddrinfo(answer);
    }
}

/* ---- engine ---------------------------------------------------------------------------------- */

static struct ares_query *ares_of(struct plx__query *query)
{
    return PLX__CONTAINER_OF(query, struct ares_query, base);
}

static int open_channel(struct ares_query *self)
{
    static char only_files[] = "f";
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    struct ares_options options = {.timeout = TRY_MILLISECONDS,
                                   .tries = TRIES,
                                   .lookups = only_files,
                                   .sock_state_cb = socket_changed,
                                   .sock_state_cb_data = self};
    /* Name servers are not asked who this computer is (RFC 6761, 6.3). */
    mask |= self->base.is_localhost ? ARES_OPT_LOOKUPS : 0;
    int status = ares_init_options(&self->channel, &options, mask);
    const char *servers = plx__os_variable("POLLUX_NAMESERVERS");
    if (status == ARES_SUCCESS && servers != NULL) {
        status = ares_set_servers_ports_csv(self->channel, servers);
    }
    return status;
}

static void ares_query_start(struct plx__query *query, const char *host, int family)
{
    struct ares_query *self = ares_of(query);
    struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM};
    int status = open_channel(self);
    if (status != ARES_SUCCESS) {
        plx__query_end(query, failure_of(status));
        return;
    }
    hints.ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
    ares_set_socket_functions(self->channel, &socket_functions, self);
    ares_getaddrinfo(self->channel, host, NULL, &hints, answered, query);
}

static void ares_query_process(struct plx__query *query)
{
    struct ares_query *self = ares_of(query);
    bool any = false;
    for (size_t i = 0; i < PLX__COUNT_OF(self->watches); i++) {
        struct plx__watch *watch = &self->watches[i];
        if (watch->task != NULL && watch->ready != 0) {
            unsigned ready = watch->ready;
            int descriptor = watch->descriptor;
            watch->ready = 0;
            any = true;
            ares_process_fd(self->channel, ready & PLX__READ ? descriptor : ARES_SOCKET_BAD,
                            ready & PLX__WRITE ? descriptor : ARES_SOCKET_BAD);
        }
    }
    if (!any) {
        ares_process_fd(self->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
}

static uint64_t ares_query_next(struct plx__query *query, uint64_t now)
{
    struct timeval wait;
    if (ares_timeout(ares_of(query)->channel, NULL, &wait) == NULL) {
        return 0;
    }
    return plx__clock_add(now, (uint64_t)wait.tv_sec * 1000000000u +
                                   (uint64_t)wait.tv_usec * 1000u);
}

static void ares_query_stop(struct plx__query *query)
{
    struct ares_query *self = ares_of(query);
    if (self->channel != NULL) {
        ares_destroy(self->channel);
    }
    for (size_t i = 0; i < PLX__COUNT_OF(self->watches); i++) {
        plx__watch_stop(&self->watches[i]);
    }
}

const struct plx__resolver plx__resolver_ares = {
    .size = sizeof(struct ares_query),
    .start = ares_query_start,
    .process = ares_query_process,
    .next = ares_query_next,
    .stop = ares_query_stop,
};
