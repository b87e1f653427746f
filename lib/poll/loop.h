/* lib/poll/loop.h -- which tasks a frame serves: those that are ready, have work in memory, or
 * whose deadline has passed.
 *
 * Design: a task has watches, a deadline and a place in one list of work. A frame is one pass:
 *
 *      poller, deadlines --> round --input: receive--> outgoing --output: send--> done
 *                              ^                          ^                         |
 *      work of the last frame -+  written to meanwhile ---+  left for the next -----+--> work
 *
 * Input and output both dispatch the pending events of the task. All input is served before all
 * output, so that bytes that handlers wrote to any task leave at the end of the same frame, with
 * one system call for each task. The cost of a frame depends on the number of tasks in these lists,
 * not on the number of all tasks. A task is taken from the front and added at the end of a list,
 * which is a round-robin when the budget runs out.
 *
 * A frame is bounded whatever the handlers do: input serves each task once, however often the task
 * is scheduled meanwhile; output goes through one list to which no task is added meanwhile; and
 * each reaper runs once. The rest is work for the next frame. Whatever the budget, input and output
 * each serve at least one task.
 *
 * A frame reads the coarse clock to find the deadlines that have passed, and the exact one only near
 * a deadline or when one was renewed. Code that sets a deadline reads the clock again: handlers
 * that ran before in the frame may have taken any time, and may have waited.
 *
 * A task without a loop is polled alone: it has the same watches and deadline, and plx__task_sleep
 * asks poll(2) about the watches. A zeroed task is idle and valid. */
#ifndef PLX_LIB_LOOP_H
#define PLX_LIB_LOOP_H

#include "lib/base/buffer.h"
#include "lib/base/deadline.h"
#include "lib/base/list.h"
#include "lib/poll/poller.h"

/* What one poll may still spend. */
struct plx__budget {
    size_t bytes;   /* the rest; SIZE_MAX: no limit */
    uint64_t until; /* the moment at which to stop; 0: none */
    size_t steps;   /* of establishing filters; SIZE_MAX: no limit */
};

/* A step of establishing, such as that of a TLS handshake, takes about a millisecond. So there is
 * one for this many bytes of the budget, and at least one. It costs none of the bytes: a flood of
 * handshakes leaves them to the connections that are established. */
#define PLX__STEP_PRICE ((size_t)128 * 1024)

static inline size_t plx__budget_steps(size_t bytes)
{
    size_t steps = bytes / PLX__STEP_PRICE;
    return bytes == SIZE_MAX ? SIZE_MAX : steps + (steps == 0);
}

/* plx__budget_take_step returns whether another step may run, and counts it. */
static inline bool plx__budget_take_step(struct plx__budget *budget)
{
    bool may = budget->steps > 0;
    budget->steps -= may && budget->steps != SIZE_MAX;
    return may;
}

/* One call counts as this number of bytes, so that a budget of bytes also bounds a flood of empty
 * datagrams and of connections to accept. */
#define PLX__CALL_PRICE 64

/* plx__budget_spend subtracts `bytes` and the price of one call. Inline, because it runs for each
 * datagram. */
static inline void plx__budget_spend(struct plx__budget *budget, size_t bytes)
{
    size_t price = bytes + PLX__CALL_PRICE;
    if (budget->bytes != SIZE_MAX) {
        budget->bytes -= price < budget->bytes ? price : budget->bytes;
    }
}
/* plx__budget_is_spent returns whether the bytes or the time are used up. It reads the clock only
 * when a time was set. */
bool plx__budget_is_spent(const struct plx__budget *budget);

struct plx__loop;
struct plx__task;

/* What a frame does with the tasks of one sort. A loop has a table of services, and a task the
 * number of its own: a pointer in each task would cost each idle connection 8 bytes. */
struct plx__service {
    void (*input)(struct plx__task *task, struct plx__budget *budget);
    /* True: schedule it again. NULL: the sort has no second half. */
    bool (*output)(struct plx__task *task, struct plx__budget *budget);
    void (*release)(struct plx__task *task); /* gives back the buffer that was lent; may be NULL */
    void (*flush)(struct plx__task *task);   /* sends what is queued now; NULL: nothing is */
    /* The loop ends and has removed the task, which is in no loop now; may be NULL. */
    void (*leave)(struct plx__task *task);
};

struct plx__task {
    struct plx__loop *loop;  /* NULL: the task is polled alone */
    struct plx__list member; /* in the list of the loop's tasks */
    struct plx__list work;   /* in one of the loop's lists of work */
    struct plx__list views;  /* in the list of tasks whose empty buffer a program may still read */
    struct plx__watch *watches; /* all of them */
    struct plx__deadline deadline;
    uint32_t frame;   /* the loop's frame in which the task's input was served last */
    uint8_t service;  /* its number in the loop's table */
    bool hidden;      /* not counted: the listener of a server, and what is no socket */
    bool wants_input; /* scheduled when no input was served: served in the next frame */
};

/* A function that runs once at the end of a frame, when no task of the loop is being served. A
 * reaper that `run` adds runs at the end of the next frame. */
struct plx__reaper {
    struct plx__list link;
    void (*run)(struct plx__reaper *reaper);
};

struct plx__loop {
    struct plx__poller *poller;
    const struct plx__service *services; /* by the number that a task has */
    struct plx__list tasks;
    size_t count; /* of the tasks that are not hidden */
    struct plx__list round, outgoing, work;
    struct plx__list views;
    struct plx__list reapers;
    struct plx__deadlines deadlines;
    struct plx__pool pool;
    struct plx__watch wake;
    plx__fd wake_descriptors[2];
    size_t budget_bytes;
    uint64_t budget_time; /* nanoseconds; 0: none */
    uint32_t frame;       /* the number of the present frame, never 0 */
    bool found;           /* the last frame had something to serve */
    bool wants_exact;     /* the next frame must find what is due by the exact clock */
    enum { PLX__RESTING, PLX__RECEIVING, PLX__SENDING } phase;
};

/* ---- watches of a task ----------------------------------------------------------------------- */

/* plx__watch_start makes a task watch a descriptor. Returns 0, or a negative errno, with the watch
 * idle. */
int plx__watch_start(struct plx__watch *watch, struct plx__task *task, plx__fd descriptor,
                     unsigned interest);
/* plx__watch_set changes the interest. Returns 0 or a negative errno. */
int plx__watch_set(struct plx__watch *watch, unsigned interest);
/* plx__watch_stop makes the watch idle; the caller calls it before it closes the descriptor. */
void plx__watch_stop(struct plx__watch *watch);

/* ---- tasks ----------------------------------------------------------------------------------- */

/* plx__task_schedule schedules the task for the end of this frame or for the next frame. */
void plx__task_schedule(struct plx__task *task);
/* plx__task_schedule_input schedules the task for the input of this frame, if the loop is serving
 * input and has not served the input of the task before in this frame, else for the next frame. */
void plx__task_schedule_input(struct plx__task *task);
/* plx__task_set_deadline sets the one moment at which the task is served even if none of its
 * watches is ready; 0: never. */
void plx__task_set_deadline(struct plx__task *task, uint64_t at);
/* plx__task_renew_deadline does the same, takes back that an earlier moment has passed, and orders
 * the task behind those with the same moment. It is for tasks that are served for their deadline
 * only. */
void plx__task_renew_deadline(struct plx__task *task, uint64_t at);
/* plx__task_has_deadline returns whether setting that moment would change nothing. A deadline that
 * has passed is in no heap any more, and has to be set again. */
static inline bool plx__task_has_deadline(const struct plx__task *task, uint64_t at)
{
    return task->deadline.at == at && (at == 0 || task->loop == NULL || task->deadline.key != 0);
}
/* plx__task_pool returns the pool of the loop, or NULL. */
static inline struct plx__pool *plx__task_pool(const struct plx__task *task)
{
    return task->loop == NULL ? NULL : &task->loop->pool;
}
/* plx__task_note_view records that a program may read the task's empty buffer until the task is
 * served again. */
static inline void plx__task_note_view(struct plx__task *task)
{
    if (task->loop != NULL && !plx__list_is_linked(&task->views)) {
        plx__list_append(&task->loop->views, &task->views);
    }
}
/* plx__task_is_quiet returns true when no watch of the task is ready beyond what was reported, if
 * the loop knows it without asking about each watch. False: a watch may be ready. */
static inline bool plx__task_is_quiet(const struct plx__task *task)
{
    return task->loop != NULL && plx__poller_is_quiet(task->loop->poller);
}
/* plx__task_sleep asks poll(2) about the task's own watches, for timeout_ms at most (-1: for ever),
 * and marks the ready watches. Returns how many are ready. It may return 0 early: after a signal,
 * for a task with very many watches, and, after a moment, when poll(2) fails. */
size_t plx__task_sleep(struct plx__task *task, int timeout_ms);
/* plx__nap sleeps for a moment, but not longer than timeout_ms (-1: no limit), where poll(2) cannot:
 * a caller must not spin. */
void plx__nap(int timeout_ms);
/* plx__milliseconds_until returns the milliseconds from `now` to `moment`, rounded up: 0 for the
 * past, at most INT_MAX. */
int plx__milliseconds_until(uint64_t moment, uint64_t now);

/* ---- loop ------------------------------------------------------------------------------------ */

/* plx__loop_open prepares a zeroed loop whose services are set. Returns 0 or a negative errno. */
int plx__loop_open(struct plx__loop *loop);
/* plx__loop_release removes all tasks, which then leave and are polled alone, and all reapers. */
void plx__loop_release(struct plx__loop *loop);
/* plx__loop_close calls plx__loop_release, and frees what plx__loop_open allocated. */
void plx__loop_close(struct plx__loop *loop);
/* plx__loop_add adds a task that has no loop. Returns 0 or a negative errno, with the task alone.
 */
int plx__loop_add(struct plx__loop *loop, struct plx__task *task);

/* plx__loop_rejoin adds a task that has no loop, in any case. Returns 0, or the negative errno of a
 * watch that the poller does not watch. */
int plx__loop_rejoin(struct plx__loop *loop, struct plx__task *task);
/* plx__loop_remove removes the task from its loop, if the task has one. */
void plx__loop_remove(struct plx__task *task);
/* plx__loop_reap makes the loop call reaper->run at the end of this frame, or of the next one. */
void plx__loop_reap(struct plx__loop *loop, struct plx__reaper *reaper);
/* plx__loop_timeout returns the milliseconds until a frame is needed: 0 for now, -1 for never. */
int plx__loop_timeout(struct plx__loop *loop);
/* plx__loop_steps returns how many steps of establishing one frame has. */
size_t plx__loop_steps(const struct plx__loop *loop);

/* plx__loop_frame runs one frame, which sleeps up to timeout_ms. Returns true when work is left. */
bool plx__loop_frame(struct plx__loop *loop, int timeout_ms);
/* plx__loop_flush sends now what the tasks have queued. It calls no handler. */
void plx__loop_flush(struct plx__loop *loop);
/* plx__loop_wake ends a sleep; any thread and any signal handler may call it. */
void plx__loop_wake(struct plx__loop *loop);

#endif
