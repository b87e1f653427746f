/* lib/poll/loop.h -- whom to serve: tasks that are ready, have work in memory, or whose
 * deadline has come.
 *
 * Design: a task is somebody with watches, a deadline and a place in one list of work. A frame is
 * one pass:
 *
 *      poller, deadlines --> round --input: receive, tell--> outgoing --output: send, tell--> done
 *                              ^                                ^                         |
 *      work of the last frame -+     tasks written to meanwhile +     left for the next --+--> work
 *
 * All input comes before all output, so that whatever handlers wrote to whichever task leaves in
 * one system call for each at the end of the same frame. A frame costs as much as there are tasks
 * in these lists, never as many as there are. Taking from the front and adding at the end is the
 * round-robin when the budget runs out.
 *
 * A frame is bounded whatever handlers do: input serves each task once, however often it is scheduled
 * meanwhile, output goes through one list to which nothing is added while it does, and reapers run once
 * each. What is left is work for the next frame. Whatever the budget, each half serves at least one task.
 *
 * A frame reads the time once, to find the deadlines that have passed. Whoever notes a moment reads the
 * clock anew: handlers that ran before it in the frame may have taken any time, and may have waited.
 *
 * A task without a loop is polled alone: it has the same watches and deadline, and asks poll(2)
 * about them when it must. A zeroed task is idle and valid. */
#ifndef PLX_LIB_LOOP_H
#define PLX_LIB_LOOP_H

#include "lib/base/buffer.h"
#include "lib/base/deadline.h"
#include "lib/base/event.h"
#include "lib/base/list.h"
#include "lib/poll/poller.h"

/* What one poll may still do. */
struct plx__budget {
    size_t bytes;   /* left; SIZE_MAX: no limit */
    uint64_t until; /* the moment at which to stop; 0: none */
};

/* A call counts as this many bytes, so that a budget of bytes bounds a flood of empty datagrams and
 * of accepts too. */
#define PLX__CALL_PRICE 64

/* plx__budget_spend takes `bytes` and the price of one call. Inline, as for each datagram. */
static inline void plx__budget_spend(struct plx__budget *budget, size_t bytes)
{
    size_t price = bytes + PLX__CALL_PRICE;
    if (budget->bytes != SIZE_MAX) {
        budget->bytes -= price < budget->bytes ? price : budget->bytes;
    }
}
/* plx__budget_is_spent asks the clock only where a time was set. */
bool plx__budget_is_spent(const struct plx__budget *budget);

struct plx__loop;

struct plx__task {
    struct plx__loop *loop;     /* NULL: polled alone */
    struct plx__list member;    /* among the loop's tasks */
    struct plx__list work;      /* in one of the loop's lists of work */
    struct plx__list views;     /* among those whose emptied buffer a program may still look at */
    struct plx__watch *watches; /* all of them */
    struct plx__deadline deadline;
    uint32_t frame;   /* of the loop, in which its input was served last */
    bool hidden;      /* not counted: the listener of a server */
    bool wants_input; /* was scheduled for input where none could be served: the next frame's */
};

/* Something to do once at the end of a frame, when no task of the loop is being served. What it puts
 * on the list again is done at the end of the next frame. */
struct plx__reaper {
    struct plx__list link;
    void (*run)(struct plx__reaper *reaper);
};

struct plx__loop {
    struct plx__poller *poller;
    void (*input)(struct plx__task *task, struct plx__budget *budget);
    bool (*output)(struct plx__task *task,
                   struct plx__budget *budget); /* true: schedule it again */
    void (*release)(struct plx__task *task);    /* gives back the buffer that was lent */
    struct plx__list tasks;
    size_t count; /* of those that are not hidden */
    struct plx__list round, outgoing, work;
    struct plx__list views;
    struct plx__list reapers;
    struct plx__deadlines deadlines;
    struct plx__pool pool;
    struct plx__watch wake;
    plx__fd wake_descriptors[2];
    size_t budget_bytes;
    uint64_t budget_time; /* nanoseconds; 0: none */
    uint32_t frame;       /* the number of the present one, never 0 */
    bool found;           /* the last frame had something to serve */
    enum { PLX__RESTING, PLX__TAKING_IN, PLX__SENDING } phase;
};

/* ---- watches of a task ----------------------------------------------------------------------- */

/* plx__watch_start begins to watch a descriptor for a task. Returns 0, or a negative errno with the
 * watch idle. */
int plx__watch_start(struct plx__watch *watch, struct plx__task *task, plx__fd descriptor,
                     unsigned interest);
/* plx__watch_set changes the interest. */
int plx__watch_set(struct plx__watch *watch, unsigned interest);
/* plx__watch_stop makes the watch idle; call it before the descriptor is closed. */
void plx__watch_stop(struct plx__watch *watch);

/* ---- tasks ----------------------------------------------------------------------------------- */

/* plx__task_schedule puts the task where it is served next: at the end of this frame or in the next
 * one. */
void plx__task_schedule(struct plx__task *task);
/* plx__task_schedule_input puts it into this very frame, if that still takes in and has not served
 * the task's input before, else into the next. */
void plx__task_schedule_input(struct plx__task *task);
/* plx__task_set_deadline sets the one moment at which the task wants to be served anyhow; 0: none.
 */
void plx__task_set_deadline(struct plx__task *task, uint64_t at);
/* plx__task_has_deadline says whether setting that moment would change nothing. One that has passed
 * is in no heap any more, and has to be set again. */
static inline bool plx__task_has_deadline(const struct plx__task *task, uint64_t at)
{
    return task->deadline.at == at && (at == 0 || task->loop == NULL || task->deadline.key != 0);
}
/* plx__task_pool returns the pool of the loop, or NULL. */
static inline struct plx__pool *plx__task_pool(const struct plx__task *task)
{
    return task->loop == NULL ? NULL : &task->loop->pool;
}
/* plx__task_note_view notes that the task's emptied buffer may be looked at until it is served again. */
static inline void plx__task_note_view(struct plx__task *task)
{
    if (task->loop != NULL && !plx__list_is_linked(&task->views)) {
        plx__list_append(&task->loop->views, &task->views);
    }
}
/* plx__task_is_quiet says that none of the task's watches is ready beyond what it was told, where its
 * loop knows that more cheaply than by asking for each; false: perhaps one is. */
static inline bool plx__task_is_quiet(const struct plx__task *task)
{
    return task->loop != NULL && plx__poller_is_quiet(task->loop->poller);
}
/* plx__task_sleep asks poll(2) about the task's own watches, for timeout_ms at most (-1: for ever), and
 * marks those that are ready. Returns how many. It may return 0 early: after a signal, with very many
 * watches, and where poll(2) fails, then not before a moment has passed. */
size_t plx__task_sleep(struct plx__task *task, int timeout_ms);
/* plx__milliseconds_until rounds up, 0 for the past, INT_MAX at most. */
int plx__milliseconds_until(uint64_t moment, uint64_t now);

/* ---- loop ------------------------------------------------------------------------------------ */

/* plx__loop_open readies a zeroed loop whose three functions are set. Returns 0 or a negative
 * errno. */
int plx__loop_open(struct plx__loop *loop);
/* plx__loop_release lets all tasks go, which live on alone, and forgets what was to be swept. */
void plx__loop_release(struct plx__loop *loop);
/* plx__loop_close releases, and gives back what open took. */
void plx__loop_close(struct plx__loop *loop);
/* plx__loop_add takes in a task that has no loop. Returns 0 or a negative errno, the task then
 * being alone. */
int plx__loop_add(struct plx__loop *loop, struct plx__task *task);
/* plx__loop_remove takes the task out of its loop, if it has one. */
void plx__loop_remove(struct plx__task *task);
/* plx__loop_reap has reaper->run called at the end of this frame, or of the next. */
void plx__loop_reap(struct plx__loop *loop, struct plx__reaper *reaper);
/* plx__loop_timeout returns the milliseconds until a frame is needed: 0 now, -1 never. */
int plx__loop_timeout(struct plx__loop *loop);
/* plx__loop_frame is one pass, sleeping up to timeout_ms; true: work is left. */
bool plx__loop_frame(struct plx__loop *loop, int timeout_ms);
/* plx__loop_wake ends a sleep; from any thread or signal handler. */
void plx__loop_wake(struct plx__loop *loop);

#endif
