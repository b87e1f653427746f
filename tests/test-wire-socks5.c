/* tests/test-wire-socks5.c -- the messages of a SOCKS5 client, byte by byte. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/os/address.h"
#include "lib/os/errno.h"
#include "lib/wire/socks5.h"
#include "tests/sanitized.h"
#include "tests/suite.h"

static plx_address address_of(const char *text)
{
    plx_address address;
    ck_assert_int_eq(plx_address_parse(text, &address), 0);
    return address;
}

/* Writes into a block of its own size, so that a sanitizer sees a byte too many. */
#define WRITE(largest, call)                                                                       \
    do {                                                                                           \
        bytes = realloc(bytes, largest);                                                           \
        memset(bytes, 0x55, largest);                                                              \
        size = call;                                                                               \
    } while (0)

static uint8_t *bytes;
static size_t size;

static void teardown(void)
{
    free(bytes);
    bytes = NULL;
}

/* A string of `length` bytes, which the next call overwrites. */
static const char *filled(size_t length)
{
    static char text[512];
    memset(text, 'a', length);
    text[length] = '\0';
    return text;
}

/* ---- writing --------------------------------------------------------------------------------- */

SECTION("writing");

PLAIN_CASE(greeting)
{
    WRITE(PLX__SOCKS5_GREETING_SIZE, plx__socks5_write_greeting(false, bytes));
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(bytes, "\5\1\0", 3);
    WRITE(PLX__SOCKS5_GREETING_SIZE, plx__socks5_write_greeting(true, bytes));
    ck_assert_uint_eq(size, 4);
    ck_assert_mem_eq(bytes, "\5\2\0\2", 4);
}

PLAIN_CASE(credentials)
{
    WRITE(PLX__SOCKS5_CREDENTIALS_SIZE, plx__socks5_write_credentials("me", "secret", bytes));
    ck_assert_uint_eq(size, 11);
    ck_assert_mem_eq(bytes, "\1\2me\6secret", 11);
    WRITE(PLX__SOCKS5_CREDENTIALS_SIZE, plx__socks5_write_credentials("me", "", bytes));
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(bytes, "\1\2me\0", 5);
}

PLAIN_CASE(credentials_of_every_byte)
{
    char all[256];
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)c;
    all[255] = '\0';
    WRITE(PLX__SOCKS5_CREDENTIALS_SIZE, plx__socks5_write_credentials(all, all, bytes));
    ck_assert_uint_eq(size, 513);
    ck_assert_int_eq(bytes[1], 255);
    ck_assert_mem_eq(bytes + 2, all, 255);
    ck_assert_int_eq(bytes[257], 255);
    ck_assert_mem_eq(bytes + 258, all, 255);
}

PLAIN_CASE(credentials_that_do_not_fit)
{
    WRITE(1, plx__socks5_write_credentials("", "x", bytes));
    ck_assert_uint_eq(size, 0);
    WRITE(1, plx__socks5_write_credentials(filled(256), "x", bytes));
    ck_assert_uint_eq(size, 0);
    WRITE(1, plx__socks5_write_credentials("x", filled(256), bytes));
    ck_assert_uint_eq(size, 0);
    WRITE(PLX__SOCKS5_CREDENTIALS_SIZE, plx__socks5_write_credentials(filled(255), "", bytes));
    ck_assert_uint_eq(size, 258);
}

PLAIN_CASE(names)
{
    WRITE(PLX__SOCKS5_REQUEST_SIZE, plx__socks5_write_name("example.com", 443, bytes));
    ck_assert_uint_eq(size, 18);
    ck_assert_mem_eq(bytes, "\5\1\0\3\13example.com\1\273", 18);
    WRITE(PLX__SOCKS5_REQUEST_SIZE, plx__socks5_write_name(filled(255), 65535, bytes));
    ck_assert_uint_eq(size, PLX__SOCKS5_REQUEST_SIZE);
    ck_assert_int_eq(bytes[4], 255);
    ck_assert_mem_eq(bytes + 5, filled(255), 255);
    ck_assert_mem_eq(bytes + 260, "\377\377", 2);
}

PLAIN_CASE(names_that_are_none)
{
    static const char *const bad[] = {"",    " ",   "a b",  "a\r\n", "a\x7f", "caf\xc3\xa9",
                                      "a/b", "a:1", "::1",  "[a]",   "a@b",   "a?",
                                      "a#",  "a%b", "a\\b", "\1"};
    for (size_t i = 0; i < PLX__COUNT_OF(bad); i++) {
        WRITE(1, plx__socks5_write_name(bad[i], 1, bytes));
        ck_assert_msg(size == 0, "\"%s\"", bad[i]);
    }
    WRITE(1, plx__socks5_write_name(filled(256), 1, bytes));
    ck_assert_uint_eq(size, 0);
    static const int ports[] = {-1, 0, 65536};
    for (size_t i = 0; i < PLX__COUNT_OF(ports); i++) {
        WRITE(1, plx__socks5_write_name("a", ports[i], bytes));
        ck_assert_uint_eq(size, 0);
    }
}

PLAIN_CASE(addresses)
{
    plx_address address = address_of("1.2.3.4:258");
    WRITE(PLX__SOCKS5_REQUEST_SIZE, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 10);
    ck_assert_mem_eq(bytes, "\5\1\0\1\1\2\3\4\1\2", 10);
    address = address_of("[2001:db8::1]:80");
    WRITE(PLX__SOCKS5_REQUEST_SIZE, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 22);
    ck_assert_mem_eq(bytes, "\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50", 22);
}

/* Our own parser never makes such an address, but a program may. */
PLAIN_CASE(a_mapped_address_is_sent_as_ipv4)
{
    plx_address address = {.family = 6, .port = 80, .bytes = {[10] = 0xff, 0xff, 1, 2, 3, 4}};
    WRITE(PLX__SOCKS5_REQUEST_SIZE, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 10);
    ck_assert_mem_eq(bytes, "\5\1\0\1\1\2\3\4\0\x50", 10);
}

PLAIN_CASE(addresses_that_are_none)
{
    plx_address address = {0};
    WRITE(1, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 0);
    address = address_of("1.2.3.4");
    WRITE(1, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 0);
    address.family = 5;
    address.port = 1;
    WRITE(1, plx__socks5_write_address(&address, bytes));
    ck_assert_uint_eq(size, 0);
}

/* ---- reading --------------------------------------------------------------------------------- */

SECTION("reading");

/* A copy of the first bytes in a block of their own size. */
static const uint8_t *first(const void *message, size_t count)
{
    bytes = realloc(bytes, count + (count == 0));
    memcpy(bytes, message, count);
    return bytes;
}

PLAIN_CASE(chosen_method)
{
    int method = -7;
    ck_assert_int_eq(plx__socks5_read_method(first("", 0), 0, &method), 2);
    ck_assert_int_eq(plx__socks5_read_method(first("\5", 1), 1, &method), 1);
    ck_assert_int_eq(plx__socks5_read_method(first("\4", 1), 1, &method), PLX__SOCKS5_MALFORMED);
    ck_assert_int_eq(plx__socks5_read_method(first("\4\0", 2), 2, &method), PLX__SOCKS5_MALFORMED);
    ck_assert_int_eq(plx__socks5_read_method(first("HT", 2), 2, &method), PLX__SOCKS5_MALFORMED);
    ck_assert_int_eq(method, -7);
    for (int c = 0; c < 256; c++) {
        uint8_t answer[2] = {5, (uint8_t)c};
        ck_assert_int_eq(plx__socks5_read_method(answer, 2, &method), 0);
        ck_assert_int_eq(method, c);
    }
    ck_assert_int_eq(plx__socks5_read_method(first("\5\xff", 2), 2, &method), 0);
    ck_assert_int_eq(method, PLX__SOCKS5_NO_METHOD);
}

PLAIN_CASE(verdict_on_credentials)
{
    bool accepted = true;
    ck_assert_int_eq(plx__socks5_read_verdict(first("", 0), 0, &accepted), 2);
    ck_assert_int_eq(plx__socks5_read_verdict(first("\1", 1), 1, &accepted), 1);
    ck_assert_int_eq(plx__socks5_read_verdict(first("\5", 1), 1, &accepted), PLX__SOCKS5_MALFORMED);
    ck_assert(accepted);
    for (int c = 0; c < 256; c++) {
        uint8_t answer[2] = {1, (uint8_t)c};
        ck_assert_int_eq(plx__socks5_read_verdict(answer, 2, &accepted), 0);
        ck_assert(accepted == (c == 0));
    }
}

/* A reply, cut after every byte: no answer may ask for a byte behind the whole. */
static struct plx__socks5_reply expect_reply(const void *message, size_t whole)
{
    struct plx__socks5_reply reply = {.code = -7};
    for (size_t count = 0; count < whole; count++) {
        int missing = plx__socks5_read_reply(first(message, count), count, &reply);
        ck_assert_int_ge(missing, 1);
        ck_assert_uint_le(count + (size_t)missing, whole);
        ck_assert_int_eq(reply.code, -7);
    }
    ck_assert_int_eq(plx__socks5_read_reply(first(message, whole), whole, &reply), 0);
    ck_assert_uint_eq(reply.size, whole);
    return reply;
}

PLAIN_CASE(reply_with_ipv4)
{
    struct plx__socks5_reply reply = expect_reply("\5\0\0\1\1\2\3\4\1\2", 10);
    plx_address bound = address_of("1.2.3.4:258");
    ck_assert_int_eq(reply.code, 0);
    ck_assert(plx_address_equal(&reply.bound, &bound));
}

PLAIN_CASE(reply_with_ipv6)
{
    struct plx__socks5_reply reply =
        expect_reply("\5\5\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x50", 22);
    plx_address bound = address_of("[2001:db8::1]:80");
    ck_assert_int_eq(reply.code, 5);
    ck_assert(plx_address_equal(&reply.bound, &bound));
}

/* As everywhere in the library, so that one peer has one address. */
PLAIN_CASE(reply_with_a_mapped_address)
{
    struct plx__socks5_reply reply =
        expect_reply("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4\0\x50", 22);
    plx_address bound = address_of("1.2.3.4:80");
    ck_assert(plx_address_equal(&reply.bound, &bound));
    ck_assert_mem_eq(&reply.bound, &bound, sizeof bound);
}

LOOP_CASE(reply_with_a_name, 0, 256)
{
    uint8_t message[PLX__SOCKS5_REPLY_SIZE] = {5, 0, 0, 3, (uint8_t)_i};
    message[5 + _i] = 1;
    message[5 + _i + 1] = 2;
    struct plx__socks5_reply reply = expect_reply(message, (size_t)_i + 7);
    ck_assert_int_eq(reply.bound.family, 0);
    ck_assert_int_eq(reply.bound.port, 258);
}

PLAIN_CASE(bytes_behind_a_reply_are_those_of_the_tunnel)
{
    struct plx__socks5_reply reply;
    ck_assert_int_eq(
        plx__socks5_read_reply((const uint8_t *)"\5\0\0\1\1\2\3\4\1\2tunnel", 16, &reply), 0);
    ck_assert_uint_eq(reply.size, 10);
}

LOOP_CASE(every_code_and_reserved_byte, 0, 256)
{
    uint8_t message[10] = {5, (uint8_t)_i, (uint8_t)(255 - _i), 1};
    ck_assert_int_eq(expect_reply(message, 10).code, _i);
}

LOOP_CASE(wrong_versions_and_types, 0, 256)
{
    struct plx__socks5_reply reply = {.code = -7};
    uint8_t message[PLX__SOCKS5_REPLY_SIZE] = {(uint8_t)_i, 0, 0, 1};
    for (size_t count = 1; _i != 5 && count <= sizeof message; count++)
        ck_assert_int_eq(plx__socks5_read_reply(message, count, &reply), PLX__SOCKS5_MALFORMED);
    message[0] = 5;
    message[3] = (uint8_t)_i;
    bool known = _i == 1 || _i == 3 || _i == 4;
    for (size_t count = 4; !known && count <= sizeof message; count++)
        ck_assert_int_eq(plx__socks5_read_reply(message, count, &reply), PLX__SOCKS5_MALFORMED);
    ck_assert_int_eq(reply.code, -7);
}

/* ---- failures -------------------------------------------------------------------------------- */

SECTION("failures");

static const struct {
    int reply;
    bool name;
    int code;
    plx_reason reason;
    int os_error;
} rows[] = {
    {1, true, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0},
    {1, false, PLX__EIO, PLX_REASON_NETWORK, PLX__EIO},
    {2, true, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {2, false, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {3, true, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, PLX__ENETUNREACH},
    {3, false, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, PLX__ENETUNREACH},
    {4, true, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0},
    {4, false, PLX__EHOSTUNREACH, PLX_REASON_NETWORK, PLX__EHOSTUNREACH},
    {5, true, PLX__ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX__ECONNREFUSED},
    {5, false, PLX__ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX__ECONNREFUSED},
    {6, true, PLX__ETIMEDOUT, PLX_REASON_NETWORK, PLX__ETIMEDOUT},
    {6, false, PLX__ETIMEDOUT, PLX_REASON_NETWORK, PLX__ETIMEDOUT},
    {7, true, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0},
    {7, false, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0},
    {8, true, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0},
    {8, false, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION, 0},
    {9, true, PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO},
    {9, false, PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO},
    {255, true, PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO},
    {-1, false, PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO},
};

LOOP_CASE(failure_of_a_reply, 0, (int)PLX__COUNT_OF(rows))
{
    struct plx__proxy_failure failure = plx__socks5_failure(rows[_i].reply, rows[_i].name);
    ck_assert_int_eq(failure.code, rows[_i].code);
    ck_assert_int_eq(failure.reason, rows[_i].reason);
    ck_assert_int_eq(failure.os_error, rows[_i].os_error);
    ck_assert(failure.text[0] != '\0');
}

LEAKS_ARE_COUNTED

SUITE_MAIN("wire-socks5", .teardown = teardown)
