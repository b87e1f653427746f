/* lib/socket/chain.h -- the filters of a socket, between the kernel and its buffers.
 *
 *      in buffer  <-- receive <-- [top] <-- ... <-- [bottom] <-- plain kind's receive <-- kernel
 *      out buffer --> send    --> [top] --> ... --> [bottom] --> plain kind's send    --> kernel
 *
 * Design: the chain replaces the kind of the socket by a filtered one (lib/socket/filtered.h).
 *
 * A step that cannot go on says EAGAIN and names its want: readiness, a moment, both or none
 * (lib/socket/step.h). Receiving and establishing share the want `in`, sending and the goodbye
 * the want `out`. The watch's interest is made of both wants, and plx__chain_wake, which is the
 * kind's own work, turns readiness and moments into "may receive" and "may send".
 *
 *              a connection begins,             all filters are established
 *              or a filter is pushed            ----------------------------->
 *      AT_REST --------------------------> BUSY                                OPEN, PASSING
 *         ^                                 |   <-----------------------------   |
 *         |                                 |           a filter is pushed       |
 *         |                                 +--> FAILED  a filter has failed,    |
 *         |                                        |     or the time is over     |
 *         +--- the connection has ended -----------+-----------------------------+
 *
 * In OPEN bytes go through the filters. If no filter has a step for them, the chain enters PASSING
 * instead: the filtered kind calls the plain kind's functions, and the filters cost nothing.
 *
 * In CONNECTING lib/socket/connect.c goes on with the establishing; in CONNECTED and CLOSING, for a
 * filter pushed in mid-stream, plx__chain_wake does. The queued bytes that are older than a
 * filter pass it by: `older` of a filter is at most that of the next one above it that has any.
 *
 * Invariants: the socket has the filtered kind as long as the chain exists; a filter is established
 * only if all below it are; chain.c alone writes the phase and the limit. */
#ifndef PLX_LIB_CHAIN_H
#define PLX_LIB_CHAIN_H

#include "lib/base/patience.h"
#include "lib/socket/filtered.h"
#include "lib/socket/object.h"
#include "lib/socket/step.h"

struct plx__race;

enum plx__chain_phase {
    PLX__CHAIN_AT_REST,
    PLX__CHAIN_BUSY,
    PLX__CHAIN_OPEN,
    PLX__CHAIN_PASSING,
    PLX__CHAIN_FAILED
};

/* What has to happen until the limit of a chain. */
enum plx__chain_limit {
    PLX__LIMIT_NONE,         /* nothing, or it may take for ever */
    PLX__LIMIT_ESTABLISHING, /* filters have to be established */
    PLX__LIMIT_OLDER,        /* a part of the bytes older than a filter has to be sent */
    PLX__LIMIT_LINGER        /* after a failed send, filters have to give the bytes they hold */
};

struct plx__chain {
    struct plx__filtered filtered;
    struct plx__stack stack;
    plx_filter *top, *bottom; /* NULL: no filter is left */
    struct plx__want in, out;
    struct plx__sockaddr remote; /* what the socket has connected to; owns its long_path */
    struct plx__patience time;   /* what is left until the limit */
    size_t offered;              /* queued bytes that a filter has seen and has not taken */
    uint16_t in_end;             /* an errno, or ENODATA for the end, found behind bytes; 0: none */
    uint16_t out_end;            /* an errno of a send, found behind bytes; 0: none */
    uint8_t phase;               /* plx__chain_phase */
    uint8_t limit;               /* plx__chain_limit */
    uint8_t restarts;            /* connections that filters have asked for */
    bool aborted;                /* send_progress has dropped the rest, except the bytes offered */
};

/* plx__chain_of returns the chain of a socket, NULL if it has no filters. */
static inline struct plx__chain *plx__chain_of(const plx_socket *socket)
{
    struct plx__filtered *filtered = plx__filtered_of(socket);
    return filtered == NULL ? NULL : PLX__CONTAINER_OF(filtered, struct plx__chain, filtered);
}

/* plx__chain_is_stepping returns whether a step of a filter of the socket runs. */
static inline bool plx__chain_is_stepping(const plx_socket *socket)
{
    return socket->kind->is_filtered && plx__chain_of(socket)->stack.depth > 0;
}

/* plx__chain_is_greeting returns whether what is sent now are bytes of a filter's own, such as a
 * greeting: nothing that belongs to bytes of the program leaves with them. */
static inline bool plx__chain_is_greeting(const plx_socket *socket)
{
    return plx__chain_is_stepping(socket) && !plx__chain_of(socket)->stack.carries;
}

/* ---- the filters ----------------------------------------------------------------------------- */

/* plx__chain_new_filter makes a filter that is in no chain yet, and gives the socket a chain if it
 * has none. NULL when memory ran out; neither is made then. */
plx_filter *plx__chain_new_filter(plx_socket *socket, const plx_filter_kind *table);

/* plx__chain_add puts a filter nearest the program, plx__chain_add_first nearest the kernel.
 * plx__chain_remove takes a filter out and frees it, and the chain with the last one. */
void plx__chain_add(struct plx__chain *chain, plx_filter *filter);
void plx__chain_add_first(struct plx__chain *chain, plx_filter *filter);
void plx__chain_remove(struct plx__chain *chain, plx_filter *filter);

/* plx__chain_trim frees the filters of the last connection, with `all` the settings too; the socket
 * has a chain. */
void plx__chain_trim(plx_socket *socket, bool all);

/* ---- connections ----------------------------------------------------------------------------- */

/* plx__chain_begin begins a connection with `peer`, which a race of the socket has made; a race of
 * NULL: the connection was accepted or adopted. Establishing has to end with the time of the race,
 * or within a time of its own. plx__chain_rest ends the connection. */
void plx__chain_begin(struct plx__chain *chain, struct plx__race *race,
                      const struct plx__sockaddr *peer);
void plx__chain_rest(struct plx__chain *chain);

/* plx__chain_extend begins a filter that was pushed in mid-stream, behind the queued bytes. */
void plx__chain_extend(struct plx__chain *chain, plx_filter *filter);

/* plx__chain_extend_limit renews the time within which older bytes have to be sent: some were. */
void plx__chain_extend_limit(struct plx__chain *chain);

/* plx__chain_establish goes on with establishing. Returns 0 when all filters are established,
 * except those that have to wait for older bytes to be sent (the chain stays BUSY then); EAGAIN to
 * be called again; ERESTART for another connection; and another code after plx__step_fail. */
int plx__chain_establish(struct plx__chain *chain);

/* plx__chain_takes_step returns whether plx__chain_establish may be called now. If the budget has
 * no step left for a filter that establishes, the chain waits for the next poll. */
bool plx__chain_takes_step(struct plx__chain *chain, struct plx__budget *budget);

/* plx__chain_encrypts returns whether an established filter encrypts. */
bool plx__chain_encrypts(const struct plx__chain *chain);

/* plx__chain_restart prepares for another connection, for which plx__chain_establish has asked. */
void plx__chain_restart(struct plx__chain *chain);

/* plx__chain_report makes the failure that a filter has recorded the error of the end. False: there
 * is none. */
bool plx__chain_report(plx_socket *socket);

/* ---- what the filters wait for --------------------------------------------------------------- */

/* plx__chain_wake turns readiness and moments into what the wants allow. plx__chain_stir lets the
 * next poll run all steps that wait. */
void plx__chain_wake(plx_socket *socket, struct plx__budget *budget);
void plx__chain_stir(struct plx__chain *chain);

/* plx__chain_deadline returns the moment at which to serve the socket at the latest, 0 for never;
 * plx__chain_interest the readiness to watch for. `reads`: there is room for received bytes. */
uint64_t plx__chain_deadline(const plx_socket *socket);
unsigned plx__chain_interest(const struct plx__chain *chain, bool reads);

/* plx__chain_holds_input returns whether filters hold bytes that a receive would give. */
bool plx__chain_holds_input(const struct plx__chain *chain);

/* After a failed send filters may hold bytes until a moment. plx__chain_await begins the linger
 * time within which they have to give them; plx__chain_awaits returns whether to wait. */
void plx__chain_await(struct plx__chain *chain);
bool plx__chain_awaits(const struct plx__chain *chain);

/* ---- bytes ----------------------------------------------------------------------------------- */

/* These five are functions of the filtered kind and its transport (lib/socket/kind.h), as are
 * plx__chain_wake and plx__chain_deadline. */
void plx__chain_input(plx_socket *socket, struct plx__budget *budget);
ptrdiff_t plx__chain_receive(plx_socket *socket, void *data, size_t size);
ptrdiff_t plx__chain_send(plx_socket *socket, const void *data, size_t size);
size_t plx__chain_pending(const plx_socket *socket);
int plx__chain_shutdown(plx_socket *socket);

/* Filters get this many queued bytes at once, so that send_progress can drop the others. */
#define PLX__CHAIN_PIECE ((size_t)256 * 1024)

/* plx__chain_piece returns how many of the queued bytes to send at once: unlike the kernel, filters
 * may take any number of them. `budget` limits what no filter changes. */
size_t plx__chain_piece(const plx_socket *socket, size_t budget);

/* plx__chain_sends returns whether a filter changes what is sent. */
bool plx__chain_sends(const struct plx__chain *chain);

/* plx__chain_abort notes that the program drops the queued bytes, and returns how many of them have
 * to stay, because filters have seen them. plx__chain_take_aborted returns once, when these were
 * sent, that the program has dropped the others. */
size_t plx__chain_abort(struct plx__chain *chain);
bool plx__chain_take_aborted(struct plx__chain *chain);

/* plx__chain_part says the goodbyes of the filters, from the top down. Returns 0 or EAGAIN.
 * plx__chain_part_once does so without waiting, if all queued bytes were sent and none was lost.
 * plx__chain_owes_goodbye returns whether a goodbye waits for a moment, or until the kernel takes
 * its bytes. */
int plx__chain_part(struct plx__chain *chain);
void plx__chain_part_once(plx_socket *socket);
bool plx__chain_owes_goodbye(const plx_socket *socket);

#endif
