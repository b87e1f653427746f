/* lib/socket/options.c -- options, remembered until the descriptor exists. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/base/memory.h"
#include "lib/socket/object.h"
#include "lib/socket/options.h"

const int plx__option_defaults[PLX__OPTION_COUNT] = {
    [PLX_OPTION_LOW_DELAY] = 1,           [PLX_OPTION_PROTOCOL] = 2,
    [PLX_OPTION_CONNECT_TIMEOUT] = 30000, [PLX_OPTION_LINGER_TIMEOUT] = 30000,
    [PLX_OPTION_ROUTER_HOPS] = 32,        [PLX_OPTION_BROADCAST] = 1,
};

bool plx__options_make(plx_socket *socket)
{
    if (socket->options == NULL) {
        socket->options = plx__memory_new(sizeof *socket->options);
    }
    return socket->options != NULL;
}

bool plx__options_copy(plx_socket *to, const plx_socket *from)
{
    if (from->options == NULL) {
        return true;
    }
    if (!plx__options_make(to)) {
        return false;
    }
    to->options->set |= from->options->set;
    for (plx__option_set rest = from->options->set; rest != 0; rest &= rest - 1) {
        unsigned option = PLX__LOWEST_BIT(rest);
        to->options->values[option] = from->options->values[option];
    }
    return true;
}

void plx__options_apply(plx_socket *socket, plx__fd descriptor)
{
    plx__option_set wanted =
        socket->kind->defaults | (socket->options == NULL ? 0 : socket->options->set);
    wanted &= socket->kind->options & ~PLX__OPTIONS_OBEYED;
    for (unsigned option = 0; wanted != 0; option++, wanted >>= 1) {
        if ((wanted & 1) != 0) {
            plx__os_set_option(descriptor, (plx_option)option,
                               plx__option_value(socket->options, (plx_option)option));
        }
    }
    if (socket->kind->prepare != NULL) {
        socket->kind->prepare(descriptor);
    }
}

plx__fd plx__options_open(plx_socket *socket, enum plx__family family)
{
    plx__fd descriptor = plx__os_socket(family, socket->kind->transport->type);
    if (descriptor >= 0) {
        plx__options_apply(socket, descriptor);
    }
    return descriptor;
}
