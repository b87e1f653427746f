/* tests/tls/rows.h -- what the rows of TLS use, for programs that need more than the rows. Such a
 * program calls tls_settings, or has the linker look for tls_rows: either links the rows. */
#ifndef POLLUX_TESTS_TLS_ROWS_H
#define POLLUX_TESTS_TLS_ROWS_H

#include <pollux/tls.h>

#include <stdbool.h>
#include <stddef.h>

/* tls_settings returns the settings of TLS 1.2 or 1.3 (12, 13), which belong to the rows. A client
 * of them trusts a server of them at 127.0.0.1 and "localhost". */
plx_tls *tls_settings(int version, bool is_server);

/* tls_narrow lets the sockets that are made from now on move at most `most` bytes below TLS in one
 * step, each way; 0: all. */
void tls_narrow(size_t most);

#endif
