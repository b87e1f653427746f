/* tests/test-wire-command.c -- the bytes of a command's number, and what is a command. */
#include "config.h"

#include <check.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/wire/command.h"
#include "tests/suite.h"

static const struct {
    int32_t number;
    unsigned char bytes[PLX__COMMAND_HEAD];
} numbers[] = {
    {0, {0, 0, 0, 0}},
    {1, {0, 0, 0, 1}},
    {255, {0, 0, 0, 255}},
    {256, {0, 0, 1, 0}},
    {0x01020304, {1, 2, 3, 4}},
    {INT32_MAX, {0x7f, 0xff, 0xff, 0xff}},
    {-1, {0xff, 0xff, 0xff, 0xff}},
    {-2, {0xff, 0xff, 0xff, 0xfe}},
    {INT32_MIN, {0x80, 0, 0, 0}},
};

LOOP_CASE(a_number_has_four_bytes, 0, (int)PLX__COUNT_OF(numbers))
{
    uint8_t bytes[PLX__COMMAND_HEAD] = {9, 9, 9, 9};

    plx__command_write(bytes, numbers[_i].number);
    ck_assert_mem_eq(bytes, numbers[_i].bytes, sizeof bytes);
    ck_assert_int_eq(plx__command_read(bytes), numbers[_i].number);
}

static const struct {
    const char *bytes;
    size_t arrived, size;
    enum plx__command_form form;
} forms[] = {
    {"", 0, 0, PLX__COMMAND_SHORT},
    {"\0\0\0", 3, 3, PLX__COMMAND_SHORT},
    {"", 0, 3, PLX__COMMAND_SHORT},
    {"", 0, 4, PLX__COMMAND_UNKNOWN},
    {"\xff\xff\xff", 3, 4, PLX__COMMAND_UNKNOWN},
    {"\xff\xff\xff\xff", 4, 4, PLX__COMMAND_NEGATIVE},
    {"\x80\0\0\0", 4, 1000, PLX__COMMAND_NEGATIVE},
    {"\x7f\xff\xff\xff", 4, 4, PLX__COMMAND_GOOD},
    {"\0\0\0\0data", 8, 1000, PLX__COMMAND_GOOD},
    {"\0\0\0\0data", 4, 8, PLX__COMMAND_GOOD},
};

/* The bytes are in a block of their size: a look behind them is a fault that sanitizers find. */
LOOP_CASE(what_is_a_command, 0, (int)PLX__COUNT_OF(forms))
{
    uint8_t bytes[16];

    memcpy(bytes + sizeof bytes - forms[_i].arrived, forms[_i].bytes, forms[_i].arrived);
    ck_assert_int_eq((int)plx__command_form(bytes + sizeof bytes - forms[_i].arrived,
                                            forms[_i].arrived, forms[_i].size),
                     (int)forms[_i].form);
}

SUITE_MAIN("wire-command")
