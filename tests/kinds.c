/* tests/kinds.c -- the rows, and how their raw peers speak. See kinds.h. */
#include "config.h"

#include <check.h>
#include <errno.h>

#include "tests/kinds.h"
#include "tests/sockets.h"

/* ---- plain sockets: every byte as it is --------------------------------------------------------- */

static ptrdiff_t plain_say(int raw, const void *data, size_t size)
{
    ssize_t sent = send(raw, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    return sent;
}

static ptrdiff_t plain_hear(int raw, void *data, size_t size)
{
    ssize_t got = recv(raw, data, size, MSG_DONTWAIT);

    if (got >= 0)
        return got;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return RAW_NOTHING;
    ck_assert_int_eq(errno, ECONNRESET);
    return RAW_RESET;
}

static void plain_end(int raw, bool gone)
{
    if (gone)
        close(raw);
    else
        shutdown(raw, SHUT_WR);
}

/* What is unread, or SO_LINGER with TCP, makes a reset of a close. */
static void plain_reset(int raw)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(raw, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(raw);
}

/* ---- tcp ------------------------------------------------------------------------------------- */

static void tcp_place(const char *folder, int number, char *ret_where)
{
    (void)folder;
    (void)number;
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:0");
}

static void tcp_reach(const char *listened, int port, char *ret_where)
{
    (void)listened;
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:%d", port);
}

static int tcp_raw_bind(const char *folder, int number, char *ret_where)
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

static int tcp_raw_connect(const char *where)
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

static void ipc_place(const char *folder, int number, char *ret_where)
{
    snprintf(ret_where, WHERE_SIZE, "%s/s%d", folder, number);
}

static void ipc_reach(const char *listened, int port, char *ret_where)
{
    (void)port;
    snprintf(ret_where, WHERE_SIZE, "%s", listened);
}

socklen_t unix_name(const char *where, struct sockaddr_un *ret_name)
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

static int unix_bind(const char *where, int type)
{
    struct sockaddr_un name;
    socklen_t size = unix_name(where, &name);
    int raw = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (raw >= 0 && bind(raw, (struct sockaddr *)&name, size) == 0)
        return raw;
    close(raw);
    return -1;
}

static int unix_connect(const char *where, int type)
{
    struct sockaddr_un name;
    socklen_t size = unix_name(where, &name);
    int raw = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    if (raw >= 0 && connect(raw, (struct sockaddr *)&name, size) == 0)
        return raw;
    close(raw);
    return -1;
}

int unix_raw_bind_at(const char *where)
{
    return unix_bind(where, SOCK_STREAM);
}

int unix_raw_connect(const char *where)
{
    return unix_connect(where, SOCK_STREAM);
}

static int ipc_raw_bind(const char *folder, int number, char *ret_where)
{
    ipc_place(folder, number, ret_where);
    return unix_bind(ret_where, SOCK_STREAM);
}

/* ---- seqpacket ---------------------------------------------------------------------------------- */

static int seqpacket_raw_bind(const char *folder, int number, char *ret_where)
{
    ipc_place(folder, number, ret_where);
    return unix_bind(ret_where, SOCK_SEQPACKET);
}

static int seqpacket_raw_connect(const char *where)
{
    return unix_connect(where, SOCK_SEQPACKET);
}

/* ---- the rows -------------------------------------------------------------------------------- */

const struct kind kinds[] = {
    {
        .name = "tcp",
        .create = plx_tcp_new,
        .resets = true,
        .place = tcp_place,
        .reach = tcp_reach,
        .raw_bind = tcp_raw_bind,
        .raw_connect = tcp_raw_connect,
        .say = plain_say,
        .hear = plain_hear,
        .end = plain_end,
        .reset = plain_reset,
    },
    {
        .name = "ipc",
        .create = plx_ipc_new,
        .place = ipc_place,
        .reach = ipc_reach,
        .raw_bind = ipc_raw_bind,
        .raw_connect = unix_raw_connect,
        .say = plain_say,
        .hear = plain_hear,
        .end = plain_end,
        .reset = plain_reset,
    },
    {
        .name = "seqpacket",
        .create = plx_seqpacket_new,
        .keeps_boundaries = true,
        .place = ipc_place,
        .reach = ipc_reach,
        .raw_bind = seqpacket_raw_bind,
        .raw_connect = seqpacket_raw_connect,
        .say = plain_say,
        .hear = plain_hear,
        .end = plain_end,
        .reset = plain_reset,
    },
};

const int kind_count = sizeof kinds / sizeof kinds[0];
