/* tests/test-tls-names.c -- the name that the certificate of the server must have. */
#include "config.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdlib.h>

#include "tests/tls/peer.h"

/* ---- which names fit ------------------------------------------------------------------------- */

/* The name of plx_socket_set_tls_name, or the address for NULL, the names of the certificate, and
 * whether the handshake succeeds. */
static const struct fit {
    const char *name, *names;
    bool fits;
} fits[] = {
    {NULL, "IP:127.0.0.1", true},
    {NULL, "IP:127.0.0.2", false},
    {NULL, "DNS:127.0.0.1", false}, /* an address is no DNS name: RFC 6125, 1.7.2 */
    {NULL, "DNS:localhost", false},
    {"127.0.0.2", "IP:127.0.0.2", true},
    {"::1", "IP:::1", true},
    {"::1", "IP:::2", false},
    {"0:0:0:0:0:0:0:1", "IP:::1", true},
    {"fe80::1%lo", "IP:fe80::1", true}, /* the scope is this machine's own business */
    {"fe80::1%25eth0", "IP:fe80::1", true},
    {"fe80::2%lo", "IP:fe80::1", false},
    {"localhost", "DNS:localhost", true},
    {"LOCALHOST", "DNS:localhost", true},
    {"localhost", "DNS:LocalHost", true},
    {"localhost.", "DNS:localhost", true},
    {"localhost", "DNS:localhost2", false},
    {"localhost", "IP:127.0.0.1", false},
    {"example.org", "DNS:other.example.org", false},
    {"other.example.org", "DNS:example.org", false},
    {"example.org.evil.net", "DNS:example.org", false},
    {"www.example.org", "DNS:*.example.org", true},
    {"WWW.example.org", "DNS:*.EXAMPLE.org", true},
    {"a.b.example.org", "DNS:*.example.org", false},
    {"example.org", "DNS:*.example.org", false},
    {"www.example.org", "DNS:www*.example.org", false}, /* RFC 6125, 6.4.3: may be ignored */
    {"www1.example.org", "DNS:www*.example.org", false},
    {"www.example.org", "DNS:w*w.example.org", false},
    {"www.example.org", "DNS:www.*.org", false},
    {"www.example.org", "DNS:*.*.org", false},
    {"example.org", "DNS:*.org", false},
    {"localhost", "DNS:*", false},
    {"second.org", "DNS:first.org,DNS:second.org,IP:10.0.0.1", true},
    {"localhost", "URI:https://localhost/,email:root@localhost", false},
    {"b\xc3\xbc"
     "cher.example",
     "DNS:xn--bcher-kva.example", true},
    {"B\xc3\x9c"
     "CHER.example",
     "DNS:xn--bcher-kva.example", true},
    {"b\xc3\xbc"
     "cher.example.",
     "DNS:xn--bcher-kva.example", true},
    {"xn--bcher-kva.example", "DNS:xn--bcher-kva.example", true},
    {"b\xc3\xbc"
     "cher.example",
     "DNS:bucher.example", false},
    {"a_b.example.org", "DNS:a_b.example.org", true},
};

#ifdef HAVE_LIBIDN2
enum { HAS_IDN = true };
#else
enum { HAS_IDN = false };
#endif

static bool is_ascii(const char *name)
{
    while (name != NULL && *name != '\0' && (unsigned char)*name < 128)
        name++;
    return name == NULL || *name == '\0';
}

SCENE_CASE(names_fit)
{
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        const struct fit *fit = &fits[i];

        if (!HAS_IDN && !is_ascii(fit->name))
            continue;
        scene_present(s, &(struct paper){.names = fit->names});
        s->name = fit->name;
        scene_meet(s);
        ck_assert_msg(plx_socket_is_encrypted(s->client) == fit->fits, "%s for %s: %s",
                      fit->name == NULL ? "the address" : fit->name, fit->names,
                      s->client_log.message);
        if (!fit->fits)
            scene_expect_refused(s, PLX_TLS_WRONG_NAME, "the certificate is for ");
    }
}

SCENE_CASE(the_common_name_does_not_count)
{
    s->name = "localhost";
    scene_present(s, &(struct paper){.subject = "localhost"});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "the certificate is for no host, not localhost");
    scene_present(s, &(struct paper){.subject = "localhost", .names = "DNS:other"});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "for other, not localhost (CN=localhost)");
    scene_present(s, &(struct paper){.subject = "127.0.0.1"});
    s->name = NULL;
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "for no host, not 127.0.0.1");
}

/* The resolver finds this one, and no certificate can be for it. */
SCENE_CASE(an_address_that_is_no_name)
{
    for (int i = 0; i < 2; i++) {
        char where[WHERE_SIZE];

        s->name = i == 0 ? NULL : "localhost";
        scene_prepare(s);
        world_listen(w, s->server, where);
        ck_assert_int_eq(plx_socket_set_address(s->client, ".localhost"), 0);
        ck_assert_int_eq(plx_socket_set_port(s->client, plx_socket_port(s->server)), 0);
        ck_assert_int_eq(plx_socket_connect(s->client), 0);
        UNTIL(w, s->client_log.count[EVENT_ERROR] + s->client_log.count[EVENT_ENCRYPTED] > 0);
        ck_assert(plx_socket_is_encrypted(s->client) == (i == 1));
        if (i == 0) {
            ck_assert_int_eq(s->client_log.code, PLX_INVALID_STATE);
            ck_assert(has_words(s->client_log.message, "no name to check the certificate"));
        }
    }
}

SCENE_CASE(a_wrong_name_that_is_not_verified)
{
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    s->name = "other.example";
    scene_meet(s);
    scene_expect_encrypted(s);
}

/* ---- strange names of certificates ----------------------------------------------------------- */

static X509 *x509_of(const struct certificate *certificate)
{
    unsigned char der[4096];
    const unsigned char *next = der;
    size_t size = certificate_der(certificate, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &next, (long)size);

    ck_assert_ptr_nonnull(x509);
    return x509;
}

static EVP_PKEY *key_of(const struct certificate *certificate)
{
    char pem[4096];
    size_t size = certificate_key_pem(certificate, pem, sizeof pem);
    BIO *memory = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);

    BIO_free(memory);
    ck_assert_ptr_nonnull(key);
    return key;
}

/* Lets the server present a certificate for exactly these bytes. */
static void present_bytes(struct scene *s, int type, const char *bytes, int size)
{
    struct certificate *paper = scene_signed(s, &(struct paper){.subject = "strange"});
    X509 *x509 = x509_of(paper);
    EVP_PKEY *authority = key_of(s->root), *key = key_of(paper);
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *string =
        ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    BIO *pem = BIO_new(BIO_s_mem());
    char *data;
    long length;

    ck_assert_int_eq(ASN1_STRING_set(string, bytes, size), 1);
    GENERAL_NAME_set0_value(name, type, string);
    ck_assert_int_gt(sk_GENERAL_NAME_push(names, name), 0);
    ck_assert_int_eq(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE),
                     1);
    ck_assert_int_gt(X509_sign(x509, authority, EVP_sha256()), 0);
    ck_assert_int_eq(PEM_write_bio_X509(pem, x509), 1);
    ck_assert_int_eq(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL), 1);
    length = BIO_get_mem_data(pem, &data);
    ck_assert_int_eq(plx_tls_use_memory(s->server_tls, data, (size_t)length, NULL, 0, NULL), 0);
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    X509_free(x509);
    EVP_PKEY_free(authority);
    EVP_PKEY_free(key);
    BIO_free(pem);
}

/* Null prefix attack, CVE-2009-2408. */
SCENE_CASE(a_name_with_a_nul)
{
    static const char name[] = "localhost\0.evil.example";

    s->name = "localhost";
    present_bytes(s, GEN_DNS, name, sizeof name - 1);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "is for localhost?.evil.example, not localhost");
    present_bytes(s, GEN_DNS, name, 10);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "is for localhost?, not localhost");
    present_bytes(s, GEN_DNS, name, 9);
    scene_meet(s);
    scene_expect_encrypted(s);
}

/* What a peer has put into a certificate must not reach a terminal as it is. */
SCENE_CASE(a_name_with_control_characters)
{
    static const char name[] = "\x1b[2Jlocalhost\n\r\xff";

    s->name = "localhost";
    present_bytes(s, GEN_DNS, name, sizeof name - 1);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "is for ?[2Jlocalhost???, not localhost");
    present_bytes(s, GEN_DNS, "", 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "is for no host, not localhost");
    scene_present(s, &(struct paper){.subject = "a\x1b[2J\nb", .names = "DNS:other"});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "not localhost (CN=a\\1B[2J\\0Ab)");
    ck_assert_str_eq(scene_info(s->client).subject, "CN=a\\1B[2J\\0Ab");
}

SCENE_CASE(addresses_of_strange_sizes)
{
    present_bytes(s, GEN_IPADD, "\x7f\0\0\1", 4);
    scene_meet(s);
    scene_expect_encrypted(s);
    for (int size = 0; size <= 16; size++) {
        if (size == 4)
            continue;
        present_bytes(s, GEN_IPADD, "\x7f\0\0\1\x7f\0\0\1\x7f\0\0\1\x7f\0\0\1", size);
        scene_meet(s);
        scene_expect_refused(s, PLX_TLS_WRONG_NAME, ", not 127.0.0.1");
    }
}

/* OpenSSL accepts a chain of 100 KiB; 10 000 names of 10 bytes have more. */
static char *many_names(int count, const char *last)
{
    size_t size = (size_t)count * 24 + 64, length = 0;
    char *names = malloc(size);

    ck_assert_ptr_nonnull(names);
    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(names + length, size - length, "DNS:h%d,", i);
    snprintf(names + length, size - length, "DNS:%s", last);
    return names;
}

SCENE_CASE(ten_thousand_names)
{
    char *names = many_names(10000, "localhost");

    s->name = "localhost";
    scene_present(s, &(struct paper){.names = names});
    scene_meet(s);
    scene_expect_encrypted(s);
    s->name = "h9999";
    scene_meet(s);
    scene_expect_encrypted(s);
    s->name = "h10000";
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "the certificate is for h0, not h10000");
    free(names);
}

SCENE_CASE(more_names_than_a_chain_may_have)
{
    char *names = many_names(20000, "localhost");

    s->name = "localhost";
    scene_present(s, &(struct paper){.names = names});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_OTHER, "excessive message size");
    free(names);
}

/* ---- setting a name -------------------------------------------------------------------------- */

SCENE_CASE(the_name_replaces_the_address)
{
    scene_present(s, &(struct paper){.names = "DNS:a.example"});
    s->name = "a.example";
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_talk(s);
    s->name = "";
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_NAME, "is for a.example, not 127.0.0.1");
}

SCENE_CASE(the_name_stays_after_close)
{
    scene_present(s, &(struct paper){.names = "DNS:a.example"});
    s->name = "a.example";
    scene_meet(s);
    scene_expect_encrypted(s);
    for (int i = 0; i < 3; i++) {
        plx_socket_close(s->client);
        plx_socket_close(s->server);
        record_clear(&s->client_log);
        scene_connect(s);
        UNTIL(w, s->client_log.count[EVENT_ENCRYPTED] == 1);
    }
    plx_socket_close(s->client);
    plx_socket_close(s->server);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, NULL), 0);
    record_clear(&s->client_log);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert(has_words(s->client_log.message, "not 127.0.0.1"));
}

/* The name of a connection that has ended gives way to the next one. */
SCENE_CASE(a_name_after_the_name_of_one_connection)
{
    scene_present(s, &(struct paper){.names = "DNS:a.example,IP:127.0.0.1"});
    scene_meet(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "a.example"), 0);
    plx_socket_close(s->client);
    plx_socket_close(s->server);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "b.example"), 0);
    record_clear(&s->client_log);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    ck_assert(has_words(s->client_log.message, "is for a.example, not b.example"));
}

/* It is not lost by the name of a connection. */
SCENE_CASE(a_name_before_the_name_of_one_connection)
{
    scene_present(s, &(struct paper){.names = "DNS:a.example"});
    s->name = "a.example";
    scene_meet(s);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "b.example"), 0);
    for (int i = 0; i < 2; i++) {
        plx_socket_close(s->client);
        plx_socket_close(s->server);
        record_clear(&s->client_log);
        scene_connect(s);
        UNTIL(w, s->client_log.count[EVENT_ENCRYPTED] == 1);
        ck_assert_int_eq(plx_socket_set_tls_name(s->client, NULL), 0);
    }
}

SCENE_CASE(strings_that_are_no_name)
{
    char longest[300];

    scene_prepare(s);
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, longest), PLX_INVALID_STATE);
    longest[255] = '\0';
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, longest), 0);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "a b"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "a\n"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "a\x7f"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "\xff\xfe"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "."), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, ".a"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "a:443"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "127.0.0.1:443"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "[::1]"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "[::1]:443"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "b\xc3\xbc c"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(NULL, "a"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, ""), 0);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, NULL), 0);
}

/* ---- the name that is asked for -------------------------------------------------------------- */

/* RFC 6066, 3: host names in ASCII without a dot at their end, and no address. */
static const struct {
    const char *name, *asked;
} asked[] = {
    {"localhost", "localhost"},
    {"localhost.", "localhost"},
    {"a_b.example", "a_b.example"},
    {"127.0.0.1", NULL},
    {"::1", NULL},
    {NULL, NULL},
};

static int note_name(SSL *ssl, int *alert, void *user)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    snprintf(user, WHERE_SIZE, "%s", name == NULL ? "none" : name);
    return SSL_TLSEXT_ERR_OK;
}

SCENE_CASE(the_name_that_is_asked_for)
{
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        char name[WHERE_SIZE] = "";
        struct peer *peer;

        s->name = asked[i].name;
        peer = peer_face_client(s, 0);
        SSL_CTX_set_tlsext_servername_callback(peer->context, note_name);
        SSL_CTX_set_tlsext_servername_arg(peer->context, name);
        PEER_UNTIL(peer, name[0] != '\0');
        ck_assert_str_eq(name, asked[i].asked == NULL ? "none" : asked[i].asked);
        peer_free(peer);
    }
}

/* ---- without a name -------------------------------------------------------------------------- */

WORLD_CASE(a_client_without_a_name, world_begin_of(&world_, "ipc", MODE_POLL), 1, NULL)
{
    struct scene *s = scene_open(w);

    scene_prepare(s);
    scene_connect(s);
    UNTIL(w, s->client_log.count[EVENT_ERROR] == 1);
    world_settle(w);
    LOGGED(w, &s->client_log, "state:CONNECTING state:UNCONNECTED error(106,31)[UNCONNECTED]");
    ck_assert(has_words(s->client_log.message, "plx_socket_set_tls_name"));
    s->name = "localhost";
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_talk(s);
    s->name = NULL;
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_close(s);
}

/* The first allocation is the copy of the name, or the filter that keeps it. */
SCENE_CASE(a_name_without_memory)
{
    scene_prepare(s);
    for (int which = 1; which <= 2; which++) {
        fail_allocation(-which);
        ck_assert_int_eq(plx_socket_set_tls_name(s->client, "localhost"), PLX_OUT_OF_MEMORY);
        ck_assert(allocation_failed());
        fail_allocation(0);
    }
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "localhost"), 0);
    fail_allocation(-1);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "example.org"), PLX_OUT_OF_MEMORY);
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, "not a name"), PLX_INVALID_STATE);
    fail_allocation(0);
    scene_connect(s);
    UNTIL(w, plx_socket_is_encrypted(s->client));
    ck_assert_int_eq(plx_socket_set_tls_name(s->client, NULL), 0);
}

WORLD_MAIN("tls names")
