/* lib/os/name-lookup.h -- names to addresses by the C library, in a thread.
 *
 * getaddrinfo(3) blocks, and nothing can cancel it. So each lookup has a thread of its own, which
 * sleeps in getaddrinfo while its owner goes on: a descriptor becomes readable when the answer is
 * there. Dropping a lookup never waits: a thread that still runs frees the lookup when the C
 * library gives up. Until then it holds its stack and the lookup, and touches nothing else.
 *
 * A forked child does not have the thread. There the answer of the lookup is PLX__NAME_FORKED, and
 * dropping it frees what the child's memory has of it. */
#ifndef PLX_LIB_OS_NAME_LOOKUP_H
#define PLX_LIB_OS_NAME_LOOKUP_H

#include "lib/os/fd.h"

#include <pollux/address.h>

#include <stdbool.h>

/* A lookup. Opaque; from malloc, because the program's allocator may not allow calls from a thread
 * that the program does not know of. */
struct plx__os_name_lookup;

enum plx__os_name_answer {
    PLX__NAME_AWAITED,   /* none yet */
    PLX__NAME_FOUND,     /* has addresses */
    PLX__NAME_UNKNOWN,   /* certainly has none (EAI_NONAME) */
    PLX__NAME_TEMPORARY, /* a server failed or did not answer (EAI_AGAIN) */
    PLX__NAME_FAILED,    /* a server refused, or another failure for good (EAI_FAIL) */
    PLX__NAME_ERROR,     /* an errno (EAI_SYSTEM, EAI_MEMORY) */
    PLX__NAME_FORKED     /* the thread is in another process */
};

/* plx__os_name_lookup_start starts a thread that looks up `host`; family is 4, 6, or 0 for any.
 * Returns 0 or a negative errno; *ret_threadless is then whether everything was there but the
 * thread. */
int plx__os_name_lookup_start(const char *host, int family, struct plx__os_name_lookup **ret_lookup,
                              bool *ret_threadless);

/* plx__os_name_lookup_descriptor returns the descriptor that becomes readable with the answer. It
 * belongs to the lookup: stop watching it before the drop. */
plx__fd plx__os_name_lookup_descriptor(const struct plx__os_name_lookup *lookup);

/* plx__os_name_lookup_answer returns the answer, and for PLX__NAME_ERROR the negative errno. */
enum plx__os_name_answer plx__os_name_lookup_answer(struct plx__os_name_lookup *lookup,
                                                    int *ret_error);

/* plx__os_name_lookup_next gives the next address, with port 0, of a lookup whose answer is
 * PLX__NAME_FOUND, in the order of the C library (gai.conf(5)). False: there is none. */
bool plx__os_name_lookup_next(struct plx__os_name_lookup *lookup, plx_address *ret_address);

/* plx__os_name_lookup_drop ends the use of a lookup, at once, finished or not. */
void plx__os_name_lookup_drop(struct plx__os_name_lookup *lookup);

#endif
