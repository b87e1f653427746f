/* lib/socket/failure.h -- how a socket fails: what is remembered, what will be told.
 *
 * Design: a call that fails hands its code on and has it remembered here; the connection's end is
 * remembered apart from that, so that neither replaces the other before it was told. */
#ifndef PLX_LIB_FAILURE_H
#define PLX_LIB_FAILURE_H

#include "lib/base/base.h"
#include "lib/base/event.h"

#include <pollux/error.h>
#include <pollux/events.h>

#include <stdbool.h>
#include <stdint.h>

struct plx__unreached;

/* Errors exist on demand: most sockets never have one. */
struct plx__errors {
    plx_error last;                   /* what plx_socket_error gives */
    plx_error call;                   /* told by PLX__EVENT_CALL_ERROR */
    plx_error end;                    /* told by PLX__EVENT_END_ERROR */
    struct plx__unreached *unreached; /* lib/transfer/unreached.h; NULL: everybody was reached */
};

/* The same three where there was no memory for them: numbers from which the rest is made, because a
 * failure must not be lost with the memory. They count while the errors are NULL and are moved into
 * those as soon as there is memory. A call has returned its code already, and what the kernel said is
 * kept only of the end, which nothing else tells. All zero: there was no error. */
struct plx__bare_errors {
    uint16_t last, call, end;
    uint16_t end_os_error;
};

/* plx__socket_fail notes that a call failed, to be told by the next poll, and returns `code`;
 * `error` is a negative errno or 0. The step is a sentence's beginning such as "connect to %s", or
 * with -PLX__SENTENCE (lib/base/error.h) as `error` the whole of it. */
PLX__PRINTF(5, 6)
int plx__socket_fail(plx_socket *socket, int code, plx_reason reason, int error, const char *step,
                     ...);

/* plx__socket_refuse notes that a call was refused, and returns PLX_INVALID_STATE. The sentence is
 * whole: it names the call, what was wrong and, where there is one, the call that does it. */
PLX__PRINTF(3, 4)
int plx__socket_refuse(plx_socket *socket, plx_reason reason, const char *sentence, ...);

/* plx__socket_fail_system is plx__socket_fail with the code and the reason that the negative errno
 * stands for. */
PLX__PRINTF(3, 4) int plx__socket_fail_system(plx_socket *socket, int error, const char *step, ...);

/* plx__socket_set_end_error notes why the connection or the attempt ends; `error` is a negative
 * errno, 0 or -PLX__SENTENCE. */
PLX__PRINTF(5, 6)
void plx__socket_set_end_error(plx_socket *socket, int code, plx_reason reason, int error,
                               const char *step, ...);

/* plx__socket_set_end_error_system is the same with the code and the reason that the negative errno
 * stands for. */
PLX__PRINTF(3, 4)
void plx__socket_set_end_error_system(plx_socket *socket, int error, const char *step, ...);

/* plx__socket_fail_open refuses a call that only an unconnected socket may make,
 * plx__socket_fail_state one that only an open socket may. */
int plx__socket_fail_open(plx_socket *socket, const char *call);
int plx__socket_fail_state(plx_socket *socket, const char *call);

/* plx__socket_fail_memory is plx__socket_fail for a call that found no memory; it returns
 * PLX_OUT_OF_MEMORY. */
PLX__PRINTF(2, 3) int plx__socket_fail_memory(plx_socket *socket, const char *step, ...);

/* plx__socket_take_error moves the error that `event` is about, PLX__EVENT_CALL_ERROR or
 * PLX__EVENT_END_ERROR, into *ret_error, which the caller clears, and makes it the last error. It needs
 * no memory. */
void plx__socket_take_error(plx_socket *socket, enum plx__event event, plx_error *ret_error);

/* plx__socket_forget_errors takes back what was not told, and with `all` the last error too. */
void plx__socket_forget_errors(plx_socket *socket, bool all);

#endif
