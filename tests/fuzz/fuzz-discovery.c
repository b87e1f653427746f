/* tests/fuzz/fuzz-discovery.c -- the datagrams of discovery: what is read is written with the same
 * bytes, and what is written is read with the same fields.
 *
 * The input: a byte that chooses; then a datagram, or the fields of one. */
#include "lib/wire/discovery.h"
#include "tests/fuzz/fuzz.h"

#define FLAGS 5
#define ROOM 70000

static void need_equal(const struct plx__discovery_datagram *a,
                       const struct plx__discovery_datagram *b)
{
    NEED(a->kind == b->kind && a->is_to_group == b->is_to_group && a->member == b->member);
    NEED(a->sequence == b->sequence && a->value == b->value && a->port == b->port);
    NEED(a->name_size == b->name_size && a->size == b->size);
    NEED(a->name_size == 0 || memcmp(a->name, b->name, a->name_size) == 0);
    NEED(a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static void need_promises(const struct plx__discovery_datagram *datagram, const uint8_t *bytes,
                          size_t size)
{
    NEED(datagram->member != 0 && datagram->port != 0);
    NEED(datagram->name == (const char *)bytes + PLX__DISCOVERY_HEAD);
    NEED((const uint8_t *)datagram->data == bytes + PLX__DISCOVERY_HEAD + datagram->name_size);
    NEED(PLX__DISCOVERY_HEAD + datagram->name_size + datagram->size == size);
    NEED(datagram->is_to_group
             ? plx__discovery_is_name(datagram->name, datagram->name_size)
             : datagram->name_size == 0 && datagram->kind == PLX__DISCOVERY_MESSAGE);
    switch (datagram->kind) {
    case PLX__DISCOVERY_MESSAGE: NEED(datagram->value <= INT32_MAX); break;
    case PLX__DISCOVERY_HERE:
        NEED(datagram->value >= 5 && datagram->value <= 600);
        NEED(datagram->size <= PLX__DISCOVERY_ABOUT);
        break;
    case PLX__DISCOVERY_WHO:
    case PLX__DISCOVERY_BYE: NEED(datagram->value == 0 && datagram->size == 0); break;
    }
}

static const struct plx__discovery_datagram untouched = {.name = "untouched", .sequence = 12345};

static bool read_datagram(const uint8_t *bytes, size_t size,
                          struct plx__discovery_datagram *ret_datagram)
{
    memcpy(ret_datagram, &untouched, sizeof untouched); /* with its padding */
    bool is_one = plx__discovery_parse(bytes, size, ret_datagram);
    NEED(is_one || memcmp(ret_datagram, &untouched, sizeof untouched) == 0);
    return is_one;
}

/* Each truncation, too: whatever is read is valid, and its bytes are written again. */
static void play_bytes(const uint8_t *bytes, size_t size)
{
    static uint8_t written[ROOM];
    struct plx__discovery_datagram datagram, again;
    if (size > ROOM) {
        return;
    }
    for (size_t count = 0; count <= size; count++) {
        if (!read_datagram(bytes, count, &datagram)) {
            continue;
        }
        need_promises(&datagram, bytes, count);
        NEED(plx__discovery_format(&datagram, written, count - 1) == 0);
        NEED(plx__discovery_format(&datagram, written, sizeof written) == count);
        NEED(memcmp(written, bytes, FLAGS) == 0 && written[FLAGS] == bytes[FLAGS] % 2);
        NEED(memcmp(written + FLAGS + 1, bytes + FLAGS + 1, count - FLAGS - 1) == 0);
        NEED(plx__discovery_parse(written, count, &again));
        need_equal(&datagram, &again);
    }
}

static uint64_t tape_number(struct tape *tape, int size)
{
    uint64_t number = 0;
    for (int i = 0; i < size; i++) {
        number = number << 8 | tape_byte(tape);
    }
    return number;
}

/* What is written is read again; what is not does not fit or is invalid. */
static void play_fields(struct tape *tape)
{
    static uint8_t written[ROOM];
    struct plx__discovery_datagram again, datagram;
    datagram.kind = (enum plx__discovery_kind)(tape_byte(tape) % 5);
    datagram.is_to_group = tape_byte(tape) % 2 > 0;
    datagram.member = tape_number(tape, 1);
    datagram.member <<= tape_byte(tape) % 57;
    datagram.sequence = (uint32_t)tape_number(tape, 4);
    datagram.value = (uint32_t)tape_number(tape, 4);
    datagram.port = (uint16_t)tape_number(tape, 2);
    size_t room = tape_size(tape);
    size_t name_size = tape_byte(tape);
    datagram.name = (const char *)tape_bytes(tape, name_size, &datagram.name_size);
    datagram.data = tape_bytes(tape, tape->left, &datagram.size);
    size_t size = plx__discovery_format(&datagram, written, room);
    if (size > 0) {
        NEED(size <= room && read_datagram(written, size, &again));
        need_promises(&again, written, size);
        need_equal(&datagram, &again);
    }
}

static void play_name(const char *name, size_t size)
{
    bool is_name = plx__discovery_is_name(name, size);
    NEED(!is_name || (size >= 1 && size <= PLX__DISCOVERY_NAME && memchr(name, 0, size) == NULL));
    for (size_t i = 1; is_name && i < size; i++) {
        /* Where a character ends, the halves are names, too. */
        bool is_end = ((uint8_t)name[i] & 0xc0) != 0x80;
        NEED(plx__discovery_is_name(name, i) == is_end);
        NEED(plx__discovery_is_name(name + i, size - i) == is_end);
    }
    plx_address ipv4 = plx__discovery_group_address(name, size, 4, 1);
    plx_address ipv6 = plx__discovery_group_address(name, size, 6, 1);
    NEED(ipv4.bytes[0] == 239 && ipv4.bytes[1] == 255 && ipv4.scope == 0);
    NEED(ipv6.bytes[0] == 0xff && ipv6.bytes[1] == 0x15 && ipv6.scope == 0);
    NEED(memcmp(ipv4.bytes + 2, ipv6.bytes + 14, 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    switch (tape_byte(&tape) % 4) {
    case 0: play_fields(&tape); break;
    case 1: play_name((const char *)tape.at, tape.left); break;
    default: play_bytes(tape.at, tape.left); break;
    }
    return 0;
}
