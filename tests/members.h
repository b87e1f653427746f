/* tests/members.h -- a table of members, and the addresses that are heard. */
#ifndef POLLUX_TESTS_MEMBERS_H
#define POLLUX_TESTS_MEMBERS_H

#include <check.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/base/clock.h"
#include "lib/group/members.h"
#include "tests/counting.h"
#include "tests/suite.h"

#define SECOND (1000 * PLX__MILLISECOND)
#define SELF 999999999

static struct plx__members table;

static void setup(void)
{
    count_memory();
    memset(&table, 0, sizeof table);
    plx__members_begin(&table, UINT64_C(0x9e3779b97f4a7c15));
}

static void teardown(void)
{
    fail_allocation(0);
    plx__members_clear(&table);
    ck_assert_uint_eq(count_blocks(), 0);
}

/* The address of a host, with the port of one of its programs. */
static inline plx_address address_of(unsigned host, unsigned port)
{
    plx_address address = {.family = 4, .port = (uint16_t)port};
    for (int i = 0; i < 4; i++) {
        address.bytes[i] = (uint8_t)((0x0a000000 + host) >> (24 - 8 * i));
    }
    return address;
}

static inline enum plx__heard here_from(uint64_t id, const plx_address *from, uint64_t now)
{
    return plx__members_here(&table, id, from, 30 * SECOND, NULL, 0, now);
}

/* A `here` of 30 s from a host, whose port is 1. */
static inline enum plx__heard here(uint64_t id, unsigned host, uint64_t now)
{
    plx_address from = address_of(host, 1);
    return here_from(id, &from, now);
}

static inline void bye(uint64_t id, unsigned host)
{
    plx_address from = address_of(host, 1);
    plx__members_bye(&table, id, &from);
}

static inline void add_self(void)
{
    plx_address address = address_of(1, 1);
    ck_assert_ptr_nonnull(plx__members_add_self(&table, SELF, &address, "me", 2));
}

/* The number of the next member that has joined or left; 0: none. */
static inline uint64_t take_joined(void)
{
    struct plx__known *known = plx__members_take_joined(&table);
    return known == NULL ? 0 : known->id;
}

static inline uint64_t take_left(void)
{
    struct plx__known *known = plx__members_take_left(&table);
    uint64_t id = known == NULL ? 0 : known->id;
    if (known != NULL) {
        plx__members_forget(known);
    }
    return id;
}

static inline void take_all(void)
{
    while (take_joined() != 0 || take_left() != 0) {
    }
}

#endif
