/* tests/fuzz/fuzz-proxy.c -- strings of proxies: what is read can be written and read again, and
 * what is refused changes nothing; and lists of no_proxy, held against their entries alone.
 *
 * The input: the string of the proxy, the list and the host of the target, a zero byte between
 * them. */
#include "lib/wire/no-proxy.h"
#include "lib/wire/proxy-text.h"
#include "tests/fuzz/fuzz.h"

/* ---- proxies --------------------------------------------------------------------------------- */

static void need_clean(const char *part)
{
    for (; *part != '\0'; part++) {
        NEED((unsigned char)*part >= ' ' && *part != 0x7f);
    }
}

/* Writes a part with each byte percent-encoded. */
static char *encode(char *at, const char *part)
{
    for (; *part != '\0'; part++) {
        at += sprintf(at, "%%%02x", (unsigned char)*part);
    }
    return at;
}

static void need_same(const struct plx__proxy_text *a, const struct plx__proxy_text *b)
{
    NEED(a->scheme == b->scheme && a->port == b->port);
    NEED(strcmp(a->host, b->host) == 0);
    NEED(strcmp(a->user, b->user) == 0);
    NEED(strcmp(a->password, b->password) == 0);
    NEED(a->has_credentials == b->has_credentials);
}

/* Reads it again from a string whose user and password are encoded in full. */
static void need_again(const struct plx__proxy_text *proxy)
{
    char short_text[PLX__PROXY_TEXT_SIZE], text[sizeof short_text + 6 * 256];
    struct plx__proxy_text again;
    plx__proxy_format(proxy, short_text, sizeof short_text);
    NEED(strlen(short_text) < sizeof short_text - 1 || strlen(proxy->host) == 255);
    char *host = strstr(short_text, "://") + 3;
    char *at = text + sprintf(text, "%.*s", (int)(host - short_text), short_text);
    if (proxy->has_credentials) {
        at = encode(at, proxy->user);
        *at++ = ':';
        at = encode(at, proxy->password);
        *at++ = '@';
    }
    strcpy(at, host);
    NEED(plx__proxy_parse(text, &again));
    need_same(proxy, &again);
}

static void parse(const char *text)
{
    struct plx__proxy_text proxy, untouched;
    memset(&proxy, 0x55, sizeof proxy);
    memset(&untouched, 0x55, sizeof untouched);
    if (!plx__proxy_parse(text, &proxy)) {
        NEED(memcmp(&proxy, &untouched, sizeof proxy) == 0);
        return;
    }
    NEED(proxy.host[0] != '\0' && proxy.port >= 1 && proxy.port <= 65535);
    NEED(proxy.has_credentials == (proxy.user[0] != '\0'));
    NEED(proxy.has_credentials || proxy.password[0] == '\0');
    NEED(proxy.scheme != PLX__PROXY_HTTP || strchr(proxy.user, ':') == NULL);
    need_clean(proxy.host);
    need_clean(proxy.user);
    need_clean(proxy.password);
    need_again(&proxy);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* A list names what one of its entries names. A star counts alone, and among others it is a name;
 * so is "*.", since a dot at the end is ignored. */
static bool expected(const char *list, const char *host)
{
    static const char separators[] = ", \t\n\v\f\r";
    size_t entries = 0, stars = 0;
    bool named = false;
    while (*(list += strspn(list, separators)) != '\0') {
        size_t length = strcspn(list, separators);
        char *entry = malloc(length + 1);
        NEED(entry != NULL);
        memcpy(entry, list, length);
        entry[length] = '\0';
        bool star = strcmp(entry, "*") == 0;
        named |= plx__proxy_bypassed(star ? "*." : entry, host, 80);
        free(entry);
        entries++;
        stars += star;
        list += length;
    }
    return named || (host[0] != '\0' && entries == 1 && stars == 1);
}

static const char *cut(char **rest, const char *end)
{
    char *text = *rest;
    size_t length = strlen(text);
    *rest = text + length < end ? text + length + 1 : text + length;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    char *text = tape_text(&tape), *rest = text;
    parse(cut(&rest, text + size));
    const char *list = cut(&rest, text + size), *host = cut(&rest, text + size);
    NEED(plx__proxy_bypassed(list, host, 0) == expected(list, host));
    NEED(!plx__proxy_is_name(host) || strlen(host) <= 255);
    free(text);
    return 0;
}
