/* tests/test-tls-errors.c -- errors of TLS: codes, reasons and words, and calls that are refused.
 *
 * What a check of the certificate finds is in tests/test-tls-trust.c and tests/test-tls-names.c. */
#include "config.h"

#include <openssl/err.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "tests/tls/peer.h"

/* ---- options --------------------------------------------------------------------------------- */

SECTION("options");

/* The least and the largest value of each. */
static const struct {
    plx_tls_option option;
    int least, most;
} ranges[] = {
    {PLX_TLS_VERIFY, 0, 2},           {PLX_TLS_VERIFY_DEPTH, 0, 100},
    {PLX_TLS_MINIMUM, 12, 13},        {PLX_TLS_MAXIMUM, 12, 13},
    {PLX_TLS_SESSIONS, 0, 1},         {PLX_TLS_ALLOW_TRUNCATION, 0, 1},
    {PLX_TLS_PAUSE_ON_PROBLEM, 0, 1},
};

static void expect_refused(plx_tls *tls, int code, const char *words)
{
    const plx_error *error = plx_tls_error(tls);

    ck_assert_int_eq(code, PLX_INVALID_STATE);
    ck_assert_int_eq(error->code, PLX_INVALID_STATE);
    ck_assert_int_eq((int)error->reason, PLX_REASON_TLS_INVALID_USER_DATA);
    ck_assert_int_eq(error->os_error, 0);
    ck_assert(has_words(error->message, words));
    ck_assert_uint_eq(ERR_peek_error(), 0); /* a program may use OpenSSL too */
}

SCENE_CASE(ranges_of_options)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        plx_tls *tls = plx_tls_new_client();
        plx_tls_option option = ranges[i].option;
        const int wrong[] = {ranges[i].least - 1, ranges[i].most + 1, -1, INT_MIN, INT_MAX};

        ck_assert_int_eq(plx_tls_error(tls)->code, 0);
        ck_assert_str_eq(plx_tls_error(tls)->message, "");
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++)
            expect_refused(tls, plx_tls_set_option(tls, option, wrong[j]), "is not allowed");
        for (int value = ranges[i].least; value <= ranges[i].most; value++)
            ck_assert_int_eq(plx_tls_set_option(tls, option, value), 0);
        ck_assert_int_eq(plx_tls_set_option(NULL, option, ranges[i].least), PLX_INVALID_STATE);
        plx_tls_free(tls);
    }
    expect_refused(s->client_tls, plx_tls_set_option(s->client_tls, (plx_tls_option)7, 0), "7");
    expect_refused(s->client_tls, plx_tls_set_option(s->client_tls, (plx_tls_option)-1, 0), "-1");
}

SCENE_CASE(versions)
{
    for (int version = 12; version <= 13; version++) {
        plx_tls *tls = version == 12 ? s->client_tls : s->server_tls;

        ck_assert_int_eq(plx_tls_set_option(tls, PLX_TLS_MAXIMUM, version), 0);
        ck_assert_int_eq(plx_tls_set_option(tls, PLX_TLS_MINIMUM, version), 0);
        scene_meet(s);
        if (version == 12) {
            scene_expect_encrypted(s);
            ck_assert_int_eq(scene_info(s->client).version, 12);
            expect_refused(tls, plx_tls_set_option(tls, PLX_TLS_MINIMUM, 13), "13");
        } else {
            scene_expect_refused(s, PLX_TLS_NO_COMMON_PROTOCOL, "protocol version");
            ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_NO_COMMON_PROTOCOL);
            expect_refused(tls, plx_tls_set_option(tls, PLX_TLS_MAXIMUM, 12), "12");
        }
    }
}

/* A program that uses OpenSSL too may leave errors in the queue of the thread. */
SCENE_CASE(errors_that_the_program_has_left)
{
    scene_meet(s);
    scene_expect_encrypted(s);
    for (int i = 0; i < 20; i++) {
        ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
        if (i == 5)
            ck_assert_int_eq(plx_socket_write(s->client, "hello", 5), 5);
        world_poll(w);
    }
    UNTIL(w, plx_socket_bytes_available(s->server) == 5);
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR);
    ck_assert_int_eq(plx_socket_disconnect(s->client), 0);
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert_int_eq(s->client_log.count[EVENT_ERROR], 0);
    ck_assert(s->server_log.count[EVENT_ERROR] == 0 || s->server_log.code == 102);
    ERR_clear_error();
}

/* ---- ciphers --------------------------------------------------------------------------------- */

SECTION("ciphers");

SCENE_CASE(ciphers)
{
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, NULL, "TLS_CHACHA20_POLY1305_SHA256"), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->client).cipher, "TLS_CHACHA20_POLY1305_SHA256");
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, 12), 0);
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->client).cipher, "ECDHE-ECDSA-AES128-GCM-SHA256");
    ck_assert_int_eq(plx_tls_set_ciphers(s->server_tls, "ECDHE-ECDSA-AES256-GCM-SHA384", NULL), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_NO_COMMON_PROTOCOL, "handshake failure");
    ck_assert(has_words(s->server_log.message, "no version or cipher of TLS in common"));
    ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_NO_COMMON_PROTOCOL);
}

SCENE_CASE(ciphers_that_are_none)
{
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, NULL, "TLS_AES_128_GCM_SHA256"), 0);
    expect_refused(s->client_tls, plx_tls_set_ciphers(s->client_tls, "nonsense", NULL),
                   "ciphers of TLS 1.2: ");
    expect_refused(s->client_tls, plx_tls_set_ciphers(s->client_tls, "", NULL),
                   "ciphers of TLS 1.2: ");
    expect_refused(s->client_tls, plx_tls_set_ciphers(s->client_tls, NULL, "nonsense"),
                   "ciphers of TLS 1.3: ");
    expect_refused(s->client_tls, plx_tls_set_ciphers(s->client_tls, NULL, ""),
                   "ciphers of TLS 1.3: none");
    ck_assert_int_eq(plx_tls_set_ciphers(NULL, "DEFAULT", NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, NULL, NULL), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->client).cipher, "TLS_AES_128_GCM_SHA256");
}

/* ---- sockets and servers that take no TLS ---------------------------------------------------- */

SECTION("objects");

/* The settings of TLS are for streams. */
SCENE_CASE(kinds_that_are_no_streams)
{
    plx_constructor *const kinds_[] = {plx_udp_new, plx_seqpacket_new};

    for (size_t i = 0; i < sizeof kinds_ / sizeof kinds_[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket_of(w, kinds_[i], &log);
        plx_server *server = plx_server_new(kinds_[i]);
        plx_tls_info info;

        expect_refused(s->client_tls, plx_socket_set_tls(socket, s->client_tls), "TLS: ");
        ck_assert_int_eq(plx_socket_set_tls(socket, NULL), 0);
        ck_assert_int_eq(plx_socket_set_tls_name(socket, "localhost"), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_start_tls(socket, s->client_tls), PLX_INVALID_STATE);
        ck_assert_int_eq(plx_socket_resume(socket, true), PLX_INVALID_STATE);
        ck_assert(!plx_socket_tls_info(socket, &info));
        ck_assert_uint_eq(plx_socket_peer_certificate(socket, 0, NULL, 0), 0);
        if (server != NULL)
            ck_assert_int_eq(plx_server_set_tls(server, s->server_tls), PLX_INVALID_STATE);
        plx_server_free(server);
    }
}

SCENE_CASE(settings_exchanged_before_connecting)
{
    plx_tls *other = plx_tls_new_client();

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->client, other), 0);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "not trusted here");
    world_settle(w);
    plx_socket_close(s->server);
    record_clear(&s->client_log);
    record_clear(&s->server_log);
    ck_assert_int_eq(plx_socket_set_tls(s->client, s->client_tls), 0);
    plx_tls_free(other); /* the socket has no share any more */
    scene_connect(s);
    UNTIL(w,
          s->client_log.count[EVENT_ENCRYPTED] == 1 && s->server_log.count[EVENT_ENCRYPTED] == 1);
    scene_expect_encrypted(s);
}

SCENE_CASE(settings_that_do_not_fit)
{
    plx_tls *none = plx_tls_new_server();
    plx_server *server = world_server(w);

    scene_prepare(s);
    expect_refused(none, plx_socket_set_tls(s->server, none), "a server needs a certificate");
    expect_refused(none, plx_server_set_tls(server, none), "a server needs a certificate");
    expect_refused(s->client_tls, plx_server_set_tls(server, s->client_tls),
                   "these are settings of a client");
    ck_assert_int_eq(plx_server_set_tls(server, NULL), 0);
    ck_assert_int_eq(plx_server_set_tls(NULL, s->server_tls), PLX_INVALID_STATE);
    scene_connect(s);
    expect_refused(s->client_tls, plx_socket_set_tls(s->client, s->client_tls),
                   "the socket is not unconnected");
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), PLX_INVALID_STATE);
    plx_tls_free(none);
}

SCENE_CASE(nulls)
{
    plx_tls_info info;
    const plx_error *error = plx_tls_error(NULL);

    ck_assert_int_eq(error->code, PLX_INVALID_STATE);
    ck_assert_str_ne(error->message, "");
    ck_assert_ptr_null(plx_tls_free(NULL));
    ck_assert_int_eq(plx_tls_trust_file(NULL, "x"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_trust_memory(NULL, "x", 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_reject_file(NULL, "x"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_pin(NULL, (const unsigned char *)"01234567890123456789012345678901"),
                     PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_use_file(NULL, "x", NULL, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_use_memory(NULL, "x", 1, NULL, 0, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_reload(NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_check(NULL, NULL, NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls(NULL, s->client_tls), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls(NULL, NULL), PLX_INVALID_STATE);
    ck_assert(!plx_socket_tls_info(NULL, &info));
    ck_assert_uint_eq(plx_socket_peer_certificate(NULL, 0, NULL, 0), 0);
    scene_prepare(s);
    ck_assert(!plx_socket_tls_info_sized(s->client, NULL, 5));
    ck_assert_int_eq(plx_tls_reload(s->client_tls), 0);
}

/* ---- connecting again ------------------------------------------------------------------------ */

SECTION("again");

/* Connects with AUTO_CONNECT, and returns after the error. */
static void fail_with_auto_connect(struct scene *s)
{
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_option(s->client, PLX_OPTION_AUTO_CONNECT, 1), 0);
    scene_connect(s);
    UNTIL(s->w, s->client_log.count[EVENT_ERROR] == 1);
    world_settle(s->w);
}

/* A check that has failed will not get better by itself. */
SCENE_CASE(a_check_is_not_tried_again)
{
    s->name = "other.example";
    s->keeps_port = true;
    time_stop();
    fail_with_auto_connect(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "other.example");
    ck_assert_int_eq(plx_socket_reconnects_in(s->client), -1);
    world_run(w, 60000);
    ck_assert_int_eq(s->client_log.count[EVENT_STATE_CHANGED], 2);
    time_run();
}

/* The peer may speak TLS when it has started. */
SCENE_CASE(a_handshake_is_tried_again)
{
    time_stop();
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_tls(s->server, NULL), 0);
    ck_assert_int_eq(plx_socket_set_option(s->client, PLX_OPTION_AUTO_CONNECT, 1), 0);
    scene_connect(s);
    UNTIL(w, plx_socket_is_connected(s->server));
    ck_assert_int_eq(plx_socket_write(s->server, "220 ready\r\n", 11), 11);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_NOT_TLS);
    UNTIL(w, plx_socket_reconnects_in(s->client) >= 0);
    plx_socket_close(s->server);
    ck_assert_int_eq(plx_socket_set_tls(s->server, s->server_tls), 0);
    s->keeps_port = true;
    {
        char where[WHERE_SIZE];

        snprintf(where, sizeof where, "127.0.0.1:%d", s->port);
        ck_assert_int_eq(plx_socket_listen_on(s->server, where), 0);
    }
    for (int i = 0; i < 1000 && s->client_log.count[EVENT_ENCRYPTED] == 0; i++) {
        time_pass(10);
        world_turn(w, i);
    }
    ck_assert_int_eq(s->client_log.count[EVENT_ENCRYPTED], 1);
    time_run();
}

/* ---- what is known about a connection -------------------------------------------------------- */

SECTION("info");

SCENE_CASE(info_before_and_behind_a_connection)
{
    unsigned char der[4096], want[4096];
    size_t size = certificate_der(s->papers[1], want, sizeof want);
    plx_tls_info info;

    scene_prepare(s);
    info = scene_info(s->client);
    ck_assert_int_eq(info.version, 0);
    ck_assert_str_eq(info.cipher, "");
    ck_assert(!info.peer_has_certificate);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 0, der, sizeof der), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    plx_socket_close(s->client);
    info = scene_info(s->client);
    ck_assert_int_eq(info.version, 13);
    ck_assert_str_eq(info.subject, "CN=server");
    ck_assert(!plx_socket_is_encrypted(s->client));
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 0, der, sizeof der), size);
    ck_assert_mem_eq(der, want, size);
    memset(der, 0, sizeof der);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 0, der, size - 1), size);
    ck_assert_int_eq(der[0], 0);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 0, NULL, sizeof der), size);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, SIZE_MAX, der, sizeof der), 0);
    ck_assert_int_eq(plx_socket_set_tls(s->client, NULL), 0);
    ck_assert(!plx_socket_tls_info(s->client, &info));
}

/* A program that was built with an older header has a smaller struct. */
SCENE_CASE(info_of_an_older_program)
{
    struct {
        plx_tls_info info;
        char fence[16];
    } got;

    scene_meet(s);
    for (size_t size = 0; size <= sizeof got; size += 20) {
        memset(&got, 0x55, sizeof got);
        ck_assert(plx_socket_tls_info_sized(s->client, &got.info, size));
        for (size_t i = size; i < sizeof got; i++)
            ck_assert_int_eq(((unsigned char *)&got)[i], 0x55);
        if (size >= sizeof(int))
            ck_assert_int_eq(got.info.version, 13);
    }
}

/* The error of the peer's end: after the handshake an alert is a lost connection. */
SCENE_CASE(errors_have_the_address)
{
    s->name = "other.example";
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "TLS to 127.0.0.1 port ");
    ck_assert_int_eq(s->client_log.os_error, 0);
    LOGGED(w, &s->server_log,
           "state:LISTENING state:CONNECTING state:UNCONNECTED error(102,23)[UNCONNECTED]");
    ck_assert(has_words(s->server_log.message, "TLS from 127.0.0.1 port "));
    ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_ALERT);
}

WORLD_MAIN("tls errors")
