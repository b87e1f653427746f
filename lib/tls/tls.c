/* lib/tls/tls.c -- the settings of TLS connections. */
#include "lib/tls/tls.h"
#include "lib/tls/lower.h"
#include "lib/tls/refuse.h"
#include "lib/tls/text.h"

#include <pollux/memory.h>

#include <openssl/err.h>

#include <string.h>

/* ---- life ------------------------------------------------------------------------------------ */

static void destroy(plx_tls *tls)
{
    plx__tls_sessions_clear(&tls->sessions);
    SSL_CTX_free(tls->context);
    X509_STORE_free(tls->store);
    BIO_meth_free(tls->lower);
    plx__tls_identity_clear(&tls->identity);
    plx__tls_source_free(tls->trusted, NULL);
    plx__tls_source_free(tls->rejected, NULL);
    plx_memory_resize(tls->ciphers[0], 0);
    plx_memory_resize(tls->ciphers[1], 0);
    plx_memory_resize(tls->protocols.names, 0);
    plx_memory_resize(tls->pins, 0);
    plx_memory_resize(tls, 0);
}

static bool begin(plx_tls *tls)
{
    tls->lower = plx__tls_lower_new();
    tls->store = plx__tls_source_store(&tls->refusal, NULL, !tls->is_server);
    return tls->lower != NULL && tls->store != NULL && plx__tls_renew(tls) == 0;
}

static plx_tls *new_settings(bool is_server)
{
    plx_tls *tls = plx_memory_resize(NULL, sizeof *tls);
    if (tls == NULL) {
        return NULL;
    }
    *tls = (plx_tls){.shares = 1, .is_server = is_server, .refusal.error.message = ""};
    tls->options[PLX_TLS_VERIFY] = is_server ? PLX_TLS_VERIFY_NONE : PLX_TLS_VERIFY_REQUIRE;
    tls->options[PLX_TLS_MINIMUM] = 12;
    tls->options[PLX_TLS_MAXIMUM] = 13;
    tls->options[PLX_TLS_SESSIONS] = 1;
    bool good = begin(tls);
    ERR_clear_error();
    if (!good) {
        destroy(tls);
    }
    return good ? tls : NULL;
}

plx_tls *plx_tls_new_client(void)
{
    return new_settings(false);
}

plx_tls *plx_tls_new_server(void)
{
    return new_settings(true);
}

plx_tls *plx__tls_share(plx_tls *tls)
{
    tls->shares++;
    return tls;
}

plx_tls *plx_tls_free(plx_tls *tls)
{
    if (tls != NULL && --tls->shares == 0) {
        destroy(tls);
    }
    return NULL;
}

const plx_error *plx_tls_error(const plx_tls *tls)
{
    static const plx_error null = {PLX_INVALID_STATE, PLX_REASON_TLS_INVALID_USER_DATA, 0,
                                   "the TLS settings are NULL"};
    return tls == NULL ? &null : &tls->refusal.error;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool may_be(const plx_tls *tls, plx_tls_option option, int value)
{
    switch (option) {
    case PLX_TLS_VERIFY: return value >= PLX_TLS_VERIFY_NONE && value <= PLX_TLS_VERIFY_REQUIRE;
    case PLX_TLS_VERIFY_DEPTH: return value >= 0 && value <= 100;
    case PLX_TLS_MINIMUM: return value >= 12 && value <= tls->options[PLX_TLS_MAXIMUM];
    case PLX_TLS_MAXIMUM: return value >= tls->options[PLX_TLS_MINIMUM] && value <= 13;
    case PLX_TLS_SESSIONS:
    case PLX_TLS_ALLOW_TRUNCATION:
    case PLX_TLS_PAUSE_ON_PROBLEM: return value == 0 || value == 1;
    default: return false;
    }
}

int plx_tls_set_option(plx_tls *tls, plx_tls_option option, int value)
{
    if (tls == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!may_be(tls, option, value)) {
        return plx__tls_refuse(&tls->refusal, "option %d: the value %d is not allowed", (int)option,
                               value);
    }
    int before = tls->options[option];
    tls->options[option] = value;
    int code = before == value ? 0 : plx__tls_renew(tls);
    if (code != 0) {
        tls->options[option] = before;
    }
    return code;
}

/* ---- ciphers and protocols ------------------------------------------------------------------- */

/* Frees those of two lists that the program has given. */
static void free_given(char *const lists[2], const char *const given[2])
{
    plx_memory_resize(given[0] == NULL ? NULL : lists[0], 0);
    plx_memory_resize(given[1] == NULL ? NULL : lists[1], 0);
}

int plx_tls_set_ciphers(plx_tls *tls, const char *tls12, const char *tls13)
{
    if (tls == NULL) {
        return PLX_INVALID_STATE;
    }
    const char *given[2] = {tls12, tls13};
    char *before[2] = {tls->ciphers[0], tls->ciphers[1]};
    char *next[2] = {tls12 == NULL ? before[0] : plx__tls_copy(tls12),
                     tls13 == NULL ? before[1] : plx__tls_copy(tls13)};
    bool copied = (tls12 == NULL || next[0] != NULL) && (tls13 == NULL || next[1] != NULL);
    if (!copied) {
        free_given(next, given);
        return plx__tls_refuse_memory(&tls->refusal);
    }
    memcpy(tls->ciphers, next, sizeof next);
    int code = plx__tls_renew(tls);
    if (code != 0) {
        memcpy(tls->ciphers, before, sizeof before);
    }
    free_given(code == 0 ? before : next, given);
    return code;
}

/* The size of the names with a length before each. 0: one of them cannot be used. */
static size_t size_of_names(const char *const *names, size_t count)
{
    size_t size = 0;
    for (size_t place = 0; place < count; place++) {
        size_t length = names[place] == NULL ? 0 : strlen(names[place]);
        if (length == 0 || length > 255) {
            return 0;
        }
        size += 1 + length;
    }
    return size;
}

static void write_names(const char *const *names, size_t count, unsigned char *ret_names)
{
    for (size_t place = 0; place < count; place++) {
        size_t length = strlen(names[place]);
        *ret_names++ = (unsigned char)length;
        memcpy(ret_names, names[place], length);
        ret_names += length;
    }
}

static int exchange_protocols(plx_tls *tls, struct plx__tls_protocols next)
{
    struct plx__tls_protocols before = tls->protocols;
    tls->protocols = next;
    int code = plx__tls_renew(tls);
    if (code != 0) {
        tls->protocols = before;
    }
    plx_memory_resize(code == 0 ? before.names : next.names, 0);
    return code;
}

/* RFC 7301, 3.1: all names together have at most 65535 bytes. */
int plx_tls_set_protocols(plx_tls *tls, const char *const *names, size_t count)
{
    struct plx__tls_protocols next = {NULL, 0};
    if (tls == NULL) {
        return PLX_INVALID_STATE;
    }
    if (count > 0) {
        next.size = names == NULL || count > 32767 ? 0 : size_of_names(names, count);
        if (next.size == 0 || next.size > 65535) {
            return plx__tls_refuse(&tls->refusal,
                                   "protocols: a name has 1 to 255 bytes (RFC 7301)");
        }
        next.names = plx_memory_resize(NULL, next.size);
        if (next.names == NULL) {
            return plx__tls_refuse_memory(&tls->refusal);
        }
        write_names(names, count, next.names);
    }
    return exchange_protocols(tls, next);
}

/* ---- whom to trust --------------------------------------------------------------------------- */

/* Takes `next`, which has the present list behind it; NULL after plx__tls_refuse. */
static int exchange_trusted(plx_tls *tls, struct plx__tls_source *next)
{
    X509_STORE *store = next == NULL ? NULL : plx__tls_source_store(&tls->refusal, next, false);
    if (store == NULL) {
        plx__tls_source_free(next, tls->trusted);
        return tls->refusal.error.code;
    }
    struct plx__tls_source *before = tls->trusted;
    X509_STORE *store_before = tls->store;
    tls->trusted = next;
    tls->store = store;
    int code = plx__tls_renew(tls);
    if (code != 0) {
        tls->trusted = before;
        tls->store = store_before;
        plx__tls_source_free(next, before);
    }
    X509_STORE_free(code == 0 ? store_before : store);
    return code;
}

int plx_tls_trust_file(plx_tls *tls, const char *path)
{
    if (tls == NULL || path == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "trust: the path is NULL");
    }
    return exchange_trusted(tls, plx__tls_source_of_path(&tls->refusal, path, true, tls->trusted));
}

int plx_tls_trust_memory(plx_tls *tls, const void *pem, size_t size)
{
    if (tls == NULL || pem == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "trust: the memory is NULL");
    }
    return exchange_trusted(tls, plx__tls_source_of_memory(&tls->refusal, pem, size, tls->trusted));
}

int plx_tls_reject_file(plx_tls *tls, const char *path)
{
    if (tls == NULL || path == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "reject: the path is NULL");
    }
    struct plx__tls_source *before = tls->rejected;
    struct plx__tls_source *next = plx__tls_source_of_path(&tls->refusal, path, false, before);
    if (next == NULL) {
        return tls->refusal.error.code;
    }
    tls->rejected = next;
    int code = plx__tls_renew(tls);
    if (code != 0) {
        tls->rejected = before;
        plx__tls_source_free(next, before);
    }
    return code;
}

int plx_tls_pin(plx_tls *tls, const unsigned char sha256[32])
{
    if (tls == NULL || sha256 == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "pin: the digest is NULL");
    }
    struct plx__tls_pin *pins =
        plx_memory_resize(tls->pins, (tls->pin_count + 1) * sizeof *tls->pins);
    if (pins == NULL) {
        return plx__tls_refuse_memory(&tls->refusal);
    }
    tls->pins = pins;
    memcpy(pins[tls->pin_count++].sha256, sha256, sizeof pins->sha256);
    int code = plx__tls_renew(tls);
    if (code != 0) {
        tls->pin_count--;
    }
    return code;
}

int plx_tls_set_check(plx_tls *tls,
                      int (*check_peer)(plx_socket *socket, const plx_tls_info *problem,
                                        void *user),
                      void *user)
{
    if (tls == NULL) {
        return PLX_INVALID_STATE;
    }
    tls->check_peer = check_peer;
    tls->user = user;
    return 0;
}

/* ---- certificates ---------------------------------------------------------------------------- */

/* Takes the identity. */
static int exchange_identity(plx_tls *tls, struct plx__tls_identity next)
{
    struct plx__tls_identity before = tls->identity;
    tls->identity = next;
    int code = plx__tls_renew(tls);
    if (code != 0) {
        tls->identity = before;
    }
    plx__tls_identity_clear(code == 0 ? &before : &next);
    return code;
}

int plx_tls_use_file(plx_tls *tls, const char *certificate, const char *key, const char *password)
{
    struct plx__tls_identity next;
    if (tls == NULL || certificate == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "use: the path is NULL");
    }
    int code = plx__tls_identity_read(&tls->refusal, certificate, key, password, &next);
    return code == 0 ? exchange_identity(tls, next) : code;
}

int plx_tls_use_memory(plx_tls *tls, const void *certificate, size_t size, const void *key,
                       size_t key_size, const char *password)
{
    struct plx__tls_identity next;
    if (tls == NULL || certificate == NULL) {
        return tls == NULL ? PLX_INVALID_STATE
                           : plx__tls_refuse(&tls->refusal, "use: the memory is NULL");
    }
    int code = plx__tls_identity_parse(
        &tls->refusal, (struct plx__tls_bytes){certificate, size, "the given memory"},
        (struct plx__tls_bytes){key, key_size, "the given memory"}, password, &next);
    return code == 0 ? exchange_identity(tls, next) : code;
}

/* ---- reading everything again ---------------------------------------------------------------- */

/* What comes from files. */
struct files {
    struct plx__tls_source *trusted, *rejected;
    X509_STORE *store;
    struct plx__tls_identity identity;
};

static struct files files_of(const plx_tls *tls)
{
    return (struct files){tls->trusted, tls->rejected, tls->store, tls->identity};
}

static void set_files(plx_tls *tls, struct files files)
{
    tls->trusted = files.trusted;
    tls->rejected = files.rejected;
    tls->store = files.store;
    tls->identity = files.identity;
}

static void free_files(struct files *files)
{
    plx__tls_source_free(files->trusted, NULL);
    plx__tls_source_free(files->rejected, NULL);
    X509_STORE_free(files->store);
    plx__tls_identity_clear(&files->identity);
}

/* What came from memory is shared. */
static int copy_identity(const struct plx__tls_identity *from, struct plx__tls_identity *ret_copy)
{
    struct plx__tls_identity copy = {.certificate = from->certificate, .key = from->key};
    copy.chain = from->chain == NULL ? NULL : X509_chain_up_ref(from->chain);
    if (from->chain != NULL && copy.chain == NULL) {
        return PLX_OUT_OF_MEMORY;
    }
    X509_up_ref(copy.certificate);
    EVP_PKEY_up_ref(copy.key);
    *ret_copy = copy;
    return 0;
}

static int read_identity(plx_tls *tls, struct plx__tls_identity *ret_identity)
{
    const struct plx__tls_identity *now = &tls->identity;
    if (now->certificate == NULL) {
        return 0;
    }
    if (now->file == NULL) {
        return copy_identity(now, ret_identity) == 0 ? 0 : plx__tls_refuse_memory(&tls->refusal);
    }
    return plx__tls_identity_read(&tls->refusal, now->file, now->key_file, now->password,
                                  ret_identity);
}

static int read_files(plx_tls *tls, struct files *files)
{
    files->trusted = plx__tls_source_again(&tls->refusal, tls->trusted);
    files->rejected = plx__tls_source_again(&tls->refusal, tls->rejected);
    bool good = (files->trusted != NULL) == (tls->trusted != NULL) &&
                (files->rejected != NULL) == (tls->rejected != NULL);
    files->store =
        good ? plx__tls_source_store(&tls->refusal, files->trusted, !tls->is_server) : NULL;
    return files->store == NULL ? tls->refusal.error.code : read_identity(tls, &files->identity);
}

int plx_tls_reload(plx_tls *tls)
{
    struct files next = {0};
    if (tls == NULL) {
        return PLX_INVALID_STATE;
    }
    struct files before = files_of(tls);
    int code = read_files(tls, &next);
    if (code == 0) {
        set_files(tls, next);
        code = plx__tls_renew(tls);
        if (code != 0) {
            set_files(tls, before);
        }
    }
    free_files(code == 0 ? &before : &next);
    return code;
}
