/* tests/model/end.h -- one end of a connection: what it has sent, and what it has received.
 *
 * A stream begins with the number of the end that sends it, and goes on with bytes that depend on
 * this number and on their place: a byte that is lost, doubled, moved or of another connection does
 * not fit. A receiver learns from the number what the sender has sent. Where bytes travel in
 * records (packets, datagrams, messages of a frame), each record has the sender's number, its own
 * number, its size, and then such bytes. No byte is '\r', which can therefore end a message.
 *
 *     stream   'P' 'x' number number number number byte byte byte ...
 *     record   'P' 'r' number(4) record(4) size(4) byte byte byte ...
 */
#ifndef POLLUX_TESTS_MODEL_END_H
#define POLLUX_TESTS_MODEL_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of the bytes that an end has sent. */
enum outlet {
    OUTLET_FLOWS,
    OUTLET_ENDED, /* in order: all of them arrive */
    OUTLET_CUT    /* a part of them may be lost, but no byte in the middle */
};

enum { END_HEAD = 6, RECORD_HEAD = 14, AHEAD = 2048, COMMAND_LEAST = 8, HYMNS = 6 };

/* The same bytes, or the same record, that several ends have sent. */
struct hymn {
    unsigned number;
    uint64_t place; /* of its first byte, or of the record */
    size_t size;
};

struct end {
    unsigned number;
    bool raw;   /* a raw peer's */
    bool gone;  /* the end was closed or reset */
    bool noise; /* what it sends means nothing */
    bool drops; /* a part of what was accepted was dropped */

    enum outlet outlet;
    uint64_t put;     /* bytes of a stream that were accepted */
    unsigned records; /* that were accepted */
    int tokens;       /* descriptors that were accepted */
    bool may_drop;    /* records may be larger than its kernel sends (EMSGSIZE) */
    int spoilt;       /* the code of what it has sent last and is no command; 0: nothing */
    bool partly;      /* a part of a command was not sent */

    struct end *from; /* the sender of what arrives, once known */
    uint64_t got;
    unsigned next; /* the record that follows */
    int tokens_got;
    bool blind; /* what arrives is not checked any more */
    uint8_t head[END_HEAD];
    struct hymn hymns[HYMNS]; /* that it has sent */
    int hymn_count;
    uint8_t ahead[AHEAD / 8]; /* bits of the commands behind `next` that were taken already */
};

void ends_begin(void); /* forgets all ends */
struct end *end_new(bool raw);

/* end_bytes writes the next `size` bytes of the stream of an end, end_put counts those that were
 * accepted. end_record makes the next record, of RECORD_HEAD bytes at least. */
void end_bytes(const struct end *end, void *data, size_t size);
void end_put(struct end *end, size_t size);
void end_record(const struct end *end, void *data, size_t size);

/* end_look compares received bytes with what their sender sent at this place, end_take also goes on
 * to the next place, end_take_record checks one record; `lossy`: records before it may be lost,
 * `cut`: it is longer than the program wanted. They report a fault. */
void end_look(struct end *end, const void *data, size_t size, const char *how);
void end_take(struct end *end, const void *data, size_t size, const char *how);
void end_take_record(struct end *end, const void *data, size_t size, bool lossy, bool cut);
/* end_hymn writes the bytes that several ends will send, `is_record`: as a record. end_sing follows an
 * end that has accepted them. */
void end_hymn(unsigned number, void *data, size_t size, bool is_record);
void end_sing(struct end *end, unsigned number, size_t size, bool is_record);

/* The number and the size of a command, by its sender and its place. end_take_command checks a
 * command as end_take_record does a record: the oldest one, `awaited`: the oldest one of its number.
 * end_has_command returns whether one is known to be whole among the first bytes that were not
 * taken; `any`: of any number. end_next_command returns the place of the oldest one. */
int32_t end_command(unsigned number, unsigned record);
size_t end_command_size(unsigned number, unsigned record);
void end_take_command(struct end *end, int32_t command, const void *data, size_t size,
                      bool awaited);
bool end_has_command(const struct end *end, size_t unread, int32_t command, bool any);
unsigned end_next_command(const struct end *end);
void end_take_token(struct end *end, int number);

#endif
