/* tests/test-tls-identity.c -- this side's certificate and key: files, formats and passwords. */
#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tls/peer.h"

static const char password[] = "open sesame 4711";

/* No message has a password, nor a line of a key. */
static bool is_quiet(const char *message)
{
    return strstr(message, "sesame") == NULL && strstr(message, "PRIVATE KEY-----") == NULL &&
           strstr(message, "MHcCAQ") == NULL && strlen(message) < 256;
}

/* A call that must be refused, with these words; the server goes on with what it had. */
#define REFUSED(s, words, call)                                                                    \
    do {                                                                                           \
        ck_assert_int_eq(call, PLX_INVALID_STATE);                                                 \
        ck_assert_int_eq(plx_tls_error((s)->server_tls)->code, PLX_INVALID_STATE);                 \
        ck_assert_int_eq((int)plx_tls_error((s)->server_tls)->reason,                              \
                         PLX_REASON_TLS_INVALID_USER_DATA);                                        \
        ck_assert(has_words(plx_tls_error((s)->server_tls)->message, words));                      \
        ck_assert(is_quiet(plx_tls_error((s)->server_tls)->message));                              \
        ck_assert_uint_eq(ERR_peek_error(), 0);                                                    \
    } while (0)

static void expect_subject(struct scene *s, const char *subject)
{
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_str_eq(scene_info(s->client).subject, subject);
}

static struct certificate *new_paper(struct scene *s)
{
    return scene_signed(s, &(struct paper){.subject = "new", .names = "IP:127.0.0.1"});
}

/* ---- keys ------------------------------------------------------------------------------------ */

SECTION("keys");

SCENE_CASE(a_key_that_does_not_match)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE], other[4096], pem[4096];
    size_t size = certificate_pem(new_paper(s), pem, sizeof pem);
    size_t other_size = certificate_key_pem(new_paper(s), other, sizeof other);

    scene_file(s, s->papers[s->papers_used - 2], certificate);
    certificate_write_key(s->papers[s->papers_used - 1], NULL, w->folder, "other.pem", key);
    REFUSED(s, "it does not belong to the certificate",
            plx_tls_use_file(s->server_tls, certificate, key, NULL));
    REFUSED(s, "it does not belong to the certificate",
            plx_tls_use_memory(s->server_tls, pem, size, other, other_size, NULL));
    expect_subject(s, "CN=server");
}

SCENE_CASE(keys_of_other_sorts)
{
    static const char *const sorts[] = {"RSA-2048", "RSA-3072", "P-384", "P-521"};

    for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++) {
        scene_present(
            s, &(struct paper){.subject = sorts[i], .names = "IP:127.0.0.1", .key = sorts[i]});
        scene_meet(s);
        scene_expect_encrypted(s);
        ck_assert(has_words(scene_info(s->client).subject, sorts[i]));
    }
}

SCENE_CASE(an_encrypted_key)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE], longest[3000];
    struct certificate *paper = new_paper(s);

    scene_file(s, paper, certificate);
    certificate_write_key(paper, password, w->folder, "key.pem", key);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    REFUSED(s, "it is encrypted, and no password was given",
            plx_tls_use_file(s->server_tls, certificate, key, NULL));
    REFUSED(s, "the password does not fit",
            plx_tls_use_file(s->server_tls, certificate, key, "sesame"));
    REFUSED(s, "the password does not fit", plx_tls_use_file(s->server_tls, certificate, key, ""));
    REFUSED(s, "the password does not fit",
            plx_tls_use_file(s->server_tls, certificate, key, longest));
    expect_subject(s, "CN=server");
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, certificate, key, password), 0);
    expect_subject(s, "CN=new");
    ck_assert_int_eq(plx_tls_reload(s->server_tls), 0); /* with the password that was kept */
    expect_subject(s, "CN=new");
}

/* A password that nothing needs does no harm. */
SCENE_CASE(a_password_too_many)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE];
    struct certificate *paper = new_paper(s);

    scene_file(s, paper, certificate);
    certificate_write_key(paper, NULL, w->folder, "key.pem", key);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, certificate, key, password), 0);
    expect_subject(s, "CN=new");
}

/* ---- no prompt ------------------------------------------------------------------------------- */

SECTION("terminals");

/* In a process with a terminal of its own: 0 if all is refused. */
static int use_at_a_terminal(const char *certificate, const char *key, const char *pkcs12)
{
    plx_tls *tls = plx_tls_new_server();
    bool good = plx_tls_use_file(tls, certificate, key, NULL) == PLX_INVALID_STATE &&
                plx_tls_use_file(tls, certificate, key, "wrong") == PLX_INVALID_STATE &&
                plx_tls_use_file(tls, key, NULL, NULL) == PLX_INVALID_STATE &&
                plx_tls_trust_file(tls, key) == PLX_INVALID_STATE &&
                plx_tls_reject_file(tls, key) == PLX_INVALID_STATE &&
                plx_tls_use_file(tls, pkcs12, NULL, NULL) == PLX_INVALID_STATE;

    plx_tls_free(tls);
    return good ? 0 : 1;
}

/* OpenSSL would ask on /dev/tty and sleep until somebody types. */
SCENE_CASE(nothing_is_asked_on_a_terminal)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE], pkcs12[WHERE_SIZE], shown[200] = "";
    struct certificate *paper = new_paper(s);
    int terminal, status = -1;
    pid_t child;

    scene_file(s, paper, certificate);
    certificate_write_key(paper, password, w->folder, "key.pem", key);
    certificate_write_pkcs12(paper, password, w->folder, "both.p12", pkcs12);
    child = forkpty(&terminal, NULL, NULL, NULL);
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(use_at_a_terminal(certificate, key, pkcs12));
    for (int round = 0; waitpid(child, &status, WNOHANG) == 0; round++) {
        ck_assert_msg(round < 10000, "it waits");
        poll(NULL, 0, 1);
    }
    ck_assert_int_eq(fcntl(terminal, F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_le((int)read(terminal, shown, sizeof shown - 1), 0);
    ck_assert_str_eq(shown, "");
    close(terminal);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- formats --------------------------------------------------------------------------------- */

SECTION("formats");

SCENE_CASE(pkcs12)
{
    struct certificate *middle =
        scene_signed(s, &(struct paper){.subject = "middle", .is_ca = true});
    struct certificate *paper =
        scene_paper(s, &(struct paper){.subject = "new", .names = "IP:127.0.0.1"}, middle);
    char path[WHERE_SIZE];

    certificate_write_pkcs12(paper, password, w->folder, "both.p12", path);
    REFUSED(s, "no password was given", plx_tls_use_file(s->server_tls, path, NULL, NULL));
    REFUSED(s, "the password does not fit", plx_tls_use_file(s->server_tls, path, NULL, "sesame"));
    REFUSED(s, "the password does not fit", plx_tls_use_file(s->server_tls, path, NULL, ""));
    expect_subject(s, "CN=server");
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, path, NULL, password), 0);
    expect_subject(s, "CN=new");
    ck_assert_uint_gt(plx_socket_peer_certificate(s->client, 1, NULL, 0), 0);
    ck_assert_int_eq(plx_tls_reload(s->server_tls), 0);
    expect_subject(s, "CN=new");
}

/* An empty password and none are the same to people, but not to PKCS#12 (RFC 7292, B.1). */
SCENE_CASE(pkcs12_without_a_password)
{
    char path[WHERE_SIZE];

    for (int i = 0; i < 4; i++) {
        certificate_write_pkcs12(new_paper(s), i / 2 == 0 ? "" : NULL, w->folder, "both.p12", path);
        ck_assert_msg(plx_tls_use_file(s->server_tls, path, NULL, i % 2 == 0 ? "" : NULL) == 0,
                      "%d: %s", i, plx_tls_error(s->server_tls)->message);
    }
    expect_subject(s, "CN=new");
}

/* Writes PKCS#12 of the certificate, without a digest that a password protects (RFC 7292, 4), with
 * the key or without it. */
static void write_bare_pkcs12(struct certificate *paper, bool has_key, const char *path)
{
    char pem[4096], key_pem[4096];
    int size = (int)certificate_pem(paper, pem, sizeof pem);
    int key_size = (int)certificate_key_pem(paper, key_pem, sizeof key_pem);
    BIO *in = BIO_new_mem_buf(pem, size), *key_in = BIO_new_mem_buf(key_pem, key_size);
    X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
    EVP_PKEY *key = has_key ? PEM_read_bio_PrivateKey(key_in, NULL, NULL, NULL) : NULL;
    PKCS12 *bare = PKCS12_create(NULL, NULL, key, certificate, NULL, -1, -1, 0, -1, 0);
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(bare);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(i2d_PKCS12_fp(file, bare), 1);
    ck_assert_int_eq(fclose(file), 0);
    PKCS12_free(bare);
    EVP_PKEY_free(key);
    X509_free(certificate);
    BIO_free(in);
    BIO_free(key_in);
}

SCENE_CASE(pkcs12_without_a_digest_or_a_key)
{
    char path[WHERE_SIZE];

    snprintf(path, sizeof path, "%s/bare.p12", w->folder);
    write_bare_pkcs12(new_paper(s), false, path);
    REFUSED(s, "no certificate or no private key in it",
            plx_tls_use_file(s->server_tls, path, NULL, NULL));
    expect_subject(s, "CN=server");
    write_bare_pkcs12(new_paper(s), true, path);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, path, NULL, NULL), 0);
    expect_subject(s, "CN=new");
}

static size_t both(struct certificate *paper, bool key_first, char *ret_pem, size_t size)
{
    size_t length = key_first ? certificate_key_pem(paper, ret_pem, size)
                              : certificate_pem(paper, ret_pem, size);

    return length + (key_first ? certificate_pem(paper, ret_pem + length, size - length)
                               : certificate_key_pem(paper, ret_pem + length, size - length));
}

/* As Xojo's CertificateFile. */
SCENE_CASE(both_in_one_file)
{
    for (int i = 0; i < 2; i++) {
        char pem[4096], path[WHERE_SIZE];
        size_t size = both(new_paper(s), i == 1, pem, sizeof pem);
        FILE *file;

        snprintf(path, sizeof path, "%s/both%d.pem", w->folder, i);
        file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(pem, 1, size, file), size);
        ck_assert_int_eq(fclose(file), 0);
        ck_assert_int_eq(plx_tls_use_file(s->server_tls, path, NULL, NULL), 0);
        expect_subject(s, "CN=new");
        ck_assert_int_eq(plx_tls_use_memory(s->server_tls, pem, size, NULL, 0, NULL), 0);
        memset(pem, 0, sizeof pem);
        expect_subject(s, "CN=new");
        ck_assert_int_eq(plx_tls_reload(s->server_tls), 0);
        expect_subject(s, "CN=new");
    }
}

SCENE_CASE(bytes_that_are_no_certificate)
{
    static const char *const texts[] = {
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQ==\n-----END EC PRIVATE KEY-----\n",
        "0\x82\xff\xff garbage",
        "0",
    };
    const char *broken = texts[7];
    char pem[4096];
    size_t size = certificate_pem(new_paper(s), pem, sizeof pem);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        REFUSED(s, "the given memory",
                plx_tls_use_memory(s->server_tls, texts[i], strlen(texts[i]), NULL, 0, NULL));
        REFUSED(s, "the given memory",
                plx_tls_use_memory(s->server_tls, pem, size, texts[i], strlen(texts[i]), NULL));
        REFUSED(s, "the given memory",
                plx_tls_trust_memory(s->server_tls, texts[i], strlen(texts[i])));
    }
    REFUSED(s, "there is none in it", plx_tls_use_memory(s->server_tls, pem, size, NULL, 0, NULL));
    REFUSED(s, "there is none in it that can be read",
            plx_tls_use_memory(s->server_tls, pem, size, "hello", 5, NULL));
    REFUSED(s, "private key of the given memory: unsupported",
            plx_tls_use_memory(s->server_tls, pem, size, broken, strlen(broken), NULL));
    for (size_t cut = 1; cut < size - 30; cut += 37)
        REFUSED(s, "the given memory", plx_tls_trust_memory(s->server_tls, pem, cut));
    expect_subject(s, "CN=server");
}

/* ---- paths ----------------------------------------------------------------------------------- */

SECTION("paths");

SCENE_CASE(paths_that_cannot_be_read)
{
    char huge[WHERE_SIZE], certificate[WHERE_SIZE];
    int file;

    snprintf(huge, sizeof huge, "%s/huge", w->folder);
    file = open(huge, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(file, (off_t)1 << 40), 0);
    close(file);
    scene_file(s, s->papers[1], certificate);
    for (int i = 0; i < 2; i++) {
        const char *path = i == 0 ? "/nowhere/at all" : huge;
        const char *words = i == 0 ? "no such" : "too large";

        REFUSED(s, words, plx_tls_use_file(s->server_tls, path, NULL, NULL));
        REFUSED(s, words, plx_tls_use_file(s->server_tls, certificate, path, NULL));
        REFUSED(s, words, plx_tls_trust_file(s->server_tls, path));
        REFUSED(s, words, plx_tls_reject_file(s->server_tls, path));
    }
    REFUSED(s, "the path is a directory", plx_tls_use_file(s->server_tls, w->folder, NULL, NULL));
    REFUSED(s, "the path is a directory",
            plx_tls_use_file(s->server_tls, certificate, w->folder, NULL));
    REFUSED(s, "the path is a directory", plx_tls_reject_file(s->server_tls, w->folder));
    REFUSED(s, "no such", plx_tls_use_file(s->server_tls, "", NULL, NULL));
    expect_subject(s, "CN=server");
}

SCENE_CASE(nulls)
{
    char pem[] = "x", own[4096];
    size_t size;

    REFUSED(s, "NULL", plx_tls_use_file(s->server_tls, NULL, NULL, NULL));
    REFUSED(s, "NULL", plx_tls_use_file(s->server_tls, NULL, "x", "y"));
    REFUSED(s, "NULL", plx_tls_use_memory(s->server_tls, NULL, 5, pem, 1, NULL));
    REFUSED(s, "NULL", plx_tls_trust_file(s->server_tls, NULL));
    REFUSED(s, "NULL", plx_tls_trust_memory(s->server_tls, NULL, 0));
    REFUSED(s, "NULL", plx_tls_reject_file(s->server_tls, NULL));
    REFUSED(s, "NULL", plx_tls_pin(s->server_tls, NULL));
    REFUSED(s, "too large", plx_tls_trust_memory(s->server_tls, pem, (size_t)-1));
    REFUSED(s, "too large", plx_tls_use_memory(s->server_tls, pem, SIZE_MAX / 2 + 1, NULL, 0, NULL));
    size = certificate_pem(s->papers[1], own, sizeof own);
    REFUSED(s, "too large",
            plx_tls_use_memory(s->server_tls, own, size, pem, SIZE_MAX / 2 + 1, NULL));
    expect_subject(s, "CN=server");
}

/* ---- renewal --------------------------------------------------------------------------------- */

SECTION("reload");

SCENE_CASE(renewed_and_broken_files)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE];
    struct certificate *first = new_paper(s);
    struct certificate *second =
        scene_signed(s, &(struct paper){.subject = "renewed", .names = "IP:127.0.0.1"});

    certificate_write(first, w->folder, "live.pem", certificate);
    certificate_write_key(first, NULL, w->folder, "live.key", key);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, certificate, key, NULL), 0);
    expect_subject(s, "CN=new");
    certificate_write(second, w->folder, "live.pem", certificate);
    REFUSED(s, "does not belong", plx_tls_reload(s->server_tls));
    scene_talk(s);
    expect_subject(s, "CN=new");
    certificate_write_key(second, NULL, w->folder, "live.key", key);
    ck_assert_int_eq(plx_tls_reload(s->server_tls), 0);
    scene_talk(s); /* the connection keeps what it began with */
    expect_subject(s, "CN=renewed");
    ck_assert_int_eq(unlink(key), 0);
    REFUSED(s, "no such", plx_tls_reload(s->server_tls));
    expect_subject(s, "CN=renewed");
}

enum { CLIENTS = 100 };

static plx_socket *clients[CLIENTS];
static int accepted;

static void take(plx_server *server, plx_socket *client, void *user)
{
    (void)server;
    (void)user;
    ck_assert_int_lt(accepted, CLIENTS);
    clients[accepted++] = client;
}

/* Each peer hears the byte. */
static void expect_all_served(struct peer **peers, char byte)
{
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(plx_socket_write(clients[i], &byte, 1), 1);
    for (int i = 0; i < CLIENTS; i++)
        PEER_UNTIL(peers[i],
                   peers[i]->got_length > 0 && peers[i]->got[peers[i]->got_length - 1] == byte);
}

SCENE_CASE(reload_while_a_hundred_are_served)
{
    static const plx_server_events events = {.accepted = take};
    struct peer *peers[CLIENTS];
    char certificate[WHERE_SIZE], key[WHERE_SIZE], where[WHERE_SIZE];
    plx_server *server = world_server(w);
    FILE *file;

    certificate_write(s->papers[1], w->folder, "live.pem", certificate);
    certificate_write_key(s->papers[1], NULL, w->folder, "live.key", key);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, certificate, key, NULL), 0);
    plx_server_set_events(server, &events, NULL);
    ck_assert_int_eq(plx_server_set_tls(server, s->server_tls), 0);
    world_serve(w, server, where);
    for (int i = 0; i < CLIENTS; i++) {
        peers[i] = peer_new(w, false, NULL);
        peer_begin(peers[i], raw_connect(w, where));
        PEER_UNTIL(peers[i], accepted == i + 1 && plx_socket_is_encrypted(clients[i]));
    }
    expect_all_served(peers, 'a');
    ck_assert_int_eq(plx_tls_reload(s->server_tls), 0);
    expect_all_served(peers, 'b');
    file = fopen(key, "w"); /* it is empty now */
    ck_assert_ptr_nonnull(file);
    fclose(file);
    REFUSED(s, "there is none in it", plx_tls_reload(s->server_tls));
    expect_all_served(peers, 'c');
    for (int i = 0; i < CLIENTS; i++)
        peer_free(peers[i]);
    expect_subject(s, "CN=server");
}

WORLD_MAIN("tls identity")
