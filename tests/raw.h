/* tests/raw.h -- raw peers, which do not use Pollux. A case names a raw peer by its descriptor, and
 * the world has its struct raw (kinds.h). Whatever a raw peer does, the row does for it of the kind
 * that the world had when the peer was made. The world closes it at the end. */
#ifndef POLLUX_TESTS_RAW_H
#define POLLUX_TESTS_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

/* ---- making raw peers ------------------------------------------------------------------------ */

/* world_raw has the world close a descriptor that was made elsewhere, and returns it. It speaks as
 * the kind does, without a state. */
int world_raw(struct world *world, int descriptor);
int raw_refusing(struct world *world, char *ret_where); /* bound, but does not listen */
int raw_listen(struct world *world, int backlog, char *ret_where);
int raw_silent(struct world *world, char *ret_where); /* listens, with a full queue */
int raw_accept(struct world *world, int listener);    /* polls the world until a peer connects */
bool raw_has_caller(const struct world *world, int listener); /* raw_accept finds a peer at once */
int raw_connect(struct world *world, const char *where);
bool raw_is_refused(const struct world *world, const char *where); /* whether connect(2) fails */

/* raw_copy duplicates a descriptor; raw_give returns a descriptor that is no raw peer any more, so
 * that the world does not close it. */
int raw_copy(int descriptor);
int raw_give(struct world *world, int descriptor);

/* raw_answer_aside makes a process that goes on with a raw peer while the case sleeps in a wait. The
 * world does not have the peer any more. raw_answered ends that process. */
int raw_answer_aside(struct world *world, int descriptor);
void raw_answered(int process);

/* ---- sending --------------------------------------------------------------------------------- */

/* raw_send sends all bytes, as one packet if the kind has packets; raw_try sends what the kernel
 * accepts at once, which may be nothing; raw_stuff sends the pattern until the kernel's buffer is
 * full. */
void raw_send(int descriptor, const void *data, size_t size);
void raw_say(int descriptor, const char *text);
size_t raw_try(int descriptor, const void *data, size_t size);
size_t raw_stuff(int descriptor, uint64_t *offset);

void raw_end(int descriptor);                        /* ends sending, and can still receive */
void raw_close(struct world *world, int descriptor); /* closes the descriptor */
void raw_reset(struct world *world, int descriptor); /* closes with a reset, if the kind has one */

/* ---- receiving ------------------------------------------------------------------------------- */

/* raw_take receives without waiting. Returns how many bytes, or RAW_END, RAW_NOTHING, RAW_RESET. */
ptrdiff_t raw_take(int descriptor, void *data, size_t size);
/* raw_expect polls until exactly that string has arrived, raw_expect_end until the end has. */
void raw_expect(struct world *world, int descriptor, const char *text);
void raw_expect_end(struct world *world, int descriptor);
/* raw_expect_soon waits for that string without a poll. */
void raw_expect_soon(int descriptor, const char *text);

/* These three are for the world: raw_speak says in which world descriptors name raw peers (NULL: in
 * none), raw_turn_all lets all send what they owe, and raw_close_all closes all of a world. */
void raw_speak(struct world *world);
void raw_turn_all(struct world *world);
void raw_close_all(struct world *world);

#endif
