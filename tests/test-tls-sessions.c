/* tests/test-tls-sessions.c -- handshakes that are shortened by what both sides remember. */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/tls/peer.h"

static const int versions[] = {12, 13};

#define EACH_VERSION(name)                                                                         \
    static void name##_in(struct world *w, struct scene *s, int version);                          \
    WORLD_CASE(name, world_begin_of(&world_, "tcp", MODE_POLL), 1, NULL)                           \
    {                                                                                              \
        for (int i = 0; i < 2; i++) {                                                              \
            struct scene *s = scene_open(w);                                                       \
                                                                                                   \
            s->keeps_port = true;                                                                  \
            ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, versions[i]), 0);  \
            name##_in(w, s, versions[i]);                                                          \
            scene_close(s);                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void name##_in(struct world *w CK_ATTRIBUTE_UNUSED, struct scene *s,                    \
                          int version CK_ATTRIBUTE_UNUSED)

/* Meets, lets bytes travel so that tickets arrive, and returns whether the connection was resumed,
 * on which both sides agree. */
static bool resumes(struct scene *s)
{
    bool resumed;

    scene_meet(s);
    scene_expect_encrypted(s);
    scene_talk(s);
    resumed = scene_info(s->client).resumed;
    ck_assert_int_eq(scene_info(s->server).resumed, resumed);
    return resumed;
}

/* ---- resumption ------------------------------------------------------------------------------ */

SECTION("resumption");

EACH_VERSION(resumed)
{
    ck_assert(!resumes(s));
    for (int i = 0; i < 3; i++) {
        plx_tls_info info;

        ck_assert(resumes(s));
        info = scene_info(s->client);
        ck_assert_int_eq(info.version, version);
        ck_assert_int_eq(info.check, PLX_TLS_CHECK_NONE);
        ck_assert_str_eq(info.subject, "CN=server");
        ck_assert(info.peer_has_certificate);
        ck_assert_uint_gt(plx_socket_peer_certificate(s->client, 0, NULL, 0), 0);
    }
}

/* However the connection before has ended. */
EACH_VERSION(resumed_after_an_abort)
{
    ck_assert(!resumes(s));
    plx_socket_abort(s->client);
    plx_socket_abort(s->server);
    ck_assert(resumes(s));
    plx_socket_close(s->server);
    UNTIL(w, s->client_log.count[EVENT_DISCONNECTED] == 1);
    ck_assert(resumes(s));
}

static struct certificate *two_names(struct scene *s)
{
    return scene_signed(s, &(struct paper){.names = "DNS:a.example,DNS:b.example,IP:127.0.0.1"});
}

EACH_VERSION(not_for_another_name)
{
    scene_use(s, s->server_tls, two_names(s));
    s->name = "a.example";
    ck_assert(!resumes(s));
    s->name = "b.example";
    ck_assert(!resumes(s));
    s->name = NULL;
    ck_assert(!resumes(s));
    s->name = "a.example";
    ck_assert(resumes(s));
    s->name = "c.example";
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "not c.example");
}

EACH_VERSION(not_for_another_port)
{
    ck_assert(!resumes(s));
    s->keeps_port = false;
    ck_assert(!resumes(s));
    ck_assert(!resumes(s));
}

/* RFC 8446, C.4: a ticket of TLS 1.3 is used once, so that two connections cannot be linked. */
EACH_VERSION(a_ticket_is_used_once)
{
    ck_assert(!resumes(s));
    scene_prepare(s); /* this one takes the ticket, and gets no other */
    scene_connect(s);
    world_poll(w);
    world_poll(w);
    ck_assert_int_eq(s->client_log.count[EVENT_ENCRYPTED], 0);
    plx_socket_abort(s->client);
    plx_socket_abort(s->server);
    ck_assert_int_eq(resumes(s), version == 12);
}

/* ---- changes forget them --------------------------------------------------------------------- */

SECTION("changes");

static struct {
    char path[WHERE_SIZE];
    unsigned char pin[32];
} given;

static int trust(plx_tls *tls)
{
    return plx_tls_trust_file(tls, given.path);
}

static int reject(plx_tls *tls)
{
    return plx_tls_reject_file(tls, given.path);
}

static int pin(plx_tls *tls)
{
    return plx_tls_pin(tls, given.pin);
}

static int verify(plx_tls *tls)
{
    int code = plx_tls_set_option(tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_OPTIONAL);

    return code;
}

static int depth(plx_tls *tls)
{
    return plx_tls_set_option(tls, PLX_TLS_VERIFY_DEPTH, 5);
}

static int ciphers(plx_tls *tls)
{
    return plx_tls_set_ciphers(tls, "DEFAULT", NULL);
}

static int protocols(plx_tls *tls)
{
    static const char *const names[] = {"x"};

    return plx_tls_set_protocols(tls, names, 1);
}

static int (*const changes[])(plx_tls *) = {trust,     verify,         depth, ciphers,
                                            protocols, plx_tls_reload, pin};

EACH_VERSION(each_change_of_the_client)
{
    scene_file(s, s->root, given.path);
    certificate_pin(s->papers[1], given.pin);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        resumes(s);
        ck_assert(resumes(s));
        ck_assert_int_eq(changes[i](s->client_tls), 0);
        ck_assert_msg(!resumes(s), "change %zu keeps the sessions", i);
    }
}

/* Of the server: its tickets have other keys. A pin would demand a certificate. */
EACH_VERSION(each_change_of_the_server)
{
    scene_file(s, s->root, given.path);
    for (size_t i = 0; i + 1 < sizeof changes / sizeof changes[0]; i++) {
        resumes(s);
        ck_assert(resumes(s));
        ck_assert_int_eq(changes[i](s->server_tls), 0);
        ck_assert_msg(!resumes(s), "change %zu keeps the keys of the tickets", i);
    }
}

EACH_VERSION(a_certificate_that_is_rejected_later)
{
    resumes(s);
    ck_assert(resumes(s));
    scene_file(s, s->papers[1], given.path);
    ck_assert_int_eq(reject(s->client_tls), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_REJECTED, "rejected");
}

/* What is refused changes nothing. */
EACH_VERSION(a_change_that_is_refused)
{
    resumes(s);
    ck_assert(resumes(s));
    ck_assert_int_eq(plx_tls_set_ciphers(s->client_tls, "nonsense", NULL), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_ciphers(s->server_tls, NULL, "nonsense"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_trust_file(s->client_tls, "/nowhere"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, 7), PLX_INVALID_STATE);
    ck_assert(resumes(s));
}

/* A ticket that arrives after a change on a connection from before it is not kept. */
SCENE_CASE(a_ticket_of_a_connection_before_the_change)
{
    struct peer *first, *second = peer_new(w, true, s->papers[1]);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    first = peer_new(w, true, s->papers[1]);
    SSL_CTX_set_num_tickets(first->context, 0);
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
    peer_begin(first, raw_accept(w, listener));
    PEER_UNTIL(first, s->client_log.count[EVENT_ENCRYPTED] == 1);
    ck_assert_int_eq(plx_tls_reload(s->client_tls), 0);
    ck_assert_int_eq(SSL_new_session_ticket(first->ssl), 1);
    ck_assert_int_eq(SSL_do_handshake(first->ssl), 1);
    peer_settle(first);
    scene_prepare(s);
    SSL_CTX_free(second->context);
    second->context = first->context; /* so it would know the ticket */
    SSL_CTX_up_ref(first->context);
    ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
    peer_begin(second, raw_accept(w, listener));
    PEER_UNTIL(second, s->client_log.count[EVENT_ENCRYPTED] == 1);
    ck_assert(!scene_info(s->client).resumed);
    peer_free(first);
    peer_free(second);
}

/* ---- checks that are not skipped ------------------------------------------------------------- */

SECTION("checks");

static int asked;

static int accept_it(plx_socket *socket, const plx_tls_info *problem, void *user)
{
    (void)socket;
    (void)problem;
    (void)user;
    asked++;
    return PLX_TLS_ACCEPT;
}

EACH_VERSION(what_the_program_has_accepted)
{
    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.subject = "unknown"}, NULL));
    ck_assert_int_eq(plx_tls_set_check(s->client_tls, accept_it, NULL), 0);
    asked = 0;
    for (int i = 1; i <= 3; i++) {
        ck_assert(!resumes(s));
        ck_assert_int_eq(asked, i);
    }
    ck_assert_int_eq(plx_tls_set_check(s->client_tls, NULL, NULL), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
}

/* One that asks always is asked about a good certificate too. */
EACH_VERSION(what_the_program_is_always_asked_about)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_OPTIONAL), 0);
    ck_assert_int_eq(plx_tls_set_check(s->client_tls, accept_it, NULL), 0);
    asked = 0;
    for (int i = 1; i <= 3; i++) {
        ck_assert(!resumes(s));
        ck_assert_int_eq(asked, i);
    }
}

/* A server asks again also about a client that it resumes. */
EACH_VERSION(a_client_that_the_server_has_accepted)
{
    scene_use(s, s->client_tls, scene_paper(s, &(struct paper){.subject = "eve"}, NULL));
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_REQUIRE), 0);
    ck_assert_int_eq(plx_tls_set_check(s->server_tls, accept_it, NULL), 0);
    asked = 0;
    for (int i = 1; i <= 3; i++) {
        scene_meet(s);
        scene_expect_encrypted(s);
        scene_talk(s);
        ck_assert_int_eq(asked, i);
        ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_UNTRUSTED);
    }
    ck_assert_int_eq(plx_tls_set_check(s->server_tls, NULL, NULL), 0);
    scene_meet(s);
    ck_assert_int_eq(s->server_log.count[EVENT_CONNECTED], 0);
    ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_UNTRUSTED);
}

/* The check that a session skips would fail, so the certificate is shown again. */
EACH_VERSION(a_server_whose_certificate_has_expired)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    ck_assert(!resumes(s));
    ck_assert(resumes(s));
    scene_present(s, &(struct paper){.from = -30, .to = -1, .names = "IP:127.0.0.1"});
    for (int i = 0; i < 3; i++)
        ck_assert(!resumes(s));
}

EACH_VERSION(a_client_whose_certificate_has_expired)
{
    scene_use(s, s->client_tls, scene_signed(s, &(struct paper){.from = -30, .to = -1}));
    scene_trust(s, s->server_tls, s->root);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_REQUIRE), 0);
    ck_assert_int_eq(plx_tls_set_check(s->server_tls, accept_it, NULL), 0);
    asked = 0;
    for (int i = 1; i <= 3; i++) {
        ck_assert(!resumes(s));
        ck_assert_int_eq(asked, i);
    }
}

/* A server with other settings does not take the tickets of this one. */
EACH_VERSION(another_server)
{
    plx_tls *other = plx_tls_new_server(), *own = s->server_tls;

    scene_use(s, other, s->papers[1]);
    resumes(s);
    ck_assert(resumes(s));
    s->server_tls = other;
    ck_assert(!resumes(s));
    plx_tls_free(own);
}

/* Nor does a client with other settings have those of this one. */
EACH_VERSION(another_client)
{
    resumes(s);
    ck_assert(resumes(s));
    scene_renew_client(s, s->root);
    ck_assert(!resumes(s));
}

EACH_VERSION(switched_off)
{
    resumes(s);
    ck_assert(resumes(s));
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_SESSIONS, 0), 0);
    for (int i = 0; i < 2; i++)
        ck_assert(!resumes(s));
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_SESSIONS, 1), 0);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_SESSIONS, 0), 0);
    for (int i = 0; i < 2; i++)
        ck_assert(!resumes(s));
}

/* 256 are kept, and the one unused for longest goes first. */
SCENE_CASE(more_servers_than_are_remembered)
{
    char names[8192] = "DNS:first.example", name[32];
    size_t length = strlen(names);

    for (int i = 0; i < 256; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, ",DNS:n%d.example", i);
    scene_present(s, &(struct paper){.names = names});
    s->keeps_port = true;
    s->name = "first.example";
    ck_assert(!resumes(s));
    s->name = name;
    for (int i = 0; i < 255; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        ck_assert(!resumes(s));
    }
    s->name = "first.example";
    ck_assert(resumes(s));
    s->name = name;
    snprintf(name, sizeof name, "n255.example");
    ck_assert(!resumes(s));
    snprintf(name, sizeof name, "n0.example");
    ck_assert(!resumes(s));
    s->name = "first.example";
    ck_assert(resumes(s));
}

WORLD_MAIN("tls sessions")
