/* tests/model/program.c -- the program of a seed. */
#include "config.h"

#include "tests/model/program.h"

#include "tests/model/chance.h"

#include <string.h>

static const char *const way_names[] = {"uring", "epoll", "poll", "lone"};

enum way program_way(const char *name)
{
    int way = 0;

    while (way < WAYS && strcmp(name, way_names[way]) != 0)
        way++;
    return (enum way)way;
}

const char *program_way_name(enum way way)
{
    return way_names[way];
}

void program_make(struct program *program, uint64_t seed, enum way way)
{
    static const enum clock_kind clocks[] = {CLOCK_REAL,  CLOCK_REAL,   CLOCK_REAL,
                                             CLOCK_JUMPS, CLOCK_STANDS, CLOCK_ENDS};
    struct chance chance = chance_for(seed, LIST_TRAITS, 0);

    memset(program, 0, sizeof *program);
    program->seed = seed;
    program->way = way;
    program->calls = 40 + chance_of(&chance, PROGRAM_CALLS - 40);
    program->inner = chance_of(&chance, PROGRAM_INNER);
    program->clock = clocks[chance_of(&chance, 6)];
    program->waits_in_handlers = chance_in(&chance, 30);
    program->refused = chance_in(&chance, 25) ? 1 + chance_of(&chance, 60) : 0;
    program->starves = chance_in(&chance, 10);
    program->cuts = chance_in(&chance, 15);
    program->fenced = chance_in(&chance, 5);
    program->tls = seed >= PROGRAM_TLS && seed < PROGRAM_PROXIES;
    program->proxies = seed >= PROGRAM_PROXIES && seed < PROGRAM_DAEMONS;
    program->daemons = seed >= PROGRAM_DAEMONS;
}
