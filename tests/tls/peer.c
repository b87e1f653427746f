/* tests/tls/peer.c -- a raw peer that speaks TLS by OpenSSL alone. See peer.h. */
#include "config.h"

#include "tests/tls/peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>

/* ---- life ------------------------------------------------------------------------------------ */

static void use(SSL_CTX *context, const struct certificate *own, const char *folder)
{
    char chain[WHERE_SIZE], key[WHERE_SIZE];

    certificate_write_chain(own, folder, "peer-chain.pem", chain);
    certificate_write_key(own, NULL, folder, "peer-key.pem", key);
    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, chain), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
}

struct peer *peer_new(struct world *world, bool is_server, const struct certificate *own)
{
    struct peer *peer = calloc(1, sizeof *peer);

    ck_assert_ptr_nonnull(peer);
    *peer = (struct peer){.w = world, .descriptor = -1, .alert = -1};
    peer->context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    ck_assert_ptr_nonnull(peer->context);
    SSL_CTX_set_security_level(peer->context, 0);
    ck_assert_int_eq(SSL_CTX_set_min_proto_version(peer->context, 0), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(peer->context, 0), 1);
    if (own != NULL)
        use(peer->context, own, world->folder);
    return peer;
}

static void note_alert(const SSL *ssl, int where, int result)
{
    struct peer *peer = SSL_get_app_data(ssl);

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (result & 0xff) != 0)
        peer->alert = result & 0xff;
}

void peer_begin(struct peer *peer, int descriptor)
{
    peer->descriptor = descriptor;
    peer->ssl = SSL_new(peer->context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    ck_assert(peer->ssl != NULL && peer->in != NULL && peer->out != NULL);
    BIO_set_mem_eof_return(peer->in, -1);
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_app_data(peer->ssl, peer);
    SSL_set_info_callback(peer->ssl, note_alert);
    if (SSL_is_server(peer->ssl))
        SSL_set_accept_state(peer->ssl);
    else
        SSL_set_connect_state(peer->ssl);
}

void peer_free(struct peer *peer)
{
    if (peer == NULL)
        return;
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    free(peer);
}

/* ---- with a scene ---------------------------------------------------------------------------- */

static void limit(struct peer *peer, int version)
{
    int number = version == 12 ? TLS1_2_VERSION : version == 13 ? TLS1_3_VERSION : 0;

    ck_assert_int_eq(SSL_CTX_set_min_proto_version(peer->context, number), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(peer->context, number), 1);
}

struct peer *peer_face_client(struct scene *scene, int version)
{
    struct peer *peer = peer_new(scene->w, true, scene->papers[1]);
    char where[WHERE_SIZE];
    int listener = raw_listen(scene->w, 5, where);

    limit(peer, version);
    scene_prepare(scene);
    ck_assert_int_eq(plx_socket_connect_to(scene->client, where), 0);
    peer_begin(peer, raw_accept(scene->w, listener));
    raw_close(scene->w, listener);
    return peer;
}

struct peer *peer_face_server(struct scene *scene, int version)
{
    struct peer *peer = peer_new(scene->w, false, NULL);
    char where[WHERE_SIZE];

    limit(peer, version);
    scene_prepare(scene);
    world_listen(scene->w, scene->server, where);
    peer_begin(peer, raw_connect(scene->w, where));
    return peer;
}

static struct peer *meet(struct peer *peer, struct record *log)
{
    PEER_UNTIL(peer, log->count[EVENT_ENCRYPTED] == 1 && peer->is_done);
    peer_settle(peer);
    record_clear(log);
    return peer;
}

struct peer *peer_meet_client(struct scene *scene, int version)
{
    return meet(peer_face_client(scene, version), &scene->client_log);
}

struct peer *peer_meet_server(struct scene *scene, int version)
{
    return meet(peer_face_server(scene, version), &scene->server_log);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void note_failure(struct peer *peer, int result)
{
    int error = SSL_get_error(peer->ssl, result);

    peer->has_goodbye |= error == SSL_ERROR_ZERO_RETURN;
    if (error == SSL_ERROR_SSL)
        peer->reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
}

static void receive(struct peer *peer)
{
    char piece[16384];
    ptrdiff_t size = RAW_NOTHING;

    while (!peer->has_ended && (size = raw_take(peer->descriptor, piece, sizeof piece)) > 0) {
        peer->arrived += (uint64_t)size;
        ck_assert_int_eq(BIO_write(peer->in, piece, (int)size), (int)size);
    }
    peer->has_ended |= size == RAW_END || size == RAW_RESET;
}

static void keep(struct peer *peer, const char *piece, int size)
{
    size_t room = sizeof peer->got - 1 - peer->got_length;
    size_t kept = (size_t)size < room ? (size_t)size : room;

    memcpy(peer->got + peer->got_length, piece, kept);
    peer->got_length += kept;
    peer->got_all += (uint64_t)size;
}

static void step(struct peer *peer)
{
    char piece[16384];
    int result;

    ERR_clear_error();
    if (!peer->is_done) {
        result = SSL_do_handshake(peer->ssl);
        peer->is_done = result == 1;
        if (result != 1) {
            note_failure(peer, result);
            return;
        }
    }
    while ((result = SSL_read(peer->ssl, piece, sizeof piece)) > 0)
        keep(peer, piece, result);
    note_failure(peer, result);
}

static void send_out(struct peer *peer)
{
    char *data;
    long size = BIO_get_mem_data(peer->out, &data);
    size_t most = peer->most == 0 || (size_t)size < peer->most ? (size_t)size : peer->most;
    size_t sent;

    if (most == 0 || peer->is_mute)
        return;
    sent = raw_try(peer->descriptor, data, most);
    while (sent > 0) {
        char piece[16384];
        int count = BIO_read(peer->out, piece, sent < sizeof piece ? (int)sent : (int)sizeof piece);

        ck_assert_int_gt(count, 0);
        sent -= (size_t)count;
    }
}

void peer_turn(struct peer *peer)
{
    if (!peer->is_deaf) {
        receive(peer);
        step(peer);
    }
    send_out(peer);
}

void peer_settle(struct peer *peer)
{
    for (int i = 0; i < 4; i++) {
        peer_turn(peer);
        world_settle(peer->w);
    }
}

/* ---- saying ---------------------------------------------------------------------------------- */

void peer_say(struct peer *peer, const char *text)
{
    ck_assert_int_eq(SSL_write(peer->ssl, text, (int)strlen(text)), (int)strlen(text));
}

void peer_goodbye(struct peer *peer)
{
    ck_assert_int_ge(SSL_shutdown(peer->ssl), 0);
}

void peer_send_raw(struct peer *peer, const void *data, size_t size)
{
    ck_assert_int_eq(BIO_write(peer->out, data, (int)size), (int)size);
}
