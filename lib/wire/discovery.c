/* lib/wire/discovery.c -- the datagrams of discovery. */
#include "config.h"

#include "lib/wire/discovery.h"

#include <string.h>

static const uint8_t magic[4] = {'P', 'L', 'X', 1};

enum {
    KIND = 4,
    FLAGS = 5,
    NAME_SIZE = 6,
    ZERO = 7,
    MEMBER = 8,
    SEQUENCE = 16,
    VALUE = 20,
    PORT = 24
};

#define TO_GROUP 1u
#define LIFETIME_LEAST 5
#define LIFETIME_MOST 600

static uint64_t read_number(const uint8_t *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static void write_number(uint8_t *ret_bytes, size_t size, uint64_t number)
{
    for (size_t i = size; i > 0; i--) {
        ret_bytes[i - 1] = (uint8_t)number;
        number >>= 8;
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The size of the UTF-8 sequence at the beginning, 0 for none. The second byte excludes overlong
 * forms, surrogates and numbers above U+10FFFF (RFC 3629, section 4). */
static size_t sequence_size(const uint8_t *bytes, size_t size)
{
    uint8_t first = bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first == 0 || first > 0xf4 || length > size) {
        return 0;
    }
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] < least || bytes[i] > most) {
            return 0;
        }
        least = 0x80;
        most = 0xbf;
    }
    return length;
}

bool plx__discovery_is_name(const char *name, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)name;
    if (size == 0 || size > PLX__DISCOVERY_NAME) {
        return false;
    }
    for (size_t at = 0, length; at < size; at += length) {
        length = sequence_size(bytes + at, size - at);
        if (length == 0) {
            return false;
        }
    }
    return true;
}

/* FNV-1a. */
static uint32_t hash(const char *name, size_t size)
{
    uint32_t number = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        number = (number ^ (uint8_t)name[i]) * 16777619u;
    }
    return number;
}

plx_address plx__discovery_group_address(const char *name, size_t size, int family, uint16_t port)
{
    uint32_t number = hash(name, size);
    plx_address address = {.family = (uint16_t)family, .port = port};
    if (family == 4) {
        address.bytes[0] = 239;
        address.bytes[1] = 255;
        write_number(address.bytes + 2, 2, number & 0xffff);
    } else {
        address.bytes[0] = 0xff;
        address.bytes[1] = 0x15;
        write_number(address.bytes + 10, 2, 0x504c);
        write_number(address.bytes + 12, 4, number);
    }
    return address;
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static bool is_valid(const struct plx__discovery_datagram *datagram)
{
    bool has_name = datagram->name_size > 0;
    if (datagram->member == 0 || datagram->port == 0 || has_name != datagram->is_to_group ||
        (has_name && !plx__discovery_is_name(datagram->name, datagram->name_size))) {
        return false;
    }
    switch (datagram->kind) {
    case PLX__DISCOVERY_MESSAGE: return datagram->value <= INT32_MAX;
    case PLX__DISCOVERY_HERE:
        return has_name && datagram->value >= LIFETIME_LEAST && datagram->value <= LIFETIME_MOST &&
               datagram->size <= PLX__DISCOVERY_ABOUT;
    case PLX__DISCOVERY_WHO:
    case PLX__DISCOVERY_BYE: return has_name && datagram->value == 0 && datagram->size == 0;
    }
    return false;
}

bool plx__discovery_parse(const void *bytes, size_t size,
                          struct plx__discovery_datagram *ret_datagram)
{
    const uint8_t *head = bytes;
    if (size < PLX__DISCOVERY_HEAD || memcmp(head, magic, sizeof magic) != 0 ||
        head[KIND] > PLX__DISCOVERY_BYE || head[ZERO] != 0 ||
        head[NAME_SIZE] > size - PLX__DISCOVERY_HEAD) {
        return false;
    }
    size_t name_size = head[NAME_SIZE];
    struct plx__discovery_datagram datagram = {
        .kind = (enum plx__discovery_kind)head[KIND],
        .is_to_group = (head[FLAGS] & TO_GROUP) != 0,
        .name = (const char *)head + PLX__DISCOVERY_HEAD,
        .name_size = name_size,
        .member = read_number(head + MEMBER, 8),
        .sequence = (uint32_t)read_number(head + SEQUENCE, 4),
        .value = (uint32_t)read_number(head + VALUE, 4),
        .port = (uint16_t)read_number(head + PORT, 2),
        .data = head + PLX__DISCOVERY_HEAD + name_size,
        .size = size - PLX__DISCOVERY_HEAD - name_size,
    };
    if (!is_valid(&datagram)) {
        return false;
    }
    *ret_datagram = datagram;
    return true;
}

size_t plx__discovery_format(const struct plx__discovery_datagram *datagram, void *ret_bytes,
                             size_t size)
{
    uint8_t *head = ret_bytes;
    if (!is_valid(datagram) || size < PLX__DISCOVERY_HEAD + datagram->name_size ||
        datagram->size > size - PLX__DISCOVERY_HEAD - datagram->name_size) {
        return 0;
    }
    memcpy(head, magic, sizeof magic);
    head[KIND] = (uint8_t)datagram->kind;
    head[FLAGS] = datagram->is_to_group ? TO_GROUP : 0;
    head[NAME_SIZE] = (uint8_t)datagram->name_size;
    head[ZERO] = 0;
    write_number(head + MEMBER, 8, datagram->member);
    write_number(head + SEQUENCE, 4, datagram->sequence);
    write_number(head + VALUE, 4, datagram->value);
    write_number(head + PORT, 2, datagram->port);
    if (datagram->name_size > 0) {
        memcpy(head + PLX__DISCOVERY_HEAD, datagram->name, datagram->name_size);
    }
    if (datagram->size > 0) {
        memcpy(head + PLX__DISCOVERY_HEAD + datagram->name_size, datagram->data, datagram->size);
    }
    return PLX__DISCOVERY_HEAD + datagram->name_size + datagram->size;
}
