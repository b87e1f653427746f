/* tests/model/time.h -- the clock of a program: the kernel's, or one that stands, jumps or ends. */
#ifndef POLLUX_TESTS_MODEL_TIME_H
#define POLLUX_TESTS_MODEL_TIME_H

#include "tests/model/program.h"

void time_begin(enum clock_kind kind);
void time_jump(int milliseconds); /* nothing with the kernel's clock */

#endif
