/* tests/test-sockaddr.c -- socket addresses and sockets as lib/os shows them to what stands above
 * it. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <pollux/address.h>

#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "tests/suite.h"

/* A family that is none of ours: netlink(7), or what other kernels have in its place. */
#ifdef AF_NETLINK
#define FOREIGN AF_NETLINK
#else
#define FOREIGN AF_ROUTE
#endif

static struct plx__sockaddr name_of(const char *text, enum plx__family family)
{
    struct plx__sockaddr name;
    plx_address address;

    ck_assert_int_eq(plx_address_parse(text, &address), 0);
    plx__sockaddr_from_address(&name, &address, family);
    return name;
}

PLAIN_CASE(the_families_of_the_internet_have_the_numbers_of_addresses)
{
    struct plx__sockaddr ipv4 = name_of("192.0.2.1:80", PLX__FAMILY_NONE);
    struct plx__sockaddr ipv6 = name_of("[2001:db8::1]:80", PLX__FAMILY_NONE);
    struct plx__sockaddr mapped = name_of("192.0.2.1:80", PLX__FAMILY_IPV6);
    plx_address address;

    ck_assert_int_eq(plx__sockaddr_family(&ipv4), 4);
    ck_assert_int_eq(plx__sockaddr_family(&ipv6), 6);
    ck_assert_int_eq(plx__sockaddr_family(&mapped), 6);
    ck_assert(plx__sockaddr_to_address(&mapped, &address));
    ck_assert_int_eq(address.family, 4);
    ck_assert_int_eq(address.port, 80);
}

PLAIN_CASE(paths_and_abstract_names_are_of_one_family)
{
    struct plx__sockaddr name;
    char text[PLX__OS_SOCKADDR_TEXT_SIZE];

    ck_assert_int_eq(plx__sockaddr_from_path(&name, "/tmp/x", 6), 0);
    ck_assert_int_eq(plx__sockaddr_family(&name), PLX__FAMILY_UNIX);
    ck_assert(plx__sockaddr_to_path(&name, text, sizeof text));
    ck_assert_str_eq(text, "/tmp/x");
    ck_assert_int_eq(plx__sockaddr_from_path(&name, "@x", 2), 0);
    ck_assert_int_eq(plx__sockaddr_family(&name), PLX__FAMILY_UNIX);
    ck_assert(plx__sockaddr_to_path(&name, text, sizeof text));
    ck_assert_str_eq(text, "@x");
}

PLAIN_CASE(a_zeroed_one_is_none_and_another_family_is_not)
{
    struct plx__sockaddr name = {0};
    struct sockaddr other = {.sa_family = FOREIGN};
    plx_address address;

    ck_assert_int_eq(plx__sockaddr_family(&name), PLX__FAMILY_NONE);
    ck_assert(plx__sockaddr_from_native(&name, &other, sizeof other));
    ck_assert_int_eq(plx__sockaddr_family(&name), PLX__FAMILY_OTHER);
    ck_assert(!plx__sockaddr_to_address(&name, &address));
}

PLAIN_CASE(only_what_fits_is_copied_from_the_kernels_form)
{
    static const char large[PLX__OS_SOCKADDR_SIZE + 1];
    struct plx__sockaddr name;
    struct sockaddr_in native = {.sin_family = AF_INET};
    char place[4] = "...";

    ck_assert(!plx__sockaddr_from_native(&name, large, sizeof large));
    ck_assert_int_eq(plx__sockaddr_family(&name), PLX__FAMILY_NONE);
    ck_assert(plx__sockaddr_from_native(&name, &native, sizeof native));
    ck_assert_uint_eq(plx__sockaddr_to_native(&name, place, 2), 2);
    ck_assert_int_eq(place[2], '.');
    ck_assert_int_eq(memcmp(place, &native, 2), 0);
}

PLAIN_CASE(equal_are_address_port_and_scope)
{
    static const char *const texts[] = {"192.0.2.1:80",   "192.0.2.2:80",   "192.0.2.1:81",
                                        "[fe80::1%2]:80", "[fe80::1%3]:80", "[fe80::2%2]:80"};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    struct plx__sockaddr none = {0};

    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            struct plx__sockaddr a = name_of(texts[i], PLX__FAMILY_NONE);
            struct plx__sockaddr b = name_of(texts[j], PLX__FAMILY_NONE);
            ck_assert_msg(plx__sockaddr_equal(&a, &b) == (i == j), "%s %s", texts[i], texts[j]);
        }
    }
    ck_assert(!plx__sockaddr_equal(&none, &none));
}

static struct plx__os_socket_facts facts_of(int family, int type)
{
    struct plx__os_socket_facts facts = {.family = PLX__FAMILY_NONE};
    int descriptor = socket(family, type, 0);

    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(plx__os_inspect(descriptor, &facts), 0);
    close(descriptor);
    return facts;
}

PLAIN_CASE(what_another_has_opened_is_known_by_family_and_type)
{
    struct plx__os_socket_facts facts = facts_of(AF_INET, SOCK_STREAM);

    ck_assert_int_eq(facts.family, PLX__FAMILY_IPV4);
    ck_assert_int_eq(facts.type, PLX__TYPE_STREAM);
    ck_assert(!facts.bound && !facts.listening && !facts.connected);
    facts = facts_of(AF_UNIX, SOCK_SEQPACKET);
    ck_assert_int_eq(facts.family, PLX__FAMILY_UNIX);
    ck_assert_int_eq(facts.type, PLX__TYPE_PACKET);
    facts = facts_of(FOREIGN, SOCK_RAW);
    ck_assert_int_eq(facts.family, PLX__FAMILY_OTHER);
    ck_assert_int_eq(facts.type, PLX__TYPE_OTHER);
}

PLAIN_CASE(full_is_a_matter_of_time)
{
    ck_assert(plx__errno_is_full(-EAGAIN) && plx__errno_is_full(-ENOBUFS));
    ck_assert(!plx__errno_is_full(-EPIPE) && !plx__errno_is_full(-ENOMEM));
    ck_assert(!plx__errno_is_full(0) && !plx__errno_is_full(EAGAIN));
}

PLAIN_CASE(readiness_is_asked_of_several_at_once)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct plx__os_ready entries[] = {
        {.descriptor = pair[0], .wanted = PLX__OS_READABLE},
        {.descriptor = pair[1], .wanted = PLX__OS_READABLE | PLX__OS_WRITABLE}};
    ck_assert_int_eq(plx__os_poll(entries, 2, 0), 1);
    ck_assert_int_eq(entries[0].found, 0);
    ck_assert_int_eq(entries[1].found, PLX__OS_WRITABLE);
    close(pair[1]);
    ck_assert_int_eq(plx__os_poll(entries, 1, 0), 1);
    ck_assert(entries[0].found & PLX__OS_READABLE);
    ck_assert(entries[0].found & PLX__OS_FAILED);
    close(pair[0]);
    ck_assert_int_eq(plx__os_poll(entries, 1, 0), 1);
    ck_assert(entries[0].found & PLX__OS_FAILED);
}

SUITE_MAIN("sockaddr")
