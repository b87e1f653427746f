/* lib/group/addresses.h -- how many clients each address has.
 *
 * Design: one row for each address that has clients, sorted, so that a peer costs a binary search
 * however many clients there are, and nobody can choose addresses that make it cost more. The rows
 * grow by doubling and only when a client comes.
 *
 * The port does not count. An IPv6 address counts by its first 64 bits, because one host has all
 * addresses behind them (RFC 7934). */
#ifndef PLX_LIB_ADDRESSES_H
#define PLX_LIB_ADDRESSES_H

#include <pollux/address.h>

#include <stddef.h>
#include <stdint.h>

struct plx__address_row {
    uint64_t key;
    size_t clients;
};

/* Zeroed it is empty. */
struct plx__addresses {
    struct plx__address_row *rows;
    size_t count, capacity;
};

/* plx__addresses_of returns how many clients an address has; 0 for "none". */
size_t plx__addresses_of(const struct plx__addresses *addresses, const plx_address *address);

/* plx__addresses_enter counts a client of the address; "none" is not counted. Returns 0 or -ENOMEM.
 * plx__addresses_leave takes back one that was counted. */
int plx__addresses_enter(struct plx__addresses *addresses, const plx_address *address);
void plx__addresses_leave(struct plx__addresses *addresses, const plx_address *address);

/* plx__addresses_clear forgets all and frees the rows. */
void plx__addresses_clear(struct plx__addresses *addresses);

#endif
