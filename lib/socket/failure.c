/* lib/socket/failure.c -- the errors of a socket: those kept, and those to report. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/resolve/failure.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/object.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Sentences name a path or a host, which may be long. A longer sentence is cut. */
#define STEP_SIZE 480

/* Formats the arguments after the function's last named parameter, `format`, into the array
 * `text`. */
#define FORMAT(text, format)                                                                       \
    do {                                                                                           \
        va_list arguments_;                                                                        \
        va_start(arguments_, format);                                                              \
        (void)vsnprintf(text, sizeof(text), format, arguments_);                                   \
        va_end(arguments_);                                                                        \
    } while (0)

/* ---- what is kept ---------------------------------------------------------------------------- */

static plx_error bare_end(const struct plx__bare_errors *bare)
{
    plx_error error = plx__error_bare(bare->end, bare->end_os_error);
    error.reason = (plx_reason)bare->end_reason;
    return error;
}

/* Returns the errors. Makes them if there are none, and moves the bare ones into them. NULL when
 * memory ran out. */
static struct plx__errors *errors_of(plx_socket *socket)
{
    struct plx__bare_errors *bare = &socket->bare;
    struct plx__errors *errors = socket->errors;
    if (errors == NULL) {
        errors = socket->errors = plx__memory_new(sizeof *errors);
        if (errors != NULL) {
            bool is_end = bare->last == bare->end;
            errors->last = is_end ? bare_end(bare) : plx__error_bare(bare->last, 0);
            errors->call = plx__error_bare(bare->call, 0);
            errors->end = bare_end(bare);
            *bare = (struct plx__bare_errors){0};
        }
    }
    return errors;
}

/* Sets the last error, and the error to report if this is the first failure since the last poll.
 * Each gets a sentence of its own, because they are freed at different times. */
static int fail(plx_socket *socket, int code, plx_reason reason, int os_error, const char *step)
{
    bool first = (socket->pending & PLX__EVENT_BIT(PLX__EVENT_CALL_ERROR)) == 0;
    if (socket->hold.freed) {
        return code;
    }
    struct plx__errors *errors = errors_of(socket);
    if (errors == NULL) {
        socket->bare.last = (uint16_t)code;
        socket->bare.call = first ? (uint16_t)code : socket->bare.call;
    } else {
        plx__error_set(&errors->last, code, reason, os_error, "%s", step);
        plx__error_set(first ? &errors->call : NULL, code, reason, os_error, "%s", step);
    }
    socket->pending |= PLX__EVENT_BIT(PLX__EVENT_CALL_ERROR);
    plx__task_schedule(&socket->task);
    return code;
}

static void set_end(plx_socket *socket, int code, plx_reason reason, int os_error, const char *step)
{
    struct plx__errors *errors = errors_of(socket);
    if (errors == NULL) {
        socket->bare.last = socket->bare.end = (uint16_t)code;
        socket->bare.end_os_error = (unsigned)plx__error_number(os_error) & 0x3ff;
        socket->bare.end_reason = (unsigned)reason & 0x3f;
    } else {
        plx__error_set(&errors->last, code, reason, os_error, "%s", step);
        plx__error_set(&errors->end, code, reason, os_error, "%s", step);
    }
    socket->pending |= PLX__EVENT_BIT(PLX__EVENT_END_ERROR);
}

/* ---- how calls fail -------------------------------------------------------------------------- */

int plx__socket_fail(plx_socket *socket, int code, plx_reason reason, int error, const char *step,
                     ...)
{
    char text[STEP_SIZE];
    FORMAT(text, step);
    return fail(socket, code, reason, -error, text);
}

int plx__socket_refuse(plx_socket *socket, plx_reason reason, const char *sentence, ...)
{
    char text[STEP_SIZE];
    FORMAT(text, sentence);
    return fail(socket, PLX_INVALID_STATE, reason, PLX__SENTENCE, text);
}

int plx__socket_fail_system(plx_socket *socket, int error, const char *step, ...)
{
    char text[STEP_SIZE];
    FORMAT(text, step);
    return fail(socket, plx__error_code(-error), plx__error_reason(-error), -error, text);
}

int plx__socket_fail_memory(plx_socket *socket, const char *step, ...)
{
    char text[STEP_SIZE];
    FORMAT(text, step);
    return fail(socket, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0, text);
}

int plx__socket_fail_lookup(plx_socket *socket, const struct plx__failure *failure,
                            const char *host)
{
    char text[STEP_SIZE];
    plx__failure_describe(failure, host, text, sizeof text);
    return fail(socket, failure->code, failure->reason, -failure->error, text);
}

/* A call that comes too early: what the socket does now ends by itself. */
static plx_reason reason_of_state(int state)
{
    return state == PLX_HOST_LOOKUP || state == PLX_CONNECTING ? PLX_REASON_UNFINISHED_OPERATION
                                                               : PLX_REASON_OPERATION;
}

int plx__socket_fail_open(plx_socket *socket, const char *call)
{
    static const char *const states[] = {"",      "looking up a name", "connecting", "connected",
                                         "bound", "listening",         "closing"};
    if (socket->state == PLX_UNCONNECTED) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: %s", call,
                                  socket->hold.freed ? "the socket has been freed"
                                                     : "a step of a filter runs");
    }
    return plx__socket_refuse(socket, reason_of_state(socket->state),
                              "%s: the socket is %s already, call plx_socket_close first", call,
                              states[socket->state]);
}

int plx__socket_fail_state(plx_socket *socket, const char *call)
{
    static const char *const states[] = {NULL,
                                         "still looking up its peer",
                                         "still connecting",
                                         "connected",
                                         "bound",
                                         "listening, and nobody has connected to it yet",
                                         "closing, because plx_socket_disconnect was called"};
    if (socket->state == PLX_UNCONNECTED) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: the socket is %s first", call,
                                  socket->kind->unopened);
    }
    int state = socket->ending == PLX__END_WHEN_CONNECTED ? PLX_CLOSING : socket->state;
    return plx__socket_refuse(socket, reason_of_state(state), "%s: the socket is %s", call,
                              states[state]);
}

/* ---- how connections end --------------------------------------------------------------------- */

void plx__socket_set_end_error(plx_socket *socket, int code, plx_reason reason, int error,
                               const char *step, ...)
{
    char text[STEP_SIZE];
    FORMAT(text, step);
    set_end(socket, code, reason, -error, text);
}

void plx__socket_set_end_error_system(plx_socket *socket, int error, const char *step, ...)
{
    char text[STEP_SIZE];
    FORMAT(text, step);
    set_end(socket, plx__error_code(-error), plx__error_reason(-error), -error, text);
}

/* ---- reporting and forgetting ---------------------------------------------------------------- */

/* Copies the error only if the last one differs: a copy loses its sentence when memory runs out. */
static void make_last(struct plx__errors *errors, const plx_error *error)
{
    const plx_error *last = &errors->last;
    bool same = last->code == error->code && last->reason == error->reason &&
                last->os_error == error->os_error && strcmp(last->message, error->message) == 0;
    if (!same) {
        plx__error_copy(&errors->last, error);
    }
}

/* The error reported becomes the last error, even if another call has failed since. */
void plx__socket_take_error(plx_socket *socket, enum plx__event event, plx_error *ret_error)
{
    bool end = event == PLX__EVENT_END_ERROR;
    struct plx__bare_errors *bare = &socket->bare;
    struct plx__errors *errors = errors_of(socket);
    if (errors != NULL) {
        plx__error_take(ret_error, end ? &errors->end : &errors->call);
        make_last(errors, ret_error);
    } else {
        *ret_error = end ? bare_end(bare) : plx__error_bare(bare->call, 0);
        bare->last = end ? bare->end : bare->call;
    }
}

void plx__socket_forget_errors(plx_socket *socket, bool all)
{
    socket->bare = (struct plx__bare_errors){.last = all ? 0 : socket->bare.last};
    if (socket->errors == NULL) {
        return;
    }
    plx__error_clear(&socket->errors->call);
    plx__error_clear(&socket->errors->end);
    if (all) {
        plx__error_clear(&socket->errors->last);
        plx__memory_free(socket->errors->unreached);
        socket->errors->unreached = NULL;
    }
}

/* ---- what the program asks ------------------------------------------------------------------- */

/* Casts const away: the program cannot see that bare errors are moved as soon as there is
 * memory. */
const plx_error *plx_socket_error(const plx_socket *socket)
{
    static const plx_error none = {PLX_OK, PLX_REASON_NONE, 0, ""};
    static const plx_error no_socket = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                        "there is no socket"};
    static const plx_error no_memory = {PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                        "out of memory"};
    if (socket == NULL) {
        return &no_socket;
    }
    if (plx_socket_last_error(socket) == PLX_OK) {
        return &none;
    }
    const struct plx__errors *errors = errors_of((plx_socket *)socket);
    return errors != NULL ? &errors->last : &no_memory;
}

int plx_socket_last_error(const plx_socket *socket)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    return socket->errors != NULL ? socket->errors->last.code : socket->bare.last;
}
