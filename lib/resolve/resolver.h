/* lib/resolve/resolver.h -- names to addresses, never blocking.
 *
 * Design: a query is one look-up. It lives in the task that asked: its descriptors are watches of
 * that task, and its next moment is part of that task's deadline, so that whoever serves the task
 * serves the look-up. Freeing a query cancels it; nothing comes after that. An engine is one way of
 * looking up; a query begins with what all engines share.
 *
 * IPv4 and IPv6 are two questions, and a name server may answer one of them late or never:
 *
 *      start --> looking --+-- all questions answered ------------------> ready, done
 *                          +-- an IPv6 address --> ready --+-- the rest --> done
 *                          +-- an IPv4 address, 50 ms -----+
 *
 * Who asked goes on as soon as the query is ready, and may process it further for the addresses that
 * come after that. A question that fails costs nothing while the other one has an answer.
 *
 * Invariants: addresses[] only grows, has no duplicates and is in the order of arrival until
 * plx__query_order; `failure` counts when the query is done and count is 0.
 *
 * A look-up is allowed 30 seconds in all, whatever the engine does within them. */
#ifndef PLX_LIB_RESOLVER_H
#define PLX_LIB_RESOLVER_H

#include "lib/poll/loop.h"
#include "lib/resolve/failure.h"

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many addresses of a family are kept; what a name has beyond that is dropped. No answer may
 * make a poll long, and nobody waits until the seventeenth address has failed. */
#define PLX__FAMILY_ADDRESSES 16

/* Room for the ASCII form of every host name with its zero, see plx__address_split. */
#define PLX__HOST_SIZE 256

struct plx__query {
    struct plx__task *task;
    plx_address addresses[2 * PLX__FAMILY_ADDRESSES]; /* without a port */
    size_t count;
    bool done;
    bool is_listed;    /* a person or this library chose the order: it is kept */
    bool is_localhost; /* the host is this computer by its name alone */
    int family;        /* 4, 6, or 0 for any */
    uint64_t go_on_at; /* when it is ready with what there is; 0: there is nothing yet */
    uint64_t until;    /* when the look-up is given up */
    struct plx__failure failure;
};

struct plx__resolver {
    size_t size; /* of the engine's query, which begins with struct plx__query */
    /* Begins. May finish at once. */
    void (*start)(struct plx__query *query, const char *host);
    /* Serves watches that are ready, and what has timed out. */
    void (*process)(struct plx__query *query);
    /* Returns when it wants to be processed anyhow, or 0. */
    uint64_t (*next)(struct plx__query *query, uint64_t now);
    /* Ends everything, finished or not; the watches are idle afterwards. May be called again. */
    void (*stop)(struct plx__query *query);
};

extern const struct plx__resolver plx__resolver_ares;

/* plx__query_start begins to look up `host` for `task`; family is 4, 6, or 0 for any. NULL when memory
 * ran out. */
struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family);

/* plx__query_process goes on with what is ready. Returns whether the query is ready. */
bool plx__query_process(struct plx__query *query);

/* plx__query_next returns the moment at which to process it anyhow; 0 once it is done. */
uint64_t plx__query_next(struct plx__query *query);

/* plx__query_order puts the addresses from `first` on into the order in which to try them: those that
 * this computer cannot reach last, then as RFC 6724 says unless the order is given, families taking
 * turns (RFC 8305, 4). */
void plx__query_order(struct plx__query *query, size_t first);

/* plx__query_free ends the look-up; NULL is allowed; returns NULL. */
struct plx__query *plx__query_free(struct plx__query *query);

/* plx__query_add is for engines: one more address. One that is there already, of a family that is
 * not wanted, or beyond PLX__FAMILY_ADDRESSES is left out. */
void plx__query_add(struct plx__query *query, const plx_address *address);

/* plx__query_fail is for engines: one of the questions found no address. The failure that a query
 * without addresses ends with is the first one, but another one goes before HOST_NOT_FOUND, which is
 * sure only where both questions say so. */
void plx__query_fail(struct plx__query *query, const struct plx__failure *failure);

/* plx__query_end is for engines: all questions are answered. */
void plx__query_end(struct plx__query *query);

/* ---- names ----------------------------------------------------------------------------------- */

/* plx__host_prepare says whether `host`, which is no address, may be looked up, and writes its ASCII
 * form (RFC 5890) where it has other letters. False: it can be no name, and *ret_failure says why. */
bool plx__host_prepare(const char *host, char ret_name[PLX__HOST_SIZE],
                       struct plx__failure *ret_failure);

/* plx__host_to_ascii turns a UTF-8 name into its ASCII form (resolver/idn.c). Returns as
 * plx__host_prepare does. */
bool plx__host_to_ascii(const char *host, char ret_name[PLX__HOST_SIZE],
                        struct plx__failure *ret_failure);

/* ---- what the system says (resolver/hosts.c, resolver/settings.c) ---------------------------- */

/* plx__hosts_find adds the addresses that the hosts file has for the query's host, in the file's
 * order; it has found some when the query has some then. */
void plx__hosts_find(struct plx__query *query, const char *host);

/* What resolv.conf(5) says that c-ares does not heed. */
struct plx__name_settings {
    int timeout_ms;               /* of the first try; 0: not said */
    int attempts;                 /* 0: not said */
    bool has_root_suffix;         /* "search ." */
    char domains[PLX__HOST_SIZE]; /* the search list without "."; counts with has_root_suffix */
};

/* plx__name_settings_read reads the file now. */
void plx__name_settings_read(struct plx__name_settings *ret_settings);

#endif
