/* tests/model/chance.h -- numbers that follow from a seed (splitmix64, Steele and others 2014). */
#ifndef POLLUX_TESTS_MODEL_CHANCE_H
#define POLLUX_TESTS_MODEL_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t x = chance->state += 0x9E3779B97F4A7C15u;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* chance_of returns a number from 0 to `count` - 1, chance_in whether `percent` of 100 happen. */
static inline int chance_of(struct chance *chance, int count)
{
    return (int)(chance_next(chance) % (uint64_t)count);
}

static inline bool chance_in(struct chance *chance, int percent)
{
    return chance_of(chance, 100) < percent;
}

/* chance_for returns the numbers of the call `index` of a list, which do not depend on the calls
 * before it: a call that is left out changes no other one. */
static inline struct chance chance_for(uint64_t seed, int list, int index)
{
    struct chance chance = {seed * 0x9E3779B97F4A7C15u + (uint64_t)list * 1000003u +
                            (uint64_t)index * 7919u};

    chance_next(&chance);
    return (struct chance){chance_next(&chance)};
}

#endif
