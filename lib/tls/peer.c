/* lib/tls/peer.c -- the check of the peer. */
#include "lib/tls/peer.h"
#include "lib/tls/question.h"
#include "lib/tls/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- what is wrong --------------------------------------------------------------------------- */

static plx_tls_check check_of(int error)
{
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED: return PLX_TLS_UNTRUSTED;
    case X509_V_ERR_CERT_HAS_EXPIRED: return PLX_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return PLX_TLS_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return PLX_TLS_WRONG_NAME;
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_CERT_REJECTED: return PLX_TLS_REJECTED;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return PLX_TLS_WEAK;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED: return PLX_TLS_WRONG_PURPOSE;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: return PLX_TLS_BAD_SIGNATURE;
    default: return PLX_TLS_OTHER;
    }
}

/* ---- verifying ------------------------------------------------------------------------------- */

static void verify_chain(X509_STORE_CTX *store, struct plx__tls_problem *problem)
{
    int result = X509_verify_cert(store);
    int error = X509_STORE_CTX_get_error(store);
    if (result <= 0) {
        error = error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
        X509 *culprit = X509_STORE_CTX_get_current_cert(store);
        plx__tls_problem_note(problem, check_of(error), error,
                              X509_STORE_CTX_get_error_depth(store),
                              culprit != NULL ? culprit : X509_STORE_CTX_get0_cert(store));
    }
}

static bool find_rejected(const plx_tls *tls, STACK_OF(X509) * chain,
                          struct plx__tls_problem *problem)
{
    bool found = false;
    for (int place = 0; !found && place < sk_X509_num(chain); place++) {
        X509 *certificate = sk_X509_value(chain, place);
        found = plx__tls_source_has(tls->rejected, certificate);
        if (found) {
            plx__tls_problem_note(problem, PLX_TLS_REJECTED, X509_V_ERR_CERT_REJECTED, place,
                                  certificate);
        }
    }
    return found;
}

/* The peer's own certificate, those that it has sent beside it, and those that they lead to. */
static bool is_rejected(const plx_tls *tls, X509_STORE_CTX *store, struct plx__tls_problem *problem)
{
    X509 *own = X509_STORE_CTX_get0_cert(store);
    if (plx__tls_source_has(tls->rejected, own)) {
        plx__tls_problem_note(problem, PLX_TLS_REJECTED, X509_V_ERR_CERT_REJECTED, 0, own);
        return true;
    }
    return tls->rejected != NULL &&
           (find_rejected(tls, X509_STORE_CTX_get0_chain(store), problem) ||
            find_rejected(tls, X509_STORE_CTX_get0_untrusted(store), problem));
}

static bool digest_key(X509 *certificate, struct plx__tls_pin *ret_pin)
{
    unsigned char *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool good =
        size > 0 && EVP_Digest(der, (size_t)size, ret_pin->sha256, NULL, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return good;
}

static bool is_pinned(const plx_tls *tls, X509 *certificate)
{
    struct plx__tls_pin key;
    size_t place = tls->pin_count;
    if (place == 0) {
        return true;
    }
    bool good = digest_key(certificate, &key);
    while (good && place > 0 &&
           memcmp(tls->pins[place - 1].sha256, key.sha256, sizeof key.sha256) != 0) {
        place--;
    }
    return good && place > 0;
}

/* Finds what is wrong. Returns whether the program cannot accept it: it has forbidden it itself. */
static bool find_problem(struct plx__tls_connection *connection, X509_STORE_CTX *store)
{
    const plx_tls *tls = connection->tls;
    struct plx__tls_problem *problem = &connection->problem;
    X509 *own = X509_STORE_CTX_get0_cert(store);
    if (plx__tls_verifies(connection)) {
        verify_chain(store, problem);
    }
    if (is_rejected(tls, store, problem)) {
        return true;
    }
    if (!is_pinned(tls, own)) {
        plx__tls_problem_note(problem, PLX_TLS_WRONG_PIN, X509_V_ERR_APPLICATION_VERIFICATION, 0,
                              own);
        return true;
    }
    return false;
}

static int refuse(X509_STORE_CTX *store, const struct plx__tls_problem *problem)
{
    int error = problem->error == X509_V_OK ? X509_V_ERR_APPLICATION_VERIFICATION : problem->error;
    X509_STORE_CTX_set_error(store, error);
    return 0;
}

/* What OpenSSL does with `verify`: 1 with SSL_set_retry_verify pauses the handshake and calls it
 * again (SSL_set_retry_verify(3)). */
static int ask(plx_filter *filter, SSL *ssl, X509_STORE_CTX *store)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    plx__tls_question_put(filter);
    if (!plx__tls_question_waits(connection)) {
        return refuse(store, &connection->problem);
    }
    SSL_set_retry_verify(ssl);
    return 1;
}

static bool may_ask(const plx_tls *tls)
{
    return tls->check_peer != NULL || tls->options[PLX_TLS_PAUSE_ON_PROBLEM] != 0;
}

int plx__tls_verify(X509_STORE_CTX *store, void *user)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    plx_filter *filter = plx__tls_filter_of(ssl);
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    const plx_tls *tls = connection->tls;
    (void)user;
    if (connection->answer == PLX__TLS_ACCEPTED) {
        return 1;
    }
    if (connection->answer == PLX__TLS_REFUSED || find_problem(connection, store)) {
        return refuse(store, &connection->problem);
    }
    if (!plx__tls_question_is_due(connection)) {
        return 1;
    }
    if (!tls->is_server) {
        return ask(filter, ssl, store);
    }
    return may_ask(tls) || connection->problem.check == PLX_TLS_CHECK_NONE
               ? 1
               : refuse(store, &connection->problem);
}

/* OpenSSL does not verify a peer whose cipher needs no certificate, which plx_tls_set_ciphers can
 * allow ("ALL", "aNULL"). */
static bool lacks_certificate(const struct plx__tls_connection *connection)
{
    return SSL_get0_peer_certificate(connection->ssl) == NULL &&
           (connection->verify == PLX_TLS_VERIFY_REQUIRE || connection->tls->pin_count > 0);
}

/* A resumed session has the result of the check that it skips. */
static void find_missing(struct plx__tls_connection *connection)
{
    int error = (int)SSL_get_verify_result(connection->ssl);
    X509 *own = SSL_get0_peer_certificate(connection->ssl);
    struct plx__tls_problem *problem = &connection->problem;
    if (!plx__tls_verifies(connection) || problem->check != PLX_TLS_CHECK_NONE) {
        return;
    }
    if (own == NULL && (connection->tls->check_peer != NULL || !connection->tls->is_server)) {
        plx__tls_problem_set(problem, PLX_TLS_NO_CERTIFICATE);
    } else if (own != NULL && error != X509_V_OK) {
        plx__tls_problem_note(problem, check_of(error), error, 0, own);
    }
}

int plx__tls_judge(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    if (lacks_certificate(connection)) {
        plx__tls_problem_set(&connection->problem, PLX_TLS_NO_CERTIFICATE);
        return EACCES;
    }
    if (connection->answer == PLX__TLS_UNASKED) {
        find_missing(connection);
        if (!plx__tls_question_is_due(connection)) {
            return 0;
        }
        plx__tls_question_put(filter);
    }
    if (plx__tls_question_waits(connection)) {
        return EAGAIN;
    }
    return connection->answer == PLX__TLS_ACCEPTED ? 0 : EACCES;
}

/* ---- in words -------------------------------------------------------------------------------- */

/* The most frequent cause on a fresh machine is that the certificates were not installed. A folder
 * (SSL_CERT_DIR) may have some all the same: OpenSSL reads of it only what a chain needs. */
static bool has_found_nobody(const plx_tls *tls)
{
    return tls->trusted == NULL && !tls->is_server &&
           sk_X509_OBJECT_num(X509_STORE_get0_objects(tls->store)) == 0;
}

static void untrusted_text(const struct plx__tls_connection *connection, char *ret_text,
                           size_t size)
{
    const struct plx__tls_problem *problem = &connection->problem;
    const char *hint = has_found_nobody(connection->tls)
                           ? ": no trusted certificate was found (is ca-certificates installed?)"
                           : "";
    char issuer[128];
    if (problem->error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || problem->culprit == NULL) {
        snprintf(ret_text, size, "the certificate is self-signed and not trusted here%s", hint);
    } else {
        plx__tls_issuer(problem->culprit, issuer, sizeof issuer);
        snprintf(ret_text, size, "its issuer \"%s\" is not trusted here%s", issuer, hint);
    }
}

static void name_text(const struct plx__tls_connection *connection, char *ret_text, size_t size)
{
    const char *peer = connection->peer == NULL ? "" : connection->peer;
    char name[128] = "";
    if (connection->problem.culprit != NULL) {
        plx__tls_first_name(connection->problem.culprit, name, sizeof name);
    }
    snprintf(ret_text, size, "the certificate is for %s, not %.*s",
             name[0] == '\0' ? "no host" : name, (int)strcspn(peer, " "), peer);
}

static void day_text(const struct plx__tls_problem *problem, char *ret_text, size_t size)
{
    bool expired = problem->check == PLX_TLS_EXPIRED;
    char day[32] = "";
    if (problem->culprit != NULL) {
        plx__tls_day(expired ? X509_get0_notAfter(problem->culprit)
                             : X509_get0_notBefore(problem->culprit),
                     day, sizeof day);
    }
    snprintf(ret_text, size,
             expired ? "the certificate has expired on %s"
                     : "the certificate is not valid before %s",
             day);
}

static void check_text(const struct plx__tls_connection *connection, char *ret_text, size_t size)
{
    const struct plx__tls_problem *problem = &connection->problem;
    switch (problem->check) {
    case PLX_TLS_NO_CERTIFICATE: snprintf(ret_text, size, "the peer has no certificate"); return;
    case PLX_TLS_UNTRUSTED: untrusted_text(connection, ret_text, size); return;
    case PLX_TLS_EXPIRED:
    case PLX_TLS_NOT_YET_VALID: day_text(problem, ret_text, size); return;
    case PLX_TLS_WRONG_NAME: name_text(connection, ret_text, size); return;
    case PLX_TLS_REJECTED: snprintf(ret_text, size, "the certificate is rejected here"); return;
    case PLX_TLS_WRONG_PIN:
        snprintf(ret_text, size, "the key of the certificate is not pinned here");
        return;
    case PLX_TLS_CHECK_NONE: snprintf(ret_text, size, "the program has refused the peer"); return;
    default: break;
    }
    snprintf(ret_text, size, "the certificate: %s", X509_verify_cert_error_string(problem->error));
}

void plx__tls_problem_text(const struct plx__tls_connection *connection, char *ret_text,
                           size_t size)
{
    const struct plx__tls_problem *problem = &connection->problem;
    char subject[96];
    check_text(connection, ret_text, size);
    size_t length = strlen(ret_text);
    if (problem->culprit != NULL) {
        plx__tls_subject(problem->culprit, subject, sizeof subject);
        snprintf(ret_text + length, size - length, problem->depth > 0 ? " (%s, depth %d)" : " (%s)",
                 subject, problem->depth);
    }
}
