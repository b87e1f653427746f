/* tests/test-interface.c -- the interfaces of this computer, beside what getifaddrs says. */
#include "config.h"

#include <check.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pollux/interface.h>

#include "lib/address.h"
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

START_TEST(null_counts)
{
    ck_assert_uint_eq(plx_interface_list(NULL, 0), count);
    ck_assert_uint_eq(plx_interface_list(NULL, 7), count);
    ck_assert_uint_eq(plx_interface_list(list, 0), count);
}
END_TEST

START_TEST(only_what_fits_is_written)
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
END_TEST

START_TEST(there_is_one_entry_for_each_interface_and_address)
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
END_TEST

/* is_mac returns whether a text is six pairs of lower-case hexadecimal digits with colons. */
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

START_TEST(every_text_is_ended_and_can_be_read_back)
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
END_TEST

START_TEST(the_loopback_is_there)
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
END_TEST

int main(void)
{
    Suite *suite = suite_create("interface");
    TCase *tests = tcase_create("interface");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, null_counts);
    tcase_add_test(tests, only_what_fits_is_written);
    tcase_add_test(tests, there_is_one_entry_for_each_interface_and_address);
    tcase_add_test(tests, every_text_is_ended_and_can_be_read_back);
    tcase_add_test(tests, the_loopback_is_there);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
