/* tests/sim/others.c -- who else lives in a run: senders of datagrams and their echo, a name
 * server, and raw peers, which call the kernel themselves and behave badly. */
#include "config.h"

#include "lib/os/errno.h"
#include "tests/sim/extra.h"
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RAW = 3, NAMES_PORT = 5353, ECHO_PORT = 7100, MOST_NUMBERS = 100000 };

static bool calm;

/* ---- the name server ------------------------------------------------------------------------- */

static plx__fd names;

static void open_names(void)
{
    struct plx__sockaddr name;
    plx_address address = {.family = 4, .port = NAMES_PORT, .bytes = {127, 0, 0, 1}};
    if (names < 0) {
        names = plx__os_socket(PLX__FAMILY_IPV4, PLX__TYPE_DATAGRAM);
        plx__sockaddr_from_address(&name, &address, PLX__FAMILY_NONE);
        if (names >= 0) {
            plx__os_bind(names, &name);
        }
    }
}

/* An answer is the question with one record more (RFC 1035, 4). Returns the size; 0: silence. */
static size_t answer(uint8_t *packet, size_t size)
{
    static const uint8_t head[10] = {0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 30};
    bool six = packet[size - 3] == 28;
    uint64_t mood = calm ? 9 : sim_chance(10);
    packet[2] |= 0x80; /* it is an answer */
    packet[3] = mood == 0 ? 2 : mood == 1 ? 3 : 0;
    if (mood == 2) {
        return 0;
    }
    if (mood < 2 || (six && sim_chance(2) == 0)) {
        return size;
    }
    packet[7] = 1;
    packet[11] = 0; /* no additional record */
    memcpy(packet + size, head, sizeof head);
    packet[size + 3] = six ? 28 : 1;
    size += sizeof head;
    packet[size++] = 0;
    packet[size++] = six ? 16 : 4;
    memset(packet + size, 0, 16);
    packet[size + (six ? 15 : 3)] = 1;
    if (!six) {
        packet[size] = 127;
        packet[size + 1] = mood == 3 ? 9 : 0; /* nobody listens there, or everybody */
    }
    return size + (six ? 16 : 4);
}

static void serve_names(void)
{
    uint8_t packet[1024];
    struct plx__sockaddr from;
    bool truncated;
    open_names();
    for (int i = 0; i < 20; i++) {
        ptrdiff_t size = plx__os_receive_from(names, packet, 512, &from, &truncated);
        if (size < 17) {
            return;
        }
        if (packet[11] != 0) {
            continue; /* none of ours */
        }
        size_t count = answer(packet, (size_t)size);
        if (count > 0) {
            plx__os_send_to(names, packet, count, &from);
        }
    }
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static plx_socket *sender, *echoer;
static plx_group *group;
static uint32_t next_number;
static uint8_t returned[MOST_NUMBERS];
static struct watched watched_sender, watched_echoer;

static void on_arrival(plx_socket *socket, void *user)
{
    plx_datagram datagram;
    watch_event(user, socket, LINE_DATA);
    while (plx_udp_read(socket, &datagram)) {
        uint32_t number;
        if (datagram.size < 8) {
            run_fault("a datagram of %d bytes", (int)datagram.size);
        }
        memcpy(&number, datagram.data, 4);
        for (size_t i = 4; i < datagram.size; i++) {
            if (((const uint8_t *)datagram.data)[i] != (uint8_t)(number + i)) {
                run_fault("datagram %u has a wrong byte", number);
            }
        }
        if (number >= next_number || datagram.size != 8 + number % 1400) {
            run_fault("datagram %u of %u has %d bytes", number, next_number, (int)datagram.size);
        }
        if (socket == echoer) {
            plx_udp_write(socket, &datagram.from, datagram.data, datagram.size);
        } else if (++returned[number] > 4) {
            run_fault("datagram %u came back five times", number);
        }
    }
    watch_handled(user);
}

static void on_udp_error(plx_socket *socket, const plx_error *error, void *user)
{
    watch_event(user, socket, LINE_CALL_ERROR);
    run_log("  datagrams: %s", error->message);
    watch_handled(user);
}

static const plx_events udp_events = {.data_available = on_arrival, .error = on_udp_error};

static plx_socket *make_udp(const char *where, struct watched *watched, const char *name)
{
    plx_socket *socket;
    snprintf(watched->name, sizeof watched->name, "%s", name);
    watched->up = true;
    while ((socket = plx_udp_new()) == NULL) {
    }
    plx_socket_set_events(socket, &udp_events, watched);
    while (plx_group_add(group, socket) != 0) {
    }
    while (plx_udp_bind(socket, where) != 0) {
    }
    return socket;
}

static void send_datagram(void)
{
    uint8_t data[1500];
    plx_address to = {.family = 4, .port = ECHO_PORT, .bytes = {127, 0, 0, 1}};
    uint32_t number = next_number;
    size_t size = 8 + number % 1400;
    if (number >= MOST_NUMBERS) {
        return;
    }
    memcpy(data, &number, 4);
    for (size_t i = 4; i < size; i++) {
        data[i] = (uint8_t)(number + i);
    }
    run_call_begins();
    int result = sim_chance(4) == 0 ? plx_udp_write_to(sender, "server.sim", ECHO_PORT, data, size)
                                    : plx_udp_write(sender, &to, data, size);
    run_call_ends("a datagram", 0);
    next_number += result == 0;
}

/* ---- raw peers ------------------------------------------------------------------------------- */

static plx__fd raw[RAW];

static void raw_connect(int index)
{
    struct plx__sockaddr name;
    plx_address address = {.family = 4, .port = 7000, .bytes = {127, 0, 0, 1}};
    bool tcp = setting.sort == RUN_TCP;
    raw[index] = plx__os_socket(tcp ? PLX__FAMILY_IPV4 : PLX__FAMILY_UNIX,
                                setting.sort == RUN_PACKET ? PLX__TYPE_PACKET : PLX__TYPE_STREAM);
    if (raw[index] < 0) {
        return;
    }
    if (tcp) {
        plx__sockaddr_from_address(&name, &address, PLX__FAMILY_NONE);
    } else {
        plx__sockaddr_from_path(&name, house_where(), strlen(house_where()));
    }
    int result = plx__os_connect(raw[index], &name);
    run_log("raw %d connects: %d", index, result);
    if (result < 0) {
        plx__os_close(raw[index]);
        raw[index] = PLX__NO_FD;
    }
}

static void raw_close(int index, bool resets)
{
    run_log("raw %d %s", index, resets ? "resets" : "closes");
    if (resets) {
        plx__os_set_reset(raw[index]);
    }
    plx__os_close(raw[index]);
    raw[index] = PLX__NO_FD;
}

static void raw_act(int index)
{
    uint8_t data[3000];
    plx__fd passed = raw[(index + 1) % RAW];
    size_t size = (size_t)sim_chance(sizeof data);
    memset(data, (int)sim_chance(256), sizeof data);
    if (raw[index] < 0) {
        raw_connect(index);
        return;
    }
    switch (sim_chance(10)) {
    case 0:
    case 1:
    case 2: plx__os_send(raw[index], data, 1 + size); break;
    case 3:
    case 4:
    case 5: plx__os_receive(raw[index], data, sizeof data); break;
    case 6: sim_send_urgent(raw[index], data, 1); break;
    case 7: plx__os_shutdown_sending(raw[index]); break;
    case 8:
        if (setting.sort != RUN_TCP && passed >= 0) {
            plx__os_send_handles(raw[index], data, 1 + size, &passed, 1);
        }
        break;
    default: raw_close(index, sim_chance(2) == 0); break;
    }
}

/* ---- together -------------------------------------------------------------------------------- */

void others_begin(void)
{
    char where[32];
    calm = false;
    names = PLX__NO_FD;
    next_number = 0;
    memset(returned, 0, sizeof returned);
    memset(&watched_sender, 0, sizeof watched_sender);
    memset(&watched_echoer, 0, sizeof watched_echoer);
    for (int i = 0; i < RAW; i++) {
        raw[i] = PLX__NO_FD;
    }
    sim_set_variable("POLLUX_NAMESERVERS", "127.0.0.1:5353");
    while ((group = plx_group_new()) == NULL) {
    }
    snprintf(where, sizeof where, "127.0.0.1:%d", ECHO_PORT);
    echoer = make_udp(where, &watched_echoer, "echo");
    sender = make_udp("127.0.0.1:0", &watched_sender, "sender");
}

void others_act(void)
{
    serve_names();
    if (sim_chance(2) == 0) {
        send_datagram();
    }
    if (!calm) {
        raw_act((int)sim_chance(RAW));
    }
}

bool others_poll(void)
{
    serve_names();
    watch_poll_begins(&watched_sender, false);
    watch_poll_begins(&watched_echoer, false);
    run_call_begins();
    bool more = plx_group_poll(group, 0);
    run_call_ends("poll of datagrams", 0);
    watch_poll_ends(&watched_sender);
    watch_poll_ends(&watched_echoer);
    return more;
}

int others_deadline(void)
{
    return plx_group_deadline(group);
}

void others_calm(void)
{
    calm = true;
    for (int i = 0; i < RAW; i++) {
        if (raw[i] >= 0) {
            raw_close(i, false);
        }
    }
}

void others_end(void)
{
    plx_socket_free(sender);
    plx_socket_free(echoer);
    plx_group_free(group);
    if (names >= 0) {
        plx__os_close(names);
    }
}
