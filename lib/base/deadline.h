/* lib/base/deadline.h -- deadlines, and the heap that knows the earliest one.
 *
 * Design: an intrusive pairing heap, which allocates nothing and never walks all its members. The
 * heap is lazy: when a deadline moves later, as an idle time-out does with every byte, only `at` is
 * written, and the place in the heap is corrected when the deadline reaches the root. A deadline
 * that moves earlier is removed and inserted again.
 *
 *      at      when the deadline is due, in nanoseconds of lib/base/clock.h; 0: never
 *      key     the moment by which the heap orders it; 0: it is not in the heap
 *
 * Deadlines with the same key are taken in the order in which they were inserted. The heap needs no
 * number for that: the children of a deadline are in a circle, in which older ones precede younger
 * ones, and a tree that is older than its new parent is put in front of the parent's children.
 *
 *      parent --child--> last --next--> first --next--> ... --> last
 *                                       first --previous--> parent
 *
 * Invariant: key <= at for a deadline that is in the heap and is not unset. A zeroed deadline is
 * unset and valid, a zeroed heap is empty. An owner that is polled alone has no heap and compares
 * `at` itself. */
#ifndef PLX_LIB_DEADLINE_H
#define PLX_LIB_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

struct plx__deadline {
    uint64_t at;
    uint64_t key;
    struct plx__deadline *child;    /* the last one */
    struct plx__deadline *next;     /* the sibling after, or the first child for the last one */
    struct plx__deadline *previous; /* the sibling before, or the parent of a first child */
};

struct plx__deadlines {
    struct plx__deadline *root;
};

/* plx__deadline_set makes `deadline` due at `at`, 0 for never. `deadlines` may be NULL: then the
 * call only writes `at`. */
void plx__deadline_set(struct plx__deadlines *deadlines, struct plx__deadline *deadline,
                       uint64_t at);

/* plx__deadline_remove removes `deadline` from the heap and leaves `at` as it is. */
void plx__deadline_remove(struct plx__deadlines *deadlines, struct plx__deadline *deadline);

/* plx__deadlines_next returns the earliest moment at which a deadline is due, or 0. */
uint64_t plx__deadlines_next(struct plx__deadlines *deadlines);

/* plx__deadlines_take removes one deadline that is due at `now` from the heap and returns it, or
 * NULL. Its `at` stays: an owner that leaves the heap before it is served must not forget the
 * moment. */
struct plx__deadline *plx__deadlines_take(struct plx__deadlines *deadlines, uint64_t now);

#endif
