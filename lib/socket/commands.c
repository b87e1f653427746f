/* lib/socket/commands.c -- the commands that have arrived and were not read. */
#include "config.h"

#include "lib/socket/commands.h"
#include "lib/socket/failure.h"
#include "lib/socket/progress.h"
#include "lib/socket/read.h"
#include "lib/socket/records.h"
#include "lib/socket/room.h"
#include "lib/wire/command.h"

#include <string.h>

/* The most calls of command_received in one poll. */
#define MOST_REPORTED 64

/* What marks a command that a wait has taken; no peer's command that was checked is negative. */
#define GONE (-1)

#define REPORTED PLX__EVENT_BIT(PLX__EVENT_COMMAND)

/* The bytes of a message that begins behind `offset` bytes. */
static uint8_t *message_at(const plx_socket *socket, size_t offset, const struct plx__front *front)
{
    return socket->in.block + socket->in.start + offset + front->before;
}

static bool is_gone(const plx_socket *socket, size_t offset, const struct plx__front *front)
{
    return plx__command_read(message_at(socket, offset, front)) < 0;
}

/* ---- the first ------------------------------------------------------------------------------- */

/* Finds the first command. False: none is whole. */
static bool find_first(plx_socket *socket, struct plx__front *ret_front)
{
    *ret_front = plx__framing_front(socket);
    if (ret_front->is > PLX__FRONT_WHOLE) {
        plx__framing_note_unfit(socket);
    }
    return ret_front->is == PLX__FRONT_WHOLE;
}

/* Takes the first command, and those behind it that are gone: the first one never is. Looks at the
 * next one, which may be unfit. */
static void take_first(plx_socket *socket, struct plx__front front)
{
    struct plx__framing *framing = plx__framing_of(socket);
    socket->rare->lifted = 0;
    socket->fresh = false;
    plx__socket_take_as_view(socket, plx__front_whole(&front));
    while (find_first(socket, &front) && framing->gone > 0 && is_gone(socket, 0, &front)) {
        framing->gone -= plx__front_whole(&front);
        plx__socket_take_as_view(socket, plx__front_whole(&front));
    }
}

const void *plx__commands_take(plx_socket *socket, int32_t *ret_command, size_t *ret_size)
{
    struct plx__front front;
    socket->fresh = false;
    if (!find_first(socket, &front)) {
        return NULL;
    }
    const uint8_t *message = message_at(socket, 0, &front);
    *ret_command = plx__command_read(message);
    *ret_size = front.size - PLX__COMMAND_HEAD;
    take_first(socket, front);
    return message + PLX__COMMAND_HEAD;
}

static bool has_handler(const plx_socket *socket)
{
    return plx__framing_has_commands(socket) && plx__handlers_has_command(&socket->handlers);
}

bool plx__commands_are_there(const plx_socket *socket)
{
    return has_handler(socket) && plx__framing_front(socket).is == PLX__FRONT_WHOLE;
}

/* ---- reporting ------------------------------------------------------------------------------- */

static void exchange(struct plx__buffer *a, struct plx__buffer *b)
{
    struct plx__buffer other = *a;
    *a = *b;
    *b = other;
}

/* Takes the first command into bytes that stay while its handler runs. NULL: no memory. */
static const uint8_t *lend(plx_socket *socket, const struct plx__front *front)
{
    struct plx__buffer *lent = &socket->rare->commands->lent;
    const uint8_t *message = message_at(socket, 0, front);
    bool whole_block = plx__front_whole(front) == socket->in.size && !socket->view_alive;
    bool viewed = socket->view_alive;
    plx__buffer_truncate(lent, 0);
    if (!whole_block) {
        if (!plx__buffer_append(lent, message, front->size, plx__socket_pool(socket))) {
            return NULL;
        }
        message = plx__buffer_data(lent);
    }
    take_first(socket, *front);
    if (whole_block) {
        exchange(&socket->in, lent);
    }
    socket->view_alive = viewed;
    return message;
}

/* Keeps the larger of two empty blocks for receiving. In a group the pool gets the other. */
static void end_loan(plx_socket *socket)
{
    struct plx__buffer *lent = &socket->rare->commands->lent;
    plx__buffer_truncate(lent, 0);
    if (socket->in.size == 0 && !socket->view_alive && lent->capacity > socket->in.capacity) {
        exchange(&socket->in, lent);
    }
    if (socket->task.loop != NULL) {
        plx__buffer_release(lent, plx__socket_pool(socket));
    }
}

/* The bit is set before the call: what withdraws events, such as close, clears it, and then no
 * further call follows. Returns whether another one may. */
static bool report_first(plx_socket *socket)
{
    struct plx__front front;
    uint8_t state = socket->state;
    struct plx__commands *commands = socket->rare->commands;
    socket->pending &= ~REPORTED;
    if (!has_handler(socket) || !find_first(socket, &front)) {
        return false;
    }
    const uint8_t *message = lend(socket, &front);
    socket->pending |= REPORTED;
    if (message == NULL) {
        plx__socket_fail_memory(socket, "report a command of %zu bytes", front.size);
        return false;
    }
    commands->lends = true;
    plx__handlers_command_received(&socket->handlers, socket, plx__command_read(message),
                                   message + PLX__COMMAND_HEAD, front.size - PLX__COMMAND_HEAD);
    commands->lends = false;
    return !socket->hold.freed && socket->state == state && (socket->pending & REPORTED) != 0;
}

void plx__commands_report(plx_socket *socket)
{
    int left = MOST_REPORTED;
    struct plx__front front;
    while (left > 0 && report_first(socket)) {
        left--;
    }
    if (socket->hold.freed) {
        return;
    }
    if (left == 0 && !find_first(socket, &front)) {
        socket->pending &= ~REPORTED;
    }
    end_loan(socket);
}

/* ---- waiting --------------------------------------------------------------------------------- */

struct plx__await plx__commands_await(plx_socket *socket, int32_t command)
{
    struct plx__commands *commands = socket->rare->commands;
    struct plx__await before = {commands->awaited, commands->awaits};
    if (commands->awaited != command) {
        plx__framing_of(socket)->searched = 0;
    }
    plx__buffer_truncate(&commands->waited, 0);
    commands->awaited = command;
    commands->awaits = true;
    return before;
}

void plx__commands_end_await(plx_socket *socket, struct plx__await before)
{
    struct plx__commands *commands = socket->rare->commands;
    struct plx__framing *framing = plx__framing_of(socket);
    if (before.awaits && before.command != commands->awaited) {
        commands->awaited = before.command;
        if (framing != NULL) {
            framing->searched = 0;
        }
    }
    commands->awaits = before.awaits;
    if ((socket->pending & REPORTED) != 0) {
        socket->pending &= ~REPORTED;
        if (framing != NULL && !socket->hold.freed) {
            plx__framing_note(socket);
        }
        plx__task_schedule(&socket->task);
    }
}

bool plx__commands_find(const plx_socket *socket)
{
    struct plx__framing *framing = plx__framing_of(socket);
    while (framing->searched < socket->in.size) {
        struct plx__front front = plx__framing_at(socket, framing->searched);
        if (front.is != PLX__FRONT_WHOLE) {
            return false;
        }
        size_t end = framing->searched + plx__front_whole(&front);
        framing->checked = framing->checked < end ? end : framing->checked;
        if (plx__command_read(message_at(socket, framing->searched, &front)) ==
            socket->rare->commands->awaited) {
            return true;
        }
        framing->searched = end;
    }
    return false;
}

bool plx__commands_are_blocked(const plx_socket *socket)
{
    size_t searched = plx__framing_of(socket)->searched;
    return searched < socket->in.size && plx__framing_at(socket, searched).is > PLX__FRONT_WHOLE;
}

/* Moves the bytes behind a command to where it begins. */
static void close_gap(plx_socket *socket, size_t offset, size_t whole)
{
    uint8_t *place = socket->in.block + socket->in.start + offset;
    size_t behind = socket->in.size - offset - whole;
    memmove(place, place + whole, behind);
    plx__buffer_truncate(&socket->in, offset + behind);
    plx__framing_of(socket)->checked -= whole;
    if (socket->kind->transport->keeps_boundaries) {
        plx__records_of(socket)->in--;
    }
}

/* Takes a command out of the midst of the others. */
static void take_from_midst(plx_socket *socket, size_t offset, const struct plx__front *front)
{
    struct plx__framing *framing = plx__framing_of(socket);
    size_t whole = plx__front_whole(front);
    if (socket->in.size - offset - whole <= whole) {
        close_gap(socket, offset, whole);
    } else {
        plx__command_write(message_at(socket, offset, front), GONE);
        framing->searched += whole;
        framing->gone += whole;
        /* At READ_LIMIT what is gone would keep out what the next wait waits for. */
        if (framing->gone > socket->in.size / 2 || plx__socket_is_full(socket)) {
            plx__commands_close_gaps(socket);
        }
    }
    plx__socket_consumed(socket);
}

const void *plx__commands_take_found(plx_socket *socket, size_t *ret_size)
{
    size_t offset = plx__framing_of(socket)->searched;
    struct plx__buffer *waited = &socket->rare->commands->waited;
    struct plx__front front = plx__framing_at(socket, offset);
    plx__buffer_truncate(waited, 0); /* a wait inside this one may have left its command there */
    if (!plx__buffer_append(waited, message_at(socket, offset, &front), front.size,
                            plx__socket_pool(socket))) {
        plx__socket_fail_memory(socket, "wait for a command of %zu bytes", front.size);
        return NULL;
    }
    plx__task_note_view(&socket->task);
    if (offset == 0) {
        take_first(socket, front);
    } else {
        take_from_midst(socket, offset, &front);
    }
    *ret_size = front.size - PLX__COMMAND_HEAD;
    return plx__buffer_data(waited) + PLX__COMMAND_HEAD;
}

/* Moves the command at `from` to `to`, unless it is gone. Returns where the next one goes. */
static size_t move_up(plx_socket *socket, size_t from, size_t to, const struct plx__front *front)
{
    uint8_t *bytes = socket->in.block + socket->in.start;
    if (is_gone(socket, from, front)) {
        if (socket->kind->transport->keeps_boundaries) {
            plx__records_of(socket)->in--;
        }
        return to;
    }
    memmove(bytes + to, bytes + from, plx__front_whole(front));
    return to + plx__front_whole(front);
}

void plx__commands_close_gaps(plx_socket *socket)
{
    struct plx__framing *framing = plx__framing_of(socket);
    size_t from = 0, to = 0, searched = framing->searched;
    if (framing->gone == 0) {
        return;
    }
    while (from < framing->checked) {
        struct plx__front front = plx__framing_at(socket, from);
        to = move_up(socket, from, to, &front);
        from += plx__front_whole(&front);
        framing->searched = from == searched ? to : framing->searched;
    }
    uint8_t *bytes = socket->in.block + socket->in.start;
    memmove(bytes + to, bytes + from, socket->in.size - from);
    plx__buffer_truncate(&socket->in, to + socket->in.size - from);
    framing->checked = to;
    framing->gone = 0;
}

/* ---- at rest --------------------------------------------------------------------------------- */

void plx__commands_rest(plx_socket *socket)
{
    struct plx__commands *commands = plx__rare_of(socket)->commands;
    if (commands == NULL) {
        return;
    }
    plx__buffer_clear(&commands->waited, plx__socket_pool(socket));
    if (!commands->lends) {
        plx__buffer_clear(&commands->lent, plx__socket_pool(socket));
    }
}
