/* tests/kinds.c -- the rows, and how their raw peers speak. See kinds.h. */
#include "config.h"

#include <stdlib.h>

#include "tests/filters.h"
#include "tests/kinds.h"
#include "tests/plain.h"
#include "tests/sockets.h"
#include "tests/speaker.h"

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

static bool tcp_bind(struct raw *raw, const char *folder, int number, char *ret_where)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof name;
    int one = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)folder;
    (void)number;
    if (bind(descriptor, (struct sockaddr *)&name, size) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&name, &size) != 0)
        return close(descriptor), false;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    snprintf(ret_where, WHERE_SIZE, "127.0.0.1:%d", ntohs(name.sin_port));
    raw->descriptor = descriptor;
    return true;
}

static bool tcp_connect(struct raw *raw, const char *where)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    unsigned port = 0;
    char host[64] = "";
    int one = 1, descriptor;

    if (sscanf(where, "%63[0-9.]:%u", host, &port) != 2 ||
        inet_pton(AF_INET, host, &name.sin_addr) != 1)
        return false;
    name.sin_port = htons((uint16_t)port);
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(descriptor, (struct sockaddr *)&name, sizeof name) != 0)
        return close(descriptor), false;
    raw->descriptor = descriptor;
    return true;
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

static bool ipc_bind(struct raw *raw, const char *folder, int number, char *ret_where)
{
    ipc_place(folder, number, ret_where);
    raw->descriptor = unix_bind(ret_where, SOCK_STREAM);
    return raw->descriptor >= 0;
}

static bool ipc_connect(struct raw *raw, const char *where)
{
    raw->descriptor = unix_connect(where, SOCK_STREAM);
    return raw->descriptor >= 0;
}

/* ---- seqpacket ------------------------------------------------------------------------------- */

static bool seqpacket_bind(struct raw *raw, const char *folder, int number, char *ret_where)
{
    ipc_place(folder, number, ret_where);
    raw->descriptor = unix_bind(ret_where, SOCK_SEQPACKET);
    return raw->descriptor >= 0;
}

static bool seqpacket_connect(struct raw *raw, const char *where)
{
    raw->descriptor = unix_connect(where, SOCK_SEQPACKET);
    return raw->descriptor >= 0;
}

/* ---- filtered sockets ------------------------------------------------------------------------ */

static plx_socket *push(plx_socket *socket, const plx_filter_kind *filter)
{
    return socket == NULL || plx_socket_push_filter(socket, filter) != NULL
               ? socket
               : plx_socket_free(socket);
}

static plx_socket *push_stack(plx_socket *socket)
{
    return push(push(push(socket, &bits_filter), &blocks_filter), &records_filter);
}

static plx_socket *bits_tcp_new(void)
{
    return push(plx_tcp_new(), &bits_filter);
}

static plx_socket *bits_ipc_new(void)
{
    return push(plx_ipc_new(), &bits_filter);
}

static plx_socket *order_tcp_new(void)
{
    return push(plx_tcp_new(), &order_filter);
}

static plx_socket *order_ipc_new(void)
{
    return push(plx_ipc_new(), &order_filter);
}

static plx_socket *stack_tcp_new(void)
{
    return push_stack(plx_tcp_new());
}

static plx_socket *stack_ipc_new(void)
{
    return push_stack(plx_ipc_new());
}

static plx_socket *through_tcp_new(void)
{
    return push(plx_tcp_new(), &through_filter);
}

static plx_socket *mask_tcp_new(void)
{
    return push(plx_tcp_new(), &mask_filter);
}

static plx_socket *hello_tcp_new(void)
{
    return push(plx_tcp_new(), &hello_filter);
}

static plx_socket *hello_ipc_new(void)
{
    return push(plx_ipc_new(), &hello_filter);
}

static void bits_begin(struct raw *raw, bool accepted)
{
    (void)accepted;
    speaker_begin(raw, &bits_codec, NULL);
}

static void order_begin(struct raw *raw, bool accepted)
{
    (void)accepted;
    speaker_begin(raw, &order_codec, NULL);
}

static void mask_begin(struct raw *raw, bool accepted)
{
    (void)accepted;
    speaker_begin(raw, &mask_codec, NULL);
}

static void stack_begin(struct raw *raw, bool accepted)
{
    (void)accepted;
    speaker_begin(raw, &bits_codec, &blocks_codec, &records_codec, NULL);
}

/* A peer that was accepted answers. One that connects does not wait: its greeting, its bytes and
 * its end may all arrive at once. */
static void hello_begin(struct raw *raw, bool accepted)
{
    speaker_begin(raw, accepted ? &hello_back_codec : &hello_codec, NULL);
}

/* ---- the rows -------------------------------------------------------------------------------- */

#define TCP                                                                                        \
    .resets = true, .place = tcp_place, .reach = tcp_reach, .bind = tcp_bind,                      \
    .connect = tcp_connect, .accept = plain_accept, .listen = plain_listen
#define IPC                                                                                        \
    .place = ipc_place, .reach = ipc_reach, .bind = ipc_bind, .connect = ipc_connect,              \
    .accept = plain_accept, .listen = plain_listen
#define PLAIN                                                                                      \
    .say = plain_say, .hear = plain_hear, .end = plain_end, .close = plain_close,                  \
    .reset = plain_reset
#define FILTERED                                                                                   \
    .filtered = true, .say = speaker_say, .hear = speaker_hear, .turn = speaker_turn,              \
    .end = speaker_end, .close = speaker_close, .reset = plain_reset, .forget = speaker_forget
#define ESTABLISHES FILTERED, .establishes = true

enum { ROWS = 13, ROWS_MOST = 24 };

struct kind kinds[ROWS_MOST] = {
    {.name = "tcp", .create = plx_tcp_new, TCP, PLAIN},
    {.name = "ipc", .create = plx_ipc_new, IPC, PLAIN},
    {.name = "bits tcp", .create = bits_tcp_new, .begin = bits_begin, TCP, FILTERED},
    {.name = "bits ipc", .create = bits_ipc_new, .begin = bits_begin, IPC, FILTERED},
    {.name = "mask tcp", .create = mask_tcp_new, .begin = mask_begin, TCP, FILTERED},
    {.name = "order tcp", .create = order_tcp_new, .begin = order_begin, TCP, FILTERED},
    {.name = "order ipc", .create = order_ipc_new, .begin = order_begin, IPC, FILTERED},
    {.name = "stack tcp", .create = stack_tcp_new, .begin = stack_begin, TCP, FILTERED},
    {.name = "through tcp", .filtered = true, .create = through_tcp_new, TCP, PLAIN},
    {.name = "stack ipc", .create = stack_ipc_new, .begin = stack_begin, IPC, FILTERED},
    {.name = "hello tcp", .create = hello_tcp_new, .begin = hello_begin, TCP, ESTABLISHES},
    {.name = "hello ipc", .create = hello_ipc_new, .begin = hello_begin, IPC, ESTABLISHES},
    {
        .name = "seqpacket",
        .create = plx_seqpacket_new,
        .keeps_boundaries = true,
        .place = ipc_place,
        .reach = ipc_reach,
        .bind = seqpacket_bind,
        .connect = seqpacket_connect,
        .accept = plain_accept,
        .listen = plain_listen,
        PLAIN,
    },
};

int kind_count = ROWS;

void kinds_add(const struct kind *kind)
{
    if (kind_count == ROWS_MOST)
        abort();
    kinds[kind_count++] = *kind;
}

const struct kind *kind_of_name(const char *name)
{
    for (int i = 0; i < kind_count; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    fprintf(stderr, "%s: not a row of kinds.h\n", name);
    abort();
}
