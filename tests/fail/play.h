/* tests/fail/play.h -- scenarios: written once, played with everything that can fail.
 *
 * A scenario is a program: it opens sockets, moves bytes, and checks them and the events. It is
 * played in a world (tests/world.h) of one kind and one way of polling, on Pollux sockets at both
 * ends. A player decides what fails meanwhile:
 *
 *     play_begin(p, w, scenario);
 *     play_lenient(p, expected);   failures of that sort may be reported from now on
 *     (the player begins to fail allocations or system calls)
 *     scenario->run(p);
 *     (the player ends that)
 *     play_judge(p);               one failure was reported as it must be, or all worked
 *     play_again(p);               the same objects, closed, do the whole scenario without failures
 *     play_end(p);
 *
 * While a play is lenient, a step that fails ends the scenario: TRY, AWAIT and OPEN return from it.
 * In a play that is not lenient, the same steps fail the test. */
#ifndef POLLUX_TESTS_FAIL_PLAY_H
#define POLLUX_TESTS_FAIL_PLAY_H

#include "tests/nameserver.h"
#include "tests/world.h"

/* The sockets of a scenario by their parts in it, and the clients of its server. */
enum part { A, B, C, D, GUESTS, PARTS };
enum { PLAY_GROUPS = 2, PLAY_EXTRAS = 20 };

struct play;

struct scenario {
    const char *name;
    const char *kind; /* a row of kinds.h */
    void (*run)(struct play *p);
    bool asks_names; /* a name server answers */
    bool of_memory;  /* only allocations fail: without a call for networks nobody is found */
};

extern const struct scenario scenarios[];
extern const int scenario_count;

/* scenario_is_chosen returns whether to play a scenario: all, or those whose name is the one of
 * POLLUX_SCENARIO in the environment. */
bool scenario_is_chosen(const struct scenario *scenario);

/* A failure as it was reported, or returned by a call. */
struct fault {
    int code, os_error;
    plx_reason reason;
};

/* What happened to the socket of a part. */
struct part_log {
    struct record record; /* the user of the handlers, so the first member */
    struct play *play;
    int refused;  /* calls that returned a failure since the last error event, so one must follow */
    bool ignored; /* the scenario has ended the part by close, abort or free: no event follows */
};

struct play {
    struct world *w;
    const struct scenario *scenario;
    int number;                    /* of the player, for messages */
    const char *(*describe)(void); /* what the player has made fail; NULL: the number says it */
    /* Whether a failure is one that the player causes; NULL: none may occur. */
    bool (*expected)(const struct fault *fault);
    bool failed;   /* a failure was reported */
    bool was_ours; /* one of the reported ones was expected */
    plx_socket *sockets[GUESTS];
    struct part_log logs[PARTS];
    plx_server *server;
    int accepted, server_errors, server_refused;
    plx_group *groups[PLAY_GROUPS];
    plx_socket *extras[PLAY_EXTRAS];
    struct nameserver names;
    char where[WHERE_SIZE];
    bool equipped; /* the scenario has pushed filters before it connects */
    int found;     /* for handlers of the scenario */
};

#define LOG(p, part) (&(p)->logs[part].record)
#define COUNT(p, part, event) (LOG(p, part)->count[EVENT_##event])

/* TRY evaluates a call that returns a code, on the socket of a part; AWAIT polls until a condition
 * holds; OPEN makes the socket of a part unless it exists already; STEP runs a part of a scenario.
 * Each returns from the scenario when something has failed. */
#define TRY(p, part, call)                                                                         \
    do {                                                                                           \
        if (!play_try((p), (part), (call), #call))                                                 \
            return;                                                                                \
    } while (0)
#define AWAIT(p, condition)                                                                        \
    do {                                                                                           \
        for (int round_ = 0; !(condition); round_++)                                               \
            if (!play_turn((p), round_, #condition))                                               \
                return;                                                                            \
        if ((p)->failed)                                                                           \
            return;                                                                                \
    } while (0)
#define OPEN(p, part, create) STEP(p, play_open((p), (part), (create)))
#define STEP(p, call)                                                                              \
    do {                                                                                           \
        call;                                                                                      \
        if ((p)->failed)                                                                           \
            return;                                                                                \
    } while (0)
/* HOLDS is an assertion that names the scenario. */
#define HOLDS(p, condition)                                                                        \
    ck_assert_msg((condition), "%s: %s\n%s", play_name(p), #condition, play_text(p))

const char *play_name(const struct play *p);
const char *play_text(const struct play *p); /* what the parts have recorded */

void play_begin(struct play *p, struct world *w, const struct scenario *scenario, int number);
void play_lenient(struct play *p, bool (*expected)(const struct fault *fault));
void play_judge(struct play *p);
void play_again(struct play *p);
void play_end(struct play *p);

/* The steps behind the macros. play_miss notes an object that could not be made. */
bool play_try(struct play *p, enum part part, int code, const char *call);
bool play_turn(struct play *p, int round, const char *wanted);
void play_open(struct play *p, enum part part, plx_constructor *create);
void play_open_server(struct play *p);
void play_open_group(struct play *p, int number);
bool play_try_server(struct play *p, int code, const char *call);
bool play_try_group(struct play *p, int code, const char *call);
void play_miss(struct play *p, const char *what);

/* play_events are the handlers of a part, whose user is its log. */
const plx_events *play_events(void);

/* play_write queues bytes of the pattern from `offset` on, in as many writes as it takes. */
void play_write(struct play *p, enum part part, uint64_t offset, size_t size);
/* play_couple connects A to B, which listens. */
void play_couple(struct play *p);
/* play_leave ends the socket of a part by close; play_forget when a handler has freed it. */
void play_leave(struct play *p, enum part part);
void play_forget(struct play *p, enum part part);

#endif
