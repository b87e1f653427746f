/* tests/tls/rows.h -- what the rows of TLS use, for programs that need more than the rows. Such a
 * program calls tls_settings, or has the linker look for tls_rows: either links the rows. */
#ifndef POLLUX_TESTS_TLS_ROWS_H
#define POLLUX_TESTS_TLS_ROWS_H

#include <pollux/tls.h>

#include <stdbool.h>
#include <stddef.h>

#include "tests/kinds.h"

/* tls_settings returns the settings of TLS 1.2 or 1.3 (12, 13), which belong to the rows. A client
 * of them trusts a server of them at 127.0.0.1 and "localhost". */
plx_tls *tls_settings(int version, bool is_server);

/* Rows of TLS over other rows. tls_row_add adds one: `below` is a row whose sockets and places are
 * like those of the row. tls_row_new gives TLS of that version to a socket, which may be NULL, and
 * frees the socket if that fails. tls_row_begin makes a raw peer; the peers of the row `below` speak
 * as this one does below TLS. */
void tls_row_add(const char *name, const char *below, plx_constructor *create,
                 void (*begins)(struct raw *raw, bool accepted), bool ends_both);
plx_socket *tls_row_new(plx_socket *socket, int version);
void tls_row_begin(struct raw *raw, bool accepted, int version, const char *below);

/* tls_narrow lets the sockets that are made from now on move at most `most` bytes below TLS in one
 * step, each way; 0: all. */
void tls_narrow(size_t most);

#endif
