/* tests/kinds.h -- one row per stream kind: whoever has a row here inherits the whole conformance
 * suite.
 *
 * Adding a kind is adding a row to `kinds`. A row says how to make a socket of the kind, which
 * place it can listen at, how that place is reached afterwards, and how a raw peer, one that knows
 * nothing of Pollux, is made for it. Everything a row hands out lies in a folder of the test's own
 * or on a port that the system picked, so that test programs may run side by side. */
#ifndef POLLUX_TESTS_KINDS_H
#define POLLUX_TESTS_KINDS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pollux.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WHERE_SIZE = 200 };

struct kind {
    const char *name;
    plx_constructor *create;
    bool resets; /* an abort shows as a reset and not only as an end */
    /* Where a Pollux socket or server may listen; `number` tells the places of one test apart. */
    void (*place)(const char *folder, int number, char *ret_where);
    /* Where to connect to, once something listens at `listened` and reports `port`. */
    void (*reach)(const char *listened, int port, char *ret_where);
    /* A raw descriptor, bound and not yet listening, and the place that reaches it. */
    int (*raw_bind)(const char *folder, int number, char *ret_where);
    /* A raw descriptor connected to `where`, or -1 if that was refused. */
    int (*raw_connect)(const char *where);
};

/* ---- tcp ------------------------------------------------------------------------------------- */

static inline void tcp_place(const char *folder, int number, char *ret_where)
{
    (void)folder;
    (void)number;
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:0");
}

static inline void tcp_reach(const char *listened, int port, char *ret_where)
{
    (void)listened;
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:%d", port);
}

static inline int tcp_raw_bind(const char *folder, int number, char *ret_where)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int one = 1;
    int raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)folder;
    (void)number;
    if (raw < 0 || bind(raw, (struct sockaddr *)&name, size) != 0 ||
        getsockname(raw, (struct sockaddr *)&name, &size) != 0)
        return -1;
    setsockopt(raw, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:%d", ntohs(name.sin_port));
    return raw;
}

static inline int tcp_raw_connect(const char *where)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    unsigned port = 0;
    char host[64] = "";
    int one = 1;
    int raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (raw < 0 || sscanf(where, "%63[0-9.]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &name.sin_addr) != 1)
        return -1;
    name.sin_port = htons((uint16_t)port);
    setsockopt(raw, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(raw, (struct sockaddr *)&name, sizeof name) == 0)
        return raw;
    close(raw);
    return -1;
}

/* ---- ipc ------------------------------------------------------------------------------------- */

static inline void ipc_place(const char *folder, int number, char *ret_where)
{
    snprintf(ret_where, WHERE_SIZE, "%s/s%d", folder, number);
}

static inline void ipc_reach(const char *listened, int port, char *ret_where)
{
    (void)port;
    snprintf(ret_where, WHERE_SIZE, "%s", listened);
}

/* Fills in a Unix name from its text; '@' stands for the abstract name space. */
static inline socklen_t unix_name(const char *where, struct sockaddr_un *ret_name)
{
    size_t length = strlen(where);

    memset(ret_name, 0, sizeof *ret_name);
    ret_name->sun_family = AF_UNIX;
    memcpy(ret_name->sun_path, where, length < sizeof ret_name->sun_path ? length + 1 : 0);
    if (where[0] != '@')
        return (socklen_t)sizeof *ret_name;
    ret_name->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static inline int unix_raw_bind_at(const char *where)
{
    struct sockaddr_un name;
    socklen_t size = unix_name(where, &name);
    int raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (raw >= 0 && bind(raw, (struct sockaddr *)&name, size) == 0)
        return raw;
    close(raw);
    return -1;
}

static inline int ipc_raw_bind(const char *folder, int number, char *ret_where)
{
    ipc_place(folder, number, ret_where);
    return unix_raw_bind_at(ret_where);
}

static inline int unix_raw_connect(const char *where)
{
    struct sockaddr_un name;
    socklen_t size = unix_name(where, &name);
    int raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (raw >= 0 && connect(raw, (struct sockaddr *)&name, size) == 0)
        return raw;
    close(raw);
    return -1;
}

/* ---- the rows -------------------------------------------------------------------------------- */

static const struct kind kinds[] = {
    {"tcp", plx_tcp_new, true, tcp_place, tcp_reach, tcp_raw_bind, tcp_raw_connect},
    {"ipc", plx_ipc_new, false, ipc_place, ipc_reach, ipc_raw_bind, unix_raw_connect},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

#endif
