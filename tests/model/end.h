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

enum { END_HEAD = 6, RECORD_HEAD = 14 };

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

    struct end *from; /* the sender of what arrives, once known */
    uint64_t got;
    unsigned next; /* the record that follows */
    int tokens_got;
    bool blind; /* what arrives is not checked any more */
    uint8_t head[END_HEAD];
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
void end_take_token(struct end *end, int number);

#endif
