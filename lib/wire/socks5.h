/* lib/wire/socks5.h -- the messages of a SOCKS5 client: RFC 1928, and RFC 1929 for credentials.
 *
 *     client                                       proxy
 *     greeting    05 n methods          -------->
 *                                       <--------  method   05 method
 *     credentials 01 n user n password  -------->           if the method is 02
 *                                       <--------  verdict  01 status
 *     request     05 01 00 address port -------->
 *                                       <--------  reply    05 code 00 address port
 *
 * The bytes behind the reply are those of the tunnel.
 *
 * Functions that write return the size of the message, and 0 for what cannot be sent. Functions
 * that read are given all bytes of a message that have arrived so far, and return how many more the
 * message has at least: a caller that receives no more than that never receives a byte of the
 * tunnel. They return 0 when the message is complete, and PLX__SOCKS5_MALFORMED as soon as the
 * bytes cannot begin one. Until the message is complete the out-parameter is unchanged. */
#ifndef PLX_LIB_WIRE_SOCKS5_H
#define PLX_LIB_WIRE_SOCKS5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/address.h"
#include "lib/wire/proxy-failure.h"

/* The largest size of each message. */
enum {
    PLX__SOCKS5_GREETING_SIZE = 4,
    PLX__SOCKS5_CREDENTIALS_SIZE = 513,
    PLX__SOCKS5_REQUEST_SIZE = 262,
    PLX__SOCKS5_REPLY_SIZE = 262
};

enum { PLX__SOCKS5_MALFORMED = -1 };

/* The methods of authentication that this client knows, and the answer that none was acceptable. */
enum plx__socks5_method {
    PLX__SOCKS5_NO_AUTHENTICATION = 0x00,
    PLX__SOCKS5_PASSWORD = 0x02,
    PLX__SOCKS5_NO_METHOD = 0xff
};

/* A reply. `size` is its number of bytes: those behind belong to the tunnel. `code` is 0 for
 * success. `bound` is where the proxy connected from; if the proxy sent a name instead of an
 * address, only its port is set. */
struct plx__socks5_reply {
    size_t size;
    int code;
    plx_address bound;
};

/* plx__socks5_write_greeting offers no authentication, and a password if there are credentials. */
size_t plx__socks5_write_greeting(bool has_credentials, uint8_t *ret_bytes);

/* plx__socks5_write_credentials writes user and password, of any bytes. Returns 0 unless the user
 * has 1 to 255 bytes and the password at most 255. */
size_t plx__socks5_write_credentials(const char *user, const char *password, uint8_t *ret_bytes);

/* plx__socks5_write_name writes the request to connect to a name, which the proxy looks up. Returns
 * 0 for a host that is no name (plx__proxy_is_name) and for a port that is not 1 to 65535. */
size_t plx__socks5_write_name(const char *host, int port, uint8_t *ret_bytes);

/* plx__socks5_write_address writes the request to connect to an address and its port, IPv4 within
 * IPv6 as IPv4. Returns 0 for "none" and for port 0. No scope is sent. */
size_t plx__socks5_write_address(const plx_address *address, uint8_t *ret_bytes);

/* plx__socks5_read_method reads which method the proxy chose; it may be any byte. */
int plx__socks5_read_method(const uint8_t *bytes, size_t size, int *ret_method);

/* plx__socks5_read_verdict reads whether the proxy accepts the credentials. */
int plx__socks5_read_verdict(const uint8_t *bytes, size_t size, bool *ret_accepted);

/* plx__socks5_read_reply reads the reply to the request. The reserved byte may be any. */
int plx__socks5_read_reply(const uint8_t *bytes, size_t size, struct plx__socks5_reply *ret_reply);

/* plx__socks5_failure returns the failure of a reply's code other than 0. Proxies answer "general
 * failure" and "host unreachable" to a name that they do not find: a failure differs by whether a
 * name was sent. */
struct plx__proxy_failure plx__socks5_failure(int code, bool name_was_sent);

#endif
