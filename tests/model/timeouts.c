/* tests/model/timeouts.c -- what the time-outs of a socket do. */
#include "config.h"

#include "tests/model/timeouts.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/route.h"
#include "tests/model/time.h"

#include <errno.h>

void timeouts_begin(struct model *model)
{
    model->tried_at = model->up_at = model->heard_at = time_marked();
    model->begun_at = ground_now();
    model->closed_at = 0;
    model->heard = 0;
}

void timeouts_connected(struct model *model)
{
    model->up_at = time_marked();
}

/* A second disconnect changes nothing. */
void timeouts_closing(struct model *model)
{
    if (!model->closing)
        model->closed_at = time_marked();
}

/* The time-out that was changed may have begun at any time. */
void timeouts_set(struct model *model)
{
    model->tried_at = model->heard_at = model->closed_at = 0;
}

void timeouts_hear(struct model *model)
{
    bool unheard = model->unheard;
    plx_statistics now;

    plx_socket_statistics(model->socket, &now);
    if (now.bytes_received == model->heard && !unheard)
        return;
    model->heard = now.bytes_received;
    model->unheard = false;
    if (!unheard && model_is_first(model) && !model_is_murky(model))
        model->heard_at = time_marked();
}

/* ---- none is over early ---------------------------------------------------------------------- */

static void expect_passed(const struct model *model, uint64_t since, plx_option option)
{
    int limit = model_option(model, option);
    uint64_t passed = plx_clock_now() - since;

    if (since != 0 && limit > 0 && passed < (uint64_t)limit * 1000000u)
        fault("end %u: a time-out of %d ms is over after %llu ns", model->end->number, limit,
              (unsigned long long)passed);
}

/* The kernel has time-outs of its own, with the same errno: TCP_USER_TIMEOUT, and a minute or more
 * for what nobody confirms. */
static bool may_be_of_kernel(const struct model *model)
{
    const uint64_t minute = 60000000000u;

    return model->sort == SORT_TCP && (model_option(model, PLX_OPTION_UNACKNOWLEDGED_TIMEOUT) > 0 ||
                                       ground_now() - model->begun_at > minute);
}

void timeouts_over(const struct model *model, const plx_error *error)
{
    bool is_timeout = error->reason == PLX_REASON_SOCKET_TIMEOUT ||
                      error->reason == PLX_REASON_PROXY_CONNECTION_TIMEOUT;

    if (error->os_error != ETIMEDOUT || !is_timeout || may_be_of_kernel(model) ||
        model->reconnects || model->end == NULL || model->owner != NULL)
        return;
    /* A disconnect before `connected` was reported: either time-out may be meant. Name servers have
     * another code. */
    if (model->phase == PHASE_TRYING && (model->closing || error->code != ETIMEDOUT))
        return;
    if (route_has_cause(model, CAUSE_NAME) && error->reason == PLX_REASON_PROXY_CONNECTION_TIMEOUT)
        return; /* the name server's, for the name of the proxy */
    if (model->phase == PHASE_TRYING)
        expect_passed(model, model->tried_at, PLX_OPTION_CONNECT_TIMEOUT);
    else if (model->closing)
        expect_passed(model, model->closed_at, PLX_OPTION_LINGER_TIMEOUT);
    else if (error->code == ETIMEDOUT && !model_is_filtered(model))
        expect_passed(model, model->heard_at, PLX_OPTION_IDLE_TIMEOUT);
}

/* ---- each is over ---------------------------------------------------------------------------- */

static bool is_short(const struct model *model, plx_option option, int most)
{
    int limit = model_option(model, option);

    return limit > 0 && limit <= most;
}

int timeouts_longest(const struct model *model)
{
    static const plx_option options[] = {PLX_OPTION_CONNECT_TIMEOUT, PLX_OPTION_LINGER_TIMEOUT,
                                         PLX_OPTION_IDLE_TIMEOUT};
    int longest = 0;

    for (int i = 0; i < 3; i++)
        if (is_short(model, options[i], TIMEOUTS_SHORT) &&
            model_option(model, options[i]) > longest)
            longest = model_option(model, options[i]);
    return longest;
}

/* A listener that has become its connection has no time-out of a connect, and with a server's
 * client only its filters have one. */
static void expect_tried(const struct model *model, int most)
{
    plx_state state = plx_socket_state(model->socket);

    if ((state == PLX_CONNECTING || state == PLX_HOST_LOOKUP) && model->tried_at != 0 &&
        is_short(model, PLX_OPTION_CONNECT_TIMEOUT, most))
        fault("end %u still connects, and has %d ms", model->end->number,
              model_option(model, PLX_OPTION_CONNECT_TIMEOUT));
}

static void expect_closed(const struct model *model, int most)
{
    if (plx_socket_state(model->socket) == PLX_CLOSING && model->closed_at != 0 &&
        is_short(model, PLX_OPTION_LINGER_TIMEOUT, most))
        fault("end %u still closes, and has %d ms", model->end->number,
              model_option(model, PLX_OPTION_LINGER_TIMEOUT));
}

void timeouts_expect_ended(const struct model *model, int milliseconds)
{
    enum { MARGIN = 3 };

    if (!time_runs() || model->reconnects || model->end == NULL)
        return;
    /* Each quarter of a time-out may be noticed late, and the next begins only then. */
    expect_tried(model, milliseconds / 4 - MARGIN);
    expect_closed(model, milliseconds / 4 - MARGIN);
}

void timeouts_follow(struct model *model, bool first)
{
    plx_statistics now;

    plx_socket_statistics(model->socket, &now);
    model->is_late |= now.bytes_received != model->followed || model->end != model->followed_end;
    model->followed = now.bytes_received;
    model->followed_end = model->end;
    if (first)
        model->is_late = false;
}

void timeouts_expect_over(const struct model *model)
{
    uint64_t passed = plx_clock_now() - model->up_at;

    if (model->reconnects || model->end == NULL || model->is_late ||
        passed < (uint64_t)timeouts_longest(model) * 2000000u)
        return;
    expect_tried(model, TIMEOUTS_SHORT);
    expect_closed(model, TIMEOUTS_SHORT);
    if (plx_socket_state(model->socket) == PLX_CONNECTED && model->sort != SORT_UDP &&
        !plx_socket_end_of_file(model->socket) &&
        is_short(model, PLX_OPTION_IDLE_TIMEOUT, TIMEOUTS_SHORT))
        fault("end %u is idle and connected, and has %d ms", model->end->number,
              model_option(model, PLX_OPTION_IDLE_TIMEOUT));
}
