/* tests/model/watchdog.h -- a process that plays programs, and one that watches it.
 *
 * The player may crash, and a call may never return: so it is a process of its own, and after each
 * such fault the next program begins in a new one. */
#ifndef POLLUX_TESTS_MODEL_WATCHDOG_H
#define POLLUX_TESTS_MODEL_WATCHDOG_H

#include <stdbool.h>

#include "tests/model/program.h"
#include "tests/model/trace.h"

/* watchdog_page returns the page that the watched processes write. */
struct page *watchdog_page(void);

/* watchdog_run calls `work` with `user` in a process of its own. Returns false if that process has
 * crashed or has hung, which is then the fault on the page. */
bool watchdog_run(void (*work)(void *user), void *user);

#endif
