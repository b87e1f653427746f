/* tests/model/player.h -- plays programs of random calls, and holds what happens against the model.
 *
 * A program is a seed: its calls, and those that its handlers make, follow from it (program.h). The
 * player has a few slots for objects of each sort, and makes one call after the other on objects in
 * these slots. One program runs at a time in a process.
 *
 *     program --> calls-*.c --> Pollux --> handlers.c --> more calls
 *                    |                        |
 *                    +--> model.c, end.c <----+   what may be, and what must be
 *
 * Nothing here asks the kernel except through peer.h and ground.h. */
#ifndef POLLUX_TESTS_MODEL_PLAYER_H
#define POLLUX_TESTS_MODEL_PLAYER_H

#include <pollux.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/model/chance.h"
#include "tests/model/desk.h"
#include "tests/model/end.h"
#include "tests/model/model.h"
#include "tests/model/peer.h"
#include "tests/model/program.h"
#include "tests/model/trace.h"

enum { SOCKETS = 8, SERVERS = 2, GROUPS = 3, PEERS = 12, OUTBOX = 1 << 16 };

/* A server of the program. */
struct house {
    plx_server *server; /* NULL: an empty slot */
    enum sort sort;
    enum flavour flavour;
    char where[PEER_WHERE];
    unsigned listening;   /* how many times it has begun to listen */
    unsigned turned_away; /* the value of `listening` when a handler refused a peer */
    int pending;          /* a code that the next poll reports */
    plx_group *group;     /* that it was added to; NULL: none */
};

/* A raw peer of the program. */
struct person {
    bool used;
    int peer; /* -1: closed */
    enum sort sort;
    enum flavour flavour;
    struct end *end;
    bool ended;          /* it sends no more */
    bool reset;          /* it was closed with a reset, or with bytes unread */
    bool deaf;           /* it has stopped to read */
    int heard_end;       /* 0, or PEER_END, PEER_RESET or PEER_UNANSWERED */
    struct house *house; /* that it connected to */
    unsigned listening;  /* of that house, at that time */
    bool accepted;       /* the house has reported it; known for TCP only */
    struct desk desk;    /* of a raw proxy */
    size_t outbox_size, inbox_size;
    uint8_t outbox[OUTBOX];    /* of a message that the kernel took in part */
    uint8_t inbox[4 * OUTBOX]; /* of messages that have not arrived whole */
};

/* The call that runs, and the numbers that it draws. */
struct turn {
    struct chance chance;
    struct model *self; /* the socket whose handler makes the call; NULL: none */
};

struct player {
    const struct program *program;
    struct model *sockets[SOCKETS];
    struct house houses[SERVERS];
    plx_group *groups[GROUPS];
    bool budgeted[GROUPS];
    struct person people[PEERS];
    int inner;           /* calls that handlers have made */
    int asked;           /* questions of proxies */
    int waits;           /* that the program may still make */
    int wait_limit;      /* sum of the limits of all waits, in ms */
    bool settling;       /* handlers only read */
    struct model *slow;  /* whose handler takes its time; NULL: none */
    bool slow_polls;     /* and then polls its group */
    plx_group *ruin;     /* that the next handler frees; NULL: none */
    plx_group *woken;    /* by another thread: no call frees it; NULL: none */
    struct model *flood; /* whose peer sends again at once; NULL: none */
    long moved;          /* bytes and events, for settle.c */
};

extern struct player player;

/* player_play plays a program and returns whether it has found no fault. */
bool player_play(const struct program *program);

/* play_call makes one call; play_inner those that a handler of a socket makes. */
void play_call(int index);
void play_inner(struct model *self);

/* play_settle polls until nothing moves, and then compares; play_free frees everything. */
void play_settle(void);
void play_free(void);

/* ---- picking and making things --------------------------------------------------------------- */

struct model *pick_socket(struct turn *turn);
enum flavour pick_flavour(struct turn *turn, enum sort sort);
struct house *pick_house(struct turn *turn);
int pick_group(struct turn *turn);
struct person *pick_person(struct turn *turn);
struct house *house_of(const plx_server *server);

struct person *person_new(int peer, enum sort sort, enum flavour flavour); /* NULL: all are used */
void person_say(struct person *person, size_t size);
void person_hear(struct person *person, size_t size);
void person_close(struct person *person, bool hard);
void person_end(struct person *person); /* ends sending */
/* person_write writes the next `size` bytes of its stream, or a message, for the caller to send;
 * returns how many those are. */
size_t person_write(struct person *person, uint8_t *data, size_t size);
void people_accept(void);
void people_forget(void);

void places_begin(bool again); /* `again`: those that were made are gone */
const char *place_for(struct turn *turn, const struct model *model);
const char *place_silent(enum sort sort);   /* a listener with a full queue */
const char *place_refusing(enum sort sort); /* nobody listens */

/* names_choose chooses the name server of a program by a number below 100, names_serve answers what
 * has been asked. Once nothing moves, names_expect_found expects that a socket waits for no name,
 * where names_are_known. */
void names_begin(bool again);
void names_choose(int choice);
void names_serve(void);
bool names_serve_one(void); /* false: nothing was asked */
bool names_are_known(void);
bool names_answer(void); /* the program asks the server that answers */
void names_expect_found(const struct model *model);

/* take reads and checks what a socket has received, in one of many ways, or all of it. */
void take(struct turn *turn, struct model *model);
void take_all(struct model *model);

/* person_of returns the raw peer at the other end of a connection, NULL if there is none or it is
 * not known; person_meet makes it known. flood makes the peer of player.flood go on, take_time is
 * what the handler of player.slow does, and ruin frees player.ruin. */
struct person *person_of(const struct model *model);
void person_meet(struct person *person, struct model *model);
void flood(struct model *model);
void take_time(struct model *model);
void ruin(void);
void forget_group(int slot);
void person_visit(struct house *house); /* a raw peer connects to a server */

/* Calls that several scenes make. house_open makes a server of the house's sort and flavour,
 * write_bytes writes to a stream; cut_in_pieces cuts bytes into pieces, some empty, and returns how
 * many, or 0 to write the bytes at once; free_slot_of_sockets returns SOCKETS if there is no slot. */
void house_open(struct turn *turn, struct house *house, bool adds);
void write_bytes(struct turn *turn, struct model *model);
enum { MOST_PIECES = 3 };
size_t cut_in_pieces(struct turn *turn, const void *data, size_t size,
                     plx_piece pieces[MOST_PIECES]);
int free_slot_of_sockets(void);
void connect_model(struct model *model, const char *where);
void set_option(struct model *model, plx_option option, int value);
struct model *connected_model(enum sort sort, plx_group *group); /* NULL: there is no slot */

/* proxy_place returns a target that is reached through the proxy of a socket; NULL: by chance none,
 * or there is no proxy. proxy_asks is the handler of `proxy_authentication_required`. */
const char *proxy_place(struct turn *turn, const struct model *model);
void proxy_set_any(struct turn *turn, struct model *model); /* a proxy by chance */
void proxy_asks(plx_socket *socket, const char *proxy, const char *realm, void *user);

/* Nothing is under way to this end: both ends may push a filter in mid-stream. */
bool model_is_quiet(const struct model *model);

/* Waits. may_wait counts those that the program may still make; waits_too_long returns whether the
 * wait that runs should have been over long ago. */
enum { WAIT, WAIT_CONNECTED, WAIT_DATA, WAIT_SENT, WAIT_DISCONNECTED, WAIT_SORTS };
bool may_wait(void);
void wait_on(struct model *model, int what, int timeout);
void wait_for_end(struct turn *turn);
bool waits_too_long(void);
bool end_is_here(const struct model *model); /* a wait for the end needs no time */

/* Polls, in which handlers may run. */
void poll_socket(struct model *model);
bool poll_group(plx_group *group, int timeout);
void poll_house(struct house *house);
void poll_all(void);     /* each socket is polled by itself, too */
void poll_members(void); /* those in a group are polled by the group alone */

/* A call of the table in calls.c. */
typedef void(player_call)(struct turn *turn);
player_call call_new, call_free, call_connect, call_listen, call_adopt, call_bind, call_close,
    call_abort, call_disconnect, call_option, call_filter, call_events, call_misuse, call_ask;
player_call call_hold, call_write, call_datagram, call_read, call_flush, call_unread, call_token,
    call_frame;
player_call call_poll, call_poll_group, call_poll_house, call_wait, call_wait_house, call_react;
player_call call_group, call_move, call_group_setting, call_house, call_house_setting,
    call_take_client, call_clock, call_memory, call_starve;
player_call call_peer_connect, call_peer_accept, call_peer_say, call_peer_hear, call_peer_end,
    call_peer_close, call_peer_odd;
player_call call_join, call_many_names, call_name_server, call_wake;
player_call call_burst, call_flood, call_slow_connect, call_dawdle, call_lapse, call_stale,
    call_ruin;
player_call call_tls_set, call_tls_name, call_tls_start, call_tls_resume, call_tls_setting,
    call_tls_ask, call_tls_meet, call_tls_upgrade;
player_call call_proxy_set, call_proxy_user, call_proxy_tag, call_proxy_environment,
    call_proxy_serve, call_proxy_meet;
player_call call_timer, call_timer_ask, call_timer_sleep;
player_call call_command_wait, call_command_misuse, call_command_anew, call_peer_spoil;
player_call call_write_all, call_command_burst;
player_call call_watch, call_watch_meet, call_watch_sleep, call_wire, call_deadline;
player_call call_lookup, call_lookup_many, call_lookup_find, call_lookup_wait, call_guest_misuse;

#endif
