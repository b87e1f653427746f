/* tests/model/model.h -- what a socket of the program may do next, and what it must.
 *
 * A connection of a socket is in one phase. The arrows are calls of the program or events; every
 * other event in a phase is a fault.
 *
 *                connect, listen, adopt           connected
 *     PHASE_IDLE -----------------------> TRYING -----------> UP
 *         ^  ^                               |                 |
 *         |  +---- close, abort, or error ---+                 |
 *         +------- close, abort, or disconnected --------------+
 */
#ifndef POLLUX_TESTS_MODEL_MODEL_H
#define POLLUX_TESTS_MODEL_MODEL_H

#include <pollux.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/model/end.h"
#include "tests/model/peer.h"

struct house;

/* What the bytes of a connection pass through. Raw peers speak those before NOISE and
 * NOISE to the others. */
enum flavour {
    FLAVOUR_PLAIN,
    FLAVOUR_FRAMED, /* messages behind their length */
    FLAVOUR_LINES,  /* messages before a delimiter */
    FLAVOUR_COMMANDS,    /* in programs of daemons only */
    FLAVOUR_DATA_LENGTH, /* commands whose length counts the data only */
    FLAVOUR_BITS,   /* a filter that turns all bits */
    FLAVOUR_NOISE,
    FLAVOUR_STACK = FLAVOUR_NOISE, /* filters: bits, blocks, records */
    FLAVOUR_ORDER,                 /* a filter with permissions to send */
    FLAVOUR_STEPS,                 /* a filter that establishes */
    FLAVOUR_TLS12,                 /* in programs with TLS only */
    FLAVOUR_TLS13,
    FLAVOURS
};

/* The lines of the table in pollux/events.h, in its order. */
enum line {
    LINE_NONE = -1,
    LINE_CALL_ERROR,
    LINE_HOST_LOOKUP,
    LINE_CONNECTING,
    LINE_BOUND,
    LINE_LISTENING,
    LINE_STATE_CONNECTED,
    LINE_CONNECTED,
    LINE_ENCRYPTED,
    LINE_DATA,
    LINE_LINE,
    LINE_MESSAGE,
    LINE_COMMAND,
    LINE_END_OF_INPUT,
    LINE_CLOSING,
    LINE_PROGRESS,
    LINE_COMPLETE,
    LINE_ROOM,
    LINE_UNCONNECTED,
    LINE_END_ERROR,
    LINE_DISCONNECTED
};

enum phase { PHASE_IDLE, PHASE_TRYING, PHASE_UP };

/* The way of a connection through a proxy (route.h). */
enum scheme { SCHEME_NONE, SCHEME_SOCKS5, SCHEME_SOCKS5H, SCHEME_HTTP };
enum leads { LEADS_NOT, LEADS_PERHAPS /* the lookup decides */, LEADS };
enum due { DUE_NOTHING, DUE_TUNNEL, DUE_QUESTION, DUE_ERROR };

struct route {
    /* The setting. */
    enum scheme scheme;
    enum flavour flavour; /* that the raw proxy there speaks behind its tunnel */
    char where[PEER_WHERE], user[PEER_WHERE], password[PEER_WHERE];
    int absence; /* the causes of an error that the place itself is */

    /* The present connect, or the last one. */
    enum leads leads;
    bool is_through; /* it is connected */
    char shown[PEER_WHERE]; /* its proxy, as plx_socket_proxy had it */
    char host[PEER_WHERE];
    int port;
    int causes; /* of what may happen */
    enum due due;
    int code; /* of the error that is due */
    plx_reason reason;
    size_t size; /* of the answer that makes it due */
    char realm[PEER_WHERE];
    bool changed; /* credentials were set that the proxy may not know yet */
    int questions, refusals; /* that cost a connection each */
};

struct model {
    plx_socket *socket; /* NULL: freed */
    enum sort sort;
    enum flavour flavour;
    struct house *owner; /* the server that owns it; NULL: none */
    bool unheard;        /* bytes may have arrived that no handler heard of */
    plx_group *group;    /* that it was added to; NULL: none, or a server's own */
    bool was_taken;      /* from a server, which may have moved it to another group */
    bool is_alone;       /* a client that was removed from a group */
    int inside;          /* how many of its handlers run: 0 or 1 */
    int awaits;          /* waits for a command that run */
    bool awaited;        /* one ran in this connection, and a time-out may have ended it there */
    int commands;        /* that were reported in the poll that runs */

    enum phase phase;
    struct end *end;    /* of the present connection, or the last one; NULL: none yet */
    bool closing;       /* disconnect was called */
    bool has_input_end; /* end_of_input was reported */
    bool was_half_open; /* HALF_OPEN was set when it began, and never changed */
    bool is_over;       /* the error that ends the connection was reported */
    bool reconnects;    /* AUTO_CONNECT was set in this connection */
    /* The frame in which a wait in its own handler passed events by, and the next one with
     * events. */
    unsigned murky, murky_next;
    bool has_dropped; /* send_progress has dropped bytes that a filter may know */
    bool has_tls;     /* settings of TLS are set; without them a TLS flavour is in clear */
    bool has_begun_tls;   /* by start_tls, for this connection */
    bool waits_encrypted; /* `encrypted` must follow */
    struct route route;
    int pending;      /* the code of the first call that failed since the last poll; 0: none */
    bool may_fail;    /* a call may have failed without a word: for memory */
    unsigned joined;  /* the multicast groups that it has joined, a bit for each */
    char where[PEER_WHERE]; /* where it listens; "": nowhere */

    unsigned poll; /* the poll of the last event */
    enum line line;

    uint64_t tried_at, closed_at, heard_at; /* not later than that, by time_marked; 0: not known */
    uint64_t up_at;                         /* when `connected` was reported */
    uint64_t begun_at;                      /* by the kernel's clock */
    uint64_t heard;                         /* bytes received when data was last reported */
    uint64_t followed;                      /* and when timeouts_follow last looked */
    const struct end *followed_end;
    bool is_late; /* it has moved since then */
    struct model *next;                     /* of all models of the program */
};

void models_begin(void);
void models_end(void);
void models_forget_group(const plx_group *group);
void models_forget_owner(const struct house *owner);             /* frees its clients */
void models_follow(const struct house *house, plx_group *group); /* its clients are in that group */
struct model *model_new(plx_socket *socket, enum sort sort, enum flavour flavour);
struct model *
model_of(const plx_socket *socket); /* NULL: a client that `accepted` did not report */

bool flavour_has_frame(enum flavour flavour); /* or commands */
bool flavour_has_commands(enum flavour flavour);
bool model_is_stream(const struct model *model);   /* bytes without boundaries */
bool model_has_records(const struct model *model); /* packets, datagrams, messages of a frame */
bool model_is_filtered(const struct model *model);
bool model_is_encrypted(const struct model *model); /* its connection is meant to be */

static inline bool model_is_tls(const struct model *model) /* its flavour is one of TLS */
{
    return model->flavour >= FLAVOUR_TLS12;
}

static inline int model_option(const struct model *model, plx_option option)
{
    return plx_socket_option(model->socket, option);
}

/* model_begin begins a connection, model_cut ends one without a word, model_forget follows a free.
 * model_failed takes what a call returned: a positive code is reported by the next poll. */
void model_begin(struct model *model);
void model_cut(struct model *model);
void model_forget(struct model *model);
void model_failed(struct model *model, const char *call, int code);

/* model_renew begins another connection if AUTO_CONNECT has made one meanwhile, and else compares
 * the statistics with what was read and written. */
void model_renew(struct model *model);

/* model_wait notes a wait in a handler of the socket: later events of this frame and the next one
 * may be those of a state that is gone. */
void model_wait(struct model *model);
bool model_is_murky(const struct model *model);

/* Calls that call handlers stand between poll_begin and poll_end; `is_wait`: many polls may run.
 * polls_running returns how many of them run, one inside the other. */
void poll_begin(bool is_wait);
void poll_end(void);
int polls_running(void);

/* model_enter holds an event against the model, before its handler does anything, and model_leave
 * follows the handler. */
void model_enter(struct model *model, enum line line, const char *name);
void model_leave(struct model *model);
bool model_has_begun(const struct model *model); /* an event of this poll was reported */
bool model_was_last(const struct model *model, enum line line); /* of this poll or wait */
bool model_is_first(const struct model *model); /* no handler of it was the last one that ran */
void model_state(struct model *model, plx_state state);
void model_connected(struct model *model);
void model_error(struct model *model, const plx_error *error);
void model_disconnected(struct model *model);

#endif
