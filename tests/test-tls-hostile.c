/* tests/test-tls-hostile.c -- peers that speak no TLS, too slowly, too much or wrongly, and those
 * that leave. */
#include "config.h"

#include <openssl/err.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/tls/peer.h"

/* ---- peers that speak no TLS ----------------------------------------------------------------- */

SECTION("no TLS");

/* What a peer says first, and words of the error of a client and of a server. */
static const struct {
    const char *bytes;
    size_t size;
    const char *of_server, *of_client; /* NULL: it is not refused by these bytes alone */
    plx_tls_check check;
} greetings[] = {
#define BYTES(text) text, sizeof text - 1
    {BYTES("220 mail.example.org ESMTP\r\n"), "does not speak TLS", "does not speak TLS",
     PLX_TLS_NOT_TLS},
    {BYTES("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "does not speak TLS", "does not speak TLS",
     PLX_TLS_NOT_TLS},
    {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak TLS", "does not speak TLS",
     PLX_TLS_NOT_TLS},
    {BYTES("CONNECT localhost:443 HTTP/1.1\r\n\r\n"), "does not speak TLS", "does not speak TLS",
     PLX_TLS_NOT_TLS},
    {BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "does not speak TLS", "does not speak TLS",
     PLX_TLS_NOT_TLS},
    {BYTES("\x16\x03\x01\xff\xff garbage"), "TLS", "TLS", PLX_TLS_NOT_TLS},
    {BYTES("\x17\x03\x03\x00\x02hi garbage"), "TLS", "TLS", PLX_TLS_OTHER},
    {BYTES("\x16\x03\x03\x00\x04xxxx"), "TLS", "TLS", PLX_TLS_OTHER},
    {BYTES("\x15\x03\x03\x00\x02\x02\x28"), "unexpected message", "alert \"handshake failure\"",
     PLX_TLS_OTHER},
    {BYTES("\x15\x03\x03\x00\x02\x02\x6d"), "unexpected message", "alert \"missing extension\"",
     PLX_TLS_OTHER},
    {BYTES("\x15\x03\x03\x00\x02\x02\x00"), "TLS", "TLS", PLX_TLS_OTHER},
};

SCENE_CASE(greetings_that_are_no_tls)
{
    for (size_t i = 0; i < 2 * sizeof greetings / sizeof greetings[0]; i++) {
        bool of_client = i % 2 == 0;
        struct peer *peer = of_client ? peer_face_client(s, 0) : peer_face_server(s, 0);
        struct record *log = of_client ? &s->client_log : &s->server_log;

        raw_send(peer->descriptor, greetings[i / 2].bytes, greetings[i / 2].size);
        for (int round = 0; log->count[EVENT_ERROR] == 0; round++) {
            ck_assert_msg(round < 1000, "%zu is not refused", i);
            world_turn(w, round);
        }
        ck_assert_msg(log->code == 102 && log->reason == PLX_REASON_TLS_HANDSHAKE_FAILED,
                      "%zu: %d, %d", i, log->code, (int)log->reason);
        ck_assert(has_words(log->message,
                            of_client ? greetings[i / 2].of_client : greetings[i / 2].of_server));
        if (greetings[i / 2].check != PLX_TLS_OTHER)
            ck_assert_int_eq(scene_info(of_client ? s->client : s->server).check,
                             greetings[i / 2].check);
        ck_assert_int_eq(log->count[EVENT_CONNECTED], 0);
        peer_free(peer);
    }
}

/* OpenSSL does not speak TLS 1.1 at its level 1, which the raw peer has not. */
SCENE_CASE(an_old_version)
{
    for (int i = 0; i < 2; i++) {
        struct peer *peer = i == 0 ? peer_new(w, true, s->papers[1]) : peer_new(w, false, NULL);
        struct record *log = i == 0 ? &s->client_log : &s->server_log;
        char where[WHERE_SIZE];

        SSL_CTX_set_max_proto_version(peer->context, TLS1_1_VERSION);
        scene_prepare(s);
        if (i == 0) {
            int listener = raw_listen(w, 5, where);

            ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
            peer_begin(peer, raw_accept(w, listener));
        } else {
            world_listen(w, s->server, where);
            peer_begin(peer, raw_connect(w, where));
        }
        PEER_UNTIL(peer, log->count[EVENT_ERROR] == 1);
        ck_assert_int_eq((int)log->reason, PLX_REASON_TLS_HANDSHAKE_FAILED);
        ck_assert_int_eq(scene_info(i == 0 ? s->client : s->server).check,
                         PLX_TLS_NO_COMMON_PROTOCOL);
        peer_settle(peer);
        ck_assert(!peer->is_done);
        peer_free(peer);
    }
}

/* A server that has no certificate, for a client whose ciphers allow that. */
SCENE_CASE(an_anonymous_server)
{
    for (int i = 0; i < 3; i++) {
        struct peer *peer = peer_new(w, true, NULL);
        unsigned char pin[32] = {0};
        char where[WHERE_SIZE];
        int listener = raw_listen(w, 5, where);

        SSL_CTX_set_max_proto_version(peer->context, TLS1_2_VERSION);
        ck_assert_int_eq(SSL_CTX_set_cipher_list(peer->context, "aNULL:@SECLEVEL=0"), 1);
        ck_assert_int_eq(SSL_CTX_set_dh_auto(peer->context, 1), 1);
        ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, "ALL:@SECLEVEL=0", NULL), 0);
        if (i == 1)
            ck_assert_int_eq(
                plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_OPTIONAL), 0);
        if (i == 2) {
            ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE),
                             0);
            ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0);
        }
        scene_prepare(s);
        ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
        peer_begin(peer, raw_accept(w, listener));
        PEER_UNTIL(peer,
                   s->client_log.count[EVENT_ERROR] + s->client_log.count[EVENT_CONNECTED] > 0);
        scene_expect_refused(s, PLX_TLS_NO_CERTIFICATE, "the peer has no certificate");
        peer_free(peer);
    }
}

/* RFC 7919 has no group of fewer than 2048 bits; OpenSSL's level 2 refuses this one. */
SCENE_CASE(a_server_with_a_small_group)
{
    struct certificate *own =
        scene_signed(s, &(struct paper){.names = "IP:127.0.0.1", .key = "RSA-2048"});
    struct peer *peer = peer_new(w, true, own);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *group = NULL;
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(EVP_PKEY_keygen_init(maker), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_group_name(maker, "modp_1536"), 1);
    ck_assert_int_eq(EVP_PKEY_generate(maker, &group), 1);
    EVP_PKEY_CTX_free(maker);
    SSL_CTX_set_max_proto_version(peer->context, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(peer->context, "DHE:@SECLEVEL=0"), 1);
    ck_assert_int_eq(SSL_CTX_set0_tmp_dh_pkey(peer->context, group), 1);
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, "DHE:@SECLEVEL=2", NULL), 0);
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
    peer_begin(peer, raw_accept(w, listener));
    PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] + s->client_log.count[EVENT_CONNECTED] > 0);
    scene_expect_refused(s, PLX_TLS_WEAK, "dh key too small");
    peer_free(peer);
}

/* ---- slow peers ------------------------------------------------------------------------------ */

SECTION("slow");

static void expect_in_time(struct scene *s, bool of_client, int limit)
{
    struct peer *peer = of_client ? peer_face_client(s, 0) : peer_face_server(s, 0);
    struct record *log = of_client ? &s->client_log : &s->server_log;

    world_settle(s->w);
    world_run(s->w, limit - 1);
    world_settle(s->w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
    time_pass(1);
    UNTIL(s->w, log->count[EVENT_ERROR] == 1);
    ck_assert_int_eq(log->code, ETIMEDOUT);
    ck_assert(has_words(log->message, "TLS"));
    peer_free(peer);
}

SCENE_CASE(a_silent_server)
{
    time_stop();
    expect_in_time(s, true, 30000);
    time_run();
}

/* A socket that accepts one client has the limit that it sets itself. */
static int accepted;
static struct record client_log;

static void take(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    accepted++;
    record_begin(&client_log, client);
    (void)user;
}

static plx_server *serve(struct scene *s, char *ret_where)
{
    static const plx_server_events events = {.accepted = take};
    plx_server *server = world_server(s->w);

    accepted = 0;
    plx_server_set_events(server, &events, s->w);
    ck_assert_int_eq(plx_server_set_tls(server, s->server_tls), 0);
    world_serve(s->w, server, ret_where);
    return server;
}

SCENE_CASE(a_silent_client)
{
    char where[WHERE_SIZE];
    int raw;

    time_stop();
    serve(s, where);
    raw = raw_connect(w, where);
    UNTIL(w, accepted == 1);
    world_run(w, 9999);
    world_settle(w);
    ck_assert_int_eq(client_log.count[EVENT_ERROR], 0);
    time_pass(1);
    UNTIL(w, client_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(client_log.code, ETIMEDOUT);
    raw_expect_end(w, raw);
    time_run();
}

/* Nor does a byte a second give it more time. */
SCENE_CASE(a_byte_a_second)
{
    struct peer *peer = peer_new(w, false, NULL);
    char where[WHERE_SIZE];
    int seconds = 0;

    time_stop();
    serve(s, where);
    peer_begin(peer, raw_connect(w, where));
    peer->most = 1;
    UNTIL(w, accepted == 1);
    for (; client_log.count[EVENT_ERROR] == 0; seconds++) {
        ck_assert_int_lt(seconds, 20);
        world_run(w, 1000);
        peer_turn(peer);
        world_settle(w);
    }
    ck_assert_int_eq(client_log.code, ETIMEDOUT);
    ck_assert_int_eq(seconds, 10);
    peer_free(peer);
    time_run();
}

/* Silent ones keep nobody else waiting. */
SCENE_CASE(a_server_beside_silent_clients)
{
    struct peer *peer = peer_new(w, false, NULL);
    char where[WHERE_SIZE];

    serve(s, where);
    for (int i = 0; i < 20; i++)
        raw_connect(w, where);
    UNTIL(w, accepted == 20);
    peer_begin(peer, raw_connect(w, where));
    PEER_UNTIL(peer, peer->is_done && client_log.count[EVENT_ENCRYPTED] == 1);
    peer_free(peer);
}

/* ---- floods ---------------------------------------------------------------------------------- */

SECTION("floods");

static void expect_flood_refused(struct record *log)
{
    ck_assert_int_eq(log->code, 102);
    ck_assert_int_eq((int)log->reason, PLX_REASON_TLS_HANDSHAKE_FAILED);
    ck_assert(has_words(log->message, "too many messages of TLS"));
    ck_assert_int_eq(log->os_error, EPROTO);
}

static void ask_for_keys(struct peer *peer)
{
    ck_assert_int_eq(SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    ck_assert_int_eq(SSL_do_handshake(peer->ssl), 1);
}

SCENE_CASE(key_updates)
{
    for (int i = 0; i < 2; i++) {
        struct peer *peer = i == 0 ? peer_meet_client(s, 13) : peer_meet_server(s, 13);
        struct record *log = i == 0 ? &s->client_log : &s->server_log;

        for (int j = 0; j < 20; j++) { /* a few at a time, with data between them, are allowed */
            ask_for_keys(peer);
            ask_for_keys(peer);
            peer_say(peer, ".");
            peer_settle(peer);
        }
        ck_assert_int_eq(log->count[EVENT_ERROR], 0);
        ck_assert_uint_eq(plx_socket_bytes_available(i == 0 ? s->client : s->server), 20);
        for (int j = 0; j < 100 && log->count[EVENT_ERROR] == 0; j++) {
            ask_for_keys(peer);
            peer_turn(peer);
            world_poll(w);
        }
        PEER_UNTIL(peer, log->count[EVENT_ERROR] == 1);
        expect_flood_refused(log);
        peer_free(peer);
    }
}

/* RFC 8446, 4.6.3: a peer may ask for keys at any time, also while it does not receive. */
SCENE_CASE(a_key_update_while_a_record_is_half_sent)
{
    enum { MUCH = 32 << 20 };
    char *much = calloc(1, MUCH);

    ck_assert_ptr_nonnull(much);
    for (int i = 0; i < 2; i++) {
        struct peer *peer = i == 0 ? peer_meet_client(s, 13) : peer_meet_server(s, 13);
        struct record *log = i == 0 ? &s->client_log : &s->server_log;
        plx_socket *socket = i == 0 ? s->client : s->server;

        peer->is_deaf = true;
        ck_assert_int_eq(plx_socket_write(socket, much, MUCH), MUCH);
        peer_settle(peer);
        ck_assert_uint_gt(plx_socket_bytes_left_to_send(socket), 0);
        for (int j = 0; j < 20; j++)
            ask_for_keys(peer);
        peer_say(peer, ".");
        PEER_UNTIL(peer, plx_socket_bytes_available(socket) == 1);
        peer->is_deaf = false;
        PEER_UNTIL(peer, peer->got_all == MUCH);
        ck_assert_int_eq(log->count[EVENT_ERROR], 0);
        peer_free(peer);
    }
    free(much);
}

/* RFC 5246, 7.4.1.1: a client ignores them during the handshake. */
SCENE_CASE(hello_requests_before_the_hello)
{
    struct peer *peer = peer_face_client(s, 12);

    for (int i = 0; i < 100 && s->client_log.count[EVENT_ERROR] == 0; i++) {
        raw_try(peer->descriptor, "\x16\x03\x03\x00\x04\x00\x00\x00\x00", 9);
        world_poll(w);
    }
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(s->client_log.code, 102);
    ck_assert_int_eq((int)s->client_log.reason, PLX_REASON_TLS_HANDSHAKE_FAILED);
    ck_assert(has_words(s->client_log.message, "the peer sends too many messages of TLS"));
    peer_free(peer);
}

SCENE_CASE(tickets)
{
    struct peer *peer = peer_meet_client(s, 13);

    for (int j = 0; j < 100 && s->client_log.count[EVENT_ERROR] == 0; j++) {
        ck_assert_int_eq(SSL_new_session_ticket(peer->ssl), 1);
        ck_assert_int_eq(SSL_do_handshake(peer->ssl), 1);
        peer_turn(peer);
        world_poll(w);
    }
    PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] == 1);
    expect_flood_refused(&s->client_log);
    peer_free(peer);
}

/* RFC 8446, 5.1: an empty record of the program's bytes is allowed, any number is an attack. */
SCENE_CASE(records_without_bytes)
{
    struct peer *peer = peer_meet_server(s, 12);

    for (int i = 0; i < 100000 && s->server_log.count[EVENT_ERROR] == 0; i++) {
        raw_try(peer->descriptor, "\x17\x03\x03\x00\x00", 5);
        if (i % 100 == 0)
            world_poll(w);
    }
    UNTIL(w, s->server_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(s->server_log.code, 102);
    peer_free(peer);
}

/* RFC 8446, 5.2: 16384 bytes and 256. */
SCENE_CASE(a_record_that_is_too_long)
{
    for (int i = 0; i < 4; i++) {
        struct peer *peer =
            i < 2 ? peer_meet_client(s, 12 + i % 2) : peer_meet_server(s, 12 + i % 2);
        struct record *log = i < 2 ? &s->client_log : &s->server_log;

        peer_send_raw(peer, "\x17\x03\x03\x48\x01", 5);
        for (int j = 0; j < 32; j++)
            peer_send_raw(peer, peer->got, sizeof peer->got);
        PEER_UNTIL(peer, log->count[EVENT_ERROR] == 1);
        ck_assert_int_eq(log->code, 102);
        ck_assert_int_eq(log->os_error, EPROTO);
        ck_assert_uint_eq(plx_socket_bytes_available(i < 2 ? s->client : s->server), 0);
        peer_free(peer);
    }
}

/* ---- renegotiation --------------------------------------------------------------------------- */

SECTION("renegotiation");

/* Refused by a warning (RFC 5246, 7.2.2); the raw peer, which is OpenSSL, then ends. */
SCENE_CASE(renegotiation)
{
    for (int i = 0; i < 2; i++) {
        struct peer *peer = i == 0 ? peer_meet_client(s, 12) : peer_meet_server(s, 12);
        struct record *log = i == 0 ? &s->client_log : &s->server_log;

        ck_assert_int_eq(SSL_renegotiate(peer->ssl), 1);
        SSL_do_handshake(peer->ssl);
        ERR_clear_error();
        peer_settle(peer);
        ck_assert_int_eq(peer->alert, SSL_AD_NO_RENEGOTIATION);
        ck_assert(has_words(log->message, "the peer has sent the alert \"handshake failure\""));
        peer_free(peer);
    }
}

/* The peer does not hear that it is refused. */
SCENE_CASE(renegotiation_without_end)
{
    struct peer *peer = peer_meet_client(s, 12);

    peer->is_deaf = true;
    for (int i = 0; i < 100 && s->client_log.count[EVENT_ERROR] == 0; i++) {
        ck_assert_int_eq(SSL_renegotiate(peer->ssl), 1);
        ck_assert_int_eq(SSL_do_handshake(peer->ssl), 1);
        peer_turn(peer);
        world_poll(w);
    }
    PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] == 1);
    expect_flood_refused(&s->client_log);
    peer_free(peer);
}

/* ---- many that leave ------------------------------------------------------------------------- */

SECTION("leaving", .timeout = 300);

/* world_end looks for what is left over. */
SCENE_CASE(handshakes_that_are_left)
{
    const char *count = getenv("POLLUX_TEST_HANDSHAKES");
    int most = count == NULL ? 1000 : atoi(count);
    char where[WHERE_SIZE];
    plx_server *server = serve(s, where);

    for (int i = 0; i < most; i++) {
        struct peer *peer = peer_new(w, false, NULL);

        peer_begin(peer, raw_connect(w, where));
        UNTIL(w, accepted == i + 1);
        for (int turn = 0; turn < i % 5; turn++) {
            peer->most = 100;
            peer_turn(peer);
            world_poll(w);
        }
        if (i % 2 == 0)
            raw_close(w, peer->descriptor);
        else
            raw_reset(w, peer->descriptor);
        UNTIL(w, plx_server_active_count(server) == 0);
        peer_free(peer);
    }
}

/* ---- SIGPIPE --------------------------------------------------------------------------------- */

SECTION("signals");

/* OpenSSL's own way to write would end the process. */
SCENE_CASE(a_peer_that_is_gone)
{
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 3; i++) {
        struct peer *peer = peer_meet_client(s, 13);

        if (i == 0)
            raw_reset(w, peer->descriptor);
        else
            raw_close(w, peer->descriptor);
        ck_assert_int_eq(plx_socket_write(s->client, "more", 4), 4);
        if (i == 2)
            plx_socket_close(s->client);
        else
            UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
        peer_free(peer);
    }
}

WORLD_MAIN("tls hostile")
