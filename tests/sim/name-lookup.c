/* tests/sim/name-lookup.c -- this kernel has no threads, so no name is looked up by the C library. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/os/name-lookup.h"

int plx__os_name_lookup_start(const char *host, int family, struct plx__os_name_lookup **ret_lookup,
                              bool *ret_threadless)
{
    (void)host;
    (void)family;
    *ret_lookup = NULL;
    *ret_threadless = true;
    return -PLX__EAGAIN;
}

plx__fd plx__os_name_lookup_descriptor(const struct plx__os_name_lookup *lookup)
{
    (void)lookup;
    return PLX__NO_FD;
}

enum plx__os_name_answer plx__os_name_lookup_answer(struct plx__os_name_lookup *lookup,
                                                    int *ret_error)
{
    (void)lookup;
    (void)ret_error;
    return PLX__NAME_FAILED;
}

bool plx__os_name_lookup_next(struct plx__os_name_lookup *lookup, plx_address *ret_address)
{
    (void)lookup;
    (void)ret_address;
    return false;
}

void plx__os_name_lookup_drop(struct plx__os_name_lookup *lookup)
{
    (void)lookup;
}
