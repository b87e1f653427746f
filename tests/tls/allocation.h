/* tests/tls/allocation.h -- allocations of OpenSSL that fail. A program that calls these links an
 * allocator of its own, which OpenSSL then uses from the start. */
#ifndef POLLUX_TESTS_TLS_ALLOCATION_H
#define POLLUX_TESTS_TLS_ALLOCATION_H

#include <stdbool.h>

/* As fail_allocation and allocation_failed of tests/counting.h, for the blocks of OpenSSL. */
void fail_openssl(int number);
bool openssl_failed(void);

#endif
