/* tests/bench/peer/tls-raw.c -- TLS by hand: SSL objects on two non-blocking descriptors. */
#include "config.h"

#include "tests/bench/tls.h"
#include "tests/bench/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

struct pair {
    struct peer_tally *tally;
    SSL *near, *far;
    int descriptors[2];
    const char *rest; /* not sent yet */
    size_t rest_size;
};

static char room[PEER_BLOCK];

static SSL *new_end(bool is_server, int descriptor)
{
    SSL *ssl = SSL_new(tls_context(is_server));

    tls_check(ssl != NULL && SSL_set_fd(ssl, descriptor) == 1, "SSL_new");
    if (is_server) {
        SSL_set_accept_state(ssl);
        return ssl;
    }
    tls_check(SSL_set_tlsext_host_name(ssl, TLS_HOST) == 1 && SSL_set1_host(ssl, TLS_HOST) == 1,
              "set the name of the server");
    SSL_set_connect_state(ssl);
    return ssl;
}

static void shake_hands(struct pair *pair)
{
    int near = 0, far = 0;

    while (near != 1 || far != 1) {
        ERR_clear_error();
        near = SSL_do_handshake(pair->near);
        far = SSL_do_handshake(pair->far);
        tls_check(ERR_peek_error() == 0, "shake hands by OpenSSL");
    }
    tls_check_cipher(SSL_get_cipher_name(pair->near));
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);

    (void)peer;
    (void)family;
    tls_check(pair != NULL, "memory");
    pair->tally = tally;
    wire_pair(PEER_UNIX, pair->descriptors);
    pair->near = new_end(false, pair->descriptors[0]);
    pair->far = new_end(true, pair->descriptors[1]);
    shake_hands(pair);
    return pair;
}

static void send_rest(struct pair *pair)
{
    int count = 1;

    while (pair->rest_size > 0 &&
           (count = SSL_write(pair->near, pair->rest, (int)pair->rest_size)) > 0) {
        pair->rest += count;
        pair->rest_size -= (size_t)count;
    }
    tls_check(count > 0 || SSL_get_error(pair->near, count) == SSL_ERROR_WANT_WRITE, "SSL_write");
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    pair->rest = data;
    pair->rest_size = size;
    send_rest(pair);
}

/* Until nothing is left; an answer always fits into the kernel's buffer. */
static size_t receive(SSL *ssl, bool echo)
{
    size_t total = 0;
    int count;

    while ((count = SSL_read(ssl, room, sizeof room)) > 0) {
        total += (size_t)count;
        if (echo)
            tls_check(SSL_write(ssl, room, count) == count, "SSL_write");
    }
    tls_check(SSL_get_error(ssl, count) == SSL_ERROR_WANT_READ, "SSL_read");
    return total;
}

static void pair_poll(void *object)
{
    struct pair *pair = object;

    if (pair->rest_size > 0)
        send_rest(pair);
    pair->tally->bytes += receive(pair->far, pair->tally->echo);
    if (pair->tally->echo)
        pair->tally->returned += receive(pair->near, false);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    SSL_shutdown(pair->near);
    SSL_shutdown(pair->far);
    SSL_free(pair->near);
    SSL_free(pair->far);
    close(pair->descriptors[0]);
    close(pair->descriptors[1]);
    free(pair);
}

static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_tls_raw = {.name = "raw", .pair = &pair_functions};
