/* lib/base/memory.h -- the allocator the user may replace.
 *
 * All memory of the library comes from here. A failed allocation returns NULL and changes nothing;
 * each caller checks. */
#ifndef PLX_LIB_MEMORY_H
#define PLX_LIB_MEMORY_H

#include <stddef.h>

#include <pollux/memory.h>

/* plx__memory_resize works as realloc does: block NULL allocates, size 0 frees and returns NULL.
 * Else it returns the block, moved perhaps, which you free with plx__memory_free; or NULL for want
 * of memory, with the block as it was. */
void *plx__memory_resize(void *block, size_t size);

/* plx__memory_new returns a zeroed block, which you free with plx__memory_free; NULL for want of
 * memory, and for size 0. */
void *plx__memory_new(size_t size);

/* plx__memory_free frees a block; NULL is nothing. */
void plx__memory_free(void *block);

/* plx__memory_copy returns a copy of `size` bytes with a zero byte behind them, which you free with
 * plx__memory_free; NULL for want of memory. */
char *plx__memory_copy(const void *data, size_t size);

/* plx__memory_copy_text is the same for a text; NULL also for NULL. */
char *plx__memory_copy_text(const char *text);

#endif
