/* lib/transfer/handles.h -- descriptors that ride on the bytes of a stream (SCM_RIGHTS, unix(7)).
 *
 * Design: plx__handles_queue copies a descriptor (F_DUPFD_CLOEXEC). The copy waits with the number
 * of the byte that it rides on, counted from the first byte sent this way. A sendmsg(2) ends before
 * the next byte that has descriptors, so each sendmsg(2) carries the descriptors of its first byte.
 *
 *      queue     | bytes without | bytes ...... | bytes
 *      waiting                   ^ 5, 6         ^ 7
 *
 * Received descriptors wait for plx__handles_take, up to a bound: a peer must not be able to fill
 * the process's table of descriptors. A zeroed struct holds no descriptor. */
#ifndef PLX_LIB_HANDLES_H
#define PLX_LIB_HANDLES_H

#include "lib/base/buffer.h"

#include <stddef.h>
#include <stdint.h>

struct plx__handles {
    struct plx__buffer waiting; /* to be sent: records of byte and descriptor */
    struct plx__buffer arrived; /* descriptors */
    uint64_t sent;              /* bytes */
    int failure;                /* a negative errno that the next receive returns; 0: none */
};

/* plx__handles_queue queues a copy of `descriptor` for the byte that follows the next `ahead`
 * unsent bytes. Returns 0 or a negative errno. */
int plx__handles_queue(struct plx__handles *handles, size_t ahead, plx__fd descriptor);

/* plx__handles_send sends bytes as plx__os_send does, and the descriptors that ride on these
 * bytes. */
ptrdiff_t plx__handles_send(struct plx__handles *handles, plx__fd socket, const void *data,
                            size_t size);

/* plx__handles_receive receives bytes as plx__os_receive does, and keeps the descriptors that
 * arrive with the bytes. After more descriptors than it can keep, the next call returns
 * -ETOOMANYREFS. Sets *ret_came to whether descriptors arrived. */
ptrdiff_t plx__handles_receive(struct plx__handles *handles, plx__fd socket, void *data,
                               size_t size, bool *ret_came);

/* plx__handles_take returns the oldest received descriptor, which the caller then owns; PLX__NO_FD:
 * there is none. */
plx__fd plx__handles_take(struct plx__handles *handles);

/* plx__handles_drop_waiting closes the copies that wait, plx__handles_drop_arrived the received
 * descriptors. */
void plx__handles_drop_waiting(struct plx__handles *handles);
void plx__handles_drop_arrived(struct plx__handles *handles);

#endif
