/* lib/base/hold.h -- how an object survives its handlers.
 *
 * An object whose handler runs is held. Freeing a held object only marks it as freed; the last
 * plx__hold_leave has the object destroyed. A zeroed struct is not held. */
#ifndef PLX_LIB_HOLD_H
#define PLX_LIB_HOLD_H

#include <stdbool.h>
#include <stdint.h>

struct plx__hold {
    uint16_t count;
    bool freed;
};

/* plx__hold_enter keeps the object valid until the matching plx__hold_leave. */
static inline void plx__hold_enter(struct plx__hold *hold)
{
    hold->count++;
}

/* plx__hold_leave returns true when the object has been freed and this was the last hold: the
 * caller then destroys the object. */
static inline bool plx__hold_leave(struct plx__hold *hold)
{
    hold->count--;
    return hold->freed && hold->count == 0;
}

/* plx__hold_free marks the object as freed and returns true when nothing holds it: the caller then
 * destroys the object. */
bool plx__hold_free(struct plx__hold *hold);

#endif
