/* tests/test-proxy-way.c -- which connections go through the proxy that is set, and what a program
 * may change meanwhile. */
#include "config.h"

#include "tests/counting.h"
#include "tests/nameserver.h"
#include "tests/netns.h"
#include "tests/proxies.h"

static void expect_nobody(const struct world *w, int listener)
{
    ck_assert_msg(!raw_has_caller(w, listener), "%s: the proxy was asked", world_name(w));
}

/* ---- this computer --------------------------------------------------------------------------- */

SECTION("direct");

static const char *const schemes[] = {"socks5", "socks5h", "http"};

/* Goes straight to a listener at this computer, by this name of it. */
static void goes_direct(struct world *w, struct nameserver *server, const char *scheme,
                        const char *host)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], proxy_where[WHERE_SIZE], named[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), proxy = raw_listen(w, 5, proxy_where), raw;

    proxy_set(socket, scheme, SECRETS, proxy_where);
    where_by_name(host, where, named);
    ck_assert_int_eq(plx_socket_connect_to(socket, named), 0);
    UNTIL_ASKED(w, server, raw_has_caller(w, listener));
    raw = raw_accept(w, listener);
    proxy_talks(w, socket, raw);
    ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
    expect_nobody(w, proxy);
    world_free(w, socket);
    raw_close(w, proxy);
    raw_close(w, listener);
}

NAMES_CASE(this_computer)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "LocalHost.", "a.localhost",
                                        "0.0.0.0"};

    server->ipv4 = ADDRESSES("127.0.0.1");
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
            goes_direct(w, server, schemes[s], hosts[i]);
    goes_direct(w, server, "socks5", "a.test"); /* known only when it was looked up */
    server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
    goes_direct(w, server, "socks5", "b.test"); /* the second of them answers */
}

/* Expects that a target is reached without the proxy, whether somebody listens there or not. */
static void passes_by(struct world *w, struct nameserver *server, const char *scheme,
                      const char *target)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char proxy_where[WHERE_SIZE];
    int proxy = raw_listen(w, 5, proxy_where);

    proxy_set(socket, scheme, SECRETS, proxy_where);
    plx_socket_connect_to(socket, target);
    UNTIL_ASKED(w, server, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
    ck_assert_msg(!raw_has_caller(w, proxy) && strstr(log.message, "proxy") == NULL,
                  "%s asked the proxy for %s: \"%s\"", scheme, target, log.message);
    world_free(w, socket);
    raw_close(w, proxy);
}

/* By addresses of IPv6 too, also those that have an IPv4 address in them. Port 1 refuses. */
NAMES_CASE(this_computer_by_ipv6)
{
    static const char *const targets[] = {
        "[::1]:1",
        "[::]:1",
        "[::ffff:127.0.0.1]:1",
        "[::ffff:127.9.9.9]:1",
        "[::ffff:0.0.0.0]:1",
        "[::ffff:7f00:1]:1",
        "127.255.255.254:1",
        "ip6.a.localhost:1",
    };
    static const char *const answers[] = {"::1", "::", "::ffff:127.0.0.1"};

    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
            passes_by(w, server, schemes[s], targets[i]);
    for (size_t i = 0; i < 3; i++) {
        server->ipv6 = ADDRESSES(answers[i]);
        passes_by(w, server, "socks5", "a.test:1");
    }
}

/* What is no name of a host is not one for the proxy either. */
NAMES_CASE(names_that_are_none)
{
    static const char *const targets[] = {"127.1:1", "2130706433:1", "0x7f.1:1", "a b.test:1"};

    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
            passes_by(w, server, schemes[s], targets[i]);
    ck_assert_int_eq(server->asked4, 0);
}

/* Names that only look like one of this computer, and addresses beside its own. */
NAMES_CASE(other_computers)
{
    static const char *const targets[] = {
        "localhost.test:99", "notlocalhost:99", "localhost-a:99",
        "128.0.0.1:99",      "126.9.9.9:99",    "[::ffff:192.0.2.7]:99",
        "[::2]:99",          "[1::1]:99",       "[::127.0.0.1]:99",
    };

    FOR_PROTOCOLS(p)
    {
        for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            char where[WHERE_SIZE];
            int listener = raw_listen(w, 5, where);

            proxy_set(socket, p->scheme, "", where);
            ck_assert_msg(plx_socket_connect_to(socket, targets[i]) == 0, "%s", targets[i]);
            raw_accept(w, listener);
            world_free(w, socket);
            raw_close(w, listener);
        }
    }
    ck_assert_int_eq(server->asked4, 0);
}

/* One socket: through the proxy, directly, and through the proxy again. */
MODE_CASE(by_turns)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], proxy_where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), proxies = raw_listen(w, 5, proxy_where);

        proxy_set(socket, p->scheme, SECRETS, proxy_where);
        for (int i = 0; i < 4; i++) {
            bool direct = i % 2 == 1;
            int raw;

            ck_assert_int_eq(plx_socket_connect_to(socket, direct ? where : TARGET), 0);
            raw = raw_accept(w, direct ? listener : proxies);
            if (!direct) {
                proxy_hears_request(w, raw, p);
                raw_send(raw, p->reply, p->reply_size);
            }
            proxy_talks(w, socket, raw);
            ck_assert_str_eq(plx_socket_remote_address(socket),
                             direct ? "127.0.0.1" : "tunnel.test");
            plx_socket_close(socket);
        }
    }
}

MODE_CASE(listen_and_adopt)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], proxy_where[WHERE_SIZE];
        int proxies = raw_listen(w, 5, proxy_where), listener = raw_listen(w, 5, where), raw;

        proxy_set(socket, p->scheme, SECRETS, proxy_where);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        raw = raw_accept(w, proxies);
        proxy_hears_request(w, raw, p);
        plx_socket_close(socket);

        world_listen(w, socket, where);
        raw = raw_connect(w, where);
        UNTIL(w, plx_socket_state(socket) == PLX_CONNECTED);
        proxy_talks(w, socket, raw);
        ck_assert_str_eq(plx_socket_remote_address(socket), "127.0.0.1");
        plx_socket_close(socket);

        raw_close(w, listener);
        listener = raw_listen(w, 5, where);
        raw = raw_connect(w, where);
        ck_assert_int_eq(plx_socket_adopt(socket, raw_give(w, raw)), 0);
        proxy_talks(w, socket, raw_accept(w, listener));
        expect_nobody(w, proxies);
    }
}

MODE_CASE(only_tcp)
{
    plx_constructor *const others[] = {plx_udp_new, plx_ipc_new};

    for (size_t i = 0; i < 2; i++) {
        plx_socket *socket = world_socket_of(w, others[i], NULL);

        ck_assert_int_eq(plx_socket_set_proxy(socket, "http://a.test:1"), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_UNSUPPORTED_OPERATION);
        ck_assert_int_eq(plx_socket_set_proxy(socket, NULL), 0);
        ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, "a", "b"), PLX_INVALID_STATE);
        ck_assert_str_eq(plx_socket_proxy(socket), "");
    }
    ck_assert_int_eq(plx_socket_set_proxy(NULL, "http://a.test:1"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(NULL, "a", "b"), PLX_INVALID_STATE);
    ck_assert_str_eq(plx_socket_proxy(NULL), "");
}

/* What is no proxy changes nothing, and is not repeated in the message: it may be a password. */
TCP_SOCKET_CASE(nonsense)
{
    static const char *const texts[] = {
        "proxy",
        USER "@" PASSWORD,
        "http://" SECRETS "host",
        "ftp://" SECRETS "host:1",
        "http://" SECRETS "host:0",
        "http://" SECRETS "host:65536",
        "http://" USER "%3a:" PASSWORD "@host:1",
        "socks5h://" SECRETS "host:1/x",
        "socks5h://" USER "%0a:" PASSWORD "@host:1",
    };

    proxy_set(socket, "http", SECRETS, "first.test:1");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_msg(plx_socket_set_proxy(socket, texts[i]) == PLX_INVALID_STATE, "%s", texts[i]);
        ck_assert_int_eq(plx_socket_error(socket)->reason, PLX_REASON_TLS_INVALID_USER_DATA);
        secrets_are_kept(socket, log);
        ck_assert_str_eq(plx_socket_proxy(socket), "http://first.test:1");
    }
    ck_assert_int_eq(plx_socket_set_proxy(socket, ""), 0);
    ck_assert_str_eq(plx_socket_proxy(socket), "");
}

/* ---- names that are looked up here ----------------------------------------------------------- */

SECTION("names");

/* Accepts a connection, hears a request for 192.0.2.`last` and answers. */
static int asked_for(struct world *w, int listener, int last, int reply)
{
    char request[] = "\5\1\0\1\300\0\2\0\0\143", answer[] = GRANTED;
    int proxy = raw_accept(w, listener);

    HEARS(w, proxy, GREETING);
    SAYS(proxy, METHOD_NONE);
    request[7] = (char)last;
    proxy_hears(w, proxy, request, sizeof request - 1);
    answer[1] = (char)reply;
    raw_send(proxy, answer, sizeof answer - 1);
    return proxy;
}

static int asks_names(struct world *w, struct nameserver *server, plx_socket *socket)
{
    int listener = proxy_listens(w, socket, "socks5", "");

    ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
    UNTIL_ASKED(w, server, raw_has_caller(w, listener));
    return listener;
}

NAMES_SOCKET_CASE(one_address_after_another)
{
    int listener, proxy;

    server->ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2", "192.0.2.3");
    listener = asks_names(w, server, socket);
    ck_assert_int_eq(plx_socket_set_address(socket, "next.test"), 0);
    asked_for(w, listener, 1, 5);
    ck_assert_str_eq(plx_socket_remote_address(socket), "tunnel.test");
    asked_for(w, listener, 2, 1);
    proxy = asked_for(w, listener, 3, 0);
    UNTIL(w, log->count[EVENT_CONNECTED] == 1);
    LOGGED(w, log, "state:HOST_LOOKUP state:CONNECTING state:CONNECTED connected[CONNECTED]");
    ck_assert_str_eq(plx_socket_remote_address(socket), "192.0.2.3");
    proxy_talks(w, socket, proxy);
}

NAMES_SOCKET_CASE(no_address_works)
{
    int listener;

    server->ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2");
    listener = asks_names(w, server, socket);
    asked_for(w, listener, 1, 3);
    asked_for(w, listener, 2, 5);
    proxy_fails(w, socket, log, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, "proxy");
    expect_nobody(w, listener);
}

/* Hears a request for an address, refuses it, and returns the type of the address. */
static int refused_type(struct world *w, int listener)
{
    unsigned char request[100];
    int proxy = raw_accept(w, listener);

    HEARS(w, proxy, GREETING);
    SAYS(proxy, METHOD_NONE);
    UNTIL(w, raw_take(proxy, request, sizeof request) > 4);
    SAYS(proxy, REPLY("\3"));
    return request[3];
}

/* The addresses of one family that arrive first wait for those of the other one, for a while. */
static void other_family_arrives(struct world *w, struct nameserver *server, plx_socket *socket,
                                 bool in_time)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where), type;

    time_stop();
    plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 2);
    proxy_set(socket, "socks5", "", where);
    server->ipv6 = ADDRESSES("2001:db8::7");
    server->ipv4.says = SAYS_LATER;
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    UNTIL_ASKED(w, server, server->held_count == 1 && server->asked6 == 1);
    for (int i = 0; i < 20; i++)
        world_poll(w);
    expect_nobody(w, listener);
    if (in_time) {
        server->ipv4 = ADDRESSES("192.0.2.1");
        nameserver_release(server);
    } else {
        world_run(w, 400);
        expect_nobody(w, listener);
        world_run(w, 200);
    }
    type = refused_type(w, listener);
    ck_assert(in_time || type == 4);
    if (in_time)
        ck_assert_int_eq(type + refused_type(w, listener), 1 + 4);
    time_run();
}

NAMES_SOCKET_CASE(both_families)
{
    other_family_arrives(w, server, socket, true);
    proxy_fails(w, socket, log, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, "proxy");
}

NAMES_SOCKET_CASE(one_family_in_time)
{
    other_family_arrives(w, server, socket, false);
    proxy_fails(w, socket, log, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, "proxy");
}

/* What the proxy does not allow for one address it is not asked for another one. */
NAMES_SOCKET_CASE(not_allowed)
{
    int listener;

    server->ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2");
    listener = asks_names(w, server, socket);
    asked_for(w, listener, 1, 2);
    proxy_fails(w, socket, log, EACCES, PLX_REASON_SOCKET_ACCESS, "proxy");
    expect_nobody(w, listener);
}

/* An address of this computer behind another one, as RFC 6724 sorts them: the proxy's own 127.0.0.1
 * would be another. */
MODE_CASE(this_computer_among_others)
{
    struct nameserver server;
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int listener, proxy;

    if (!netns_enter("a name with an address of this computer behind another one"))
        return;
    netns_run("ip addr replace 2001:db8::1/64 dev lo");
    netns_wait_addresses();
    nameserver_begin(&server);
    server.ipv6 = ADDRESSES("2001:db8::7");
    server.ipv4 = ADDRESSES("127.0.0.1", "192.0.2.1");
    listener = asks_names(w, &server, socket);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING);
    SAYS(proxy, METHOD_NONE);
    HEARS(w, proxy, "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7\0\143");
    SAYS(proxy, REPLY("\5"));
    asked_for(w, listener, 1, 5);
    proxy_fails(w, socket, &log, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, "proxy");
    expect_nobody(w, listener);
    nameserver_end(&server);
}

NAMES_SOCKET_CASE(the_target_is_not_found)
{
    int listener;

    nameserver_says(server, SAYS_NO_SUCH_NAME);
    listener = proxy_listens(w, socket, "socks5", SECRETS);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    proxy_fails(w, socket, log, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, "tunnel.test");
    expect_nobody(w, listener);
}

/* ---- changes --------------------------------------------------------------------------------- */

SECTION("changes");

/* Another proxy is for the next connect, and its credentials are not for the present one. */
MODE_CASE(another_proxy_while_connecting)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int first = proxy_meets(w, socket, "socks5h", "a:b@"), second = raw_listen(w, 5, where);

    HEARS(w, first, GREETING_WITH);
    proxy_set(socket, "http", "", where);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
    SAYS(first, METHOD_PASSWORD);
    HEARS(w, first, "\1\1a\1b");
    SAYS(first, ACCEPTED);
    HEARS(w, first, REQUEST);
    SAYS(first, GRANTED);
    proxy_talks(w, socket, first);
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    second = raw_accept(w, second);
    HEARS(w, second, CONNECT_WITH);
    SAYS(second, ESTABLISHED);
    proxy_talks(w, socket, second);
}

NAMES_SOCKET_CASE(none_while_connecting)
{
    int proxy = proxy_meets(w, socket, "socks5h", SECRETS);

    ck_assert_int_eq(plx_socket_set_proxy(socket, NULL), 0);
    proxy_hears_request(w, proxy, &proxy_protocols[0]);
    SAYS(proxy, GRANTED);
    proxy_talks(w, socket, proxy);
    plx_socket_close(socket);
    nameserver_says(server, SAYS_NO_SUCH_NAME);
    record_clear(log);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    proxy_fails(w, socket, log, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, "tunnel.test");
}

/* Expects that a connect without memory fails and leaves the last connection as it was. */
static void fails_without_memory(plx_socket *socket, const char *address, int port)
{
    plx_address remote;

    for (int number = 1; number <= 3; number++) { /* of a filter, its chain, a race */
        fail_allocation(number);
        ck_assert_int_eq(plx_socket_connect(socket), PLX_OUT_OF_MEMORY);
        fail_allocation(0);
        ck_assert_str_eq(plx_socket_remote_address(socket), address);
        ck_assert(plx_socket_remote(socket, &remote));
        ck_assert_int_eq(remote.port, port);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    }
}

MODE_CASE(a_connect_without_memory)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), raw;

        ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
        raw = raw_accept(w, listener);
        SAYS(raw, "bye");
        raw_end(raw);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        proxy_set(socket, p->scheme, SECRETS, where);
        ck_assert_int_eq(plx_socket_set_address(socket, "tunnel.test"), 0);
        fails_without_memory(socket, "127.0.0.1", plx_socket_port(socket));

        raw = raw_accept(w, proxy_listens(w, socket, p->scheme, SECRETS));
        proxy_hears_request(w, raw, p);
        raw_send(raw, p->reply, p->reply_size);
        SAYS(raw, "bye");
        raw_end(raw);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 2);
        ck_assert_int_eq(plx_socket_set_proxy(socket, NULL), 0);
        fails_without_memory(socket, "tunnel.test", 99);
    }
}

WORLD_MAIN("proxy-way")
