/* tests/model/people-command.c -- commands of raw peers. */
#include "config.h"

#include "tests/model/commands.h"
#include "tests/model/player.h"

#include <errno.h>

static void put_number(uint8_t *data, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        data[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* The length, except of packets, and the number before the data. */
size_t person_write_command(struct person *person, uint8_t *data)
{
    struct end *end = person->end;
    size_t size = end_command_size(end->number, end->records), head = 4;

    if (person->sort != SORT_SEQPACKET) {
        put_number(data, (uint32_t)(size + (person->flavour == FLAVOUR_COMMANDS ? 4 : 0)));
        head = 8;
    }
    put_number(data + head - 4, (uint32_t)end_command(end->number, end->records));
    if (size > 0)
        end_record(end, data + head, size);
    trace("end %u sends command %u of %zu", end->number, end->records, size);
    return head + size;
}

static int32_t command_in(const uint8_t *data)
{
    return (int32_t)((uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
                     data[3]);
}

size_t person_hear_command(struct person *person, const uint8_t *data, size_t size)
{
    size_t whole;

    if (size < COMMAND_LEAST)
        return 0;
    whole = 4 + (size_t)command_in(data) + (person->flavour == FLAVOUR_DATA_LENGTH ? 4 : 0);
    if (whole < COMMAND_LEAST || whole > 2 * (size_t)OUTBOX)
        fault("end %u received a command of %zu bytes", person->end->number, whole);
    if (size < whole || fault_found())
        return 0;
    end_take_command(person->end, command_in(data + 4), data + 8, whole - 8, false);
    return whole;
}

void person_hear_packet(struct person *person, const uint8_t *data, size_t size)
{
    end_take_command(person->end, size < 4 ? -1 : command_in(data), data + 4,
                     size < 4 ? 0 : size - 4, false);
}

/* Nothing follows what is no command. */
void person_spoil(struct person *person, int way)
{
    static const uint8_t negative[] = {0, 0, 0, 5, 0xff, 0xff, 0xff, 0xfe, 'x'};
    static const uint8_t brief[] = {0, 0, 0, 3, 'x', 'x', 'x'};
    static const uint8_t endless[] = {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1};
    bool is_packet = person->sort == SORT_SEQPACKET;
    const uint8_t *data = way < 3 ? negative : way < 5 ? brief : endless;
    size_t size = way < 3 ? sizeof negative : way < 5 ? sizeof brief : sizeof endless;
    ptrdiff_t count;

    if ((way >= 3 && way < 5 && person->flavour == FLAVOUR_DATA_LENGTH && !is_packet) ||
        (way >= 5 && is_packet))
        return;
    count = peer_send(person->peer, data + (is_packet ? 4 : 0), size - (is_packet ? 4 : 0));
    trace("end %u sends what is no command: %td", person->end->number, count);
    person->ended = true;
    if (count < 0)
        person_fail(person, count);
    else if (count == (ptrdiff_t)size - (is_packet ? 4 : 0))
        person->end->spoilt = way < 5 ? EPROTO : EMSGSIZE;
    else
        person->end->partly = true;
}
