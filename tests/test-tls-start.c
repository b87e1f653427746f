/* tests/test-tls-start.c -- encrypting a connection in mid-stream (STARTTLS). */
#include "config.h"

#include "tests/tls/peer.h"

#include <errno.h>
#include <stdlib.h>

/* ---- both ends of ours ----------------------------------------------------------------------- */

/* The two sockets of the scene, connected in clear. */
static void meet_in_clear(struct scene *s)
{
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    ck_assert_int_eq(plx_socket_set_tls(s->server, NULL), 0);
    world_couple(s->w, s->client, s->server);
    record_clear(&s->client_log);
    record_clear(&s->server_log);
}

static void start_both(struct scene *s)
{
    ck_assert_int_eq(plx_socket_start_tls(s->server, s->server_tls), 0);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
}

static void expect_started(struct scene *s)
{
    UNTIL(s->w, s->client_log.count[EVENT_ENCRYPTED] == 1 &&
                    s->server_log.count[EVENT_ENCRYPTED] == 1);
    ck_assert(plx_socket_is_encrypted(s->client));
    ck_assert(plx_socket_is_encrypted(s->server));
}

SECTION("both ends");

SCENE_MODE_CASE(started)
{
    meet_in_clear(s);
    scene_talk(s);
    world_settle(w);
    record_clear(&s->client_log);
    record_clear(&s->server_log);
    start_both(s);
    ck_assert_int_eq(plx_socket_state(s->client), PLX_CONNECTED);
    ck_assert(!plx_socket_is_encrypted(s->client));
    expect_started(s);
    LOGGED(w, &s->client_log, "encrypted[CONNECTED]");
    LOGGED(w, &s->server_log, "encrypted[CONNECTED]");
    scene_talk(s);
    ck_assert_int_eq(scene_info(s->client).version, 13);
}

/* Whichever end begins. */
SCENE_CASE(started_by_one_end_first)
{
    for (int i = 0; i < 2; i++) {
        meet_in_clear(s);
        if (i == 0)
            ck_assert_int_eq(plx_socket_start_tls(s->server, s->server_tls), 0);
        else
            ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
        ck_assert_int_eq(plx_socket_write(i == 0 ? s->server : s->client, "later", 5), 5);
        if (i == 0) {
            world_settle(w);
            ck_assert_uint_eq(plx_socket_bytes_available(s->client), 0);
            ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
        } else {
            ck_assert_int_eq(plx_socket_start_tls(s->server, s->server_tls), 0);
        }
        expect_started(s);
        UNTIL(w, plx_socket_bytes_available(i == 0 ? s->client : s->server) == 5);
    }
}

/* The roles of TLS are those of the settings, whichever side has connected. */
SCENE_CASE(the_roles_the_other_way_round)
{
    meet_in_clear(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->server, "localhost"), 0);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->server_tls), 0);
    ck_assert_int_eq(plx_socket_start_tls(s->server, s->client_tls), 0);
    expect_started(s);
    scene_talk(s);
}

static void expect_pattern(struct world *w, plx_socket *from, plx_socket *to, size_t size)
{
    unsigned char piece[65536];
    size_t got = 0;

    for (int round = 0; got < size; round++) {
        ptrdiff_t count = plx_socket_read(to, piece, sizeof piece);

        ck_assert_int_lt(round, 100 * ROUNDS);
        ck_assert(pattern_matches(piece, (size_t)count, got));
        got += (size_t)count;
        world_poll(w);
    }
    ck_assert_uint_eq(got, size);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(from), 0);
}

SCENE_MODE_CASE(eight_mebibytes_both_ways)
{
    enum { SIZE = 8 << 20 };

    meet_in_clear(s);
    start_both(s);
    s->client_log.mute = s->server_log.mute = 1u << EVENT_SEND_PROGRESS;
    write_pattern(w, s->client, SIZE);
    write_pattern(w, s->server, SIZE);
    expect_pattern(w, s->client, s->server, SIZE);
    expect_pattern(w, s->server, s->client, SIZE);
    ck_assert(plx_socket_is_encrypted(s->client));
}

/* ---- bytes before and behind it -------------------------------------------------------------- */

SECTION("bytes");

/* The command leaves in clear, what is written behind the call does not. */
SCENE_CASE(queued_bytes_leave_in_clear_first)
{
    struct peer *peer = peer_new(w, true, s->papers[1]);
    int raw;

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    raw = world_pair(w, s->client, &s->client_log);
    ck_assert_int_eq(plx_socket_write(s->client, "STARTTLS\r\n", 10), 10);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
    ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
    raw_expect(w, raw, "STARTTLS\r\n");
    peer_begin(peer, raw);
    PEER_UNTIL(peer, strcmp(peer->got, "secret") == 0);
    ck_assert_int_eq(s->client_log.count[EVENT_ENCRYPTED], 1);
    peer_free(peer);
}

/* What is written before the handshake is done waits for it, also if it takes for ever. */
SCENE_CASE(nothing_leaves_in_clear)
{
    char got[2048];
    ptrdiff_t size = 0;
    int raw;

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    raw = world_pair(w, s->client, &s->client_log);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
    ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
    UNTIL(w, (size = raw_take(raw, got, sizeof got)) != RAW_NOTHING);
    ck_assert_int_gt(size, 0);
    world_settle(w);
    ck_assert_ptr_null(memmem(got, (size_t)size, "secret", 6));
    ck_assert_int_eq(raw_take(raw, got, sizeof got), RAW_NOTHING);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(s->client), 6);
    plx_socket_close(s->client);
    UNTIL(w, (size = raw_take(raw, got, sizeof got)) != RAW_NOTHING);
    ck_assert(size <= 0 || memmem(got, (size_t)size, "secret", 6) == NULL);
}

/* CVE-2011-0411: commands that somebody has put in before the handshake. */
SCENE_CASE(unread_bytes)
{
    int raw;

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    raw = world_pair(w, s->client, &s->client_log);
    raw_say(raw, "250 ready\r\nRSET\r\n");
    UNTIL(w, plx_socket_bytes_available(s->client) == 17);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), PLX_INVALID_STATE);
    ck_assert(has_words(plx_tls_error(s->client_tls)->message, "unread"));
    ck_assert_int_eq(plx_socket_state(s->client), PLX_CONNECTED);
    plx_socket_purge(s->client);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
}

/* They are in the kernel at the call: they feed the handshake, which fails. */
SCENE_CASE(injected_bytes)
{
    int raw;

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    raw = world_pair(w, s->client, &s->client_log);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
    raw_say(raw, "RSET\r\nMAIL FROM:<evil@example.org>\r\n");
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, &s->client_log,
           "state:UNCONNECTED error(102,23)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert(has_words(s->client_log.message, "the peer does not speak TLS"));
    ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_NOT_TLS);
    ck_assert_uint_eq(plx_socket_bytes_available(s->client), 0);
}

/* ---- failures -------------------------------------------------------------------------------- */

SECTION("failures");

SCENE_CASE(a_check_that_fails)
{
    meet_in_clear(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "other.example"), 0);
    start_both(s);
    ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1 &&
                 s->server_log.count[EVENT_DISCONNECTED] == 1);
    LOGGED(w, &s->client_log,
           "state:UNCONNECTED error(102,23)[UNCONNECTED] disconnected[UNCONNECTED]");
    ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_WRONG_NAME);
    ck_assert(has_words(s->client_log.message, "not other.example"));
    ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_ALERT);
    ck_assert_uint_eq(plx_socket_bytes_available(s->server), 0);
}

/* The name of a connection takes the place of the lasting one, and none leaves the address. */
SCENE_CASE(a_name_of_one_connection)
{
    s->name = "localhost";
    meet_in_clear(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "other.example"), 0);
    start_both(s);
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert(has_words(s->client_log.message, "not other.example"));
    s->name = "third.example";
    meet_in_clear(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, NULL), 0);
    start_both(s);
    expect_started(s);
}

/* A name that was set while connected, and a filter that start_tls has made, are for one
 * connection. */
SCENE_CASE(the_next_connection_is_in_clear)
{
    meet_in_clear(s);
    start_both(s);
    expect_started(s);
    plx_socket_close(s->client);
    plx_socket_close(s->server);
    world_couple(w, s->client, s->server);
    ck_assert(!plx_socket_is_encrypted(s->client));
    scene_talk(s);
    start_both(s);
    UNTIL(w, plx_socket_is_encrypted(s->client) && plx_socket_is_encrypted(s->server));
    scene_talk(s);
}

SCENE_CASE(twice)
{
    meet_in_clear(s);
    start_both(s);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), PLX_INVALID_STATE);
        ck_assert(has_words(plx_tls_error(s->client_tls)->message, "encrypted already"));
        expect_started(s);
    }
    scene_talk(s);
}

SCENE_CASE(not_connected)
{
    plx_tls *none = plx_tls_new_server();

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), PLX_INVALID_STATE);
    ck_assert(has_words(plx_tls_error(s->client_tls)->message, "not connected"));
    scene_connect(s);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_start_tls(s->server, s->server_tls), PLX_INVALID_STATE);
    meet_in_clear(s);
    ck_assert_int_eq(plx_socket_start_tls(s->server, none), PLX_INVALID_STATE);
    ck_assert(has_words(plx_tls_error(none)->message, "certificate"));
    ck_assert_int_eq(plx_socket_start_tls(NULL, none), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_start_tls(s->server, NULL), PLX_INVALID_STATE);
    scene_talk(s);
    plx_tls_free(none);
}

/* The time limit of a connect is that of the handshake too. */
SCENE_CASE(a_peer_that_does_not_answer)
{
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    ck_assert_int_eq(plx_socket_set_option(s->client, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
    time_stop();
    world_pair(w, s->client, &s->client_log);
    ck_assert_int_eq(plx_socket_start_tls(s->client, s->client_tls), 0);
    world_settle(w);
    world_run(w, 499);
    world_settle(w);
    LOGGED(w, &s->client_log, "");
    time_pass(1);
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(s->client_log.code, ETIMEDOUT);
    time_run();
}

WORLD_MAIN("tls start")
