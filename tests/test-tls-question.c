/* tests/test-tls-question.c -- asking the program whether to go on with a peer whose check has
 * failed. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/tls/peer.h"

/* ---- a handler ------------------------------------------------------------------------------- */

/* What the handler answers, what it does before that, and what it saw. */
static struct {
    int answer, asked;
    plx_tls_check check;
    plx_state state;
    char subject[256];
    bool peer_has_certificate, resume, has_der;
    int resumed;
    void (*act)(plx_socket *socket);
    struct scene *scene;
} handler;

static int answer(plx_socket *socket, const plx_tls_info *problem, void *user)
{
    ck_assert_ptr_eq(user, &handler);
    handler.asked++;
    handler.check = problem->check;
    handler.state = plx_socket_state(socket);
    handler.peer_has_certificate = problem->peer_has_certificate;
    handler.has_der = plx_socket_peer_certificate(socket, 0, NULL, 0) > 0;
    snprintf(handler.subject, sizeof handler.subject, "%s", problem->subject);
    if (handler.act != NULL)
        handler.act(socket);
    return handler.answer;
}

static void ask(plx_tls *tls, int value)
{
    memset(&handler, 0, sizeof handler);
    handler.answer = value;
    ck_assert_int_eq(plx_tls_set_check(tls, answer, &handler), 0);
}

/* Lets the server present a certificate that nobody trusts. */
static void present_unknown(struct scene *s)
{
    scene_use(s, s->server_tls,
              scene_paper(s, &(struct paper){.subject = "unknown", .names = "IP:127.0.0.1"}, NULL));
}

static void begin_paused(struct scene *s)
{
    scene_prepare(s);
    scene_connect(s);
    UNTIL(s->w, handler.asked == 1);
    world_settle(s->w);
}

/* ---- answers --------------------------------------------------------------------------------- */

SECTION("answers");

SCENE_MODE_CASE(refused)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_REFUSE);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed and not trusted here (CN=unknown)");
    ck_assert_int_eq(handler.asked, 1);
    ck_assert_int_eq(handler.check, PLX_TLS_UNTRUSTED);
    ck_assert_int_eq(handler.state, PLX_CONNECTING);
    ck_assert(handler.peer_has_certificate);
    ck_assert(handler.has_der);
    ck_assert_str_eq(handler.subject, "CN=unknown");
    ck_assert(has_words(s->server_log.message, "alert"));
}

SCENE_MODE_CASE(accepted)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    s->keeps_port = true;
    for (int i = 1; i <= 3; i++) {
        scene_meet(s);
        scene_expect_encrypted(s);
        scene_talk(s);
        ck_assert_int_eq(handler.asked, i);
        ck_assert(!scene_info(s->client).resumed);
        ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_UNTRUSTED);
    }
}

SCENE_CASE(accepted_in_tls_12)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, 12), 0);
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    s->keeps_port = true;
    for (int i = 1; i <= 3; i++) {
        scene_meet(s);
        scene_expect_encrypted(s);
        scene_talk(s);
        ck_assert_int_eq(handler.asked, i);
        ck_assert(!scene_info(s->client).resumed);
    }
}

/* What was accepted is not why the connection fails later. */
SCENE_CASE(accepted_and_then_ended_by_the_peer)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, 12), 0);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_REQUIRE), 0);
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_option(s->client, PLX_OPTION_AUTO_CONNECT, 1), 0);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert(has_words(s->client_log.message, "the alert \"handshake failure\""));
    ck_assert_int_gt(plx_socket_reconnects_in(s->client), 0);
    ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_UNTRUSTED);
}

/* No answer but ACCEPT goes on. */
SCENE_CASE(strange_answers)
{
    present_unknown(s);
    for (int i = 0; i < 3; i++) {
        ask(s->client_tls, (int[]){-1, 3, 1000}[i]);
        scene_meet(s);
        scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
    }
}

SCENE_CASE(not_asked)
{
    ask(s->client_tls, PLX_TLS_REFUSE);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_int_eq(handler.asked, 0);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    present_unknown(s);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_int_eq(handler.asked, 0);
}

SCENE_CASE(always_asked)
{
    ask(s->client_tls, PLX_TLS_ACCEPT);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_OPTIONAL), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_int_eq(handler.asked, 1);
    ck_assert_int_eq(handler.check, PLX_TLS_CHECK_NONE);
    ask(s->client_tls, PLX_TLS_REFUSE);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_CHECK_NONE, "the program has refused the peer");
}

/* A pin, and a file of rejected certificates, are the program's own word. */
SCENE_CASE(what_is_not_asked_about)
{
    unsigned char pin[32] = {0};
    char path[WHERE_SIZE];

    scene_file(s, s->papers[1], path);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PIN, "not pinned");
    scene_renew_client(s, s->root);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    ck_assert_int_eq(plx_tls_reject_file(s->client_tls, path), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_REJECTED, "rejected");
    ck_assert_int_eq(handler.asked, 0);
}

/* ---- pauses ---------------------------------------------------------------------------------- */

SECTION("pauses");

SCENE_MODE_CASE(paused_and_resumed)
{
    present_unknown(s);
    for (int i = 0; i < 2; i++) {
        ask(s->client_tls, PLX_TLS_PAUSE);
        begin_paused(s);
        LOGGED(w, &s->client_log, "state:CONNECTING");
        ck_assert_int_eq(plx_socket_resume(s->client, i == 0), 0);
        ck_assert_int_eq(plx_socket_resume(s->client, i == 0), PLX_INVALID_STATE);
        UNTIL(w, s->client_log.count[EVENT_ENCRYPTED] + s->client_log.count[EVENT_ERROR] > 0);
        world_settle(w);
        if (i == 0) {
            scene_expect_encrypted(s);
            scene_talk(s);
        } else {
            scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
        }
        ck_assert_int_eq(handler.asked, 1);
    }
    ck_assert_int_eq(plx_socket_resume(s->client, true), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_resume(NULL, true), PLX_INVALID_STATE);
}

/* Qt's pause mode. */
SCENE_CASE(paused_without_a_handler)
{
    present_unknown(s);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_PAUSE_ON_PROBLEM, 1), 0);
    for (int i = 0; i < 2; i++) {
        scene_prepare(s);
        scene_connect(s);
        UNTIL(w, scene_info(s->client).check == PLX_TLS_UNTRUSTED);
        world_settle(w);
        LOGGED(w, &s->client_log, "state:CONNECTING");
        ck_assert_int_eq(plx_socket_resume(s->client, i == 0), 0);
        UNTIL(w, s->client_log.count[EVENT_ENCRYPTED] + s->client_log.count[EVENT_ERROR] > 0);
        world_settle(w);
        if (i == 0)
            scene_expect_encrypted(s);
        else
            scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
    }
}

SCENE_CASE(time_goes_on_while_paused)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_PAUSE);
    time_stop();
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_set_option(s->client, PLX_OPTION_CONNECT_TIMEOUT, 700), 0);
    scene_connect(s);
    UNTIL(w, handler.asked == 1);
    world_run(w, 699);
    world_settle(w);
    ck_assert_int_eq(s->client_log.count[EVENT_ERROR], 0);
    time_pass(1);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(s->client_log.code, ETIMEDOUT);
    ck_assert_int_eq(plx_socket_resume(s->client, true), PLX_INVALID_STATE);
    time_run();
}

/* While a person thinks nothing is spent. */
SCENE_CASE(a_pause_does_not_spin)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_PAUSE);
    begin_paused(s);
    for (int i = 0; i < 3; i++)
        ck_assert(!world_poll(w));
    ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
    world_settle(w);
    ck_assert_uint_eq(plx_socket_bytes_left_to_send(s->client), 6);
    ck_assert_int_eq(plx_socket_resume(s->client, true), 0);
    UNTIL(w, plx_socket_bytes_available(s->server) == 6);
}

SCENE_CASE(the_peer_leaves_while_paused)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_PAUSE);
    begin_paused(s);
    plx_socket_abort(s->server);
    world_settle(w);
    ck_assert_int_eq(plx_socket_resume(s->client, true), 0);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert_int_eq(s->client_log.code, 102);
}

/* ---- calls inside the handler ---------------------------------------------------------------- */

SECTION("calls inside the handler");

static void resume_yes(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_resume(socket, true), 0);
}

static void resume_no(plx_socket *socket)
{
    ck_assert_int_eq(plx_socket_resume(socket, false), 0);
}

static void free_it(plx_socket *socket)
{
    world_free(handler.scene->w, socket);
    handler.scene->client = NULL;
}

static void free_settings_too(plx_socket *socket)
{
    free_it(socket);
    handler.scene->client_tls = plx_tls_free(handler.scene->client_tls);
}

static void take_it_away(plx_socket *socket)
{
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_set_tls(socket, NULL), 0);
}

static void connect_again(plx_socket *socket)
{
    char where[WHERE_SIZE];

    plx_socket_close(socket);
    plx_socket_close(handler.scene->server);
    handler.act = NULL;
    handler.answer = PLX_TLS_REFUSE;
    ck_assert_int_eq(
        plx_tls_set_option(handler.scene->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    world_listen(handler.scene->w, handler.scene->server, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
}

/* The next connection, whose SSL may be where the one of this question was, pauses during a wait:
 * the answer to this question is none to that one. */
static void wait_for_another_pause(plx_socket *socket)
{
    char where[WHERE_SIZE];
    plx_tls *tls = handler.scene->client_tls;

    plx_socket_close(socket);
    plx_socket_close(handler.scene->server);
    ck_assert_int_eq(plx_tls_set_check(tls, NULL, NULL), 0);
    ck_assert_int_eq(plx_tls_set_option(tls, PLX_TLS_PAUSE_ON_PROBLEM, 1), 0);
    world_listen(handler.scene->w, handler.scene->server, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    for (int i = 0; i < 50; i++) {
        ck_assert(!plx_socket_wait_for_connected(socket, 1));
        plx_socket_wait(handler.scene->server, 1);
    }
}

static void change_settings(plx_socket *socket)
{
    (void)socket;
    ck_assert_int_eq(plx_tls_set_check(handler.scene->client_tls, NULL, NULL), 0);
    ck_assert_int_eq(plx_tls_set_ciphers(handler.scene->client_tls, "DEFAULT", NULL), 0);
    ck_assert_int_eq(plx_tls_reload(handler.scene->client_tls), 0);
}

/* What is called, what the handler answers, and what becomes of it: 0 nothing is reported, 1
 * encrypted, -1 refused. */
static const struct {
    void (*act)(plx_socket *socket);
    int answer, outcome;
} acts[] = {
    {resume_yes, PLX_TLS_REFUSE, 1},        {resume_yes, PLX_TLS_PAUSE, 1},
    {resume_no, PLX_TLS_ACCEPT, -1},        {plx_socket_close, PLX_TLS_ACCEPT, 0},
    {plx_socket_close, PLX_TLS_PAUSE, 0},   {plx_socket_abort, PLX_TLS_ACCEPT, 0},
    {free_it, PLX_TLS_ACCEPT, 0},           {free_it, PLX_TLS_PAUSE, 0},
    {take_it_away, PLX_TLS_ACCEPT, 0},      {connect_again, PLX_TLS_REFUSE, 1},
    {wait_for_another_pause, PLX_TLS_ACCEPT, 0},
    {change_settings, PLX_TLS_ACCEPT, 1},   {change_settings, PLX_TLS_REFUSE, -1},
    {free_settings_too, PLX_TLS_ACCEPT, 0}, /* the last one: the scene has no settings then */
};

SCENE_MODE_CASE(calls_in_the_handler)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        scene_renew_client(s, s->root);
        present_unknown(s);
        ask(s->client_tls, acts[i].answer);
        handler.act = acts[i].act;
        handler.scene = s;
        scene_prepare(s);
        scene_connect(s);
        UNTIL(w, handler.asked == 1);
        if (acts[i].outcome > 0)
            UNTIL(w, s->client_log.count[EVENT_ENCRYPTED] == 1);
        if (acts[i].outcome < 0)
            UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
        world_settle(w);
        ck_assert_int_eq(s->client_log.count[EVENT_ERROR], acts[i].outcome < 0 ? 1 : 0);
        ck_assert_int_eq(s->client_log.count[EVENT_ENCRYPTED], acts[i].outcome > 0 ? 1 : 0);
    }
}

/* Waits in a handler until the question is put, and has nobody answer it. */
static void take_the_handler_away(struct record *record, plx_socket *socket)
{
    (void)record;
    for (int i = 0; scene_info(socket).check == PLX_TLS_CHECK_NONE; i++) {
        ck_assert_int_lt(i, ROUNDS);
        ck_assert(!plx_socket_wait_for_connected(socket, 1));
        plx_socket_wait(handler.scene->server, 1);
    }
    ck_assert_int_eq(handler.asked, 0);
    ck_assert_int_eq(plx_tls_set_check(handler.scene->client_tls, NULL, NULL), 0);
}

SCENE_CASE(a_question_whose_handler_is_gone)
{
    present_unknown(s);
    ask(s->client_tls, PLX_TLS_ACCEPT);
    handler.scene = s;
    scene_prepare(s);
    record_on(&s->client_log, EVENT_STATE_CHANGED, take_the_handler_away, NULL);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
    ck_assert_int_eq(handler.asked, 0);
}

WORLD_MAIN("tls question")
