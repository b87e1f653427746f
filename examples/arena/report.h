/* arena/report.h -- what the server has counted, and what was wrong. */
#ifndef ARENA_REPORT_H
#define ARENA_REPORT_H

#include "frame.h"
#include "link.h"

#define PROBLEMS_MAX 12

/* Datagrams may be lost even on one computer, when a process gets no time to read them. This part
 * of them has to arrive, in percent. */
#define UDP_PERCENT_NEEDED 99.0

/* Counts of one direction, from the guests whose goodbye arrived. */
struct datagrams {
    unsigned long long sent, received, bytes; /* bytes as seen by the server */
};

struct report {
    struct frame_clock frames;
    struct times polls;
    const char *mechanism; /* what the group polls with */
    int frames_per_second;
    double seconds;
    struct flow tcp_out, tcp_in, ipc_out, ipc_in; /* seen from the server */
    struct datagrams udp_out, udp_in;
    unsigned long long pictures_left_out; /* a spectator was too slow for them */
    unsigned long long strangers;         /* datagrams that were not of the game */
    int links_compared, links_equal;      /* connections whose two ends have counted the same */
    int bots_joined, bots_left, spectators_joined, spectators_left; /* left: with a goodbye */
    char problems[PROBLEMS_MAX][120];
    int problem_count; /* may be more than PROBLEMS_MAX */
};

/* report_complain notes a problem. */
ARENA_PRINTF(2, 3) void report_complain(struct report *report, const char *format, ...);

/* report_judge checks that all expected guests joined, and that enough datagrams arrived. */
void report_judge(struct report *report, int bots, int spectators);

/* report_print prints the report for a person to read. */
void report_print(const struct report *report);

#endif
