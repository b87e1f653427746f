/* lib/base/address.c -- addresses to and from strings.
 *
 * This file reads and writes the strings itself, because inet_pton needs the socket headers of
 * POSIX, which stay in lib/os, needs a zero byte at the end of what is often a part of a longer
 * string, and accepts different strings on different kernels (leading zeros in IPv4).
 *
 * Only the kernel knows the index of an interface by its name, in a scope such as "%eth0" (RFC 4007
 * section 11): lib/os/address.c passes a function for it. */
#include "config.h"

#include "lib/base/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <pollux/error.h>

#include "lib/base/base.h"

/* RFC 4291 section 2.5.5.2: an IPv4 address within IPv6. */
static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* ---- numbers --------------------------------------------------------------------------------- */

/* parse_decimal reads a whole string as a number up to `maximum`. It accepts digits only and no
 * leading zero, which some programs read as octal. Returns the number, or -1. */
static int64_t parse_decimal(const char *text, size_t length, uint32_t maximum)
{
    if (length == 0 || (length > 1 && text[0] == '0')) {
        return -1;
    }
    int64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
        number = number * 10 + (text[i] - '0');
        if (number > (int64_t)maximum) {
            return -1;
        }
    }
    return number;
}

static int hexadecimal_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

int plx__address_parse_port(const char *text, size_t length)
{
    return (int)parse_decimal(text, length, UINT16_MAX);
}

/* ---- reading: IPv4 --------------------------------------------------------------------------- */

/* parse_ipv4 reads four decimal numbers with dots. On false ret_bytes may hold some of the numbers.
 */
static bool parse_ipv4(const char *text, size_t length, uint8_t *ret_bytes)
{
    size_t start = 0;
    size_t count = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != '.') {
            continue;
        }
        int64_t number = parse_decimal(text + start, i - start, UINT8_MAX);
        if (number < 0 || count == 4) {
            return false;
        }
        ret_bytes[count++] = (uint8_t)number;
        start = i + 1;
    }
    return count == 4;
}

/* ---- reading: IPv6 --------------------------------------------------------------------------- */

/* The eight groups of an IPv6 address that is being read: `bytes` has `size` bytes so far. `gap` is
 * where "::" stood, -1 for no "::"; the missing zeros are inserted there at the end. */
struct groups {
    uint8_t bytes[16];
    size_t size;
    int gap;
};

/* parse_group reads the group at text[*at] and moves *at behind the group. The last group may be an
 * IPv4 address. */
static bool parse_group(struct groups *groups, const char *text, size_t length, size_t *at)
{
    size_t start = *at;
    unsigned value = 0;
    for (; *at < length && hexadecimal_digit(text[*at]) >= 0; (*at)++) {
        value = value * 16 + (unsigned)hexadecimal_digit(text[*at]);
        if (*at - start == 4) {
            return false;
        }
    }
    if (*at < length && text[*at] == '.' && groups->size <= 12) {
        *at = length;
        groups->size += 4;
        return parse_ipv4(text + start, length - start, groups->bytes + groups->size - 4);
    }
    if (*at == start || groups->size == 16) {
        return false;
    }
    groups->bytes[groups->size++] = (uint8_t)(value >> 8);
    groups->bytes[groups->size++] = (uint8_t)(value & 0xff);
    return true;
}

/* parse_separator moves *at behind the ":" or "::" at text[*at]. An address cannot end with a
 * single ":". */
static bool parse_separator(struct groups *groups, const char *text, size_t length, size_t *at)
{
    if (text[*at] != ':') {
        return false;
    }
    (*at)++;
    if (*at == length) {
        return false;
    }
    if (text[*at] == ':') {
        if (groups->gap >= 0) {
            return false;
        }
        groups->gap = (int)groups->size;
        (*at)++;
    }
    return true;
}

/* parse_ipv6 reads what RFC 4291 section 2.2 allows, without a scope. */
static bool parse_ipv6(const char *text, size_t length, uint8_t *ret_bytes)
{
    struct groups groups = {.gap = -1};
    size_t at = 0;
    if (length >= 2 && text[0] == ':' && text[1] == ':') {
        groups.gap = 0;
        at = 2;
    }
    while (at < length) {
        if (!parse_group(&groups, text, length, &at)) {
            return false;
        }
        if (at < length && !parse_separator(&groups, text, length, &at)) {
            return false;
        }
    }
    /* "::" replaces at least one group. */
    if (groups.gap < 0 ? groups.size != 16 : groups.size > 14) {
        return false;
    }
    size_t before = groups.gap < 0 ? groups.size : (size_t)groups.gap;
    size_t behind = groups.size - before;
    memset(ret_bytes, 0, 16);
    memcpy(ret_bytes, groups.bytes, before);
    memcpy(ret_bytes + 16 - behind, groups.bytes + before, behind);
    return true;
}

bool plx__address_is_link_local(const uint8_t *bytes)
{
    /* RFC 4007 section 4, RFC 4291 sections 2.5.6 and 2.7. */
    bool unicast = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
    bool multicast = bytes[0] == 0xff && ((bytes[1] & 0x0f) == 1 || (bytes[1] & 0x0f) == 2);
    return unicast || multicast;
}

bool plx__address_is_for_many(const plx_address *address)
{
    static const uint8_t all[4] = {255, 255, 255, 255};
    return plx__address_is_group(address) ||
           (address->family == 4 && memcmp(address->bytes, all, sizeof all) == 0);
}

bool plx__address_is_group(const plx_address *address)
{
    /* RFC 5771 section 3, RFC 4291 section 2.7. */
    return address->family == 4 ? address->bytes[0] >= 224 && address->bytes[0] < 240
                                : address->family == 6 && address->bytes[0] == 0xff;
}

bool plx__address_read_scope(const char *text, size_t length, plx__scope_of *scope_of,
                             uint32_t *ret_scope)
{
    int64_t number = parse_decimal(text, length, UINT32_MAX);
    if (number >= 0) {
        *ret_scope = (uint32_t)number;
        return true;
    }
    if (length == 0 || memchr(text, '\0', length) != NULL) {
        return false;
    }
    uint32_t index = scope_of(text, length);
    *ret_scope = index != 0 ? index : *ret_scope;
    return index != 0;
}

/* ---- reading: hosts and addresses ------------------------------------------------------------ */

bool plx__address_read_host(const char *text, size_t length, plx__scope_of *scope_of,
                            plx_address *ret_address)
{
    plx_address address = {0};
    if (text == NULL || length == 0) {
        return false;
    }
    if (parse_ipv4(text, length, address.bytes)) {
        address.family = 4;
        *ret_address = address;
        return true;
    }
    const char *percent = memchr(text, '%', length);
    size_t bare = percent != NULL ? (size_t)(percent - text) : length;
    if (!parse_ipv6(text, bare, address.bytes)) {
        return false;
    }
    address.family = 6;
    if (percent != NULL &&
        (!plx__address_is_link_local(address.bytes) ||
         !plx__address_read_scope(percent + 1, length - bare - 1, scope_of, &address.scope))) {
        return false;
    }
    if (memcmp(address.bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        address.family = 4;
        memmove(address.bytes, address.bytes + sizeof mapped_prefix, 4);
        memset(address.bytes + 4, 0, sizeof address.bytes - 4);
    }
    *ret_address = address;
    return true;
}

/* A host and a port as parts of a string. `port` is NULL when the string has no port. */
struct parts {
    const char *host, *port;
    size_t host_length;
    bool in_brackets;
};

/* find_parts finds the host and the port by brackets and colons alone. Without brackets the port
 * follows the last colon. False when the brackets do not match or something else than a port
 * follows them. */
static bool find_parts(const char *text, struct parts *ret_parts)
{
    struct parts parts = {.host = text, .in_brackets = text[0] == '['};
    if (parts.in_brackets) {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
            return false;
        }
        parts.host = text + 1;
        parts.host_length = (size_t)(end - parts.host);
        parts.port = end[1] == ':' ? end + 2 : NULL;
    } else {
        const char *colon = strrchr(text, ':');
        parts.host_length = colon != NULL ? (size_t)(colon - text) : strlen(text);
        parts.port = colon != NULL ? colon + 1 : NULL;
    }
    *ret_parts = parts;
    return true;
}

/* is_ipv6_text returns whether a host that was read as a number was written as IPv6. */
static bool is_ipv6_text(const char *host, size_t length)
{
    return memchr(host, ':', length) != NULL;
}

int plx__address_read(const char *text, plx__scope_of *scope_of, plx_address *ret_address)
{
    plx_address address;
    struct parts parts;
    if (text == NULL || ret_address == NULL) {
        return PLX_INVALID_STATE;
    }
    /* Before find_parts looks for a colon, since all colons may belong to the address. */
    if (plx__address_read_host(text, strlen(text), scope_of, ret_address)) {
        return PLX_OK;
    }
    if (!find_parts(text, &parts) ||
        !plx__address_read_host(parts.host, parts.host_length, scope_of, &address) ||
        is_ipv6_text(parts.host, parts.host_length) != parts.in_brackets) {
        return PLX_INVALID_STATE;
    }
    int port = parts.port != NULL ? plx__address_parse_port(parts.port, strlen(parts.port)) : 0;
    if (port < 0) {
        return PLX_INVALID_PORT;
    }
    address.port = (uint16_t)port;
    *ret_address = address;
    return PLX_OK;
}

/* is_host returns whether a part may be a host: an IPv6 address in brackets, or a string without
 * the characters that no host name has. The string may be empty. The resolver checks host names
 * further. */
static bool is_host(const struct parts *parts, plx__scope_of *scope_of)
{
    plx_address address;
    if (parts->in_brackets) {
        return is_ipv6_text(parts->host, parts->host_length) &&
               plx__address_read_host(parts->host, parts->host_length, scope_of, &address);
    }
    for (size_t i = 0; i < parts->host_length; i++) {
        unsigned char c = (unsigned char)parts->host[i];
        if (c <= ' ' || c == 0x7f || strchr(":[]/@%", c) != NULL) {
            return false;
        }
    }
    return true;
}

int plx__address_read_where(const char *where, plx__scope_of *scope_of, char *ret_host,
                            size_t host_size, int *ret_port)
{
    struct parts parts;
    if (where == NULL || where[0] == '\0' || !find_parts(where, &parts) ||
        !is_host(&parts, scope_of) || parts.host_length >= host_size) {
        return PLX_INVALID_STATE;
    }
    int port = parts.port != NULL ? plx__address_parse_port(parts.port, strlen(parts.port)) : -1;
    if (port < 0) {
        return PLX_INVALID_PORT;
    }
    memcpy(ret_host, parts.host, parts.host_length);
    ret_host[parts.host_length] = '\0';
    *ret_port = port;
    return PLX_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* A string that is being written, large enough for every address. */
struct text {
    char bytes[PLX__ADDRESS_TEXT_SIZE];
    size_t length;
};

PLX__PRINTF(2, 3) static void append(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length =
        vsnprintf(text->bytes + text->length, sizeof text->bytes - text->length, format, arguments);
    va_end(arguments);
    text->length += length > 0 ? (size_t)length : 0;
}

static unsigned group_at(const uint8_t *bytes, size_t index)
{
    return (unsigned)bytes[index * 2] << 8 | bytes[index * 2 + 1];
}

/* find_gap returns the index of the first group of the longest run of two or more zero groups, the
 * first one of several such runs (RFC 5952 section 4.2), and the length of the run. Without such a
 * run it returns 8 and the length 0. */
static size_t find_gap(const uint8_t *bytes, size_t *ret_length)
{
    size_t best = 8;
    size_t best_length = 0;
    for (size_t i = 0; i < 8; i++) {
        size_t end = i;
        while (end < 8 && group_at(bytes, end) == 0) {
            end++;
        }
        if (end - i >= 2 && end - i > best_length) {
            best = i;
            best_length = end - i;
        }
    }
    *ret_length = best_length;
    return best;
}

static void append_ipv6(struct text *text, const uint8_t *bytes)
{
    size_t gap_length;
    size_t gap = find_gap(bytes, &gap_length);
    for (size_t i = 0; i < 8; i++) {
        if (i == gap) {
            append(text, "::");
            i += gap_length - 1;
        } else {
            append(text, "%s%x", i == 0 || i == gap + gap_length ? "" : ":", group_at(bytes, i));
        }
    }
}

/* append_host writes the address and its scope. The scope is written as a number: to find the
 * interface's name costs a system call, and the name may change. */
static void append_host(struct text *text, const plx_address *address)
{
    const uint8_t *bytes = address->bytes;
    if (address->family == 4) {
        append(text, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
        return;
    }
    append_ipv6(text, bytes);
    if (address->scope != 0) {
        append(text, "%%%lu", (unsigned long)address->scope);
    }
}

/* hand_out copies as much of the string as fits, as snprintf does. */
static size_t hand_out(const struct text *text, char *ret_text, size_t size)
{
    if (size > 0) {
        size_t length = text->length < size ? text->length : size - 1;
        memcpy(ret_text, text->bytes, length);
        ret_text[length] = '\0';
    }
    return text->length;
}

static bool is_none(const plx_address *address)
{
    return address == NULL || (address->family != 4 && address->family != 6);
}

size_t plx__address_format_host(const plx_address *address, char *text, size_t size)
{
    struct text whole = {.length = 0};
    if (!is_none(address)) {
        append_host(&whole, address);
    }
    return hand_out(&whole, text, size);
}

size_t plx_address_format(const plx_address *address, char *text, size_t size)
{
    struct text whole = {.length = 0};
    if (!is_none(address)) {
        append(&whole, "%s", address->family == 6 ? "[" : "");
        append_host(&whole, address);
        append(&whole, "%s:%u", address->family == 6 ? "]" : "", address->port);
    }
    return hand_out(&whole, text, size);
}

bool plx_address_equal(const plx_address *a, const plx_address *b)
{
    if (a == NULL || b == NULL || a->family != b->family) {
        return false;
    }
    if (is_none(a)) {
        return true;
    }
    return a->port == b->port && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, a->family == 4 ? 4 : 16) == 0;
}
