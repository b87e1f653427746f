/* tests/proxy-rows.h -- what the rows of proxies use, for rows that stand on them. */
#ifndef POLLUX_TESTS_PROXY_ROWS_H
#define POLLUX_TESTS_PROXY_ROWS_H

#include <pollux.h>

/* Both lead a TCP socket, which may be NULL, by the proxy of their row below all its filters, and
 * free the socket if that fails. */
plx_socket *socks5_row_new(plx_socket *socket);
plx_socket *http_row_new(plx_socket *socket);

#endif
