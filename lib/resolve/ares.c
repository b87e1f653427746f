/* lib/resolve/ares.c -- lookups in the hosts file, then in DNS by c-ares.
 *
 * Each lookup has a channel of its own: the price is to read resolv.conf again, but to cancel a
 * lookup, free its socket or change its group affects no other lookup. lib/os/os.h makes, uses and
 * closes the channel's sockets: non-blocking, close-on-exec and without SIGPIPE.
 *
 * IPv4 and IPv6 are two queries of one channel by ares_search, not one ares_getaddrinfo, which
 * reports only when both queries are answered, reads the whole hosts file each time, opens a socket
 * for each address to sort them, and walks the list of addresses for each that it appends.
 *
 * c-ares times by CLOCK_MONOTONIC: no change of the date ends a lookup. This file finds the reason
 * of a failure itself: c-ares up to 1.20 reports "connection refused" for SERVFAIL, REFUSED, a lack
 * of descriptors and a network that is down alike. So each function through which a failure passes
 * notes the last one. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/resolve/resolver.h"

#define CARES_NO_DEPRECATED /* the successors of what is used here are too new */
#include <ares.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>

/* The first try lasts 2 s and each further one twice as long: 2 + 4 + 8 s for each server, within
 * the limit of a lookup. */
#define TRY_MILLISECONDS 2000
#define TRIES 3

/* RFC 1035, 3.2.2; RFC 3596, 2.1; RFC 1035, 3.2.4. */
#define TYPE_A 1
#define TYPE_AAAA 28
#define CLASS_IN 1

struct ares_question {
    struct ares_query *query;
    int family;
};

struct ares_query {
    struct plx__query base;
    ares_channel channel;
    struct plx__watch watches[ARES_GETSOCK_MAXNUM];
    struct ares_question questions[2];
    int unanswered;
    struct plx__failure noted; /* the last failure that was seen */
    int refused;               /* the negative errno of a watch that could not be set */
    bool reads_head;           /* the next bytes of the stream are the header of an answer */
    plx__fd broken;            /* a descriptor whose next receive fails with `error`; 0: none */
    int error;
};

/* How often at most the queries move to the next server within one call because a send failed:
 * three tries at each of a few servers. */
#define MOST_MOVES 32

/* ---- failures -------------------------------------------------------------------------------- */

static const struct plx__failure server_failed = {
    PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY, -PLX__SENTENCE, "the name server failed (SERVFAIL)"};
static const struct plx__failure server_refused = {PLX_NAME_RESOLUTION, PLX_REASON_NETWORK,
                                                   -PLX__SENTENCE,
                                                   "the name server refused to answer (REFUSED)"};
static const struct plx__failure server_confused = {
    PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, -PLX__SENTENCE,
    "the name server rejected the query (FORMERR or NOTIMP)"};
static const struct plx__failure answer_cut_off = {
    PLX_NAME_RESOLUTION, PLX_REASON_NETWORK, -PLX__SENTENCE,
    "the name server closed the connection before answering"};
static const struct plx__failure answer_garbled = {PLX_NAME_RESOLUTION, PLX_REASON_TEMPORARY,
                                                   -PLX__SENTENCE,
                                                   "the name server's answer is malformed"};
static const struct plx__failure no_answer = {PLX_NAME_RESOLUTION, PLX_REASON_NETWORK,
                                              -PLX__SENTENCE, "no name server can be asked"};
static const struct plx__failure no_name = {PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND,
                                            -PLX__SENTENCE, "it is not a valid DNS name"};

static void note_error(struct ares_query *self, ptrdiff_t result)
{
    if (result < 0 && result != -PLX__EAGAIN) {
        self->noted = plx__failure_of_system((int)result);
    }
}

/* The response code is the lower half of the fourth byte (RFC 1035, 4.1.1). */
static void note_answer(struct ares_query *self, const uint8_t *data, ptrdiff_t size)
{
    switch (size < 4 ? 0 : data[3] & 15) {
    case 1:
    case 4: self->noted = server_confused; break;
    case 2: self->noted = server_failed; break;
    case 5: self->noted = server_refused; break;
    default: break;
    }
}

/* c-ares reads the length before an answer first, maybe as two pieces of one byte; later versions
 * read both together, and those versions report the response code correctly. */
static void note_stream(struct ares_query *self, const uint8_t *data, size_t asked, ptrdiff_t count)
{
    if (self->reads_head) {
        note_answer(self, data, count);
    }
    if (count == 0) {
        self->noted = answer_cut_off;
    }
    self->reads_head = asked <= 2;
}

static struct plx__failure failure_of(const struct ares_query *self, int status)
{
    switch (status) {
    case ARES_ENODATA:
    case ARES_ENOTFOUND: return plx__failure_not_found;
    case ARES_EBADNAME: return no_name;
    case ARES_ENOMEM: return plx__failure_of_system(-PLX__ENOMEM);
    case ARES_ETIMEOUT: return plx__failure_timed_out;
    case ARES_ESERVFAIL: return server_failed;
    case ARES_EREFUSED: return server_refused;
    case ARES_EFORMERR:
    case ARES_ENOTIMP: return server_confused;
    case ARES_EBADRESP: return answer_garbled;
    default: return self->noted.code != 0 ? self->noted : no_answer;
    }
}

/* ---- sockets of the channel ------------------------------------------------------------------ */

/* c-ares reads the reason of a failure from errno, as after a system call. */
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
    plx__fd descriptor =
        plx__os_socket(family == AF_INET6 ? PLX__FAMILY_IPV6 : PLX__FAMILY_IPV4,
                       type == SOCK_STREAM ? PLX__TYPE_STREAM : PLX__TYPE_DATAGRAM);
    (void)protocol;
    note_error(user, descriptor);
    return result_for_ares(descriptor);
}

static int ares_close_socket(ares_socket_t descriptor, void *user)
{
    (void)user;
    return result_for_ares(plx__os_close(descriptor));
}

static int ares_connect(ares_socket_t descriptor, const struct sockaddr *address,
                        ares_socklen_t size, void *user)
{
    struct plx__sockaddr name;
    if (!plx__sockaddr_from_native(&name, address, (size_t)size)) {
        return result_for_ares(-PLX__EINVAL);
    }
    int result = plx__os_connect(descriptor, &name);
    note_error(user, result);
    return result_for_ares(result);
}

static ares_ssize_t ares_receive(ares_socket_t descriptor, void *data, size_t size, int flags,
                                 struct sockaddr *from, ares_socklen_t *from_size, void *user)
{
    struct plx__sockaddr name;
    struct ares_query *self = user;
    bool truncated;
    (void)flags;
    if (self->broken == descriptor) {
        self->broken = 0;
        return result_for_ares(self->error);
    }
    ptrdiff_t count = plx__os_receive_from(descriptor, data, size, &name, &truncated);
    note_error(user, count);
    if (from != NULL) {
        note_answer(user, data, count);
    } else {
        note_stream(user, data, size, count);
    }
    if (count >= 0 && from != NULL && from_size != NULL) {
        *from_size = (ares_socklen_t)plx__sockaddr_to_native(&name, from, (size_t)*from_size);
    }
    return result_for_ares(count);
}

/* A datagram is always one piece; of the pieces of a stream the first alone is sent, which is a
 * short write, after which c-ares continues.
 *
 * The error of a send may be an ICMP error for an earlier datagram (udp(7)), and the send removes
 * that error: c-ares would move only the second query to the next server and wait for the answer to
 * the first. So this function makes the next receive fail instead, after which c-ares moves all
 * queries of that server. */
static ares_ssize_t ares_send_pieces(ares_socket_t descriptor, const struct iovec *pieces,
                                     int count, void *user)
{
    if (count < 1) {
        return 0;
    }
    struct ares_query *self = user;
    ptrdiff_t sent = plx__os_send(descriptor, pieces[0].iov_base, pieces[0].iov_len);
    if (sent < 0 && sent != -PLX__EAGAIN) {
        note_error(self, sent);
        self->broken = descriptor;
        self->error = (int)sent;
        return (ares_ssize_t)pieces[0].iov_len;
    }
    return result_for_ares(sent);
}

static const struct ares_socket_functions socket_functions = {
    .asocket = ares_open,
    .aclose = ares_close_socket,
    .aconnect = ares_connect,
    .arecvfrom = ares_receive,
    .asendv = ares_send_pieces,
};

/* ---- watches --------------------------------------------------------------------------------- */

static struct plx__watch *watch_for(struct ares_query *self, plx__fd descriptor)
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

/* c-ares calls this function when it changes its interest in a socket, and with neither readable
 * nor writable before it closes a socket. */
static void socket_changed(void *user, ares_socket_t descriptor, int readable, int writable)
{
    struct ares_query *self = user;
    struct plx__watch *watch = watch_for(self, descriptor);
    unsigned interest = (readable ? PLX__READ : 0u) | (writable ? PLX__WRITE : 0u);
    if (watch == NULL) {
        return; /* More sockets than c-ares itself uses: another try receives the answer. */
    }
    int result = 0;
    if (watch->task == NULL && interest != 0) {
        result = plx__watch_start(watch, self->base.task, descriptor, interest);
    } else if (watch->task != NULL && interest != 0) {
        result = plx__watch_set(watch, interest);
    } else {
        plx__watch_stop(watch);
    }
    self->refused = result < 0 ? result : self->refused;
}

/* ---- answers --------------------------------------------------------------------------------- */

static unsigned number_at(const uint8_t *answer, int at)
{
    return (unsigned)answer[at] << 8 | answer[at + 1];
}

/* Returns the offset behind the name at `at`, or a number beyond `size`. A name is a list of labels
 * up to an empty label or a compression pointer (RFC 1035, 4.1.4), which is not followed. */
static int skip_name(const uint8_t *answer, int size, int at)
{
    while (at < size && answer[at] != 0 && answer[at] < 0xc0) {
        at += answer[at] + 1;
    }
    return at >= size ? size + 1 : at + (answer[at] == 0 ? 1 : 2);
}

static void take_record(struct plx__query *query, unsigned type, const uint8_t *data,
                        unsigned length)
{
    plx_address address = {0};
    if (type == TYPE_A && length == 4) {
        address.family = 4;
    } else if (type == TYPE_AAAA && length == 16) {
        address.family = 6;
    } else {
        return;
    }
    memcpy(address.bytes, data, length);
    plx__query_add(query, &address);
}

/* Adds the addresses of an answer, whatever their owner names: the server has followed the aliases.
 * False when the answer is truncated. */
static bool take_answer(struct plx__query *query, const uint8_t *answer, int size)
{
    if (size < 12) {
        return false;
    }
    unsigned questions = number_at(answer, 4);
    unsigned records = number_at(answer, 6);
    int at = 12;
    while (questions-- > 0) {
        at = skip_name(answer, size, at) + 4;
    }
    while (records-- > 0) {
        at = skip_name(answer, size, at);
        if (at + 10 > size) {
            return false;
        }
        unsigned length = number_at(answer, at + 8);
        if (at + 10 + (int)length > size) {
            return false;
        }
        if (number_at(answer, at + 2) == CLASS_IN) {
            take_record(query, number_at(answer, at), answer + at + 10, length);
        }
        at += 10 + (int)length;
    }
    return true;
}

/* c-ares calls this function once for each query, also from within ares_search and ares_destroy. */
static void answered(void *user, int status, int timeouts, unsigned char *answer, int size)
{
    struct ares_question *question = user;
    struct ares_query *self = question->query;
    struct plx__query *query = &self->base;
    (void)timeouts;
    self->unanswered--;
    if (query->done) {
        return;
    }
    size_t before = query->count;
    struct plx__failure failure = failure_of(self, status);
    if (status == ARES_SUCCESS) {
        bool whole = take_answer(query, answer, size);
        failure = whole ? plx__failure_not_found : answer_garbled;
    }
    if (query->count == before) {
        plx__query_fail(query, &failure);
    }
    if (self->unanswered == 0) {
        plx__query_end(query);
    }
}

/* ---- the channel ----------------------------------------------------------------------------- */

static struct ares_query *ares_of(struct plx__query *query)
{
    return PLX__CONTAINER_OF(query, struct ares_query, base);
}

/* Sets the search list without ".", the root, which earlier versions of c-ares append to a name
 * literally: the bare name is tried anyhow. The list is split at blanks in place. */
static int set_domains(struct ares_options *options, char *list, char **domains, int most)
{
    options->domains = domains;
    for (char *next = strtok_r(list, " ", &list); next != NULL && options->ndomains < most;
         next = strtok_r(NULL, " ", &list)) {
        domains[options->ndomains++] = next;
    }
    options->flags = options->ndomains == 0 ? ARES_FLAG_NOSEARCH : 0;
    return ARES_OPT_DOMAINS | (options->ndomains == 0 ? ARES_OPT_FLAGS : 0);
}

static int open_channel(struct ares_query *self)
{
    static char only_dns[] = "b";
    char *domains[PLX__HOST_SIZE / 2];
    struct plx__name_settings settings;
    int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS;
    plx__name_settings_read(&settings);
    struct ares_options options = {.timeout = settings.timeout_ms > 0 ? settings.timeout_ms
                                                                      : TRY_MILLISECONDS,
                                   .tries = settings.attempts > 0 ? settings.attempts : TRIES,
                                   .lookups = only_dns,
                                   .sock_state_cb = socket_changed,
                                   .sock_state_cb_data = self};
    if (settings.has_root_suffix) {
        mask |= set_domains(&options, settings.domains, domains, (int)PLX__COUNT_OF(domains));
    }
    int status = ares_init_options(&self->channel, &options, mask);
    const char *servers = plx__os_variable("POLLUX_NAMESERVERS");
    if (status == ARES_SUCCESS && servers != NULL) {
        status = ares_set_servers_ports_csv(self->channel, servers);
    }
    return status;
}

static void ask_server(struct ares_query *self, const char *host)
{
    int family = self->base.family;
    self->unanswered = family == 0 ? 2 : 1;
    for (int i = 0; i < 2; i++) {
        self->questions[i] = (struct ares_question){self, i == 0 ? 6 : 4};
    }
    /* IPv6 first (RFC 8305, 3). */
    if (family != 4) {
        ares_search(self->channel, host, CLASS_IN, TYPE_AAAA, answered, &self->questions[0]);
    }
    if (family != 6) {
        ares_search(self->channel, host, CLASS_IN, TYPE_A, answered, &self->questions[1]);
    }
}

/* Reports failed sends to c-ares, and ends the query if a descriptor could not be watched, because
 * no answer could be received on it. */
static void check_descriptors(struct ares_query *self)
{
    for (int moves = 0; self->broken > 0 && moves < MOST_MOVES; moves++) {
        ares_process_fd(self->channel, self->broken, ARES_SOCKET_BAD);
    }
    self->broken = 0;
    if (self->refused < 0 && !self->base.done) {
        struct plx__failure failure = plx__failure_of_system(self->refused);
        plx__query_fail(&self->base, &failure);
        plx__query_end(&self->base);
    }
}

/* ---- engine ---------------------------------------------------------------------------------- */

static void ares_query_start(struct plx__query *query, const char *host)
{
    struct ares_query *self = ares_of(query);
    plx__hosts_find(query, host);
    /* Name servers are not asked for "localhost" (RFC 6761, 6.3). */
    if (query->count > 0 || query->is_localhost) {
        plx__query_end(query);
        return;
    }
    int status = open_channel(self);
    if (status != ARES_SUCCESS) {
        struct plx__failure failure = failure_of(self, status);
        plx__query_fail(query, &failure);
        plx__query_end(query);
        return;
    }
    ares_set_socket_functions(self->channel, &socket_functions, self);
    ask_server(self, host);
    check_descriptors(self);
}

static void ares_query_process(struct plx__query *query)
{
    struct ares_query *self = ares_of(query);
    bool any = false;
    for (size_t i = 0; i < PLX__COUNT_OF(self->watches); i++) {
        struct plx__watch *watch = &self->watches[i];
        if (watch->task != NULL && watch->ready != 0) {
            unsigned ready = watch->ready;
            plx__fd descriptor = watch->descriptor;
            watch->ready = 0;
            any = true;
            ares_process_fd(self->channel, ready & PLX__READ ? descriptor : ARES_SOCKET_BAD,
                            ready & PLX__WRITE ? descriptor : ARES_SOCKET_BAD);
        }
    }
    if (!any) {
        ares_process_fd(self->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    }
    check_descriptors(self);
}

static uint64_t ares_query_next(struct plx__query *query, uint64_t now)
{
    struct timeval wait;
    if (ares_timeout(ares_of(query)->channel, NULL, &wait) == NULL) {
        return 0;
    }
    /* Rounded up: c-ares may count whole milliseconds, and does nothing in the rest of the last. */
    return plx__clock_after(now, (int)(wait.tv_sec * 1000 + wait.tv_usec / 1000) + 1);
}

static void ares_query_stop(struct plx__query *query)
{
    struct ares_query *self = ares_of(query);
    if (self->channel != NULL) {
        ares_destroy(self->channel);
        self->channel = NULL;
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
