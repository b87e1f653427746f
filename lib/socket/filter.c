/* lib/socket/filter.c -- the calls of <pollux/filter.h> on sockets and for steps. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/failure.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/state.h"
#include "lib/socket/step.h"

#include <pollux/filter.h>

/* ---- filters of a socket --------------------------------------------------------------------- */

static int refuse_push(plx_socket *socket, const char *why)
{
    return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION, "push a filter: %s", why);
}

static int check_table(plx_socket *socket, const plx_filter_kind *table)
{
    if (socket->kind->transport->keeps_boundaries) {
        return refuse_push(socket, "only streams have filters");
    }
    if (table == NULL || table->size < sizeof *table || table->name == NULL) {
        return refuse_push(socket, "the table of the filter has no size or no name");
    }
    if (plx__chain_is_stepping(socket)) {
        return refuse_push(socket, "a step of a filter runs");
    }
    bool encrypts = (table->flags & PLX_FILTER_ENCRYPTS) != 0;
    if (encrypts && socket->state != PLX_UNCONNECTED && socket->in.size > 0) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION,
                                  "push filter %s: received bytes are unread, and were not "
                                  "encrypted",
                                  table->name);
    }
    return 0;
}

static bool may_push(const plx_socket *socket)
{
    return !socket->hold.freed &&
           (socket->state == PLX_UNCONNECTED || plx__socket_is_connecting(socket) ||
            socket->state == PLX_CONNECTED);
}

plx_filter *plx_socket_push_filter(plx_socket *socket, const plx_filter_kind *table)
{
    if (socket == NULL || check_table(socket, table) != 0) {
        return NULL;
    }
    if (!may_push(socket)) {
        plx__socket_fail_state(socket, "push a filter");
        return NULL;
    }
    plx_filter *filter = plx__chain_new_filter(socket, table);
    if (filter == NULL) {
        plx__socket_fail_memory(socket, "push filter %s", table->name);
        return NULL;
    }
    struct plx__chain *chain = plx__chain_of(socket);
    plx__chain_add(chain, filter);
    filter->is_setting = socket->state == PLX_UNCONNECTED;
    if (!filter->is_setting) {
        plx__chain_extend(chain, filter);
        plx__socket_update(socket);
    }
    return filter;
}

int plx_socket_remove_filter(plx_socket *socket, plx_filter *filter)
{
    if (socket == NULL || socket->hold.freed) {
        return PLX_INVALID_STATE;
    }
    struct plx__chain *chain = plx__chain_of(socket);
    plx_filter *found = chain == NULL ? NULL : chain->top;
    while (found != NULL && found != filter) {
        found = found->below;
    }
    if (found == NULL) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION,
                                  "remove a filter: the socket has no such filter");
    }
    if (socket->state != PLX_UNCONNECTED || plx__chain_is_stepping(socket)) {
        return plx__socket_fail_open(socket, "remove a filter");
    }
    plx__hold_enter(&socket->hold);
    plx__chain_remove(chain, filter);
    plx__socket_leave(socket);
    return 0;
}

plx_filter *plx_socket_filter(const plx_socket *socket, const plx_filter_kind *table)
{
    const struct plx__chain *chain = socket == NULL ? NULL : plx__chain_of(socket);
    plx_filter *filter = chain == NULL ? NULL : chain->bottom;
    while (filter != NULL && filter->table != table) {
        filter = filter->above;
    }
    return filter;
}

bool plx_socket_is_encrypted(const plx_socket *socket)
{
    return socket != NULL && socket->kind->is_filtered &&
           plx__chain_encrypts(plx__chain_of(socket));
}

/* ---- for steps ------------------------------------------------------------------------------- */

void *plx_filter_state(plx_filter *filter)
{
    return filter == NULL ? NULL : filter->state;
}

plx_socket *plx_filter_socket(const plx_filter *filter)
{
    return filter == NULL || filter->stack == NULL ? NULL : filter->stack->socket;
}

static int check_lower(const plx_filter *filter, const void *data, size_t size)
{
    if (filter == NULL || data == NULL || size == 0 || size > PTRDIFF_MAX) {
        return -PLX__EINVAL;
    }
    bool connected = filter->stack != NULL && filter->step != PLX__FILTER_FRESH &&
                     filter->stack->socket->watch.task != NULL;
    return connected ? 0 : -PLX__ENOTCONN;
}

ptrdiff_t plx_filter_lower_receive(plx_filter *filter, void *data, size_t size)
{
    int error = check_lower(filter, data, size);
    return error != 0 ? error : plx__step_receive(filter->stack, filter->below, data, size);
}

ptrdiff_t plx_filter_lower_send(plx_filter *filter, const void *data, size_t size)
{
    int error = check_lower(filter, data, size);
    return error != 0 ? error : plx__step_send(filter->stack, filter->below, data, size);
}

static struct plx__want want_of(unsigned want, int milliseconds)
{
    unsigned ready = (want & PLX_WANT_READ) != 0 ? PLX__READ : 0u;
    ready |= (want & PLX_WANT_WRITE) != 0 ? PLX__WRITE : 0u;
    uint64_t wait = milliseconds < 0 ? 0 : (uint64_t)milliseconds * PLX__MILLISECOND;
    return (struct plx__want){ready, milliseconds < 0 ? 0 : plx__clock_add(plx__clock_now(), wait)};
}

void plx_filter_set_want(plx_filter *filter, unsigned want, int milliseconds)
{
    if (filter == NULL || filter->stack == NULL) {
        return;
    }
    if (filter->stack->noted.filter == filter) {
        filter->want = want_of(want, milliseconds);
        filter->has_want = true;
    } else if (filter->stack->depth > 0) {
        return; /* a step of another filter runs */
    } else if (filter->stack->socket->kind->is_filtered) {
        plx__chain_stir(plx__chain_of(filter->stack->socket));
        plx__socket_update(filter->stack->socket);
    }
}

void plx_filter_ask(plx_filter *filter)
{
    if (filter != NULL && filter->stack != NULL && filter->stack->socket->watch.task != NULL) {
        filter->asks = true;
        filter->stack->socket->pending |= PLX__EVENT_BIT(PLX__EVENT_ASK);
        plx__task_schedule(&filter->stack->socket->task);
    }
}
