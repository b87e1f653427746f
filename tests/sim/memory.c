/* tests/sim/memory.c -- the library's memory in a run: at the same addresses each time.
 *
 * plx_socket_reconnects_in depends on the address of the socket, so that a run can be replayed only
 * if its blocks return to their places. A block is a power of two, and freed blocks of a size are
 * given out again, the last one first. */
#include "config.h"

#include "tests/sim/run.h"

#include <pollux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#endif

/* Where neither the C library nor a sanitizer puts anything. */
#define PLACE ((void *)(uintptr_t)0x200000000000)
#define SIZE ((size_t)256 << 20)

struct block {
    size_t size; /* as asked for; before it is given out again: unused */
    size_t class;
    struct block *next;
    size_t reserved;
};

static struct {
    uint8_t *start;
    size_t used;
    struct block *freed[40];
    size_t live;
    bool fails;
} arena;

static struct block *take(size_t class)
{
    struct block *block = arena.freed[class];
    size_t size = sizeof *block + ((size_t)1 << class);
    if (block != NULL) {
        arena.freed[class] = block->next;
        return block;
    }
    if (arena.used + size > SIZE) {
        fprintf(stderr, "run: the arena is full\n");
        abort();
    }
    block = (struct block *)(void *)(arena.start + arena.used);
    arena.used += size;
    return block;
}

static void *allocate(size_t size)
{
    size_t class = 5;
    while ((size_t)1 << class < size) {
        class ++;
    }
    struct block *block = take(class);
    block->size = size;
    block->class = class;
    ASAN_UNPOISON_MEMORY_REGION(block + 1, size);
    memset(block + 1, 0xA5, size);
    arena.live++;
    return block + 1;
}

static void release(struct block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block + 1, (size_t)1 << block->class);
    memset(block + 1, 0xDB, (size_t)1 << block->class);
    ASAN_POISON_MEMORY_REGION(block + 1, (size_t)1 << block->class);
    block->next = arena.freed[block->class];
    arena.freed[block->class] = block;
    arena.live--;
}

static void *resize(void *place, size_t size, void *user)
{
    struct block *block = place == NULL ? NULL : (struct block *)place - 1;
    (void)user;
    if (size == 0) {
        if (block != NULL) {
            release(block);
        }
        return NULL;
    }
    if (arena.fails && sim_chance(2000) == 0) {
        return NULL;
    }
    void *other = allocate(size);
    if (block != NULL) {
        memcpy(other, place, block->size < size ? block->size : size);
        release(block);
    }
    return other;
}

void memory_begin(bool fails)
{
    if (arena.start == NULL) {
        arena.start = mmap(PLACE, SIZE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        plx_memory_set(resize, NULL);
    }
    ASAN_UNPOISON_MEMORY_REGION(arena.start, arena.used);
    memset(arena.freed, 0, sizeof arena.freed);
    arena.used = arena.live = 0;
    arena.fails = fails;
}

void memory_fail(bool fails)
{
    arena.fails = fails;
}

void memory_calm(void)
{
    memory_fail(false);
}

size_t memory_live(void)
{
    return arena.live;
}
