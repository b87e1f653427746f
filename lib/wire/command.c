/* lib/wire/command.c -- a command: a number of the program and data, as one message. */
#include "config.h"

#include "lib/wire/command.h"

void plx__command_write(uint8_t *ret_bytes, int32_t number)
{
    uint32_t bits = (uint32_t)number;
    ret_bytes[0] = (uint8_t)(bits >> 24);
    ret_bytes[1] = (uint8_t)(bits >> 16);
    ret_bytes[2] = (uint8_t)(bits >> 8);
    ret_bytes[3] = (uint8_t)bits;
}

int32_t plx__command_read(const uint8_t *bytes)
{
    return (int32_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
                     (uint32_t)bytes[3]);
}

enum plx__command_form plx__command_form(const uint8_t *message, size_t arrived, size_t size)
{
    if (size < PLX__COMMAND_HEAD) {
        return PLX__COMMAND_SHORT;
    }
    if (arrived < PLX__COMMAND_HEAD) {
        return PLX__COMMAND_UNKNOWN;
    }
    return plx__command_read(message) < 0 ? PLX__COMMAND_NEGATIVE : PLX__COMMAND_GOOD;
}
