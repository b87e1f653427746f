/* tests/tls/talker.h -- how raw peers speak TLS: by OpenSSL alone, without lib/tls.
 *
 * What is below TLS is spoken as the raw peers of another row speak: the bytes of the kernel, or
 * what a proxy wants to hear first.
 * `say` accepts bytes only when all earlier ones are in the kernel, and before the end of the
 * handshake as many as no case says at once. What waits for the handshake or for the kernel goes on
 * in the next call, or in the next poll of the world. The end that `hear` returns is that of the
 * kernel behind close_notify; without close_notify it is the end too, because a peer that aborts
 * sends none. */
#ifndef POLLUX_TESTS_TLS_TALKER_H
#define POLLUX_TESTS_TLS_TALKER_H

#include "tests/kinds.h"

struct ssl_ctx_st;

/* talker_begin makes the state of a peer: the server of TLS if it was `accepted`. `below` is the row
 * whose peers speak as what is below TLS does. The other functions are those of kinds.h. */
void talker_begin(struct raw *raw, bool accepted, const struct kind *below,
                  struct ssl_ctx_st *context);
ptrdiff_t talker_say(struct raw *raw, const void *data, size_t size);
ptrdiff_t talker_hear(struct raw *raw, void *data, size_t size);
void talker_turn(struct raw *raw);
void talker_end(struct raw *raw);
void talker_close(struct raw *raw);
void talker_forget(struct raw *raw);

#endif
