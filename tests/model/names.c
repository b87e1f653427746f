/* tests/model/names.c -- name servers of raw peers: one that answers, and one that never does. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/time.h"

#include <string.h>

enum { ANSWERING, SILENT, SERVED, QUESTION_LEAST = 17, PACKET = 600, TYPE_A = 1, TYPE_AAAA = 28 };

static struct {
    bool begun;
    int servers[SERVED];
    char where[SERVED][PEER_WHERE];
    bool answers; /* the program asks the one that answers */
} names;

void names_begin(bool again)
{
    if (names.begun && !again)
        return;
    names.begun = true;
    for (int i = 0; i < SERVED; i++)
        names.servers[i] = peer_listen(SORT_UDP, 0, names.where[i]);
}

void names_choose(int choice)
{
    names.answers = choice < 50;
    ground_set_variable("POLLUX_NAMESERVERS", names.answers ? names.where[ANSWERING]
                                              : choice < 75 ? names.where[SILENT]
                                                            : "127.0.0.1:1");
}

static const uint8_t record[16] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};

/* A name "e7.far" has one to three addresses elsewhere, which have its number. */
static size_t answer_far(uint8_t *packet, size_t end)
{
    unsigned number = 0;
    uint8_t count;

    for (size_t i = 2; i <= packet[12]; i++)
        number = number * 10 + packet[12 + i] - '0';
    count = (uint8_t)(1 + number % 3);
    packet[7] = count;
    for (uint8_t i = 0; i < count; i++, end += sizeof record) {
        memcpy(packet + end, record, sizeof record - 4);
        memcpy(packet + end + sizeof record - 4, (uint8_t[]){198, 18, i, (uint8_t)number}, 4);
    }
    return end;
}

/* The name "both.example" has ::1, too. */
static size_t answer_loopback6(uint8_t *packet, size_t end)
{
    static const uint8_t record6[28] = {0xc0, 12, 0, TYPE_AAAA, 0, 1, 0, 0, 0, 60, 0, 16, [27] = 1};

    packet[7] = 1;
    memcpy(packet + end, record6, sizeof record6);
    return end + sizeof record6;
}

static bool is_far(const uint8_t *packet)
{
    return packet[13] == 'e' && packet[12] < 6 && memcmp(packet + 13 + packet[12], "\3far", 4) == 0;
}

/* The answer is the question (RFC 1035, 4), with 127.0.0.1 for each name but those that begin with
 * "nobody", which do not exist. Returns its size. */
static size_t answer(uint8_t *packet, size_t size)
{
    size_t end = 12;
    bool nobody = memcmp(packet + 12, "\6nobody", 7) == 0;

    while (end < size && packet[end] != 0)
        end += packet[end] + 1u;
    end += 5;
    if (end > size)
        return 0;
    packet[2] = (uint8_t)(packet[2] | 0x80);
    packet[3] = nobody ? 3 : 0;
    memset(packet + 6, 0, 6);
    if (packet[end - 3] == TYPE_AAAA && memcmp(packet + 12, "\4both", 5) == 0)
        return answer_loopback6(packet, end);
    if (nobody || packet[end - 3] != TYPE_A)
        return end;
    if (is_far(packet))
        return answer_far(packet, end);
    packet[7] = 1;
    memcpy(packet + end, record, sizeof record);
    return end + sizeof record;
}

bool names_serve_one(void)
{
    uint8_t packet[PACKET + 3 * 16];
    int port;
    ptrdiff_t size = peer_receive_from(names.servers[ANSWERING], packet, PACKET, &port);
    size_t count;

    if (size <= 0)
        return false;
    count = size < QUESTION_LEAST ? 0 : answer(packet, (size_t)size);
    trace("a name server answers with %zu bytes", count);
    player.moved++;
    if (count > 0)
        peer_send_to(names.servers[ANSWERING], port, packet, count);
    return true;
}

void names_serve(void)
{
    while (names_serve_one())
        ;
}

bool names_answer(void)
{
    return names.answers;
}

/* ---- at rest --------------------------------------------------------------------------------- */

/* Whether the socket waits for a name. */
static bool waits(const struct model *model)
{
    return plx_socket_state(model->socket) == PLX_HOST_LOOKUP ||
           (model->sort == SORT_UDP && plx_udp_packets_left_to_send(model->socket) > 0);
}

/* What is lost on the way of the simulated kernel is asked for again, by the clock of the
 * program. */
bool names_are_known(void)
{
    return names.answers && (!ground_is_simulated() || time_is_real());
}

void names_expect_found(const struct model *model)
{
    if (names_are_known() && waits(model))
        fault("end %u in %s waits for a name, and the name server has answered",
              model->end == NULL ? 0 : model->end->number,
              plx_state_name(plx_socket_state(model->socket)));
}

/* ---- calls ----------------------------------------------------------------------------------- */

void call_name_server(struct turn *turn)
{
    (void)turn;
    names_serve();
}
