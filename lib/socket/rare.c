/* lib/socket/rare.c -- what most sockets never have. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/socket/rare.h"

const struct plx__rare plx__no_rare;

struct plx__rare *plx__rare_make(plx_socket *socket)
{
    if (socket->rare == NULL) {
        socket->rare = plx__memory_new(sizeof *socket->rare);
    }
    return socket->rare;
}
