/* lib/wire/command.h -- a command: a number of the program and data, as one message.
 *
 *      | number, 4 bytes | data ... |      network byte order; negative numbers are no commands
 *
 * A stream has a length of 4 bytes before each message (lib/socket/framing.h), which counts number
 * and data, or the data only. A packet is one message without a length. */
#ifndef PLX_LIB_WIRE_COMMAND_H
#define PLX_LIB_WIRE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the number, and of the length before it. */
enum { PLX__COMMAND_HEAD = 4 };

enum plx__command_form {
    PLX__COMMAND_UNKNOWN,  /* its number has not arrived whole */
    PLX__COMMAND_GOOD,     /* as far as it has arrived */
    PLX__COMMAND_SHORT,    /* too short to have a number */
    PLX__COMMAND_NEGATIVE, /* its number is negative */
};

/* plx__command_write writes a number into PLX__COMMAND_HEAD bytes, plx__command_read reads it. */
void plx__command_write(uint8_t *ret_bytes, int32_t number);
int32_t plx__command_read(const uint8_t *bytes);

/* plx__command_form returns whether a message of `size` bytes, of which the first `arrived` bytes
 * are there, is a command. */
enum plx__command_form plx__command_form(const uint8_t *message, size_t arrived, size_t size);

#endif
