/* lib/base/hold.c -- how an object survives its handlers. */
#include "config.h"

#include "lib/base/hold.h"

void plx__hold_enter(struct plx__hold *hold)
{
    hold->count++;
}

bool plx__hold_leave(struct plx__hold *hold)
{
    hold->count--;
    return hold->freed && hold->count == 0;
}

bool plx__hold_free(struct plx__hold *hold)
{
    bool again = hold->freed;
    hold->freed = true;
    return !again && hold->count == 0;
}
