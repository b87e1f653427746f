/* tests/test-tls-scarce.c -- calls on settings of TLS while memory ends, at each allocation: of ours,
 * or of OpenSSL. A call that fails reports it, leaves the settings as they were, and can be
 * repeated. What a connection does without memory is in tests/test-tls-memory.c. */
#include "config.h"

#include "lib/tls/connection.h"

#include <openssl/err.h>

#include <stdlib.h>

#include "tests/tls/allocation.h"
#include "tests/tls/scene.h"

/* Behind this many allocations of a call to OpenSSL only one in STRIDE fails, with POLLUX_FAIL=all
 * each. */
enum { FIRST = 150, STRIDE = 41 };

/* Whose allocations fail. */
static const struct failing {
    void (*arm)(int number);
    bool (*failed)(void);
    int stride;
} sides[] = {{fail_allocation, allocation_failed, 1}, {fail_openssl, openssl_failed, STRIDE}};

enum { SIDES = sizeof sides / sizeof sides[0] };

static int step(const struct failing *failing, int number)
{
    const char *which = getenv("POLLUX_FAIL");
    bool all = which != NULL && strcmp(which, "all") == 0;

    return all || number < FIRST ? 1 : failing->stride;
}

/* ---- new settings ---------------------------------------------------------------------------- */

SECTION("new");

/* OpenSSL goes on without some of its blocks. */
static void expect_none(const struct failing *failing, plx_tls *(*create)(void))
{
    bool failed = true;

    for (int number = 1; failed; number += step(failing, number)) {
        plx_tls *tls;

        failing->arm(number);
        tls = create();
        failed = failing->failed();
        failing->arm(0);
        ck_assert(tls != NULL || failed);
        ck_assert_uint_eq(ERR_peek_error(), 0);
        plx_tls_free(tls);
    }
}

SCENE_CASE(new_settings)
{
    setenv("SSL_CERT_FILE", "/nowhere/at-all.pem", 1); /* the usual ones are thousands of blocks */
    setenv("SSL_CERT_DIR", "/nowhere", 1);
    for (int i = 0; i < SIDES; i++) {
        expect_none(&sides[i], plx_tls_new_client);
        expect_none(&sides[i], plx_tls_new_server);
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

SECTION("calls", .timeout = 300);

/* The files of the scene that the calls read. */
static struct {
    char root[WHERE_SIZE], other[WHERE_SIZE], certificate[WHERE_SIZE], key[WHERE_SIZE],
        pkcs12[WHERE_SIZE];
    char pem[4096], key_pem[4096];
    size_t size, key_size;
    unsigned char pin[32];
} paper;

static void write_papers(struct scene *s)
{
    struct certificate *server = s->papers[1];
    struct certificate *other = scene_paper(s, &(struct paper){.subject = "other"}, NULL);

    scene_file(s, s->root, paper.root);
    scene_file(s, other, paper.other);
    scene_file(s, server, paper.certificate);
    certificate_write_key(server, "sesame", s->w->folder, "key.pem", paper.key);
    certificate_write_pkcs12(server, "sesame", s->w->folder, "both.p12", paper.pkcs12);
    paper.size = certificate_pem(server, paper.pem, sizeof paper.pem);
    paper.key_size = certificate_key_pem(server, paper.key_pem, sizeof paper.key_pem);
    certificate_pin(server, paper.pin);
}

static int set_option(plx_tls *tls)
{
    bool was = tls->options[PLX_TLS_ALLOW_TRUNCATION] != 0;
    return plx_tls_set_option(tls, PLX_TLS_ALLOW_TRUNCATION, was ? 0 : 1);
}

static int set_ciphers(plx_tls *tls)
{
    return plx_tls_set_ciphers(tls, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256");
}

static int set_protocols(plx_tls *tls)
{
    static const char *const names[] = {"one", "two"};
    return plx_tls_set_protocols(tls, names, 2);
}

static int trust_file(plx_tls *tls)
{
    return plx_tls_trust_file(tls, paper.root);
}

static int trust_folder(plx_tls *tls)
{
    return plx_tls_trust_file(tls, "/");
}

static int trust_memory(plx_tls *tls)
{
    return plx_tls_trust_memory(tls, paper.pem, paper.size);
}

static int reject_file(plx_tls *tls)
{
    return plx_tls_reject_file(tls, paper.other);
}

static int pin(plx_tls *tls)
{
    return plx_tls_pin(tls, paper.pin);
}

static int use_file(plx_tls *tls)
{
    return plx_tls_use_file(tls, paper.certificate, paper.key, "sesame");
}

static int use_pkcs12(plx_tls *tls)
{
    return plx_tls_use_file(tls, paper.pkcs12, NULL, "sesame");
}

static int use_memory(plx_tls *tls)
{
    return plx_tls_use_memory(tls, paper.pem, paper.size, paper.key_pem, paper.key_size, NULL);
}

/* In this order: what is read again came from memory once, and once from files. */
static const struct call {
    const char *name;
    int (*call)(plx_tls *tls);
    bool of_server; /* else of the client */
} calls[] = {
    {"option", set_option, false},           {"ciphers", set_ciphers, false},
    {"protocols", set_protocols, false},     {"trust a file", trust_file, false},
    {"trust a folder", trust_folder, false}, {"trust memory", trust_memory, false},
    {"reject a file", reject_file, false},   {"pin", pin, false},
    {"reload", plx_tls_reload, false},       {"option", set_option, true},
    {"ciphers", set_ciphers, true},          {"protocols", set_protocols, true},
    {"use memory", use_memory, true},        {"reload", plx_tls_reload, true},
    {"use PKCS#12", use_pkcs12, true},       {"reload", plx_tls_reload, true},
    {"use files", use_file, true},           {"reload", plx_tls_reload, true},
};

/* OpenSSL does not always say that it had no memory: "init fail". */
static void expect_failure(plx_tls *tls, const struct call *call, bool ours, int number, int code)
{
    const plx_error *error = plx_tls_error(tls);
    bool known = code == PLX_OUT_OF_MEMORY ||
                 (!ours && (code == PLX_INVALID_STATE || code == PLX_OPEN_DRIVER));

    ck_assert_msg(known && error->code == code && error->message[0] != '\0',
                  "%s, allocation %d: %d, \"%s\"", call->name, number, code, error->message);
}

static void play(plx_tls *tls, const struct call *call, const struct failing *failing)
{
    bool failed = true;

    for (int number = 1; failed; number += step(failing, number)) {
        int code;

        failing->arm(number);
        code = call->call(tls);
        failed = failing->failed();
        failing->arm(0);
        ck_assert_msg(ERR_peek_error() == 0, "%s, allocation %d: %d leaves \"%s\"", call->name,
                      number, code, ERR_reason_error_string(ERR_peek_error()));
        ck_assert(code == 0 || failed);
        if (code != 0)
            expect_failure(tls, call, failing->arm == fail_allocation, number, code);
    }
}

/* A call of the client adds each time that OpenSSL goes on without a block: so those that were read
 * again have begun anew with one of each. */
static void begin_again(struct scene *s)
{
    scene_renew_client(s, s->root);
    ck_assert_int_eq(trust_memory(s->client_tls), 0);
    ck_assert_int_eq(trust_folder(s->client_tls), 0);
    ck_assert_int_eq(reject_file(s->client_tls), 0);
    ck_assert_int_eq(pin(s->client_tls), 0);
}

SCENE_CASE(calls_without_memory)
{
    write_papers(s);
    for (size_t i = 0; i < SIDES * sizeof calls / sizeof calls[0]; i++) {
        const struct call *call = &calls[i / SIDES];

        play(call->of_server ? s->server_tls : s->client_tls, call, &sides[i % SIDES]);
        if (!call->of_server)
            begin_again(s);
        scene_meet(s);
        scene_expect_encrypted(s);
    }
}

/* ---- what the calls are made of -------------------------------------------------------------- */

SECTION("pieces");

static bool read_certificates(struct plx__tls_refusal *refusal)
{
    STACK_OF(X509) *list = plx__tls_file_certificates(
        refusal, (struct plx__tls_bytes){paper.pem, paper.size, "certificates"});

    sk_X509_pop_free(list, X509_free);
    return list != NULL;
}

static bool read_identity(struct plx__tls_refusal *refusal)
{
    struct plx__tls_identity identity;
    int code = plx__tls_identity_parse(
        refusal, (struct plx__tls_bytes){paper.pem, paper.size, "certificates"},
        (struct plx__tls_bytes){paper.key_pem, paper.key_size, "key"}, NULL, &identity);

    if (code == 0)
        plx__tls_identity_clear(&identity);
    return code == 0;
}

static struct plx__tls_source *in_memory;

static bool read_again(struct plx__tls_refusal *refusal)
{
    struct plx__tls_source *copy = plx__tls_source_again(refusal, in_memory);

    plx__tls_source_free(copy, NULL);
    return copy != NULL;
}

static bool (*const pieces[])(struct plx__tls_refusal *refusal) = {read_certificates, read_identity,
                                                                   read_again};

/* Here each allocation fails, also those of OpenSSL: little is read. */
SCENE_CASE(pieces_without_memory)
{
    struct plx__tls_refusal refusal;

    write_papers(s);
    in_memory = plx__tls_source_of_memory(&refusal, paper.pem, paper.size, NULL);
    ck_assert_ptr_nonnull(in_memory);
    for (size_t i = 0; i < SIDES * sizeof pieces / sizeof pieces[0]; i++) {
        const struct failing *failing = &sides[i % SIDES];
        bool failed = true;

        for (int number = 1; failed; number++) {
            bool good;

            refusal.error.code = 0;
            failing->arm(number);
            good = pieces[i / SIDES](&refusal);
            failed = failing->failed();
            failing->arm(0);
            ck_assert(good || failed);
            ck_assert(good || refusal.error.code != 0);
            ck_assert_uint_eq(ERR_peek_error(), 0);
        }
    }
    plx__tls_source_free(in_memory, NULL);
}

/* ---- connections ----------------------------------------------------------------------------- */

SECTION("connections");

/* A client that cannot keep the session goes on, and the next handshake is a whole one. */
SCENE_CASE(a_session_that_cannot_be_kept)
{
    struct plx__tls_sessions *sessions = &s->client_tls->sessions;
    SSL_SESSION *session;

    scene_meet(s);
    scene_expect_encrypted(s);
    scene_talk(s);
    session =
        SSL_get1_session(plx__tls_connection_of(plx_socket_filter(s->client, &plx__tls_kind))->ssl);
    for (int number = 1; number <= 2; number++) {
        plx__tls_sessions_clear(sessions);
        fail_allocation(number);
        ck_assert(!plx__tls_sessions_keep(sessions, "somebody 1", session));
        fail_allocation(0);
        ck_assert_uint_eq(sessions->count, 0);
        ck_assert_ptr_null(plx__tls_sessions_take(sessions, "somebody 1"));
    }
    ck_assert(plx__tls_sessions_keep(sessions, "somebody 1", session));
    ck_assert_uint_eq(sessions->count, 1);
}

/* A certificate that cannot be compared with a rejected one is rejected. */
SCENE_CASE(a_certificate_that_cannot_be_compared)
{
    struct plx__tls_refusal refusal;
    char path[WHERE_SIZE];
    unsigned char der[4096];
    const unsigned char *next = der;
    size_t size = certificate_der(s->papers[1], der, sizeof der);
    struct plx__tls_source *source;
    X509 *certificate = d2i_X509(NULL, &next, (long)size);
    bool failed = true;

    scene_file(s, s->papers[1], path);
    source = plx__tls_source_of_path(&refusal, path, false, NULL);
    ck_assert_ptr_nonnull(source);
    for (int number = 1; failed; number++) {
        fail_openssl(number);
        ck_assert(plx__tls_source_has(source, certificate));
        failed = openssl_failed();
        fail_openssl(0);
        ERR_clear_error();
        ck_assert(failed || number > 2); /* both were written as DER */
    }
    plx__tls_source_free(source, NULL);
    X509_free(certificate);
}

WORLD_MAIN("tls scarce")
