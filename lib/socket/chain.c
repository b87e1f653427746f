/* lib/socket/chain.c -- the filters of a socket. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/options.h"
#include "lib/socket/race.h"
#include "lib/socket/receiving.h"
#include "lib/socket/reconnect.h"
#include "lib/socket/room.h"
#include "lib/socket/route.h"
#include "lib/socket/sending.h"

/* This many connections a filter may ask for, one after the other. */
#define MOST_RESTARTS 8

/* The milliseconds in which the filters of a connection that was accepted or adopted have to be
 * established, unless CONNECT_TIMEOUT was set. */
#define PEER_LIMIT 10000

static const struct plx__want nothing = {0, 0};
static const struct plx__want to_read = {PLX__READ, 0};
static const struct plx__want to_write = {PLX__WRITE, 0};

/* ---- the phase ------------------------------------------------------------------------------- */

static void enter(struct plx__chain *chain, enum plx__chain_phase phase)
{
    if (phase == PLX__CHAIN_PASSING) {
        plx__filtered_pass(&chain->filtered);
        /* What the socket waits for is another: with a deadline it is not taken for up to date. */
        plx__task_set_deadline(&chain->stack.socket->task, PLX__PAST_MOMENT);
    } else if (chain->phase == PLX__CHAIN_PASSING) {
        plx__filtered_divert(&chain->filtered);
    }
    chain->phase = (uint8_t)phase;
}

/* Whether no filter has a step for bytes, nor for the goodbye behind them. */
static bool passes(const struct plx__chain *chain)
{
    const plx_filter *filter = chain->bottom;
    while (filter != NULL && filter->table->receive == NULL && filter->table->send == NULL &&
           filter->table->pending == NULL && filter->table->shutdown == NULL) {
        filter = filter->above;
    }
    return filter == NULL && chain->in_end == 0 && chain->out_end == 0;
}

/* ---- the limit ------------------------------------------------------------------------------- */

/* A time that is never over is no limit. */
static void set_limit(struct plx__chain *chain, enum plx__chain_limit limit,
                      struct plx__patience time)
{
    chain->limit = (uint8_t)(time.until == 0 ? PLX__LIMIT_NONE : limit);
    chain->time = time;
}

static void set_no_limit(struct plx__chain *chain)
{
    set_limit(chain, PLX__LIMIT_NONE, (struct plx__patience){0});
}

/* CONNECT_TIMEOUT from now on, without one PEER_LIMIT if the peer has connected. */
static void set_limit_from_now(struct plx__chain *chain, enum plx__chain_limit limit)
{
    const plx_socket *socket = chain->stack.socket;
    const struct plx__options *options = socket->options;
    bool is_set = options != NULL && (options->set & PLX__OPTION(CONNECT_TIMEOUT)) != 0;
    int time = socket->is_caller || is_set ? plx__option_value(options, PLX_OPTION_CONNECT_TIMEOUT)
                                           : PEER_LIMIT;
    set_limit(chain, limit, plx__patience_begin(plx__clock_now(), time));
}

static void set_limit_of_linger(struct plx__chain *chain)
{
    int time = plx__option_value(chain->stack.socket->options, PLX_OPTION_LINGER_TIMEOUT);
    set_limit(chain, PLX__LIMIT_LINGER, plx__patience_begin(plx__clock_now(), time));
}

static bool is_late(const struct plx__chain *chain)
{
    return chain->limit != PLX__LIMIT_NONE && plx__patience_is_over(&chain->time, plx__clock_now());
}

/* ---- establishing ---------------------------------------------------------------------------- */

/* Returns the lowest filter that is not established, NULL if all are. */
static plx_filter *first_unestablished(const struct plx__chain *chain)
{
    plx_filter *filter = chain->bottom;
    while (filter != NULL && filter->step >= PLX__FILTER_ESTABLISHED) {
        filter = filter->above;
    }
    return filter;
}

static bool encrypts(const plx_filter *filter)
{
    return (filter->table->flags & PLX_FILTER_ENCRYPTS) != 0;
}

bool plx__chain_encrypts(const struct plx__chain *chain)
{
    const plx_filter *filter = chain->bottom;
    while (filter != NULL && !(encrypts(filter) && filter->step >= PLX__FILTER_ESTABLISHED)) {
        filter = filter->above;
    }
    return filter != NULL && chain->phase != PLX__CHAIN_AT_REST;
}

/* Whether the filter has to wait until the bytes queued before it were sent: it may send something,
 * or it promises that nothing leaves in clear. Another one receives at once. */
static bool waits_for_older(const plx_filter *filter)
{
    return filter->older > 0 && (filter->table->establish != NULL || encrypts(filter));
}

/* In mid-stream queued bytes may wait for the filter that is established now. */
static void note_in_stream(struct plx__chain *chain, const plx_filter *filter)
{
    plx_socket *socket = chain->stack.socket;
    bool is_reported = encrypts(filter) && socket->state == PLX_CONNECTED;
    socket->pending |= is_reported ? PLX__EVENT_BIT(PLX__EVENT_ENCRYPTED) : 0;
    plx__sending_unblock(socket);
    plx__task_schedule(&socket->task);
}

/* With the connection all filters begin, so that none shows what it knew of the last one. */
static int begin_all(struct plx__chain *chain)
{
    plx_filter *filter = chain->bottom;
    int code = 0;
    for (; filter != NULL && code == 0; filter = filter->above) {
        code = plx__step_begin(filter);
    }
    return code;
}

/* Establishes from the bottom up, until a filter has to wait: for what its own step wants, which
 * alone counts, or for older bytes. */
static int establish(struct plx__chain *chain)
{
    bool in_stream = plx__socket_is_open(chain->stack.socket);
    plx_filter *filter = first_unestablished(chain);
    int code = in_stream ? 0 : begin_all(chain);
    while (code == 0 && filter != NULL && !waits_for_older(filter)) {
        if (in_stream && filter->step == PLX__FILTER_FRESH) {
            /* The time begins with its turn: the older bytes may have taken long. */
            set_limit_from_now(chain, PLX__LIMIT_ESTABLISHING);
        }
        chain->stack.noted = (struct plx__noted){0};
        code = plx__step_establish(filter);
        if (code == 0 && in_stream) {
            set_no_limit(chain);
            note_in_stream(chain, filter);
        }
        filter = filter->above;
    }
    chain->in = code == PLX__EAGAIN ? chain->stack.noted.in.want : nothing;
    return code;
}

static int fail_late(struct plx__chain *chain)
{
    const plx_filter *filter = first_unestablished(chain);
    bool queued = waits_for_older(filter);
    plx_reason reason = PLX_REASON_SOCKET_TIMEOUT;
    if (filter == chain->bottom) { /* the filter that leads to the peer */
        reason = plx__route_reason(chain->stack.socket, reason);
    }
    return plx__step_fail(&chain->stack, PLX__ETIMEDOUT, reason,
                          "filter %s: %s in time", filter->table->name,
                          queued ? "the peer did not receive the bytes queued before it"
                                 : "not established");
}

/* A peer that waits for us to receive would never receive the older bytes itself. */
static void wait_for_older(struct plx__chain *chain)
{
    if (chain->limit != PLX__LIMIT_OLDER) {
        set_limit_from_now(chain, PLX__LIMIT_OLDER);
    }
}

void plx__chain_extend_limit(struct plx__chain *chain)
{
    const plx_filter *filter = first_unestablished(chain);
    if (chain->limit == PLX__LIMIT_OLDER && filter != NULL && waits_for_older(filter)) {
        set_limit_from_now(chain, PLX__LIMIT_OLDER);
    }
}

/* Whether a filter may have another connection. Returns ERESTART, or a code after
 * plx__step_fail. */
static int restart(struct plx__chain *chain)
{
    const char *name = first_unestablished(chain)->table->name;
    if (!chain->stack.socket->is_caller || plx__socket_is_open(chain->stack.socket)) {
        return plx__step_fail(&chain->stack, PLX_LOST_CONNECTION, PLX_REASON_UNSUPPORTED_OPERATION,
                              "filter %s: needs another connection, which only connect can make",
                              name);
    }
    if (chain->restarts == MOST_RESTARTS) {
        return plx__step_fail(&chain->stack, PLX_LOST_CONNECTION, PLX_REASON_OPERATION,
                              "filter %s: not established by %d connections", name, MOST_RESTARTS);
    }
    return PLX__ERESTART;
}

static void open_up(struct plx__chain *chain)
{
    bool passing = passes(chain);
    enter(chain, passing ? PLX__CHAIN_PASSING : PLX__CHAIN_OPEN);
    set_no_limit(chain);
    chain->in = to_read;
    chain->out = passing ? to_write : chain->out;
}

/* What a filter cancels would fail in the same way again, such as the check of a certificate. */
static int give_up(struct plx__chain *chain, int code)
{
    if (code == PLX__ECANCELED) {
        plx__reconnect_stop(chain->stack.socket);
    }
    enter(chain, PLX__CHAIN_FAILED);
    set_no_limit(chain);
    chain->in = nothing;
    return code;
}

/* Whether establishing would run a step of a filter. */
static bool has_step(const struct plx__chain *chain)
{
    const plx_filter *filter = first_unestablished(chain);
    while (filter != NULL && filter->table->establish == NULL && !waits_for_older(filter)) {
        filter = filter->above;
    }
    return filter != NULL && !waits_for_older(filter);
}

bool plx__chain_takes_step(struct plx__chain *chain, struct plx__budget *budget)
{
    bool may = !has_step(chain) || plx__budget_take_step(budget);
    if (!may) {
        chain->in.at = PLX__PAST_MOMENT;
        chain->stack.socket->watch.ready &= (uint8_t)~PLX__READ;
        chain->stack.socket->more = true;
    }
    return may;
}

int plx__chain_establish(struct plx__chain *chain)
{
    int code = establish(chain);
    if (code == 0 && first_unestablished(chain) == NULL) {
        open_up(chain);
    } else if (code == PLX__ERESTART) {
        code = restart(chain);
    } else if ((code == 0 || code == PLX__EAGAIN) && is_late(chain)) {
        code = fail_late(chain);
    } else if (code == 0) {
        wait_for_older(chain);
    }
    bool goes_on = code == 0 || code == PLX__EAGAIN || code == PLX__ERESTART;
    return goes_on ? code : give_up(chain, code);
}

/* ---- what the filters wait for --------------------------------------------------------------- */

/* Right after EAGAIN `pending` is not asked: a filter that counts the bytes of half a record among
 * its pending ones would keep polls and waits from sleeping. */
bool plx__chain_holds_input(const struct plx__chain *chain)
{
    bool may_receive = chain->phase == PLX__CHAIN_OPEN && !chain->stack.dry;
    plx_filter *filter = may_receive ? chain->top : NULL;
    while (filter != NULL && !plx__step_is_pending(filter)) {
        filter = filter->below;
    }
    return filter != NULL;
}

void plx__chain_await(struct plx__chain *chain)
{
    if (chain->limit != PLX__LIMIT_LINGER) {
        set_limit_of_linger(chain);
    }
}

bool plx__chain_awaits(const struct plx__chain *chain)
{
    bool late = is_late(chain) || plx__ending_is_late(chain->stack.socket);
    return chain->phase == PLX__CHAIN_OPEN && chain->stack.dry && chain->in.at != 0 && !late;
}

static bool has_come(struct plx__want want, unsigned ready)
{
    return (want.ready & ready) != 0 || (want.at != 0 && plx__clock_now() >= want.at);
}

/* The connection is over if establishing has failed, or if it waits for a peer to which a send has
 * failed already. */
static void end_in_stream(plx_socket *socket, int error)
{
    if (plx__receiving_has_ended(socket)) {
        plx__sending_fail(socket, error);
    } else {
        plx__receiving_end(socket, error);
    }
}

/* Establishes in mid-stream, even if there is no room for received bytes. What the kernel holds is
 * received by the filters that establish, and not by the program. */
static void establish_in_stream(struct plx__chain *chain)
{
    plx_socket *socket = chain->stack.socket;
    int code = plx__chain_establish(chain);
    bool waits = chain->phase == PLX__CHAIN_BUSY;
    if (code == 0 && !waits) {
        return; /* receiving goes on */
    }
    socket->watch.ready &= (uint8_t)~PLX__READ;
    if (!waits) {
        end_in_stream(socket, code);
    } else if (socket->tx == PLX__TX_FAILED) {
        end_in_stream(socket, socket->tx_error);
    }
}

void plx__chain_wake(plx_socket *socket, struct plx__budget *budget)
{
    struct plx__chain *chain = plx__chain_of(socket);
    unsigned ready = socket->watch.ready;
    bool busy = chain->phase == PLX__CHAIN_BUSY;
    ready |= (ready & PLX__END) != 0 ? PLX__READ | PLX__WRITE : 0u;
    bool reads = has_come(chain->in, ready) || (busy && is_late(chain));
    if (chain->limit != PLX__LIMIT_NONE) {
        plx__patience_look(&chain->time, plx__clock_now());
    }
    socket->watch.ready |= reads ? PLX__READ : 0;
    if (socket->tx == PLX__TX_BLOCKED && has_come(chain->out, ready)) {
        plx__sending_unblock(socket);
    }
    if (busy && plx__socket_is_open(socket)) {
        if (reads && plx__chain_takes_step(chain, budget)) {
            establish_in_stream(chain);
        } else if (socket->tx == PLX__TX_FAILED) {
            end_in_stream(socket, socket->tx_error);
        }
    }
}

void plx__chain_stir(struct plx__chain *chain)
{
    plx_socket *socket = chain->stack.socket;
    if (socket->watch.task != NULL) {
        chain->in.ready |= PLX__READ;
        chain->stack.dry = false;
        socket->watch.ready |= PLX__READ;
        socket->more = true;
        plx__sending_unblock(socket);
        plx__task_schedule_input(&socket->task);
    }
}

uint64_t plx__chain_deadline(const plx_socket *socket)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    uint64_t out = socket->tx == PLX__TX_BLOCKED ? chain->out.at : 0;
    bool reads = chain->phase == PLX__CHAIN_BUSY ||
                 (!plx__receiving_has_ended(socket) && plx__socket_takes_input(socket));
    uint64_t in = reads ? plx__clock_earlier(chain->in.at, plx__patience_deadline(&chain->time)) : 0;
    return plx__clock_earlier(in, out);
}

unsigned plx__chain_interest(const struct plx__chain *chain, bool reads)
{
    unsigned in = reads || chain->phase == PLX__CHAIN_BUSY ? chain->in.ready : 0;
    return chain->stack.socket->tx == PLX__TX_BLOCKED ? in | chain->out.ready : in;
}

/* ---- connections ----------------------------------------------------------------------------- */

static void reset(struct plx__chain *chain)
{
    for (plx_filter *filter = chain->bottom; filter != NULL; filter = filter->above) {
        plx__step_reset(filter);
    }
    enter(chain, PLX__CHAIN_BUSY);
    chain->in = to_read;
    chain->out = nothing;
    chain->in_end = chain->out_end = 0;
    chain->offered = 0;
    chain->stack.dry = chain->stack.limited = false;
    chain->stack.plain_error = 0;
}

/* Keeps what to connect to again. The peer's own name is no path for us: a path may be relative, or
 * bound elsewhere and moved. */
static void keep_name(struct plx__chain *chain, struct plx__race *race,
                      const struct plx__sockaddr *peer)
{
    plx__memory_free((void *)chain->remote.long_path);
    if (!plx__race_take_name(race, &chain->remote)) {
        chain->remote = *peer;
    }
}

void plx__chain_begin(struct plx__chain *chain, struct plx__race *race,
                      const struct plx__sockaddr *peer)
{
    reset(chain);
    if (race == NULL) {
        set_limit_from_now(chain, PLX__LIMIT_ESTABLISHING);
    } else {
        /* All the connections that filters ask for have to be established within the same time: the
         * race has gone on with what was left of it. */
        set_limit(chain, PLX__LIMIT_ESTABLISHING, plx__race_limit(race));
    }
    if (race != NULL && chain->restarts == 0) {
        keep_name(chain, race, peer);
    }
    chain->stack.failure.code = 0;
}

void plx__chain_rest(struct plx__chain *chain)
{
    enter(chain, PLX__CHAIN_AT_REST);
    chain->in = chain->out = nothing;
    chain->in_end = chain->out_end = 0;
    set_no_limit(chain);
    chain->offered = 0;
    chain->aborted = false;
    chain->restarts = 0;
    for (plx_filter *filter = chain->bottom; filter != NULL; filter = filter->above) {
        filter->older = 0;
        filter->asks = false;
    }
}

/* Whether the filter treats later bytes otherwise than those queued before it. */
static bool concerns_sending(const plx_filter *filter)
{
    const plx_filter_kind *table = filter->table;
    return table->send != NULL || table->establish != NULL || encrypts(filter);
}

void plx__chain_extend(struct plx__chain *chain, plx_filter *filter)
{
    plx_socket *socket = chain->stack.socket;
    filter->older = concerns_sending(filter) ? socket->out.size : 0;
    if (socket->state == PLX_CONNECTED && chain->phase != PLX__CHAIN_FAILED) {
        enter(chain, PLX__CHAIN_BUSY);
        plx__chain_stir(chain);
    }
}

void plx__chain_restart(struct plx__chain *chain)
{
    chain->restarts++;
    reset(chain);
}

bool plx__chain_report(plx_socket *socket)
{
    struct plx__chain *chain = plx__chain_of(socket);
    if (chain == NULL || chain->stack.failure.code == 0) {
        return false;
    }
    const struct plx__filter_failure *failure = &chain->stack.failure;
    bool whole = failure->filter != NULL || failure->error == 0;
    int error = whole ? PLX__SENTENCE_OF(failure->error) : failure->error;
    plx__socket_set_end_error(socket, failure->code, failure->reason, -error, "%s",
                              failure->sentence);
    return true;
}
