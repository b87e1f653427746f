/* tests/model/timeouts.h -- what the time-outs of a socket do: none is over early, and each ends
 * what it limits. */
#ifndef POLLUX_TESTS_MODEL_TIMEOUTS_H
#define POLLUX_TESTS_MODEL_TIMEOUTS_H

#include "tests/model/model.h"

/* timeouts_begin follows the beginning of a connection, timeouts_connected its event,
 * timeouts_closing a disconnect, timeouts_set an option: the time-outs begin then, or later. */
void timeouts_begin(struct model *model);
void timeouts_connected(struct model *model);
void timeouts_closing(struct model *model);
void timeouts_set(struct model *model);

/* timeouts_hear notes that bytes have arrived: they are reported at this moment, and arrived after
 * time_marked. */
void timeouts_hear(struct model *model);

/* timeouts_over holds a time-out that a socket reports against what has passed. */
void timeouts_over(const struct model *model, const plx_error *error);

/* timeouts_expect_ended expects that a wait that lasted `milliseconds` has seen the time-outs that
 * were shorter. timeouts_expect_over expects that the short ones of a socket at rest are over, if
 * timeouts_follow has not seen it move since it was called with `first`. */
enum { TIMEOUTS_SHORT = 20 };
void timeouts_expect_ended(const struct model *model, int milliseconds);
void timeouts_follow(struct model *model, bool first);
void timeouts_expect_over(const struct model *model);
int timeouts_longest(const struct model *model); /* of those that are short; 0: none is */

#endif
