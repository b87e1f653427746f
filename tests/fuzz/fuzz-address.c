/* tests/fuzz/fuzz-address.c -- addresses from strings, held against inet_pton, and back to strings.
 *
 * The first byte chooses: a string to parse, or the 23 bytes of an address to format. */
#include "lib/base/address.h"
#include "lib/os/address.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <pollux/address.h>
#include <pollux/error.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* The invariants of lib/base/address.h. */
static void need_valid(const plx_address *address)
{
    static const uint8_t none[12];
    NEED(address->family == 4 || address->family == 6);
    if (address->family == 4) {
        NEED(address->scope == 0 && memcmp(address->bytes + 4, none, 12) == 0);
    } else {
        NEED(memcmp(address->bytes, mapped, sizeof mapped) != 0);
        NEED(address->scope == 0 || plx__address_is_link_local(address->bytes));
    }
}

/* What is formatted parses to the same address; every shorter room gets the beginning. */
static void need_round_trip(const plx_address *address)
{
    char text[PLX__ADDRESS_TEXT_SIZE], part[PLX__ADDRESS_TEXT_SIZE];
    plx_address again;
    size_t length = plx_address_format(address, text, sizeof text);
    NEED(length < sizeof text && strlen(text) == length);
    NEED(plx_address_parse(text, &again) == 0 && plx_address_equal(address, &again));
    for (size_t room = 0; room <= length; room++) {
        memset(part, 'x', sizeof part);
        NEED(plx_address_format(address, part, room) == length);
        NEED(room == 0 || (strlen(part) == room - 1 && memcmp(part, text, room - 1) == 0));
        NEED(part[room] == 'x');
    }
    plx_address host = *address;
    host.port = 0;
    length = plx__address_format_host(address, text, sizeof text);
    NEED(plx__address_parse_host(text, length, &again) && plx_address_equal(&host, &again));
}

/* Whether the C library reads the string as the address, without port and scope. */
static bool is_read_elsewhere(const char *text, plx_address *ret_address)
{
    *ret_address = (plx_address){0};
    if (inet_pton(AF_INET, text, ret_address->bytes) == 1) {
        ret_address->family = 4;
    } else if (inet_pton(AF_INET6, text, ret_address->bytes) == 1) {
        ret_address->family = 6;
    }
    if (ret_address->family == 6 && memcmp(ret_address->bytes, mapped, sizeof mapped) == 0) {
        ret_address->family = 4;
        memmove(ret_address->bytes, ret_address->bytes + 12, 4);
        memset(ret_address->bytes + 4, 0, 12);
    }
    return ret_address->family != 0;
}

/* The same host and port by brackets and the last colon. */
static void need_same_parts(const char *text, const plx_address *address)
{
    char host[PLX__ADDRESS_HOST_SIZE];
    plx_address again;
    int port = -1;
    if (plx__address_split(text, host, sizeof host, &port) != 0) {
        return; /* without a port */
    }
    NEED(plx__address_parse_host(host, strlen(host), &again));
    again.port = (uint16_t)port;
    NEED(plx_address_equal(address, &again) || strchr(text, '[') == NULL);
}

static void read_text(const char *text)
{
    plx_address address, expected, untouched;
    memset(&address, 0xa5, sizeof address);
    untouched = address;
    int code = plx_address_parse(text, &address);
    bool elsewhere = is_read_elsewhere(text, &expected);
    NEED(code == 0 || code == PLX_INVALID_PORT || code == PLX_INVALID_STATE);
    NEED(!elsewhere || (code == 0 && plx_address_equal(&address, &expected)));
    if (code != 0) {
        NEED(memcmp(&address, &untouched, sizeof address) == 0);
        return;
    }
    need_valid(&address);
    need_round_trip(&address);
    NEED(elsewhere || strchr(text, '[') != NULL || strchr(text, '%') != NULL ||
         address.family == 4);
    need_same_parts(text, &address);
}

static void write_bytes(struct tape *tape)
{
    plx_address address = {0}, mapped_to;
    size_t size;
    address.family = tape_byte(tape) % 2 == 0 ? 4 : 6;
    address.port = (uint16_t)(tape_byte(tape) << 8);
    address.port = (uint16_t)(address.port | tape_byte(tape));
    const uint8_t *bytes = tape_bytes(tape, address.family == 4 ? 4 : 16, &size);
    if (size > 0) {
        memcpy(address.bytes, bytes, size);
    }
    if (address.family == 6 && plx__address_is_link_local(address.bytes)) {
        address.scope = (uint32_t)tape_byte(tape) << (tape_byte(tape) % 25);
    }
    if (address.family == 6 && memcmp(address.bytes, mapped, sizeof mapped) == 0) {
        char text[PLX__ADDRESS_TEXT_SIZE];
        plx_address_format(&address, text, sizeof text);
        NEED(plx_address_parse(text, &mapped_to) == 0 && mapped_to.family == 4);
        return;
    }
    need_valid(&address);
    need_round_trip(&address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    if (tape_byte(&tape) == 0) {
        write_bytes(&tape);
        return 0;
    }
    tape = (struct tape){data, size};
    char *text = tape_text(&tape);
    read_text(text);
    free(text);
    return 0;
}
