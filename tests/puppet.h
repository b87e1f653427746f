/* tests/puppet.h -- a filter that returns and does what a case says, and counts its steps.
 *
 * Unless a case says otherwise, a puppet passes the bytes on unchanged. So the raw peer of a socket
 * with puppets speaks as that of a plain one. */
#ifndef POLLUX_TESTS_PUPPET_H
#define POLLUX_TESTS_PUPPET_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/world.h"

enum step {
    STEP_BEGIN,
    STEP_ESTABLISH,
    STEP_RECEIVE,
    STEP_SEND,
    STEP_PENDING,
    STEP_SHUTDOWN,
    STEP_ASK,
    STEP_FORGET,
    STEPS
};

/* As a result of `receive` and `send`: pass the bytes on. */
#define PASS PTRDIFF_MIN

struct puppet;
typedef void puppet_act(struct puppet *puppet);

struct puppet {
    plx_filter *filter; /* NULL once it is forgotten */
    plx_socket *socket;
    int begin;
    int establish, shutdown;           /* what these steps return... */
    int establish_times, shutdown_times; /* ...that often, and then 0; -1: for ever */
    ptrdiff_t receive, send;
    int receive_after, send_after; /* that many calls pass the bytes on first */
    int receive_times, send_times; /* that many calls return the results; -1: all */
    size_t piece;                  /* receive and send pass on at most that many bytes; 0: all */
    size_t most;                   /* the most bytes that one send was offered */
    bool pending;
    bool sets_want; /* establish, shutdown and send set this want before they return */
    unsigned want;
    int moment;
    int count[STEPS];
    enum step when; /* the step that calls `act` */
    puppet_act *act;
    int result; /* for `act` */
    void *data;
};

/* puppet_filter is the kind; puppet_encrypting is a kind that encrypts. */
extern const plx_filter_kind puppet_filter, puppet_encrypting;

/* puppet_push pushes a puppet, which lives until the program ends; NULL: the push was refused. */
struct puppet *puppet_push(plx_socket *socket);
struct puppet *puppet_push_kind(plx_socket *socket, const plx_filter_kind *kind);

/* puppet_answer lets the steps that wait go on: establish and shutdown return 0 from now on. */
void puppet_answer(struct puppet *puppet);

/* puppet_expect_error waits for the one error that the record may have, with this sentence. */
void puppet_expect_error(struct world *w, const struct record *log, int code, const char *sentence);

/* puppet_meet connects to a raw peer, and does not wait until filters are established. */
int puppet_meet(struct world *w, plx_socket *socket);

#endif
