/* tests/proxy-rows.c -- the rows of proxies: a program whose linker is asked for proxy_rows has
 * them.
 *
 * Connections to this computer go by no proxy, and all places of the rows are on this computer. So
 * the sockets have a route of the test's own: it leads to the place itself, and the filter of
 * lib/filter/exchange.c asks the peer there for a tunnel to another name. Raw peers that were
 * accepted and sockets of ours that accept are the proxy. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/filter/exchange.h"
#include "lib/filter/way.h"
#include "lib/os/address.h"
#include "lib/socket/chain.h"
#include "lib/socket/object.h"

#include <errno.h>

#include "tests/kinds.h"
#include "tests/proxies.h"
#include "tests/proxy-rows.h"
#include "tests/speaker.h"

/* What both say, in turn: the client begins. */
struct dialogue {
    enum plx__proxy_scheme scheme;
    struct proxy_line lines[5]; /* up to one without bytes */
};

static const struct dialogue socks5 = {
    PLX__PROXY_SOCKS5H,
    {PROXY_LINE(GREETING), PROXY_LINE(METHOD_NONE), PROXY_LINE(REQUEST), PROXY_LINE(GRANTED)}};
static const struct dialogue http = {PLX__PROXY_HTTP,
                                     {PROXY_LINE(CONNECT), PROXY_LINE(ESTABLISHED)}};

/* ---- raw peers ------------------------------------------------------------------------------- */

static size_t size_of_side(const struct dialogue *dialogue, int side)
{
    size_t size = 0;

    for (int i = side; i < 4 && dialogue->lines[i].size > 0; i += 2)
        size += dialogue->lines[i].size;
    return size;
}

/* Takes what belongs to the dialogue off the front, and passes the rest on. */
static void take(struct layer *layer, size_t dialogue, struct bytes *out)
{
    size_t left = dialogue - layer->decoded;
    size_t size = layer->in.size < left ? layer->in.size : left;

    layer->decoded += size;
    bytes_drop(&layer->in, size);
    bytes_add(out, layer->in.data, layer->in.size);
    bytes_drop(&layer->in, layer->in.size);
}

/* A peer that connects says all of its side at once. */
static void client_begin(struct bytes *out, const struct dialogue *dialogue)
{
    for (int i = 0; i < 4; i += 2)
        bytes_add(out, dialogue->lines[i].bytes, dialogue->lines[i].size);
}

static void client_encode(struct layer *layer, const uint8_t *data, size_t size, struct bytes *out)
{
    (void)layer;
    bytes_add(out, data, size);
}

/* A peer that was accepted answers each line when it has heard it. */
static void proxy_answer(struct layer *layer, struct bytes *out, const struct dialogue *dialogue)
{
    size_t heard = 0, said = 0;

    for (int i = 0; i < 4 && dialogue->lines[i].size > 0; i += 2) {
        heard += dialogue->lines[i].size;
        if (layer->decoded >= heard && layer->encoded == said) {
            bytes_add(out, dialogue->lines[i + 1].bytes, dialogue->lines[i + 1].size);
            layer->encoded += dialogue->lines[i + 1].size;
        }
        said += dialogue->lines[i + 1].size;
    }
    if (layer->encoded == said) {
        bytes_add(out, layer->held.data, layer->held.size);
        bytes_free(&layer->held);
    }
}

enum { HELD = 1 << 20 };

/* The codecs of a protocol. */
#define CODECS(name)                                                                               \
    static void name##_client_begin(struct layer *layer, struct bytes *out)                        \
    {                                                                                              \
        (void)layer;                                                                               \
        client_begin(out, &name);                                                                  \
    }                                                                                              \
    static void name##_client_decode(struct layer *layer, struct bytes *out)                       \
    {                                                                                              \
        take(layer, size_of_side(&name, 1), out);                                                  \
    }                                                                                              \
    static bool name##_is_over(const struct layer *layer)                                          \
    {                                                                                              \
        return layer->encoded >= size_of_side(&name, 1);                                           \
    }                                                                                              \
    static void name##_encode(struct layer *layer, const uint8_t *data, size_t size,               \
                              struct bytes *out)                                                   \
    {                                                                                              \
        bytes_add(name##_is_over(layer) ? out : &layer->held, data, size);                         \
    }                                                                                              \
    static void name##_decode(struct layer *layer, struct bytes *out)                              \
    {                                                                                              \
        take(layer, size_of_side(&name, 0), out);                                                  \
    }                                                                                              \
    static size_t name##_greets(const struct layer *layer)                                         \
    {                                                                                              \
        return size_of_side(&name, 0) - layer->decoded;                                            \
    }                                                                                              \
    static size_t name##_room(const struct layer *layer)                                           \
    {                                                                                              \
        return name##_is_over(layer) ? SIZE_MAX : HELD - layer->held.size;                         \
    }                                                                                              \
    static void name##_answer(struct layer *layer, struct bytes *out)                              \
    {                                                                                              \
        proxy_answer(layer, out, &name);                                                           \
    }                                                                                              \
    static const struct codec name##_client = {                                                    \
        .begin = name##_client_begin, .encode = client_encode, .decode = name##_client_decode};    \
    static const struct codec name##_proxy = {.encode = name##_encode,                             \
                                              .decode = name##_decode,                             \
                                              .room = name##_room,                                 \
                                              .greets = name##_greets,                             \
                                              .answer = name##_answer};                            \
    static void name##_begin(struct raw *raw, bool accepted)                                       \
    {                                                                                              \
        speaker_begin(raw, accepted ? &name##_proxy : &name##_client, NULL);                       \
    }

CODECS(socks5)
CODECS(http)

/* ---- sockets of ours that accept ------------------------------------------------------------- */

struct gate {
    const struct dialogue *dialogue;
    int line;
    size_t done; /* bytes of the line */
};

/* A socket that connects is led only now: what fails before has the reasons of a plain one. */
static int gate_begin(plx_filter *filter)
{
    struct gate *own = plx_filter_state(filter);
    plx_socket *socket = plx_filter_socket(filter);
    struct plx__route *route = plx__rare_of(socket)->route;

    own->line = 0;
    own->done = 0;
    route->leg = socket->is_caller ? PLX__LEG_LEADING : PLX__LEG_DIRECT;
    route->remote = socket->remote;
    return 0;
}

/* Moves bytes of a line. The other side's are not compared: the raw peers and the tests do that. */
static ptrdiff_t move(plx_filter *filter, const struct proxy_line *line, struct gate *own)
{
    char heard[600];
    size_t left = line->size - own->done;

    return own->line % 2 == 0 ? plx_filter_lower_receive(filter, heard, left)
                              : plx_filter_lower_send(filter, line->bytes + own->done, left);
}

static int gate_establish(plx_filter *filter)
{
    struct gate *own = plx_filter_state(filter);

    if (plx_filter_socket(filter)->is_caller)
        return 0;
    while (own->line < 4 && own->dialogue->lines[own->line].size > 0) {
        const struct proxy_line *line = &own->dialogue->lines[own->line];
        ptrdiff_t count = move(filter, line, own);

        if (count < 0)
            return (int)-count;
        if (count == 0)
            return plx_filter_fail(filter, PLX_LOST_CONNECTION, PLX_REASON_REMOTE_HOST_CLOSED,
                                   "gate: the end came inside the greeting");
        own->done += (size_t)count;
        if (own->done == line->size) {
            own->line++;
            own->done = 0;
        }
    }
    return 0;
}

static const plx_filter_kind gate_filter = {
    .size = sizeof gate_filter,
    .state_size = sizeof(struct gate),
    .name = "gate",
    .begin = gate_begin,
    .establish = gate_establish,
};

/* ---- sockets of ours that connect ------------------------------------------------------------ */

static bool plan(plx_socket *socket, struct plx__target *target, enum plx__leg *ret_leg)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);
    struct plx__way *way = &proxy->planned;

    (void)target;
    way->proxy = proxy->text;
    memcpy(way->host, "tunnel.test", sizeof "tunnel.test");
    way->port = 99;
    way->count = way->next = 0;
    *ret_leg = PLX__LEG_DIRECT;
    return true;
}

static void begin(plx_socket *socket)
{
    struct plx__proxy *proxy = plx__proxy_of(socket);

    proxy->way = proxy->planned;
}

static void free_proxy(struct plx__route *route)
{
    plx__memory_free(PLX__CONTAINER_OF(route, struct plx__proxy, route));
}

static const struct plx__route_table table = {.plan = plan, .begin = begin, .free = free_proxy};

static plx_socket *equip(plx_socket *socket, const struct dialogue *dialogue)
{
    struct plx__proxy *proxy =
        socket == NULL || plx__rare_make(socket) == NULL ? NULL : plx__memory_new(sizeof *proxy);
    plx_filter *gate = NULL;

    if (proxy == NULL)
        return plx_socket_free(socket);
    proxy->route.table = &table;
    proxy->text.scheme = dialogue->scheme;
    plx__route_set(socket, &proxy->route);
    if (plx__exchange_put(socket))
        gate = plx__step_new(&gate_filter);
    if (gate == NULL)
        return plx_socket_free(socket);
    ((struct gate *)plx_filter_state(gate))->dialogue = dialogue;
    plx__chain_add_first(plx__chain_of(socket), gate);
    gate->is_setting = true;
    return socket;
}

plx_socket *socks5_row_new(plx_socket *socket)
{
    return equip(socket, &socks5);
}

plx_socket *http_row_new(plx_socket *socket)
{
    return equip(socket, &http);
}

static plx_socket *socks5_tcp_new(void)
{
    return socks5_row_new(plx_tcp_new());
}

static plx_socket *http_tcp_new(void)
{
    return http_row_new(plx_tcp_new());
}

/* ---- the rows -------------------------------------------------------------------------------- */

/* The linker is asked for it. */
extern int proxy_rows;
int proxy_rows;

static void add(const char *name, plx_constructor *create,
                void (*begins)(struct raw *raw, bool accepted))
{
    struct kind kind = *kind_of_name("hello tcp");

    kind.name = name;
    kind.create = create;
    kind.begin = begins;
    kinds_add(&kind);
}

__attribute__((constructor)) static void add_rows(void)
{
    add("socks5 tcp", socks5_tcp_new, socks5_begin);
    add("http tcp", http_tcp_new, http_begin);
}
