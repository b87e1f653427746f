/* deflate.h -- a filter that compresses what a socket sends, and decompresses what it receives. */
#ifndef DEFLATE_H
#define DEFLATE_H

#include <pollux.h>

/* Both ends push this filter: plx_socket_push_filter(socket, &deflate_filter). */
extern const plx_filter_kind deflate_filter;

/* deflate_count returns how many bytes were sent and received as the program sees them, and as the
 * network does. 0 for NULL. */
struct deflate_count {
    unsigned long program, network;
};
struct deflate_count deflate_count(plx_filter *filter);

#endif
