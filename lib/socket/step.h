/* lib/socket/step.h -- one step of one filter, and what a step waits for.
 *
 *      FRESH --begin--> BEGUN --establish says 0--> ESTABLISHED --shutdown says 0--> PARTED
 *        ^                |                             |                              |
 *        +----------------+------ a connection begins --+------------------------------+
 *
 * Design: the functions of a filter's table run in step.c and nowhere else: it collects the wants,
 * and checks what the functions return, because anybody may write a filter. A step wants what
 * the receives and sends of the layers below want that it has called. If it has set its want, only
 * those count whose side it has named, and a named side that it has not called wants readiness.
 * Only step.c writes `step`. */
#ifndef PLX_LIB_STEP_H
#define PLX_LIB_STEP_H

#include "lib/base/base.h"
#include "lib/base/hold.h"
#include "lib/os/os.h"
#include "lib/socket/kind.h"

#include <pollux/filter.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a step waits for: readiness (PLX__READ, PLX__WRITE), and a moment, 0 for none. */
struct plx__want {
    unsigned ready;
    uint64_t at;
};

/* What the receives or the sends of the layers below want that the running step has called. */
struct plx__side {
    struct plx__want want;
    bool waits;    /* the last of them has returned EAGAIN, or has taken a part only */
    bool outdated; /* of receives: a send has received since */
};

/* Both sides. A step leaves its own want at one of the two for the step above. */
struct plx__noted {
    const plx_filter *filter; /* whose step runs */
    struct plx__side in, out;
};

/* Why the connection ends, recorded by a filter. */
struct plx__filter_failure {
    int code;  /* 0: there is none */
    int error; /* the errno that a receive or a send has returned; 0: none */
    const plx_filter *filter; /* has made the sentence itself; NULL: the library has */
    plx_reason reason;
    char sentence[256];
};

/* What the filters of one socket share. */
struct plx__stack {
    plx_socket *socket;
    const struct plx_kind *kind; /* the plain one: receives from the kernel, and sends to it */
    struct plx__noted noted;     /* by the step that runs now */
    ptrdiff_t plain_error;       /* negative: what the plain kind has returned last; not EAGAIN */
    unsigned taken;              /* how many receives have found bytes in the kernel */
    bool drained;                /* the last receive has emptied the kernel's buffer */
    bool dry;                    /* the last receive has found nothing, nor a step since */
    bool carries;                /* what is sent now are the bytes of the program */
    bool limited;                /* a send has failed: `rest` counts */
    size_t rest;                 /* bytes that the kernel held then and still holds */
    uint16_t depth;              /* how many steps run now, one inside the other */
    bool dispatching;            /* of the socket, before the outermost of them */
    bool view_alive;             /* likewise */
    struct plx__filter_failure failure;
};

enum plx__filter_step {
    PLX__FILTER_FRESH,
    PLX__FILTER_BEGUN,
    PLX__FILTER_ESTABLISHED,
    PLX__FILTER_PARTED
};

struct plx_filter {
    const plx_filter_kind *table;
    struct plx__stack *stack;  /* NULL: the filter was removed, and its `ask` still runs */
    plx_filter *above, *below; /* NULL: the buffers; the plain kind */
    struct plx__hold hold;     /* while `ask` runs */
    struct plx__want want;     /* set by the step that runs now */
    size_t older;              /* this many queued bytes are older than the filter */
    uint8_t step;              /* plx__filter_step */
    bool is_setting;           /* each connection begins it anew */
    bool has_want;             /* the step that runs now has set its want */
    bool asks;                 /* has a question for the program */
    _Alignas(max_align_t) unsigned char state[];
};

/* plx__step_new makes a filter that is in no chain. NULL when memory ran out. plx__step_free frees
 * the filter as soon as nobody holds it. */
plx_filter *plx__step_new(const plx_filter_kind *table);
void plx__step_free(plx_filter *filter);

/* plx__step_reset makes the filter FRESH: a connection begins. */
void plx__step_reset(plx_filter *filter);

/* plx__step_begin begins the filter if it is FRESH. Returns 0, or another code after
 * plx__step_fail. */
int plx__step_begin(plx_filter *filter);

/* plx__step_establish begins and establishes the filter. Returns 0, EAGAIN, ERESTART, or another
 * code after plx__step_fail. */
int plx__step_establish(plx_filter *filter);

/* plx__step_note_errno adds an errno to the failure that the filter has recorded. */
void plx__step_note_errno(plx_filter *filter, int os_error);

/* plx__step_receiver returns the first filter from `filter` down that changes what is received,
 * plx__step_sender what is sent; NULL is the plain kind. */
plx_filter *plx__step_receiver(plx_filter *filter);
plx_filter *plx__step_sender(plx_filter *filter);

/* plx__step_receive receives from the layers from `filter` down, plx__step_send sends to them; NULL
 * is the plain kind. Both return a count, a negative errno, and 0 for the end. */
ptrdiff_t plx__step_receive(struct plx__stack *stack, plx_filter *filter, void *data, size_t size);
ptrdiff_t plx__step_send(struct plx__stack *stack, plx_filter *filter, const void *data,
                         size_t size);

/* plx__step_is_pending returns whether an established filter holds bytes that a receive would
 * give. */
bool plx__step_is_pending(plx_filter *filter);

/* plx__step_part says the goodbye of an established filter. Returns 0 or EAGAIN. */
int plx__step_part(plx_filter *filter);

/* plx__step_ask lets the filter put its question. The filter may be freed meanwhile. */
void plx__step_ask(plx_filter *filter);

/* plx__step_fail records why the connection ends, and returns the code. The first failure of a
 * connection counts. */
PLX__PRINTF(4, 5)
int plx__step_fail(struct plx__stack *stack, int code, plx_reason reason, const char *format, ...);

#endif
