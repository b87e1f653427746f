/* lib/wire/base64.h -- base64 with padding and without line ends (RFC 4648 section 4). */
#ifndef PLX_LIB_WIRE_BASE64_H
#define PLX_LIB_WIRE_BASE64_H

#include <stddef.h>

/* The size of what plx__base64_write writes for that number of bytes, without the zero byte. */
#define PLX__BASE64_SIZE(size) (((size) + 2) / 3 * 4)

/* plx__base64_write encodes `size` bytes and adds a zero byte. Returns PLX__BASE64_SIZE(size). */
size_t plx__base64_write(const void *bytes, size_t size, char *ret_text);

#endif
