/* tests/test-tls-authority.c -- the certificates that the tests of TLS make for themselves. */
#include "config.h"

#include <pollux/tls.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kinds.h"
#include "tests/suite.h"
#include "tests/tls/authority.h"

static char folder[] = "/tmp/pollux-authority-XXXXXX";
static char path[WHERE_SIZE], key_path[WHERE_SIZE];

static void make_folder(void)
{
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    unlink(path);
    unlink(key_path);
    rmdir(folder);
}

SUITE_MAIN("tls-authority", .setup = make_folder, .teardown = remove_folder)

static void assert_usable(const char *certificate, const char *key, const char *password)
{
    plx_tls *tls = plx_tls_new_server();
    int code = plx_tls_use_file(tls, certificate, key, password);

    ck_assert_msg(code == 0, "%s", plx_tls_error(tls)->message);
    plx_tls_free(tls);
}

/* ---- files ----------------------------------------------------------------------------------- */

struct chain {
    struct certificate *root, *between, *end;
};

static struct chain new_chain(const char *key)
{
    struct chain chain;

    chain.root = certificate_new(&(struct paper){.is_ca = true, .subject = "root"}, NULL);
    chain.between = certificate_new(
        &(struct paper){.is_ca = true, .has_limit = true, .subject = "between"}, chain.root);
    chain.end = certificate_new(&(struct paper){.names = "DNS:localhost,IP:127.0.0.1", .key = key},
                                chain.between);
    return chain;
}

static void free_chain(struct chain chain)
{
    certificate_free(chain.end);
    certificate_free(chain.between);
    certificate_free(chain.root);
}

PLAIN_CASE(a_chain_and_its_key)
{
    static const char *const passwords[] = {NULL, "secret"};
    static const char *const keys[] = {NULL, "P-384", "RSA-2048"};

    for (int i = 0; i < 3; i++) {
        struct chain chain = new_chain(keys[i]);

        for (int k = 0; k < 2; k++) {
            certificate_write_chain(chain.end, folder, "chain.pem", path);
            certificate_write_key(chain.end, passwords[k], folder, "key.pem", key_path);
            assert_usable(path, key_path, passwords[k]);
        }
        free_chain(chain);
    }
}

PLAIN_CASE(pkcs12)
{
    struct chain chain = new_chain(NULL);

    certificate_write_pkcs12(chain.end, "secret", folder, "end.p12", path);
    assert_usable(path, NULL, "secret");
    free_chain(chain);
}

PLAIN_CASE(a_trusted_file)
{
    struct certificate *root = certificate_new(&(struct paper){.is_ca = true}, NULL);
    plx_tls *tls = plx_tls_new_client();

    certificate_write(root, folder, "root.pem", path);
    ck_assert_int_eq(plx_tls_trust_file(tls, path), 0);
    plx_tls_free(tls);
    certificate_free(root);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

PLAIN_CASE(in_memory)
{
    char pem[4096], key[4096];
    unsigned char der[4096], pin[32], other[32];
    struct certificate *end = certificate_new(&(struct paper){.key = "RSA-512"}, NULL);
    struct certificate *next = certificate_new(&(struct paper){.from = -9, .to = -8}, NULL);
    size_t size = certificate_pem(next, pem, sizeof pem);
    size_t key_size = certificate_key_pem(next, key, sizeof key);
    plx_tls *tls = plx_tls_new_server();

    ck_assert_int_eq(plx_tls_use_memory(tls, pem, size, key, key_size, NULL), 0);
    ck_assert_uint_gt(certificate_der(end, der, sizeof der), 100);
    ck_assert_uint_eq(der[0], 0x30);
    certificate_pin(end, pin);
    certificate_pin(next, other);
    ck_assert_mem_ne(pin, other, sizeof pin);
    plx_tls_free(tls);
    certificate_free(end);
    certificate_free(next);
}
