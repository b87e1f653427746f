/* lib/transfer/handles.h -- descriptors that ride on the bytes of a stream.
 *
 * Design: a descriptor that is to be sent is copied, and waits with the number of the byte it rides
 * on, counted from when there were first any. Sending ends before a byte that has descriptors of its
 * own, so that each sendmsg(2) carries those of its first byte.
 *
 *      queue     | bytes without | bytes ...... | bytes
 *      waiting                   ^ 5, 6         ^ 7
 *
 * What arrived waits to be taken, up to a bound: a peer must not be able to fill our table of
 * descriptors. A zeroed struct has none. */
#ifndef PLX_LIB_HANDLES_H
#define PLX_LIB_HANDLES_H

#include "lib/base/buffer.h"

#include <stddef.h>
#include <stdint.h>

struct plx__handles {
    struct plx__buffer waiting; /* to be sent: records of byte and descriptor */
    struct plx__buffer arrived; /* descriptors */
    uint64_t sent;              /* bytes */
    int failure;                /* a negative errno that the next receive is to give; 0: none */
};

/* plx__handles_queue has a copy of `descriptor` ride on the byte behind `ahead` bytes that have not
 * been sent. Returns 0 or a negative errno. */
int plx__handles_queue(struct plx__handles *handles, size_t ahead, plx__fd descriptor);

/* plx__handles_send sends bytes as plx__os_send does, and what rides on the first of them. */
ptrdiff_t plx__handles_send(struct plx__handles *handles, plx__fd socket, const void *data,
                            size_t size);

/* plx__handles_receive receives bytes as plx__os_receive does and keeps what came with them; a peer
 * that sent more than is kept is told by the next receive. Sets *ret_came to whether any came. */
ptrdiff_t plx__handles_receive(struct plx__handles *handles, plx__fd socket, void *data,
                               size_t size, bool *ret_came);

/* plx__handles_take gives away the oldest that arrived; PLX__NO_FD: there is none. */
plx__fd plx__handles_take(struct plx__handles *handles);

/* plx__handles_drop_waiting and plx__handles_drop_arrived close them. */
void plx__handles_drop_waiting(struct plx__handles *handles);
void plx__handles_drop_arrived(struct plx__handles *handles);

#endif
