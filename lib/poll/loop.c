/* lib/poll/loop.c -- which tasks a frame serves, in which order. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"

/* ---- budget ---------------------------------------------------------------------------------- */

bool plx__budget_is_spent(const struct plx__budget *budget)
{
    return budget->bytes == 0 || (budget->until != 0 && plx__clock_real() >= budget->until);
}

static size_t bytes_of_budget(const struct plx__loop *loop)
{
    return loop->budget_bytes == 0 ? SIZE_MAX : loop->budget_bytes;
}

size_t plx__loop_steps(const struct plx__loop *loop)
{
    return plx__budget_steps(bytes_of_budget(loop));
}

static const struct plx__service *service_of(const struct plx__task *task)
{
    return &task->loop->services[task->service];
}

/* ---- life of a loop -------------------------------------------------------------------------- */

static void found(struct plx__poller *poller, struct plx__watch *watch);

int plx__loop_open(struct plx__loop *loop)
{
    int result = 0;
    plx__list_init(&loop->tasks);
    plx__list_init(&loop->round);
    plx__list_init(&loop->outgoing);
    plx__list_init(&loop->work);
    plx__list_init(&loop->views);
    plx__list_init(&loop->reapers);
    result = plx__os_wake_open(loop->wake_descriptors);
    if (result < 0) {
        return result;
    }
    loop->poller = plx__poller_new(found, &result);
    if (loop->poller != NULL) {
        loop->wake =
            (struct plx__watch){.descriptor = loop->wake_descriptors[0], .interest = PLX__READ};
        result = plx__poller_change(loop->poller, &loop->wake, PLX__READ);
    }
    if (result < 0) {
        plx__loop_close(loop);
    }
    return result;
}

void plx__loop_release(struct plx__loop *loop)
{
    struct plx__list *link;
    while ((link = plx__list_first(&loop->tasks)) != NULL) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, member);
        const struct plx__service *service = service_of(task);
        plx__loop_remove(task);
        if (service->leave != NULL) {
            service->leave(task);
        }
    }
    while (plx__list_take_first(&loop->reapers) != NULL) {
    }
}

void plx__loop_close(struct plx__loop *loop)
{
    plx__loop_release(loop);
    if (loop->poller != NULL) {
        plx__poller_free(loop->poller);
        loop->poller = NULL;
    }
    plx__os_wake_close(loop->wake_descriptors);
    plx__pool_clear(&loop->pool);
}

static void join(struct plx__loop *loop, struct plx__task *task)
{
    task->loop = loop;
    /* A task that a handler removes and adds again would otherwise be served again and again in one
     * frame. */
    task->frame = loop->phase == PLX__RECEIVING ? loop->frame : 0;
    plx__list_append(&loop->tasks, &task->member);
    loop->count += task->hidden ? 0 : 1;
    plx__task_set_deadline(task, task->deadline.at);
    loop->wants_exact |= task->deadline.at != 0; /* it may be due in the next frame */
}

int plx__loop_rejoin(struct plx__loop *loop, struct plx__task *task)
{
    int result = 0;
    join(loop, task);
    for (struct plx__watch *watch = task->watches; watch != NULL; watch = watch->next) {
        int change = plx__poller_change(loop->poller, watch, watch->interest);
        result = result < 0 ? result : change;
    }
    return result;
}

int plx__loop_add(struct plx__loop *loop, struct plx__task *task)
{
    int result = plx__loop_rejoin(loop, task);
    if (result < 0) {
        plx__loop_remove(task);
    }
    return result;
}

void plx__loop_remove(struct plx__task *task)
{
    struct plx__loop *loop = task->loop;
    if (loop == NULL) {
        return;
    }
    for (struct plx__watch *watch = task->watches; watch != NULL; watch = watch->next) {
        plx__poller_change(loop->poller, watch, 0);
    }
    plx__deadline_remove(&loop->deadlines, &task->deadline);
    plx__list_remove(&task->member);
    plx__list_remove(&task->work);
    plx__list_remove(&task->views);
    loop->count -= task->hidden ? 0 : 1;
    task->loop = NULL;
    task->wants_input = false; /* only this loop's next frame would have served it */
}

void plx__loop_reap(struct plx__loop *loop, struct plx__reaper *reaper)
{
    if (!plx__list_is_linked(&reaper->link)) {
        plx__list_append(&loop->reapers, &reaper->link);
    }
}

static void flush_list(const struct plx__list *list)
{
    for (struct plx__list *link = list->next; link != list; link = link->next) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, work);
        if (service_of(task)->flush != NULL) {
            service_of(task)->flush(task);
        }
    }
}

/* Each task with bytes to send is in one of these lists; the last two are used during a frame.
 * Flushing moves no task between the lists. */
void plx__loop_flush(struct plx__loop *loop)
{
    flush_list(&loop->work);
    flush_list(&loop->round);
    flush_list(&loop->outgoing);
}

void plx__loop_wake(struct plx__loop *loop)
{
    plx__os_wake_signal(loop->wake_descriptors[1]);
}

/* ---- frame ----------------------------------------------------------------------------------- */

static void note_ready(struct plx__loop *loop, struct plx__task *task)
{
    if (!plx__list_is_linked(&task->work)) {
        plx__list_append(&loop->work, &task->work);
    }
}

static void found(struct plx__poller *poller, struct plx__watch *watch)
{
    (void)poller;
    if (watch->task == NULL) {
        plx__os_wake_clear(watch->descriptor);
    } else {
        note_ready(watch->task->loop, watch->task);
    }
}

int plx__loop_timeout(struct plx__loop *loop)
{
    if (!plx__list_is_empty(&loop->work) || !plx__list_is_empty(&loop->reapers)) {
        return 0;
    }
    uint64_t next = plx__deadlines_next(&loop->deadlines);
    int left = next == 0 ? -1 : plx__milliseconds_until(next, plx__clock_now());
    loop->wants_exact |= left == 0;
    return left;
}

static void release_views(struct plx__loop *loop)
{
    struct plx__list *link;
    while ((link = plx__list_take_first(&loop->views)) != NULL) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, views);
        service_of(task)->release(task);
    }
}

/* Asks each task. Returns whether one is ready. */
static bool ask_each(struct plx__loop *loop)
{
    bool found = false;
    plx__os_wake_clear(loop->wake.descriptor);
    for (struct plx__list *link = loop->tasks.next; link != &loop->tasks; link = link->next) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, member);
        if (plx__task_sleep(task, 0) > 0) {
            note_ready(loop, task);
            found = true;
        }
    }
    return found;
}

/* For a poller that has failed, because the kernel is out of memory or because other code closed
 * its descriptor: to ask each task is slow, but the group still receives. */
static void find_one_by_one(struct plx__loop *loop, int timeout_ms)
{
    if (!ask_each(loop) && timeout_ms != 0) {
        plx__nap(timeout_ms);
        ask_each(loop);
    }
}

/* Goes on when the poller's wait has failed. After a signal handler the poller is asked once more,
 * for the reason of `ask`. */
static PLX__APART void look_again(struct plx__loop *loop, int error, int timeout_ms)
{
    if (error == -PLX__EINTR && timeout_ms != 0) {
        error = plx__poller_wait(loop->poller, 0);
    }
    if (error < 0 && error != -PLX__EINTR) {
        find_one_by_one(loop, timeout_ms);
    }
}

/* The coarse clock is a few nanoseconds cheaper and up to a tick late, at most 10 ms (time(7),
 * CONFIG_HZ). So near a deadline the exact clock is needed: plx__loop_timeout has returned 0 to the
 * program, and its polls would do nothing until the next tick. A virtual machine that its host does
 * not run has no ticks, and its coarse clock is late by more: so a time-out of 0 that was returned,
 * and a deadline that was renewed or has just joined, ask for the exact clock as well. */
#define COARSE_TICK (10 * PLX__MILLISECOND)

static void take_due(struct plx__loop *loop, uint64_t now)
{
    struct plx__deadline *due;
    while ((due = plx__deadlines_take(&loop->deadlines, now)) != NULL) {
        note_ready(loop, PLX__CONTAINER_OF(due, struct plx__task, deadline));
    }
}

static void find_due(struct plx__loop *loop)
{
    uint64_t now = plx__clock_coarse();
    take_due(loop, now);
    const struct plx__deadline *next = loop->deadlines.root;
    if (next != NULL && (loop->wants_exact || next->key - now < COARSE_TICK)) {
        take_due(loop, plx__clock_now());
    }
    loop->wants_exact = false;
}

/* Sleeps at most timeout_ms, less if a deadline is earlier, and finds the tasks that are ready. */
static void find_ready(struct plx__loop *loop, int timeout_ms)
{
    int limit = timeout_ms != 0 ? plx__loop_timeout(loop) : 0;
    if (limit >= 0 && (timeout_ms < 0 || limit < timeout_ms)) {
        timeout_ms = limit;
    }
    int result = plx__poller_wait(loop->poller, timeout_ms);
    if (result < 0) {
        look_again(loop, result, timeout_ms);
    }
    if (loop->deadlines.root != NULL) {
        find_due(loop);
    }
}

/* Tasks that the budget left unserved are put before the tasks that became ready meanwhile: first
 * come, first served. */
static void put_back(struct plx__loop *loop, struct plx__list *list)
{
    plx__list_splice(list, &loop->work);
    plx__list_splice(&loop->work, list);
}

static void run_input(struct plx__loop *loop, struct plx__budget *budget)
{
    struct plx__list *link;
    loop->phase = PLX__RECEIVING;
    loop->frame = loop->frame == UINT32_MAX ? 1 : loop->frame + 1;
    plx__list_splice(&loop->round, &loop->work);
    while ((link = plx__list_take_first(&loop->round)) != NULL) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, work);
        task->frame = loop->frame;
        task->wants_input = false;
        service_of(task)->input(task, budget);
        /* Checked only after the first task: finding the ready tasks may have used the whole time.
         */
        if (plx__budget_is_spent(budget)) {
            break;
        }
    }
    put_back(loop, &loop->round);
}

static void run_output(struct plx__loop *loop, struct plx__budget *budget)
{
    struct plx__list *link;
    loop->phase = PLX__SENDING;
    while ((link = plx__list_take_first(&loop->outgoing)) != NULL) {
        struct plx__task *task = PLX__CONTAINER_OF(link, struct plx__task, work);
        const struct plx__service *service = service_of(task);
        /* A task that sends nothing is here because it was scheduled after its turn of input: its
         * next turn is in the next frame. */
        if (service->output == NULL || service->output(task, budget)) {
            plx__task_schedule(task);
        }
        if (plx__budget_is_spent(budget)) {
            put_back(loop, &loop->outgoing);
        }
    }
}

static void run_reapers(struct plx__loop *loop)
{
    struct plx__list *link;
    struct plx__list now;
    plx__list_init(&now);
    plx__list_splice(&now, &loop->reapers);
    while ((link = plx__list_take_first(&now)) != NULL) {
        struct plx__reaper *reaper = PLX__CONTAINER_OF(link, struct plx__reaper, link);
        reaper->run(reaper);
    }
}

/* A sixteenth of the time is reserved for the task that is being served when the time is over,
 * usually for a receive of some ten microseconds. */
static uint64_t end_of_budget(const struct plx__loop *loop)
{
    uint64_t time = loop->budget_time;
    return time == 0 ? 0 : plx__clock_real() + time - time / 16;
}

bool plx__loop_frame(struct plx__loop *loop, int timeout_ms)
{
    if (loop->phase != PLX__RESTING) {
        return false;
    }
    loop->found = false;
    /* Finding the ready tasks counts as time of the budget, sleeping does not. */
    struct plx__budget budget = {bytes_of_budget(loop), timeout_ms == 0 ? end_of_budget(loop) : 0,
                                 plx__loop_steps(loop)};
    if (loop->pool.count > 0) {
        plx__pool_pass_frame(&loop->pool);
    }
    if (!plx__list_is_empty(&loop->views)) {
        release_views(loop);
    }
    find_ready(loop, timeout_ms);
    loop->found = !plx__list_is_empty(&loop->work) || !plx__list_is_empty(&loop->reapers);
    if (!loop->found) {
        return false;
    }
    budget.until = timeout_ms == 0 ? budget.until : end_of_budget(loop);
    run_input(loop, &budget);
    budget.bytes = bytes_of_budget(loop);
    run_output(loop, &budget);
    loop->phase = PLX__RESTING;
    run_reapers(loop);
    return !plx__list_is_empty(&loop->work);
}
