/* tests/model/supply.h -- the memory of a program: counted, and refused with a probability. */
#ifndef POLLUX_TESTS_MODEL_SUPPLY_H
#define POLLUX_TESTS_MODEL_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

/* supply_begin makes the library get its memory here, `fenced` as in fence.h. supply_refuse refuses
 * `thousandths` of all requests from now on, 1000: all of them. */
void supply_begin(uint64_t seed, bool fenced);
void supply_refuse(int thousandths);
void supply_refuse_one(int after); /* one request, after that number of them */
bool supply_refuses(void);
bool supply_has_refused(void); /* since supply_begin */
long supply_blocks(void);      /* that live */
long supply_refused(void);     /* requests, in all programs */

#endif
