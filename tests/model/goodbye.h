/* tests/model/goodbye.h -- what the end of a connection that the peer has ended says. */
#ifndef POLLUX_TESTS_MODEL_GOODBYE_H
#define POLLUX_TESTS_MODEL_GOODBYE_H

#include "tests/model/model.h"

/* goodbye_look holds the error of an end, with reason REMOTE_HOST_CLOSED, against what the peer has
 * sent and how it has ended. */
void goodbye_look(const struct model *model, const plx_error *error);

#endif
