/* lib/resolve/resolver.h -- names to addresses, never blocking.
 *
 * lib/resolve looks up host names, in the hosts file and in DNS or by the C library, orders their
 * addresses and finds the one that answers. It may use lib/base, lib/os and lib/poll, and also
 * c-ares and libidn2.
 * lib/socket, lib/transfer and lib/endpoint use it.
 *
 * Design: a query is one lookup. It belongs to the task that asked: the query's descriptors are
 * watches of that task, and the query's next moment is part of that task's deadline, so that
 * serving the task serves the lookup. Freeing a query cancels the lookup; no result follows. An
 * engine is one way to look up names; a query begins with the members that all engines share.
 *
 * IPv4 and IPv6 are two questions, and a name server may answer one of them late or never:
 *
 *      start --> looking --+-- all questions answered ------------------> ready, done
 *                          +-- an IPv6 address --> ready --+-- the rest --> done
 *                          +-- an IPv4 address, 50 ms -----+
 *                          +-- patient: an address, 500 ms +
 *
 * The task continues as soon as the query is ready, and may process the query further for the
 * addresses that arrive later. A question that fails costs nothing while the other one has an
 * answer.
 *
 * Invariants: addresses[] only grows, has no duplicates and is in the order of arrival until
 * plx__query_order; `failure` is valid when the query is done and count is 0.
 *
 * A lookup may take 30 seconds in all, whatever the engine does within them. */
#ifndef PLX_LIB_RESOLVER_H
#define PLX_LIB_RESOLVER_H

#include "lib/poll/loop.h"
#include "lib/resolve/failure.h"

#include <pollux/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many addresses of a family are kept; further addresses of the name are dropped. No answer may
 * make a poll long, and no program waits until the seventeenth address has failed. */
#define PLX__FAMILY_ADDRESSES 16

/* The size of the ASCII form of the longest host name, with its zero byte; see plx__address_split.
 */
#define PLX__HOST_SIZE 256

struct plx__query {
    const struct plx__resolver *engine; /* until its end: plx_resolver_set is for later queries */
    struct plx__task *task;
    plx_address addresses[2 * PLX__FAMILY_ADDRESSES]; /* without a port */
    size_t count;
    bool done;
    bool is_listed;    /* the hosts file, the C library or this one chose the order: it is kept */
    bool is_localhost; /* the host is this computer by its name alone */
    bool is_patient;   /* waits for both families, since nobody tries what arrives later */
    bool is_ready;     /* plx__query_process has returned it */
    int family;        /* 4, 6, or 0 for any */
    uint64_t go_on_at; /* when the query is ready with the addresses so far; 0: no address yet */
    uint64_t until;    /* when the lookup fails */
    struct plx__failure failure;
};

struct plx__resolver {
    size_t size; /* of the engine's query, which begins with struct plx__query */
    /* Begins the lookup, which may end at once. */
    void (*start)(struct plx__query *query, const char *host);
    /* Serves the watches that are ready and the time-outs that have passed. */
    void (*process)(struct plx__query *query);
    /* Returns the moment at which to call `process` even if no watch is ready, or 0. */
    uint64_t (*next)(struct plx__query *query, uint64_t now);
    /* Ends the lookup, finished or not, with the watches idle afterwards. May be called again. */
    void (*stop)(struct plx__query *query);
};

extern const struct plx__resolver plx__resolver_ares; /* where it is built in: HAVE_CARES */
extern const struct plx__resolver plx__resolver_system;

/* plx__query_start begins to look up `host` for `task`; family is 4, 6, or 0 for any. NULL when out
 * of memory. */
struct plx__query *plx__query_start(struct plx__task *task, const char *host, int family);

/* plx__query_process serves the watches that are ready. Returns whether the query is ready. */
bool plx__query_process(struct plx__query *query);

/* plx__query_next returns the moment at which to process the query even if no watch is ready; 0
 * once the query is done. */
uint64_t plx__query_next(struct plx__query *query);

/* plx__query_order sorts the addresses from `first` on into the order in which to try them: those
 * that this computer cannot reach last, then by RFC 6724 unless the order is given, with the
 * families alternating (RFC 8305, 4). */
void plx__query_order(struct plx__query *query, size_t first);

/* plx__query_keep ends the lookup with the first `count` addresses that were found. */
void plx__query_keep(struct plx__query *query, size_t count);

/* plx__query_stop ends the lookup with the addresses found so far, or with a failure. */
void plx__query_stop(struct plx__query *query);

/* plx__query_free ends the lookup and returns NULL; `query` may be NULL. */
struct plx__query *plx__query_free(struct plx__query *query);

/* plx__query_add is for engines: it adds an address. It ignores an address that the query has
 * already, one of another family than requested, and one beyond PLX__FAMILY_ADDRESSES. */
void plx__query_add(struct plx__query *query, const plx_address *address);

/* plx__query_fail is for engines: one of the questions found no address. A query without addresses
 * ends with the first failure, but any other failure replaces HOST_NOT_FOUND, which is certain only
 * when both questions report it. */
void plx__query_fail(struct plx__query *query, const struct plx__failure *failure);

/* plx__query_end is for engines: all questions are answered. */
void plx__query_end(struct plx__query *query);

/* ---- names ----------------------------------------------------------------------------------- */

/* plx__host_prepare returns whether `host`, which is not an address, may be looked up, and writes
 * the ASCII form of the name (RFC 5890) if the name has other letters. False: `host` cannot be a
 * name, and *ret_failure has the reason. */
bool plx__host_prepare(const char *host, char ret_name[PLX__HOST_SIZE],
                       struct plx__failure *ret_failure);

/* plx__host_is_local returns whether a name is this computer: "localhost" and the names below it,
 * even if /etc/hosts does not have them or does not exist (RFC 6761, 6.3). */
bool plx__host_is_local(const char *host);

/* plx__host_to_ascii converts a UTF-8 name to its ASCII form (lib/resolve/idn.c). Returns as
 * plx__host_prepare does. */
bool plx__host_to_ascii(const char *host, char ret_name[PLX__HOST_SIZE],
                        struct plx__failure *ret_failure);

/* ---- the files of the computer (lib/resolve/hosts.c, lib/resolve/settings.c) ----------------- */

/* plx__hosts_find adds the addresses of the query's host in the hosts file, in the order of the
 * file; the query has no addresses if the file does not have the host. */
void plx__hosts_find(struct plx__query *query, const char *host);

/* The options of resolv.conf(5) that c-ares ignores. */
struct plx__name_settings {
    int timeout_ms;               /* of the first try; 0: not set */
    int attempts;                 /* 0: not set */
    bool has_root_suffix;         /* "search ." */
    char domains[PLX__HOST_SIZE]; /* the search list without "."; valid with has_root_suffix */
};

/* plx__name_settings_read reads the file now. */
void plx__name_settings_read(struct plx__name_settings *ret_settings);

#endif
