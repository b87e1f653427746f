/* arena/report.c -- see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

void report_complain(struct report *report, const char *format, ...)
{
    if (report->problem_count < PROBLEMS_MAX) {
        char *problem = report->problems[report->problem_count];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(problem, sizeof report->problems[0], format, arguments);
        va_end(arguments);
    }
    report->problem_count++;
}

static double percent(unsigned long long part, unsigned long long whole)
{
    return whole == 0 ? 100 : 100.0 * (double)part / (double)whole;
}

/* Only datagrams may be lost, and only a few of them. */
static void judge_datagrams(struct report *report, const struct datagrams *datagrams,
                            const char *way)
{
    double arrived = percent(datagrams->received, datagrams->sent);
    if (arrived < UDP_PERCENT_NEEDED) {
        report_complain(report, "only %.2f %% of the datagrams %s arrived", arrived, way);
    }
}

void report_judge(struct report *report, int bots, int spectators)
{
    if (report->bots_joined < bots) {
        report_complain(report, "only %d of %d bots joined", report->bots_joined, bots);
    }
    if (report->spectators_joined < spectators) {
        report_complain(report, "only %d of %d spectators joined", report->spectators_joined,
                        spectators);
    }
    judge_datagrams(report, &report->udp_out, "to the bots");
    judge_datagrams(report, &report->udp_in, "to the server");
}

/* 12345678 as 12 345 678. */
static const char *grouped(unsigned long long number, char text[32])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%llu", number);
    char *at = text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            *at++ = ' ';
        }
        *at++ = digits[i];
    }
    *at = '\0';
    return text;
}

static void print_kind(const char *name, const struct flow *out, const struct flow *in)
{
    char texts[4][32];
    printf("  %-6s %14s %14s   %14s %14s\n", name, grouped(out->messages, texts[0]),
           grouped(out->bytes, texts[1]), grouped(in->messages, texts[2]),
           grouped(in->bytes, texts[3]));
}

static void print_traffic(const struct report *report)
{
    const struct datagrams *out = &report->udp_out, *in = &report->udp_in;
    struct flow udp_out = {out->sent, out->bytes, 0};
    struct flow udp_in = {in->received, in->bytes, 0};
    printf("  %-6s %29s   %29s\n", "", "sent by the server", "received by the server");
    printf("  %-6s %14s %14s   %14s %14s\n", "", "messages", "bytes", "messages", "bytes");
    print_kind("TCP", &report->tcp_out, &report->tcp_in);
    print_kind("UDP", &udp_out, &udp_in);
    print_kind("IPC", &report->ipc_out, &report->ipc_in);
}

static void print_arrival(const struct report *report)
{
    const struct datagrams *out = &report->udp_out, *in = &report->udp_in;
    char texts[2][32];
    printf("  TCP and IPC: the same bytes at both ends of %d of %d connections, by checksum\n",
           report->links_equal, report->links_compared);
    printf("  UDP: %.2f %% of %s datagrams reached the bots, %.2f %% of %s the server\n",
           percent(out->received, out->sent), grouped(out->sent, texts[0]),
           percent(in->received, in->sent), grouped(in->sent, texts[1]));
    if (report->pictures_left_out > 0) {
        printf("  IPC: %llu pictures left out for a spectator that was too slow\n",
               report->pictures_left_out);
    }
    if (report->strangers > 0) {
        printf("  UDP: %llu datagrams came from strangers\n", report->strangers);
    }
}

void report_print(const struct report *report)
{
    const struct times *polls = &report->polls;
    printf("The arena was open for %.1f seconds at %d frames a second, polled by %s.\n\n",
           report->seconds, report->frames_per_second, report->mechanism);
    printf("  frames          %llu run, %llu missed\n", report->frames.run, report->frames.missed);
    printf("  poll per frame  p50 %u us, p99 %u us, longest %llu us, by the clock\n",
           times_part(polls, 50), times_part(polls, 99), (unsigned long long)polls->longest);
    printf("  bots            %d joined, %d left with a goodbye\n", report->bots_joined,
           report->bots_left);
    printf("  spectators      %d joined, %d left with a goodbye\n\n", report->spectators_joined,
           report->spectators_left);
    print_traffic(report);
    putchar('\n');
    print_arrival(report);
    for (int i = 0; i < report->problem_count && i < PROBLEMS_MAX; i++) {
        printf("  not right: %s\n", report->problems[i]);
    }
    fflush(stdout);
}
