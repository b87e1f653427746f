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

/* ---- what several ends send ------------------------------------------------------------------ */

/* Far from the numbers of ends. */
static const uint8_t *hymn_at(const struct hymn *hymn, uint64_t place)
{
    return bytes_at(100000 + hymn->number, place);
}

void end_hymn(unsigned number, void *data, size_t size, bool is_record)
{
    struct hymn hymn = {.number = number};
    uint8_t *to = data;

    memcpy(to, hymn_at(&hymn, 0), size);
    if (!is_record)
        return;
    memcpy(to, "Ph", 2);
    write_number(to + 2, number);
    write_number(to + 6, 0);
    write_number(to + 10, (unsigned)size);
}

/* The head of a stream, and what is more than can be remembered, is checked no more. */
void end_sing(struct end *end, unsigned number, size_t size, bool is_record)
{
    if ((!is_record && end->put < END_HEAD) || end->hymn_count == HYMNS)
        end->noise = true;
    else
        end->hymns[end->hymn_count++] =
            (struct hymn){number, is_record ? end->records : end->put, size};
    if (is_record)
        end->records++;
    else
        end->put += size;
}

/* The bytes that an end has sent from a place on, and how many are in a row. */
static const uint8_t *sent_at(const struct end *end, uint64_t place, size_t *ret_size)
{
    *ret_size = LONGEST;
    for (int i = 0; i < end->hymn_count; i++) {
        const struct hymn *hymn = &end->hymns[i];

        if (place >= hymn->place && place < hymn->place + hymn->size) {
            *ret_size = (size_t)(hymn->place + hymn->size - place);
            return hymn_at(hymn, place - hymn->place);
        }
        if (place < hymn->place && hymn->place - place < *ret_size)
            *ret_size = (size_t)(hymn->place - place);
    }
    return bytes_at(end->number, place);
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
static size_t count_same(const uint8_t *data, size_t size, const struct end *from, uint64_t place)
{
    size_t i = 0;

    while (i < size) {
        size_t most, j = 0;
        const uint8_t *wanted = sent_at(from, place + i, &most);
        size_t piece = size - i < most ? size - i : most;

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
    same = count_same(from + head, size - head, end->from, place);
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

/* A record that other ends have sent, too, has its place among those of this one. */
static void take_hymn(struct end *end, const uint8_t *data, size_t size)
{
    const struct hymn *hymn = NULL;
    unsigned number = number_in(data + 2);

    if (end->from == NULL || end->from->noise || end->from->may_drop) {
        end->blind = true;
        return;
    }
    for (int i = 0; i < end->from->hymn_count; i++)
        if (end->from->hymns[i].place == end->next)
            hymn = &end->from->hymns[i];
    if (hymn == NULL || hymn->number != number || hymn->size != size)
        fault("end %u received what all were to receive, number %u, in place of record %u",
              end->number, number, end->next);
    else if (memcmp(data + RECORD_HEAD, hymn_at(hymn, RECORD_HEAD), size - RECORD_HEAD) != 0)
        fault("end %u received other bytes than all", end->number);
    end->next++;
}

void end_take_record(struct end *end, const void *data, size_t size, bool lossy, bool cut)
{
    const uint8_t *from = data;
    unsigned record;

    if (end->blind || size < RECORD_HEAD)
        return;
    if (memcmp(from, "Ph", 2) == 0) {
        take_hymn(end, from, size);
        return;
    }
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

/* ---- commands -------------------------------------------------------------------------------- */

int32_t end_command(unsigned number, unsigned record)
{
    static const int32_t commands[] = {0, 1, 2, INT32_MAX};

    return commands[(number + record * 7 + record / 4) % 4];
}

/* The first one is never empty, because it names the sender. */
size_t end_command_size(unsigned number, unsigned record)
{
    static const int most[] = {1, 10, 10, 10, 20, 20, 100, 300};
    struct chance chance = chance_for(number, 11, (int)record);

    if (record > 0 && chance_in(&chance, 10))
        return 0;
    if (chance_in(&chance, 3))
        return RECORD_HEAD + (size_t)chance_of(&chance, 40000);
    return RECORD_HEAD + (size_t)chance_of(&chance, most[chance_of(&chance, 8)]);
}

static bool is_ahead(const struct end *end, unsigned place)
{
    return (end->ahead[place % AHEAD / 8] >> (place % 8) & 1) != 0;
}

unsigned end_next_command(const struct end *end)
{
    return end->next;
}

/* Marks a command as taken, and goes on to the first one that is not. */
static void take_place(struct end *end, unsigned place)
{
    if (place - end->next >= AHEAD) {
        end->blind = true;
        return;
    }
    end->ahead[place % AHEAD / 8] |= (uint8_t)(1 << place % 8);
    for (; is_ahead(end, end->next); end->next++)
        end->ahead[end->next % AHEAD / 8] &= (uint8_t) ~(1 << end->next % 8);
}

/* The oldest one; of its number, if it is awaited. */
static unsigned place_of(const struct end *end, int32_t command, bool awaited)
{
    unsigned place = end->next, most = end->next + AHEAD;

    while (place < most &&
           (is_ahead(end, place) || (awaited && end_command(end->from->number, place) != command)))
        place++;
    return place;
}

void end_take_command(struct end *end, int32_t command, const void *data, size_t size, bool awaited)
{
    unsigned place, number;

    if (end->blind)
        return;
    if (end->from == NULL && size >= RECORD_HEAD)
        meet(end, number_in((const uint8_t *)data + 2));
    if (end->from == NULL || end->from->noise) {
        end->blind = true;
        return;
    }
    number = end->from->number;
    place = place_of(end, command, awaited);
    if (end->from->may_drop && size >= RECORD_HEAD)
        place = end->next = number_in((const uint8_t *)data + 6);
    else if (end->from->may_drop)
        return;
    if (command != end_command(number, place) || size != end_command_size(number, place) ||
        place >= end->from->records)
        fault("end %u received command %ld of %zu bytes in place of %ld of %zu, number %u of %u",
              end->number, (long)command, size, (long)end_command(number, place),
              end_command_size(number, place), place, end->from->records);
    if (size >= RECORD_HEAD)
        look_at_record(end, data, size, false);
    if (size >= RECORD_HEAD && number_in((const uint8_t *)data + 6) != place)
        fault("end %u received command %u in place of %u", end->number,
              number_in((const uint8_t *)data + 6), place);
    take_place(end, place);
}

bool end_has_command(const struct end *end, size_t unread, int32_t command, bool any)
{
    size_t size = 0;

    if (end->from == NULL || end->blind || end->from->may_drop || end->from->noise)
        return false;
    for (unsigned place = end->next; place < end->from->records; place++) {
        if (place - end->next < AHEAD && is_ahead(end, place))
            continue;
        size += COMMAND_LEAST + end_command_size(end->from->number, place);
        if (size > unread)
            return false;
        if (any || end_command(end->from->number, place) == command)
            return true;
    }
    return false;
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
