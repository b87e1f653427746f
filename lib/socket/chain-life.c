/* lib/socket/chain-life.c -- making and freeing a chain, adding and removing its filters. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/socket/chain.h"
#include "lib/socket/filtered.h"

static const struct plx__detour detour = {
    plx__chain_input,    plx__chain_receive, plx__chain_send,     plx__chain_pending,
    plx__chain_shutdown, plx__chain_wake,    plx__chain_deadline,
};

static struct plx__chain *make_chain(plx_socket *socket)
{
    struct plx__chain *chain = plx__chain_of(socket);
    if (chain == NULL) {
        chain = plx__memory_new(sizeof *chain);
        if (chain != NULL) {
            plx__filtered_put(socket, &chain->filtered, &detour);
            chain->stack.socket = socket;
            chain->stack.kind = chain->filtered.plain;
        }
    }
    return chain;
}

plx_filter *plx__chain_new_filter(plx_socket *socket, const plx_filter_kind *table)
{
    plx_filter *filter = plx__step_new(table);
    if (filter != NULL && make_chain(socket) == NULL) {
        plx__step_free(filter);
        filter = NULL;
    }
    return filter;
}

void plx__chain_add(struct plx__chain *chain, plx_filter *filter)
{
    filter->stack = &chain->stack;
    filter->below = chain->top;
    if (chain->top != NULL) {
        chain->top->above = filter;
    } else {
        chain->bottom = filter;
    }
    chain->top = filter;
}

void plx__chain_add_first(struct plx__chain *chain, plx_filter *filter)
{
    filter->stack = &chain->stack;
    filter->above = chain->bottom;
    if (chain->bottom != NULL) {
        chain->bottom->below = filter;
    } else {
        chain->top = filter;
    }
    chain->bottom = filter;
}

static void free_chain(struct plx__chain *chain)
{
    plx__filtered_take(chain->stack.socket, &chain->filtered);
    plx__memory_free((void *)chain->remote.long_path);
    plx__memory_free(chain);
}

void plx__chain_remove(struct plx__chain *chain, plx_filter *filter)
{
    plx_filter **from_above = filter->above != NULL ? &filter->above->below : &chain->top;
    plx_filter **from_below = filter->below != NULL ? &filter->below->above : &chain->bottom;
    *from_above = filter->below;
    *from_below = filter->above;
    /* `forget` neither pushes nor removes filters, because the caller walks the chain. */
    chain->stack.depth++;
    plx__step_free(filter);
    chain->stack.depth--;
    if (chain->top == NULL) {
        free_chain(chain);
    }
}

void plx__chain_trim(plx_socket *socket, bool all)
{
    struct plx__chain *chain = plx__chain_of(socket);
    plx_filter *below;
    for (plx_filter *filter = chain->top; filter != NULL; filter = below) {
        below = filter->below;
        if (all || !filter->is_setting) {
            plx__chain_remove(chain, filter);
        }
    }
}
