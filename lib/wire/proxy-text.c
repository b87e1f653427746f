/* lib/wire/proxy-text.c -- a proxy as a string.
 *
 * The string is cut by the delimiters of RFC 3986 section 3.2 before anything is decoded. Where
 * programs differ in how they read a string, as with a second '@' or with '\', it is refused: a
 * program that checks it and this library would see different hosts. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/base.h"
#include "lib/wire/part.h"
#include "lib/wire/proxy-text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    enum plx__proxy_scheme scheme;
} schemes[] = {
    {"socks5", PLX__PROXY_SOCKS5}, {"socks5h", PLX__PROXY_SOCKS5H}, {"http", PLX__PROXY_HTTP}};

static bool is_control(unsigned char c)
{
    return c < ' ' || c == 0x7f;
}

/* ---- names ----------------------------------------------------------------------------------- */

bool plx__proxy_is_name(const char *host)
{
    size_t length = strlen(host);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c <= ' ' || c >= 0x7f || strchr("%/:?#@[\\]", c) != NULL) {
            return false;
        }
    }
    return length > 0 && length <= 255;
}

/* ---- the scheme ------------------------------------------------------------------------------ */

/* read_scheme returns what follows "scheme://"; NULL for an unknown scheme. */
static const char *read_scheme(const char *text, enum plx__proxy_scheme *ret_scheme)
{
    const char *end = strstr(text, "://");
    for (size_t i = 0; end != NULL && i < PLX__COUNT_OF(schemes); i++) {
        if (plx__part_is((struct plx__part){text, (size_t)(end - text)}, schemes[i].name)) {
            *ret_scheme = schemes[i].scheme;
            return end + 3;
        }
    }
    return NULL;
}

/* ---- user and password ----------------------------------------------------------------------- */

/* decode writes a percent-decoded part of 255 bytes at most, and a zero byte. */
static bool decode(const char *text, size_t length, char *ret_part)
{
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 2 < length ? plx__part_digit(text[i + 1]) : -1;
            int low = i + 2 < length ? plx__part_digit(text[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high << 4 | low;
            i += 2;
        } else if (c == ' ' || strchr("/?#\\", c) != NULL) {
            return false;
        }
        if (is_control((unsigned char)c) || size == 255) {
            return false;
        }
        ret_part[size++] = (char)c;
    }
    ret_part[size] = '\0';
    return true;
}

/* read_credentials reads the "user" or "user:password" of `length` bytes. */
static bool read_credentials(const char *text, size_t length, struct plx__proxy_text *proxy)
{
    const char *colon = memchr(text, ':', length);
    size_t user = colon == NULL ? length : (size_t)(colon - text);
    if (!decode(text, user, proxy->user) || proxy->user[0] == '\0') {
        return false;
    }
    if (colon != NULL && !decode(colon + 1, length - user - 1, proxy->password)) {
        return false;
    }
    if (proxy->scheme == PLX__PROXY_HTTP && strchr(proxy->user, ':') != NULL) {
        return false;
    }
    proxy->has_credentials = true;
    return true;
}

/* ---- host and port --------------------------------------------------------------------------- */

/* A scope is checked when the host is looked up: here the name of any interface will do. */
static uint32_t any_scope(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_control((unsigned char)name[i]) || strchr(" %/?#@[\\", name[i]) != NULL) {
            return 0;
        }
    }
    return 1;
}

/* read_where reads "host:port" and at most one '/' behind it. */
static bool read_where(const char *text, struct plx__proxy_text *proxy)
{
    char where[sizeof "[]:65535" + sizeof proxy->host];
    size_t length = strlen(text);
    length -= length > 0 && text[length - 1] == '/';
    if (length >= sizeof where) {
        return false;
    }
    memcpy(where, text, length);
    where[length] = '\0';
    return strpbrk(where, "?#\\") == NULL &&
           plx__address_read_where(where, any_scope, proxy->host, sizeof proxy->host,
                                   &proxy->port) == 0 &&
           proxy->host[0] != '\0' && proxy->port > 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool plx__proxy_parse(const char *text, struct plx__proxy_text *ret_proxy)
{
    struct plx__proxy_text proxy = {.port = 0};
    const char *authority = read_scheme(text, &proxy.scheme);
    if (authority == NULL) {
        return false;
    }
    const char *at = strchr(authority, '@');
    if (at != NULL && !read_credentials(authority, (size_t)(at - authority), &proxy)) {
        return false;
    }
    if (!read_where(at == NULL ? authority : at + 1, &proxy)) {
        return false;
    }
    *ret_proxy = proxy;
    return true;
}

void plx__proxy_format(const struct plx__proxy_text *proxy, char *ret_text, size_t size)
{
    bool bracket = strchr(proxy->host, ':') != NULL;
    const char *scheme = "";
    for (size_t i = 0; i < PLX__COUNT_OF(schemes); i++) {
        scheme = schemes[i].scheme == proxy->scheme ? schemes[i].name : scheme;
    }
    snprintf(ret_text, size, "%s://%s%s%s:%d", scheme, bracket ? "[" : "", proxy->host,
             bracket ? "]" : "", proxy->port);
}
