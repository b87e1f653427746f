/* lib/base/memory.c -- the allocator the user may replace. */
#include "config.h"

#include "lib/base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *resize_by_realloc(void *block, size_t size, void *user)
{
    (void)user;
    /* C17 does not define what realloc does with size 0, and C23 forbids it. */
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

/* One of the globals of the library (lib/os/clock.c names the others). An allocator for each object
 * would cost a pointer per block and an argument in every call, and no program has two allocators.
 */
static struct {
    void *(*resize)(void *block, size_t size, void *user);
    void *user;
} allocator = {resize_by_realloc, NULL};

void plx_memory_set(void *(*resize)(void *block, size_t size, void *user), void *user)
{
    allocator.resize = resize != NULL ? resize : resize_by_realloc;
    allocator.user = resize != NULL ? user : NULL;
}

void *plx_memory_resize(void *block, size_t size)
{
    return plx__memory_resize(block, size);
}

void *plx__memory_resize(void *block, size_t size)
{
    /* Such a size is a mistake or an attack, whatever the user's function would do with it. */
    if (size > PTRDIFF_MAX) {
        return NULL;
    }
    /* Nothing to free: the user's function receives only blocks that it allocated. */
    if (block == NULL && size == 0) {
        return NULL;
    }
    return allocator.resize(block, size, allocator.user);
}

void *plx__memory_new(size_t size)
{
    void *block = plx__memory_resize(NULL, size);
    if (block != NULL) {
        memset(block, 0, size);
    }
    return block;
}

void plx__memory_free(void *block)
{
    (void)plx__memory_resize(block, 0);
}

char *plx__memory_copy(const void *data, size_t size)
{
    char *copy = size == SIZE_MAX ? NULL : plx__memory_resize(NULL, size + 1);
    if (copy != NULL) {
        memcpy(copy, data, size);
        copy[size] = '\0';
    }
    return copy;
}

char *plx__memory_copy_text(const char *text)
{
    return text == NULL ? NULL : plx__memory_copy(text, strlen(text));
}
