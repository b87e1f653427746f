/* tests/counting.c -- see counting.h. */
#include "config.h"

#include "tests/counting.h"

#include <pollux.h>

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ---- memory ---------------------------------------------------------------------------------- */

/* Stands before each block, so that a block's size is known when it is freed. */
union header {
    size_t size;
    max_align_t align;
};

static size_t blocks, block_bytes, peak_bytes, allocations;
static int until_failure; /* allocations until one fails; negative: until all fail; 0: none does */
static bool has_failed;

static bool must_fail(void)
{
    if (until_failure == 0)
        return false;
    if (until_failure == -1) /* from now on */
        return has_failed = true;
    until_failure += until_failure > 0 ? -1 : 1;
    if (until_failure != 0)
        return false;
    return has_failed = true;
}

static void *counting_resize(void *block, size_t size, void *user)
{
    union header *header = block == NULL ? NULL : (union header *)block - 1;
    size_t before = header == NULL ? 0 : header->size;

    (void)user;
    if (size == 0) {
        blocks -= block != NULL;
        block_bytes -= before;
        free(header);
        return NULL;
    }
    allocations++;
    if (must_fail() || size > PTRDIFF_MAX - sizeof *header)
        return NULL;
    header = realloc(header, size + sizeof *header);
    if (header == NULL)
        return NULL;
    header->size = size;
    blocks += block == NULL;
    block_bytes += size - before;
    peak_bytes = block_bytes > peak_bytes ? block_bytes : peak_bytes;
    return header + 1;
}

void count_memory(void)
{
    plx_memory_set(counting_resize, NULL);
}

void fail_allocation(int number)
{
    until_failure = number;
    has_failed = false;
}

bool allocation_failed(void)
{
    return has_failed;
}

size_t count_bytes(void)
{
    return block_bytes;
}

size_t count_peak_bytes(void)
{
    return peak_bytes;
}

size_t count_blocks(void)
{
    return blocks;
}

size_t count_allocations(void)
{
    return allocations;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

int count_sockets(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat status;
    int count = 0;

    if (folder == NULL)
        return -1;
    while ((entry = readdir(folder)) != NULL)
        count += fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && S_ISSOCK(status.st_mode);
    closedir(folder);
    return count;
}
