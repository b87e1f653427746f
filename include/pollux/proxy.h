/* pollux/proxy.h -- connecting through a proxy: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT (RFC 9110,
 * 9.3.6), for TCP connections (Qt's QNetworkProxy).
 *
 * With a proxy everything else is as without one: state, events, limits, filters such as TLS on top
 * of it. The state is HOST_LOOKUP while the proxy's name is looked up and CONNECTING until the
 * tunnel is there; PLX_OPTION_CONNECT_TIMEOUT covers all of that, and PLX_OPTION_AUTO_CONNECT
 * repeats it. plx_socket_remote_address is the target: its address if it is known here, else its
 * name in the form in which the proxy gets it.
 *
 * Connections to this computer never use the proxy: 127.0.0.0/8, ::1, 0.0.0.0, ::, "localhost" and
 * names below it. Neither do listen, adopt and servers: most proxies cannot accept for others.
 *
 * An `error` with one of the six reasons PROXY_... is about the proxy itself; others are what the
 * proxy says about the target, such as CONNECTION_REFUSED, or a rarer failure to reach the proxy,
 * such as NETWORK; the message says which. No message, event or getter has the
 * password, or the user's name. */
#ifndef POLLUX_PROXY_H
#define POLLUX_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include <pollux/error.h>
#include <pollux/events.h>
#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_socket_set_proxy sets the proxy of later connects: "scheme://user:password@host:port", where
 * user and password may be left out; a byte that has a meaning in the string is written as "%40".
 * The schemes:
 *
 *     socks5h    SOCKS5, the proxy looks up the name of the target
 *     socks5     SOCKS5, the name is looked up here, and its addresses are tried one after another
 *     http       HTTP CONNECT, the proxy looks up the name
 *
 * The string is copied. NULL and "" mean no proxy. A program that goes on to connect when the call
 * has refused a string goes past the proxy. Returns 0; PLX_INVALID_STATE with reason
 * TLS_INVALID_USER_DATA for a string of another form, or UNSUPPORTED_OPERATION for a socket that is
 * not TCP; or PLX_OUT_OF_MEMORY. Unless 0, nothing changed. */
PLX_API int plx_socket_set_proxy(plx_socket *socket, const char *proxy);

/* plx_socket_proxy returns the proxy as "scheme://host:port"; "" when none is set. */
PLX_API const char *plx_socket_proxy(const plx_socket *socket);

/* plx_socket_set_proxy_credentials replaces user and password of the proxy that is set, also while
 * a connect is under way: the answer to `proxy_authentication_required`. They are copied. NULL and
 * "" for the user mean none. Returns 0; or PLX_INVALID_STATE: with reason OPERATION without a
 * proxy, with TLS_INVALID_USER_DATA for what cannot be sent to it: more than 255 bytes, control
 * characters, for http a colon in the user's name. Unless 0, nothing changed. */
PLX_API int plx_socket_set_proxy_credentials(plx_socket *socket, const char *user,
                                             const char *password);

/* plx_proxy_from_environment finds the proxy that the environment names for a target, as curl does:
 * <tag>_proxy, then all_proxy, the lower case before the upper case (HTTP_PROXY in upper case is
 * ignored, because a web server may set it from a request); one without a scheme is http, one
 * without a port has 1080; no_proxy lists exceptions. `tag` is a protocol such as "http" or "irc",
 * in any case; NULL, "no" and what plx_socket_set_protocol_tag refuses have no variable of their
 * own. Writes the string; "" for a direct connection, such as one to this computer. The string may
 * still be one that plx_socket_set_proxy refuses. In a program with more rights than its caller no
 * variable counts (secure_getenv(3)). Returns false for a `host` or `ret_proxy` of NULL and when
 * the string does not fit into `size` bytes; *ret_proxy is "" then. */
PLX_API bool plx_proxy_from_environment(const char *tag, const char *host, int port,
                                        char *ret_proxy, size_t size);

/* plx_socket_set_protocol_tag keeps a word for the protocol that the program speaks, such as "irc",
 * for plx_proxy_from_environment (Qt's protocolTag). It is copied and never sent. NULL and "" mean
 * none. Returns 0; PLX_INVALID_STATE unless it has at most 32 characters of a-z, 0-9, '+', '-',
 * '.'; or PLX_OUT_OF_MEMORY. */
PLX_API int plx_socket_set_protocol_tag(plx_socket *socket, const char *tag);

/* plx_socket_protocol_tag returns the word; "" when none is set. */
PLX_API const char *plx_socket_protocol_tag(const plx_socket *socket);

PLX_END_DECLS

#endif
