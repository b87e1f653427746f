/* tests/test-wire-proxy.c -- a proxy as a string, the failures of every proxy, and base64. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/os/errno.h"
#include "lib/wire/base64.h"
#include "lib/wire/proxy-failure.h"
#include "lib/wire/proxy-text.h"
#include "tests/sanitized.h"
#include "tests/suite.h"

/* ---- strings that are a proxy ---------------------------------------------------------------- */

SECTION("parse");

static const struct {
    const char *text;
    struct plx__proxy_text proxy;
    const char *formatted;
} good[] = {
    {"socks5://h:1", {PLX__PROXY_SOCKS5, "h", 1, "", "", false}, "socks5://h:1"},
    {"socks5h://h:65535/", {PLX__PROXY_SOCKS5H, "h", 65535, "", "", false}, "socks5h://h:65535"},
    {"HTTP://Host.example:3128", {PLX__PROXY_HTTP, "Host.example", 3128, "", "", false},
     "http://Host.example:3128"},
    {"SoCkS5H://10.0.0.1:1080", {PLX__PROXY_SOCKS5H, "10.0.0.1", 1080, "", "", false},
     "socks5h://10.0.0.1:1080"},
    {"socks5://[::1]:1080", {PLX__PROXY_SOCKS5, "::1", 1080, "", "", false},
     "socks5://[::1]:1080"},
    {"http://[fe80::1%no-such0]:1/", {PLX__PROXY_HTTP, "fe80::1%no-such0", 1, "", "", false},
     "http://[fe80::1%no-such0]:1"},
    {"http://[::ffff:1.2.3.4]:1", {PLX__PROXY_HTTP, "::ffff:1.2.3.4", 1, "", "", false},
     "http://[::ffff:1.2.3.4]:1"},
    {"socks5h://user:password@host:1080",
     {PLX__PROXY_SOCKS5H, "host", 1080, "user", "password", true}, "socks5h://host:1080"},
    {"http://user@host:1", {PLX__PROXY_HTTP, "host", 1, "user", "", true}, "http://host:1"},
    {"http://user:@host:1", {PLX__PROXY_HTTP, "host", 1, "user", "", true}, "http://host:1"},
    {"http://u:p:q@host:1", {PLX__PROXY_HTTP, "host", 1, "u", "p:q", true}, "http://host:1"},
    {"http://u%40%2f:%3A%25%20@[::1]:1",
     {PLX__PROXY_HTTP, "::1", 1, "u@/", ":% ", true}, "http://[::1]:1"},
    {"socks5://u%3a:%c3%a9\xc3\xa9@h:1",
     {PLX__PROXY_SOCKS5, "h", 1, "u:", "\xc3\xa9\xc3\xa9", true}, "socks5://h:1"},
    {"socks5://[:]@h:1", {PLX__PROXY_SOCKS5, "h", 1, "[", "]", true}, "socks5://h:1"},
};

LOOP_CASE(a_proxy_is_read, 0, (int)PLX__COUNT_OF(good))
{
    struct plx__proxy_text proxy;
    char text[PLX__PROXY_TEXT_SIZE];
    memset(&proxy, 0x55, sizeof proxy);
    ck_assert_msg(plx__proxy_parse(good[_i].text, &proxy), "\"%s\"", good[_i].text);
    ck_assert_int_eq(proxy.scheme, good[_i].proxy.scheme);
    ck_assert_str_eq(proxy.host, good[_i].proxy.host);
    ck_assert_int_eq(proxy.port, good[_i].proxy.port);
    ck_assert_str_eq(proxy.user, good[_i].proxy.user);
    ck_assert_str_eq(proxy.password, good[_i].proxy.password);
    ck_assert(proxy.has_credentials == good[_i].proxy.has_credentials);
    plx__proxy_format(&proxy, text, sizeof text);
    ck_assert_str_eq(text, good[_i].formatted);
}

static const char *const bad[] = {
    "", ":", "://", "h", "h:1", "//h:1", "://h:1", "socks5", "socks5:", "socks5:/", "socks5:h:1",
    "socks5:/h:1", "socks5://", "socks5:///", "socks4://h:1", "socks://h:1", "https://h:1",
    "socks5hh://h:1", "socks5 ://h:1", " socks5://h:1", "socks5://h:1 ", "ftp://h:1",
    /* ports */
    "socks5://h", "socks5://h/", "socks5://h:", "socks5://h:/", "socks5://h:0", "socks5://h:65536",
    "socks5://h:-1", "socks5://h:+1", "socks5://h:01", "socks5://h:1x", "socks5://h: 1",
    "socks5://[::1]", "socks5://[::1]:", "socks5://h:1:2", "socks5://h:99999999999999999999",
    /* hosts */
    "socks5://:1", "socks5://::1:1080", "socks5://[]:1", "socks5://[h]:1", "socks5://[1.2.3.4]:1",
    "socks5://[::1:1", "socks5://::1]:1", "socks5://[::g]:1", "socks5://a b:1", "socks5://a\r\n:1",
    "socks5://a\n:1", "socks5://a%41:1", "socks5://a%00:1", "socks5://a\x7f:1", "socks5://a?b:1",
    "socks5://a#b:1", "socks5://a\\b:1", "socks5://a/b:1", "socks5://[::1%1]:1",
    "socks5://[fe80::1%]:1", "socks5://[fe80::1%a b]:1", "socks5://[fe80::1%a\n]:1",
    "socks5://[fe80::1%a@b]:1", "socks5://[fe80::1%a/b]:1",
    /* what follows */
    "socks5://h:1//", "socks5://h:1/x", "socks5://h:1?", "socks5://h:1#", "socks5://h:1/?",
    "socks5://h:1/@h:1", "socks5://h:1\n", "socks5://h:1\r",
    /* user and password */
    "socks5://@h:1", "socks5://:@h:1", "socks5://:p@h:1", "socks5://u:p@@h:1", "socks5://u@v@h:1",
    "socks5://u:p@", "socks5://u:p@:1", "socks5://u:p@h", "socks5://u/:p@h:1", "socks5://u:p?@h:1",
    "socks5://u:p#@h:1", "socks5://u\\:p@h:1", "socks5://u :p@h:1", "socks5://u:p\n@h:1",
    "socks5://u\r:p@h:1", "socks5://u\x7f:p@h:1", "socks5://u%:p@h:1", "socks5://u%4:p@h:1",
    "socks5://u:p%@h:1", "socks5://u:p%4@h:1", "socks5://u:p%zz@h:1", "socks5://u:p%4g@h:1",
    "socks5://u%00:p@h:1", "socks5://u:%00@h:1", "socks5://u:%0d%0a@h:1", "socks5://u%0A:p@h:1",
    "socks5://u:%7f@h:1", "socks5://u:%1F@h:1", "http://u%3av:p@h:1", "http://%3a@h:1",
};

LOOP_CASE(nonsense_is_refused, 0, (int)PLX__COUNT_OF(bad))
{
    struct plx__proxy_text proxy, untouched;
    memset(&proxy, 0x55, sizeof proxy);
    untouched = proxy;
    ck_assert_msg(!plx__proxy_parse(bad[_i], &proxy), "\"%s\"", bad[_i]);
    ck_assert_mem_eq(&proxy, &untouched, sizeof proxy);
}

/* Every cut of a good string is refused, or reads less of the port. */
PLAIN_CASE(a_cut_string)
{
    static const char whole[] = "socks5h://us%65r:pass%20word@[2001:db8::1]:1080";
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        char text[sizeof whole];
        struct plx__proxy_text proxy;
        memcpy(text, whole, length);
        text[length] = '\0';
        ck_assert_msg(plx__proxy_parse(text, &proxy) == (length > sizeof whole - 1 - 4), "\"%s\"",
                      text);
    }
}

/* Every byte but NUL in user and password: refused, or kept. Encoded, all but controls are kept. */
LOOP_CASE(every_byte_in_credentials, 1, 256)
{
    struct plx__proxy_text proxy;
    char text[64];
    char one[2] = {(char)_i, '\0'};
    bool control = _i < 0x20 || _i == 0x7f;
    snprintf(text, sizeof text, "socks5://u%%%02X:%%%02xp@h:1", (unsigned)_i, (unsigned)_i);
    ck_assert(plx__proxy_parse(text, &proxy) == !control);
    if (!control) {
        ck_assert_str_eq(proxy.user + 1, one);
        ck_assert_int_eq(proxy.password[0], one[0]);
        ck_assert_str_eq(proxy.password + 1, "p");
    }
    snprintf(text, sizeof text, "socks5://user:p%cq@h:1", _i);
    bool refused = control || strchr(" /?#@\\%", _i) != NULL;
    ck_assert(plx__proxy_parse(text, &proxy) == !refused);
    if (!refused)
        ck_assert_int_eq(proxy.password[1], one[0]);
}

/* Parses a proxy with a host, a user and a password of these lengths. */
static bool parses(int host, int user, int password)
{
    static const char a[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 64 */
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    char text[1024], again[PLX__PROXY_TEXT_SIZE];
    struct plx__proxy_text proxy;
    snprintf(text, sizeof text, "socks5h://%.*s:%.*s@%.*s:65535", user, a, password, a, host, a);
    if (!plx__proxy_parse(text, &proxy))
        return false;
    ck_assert_uint_eq(strlen(proxy.host), (size_t)host);
    ck_assert_uint_eq(strlen(proxy.user), (size_t)user);
    ck_assert_uint_eq(strlen(proxy.password), (size_t)password);
    plx__proxy_format(&proxy, again, sizeof again);
    ck_assert_uint_eq(strlen(again), (size_t)host + 16);
    return true;
}

PLAIN_CASE(lengths)
{
    ck_assert(parses(255, 255, 255));
    ck_assert(parses(1, 1, 0));
    ck_assert(!parses(256, 1, 1));
    ck_assert(!parses(1, 256, 1));
    ck_assert(!parses(1, 1, 256));
    ck_assert(!parses(1, 0, 1));
    ck_assert(!parses(0, 1, 1));
    char text[4096];
    struct plx__proxy_text proxy;
    for (int length = 256; length < 3000; length += 1 + length / 300) {
        snprintf(text, sizeof text, "http://%0*d:1", length, 0);
        ck_assert(!plx__proxy_parse(text, &proxy));
    }
}

PLAIN_CASE(a_short_room_cuts_the_string)
{
    struct plx__proxy_text proxy;
    char text[8] = "xxxxxxx";
    ck_assert(plx__proxy_parse("http://u:p@host:1", &proxy));
    plx__proxy_format(&proxy, text, 5);
    ck_assert_str_eq(text, "http");
    ck_assert_int_eq(text[5], 'x');
}

/* ---- failures -------------------------------------------------------------------------------- */

SECTION("failures");

static const struct {
    enum plx__proxy_trouble trouble;
    int code;
    plx_reason reason;
    int os_error;
} rows[] = {
    {PLX__PROXY_NOT_FOUND, PLX_NAME_RESOLUTION, PLX_REASON_PROXY_NOT_FOUND, 0},
    {PLX__PROXY_REFUSED, PLX__ECONNREFUSED, PLX_REASON_PROXY_CONNECTION_REFUSED, PLX__ECONNREFUSED},
    {PLX__PROXY_CLOSED, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED, 0},
    {PLX__PROXY_SILENT, PLX__ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT, PLX__ETIMEDOUT},
    {PLX__PROXY_PROTOCOL, PLX__EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX__EPROTO},
    {PLX__PROXY_AUTHENTICATION, PLX__EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, PLX__EACCES},
    {PLX__PROXY_BAD_TARGET, PLX_INVALID_STATE, PLX_REASON_OPERATION, 0},
    {PLX__PROXY_BAD_CREDENTIALS, PLX_INVALID_STATE, PLX_REASON_OPERATION, 0},
};

LOOP_CASE(failure_of_a_trouble, 0, (int)PLX__COUNT_OF(rows))
{
    struct plx__proxy_failure failure = plx__proxy_failure(rows[_i].trouble);
    ck_assert_int_eq(failure.code, rows[_i].code);
    ck_assert_int_eq(failure.reason, rows[_i].reason);
    ck_assert_int_eq(failure.os_error, rows[_i].os_error);
    ck_assert(failure.text[0] != '\0');
}

/* ---- base64 ---------------------------------------------------------------------------------- */

SECTION("base64");

/* RFC 4648 section 10. */
static const char *const vectors[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"foobar", "Zm9vYmFy"},
                                         {"Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}};

LOOP_CASE(vectors_of_the_rfc, 0, (int)PLX__COUNT_OF(vectors))
{
    char text[64];
    size_t size = strlen(vectors[_i][0]);
    ck_assert_uint_eq(plx__base64_write(vectors[_i][0], size, text), PLX__BASE64_SIZE(size));
    ck_assert_str_eq(text, vectors[_i][1]);
}

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    ck_assert(c != '\0' && at != NULL);
    return (int)(at - digits);
}

/* Every length up to 511, with every byte value: decoded again, bit by bit. */
LOOP_CASE(every_length, 0, 512)
{
    size_t size = (size_t)_i;
    char *text = malloc(PLX__BASE64_SIZE(size) + 1);
    uint8_t *bytes = malloc(size + (size == 0));
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 7 + size);
    ck_assert_uint_eq(plx__base64_write(bytes, size, text), PLX__BASE64_SIZE(size));
    ck_assert_uint_eq(strlen(text), PLX__BASE64_SIZE(size));
    ck_assert_uint_eq(strcspn(text, "="), (size * 4 + 2) / 3);
    for (size_t i = 0; i < size * 8; i++) {
        int bit = value_of(text[i / 6]) >> (5 - i % 6) & 1;
        ck_assert_int_eq(bit, bytes[i / 8] >> (7 - i % 8) & 1);
    }
    free(bytes);
    free(text);
}

LEAKS_ARE_COUNTED

SUITE_MAIN("wire-proxy")
