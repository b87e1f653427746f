/* tests/test-proxy-again.c -- one connect after another through proxies: with other proxies, and by
 * PLX_OPTION_AUTO_CONNECT. */
#include "config.h"

#include "tests/proxies.h"

/* Each connect has the proxy that was set before it. */
MODE_CASE(another_proxy_between_connects)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char wheres[3][WHERE_SIZE];
    int listeners[3], proxy;

    for (int i = 0; i < 3; i++)
        listeners[i] = raw_listen(w, 5, wheres[i]);
    for (int i = 0; i < 9; i++) {
        const struct proxy_protocol *p = &proxy_protocols[i % 2];
        bool direct = i % 3 == 2;

        if (direct)
            ck_assert_int_eq(plx_socket_set_proxy(socket, NULL), 0);
        else
            proxy_set(socket, p->scheme, SECRETS, wheres[i % 3]);
        ck_assert_int_eq(plx_socket_connect_to(socket, direct ? wheres[2] : TARGET), 0);
        proxy = raw_accept(w, listeners[i % 3]);
        if (!direct) {
            proxy_hears_request(w, proxy, p);
            raw_send(proxy, p->reply, p->reply_size);
        }
        proxy_talks(w, socket, proxy);
        ck_assert_str_eq(plx_socket_remote_address(socket), direct ? "127.0.0.1" : "tunnel.test");
        plx_socket_close(socket);
    }
    ck_assert_int_eq(log.count[EVENT_ERROR], 0);
}

/* ---- by itself ------------------------------------------------------------------------------- */

/* Lets time pass until the socket connects again. */
static int connects_again(struct world *w, int listener)
{
    for (int round = 0; !raw_has_caller(w, listener); round++) {
        ck_assert_int_lt(round, 1000);
        world_run(w, 100);
    }
    return raw_accept(w, listener);
}

/* The way is gone anew each time, with the same credentials. */
MODE_CASE(closed_twice)
{
    FOR_PROTOCOLS(p)
    {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int listener, proxy;

        time_stop();
        ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
        listener = proxy_listens(w, socket, p->scheme, SECRETS);
        for (int i = 0; i < 3; i++) {
            proxy = connects_again(w, listener);
            proxy_hears_request(w, proxy, p);
            if (i < 2) {
                raw_close(w, proxy);
                UNTIL(w, log.count[EVENT_ERROR] == i + 1);
            }
        }
        raw_send(proxy, p->reply, p->reply_size);
        proxy_talks(w, socket, proxy);
        ck_assert_int_eq(log.reason, PLX_REASON_PROXY_CONNECTION_CLOSED);
        time_run();
    }
}

/* How the first connect fails: nobody listens, the target is refused, or the credentials are. */
enum failure { NOBODY, TARGET_REFUSED, CREDENTIALS_REFUSED, FAILURES };

static const plx_reason reasons[FAILURES] = {PLX_REASON_PROXY_CONNECTION_REFUSED,
                                             PLX_REASON_CONNECTION_REFUSED,
                                             PLX_REASON_PROXY_AUTHENTICATION_REQUIRED};

static void refuse_http(struct world *w, int proxy, enum failure failure)
{
    HEARS(w, proxy, CONNECT_WITH);
    if (failure == TARGET_REFUSED)
        SAYS(proxy, "HTTP/1.1 503 No\r\n\r\n");
    else
        SAYS(proxy, "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n");
}

static void refuse_socks5(struct world *w, int proxy, enum failure failure)
{
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_PASSWORD);
    HEARS(w, proxy, PROOF);
    if (failure == CREDENTIALS_REFUSED) {
        SAYS(proxy, REJECTED);
        return;
    }
    SAYS(proxy, ACCEPTED);
    HEARS(w, proxy, REQUEST);
    SAYS(proxy, REPLY("\5"));
}

static void refused_once(struct world *w, const struct proxy_protocol *p, enum failure failure)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_refusing(w, where), proxy;

    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_AUTO_CONNECT, 1), 0);
    proxy_set(socket, p->scheme, SECRETS, where);
    if (failure != NOBODY)
        w->kind->listen(&(struct raw){.descriptor = listener}, 5);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    if (failure != NOBODY)
        (p->scheme[0] == 'h' ? refuse_http : refuse_socks5)(w, raw_accept(w, listener), failure);
    UNTIL(w, log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log.reason, reasons[failure]);
    ck_assert_int_gt(plx_socket_reconnects_in(socket), 0);
    w->kind->listen(&(struct raw){.descriptor = listener}, 5);
    proxy = connects_again(w, listener);
    proxy_hears_request(w, proxy, p);
    raw_send(proxy, p->reply, p->reply_size);
    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(log.count[EVENT_ERROR], 1);
    secrets_are_kept(socket, &log);
}

MODE_CASE(refused_once_and_accepted_then)
{
    FOR_PROTOCOLS(p)
    {
        for (int failure = 0; failure < FAILURES; failure++) {
            time_stop();
            refused_once(w, p, (enum failure)failure);
            time_run();
        }
    }
}

WORLD_MAIN("proxy-again")
