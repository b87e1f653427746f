/* tests/puppet.c -- see puppet.h. */
#include "config.h"

#include "tests/puppet.h"

#include <stdint.h>

enum { PUPPETS = 1024 };

static struct puppet puppets[PUPPETS];
static int used;

static struct puppet *of(const plx_filter *filter)
{
    return *(struct puppet **)plx_filter_state((plx_filter *)filter);
}

static struct puppet *step(const plx_filter *filter, enum step step)
{
    struct puppet *puppet = of(filter);

    puppet->count[step]++;
    if (puppet->act != NULL && puppet->when == step)
        puppet->act(puppet);
    return puppet;
}

static void set_want(struct puppet *puppet)
{
    if (puppet->sets_want)
        plx_filter_set_want(puppet->filter, puppet->want, puppet->moment);
}

static int result(struct puppet *puppet, int code, int *times)
{
    set_want(puppet);
    if (*times == 0)
        return 0;
    *times -= *times > 0;
    return code;
}

/* Whether this call returns the puppet's result. */
static bool is_due(ptrdiff_t value, int *after, int *times)
{
    if (value == PASS || *times == 0 || *after > 0) {
        *after -= *after > 0;
        return false;
    }
    *times -= *times > 0;
    return true;
}

static size_t piece(const struct puppet *puppet, size_t size)
{
    return puppet->piece == 0 || puppet->piece > size ? size : puppet->piece;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static int puppet_begin(plx_filter *filter)
{
    return step(filter, STEP_BEGIN)->begin;
}

static int puppet_establish(plx_filter *filter)
{
    struct puppet *puppet = step(filter, STEP_ESTABLISH);

    return result(puppet, puppet->establish, &puppet->establish_times);
}

static ptrdiff_t puppet_receive(plx_filter *filter, void *data, size_t size)
{
    struct puppet *puppet = step(filter, STEP_RECEIVE);

    if (is_due(puppet->receive, &puppet->receive_after, &puppet->receive_times))
        return puppet->receive;
    return plx_filter_lower_receive(filter, data, piece(puppet, size));
}

static ptrdiff_t puppet_send(plx_filter *filter, const void *data, size_t size)
{
    struct puppet *puppet = step(filter, STEP_SEND);

    set_want(puppet);
    puppet->most = size > puppet->most ? size : puppet->most;
    if (is_due(puppet->send, &puppet->send_after, &puppet->send_times))
        return puppet->send;
    return plx_filter_lower_send(filter, data, piece(puppet, size));
}

static bool puppet_pending(const plx_filter *filter)
{
    return step(filter, STEP_PENDING)->pending;
}

static int puppet_shutdown(plx_filter *filter)
{
    struct puppet *puppet = step(filter, STEP_SHUTDOWN);

    return result(puppet, puppet->shutdown, &puppet->shutdown_times);
}

static void puppet_ask(plx_filter *filter)
{
    step(filter, STEP_ASK);
}

/* A push that found no memory forgets a filter that has no puppet yet. */
static void puppet_forget(plx_filter *filter)
{
    if (of(filter) != NULL) {
        step(filter, STEP_FORGET);
        of(filter)->filter = NULL;
    }
}

#define PUPPET(its_name, its_flags)                                                                \
    {                                                                                              \
        .size = sizeof(plx_filter_kind), .state_size = sizeof(struct puppet *), .name = its_name,  \
        .flags = its_flags, .begin = puppet_begin, .establish = puppet_establish,                  \
        .receive = puppet_receive, .send = puppet_send, .pending = puppet_pending,                 \
        .shutdown = puppet_shutdown, .ask = puppet_ask, .forget = puppet_forget                    \
    }

const plx_filter_kind puppet_filter = PUPPET("puppet", 0);
const plx_filter_kind puppet_encrypting = PUPPET("secret", PLX_FILTER_ENCRYPTS);

/* ---- pushing --------------------------------------------------------------------------------- */

struct puppet *puppet_push_kind(plx_socket *socket, const plx_filter_kind *kind)
{
    plx_filter *filter = plx_socket_push_filter(socket, kind);
    struct puppet *puppet = &puppets[used % PUPPETS];

    if (filter == NULL)
        return NULL;
    used++;
    *puppet = (struct puppet){.filter = filter, .socket = socket, .receive = PASS, .send = PASS};
    puppet->moment = -1;
    puppet->establish_times = puppet->shutdown_times = -1;
    puppet->receive_times = puppet->send_times = -1;
    *(struct puppet **)plx_filter_state(filter) = puppet;
    return puppet;
}

struct puppet *puppet_push(plx_socket *socket)
{
    return puppet_push_kind(socket, &puppet_filter);
}

void puppet_answer(struct puppet *puppet)
{
    puppet->establish = puppet->shutdown = 0;
    plx_filter_set_want(puppet->filter, 0, -1);
}

int puppet_meet(struct world *w, plx_socket *socket)
{
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 20, where), raw;

    ck_assert_int_eq(plx_socket_connect_to(socket, where), 0);
    raw = raw_accept(w, listener);
    raw_close(w, listener);
    return raw;
}

void puppet_expect_error(struct world *w, const struct record *log, int code, const char *sentence)
{
    UNTIL(w, log->count[EVENT_ERROR] == 1);
    world_settle(w);
    ck_assert_int_eq(log->count[EVENT_ERROR], 1);
    ck_assert_int_eq(log->code, code);
    ck_assert_str_eq(log->message, sentence);
}
