/* tests/test-proxy-environment.c -- plx_proxy_from_environment: the proxy that the environment
 * names, as curl 7.88 reads it (lib/filter/environment.c). */
#include "config.h"

#include <pollux.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

static const char *const variables[] = {
    "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "irc_proxy", "IRC_PROXY",
    "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY",    "_proxy",    "git+ssh_proxy",
};

static void clear(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
}

/* One row: up to three variables with their values, what is asked for, and the answer. */
struct row {
    const char *set[6];
    const char *tag, *host, *answer;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        char proxy[300] = "x";

        clear();
        for (int v = 0; v < 6 && row->set[v] != NULL; v += 2)
            setenv(row->set[v], row->set[v + 1], 1);
        ck_assert(plx_proxy_from_environment(row->tag, row->host, 99, proxy, sizeof proxy));
        ck_assert_msg(strcmp(proxy, row->answer) == 0, "row %zu, %s=%s: \"%s\", not \"%s\"", i,
                      row->set[0] == NULL ? "" : row->set[0],
                      row->set[0] == NULL ? "" : row->set[1], proxy, row->answer);
    }
    clear();
}

#define ROWS(rows) expect_rows(rows, sizeof(rows) / sizeof(rows)[0])
#define A "http://a.test:1"
#define B "http://b.test:2"
#define C "http://c.test:3"

PLAIN_CASE(which_variable)
{
    static const struct row rows[] = {
        {{NULL}, "http", "t.test", ""},
        {{"http_proxy", A, "all_proxy", B}, "http", "t.test", A},
        {{"https_proxy", A, "all_proxy", B}, "http", "t.test", B},
        {{"irc_proxy", A, "IRC_PROXY", B, "all_proxy", C}, "irc", "t.test", A},
        {{"IRC_PROXY", B, "all_proxy", C}, "irc", "t.test", B},
        {{"HTTPS_PROXY", B, "all_proxy", C}, "https", "t.test", B},
        {{"all_proxy", A, "ALL_PROXY", B}, "irc", "t.test", A},
        {{"ALL_PROXY", B}, "irc", "t.test", B},
        {{"HTTP_PROXY", A}, "http", "t.test", ""},
        {{"HTTP_PROXY", A, "ALL_PROXY", B}, "http", "t.test", B},
        {{"HTTP_PROXY", A}, "HTTP", "t.test", ""},
        {{"http_proxy", B, "HTTP_PROXY", A}, "Http", "t.test", B},
        {{"IRC_PROXY", B}, "IRC", "t.test", B},
        {{"no_proxy", "b.test", "all_proxy", C}, "no", "t.test", C},
        {{"NO_PROXY", "b.test", "all_proxy", C}, "NO", "t.test", C},
        {{"a b_proxy", A, "all_proxy", C}, "a b", "t.test", C},
        {{"http_proxy", "", "HTTP_PROXY", A, "all_proxy", B}, "http", "t.test", B},
        {{"irc_proxy", "", "IRC_PROXY", A}, "irc", "t.test", A},
        {{"all_proxy", "", "ALL_PROXY", A}, "irc", "t.test", A},
        {{"all_proxy", ""}, "irc", "t.test", ""},
        {{"git+ssh_proxy", A}, "git+ssh", "t.test", A},
        {{"http_proxy", A, "all_proxy", B}, NULL, "t.test", B},
        {{"http_proxy", A, "all_proxy", B}, "", "t.test", B},
        {{"_proxy", A}, "", "t.test", ""},
    };
    ROWS(rows);
}

PLAIN_CASE(what_is_left_out)
{
    static const struct row rows[] = {
        {{"all_proxy", "p.test"}, NULL, "t.test", "http://p.test:1080"},
        {{"all_proxy", "p.test:8"}, NULL, "t.test", "http://p.test:8"},
        {{"all_proxy", "p.test:8/"}, NULL, "t.test", "http://p.test:8/"},
        {{"all_proxy", "socks5h://p.test"}, NULL, "t.test", "socks5h://p.test:1080"},
        {{"all_proxy", "socks5h://p.test/"}, NULL, "t.test", "socks5h://p.test:1080"},
        {{"all_proxy", "u:p@p.test"}, NULL, "t.test", "http://u:p@p.test:1080"},
        {{"all_proxy", "u:p@p.test:8"}, NULL, "t.test", "http://u:p@p.test:8"},
        {{"all_proxy", "[::1]"}, NULL, "t.test", "http://[::1]:1080"},
        {{"all_proxy", "socks5://u@[::1]:8"}, NULL, "t.test", "socks5://u@[::1]:8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char proxy[300];
        plx_socket *socket = plx_tcp_new();

        clear();
        setenv("all_proxy", rows[i].set[1], 1);
        ck_assert(plx_proxy_from_environment(NULL, "t.test", 99, proxy, sizeof proxy));
        ck_assert_msg(plx_socket_set_proxy(socket, proxy) == 0, "\"%s\"", proxy);
        if (i == 2)
            ck_assert_str_eq(plx_socket_proxy(socket), "http://p.test:8");
        else
            ck_assert_str_eq(proxy, rows[i].answer);
        plx_socket_free(socket);
    }
    clear();
}

#define EXCEPT(list, host, answer)                                                                 \
    {                                                                                              \
        {"all_proxy", A, "no_proxy", list}, NULL, host, answer                                     \
    }

PLAIN_CASE(exceptions)
{
    static const struct row rows[] = {
        EXCEPT("", "t.test", A),
        EXCEPT("*", "t.test", ""),
        EXCEPT("*,x", "t.test", A),
        EXCEPT("t.test", "t.test", ""),
        EXCEPT(".t.test", "t.test", ""),
        EXCEPT("t.test", "a.t.test", ""),
        EXCEPT(".t.test", "a.t.test", ""),
        EXCEPT("T.Test.", "a.t.tEST", ""),
        EXCEPT("t.test", "t.test.", ""),
        EXCEPT("t.test", "at.test", A),
        EXCEPT("*.t.test", "a.t.test", A),
        EXCEPT("t.test:99", "t.test", A),
        EXCEPT("a.test b.test,t.test", "t.test", ""),
        EXCEPT("a.test,, t.test", "t.test", ""),
        EXCEPT("192.0.2.7", "192.0.2.7", ""),
        EXCEPT("192.0.2.0/24", "192.0.2.7", ""),
        EXCEPT("192.0.2.0/29", "192.0.2.8", A),
        EXCEPT("2001:db8::/32", "2001:db8::7", ""),
        EXCEPT("2001:db8::7", "2001:db8::7", ""),
        EXCEPT("2001:db8::/33", "2001:db8:8000::1", A),
        EXCEPT("[2001:db8::7]", "2001:db8::7", A),
        /* The lower case wins altogether. */
        {{"all_proxy", A, "no_proxy", "a.test", "NO_PROXY", "t.test"}, NULL, "t.test", A},
        {{"all_proxy", A, "NO_PROXY", "t.test"}, NULL, "t.test", ""},
    };
    ROWS(rows);
}

/* This computer never, also without no_proxy. */
PLAIN_CASE(this_computer)
{
    static const char *const hosts[] = {
        "localhost", "LOCALHOST.", "a.localhost",      "127.0.0.1", "127.9.9.9",         "::1",
        "0.0.0.0",   "::",         "::ffff:127.0.0.1", "[::1]",     "[::ffff:127.0.0.1]"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        expect_rows(&(struct row){{"all_proxy", A}, NULL, hosts[i], ""}, 1);
}

#ifdef HAVE_SECURE_GETENV

/* What the C library answers in a program that has more rights than its caller. The library's calls
 * arrive here, for a program's own functions come before those of the C library. */
static bool has_more_rights;

char *secure_getenv(const char *name)
{
    return has_more_rights ? NULL : getenv(name);
}

/* A caller with fewer rights does not choose where the program connects to. */
PLAIN_CASE(the_environment_of_a_caller_with_fewer_rights)
{
    static const struct row chosen = {{"irc_proxy", A, "all_proxy", B}, "irc", "t.test", A};
    static const struct row ignored = {{"irc_proxy", A, "all_proxy", B}, "irc", "t.test", ""};

    expect_rows(&chosen, 1);
    has_more_rights = true;
    expect_rows(&ignored, 1);
    has_more_rights = false;
}

#endif

PLAIN_CASE(room)
{
    char proxy[40] = "x", tag[60];

    clear();
    setenv("all_proxy", A, 1);
    ck_assert(!plx_proxy_from_environment(NULL, "t.test", 99, proxy, sizeof A - 1));
    ck_assert_str_eq(proxy, "");
    ck_assert(plx_proxy_from_environment(NULL, "t.test", 99, proxy, sizeof A));
    ck_assert_str_eq(proxy, A);
    ck_assert(!plx_proxy_from_environment(NULL, NULL, 99, proxy, sizeof proxy));
    ck_assert_str_eq(proxy, "");
    ck_assert(!plx_proxy_from_environment(NULL, "t.test", 99, proxy, 0));
    ck_assert(!plx_proxy_from_environment(NULL, "t.test", 99, NULL, 40));
    memset(tag, 'a', sizeof tag);
    tag[sizeof tag - 1] = '\0';
    ck_assert(plx_proxy_from_environment(tag, "t.test", 99, proxy, sizeof proxy));
    ck_assert_str_eq(proxy, A);
    clear();
}

PLAIN_CASE(tags)
{
    plx_socket *socket = plx_tcp_new();

    ck_assert_str_eq(plx_socket_protocol_tag(socket), "");
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "git+ssh-2.0"), 0);
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "Irc"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "abcdefghijklmnopqrstuvwxyzabcdefg"),
                     PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_protocol_tag(socket), "git+ssh-2.0");
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "abcdefghijklmnopqrstuvwxyzabcdef"), 0);
    ck_assert_int_eq(plx_socket_set_protocol_tag(socket, NULL), 0);
    ck_assert_str_eq(plx_socket_protocol_tag(socket), "");
    ck_assert_int_eq(plx_socket_set_protocol_tag(NULL, "a"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_protocol_tag(NULL), "");
    plx_socket_free(socket);
}

SUITE_MAIN("proxy-environment")
