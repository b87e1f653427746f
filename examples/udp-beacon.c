/* udp-beacon -- programs nearby that find each other and talk: the first example of discovery.
 *
 * Try it in two terminals or on two computers: ./udp-beacon Ada, and ./udp-beacon Bob. Each prints
 * who joins, who leaves and what is said; a line that is typed is sent to all. Ctrl-D leaves. */
#include <poll.h>
#include <pollux.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print(const void *bytes, size_t size, const char *rest)
{
    for (const unsigned char *at = bytes; size > 0; at++, size--) {
        putchar(*at >= ' ' && *at <= '~' ? *at : ' '); /* others could harm the terminal */
    }
    fputs(rest, stdout);
}

static void joined(plx_discovery *beacon, const char *group, const plx_member *member, void *user)
{
    (void)beacon, (void)group, (void)user;
    print(member->about, member->about_size, member->is_self ? " is my name\n" : " joins\n");
}

static void left(plx_discovery *beacon, const char *group, const plx_member *member, void *user)
{
    (void)beacon, (void)group, (void)user;
    print(member->about, member->about_size, " leaves\n");
}

static void message(plx_discovery *beacon, const char *group, const plx_member *from,
                    int32_t command, const void *data, size_t size, void *user)
{
    (void)beacon, (void)group, (void)command, (void)user;
    print(from->about, from->about_size, ": ");
    print(data, size, "\n");
}

int main(int count, char **arguments)
{
    static const plx_discovery_events events = {joined, left, message, NULL};
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    const char *name = count > 1 ? arguments[1] : "somebody";
    char line[1000];
    plx_discovery *beacon = plx_discovery_new();
    plx_discovery_set_events(beacon, &events, NULL);
    if (plx_discovery_bind(beacon, 47788) != 0 ||
        plx_discovery_join(beacon, "udp-beacon", name, strlen(name)) != 0) {
        fprintf(stderr, "%s\n", plx_discovery_error(beacon)->message);
        plx_discovery_free(beacon);
        return 1;
    }
    /* The loop of a game would be the same: fifty frames a second. */
    for (ssize_t size = 1; size > 0; plx_discovery_poll(beacon), fflush(stdout)) {
        if (poll(&input, 1, 20) > 0 && (size = read(STDIN_FILENO, line, sizeof line)) > 0) {
            plx_discovery_send_to_group(beacon, NULL, 0, line, (size_t)size);
        }
    }
    plx_discovery_free(beacon);
}
