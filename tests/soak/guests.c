/* tests/soak/guests.c -- guests of a round: those that come and go, and those that read slowly. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/soak/soak.h"

enum { AT_ONCE = 200, SLOW = 8, SLOW_BYTES = 400000, SLOW_PIECE = 8192, SHORT = 200 };

/* How a guest goes. */
enum manner { AT_ONCE_CLOSED, AT_ONCE_ABORTED, WHILE_CONNECTING, UNREAD, POLITE, MANNERS };

enum state { GONE, HERE, LEAVES };

struct guest {
    plx_socket *socket; /* is used again, or replaced, by chance */
    enum state state;
    enum manner manner;
    bool is_tcp, is_slow;
    uint64_t number, sent, received;
};

static struct {
    const struct soak_plan *plan;
    plx_group *group;
    struct soak_report *report;
    struct guest guests[AT_ONCE + SLOW];
    size_t come; /* how many came in this round */
    uint64_t number;
} hall;

/* ---- slow readers ---------------------------------------------------------------------------- */

static void check(struct guest *guest, const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] != soak_byte(guest->number, guest->received + i))
            soak_fail("guest", "a wrong byte came back at", (long long)(guest->received + i));
    guest->received += size;
    hall.report->bytes += size;
}

/* A piece in each turn, both ways: the house has to wait with all it wants to send. */
static void read_slowly(struct guest *guest)
{
    unsigned char data[SLOW_PIECE];
    ptrdiff_t size = plx_socket_read(guest->socket, data, sizeof data);

    if (size > 0)
        check(guest, data, (size_t)size);
    while (guest->sent < SLOW_BYTES) {
        ptrdiff_t taken;

        for (size_t i = 0; i < sizeof data; i++)
            data[i] = soak_byte(guest->number, guest->sent + i);
        taken = plx_socket_write(guest->socket, data, sizeof data);
        if (taken <= 0)
            break;
        guest->sent += (uint64_t)taken;
    }
    if (guest->sent >= SLOW_BYTES && guest->received == guest->sent) {
        guest->state = LEAVES;
        plx_socket_disconnect(guest->socket);
    }
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void gone(struct guest *guest)
{
    guest->state = GONE;
}

static void greet(struct guest *guest)
{
    unsigned char data[SHORT];
    size_t size = 1 + soak_chance(SHORT);

    for (size_t i = 0; i < size; i++)
        data[i] = soak_byte(guest->number, i);
    if (plx_socket_write(guest->socket, data, size) != (ptrdiff_t)size)
        soak_fail("guest", "write", plx_socket_last_error(guest->socket));
    guest->sent = size;
}

static void act(struct guest *guest)
{
    plx_socket *socket = guest->socket;

    switch (guest->manner) {
    case AT_ONCE_CLOSED:
        plx_socket_close(socket);
        gone(guest);
        break;
    case AT_ONCE_ABORTED:
        plx_socket_abort(socket);
        gone(guest);
        break;
    case UNREAD:
        greet(guest);
        plx_socket_close(socket);
        gone(guest);
        break;
    default: greet(guest); break;
    }
}

static void on_connected(plx_socket *socket, void *user)
{
    struct guest *guest = user;

    (void)socket;
    hall.report->connections++;
    meter_enter();
    if (!guest->is_slow)
        act(guest);
    meter_leave();
}

static void on_data(plx_socket *socket, void *user)
{
    struct guest *guest = user;
    const unsigned char *data;
    size_t size;

    if (guest->is_slow)
        return;
    meter_enter();
    data = plx_socket_read_all(socket, &size);
    check(guest, data, size);
    if (guest->received == guest->sent) {
        guest->state = LEAVES;
        plx_socket_disconnect(socket);
    }
    meter_leave();
}

static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    struct guest *guest = user;

    (void)socket;
    fprintf(stderr, "soak %s: %s guest %llu, %s: %s; sent %llu, received %llu\n", soak_name,
            guest->is_slow ? "slow" : "quick", (unsigned long long)guest->number,
            guest->is_tcp ? "tcp" : "ipc", error->message, (unsigned long long)guest->sent,
            (unsigned long long)guest->received);
    exit(EXIT_FAILURE);
}

static void on_end(plx_socket *socket, void *user)
{
    (void)socket;
    gone(user);
}

static const plx_events events = {.connected = on_connected,
                                  .data_available = on_data,
                                  .error = on_error,
                                  .disconnected = on_end};

/* ---- a round --------------------------------------------------------------------------------- */

static void renew(struct guest *guest)
{
    if (guest->socket != NULL && soak_chance(2) == 0)
        return;
    plx_socket_free(guest->socket);
    guest->socket = guest->is_tcp ? plx_tcp_new() : plx_ipc_new();
    plx_socket_set_events(guest->socket, &events, guest);
    if (plx_group_add(hall.group, guest->socket) != 0)
        soak_fail("guest", "no memory", 0);
    if (guest->is_slow) {
        plx_socket_set_option(guest->socket, PLX_OPTION_READ_LIMIT, SLOW_PIECE);
        plx_socket_set_option(guest->socket, PLX_OPTION_WRITE_LIMIT, METER_QUEUE);
    }
}

static void enter(struct guest *guest)
{
    const char *where = hall.plan->where[guest->is_tcp ? SOAK_GUEST_TCP : SOAK_GUEST_IPC];

    renew(guest);
    guest->number = ++hall.number;
    guest->sent = guest->received = 0;
    guest->manner = (enum manner)soak_chance(MANNERS);
    guest->state = HERE;
    hall.come++;
    if (plx_socket_connect_to(guest->socket, where) != 0)
        soak_fail("guest", plx_socket_error(guest->socket)->message, 0);
    if (!guest->is_slow && guest->manner == WHILE_CONNECTING) {
        hall.report->connections++;
        plx_socket_disconnect(guest->socket);
        gone(guest);
    }
}

void soak_guests_begin(const struct soak_plan *plan, plx_group *group, struct soak_report *report)
{
    hall.plan = plan;
    hall.group = group;
    hall.report = report;
    hall.come = 0;
    for (int i = 0; i < AT_ONCE + SLOW; i++) {
        hall.guests[i].is_tcp = i % 2 == 0;
        hall.guests[i].is_slow = i >= AT_ONCE;
        if (hall.guests[i].is_slow) {
            enter(&hall.guests[i]);
            report->slow++;
        }
    }
}

bool soak_guests_turn(void)
{
    bool busy = hall.come < hall.plan->come;

    for (int i = 0; i < AT_ONCE + SLOW; i++) {
        struct guest *guest = &hall.guests[i];

        if (guest->state == GONE && !guest->is_slow && hall.come < hall.plan->come)
            enter(guest);
        if (guest->state == HERE && guest->is_slow && plx_socket_is_connected(guest->socket))
            read_slowly(guest);
        busy = busy || guest->state != GONE;
    }
    if (!busy)
        for (int i = 0; i < AT_ONCE + SLOW; i++)
            hall.guests[i].socket = plx_socket_free(hall.guests[i].socket);
    return busy;
}
