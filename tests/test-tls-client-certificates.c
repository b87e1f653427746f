/* tests/test-tls-client-certificates.c -- servers that want a certificate of their clients. */
#include "config.h"

#include <stdlib.h>

#include "tests/tls/peer.h"

/* ---- with and without ------------------------------------------------------------------------ */

static void verify(plx_tls *tls, int value)
{
    ck_assert_int_eq(plx_tls_set_option(tls, PLX_TLS_VERIFY, value), 0);
}

/* A server that trusts the authority of the scene, and wants a certificate. */
static void demand(struct scene *s, int value, int version)
{
    scene_trust(s, s->server_tls, s->root);
    verify(s->server_tls, value);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_MAXIMUM, version), 0);
}

static void give(struct scene *s, const struct paper *paper)
{
    scene_use(s, s->client_tls, scene_signed(s, paper));
}

static const int versions[] = {12, 13};

#define EACH_VERSION(name)                                                                         \
    static void name##_in(struct world *w, struct scene *s, int version);                          \
    WORLD_CASE(name, world_begin_of(&world_, "tcp", MODE_POLL), 1, NULL)                           \
    {                                                                                              \
        for (int i = 0; i < 2; i++) {                                                              \
            struct scene *s = scene_open(w);                                                       \
                                                                                                   \
            name##_in(w, s, versions[i]);                                                          \
            scene_close(s);                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void name##_in(struct world *w CK_ATTRIBUTE_UNUSED, struct scene *s, int version)

EACH_VERSION(good)
{
    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    give(s, &(struct paper){.subject = "anna", .usage = "clientAuth"});
    s->keeps_port = true;
    for (int i = 0; i < 2; i++) {
        plx_tls_info info;

        scene_meet(s);
        scene_expect_encrypted(s);
        scene_talk(s);
        info = scene_info(s->server);
        ck_assert_int_eq(info.version, version);
        ck_assert(info.peer_has_certificate);
        ck_assert_str_eq(info.subject, "CN=anna");
        ck_assert_int_eq(info.check, PLX_TLS_CHECK_NONE);
        ck_assert_int_eq(info.resumed, i == 1);
        ck_assert_uint_gt(plx_socket_peer_certificate(s->server, 0, NULL, 0), 0);
    }
}

/* OpenSSL gives a server the chain without the client's own. */
EACH_VERSION(with_an_intermediate)
{
    struct certificate *middle =
        scene_signed(s, &(struct paper){.subject = "middle", .is_ca = true});
    struct certificate *anna = scene_paper(s, &(struct paper){.subject = "anna"}, middle);
    unsigned char want[4096], got[4096];

    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    scene_use(s, s->client_tls, anna);
    scene_meet(s);
    scene_expect_encrypted(s);
    for (size_t i = 0; i < 2; i++) {
        size_t size = certificate_der(i == 0 ? anna : middle, want, sizeof want);

        ck_assert_uint_eq(plx_socket_peer_certificate(s->server, i, got, sizeof got), size);
        ck_assert_mem_eq(got, want, size);
    }
    ck_assert_uint_eq(plx_socket_peer_certificate(s->server, 2, got, sizeof got), 0);
}

/* With TLS 1.3 the client is done before the server has refused it (RFC 8446, 4.4.2.4). */
static void expect_server_refuses(struct scene *s, int version, plx_tls_check check,
                                  const char *words, const char *alert)
{
    scene_prepare(s);
    scene_connect(s);
    UNTIL(s->w, s->client_log.count[EVENT_ERROR] == 1 && s->server_log.count[EVENT_ERROR] == 1);
    world_settle(s->w);
    LOGGED(s->w, &s->server_log,
           "state:LISTENING state:CONNECTING state:UNCONNECTED error(102,23)[UNCONNECTED]");
    ck_assert(has_words(s->server_log.message, "TLS from 127.0.0.1 port "));
    ck_assert(has_words(s->server_log.message, words));
    ck_assert_int_eq(scene_info(s->server).check, check);
    LOGGED(s->w, &s->client_log,
           version == 12 ? "state:CONNECTING state:UNCONNECTED error(102,23)[UNCONNECTED]"
                         : "state:CONNECTING state:CONNECTED connected[CONNECTED] "
                           "encrypted[CONNECTED] state:UNCONNECTED error(102,11)[UNCONNECTED] "
                           "disconnected[UNCONNECTED]");
    ck_assert(has_words(s->client_log.message, alert));
}

EACH_VERSION(missing)
{
    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    expect_server_refuses(s, version, PLX_TLS_NO_CERTIFICATE, "the peer has no certificate",
                          version == 12 ? "handshake failure" : "certificate required");
}

EACH_VERSION(of_another_authority)
{
    struct certificate *other =
        scene_paper(s, &(struct paper){.subject = "other", .is_ca = true}, NULL);

    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    scene_use(s, s->client_tls, scene_paper(s, &(struct paper){.subject = "eve"}, other));
    expect_server_refuses(s, version, PLX_TLS_UNTRUSTED, "\"CN=other\" is not trusted here",
                          "unknown CA");
}

EACH_VERSION(expired_or_for_another_purpose)
{
    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    give(s, &(struct paper){.subject = "anna", .from = -20, .to = -10});
    expect_server_refuses(s, version, PLX_TLS_EXPIRED, "has expired", "certificate expired");
    give(s, &(struct paper){.subject = "anna", .usage = "serverAuth"});
    expect_server_refuses(s, version, PLX_TLS_WRONG_PURPOSE, "purpose", "alert");
}

EACH_VERSION(rejected)
{
    char path[WHERE_SIZE];

    demand(s, PLX_TLS_VERIFY_REQUIRE, version);
    give(s, &(struct paper){.subject = "anna"});
    scene_file(s, s->papers[s->papers_used - 1], path);
    ck_assert_int_eq(plx_tls_reject_file(s->server_tls, path), 0);
    expect_server_refuses(s, version, PLX_TLS_REJECTED, "rejected", "alert");
}

EACH_VERSION(pinned)
{
    unsigned char pin[32];

    verify(s->server_tls, PLX_TLS_VERIFY_NONE);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_MAXIMUM, version), 0);
    give(s, &(struct paper){.subject = "anna"});
    certificate_pin(s->papers[s->papers_used - 1], pin);
    ck_assert_int_eq(plx_tls_pin(s->server_tls, pin), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    give(s, &(struct paper){.subject = "eve"});
    expect_server_refuses(s, version, PLX_TLS_WRONG_PIN, "not pinned", "alert");
    scene_renew_client(s, s->root);
    expect_server_refuses(s, version, PLX_TLS_NO_CERTIFICATE, "no certificate", "alert");
}

/* ---- optional -------------------------------------------------------------------------------- */

EACH_VERSION(optional)
{
    demand(s, PLX_TLS_VERIFY_OPTIONAL, version);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert(!scene_info(s->server).peer_has_certificate);
    give(s, &(struct paper){.subject = "anna"});
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->server).subject, "CN=anna");
    scene_use(s, s->client_tls, scene_paper(s, &(struct paper){.subject = "eve"}, NULL));
    expect_server_refuses(s, version, PLX_TLS_UNTRUSTED, "self-signed", "unknown CA");
}

/* The certificates that are installed are for servers of the web. */
EACH_VERSION(a_server_without_trust_trusts_nobody)
{
    char path[WHERE_SIZE];

    scene_file(s, s->root, path);
    setenv("SSL_CERT_FILE", path, 1);
    plx_tls_free(s->server_tls);
    s->server_tls = plx_tls_new_server();
    scene_use(s, s->server_tls, s->papers[1]);
    verify(s->server_tls, PLX_TLS_VERIFY_REQUIRE);
    ck_assert_int_eq(plx_tls_set_option(s->server_tls, PLX_TLS_MAXIMUM, version), 0);
    give(s, &(struct paper){.subject = "anna"});
    expect_server_refuses(s, version, PLX_TLS_UNTRUSTED, "not trusted here", "unknown CA");
    ck_assert_int_eq(plx_tls_reload(s->server_tls), 0);
    expect_server_refuses(s, version, PLX_TLS_UNTRUSTED, "not trusted here", "unknown CA");
    unsetenv("SSL_CERT_FILE");
}

/* ---- a server that asks ---------------------------------------------------------------------- */

static int asked, answer;
static plx_tls_check found;
static plx_state state;

static int ask(plx_socket *socket, const plx_tls_info *problem, void *user)
{
    (void)user;
    asked++;
    found = problem->check;
    state = plx_socket_state(socket);
    return answer;
}

EACH_VERSION(a_server_asks_before_connected)
{
    static const struct {
        int has, answer, check;
    } rows[] = {
        {0, PLX_TLS_ACCEPT, PLX_TLS_NO_CERTIFICATE}, {0, PLX_TLS_REFUSE, PLX_TLS_NO_CERTIFICATE},
        {0, PLX_TLS_PAUSE, PLX_TLS_NO_CERTIFICATE},  {1, PLX_TLS_ACCEPT, PLX_TLS_UNTRUSTED},
        {1, PLX_TLS_REFUSE, PLX_TLS_UNTRUSTED},      {1, PLX_TLS_PAUSE, PLX_TLS_UNTRUSTED}};

    demand(s, PLX_TLS_VERIFY_OPTIONAL, version);
    ck_assert_int_eq(plx_tls_set_check(s->server_tls, ask, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].has && i == 3)
            scene_use(s, s->client_tls, scene_paper(s, &(struct paper){.subject = "eve"}, NULL));
        asked = 0;
        answer = rows[i].answer;
        scene_prepare(s);
        scene_connect(s);
        UNTIL(w, asked == 1);
        ck_assert_int_eq(plx_socket_write(s->client, "secret", 6), 6);
        world_settle(w);
        ck_assert_int_eq(found, rows[i].check);
        ck_assert_int_eq(state, PLX_CONNECTING);
        if (answer == PLX_TLS_PAUSE) {
            LOGGED(w, &s->server_log, "state:LISTENING state:CONNECTING");
            ck_assert_uint_eq(plx_socket_bytes_available(s->server), 0);
            ck_assert_int_eq(plx_socket_resume(s->server, true), 0);
        }
        UNTIL(w, s->server_log.count[EVENT_ENCRYPTED] + s->server_log.count[EVENT_ERROR] > 0);
        ck_assert_int_eq(s->server_log.count[EVENT_ERROR], answer == PLX_TLS_REFUSE);
        if (answer != PLX_TLS_REFUSE)
            UNTIL(w, plx_socket_bytes_available(s->server) == 6);
        ck_assert_int_eq(asked, 1);
    }
}

/* ---- a client that asks ---------------------------------------------------------------------- */

static int accept_any(int is_good, X509_STORE_CTX *store)
{
    (void)is_good;
    (void)store;
    return 1;
}

/* A client asks before its own certificate leaves: the raw server has not seen it. */
EACH_VERSION(a_client_asks_before_its_certificate_leaves)
{
    struct peer *peer;
    X509 *seen;

    give(s, &(struct paper){.subject = "anna"});
    scene_renew_client(s, NULL);
    scene_use(s, s->client_tls, s->papers[s->papers_used - 1]);
    ck_assert_int_eq(plx_tls_set_check(s->client_tls, ask, NULL), 0);
    asked = 0;
    answer = PLX_TLS_PAUSE;
    peer = peer_face_client(s, version);
    SSL_set_verify(peer->ssl, SSL_VERIFY_PEER, accept_any);
    PEER_UNTIL(peer, asked == 1);
    peer_settle(peer);
    ck_assert_ptr_null(SSL_get0_peer_certificate(peer->ssl));
    ck_assert(!peer->is_done);
    ck_assert_int_eq(plx_socket_resume(s->client, true), 0);
    PEER_UNTIL(peer, peer->is_done);
    seen = SSL_get0_peer_certificate(peer->ssl);
    ck_assert_ptr_nonnull(seen);
    peer_free(peer);
}

WORLD_MAIN("tls client certificates")
