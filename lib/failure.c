/* lib/failure.c -- floor 4: how a socket fails: what is remembered, what will be told. */
#include "config.h"

#include "lib/error.h"
#include "lib/memory.h"
#include "lib/socket.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Sentences name a path or a host, both of which may be long; one that is cut is still a sentence.
 */
#define STEP_SIZE 480

struct plx__errors *plx__socket_errors(plx_socket *socket)
{
    if (socket->errors == NULL) {
        socket->errors = plx__memory_new(sizeof *socket->errors);
    }
    return socket->errors;
}

/* Sets one of the errors and the last one alike, each with a sentence of its own: they are
 * forgotten at different times. */
static void set_both(struct plx__errors *errors, plx_error *error, int code, plx_reason reason,
                     int os_error, const char *step)
{
    plx__error_set(&errors->last, code, reason, os_error, "%s", step);
    if (error != NULL) {
        plx__error_set(error, code, reason, os_error, "%s", step);
    }
}

static int fail(plx_socket *socket, int code, plx_reason reason, int os_error, const char *step)
{
    struct plx__errors *errors = plx__socket_errors(socket);
    bool first = (socket->news & PLX__NEWS(PLX__EVENT_CALL_ERROR)) == 0;
    if (errors != NULL && !socket->hold.freed) {
        set_both(errors, first ? &errors->call : NULL, code, reason, os_error, step);
        socket->news |= PLX__NEWS(PLX__EVENT_CALL_ERROR);
        plx__task_schedule(&socket->task);
    }
    return code;
}

int plx__socket_fail(plx_socket *socket, int code, plx_reason reason, int error, const char *step,
                     ...)
{
    char text[STEP_SIZE];
    va_list arguments;
    va_start(arguments, step);
    vsnprintf(text, sizeof text, step, arguments);
    va_end(arguments);
    return fail(socket, code, reason, -error, text);
}

int plx__socket_refuse(plx_socket *socket, plx_reason reason, const char *sentence, ...)
{
    char text[STEP_SIZE];
    va_list arguments;
    va_start(arguments, sentence);
    vsnprintf(text, sizeof text, sentence, arguments);
    va_end(arguments);
    return fail(socket, PLX_INVALID_STATE, reason, PLX__SENTENCE, text);
}

int plx__socket_fail_system(plx_socket *socket, int error, const char *step, ...)
{
    char text[STEP_SIZE];
    va_list arguments;
    va_start(arguments, step);
    vsnprintf(text, sizeof text, step, arguments);
    va_end(arguments);
    return fail(socket, plx__error_code(-error), plx__error_reason(-error), -error, text);
}

int plx__socket_fail_open(plx_socket *socket, const char *call)
{
    static const char *const states[] = {"",      "looking up a name", "connecting", "connected",
                                         "bound", "listening",         "closing"};
    if (socket->state == PLX_UNCONNECTED) {
        return plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: the socket has been freed",
                                  call);
    }
    return plx__socket_refuse(socket, PLX_REASON_OPERATION,
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
    return plx__socket_refuse(socket, PLX_REASON_OPERATION, "%s: the socket is %s", call,
                              states[socket->state]);
}

void plx__socket_set_end_error(plx_socket *socket, int code, plx_reason reason, int error,
                               const char *step, ...)
{
    struct plx__errors *errors = plx__socket_errors(socket);
    char text[STEP_SIZE];
    va_list arguments;
    va_start(arguments, step);
    vsnprintf(text, sizeof text, step, arguments);
    va_end(arguments);
    if (errors != NULL) {
        set_both(errors, &errors->end, code, reason, -error, text);
    }
    socket->news |= PLX__NEWS(PLX__EVENT_END_ERROR);
}

void plx__socket_forget_errors(plx_socket *socket, bool all)
{
    if (socket->errors == NULL) {
        return;
    }
    plx__error_clear(&socket->errors->call);
    plx__error_clear(&socket->errors->end);
    if (all) {
        plx__error_clear(&socket->errors->last);
    }
}

/* ---- what the program asks ------------------------------------------------------------------- */

const plx_error *plx_socket_error(const plx_socket *socket)
{
    static const plx_error none = {PLX_OK, PLX_REASON_NONE, 0, ""};
    static const plx_error no_socket = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                        "there is no socket"};
    if (socket == NULL) {
        return &no_socket;
    }
    bool any = socket->errors != NULL && socket->errors->last.code != PLX_OK;
    return any ? &socket->errors->last : &none;
}

int plx_socket_last_error(const plx_socket *socket)
{
    return plx_socket_error(socket)->code;
}
