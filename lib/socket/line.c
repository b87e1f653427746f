/* lib/socket/line.c -- the line at the front of a stream. */
#include "config.h"

#include "lib/socket/line.h"

#include <string.h>

/* No byte is searched twice, unless memory runs out: a line that arrives byte by byte costs linear
 * time. */
size_t plx__line_length(plx_socket *socket)
{
    size_t searched = plx__rare_of(socket)->no_line;
    const uint8_t *data = plx__buffer_data(&socket->in);
    const uint8_t *end = memchr(data + searched, '\n', socket->in.size - searched);
    size_t silent = end == NULL ? socket->in.size : (size_t)(end - data);
    struct plx__rare *rare = silent == searched ? NULL : plx__rare_make(socket);
    if (rare != NULL) {
        rare->no_line = silent;
    }
    return end == NULL ? 0 : silent + 1;
}

/* The bytes behind the new ones need no new search. */
void plx__line_given_back(plx_socket *socket, size_t size)
{
    const uint8_t *first = plx__buffer_data(&socket->in);
    const uint8_t *end = memchr(first, '\n', size);
    if (socket->rare != NULL) {
        socket->rare->no_line = end == NULL ? socket->rare->no_line + size : (size_t)(end - first);
    }
}
