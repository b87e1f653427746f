/* tests/test-host-names.c -- what a host may be called, and where it is looked up before DNS:
 * letters beyond ASCII, numbers that are no address, the hosts file, the search list. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/poll/loop.h"
#include "lib/resolve/resolver.h"
#include "tests/asker.h"
#include "tests/clocks.h"
#include "tests/netns.h"

/* ---- texts that are no name ------------------------------------------------------------------ */

/* Expects that each of the three calls, and set_address with connect, refuses the host at once. */
static void refused(struct world *w, const char *host, const char *words)
{
    struct asker asker;

    for (int way = 0; way < WAYS; way++) {
        asker_prepare(w, &asker, (enum way)way);
        asker_ask(&asker, host);
        ck_assert_msg(asker.code == PLX_NAME_RESOLUTION, "%s: \"%s\": %d", way_name((enum way)way),
                      host, asker.code);
        ck_assert_msg(strstr(plx_socket_error(asker.socket)->message, words) != NULL, "%s: \"%s\"",
                      way_name((enum way)way), plx_socket_error(asker.socket)->message);
        ck_assert_int_eq(plx_socket_error(asker.socket)->os_error, 0);
        world_settle(w);
        ck_assert_int_eq(asker.log.count[EVENT_ERROR], 1);
        world_free(w, asker.socket);
    }
    asker_prepare(w, &asker, WAY_TCP);
    ck_assert_int_eq(plx_socket_set_address(asker.socket, host), 0);
    ck_assert_int_eq(plx_socket_set_port(asker.socket, asker.port), 0);
    ck_assert_int_eq(plx_socket_connect(asker.socket), PLX_NAME_RESOLUTION);
    ck_assert_int_eq(plx_socket_state(asker.socket), PLX_UNCONNECTED);
    world_free(w, asker.socket);
}

NAMES_CASE(numbers_that_are_no_address)
{
    static const char *const hosts[] = {"0177.0.0.1", "127.1",         "1.2.3.4.5", "0x7f.1",
                                        "4294967295", "127.0.0.0x1",   "256.1.1.1", "1.2.3.4.",
                                        "a.test.1",   "a.test.0x7F",   "0x",        "1.2.3.08",
                                        "999",        "example.com.9."};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        refused(w, hosts[i], "looks like an IPv4 address and is none");
    nameserver_serve(server);
    ck_assert_str_eq(server->names, "");
}

/* A label with digits is a name, unless it is the last and nothing else. */
MODE_CASE(names_with_numbers)
{
    static const char *const hosts[] = {
        "1.test", "4294967295.test", "127.0.0.1.test", "0x7f.0x1g", "a.1b", "x1"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct nameserver server;
        struct asker asker;

        nameserver_begin(&server);
        server.ipv4 = ADDRESSES("127.0.0.1");
        asker_begin(w, &asker, WAY_TCP, hosts[i]);
        UNTIL_ASKED(w, &server, asker_reached(&asker));
        ck_assert_ptr_nonnull(strstr(server.names, hosts[i]));
        nameserver_end(&server);
    }
}

/* What connect_to refuses by its parser must not get to a name server by another call. */
NAMES_CASE(characters_that_no_name_has)
{
    static const char *const hosts[] = {"a b.test", "a.test/x", "user@a.test", "[::1]",
                                        "::1%none", "a%b",      "a.test\n",    "\x7f.test"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct asker asker;

        asker_prepare(w, &asker, WAY_UDP_WRITE);
        asker_ask(&asker, hosts[i]);
        ck_assert_msg(asker.code == PLX_NAME_RESOLUTION, "\"%s\": %d", hosts[i], asker.code);
        world_free(w, asker.socket);
        asker_prepare(w, &asker, WAY_TCP);
        ck_assert_int_eq(plx_socket_set_address(asker.socket, hosts[i]), 0);
        ck_assert_int_eq(plx_socket_set_port(asker.socket, asker.port), 0);
        ck_assert_int_eq(plx_socket_connect(asker.socket), PLX_NAME_RESOLUTION);
        world_free(w, asker.socket);
    }
    nameserver_serve(server);
    ck_assert_str_eq(server->names, "");
}

/* ---- letters beyond ASCII -------------------------------------------------------------------- */

#ifdef HAVE_LIBIDN2

static void asks_for(struct world *w, const char *host, const char *name)
{
    struct nameserver server;

    nameserver_begin(&server);
    server.ipv4 = ADDRESSES("127.0.0.1");
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        server.names[0] = '\0';
        asker_begin(w, &asker, (enum way)way, host);
        UNTIL_ASKED(w, &server, asker_reached(&asker));
        ck_assert_msg(strncmp(server.names, name, strlen(name)) == 0, "%s: asked for %s", host,
                      server.names);
    }
    nameserver_end(&server);
}

MODE_CASE(letters_beyond_ascii)
{
    asks_for(w,
             "b\xc3\xbc"
             "cher.test",
             "xn--bcher-kva.test ");
    /* Capitals, and letters put together of two, are the same (TR46 mappings, NFC). */
    asks_for(w,
             "B\xc3\x9c"
             "CHER.test",
             "xn--bcher-kva.test ");
    asks_for(w,
             "bu\xcc\x88"
             "cher.test",
             "xn--bcher-kva.test ");
    /* Non-transitional: a sharp s stays one. */
    asks_for(w, "fa\xc3\x9f.test", "xn--fa-hia.test ");
}

MODE_CASE(letters_that_make_no_name)
{
    refused(w, "\xff\xfe.test", "no host name may have"); /* not UTF-8 */
    refused(w,
            "a\xe2\x80\xa8"
            "b.test",
            "no host name may have");                                      /* a line separator */
    refused(w, "\xef\xbc\x91.\xef\xbc\x92", "looks like an IPv4 address"); /* wide digits: 1.2 */
}

MODE_CASE(letters_in_the_hosts_file)
{
    if (!netns_enter("a hosts file with letters beyond ASCII"))
        return;
    netns_file("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 xn--bcher-kva.lan\n");
    nameserver_is_needed("a hosts file with letters beyond ASCII");
    setenv("POLLUX_NAMESERVERS", "192.0.2.1", 1);
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        asker_begin(w, &asker, (enum way)way,
                    "b\xc3\xbc"
                    "cher.lan");
        UNTIL(w, asker_reached(&asker));
    }
}

#else

MODE_CASE(letters_beyond_ascii)
{
    refused(w,
            "b\xc3\xbc"
            "cher.test",
            "built without libidn2");
}

#endif

/* ---- the hosts file -------------------------------------------------------------------------- */

/* What the resolver finds by itself, in the file's order, as "127.0.0.1 ::1 "; "-": not listed. */
static const char *listed(const char *host, int family)
{
    static char text[1024];
    struct plx__query query = {.family = family};

    text[0] = '\0';
    plx__hosts_find(&query, host);
    for (size_t i = 0; i < query.count; i++) {
        char one[80];

        plx_address_format(&query.addresses[i], one, sizeof one);
        one[strlen(one) - 2] = '\0'; /* port 0 */
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", one);
    }
    return query.count == 0 ? "-" : text;
}

#define LISTED(host, wanted) ck_assert_str_eq(listed((host), 0), (wanted))

PLAIN_CASE(the_hosts_file)
{
    if (!netns_enter("a hosts file"))
        return;
    netns_file("/etc/hosts", "# 10.0.0.1 comment.lan\n"
                             "10.0.0.2\tTabs.lan\talias.lan  third.lan# 10.0.0.3 no.lan\r\n"
                             "::1 two.lan\n"
                             "  10.0.0.4 two.lan # two.lan is above as well\n"
                             "10.0.0.5 two.lan 10.0.0.6\n"
                             "10.0.0.4 two.lan\n"
                             "not-an-address bad.lan\n"
                             "fe80::1%lo scoped.lan\n"
                             "10.0.0.7 crlf.lan\r\n"
                             "10.0.0.8 x.two.lan two.lan.x xtwo.lan two.lanx\n"
                             "10.0.0.10 #\n"
                             "10.0.0.11 half#behind\n"
                             "\n"
                             "10.0.0.9 last.lan");
    LISTED("comment.lan", "-");
    LISTED("no.lan", "-");
    LISTED("tabs.lan", "10.0.0.2 ");
    LISTED("TABS.LAN", "10.0.0.2 ");
    LISTED("alias.lan", "10.0.0.2 ");
    LISTED("third.lan", "10.0.0.2 ");
    LISTED("two.lan", "[::1] 10.0.0.4 10.0.0.5 ");
    LISTED("bad.lan", "-");
    LISTED("scoped.lan", "[fe80::1%1] ");
    LISTED("crlf.lan", "10.0.0.7 ");
    LISTED("last.lan", "10.0.0.9 ");
    LISTED("10.0.0.6", "10.0.0.5 ");
    LISTED("10.0.0.9", "-"); /* an address is no name */
    LISTED("nowhere.lan", "-");
    LISTED("#", "-"); /* no name, but what ends one */
    LISTED("half#behind", "-");
    LISTED("half", "10.0.0.11 ");
    LISTED("two.lan #", "-");
    LISTED("two.lan 10.0.0.6", "-");
    ck_assert_str_eq(listed("two.lan", 4), "10.0.0.4 10.0.0.5 ");
    ck_assert_str_eq(listed("two.lan", 6), "[::1] ");
}

/* Lines of 1 to 100 000 bytes, names at the ends of blocks, and no file at all. */
PLAIN_CASE(hosts_files_of_all_shapes)
{
    enum { SIZE = 300000 };
    char *text = malloc(SIZE + 100);

    if (!netns_enter("hosts files"))
        return;
    for (size_t pad = 32768 - 20; pad < 32768 + 20; pad++) { /* a name that begins or ends there */
        memset(text, '\n', pad);
        strcpy(text + pad, "10.0.0.1 edge.lan\n10.0.0.2 next.lan\n");
        netns_file("/etc/hosts", text);
        LISTED("edge.lan", "10.0.0.1 ");
        LISTED("next.lan", "10.0.0.2 ");
        netns_run("umount /etc/hosts");
    }
    strcpy(text, "10.0.0.1");
    for (size_t at = 8, i = 0; at < 100000; i++)
        at += (size_t)sprintf(text + at, " alias%zu.lan", i);
    strcat(text, " end.lan # comment.lan\n10.0.0.2 behind.lan\n");
    netns_file("/etc/hosts", text);
    LISTED("alias0.lan", "10.0.0.1 ");
    LISTED("alias2500.lan", "10.0.0.1 ");
    LISTED("alias5000.lan", "10.0.0.1 ");
    LISTED("end.lan", "10.0.0.1 ");
    LISTED("comment.lan", "-");
    LISTED("behind.lan", "10.0.0.2 ");
    netns_run("umount /etc/hosts");
    memset(text, 'x', SIZE);
    strcpy(text, "# ");
    text[2] = 'x';
    strcpy(text + SIZE - 50, " 10.0.0.1 hidden.lan\n10.0.0.2 seen.lan\n");
    netns_file("/etc/hosts", text);
    LISTED("hidden.lan", "-");
    LISTED("seen.lan", "10.0.0.2 ");
    netns_run("umount /etc/hosts");
    netns_file("/etc/hosts", "");
    LISTED("seen.lan", "-");
    free(text);
}

static void write_long_file(const char *path, const char *first, time_t age)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "127.0.0.1 localhost\n%s", first);
    for (int i = 0; i < 170000; i++)
        fprintf(file, "0.0.0.0 advert%d.tracker.example\n", i);
    fprintf(file, "10.0.0.3 end.lan\n");
    fclose(file);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A name that the file lacks, in microseconds of the processor. */
static long long cost_of_unlisted(void)
{
    long long before = thread_us();

    LISTED("elsewhere.lan", "-");
    return thread_us() - before;
}

/* The file of an advertisement blocker: what was measured before was 13 ms for each lookup. */
PLAIN_CASE(a_hosts_file_of_170000_lines)
{
    char path[] = "/tmp/pollux-hosts-XXXXXX";
    int descriptor = mkstemp(path);
    long long first, second, listed_one;

    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    if (!netns_enter("a hosts file of 170000 lines"))
        return;
    write_long_file(path, "10.0.0.1 game.lan\n", 100);
    netns_run("mount --bind %s /etc/hosts", path);
    sleep(3); /* its change time cannot be set, and one of just now is not trusted */
    first = thread_us();
    LISTED("nowhere.lan", "-");
    first = thread_us() - first;
    second = cost_of_unlisted();
    listed_one = thread_us();
    LISTED("end.lan", "10.0.0.3 ");
    listed_one = thread_us() - listed_one;
    printf(
        "# 170 000 lines: first lookup %lld us, later ones %lld us, one that is listed %lld us\n",
        first, second, listed_one);
    LISTED("game.lan", "10.0.0.1 ");
    LISTED("GAME.lan", "10.0.0.1 ");
    LISTED("advert99999.tracker.example", "0.0.0.0 ");
    LISTED("new.lan", "-");
    if (!under_valgrind())
        EXPECT_BELOW(2000, cost_of_unlisted());
    /* A change is seen at once, also one that leaves the size. */
    write_long_file(path, "10.0.0.1 chat.lan\n", 100);
    LISTED("chat.lan", "10.0.0.1 ");
    LISTED("game.lan", "-");
    write_long_file(path, "10.0.0.2 chat.lan\n", 100);
    LISTED("chat.lan", "10.0.0.2 ");
    netns_run("umount /etc/hosts");
    unlink(path);
}

MODE_CASE(a_listed_name_asks_nobody)
{
    struct nameserver server;

    if (!netns_enter("names of the hosts file"))
        return;
    netns_file("/etc/hosts", "127.0.0.1 shed shed.lan\n");
    nameserver_begin(&server);
    nameserver_says(&server, SAYS_NOTHING);
    for (int way = 0; way < WAYS; way++) {
        struct asker asker;

        asker_begin(w, &asker, (enum way)way, way == WAY_TCP ? "Shed" : "shed.lan");
        UNTIL(w, asker_reached(&asker));
        /* "localhost" is not in this file, and name servers are not asked for it (RFC 6761,
         * 6.3). */
        asker_begin(w, &asker, (enum way)way, "localhost");
        UNTIL(w, asker_reached(&asker));
        asker_begin(w, &asker, (enum way)way, "my.localhost");
        UNTIL(w, asker_reached(&asker));
    }
    nameserver_serve(&server);
    ck_assert_str_eq(server.names, "");
    nameserver_end(&server);
}

/* A device is no list of hosts, and is not read: the name server is asked. */
MODE_CASE(a_hosts_file_that_is_none)
{
    struct nameserver server;
    struct asker asker;

    if (!netns_enter("a hosts file that is none"))
        return;
    netns_run("mount --bind /dev/zero /etc/hosts");
    nameserver_begin(&server);
    server.ipv4 = ADDRESSES("127.0.0.1");
    asker_begin(w, &asker, WAY_TCP, "a.test");
    UNTIL_ASKED(w, &server, asker_reached(&asker));
    nameserver_end(&server);
}

/* ---- resolv.conf ----------------------------------------------------------------------------- */

/* Looks `host` up while resolv.conf has that line, and compares what was asked for. */
static void searches(struct world *w, const char *line, const char *host, const char *unknown,
                     const char *asked)
{
    char text[200];
    struct nameserver server;
    struct asker asker;

    snprintf(text, sizeof text, "nameserver 127.0.0.1\n%s\n", line);
    netns_file("/etc/resolv.conf", text);
    nameserver_begin_at(&server, 53);
    server.ipv4 = ADDRESSES("127.0.0.1");
    server.unknown = unknown;
    asker_prepare(w, &asker, WAY_TCP);
    ck_assert_int_eq(plx_socket_set_option(asker.socket, PLX_OPTION_PROTOCOL, 0), 0);
    asker_ask(&asker, host);
    UNTIL_ASKED(w, &server, asker_failed(&asker) || asker_reached(&asker));
    ck_assert_msg(!asker_failed(&asker), "\"%s\": %s", line, asker.log.message);
    ck_assert_msg(strcmp(server.names, asked) == 0, "\"%s\": asked for %s", line, server.names);
    world_free(w, asker.socket);
    nameserver_end(&server);
    netns_run("umount /etc/resolv.conf");
}

MODE_CASE(the_search_list)
{
    nameserver_is_needed("search lists");
    if (!netns_enter("search lists"))
        return;
    netns_file("/etc/hosts", "127.0.0.1 localhost\n");
    searches(w, "", "shed.lan", NULL, "shed.lan ");
    searches(w, "search .", "shed", NULL, "shed ");
    searches(w, "search .", "shed.lan", NULL, "shed.lan ");
    searches(w, "search lan", "shed", NULL, "shed.lan ");
    searches(w, "search one.lan two.lan", "shed", "one", "shed.one.lan shed.two.lan ");
    searches(w, "search . lan", "shed", NULL, "shed.lan ");
    searches(w, "search . lan", "shed", "lan", "shed.lan shed ");
    searches(w, "search one.lan . two.lan", "shed", "lan", "shed.one.lan shed.two.lan shed ");
    searches(w, "search .\nsearch lan", "shed", NULL, "shed.lan ");
    searches(w, "domain .", "shed", NULL, "shed ");
    searches(w, "search lan\noptions ndots:2", "shed.old", NULL, "shed.old.lan ");
    searches(w, "search lan", "shed.", NULL, "shed ");
}

WORLD_MAIN("host-names")
