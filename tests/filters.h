/* tests/filters.h -- the filters of the tests. tests/codec.h has the same formats for raw
 * peers, written independently. */
#ifndef POLLUX_TESTS_FILTERS_H
#define POLLUX_TESTS_FILTERS_H

#include <pollux.h>

/* Turns all bits of each byte. */
extern const plx_filter_kind bits_filter;

/* Has no step at all. */
extern const plx_filter_kind through_filter;

/* Sends blocks of 7 bytes: how many are meant, 1 to 6, these bytes, and zeros. A receive may find a
 * part of a block only, and keeps it; one block has bytes for several receives (`pending`). */
extern const plx_filter_kind blocks_filter;

/* Sends records: 'D', the length in two bytes, the sum of the bytes in one, and the bytes; and for
 * a goodbye 'B' with three zeros. An end without a goodbye is a failure, but not behind one's own
 * goodbye: the peer answers it once, and the kernel may have no room then. */
extern const plx_filter_kind records_filter;

/* Sends frames: a letter, a number in three bytes, and behind 'D' that number of bytes. At most
 * ORDER_WINDOW bytes may be under way: 'C' allows that number more, and 'E' is the end, behind
 * which the other side needs no permission. So a send may have to receive a permission first, and a
 * receive may have to send one before it goes on. */
enum { ORDER_WINDOW = 1 << 20, ORDER_CREDIT = 4096 };
extern const plx_filter_kind order_filter;

/* Greets before the bytes pass: it sends "hel", receives "hel", sends "lo" and receives "lo". What
 * came behind the greeting it keeps, and hands up first (`pending`). */
extern const plx_filter_kind hello_filter;

/* Establishes in five steps: it sends "hel", receives "hel", waits a millisecond, asks the program,
 * and then sends "lo" and receives "lo". Received "aga" in place of "hel" makes it ask for another
 * connection. */
extern const plx_filter_kind steps_filter;

/* Fails with EPROTO at the step that its state names, and with `records` gives a code and a
 * sentence first. It receives bytes before it fails to receive. */
enum failing_step {
    FAILS_NOWHERE,
    FAILS_IN_BEGIN,
    FAILS_IN_ESTABLISH,
    FAILS_IN_RECEIVE,
    FAILS_IN_SEND,
    FAILS_IN_SHUTDOWN
};
struct failing {
    enum failing_step step;
    bool records;
};
extern const plx_filter_kind failing_filter;

/* Receives up to 8 bytes at once and hands them up as asked; those in its state are pending. */
struct holder {
    char bytes[8];
    size_t size;
};
extern const plx_filter_kind holder_filter;

/* Combines each byte with a number that depends on its place: from doc/adding-a-filter.md. */
extern const plx_filter_kind mask_filter;

#endif
