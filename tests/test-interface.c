/* tests/test-interface.c -- the interfaces of this computer, beside what getifaddrs says. */
#include "config.h"

#include <check.h>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pollux/interface.h>

#include "lib/base/address.h"
#include "tests/netns.h"
#include "tests/suite.h"

#define ROOM 256

static plx_interface list[ROOM];
static size_t count;

static void setup(void)
{
    memset(list, 0x55, sizeof list);
    count = plx_interface_list(list, ROOM);
    ck_assert_uint_le(count, ROOM);
}

PLAIN_CASE(null_counts)
{
    ck_assert_uint_eq(plx_interface_list(NULL, 0), count);
    ck_assert_uint_eq(plx_interface_list(NULL, 7), count);
    ck_assert_uint_eq(plx_interface_list(list, 0), count);
}

PLAIN_CASE(only_what_fits_is_written)
{
    plx_interface few[3];
    plx_interface untouched;
    memset(few, 0x55, sizeof few);
    memset(&untouched, 0x55, sizeof untouched);
    ck_assert_uint_eq(plx_interface_list(few, 1), count);
    ck_assert_mem_eq(&few[1], &untouched, sizeof untouched);
    if (count > 0) {
        ck_assert_mem_eq(&few[0], &list[0], sizeof few[0]);
    }
}

PLAIN_CASE(there_is_one_entry_for_each_interface_and_address)
{
    struct ifaddrs *all;
    ck_assert_int_eq(getifaddrs(&all), 0);
    size_t expected = 0;
    for (struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
        if (entry->ifa_addr == NULL) {
            continue;
        }
        int family = entry->ifa_addr->sa_family;
        if (family == AF_INET || family == AF_INET6) {
            ck_assert_uint_lt(expected, count);
            ck_assert_str_eq(list[expected].name, entry->ifa_name);
            ck_assert_int_eq(list[expected].is_up, (entry->ifa_flags & IFF_UP) != 0);
            expected++;
        }
    }
    freeifaddrs(all);
    ck_assert_uint_eq(count, expected);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            ck_assert(strcmp(list[i].name, list[j].name) != 0 ||
                      strcmp(list[i].ip_address, list[j].ip_address) != 0);
        }
    }
}

/* is_mac returns whether a string is six pairs of lower-case hexadecimal digits with colons. */
static bool is_mac(const char *text)
{
    for (size_t i = 0; i < 17; i++) {
        bool good = i % 3 == 2 ? text[i] == ':'
                               : text[i] != '\0' && strchr("0123456789abcdef", text[i]) != NULL;
        if (!good) {
            return false;
        }
    }
    return text[17] == '\0';
}

PLAIN_CASE(every_text_is_ended_and_can_be_read_back)
{
    for (size_t i = 0; i < count; i++) {
        plx_address address;
        plx_address mask;
        const plx_interface *one = &list[i];
        ck_assert_ptr_nonnull(memchr(one->name, '\0', sizeof one->name));
        ck_assert_str_ne(one->name, "");
        ck_assert_int_eq(plx_address_parse(one->ip_address, &address), 0);
        ck_assert_int_eq(plx_address_parse(one->subnet_mask, &mask), 0);
        ck_assert_uint_eq(address.family, mask.family);
        ck_assert_uint_eq(mask.scope, 0);
        if (address.scope != 0) {
            ck_assert_uint_eq(address.scope, if_nametoindex(one->name));
        }
        ck_assert(one->mac_address[0] == '\0' || is_mac(one->mac_address));
        ck_assert_str_ne(one->mac_address, "00:00:00:00:00:00");
        if (one->broadcast_address[0] != '\0') {
            ck_assert_uint_eq(address.family, 4);
            ck_assert_int_eq(plx_address_parse(one->broadcast_address, &address), 0);
        }
    }
}

PLAIN_CASE(the_loopback_is_there)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].ip_address, "127.0.0.1") == 0) {
            found = true;
            ck_assert(list[i].is_loopback);
            ck_assert(list[i].is_up);
            ck_assert_str_eq(list[i].subnet_mask, "255.0.0.0");
            ck_assert_str_eq(list[i].mac_address, "");
            ck_assert_str_eq(list[i].broadcast_address, "");
        }
    }
    ck_assert(found);
}

/* ---- beside what ip(8) says ------------------------------------------------------------------ */

/* Addresses of every odd sort: without a broadcast address, with another than usual, of one or two
 * computers, point-to-point, labelled, of every scope, deprecated, tentative, of devices that are
 * down, have no hardware address or a name as long as names get. */
static bool lay_odd_network(const char *what)
{
    netns_run("sysctl -qw net.ipv6.conf.default.accept_dad=0");
    if (!netns_needs(what, "ip link add v0 type veth peer name v1") ||
        !netns_needs(what, "ip link add abcdefghijklmno type bridge") ||
        !netns_needs(what, "ip tuntap add dev t0 mode tun"))
        return false;
    netns_run("for i in v0 v1 abcdefghijklmno t0; do "
              "ip link set $i addrgenmode none; ip link set $i up; done");
    netns_run("ip tuntap add dev tap0 mode tap");
    netns_run("ip -batch - <<.\n"
              "address add 10.1.0.1/24 dev v0\n"
              "address add 10.1.1.1/24 brd + dev v0\n"
              "address add 10.1.1.2/24 brd + dev v0\n"
              "address add 10.1.1.3/24 dev v0\n"
              "address add 10.1.2.1/24 brd 10.1.2.99 dev v0\n"
              "address add 10.1.3.1/24 brd - dev v0\n"
              "address add 10.1.4.1/24 brd 255.255.255.255 dev v0\n"
              "address add 10.1.5.1/32 dev v0\n"
              "address add 10.1.6.0/31 dev v0\n"
              "address add 10.1.7.1 peer 10.1.8.1/32 dev v0\n"
              "address add 10.1.9.0 peer 10.1.9.1/31 dev v0\n"
              "address add 10.1.10.1 peer 10.1.10.255/24 brd 10.1.10.254 dev v0\n"
              "address add 10.1.11.1/24 brd + dev v0 label v0:game\n"
              "address add 10.1.12.1/24 dev v0 label v0:game\n"
              "address add 10.1.13.1/24 brd + scope link dev v0\n"
              "address add 10.1.14.1/24 brd + scope host dev v0 label v0:\n"
              "address add 10.1.15.1/24 brd + dev abcdefghijklmno\n"
              "address add 10.2.0.1 peer 10.2.0.2 dev t0\n"
              "address add 10.2.1.1/24 dev t0 label t0:x\n"
              "address add 10.3.0.1/24 brd + dev tap0\n"
              "address add 10.4.0.1/8 brd + dev lo\n"
              "address add 10.5.0.1/32 dev lo label lo:a\n"
              "address add fd00:1::1 peer fd00:1::2/128 dev t0\n"
              "address add fd00:2::1/64 dev tap0\n"
              "address add fd00:3::1/10 dev v0\n"
              "address add fec0::1/64 dev v0\n"
              "address add 2001:db8::1/64 dev v0 preferred_lft 0\n"
              "address add 2001:db8::2/127 dev v0\n"
              "address add fe80::7/64 dev v0\n"
              "address add ::ffff/128 dev lo\n"
              ".\n");
    netns_run("sysctl -qw net.ipv6.conf.v1.accept_dad=1 && ip address add 2001:db8::7/64 dev v1");
    return true;
}

/* The mask of a prefix length, as a string. */
static void mask_of(int family, int length, char *ret_text)
{
    unsigned char bytes[16] = {0};

    for (int bit = 0; bit < length; bit++)
        bytes[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
    ck_assert_ptr_nonnull(inet_ntop(family, bytes, ret_text, INET6_ADDRSTRLEN));
}

/* Reads what `ip -o link` says of a device. */
static void read_device(const char *device, plx_interface *wanted)
{
    char command[100], line[1000] = "", flags[200] = "", mac[50] = "";
    FILE *output;
    const char *place;

    snprintf(command, sizeof command, "ip -o link show dev %s", device);
    output = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, output));
    pclose(output);
    ck_assert_int_eq(sscanf(line, "%*d: %*[^<]<%199[^>]>", flags), 1);
    wanted->is_loopback = strstr(flags, "LOOPBACK") != NULL;
    /* LOWER_UP is the carrier. */
    for (const char *flag = strtok(flags, ","); flag != NULL; flag = strtok(NULL, ","))
        wanted->is_up |= strcmp(flag, "UP") == 0;
    place = strstr(line, "link/ether ");
    if (place != NULL)
        sscanf(place, "link/ether %49s", mac);
    strcpy(wanted->mac_address, mac);
}

/* Reads a line of `ip -o address`:
 * "3: v0    inet 10.1.7.1 peer 10.1.8.1/32 brd … scope global v0\…" */
static void read_line(char *line, plx_interface *ret_wanted)
{
    char *words[30], *peer, mask[INET6_ADDRSTRLEN];
    char *slash;
    int many = 0, family;

    memset(ret_wanted, 0, sizeof *ret_wanted);
    *strchr(line, '\\') = '\0';
    for (char *word = strtok(line, " "); word != NULL && many < 29; word = strtok(NULL, " "))
        words[many++] = word;
    words[many] = "";
    ck_assert_int_ge(many, 6);
    family = strcmp(words[2], "inet") == 0 ? AF_INET : AF_INET6;
    /* An IPv4 address has a label, which is as a rule the device's name, and ends the line. */
    strcpy(ret_wanted->name, family == AF_INET ? words[many - 1] : words[1]);
    peer = strcmp(words[4], "peer") == 0 ? words[5] : words[3];
    slash = strchr(peer, '/');
    mask_of(family, slash == NULL ? (family == AF_INET ? 32 : 128) : atoi(slash + 1), mask);
    strcpy(ret_wanted->subnet_mask, mask);
    if ((slash = strchr(words[3], '/')) != NULL)
        *slash = '\0';
    strcpy(ret_wanted->ip_address, words[3]);
    if (strncmp(words[3], "fe80:", 5) == 0)
        snprintf(ret_wanted->ip_address, sizeof ret_wanted->ip_address, "%s%%%u", words[3],
                 if_nametoindex(words[1]));
    for (int i = 4; i + 1 < many; i++)
        if (strcmp(words[i], "brd") == 0)
            strcpy(ret_wanted->broadcast_address, words[i + 1]);
    read_device(words[1], ret_wanted);
}

static void expect_same(const plx_interface *one, const plx_interface *wanted)
{
    ck_assert_str_eq(one->name, wanted->name);
    ck_assert_msg(strcmp(one->subnet_mask, wanted->subnet_mask) == 0, "%s: mask %s and not %s",
                  one->ip_address, one->subnet_mask, wanted->subnet_mask);
    ck_assert_msg(strcmp(one->broadcast_address, wanted->broadcast_address) == 0,
                  "%s: broadcast \"%s\" and not \"%s\"", one->ip_address, one->broadcast_address,
                  wanted->broadcast_address);
    ck_assert_msg(strcmp(one->mac_address, wanted->mac_address) == 0,
                  "%s: mac \"%s\" and not \"%s\"", one->ip_address, one->mac_address,
                  wanted->mac_address);
    ck_assert_int_eq(one->is_up, wanted->is_up);
    ck_assert_int_eq(one->is_loopback, wanted->is_loopback);
}

PLAIN_CASE(every_field_is_what_ip_says)
{
    char line[1000];
    size_t lines = 0;
    FILE *output;

    if (!netns_enter("the interface list") || !lay_odd_network("the interface list"))
        return;
    setup();
    output = popen("ip -o address", "r");
    ck_assert_ptr_nonnull(output);
    for (; fgets(line, sizeof line, output) != NULL; lines++) {
        plx_interface wanted;
        size_t i = 0;

        read_line(line, &wanted);
        while (i < count && (strcmp(list[i].ip_address, wanted.ip_address) != 0))
            i++;
        ck_assert_msg(i < count, "%s is not listed", wanted.ip_address);
        expect_same(&list[i], &wanted);
    }
    pclose(output);
    ck_assert_uint_ge(lines, 30);
    ck_assert_uint_eq(count, lines);
}

SUITE_MAIN("interface", .setup = setup)
