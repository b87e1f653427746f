/* lib/socket/step.c -- one step of one filter. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/poll/poller.h"
#include "lib/socket/object.h"
#include "lib/socket/sending.h"
#include "lib/socket/step.h"

#include <stdarg.h>
#include <stdio.h>

/* No kernel has greater errnos (the MAX_ERRNO of Linux). */
#define LAST_ERRNO 4095

/* ---- life ------------------------------------------------------------------------------------ */

plx_filter *plx__step_new(const plx_filter_kind *table)
{
    size_t size = sizeof(plx_filter);
    if (table->state_size > PTRDIFF_MAX - size) {
        return NULL;
    }
    plx_filter *filter = plx__memory_new(size + table->state_size);
    if (filter != NULL) {
        filter->table = table;
    }
    return filter;
}

static void destroy(plx_filter *filter)
{
    if (filter->table->forget != NULL) {
        filter->table->forget(filter);
    }
    plx__memory_free(filter);
}

void plx__step_free(plx_filter *filter)
{
    filter->stack = NULL;
    if (plx__hold_free(&filter->hold)) {
        destroy(filter);
    }
}

void plx__step_reset(plx_filter *filter)
{
    filter->step = PLX__FILTER_FRESH;
    filter->asks = false;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Errors keep codes of 16 bits when memory runs out. */
static int sound_code(int code)
{
    return code > 0 && code <= UINT16_MAX ? code : PLX_LOST_CONNECTION;
}

/* `filter` has called plx_filter_fail; NULL: the library fails the step. */
static int fail(struct plx__stack *stack, const plx_filter *filter, int code, plx_reason reason,
                const char *format, va_list arguments)
{
    struct plx__filter_failure *failure = &stack->failure;
    code = sound_code(code);
    if (failure->code == 0) {
        failure->code = plx__error_code_of(code);
        failure->error = 0;
        failure->filter = filter;
        failure->reason = reason;
        vsnprintf(failure->sentence, sizeof failure->sentence, format, arguments);
    }
    return code;
}

int plx__step_fail(struct plx__stack *stack, int code, plx_reason reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    code = fail(stack, NULL, code, reason, format, arguments);
    va_end(arguments);
    return code;
}

int plx_filter_fail(plx_filter *filter, int code, plx_reason reason, const char *format, ...)
{
    va_list arguments;
    code = sound_code(code);
    if (filter == NULL || filter->stack == NULL || format == NULL) {
        return code;
    }
    va_start(arguments, format);
    fail(filter->stack, filter, code, reason, format, arguments);
    va_end(arguments);
    return code;
}

static int fail_contract(plx_filter *filter, const char *step, long long result)
{
    plx__step_fail(filter->stack, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
                   "filter %s: %s returned %lld", filter->table->name, step, result);
    return PLX_INVALID_STATE;
}

/* Adds the errno that a receive or a send has returned to the failure that its filter has recorded.
 * The first one counts: the layers above may return another. */
static void add_errno(struct plx__filter_failure *failure, const plx_filter *filter, int error)
{
    if (failure->filter == filter && failure->error == 0) {
        failure->error = error;
    }
}

void plx__step_note_errno(plx_filter *filter, int os_error)
{
    if (filter->stack != NULL) {
        add_errno(&filter->stack->failure, filter, os_error);
    }
}

/* Names the filter whose receive or send has returned an errno that no layer below it has returned,
 * unless a filter has called plx_filter_fail. */
static void fail_errno(plx_filter *filter, const char *step, ptrdiff_t result)
{
    struct plx__filter_failure *failure = &filter->stack->failure;
    if (result >= 0 || result == -PLX__EAGAIN) {
        return;
    }
    if (failure->code != 0) {
        add_errno(failure, filter, (int)-result);
        return;
    }
    if (result == filter->stack->plain_error) {
        return;
    }
    int code = plx__error_code((int)-result);
    plx__step_fail(filter->stack, code == PLX_OUT_OF_MEMORY ? code : PLX_LOST_CONNECTION,
                   plx__error_reason((int)-result), "filter %s: %s", filter->table->name, step);
    failure->error = (int)-result;
}

/* ---- wants ----------------------------------------------------------------------------------- */

static struct plx__want sum_of(struct plx__want first, struct plx__want second)
{
    return (struct plx__want){first.ready | second.ready, plx__clock_earlier(first.at, second.at)};
}

/* While a step runs, the socket counts as one whose handler runs: a poll, of its group too, serves
 * the socket later and not inside the step. A read inside the step leaves the block into which the
 * step receives. */
static void lock(struct plx__stack *stack)
{
    plx_socket *socket = stack->socket;
    if (stack->depth++ == 0) {
        stack->dispatching = socket->dispatching;
        stack->view_alive = socket->view_alive;
        socket->dispatching = socket->view_alive = true;
        plx__hold_enter(&socket->hold);
    }
}

/* The caller of the outermost step holds the socket as well. */
static void unlock(struct plx__stack *stack)
{
    if (--stack->depth == 0) {
        stack->socket->dispatching = stack->dispatching;
        stack->socket->view_alive = stack->view_alive;
        plx__hold_leave(&stack->socket->hold);
    }
}

static const struct plx__noted nothing_noted;

/* Returns what the step above has noted so far. */
static struct plx__noted enter(plx_filter *filter)
{
    struct plx__noted outer = filter->stack->noted;
    filter->stack->noted = nothing_noted;
    filter->stack->noted.filter = filter;
    lock(filter->stack);
    filter->has_want = false;
    return outer;
}

/* Returns how many of `size` bytes may be received. After a filter's send has failed, the
 * connection in the kernel lives on: what arrives after that is left, or a peer that goes on
 * sending would delay the end for ever. When the kernel holds nothing, its receive finds the reason
 * of the end. */
static size_t receivable(struct plx__stack *stack, size_t size)
{
    if (stack->socket->tx != PLX__TX_FAILED) {
        return size;
    }
    size_t waiting = stack->kind->transport->pending(stack->socket);
    if (!stack->limited) {
        stack->limited = true;
        stack->rest = waiting;
    }
    return waiting == 0 || size < stack->rest ? size : stack->rest;
}

static bool holds_below(const plx_filter *filter)
{
    plx_filter *below = filter->below;
    while (below != NULL && !plx__step_is_pending(below)) {
        below = below->below;
    }
    return below != NULL;
}

/* What a receive waits for that the step has named and not called: readiness of the kernel, unless
 * a layer below holds bytes. */
static struct plx__want want_to_receive(const plx_filter *filter)
{
    if (holds_below(filter)) {
        return (struct plx__want){0, plx__clock_now()};
    }
    return (struct plx__want){receivable(filter->stack, 1) > 0 ? PLX__READ : 0u, 0};
}

/* What the receives of the step wait for. After the last of them a send may have received, for the
 * layer below, what that receive waited for. */
static struct plx__want want_of_receives(const plx_filter *filter)
{
    struct plx__side in = filter->stack->noted.in;
    bool now = in.outdated && holds_below(filter);
    return now ? sum_of(in.want, (struct plx__want){0, plx__clock_now()}) : in.want;
}

static struct plx__want want_of(const plx_filter *filter)
{
    struct plx__want in = want_of_receives(filter);
    struct plx__side out = filter->stack->noted.out;
    if (!filter->has_want) {
        return sum_of(in, out.want);
    }
    struct plx__want own = {0, filter->want.at};
    if ((filter->want.ready & PLX__READ) != 0) {
        bool waits = filter->stack->noted.in.waits;
        own = sum_of(own, waits ? in : sum_of(in, want_to_receive(filter)));
    }
    if ((filter->want.ready & PLX__WRITE) != 0) {
        struct plx__want writable = {PLX__WRITE, 0};
        own = sum_of(own, out.waits ? out.want : sum_of(out.want, writable));
    }
    return own;
}

static void note(struct plx__side *side, struct plx__want want)
{
    side->want = sum_of(side->want, want);
}

/* Returns what the step wants. */
static struct plx__want leave(plx_filter *filter, struct plx__noted outer)
{
    struct plx__want own = want_of(filter);
    filter->stack->noted = outer;
    unlock(filter->stack);
    return own;
}

/* ---- establishing ---------------------------------------------------------------------------- */

static int begin(plx_filter *filter)
{
    int code = 0;
    filter->step = PLX__FILTER_BEGUN;
    if (filter->table->begin != NULL) {
        struct plx__noted outer = enter(filter);
        code = filter->table->begin(filter);
        leave(filter, outer);
    }
    return code;
}

static int establish(plx_filter *filter)
{
    int code = 0;
    if (filter->table->establish != NULL) {
        struct plx__noted outer = enter(filter);
        code = filter->table->establish(filter);
        note(&filter->stack->noted.in, leave(filter, outer));
    }
    return code;
}

/* Records the failure of a step that has not called plx_filter_fail. */
static int fail_code(plx_filter *filter, const char *step, int code)
{
    if (code < 0 || code > LAST_ERRNO) {
        return fail_contract(filter, step, code);
    }
    code = plx__error_code_of(code);
    return plx__step_fail(filter->stack, code, PLX_REASON_OPERATION, "filter %s: %s: %s (%s)",
                          filter->table->name, step, plx_code_text(code), plx_code_name(code));
}

int plx__step_begin(plx_filter *filter)
{
    int code = filter->step == PLX__FILTER_FRESH ? begin(filter) : 0;
    if (code == PLX__EAGAIN || code == PLX__ERESTART) {
        return fail_contract(filter, "begin", code);
    }
    return code == 0 ? 0 : fail_code(filter, "begin", code);
}

int plx__step_establish(plx_filter *filter)
{
    int code = plx__step_begin(filter);
    if (code != 0) {
        return code;
    }
    code = establish(filter);
    if (code == 0) {
        filter->step = PLX__FILTER_ESTABLISHED;
    } else if (code != PLX__EAGAIN && code != PLX__ERESTART) {
        return fail_code(filter, "establish", code);
    }
    return code;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

plx_filter *plx__step_receiver(plx_filter *filter)
{
    while (filter != NULL && filter->table->receive == NULL) {
        filter = filter->below;
    }
    return filter;
}

plx_filter *plx__step_sender(plx_filter *filter)
{
    while (filter != NULL && filter->table->send == NULL) {
        filter = filter->below;
    }
    return filter;
}

/* Whether a step has returned what it may: a count from `least` to `size`, or a negative errno. */
static bool is_sound(ptrdiff_t result, size_t least, size_t size)
{
    return result < 0 ? result >= -LAST_ERRNO : (size_t)result >= least && (size_t)result <= size;
}

static void note_error(struct plx__stack *stack, ptrdiff_t count)
{
    stack->plain_error = count < 0 && count != -PLX__EAGAIN ? count : stack->plain_error;
}

static ptrdiff_t receive_plain(struct plx__stack *stack, void *data, size_t size)
{
    size = receivable(stack, size);
    ptrdiff_t count = size == 0 ? -PLX__EAGAIN : stack->kind->receive(stack->socket, data, size);
    size_t taken = count > 0 ? (size_t)count : 0;
    stack->dry = stack->dry && taken == 0;
    stack->rest -= taken < stack->rest ? taken : stack->rest;
    note_error(stack, count);
    stack->drained = count == -PLX__EAGAIN || (count > 0 && (size_t)count < size);
    stack->taken += taken > 0;
    stack->noted.in.waits = count == -PLX__EAGAIN;
    /* What the kernel holds beyond the rest is left there: its readiness means nothing. */
    if (stack->noted.in.waits && size > 0) {
        stack->noted.in.want.ready |= PLX__READ;
    }
    return count;
}

static ptrdiff_t send_plain(struct plx__stack *stack, const void *data, size_t size)
{
    ptrdiff_t count = stack->kind->send(stack->socket, data, size);
    stack->noted.out.waits = plx__errno_is_full(count) || (count >= 0 && (size_t)count < size);
    if (stack->noted.out.waits) {
        stack->noted.out.want.ready |= PLX__WRITE;
    }
    count = plx__errno_is_full(count) ? -PLX__EAGAIN : count;
    note_error(stack, count);
    return count;
}

ptrdiff_t plx__step_receive(struct plx__stack *stack, plx_filter *filter, void *data, size_t size)
{
    filter = plx__step_receiver(filter);
    if (filter == NULL) {
        return receive_plain(stack, data, size);
    }
    struct plx__noted outer = enter(filter);
    ptrdiff_t count = filter->table->receive(filter, data, size);
    note(&stack->noted.in, leave(filter, outer));
    stack->noted.in.waits = count == -PLX__EAGAIN;
    stack->noted.in.outdated = false;
    if (!is_sound(count, 0, size)) {
        return -fail_contract(filter, "receive", count);
    }
    fail_errno(filter, "receive", count);
    return count;
}

ptrdiff_t plx__step_send(struct plx__stack *stack, plx_filter *filter, const void *data,
                         size_t size)
{
    filter = plx__step_sender(filter);
    if (filter == NULL) {
        return send_plain(stack, data, size);
    }
    struct plx__noted outer = enter(filter);
    unsigned before = stack->taken;
    ptrdiff_t count = filter->table->send(filter, data, size);
    note(&stack->noted.out, leave(filter, outer));
    stack->noted.in.outdated = stack->noted.in.outdated || stack->taken != before;
    stack->noted.out.waits = count == -PLX__EAGAIN || (count >= 0 && (size_t)count < size);
    if (!is_sound(count, 1, size)) {
        return -fail_contract(filter, "send", count);
    }
    if (count >= 0 && (size_t)count < size) {
        /* The filter may take more at once: a layer above it that waits now waits for nothing. */
        note(&stack->noted.out, (struct plx__want){0, plx__clock_now()});
    }
    /* The kernel's ENOBUFS passes, a filter's ends the connection. */
    count = count == -PLX__ENOBUFS ? -PLX__ENOMEM : count;
    fail_errno(filter, "send", count);
    return count;
}

bool plx__step_is_pending(plx_filter *filter)
{
    bool pending = false;
    if (filter->step >= PLX__FILTER_ESTABLISHED && filter->table->pending != NULL) {
        lock(filter->stack);
        pending = filter->table->pending(filter);
        unlock(filter->stack);
    }
    return pending;
}

/* ---- ending and asking ----------------------------------------------------------------------- */

int plx__step_part(plx_filter *filter)
{
    int code = 0;
    if (filter->step != PLX__FILTER_ESTABLISHED) {
        return 0;
    }
    if (filter->table->shutdown != NULL) {
        struct plx__noted outer = enter(filter);
        code = filter->table->shutdown(filter);
        note(&filter->stack->noted.out, leave(filter, outer));
    }
    if (code == PLX__EAGAIN) {
        return code;
    }
    /* A goodbye that failed is given up: the end of the connection follows in any case. */
    filter->step = PLX__FILTER_PARTED;
    return 0;
}

void plx__step_ask(plx_filter *filter)
{
    filter->asks = false;
    if (filter->table->ask != NULL) {
        plx__hold_enter(&filter->hold);
        filter->table->ask(filter);
        if (plx__hold_leave(&filter->hold)) {
            destroy(filter);
        }
    }
}
