/* tests/parties.h -- programs that discover each other: a discovery and what its handlers were
 * given.
 *
 * The log has a word for each call: "+name" and "-name" for members that joined and left, by their
 * `about`, "+self" for the program itself, "group:7=text" and "alone:7=text" for messages, and
 * "error 106" for errors. */
#ifndef POLLUX_TESTS_PARTIES_H
#define POLLUX_TESTS_PARTIES_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/world.h"

struct party {
    plx_discovery *discovery; /* NULL: freed */
    char log[4096];
    plx_member last;                    /* the member of the last call */
    int joined, left, messages, errors; /* how often each handler was called */
    void (*act)(struct party *party);   /* in each handler; NULL: nothing */
    struct party *other;                /* for the act */
    plx_group *group;                   /* that serves it; NULL: alone */
    bool inside;                        /* a handler runs */
};

/* party_port returns a port that other processes of the tests do not use, or the one that a process
 * with party_use_port shares with another one. */
int party_port(void);
void party_use_port(int port);

/* party_begin makes a discovery in the world's group, or alone, bound to party_port. party_join
 * joins the group "team" with the name of the member as `about`. party_end frees the discovery. */
void party_begin(struct party *party, struct world *w);
void party_join(struct party *party, const char *name);
void party_end(struct party *party);

/* parties_serve serves them all once; parties_settle until nothing has arrived for a while. */
void parties_serve(struct world *w, struct party *parties, int count);
void parties_settle(struct world *w, struct party *parties, int count);

/* parties_meet makes two members, "anna" and "bob", that know each other, with empty logs; the time
 * is the case's own from then on. parties_part ends both, if they are not freed yet. */
enum { SECOND = 1000 };
void parties_meet(struct world *w, struct party *pair);
void parties_part(struct party *pair);

/* PARTIES_UNTIL serves them until a condition holds; the case fails if that takes too long. */
#define PARTIES_UNTIL(w, parties, count, condition)                                                \
    do {                                                                                           \
        for (int turns_ = 0; !(condition); turns_++) {                                             \
            ck_assert_msg(turns_ < 4000, "%s: never: %s; log of the first one: %s", world_name(w), \
                          #condition, (parties)->log);                                             \
            parties_serve(w, parties, count);                                                      \
        }                                                                                          \
    } while (0)

/* party_said compares the log with words in this order, and empties it. */
#define PARTY_SAID(party, wanted)                                                                  \
    do {                                                                                           \
        ck_assert_str_eq((party)->log, wanted);                                                    \
        (party)->log[0] = '\0';                                                                    \
    } while (0)

/* party_knows returns how many members the list of the group "team" has. */
size_t party_knows(const struct party *party);

#endif
