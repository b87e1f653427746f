/* pollux/memory.h -- the function from which the library gets its memory. */
#ifndef POLLUX_MEMORY_H
#define POLLUX_MEMORY_H

#include <stddef.h>

#include <pollux/export.h>

PLX_BEGIN_DECLS

/* plx_memory_set makes the library get all its memory from `resize`, which works as realloc does: a
 * NULL block allocates, size 0 frees and returns NULL. For any other size, NULL means that there is
 * no memory and that the block is unchanged. Blocks are aligned as malloc's are. The library passes
 * `user` to `resize`. NULL for `resize` restores the C library's realloc.
 * Call plx_memory_set before you make the first object: the library frees a block by the function
 * that is set at that time. This function, the clock and the resolver are the only settings that all
 * threads share, so `resize` must allow calls from every thread that uses a socket. The library does
 * not call `resize` for what the C library and the resolver allocate for themselves. */
PLX_API void plx_memory_set(void *(*resize)(void *block, size_t size, void *user), void *user);

/* plx_memory_resize gets memory as the library does, from the function that plx_memory_set has set:
 * NULL allocates, size 0 frees and returns NULL. NULL when there is no memory, with the block
 * unchanged. For filters (pollux/filter.h). */
PLX_API void *plx_memory_resize(void *block, size_t size);

PLX_END_DECLS

#endif
