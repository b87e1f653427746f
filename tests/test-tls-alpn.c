/* tests/test-tls-alpn.c -- choosing a protocol of the program (ALPN, RFC 7301). */
#include "config.h"

#include <stdlib.h>

#include "tests/tls/peer.h"

enum { MOST = 8 };

/* Sets names that are separated by blanks. */
static int set(plx_tls *tls, const char *names)
{
    static char copy[256];
    const char *list[MOST];
    size_t count = 0;

    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " "))
        list[count++] = name;
    return plx_tls_set_protocols(tls, list, count);
}

/* What a client offers, what a server has, and what is chosen; NULL: the handshake fails. */
static const struct {
    const char *client, *server, *chosen;
} meetings[] = {
    {"h2", "h2", "h2"},
    {"h2 http/1.1", "http/1.1 h2", "http/1.1"}, /* the server's preference */
    {"h2 http/1.1", "h2 http/1.1", "h2"},
    {"a b c", "x c", "c"},
    {"", "", ""},
    {"h2", "", ""}, /* a server without a list does not answer */
    {"", "h2", ""}, /* nor is one needed by it */
    {"h2", "http/1.1", NULL},
    {"h2", "h", NULL},
    {"H2", "h2", NULL},
};

static void expect_chosen(struct scene *s, const char *chosen)
{
    if (chosen == NULL) {
        scene_expect_refused(s, PLX_TLS_NO_ALPN, "the alert \"no application protocol\"");
        ck_assert_int_eq(scene_info(s->server).check, PLX_TLS_NO_ALPN);
        ck_assert(has_words(s->server_log.message, "no application protocol in common (ALPN)"));
        return;
    }
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->client).protocol, chosen);
    ck_assert_str_eq(scene_info(s->server).protocol, chosen);
}

SCENE_CASE(chosen)
{
    for (int version = 12; version <= 13; version++)
        for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
            ck_assert_int_eq(set(s->client_tls, meetings[i].client), 0);
            ck_assert_int_eq(set(s->server_tls, meetings[i].server), 0);
            ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, version), 0);
            scene_meet(s);
            expect_chosen(s, meetings[i].chosen);
        }
}

/* A resumed connection chooses anew. */
SCENE_CASE(resumed)
{
    s->keeps_port = true;
    for (int version = 12; version <= 13; version++) {
        ck_assert_int_eq(set(s->client_tls, "h2"), 0);
        ck_assert_int_eq(set(s->server_tls, "h2"), 0);
        ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_MAXIMUM, version), 0);
        for (int i = 0; i < 3; i++) {
            scene_meet(s);
            expect_chosen(s, "h2");
            scene_talk(s);
            ck_assert_int_eq(scene_info(s->client).resumed, i > 0);
        }
    }
}

SCENE_CASE(names_that_cannot_be_used)
{
    char longest[300], name[2] = "x";
    const char *list[] = {"h2", longest};
    const char *null[] = {"h2", NULL};
    static const char *many[70000];

    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    ck_assert_int_eq(set(s->client_tls, "h2"), 0);
    ck_assert_int_eq(set(s->server_tls, "h2"), 0);
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, list, 2), PLX_INVALID_STATE);
    ck_assert(has_words(plx_tls_error(s->client_tls)->message, "RFC 7301"));
    ck_assert_int_eq((int)plx_tls_error(s->client_tls)->reason, PLX_REASON_TLS_INVALID_USER_DATA);
    longest[0] = '\0';
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, list, 2), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, null, 2), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, NULL, 1), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_protocols(NULL, list, 1), PLX_INVALID_STATE);
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++)
        many[i] = name;
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, many, 70000), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, many, 32768), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, list, SIZE_MAX), PLX_INVALID_STATE);
    scene_meet(s);
    expect_chosen(s, "h2"); /* nothing has changed */
    ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, NULL, 0), 0);
    scene_meet(s);
    expect_chosen(s, "");
}

/* Longer than the 63 bytes that plx_tls_info has room for. */
SCENE_CASE(long_names)
{
    char name[256];
    const char *list[] = {name};

    memset(name, 'n', sizeof name);
    for (int i = 0; i < 3; i++) {
        name[(int[]){63, 64, 255}[i]] = '\0';
        ck_assert_int_eq(plx_tls_set_protocols(s->client_tls, list, 1), 0);
        ck_assert_int_eq(plx_tls_set_protocols(s->server_tls, list, 1), 0);
        name[(int[]){63, 64, 255}[i]] = 'n';
        scene_meet(s);
        name[63] = '\0';
        expect_chosen(s, i == 0 ? name : "");
        name[63] = 'n';
    }
}

static int choose_another(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_size,
                          const unsigned char *offered, unsigned size, void *user)
{
    (void)ssl;
    (void)offered;
    (void)size;
    *ret_name = user;
    *ret_size = 4;
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301, 3.1: the server chooses one of those that the client has offered. */
SCENE_CASE(a_protocol_that_was_not_offered)
{
    for (int version = 12; version <= 13; version++)
        for (int i = 0; i < 2; i++) {
            struct peer *peer;

            ck_assert_int_eq(set(s->client_tls, i == 0 ? "h2 http/1.1" : "h2 evil"), 0);
            peer = peer_face_client(s, version);
            SSL_CTX_set_alpn_select_cb(peer->context, choose_another, "evil");
            PEER_UNTIL(peer,
                       s->client_log.count[EVENT_ERROR] + s->client_log.count[EVENT_ENCRYPTED] > 0);
            if (i == 0)
                scene_expect_refused(s, PLX_TLS_OTHER, "bad extension");
            else
                ck_assert_str_eq(scene_info(s->client).protocol, "evil");
            peer_free(peer);
        }
}

WORLD_MAIN("tls alpn")
