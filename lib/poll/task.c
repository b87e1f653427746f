/* lib/poll/task.c -- what a loop serves: a task, its watches, and its sleep when it is alone. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/poll/loop.h"

#include <limits.h>

/* ---- watches --------------------------------------------------------------------------------- */

static struct plx__poller *poller_of(const struct plx__task *task)
{
    return task->loop == NULL ? NULL : task->loop->poller;
}

int plx__watch_start(struct plx__watch *watch, struct plx__task *task, plx__fd descriptor,
                     unsigned interest)
{
    *watch = (struct plx__watch){.next = task->watches, .task = task, .descriptor = descriptor};
    task->watches = watch;
    int result = plx__watch_set(watch, interest);
    if (result < 0) {
        plx__watch_stop(watch);
    }
    return result;
}

int plx__watch_set(struct plx__watch *watch, unsigned interest)
{
    struct plx__poller *poller = poller_of(watch->task);
    int result = poller == NULL ? 0 : plx__poller_change(poller, watch, interest);
    if (result == 0) {
        watch->interest = (uint8_t)interest;
        watch->ready &= (uint8_t)(interest | PLX__END);
    }
    return result;
}

void plx__watch_stop(struct plx__watch *watch)
{
    if (watch->task == NULL) {
        return;
    }
    plx__watch_set(watch, 0);
    struct plx__watch **place = &watch->task->watches;
    while (*place != watch) {
        place = &(*place)->next;
    }
    *place = watch->next;
    watch->task = NULL;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

void plx__task_schedule(struct plx__task *task)
{
    struct plx__loop *loop = task->loop;
    if (loop != NULL && !plx__list_is_linked(&task->work)) {
        plx__list_append(loop->phase == PLX__RECEIVING ? &loop->outgoing : &loop->work,
                         &task->work);
    }
}

void plx__task_schedule_input(struct plx__task *task)
{
    struct plx__loop *loop = task->loop;
    if (loop != NULL && loop->phase == PLX__RECEIVING && task->frame != loop->frame) {
        plx__list_remove(&task->work);
        plx__list_append(&loop->round, &task->work);
    } else if (loop != NULL) {
        /* A task in the list of work is served input first. A task in the list of output must stay
         * in that list, because its queued bytes leave in this frame. */
        task->wants_input = loop->phase != PLX__RESTING;
        plx__task_schedule(task);
    }
}

void plx__task_set_deadline(struct plx__task *task, uint64_t at)
{
    plx__deadline_set(task->loop == NULL ? NULL : &task->loop->deadlines, &task->deadline, at);
}

void plx__task_renew_deadline(struct plx__task *task, uint64_t at)
{
    if (task->loop != NULL) {
        plx__list_remove(&task->work);
        plx__deadline_remove(&task->loop->deadlines, &task->deadline);
        task->loop->wants_exact = true;
    }
    plx__task_set_deadline(task, at);
}

/* The most watches of one poll(2): a lookup has at most 16 descriptors, any other task a few. */
#define SLEEP_WATCHES 64

/* The length in milliseconds of a sleep that poll(2) does not end. */
#define NAP 10

static int nap_of(int timeout_ms)
{
    return timeout_ms < 0 || timeout_ms > NAP ? NAP : timeout_ms;
}

void plx__nap(int timeout_ms)
{
    plx__os_poll(NULL, 0, nap_of(timeout_ms));
}

struct question {
    struct plx__os_ready entries[SLEEP_WATCHES];
    struct plx__watch *watches[SLEEP_WATCHES];
    size_t count;
};

/* Collects watches from `watch` on. Returns the first watch of the next question, NULL behind the
 * last. */
static struct plx__watch *collect(struct question *question, struct plx__watch *watch)
{
    question->count = 0;
    for (; watch != NULL && question->count < SLEEP_WATCHES; watch = watch->next) {
        if (watch->interest != 0) {
            struct plx__os_ready *entry = &question->entries[question->count];
            *entry = (struct plx__os_ready){.descriptor = watch->descriptor,
                                            .wanted = plx__poll_wanted(watch->interest)};
            question->watches[question->count++] = watch;
        }
    }
    return watch;
}

/* Marks the watches that are ready and returns how many. */
static size_t mark(const struct question *question)
{
    size_t count = 0;
    for (size_t i = 0; i < question->count; i++) {
        struct plx__watch *watch = question->watches[i];
        unsigned ready = plx__poll_ready(question->entries[i].found);
        ready &= watch->interest | PLX__END;
        watch->ready |= (uint8_t)ready;
        count += ready != 0;
    }
    return count;
}

/* When poll(2) fails, because it is out of memory or because of RLIMIT_NOFILE, the caller must not
 * spin: the function then sleeps for a moment. After each failure it asks once more without
 * sleeping: the caller judges time-outs next, and a nap, or a process that was stopped in its sleep
 * and handles SIGCONT, takes time in which bytes may arrive. */
static size_t ask(struct question *question, int timeout_ms)
{
    int result = plx__os_poll(question->entries, question->count, timeout_ms);
    if (result < 0 && timeout_ms != 0) {
        if (result != -PLX__EINTR) {
            plx__nap(timeout_ms);
        }
        result = plx__os_poll(question->entries, question->count, 0);
    }
    return result > 0 ? mark(question) : 0;
}

size_t plx__task_sleep(struct plx__task *task, int timeout_ms)
{
    struct question question;
    size_t ready = 0;
    struct plx__watch *next = collect(&question, task->watches);
    while (next != NULL) {
        ready += ask(&question, 0);
        next = collect(&question, next);
        timeout_ms = ready > 0 ? 0 : nap_of(timeout_ms);
    }
    return ready + ask(&question, timeout_ms);
}

int plx__milliseconds_until(uint64_t moment, uint64_t now)
{
    if (moment <= now) {
        return 0;
    }
    uint64_t milliseconds = (moment - now + PLX__MILLISECOND - 1) / PLX__MILLISECOND;
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}
