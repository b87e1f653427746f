/* lib/socket/line.h -- the line at the front of a stream. */
#ifndef PLX_LIB_LINE_H
#define PLX_LIB_LINE_H

#include "lib/socket/object.h"
#include "lib/socket/rare.h"

/* plx__line_length returns the length of the first line with its end; 0: there is no whole line. */
size_t plx__line_length(plx_socket *socket);

/* plx__line_taken is called after `size` bytes were taken from the front, or with SIZE_MAX after
 * all were dropped. */
static inline void plx__line_taken(plx_socket *socket, size_t size)
{
    struct plx__rare *rare = socket->rare;
    if (rare != NULL) {
        rare->no_line -= size < rare->no_line ? size : rare->no_line;
    }
}

/* plx__line_given_back is called after `size` bytes were put before the front. */
void plx__line_given_back(plx_socket *socket, size_t size);

#endif
