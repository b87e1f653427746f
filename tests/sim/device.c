/* tests/sim/device.c -- the clock, and the loopback device with its two addresses. */
#include "config.h"

#include "lib/os/address.h"
#include "lib/os/clock.h"
#include "lib/os/interface.h"
#include "tests/sim/kernel.h"

#include <stdio.h>
#include <string.h>

/* ---- time ------------------------------------------------------------------------------------ */

static struct {
    uint64_t (*nanoseconds)(void *user);
    void *user;
} user_clock;

void plx_clock_set(uint64_t (*nanoseconds)(void *user), void *user)
{
    user_clock.nanoseconds = nanoseconds;
    user_clock.user = user;
}

/* Time passes while a program does nothing but read the clock: a loop until a moment ends. */
uint64_t plx__clock_real(void)
{
    if (!sim.begun) {
        sim_begin(0);
    }
    sim.now += 100;
    return sim.now;
}

uint64_t plx__clock_now(void)
{
    uint64_t now = user_clock.nanoseconds != NULL ? user_clock.nanoseconds(user_clock.user)
                                                  : plx__clock_real();
    return now != 0 ? now : 1;
}

uint64_t plx_clock_now(void)
{
    return plx__clock_now();
}

/* Late by up to 4 ms, as the kernel's. */
uint64_t plx__clock_coarse(void)
{
    uint64_t now = plx__clock_now();
    return user_clock.nanoseconds != NULL ? now : now - now % 4000000;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

static const plx_interface entries[] = {
    {.name = "lo",
     .ip_address = "127.0.0.1",
     .subnet_mask = "255.0.0.0",
     .is_loopback = true,
     .is_up = true},
    {.name = "lo",
     .ip_address = "::1",
     .subnet_mask = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     .is_loopback = true,
     .is_up = true},
};
enum { ENTRIES = sizeof entries / sizeof *entries };

size_t plx_interface_list(plx_interface *list, size_t size)
{
    for (size_t i = 0; i < size && i < ENTRIES; i++) {
        list[i] = entries[i];
    }
    return ENTRIES;
}

ptrdiff_t plx__interface_networks(struct plx__network *list, size_t size)
{
    static const struct plx__network networks[] = {
        {.address = {.family = 4, .bytes = {127, 0, 0, 1}}, .prefix = 8},
        {.address = {.family = 6, .bytes = {[15] = 1}}, .prefix = 128},
    };
    size_t count = sizeof networks / sizeof *networks;
    for (size_t i = 0; i < count && i < size; i++) {
        list[i] = networks[i];
        list[i].interface = 1;
        list[i].is_loopback = list[i].takes_multicast = true;
    }
    return (ptrdiff_t)count;
}

void plx__interface_device(const char *name, char *ret_device, size_t size)
{
    (void)snprintf(ret_device, size, "%.*s", (int)strcspn(name, ":"), name);
}

bool plx__interface_find(const char *wanted, int family, const plx_address *peer,
                         plx_interface *ret_entry)
{
    (void)peer;
    for (size_t i = 0; i < ENTRIES; i++) {
        if ((family == 0 || family == (i == 0 ? 4 : 6)) &&
            (strcmp(wanted, "lo") == 0 || strcmp(wanted, entries[i].ip_address) == 0)) {
            *ret_entry = entries[i];
            return true;
        }
    }
    return false;
}

bool plx__interface_address(const char *wanted, int family, const plx_address *peer,
                            plx_address *ret_address)
{
    plx_interface entry;
    plx_address address;
    if (!plx__address_parse_host(wanted, strlen(wanted), &address)) {
        return plx__interface_find(wanted, family, peer, &entry) &&
               plx__address_parse_host(entry.ip_address, strlen(entry.ip_address), ret_address);
    }
    if (family != 0 && address.family != family) {
        return false;
    }
    *ret_address = address;
    return true;
}

unsigned plx__interface_index(const char *wanted)
{
    plx_interface entry;
    return plx__interface_find(wanted, 0, NULL, &entry) ? 1 : 0;
}
