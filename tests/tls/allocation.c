/* tests/tls/allocation.c -- allocations of OpenSSL that fail. See allocation.h. */
#include "config.h"

#include "tests/tls/allocation.h"

#include <openssl/crypto.h>

#include <stdlib.h>

#include "tests/tls/must.h"

static long until_failure; /* as of fail_allocation */
static bool has_failed;

static bool must_fail(void)
{
    if (until_failure == 0)
        return false;
    if (until_failure == -1) /* from now on */
        return has_failed = true;
    until_failure += until_failure > 0 ? -1 : 1;
    return until_failure == 0 && (has_failed = true);
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : malloc(size);
}

static void *resize(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return must_fail() ? NULL : realloc(block, size);
}

static void release(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* Before the rows, which have OpenSSL allocate (CRYPTO_set_mem_functions(3)). */
__attribute__((constructor(101))) static void take_over(void)
{
    MUST(CRYPTO_set_mem_functions(allocate, resize, release) == 1);
}

void fail_openssl(int number)
{
    until_failure = number;
    has_failed = false;
}

bool openssl_failed(void)
{
    return has_failed;
}
