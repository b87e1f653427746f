/* tests/model/end.c -- what an end has sent and received. */
#include "config.h"

#include "tests/model/end.h"

#include "tests/model/chance.h"
#include "tests/model/trace.h"

#include <string.h>

enum { PERIOD = 65521, LONGEST = 1 << 20, ENDS = 4096 };

static struct end ends[ENDS];
static unsigned ends_used;
static uint8_t pattern[PERIOD + LONGEST];

static void make_pattern(void)
{
    struct chance chance = {7};

    for (size_t i = 0; i < sizeof pattern; i++) {
        uint8_t byte = (uint8_t)chance_next(&chance);

        pattern[i] = i >= PERIOD ? pattern[i - PERIOD] : byte == '\r' ? '\n' : byte;
    }
}

void ends_begin(void)
{
    if (pattern[0] == pattern[1])
        make_pattern();
    ends_used = 0;
}

struct end *end_new(bool raw)
{
    struct end *end = &ends[ends_used % ENDS];

    *end = (struct end){.number = ends_used + 1, .raw = raw};
    ends_used++;
    return end;
}

/* The bytes of a sender from a place on. */
static const uint8_t *bytes_at(unsigned number, uint64_t place)
{
    return pattern + (place + number * 977u) % PERIOD;
}

static void write_number(uint8_t *data, unsigned number)
{
    for (int i = 0; i < 4; i++)
        data[i] = (uint8_t)(0x80 | (number >> (7 * i) & 0x7f));
}

static unsigned number_in(const uint8_t *data)
{
    unsigned number = 0;

    for (int i = 0; i < 4; i++)
        number |= (unsigned)(data[i] & 0x7f) << (7 * i);
    return number;
}

static void make_head(unsigned number, uint8_t head[END_HEAD])
{
    memcpy(head, "Px", 2);
    write_number(head + 2, number);
}

/* ---- sending --------------------------------------------------------------------------------- */

void end_bytes(const struct end *end, void *data, size_t size)
{
    uint8_t *to = data, head[END_HEAD];

    make_head(end->number, head);
    memcpy(to, bytes_at(end->number, end->put), size);
    for (uint64_t i = end->put; i < END_HEAD && i - end->put < size; i++)
        to[i - end->put] = head[i];
}

void end_put(struct end *end, size_t size)
{
    end->put += size;
}

void end_record(const struct end *end, void *data, size_t size)
{
    uint8_t *to = data;

    memcpy(to, "Pr", 2);
    write_number(to + 2, end->number);
    write_number(to + 6, end->records);
    write_number(to + 10, (unsigned)size);
    memcpy(to + RECORD_HEAD, bytes_at(end->number, end->records), size - RECORD_HEAD);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static struct end *end_of_number(unsigned number)
{
    return number > 0 && number <= ends_used ? &ends[(number - 1) % ENDS] : NULL;
}

static void meet(struct end *end, unsigned number)
{
    end->from = end_of_number(number);
    if (end->from == NULL || end->from == end)
        fault("end %u receives from an end %u", end->number, number);
    if (end->from != NULL && end->from->from != NULL && end->from->from != end)
        fault("end %u receives from end %u, which receives from %u", end->number, number,
              end->from->from->number);
}

/* Compares the bytes of the head; returns how many of the bytes those were. */
static size_t look_at_head(struct end *end, const uint8_t *data, size_t size, const char *how)
{
    size_t count = 0;

    for (uint64_t i = end->got; i < END_HEAD && count < size; i++, count++) {
        if (i < 2 && data[count] != "Px"[i])
            fault("%s: the stream of end %u does not begin as one (%02x at %d)", how, end->number,
                  data[count], (int)i);
        end->head[i] = data[count];
    }
    if (end->from == NULL && end->got + count >= END_HEAD && !fault_found())
        meet(end, number_in(end->head + 2));
    return count;
}

/* How many bytes are those of a sender from a place on. */
static size_t count_same(const uint8_t *data, size_t size, unsigned number, uint64_t place)
{
    size_t i = 0;

    while (i < size) {
        const uint8_t *wanted = bytes_at(number, place + i);
        size_t piece = size - i < LONGEST ? size - i : LONGEST, j = 0;

        while (j < piece && data[i + j] == wanted[j])
            j++;
        i += j;
        if (j < piece)
            break;
    }
    return i;
}

void end_look(struct end *end, const void *data, size_t size, const char *how)
{
    const uint8_t *from = data;
    size_t head = end->blind ? size : look_at_head(end, from, size, how), same;
    uint64_t place = end->got + head;

    if (size == head || end->from == NULL || end->blind)
        return;
    if (end->from->noise) {
        end->blind = true;
        return;
    }
    same = count_same(from + head, size - head, end->from->number, place);
    if (same < size - head)
        fault("%s: end %u received from end %u byte %llu as %02x", how, end->number,
              end->from->number, (unsigned long long)(place + same), from[head + same]);
    if (end->got + size > end->from->put)
        fault("%s: end %u received %llu bytes of %llu", how, end->number,
              (unsigned long long)(end->got + size), (unsigned long long)end->from->put);
}

void end_take(struct end *end, const void *data, size_t size, const char *how)
{
    end_look(end, data, size, how);
    end->got += size;
}

static void look_at_record(const struct end *end, const uint8_t *data, size_t size, bool cut)
{
    unsigned number = number_in(data + 2), record = number_in(data + 6);

    if (memcmp(data, "Pr", 2) != 0)
        fault("end %u received %02x %02x as the beginning of a record", end->number, data[0],
              data[1]);
    if (number_in(data + 10) != size && !cut)
        fault("record %u of end %u has %zu bytes, sent were %u", record, number, size,
              number_in(data + 10));
    if (memcmp(data + RECORD_HEAD, bytes_at(number, record), size - RECORD_HEAD) != 0)
        fault("record %u of end %u has other bytes", record, number);
}

void end_take_record(struct end *end, const void *data, size_t size, bool lossy, bool cut)
{
    const uint8_t *from = data;
    unsigned record;

    if (end->blind || size < RECORD_HEAD)
        return;
    look_at_record(end, from, size, cut);
    if (lossy)
        return;
    if (end->from == NULL)
        meet(end, number_in(from + 2));
    record = number_in(from + 6);
    if (record > end->next && end->from->may_drop)
        end->next = record;
    if (record != end->next || number_in(from + 2) != end->from->number)
        fault("end %u received record %u of end %u in place of record %u of %u", end->number,
              record, number_in(from + 2), end->next, end->from->number);
    end->next = record + 1;
}

void end_take_token(struct end *end, int number)
{
    int sender = number / 1000, token = number % 1000;

    if (end->blind)
        return;
    if (end->from != NULL && sender != (int)end->from->number % 1000)
        fault("end %u received a descriptor of end %d", end->number, sender);
    if (token < end->tokens_got)
        fault("end %u received descriptor %d after %d", end->number, token, end->tokens_got);
    end->tokens_got = token + 1;
}
