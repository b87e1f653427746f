/* tests/plain.h -- raw peers whose bytes are those of the kernel; kinds.h says what each function
 * does. */
#ifndef POLLUX_TESTS_PLAIN_H
#define POLLUX_TESTS_PLAIN_H

#include "tests/kinds.h"

bool plain_accept(struct raw *raw, const struct raw *listener);
void plain_listen(const struct raw *raw, int backlog);
ptrdiff_t plain_say(struct raw *raw, const void *data, size_t size);
ptrdiff_t plain_hear(struct raw *raw, void *data, size_t size);
void plain_end(struct raw *raw);
void plain_close(struct raw *raw);
void plain_reset(struct raw *raw);

#endif
