/* tests/test-tls-trust.c -- whom a client trusts: chains, days, purposes, keys, and files. */
#include "config.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <sys/stat.h>

#include "tests/tls/peer.h"
#include "tests/tls/scene.h"

static const char names[] = "DNS:localhost,IP:127.0.0.1";

/* ---- days ------------------------------------------------------------------------------------ */

SECTION("days");

SCENE_CASE(expired)
{
    scene_present(s, &(struct paper){.names = names, .from = -20, .to = -10});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_EXPIRED, "the certificate has expired on 20");
    ck_assert_int_eq(scene_info(s->client).depth, 0);
}

SCENE_CASE(not_yet_valid)
{
    scene_present(s, &(struct paper){.names = names, .from = 10, .to = 20});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_NOT_YET_VALID, "the certificate is not valid before 20");
}

SCENE_CASE(an_authority_that_has_expired)
{
    struct certificate *old =
        scene_signed(s, &(struct paper){.subject = "old", .is_ca = true, .from = -20, .to = -10});

    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, old));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_EXPIRED, "(CN=old, depth 1)");
    ck_assert_int_eq(scene_info(s->client).depth, 1);
    ck_assert_str_eq(scene_info(s->client).subject, "CN=old");
}

/* ---- the way to a trusted certificate -------------------------------------------------------- */

SECTION("chains");

SCENE_CASE(trusted)
{
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_talk(s);
    ck_assert_int_eq(scene_info(s->client).check, PLX_TLS_CHECK_NONE);
    ck_assert_int_eq(scene_info(s->client).version, 13);
    ck_assert_str_eq(scene_info(s->client).subject, "CN=server");
    ck_assert(scene_info(s->client).peer_has_certificate);
    ck_assert(!scene_info(s->server).peer_has_certificate);
}

SCENE_CASE(self_signed)
{
    struct certificate *own = scene_paper(s, &(struct paper){.names = names}, NULL);

    scene_use(s, s->server_tls, own);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "the certificate is self-signed and not trusted");
    scene_renew_client(s, own);
    scene_meet(s);
    scene_expect_encrypted(s);
}

SCENE_CASE(self_signed_and_pinned)
{
    struct certificate *own = scene_paper(s, &(struct paper){.names = names}, NULL);
    unsigned char pin[32];

    scene_use(s, s->server_tls, own);
    certificate_pin(own, pin);
    ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed"); /* REQUIRE still holds */
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, NULL));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PIN, "the key of the certificate is not pinned here");
    certificate_pin(s->papers[s->papers_used - 1], pin);
    ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0); /* another one that may be */
    scene_meet(s);
    scene_expect_encrypted(s);
}

SCENE_CASE(trusted_and_not_pinned)
{
    unsigned char pin[32] = {1};

    ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PIN, "not pinned");
    certificate_pin(s->papers[1], pin);
    ck_assert_int_eq(plx_tls_pin(s->client_tls, pin), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
}

SCENE_CASE(signed_by_somebody_else)
{
    struct certificate *other =
        scene_paper(s, &(struct paper){.subject = "other", .is_ca = true}, NULL);

    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, other));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "its issuer \"CN=other\" is not trusted here");
    scene_trust(s, s->client_tls, other); /* adds */
    scene_meet(s);
    scene_expect_encrypted(s);
}

/* The authority has the name of the trusted one, and another key. */
SCENE_CASE(a_wrong_signature)
{
    struct certificate *other =
        scene_paper(s, &(struct paper){.subject = "scene", .is_ca = true}, NULL);

    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, other));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_BAD_SIGNATURE, "certificate signature failure");
}

static struct certificate *middle_of(struct scene *s, struct certificate **ret_leaf)
{
    struct certificate *middle =
        scene_signed(s, &(struct paper){.subject = "middle", .is_ca = true});

    *ret_leaf = scene_paper(s, &(struct paper){.subject = "leaf", .names = names}, middle);
    return middle;
}

/* Lets the server present a certificate without those that lead to it. */
static void present_alone(struct scene *s, const struct certificate *leaf)
{
    char certificate[WHERE_SIZE], key[WHERE_SIZE];

    certificate_write(leaf, s->w->folder, "alone.pem", certificate);
    certificate_write_key(leaf, NULL, s->w->folder, "alone-key.pem", key);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, certificate, key, NULL), 0);
}

SCENE_CASE(a_missing_intermediate)
{
    struct certificate *leaf, *middle = middle_of(s, &leaf);

    present_alone(s, leaf);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "its issuer \"CN=middle\" is not trusted here");
    scene_use(s, s->server_tls, leaf);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_uint_gt(plx_socket_peer_certificate(s->client, 1, NULL, 0), 0);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 2, NULL, 0), 0);
    present_alone(s, leaf);
    scene_trust(s, s->client_tls, middle);
    scene_meet(s);
    scene_expect_encrypted(s);
}

/* A certificate that is trusted needs no way to another one. */
SCENE_CASE(trust_that_begins_below_the_root)
{
    struct certificate *leaf, *middle = middle_of(s, &leaf);

    scene_use(s, s->server_tls, leaf);
    scene_renew_client(s, middle);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_renew_client(s, leaf);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_present(s, &(struct paper){.names = names});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "its issuer \"CN=scene\"");
}

SCENE_CASE(a_chain_of_fifty)
{
    struct certificate *last = s->root;

    for (int i = 0; i < 50; i++) {
        char subject[32];

        snprintf(subject, sizeof subject, "link %d", i);
        last = scene_paper(s, &(struct paper){.subject = subject, .is_ca = true}, last);
    }
    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, last));
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_uint_gt(plx_socket_peer_certificate(s->client, 50, NULL, 0), 0);
    ck_assert_uint_eq(plx_socket_peer_certificate(s->client, 51, NULL, 0), 0);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY_DEPTH, 50), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY_DEPTH, 49), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PURPOSE, "certificate chain too long");
}

SCENE_CASE(an_authority_below_its_limit)
{
    struct certificate *narrow =
        scene_signed(s, &(struct paper){.subject = "narrow", .is_ca = true, .has_limit = true});
    struct certificate *below =
        scene_paper(s, &(struct paper){.subject = "below", .is_ca = true}, narrow);

    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, narrow));
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, below));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PURPOSE, "path length constraint exceeded");
}

/* ---- what a certificate is for --------------------------------------------------------------- */

SECTION("purposes");

SCENE_CASE(a_wrong_purpose)
{
    scene_present(s, &(struct paper){.names = names, .usage = "serverAuth"});
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_present(s, &(struct paper){.names = names, .usage = "clientAuth"});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PURPOSE, "certificate purpose");
    scene_present(s, &(struct paper){.names = names, .usage = "codeSigning,emailProtection"});
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PURPOSE, "certificate purpose");
}

/* CVE-2002-0862: any certificate could sign others. */
SCENE_CASE(signed_by_one_that_is_no_authority)
{
    struct certificate *user = scene_signed(s, &(struct paper){.subject = "user"});

    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, user));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_WRONG_PURPOSE, "CA certificate");
}

SCENE_CASE(a_weak_digest)
{
    struct certificate *weak = scene_signed(s, &(struct paper){.names = names, .digest = "SHA1"});
    struct peer *peer = peer_new(w, true, weak);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    scene_prepare(s);
    ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
    peer_begin(peer, raw_accept(w, listener));
    PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] == 1);
    scene_expect_refused(s, PLX_TLS_WEAK, "CA signature digest algorithm too weak");
    peer_free(peer);
}

/* RSA-512 is refused already when it is to be used. */
SCENE_CASE(a_weak_key)
{
    struct certificate *weak = scene_signed(s, &(struct paper){.names = names, .key = "RSA-512"});
    struct peer *peer = peer_new(w, true, weak);
    char where[WHERE_SIZE], key[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    SSL_CTX_set_max_proto_version(peer->context, TLS1_2_VERSION);
    scene_prepare(s);
    ck_assert_int_eq(plx_socket_connect_to(s->client, where), 0);
    peer_begin(peer, raw_accept(w, listener));
    PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] == 1);
    scene_expect_refused(s, PLX_TLS_WEAK, "EE certificate key too weak");
    peer_free(peer);
    scene_file(s, weak, where);
    certificate_write_key(weak, NULL, w->folder, "weak.pem", key);
    ck_assert_int_eq(plx_tls_use_file(s->server_tls, where, key, NULL), PLX_INVALID_STATE);
    ck_assert(has_words(plx_tls_error(s->server_tls)->message, "key too small"));
}

/* ---- files ----------------------------------------------------------------------------------- */

SECTION("files");

/* As openssl-rehash(1) names it. */
static void trust_hashed(struct scene *s, const struct certificate *certificate)
{
    unsigned char der[4096];
    const unsigned char *next = der;
    X509 *x509 = d2i_X509(NULL, &next, (long)certificate_der(certificate, der, sizeof der));
    char name[32], path[WHERE_SIZE];

    ck_assert_ptr_nonnull(x509);
    snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(x509));
    X509_free(x509);
    certificate_write(certificate, s->w->folder, name, path);
    ck_assert_int_eq(plx_tls_trust_file(s->client_tls, s->w->folder), 0);
}

SCENE_CASE(a_hashed_folder)
{
    scene_renew_client(s, NULL);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "its issuer \"CN=scene\" is not trusted here");
    trust_hashed(s, s->root);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_use(s, s->server_tls, scene_paper(s, &(struct paper){.names = names}, NULL));
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
    ck_assert_int_eq(plx_tls_reload(s->client_tls), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "self-signed");
}

/* An authority that is trusted for no server: the "TRUSTED CERTIFICATE" of openssl-x509(1). */
SCENE_CASE(an_authority_that_its_file_rejects)
{
    unsigned char der[4096];
    const unsigned char *next = der;
    size_t size = certificate_der(s->root, der, sizeof der);
    X509 *x509 = d2i_X509(NULL, &next, (long)size);
    ASN1_OBJECT *use = OBJ_nid2obj(NID_server_auth);
    char path[WHERE_SIZE];
    FILE *file;

    scene_renew_client(s, NULL);
    snprintf(path, sizeof path, "%s/%08lx.0", w->folder, X509_subject_name_hash(x509));
    ck_assert_int_eq(X509_add1_reject_object(x509, use), 1);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_X509_AUX(file, x509), 1);
    ck_assert_int_eq(fclose(file), 0);
    X509_free(x509);
    ck_assert_int_eq(plx_tls_trust_file(s->client_tls, w->folder), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_REJECTED, "the certificate is rejected here");
}

SCENE_CASE(memory)
{
    char pem[4096];
    size_t size = certificate_pem(s->root, pem, sizeof pem);

    scene_renew_client(s, NULL);
    ck_assert_int_eq(plx_tls_trust_memory(s->client_tls, pem, size), 0);
    memset(pem, 0, sizeof pem);
    scene_meet(s);
    scene_expect_encrypted(s);
    ck_assert_int_eq(plx_tls_reload(s->client_tls), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
}

SCENE_CASE(rejected)
{
    struct certificate *leaf, *middle = middle_of(s, &leaf);
    char path[WHERE_SIZE];

    scene_use(s, s->server_tls, leaf);
    scene_file(s, s->papers[1], path); /* another one */
    ck_assert_int_eq(plx_tls_reject_file(s->client_tls, path), 0);
    scene_meet(s);
    scene_expect_encrypted(s);
    for (int i = 0; i < 3; i++) {
        const struct certificate *bad = i == 0 ? leaf : i == 1 ? middle : s->root;

        scene_renew_client(s, s->root);
        scene_file(s, bad, path);
        ck_assert_int_eq(plx_tls_reject_file(s->client_tls, path), 0);
        scene_meet(s);
        scene_expect_refused(s, PLX_TLS_REJECTED, "the certificate is rejected here");
        ck_assert_int_eq(scene_info(s->client).depth, i);
        if (i == 2)
            break;
        ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
        scene_meet(s);
        scene_expect_refused(s, PLX_TLS_REJECTED, "the certificate is rejected here");
    }
}

/* A change of the settings counts for connections that begin later. */
SCENE_CASE(settings_that_change_during_the_handshake)
{
    s->name = "other.example";
    for (int version = 12; version <= 13; version++) {
        struct peer *peer = peer_face_client(s, version);

        world_settle(w);
        ck_assert_int_eq(plx_socket_state(s->client), PLX_CONNECTING);
        ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_NONE), 0);
        PEER_UNTIL(peer, s->client_log.count[EVENT_ERROR] == 1);
        scene_expect_refused(s, PLX_TLS_WRONG_NAME, "not other.example");
        peer_free(peer);
        ck_assert_int_eq(plx_tls_set_option(s->client_tls, PLX_TLS_VERIFY, PLX_TLS_VERIFY_REQUIRE),
                         0);
    }
}

/* Makes the certificate whose signature is (r, n - s) in place of (r, s). */
static X509 *twin_of(const struct certificate *certificate)
{
    unsigned char der[4096], *signature = NULL;
    const unsigned char *next = der;
    X509 *x509 = d2i_X509(NULL, &next, (long)certificate_der(certificate, der, sizeof der));
    EC_GROUP *curve = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    ECDSA_SIG *twin = ECDSA_SIG_new();
    BIGNUM *other = BN_new();
    const ASN1_BIT_STRING *bits;
    const BIGNUM *r, *s;

    X509_get0_signature(&bits, NULL, x509);
    next = ASN1_STRING_get0_data(bits);
    ECDSA_SIG *own = d2i_ECDSA_SIG(NULL, &next, ASN1_STRING_length(bits));
    ck_assert_ptr_nonnull(own);
    ECDSA_SIG_get0(own, &r, &s);
    ck_assert_int_eq(BN_sub(other, EC_GROUP_get0_order(curve), s), 1);
    ck_assert_int_eq(ECDSA_SIG_set0(twin, BN_dup(r), other), 1);
    int size = i2d_ECDSA_SIG(twin, &signature);
    ck_assert_int_eq(ASN1_STRING_set((ASN1_STRING *)bits, signature, size), 1);
    OPENSSL_free(signature);
    ECDSA_SIG_free(own);
    ECDSA_SIG_free(twin);
    EC_GROUP_free(curve);
    return x509;
}

/* Anybody can make the twin, without the key of the authority. */
SCENE_CASE(rejected_with_another_signature)
{
    struct certificate *leaf =
        scene_signed(s, &(struct paper){.subject = "leaf", .names = "IP:127.0.0.1"});
    X509 *twin = twin_of(leaf);
    char path[WHERE_SIZE], key[4096], *data;
    size_t key_size = certificate_key_pem(leaf, key, sizeof key);
    BIO *pem = BIO_new(BIO_s_mem());

    ck_assert_int_eq(PEM_write_bio_X509(pem, twin), 1);
    size_t size = (size_t)BIO_get_mem_data(pem, &data);
    ck_assert_int_eq(plx_tls_use_memory(s->server_tls, data, size, key, key_size, NULL), 0);
    BIO_free(pem);
    X509_free(twin);
    scene_meet(s);
    scene_expect_encrypted(s);
    scene_file(s, leaf, path);
    ck_assert_int_eq(plx_tls_reject_file(s->client_tls, path), 0);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_REJECTED, "the certificate is rejected here");
}

/* The most frequent cause on a machine where the trusted certificates were not installed. */
SCENE_CASE(nobody_is_trusted)
{
    setenv("SSL_CERT_FILE", "/nowhere/at-all.pem", 1);
    setenv("SSL_CERT_DIR", "/nowhere", 1);
    scene_renew_client(s, NULL);
    scene_meet(s);
    scene_expect_refused(s, PLX_TLS_UNTRUSTED, "(is ca-certificates installed?)");
    setenv("SSL_CERT_DIR", w->folder, 1);
    unsetenv("SSL_CERT_FILE");
    scene_renew_client(s, NULL);
    trust_hashed(s, s->root);
    scene_renew_client(s, NULL);
    scene_meet(s);
    scene_expect_encrypted(s);
}

WORLD_MAIN("tls trust")
