/* lib/wire/no-proxy.c -- which targets the variable no_proxy exempts. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/wire/no-proxy.h"
#include "lib/wire/part.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The target: an address, or a name when the family is 0. */
struct target {
    struct plx__part name;
    plx_address address;
};

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

static struct plx__part without_last_dot(struct plx__part part)
{
    part.length -= part.length > 0 && part.text[part.length - 1] == '.';
    return part;
}

/* The scope of a link-local address plays no part. */
static uint32_t any_scope(const char *name, size_t length)
{
    (void)name;
    (void)length;
    return 1;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* matches_name returns whether the entry is the name or one above it: the end of the name behind a
 * dot. */
static bool matches_name(struct plx__part name, struct plx__part entry)
{
    entry = without_last_dot(entry);
    if (entry.length > 0 && entry.text[0] == '.') {
        entry.text++;
        entry.length--;
    }
    if (entry.length == 0 || entry.length > name.length) {
        return false;
    }
    size_t rest = name.length - entry.length;
    if (rest > 0 && name.text[rest - 1] != '.') {
        return false;
    }
    for (size_t i = 0; i < entry.length; i++) {
        if (plx__part_lower(name.text[rest + i]) != plx__part_lower(entry.text[i])) {
            return false;
        }
    }
    return true;
}

/* ---- networks -------------------------------------------------------------------------------- */

/* read_length reads the number of 1 to 3 digits behind the '/'. Returns -1 for anything else. */
static int read_length(const char *text, size_t length)
{
    int number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 3) {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
    }
    return length == 0 ? -1 : number;
}

/* has_prefix compares the first `bits` bits. */
static bool has_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
    size_t whole = (size_t)bits / 8;
    int rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

/* matches_address returns whether the entry is the address or a network with it. A network that was
 * written as IPv4 within IPv6 has 96 bits in front of those of IPv4. */
static bool matches_address(const plx_address *address, struct plx__part entry)
{
    plx_address network;
    const char *slash = memchr(entry.text, '/', entry.length);
    size_t length = slash == NULL ? entry.length : (size_t)(slash - entry.text);
    if (memchr(entry.text, '%', entry.length) != NULL ||
        !plx__address_read_host(entry.text, length, any_scope, &network) ||
        network.family != address->family) {
        return false;
    }
    int most = network.family == 4 ? 32 : 128;
    bool within = network.family == 4 && memchr(entry.text, ':', length) != NULL;
    int bits = slash == NULL ? most + (within ? 96 : 0)
                             : read_length(slash + 1, entry.length - length - 1);
    bits -= within ? 96 : 0;
    return bits >= 0 && bits <= most && has_prefix(address->bytes, network.bytes, bits);
}

/* ---- the list -------------------------------------------------------------------------------- */

static struct target read_target(const char *host)
{
    struct target target = {.name = {host, strlen(host)}};
    struct plx__part bare = target.name;
    if (bare.length >= 2 && host[0] == '[' && host[bare.length - 1] == ']') {
        bare = (struct plx__part){host + 1, bare.length - 2};
    }
    if (!plx__address_read_host(bare.text, bare.length, any_scope, &target.address)) {
        target.name = without_last_dot(target.name);
    }
    return target;
}

/* next_entry cuts the next entry off the list; an empty one at the end. */
static struct plx__part next_entry(const char **list)
{
    while (is_separator(**list)) {
        (*list)++;
    }
    struct plx__part entry = {*list, 0};
    while (**list != '\0' && !is_separator(**list)) {
        (*list)++;
        entry.length++;
    }
    return entry;
}

/* is_star returns whether '*' is the only entry of the list. */
static bool is_star(const char *list)
{
    struct plx__part entry = next_entry(&list);
    return entry.length == 1 && entry.text[0] == '*' && next_entry(&list).length == 0;
}

bool plx__proxy_bypassed(const char *no_proxy, const char *host, int port)
{
    (void)port;
    if (no_proxy == NULL || host == NULL || host[0] == '\0') {
        return false;
    }
    if (is_star(no_proxy)) {
        return true;
    }
    struct target target = read_target(host);
    struct plx__part entry;
    while ((entry = next_entry(&no_proxy)).length > 0) {
        if (target.address.family != 0 ? matches_address(&target.address, entry)
                                       : matches_name(target.name, entry)) {
            return true;
        }
    }
    return false;
}
