/* lib/socket/read-size.h -- how much the next read of a socket asks for, after what the last one brought.
 *
 *      SMALL  a small message: a place on the stack does, and a block is made when something came
 *      BLOCK  more than that: into a block at once, without a copy
 *      BULK   all that there was room for: into a large block, which is kept while it is in use
 *
 * Each read chooses anew, so that there is no picture: every state leads to every other. SMALL is zero. */
#ifndef PLX_LIB_READ_SIZE_H
#define PLX_LIB_READ_SIZE_H

#include "lib/socket/object.h"

/* A socket whose last read brought more receives into a block at once. */
#define PLX__SMALL_MESSAGE 2048

/* plx__read_size_note notes how many bytes a read brought, and whether they filled the room for them. */
static inline void plx__read_size_note(plx_socket *socket, ptrdiff_t count, bool filled)
{
    socket->read_size = count > 0 && filled          ? PLX__READ_BULK
                        : count > PLX__SMALL_MESSAGE ? PLX__READ_BLOCK
                                                     : PLX__READ_SMALL;
}

/* plx__read_size_keep notes whether a block larger than usual is in use, for sockets of records. */
static inline void plx__read_size_keep(plx_socket *socket, bool in_use)
{
    socket->read_size = in_use ? PLX__READ_BULK : PLX__READ_SMALL;
}

#endif
