/* lib/wire/http-challenge.c -- the challenges of a Proxy-Authenticate header.
 *
 *     Basic realm="office", charset="UTF-8", Negotiate, NTLM TlRMTVNT==
 *
 * A comma separates challenges, and also the parameters of one. So the parser decides by what
 * follows a token: '=' makes it a parameter, anything else a scheme. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/wire/http-challenge.h"
#include "lib/wire/part.h"

#include <stdio.h>
#include <string.h>

/* What is left of the value, and whose parameters follow. */
struct rest {
    const char *at, *end;
    bool in_basic; /* the first one */
};

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 9110 section 5.6.2. */
static bool is_of_token(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* RFC 9110 section 11.2, without the '=' at the end. */
static bool is_of_token68(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("-._~+/", c) != NULL);
}

static bool is_at(const struct rest *rest, char c)
{
    return rest->at < rest->end && *rest->at == c;
}

static void skip(struct rest *rest, const char *characters)
{
    while (rest->at < rest->end && *rest->at != '\0' && strchr(characters, *rest->at) != NULL) {
        rest->at++;
    }
}

static struct plx__part read_token(struct rest *rest)
{
    struct plx__part token = {rest->at, 0};
    while (rest->at < rest->end && is_of_token(*rest->at)) {
        rest->at++;
        token.length++;
    }
    return token;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void add_to_realm(char c, char *realm, size_t size)
{
    size_t length = strlen(realm);
    if (length + 1 < size) {
        realm[length] = c >= ' ' && c <= '~' ? c : '?';
        realm[length + 1] = '\0';
    }
}

/* read_value reads a token or a quoted string into *ret_value, which has `size` bytes. */
static void read_value(struct rest *rest, char *ret_value, size_t size)
{
    ret_value[0] = '\0';
    if (!is_at(rest, '"')) {
        struct plx__part token = read_token(rest);
        for (size_t i = 0; i < token.length; i++) {
            add_to_realm(token.text[i], ret_value, size);
        }
        return;
    }
    for (rest->at++; rest->at < rest->end && *rest->at != '"'; rest->at++) {
        if (*rest->at == '\\' && rest->at + 1 < rest->end) {
            rest->at++;
        }
        add_to_realm(*rest->at, ret_value, size);
    }
    rest->at += rest->at < rest->end;
}

/* read_parameter reads what follows a name, from the '=' on. */
static void read_parameter(struct rest *rest, struct plx__part name,
                           struct plx__http_answer *answer)
{
    char value[sizeof answer->realm];
    rest->at++;
    skip(rest, " \t");
    read_value(rest, value, sizeof value);
    if (rest->in_basic && plx__part_is(name, "realm")) {
        memcpy(answer->realm, value, sizeof value);
    }
}

/* ---- schemes --------------------------------------------------------------------------------- */

/* skip_token68 skips the data of a scheme that has no parameters. A parameter does not look so: its
 * value follows the '='. */
static void skip_token68(struct rest *rest)
{
    struct rest after = *rest;
    while (after.at < after.end && is_of_token68(*after.at)) {
        after.at++;
    }
    skip(&after, "=");
    skip(&after, " \t");
    if (after.at == after.end || *after.at == ',') {
        rest->at = after.at;
    }
}

static void add_scheme(struct plx__part name, char *schemes, size_t size)
{
    size_t length = strlen(schemes);
    size_t comma = length > 0 ? 2 : 0;
    if (length + comma + name.length < size) {
        snprintf(schemes + length, size - length, "%s%.*s", comma > 0 ? ", " : "", (int)name.length,
                 name.text);
    }
}

static void read_scheme(struct rest *rest, struct plx__part name, struct plx__http_answer *answer)
{
    bool basic = plx__part_is(name, "basic");
    rest->in_basic = basic && !answer->offers_basic;
    answer->offers_basic |= basic;
    if (!basic) {
        add_scheme(name, answer->schemes, sizeof answer->schemes);
    }
    skip_token68(rest);
}

void plx__http_challenge_read(const char *value, size_t length, struct plx__http_answer *answer)
{
    struct rest rest = {value, value + length, false};
    for (;;) {
        skip(&rest, " \t,");
        struct plx__part token = read_token(&rest);
        if (token.length == 0) {
            return;
        }
        skip(&rest, " \t");
        if (is_at(&rest, '=')) {
            read_parameter(&rest, token, answer);
        } else {
            read_scheme(&rest, token, answer);
        }
    }
}
