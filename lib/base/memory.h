/* lib/base/memory.h -- the allocator that the user may replace.
 *
 * All memory of the library comes from these functions. An allocation that fails returns NULL and
 * changes nothing; each caller checks the result. */
#ifndef PLX_LIB_MEMORY_H
#define PLX_LIB_MEMORY_H

#include <stddef.h>

#include <pollux/memory.h>

/* plx__memory_resize works as realloc does: it allocates when block is NULL, and frees and returns
 * NULL when size is 0. Else it returns the block, possibly at another address, which the caller
 * frees with plx__memory_free; NULL when out of memory, with the block unchanged. */
void *plx__memory_resize(void *block, size_t size);

/* plx__memory_new returns a zeroed block, which the caller frees with plx__memory_free; NULL when
 * out of memory, and for size 0. */
void *plx__memory_new(size_t size);

/* plx__memory_free frees a block; for NULL it does nothing. */
void plx__memory_free(void *block);

/* plx__memory_copy returns a copy of `size` bytes and a zero byte behind them, which the caller
 * frees with plx__memory_free; NULL when out of memory. */
char *plx__memory_copy(const void *data, size_t size);

/* plx__memory_copy_text copies a string as plx__memory_copy copies bytes; NULL also for NULL. */
char *plx__memory_copy_text(const char *text);

#endif
