/* lib/resolve/resolver.c -- the code that all lookups share. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/resolve/resolver.h"

#include <pollux/resolver.h>

#include <ctype.h>
#include <stdatomic.h>
#include <string.h>

#define LOOK_UP_LIMIT ((uint64_t)30 * 1000 * PLX__MILLISECOND)

/* How long an IPv4 address waits for the answer to the IPv6 query (RFC 8305, 3: resolution delay).
 */
#define RESOLUTION_DELAY ((uint64_t)50 * PLX__MILLISECOND)

/* How long the first address waits for the answers to both queries in a patient query;
 * pollux/lookup.h states it. */
#define PATIENCE ((uint64_t)500 * PLX__MILLISECOND)

/* ---- engines --------------------------------------------------------------------------------- */

/* The first one is the default. c-ares needs no thread, its sockets can be watched, and it can be
 * cancelled; the price is that of the modules in nsswitch.conf(5) it has only files and dns. */
static const struct {
    const char *name;
    const struct plx__resolver *engine; /* NULL: not built in */
} engines[] = {
#ifdef HAVE_CARES
    {"ares", &plx__resolver_ares},
    {"system", &plx__resolver_system},
#else
    {"system", &plx__resolver_system},
    {"ares", NULL},
#endif
};

/* The place in the table. One of the globals of the library (lib/os/clock.c names the others).
 * Atomic, because threads that have nothing else in common begin lookups. */
static atomic_size_t chosen;

int plx_resolver_set(const char *name)
{
    size_t place = 0;
    while (name != NULL && place < PLX__COUNT_OF(engines) &&
           strcmp(engines[place].name, name) != 0) {
        place++;
    }
    if (place == PLX__COUNT_OF(engines)) {
        return PLX_INVALID_STATE;
    }
    if (engines[place].engine == NULL) {
        return plx__error_code(PLX__ENOTSUP);
    }
    atomic_store(&chosen, place);
    return 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_alike(const char *a, const char *b, size_t length)
{
    size_t i = 0;
    while (i < length && tolower((unsigned char)a[i]) == tolower((unsigned char)b[i])) {
        i++;
    }
    return i == length;
}

bool plx__host_is_local(const char *host)
{
    static const char name[] = "localhost";
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.') {
        length--;
    }
    if (length < sizeof name - 1) {
        return false;
    }
    const char *last = host + length - (sizeof name - 1);
    return is_alike(last, name, sizeof name - 1) && (last == host || last[-1] == '.');
}

static bool is_ascii(const char *host)
{
    while (*host != '\0' && (unsigned char)*host < 0x80) {
        host++;
    }
    return *host == '\0';
}

/* Returns whether a host has a character that no name has: blanks, control characters, and the
 * delimiters of addresses and of "host:port". */
static bool has_foreign_character(const char *host)
{
    for (; *host != '\0'; host++) {
        unsigned char c = (unsigned char)*host;
        if (c <= ' ' || c == 0x7f || strchr(":[]/@%", c) != NULL) {
            return true;
        }
    }
    return false;
}

/* A host whose last label is a number is an IPv4 address or invalid: inet_aton(3) reads
 * "0177.0.0.1" and "127.1" as addresses, other programs read other addresses, and a name server may
 * return a third (RFC 6943, 3.1.1; WHATWG URL, "ends in a number"). No top-level domain is a number
 * (RFC 3696, 2). */
static bool ends_in_number(const char *host)
{
    size_t end = strlen(host);
    end -= end > 0 && host[end - 1] == '.' ? 1 : 0;
    size_t start = end;
    while (start > 0 && host[start - 1] != '.') {
        start--;
    }
    bool hexadecimal = end - start >= 2 && host[start] == '0' && (host[start + 1] | 0x20) == 'x';
    size_t digits = hexadecimal ? start + 2 : start;
    while (digits < end && (hexadecimal ? isxdigit((unsigned char)host[digits])
                                        : isdigit((unsigned char)host[digits]))) {
        digits++;
    }
    return digits == end && end > start;
}

bool plx__host_prepare(const char *host, char ret_name[PLX__HOST_SIZE],
                       struct plx__failure *ret_failure)
{
    if (has_foreign_character(host)) {
        *ret_failure = plx__failure_refused("it has a character that no host name has");
        return false;
    }
    if (!is_ascii(host)) {
        if (!plx__host_to_ascii(host, ret_name, ret_failure)) {
            return false;
        }
    } else if (strlen(host) < PLX__HOST_SIZE) {
        memcpy(ret_name, host, strlen(host) + 1);
    } else {
        *ret_failure = plx__failure_refused("it is longer than a host name can be");
        return false;
    }
    if (ends_in_number(ret_name)) {
        *ret_failure = plx__failure_refused("it looks like an IPv4 address and is none");
        return false;
    }
    return true;
}

/* ---- queries --------------------------------------------------------------------------------- */

static void add_loopback(struct plx__query *query)
{
    static const plx_address ipv6 = {.family = 6, .bytes = {[15] = 1}};
    static const plx_address ipv4 = {.family = 4, .bytes = {127, 0, 0, 1}};
    /* IPv4 first, as in most hosts files: programs on one computer usually listen there. */
    plx__query_add(query, &ipv4);
    plx__query_add(query, &ipv6);
    query->is_listed = true;
}

/* Closes the engine's descriptors as soon as the engine has no more answers. */
static void release_engine(struct plx__query *query)
{
    if (query->done) {
        query->engine->stop(query);
    }
}

struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family)
{
    const struct plx__resolver *engine = engines[atomic_load(&chosen)].engine;
    struct plx__query *query = plx__memory_new(engine->size);
    if (query == NULL) {
        return NULL;
    }
    char name[PLX__HOST_SIZE];
    query->engine = engine;
    query->task = task;
    query->family = family;
    query->until = plx__clock_add(plx__clock_now(), LOOK_UP_LIMIT);
    if (plx__host_prepare(host, name, &query->failure)) {
        query->is_localhost = plx__host_is_local(name);
        engine->start(query, name);
    } else {
        plx__query_end(query);
    }
    release_engine(query);
    return query;
}

static bool note_ready(struct plx__query *query, uint64_t now)
{
    query->is_ready = query->done || (query->go_on_at != 0 && now >= query->go_on_at);
    return query->is_ready;
}

bool plx__query_process(struct plx__query *query)
{
    if (query->done) {
        return true;
    }
    query->engine->process(query);
    uint64_t now = plx__clock_now();
    if (!query->done && now >= query->until) {
        plx__query_fail(query, &plx__failure_timed_out);
        plx__query_end(query);
    }
    release_engine(query);
    return note_ready(query, now);
}

uint64_t plx__query_next(struct plx__query *query)
{
    if (query->done) {
        return 0;
    }
    uint64_t now = plx__clock_now();
    uint64_t next = query->engine->next(query, now);
    next = next == 0 || next > query->until ? query->until : next;
    /* By what was returned, not by the clock: the moment may have passed since. */
    return query->is_ready ? next : plx__clock_earlier(next, query->go_on_at);
}

void plx__query_keep(struct plx__query *query, size_t count)
{
    query->done = true;
    query->count = count;
    query->engine->stop(query);
}

void plx__query_stop(struct plx__query *query)
{
    if (!query->done) {
        plx__query_end(query);
        release_engine(query);
    }
}

struct plx__query *plx__query_free(struct plx__query *query)
{
    if (query != NULL) {
        query->done = true;
        query->engine->stop(query);
        plx__memory_free(query);
    }
    return NULL;
}

static bool is_wanted(const struct plx__query *query, const plx_address *address)
{
    size_t alike = 0;
    for (size_t i = 0; i < query->count; i++) {
        alike += query->addresses[i].family == address->family ? 1 : 0;
        if (plx_address_equal(&query->addresses[i], address)) {
            return false;
        }
    }
    return alike < PLX__FAMILY_ADDRESSES &&
           (query->family == 0 || query->family == address->family);
}

void plx__query_add(struct plx__query *query, const plx_address *address)
{
    if (!is_wanted(query, address)) {
        return;
    }
    query->addresses[query->count++] = *address;
    uint64_t now = plx__clock_now();
    uint64_t delay = query->is_patient ? PATIENCE : address->family == 6 ? 0 : RESOLUTION_DELAY;
    uint64_t at = plx__clock_add(now, delay);
    query->go_on_at = query->go_on_at == 0 || at < query->go_on_at ? at : query->go_on_at;
}

void plx__query_fail(struct plx__query *query, const struct plx__failure *failure)
{
    if (query->failure.code == 0 || query->failure.reason == PLX_REASON_HOST_NOT_FOUND) {
        query->failure = *failure;
    }
}

void plx__query_end(struct plx__query *query)
{
    query->done = true;
    if (query->count == 0 && query->is_localhost) {
        add_loopback(query);
    }
    if (query->count == 0 && query->failure.code == 0) {
        query->failure = plx__failure_not_found;
    }
}
