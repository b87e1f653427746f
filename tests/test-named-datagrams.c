/* tests/test-named-datagrams.c -- many names that datagrams are written to. */
#include "config.h"

#include <string.h>

#include "tests/asker.h"
#include "tests/netns.h"

enum { MANY = 1000 };

static void write_to_many(struct asker *asker, const char *kind, int count)
{
    for (int i = 0; i < count; i++) {
        char host[32];

        snprintf(host, sizeof host, "%s%d.test", kind, i);
        ck_assert_int_eq(plx_udp_write_to(asker->socket, host, asker->port, &i, sizeof i), 0);
    }
}

/* Takes what has arrived and notes which it was. */
static int arrived(const struct asker *asker, bool *seen)
{
    int number, count = 0;

    while (recv(asker->raw, &number, sizeof number, 0) == (ssize_t)sizeof number) {
        ck_assert_int_lt(number, MANY);
        ck_assert(!seen[number]);
        seen[number] = true;
        count++;
    }
    return count;
}

/* Each look-up has a descriptor: a thousand names must not take a thousand of them. */
MODE_CASE(a_thousand_names)
{
    struct nameserver server;
    struct asker asker;
    bool seen[MANY] = {false};
    int before, most = 0, count = 0;

    nameserver_begin(&server);
    server.ipv4 = (struct saying){.says = SAYS_ADDRESSES, .addresses = {"127.0.0.1"}};
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    before = count_descriptors();
    write_to_many(&asker, "host", MANY);
    most = count_descriptors() - before;
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), MANY);
    for (int round = 0; count < MANY; round++) {
        int descriptors;

        ck_assert_int_lt(round, 20 * ROUNDS);
        nameserver_serve(&server);
        world_poll(w);
        count += arrived(&asker, seen);
        descriptors = count_descriptors() - before;
        most = descriptors > most ? descriptors : most;
    }
    printf("# %s: %d names took %d descriptors at most\n", world_name(w), MANY, most);
    ck_assert_int_le(most, 40);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
    nameserver_end(&server);
}

/* Those that are never answered hold up those behind them only until their time is over. */
MODE_CASE(names_behind_those_that_nobody_answers)
{
    struct nameserver server;
    struct asker asker;
    bool seen[MANY] = {false};
    int count = 0;

    if (!netns_enter("name servers that do not answer"))
        return;
    netns_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    nameserver_begin_at(&server, 53);
    server.ipv4 = (struct saying){.says = SAYS_ADDRESSES, .addresses = {"127.0.0.1"}};
    server.ignored = "dead";
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    write_to_many(&asker, "dead", 40);
    write_to_many(&asker, "alive", 50);
    for (int round = 0; count < 50 || plx_udp_packets_left_to_send(asker.socket) > 0; round++) {
        ck_assert_int_lt(round, 10 * ROUNDS);
        nameserver_serve(&server);
        world_turn(w, round);
        count += arrived(&asker, seen);
    }
    ck_assert_int_eq(count, 50);
    ck_assert_int_gt(asker.log.count[EVENT_ERROR], 0);
    ck_assert_int_eq(asker.log.reason, PLX_REASON_SOCKET_TIMEOUT);
    nameserver_end(&server);
}

/* Closing ends those that are under way and those that wait for their turn alike. */
MODE_CASE(closing_with_a_thousand_names)
{
    struct nameserver server;
    struct asker asker;

    nameserver_begin(&server);
    server.ipv4.says = server.ipv6.says = SAYS_NOTHING;
    asker_prepare(w, &asker, WAY_UDP_WRITE);
    write_to_many(&asker, "host", MANY);
    world_poll(w);
    plx_socket_close(asker.socket);
    ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
    ck_assert_int_eq(plx_socket_connect(asker.socket), 0);
    world_settle(w);
    ck_assert_int_eq(asker.log.count[EVENT_ERROR], 0);
    nameserver_end(&server);
}

/* ---- a socket that has nothing else to do -------------------------------------------------------- */

enum send_by { BY_POLLS, BY_FLUSH, BY_WAIT, BY_WAIT_FOR_SENT, BY_WAIT_FOR_DATA, SEND_WAYS };

static void send_out(struct world *w, struct asker *asker, enum send_by how)
{
    switch (how) {
    case BY_FLUSH: plx_socket_flush(asker->socket); break;
    case BY_WAIT: plx_socket_wait(asker->socket, 3000); break;
    case BY_WAIT_FOR_SENT: ck_assert(plx_socket_wait_for_sent(asker->socket, 30000)); break;
    case BY_WAIT_FOR_DATA: plx_socket_wait_for_data(asker->socket, 50); break;
    default: world_poll(w); break;
    }
}

/* A name of the hosts file is found inside the call: neither a descriptor nor a moment is left that
 * would wake a socket which was polled in vain before. */
MODE_CASE(a_quiet_socket_sends_to_a_name_of_the_hosts_file)
{
    for (int how = 0; how < SEND_WAYS; how++) {
        struct asker asker;
        int number = how;

        asker_prepare(w, &asker, WAY_UDP_WRITE);
        world_settle(w);
        ck_assert_int_eq(
            plx_udp_write_to(asker.socket, "localhost", asker.port, &number, sizeof number), 0);
        send_out(w, &asker, (enum send_by)how);
        if (how == BY_FLUSH)
            ck_assert_uint_eq(plx_udp_packets_left_to_send(asker.socket), 0);
        UNTIL(w, is_readable(asker.raw));
        ck_assert_int_eq(recv(asker.raw, &number, sizeof number, 0), sizeof number);
        ck_assert_int_eq(number, how);
    }
}

/* A server answers while the program sleeps in a wait of the socket. */
MODE_CASE(waits_hear_the_name_server)
{
    static const enum send_by ways[] = {BY_WAIT_FOR_SENT, BY_WAIT};

    for (int i = 0; i < 2; i++) {
        struct nameserver server;
        struct asker asker;
        int number = i;

        nameserver_begin(&server);
        server.ipv4 = (struct saying){.says = SAYS_ADDRESSES, .addresses = {"127.0.0.1"}};
        asker_prepare(w, &asker, WAY_UDP_WRITE);
        world_settle(w);
        ck_assert_int_eq(
            plx_udp_write_to(asker.socket, "some.test", asker.port, &number, sizeof number), 0);
        /* Nothing has left before the name is known. */
        ck_assert(!plx_socket_wait_for_sent(asker.socket, 20));
        nameserver_start(&server);
        for (int k = 0; k < 100 && !is_readable(asker.raw); k++)
            send_out(w, &asker, ways[i]);
        ck_assert(is_readable(asker.raw));
        nameserver_stop(&server);
        nameserver_end(&server);
    }
}

int main(void)
{
    Suite *suite = suite_create("named-datagrams");
    TCase *tcase = tcase_create("named-datagrams");

    tcase_set_timeout(tcase, 60);
    ADD_MODE_CASE(tcase, a_thousand_names);
    ADD_MODE_CASE(tcase, a_quiet_socket_sends_to_a_name_of_the_hosts_file);
    ADD_MODE_CASE(tcase, waits_hear_the_name_server);
    ADD_MODE_CASE(tcase, names_behind_those_that_nobody_answers);
    ADD_MODE_CASE(tcase, closing_with_a_thousand_names);
    suite_add_tcase(suite, tcase);
    return world_run(suite);
}
