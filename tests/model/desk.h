/* tests/model/desk.h -- the desk of a raw proxy: what a raw peer says before it lets bytes pass,
 * SOCKS5 (RFC 1928, 1929) and HTTP CONNECT (RFC 9110, 9.3.6).
 *
 *     GREETING --> PROOF --> REQUEST ---> a tunnel: the raw peer is the target from now on
 *         |          |          ^    |
 *         +----------|----------+    +--> refused, cut, nonsense, silence: OVER
 *                    +----------------->
 *     CONNECT ----> again after a 407, a tunnel, or OVER
 *
 * By chance it answers in one of these ways, at once or in pieces, and the first bytes of the
 * tunnel follow its answer in the same piece. What it hears must be what the program has set. */
#ifndef POLLUX_TESTS_MODEL_DESK_H
#define POLLUX_TESTS_MODEL_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/model/chance.h"
#include "tests/model/peer.h"
#include "tests/model/route.h"

enum desk_step {
    DESK_NONE, /* a raw peer that is no proxy, or behind whose desk the tunnel is */
    DESK_GREETING,
    DESK_PROOF,
    DESK_REQUEST,
    DESK_CONNECT,
    DESK_OVER /* nothing more is said */
};

/* What follows when all of an answer was sent. */
enum desk_end { DESK_GOES_ON, DESK_CLOSES, DESK_RESETS };

enum { DESK_OUT = 6000, DESK_IN = 2000 };

struct desk {
    enum desk_step step, next; /* `next`: behind the answer */
    int port;                  /* of the proxy */
    bool demands;              /* credentials */
    struct chance chance;

    size_t in_size, out_size, out_sent;
    size_t tail; /* how many bytes at the end of `out` are the tunnel's */
    int pace;    /* the most bytes that are sent at once */
    enum desk_end end;
    struct effect effect;
    char realm[40];
    char secret[PEER_WHERE]; /* that was heard last, and that some proxies repeat */
    uint8_t in[DESK_IN], out[DESK_OUT];
};

struct person;
struct model;

/* desks_begin makes the places of raw proxies for programs with proxies, desks_accept lets in those
 * that wait there. desk_place returns where a proxy of a scheme is, behind which a flavour is
 * spoken. */
void desks_begin(bool again);
void desks_accept(void);
const char *desk_place(bool http, enum flavour flavour);

/* desk_turn lets a proxy send or hear a piece, desks_turn all of them. desk_leave follows the end
 * of its connection; returns false if it leaves in the middle of a message of the tunnel. */
void desk_turn(struct person *person);
void desks_turn(void);
bool desk_leave(struct person *person);

/* desk_hears_... check what a proxy has heard; they return whether they have faults.
 * desk_credentials reads user and password of Basic. */
void desk_hears_target(const struct person *person, const char *host, int port);
void desk_hears_user(const struct person *person, const char *user, const char *password);

/* desk_answer decides what follows a whole message, which is in desk.in (desk-says.c). */
void desk_answer(struct person *person);

#endif
