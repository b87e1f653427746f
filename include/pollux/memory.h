/* pollux/memory.h -- where the library gets its memory from. */
#ifndef POLLUX_MEMORY_H
#define POLLUX_MEMORY_H

#include <stddef.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_memory_set makes the library take all its memory from `resize`, which works as realloc does:
 * block NULL allocates, size 0 frees and returns NULL, and NULL for any other size means that there
 * is no memory and leaves the block as it was. Blocks are aligned as malloc's are. `user` is handed
 * on. NULL for `resize` goes back to the C library's realloc. Call it before the first object is
 * made: a block is freed by the function that is set then. It and the clock are the only settings
 * that all threads share, so `resize` must allow calls from every thread that uses a socket. What
 * the C library and the resolver allocate for themselves does not go through it. */
PLX_API void plx_memory_set(void *(*resize)(void *block, size_t size, void *user), void *user);

PLX_END_DECLS

#endif
