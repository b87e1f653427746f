/* tests/bench/peer/tls-pollux.c -- TLS by Pollux: two lone sockets. */
#include "config.h"

#include "tests/bench/tls.h"
#include "tests/bench/wire.h"

#include <pollux.h>
#include <pollux/tls.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    struct peer_tally *tally;
    plx_socket *near, *far;
};

static void near_arrived(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;

    tally->returned += plx_socket_skip(socket, plx_socket_bytes_available(socket));
}

static void far_arrived(plx_socket *socket, void *user)
{
    struct peer_tally *tally = user;
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);

    tally->bytes += size;
    if (tally->echo)
        tls_check(plx_socket_write(socket, data, size) == (ptrdiff_t)size, "write by Pollux");
}

static plx_tls *make_settings(bool is_server)
{
    const struct tls_papers *papers = tls_papers();
    plx_tls *tls = is_server ? plx_tls_new_server() : plx_tls_new_client();
    int code = is_server ? plx_tls_use_memory(tls, papers->certificate, strlen(papers->certificate),
                                              papers->key, strlen(papers->key), NULL)
                         : plx_tls_trust_memory(tls, papers->trusted, strlen(papers->trusted));

    tls_check(code == 0 && plx_tls_set_option(tls, PLX_TLS_SESSIONS, 0) == 0,
              "make the settings of Pollux");
    return tls;
}

plx_tls *tls_pollux_settings(bool is_server)
{
    static plx_tls *settings[2];

    if (settings[is_server] == NULL)
        settings[is_server] = make_settings(is_server);
    return settings[is_server];
}

static plx_socket *open_end(struct pair *pair, bool is_server, int descriptor)
{
    static const plx_events near = {.data_available = near_arrived};
    static const plx_events far = {.data_available = far_arrived};
    plx_socket *socket = plx_ipc_new();

    plx_socket_set_events(socket, is_server ? &far : &near, pair->tally);
    tls_check(plx_socket_set_tls(socket, tls_pollux_settings(is_server)) == 0 &&
                  (is_server || plx_socket_set_tls_name(socket, TLS_HOST) == 0) &&
                  plx_socket_adopt(socket, descriptor) == 0,
              "make a socket of Pollux");
    return socket;
}

static void shake_hands(const struct pair *pair)
{
    while (!plx_socket_is_connected(pair->near) || !plx_socket_is_connected(pair->far)) {
        (void)plx_socket_poll(pair->near);
        (void)plx_socket_poll(pair->far);
        tls_check(plx_socket_state(pair->near) != PLX_UNCONNECTED &&
                      plx_socket_state(pair->far) != PLX_UNCONNECTED,
                  "shake hands by Pollux");
    }
}

/* Once, because the information has more in it than a cipher. */
static void check_cipher(const struct pair *pair)
{
    static bool checked;
    plx_tls_info info;

    if (checked)
        return;
    tls_check(plx_socket_tls_info(pair->near, &info), "plx_socket_tls_info");
    tls_check_cipher(info.cipher);
    checked = true;
}

static void *pair_open(const struct peer *peer, struct peer_tally *tally, enum peer_family family)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int ends[2];

    (void)peer;
    (void)family;
    tls_check(pair != NULL, "memory");
    pair->tally = tally;
    wire_pair(PEER_UNIX, ends);
    pair->near = open_end(pair, false, ends[0]);
    pair->far = open_end(pair, true, ends[1]);
    shake_hands(pair);
    check_cipher(pair);
    return pair;
}

static void pair_send(void *object, const void *data, size_t size)
{
    struct pair *pair = object;

    tls_check(plx_socket_write(pair->near, data, size) == (ptrdiff_t)size, "write by Pollux");
    if (plx_socket_bytes_left_to_send(pair->near) > 0)
        (void)plx_socket_flush(pair->near);
}

static void pair_poll(void *object)
{
    struct pair *pair = object;

    if (plx_socket_bytes_left_to_send(pair->near) > 0)
        (void)plx_socket_poll(pair->near);
    (void)plx_socket_poll(pair->far);
    if (pair->tally->echo)
        (void)plx_socket_poll(pair->near);
}

static void pair_close(void *object)
{
    struct pair *pair = object;

    (void)plx_socket_free(pair->near);
    (void)plx_socket_free(pair->far);
    free(pair);
}

static const struct peer_pair pair_functions = {pair_open, pair_send, pair_poll, pair_close};

const struct peer peer_tls_pollux = {.name = "Pollux", .pair = &pair_functions};
