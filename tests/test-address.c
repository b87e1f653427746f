/* tests/test-address.c -- addresses to and from text: first what is none, then what is one. */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pollux/error.h>

#include "lib/base/base.h"
#include "lib/os/address.h"
#include "tests/suite.h"

/* ---- texts that are no address --------------------------------------------------------------- */

static const char *const nonsense[] = {
    "", " ", ":", "::::", ":::", "[", "]", "[]", "[]:80", "[::1", "::1]", "[::1]]:80", "[[::1]]:80",
    "[::1]80", "[::1] :80", "[::1:80", "[:80", "localhost", "localhost:80", "example.org:80",
    "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5", ".1.2.3.4",
    "256.1.1.1", "1.2.3.256", "1.2.3.1000", "99999999999.1.1.1", "01.2.3.4", "1.2.3.04", "00.0.0.0",
    "0x7f.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.-4", "+1.2.3.4", "1.2.3.a", "1,2,3,4",
    "1.2.3.4%lo", "1.2.3.4%1:80", "[1.2.3.4]:80", "[1.2.3.4]", "127.1:80", "2130706433:80",
    ":1", "1:", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8:80", "1:2:3:4:5:6:7::8:9", "1::2::3", "::1::", ":::1", "1:::2", "::1:", ":1::",
    "12345::", "::12345", "::00001", "::g", "::-1", "::+1", ":: 1", "::1 ", "::0x1",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "::a.2.3.4",
    "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::ffff:1.2.3.4:80",
    "fe80::1%", "fe80::1%no-such-if0", "[fe80::1%]:80", "fe80::1%-1", "fe80::1%4294967296",
    "fe80::1%01", "fe80::1%1%2", "fe80::1%99999999999999999999", "fe80::1%a-name-that-is-too-long",
    "::1%1", "2001:db8::1%1", "::ffff:1.2.3.4%1", "ff05::1%1", "%1", "[%1]:80", "1.2.3.4:80:80",
    "::1:80x", "[g::1]:80",
};

static const char *const bad_ports[] = {
    "1.2.3.4:", "1.2.3.4: 80", "1.2.3.4:80 ", "1.2.3.4:-1", "1.2.3.4:+80", "1.2.3.4:65536",
    "1.2.3.4:080", "1.2.3.4:00", "1.2.3.4:80x", "1.2.3.4:0x50", "1.2.3.4:http", "1.2.3.4:99999",
    "1.2.3.4:4294967376", "1.2.3.4:18446744073709551696",
    "1.2.3.4:99999999999999999999999999999999",
    "[::1]:", "[::1]:65536", "[::1]:80x", "[::1]::80", "[::1]:80\n", "[::1]:8 0",
    "[::1]:80:80", "[::1]:80:80]",
};

/* expect_refused checks that a string gives a code and leaves the address as it was. */
static void expect_refused(const char *text, int code)
{
    plx_address address;
    plx_address untouched;
    memset(&address, 0x55, sizeof address);
    untouched = address;
    ck_assert_msg(plx_address_parse(text, &address) == code, "\"%s\" gives %d", text,
                  plx_address_parse(text, &address));
    ck_assert_mem_eq(&address, &untouched, sizeof address);
}

PLAIN_CASE(nonsense_is_refused)
{
    for (size_t i = 0; i < PLX__COUNT_OF(nonsense); i++) {
        expect_refused(nonsense[i], PLX_INVALID_STATE);
    }
}

PLAIN_CASE(bad_ports_are_refused)
{
    for (size_t i = 0; i < PLX__COUNT_OF(bad_ports); i++) {
        expect_refused(bad_ports[i], PLX_INVALID_PORT);
    }
}

PLAIN_CASE(null_is_refused)
{
    expect_refused(NULL, PLX_INVALID_STATE);
    ck_assert_int_eq(plx_address_parse("1.2.3.4:80", NULL), PLX_INVALID_STATE);
}

PLAIN_CASE(only_the_given_bytes_are_read)
{
    plx_address address;
    /* Neither the byte behind nor a zero within may count; the block ends where the text does. */
    char *text = malloc(7);
    ck_assert_ptr_nonnull(text);
    memcpy(text, "1.2.3.4", 7);
    ck_assert(plx__address_parse_host(text, 7, &address));
    ck_assert(!plx__address_parse_host(text, 6, &address));
    ck_assert(!plx__address_parse_host(text, 0, &address));
    ck_assert(!plx__address_parse_host(NULL, 3, &address));
    text[5] = '\0';
    ck_assert(!plx__address_parse_host(text, 7, &address));
    memcpy(text, "fe80::1", 7);
    ck_assert(plx__address_parse_host(text, 7, &address));
    free(text);
    ck_assert(!plx__address_parse_host("::1\0", 4, &address));
    ck_assert(!plx__address_parse_host("fe80::1%lo\0", 11, &address));
    ck_assert(!plx__address_parse_host("1.2.3.4:80", 10, &address));
    ck_assert(!plx__address_parse_host("[::1]", 5, &address));
}

/* ---- texts that are one ---------------------------------------------------------------------- */

static const struct {
    const char *text, *formatted;
} addresses[] = {
    {"127.0.0.1:80", "127.0.0.1:80"},
    {"0.0.0.0:0", "0.0.0.0:0"},
    {"255.255.255.255:65535", "255.255.255.255:65535"},
    {"1.2.3.4", "1.2.3.4:0"},
    {"::", "[::]:0"},
    {"[::]", "[::]:0"},
    {"::1", "[::1]:0"},
    {"[::1]:80", "[::1]:80"},
    {"::1:80", "[::1:80]:0"},
    {"1::", "[1::]:0"},
    {"[2001:DB8::ABCD]:443", "[2001:db8::abcd]:443"},
    {"2001:0db8:0000:0000:0000:0000:0000:0001", "[2001:db8::1]:0"},
    {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:0"},
    {"::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:0"},
    {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:0"},
    {"1:2:3::5:6:7:8", "[1:2:3:0:5:6:7:8]:0"},
    {"1:0:0:4:0:0:0:8", "[1:0:0:4::8]:0"},
    {"1:0:0:4:5:0:0:8", "[1::4:5:0:0:8]:0"},
    {"0:0:3:4:5:6:0:0", "[::3:4:5:6:0:0]:0"},
    {"1:2:3:4:5:6:0:0", "[1:2:3:4:5:6::]:0"},
    {"64:ff9b::1.2.3.4", "[64:ff9b::102:304]:0"},
    {"::1.2.3.4", "[::102:304]:0"},
    {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]:0"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:0"},
    {"[::ffff:1.2.3.4]:80", "1.2.3.4:80"},
    {"::ffff:102:304", "1.2.3.4:0"},
    {"0:0:0:0:0:FFFF:0.0.0.0", "0.0.0.0:0"},
    {"fe80::1%7", "[fe80::1%7]:0"},
    {"[fe80::1%4294967295]:65535", "[fe80::1%4294967295]:65535"},
    {"[fe80::1%0]:1", "[fe80::1]:1"},
    {"fe80::1", "[fe80::1]:0"},
    {"febf::1%3", "[febf::1%3]:0"},
    {"[ff02::fb%2]:5353", "[ff02::fb%2]:5353"},
    {"ff01::1%2", "[ff01::1%2]:0"},
};

PLAIN_CASE(addresses_are_read_and_written)
{
    for (size_t i = 0; i < PLX__COUNT_OF(addresses); i++) {
        plx_address address;
        plx_address again;
        char text[PLX__ADDRESS_TEXT_SIZE];
        ck_assert_msg(plx_address_parse(addresses[i].text, &address) == 0, "\"%s\" is refused",
                      addresses[i].text);
        ck_assert_uint_eq(plx_address_format(&address, text, sizeof text), strlen(text));
        ck_assert_str_eq(text, addresses[i].formatted);
        ck_assert_int_eq(plx_address_parse(text, &again), 0);
        ck_assert(plx_address_equal(&address, &again));
        ck_assert_mem_eq(&address, &again, sizeof address);
    }
}

PLAIN_CASE(members_are_as_promised)
{
    static const uint8_t four[16] = {1, 2, 3, 4};
    static const uint8_t six[16] = {0xfe, 0x80, [15] = 1};
    plx_address address;
    memset(&address, 0xff, sizeof address);
    ck_assert_int_eq(plx_address_parse("[::ffff:1.2.3.4]:258", &address), 0);
    ck_assert_uint_eq(address.family, 4);
    ck_assert_uint_eq(address.port, 258);
    ck_assert_uint_eq(address.scope, 0);
    ck_assert_mem_eq(address.bytes, four, 16);
    ck_assert_int_eq(plx_address_parse("fe80::1%9", &address), 0);
    ck_assert_uint_eq(address.family, 6);
    ck_assert_uint_eq(address.port, 0);
    ck_assert_uint_eq(address.scope, 9);
    ck_assert_mem_eq(address.bytes, six, 16);
}

PLAIN_CASE(a_scope_may_be_a_name)
{
    plx_address address;
    char name[IF_NAMESIZE];
    char text[64];
    if (if_indextoname(1, name) == NULL) {
        return;
    }
    snprintf(text, sizeof text, "[fe80::1%%%s]:80", name);
    ck_assert_int_eq(plx_address_parse(text, &address), 0);
    ck_assert_uint_eq(address.scope, 1);
    plx_address_format(&address, text, sizeof text);
    ck_assert_str_eq(text, "[fe80::1%1]:80");
}

PLAIN_CASE(random_addresses_agree_with_the_system)
{
    srand(1);
    for (int i = 0; i < 20000; i++) {
        plx_address address = {.family = 6};
        plx_address again;
        char expected[INET6_ADDRSTRLEN];
        char text[PLX__ADDRESS_TEXT_SIZE];
        for (int j = 0; j < 8; j++) {
            int value = rand() % 3 == 0 ? rand() % 0x10000 : 0;
            address.bytes[j * 2] = (uint8_t)(value >> 8);
            address.bytes[j * 2 + 1] = (uint8_t)value;
        }
        address.bytes[0] = 0x20; /* not one that the kernel writes with an IPv4 end */
        ck_assert_ptr_nonnull(inet_ntop(AF_INET6, address.bytes, expected, sizeof expected));
        plx__address_format_host(&address, text, sizeof text);
        ck_assert_str_eq(text, expected);
        ck_assert(plx__address_parse_host(text, strlen(text), &again));
        ck_assert(plx_address_equal(&address, &again));
    }
}

PLAIN_CASE(random_texts_agree_with_the_system)
{
    static const char alphabet[] = "0123456789abcdefABCDEFg::::::::....% ";
    uint8_t bytes[16];
    srand(2);
    for (int i = 0; i < 300000; i++) {
        char text[24];
        size_t length = (size_t)(rand() % 20);
        for (size_t j = 0; j < length; j++) {
            text[j] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        }
        text[length] = '\0';
        plx_address address;
        bool expected =
            inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
        bool actual = plx__address_parse_host(text, length, &address);
        /* Scopes are ours alone. */
        ck_assert_msg(actual == expected || strchr(text, '%') != NULL, "\"%s\" gives %d", text,
                      actual);
        if (actual && expected && address.family == 6) {
            ck_assert_mem_eq(address.bytes, bytes, 16);
        }
    }
}

/* ---- writing into little room ---------------------------------------------------------------- */

PLAIN_CASE(format_never_writes_beyond_its_room)
{
    static const char whole[] = "[fe80::1%4294967295]:65535";
    plx_address address;
    ck_assert_int_eq(plx_address_parse(whole, &address), 0);
    for (size_t size = 0; size <= sizeof whole + 1; size++) {
        char text[sizeof whole + 2];
        memset(text, 'x', sizeof text);
        ck_assert_uint_eq(plx_address_format(&address, text, size), strlen(whole));
        size_t length = size == 0 ? 0 : size > strlen(whole) ? strlen(whole) : size - 1;
        ck_assert_mem_eq(text, whole, length);
        ck_assert_int_eq(text[length], size == 0 ? 'x' : '\0');
        for (size_t i = size; i < sizeof text; i++) {
            ck_assert_int_eq(text[i], 'x');
        }
    }
    ck_assert_uint_eq(plx_address_format(&address, NULL, 0), strlen(whole));
}

PLAIN_CASE(none_is_an_empty_text)
{
    plx_address none = {0};
    plx_address odd = {.family = 17, .port = 80};
    char text[4] = "abc";
    ck_assert_uint_eq(plx_address_format(&none, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    strcpy(text, "abc");
    ck_assert_uint_eq(plx_address_format(NULL, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    ck_assert_uint_eq(plx_address_format(&odd, text, sizeof text), 0);
    ck_assert_uint_eq(plx__address_format_host(NULL, text, sizeof text), 0);
}

PLAIN_CASE(the_longest_text_fits)
{
    plx_address address = {.family = 6, .port = 65535, .scope = 4294967295u};
    char text[PLX__ADDRESS_TEXT_SIZE];
    memset(address.bytes, 0xff, sizeof address.bytes);
    ck_assert_uint_lt(plx_address_format(&address, text, sizeof text), sizeof text);
    ck_assert_str_eq(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

PLAIN_CASE(a_host_has_no_port)
{
    plx_address address;
    char text[PLX__ADDRESS_TEXT_SIZE];
    ck_assert_int_eq(plx_address_parse("[fe80::1%2]:80", &address), 0);
    ck_assert_uint_eq(plx__address_format_host(&address, text, sizeof text), strlen("fe80::1%2"));
    ck_assert_str_eq(text, "fe80::1%2");
    ck_assert_int_eq(plx_address_parse("1.2.3.4:80", &address), 0);
    plx__address_format_host(&address, text, sizeof text);
    ck_assert_str_eq(text, "1.2.3.4");
}

/* ---- comparing ------------------------------------------------------------------------------- */

PLAIN_CASE(equal_looks_at_every_member)
{
    plx_address a;
    plx_address b;
    ck_assert_int_eq(plx_address_parse("[fe80::1%2]:80", &a), 0);
    b = a;
    ck_assert(plx_address_equal(&a, &b));
    ck_assert(plx_address_equal(&a, &a));
    b.port = 81;
    ck_assert(!plx_address_equal(&a, &b));
    b = a;
    b.scope = 3;
    ck_assert(!plx_address_equal(&a, &b));
    b = a;
    b.bytes[15] = 2;
    ck_assert(!plx_address_equal(&a, &b));
    b = a;
    b.family = 4;
    ck_assert(!plx_address_equal(&a, &b));
}

PLAIN_CASE(equal_ignores_what_has_no_meaning)
{
    plx_address a;
    plx_address b;
    plx_address none = {0};
    plx_address other_none = {.port = 7};
    ck_assert_int_eq(plx_address_parse("1.2.3.4:80", &a), 0);
    b = a;
    memset(b.bytes + 4, 0xee, 12);
    ck_assert(plx_address_equal(&a, &b));
    ck_assert(plx_address_equal(&none, &other_none));
    ck_assert(!plx_address_equal(&none, &a));
    ck_assert(!plx_address_equal(NULL, &none));
    ck_assert(!plx_address_equal(&none, NULL));
    ck_assert(!plx_address_equal(NULL, NULL));
}

/* ---- splitting ------------------------------------------------------------------------------- */

static const struct {
    const char *where;
    int code;
    const char *host;
    int port;
} splits[] = {
    {"", PLX_INVALID_STATE, NULL, 0},
    {"[::1", PLX_INVALID_STATE, NULL, 0},
    {"[::1]80", PLX_INVALID_STATE, NULL, 0},
    {"[]:80", PLX_INVALID_STATE, NULL, 0},
    {"[1.2.3.4]:80", PLX_INVALID_STATE, NULL, 0},
    {"[host]:80", PLX_INVALID_STATE, NULL, 0},
    {"[fe80::1%no-such-if0]:80", PLX_INVALID_STATE, NULL, 0},
    {"::1", PLX_INVALID_STATE, NULL, 0},
    {"::1:80", PLX_INVALID_STATE, NULL, 0},
    {"a:b:80", PLX_INVALID_STATE, NULL, 0},
    {"a b:80", PLX_INVALID_STATE, NULL, 0},
    {" host:80", PLX_INVALID_STATE, NULL, 0},
    {"host\n:80", PLX_INVALID_STATE, NULL, 0},
    {"http://host:80", PLX_INVALID_STATE, NULL, 0},
    {"user@host:80", PLX_INVALID_STATE, NULL, 0},
    {"/path", PLX_INVALID_STATE, NULL, 0},
    {"@name", PLX_INVALID_STATE, NULL, 0},
    {"]:80", PLX_INVALID_STATE, NULL, 0},
    {":", PLX_INVALID_PORT, NULL, 0},
    {"host", PLX_INVALID_PORT, NULL, 0},
    {"host:", PLX_INVALID_PORT, NULL, 0},
    {"[::1]", PLX_INVALID_PORT, NULL, 0},
    {"[::1]:", PLX_INVALID_PORT, NULL, 0},
    {"host:65536", PLX_INVALID_PORT, NULL, 0},
    {"host:-1", PLX_INVALID_PORT, NULL, 0},
    {"host:080", PLX_INVALID_PORT, NULL, 0},
    {"host: 80", PLX_INVALID_PORT, NULL, 0},
    {"host:80 ", PLX_INVALID_PORT, NULL, 0},
    {"host:80x", PLX_INVALID_PORT, NULL, 0},
    {"host:http", PLX_INVALID_PORT, NULL, 0},
    {":99999999999999999999999999", PLX_INVALID_PORT, NULL, 0},
    {"host:80", 0, "host", 80},
    {"host:0", 0, "host", 0},
    {"example.org.:65535", 0, "example.org.", 65535},
    {"under_score-1.example:1", 0, "under_score-1.example", 1},
    {"b\xc3\xbc" "cher.example:80", 0, "b\xc3\xbc" "cher.example", 80},
    {":80", 0, "", 80},
    {":0", 0, "", 0},
    {"192.0.2.1:80", 0, "192.0.2.1", 80},
    {"[::1]:80", 0, "::1", 80},
    {"[::]:0", 0, "::", 0},
    {"[::ffff:1.2.3.4]:80", 0, "::ffff:1.2.3.4", 80},
    {"[fe80::1%1]:80", 0, "fe80::1%1", 80},
};

PLAIN_CASE(where_is_split)
{
    for (size_t i = 0; i < PLX__COUNT_OF(splits); i++) {
        char host[PLX__ADDRESS_HOST_SIZE] = "untouched";
        int port = -7;
        int code = plx__address_split(splits[i].where, host, sizeof host, &port);
        ck_assert_msg(code == splits[i].code, "\"%s\" gives %d", splits[i].where, code);
        ck_assert_str_eq(host, code == 0 ? splits[i].host : "untouched");
        ck_assert_int_eq(port, code == 0 ? splits[i].port : -7);
    }
    ck_assert_int_eq(plx__address_split(NULL, NULL, 0, NULL), PLX_INVALID_STATE);
}

PLAIN_CASE(a_host_that_does_not_fit_is_refused)
{
    char host[5] = "abcd";
    int port = -7;
    ck_assert_int_eq(plx__address_split("hosts:80", host, sizeof host, &port), PLX_INVALID_STATE);
    ck_assert_int_eq(plx__address_split("[::1:2]:80", host, sizeof host, &port), PLX_INVALID_STATE);
    ck_assert_int_eq(plx__address_split(":80", host, 0, &port), PLX_INVALID_STATE);
    ck_assert_str_eq(host, "abcd");
    ck_assert_int_eq(port, -7);
    ck_assert_int_eq(plx__address_split("host:80", host, sizeof host, &port), 0);
    ck_assert_str_eq(host, "host");
    ck_assert_int_eq(plx__address_split(":81", host, 1, &port), 0);
    ck_assert_str_eq(host, "");
    ck_assert_int_eq(port, 81);
}

SUITE_MAIN("address")
