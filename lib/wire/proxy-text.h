/* lib/wire/proxy-text.h -- a proxy as a string: "socks5h://user:password@host:1080". */
#ifndef PLX_LIB_WIRE_PROXY_TEXT_H
#define PLX_LIB_WIRE_PROXY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The protocols of proxies. With SOCKS5 this side looks up the name of the target, with SOCKS5H and
 * HTTP the proxy does. */
enum plx__proxy_scheme { PLX__PROXY_SOCKS5, PLX__PROXY_SOCKS5H, PLX__PROXY_HTTP };

/* Where a proxy is and who we are there. Invariants after a parse: `host` is not empty, and is a
 * name or an address without brackets; `port` is 1 to 65535; no part has a control character.
 * `has_credentials` means that the string had a user, which then is not empty; the password may be.
 */
struct plx__proxy_text {
    enum plx__proxy_scheme scheme;
    char host[256];
    int port;
    char user[256];
    char password[256];
    bool has_credentials;
};

/* The size of the longest string of plx__proxy_format, with the zero byte: "socks5h://" are 10,
 * brackets 2, the host 255, the colon and the port 6. */
#define PLX__PROXY_TEXT_SIZE 274

/* plx__proxy_parse reads "scheme://user:password@host:port", one "/" may follow. The scheme is
 * socks5, socks5h or http in any case; the port has no default. User and password are
 * percent-decoded (RFC 3986 section 2.1), and each has at most 255 bytes then; the password may be
 * left out, or both with the '@'. The host is not decoded: it is a name, or an IPv6 address in
 * brackets with a scope as everywhere in the library, "[fe80::1%eth0]". Refused is whatever else
 * there is: an empty user or host, a control character (also decoded), a second '@', '/', '?', '#'
 * or '\' that is not percent-encoded, and for HTTP a user with a colon, which Basic cannot send
 * (RFC 7617 section 2). Returns whether the string was read; if not, *ret_proxy is unchanged. */
bool plx__proxy_parse(const char *text, struct plx__proxy_text *ret_proxy);

/* plx__proxy_format writes "scheme://host:port", without user and password: the string is for
 * events, messages and getters. It writes at most `size` bytes, the last one a zero byte. */
void plx__proxy_format(const struct plx__proxy_text *proxy, char *ret_text, size_t size);

/* plx__proxy_is_name returns whether a target's host may be sent to a proxy as a name: 1 to 255
 * bytes of printable ASCII (names in other scripts as ACE, RFC 5890) without a space and without
 * the characters that a request line or an address gives another meaning: "%/:?#@[\]". */
bool plx__proxy_is_name(const char *host);

#endif
