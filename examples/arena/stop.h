/* arena/stop.h -- ending a process in good order when a signal asks for it. */
#ifndef ARENA_STOP_H
#define ARENA_STOP_H

#include <stdbool.h>

/* stop_on_signals makes SIGINT, SIGTERM and SIGHUP set a flag, which the loops of all roles check
 * once a frame. A signal that the parent ignores stays ignored. */
void stop_on_signals(void);

/* stop_is_wanted returns whether such a signal has arrived. */
bool stop_is_wanted(void);

#endif
