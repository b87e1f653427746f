/* tests/test-wire-no-proxy.c -- the variable no_proxy, as curl reads it. */
#include "config.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/base.h"
#include "lib/wire/no-proxy.h"
#include "tests/suite.h"

static const struct {
    const char *no_proxy, *host;
    bool bypassed;
} rows[] = {
    /* nothing */
    {NULL, "a", false}, {"", "a", false}, {" , ,", "a", false}, {"a", "", false},
    {"a", NULL, false}, {"*", NULL, false}, {".", "a", false}, {"..", "a", false},
    {".", ".", false}, {"..", "..", false},

    /* the star */
    {"*", "a", true}, {"*", "10.0.0.1", true}, {"*", "::1", true}, {" * ,", "a", true},
    {"a,*", "b", false}, {"*,a", "b", false}, {"**", "a", false}, {"*.com", "a.com", false},
    {"*.a.com", "b.a.com", false}, {"a*", "ab", false}, {"*a", "a", false},

    /* names */
    {"host", "host", true}, {"host", "localhost", false}, {"local", "localhost", false},
    {"example.com", "example.com", true}, {"example.com", "www.example.com", true},
    {"example.com", "a.b.example.com", true}, {"example.com", "wexample.com", false},
    {"example.com", "example.com.org", false}, {"example.com", "com", false},
    {".example.com", "example.com", true}, {".example.com", "www.example.com", true},
    {".example.com", "wexample.com", false}, {"..example.com", "example.com", false},
    {"www.example.com", "example.com", false}, {"com", "example.com", true},
    {"EXAMPLE.com", "www.Example.COM", true}, {"example.com.", "example.com", true},
    {"example.com", "example.com.", true}, {"example.com.", "www.example.com.", true},
    {".example.com.", "www.example.com", true}, {"example.com..", "example.com", false},
    {"example.com", "example.com..", false}, {"m", "com", false},

    /* the list */
    {"a,b", "b", true}, {"a b", "b", true}, {"a\tb\nc", "c", true}, {"a, b ,c", "b", true},
    {",,b", "b", true}, {"a;b", "b", false}, {"a,b", "c", false}, {"ab", "b", false},

    /* ports */
    {"host:80", "host", false}, {"host:", "host", false}, {"10.0.0.1:80", "10.0.0.1", false},
    {"[::1]:80", "::1", false}, {"host:80,host", "host", true},

    /* IPv4 */
    {"10.0.0.1", "10.0.0.1", true}, {"10.0.0.1", "10.0.0.2", false},
    {"0.0.1", "10.0.0.1", false}, {".0.0.1", "10.0.0.1", false}, {"1", "10.0.0.1", false},
    {"10.0.0.1", "x.10.0.0.1.example", false}, {"10.0.0.1.", "10.0.0.1", false},
    {"10.0.0.0/8", "10.255.1.2", true}, {"10.0.0.0/8", "11.0.0.0", false},
    {"10.1.2.3/8", "10.9.9.9", true}, {"10.0.0.1/32", "10.0.0.1", true},
    {"10.0.0.1/32", "10.0.0.0", false}, {"10.0.0.0/31", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.2", false}, {"10.0.0.128/25", "10.0.0.127", false},
    {"10.0.0.128/25", "10.0.0.200", true}, {"10.0.0.0/9", "10.127.0.0", true},
    {"10.0.0.0/9", "10.128.0.0", false}, {"0.0.0.0/0", "9.9.9.9", true},
    {"0.0.0.0/0", "::1", false}, {"0.0.0.0/0", "name", false}, {"10.0.0.0/33", "10.0.0.0", false},
    {"10.0.0.0/", "10.0.0.0", false}, {"10.0.0.0/-1", "10.0.0.0", false},
    {"10.0.0.0/8x", "10.0.0.0", false}, {"10.0.0.0/0008", "10.0.0.0", false},
    {"10.0.0.0/8/8", "10.0.0.0", false}, {"10/8", "10.0.0.0", false}, {"/8", "10.0.0.0", false},
    {"10.0.0.0/99999999999999999999", "10.0.0.0", false}, {"10.0.0.0/ 8", "10.0.0.0", false},
    {"10.0.0.0/8", "10.example", false}, {"a,10.0.0.0/8", "10.1.1.1", true},

    /* IPv6 */
    {"::1", "::1", true}, {"::1", "[::1]", true}, {"[::1]", "::1", false},
    {"[::1]", "[::1]", false}, {"0:0:0:0:0:0:0:1", "::1", true}, {"::1", "::2", false},
    {"2001:DB8::1", "2001:db8::1", true}, {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false}, {"2001:db8::/29", "2001:dbf::1", true},
    {"2001:db8::/29", "2001:dc0::1", false}, {"::1/128", "::1", true}, {"::1/128", "::", false},
    {"::/127", "::1", true}, {"::/0", "2001:db8::1", true}, {"::/0", "10.0.0.1", false},
    {"::1/129", "::1", false}, {"fe80::1", "fe80::1%1", true}, {"fe80::/10", "fe80::1%lo", true},
    {"fe80::1%lo", "fe80::1%lo", false}, {"[::1", "[::1", true},

    /* IPv4 within IPv6 is IPv4 */
    {"10.0.0.0/8", "::ffff:10.1.1.1", true}, {"::ffff:10.0.0.1", "10.0.0.1", true},
    {"::ffff:10.0.0.0/104", "10.1.1.1", true}, {"::ffff:10.0.0.0/104", "11.1.1.1", false},
    {"::ffff:10.0.0.0/8", "10.0.0.0", false}, {"::ffff:10.0.0.0/129", "10.0.0.0", false},
};

LOOP_CASE(bypassed, 0, (int)PLX__COUNT_OF(rows))
{
    static const int ports[] = {0, 80, 65535};
    for (size_t i = 0; i < PLX__COUNT_OF(ports); i++)
        ck_assert_msg(plx__proxy_bypassed(rows[_i].no_proxy, rows[_i].host, ports[i]) ==
                          rows[_i].bypassed,
                      "\"%s\", \"%s\"", rows[_i].no_proxy, rows[_i].host);
}

SUITE_MAIN("wire-no-proxy")
