/* lib/base/base.h -- the few macros that every file needs.
 *
 * lib/base holds what needs no kernel: memory, lists, buffers, deadlines, addresses as strings,
 * errors and events. It may use only the headers of standard C and the public headers;
 * lib/base/error.c alone includes <errno.h> as well, for the names of the errnos. Every folder of
 * lib uses lib/base. */
#ifndef PLX_LIB_BASE_H
#define PLX_LIB_BASE_H

#include <stddef.h>
#include <stdint.h>

/* PLX__CONTAINER_OF returns the struct of `type` whose `member` is at `pointer`, never NULL. */
#define PLX__CONTAINER_OF(pointer, type, member)                                                   \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* PLX__COUNT_OF returns how many elements an array has; never give it a pointer. */
#define PLX__COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* PLX__PRINTF has the compiler check the arguments of a function against the function's format.
 * Both numbers are places of parameters, from 1 on; `first` is 0 when the arguments are a va_list.
 */
#if defined(__GNUC__) || defined(__clang__)
#define PLX__PRINTF(format_at, first) __attribute__((format(printf, format_at, first)))
#else
#define PLX__PRINTF(format_at, first)
#endif

/* PLX__APART keeps the compiler from inlining a function: inlined, work that few calls need would
 * make every call of the caller save registers for it. */
#if defined(__GNUC__) || defined(__clang__)
#define PLX__APART __attribute__((noinline))
#else
#define PLX__APART
#endif

/* PLX__LOWEST_BIT returns the number of the lowest bit of a 32-bit number that is not 0. */
#if defined(__GNUC__) || defined(__clang__)
#define PLX__LOWEST_BIT(bits) ((unsigned)__builtin_ctz(bits))
#else
static inline unsigned plx__lowest_bit(uint32_t bits)
{
    unsigned number = 0;
    while ((bits >> number & 1) == 0) {
        number++;
    }
    return number;
}
#define PLX__LOWEST_BIT(bits) plx__lowest_bit(bits)
#endif

#endif
