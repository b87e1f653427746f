/* tests/test-tls-end.c -- how connections over TLS end: with a goodbye (close_notify), without one,
 * by an alert, by a reset, and in the midst of the handshake. */
#include "config.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tls/peer.h"

static const int versions[] = {12, 13};

/* `me` is the socket of ours that has met the peer, `log` its record: the client for i 0 and 1, the
 * server for 2 and 3, with TLS 1.2 and 1.3 by turns. */
#define EACH_END(name)                                                                             \
    static void name##_of(struct world *w, struct scene *s, struct peer *peer, plx_socket *me,     \
                          struct record *log, int version);                                        \
    SCENE_CASE(name)                                                                               \
    {                                                                                              \
        for (int i = 0; i < 4; i++) {                                                              \
            struct peer *peer = i < 2 ? peer_meet_client(s, versions[i % 2])                       \
                                      : peer_meet_server(s, versions[i % 2]);                      \
                                                                                                   \
            name##_of(w, s, peer, i < 2 ? s->client : s->server,                                   \
                      i < 2 ? &s->client_log : &s->server_log, versions[i % 2]);                   \
            peer_free(peer);                                                                       \
        }                                                                                          \
    }                                                                                              \
    static void name##_of(                                                                         \
        struct world *w CK_ATTRIBUTE_UNUSED, struct scene *s CK_ATTRIBUTE_UNUSED,                  \
        struct peer *peer CK_ATTRIBUTE_UNUSED, plx_socket *me CK_ATTRIBUTE_UNUSED,                 \
        struct record *log CK_ATTRIBUTE_UNUSED, int version CK_ATTRIBUTE_UNUSED)

static void expect_read(plx_socket *socket, const char *text)
{
    char got[64] = "";

    ck_assert_int_eq(plx_socket_read(socket, got, sizeof got - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(got, text);
}

static void expect_end(struct world *w, plx_socket *me, struct record *log, int os_error,
                       const char *words)
{
    LOGGED(w, log,
           "data_available[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] "
           "disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, os_error);
    ck_assert(has_words(log->message, words));
    expect_read(me, "last words");
}

/* ---- the peer ends --------------------------------------------------------------------------- */

SECTION("the peer ends");

EACH_END(with_a_goodbye)
{
    peer_say(peer, "last words");
    peer_goodbye(peer);
    peer_turn(peer);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    expect_end(w, me, log, 0, "");
    PEER_UNTIL(peer, peer->has_ended);
}

/* TLS 1.3 allows the peer to receive on; without HALF_OPEN the connection ends with the goodbye. */
EACH_END(with_a_goodbye_alone)
{
    peer_say(peer, "last words");
    peer_goodbye(peer);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1 && peer->has_ended);
    expect_end(w, me, log, 0, "");
    ck_assert(peer->has_goodbye);
}

EACH_END(without_a_goodbye)
{
    peer_say(peer, "last words");
    peer_turn(peer);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    expect_end(w, me, log, EPROTO, "the peer has ended without a goodbye: data may be missing");
}

EACH_END(inside_a_record)
{
    peer_say(peer, "last words");
    peer_turn(peer);
    raw_send(peer->descriptor, "\x17\x03\x03\x00\x40half", 9);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    expect_end(w, me, log, EPROTO, "without a goodbye");
}

SCENE_CASE(truncation_that_is_allowed)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_ALLOW_TRUNCATION, 1), 0);
    for (int i = 0; i < 2; i++) {
        struct peer *peer = peer_meet_client(s, versions[i]);

        peer_say(peer, "last words");
        peer_turn(peer);
        raw_end(peer->descriptor);
        PEER_UNTIL(peer, s->client_log.count[EVENT_DISCONNECTED] == 1);
        expect_end(w, s->client, &s->client_log, 0, "");
        peer_free(peer);
    }
}

EACH_END(by_an_alert)
{
    peer_say(peer, "last words");
    peer_turn(peer);
    /* The peer answers a record that it cannot decrypt by an alert. */
    ck_assert_int_eq(BIO_write(peer->in,
                               "\x17\x03\x03\x00\x20"
                               "0123456789abcdef0123456789abcdef",
                               37),
                     37);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    expect_end(w, me, log, EPROTO, "the peer has sent the alert \"bad record mac\"");
    ck_assert_int_eq(scene_info(me).check, PLX_TLS_ALERT);
}

/* And so do we. */
EACH_END(by_a_record_that_cannot_be_decrypted)
{
    peer_say(peer, "last words");
    peer_send_raw(peer,
                  "\x17\x03\x03\x00\x20"
                  "0123456789abcdef0123456789abcdef",
                  37);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1 && peer->has_ended);
    expect_end(w, me, log, EPROTO, "decryption failed or bad record mac");
    ck_assert_int_eq(peer->alert, SSL_AD_BAD_RECORD_MAC);
    ck_assert_int_eq(scene_info(me).check, PLX_TLS_OTHER);
}

EACH_END(by_a_reset)
{
    raw_reset(w, peer->descriptor);
    UNTIL(w, log->count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, log, "state:UNCONNECTED error(102,11)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(log->os_error, ECONNRESET);
}

/* ---- half-open ------------------------------------------------------------------------------- */

SECTION("half-open");

EACH_END(half_open)
{
    ck_assert_int_eq(plx_socket_set_option(me, PLX_OPTION_HALF_OPEN, 1), 0);
    peer_say(peer, "last words");
    peer_goodbye(peer);
    PEER_UNTIL(peer, log->count[EVENT_END_OF_INPUT] + log->count[EVENT_DISCONNECTED] > 0);
    if (version == 12) {
        expect_end(w, me, log, EPIPE, "TLS 1.2: the peer has ended the connection");
        PEER_UNTIL(peer, peer->has_ended);
        ck_assert(peer->has_goodbye);
        return;
    }
    LOGGED(w, log, "data_available[CONNECTED] end_of_input[CONNECTED]");
    expect_read(me, "last words");
    record_clear(log);
    ck_assert_int_eq(plx_socket_write(me, "answer", 6), 6);
    PEER_UNTIL(peer, strcmp(peer->got, "answer") == 0);
    plx_socket_disconnect(me);
    PEER_UNTIL(peer, peer->has_ended);
    ck_assert(peer->has_goodbye);
}

/* An end without a goodbye is no end of the input only. */
EACH_END(half_open_and_truncated)
{
    ck_assert_int_eq(plx_socket_set_option(me, PLX_OPTION_HALF_OPEN, 1), 0);
    peer_say(peer, "last words");
    peer_turn(peer);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    expect_end(w, me, log, EPROTO, "without a goodbye");
}

/* ---- we end ---------------------------------------------------------------------------------- */

SECTION("we end");

EACH_END(disconnect)
{
    ck_assert_int_eq(plx_socket_write(me, "last words", 10), 10);
    plx_socket_disconnect(me);
    ck_assert_int_eq(plx_socket_state(me), PLX_CLOSING);
    PEER_UNTIL(peer, peer->has_ended);
    ck_assert(peer->has_goodbye);
    ck_assert_str_eq(peer->got, "last words");
    peer_goodbye(peer);
    peer_turn(peer);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, log->count[EVENT_DISCONNECTED] == 1);
    ck_assert_msg(log->count[EVENT_ERROR] == 0, "%s", log->message);
}

/* Many peers answer a goodbye by an end without one; what we have sent has arrived. */
EACH_END(disconnect_without_an_answer)
{
    ck_assert_int_eq(plx_socket_write(me, "last words", 10), 10);
    plx_socket_disconnect(me);
    PEER_UNTIL(peer, peer->has_ended);
    raw_end(peer->descriptor);
    PEER_UNTIL(peer, plx_socket_state(me) == PLX_UNCONNECTED);
    world_settle(w);
    ck_assert_msg(log->count[EVENT_ERROR] == 0, "%s", log->message);
    ck_assert_int_eq(log->count[EVENT_DISCONNECTED], 1);
}

EACH_END(close_says_goodbye)
{
    plx_socket_close(me);
    PEER_UNTIL(peer, peer->has_ended);
    ck_assert(peer->has_goodbye);
    ck_assert_int_eq(log->count[EVENT_ERROR], 0);
}

/* The peer must not take a part for the whole. */
EACH_END(close_with_bytes_unsent_says_nothing)
{
    enum { SIZE = 8 << 20 };

    write_pattern(w, me, SIZE);
    world_settle(w);
    ck_assert_uint_gt(plx_socket_bytes_left_to_send(me), 0);
    plx_socket_close(me);
    PEER_UNTIL(peer, peer->has_ended);
    peer_settle(peer);
    ck_assert_uint_lt(peer->got_all, SIZE);
    ck_assert(!peer->has_goodbye);
}

EACH_END(abort_says_nothing)
{
    plx_socket_abort(me);
    PEER_UNTIL(peer, peer->has_ended);
    ck_assert(!peer->has_goodbye);
}

/* ---- in the handshake ------------------------------------------------------------------------ */

SECTION("in the handshake");

SCENE_CASE(an_end_before_the_handshake)
{
    for (int i = 0; i < 2; i++) {
        struct peer *peer = i == 0 ? peer_face_client(s, 0) : peer_face_server(s, 0);
        struct record *log = i == 0 ? &s->client_log : &s->server_log;

        world_settle(w);
        raw_end(peer->descriptor);
        UNTIL(w, log->count[EVENT_ERROR] == 1);
        LOGGED(w, log,
               i == 0 ? "state:CONNECTING state:UNCONNECTED error(102,23)[UNCONNECTED]"
                      : "state:LISTENING state:CONNECTING state:UNCONNECTED "
                        "error(102,23)[UNCONNECTED]");
        ck_assert(has_words(log->message, "the connection has ended during the handshake"));
        peer_free(peer);
    }
}

/* Cuts the connection in many places of the peer's part of the handshake, until our side is
 * connected. */
static void cut_each(struct scene *s, bool is_client, int version, size_t step)
{
    struct record *log = is_client ? &s->client_log : &s->server_log;
    size_t bytes = 0;
    bool passed = false;

    while (!passed) {
        struct peer *peer = is_client ? peer_face_client(s, version) : peer_face_server(s, version);

        bytes += step;
        for (size_t left = bytes; left > 0 && log->count[EVENT_CONNECTED] == 0; left--) {
            peer->most = 1;
            peer_turn(peer);
            world_poll(s->w);
        }
        peer->is_mute = true;
        peer_settle(peer);
        raw_end(peer->descriptor);
        PEER_UNTIL(peer, log->count[EVENT_ERROR] == 1);
        passed = log->count[EVENT_CONNECTED] == 1;
        ck_assert_int_eq(log->code, 102);
        ck_assert_int_eq((int)log->reason, passed ? 11 : 23);
        ck_assert_int_eq(log->count[EVENT_DISCONNECTED], passed ? 1 : 0);
        peer_free(peer);
    }
}

SCENE_CASE(an_end_in_each_place_of_the_handshake)
{
    for (int i = 0; i < 2; i++) {
        cut_each(s, true, versions[i], 53);
        cut_each(s, false, versions[i], 29);
    }
}

/* Ends by us, in each place. */
static void leave_each(struct scene *s, bool is_client, int version, void (*leave)(plx_socket *))
{
    bool passed = false;

    for (int turns = 0; !passed; turns++) {
        struct peer *peer = is_client ? peer_face_client(s, version) : peer_face_server(s, version);
        struct record *log = is_client ? &s->client_log : &s->server_log;

        peer->most = 60;
        for (int i = 0; i < turns; i++) {
            peer_turn(peer);
            world_poll(s->w);
        }
        passed = log->count[EVENT_CONNECTED] == 1;
        leave(is_client ? s->client : s->server);
        PEER_UNTIL(peer, peer->has_ended);
        peer_settle(peer);
        ck_assert_int_eq(plx_socket_state(is_client ? s->client : s->server), PLX_UNCONNECTED);
        ck_assert_int_eq(log->count[EVENT_ERROR], 0);
        peer_free(peer);
    }
}

SCENE_CASE(close_in_each_place_of_the_handshake)
{
    for (int i = 0; i < 2; i++) {
        leave_each(s, true, versions[i], plx_socket_close);
        leave_each(s, false, versions[i], plx_socket_close);
        leave_each(s, true, versions[i], plx_socket_abort);
    }
}

/* ---- a fork ---------------------------------------------------------------------------------- */

SECTION("fork");

/* A goodbye of the child would be one record too many for the other side of the parent. */
SCENE_CASE(a_child_frees_all_and_the_parent_goes_on)
{
    int status = 0;
    pid_t child;

    scene_meet(s);
    scene_expect_encrypted(s);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        plx_socket_free(s->client);
        plx_socket_free(s->server);
        plx_tls_free(s->client_tls);
        plx_tls_free(s->server_tls);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    scene_talk(s);
}

WORLD_MAIN("tls end")
