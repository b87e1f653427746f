/* tests/soak/soak.c -- minutes or hours of load: memory and descriptors stay as they are, and no
 * poll does more than its budget. The argument says of which kind connections stay: tcp, ipc, or
 * both.
 *
 *     SOAK_SECONDS=20          how long, without coming and leaving
 *     SOAK_CROWD=10000         connections of a kind that stay
 *     SOAK_GUESTS=5000         guests of a round that come and go
 *     SOAK_ATTACKERS=100       guests of a round that mean harm
 *     SOAK_VERBOSE=1           prints what both processes have at each rest
 *     POLLUX_SEED=1            chooses what everybody does
 *     POLLUX_POLLER=epoll      the mechanism of both groups */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/counting.h"
#include "tests/sanitized.h"
#include "tests/soak/soak.h"

enum { SPARE = 2000 }; /* descriptors for guests and everything else */

const char *soak_name = "both";

void soak_fail(const char *who, const char *what, long long number)
{
    fprintf(stderr, "soak %s: %s: %s: %lld\n", soak_name, who, what, number);
    exit(EXIT_FAILURE);
}

int64_t soak_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

/* ---- chance ---------------------------------------------------------------------------------- */

static uint64_t chance;

void soak_chance_begin(uint64_t seed)
{
    chance = seed;
}

/* splitmix64 */
uint32_t soak_chance(uint32_t limit)
{
    uint64_t x = chance += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((x ^ x >> 31) % limit);
}

/* ---- flat ------------------------------------------------------------------------------------ */

/* The first rests are the measure: by then every table has grown. Later a table may grow once more,
 * by a doubling at most, which is far below what a leak of one block a guest would cost. The
 * kernel's count of pages also has what malloc keeps. */
enum { FIRST = 3, MORE_BLOCKS = 32, MORE_BYTES = 262144, MORE_RESIDENT = 8192 };

static struct meter_sample measure;

static void expect_flat(const char *who, const char *what, uint64_t round, size_t now, size_t most)
{
    if (now <= most)
        return;
    fprintf(stderr, "soak %s: %s: %zu %s at rest after round %llu, at most %zu expected\n",
            soak_name, who, now, what, (unsigned long long)round, most);
    exit(EXIT_FAILURE);
}

#define GREATER(a, b) ((a) > (b) ? (a) : (b))

void soak_rest_compare(const char *who, uint64_t round, const struct meter_sample *sample)
{
    if (getenv("SOAK_VERBOSE") != NULL)
        fprintf(stderr, "%s %s %llu: %zu blocks, %zu bytes, %zu KiB, %d descriptors\n", soak_name,
                who, (unsigned long long)round, sample->blocks, sample->bytes, sample->resident,
                sample->descriptors);
    if (round > 1 && sample->descriptors != measure.descriptors)
        soak_fail(who, "descriptors that were not closed",
                  sample->descriptors - measure.descriptors);
    if (round <= FIRST) {
        measure.blocks = GREATER(measure.blocks, sample->blocks);
        measure.bytes = GREATER(measure.bytes, sample->bytes);
        measure.resident = GREATER(measure.resident, sample->resident);
        measure.descriptors = sample->descriptors;
        return;
    }
    expect_flat(who, "blocks", round, sample->blocks, measure.blocks + MORE_BLOCKS);
    expect_flat(who, "bytes", round, sample->bytes, measure.bytes + MORE_BYTES);
    /* The sanitizers keep freed memory for a while. */
    if (!SANITIZED)
        expect_flat(who, "KiB of resident memory", round, sample->resident,
                    measure.resident + MORE_RESIDENT);
}

/* ---- starting -------------------------------------------------------------------------------- */

static uint64_t number_of(const char *name, uint64_t usual)
{
    const char *text = getenv(name);

    return text == NULL || text[0] == '\0' ? usual : strtoull(text, NULL, 10);
}

/* Raises the limit of descriptors as far as this user may. Returns how many fit. */
static size_t allow_descriptors(size_t wanted)
{
    struct rlimit limit, higher;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        soak_fail("start", "getrlimit", errno);
    higher.rlim_cur = wanted;
    higher.rlim_max = limit.rlim_max > wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &higher) == 0)
        return wanted;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        soak_fail("start", "setrlimit", errno);
    return limit.rlim_cur;
}

/* `who` stays: "tcp", "ipc" or "both". */
static struct soak_plan make_plan(const char *who)
{
    size_t stay = number_of("SOAK_CROWD", 10000), kinds = strcmp(who, "both") == 0 ? 2 : 1;
    size_t allowed = allow_descriptors(kinds * stay + SPARE);
    struct soak_plan plan = {.seconds = (int)number_of("SOAK_SECONDS", 20),
                             .come = number_of("SOAK_GUESTS", 5000),
                             .attack = number_of("SOAK_ATTACKERS", 100),
                             .seed = number_of("POLLUX_SEED", 1)};

    if (allowed < kinds * stay + SPARE) {
        size_t less = allowed < SPARE + 200 ? 100 : (allowed - SPARE) / kinds;

        fprintf(stderr,
                "soak %s: ONLY %zu DESCRIPTORS ARE ALLOWED HERE: %zu CONNECTIONS STAY, NOT %zu\n",
                soak_name, allowed, less, stay);
        stay = less;
    }
    plan.stay[0] = strcmp(who, "ipc") == 0 ? 0 : stay;
    plan.stay[1] = strcmp(who, "tcp") == 0 ? 0 : stay;
    return plan;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static void print_memory(const char *who, size_t peak_bytes, size_t peak_resident,
                         const struct meter_sample *end)
{
    printf(
        "%s %s: memory of the library at most %zu bytes, at the end %zu in %zu blocks; resident at "
        "most %zu KiB, at the end %zu; %d descriptors\n",
        soak_name, who, peak_bytes, end->bytes, end->blocks, peak_resident, end->resident,
        end->descriptors);
}

static void print_work(void)
{
    const struct meter_work *work = meter_work();

    printf("%s house: %llu polls; at most in one poll: %zu bytes received and %zu sent (budget "
           "%d), %zu "
           "accepts, %zu calls, %zu handlers; longest poll %lld us of processor time\n",
           soak_name, (unsigned long long)work->polls, work->most.received, work->most.sent,
           METER_BUDGET, work->most.accepted, work->most.calls, work->most.handlers,
           (long long)(work->most.thread_ns / 1000));
}

static void print(const struct soak_plan *plan, const struct soak_report *crowd, int64_t begin,
                  const struct meter_sample *last)
{
    printf(
        "%s soak: seed %llu, %.1f s, %llu rounds, %zu of TCP and %zu of IPC stayed; %llu "
        "connections, "
        "%llu bytes came back, %llu slow readers, %llu attackers, of whom the house ended %llu\n",
        soak_name, (unsigned long long)plan->seed, (double)(soak_now() - begin) / 1000,
        (unsigned long long)crowd->rounds, plan->stay[0], plan->stay[1],
        (unsigned long long)crowd->connections, (unsigned long long)crowd->bytes,
        (unsigned long long)crowd->slow, (unsigned long long)crowd->attackers,
        (unsigned long long)crowd->ended_by_house);
    print_work();
    print_memory("house", count_peak_bytes(), meter_peak_resident(), last);
    print_memory("crowd", crowd->peak_bytes, crowd->peak_resident, &crowd->sample);
}

/* The child gets the places of the servers, and nothing else of the house. */
static pid_t start_crowd(struct soak_plan *plan, int channels[2])
{
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) != 0)
        soak_fail("start", "socketpair", errno);
    child = fork();
    if (child < 0)
        soak_fail("start", "fork", errno);
    if (child == 0) {
        close(channels[0]);
        alarm((unsigned)plan->seconds + 240);
        if (read(channels[1], plan, sizeof *plan) != sizeof *plan)
            _exit(EXIT_FAILURE);
        soak_crowd(plan, channels[1]);
    }
    close(channels[1]);
    return child;
}

int main(int count, char **arguments)
{
    struct soak_plan plan;
    char folder[] = "/tmp/pollux-soak-XXXXXX";
    int64_t begin = soak_now();
    int channels[2], status = 0, descriptors;
    struct soak_report crowd;
    struct meter_sample last;
    pid_t child;

    soak_name = count < 2 ? soak_name : arguments[1];
    plan = make_plan(soak_name);
    count_memory();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (mkdtemp(folder) == NULL)
        soak_fail("start", "mkdtemp", errno);
    child = start_crowd(&plan, channels); /* before there is a house */
    alarm((unsigned)plan.seconds + 240);
    descriptors = count_descriptors();
    soak_house_open(&plan, folder);
    if (write(channels[0], &plan, sizeof plan) != sizeof plan)
        soak_fail("start", "write", errno);
    soak_house_run(&plan, channels[0], &crowd);
    last = meter_sample();
    soak_house_close();
    rmdir(folder);
    if (waitpid(child, &status, 0) != child || status != 0)
        soak_fail("house", "the crowd ended with status", status);
    print(&plan, &crowd, begin, &last);
    if (count_blocks() != 0 || count_descriptors() != descriptors)
        soak_fail("house", "left over: blocks", (long long)count_blocks());
    return EXIT_SUCCESS;
}
