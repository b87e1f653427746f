/* tests/speaker.h -- how the raw peers of filtered rows speak: through a stack of formats.
 *
 *     say  --> encode by the top layer    --> ... --> by the bottom layer --> out   --> kernel
 *     hear <-- heard <-- decode by the top layer <-- ... <-- by the bottom layer    <-- kernel
 *
 * `say` accepts bytes only when all earlier ones are in the kernel: a peer that is not heard stops
 * as a plain one does. What the kernel did not accept is sent by the next call, or in the next poll
 * of the world. So is what waits for the end of a greeting, of which each call hears what there
 * is. */
#ifndef POLLUX_TESTS_SPEAKER_H
#define POLLUX_TESTS_SPEAKER_H

#include "tests/codec.h"
#include "tests/kinds.h"

/* speaker_begin gives a peer the formats up to NULL, beginning with that of the bytes in the
 * kernel. The other functions are those of kinds.h. */
void speaker_begin(struct raw *raw, const struct codec *bottom, ...);
ptrdiff_t speaker_say(struct raw *raw, const void *data, size_t size);
ptrdiff_t speaker_hear(struct raw *raw, void *data, size_t size);
void speaker_turn(struct raw *raw);
void speaker_end(struct raw *raw);
void speaker_close(struct raw *raw);
void speaker_forget(struct raw *raw);

#endif
