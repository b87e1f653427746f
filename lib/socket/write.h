/* lib/socket/write.h -- what the calls that write share. */
#ifndef PLX_LIB_WRITE_H
#define PLX_LIB_WRITE_H

#include "lib/socket/object.h"

/* plx__socket_check_write checks whether the program may write `size` bytes now. Returns 0, or a
 * code after plx__socket_fail. */
int plx__socket_check_write(plx_socket *socket, const void *data, size_t size);

/* plx__socket_add_record checks and queues a record as the transport's `add` does. `data` is only
 * compared with NULL. */
int plx__socket_add_record(plx_socket *socket, size_t before, const void *data, size_t size,
                           uint8_t **ret_place);

/* plx__socket_taken returns what a call that counts bytes returns, for the code of a call that
 * queues all `size` bytes or none. */
ptrdiff_t plx__socket_taken(int code, size_t size);

/* plx__socket_write_whole queues all bytes, as one record where there are records, or none. Returns
 * 0; EAGAIN at WRITE_LIMIT, and room_available follows; or a code after plx__socket_fail. `head` is
 * the number of a command that precedes the data, for records only; NULL: none. */
int plx__socket_write_whole(plx_socket *socket, const uint8_t *head, const void *data, size_t size);

/* plx__socket_lacks_room returns whether WRITE_LIMIT keeps a stream from queueing `size` bytes
 * together; then room_available follows. An empty queue takes any number: otherwise more than
 * WRITE_LIMIT could never leave. */
bool plx__socket_lacks_room(plx_socket *socket, size_t size);

/* plx__socket_stays_writable returns whether the connection is established and neither the program
 * nor the peer nor a failure is ending it, and PLX_OPTION_DIRECTION allows writing. */
bool plx__socket_stays_writable(const plx_socket *socket);

/* plx__socket_refuses_write returns whether PLX_OPTION_DIRECTION forbids writing, or there are no
 * bytes at `data`, after plx__socket_fail. */
bool plx__socket_refuses_write(plx_socket *socket, const void *data, size_t size);

#endif
