/* tests/raw.h -- raw peers: they know nothing of Pollux, and speak as the row of the world's kind says
 * (kinds.h). Each is a descriptor that the world closes at the end. */
#ifndef POLLUX_TESTS_RAW_H
#define POLLUX_TESTS_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* ---- where they come from ----------------------------------------------------------------------- */

int world_raw(struct world *world, int descriptor);     /* to be closed at the end; returns it */
int raw_refusing(struct world *world, char *ret_where); /* bound, and nobody listens */
int raw_listen(struct world *world, int backlog, char *ret_where);
int raw_accept(struct world *world, int listener); /* polls the world until a peer is there */
int raw_connect(struct world *world, const char *where);
bool raw_is_refused(const struct world *world, const char *where); /* connects in vain */

/* raw_copy duplicates a descriptor; raw_give leaves one to somebody else, who closes it. */
int raw_copy(int descriptor);
int raw_give(struct world *world, int descriptor);

/* ---- what they say ------------------------------------------------------------------------------ */

/* raw_send sends all of it, as one packet where the kind has packets; raw_try sends what the kernel
 * takes at once, which may be nothing; raw_stuff sends pattern until the kernel takes no more. */
void raw_send(int descriptor, const void *data, size_t size);
void raw_say(int descriptor, const char *text);
size_t raw_try(int descriptor, const void *data, size_t size);
size_t raw_stuff(int descriptor, uint64_t *offset);

void raw_end(int descriptor);                        /* says no more, and can still hear */
void raw_close(struct world *world, int descriptor); /* is gone */
void raw_reset(struct world *world, int descriptor); /* is gone, by a reset if the kind has them */

/* ---- what they hear ----------------------------------------------------------------------------- */

/* raw_take receives without waiting: how many bytes, or RAW_END, RAW_NOTHING, RAW_RESET. */
ptrdiff_t raw_take(int descriptor, void *data, size_t size);
/* raw_expect polls until exactly that has come, raw_expect_end until the end has. */
void raw_expect(struct world *world, int descriptor, const char *text);
void raw_expect_end(struct world *world, int descriptor);

/* raw_speak is for the world: raw peers speak as in this one, or in none, from now on. */
void raw_speak(const struct world *world);

#endif
