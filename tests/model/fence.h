/* tests/model/fence.h -- memory that nobody can use beyond its end or after its free: each block
 * has pages of its own, and the process crashes at once. */
#ifndef POLLUX_TESTS_MODEL_FENCE_H
#define POLLUX_TESTS_MODEL_FENCE_H

#include <stddef.h>

/* fence_resize is realloc(3) for a size that is not 0. fences_end gives the pages of freed blocks
 * back, which until then nobody gets again. */
void *fence_resize(void *block, size_t size);
void fence_free(void *block);
void fences_end(void);

#endif
