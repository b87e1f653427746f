/* tests/tls/proxy-rows.c -- the rows of TLS through proxies: a program whose linker is asked for
 * tls_proxy_rows has them. The raw peer of a connection is the proxy, and the target from then on. */
#include "config.h"

#include "tests/proxy-rows.h"
#include "tests/tls/rows.h"

static plx_socket *tls_socks5_tcp_new(void)
{
    return socks5_row_new(tls_row_new(plx_tcp_new(), 13));
}

static plx_socket *tls_http_tcp_new(void)
{
    return http_row_new(tls_row_new(plx_tcp_new(), 13));
}

static void tls_socks5_begin(struct raw *raw, bool accepted)
{
    tls_row_begin(raw, accepted, 13, "socks5 tcp");
}

static void tls_http_begin(struct raw *raw, bool accepted)
{
    tls_row_begin(raw, accepted, 13, "http tcp");
}

/* The linker is asked for it. */
extern int tls_proxy_rows;
int tls_proxy_rows;

__attribute__((constructor)) static void add_rows(void)
{
    tls_row_add("tls socks5 tcp", "tcp", tls_socks5_tcp_new, tls_socks5_begin, false);
    tls_row_add("tls http tcp", "tcp", tls_http_tcp_new, tls_http_begin, false);
}
