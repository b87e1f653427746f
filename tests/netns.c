/* tests/netns.c -- a network of a test's own. See netns.h. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/netns.h"

static bool has_entered;

static bool skip(const char *what, const char *call)
{
    fprintf(stderr, "SKIP: %s: %s: %s (needs root and namespaces)\n", what, call, strerror(errno));
    return false;
}

/* The tools stand in folders that an ordinary user's PATH may lack. */
static void set_path(void)
{
    const char *before = getenv("PATH");
    char path[4096];

    snprintf(path, sizeof path, "%s:/usr/sbin:/sbin", before == NULL ? "/usr/bin:/bin" : before);
    setenv("PATH", path, 1);
}

bool netns_enter(const char *what)
{
    if (has_entered)
        return true;
    set_path();
    /* One after the other, so that nothing has changed where only the second is refused. */
    if (unshare(CLONE_NEWNS) != 0)
        return skip(what, "unshare a mount namespace");
    if (mount(NULL, "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
        return skip(what, "keep mounts private");
    if (unshare(CLONE_NEWNET) != 0)
        return skip(what, "unshare a network namespace");
    has_entered = true;
    if (!netns_try("ip link set lo up")) {
        errno = ENOENT;
        return skip(what, "run ip(8), package iproute2");
    }
    return true;
}

static int run(const char *command)
{
    fflush(NULL);
    return system(command);
}

void netns_run(const char *format, ...)
{
    char command[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    ck_assert_msg(run(command) == 0, "failed: %s", command);
}

bool netns_try(const char *format, ...)
{
    char command[2048];
    int length;
    va_list arguments;

    va_start(arguments, format);
    length = vsnprintf(command, sizeof command - 20, format, arguments);
    va_end(arguments);
    ck_assert_int_lt(length, (int)sizeof command - 20);
    strcat(command, " >/dev/null 2>&1");
    return run(command) == 0;
}

bool netns_needs(const char *what, const char *command)
{
    if (netns_try("%s", command))
        return true;
    fprintf(stderr, "SKIP: %s: this kernel refuses: %s\n", what, command);
    return false;
}

void netns_hurry(void)
{
    netns_run("ip route replace local 127.0.0.0/8 dev lo table local rto_min 5ms && "
              "ip route replace local 127.0.0.1 dev lo table local rto_min 5ms");
}

void netns_wait_up(const char *device)
{
    int rounds = 0;

    while (!netns_try("ip link show dev %s | grep -q 'state UP'", device)) {
        ck_assert_msg(rounds++ < 500, "%s does not come up", device);
        poll(NULL, 0, 5);
    }
}

void netns_wait_addresses(void)
{
    int rounds = 0;

    while (!netns_try("test $(ip -6 -o addr show | wc -l) -le "
                      "$(ip -6 route show table local type local | wc -l) && "
                      "test -z \"$(ip -6 addr show tentative)\"")) {
        ck_assert_msg(rounds++ < 500, "no way to the addresses of this network");
        poll(NULL, 0, 2);
    }
}

static int network_of_now(void)
{
    int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(network, 0);
    return network;
}

int netns_in(int network)
{
    int before = network_of_now();

    ck_assert_int_eq(setns(network, CLONE_NEWNET), 0);
    return before;
}

void netns_back(int network)
{
    ck_assert_int_eq(setns(network, CLONE_NEWNET), 0);
    close(network);
}

int netns_new(void)
{
    int home = network_of_now(), made;

    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    made = network_of_now();
    netns_back(home);
    return made;
}

int netns_beside(const char *what, const char *here)
{
    int beside = netns_new(), home = netns_in(beside);
    char command[200];

    netns_run("ip link set lo up && sysctl -qw net.ipv6.conf.default.accept_dad=0");
    ck_assert_int_eq(setns(home, CLONE_NEWNET), 0);
    netns_run("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    snprintf(command, sizeof command,
             "ip link add %s type veth peer name cable netns /proc/%d/fd/%d", here, (int)getpid(),
             beside);
    if (!netns_needs(what, command)) {
        close(home);
        close(beside);
        return -1;
    }
    netns_run("ip link set %s up", here);
    ck_assert_int_eq(setns(beside, CLONE_NEWNET), 0);
    netns_run("ip link set cable up");
    netns_wait_up("cable");
    netns_back(home);
    netns_wait_up(here);
    return beside;
}

void netns_file(const char *path, const char *text)
{
    char name[] = "/tmp/pollux-file-XXXXXX";
    int file = mkstemp(name);
    size_t size = strlen(text);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, size), (ssize_t)size);
    ck_assert_int_eq(fchmod(file, 0644), 0);
    close(file);
    ck_assert_msg(mount(name, path, "none", MS_BIND, NULL) == 0, "mount over %s: %s", path,
                  strerror(errno));
    /* The mount keeps what the name led to. */
    unlink(name);
}
