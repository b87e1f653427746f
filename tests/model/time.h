/* tests/model/time.h -- the clock of a program: the kernel's, or one that stands, jumps or ends. */
#ifndef POLLUX_TESTS_MODEL_TIME_H
#define POLLUX_TESTS_MODEL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/model/program.h"

void time_begin(enum clock_kind kind);
void time_jump(int milliseconds); /* nothing with the kernel's clock */

/* time_mark notes the present moment, before the library reads its clock for what follows;
 * time_marked returns it. A jump is a mark too. */
void time_mark(void);
uint64_t time_marked(void);

/* time_pass lets that number of milliseconds pass, by a jump or by a pause; false where fewer are
 * left on the clock. time_runs returns whether the clock goes on while a wait sleeps. */
bool time_pass(int milliseconds);
bool time_runs(void);
bool time_is_real(void); /* the kernel's clock, which no jump moves */

#endif
