/* tests/test-wire-discovery.c -- the datagrams of discovery: their bytes, and what is none. */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/wire/discovery.h"
#include "tests/suite.h"

/* The offsets of doc/discovery.md, written here a second time. */
enum { KIND = 4, FLAGS = 5, NAME_SIZE = 6, ZERO = 7, VALUE = 20, PORT = 24, NAME = 26 };

#define MEMBER UINT64_C(0x0102030405060708)

/* Datagrams, written by hand. */
static const struct vector {
    const char *bytes;
    size_t size;
    struct plx__discovery_datagram datagram;
} vectors[] = {
    {"PLX\1\0\1\4\0\1\2\3\4\5\6\7\x08\0\0\0\x2a\0\0\0\7\xb1\x8e"
     "chathello",
     35,
     {PLX__DISCOVERY_MESSAGE, true, "chat", 4, MEMBER, 42, 7, 45454, "hello", 5}},
    {"PLX\1\0\0\0\0\1\2\3\4\5\6\7\x08\xff\xff\xff\xff\x7f\xff\xff\xff\0\1"
     "\0\xff",
     28,
     {PLX__DISCOVERY_MESSAGE, false, "", 0, MEMBER, UINT32_MAX, INT32_MAX, 1, "\0\xff", 2}},
    {"PLX\1\1\1\2\0\xff\xff\xff\xff\xff\xff\xff\xff\1\2\3\4\0\0\0\x1e\xff\xff"
     "\xc3\xa4"
     "about",
     33,
     {PLX__DISCOVERY_HERE, true, "\xc3\xa4", 2, UINT64_MAX, 0x01020304, 30, 65535, "about", 5}},
    {"PLX\1\2\1\4\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\1\0"
     "chat",
     30,
     {PLX__DISCOVERY_WHO, true, "chat", 4, 1, 0, 0, 256, "", 0}},
    {"PLX\1\3\1\1\0\x80\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0\x80"
     "g",
     27,
     {PLX__DISCOVERY_BYE, true, "g", 1, UINT64_C(1) << 63, UINT32_C(1) << 31, 0, 128, "", 0}},
};
#define VECTORS (int)PLX__COUNT_OF(vectors)

/* What a failed call leaves as it is. */
static const struct plx__discovery_datagram untouched = {
    PLX__DISCOVERY_BYE, true, "untouched", 9, 1, 2, 3, 4, "data", 4};

/* Parses the bytes in a block of their size, so that sanitizers find a look behind them. */
static bool parse(const void *bytes, size_t size)
{
    struct plx__discovery_datagram datagram;
    uint8_t *block = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(block);
    memcpy(block, bytes, size);
    memcpy(&datagram, &untouched, sizeof untouched); /* with its padding */
    bool is_one = plx__discovery_parse(block, size, &datagram);
    if (!is_one) {
        ck_assert_mem_eq(&datagram, &untouched, sizeof untouched);
    }
    free(block);
    return is_one;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

LOOP_CASE(a_datagram_has_these_bytes, 0, VECTORS)
{
    const struct vector *vector = &vectors[_i];
    uint8_t bytes[64];
    memset(bytes, 0xee, sizeof bytes);
    ck_assert_uint_eq(plx__discovery_format(&vector->datagram, bytes, sizeof bytes), vector->size);
    ck_assert_mem_eq(bytes, vector->bytes, vector->size);
    ck_assert_uint_eq(bytes[vector->size], 0xee);
}

LOOP_CASE(and_is_read_from_them, 0, VECTORS)
{
    const struct plx__discovery_datagram *expected = &vectors[_i].datagram;
    const char *bytes = vectors[_i].bytes;
    struct plx__discovery_datagram read;
    ck_assert(plx__discovery_parse(bytes, vectors[_i].size, &read));
    ck_assert_int_eq((int)read.kind, (int)expected->kind);
    ck_assert_int_eq(read.is_to_group, expected->is_to_group);
    ck_assert_uint_eq(read.member, expected->member);
    ck_assert_uint_eq(read.sequence, expected->sequence);
    ck_assert_uint_eq(read.value, expected->value);
    ck_assert_uint_eq(read.port, expected->port);
    ck_assert_ptr_eq(read.name, bytes + NAME);
    ck_assert_uint_eq(read.name_size, expected->name_size);
    ck_assert_ptr_eq(read.data, bytes + NAME + expected->name_size);
    ck_assert_uint_eq(read.size, expected->size);
}

LOOP_CASE(it_is_written_where_it_fits, 0, VECTORS)
{
    const struct vector *vector = &vectors[_i];
    for (size_t room = 0; room < vector->size; room++) {
        uint8_t *bytes = malloc(room > 0 ? room : 1);
        ck_assert_ptr_nonnull(bytes);
        memset(bytes, 0xee, room);
        ck_assert_uint_eq(plx__discovery_format(&vector->datagram, bytes, room), 0);
        for (size_t i = 0; i < room; i++) {
            ck_assert_uint_eq(bytes[i], 0xee);
        }
        free(bytes);
    }
    uint8_t *bytes = malloc(vector->size);
    ck_assert_uint_eq(plx__discovery_format(&vector->datagram, bytes, vector->size), vector->size);
    free(bytes);
}

/* ---- truncated ones, and longer ones ---------------------------------------------------------- */

/* What is left of a message, or of what a member says about itself, is valid, too. */
LOOP_CASE(every_truncation_is_none_or_shorter, 0, VECTORS)
{
    const struct vector *vector = &vectors[_i];
    size_t least = NAME + vector->datagram.name_size;
    for (size_t size = 0; size <= vector->size; size++) {
        ck_assert_int_eq(parse(vector->bytes, size), size >= least);
    }
}

static void parse_with_data(int number, size_t data_size, bool is_one)
{
    size_t size = NAME + vectors[number].datagram.name_size;
    uint8_t *bytes = calloc(1, size + data_size);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, vectors[number].bytes, size);
    ck_assert_int_eq(parse(bytes, size + data_size), is_one);
    free(bytes);
}

PLAIN_CASE(a_message_may_be_long)
{
    parse_with_data(0, 65507 - 30, true);
    parse_with_data(1, 65507 - 26, true);
}

PLAIN_CASE(here_has_up_to_256_bytes_and_the_others_none)
{
    parse_with_data(2, 256, true);
    parse_with_data(2, 257, false);
    parse_with_data(2, 65000, false);
    parse_with_data(3, 1, false);
    parse_with_data(4, 1, false);
}

/* ---- the names of groups --------------------------------------------------------------------- */

/* Writes a number as UTF-8 would, in `length` bytes, also where that is forbidden. */
static void encode(uint32_t number, size_t length, char *ret_bytes)
{
    static const unsigned first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i > 1; i--) {
        ret_bytes[i - 1] = (char)(0x80 | (number & 0x3f));
        number >>= 6;
    }
    ret_bytes[0] = (char)(first[length] | number);
}

/* Whether a number in `length` bytes is a name exactly when it should be, also between others and
 * in no part of it. */
static bool is_judged(uint32_t number, size_t length, bool is_valid)
{
    char bytes[] = "a....z";
    encode(number, length, bytes + 1);
    bytes[length + 1] = 'z';
    bool is_judged = plx__discovery_is_name(bytes, length + 2) == is_valid &&
                     plx__discovery_is_name(bytes + 1, length) == is_valid;
    for (size_t part = 2; part <= length; part++) {
        is_judged = is_judged && !plx__discovery_is_name(bytes, part);
    }
    return is_judged;
}

/* Each number of a length, the overlong and the forbidden ones, too. */
LOOP_CASE(names_are_utf_8, 1, 5)
{
    static const uint32_t least[] = {0, 1, 0x80, 0x800, 0x10000};
    static const uint32_t most[] = {0, 0x7f, 0x7ff, 0xffff, 0x1fffff};
    for (uint32_t number = 0; number <= most[_i]; number++) {
        bool is_surrogate = number >= 0xd800 && number <= 0xdfff;
        bool is_valid = number >= least[_i] && number <= 0x10ffff && !is_surrogate;
        if (!is_judged(number, (size_t)_i, is_valid)) {
            ck_abort_msg("U+%04x in %d bytes", (unsigned)number, _i);
        }
    }
}

/* Each two bytes: continuations without a beginning, beginnings without a continuation. */
PLAIN_CASE(names_have_no_loose_bytes)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char bytes[] = {(char)first, (char)second};
            bool is_ascii = first > 0 && first < 0x80 && second > 0 && second < 0x80;
            bool is_pair = first >= 0xc2 && first < 0xe0 && second >= 0x80 && second < 0xc0;
            ck_assert_int_eq(plx__discovery_is_name(bytes, 2), is_ascii || is_pair);
        }
        char many[] = {(char)first, (char)0x80, (char)0x80, (char)0x80, (char)0x80};
        ck_assert(!plx__discovery_is_name(many, sizeof many));
    }
}

PLAIN_CASE(names_have_1_to_63_bytes)
{
    char name[66];
    memset(name, 'x', sizeof name);
    for (size_t size = 0; size <= sizeof name; size++) {
        ck_assert_int_eq(plx__discovery_is_name(name, size), size >= 1 && size <= 63);
    }
    ck_assert(!plx__discovery_is_name(name, 256 + 4));
    ck_assert(!plx__discovery_is_name(name, SIZE_MAX));
    ck_assert(plx__discovery_is_name(" \n\x7f", 3));
    ck_assert(!plx__discovery_is_name("a\0b", 3));
    ck_assert(!plx__discovery_is_name("\0", 1));
}

/* ---- fields that are wrong ------------------------------------------------------------------- */

static uint64_t number_at(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number += (uint64_t)bytes[i] << (8 * (size - 1 - i));
    }
    return number;
}

/* The rules of doc/discovery.md, one after the other. */
static bool is_datagram(const uint8_t *bytes, size_t size)
{
    uint64_t value = number_at(bytes + VALUE, 4);
    size_t name_size = bytes[NAME_SIZE];
    bool is_to_group = bytes[FLAGS] % 2 == 1;
    bool has_data = size > NAME + name_size;
    if (memcmp(bytes, "PLX\1", 4) != 0 || bytes[ZERO] != 0 || number_at(bytes + 8, 8) == 0 ||
        number_at(bytes + PORT, 2) == 0 || NAME + name_size > size) {
        return false;
    }
    if (is_to_group ? !plx__discovery_is_name((const char *)bytes + NAME, name_size)
                    : name_size != 0) {
        return false;
    }
    switch (bytes[KIND]) {
    case 0: return value < UINT32_C(1) << 31;
    case 1: return is_to_group && value >= 5 && value <= 600 && size <= NAME + name_size + 256;
    case 2:
    case 3: return is_to_group && value == 0 && !has_data;
    default: return false;
    }
}

LOOP_CASE(every_byte_counts, 0, VECTORS)
{
    uint8_t bytes[64];
    size_t size = vectors[_i].size;
    for (size_t at = 0; at < size; at++) {
        memcpy(bytes, vectors[_i].bytes, size);
        for (unsigned value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            ck_assert_msg(parse(bytes, size) == is_datagram(bytes, size), "byte %zu is %u", at,
                          value);
        }
    }
}

/* Each kind with each pair of flags and name, and with the values at the bounds. */
PLAIN_CASE(and_every_combination)
{
    static const uint32_t values[] = {0, 1, 4, 5, 600, 601, 0x7fffffff, 0x80000000, 0xffffffff};
    uint8_t bytes[] = "PLX\1\0\0\0\0\1\1\1\1\1\1\1\1\0\0\0\0\0\0\0\0\1\1name";
    for (unsigned i = 0; i < 6 * 4 * 6 * PLX__COUNT_OF(values); i++) {
        uint32_t value = values[i / (6 * 4 * 6)];
        bytes[KIND] = (uint8_t)(i % 6);
        bytes[FLAGS] = (uint8_t)(i / 6 % 4);
        bytes[NAME_SIZE] = (uint8_t)(i / 24 % 6);
        for (int byte = 0; byte < 4; byte++) {
            bytes[VALUE + byte] = (uint8_t)(value >> (24 - 8 * byte));
        }
        ck_assert_int_eq(parse(bytes, 30), is_datagram(bytes, 30));
    }
}

/* Datagrams with one field that is wrong. */
static const struct {
    const char *what;
    struct plx__discovery_datagram datagram;
} invalid[] = {
    {"kind", {(enum plx__discovery_kind)4, true, "chat", 4, 1, 1, 0, 1, "", 0}},
    {"kind 255", {(enum plx__discovery_kind)255, true, "chat", 4, 1, 1, 0, 1, "", 0}},
    {"no member", {PLX__DISCOVERY_MESSAGE, true, "chat", 4, 0, 1, 0, 1, "", 0}},
    {"no port", {PLX__DISCOVERY_MESSAGE, true, "chat", 4, 1, 1, 0, 0, "", 0}},
    {"no name", {PLX__DISCOVERY_MESSAGE, true, "", 0, 1, 1, 0, 1, "", 0}},
    {"a name", {PLX__DISCOVERY_MESSAGE, false, "chat", 4, 1, 1, 0, 1, "", 0}},
    {"bad name", {PLX__DISCOVERY_MESSAGE, true, "ch\xff", 3, 1, 1, 0, 1, "", 0}},
    {"zero byte", {PLX__DISCOVERY_MESSAGE, true, "ch\0t", 4, 1, 1, 0, 1, "", 0}},
    {"endless name", {PLX__DISCOVERY_MESSAGE, true, "chat", SIZE_MAX, 1, 1, 0, 1, "", 0}},
    {"endless data", {PLX__DISCOVERY_MESSAGE, true, "chat", 4, 1, 1, 0, 1, "", SIZE_MAX}},
    {"command", {PLX__DISCOVERY_MESSAGE, true, "chat", 4, 1, 1, UINT32_C(1) << 31, 1, "", 0}},
    {"here, alone", {PLX__DISCOVERY_HERE, false, "", 0, 1, 1, 30, 1, "", 0}},
    {"lifetime 4", {PLX__DISCOVERY_HERE, true, "chat", 4, 1, 1, 4, 1, "", 0}},
    {"lifetime 601", {PLX__DISCOVERY_HERE, true, "chat", 4, 1, 1, 601, 1, "", 0}},
    {"who, alone", {PLX__DISCOVERY_WHO, false, "", 0, 1, 1, 0, 1, "", 0}},
    {"who, value", {PLX__DISCOVERY_WHO, true, "chat", 4, 1, 1, 1, 1, "", 0}},
    {"who, data", {PLX__DISCOVERY_WHO, true, "chat", 4, 1, 1, 0, 1, "x", 1}},
    {"bye, alone", {PLX__DISCOVERY_BYE, false, "", 0, 1, 1, 0, 1, "", 0}},
    {"bye, value", {PLX__DISCOVERY_BYE, true, "chat", 4, 1, 1, 5, 1, "", 0}},
    {"bye, data", {PLX__DISCOVERY_BYE, true, "chat", 4, 1, 1, 0, 1, "x", 1}},
};

LOOP_CASE(what_is_invalid_is_not_written, 0, (int)PLX__COUNT_OF(invalid))
{
    uint8_t bytes[PLX__DISCOVERY_SIZE];
    memset(bytes, 0xee, sizeof bytes);
    ck_assert_msg(plx__discovery_format(&invalid[_i].datagram, bytes, sizeof bytes) == 0, "%s",
                  invalid[_i].what);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ck_assert_uint_eq(bytes[i], 0xee);
    }
}

PLAIN_CASE(the_largest_ones_are_written)
{
    static uint8_t data[PLX__DISCOVERY_SIZE], bytes[PLX__DISCOVERY_SIZE + 1];
    struct plx__discovery_datagram datagram = vectors[0].datagram;
    datagram.data = data;
    datagram.size = PLX__DISCOVERY_SIZE - PLX__DISCOVERY_HEAD - 4;
    ck_assert_uint_eq(plx__discovery_format(&datagram, bytes, PLX__DISCOVERY_SIZE),
                      PLX__DISCOVERY_SIZE);
    datagram.size++;
    ck_assert_uint_eq(plx__discovery_format(&datagram, bytes, PLX__DISCOVERY_SIZE), 0);
    datagram = vectors[2].datagram;
    datagram.data = data;
    datagram.size = PLX__DISCOVERY_ABOUT;
    ck_assert_uint_eq(plx__discovery_format(&datagram, bytes, sizeof bytes), NAME + 2 + 256);
    datagram.size++;
    ck_assert_uint_eq(plx__discovery_format(&datagram, bytes, sizeof bytes), 0);
}

PLAIN_CASE(no_name_and_no_data_may_be_null)
{
    struct plx__discovery_datagram datagram = {.member = 1, .port = 1};
    uint8_t bytes[PLX__DISCOVERY_HEAD];
    ck_assert_uint_eq(plx__discovery_format(&datagram, bytes, sizeof bytes), sizeof bytes);
    ck_assert(parse(bytes, sizeof bytes));
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* The hashes are those of FNV's authors, or computed by another program. */
static const struct {
    const char *name, *ipv4, *ipv6;
} groups[] = {
    {"a", "239.255.41.44:45454", "[ff15::504c:e40c:292c]:45454"},
    {"foobar", "239.255.249.104:45454", "[ff15::504c:bf9c:f968]:45454"},
    {"chat", "239.255.249.171:45454", "[ff15::504c:a24b:f9ab]:45454"},
    {"\xc3\xa4", "239.255.224.226:45454", "[ff15::504c:199d:e0e2]:45454"},
    {"\xe6\x97\xa5\xe6\x9c\xac", "239.255.238.81:45454", "[ff15::504c:9f26:ee51]:45454"},
    {"costarring", "239.255.170.157:45454", "[ff15::504c:5e4d:aa9d]:45454"},
    {"liquid", "239.255.170.157:45454", "[ff15::504c:5e4d:aa9d]:45454"}, /* the same hash */
};

LOOP_CASE(a_group_has_these_addresses, 0, (int)PLX__COUNT_OF(groups))
{
    const char *name = groups[_i].name;
    plx_address expected;
    ck_assert_int_eq(plx_address_parse(groups[_i].ipv4, &expected), 0);
    plx_address address = plx__discovery_group_address(name, strlen(name), 4, 45454);
    ck_assert(plx_address_equal(&address, &expected));
    ck_assert_int_eq(plx_address_parse(groups[_i].ipv6, &expected), 0);
    address = plx__discovery_group_address(name, strlen(name), 6, 45454);
    ck_assert(plx_address_equal(&address, &expected));
}

SUITE_MAIN("wire-discovery")
