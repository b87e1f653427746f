/* lib/base/mix.h -- numbers that look random: the finishing steps of SplitMix64 (Steele, Lea, Flood,
 * 2014), by which each bit of a number changes half of the bits of the result. */
#ifndef PLX_LIB_MIX_H
#define PLX_LIB_MIX_H

#include <stdint.h>

/* plx__mix returns the number that belongs to this one; different numbers have different ones. */
static inline uint64_t plx__mix(uint64_t number)
{
    number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
    return number ^ (number >> 31);
}

#endif
