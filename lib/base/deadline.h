/* lib/base/deadline.h -- moments by which something must be done, and the heap that knows the
 * next one.
 *
 * Design: an intrusive pairing heap; nothing is allocated and nothing is ever walked. It is lazy: a
 * deadline that moves later, as an idle time-out does with every byte, only writes `at`; its place
 * in the heap is corrected when it reaches the root. One that moves earlier is put in anew.
 *
 *      at      when it is really due, in nanoseconds of lib/base/clock.h; 0: never
 *      key     where it stands in the heap; 0: not in it
 *
 * Invariant: key <= at for a deadline that stands in the heap and is still wanted. A zeroed
 * deadline is unset and valid, a zeroed heap is empty. An owner that is polled alone has no heap
 * and asks `at` itself. */
#ifndef PLX_LIB_DEADLINE_H
#define PLX_LIB_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

struct plx__deadline {
    uint64_t at;
    uint64_t key;
    struct plx__deadline *child;
    struct plx__deadline *next;
    struct plx__deadline *previous; /* the sibling before, or the parent of a first child */
};

struct plx__deadlines {
    struct plx__deadline *root;
};

/* plx__deadline_set makes `deadline` due at `at`, 0 for never. `deadlines` may be NULL: the moment
 * is only noted. */
void plx__deadline_set(struct plx__deadlines *deadlines, struct plx__deadline *deadline,
                       uint64_t at);

/* plx__deadline_remove takes `deadline` out of the heap; the moment stays noted. */
void plx__deadline_remove(struct plx__deadlines *deadlines, struct plx__deadline *deadline);

/* plx__deadlines_next returns the earliest moment at which something is due, or 0. */
uint64_t plx__deadlines_next(struct plx__deadlines *deadlines);

/* plx__deadlines_take returns one deadline that is due at `now`, taken out of the heap, or NULL. The
 * moment stays noted: an owner that leaves its heap before it is served must not forget it. */
struct plx__deadline *plx__deadlines_take(struct plx__deadlines *deadlines, uint64_t now);

#endif
