/* lib/wire/part.c -- a part of a string, and how protocols compare it. */
#include "config.h"

#include "lib/wire/part.h"

#include <string.h>

char plx__part_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int plx__part_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = plx__part_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool plx__part_is(struct plx__part part, const char *name)
{
    if (part.length != strlen(name)) {
        return false;
    }
    for (size_t i = 0; i < part.length; i++) {
        if (plx__part_lower(part.text[i]) != name[i]) {
            return false;
        }
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct plx__part plx__part_trimmed(struct plx__part part)
{
    while (part.length > 0 && is_blank(part.text[0])) {
        part.text++;
        part.length--;
    }
    while (part.length > 0 && is_blank(part.text[part.length - 1])) {
        part.length--;
    }
    return part;
}
