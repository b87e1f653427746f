/* tests/model/fence.c -- memory that nobody can use beyond its end or after its free. */
#include "config.h"

#include "tests/model/fence.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 20000, ALIGNMENT = 16 };

/* Stands before each block. */
struct fence {
    unsigned char *pages;
    size_t length, size;
};

/* Pages of blocks that were freed, which are kept so that no other block gets their addresses. */
static struct {
    unsigned char *pages;
    size_t length;
} gone[MOST];
static size_t gone_count;

static size_t rounded(size_t size, size_t step)
{
    return (size + step - 1) / step * step;
}

static void *fence_new(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), place = rounded(size, ALIGNMENT);
    size_t head = rounded(sizeof(struct fence), ALIGNMENT);
    size_t length = rounded(place + head, page) + page;
    unsigned char *pages =
        mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *block = pages + length - page - place;
    struct fence fence = {pages, length, size};

    if (pages == MAP_FAILED || mprotect(pages + length - page, page, PROT_NONE) != 0) {
        perror("fence");
        abort();
    }
    memcpy(block - head, &fence, sizeof fence);
    return block;
}

static struct fence fence_of(const void *block)
{
    struct fence fence;

    memcpy(&fence, (const unsigned char *)block - rounded(sizeof fence, ALIGNMENT), sizeof fence);
    return fence;
}

void fence_free(void *block)
{
    struct fence fence;

    if (block == NULL)
        return;
    fence = fence_of(block);
    if (gone_count == MOST || mprotect(fence.pages, fence.length, PROT_NONE) != 0) {
        munmap(fence.pages, fence.length);
        return;
    }
    gone[gone_count].pages = fence.pages;
    gone[gone_count++].length = fence.length;
}

void *fence_resize(void *block, size_t size)
{
    void *result = fence_new(size);

    if (block != NULL) {
        size_t before = fence_of(block).size;

        memcpy(result, block, before < size ? before : size);
        fence_free(block);
    }
    return result;
}

void fences_end(void)
{
    while (gone_count > 0) {
        gone_count--;
        munmap(gone[gone_count].pages, gone[gone_count].length);
    }
}
