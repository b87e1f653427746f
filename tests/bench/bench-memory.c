/* tests/bench/bench-memory.c -- bytes of an idle connection, allocations in a frame, the
 * library. */
#include "config.h"

#include "tests/bench/bench.h"
#include "tests/bench/crowd.h"
#include "tests/bench/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pollux.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CONNECTIONS = 1000,
    ACTIVE = 100,
    STEADY_FRAMES = 1000,
    WARM_FRAMES = 100,
    DATAGRAMS = 16,
    IDLE_FRAMES = 200
};

/* ---- the counting allocator ------------------------------------------------------------------ */

static size_t live_bytes;
static size_t allocator_calls;

/* In front of every block stands how long it is. */
union head {
    size_t size;
    max_align_t align;
};

static void *counting_resize(void *memory, size_t size, void *user)
{
    union head *head = memory == NULL ? NULL : (union head *)memory - 1;
    size_t old = head == NULL ? 0 : head->size;

    (void)user;
    allocator_calls++;
    if (size == 0) {
        live_bytes -= old;
        free(head);
        return NULL;
    }
    head = realloc(head, sizeof *head + size);
    if (head == NULL)
        return NULL;
    live_bytes = live_bytes - old + size;
    head->size = size;
    return head + 1;
}

/* ---- an idle connection ---------------------------------------------------------------------- */

static void echo_stream(plx_socket *socket, void *user)
{
    size_t *count = user;
    size_t size;
    const void *data = plx_socket_read_all(socket, &size);

    (void)plx_socket_write(socket, data, size);
    (*count)++;
}

static void echo_frame(struct service *service, struct crowd *crowd, unsigned first,
                       unsigned active, size_t *count)
{
    struct crowd_choice choice = {.total = CONNECTIONS, .first = first, .count = active};

    crowd_send(crowd, &choice);
    *count = 0;
    while (plx_group_poll(service->group, 0) || *count < active)
        continue;
    crowd_receive(crowd, &choice);
}

static void measure_idle(struct bench *bench, struct service *service, struct crowd *crowd,
                         size_t *count)
{
    const struct bench_goal fresh = {"bytes per idle accepted connection, of 1000", "B",
                                     BENCH_AT_MOST, 400};
    const struct bench_goal used = {"the same after a message each, the pool included", "B",
                                    BENCH_AT_MOST, 512};
    size_t before = live_bytes;

    service_admit(service, crowd, CONNECTIONS);
    bench_report_value(bench, &fresh, "Pollux", -1, (double)(live_bytes - before) / CONNECTIONS);
    for (unsigned first = 0; first < CONNECTIONS; first += ACTIVE)
        echo_frame(service, crowd, first, ACTIVE, count);
    for (int i = 0; i < IDLE_FRAMES; i++)
        (void)plx_group_poll(service->group, 0);
    bench_report_value(bench, &used, "Pollux", -1, (double)(live_bytes - before) / CONNECTIONS);
}

/* ---- steady frames --------------------------------------------------------------------------- */

static void measure_steady_tcp(struct bench *bench, struct service *service, struct crowd *crowd,
                               size_t *count)
{
    const struct bench_goal goal = {"allocator calls in 1000 frames, TCP, 100 of 1000 active", "",
                                    BENCH_AT_MOST, 0};
    unsigned frames = (unsigned)bench_rounds(bench, STEADY_FRAMES);
    size_t before = 0;

    for (unsigned i = 0; i < WARM_FRAMES + frames; i++) {
        if (i == WARM_FRAMES)
            before = allocator_calls;
        echo_frame(service, crowd, i * 37, ACTIVE, count);
    }
    bench_report_value(bench, &goal, "Pollux", -1, (double)(allocator_calls - before));
}

static void measure_steady_ipc(struct bench *bench)
{
    static const plx_events events = {.data_available = echo_stream};
    const struct bench_goal goal = {"allocator calls in 1000 frames, IPC", "", BENCH_AT_MOST, 0};
    plx_group *group = plx_group_new();
    plx_socket *socket = plx_ipc_new();
    size_t count = 0;
    size_t before = 0;
    char message[64] = {0};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        bench_fail("make a pair of Unix sockets");
    plx_socket_set_events(socket, &events, &count);
    (void)plx_socket_adopt(socket, ends[1]);
    (void)plx_group_add(group, socket);
    for (unsigned i = 0; i < WARM_FRAMES + STEADY_FRAMES; i++) {
        if (i == WARM_FRAMES)
            before = allocator_calls;
        if (send(ends[0], message, sizeof message, MSG_NOSIGNAL) < 0)
            bench_fail("send");
        count = 0;
        do
            (void)plx_group_poll(group, 0);
        while (count == 0);
        if (recv(ends[0], message, sizeof message, MSG_WAITALL) < 0)
            bench_fail("receive");
    }
    bench_report_value(bench, &goal, "Pollux", -1, (double)(allocator_calls - before));
    (void)plx_socket_free(socket);
    (void)plx_group_free(group);
    close(ends[0]);
}

static void echo_datagrams(plx_socket *socket, void *user)
{
    size_t *count = user;
    plx_datagram datagram;

    while (plx_udp_read(socket, &datagram)) {
        (void)plx_udp_write(socket, &datagram.from, datagram.data, datagram.size);
        (*count)++;
    }
}

static void datagram_frame(plx_group *group, int peer, const struct sockaddr_in *to, size_t *count)
{
    char message[64] = {0};

    for (int i = 0; i < DATAGRAMS; i++)
        (void)sendto(peer, message, sizeof message, 0, (const struct sockaddr *)to, sizeof *to);
    for (*count = 0; *count < DATAGRAMS;)
        (void)plx_group_poll(group, 0);
    for (int i = 0; i < DATAGRAMS; i++)
        (void)recv(peer, message, sizeof message, 0);
}

static void measure_steady_udp(struct bench *bench)
{
    static const plx_events events = {.data_available = echo_datagrams};
    const struct bench_goal goal = {"allocator calls in 1000 frames, UDP, 16 datagrams each", "",
                                    BENCH_AT_MOST, 0};
    plx_group *group = plx_group_new();
    plx_socket *socket_udp = plx_udp_new();
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct timeval patience = {.tv_sec = 1};
    int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    size_t count = 0;
    size_t before = 0;

    (void)setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    plx_socket_set_events(socket_udp, &events, &count);
    (void)plx_socket_set_option(socket_udp, PLX_OPTION_PROTOCOL, 0);
    errno = plx_socket_connect(socket_udp);
    if (errno != 0)
        bench_fail("bind");
    (void)plx_group_add(group, socket_udp);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)plx_socket_port(socket_udp));
    for (unsigned i = 0; i < WARM_FRAMES + STEADY_FRAMES; i++) {
        if (i == WARM_FRAMES)
            before = allocator_calls;
        datagram_frame(group, peer, &to, &count);
    }
    bench_report_value(bench, &goal, "Pollux", -1, (double)(allocator_calls - before));
    (void)plx_socket_free(socket_udp);
    (void)plx_group_free(group);
    close(peer);
}

/* ---- the library ----------------------------------------------------------------------------- */

/* Finds where the library was loaded from. Linked into this program, it is looked for where libtool
 * puts it. (dladdr would be shorter, but is in a library of its own before glibc 2.34.) */
static bool library_path(char *path, size_t size)
{
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    const char *start = NULL;

    while (maps != NULL && start == NULL && fgets(line, sizeof line, maps) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        start = strstr(line, "/libpollux.so") == NULL ? NULL : strchr(line, '/');
    }
    (void)snprintf(path, size, "%s", start == NULL ? ".libs/libpollux.so" : start);
    if (maps != NULL)
        fclose(maps);
    return access(path, R_OK) == 0;
}

static void measure_library(struct bench *bench)
{
    const struct bench_goal goal = {"size of libpollux.so, stripped", "KiB", BENCH_AT_MOST, 150};
    char stripped[] = "/tmp/libpollux-XXXXXX";
    char path[4096];
    struct stat status;
    pid_t process;
    int state = 1;
    int copy = mkstemp(stripped);

    if (copy < 0 || !library_path(path, sizeof path)) {
        fprintf(stderr, "bench: libpollux.so was not found: its size is not measured\n");
        return;
    }
    close(copy);
    process = fork();
    if (process == 0) {
        (void)execlp("strip", "strip", "-o", stripped, path, (char *)NULL);
        _exit(127);
    }
    if (process > 0 && waitpid(process, &state, 0) == process && state == 0 &&
        stat(stripped, &status) == 0)
        bench_report_value(bench, &goal, "Pollux", -1, (double)status.st_size / 1024);
    else
        fprintf(stderr, "bench: strip did not work: the library's size is not measured\n");
    (void)unlink(stripped);
}

int main(int argc, char **argv)
{
    static const plx_events events = {.data_available = echo_stream};
    struct bench bench;
    struct service service;
    struct crowd crowd;
    size_t count = 0;

    bench_start(&bench, "memory", argc, argv);
    plx_memory_set(counting_resize, NULL);
    crowd_start(&crowd);
    service_open(&service, NULL, &events, &count);
    measure_idle(&bench, &service, &crowd, &count);
    measure_steady_tcp(&bench, &service, &crowd, &count);
    service_close(&service);
    crowd_end(&crowd);
    measure_steady_ipc(&bench);
    measure_steady_udp(&bench);
    measure_library(&bench);
    return bench_finish(&bench);
}
