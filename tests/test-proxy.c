/* tests/test-proxy.c -- what connecting through a proxy promises, whichever protocol it speaks.
 * test-proxy-socks5.c and test-proxy-http.c have what is peculiar to one. */
#include "config.h"

#include <stdlib.h>

#include "tests/counting.h"
#include "tests/nameserver.h"
#include "tests/proxies.h"

/* ---- the tunnel ------------------------------------------------------------------------------ */

SECTION("tunnel");

MODE_CASE(it_connects)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

        proxy_hears_request(w, proxy, p);
        world_settle(w);
        LOGGED(w, &log, "state:CONNECTING");
        raw_send(proxy, p->reply, p->reply_size);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        LOGGED(w, &log, "state:CONNECTING state:CONNECTED connected[CONNECTED]");
        proxy_talks(w, socket, proxy);
        secrets_are_kept(socket, &log);
        raw_end(proxy);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
    }
}

MODE_CASE(getters_name_the_target)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], shown[400];
        plx_address remote;
        int listener = raw_listen(w, 5, where), proxy;

        ck_assert_str_eq(plx_socket_proxy(socket), "");
        proxy_set(socket, p->scheme, SECRETS, where);
        snprintf(shown, sizeof shown, "%s://%s", p->scheme, where);
        ck_assert_str_eq(plx_socket_proxy(socket), shown);
        ck_assert_int_eq(plx_socket_set_protocol_tag(socket, "irc"), 0);
        ck_assert_str_eq(plx_socket_protocol_tag(socket), "irc");
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        proxy = raw_accept(w, listener);
        proxy_hears_request(w, proxy, p);
        raw_send(proxy, p->reply, p->reply_size);
        UNTIL(w, log.count[EVENT_CONNECTED] == 1);
        ck_assert_str_eq(plx_socket_remote_address(socket), "tunnel.test");
        ck_assert_str_eq(plx_socket_address(socket), "tunnel.test");
        ck_assert_int_ne(plx_socket_port(socket), 99); /* the local one */
        ck_assert_int_eq(plx_socket_set_address(socket, "next.test"), 0);
        ck_assert_str_eq(plx_socket_remote_address(socket), "tunnel.test");
        ck_assert(plx_socket_remote(socket, &remote));
        ck_assert_int_eq(remote.family, 0);
        ck_assert_int_eq(remote.port, 99);
        secrets_are_kept(socket, &log);
    }
}

/* The words of the target that are in the packet of the reply: none is lost, none comes early. */
MODE_CASE(bytes_with_the_reply)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, p->scheme, SECRETS);
        char said[100], got[16] = "";

        proxy_hears_request(w, proxy, p);
        memcpy(said, p->reply, p->reply_size);
        memcpy(said + p->reply_size, "\r\r\0hello", 8);
        raw_send(proxy, said, p->reply_size + 8);
        UNTIL(w, plx_socket_bytes_available(socket) == 8);
        LOGGED(w, &log,
               "state:CONNECTING state:CONNECTED connected[CONNECTED] data_available[CONNECTED]");
        ck_assert_int_eq(plx_socket_read(socket, got, sizeof got), 8);
        ck_assert_mem_eq(got, "\r\r\0hello", 8);
    }
}

/* The same where the target's words follow the reply, and the end follows them. */
MODE_CASE(bytes_and_the_end_with_the_reply)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

        proxy_hears_request(w, proxy, p);
        raw_send(proxy, p->reply, p->reply_size);
        SAYS(proxy, "bye");
        raw_end(proxy);
        UNTIL(w, log.count[EVENT_DISCONNECTED] == 1);
        ck_assert_int_eq(log.count[EVENT_CONNECTED], 1);
        ck_assert_uint_eq(plx_socket_bytes_available(socket), 3);
    }
}

MODE_CASE(what_is_written_early_waits)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

        ck_assert_int_eq(plx_socket_write(socket, "early", 5), 5);
        proxy_hears_request(w, proxy, p);
        world_settle(w);
        ck_assert_int_eq(raw_take(proxy, (char[1]){0}, 1), RAW_NOTHING);
        ck_assert_uint_eq(plx_socket_bytes_left_to_send(socket), 5);
        raw_send(proxy, p->reply, p->reply_size);
        HEARS(w, proxy, "early");
    }
}

MODE_CASE(disconnected_with_bytes_queued)
{
    FOR_PROTOCOLS(p)
    {
        for (int aborts = 0; aborts < 2; aborts++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

            ck_assert_int_eq(plx_socket_write(socket, "early", 5), 5);
            proxy_hears_request(w, proxy, p);
            if (aborts)
                plx_socket_abort(socket);
            else
                plx_socket_close(socket);
            ck_assert_int_eq(plx_socket_state(socket), PLX_UNCONNECTED);
            world_settle(w);
            ck_assert_int_eq(log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR], 0);
        }
    }
}

SECTION("pieces");

MODE_CASE(a_reply_byte_by_byte)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

        proxy_hears_request(w, proxy, p);
        for (size_t i = 0; i < p->reply_size; i++) {
            ck_assert_int_eq(log.count[EVENT_CONNECTED], 0);
            raw_send(proxy, p->reply + i, 1);
            world_poll(w);
            world_poll(w);
        }
        proxy_talks(w, socket, proxy);
    }
}

MODE_CASE(a_reply_in_two_pieces)
{
    FOR_PROTOCOLS(p)
    {
        for (size_t cut = 1; cut < p->reply_size; cut++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

            proxy_hears_request(w, proxy, p);
            raw_send(proxy, p->reply, cut);
            world_poll(w);
            ck_assert_int_eq(log.count[EVENT_CONNECTED], 0);
            raw_send(proxy, p->reply + cut, p->reply_size - cut);
            UNTIL(w, log.count[EVENT_CONNECTED] == 1);
            world_free(w, socket);
            raw_close(w, proxy);
        }
    }
}

/* The proxy ends, closes or resets the connection after each byte of its reply. */
MODE_CASE(a_reply_that_is_cut)
{
    FOR_PROTOCOLS(p)
    {
        for (size_t cut = 0; cut < p->reply_size; cut++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

            proxy_hears_request(w, proxy, p);
            raw_send(proxy, p->reply, cut);
            switch (cut % 3) {
            case 0: raw_end(proxy); break;
            case 1: raw_close(w, proxy); break;
            default: raw_reset(w, proxy); break;
            }
            proxy_fails(w, socket, &log, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED,
                        "the proxy closed the connection");
            world_free(w, socket);
        }
    }
}

/* ---- a proxy that is not there --------------------------------------------------------------- */

SECTION("trouble");

MODE_CASE(refused)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE];

        raw_refusing(w, where);
        proxy_set(socket, p->scheme, SECRETS, where);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        proxy_fails(w, socket, &log, ECONNREFUSED, PLX_REASON_PROXY_CONNECTION_REFUSED, "proxy");
    }
}

NAMES_CASE(not_found)
{
    nameserver_says(server, SAYS_NO_SUCH_NAME);
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);

        proxy_set(socket, p->scheme, SECRETS, "nowhere.test:1080");
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        ck_assert_int_eq(plx_socket_state(socket), PLX_HOST_LOOKUP);
        UNTIL_ASKED(w, server, log.count[EVENT_ERROR] > 0);
        proxy_fails(w, socket, &log, PLX_NAME_RESOLUTION, PLX_REASON_PROXY_NOT_FOUND, "proxy");
    }
    ck_assert_ptr_null(strstr(server->names, "tunnel"));
}

NAMES_CASE(found_by_name)
{
    server->ipv4 = ADDRESSES("127.0.0.1");
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        char where[WHERE_SIZE], named[WHERE_SIZE];
        int listener = raw_listen(w, 5, where), proxy;

        where_by_name("proxy.test", where, named);
        proxy_set(socket, p->scheme, SECRETS, named);
        ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
        UNTIL_ASKED(w, server, raw_has_caller(w, listener));
        proxy = raw_accept(w, listener);
        proxy_hears_request(w, proxy, p);
        raw_send(proxy, p->reply, p->reply_size);
        proxy_talks(w, socket, proxy);
    }
    ck_assert_ptr_null(strstr(server->names, "tunnel"));
}

MODE_CASE(silent)
{
    FOR_PROTOCOLS(p)
    {
        for (int step = 0; step < 3; step++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            char where[WHERE_SIZE];
            int listener = step == 0 ? raw_silent(w, where) : raw_listen(w, 5, where), proxy;

            time_stop();
            ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
            proxy_set(socket, p->scheme, SECRETS, where);
            ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
            if (step > 0) {
                proxy = raw_accept(w, listener);
                world_run(w, 200); /* each step takes its share of the same time */
                if (step > 1)
                    proxy_hears_request(w, proxy, p);
            }
            world_run(w, step > 0 ? 299 : 499);
            world_settle(w);
            ck_assert_int_eq(log.count[EVENT_ERROR], 0);
            time_pass(1);
            proxy_fails(w, socket, &log, ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT,
                        step == 0 ? "proxy" : "");
            time_run();
            world_free(w, socket);
        }
    }
}

MODE_CASE(garbage)
{
    static const char *const answers[] = {"SSH-2.0-OpenSSH_9.2\r\n", "\4\132\0\0\0\0\0\0",
                                          "ICY 200 OK\r\n\r\n", "\377\377\377\377"};

    FOR_PROTOCOLS(p)
    {
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
            struct record log;
            plx_socket *socket = world_socket(w, &log);
            int proxy = proxy_meets(w, socket, p->scheme, SECRETS);

            raw_say(proxy, answers[i]);
            proxy_fails(w, socket, &log, EPROTO, PLX_REASON_PROXY_PROTOCOL, "not understood");
            world_free(w, socket);
        }
    }
}

WORLD_MAIN("proxy")
