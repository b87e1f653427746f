/* lib/resolve/failure.h -- the reason of a failed lookup.
 *
 * Design: a failure is a code, a reason and a string, not yet a sentence: the caller that asked for
 * the name adds the step when it sets the error of its socket. */
#ifndef PLX_LIB_RESOLVE_FAILURE_H
#define PLX_LIB_RESOLVE_FAILURE_H

#include <pollux/error.h>

#include <stddef.h>

/* The reason why a name has no address. A zeroed one is no failure. */
struct plx__failure {
    int code; /* 0: none */
    plx_reason reason;
    int error;        /* a negative errno; 0; or -PLX__SENTENCE (lib/base/error.h) */
    const char *text; /* what happened, static; NULL: the text of the errno or the code */
};

extern const struct plx__failure plx__failure_not_found;
extern const struct plx__failure plx__failure_timed_out;

/* plx__failure_describe writes the step of a sentence, such as "look up example.com: the name
 * server did not answer", for plx__socket_fail and similar functions, with the code, reason and
 * errno of the failure. */
void plx__failure_describe(const struct plx__failure *failure, const char *host, char *text,
                           size_t size);

/* plx__failure_refused is for a host that cannot be a name; `text` gives the reason. */
struct plx__failure plx__failure_refused(const char *text);

/* plx__failure_of_system is for a negative errno: a resource that ran out on this computer has its
 * own code, as for a connection attempt; any other errno means that the name server could not be
 * asked. */
struct plx__failure plx__failure_of_system(int error);

#endif
