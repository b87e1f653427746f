/* lib/socket/rare.h -- what most sockets never have.
 *
 * Design: each connection costs the size of a plx_socket, and a server has many. So what a client
 * of a server usually never has is behind one pointer, `rare`, made on demand and freed with the
 * socket. Reading needs no memory: a socket without it reads the const one, in which all is
 * zero. */
#ifndef PLX_LIB_RARE_H
#define PLX_LIB_RARE_H

#include "lib/socket/object.h"

struct plx__commands;
struct plx__framing;
struct plx__handles;
struct plx__properties;
struct plx__race;
struct plx__route;
struct plx__urgent;

struct plx__rare {
    struct plx__race *race;             /* HOST_LOOKUP and CONNECTING; else NULL */
    struct plx__framing *framing;       /* NULL: the stream is not cut into messages */
    struct plx__commands *commands;     /* NULL: the socket never had commands */
    struct plx__properties *properties; /* NULL: plx__no_properties */
    struct plx__handles *handles;       /* lib/transfer/handles.h; NULL: the kind has made none */
    struct plx__route *route;           /* lib/socket/route.h; NULL: straight to the peer */
    struct plx__urgent *urgent;         /* lib/kind/tcp.c; NULL: no call has asked for it */
    size_t no_line;                     /* this many bytes at the front hold no end of line */
    size_t lifted;                      /* a read or a message needs this many bytes */
};

/* All of it as it is when nothing was made. */
extern const struct plx__rare plx__no_rare;

/* plx__rare_of returns it for reading, plx__rare_make for writing: NULL when memory ran out. */
static inline const struct plx__rare *plx__rare_of(const plx_socket *socket)
{
    return socket->rare != NULL ? socket->rare : &plx__no_rare;
}

struct plx__rare *plx__rare_make(plx_socket *socket);

#endif
