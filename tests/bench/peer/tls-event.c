/* tests/bench/peer/tls-event.c -- TLS by libevent: bufferevent_openssl, with the same SSL_CTX as the
 * side by hand. */
#include "config.h"

#include "tests/bench/tls.h"
#include "tests/bench/wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct pair {
    struct peer_tally *tally;
    struct bufferevent *near, *far;
    int connected;
};

static struct event_base *base; /* of all pairs, as a program has one */

static void near_read(struct bufferevent *near, void *user)
{
    struct pair *pair = user;
    struct evbuffer *input = bufferevent_get_input(near);
    size_t size = evbuffer_get_length(input);

    pair->tally->returned += size;
    (void)evbuffer_drain(input, size);
}

static void far_read(struct bufferevent *far, void *user)
{
    struct pair *pair = user;
    struct evbuffer *input = bufferevent_get_input(far);
    size_t size = evbuffer_get_length(input);

    pair->tally->bytes += size;
    if (pair->tally->echo)
        (void)evbuffer_add_buffer(bufferevent_get_output(far), input);
    else
        (void)evbuffer_drain(input, size);
}

static void happened(struct bufferevent *end, short what, void *user)
{
    struct pair *pair = user;

    (void)end;
    tls_check((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) == 0, "shake hands by libevent");
    if ((what & BEV_EVENT_CONNECTED) != 0)
        pair->connected++;
}

static struct bufferevent *open_end(struct pair *pair, bool is_server, int descriptor)
{
    SSL *ssl = SSL_new(tls_context(is_server));
    struct bufferevent *end;

    tls_check(ssl != NULL && (is_server || (SSL_set_tlsext_host_name(ssl, TLS_HOST) == 1 &&
                                            SSL_set1_host(ssl, TLS_HOST) == 1)),
              "SSL_new");
    end = bufferevent_openssl_socket_new(
        base, descriptor, ssl, is_server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING,
        BEV_OPT_CLOSE_ON_FREE);
    tls_check(end != NULL, "bufferevent_openssl_socket_new");
    bufferevent_setcb(end, is_server ? far_read : near_read, NULL, happened, pair);
    (void)bufferevent_enable(end, EV_READ | EV_WRITE);
    return end;
}

static void pair_poll(void *object)
{
    (void)object;
    (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int ends[2];

    (void)peer;
    (void)family;
    if (base == NULL)
        base = event_base_new();
    tls_check(pair != NULL && base != NULL, "event_base_new");
    pair->tally = tally;
    wire_pair(PEER_UNIX, ends);
    pair->near = open_end(pair, false, ends[0]);
    pair->far = open_end(pair, true, ends[1]);
    while (pair->connected < 2)
        pair_poll(pair);
    tls_check_cipher(SSL_get_cipher_name(bufferevent_openssl_get_ssl(pair->near)));
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    (void)bufferevent_write(pair->near, data, size);
}

/* The goodbye as its book says it; the end of the connection that follows is no event any more. */
static void close_end(struct bufferevent *end)
{
    SSL *ssl = bufferevent_openssl_get_ssl(end);

    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
    SSL_shutdown(ssl);
    bufferevent_free(end);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    close_end(pair->near);
    close_end(pair->far);
    free(pair);
    (void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK); /* frees what is deferred */
}

static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_tls_event = {.name = "libevent", .pair = &pair_functions};
