/* tests/test-proxy-tls.c -- TLS through a proxy: the proxy carries the bytes, and the server's name
 * and certificate are those of the target. */
#include "config.h"

#include "tests/nameserver.h"
#include "tests/proxies.h"
#include "tests/tls/scene.h"

/* Carries what one descriptor has to the other. */
static void carry(int from, int to)
{
    char bytes[4096];
    ptrdiff_t size = raw_take(from, bytes, sizeof bytes);

    if (size > 0)
        raw_send(to, bytes, (size_t)size);
}

/* Lets the client of the scene connect by the proxy, which carries its bytes to the server. */
static void meet_by_proxy(struct scene *s, const struct proxy_protocol *p, const char *target)
{
    char where[WHERE_SIZE], proxy_where[WHERE_SIZE], request[400];
    int proxies, proxy, server;

    scene_prepare(s);
    world_listen(s->w, s->server, where);
    proxies = raw_listen(s->w, 5, proxy_where);
    proxy_set(s->client, p->scheme, SECRETS, proxy_where);
    snprintf(request, sizeof request, "%s:99", target);
    ck_assert_int_eq(plx_socket_connect_to(s->client, request), 0);
    proxy = raw_accept(s->w, proxies);
    proxy_hears_request(s->w, proxy, p);
    server = raw_connect(s->w, where);
    raw_send(proxy, p->reply, p->reply_size);
    UNTIL(s->w, (carry(proxy, server), carry(server, proxy),
                 s->client_log.count[EVENT_ENCRYPTED] + s->client_log.count[EVENT_ERROR] > 0));
    if (s->client_log.count[EVENT_ENCRYPTED] == 0)
        return;
    ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
    UNTIL(s->w,
          (carry(proxy, server), carry(server, proxy), plx_socket_bytes_available(s->server) == 6));
}

SCENE_MODE_CASE(encrypted_for_the_target)
{
    FOR_PROTOCOLS(p)
    {
        scene_present(s, &(struct paper){.subject = "target", .names = "DNS:tunnel.test"});
        meet_by_proxy(s, p, "tunnel.test");
        ck_assert_msg(s->client_log.count[EVENT_ERROR] == 0, "%s", s->client_log.message);
        LOGGED(w, &s->client_log,
               "state:CONNECTING state:CONNECTED connected[CONNECTED] encrypted[CONNECTED] "
               "send_progress(6,0)[CONNECTED] send_complete(false)[CONNECTED]");
        ck_assert_str_eq(scene_info(s->client).subject, "CN=target");
        secrets_are_kept(s->client, &s->client_log);
    }
}

/* A certificate for the proxy's address is none for the target. */
SCENE_MODE_CASE(the_name_of_the_proxy)
{
    FOR_PROTOCOLS(p)
    {
        scene_present(s, &(struct paper){.subject = "proxy", .names = "IP:127.0.0.1"});
        meet_by_proxy(s, p, "tunnel.test");
        ck_assert_int_eq(s->client_log.count[EVENT_CONNECTED], 0);
        ck_assert_int_eq(s->client_log.reason, PLX_REASON_TLS_HANDSHAKE_FAILED);
        ck_assert(has_words(s->client_log.message, "tunnel.test"));
        secrets_are_kept(s->client, &s->client_log);
    }
}

/* Hears a request for 192.0.2.`last`, if it `asks` only from a client with credentials. */
static int asked_for(struct scene *s, int proxies, int last, bool asks)
{
    char request[] = "\5\1\0\1\300\0\2\0\0\143";
    int proxy = raw_accept(s->w, proxies);

    if (asks) {
        HEARS(s->w, proxy, GREETING);
        SAYS(proxy, METHOD_REFUSED);
        return asked_for(s, proxies, last, false);
    }
    HEARS(s->w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_NONE);
    request[7] = (char)last;
    proxy_hears(s->w, proxy, request, sizeof request - 1);
    return proxy;
}

static void answer(struct record *log, plx_socket *socket)
{
    (void)log;
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
}

/* The proxy wants credentials, and refuses the first address of the name: TLS begins with each
 * connection, and says its first word to the target that is reached. */
SCENE_MODE_CASE(by_the_third_connection)
{
    struct nameserver names;
    char where[WHERE_SIZE], proxy_where[WHERE_SIZE];
    int proxies, proxy, server;

    nameserver_begin(&names);
    names.ipv4 = ADDRESSES("192.0.2.1", "192.0.2.2");
    scene_present(s, &(struct paper){.subject = "target", .names = "DNS:tunnel.test"});
    scene_prepare(s);
    record_on(&s->client_log, EVENT_PROXY_ASKS, answer, NULL);
    world_listen(w, s->server, where);
    proxies = raw_listen(w, 5, proxy_where);
    proxy_set(s->client, "socks5", "", proxy_where);
    ck_assert_int_eq(plx_socket_connect_to(s->client, TARGET), 0);
    UNTIL_ASKED(w, &names, raw_has_caller(w, proxies));
    proxy = asked_for(s, proxies, 1, true);
    SAYS(proxy, REPLY("\5"));
    proxy = asked_for(s, proxies, 2, false);
    SAYS(proxy, GRANTED);
    server = raw_connect(w, where);
    UNTIL(w, (carry(proxy, server), carry(server, proxy),
              s->client_log.count[EVENT_ENCRYPTED] + s->client_log.count[EVENT_ERROR] > 0));
    LOGGED(w, &s->client_log,
           "state:HOST_LOOKUP state:CONNECTING proxy_asks()[CONNECTING] state:CONNECTED "
           "connected[CONNECTED] encrypted[CONNECTED]");
    ck_assert_str_eq(scene_info(s->client).subject, "CN=target");
    secrets_are_kept(s->client, &s->client_log);
    nameserver_end(&names);
}

WORLD_MAIN("proxy-tls")
