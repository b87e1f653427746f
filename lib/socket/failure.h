/* lib/socket/failure.h -- the errors of a socket: those kept, and those to report.
 *
 * Design: a call that fails returns its code and keeps the error here. The error that ended the
 * connection is kept apart from it, so that neither replaces the other before it is reported. */
#ifndef PLX_LIB_FAILURE_H
#define PLX_LIB_FAILURE_H

#include "lib/base/base.h"
#include "lib/base/event.h"

#include <pollux/error.h>
#include <pollux/events.h>

#include <stdbool.h>
#include <stdint.h>

struct plx__failure;
struct plx__unreached;

/* Made on demand: most sockets never have an error. */
struct plx__errors {
    plx_error last;                   /* what plx_socket_error returns */
    plx_error call;                   /* reported by PLX__EVENT_CALL_ERROR */
    plx_error end;                    /* reported by PLX__EVENT_END_ERROR */
    struct plx__unreached *unreached; /* lib/transfer/unreached.h; NULL: all peers were reached */
};

/* The codes of the same three errors, from which the sentences are made later: a failure must not
 * be lost when memory runs out. They are valid while the errors are NULL, and move into the errors
 * as soon as there is memory. An errno and a reason are kept only for the end: a call has returned
 * its code already. All zero: there was no error. */
struct plx__bare_errors {
    uint16_t last, call, end;
    uint16_t end_os_error : 10, end_reason : 6;
};

/* plx__socket_fail notes that a call failed, which the next poll reports, and returns `code`.
 * `error` is a negative errno or 0. The step is the beginning of a sentence, such as "connect to
 * %s", or the whole sentence if `error` is -PLX__SENTENCE (lib/base/error.h). */
PLX__PRINTF(5, 6)
int plx__socket_fail(plx_socket *socket, int code, plx_reason reason, int error, const char *step,
                     ...);

/* plx__socket_refuse notes that a call was refused, and returns PLX_INVALID_STATE. The whole
 * sentence names the call, what was wrong and, if there is one, the call to make instead. */
PLX__PRINTF(3, 4)
int plx__socket_refuse(plx_socket *socket, plx_reason reason, const char *sentence, ...);

/* plx__socket_fail_system is plx__socket_fail with the code and the reason of a negative errno. */
PLX__PRINTF(3, 4) int plx__socket_fail_system(plx_socket *socket, int error, const char *step, ...);

/* plx__socket_set_end_error notes why the connection or the attempt ends; `error` is a negative
 * errno, 0, -PLX__SENTENCE or -PLX__SENTENCE_OF an errno. */
PLX__PRINTF(5, 6)
void plx__socket_set_end_error(plx_socket *socket, int code, plx_reason reason, int error,
                               const char *step, ...);

/* plx__socket_set_end_error_system is plx__socket_set_end_error with the code and the reason of a
 * negative errno. */
PLX__PRINTF(3, 4)
void plx__socket_set_end_error_system(plx_socket *socket, int error, const char *step, ...);

/* plx__socket_fail_open refuses a call that needs an unconnected socket, plx__socket_fail_state a
 * call that needs an open one. */
int plx__socket_fail_open(plx_socket *socket, const char *call);
int plx__socket_fail_state(plx_socket *socket, const char *call);

/* plx__socket_fail_memory is plx__socket_fail for a call whose allocation failed. It returns
 * PLX_OUT_OF_MEMORY. */
PLX__PRINTF(2, 3) int plx__socket_fail_memory(plx_socket *socket, const char *step, ...);

/* plx__socket_fail_lookup is plx__socket_fail for a lookup of `host` that failed. */
int plx__socket_fail_lookup(plx_socket *socket, const struct plx__failure *failure,
                            const char *host);

/* plx__socket_take_error moves the error of an event, PLX__EVENT_CALL_ERROR or
 * PLX__EVENT_END_ERROR, into *ret_error, which the caller clears, and makes it the last error. It
 * needs no memory. */
void plx__socket_take_error(plx_socket *socket, enum plx__event event, plx_error *ret_error);

/* plx__socket_forget_errors drops the errors not yet reported, and with `all` the last error
 * too. */
void plx__socket_forget_errors(plx_socket *socket, bool all);

#endif
