/* lib/resolver.c -- floor 3: what all look-ups share. */
#include "config.h"

#include "lib/clock.h"
#include "lib/memory.h"
#include "lib/resolver.h"

#include <ctype.h>
#include <string.h>

/* c-ares is the one engine so far: no thread, sockets of its own that can be watched, and it can be
 * cancelled. The price is that the modules of nsswitch.conf(5) other than files and dns are not
 * asked. */
static const struct plx__resolver *const engine = &plx__resolver_ares;

#define LOOK_UP_LIMIT ((uint64_t)30 * 1000 * 1000 * 1000)

static bool is_alike(const char *a, const char *b, size_t length)
{
    size_t i = 0;
    while (i < length && tolower((unsigned char)a[i]) == tolower((unsigned char)b[i])) {
        i++;
    }
    return i == length;
}

/* "localhost" and names below it are this computer, whether or not /etc/hosts says so or is there at
 * all (RFC 6761, 6.3). */
static bool names_this_computer(const char *host)
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

static bool add_loopback(struct plx__query *query)
{
    static const plx_address ipv6 = {.family = 6, .bytes = {[15] = 1}};
    static const plx_address ipv4 = {.family = 4, .bytes = {127, 0, 0, 1}};
    /* IPv4 first, as in most hosts files: that is where programs on one computer listen. */
    return (query->family == 6 || plx__query_add(query, &ipv4)) &&
           (query->family == 4 || plx__query_add(query, &ipv6));
}

struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family)
{
    struct plx__query *query = plx__memory_new(engine->size);
    if (query == NULL) {
        return NULL;
    }
    query->task = task;
    query->is_localhost = names_this_computer(host);
    query->family = family;
    query->until = plx__clock_add(plx__clock_now(), LOOK_UP_LIMIT);
    engine->start(query, host, family);
    return query;
}

bool plx__query_process(struct plx__query *query)
{
    if (!query->done) {
        engine->process(query);
    }
    if (!query->done && plx__clock_now() >= query->until) {
        plx__query_end(query, PLX_REASON_SOCKET_TIMEOUT);
    }
    return query->done;
}

uint64_t plx__query_next(struct plx__query *query)
{
    uint64_t now = plx__clock_now();
    uint64_t next = query->done ? now : engine->next(query, now);
    return next == 0 || next > query->until ? query->until : next;
}

struct plx__query *plx__query_free(struct plx__query *query)
{
    if (query != NULL) {
        query->done = true;
        engine->stop(query);
        plx__memory_free(query->addresses);
        plx__memory_free(query);
    }
    return NULL;
}

bool plx__query_add(struct plx__query *query, const plx_address *address)
{
    for (size_t i = 0; i < query->count; i++) {
        if (plx_address_equal(&query->addresses[i], address)) {
            return true;
        }
    }
    plx_address *addresses =
        plx__memory_resize(query->addresses, (query->count + 1) * sizeof *addresses);
    if (addresses == NULL) {
        return false;
    }
    addresses[query->count++] = *address;
    query->addresses = addresses;
    return true;
}

void plx__query_end(struct plx__query *query, plx_reason failure)
{
    query->done = true;
    query->failure = failure;
    if (failure == PLX_REASON_HOST_NOT_FOUND && query->is_localhost) {
        query->failure = add_loopback(query) ? PLX_REASON_NONE : PLX_REASON_SOCKET_RESOURCE;
    }
}
