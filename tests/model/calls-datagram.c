/* tests/model/calls-datagram.c -- calls on datagram sockets alone. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint8_t room[1500];

/* ---- datagrams ------------------------------------------------------------------------------- */

static int port_of_someone(struct turn *turn)
{
    const struct person *person = pick_person(turn);
    const struct model *other = player.sockets[chance_of(&turn->chance, SOCKETS)];

    if (person != NULL && person->sort == SORT_UDP)
        return peer_port(person->peer);
    return other != NULL && other->sort == SORT_UDP && plx_socket_port(other->socket) > 0
               ? plx_socket_port(other->socket)
               : 9;
}

static int write_datagram(struct turn *turn, struct model *model, size_t size)
{
    static const char *const hosts[] = {"localhost", "localhost", "somebody.example",
                                        "somebody.example", "nobody.example"};
    int port = port_of_someone(turn);
    char where[PEER_WHERE];
    plx_piece pieces[MOST_PIECES];
    plx_address to;

    if (chance_in(&turn->chance, 30))
        return plx_udp_write_to(model->socket, hosts[chance_of(&turn->chance, 5)], port, room,
                                size);
    snprintf(where, sizeof where, "127.0.0.1:%d", port);
    if (plx_address_parse(where, &to) != 0)
        return 0;
    size_t count = cut_in_pieces(turn, room, size, pieces);
    return count == 0 ? plx_udp_write(model->socket, &to, room, size)
                      : plx_udp_write_pieces(model->socket, &to, pieces, count);
}

static struct model *pick_datagrams(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    return model == NULL || model->sort != SORT_UDP || model->end == NULL ? NULL : model;
}

void call_datagram(struct turn *turn)
{
    struct model *model = pick_datagrams(turn);
    size_t size = RECORD_HEAD + (size_t)chance_of(&turn->chance, 1200);
    int code;

    if (model == NULL)
        return;
    end_record(model->end, room, size);
    code = write_datagram(turn, model, size);
    trace("datagram %u of %zu: %d", model->end->records, size, code);
    if (code == 0)
        model->end->records++;
    else
        model_failed(model, "udp_write", code);
}

/* ---- many names ------------------------------------------------------------------------------ */

static bool ask_names(struct model *model, int count)
{
    char host[40];

    for (int i = 0; i < count; i++) {
        int code;

        snprintf(host, sizeof host, "many%d.example", i);
        end_record(model->end, room, RECORD_HEAD);
        code = plx_udp_write_to(model->socket, host, 9, room, RECORD_HEAD);
        if (code != 0) {
            model_failed(model, "udp_write_to", code);
            return false;
        }
        model->end->records++;
    }
    return true;
}

/* A raw peer, which lives for this call alone. */
static bool send_to_port(int port)
{
    char where[PEER_WHERE];
    int peer = peer_listen(SORT_UDP, 0, where);
    struct end *end = end_new(true);
    bool sent;

    end_record(end, room, RECORD_HEAD);
    sent = peer >= 0 && peer_send_to(peer, port, room, RECORD_HEAD) > 0;
    peer_close(peer);
    return sent;
}

static bool is_reachable(const struct model *model)
{
    return plx_socket_state(model->socket) == PLX_BOUND && model->inside == 0 &&
           model->group == NULL && plx_socket_bytes_available(model->socket) == 0 &&
           plx_udp_packets_available(model->socket) == 0 && !supply_has_refused() &&
           !player.program->starves;
}

/* A socket that waits for many names still hears what arrives, and a wait wakes up. */
void call_many_names(struct turn *turn)
{
    struct model *model = pick_datagrams(turn);
    enum { POLLS = 12 };
    int count = 1 + chance_of(&turn->chance, 50), inner = player.inner;
    bool arrives;

    if (model == NULL || polls_running() > 0 || !is_reachable(model) || !may_wait())
        return;
    trace("%d names", count);
    if (!ask_names(model, count))
        return;
    for (int i = 0; i < POLLS && model->socket != NULL; i++) /* each begins a few lookups */
        poll_socket(model);
    if (player.inner != inner || model->socket == NULL || !is_reachable(model))
        return;
    arrives = send_to_port(plx_socket_port(model->socket)) && !ground_is_simulated();
    trace("and a datagram");
    wait_on(model, WAIT_DATA, 20);
    if (arrives && player.inner == inner && plx_udp_packets_available(model->socket) == 0)
        fault("end %u waits for %d names, and is deaf", model->end->number, count);
}

/* ---- multicast ------------------------------------------------------------------------------- */

/* Which of the groups the socket has joined, as far as known. */
static const char *const groups[] = {"239.1.2.3%lo", "239.1.2.4%1", "239.1.2.5%nowhere",
                                     "127.0.0.1", "nonsense"};
enum { GOOD = 2, NO_INTERFACE = 2 };

static int wanted_code(const struct model *model, int group, bool joins)
{
    bool is_bound = plx_socket_state(model->socket) != PLX_UNCONNECTED;
    bool is_member = (model->joined & 1u << group) != 0;

    if (!is_bound || group > NO_INTERFACE)
        return PLX_INVALID_STATE;
    if (group == NO_INTERFACE)
        return ENODEV;
    return joins == is_member ? (joins ? PLX_ADDRESS_IN_USE : EADDRNOTAVAIL) : 0;
}

void call_join(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int group = chance_of(&turn->chance, (int)(sizeof groups / sizeof groups[0]));
    bool joins = chance_in(&turn->chance, 60);
    int wanted, code;

    if (model == NULL || model->sort != SORT_UDP)
        return;
    if (plx_socket_state(model->socket) == PLX_UNCONNECTED)
        model->joined = 0;
    wanted = wanted_code(model, group, joins);
    code = joins ? plx_udp_join_multicast_group(model->socket, groups[group])
                 : plx_udp_leave_multicast_group(model->socket, groups[group]);
    trace("%s of %s: %d", joins ? "join" : "leave", groups[group], code);
    if (code != wanted && !supply_has_refused() && !player.program->starves)
        fault("%s of %s returned %d in place of %d", joins ? "join" : "leave", groups[group], code,
              wanted);
    if (code == 0)
        model->joined ^= 1u << group;
    else
        model_failed(model, joins ? "join" : "leave", code);
}
