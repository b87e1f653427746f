/* lib/resolve/settings.c -- the options of resolv.conf(5) that c-ares ignores: the time-out, the
 * number of attempts, and a search list with the root in it.
 *
 * c-ares reads the file as well, for the name servers and for everything else. Up to 1.20 it reads
 * the two options only by other names, "retrans" and "retry". */
#include "config.h"

#include "lib/os/os.h"
#include "lib/resolve/resolver.h"

#include <stdlib.h>
#include <string.h>

#define SETTINGS_FILE "/etc/resolv.conf"

/* The limits that resolv.conf(5) sets for the two options. */
#define MOST_SECONDS 30
#define MOST_ATTEMPTS 5

/* No resolv.conf is longer; bytes beyond this size are ignored. */
#define LONGEST_FILE 8192

static int bounded(const char *digits, int most)
{
    long number = strtol(digits, NULL, 10);
    return number < 1 ? 1 : number > most ? most : (int)number;
}

static void take_options(struct plx__name_settings *settings, char *list)
{
    for (char *word = strtok_r(list, " \t", &list); word != NULL;
         word = strtok_r(NULL, " \t", &list)) {
        if (strncmp(word, "timeout:", 8) == 0) {
            settings->timeout_ms = bounded(word + 8, MOST_SECONDS) * 1000;
        } else if (strncmp(word, "attempts:", 9) == 0) {
            settings->attempts = bounded(word + 9, MOST_ATTEMPTS);
        }
    }
}

/* The last search list is used. */
static void take_search(struct plx__name_settings *settings, char *list)
{
    size_t length = 0;
    settings->has_root_suffix = false;
    for (char *word = strtok_r(list, " \t", &list); word != NULL;
         word = strtok_r(NULL, " \t", &list)) {
        size_t size = strlen(word);
        if (strcmp(word, ".") == 0) {
            settings->has_root_suffix = true;
        } else if (length + size + 1 < sizeof settings->domains) {
            memcpy(settings->domains + length, word, size);
            length += size;
            settings->domains[length++] = ' ';
        }
    }
    settings->domains[length] = '\0';
}

static void take_line(struct plx__name_settings *settings, char *line)
{
    size_t length = strcspn(line, "#;\r");
    line[length] = '\0';
    char *rest = line;
    const char *key = strtok_r(line, " \t", &rest);
    if (key == NULL || rest == NULL) {
        return;
    }
    if (strcmp(key, "options") == 0) {
        take_options(settings, rest);
    } else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0) {
        take_search(settings, rest);
    }
}

/* Returns the number of bytes read; a zero byte follows them. */
static size_t read_file(const char *path, char *text, size_t size)
{
    size_t length = 0;
    ptrdiff_t count = 0;
    plx__fd file = plx__os_open_file(path);
    if (file >= 0) {
        while (length < size - 1 &&
               (count = plx__os_read_file(file, text + length, size - 1 - length)) > 0) {
            length += (size_t)count;
        }
        plx__os_close(file);
    }
    text[length] = '\0';
    return length;
}

/* The environment takes precedence over the file (resolv.conf(5)). */
static void take_environment(struct plx__name_settings *settings)
{
    char text[512];
    const char *options = plx__os_variable("RES_OPTIONS");
    const char *domains = plx__os_variable("LOCALDOMAIN");
    if (options != NULL && strlen(options) < sizeof text) {
        strcpy(text, options);
        take_options(settings, text);
    }
    if (domains != NULL && strlen(domains) < sizeof text) {
        strcpy(text, domains);
        take_search(settings, text);
    }
}

void plx__name_settings_read(struct plx__name_settings *ret_settings)
{
    char text[LONGEST_FILE];
    char *rest = text;
    *ret_settings = (struct plx__name_settings){0};
    read_file(SETTINGS_FILE, text, sizeof text);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        take_line(ret_settings, line);
    }
    take_environment(ret_settings);
}
