/* lib/wire/socks5.c -- the messages of a SOCKS5 client.
 *
 * A v4-mapped IPv6 address is sent as IPv4 (RFC 1928 section 5 has no other way to say that), since
 * a proxy without IPv6 could not connect to it. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/errno.h"
#include "lib/wire/proxy-text.h"
#include "lib/wire/socks5.h"

#include <string.h>

enum { SOCKS_VERSION = 5, PASSWORD_VERSION = 1, CONNECT = 1, PORT_SIZE = 2, HEAD_SIZE = 4 };

/* The types of addresses. */
enum { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

/* RFC 4291 section 2.5.5.2: an IPv4 address within IPv6. */
static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* ---- writing --------------------------------------------------------------------------------- */

size_t plx__socks5_write_greeting(bool has_credentials, uint8_t *ret_bytes)
{
    ret_bytes[0] = SOCKS_VERSION;
    ret_bytes[1] = has_credentials ? 2 : 1;
    ret_bytes[2] = PLX__SOCKS5_NO_AUTHENTICATION;
    ret_bytes[3] = PLX__SOCKS5_PASSWORD;
    return has_credentials ? 4 : 3;
}

size_t plx__socks5_write_credentials(const char *user, const char *password, uint8_t *ret_bytes)
{
    size_t user_size = strlen(user);
    size_t password_size = strlen(password);
    if (user_size == 0 || user_size > UINT8_MAX || password_size > UINT8_MAX) {
        return 0;
    }
    uint8_t *at = ret_bytes;
    *at++ = PASSWORD_VERSION;
    *at++ = (uint8_t)user_size;
    memcpy(at, user, user_size);
    at += user_size;
    *at++ = (uint8_t)password_size;
    memcpy(at, password, password_size);
    return (size_t)(at - ret_bytes) + password_size;
}

/* write_request writes a request whose address has `size` bytes behind its type. */
static size_t write_request(uint8_t type, const void *address, size_t size, int port, uint8_t *out)
{
    out[0] = SOCKS_VERSION;
    out[1] = CONNECT;
    out[2] = 0;
    out[3] = type;
    memcpy(out + HEAD_SIZE, address, size);
    out[HEAD_SIZE + size] = (uint8_t)(port >> 8);
    out[HEAD_SIZE + size + 1] = (uint8_t)(port & 0xff);
    return HEAD_SIZE + size + PORT_SIZE;
}

size_t plx__socks5_write_name(const char *host, int port, uint8_t *ret_bytes)
{
    uint8_t name[1 + UINT8_MAX];
    if (!plx__proxy_is_name(host) || port < 1 || port > UINT16_MAX) {
        return 0;
    }
    name[0] = (uint8_t)strlen(host);
    memcpy(name + 1, host, name[0]);
    return write_request(TYPE_NAME, name, 1 + (size_t)name[0], port, ret_bytes);
}

size_t plx__socks5_write_address(const plx_address *address, uint8_t *ret_bytes)
{
    const uint8_t *bytes = address->bytes;
    if ((address->family != 4 && address->family != 6) || address->port == 0) {
        return 0;
    }
    if (address->family == 4) {
        return write_request(TYPE_IPV4, bytes, 4, address->port, ret_bytes);
    }
    if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        return write_request(TYPE_IPV4, bytes + sizeof mapped_prefix, 4, address->port, ret_bytes);
    }
    return write_request(TYPE_IPV6, bytes, 16, address->port, ret_bytes);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* read_pair reads a message of two bytes, the first of which is known. */
static int read_pair(const uint8_t *bytes, size_t size, int first)
{
    if (size > 0 && bytes[0] != first) {
        return PLX__SOCKS5_MALFORMED;
    }
    return size < 2 ? 2 - (int)size : 0;
}

int plx__socks5_read_method(const uint8_t *bytes, size_t size, int *ret_method)
{
    int missing = read_pair(bytes, size, SOCKS_VERSION);
    if (missing == 0) {
        *ret_method = bytes[1];
    }
    return missing;
}

int plx__socks5_read_verdict(const uint8_t *bytes, size_t size, bool *ret_accepted)
{
    int missing = read_pair(bytes, size, PASSWORD_VERSION);
    if (missing == 0) {
        *ret_accepted = bytes[1] == 0;
    }
    return missing;
}

/* least_size returns how many bytes a reply has at least, as far as is known from the first ones; 0
 * when they cannot begin a reply. */
static size_t least_size(const uint8_t *bytes, size_t size)
{
    enum { EMPTY_NAME = HEAD_SIZE + 1 + PORT_SIZE };
    if (size > 0 && bytes[0] != SOCKS_VERSION) {
        return 0;
    }
    if (size < HEAD_SIZE) {
        return EMPTY_NAME;
    }
    switch (bytes[3]) {
    case TYPE_IPV4: return HEAD_SIZE + 4 + PORT_SIZE;
    case TYPE_IPV6: return HEAD_SIZE + 16 + PORT_SIZE;
    case TYPE_NAME: return EMPTY_NAME + (size > HEAD_SIZE ? bytes[HEAD_SIZE] : 0u);
    default: return 0;
    }
}

/* read_bound reads the `size` bytes of an address. */
static plx_address read_bound(const uint8_t *bytes, size_t size)
{
    plx_address address = {.family = size == 4 ? 4 : 6};
    if (size == 16 && memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        address.family = 4;
        bytes += sizeof mapped_prefix;
        size = 4;
    }
    memcpy(address.bytes, bytes, size);
    return address;
}

int plx__socks5_read_reply(const uint8_t *bytes, size_t size, struct plx__socks5_reply *ret_reply)
{
    size_t whole = least_size(bytes, size);
    if (whole == 0) {
        return PLX__SOCKS5_MALFORMED;
    }
    if (size < whole) {
        return (int)(whole - size);
    }
    struct plx__socks5_reply reply = {.size = whole, .code = bytes[1]};
    if (bytes[3] != TYPE_NAME) {
        reply.bound = read_bound(bytes + HEAD_SIZE, whole - HEAD_SIZE - PORT_SIZE);
    }
    reply.bound.port = (uint16_t)(bytes[whole - 2] << 8 | bytes[whole - 1]);
    *ret_reply = reply;
    return 0;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* What RFC 1928 section 6 has as codes from 1 on. */
static const struct plx__proxy_failure failures[] = {
    {PLX__EIO, PLX_REASON_NETWORK, PLX__EIO, "the proxy reports a general failure"},
    {PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES,
     "the proxy does not permit the connection"},
    {PLX_OPEN_DRIVER, PLX_REASON_NETWORK, PLX__ENETUNREACH, "the proxy cannot reach the network"},
    {PLX__EHOSTUNREACH, PLX_REASON_NETWORK, PLX__EHOSTUNREACH, "the proxy cannot reach the host"},
    {PLX__ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX__ECONNREFUSED,
     "the host refuses the proxy's connection"},
    {PLX__ETIMEDOUT, PLX_REASON_NETWORK, PLX__ETIMEDOUT, "the proxy reports an expired TTL"},
    {PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
     "the proxy does not support the command"},
    {PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0,
     "the proxy does not support the type of the address"},
};

struct plx__proxy_failure plx__socks5_failure(int code, bool name_was_sent)
{
    enum { GENERAL_FAILURE = 1, HOST_UNREACHABLE = 4 };
    if (name_was_sent && (code == GENERAL_FAILURE || code == HOST_UNREACHABLE)) {
        return (struct plx__proxy_failure){PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0,
                                           "the proxy does not find the host"};
    }
    if (code >= 1 && (size_t)code <= PLX__COUNT_OF(failures)) {
        return failures[code - 1];
    }
    return plx__proxy_failure(PLX__PROXY_PROTOCOL);
}
