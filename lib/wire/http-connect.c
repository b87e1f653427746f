/* lib/wire/http-connect.c -- the CONNECT request, and what an answer means. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/base.h"
#include "lib/os/errno.h"
#include "lib/wire/base64.h"
#include "lib/wire/http-connect.h"
#include "lib/wire/proxy-text.h"

#include <stdio.h>
#include <string.h>

/* ---- the request ----------------------------------------------------------------------------- */

enum { PART_LIMIT = 255 };

/* is_ipv6 returns whether a host is an IPv6 address that the proxy can know: without a scope, so
 * that no function for scopes is called. */
static bool is_ipv6(const char *host)
{
    plx_address address;
    return strchr(host, ':') != NULL && strchr(host, '%') == NULL &&
           plx__address_read_host(host, strlen(host), NULL, &address);
}

static bool is_sendable(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == 0x7f) {
            return false;
        }
    }
    return length <= PART_LIMIT;
}

/* write_credentials writes the header line, "" when there is no user. */
static bool write_credentials(const char *user, const char *password, char *line, size_t size)
{
    char plain[PART_LIMIT + 1 + PART_LIMIT + 1];
    char encoded[PLX__BASE64_SIZE(sizeof plain) + 1];
    line[0] = '\0';
    if (user == NULL) {
        return true;
    }
    if (!is_sendable(user) || !is_sendable(password) || strchr(user, ':') != NULL) {
        return false;
    }
    int length = snprintf(plain, sizeof plain, "%s:%s", user, password);
    plx__base64_write(plain, (size_t)length, encoded);
    snprintf(line, size, "Proxy-Authorization: Basic %s\r\n", encoded);
    return true;
}

size_t plx__http_connect_write(const char *host, int port, const char *user, const char *password,
                               char *ret_text)
{
    char where[sizeof "[]:65535" + PART_LIMIT];
    char credentials[PLX__BASE64_SIZE(2 * PART_LIMIT + 1) +
                     sizeof "Proxy-Authorization: Basic \r\n"];
    bool bracket = is_ipv6(host);
    if ((!bracket && !plx__proxy_is_name(host)) || port < 1 || port > UINT16_MAX ||
        !write_credentials(user, password, credentials, sizeof credentials)) {
        return 0;
    }
    snprintf(where, sizeof where, bracket ? "[%s]:%d" : "%s:%d", host, port);
    /* Old proxies keep a connection only when they are asked to (RFC 9112 appendix C.2.2). */
    int size = snprintf(ret_text, PLX__HTTP_REQUEST_SIZE,
                        "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%sProxy-Connection: keep-alive\r\n\r\n",
                        where, where, credentials);
    return (size_t)size;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* What a status means for the target; any other one breaks the protocol of CONNECT. */
static const struct {
    int status;
    int code;
    plx_reason reason;
    int os_error;
} failures[] = {
    {403, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {404, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0},
    {405, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {502, PLX__EHOSTUNREACH, PLX_REASON_NETWORK, PLX__EHOSTUNREACH},
    {503, PLX__ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX__ECONNREFUSED},
    {504, PLX__ETIMEDOUT, PLX_REASON_NETWORK, PLX__ETIMEDOUT},
};

static struct plx__proxy_failure failure_of_407(const struct plx__http_answer *answer)
{
    struct plx__proxy_failure failure = plx__proxy_failure(PLX__PROXY_AUTHENTICATION);
    if (!answer->offers_basic && answer->schemes[0] != '\0') {
        snprintf(failure.text, sizeof failure.text,
                 "the proxy requires authentication by %s, and only Basic is supported",
                 answer->schemes);
    } else if (!answer->offers_basic) {
        snprintf(failure.text, sizeof failure.text,
                 "the proxy requires authentication, and names no scheme for it");
    }
    return failure;
}

struct plx__proxy_failure plx__http_connect_failure(const struct plx__http_answer *answer)
{
    struct plx__proxy_failure failure = plx__proxy_failure(PLX__PROXY_PROTOCOL);
    if (answer->status == 407) {
        return failure_of_407(answer);
    }
    for (size_t i = 0; i < PLX__COUNT_OF(failures); i++) {
        if (failures[i].status == answer->status) {
            failure.code = failures[i].code;
            failure.reason = failures[i].reason;
            failure.os_error = failures[i].os_error;
        }
    }
    snprintf(failure.text, sizeof failure.text, "the proxy answers \"%s\"", answer->status_line);
    return failure;
}
