/* tests/promises.c -- brings sockets to each place of their life. See promises.h. */
#include "config.h"

#include "tests/nameserver.h"
#include "tests/promises.h"
#include "tests/sockets.h"

#include <stdlib.h>

static const char *const sorts[] = {"tcp", "udp", "ipc", "seqpacket"};
static const char *const places[] = {
    "new",        "looking up", "connecting", "bound", "listening", "connected", "readable",
    "half ended", "closing",    "left",       "ended", "closed",    "aborted",   "failed"};

/* ---- what a place means ---------------------------------------------------------------------- */

plx_state place_state(const struct stage *s)
{
    static const plx_state states[] = {
        PLX_UNCONNECTED, PLX_HOST_LOOKUP, PLX_CONNECTING,  PLX_BOUND,      PLX_LISTENING,
        PLX_CONNECTED,   PLX_CONNECTED,   PLX_CONNECTED,   PLX_CLOSING,    PLX_BOUND,
        PLX_UNCONNECTED, PLX_UNCONNECTED, PLX_UNCONNECTED, PLX_UNCONNECTED};

    return states[s->place];
}

bool place_is_unconnected(const struct stage *s)
{
    return place_state(s) == PLX_UNCONNECTED;
}

bool place_is_open(const struct stage *s)
{
    bool coming = s->place == LOOKING_UP || s->place == CONNECTING;

    /* A UDP socket is bound before it chooses its peer. */
    return !place_is_unconnected(s) && (!coming || s->sort == UDP);
}

bool place_has_peer(const struct stage *s)
{
    return place_state(s) == PLX_CONNECTED || s->place == CLOSING;
}

bool place_has_unread(const struct stage *s)
{
    return s->place == READABLE || s->place == ENDED || s->place == CLOSED;
}

bool place_can_write(const struct stage *s)
{
    return s->place == LOOKING_UP || s->place == CONNECTING || place_state(s) == PLX_CONNECTED;
}

bool place_may_receive(const struct stage *s)
{
    return !place_is_unconnected(s) && s->place != HALF_ENDED;
}

/* ---- peers ----------------------------------------------------------------------------------- */

plx_socket *promises_new(enum sort sort)
{
    static plx_constructor *const make[] = {plx_tcp_new, plx_udp_new, plx_ipc_new,
                                            plx_seqpacket_new};

    return make[sort]();
}

int promises_raw(enum sort sort)
{
    static const int families[] = {AF_INET, AF_INET, AF_UNIX, AF_UNIX};
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET};

    return socket(families[sort], types[sort] | SOCK_CLOEXEC, 0);
}

int promises_listen(struct world *w, enum sort sort, char *ret_where)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path;
    socklen_t size = sizeof here;
    int raw = world_raw(w, promises_raw(sort));

    if (sort == IPC || sort == SEQPACKET) {
        snprintf(ret_where, WHERE_SIZE, "%s/s%d", w->folder, w->places++);
        ck_assert_int_eq(bind(raw, (struct sockaddr *)&path, unix_name(ret_where, &path)), 0);
    } else {
        ck_assert_int_eq(bind(raw, (struct sockaddr *)&here, size), 0);
        ck_assert_int_eq(getsockname(raw, (struct sockaddr *)&here, &size), 0);
        snprintf(ret_where, WHERE_SIZE, "127.0.0.1:%d", ntohs(here.sin_port));
    }
    ck_assert(sort == UDP || listen(raw, 5) == 0);
    return raw;
}

int promises_take(struct world *w, enum sort sort, int listener, plx_socket *socket)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (sort == UDP) {
        there.sin_port = htons((uint16_t)plx_socket_port(socket));
        ck_assert_int_eq(connect(listener, (struct sockaddr *)&there, sizeof there), 0);
        return listener;
    }
    return raw_accept(w, listener);
}

/* ---- the way to a place ---------------------------------------------------------------------- */

static void set_out(struct stage *s)
{
    ck_assert_msg(plx_socket_connect_to(s->socket, s->where) == 0, "%s: %s", s->name,
                  plx_socket_error(s->socket)->message);
}

static void connect_now(struct stage *s)
{
    int listener = promises_listen(s->w, s->sort, s->where);

    if (!sort_has_path(s))
        ck_assert_int_eq(plx_address_parse(s->where, &s->address), 0);
    set_out(s);
    if (s->sort == UDP)
        world_turn(s->w, 0);
    s->peer = promises_take(s->w, s->sort, listener, s->socket);
    UNTIL(s->w, s->log.count[EVENT_CONNECTED] == 1);
}

static void take_in(struct stage *s)
{
    raw_say(s->peer, UNREAD);
    UNTIL(s->w, plx_socket_bytes_available(s->socket) == UNREAD_SIZE);
}

static void end_peer(struct stage *s)
{
    raw_close(s->w, s->peer);
    s->peer = -1;
    UNTIL(s->w, plx_socket_state(s->socket) == PLX_UNCONNECTED);
}

static void look_up(struct stage *s)
{
    char where[WHERE_SIZE];

    nameserver_is_needed("promises while a name is looked up");
    promises_listen(s->w, UDP, where); /* a name server that never answers */
    setenv("POLLUX_NAMESERVERS", where, 1);
    snprintf(s->where, sizeof s->where, "nobody.test:9");
    set_out(s);
}

static void half_end(struct stage *s)
{
    ck_assert_int_eq(plx_socket_set_option(s->socket, PLX_OPTION_HALF_OPEN, 1), 0);
    connect_now(s);
    ck_assert_int_eq(shutdown(s->peer, SHUT_WR), 0);
    UNTIL(s->w, s->log.count[EVENT_END_OF_INPUT] == 1);
}

static void close_queue(struct stage *s)
{
    connect_now(s);
    ck_assert_int_eq(plx_socket_write(s->socket, "queued", 6), 6);
    ck_assert_int_eq(plx_socket_disconnect(s->socket), 0);
}

static void listen_now(struct stage *s)
{
    snprintf(s->where, sizeof s->where, "127.0.0.1:0");
    if (sort_has_path(s))
        snprintf(s->where, sizeof s->where, "%s/l%d", s->w->folder, s->w->places++);
    ck_assert_int_eq(plx_socket_listen_on(s->socket, s->where), 0);
}

static void be_refused(struct stage *s)
{
    raw_close(s->w, promises_listen(s->w, s->sort, s->where));
    set_out(s);
    UNTIL(s->w, plx_socket_state(s->socket) == PLX_UNCONNECTED);
}

static void go(struct stage *s)
{
    switch (s->place) {
    case NEW: break;
    case LOOKING_UP: look_up(s); break;
    case CONNECTING:
        promises_listen(s->w, s->sort, s->where);
        set_out(s);
        break;
    case BOUND: ck_assert_int_eq(plx_udp_bind(s->socket, "127.0.0.1:0"), 0); break;
    case LISTENING: listen_now(s); break;
    case HALF_ENDED: half_end(s); break;
    case CLOSING: close_queue(s); break;
    case FAILED: be_refused(s); break;
    default: connect_now(s);
    }
    if (place_has_unread(s))
        take_in(s);
    if (s->place == ENDED)
        end_peer(s);
    if (s->place == CLOSED)
        plx_socket_close(s->socket);
    if (s->place == ABORTED)
        plx_socket_abort(s->socket);
    if (s->place == LEFT)
        ck_assert_int_eq(plx_socket_disconnect(s->socket), 0);
}

/* Datagrams have no end and are listened for by nobody; Unix sockets have no names to look up. */
static bool exists(const struct stage *s)
{
    switch (s->place) {
    case LOOKING_UP: return !sort_has_path(s);
    case BOUND:
    case LEFT: return s->sort == UDP;
    case LISTENING:
    case HALF_ENDED:
    case CLOSING:
    case ENDED:
    case FAILED: return s->sort != UDP;
    default: return true;
    }
}

static void hold_at(struct world *w, const struct rule *rule, enum sort sort, enum place place)
{
    struct stage s = {.w = w, .rule = rule, .sort = sort, .place = place, .peer = -1};

    if (!exists(&s))
        return;
    snprintf(s.name, sizeof s.name, "for %s, %s, %s", sorts[sort], places[place],
             w->group == NULL ? "alone" : plx_group_mechanism(w->group));
    s.socket = promises_new(sort);
    ck_assert_ptr_nonnull(s.socket);
    world_keep(w, s.socket);
    record_begin(&s.log, s.socket);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add(w->group, s.socket), 0);
    go(&s);
    EXPECT(&s, plx_socket_state(s.socket) == place_state(&s));
    rule->hold(&s);
}

void promises_hold(const struct rule *rule)
{
    enum mode modes[] = {MODE_LONE, (enum mode)(world_modes() - 1)};

    for (int mode = 0; mode < 2; mode++)
        for (int sort = 0; sort < SORTS; sort++)
            for (int place = 0; place < PLACES; place++) {
                struct world w;

                world_begin_plain(&w, modes[mode]);
                hold_at(&w, rule, (enum sort)sort, (enum place)place);
                world_end(&w);
            }
}
