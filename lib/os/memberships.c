/* lib/os/memberships.c -- which interfaces of this computer receive a multicast group.
 *
 * A socket that has joined on an interface keeps that membership when the kernel destroys the
 * interface, or what the interface has of IPv6 (an MTU below 1280), and joining again fails with
 * EADDRINUSE when an interface returns with the same index. So only the lists of the interfaces
 * themselves show whether anything arrives: /proc/net/igmp and /proc/net/igmp6 (proc(5)). */
#include "config.h"

#include "lib/os/os.h"
#include "lib/os/posix.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* An interface has a line that begins with its index, and below it one for each group, whose four
 * bytes stand there as one number of the processor. */
static bool has_group4(const char *line, const plx_address *group, unsigned *interface)
{
    unsigned number;
    if (isdigit((unsigned char)line[0])) {
        *interface = 0;
        (void)sscanf(line, "%u", interface);
        return false;
    }
    return sscanf(line, " %8x", &number) == 1 && memcmp(&number, group->bytes, 4) == 0;
}

/* Each line has an index, a name and a group of 32 digits. */
static bool has_group6(const char *line, const plx_address *group, unsigned *interface)
{
    char wanted[2 * sizeof group->bytes + 1], text[sizeof wanted];
    for (size_t i = 0; i < sizeof group->bytes; i++) {
        snprintf(wanted + 2 * i, 3, "%02x", group->bytes[i]);
    }
    return sscanf(line, "%u %*s %32s", interface, text) == 2 && strcmp(text, wanted) == 0;
}

int plx__os_memberships(const plx_address *group, void (*visit)(uint32_t interface, void *user),
                        void *user)
{
    FILE *file = fopen(group->family == 4 ? "/proc/net/igmp" : "/proc/net/igmp6", "re");
    char line[256];
    unsigned interface = 0;
    if (file == NULL) {
        return -errno;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (group->family == 4 ? has_group4(line, group, &interface)
                               : has_group6(line, group, &interface)) {
            visit(interface, user);
        }
    }
    fclose(file);
    return 0;
}
