/* tests/fuzz/fuzz-names.c -- the strings around a lookup: host names, which are prepared for the
 * name servers, and resolv.conf(5) with its environment, whose options are read here.
 *
 * The first byte chooses: 'h' a host name, 'o' RES_OPTIONS, 'd' LOCALDOMAIN, else resolv.conf. */
#include "config.h"

#include "lib/resolve/resolver.h"
#include "tests/fuzz/file.h"

#include <ctype.h>

/* A prepared name is ASCII without blanks, and preparing it again changes nothing. */
static void prepare(const char *host)
{
    char name[PLX__HOST_SIZE], again[PLX__HOST_SIZE];
    struct plx__failure failure = {0};
    if (!plx__host_prepare(host, name, &failure)) {
        NEED(failure.code != 0 && failure.reason != PLX_REASON_NONE);
        return;
    }
    NEED(strlen(name) < PLX__HOST_SIZE);
    for (const char *at = name; *at != '\0'; at++) {
        NEED(*at > ' ' && *at < 0x7f && strchr(":[]/@%", *at) == NULL);
    }
    NEED(plx__host_prepare(name, again, &failure) && strcmp(name, again) == 0);
}

static void set_environment(const char *options, const char *domains)
{
    NEED(options == NULL ? unsetenv("RES_OPTIONS") == 0 : setenv("RES_OPTIONS", options, 1) == 0);
    NEED(domains == NULL ? unsetenv("LOCALDOMAIN") == 0 : setenv("LOCALDOMAIN", domains, 1) == 0);
}

#ifdef HAVE_CARES

/* The list has words and single blanks alone. */
static void need_list(const char *domains)
{
    size_t length = strlen(domains);
    NEED(length < PLX__HOST_SIZE && (length == 0 || domains[length - 1] == ' '));
    for (size_t i = 0; i < length; i++) {
        NEED(domains[i] != '\t');
        NEED(domains[i] != ' ' || (i > 0 && domains[i - 1] != ' '));
    }
}

static void read_settings(const char *text, size_t size)
{
    struct plx__name_settings settings;
    memset(&file, 0, sizeof file);
    file.path = "/etc/resolv.conf";
    file.text = text;
    file.size = size;
    file.piece = size % 2 == 0 ? SIZE_MAX : 7;
    plx__name_settings_read(&settings);
    NEED(file.opened == 0);
    NEED(settings.timeout_ms % 1000 == 0 && settings.timeout_ms <= 30000);
    NEED(settings.timeout_ms >= 0 && settings.attempts >= 0 && settings.attempts <= 5);
    need_list(settings.domains);
}

#else

/* Only lookups by c-ares need them from us. */
static void read_settings(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    unsigned sort = tape_byte(&tape);
    size_t left = tape.left;
    char *text = tape_text(&tape);
    set_environment(sort == 'o' ? text : NULL, sort == 'd' ? text : NULL);
    if (sort == 'h') {
        prepare(text);
    } else {
        read_settings(text, sort == 'o' || sort == 'd' ? 0 : left);
    }
    free(text);
    return 0;
}
