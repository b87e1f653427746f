/* tests/test-proxy-names.c -- the names on the way through a proxy, its own and the target's: while
 * they are looked up, with several addresses, and with filters above that begin with each
 * connection. */
#include "config.h"

#include "tests/filters.h"
#include "tests/nameserver.h"
#include "tests/proxies.h"
#include "tests/puppet.h"

/* ---- while a name is looked up --------------------------------------------------------------- */

SECTION("lookups");

/* Whose name is looked up here: the proxy's, or with socks5 the target's. */
static const char *const schemes[] = {"socks5h", "http", "socks5"};

struct lookup {
    struct world *w;
    struct nameserver *server;
    const char *scheme;
    struct record log;
    plx_socket *socket;
    char where[WHERE_SIZE];
    int listener;
};

/* Connects, and has the question of the lookup kept by the name server. */
static void begin_lookup(struct lookup *l)
{
    char named[WHERE_SIZE];

    nameserver_says(l->server, SAYS_LATER);
    l->socket = world_socket(l->w, &l->log);
    l->listener = raw_listen(l->w, 5, l->where);
    where_by_name("proxy.test", l->where, named);
    proxy_set(l->socket, l->scheme, "", strcmp(l->scheme, "socks5") == 0 ? l->where : named);
    ck_assert_int_eq(plx_socket_connect_to(l->socket, TARGET), 0);
    ck_assert_int_eq(plx_socket_state(l->socket), PLX_HOST_LOOKUP);
    UNTIL_ASKED(l->w, l->server, l->server->held_count == 2);
    world_settle(l->w);
}

static void release(struct lookup *l)
{
    bool is_target = strcmp(l->scheme, "socks5") == 0;

    l->server->ipv6.says = SAYS_NO_DATA;
    l->server->ipv4 = is_target ? ADDRESSES("192.0.2.7") : ADDRESSES("127.0.0.1");
    nameserver_release(l->server);
}

/* Polls the socket wherever it is. */
static void poll_it(const struct lookup *l, plx_group *group)
{
    nameserver_serve(l->server);
    world_poll(l->w);
    if (group != NULL)
        plx_group_poll(group, 0);
    else
        plx_socket_poll(l->socket);
}

static void expect_tunnel(struct lookup *l, plx_group *group)
{
    int proxy;

    UNTIL(l->w, (poll_it(l, group), raw_has_caller(l->w, l->listener)));
    proxy = raw_accept(l->w, l->listener);
    if (l->scheme[0] == 'h')
        SAYS(proxy, ESTABLISHED);
    else
        SAYS(proxy, METHOD_NONE GRANTED);
    UNTIL(l->w, (poll_it(l, group), l->log.count[EVENT_CONNECTED] > 0));
    LOGGED(l->w, &l->log,
           "state:HOST_LOOKUP state:CONNECTING state:CONNECTED connected[CONNECTED]");
}

#define FOR_SCHEMES(l)                                                                             \
    for (struct lookup lookup_ = {.w = w, .server = server}, *l = &lookup_; lookup_next(l);)

static bool lookup_next(struct lookup *l)
{
    size_t next = 0;

    while (l->scheme != NULL && l->scheme != schemes[next++])
        continue;
    if (next == sizeof schemes / sizeof schemes[0])
        return false;
    l->scheme = schemes[next];
    return true;
}

NAMES_CASE(moves_to_another_group)
{
    FOR_SCHEMES(l)
    {
        plx_group *other = plx_group_new();

        begin_lookup(l);
        ck_assert_int_eq(plx_group_add(other, l->socket), 0);
        poll_it(l, other);
        release(l);
        expect_tunnel(l, other);
        world_free(w, l->socket);
        plx_group_free(other);
    }
}

NAMES_CASE(leaves_its_group)
{
    FOR_SCHEMES(l)
    {
        begin_lookup(l);
        if (w->group != NULL)
            plx_group_remove(w->group, l->socket);
        release(l);
        expect_tunnel(l, NULL);
        world_free(w, l->socket);
    }
}

NAMES_CASE(its_group_is_freed)
{
    FOR_SCHEMES(l)
    {
        plx_group *other = plx_group_new();

        begin_lookup(l);
        ck_assert_int_eq(plx_group_add(other, l->socket), 0);
        poll_it(l, other);
        plx_group_free(other);
        release(l);
        expect_tunnel(l, NULL);
        world_free(w, l->socket);
    }
}

/* The answer arrives when the answered one is gone or closed. */
NAMES_CASE(freed_or_closed)
{
    for (int i = 0; i < 3; i++)
        FOR_SCHEMES(l)
        {
            begin_lookup(l);
            if (i == 0)
                world_free(w, l->socket);
            else if (i == 1)
                plx_socket_close(l->socket);
            else
                plx_socket_abort(l->socket);
            release(l);
            world_settle(w);
            ck_assert(!raw_has_caller(w, l->listener));
            LOGGED(w, &l->log, "state:HOST_LOOKUP");
            if (i > 0)
                world_free(w, l->socket);
        }
}

/* The old question is answered while the new way is gone. */
NAMES_CASE(connects_elsewhere)
{
    FOR_SCHEMES(l)
    {
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), raw;

        begin_lookup(l);
        plx_socket_close(l->socket);
        record_clear(&l->log);
        ck_assert_int_eq(plx_socket_connect_to(l->socket, where), 0);
        release(l);
        raw = raw_accept(w, listener);
        proxy_talks(w, l->socket, raw);
        ck_assert(!raw_has_caller(w, l->listener));
        ck_assert_str_eq(plx_socket_remote_address(l->socket), "127.0.0.1");
        world_free(w, l->socket);
    }
}

/* Another proxy, or none, is for the next connect also while this one looks up. */
NAMES_CASE(another_proxy)
{
    for (int i = 0; i < 2; i++)
        FOR_SCHEMES(l)
        {
            begin_lookup(l);
            if (i == 0)
                ck_assert_int_eq(plx_socket_set_proxy(l->socket, NULL), 0);
            else
                proxy_set(l->socket, l->scheme[0] == 'h' ? "socks5" : "http", SECRETS,
                          "other.test:1");
            release(l);
            expect_tunnel(l, w->group);
            ck_assert_ptr_null(strstr(server->names, "other"));
            world_free(w, l->socket);
        }
}

/* ---- a proxy with several addresses ---------------------------------------------------------- */

SECTION("addresses of a proxy");

/* Each address of the proxy but the last one is dead. */
static int meets_among(struct world *w, struct nameserver *server, plx_socket *socket,
                       const char *scheme, int listener, const char *where)
{
    char named[WHERE_SIZE];

    server->ipv4 = ADDRESSES("127.0.0.3", "127.0.0.2", "127.0.0.1");
    where_by_name("proxy.test", where, named);
    proxy_set(socket, scheme, SECRETS, named);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    UNTIL_ASKED(w, server, raw_has_caller(w, listener));
    return raw_accept(w, listener);
}

NAMES_CASE(the_first_ones_refuse)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where);
        int proxy = meets_among(w, server, socket, p->scheme, listener, where);

        proxy_hears_request(w, proxy, p);
        raw_send(proxy, p->reply, p->reply_size);
        proxy_talks(w, socket, proxy);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    }
}

NAMES_CASE(the_first_ones_are_silent)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), proxy;

        raw_silent_at(w, "127.0.0.3", where);
        raw_silent_at(w, "127.0.0.2", where);
        proxy = meets_among(w, server, socket, p->scheme, listener, where);
        proxy_hears_request(w, proxy, p);
        raw_send(proxy, p->reply, p->reply_size);
        proxy_talks(w, socket, proxy);
        ck_assert_int_eq(log.count[EVENT_ERROR], 0);
    }
}

/* The second connection goes to the address that has answered, and nobody is asked for it again. */
NAMES_SOCKET_CASE(the_second_connection)
{
    int listener = raw_listen(w, 5, where), asked, proxy;

    proxy = meets_among(w, server, socket, "socks5h", listener, where);
    asked = server->asked4;
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, "a", "b"), 0);
    HEARS(w, proxy, GREETING_WITH);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
    SAYS(proxy, METHOD_REFUSED);
    proxy = raw_accept(w, listener);
    proxy_hears_request(w, proxy, &proxy_protocols[0]);
    SAYS(proxy, GRANTED);
    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(server->asked4, asked);
}

NAMES_CASE(all_refuse)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], named[WHERE_SIZE];

        raw_refusing(w, where);
        server->ipv4 = ADDRESSES("127.0.0.3", "127.0.0.2", "127.0.0.1");
        where_by_name("proxy.test", where, named);
        proxy_set(socket, p->scheme, SECRETS, named);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        UNTIL_ASKED(w, server, log.count[EVENT_ERROR] > 0);
        proxy_fails(w, socket, &log, ECONNREFUSED, PLX_REASON_PROXY_CONNECTION_REFUSED,
                    "connect to proxy 127.0.0.");
    }
}

NAMES_CASE(all_are_silent)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], named[WHERE_SIZE];

        raw_silent(w, where);
        raw_silent_at(w, "127.0.0.2", where);
        server->ipv4 = ADDRESSES("127.0.0.2", "127.0.0.1");
        where_by_name("proxy.test", where, named);
        proxy_set(socket, p->scheme, SECRETS, named);
        time_stop();
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 1000), 0);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        UNTIL_ASKED(w, server, plx_socket_state(socket) == PLX_CONNECTING);
        world_run(w, 1100);
        proxy_fails(w, socket, &log, ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT, "proxy");
        time_run();
    }
}

/* No name server answers: the time is over in the lookup of the proxy. */
NAMES_CASE(a_lookup_that_never_ends)
{
    nameserver_says(server, SAYS_NOTHING);
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);

        time_stop();
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 1000), 0);
        proxy_set(socket, p->scheme, SECRETS, "proxy.test:1080");
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        world_run(w, 1100);
        UNTIL_ASKED(w, server, log.count[EVENT_ERROR] > 0);
        proxy_fails(w, socket, &log, ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT,
                    "proxy: look up proxy.test: the name server did not answer");
        time_run();
    }
}

/* The target's name is not the proxy's: with socks5 the error of its lookup is that without one. */
NAMES_SOCKET_CASE(a_lookup_of_the_target_that_never_ends)
{
    nameserver_says(server, SAYS_NOTHING);
    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 1000), 0);
    proxy_listens(w, socket, "socks5", SECRETS);
    world_run(w, 1100);
    UNTIL_ASKED(w, server, log->count[EVENT_ERROR] > 0);
    proxy_fails(w, socket, log, PLX_NAME_RESOLUTION, PLX_REASON_SOCKET_TIMEOUT,
                "look up tunnel.test: the name server did not answer");
    time_run();
}

/* ---- a target with several addresses, below other filters ------------------------------------ */

SECTION("addresses of a target");

/* The proxy refuses every address but the last of these. */
static int refuses_but_one(struct world *w, int listener, int addresses)
{
    char request[] = "\5\1\0\1\300\0\2\0\0\143";
    int proxy = -1;

    for (int i = 1; i <= addresses; i++) {
        proxy = raw_accept(w, listener);
        HEARS(w, proxy, GREETING);
        SAYS(proxy, METHOD_NONE);
        request[7] = (char)i;
        proxy_hears(w, proxy, request, sizeof request - 1);
        if (i < addresses)
            SAYS(proxy, REPLY("\5"));
        else
            SAYS(proxy, GRANTED);
    }
    return proxy;
}

static int meets_target(struct world *w, struct nameserver *server, plx_socket *socket)
{
    int listener = proxy_listens(w, socket, "socks5", "");

    server->ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2", "192.0.2.3");
    UNTIL_ASKED(w, server, raw_has_caller(w, listener));
    return listener;
}

/* A filter above begins with each connection and establishes in the tunnel only. */
NAMES_SOCKET_CASE(a_filter_above)
{
    struct puppet *puppet = puppet_push(socket);
    int proxy = refuses_but_one(w, meets_target(w, server, socket), 3);

    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 3);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 1);
    ck_assert_str_eq(plx_socket_remote_address(socket), "192.0.2.3");
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* What a filter above has to say is said in the tunnel, once. */
NAMES_SOCKET_CASE(greetings_above)
{
    int proxy;

    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &bits_filter));
    ck_assert_ptr_nonnull(plx_socket_push_filter(socket, &hello_filter));
    proxy = refuses_but_one(w, meets_target(w, server, socket), 3);
    HEARS(w, proxy, "\x97\x9a\x93"); /* "hel" with all bits turned */
    SAYS(proxy, "\x97\x9a\x93");
    HEARS(w, proxy, "\x93\x90"); /* "lo" */
    SAYS(proxy, "\x93\x90");
    UNTIL(w, log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
    LOGGED(w, log, "state:HOST_LOOKUP state:CONNECTING state:CONNECTED connected[CONNECTED]");
    ck_assert_int_eq(plx_socket_write(socket, "x", 1), 1);
    HEARS(w, proxy, "\x87");
}

/* The filter above asks for another connection when the tunnel is there: the proxy is asked again,
 * for the address that it has granted. */
NAMES_SOCKET_CASE(another_connection_for_the_filter_above)
{
    char request[] = "\5\1\0\1\300\0\2\2\0\143";
    struct puppet *puppet = puppet_push(socket);
    int listener, proxy;

    puppet->establish = ERESTART;
    puppet->establish_times = 1;
    listener = meets_target(w, server, socket);
    refuses_but_one(w, listener, 2);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING);
    SAYS(proxy, METHOD_NONE);
    proxy_hears(w, proxy, request, sizeof request - 1);
    SAYS(proxy, GRANTED);
    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(puppet->count[STEP_BEGIN], 3);
    ck_assert_int_eq(puppet->count[STEP_ESTABLISH], 2);
    ck_assert_str_eq(plx_socket_remote_address(socket), "192.0.2.2");
}

/* As many connections as a filter gets, for the first nine addresses. */
NAMES_SOCKET_CASE(more_addresses_than_connections)
{
    int listener, callers = 0;

    listener = proxy_listens(w, socket, "socks5", "");
    server->ipv4 =
        (struct saying){.says = SAYS_ADDRESSES,
                        .addresses = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
                                      "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"}};
    server->ipv6 = ADDRESSES("2001:db8::1", "2001:db8::2", "2001:db8::3");
    UNTIL_ASKED(w, server, raw_has_caller(w, listener));
    while (log->count[EVENT_ERROR] == 0) {
        UNTIL(w, raw_has_caller(w, listener) || log->count[EVENT_ERROR] > 0);
        if (log->count[EVENT_ERROR] == 0) {
            SAYS(raw_accept(w, listener), METHOD_NONE REPLY("\4"));
            callers++;
        }
    }
    ck_assert_int_eq(callers, 9);
    proxy_fails(w, socket, log, EHOSTUNREACH, PLX_REASON_NETWORK, "cannot reach the host");
}

WORLD_MAIN("proxy-names")
