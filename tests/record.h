/* tests/record.h -- writes down every event of a socket.
 *
 * A record's text is, for example, "state:CONNECTING state:CONNECTED connected[CONNECTED]": the
 * events in their order, each with the state that its handler saw. A test compares the whole text,
 * so that an event that is missing, added or misplaced fails the test. A record can also call `act`
 * from within one chosen event: so tests free, close or write in a handler. */
#ifndef POLLUX_TESTS_RECORD_H
#define POLLUX_TESTS_RECORD_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event {
    EVENT_CONNECTED,
    EVENT_DATA_AVAILABLE,
    EVENT_SEND_PROGRESS,
    EVENT_SEND_COMPLETE,
    EVENT_ERROR,
    EVENT_END_OF_INPUT,
    EVENT_DISCONNECTED,
    EVENT_STATE_CHANGED,
    EVENT_LINE_AVAILABLE,
    EVENT_ENCRYPTED,
    EVENT_PROXY_ASKS, /* proxy_authentication_required */
    EVENT_COUNT_,
    EVENT_NEVER = EVENT_COUNT_
};

struct record;
typedef void record_act(struct record *record, plx_socket *socket);

struct record {
    char text[4096]; /* what happened so far */
    size_t length;
    int count[EVENT_COUNT_];
    unsigned mute;   /* a bit for each event that is counted but not written down */
    enum event when; /* the event that calls `act`; EVENT_NEVER: none */
    plx_state at;    /* for EVENT_STATE_CHANGED: only on entering this one, if `picky` */
    bool picky;
    bool always; /* act each time and not only the first */
    record_act *act;
    void *data;         /* for `act` */
    bool fired;         /* `act` was called */
    bool cancel;        /* what send_progress returns */
    bool inside;        /* a handler is running, so no other may start */
    bool swallow;       /* data_available reads everything and checks the pattern */
    uint64_t swallowed; /* bytes read by `swallow` */
    size_t sent, left;  /* of send_progress: the sum of `sent`, the last `left` */
    int code, os_error; /* of the last error event */
    plx_reason reason;
    char message[300];
};

/* record_events is the table to give a socket together with a record as its user. */
extern const plx_events record_events;

/* record_clear empties the text and the counts, and keeps `act` and the other settings. */
void record_clear(struct record *record);

/* record_begin resets the record, and makes it the user of the socket's handlers. */
void record_begin(struct record *record, plx_socket *socket);

/* record_on makes the record call `act` in the first such event. */
void record_on(struct record *record, enum event when, record_act *act, void *data);

/* pattern_byte returns the byte at `offset` of every test stream; pattern_fill writes a piece of
 * the stream. */
unsigned char pattern_byte(uint64_t offset);
void pattern_fill(void *data, size_t size, uint64_t offset);
bool pattern_matches(const void *data, size_t size, uint64_t offset);

const char *state_name(plx_state state);

#endif
