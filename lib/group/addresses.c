/* lib/group/addresses.c -- how many clients each address has. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/group/addresses.h"
#include "lib/os/errno.h"

#include <stdbool.h>
#include <string.h>

#define FIRST_CAPACITY ((size_t)16)

/* Apart from every prefix that is in use: ::/8 is reserved (RFC 4291 section 2.4), except the
 * addresses of its first 64 bits. */
#define IPV4 ((uint64_t)1 << 32)

static uint64_t key_of(const plx_address *address)
{
    uint64_t key = 0;
    size_t size = address->family == 4 ? 4 : 8;
    for (size_t i = 0; i < size; i++) {
        key = key << 8 | address->bytes[i];
    }
    return address->family == 4 ? IPV4 | key : key;
}

/* Returns the index of the first row whose key is not smaller. */
static size_t place_of(const struct plx__addresses *addresses, uint64_t key)
{
    size_t low = 0, high = addresses->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (addresses->rows[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Returns the row of an address, NULL if there is none. */
static struct plx__address_row *row_of(const struct plx__addresses *addresses,
                                       const plx_address *address)
{
    uint64_t key = key_of(address);
    size_t place = address->family == 0 ? addresses->count : place_of(addresses, key);
    bool found = place < addresses->count && addresses->rows[place].key == key;
    return found ? &addresses->rows[place] : NULL;
}

size_t plx__addresses_of(const struct plx__addresses *addresses, const plx_address *address)
{
    const struct plx__address_row *row = row_of(addresses, address);
    return row == NULL ? 0 : row->clients;
}

/* Makes room for one more row. Returns 0 or -ENOMEM. */
static int make_room(struct plx__addresses *addresses)
{
    if (addresses->count < addresses->capacity) {
        return 0;
    }
    size_t capacity = addresses->capacity == 0 ? FIRST_CAPACITY : 2 * addresses->capacity;
    struct plx__address_row *rows =
        plx__memory_resize(addresses->rows, capacity * sizeof *addresses->rows);
    if (rows == NULL) {
        return -PLX__ENOMEM;
    }
    addresses->rows = rows;
    addresses->capacity = capacity;
    return 0;
}

/* Moves the rows from `place` on by one, up or down. */
static void shift(struct plx__addresses *addresses, size_t place, bool up)
{
    struct plx__address_row *rows = addresses->rows + place;
    size_t after = addresses->count - place;
    if (up) {
        memmove(rows + 1, rows, after * sizeof *rows);
        addresses->count++;
    } else {
        memmove(rows, rows + 1, (after - 1) * sizeof *rows);
        addresses->count--;
    }
}

int plx__addresses_enter(struct plx__addresses *addresses, const plx_address *address)
{
    struct plx__address_row *row = row_of(addresses, address);
    if (row != NULL) {
        row->clients++;
        return 0;
    }
    int result = address->family == 0 ? 0 : make_room(addresses);
    if (result == 0 && address->family != 0) {
        uint64_t key = key_of(address);
        size_t place = place_of(addresses, key);
        shift(addresses, place, true);
        addresses->rows[place] = (struct plx__address_row){key, 1};
    }
    return result;
}

void plx__addresses_leave(struct plx__addresses *addresses, const plx_address *address)
{
    struct plx__address_row *row = row_of(addresses, address);
    if (row != NULL && --row->clients == 0) {
        shift(addresses, (size_t)(row - addresses->rows), false);
    }
}

void plx__addresses_clear(struct plx__addresses *addresses)
{
    plx__memory_free(addresses->rows);
    *addresses = (struct plx__addresses){0};
}
