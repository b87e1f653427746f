/* tests/soak/soak.h -- a house of servers and the process of its visitors, for minutes or hours.
 *
 *     house (this process)                             crowd (a child)
 *       6 servers in one group, which echo               20 000 sockets stay and sometimes chat
 *       │←──── TCP and IPC: those that stay ────────────│  and in each round guests, which come and
 *       │←──── TCP and IPC: guests of a round ──────────│  go, read slowly, or mean harm
 *       │←──── "rest" (a pair of sockets) ──────────────│  all guests have gone
 *       │  measures, and compares with earlier rests    │  measures, and compares
 *       │───── "go on" or "end" ───────────────────────→│
 *
 * Both processes use Pollux, and both must have as much memory and as many descriptors at the last
 * rest as at the first ones. */
#ifndef POLLUX_TESTS_SOAK_SOAK_H
#define POLLUX_TESTS_SOAK_SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/soak/meter.h"

/* The servers of the house: of each kind one for those that stay, one for guests, and one for
 * attackers, whom it ends when they are idle. Good guests have all the time that a busy machine
 * needs. */
enum {
    SOAK_STAY_TCP,
    SOAK_STAY_IPC,
    SOAK_GUEST_TCP,
    SOAK_GUEST_IPC,
    SOAK_ATTACKED_TCP,
    SOAK_ATTACKED_IPC,
    SOAK_SERVERS
};
enum { SOAK_WHERE = 128, SOAK_IDLE = 500 /* ms that an attacker may be idle */ };

/* Frames of a rest: a group frees what none of 256 frames has needed. */
enum { SOAK_REST = 600 };

struct soak_plan {
    int seconds;
    size_t stay[2]; /* connections that stay: of TCP, of IPC */
    size_t come;    /* guests of a round that come and go */
    size_t attack;  /* guests of a round that mean harm */
    uint64_t seed;
    char where[SOAK_SERVERS][SOAK_WHERE];
};

/* What the crowd writes to the house at a rest, and once more at its end. */
struct soak_report {
    uint64_t connections, bytes, attackers, slow, ended_by_house;
    uint64_t rounds;
    struct meter_sample sample;
    size_t peak_bytes, peak_resident;
};

/* soak_house serves until `seconds` are over and the crowd has gone; soak_crowd is the whole child.
 * `channel` is the pair of sockets. */
void soak_house_open(struct soak_plan *plan, const char *folder); /* fills in the places */
void soak_house_run(const struct soak_plan *plan, int channel, struct soak_report *ret_crowd);
void soak_house_close(void);
void soak_crowd(const struct soak_plan *plan, int channel);

/* soak_rest_compare notes a sample. The first ones are the measure: ends the process when a later
 * one is above them. */
void soak_rest_compare(const char *who, uint64_t round, const struct meter_sample *sample);

/* Who stays, for lines of several programs side by side. */
extern const char *soak_name;

void soak_fail(const char *who, const char *what, long long number) __attribute__((noreturn));
int64_t soak_now(void); /* ms */

/* ---- guests (guests.c, attackers.c) ---------------------------------------------------------- */

/* A round of guests goes on in each turn, until soak_guests_turn returns that all have gone. */
void soak_guests_begin(const struct soak_plan *plan, plx_group *group, struct soak_report *report);
bool soak_guests_turn(void);
void soak_attackers_begin(const struct soak_plan *plan, struct soak_report *report);
bool soak_attackers_turn(void);

/* soak_chance returns a number below `limit`, from the seed. */
uint32_t soak_chance(uint32_t limit);
void soak_chance_begin(uint64_t seed);

/* soak_byte returns the byte at `offset` of what the socket of that number sends. */
static inline unsigned char soak_byte(uint64_t number, uint64_t offset)
{
    return (unsigned char)((number * 131 + offset) * 2654435761u >> 16);
}

#endif
