/* tests/model/answers.c -- the right result of a lookup. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"
#include "tests/model/supply.h"

#include <string.h>

#define SECOND ((uint64_t)1000000000)

/* The first try of a name server, of which c-ares may leave out nearly a half by chance; and a
 * whole lookup. */
#define LEAST_TIME (2 * SECOND * 9 / 16)
#define WHOLE_TIME (30 * SECOND)

static bool is_loopback(const plx_address *address)
{
    static const uint8_t ipv6[16] = {[15] = 1}, ipv4[4] = {127, 0, 0, 1};

    return address->family == 4 ? memcmp(address->bytes, ipv4, sizeof ipv4) == 0
                                : memcmp(address->bytes, ipv6, sizeof ipv6) == 0;
}

/* The far addresses of a name, in the order of the answer (names.c). */
static bool is_far(const struct query *query, const plx_address *address, size_t at)
{
    const uint8_t bytes[4] = {198, 18, (uint8_t)at, (uint8_t)query->number};

    return address->family == 4 && memcmp(address->bytes, bytes, sizeof bytes) == 0;
}

static bool is_right(const struct query *query, const plx_address *address, size_t at)
{
    int family = address->family;

    if (address->port != 0 || (query->protocol == 0 && family != 4) ||
        (query->protocol == 1 && family != 6))
        return false;
    switch (query->sort) {
    case HOST_NUMERIC: return is_loopback(address) && family == query->number;
    case HOST_LOCAL: return is_loopback(address);
    case HOST_FOUND: return names_answer() && is_loopback(address) && family == 4;
    case HOST_BOTH: return names_answer() && is_loopback(address);
    case HOST_FAR: return names_answer() && is_far(query, address, at);
    default: return false;
    }
}

/* One family does without the other only when half a second is over, or when the simulated kernel
 * has lost the other question. */
static bool waits_for_both(const struct query *query)
{
    return query->sort == HOST_BOTH && query->protocol == 2 && !ground_is_simulated() &&
           plx_clock_now() - query->asked < SECOND / 2;
}

static void judge_addresses(const struct query *query, const plx_address *addresses, size_t count)
{
    size_t far = query->sort == HOST_FAR ? 1 + (size_t)query->number % 3 : 1;
    size_t least = waits_for_both(query) ? 2 : far;
    size_t most = query->sort == HOST_LOCAL || query->sort == HOST_BOTH ? 2 : far;

    if (count < least || count > most)
        fault("lookup %d found %zu addresses, expected are %zu to %zu", query_number(query), count,
              least, most);
    for (size_t i = 0; i < count; i++)
        if (!is_right(query, &addresses[i], i) ||
            (i > 0 && plx_address_equal(&addresses[i], &addresses[i - 1])))
            fault("lookup %d of sort %d: address %zu is wrong", query_number(query), query->sort,
                  i);
}

/* Not before the name server had its time. The other tries may be over at once, where the simulated
 * kernel has refused to send them. */
static bool may_time_out(const struct query *query)
{
    return !ground_is_simulated() || ground_now() - query->ground_begun >= LEAST_TIME ||
           plx_clock_now() - query->asked >= WHOLE_TIME;
}

/* The failures of a name server, and of what the program has let run out. */
static bool may_fail(const struct query *query, const plx_error *error)
{
    if (error->code == PLX_OUT_OF_MEMORY)
        return supply_has_refused();
    if (error->code == PLX_OPEN_DRIVER)
        return player.program->starves;
    if (error->code != PLX_NAME_RESOLUTION)
        return false;
    switch (error->reason) {
    case PLX_REASON_HOST_NOT_FOUND:
        return names_answer() &&
               (query->sort == HOST_NOBODY || (query->protocol == 1 && query->sort != HOST_BOTH));
    case PLX_REASON_SOCKET_TIMEOUT: return may_time_out(query);
    case PLX_REASON_NETWORK: return !names_answer() || ground_is_simulated();
    default: return false;
    }
}

static bool is_error(const struct query *query, const plx_error *error)
{
    int code = PLX_NAME_RESOLUTION;
    plx_reason reason = PLX_REASON_HOST_NOT_FOUND;

    if (query->protocol < 0 || query->protocol > 2)
        code = PLX_INVALID_STATE, reason = PLX_REASON_OPERATION;
    else if (query->sort == HOST_EMPTY)
        reason = PLX_REASON_EMPTY_HOST_NAME;
    else if (query->sort == HOST_NUMERIC && query->protocol != (query->number == 6) &&
             query->protocol != 2)
        return error->code == PLX_OPEN_DRIVER;
    else if (query->sort == HOST_NUMERIC || query->sort == HOST_LOCAL)
        return false;
    else if (query->sort != HOST_WRONG)
        return may_fail(query, error);
    return error->code == code && error->reason == reason;
}

void query_judge(struct query *query)
{
    size_t count;
    const plx_address *addresses = plx_lookup_addresses(query->lookup, &count);
    const plx_error *error = plx_lookup_error(query->lookup);

    if (count > 0)
        judge_addresses(query, addresses, count);
    else if (!is_error(query, error) ||
             (strncmp(error->message, "look up", 7) != 0 && !supply_has_refused()))
        fault("lookup %d of sort %d, protocol %d, failed with %d, reason %d after %llu ms: %s",
              query_number(query), query->sort, query->protocol, error->code, (int)error->reason,
              (unsigned long long)((ground_now() - query->ground_begun) / 1000000u),
              error->message);
}
