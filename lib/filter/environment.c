/* lib/filter/environment.c -- the proxy that the environment names, as curl reads it. */
#include "config.h"

#include "lib/filter/proxy.h"
#include "lib/os/os.h"
#include "lib/socket/failure.h"
#include "lib/socket/property.h"
#include "lib/wire/no-proxy.h"
#include "lib/wire/part.h"

#include <stdio.h>
#include <string.h>

/* "<tag>_proxy" with a tag of at most 32 bytes. */
enum { VARIABLE_SIZE = 48 };

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

/* The value of a variable; NULL when it is not set or empty. */
static const char *value_of(const char *name)
{
    const char *value = plx__os_variable(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* The lower case wins. HTTP_PROXY is ignored: a web server sets it from the header "Proxy" of a
 * request (httpoxy, CVE-2016-5385). */
static const char *value_in_either_case(const char *name)
{
    char other[VARIABLE_SIZE];
    const char *value = value_of(name);
    if (value != NULL || strcmp(name, "http_proxy") == 0) {
        return value;
    }
    size_t i = 0;
    for (; name[i] != '\0'; i++) {
        other[i] = upper(name[i]);
    }
    other[i] = '\0';
    return value_of(other);
}

static bool is_tag(const char *tag)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
    size_t length = strlen(tag);
    return length <= 32 && strspn(tag, letters) == length;
}

/* In lower case, as curl does it: the tag "HTTP" must not find HTTP_PROXY. The variable of "no" is
 * the list of exceptions. */
static const char *value_for_tag(const char *tag)
{
    char name[VARIABLE_SIZE];
    size_t length = strlen(tag);
    if (length == 0 || length > 32) {
        return NULL;
    }
    for (size_t i = 0; i <= length; i++) {
        name[i] = plx__part_lower(tag[i]);
    }
    if (!is_tag(name) || strcmp(name, "no") == 0) {
        return NULL;
    }
    memcpy(name + length, "_proxy", sizeof "_proxy");
    return value_in_either_case(name);
}

static const char *find_proxy(const char *tag)
{
    const char *value = tag == NULL ? NULL : value_for_tag(tag);
    return value != NULL ? value : value_in_either_case("all_proxy");
}

/* Without a scheme it is http, without a port 1080. */
static bool write_proxy(const char *value, char *ret_proxy, size_t size)
{
    const char *scheme = strstr(value, "://") == NULL ? "http://" : "";
    const char *host = strstr(value, "://") == NULL ? value : strstr(value, "://") + 3;
    const char *at = strrchr(host, '@');
    host = at == NULL ? host : at + 1;
    size_t length = strlen(value);
    length -= length > 0 && value[length - 1] == '/' ? 1 : 0;
    const char *bracket = strchr(host, ']');
    bool has_port = strchr(bracket == NULL ? host : bracket, ':') != NULL;
    int count =
        snprintf(ret_proxy, size, "%s%.*s%s", scheme, (int)length, value, has_port ? "" : ":1080");
    return count > 0 && (size_t)count < size;
}

/* An IPv6 address may be in brackets, as in a URL. */
static bool is_here(const char *host)
{
    char bare[64];
    size_t length = strlen(host);
    bool has_brackets = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    if (!has_brackets || length - 2 >= sizeof bare) {
        return plx__proxy_is_here(host);
    }
    snprintf(bare, sizeof bare, "%.*s", (int)length - 2, host + 1);
    return plx__proxy_is_here(bare);
}

bool plx_proxy_from_environment(const char *tag, const char *host, int port, char *ret_proxy,
                                size_t size)
{
    if (ret_proxy == NULL || size == 0) {
        return false;
    }
    ret_proxy[0] = '\0';
    if (host == NULL) {
        return false;
    }
    const char *value = find_proxy(tag);
    if (value == NULL || is_here(host) ||
        plx__proxy_bypassed(value_in_either_case("no_proxy"), host, port)) {
        return true;
    }
    bool fits = write_proxy(value, ret_proxy, size);
    if (!fits) {
        ret_proxy[0] = '\0';
    }
    return fits;
}

/* ---- the protocol tag ------------------------------------------------------------------------ */

int plx_socket_set_protocol_tag(plx_socket *socket, const char *tag)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (tag != NULL && !is_tag(tag)) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION,
                                  "set the protocol tag: at most 32 characters of a-z, 0-9, +, -, "
                                  "and the dot");
    }
    struct plx__properties *properties = plx__properties_make(socket);
    if (properties == NULL || !plx__text_set(&properties->tag, tag)) {
        return plx__socket_fail_memory(socket, "set the protocol tag");
    }
    return 0;
}

const char *plx_socket_protocol_tag(const plx_socket *socket)
{
    const char *tag = socket == NULL ? NULL : plx__socket_properties(socket)->tag;
    return tag == NULL ? "" : tag;
}
