/* lib/wire/base64.c -- base64 with padding and without line ends. */
#include "config.h"

#include "lib/wire/base64.h"

#include <stdint.h>

size_t plx__base64_write(const void *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    char *out = ret_text;
    for (; size > 0; out += 4) {
        size_t count = size < 3 ? size : 3;
        uint32_t group = (uint32_t)at[0] << 16;
        group |= count > 1 ? (uint32_t)at[1] << 8 : 0;
        group |= count > 2 ? at[2] : 0;
        out[0] = digits[group >> 18];
        out[1] = digits[group >> 12 & 63];
        out[2] = count > 1 ? digits[group >> 6 & 63] : '=';
        out[3] = count > 2 ? digits[group & 63] : '=';
        at += count;
        size -= count;
    }
    *out = '\0';
    return (size_t)(out - ret_text);
}
