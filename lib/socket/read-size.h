/* lib/socket/read-size.h -- how much the next read of a stream asks for.
 *
 *             the last read brought    the next read uses
 *      SMALL  a small message          a buffer on the stack, and copies its bytes into a block
 *      BLOCK  more than that           a block, without a copy
 *      BULK   all there was room for,  a large block, which is kept while it is in use
 *             or more than a block
 *
 * Each read chooses anew: every state leads to every other. SMALL is zero. */
#ifndef PLX_LIB_READ_SIZE_H
#define PLX_LIB_READ_SIZE_H

#include "lib/base/buffer.h"
#include "lib/socket/object.h"

enum plx__read_size { PLX__READ_SMALL, PLX__READ_BLOCK, PLX__READ_BULK };

/* If the last read brought more than this many bytes, the next one uses a block at once. */
#define PLX__SMALL_MESSAGE 2048

/* plx__read_size_note chooses by how many bytes a read brought, and whether they filled the
 * room. */
static inline void plx__read_size_note(plx_socket *socket, ptrdiff_t count, bool filled)
{
    bool much = count > (ptrdiff_t)PLX__BUFFER_BLOCK;
    socket->read_size = count > 0 && (filled || much) ? PLX__READ_BULK
                        : count > PLX__SMALL_MESSAGE  ? PLX__READ_BLOCK
                                                      : PLX__READ_SMALL;
}

#endif
