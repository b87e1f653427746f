/* lib/wire/part.h -- a part of a string, and how protocols compare it: ASCII, without regard to
 * case. The functions of <ctype.h> depend on the locale. */
#ifndef PLX_LIB_WIRE_PART_H
#define PLX_LIB_WIRE_PART_H

#include <stdbool.h>
#include <stddef.h>

struct plx__part {
    const char *text;
    size_t length;
};

/* plx__part_lower returns a capital letter as small letter, and any other byte unchanged. */
char plx__part_lower(char c);

/* plx__part_digit returns the value of a hexadecimal digit, -1 for any other byte. */
int plx__part_digit(char c);

/* plx__part_is returns whether the part is `name`, which is in small letters. */
bool plx__part_is(struct plx__part part, const char *name);

/* plx__part_trimmed returns the part without spaces and tabs at its ends. */
struct plx__part plx__part_trimmed(struct plx__part part);

#endif
