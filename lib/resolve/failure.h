/* lib/resolve/failure.h -- why a lookup has failed.
 *
 * Design: a failure is a code, a reason and a text, not yet a sentence: whoever asked for the name names
 * the step when it sets the error of its socket. */
#ifndef PLX_LIB_RESOLVE_FAILURE_H
#define PLX_LIB_RESOLVE_FAILURE_H

#include <pollux/error.h>

#include <stddef.h>

/* Why a name has no address. A zeroed one is no failure. */
struct plx__failure {
    int code; /* 0: none */
    plx_reason reason;
    int error;        /* a negative errno; 0; or -PLX__SENTENCE (lib/base/error.h) */
    const char *text; /* what happened, static; NULL: what the errno or the code says */
};

extern const struct plx__failure plx__failure_not_found;
extern const struct plx__failure plx__failure_timed_out;

/* plx__failure_describe writes the step of a sentence, such as "look up example.com: the name server
 * did not answer", for plx__socket_fail and its like with code, reason and error of the failure. */
void plx__failure_describe(const struct plx__failure *failure, const char *host, char *text,
                           size_t size);

/* plx__failure_refused is for a host that cannot be a name; the text says why. */
struct plx__failure plx__failure_refused(const char *text);

/* plx__failure_of_system is for a negative errno: what ran out here has its own code, as it has when
 * connecting; anything else kept the name server from being asked. */
struct plx__failure plx__failure_of_system(int error);

#endif
