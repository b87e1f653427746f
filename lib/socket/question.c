/* lib/socket/question.c -- the questions of filters to the program. */
#include "config.h"

#include "lib/socket/chain.h"
#include "lib/socket/question.h"
#include "lib/socket/step.h"

static plx_filter *first_asking(const plx_socket *socket)
{
    const struct plx__chain *chain = plx__chain_of(socket);
    plx_filter *filter = chain == NULL ? NULL : chain->bottom;
    while (filter != NULL && !filter->asks) {
        filter = filter->above;
    }
    return filter;
}

/* Puts one question at a time: its handler may do anything to the socket and its filters. */
void plx__question_put(plx_socket *socket)
{
    plx_filter *filter = first_asking(socket);
    if (filter == NULL) {
        return;
    }
    plx__step_ask(filter);
    if (first_asking(socket) != NULL) {
        socket->pending |= PLX__EVENT_BIT(PLX__EVENT_ASK);
    }
    if (socket->kind->is_filtered) {
        plx__chain_stir(plx__chain_of(socket));
    }
}
