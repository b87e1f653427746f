/* tests/model/calls-bytes.c -- calls that write and read. */
#include "config.h"

#include "tests/model/commands.h"
#include "tests/model/handlers.h"
#include "tests/model/player.h"
#include "tests/model/supply.h"
#include "tests/model/timeouts.h"

#include <errno.h>
#include <string.h>

enum { LARGEST = 100000 };

static uint8_t room[LARGEST + 1];

/* ---- writing --------------------------------------------------------------------------------- */

static bool may_write(const struct model *model)
{
    plx_state state = plx_socket_state(model->socket);

    return state == PLX_HOST_LOOKUP || state == PLX_CONNECTING || state == PLX_CONNECTED ||
           (state == PLX_BOUND && model->sort == SORT_UDP);
}

static size_t pick_size(struct turn *turn)
{
    static const int most[] = {8, 100, 300, 300, 300, 3000, 17000, LARGEST};

    return 1 + (size_t)chance_of(&turn->chance, most[chance_of(&turn->chance, 8)]);
}

static void expect_refused(struct model *model, ptrdiff_t result)
{
    if (result >= 0)
        fault("bytes were accepted in state %s", plx_state_name(plx_socket_state(model->socket)));
    else
        model_failed(model, "write", plx_socket_last_error(model->socket));
}

size_t cut_in_pieces(struct turn *turn, const void *data, size_t size,
                     plx_piece pieces[MOST_PIECES])
{
    const uint8_t *bytes = data;
    size_t count = chance_in(&turn->chance, 30) ? 2 + (size_t)chance_of(&turn->chance, 2) : 0;

    for (size_t i = 0; i < count; i++) {
        size_t part = i + 1 == count ? size : (size_t)chance_of(&turn->chance, (int)size + 1);

        pieces[i] = (plx_piece){part == 0 ? NULL : bytes, part};
        bytes += part;
        size -= part;
    }
    return count;
}

void write_bytes(struct turn *turn, struct model *model)
{
    plx_piece pieces[MOST_PIECES];
    size_t size = pick_size(turn);
    bool may = may_write(model);
    ptrdiff_t result;

    if (may)
        model_renew(model);
    if (may)
        end_bytes(model->end, room, size);
    size_t count = cut_in_pieces(turn, room, size, pieces);
    result = count == 0 ? plx_socket_write(model->socket, room, size)
                        : plx_socket_write_pieces(model->socket, pieces, count);
    trace("write of %zu bytes in %zu pieces: %td", size, count, result);
    if (!may)
        expect_refused(model, result);
    else if (result < 0)
        model_failed(model, "write", plx_socket_last_error(model->socket));
    else
        end_put(model->end, (size_t)result);
}

static void write_record(struct turn *turn, struct model *model)
{
    size_t size = RECORD_HEAD + pick_size(turn) % (model->sort == SORT_UDP ? 1400 : 60000);
    bool may = may_write(model) && plx_socket_state(model->socket) != PLX_BOUND;
    plx_piece pieces[MOST_PIECES];
    int result;

    if (may) {
        end_record(model->end, room, size);
        model->end->may_drop |= model->sort == SORT_SEQPACKET &&
                                model_option(model, PLX_OPTION_SEND_BUFFER_SIZE) < LARGEST;
    }
    size_t count = cut_in_pieces(turn, room, size, pieces);
    result = flavour_has_commands(model->flavour) ? command_write(model, may)
             : count == 0 ? plx_socket_write_message(model->socket, room, size)
                          : plx_socket_write_message_pieces(model->socket, pieces, count);
    trace("message %u of %zu in %zu pieces: %d", may ? model->end->records : 0, size, count,
          result);
    if (result == 0 && !may)
        fault("a message was accepted in state %s",
              plx_state_name(plx_socket_state(model->socket)));
    else if (result == 0)
        model->end->records++;
    else
        model_failed(model, "write_message", result);
}

void call_write(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL || model->has_dropped)
        return;
    if (model_has_records(model))
        write_record(turn, model);
    else
        write_bytes(turn, model);
}

/* Writes once, as much as possible; returns whether it was accepted. */
static bool write_much(struct model *model)
{
    enum { RECORD = 30000 };
    ptrdiff_t count;
    int code;

    if (model_has_records(model)) {
        end_record(model->end, room, RECORD);
        code = flavour_has_commands(model->flavour)
                   ? command_write(model, true)
                   : plx_socket_write_message(model->socket, room, RECORD);
        model->end->records += code == 0;
        model_failed(model, "write_message", code);
        return code == 0;
    }
    end_bytes(model->end, room, LARGEST);
    count = plx_socket_write(model->socket, room, LARGEST);
    if (count < 0)
        model_failed(model, "write", plx_socket_last_error(model->socket));
    if (count > 0)
        end_put(model->end, (size_t)count);
    return count > 0;
}

static bool may_hold(const struct model *model)
{
    bool cut = model_has_records(model) &&
               model_option(model, PLX_OPTION_SEND_BUFFER_SIZE) < LARGEST &&
               model_option(model, PLX_OPTION_SEND_BUFFER_SIZE) > 0;

    return model->sort != SORT_UDP && !model->has_dropped && !cut &&
           model_option(model, PLX_OPTION_WRITE_LIMIT) == 0 &&
           plx_socket_state(model->socket) == PLX_CONNECTED;
}

/* Disconnects with more to send than the kernel takes, and little room for what arrives. The peer
 * goes on sending, and the program reads a little in between. */
void call_hold(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    struct person *person;

    if (model == NULL || !may_hold(model))
        return;
    if (model_is_stream(model))
        model_renew(model);
    set_option(model, PLX_OPTION_READ_LIMIT, 100);
    for (int i = 0; i < 40 && plx_socket_bytes_left_to_send(model->socket) < LARGEST; i++) {
        if (!write_much(model))
            break;
        plx_socket_flush(model->socket);
    }
    trace("disconnect with %zu bytes queued", plx_socket_bytes_left_to_send(model->socket));
    if (plx_socket_disconnect(model->socket) != 0)
        return;
    timeouts_closing(model);
    model->closing = true;
    person = person_of(model);
    for (int i = chance_of(&turn->chance, 4); i > 0 && person != NULL; i--) {
        person_say(person, 200);
        if (model->inside == 0)
            poll_socket(model);
        if (model->socket == NULL)
            return;
        take(turn, model);
    }
}

void call_flush(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL)
        return;
    trace("flush of %u", model->end == NULL ? 0 : model->end->number);
    if (plx_socket_flush(model->socket) != 0)
        fault("flush failed");
}

void call_token(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int token, code;

    if (model == NULL || model->sort != SORT_IPC || model->flavour != FLAVOUR_PLAIN ||
        !may_write(model) || model->has_dropped)
        return;
    token = peer_token((int)(model->end->number % 1000) * 1000 + model->end->tokens);
    code = plx_ipc_send_handle(model->socket, token);
    trace("descriptor %d: %d", model->end->tokens, code);
    if (code == 0)
        model->end->tokens++;
    else
        model_failed(model, "send_handle", code);
    peer_close(token);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void take_tokens(struct model *model)
{
    plx_handle token;

    while (model->sort == SORT_IPC && (token = plx_ipc_receive_handle(model->socket)) >= 0) {
        if (model->end != NULL)
            end_take_token(model->end, peer_token_number(token));
        peer_close(token);
    }
}

/* Compares all that can be read, and then takes a part of it in one of the ways. */
static void take_bytes(struct turn *turn, struct model *model, int way, size_t most)
{
    size_t size;
    const void *all = plx_socket_lookahead(model->socket, &size);
    ptrdiff_t count = 0;

    (void)turn;
    end_look(model->end, all, size, "lookahead");
    switch (way) {
    case 0: count = plx_socket_read(model->socket, room, most); break;
    case 1:
        most = size == 0 ? 1 : 1 + most % size;
        count = plx_socket_read_exact(model->socket, room, most < LARGEST ? most : LARGEST);
        break;
    case 2: count = plx_socket_read_line(model->socket, (char *)room, most < 2 ? 2 : most); break;
    case 3:
        most = most < size ? most : size;
        end_take(model->end, all, most, "skip");
        if (plx_socket_skip(model->socket, most) != most)
            fault("skip dropped another number than %zu", most);
        return;
    case 4:
        end_take(model->end, all, size, "purge");
        plx_socket_purge(model->socket);
        return;
    default:
        all = plx_socket_read_all(model->socket, &size);
        end_take(model->end, all, size, "read_all");
        return;
    }
    trace("read in way %d of %zu: %td", way, size, count);
    if (count > 0)
        end_take(model->end, room, (size_t)count, "read");
    else if (count == 0 && size > 0 && way == 0 && most > 0)
        fault("read returned 0 of %zu bytes", size);
}

static void take_stream(struct turn *turn, struct model *model)
{
    int way = chance_of(&turn->chance, 6);
    static const int most[] = {4, 100, 1000, LARGEST};

    model_renew(model);
    take_bytes(turn, model, way,
               (size_t)chance_of(&turn->chance, most[chance_of(&turn->chance, 4)]));
    model_renew(model);
}

static bool take_datagram(struct model *model)
{
    plx_datagram datagram;

    if (!plx_udp_read(model->socket, &datagram))
        return false;
    end_take_record(model->end, datagram.data, datagram.size, true, datagram.truncated);
    return true;
}

/* While messages are read, a message that was begun may be a reason for an error: see
 * plx_socket_read_message. */
static bool take_record(struct model *model)
{
    size_t size;
    const void *data;

    if (model->sort == SORT_UDP)
        return take_datagram(model);
    if (flavour_has_commands(model->flavour))
        return command_take(model);
    if (!plx_socket_can_read_message(model->socket))
        return false;
    data = plx_socket_read_message(model->socket, &size);
    if (data == NULL) {
        fault("a message could be read and was not");
        return false;
    }
    trace("message of %zu", size);
    end_take_record(model->end, data, size, false, false);
    return true;
}

void take(struct turn *turn, struct model *model)
{
    if (model->end == NULL)
        return;
    take_tokens(model);
    if (model_is_stream(model))
        take_stream(turn, model);
    else
        take_record(model);
}

void take_all(struct model *model)
{
    struct turn turn = {{1}, NULL};
    size_t unread = plx_socket_bytes_available(model->socket);

    if (model->end == NULL)
        return;
    take_tokens(model);
    if (model_is_stream(model)) {
        model_renew(model);
        take_bytes(&turn, model, 5, 0);
    }
    while (model_has_records(model) && take_record(model) && !fault_found())
        continue;
    player.moved += plx_socket_bytes_available(model->socket) != unread;
}

void call_read(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model != NULL)
        take(turn, model);
}

/* Reads a part and puts the end of it back. */
void call_unread(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    ptrdiff_t count;
    size_t back;

    if (model == NULL || model->end == NULL || !model_is_stream(model))
        return;
    model_renew(model);
    count = plx_socket_read(model->socket, room, 1 + (size_t)chance_of(&turn->chance, 300));
    if (count <= 0)
        return;
    end_take(model->end, room, (size_t)count, "read");
    back = (size_t)chance_of(&turn->chance, (int)count + 1);
    if (plx_socket_unread(model->socket, room + (size_t)count - back, back) == 0)
        model->end->got -= back;
    else
        model_failed(model, "unread", plx_socket_last_error(model->socket));
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* The stream is not cut for a moment: no message is lost by that, as long as there is memory for
 * the frame that follows. An invalid frame changes nothing. */
void call_frame(struct turn *turn)
{
    static const plx_frame odd = {.length_size = 3};
    struct model *model = pick_socket(turn);
    bool before, misuse = chance_in(&turn->chance, 30);
    int code = 0;

    if (model == NULL || frame_of(model->flavour) == NULL || supply_refuses())
        return;
    trace("another frame of %u", model->end == NULL ? 0 : model->end->number);
    before = plx_socket_can_read_message(model->socket);
    if (misuse) {
        code = plx_socket_set_frame(model->socket, &odd);
        if (code != PLX_INVALID_STATE)
            fault("an odd frame: %d", code);
    } else if (plx_socket_set_frame(model->socket, NULL) != 0) {
        fault("no frame was refused");
    } else {
        code = plx_socket_set_frame(model->socket, frame_of(model->flavour));
    }
    model_failed(model, "set_frame", code);
    if (before != plx_socket_can_read_message(model->socket) && (code == 0 || misuse))
        fault("a frame of end %u in %s has changed its messages: %d before",
              model->end == NULL ? 0 : model->end->number,
              plx_state_name(plx_socket_state(model->socket)), before);
}
