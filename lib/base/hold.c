/* lib/base/hold.c -- how an object survives its handlers. */
#include "config.h"

#include "lib/base/hold.h"

bool plx__hold_free(struct plx__hold *hold)
{
    bool again = hold->freed;
    hold->freed = true;
    return !again && hold->count == 0;
}
