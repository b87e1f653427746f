/* tests/tls/must.h -- for what is made before the first case too, where Check cannot report. */
#ifndef POLLUX_TESTS_TLS_MUST_H
#define POLLUX_TESTS_TLS_MUST_H

#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

/* MUST ends the process if a condition is not true, and says what OpenSSL has recorded last. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            ERR_print_errors_fp(stderr);                                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
