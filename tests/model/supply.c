/* tests/model/supply.c -- the memory of a program. */
#include "config.h"

#include "tests/model/supply.h"

#include "tests/model/chance.h"
#include "tests/model/fence.h"
#include "tests/model/ground.h"

#include <pollux.h>
#include <stdlib.h>

static struct {
    struct chance chance;
    long blocks, refused, refused_before;
    int thousandths;
    bool fenced;
    int left; /* requests until one is refused, with that one; 0: none will be */
} supply;

static void *resize(void *block, size_t size, void *user)
{
    void *result;

    (void)user;
    if (size == 0) {
        supply.blocks -= block != NULL;
        if (supply.fenced)
            fence_free(block);
        else
            free(block);
        return NULL;
    }
    if ((supply.thousandths > 0 && chance_of(&supply.chance, 1000) < supply.thousandths) ||
        (supply.left > 0 && --supply.left == 0)) {
        supply.refused++;
        return NULL;
    }
    result = supply.fenced ? fence_resize(block, size) : realloc(block, size);
    supply.blocks += block == NULL && result != NULL;
    return result;
}

void supply_begin(uint64_t seed, bool fenced)
{
    fences_end();
    supply.fenced = supply.blocks == 0 ? fenced : supply.fenced;
    supply.chance = chance_for(seed, 9, 0);
    supply.refused_before = supply.refused;
    supply.thousandths = supply.left = 0;
    plx_memory_set(resize, NULL);
}

void supply_refuse(int thousandths)
{
    supply.thousandths = thousandths;
    supply.left = 0;
}

void supply_refuse_one(int after)
{
    supply.left = after + 1;
}

bool supply_refuses(void)
{
    return supply.thousandths > 0 || supply.left > 0;
}

bool supply_has_refused(void)
{
    return supply.refused > supply.refused_before || ground_has_refused();
}

long supply_blocks(void)
{
    return supply.blocks;
}

long supply_refused(void)
{
    return supply.refused;
}
