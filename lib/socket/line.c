/* lib/socket/line.c -- the line at the front of a stream. */
#include "config.h"

#include "lib/socket/line.h"

#include <string.h>

/* No byte is searched twice: a line that arrives byte by byte costs linear time. */
size_t plx__line_length(plx_socket *socket)
{
    const uint8_t *data = plx__buffer_data(&socket->in);
    const uint8_t *end = memchr(data + socket->no_line, '\n', socket->in.size - socket->no_line);
    socket->no_line = end == NULL ? socket->in.size : (size_t)(end - data);
    return end == NULL ? 0 : socket->no_line + 1;
}

/* The bytes behind the new ones need no new search. */
void plx__line_given_back(plx_socket *socket, size_t size)
{
    const uint8_t *first = plx__buffer_data(&socket->in);
    const uint8_t *end = memchr(first, '\n', size);
    socket->no_line = end == NULL ? socket->no_line + size : (size_t)(end - first);
}
