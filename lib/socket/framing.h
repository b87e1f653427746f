/* lib/socket/framing.h -- the message at the front of a stream.
 *
 * Design: the only state of parsing is how far the front was searched. Whether a message is whole
 * is computed from the received bytes each time. So the program may read, skip or put back bytes
 * between messages, and the bytes that follow are parsed as a message again.
 *
 *      received bytes   | length | message ...... | length | mess
 *                       ^ the front: whole
 *
 * With commands (lib/socket/commands.h) records are messages too, and each message has to be a
 * command: the first one that is none cannot be received, like one that is too long. */
#ifndef PLX_LIB_FRAMING_H
#define PLX_LIB_FRAMING_H

#include "lib/socket/object.h"
#include "lib/socket/rare.h"

#include <pollux/message.h>

#define PLX__DELIMITER_SIZE 8

/* The frame of a socket, made when one is set. */
struct plx__framing {
    size_t maximum; /* bytes of a message */
    /* Bytes at the front: no delimiter begins in them, or the awaited command is not among them. */
    size_t searched;
    size_t checked; /* commands: this many bytes at the front are whole ones, none of them unfit */
    size_t gone;    /* commands: this many of these bytes are of those that a wait has taken */
    uint8_t length_size, delimiter_size; /* one of the two is 0, for records both */
    uint8_t uncounted;                   /* bytes of a message that its length does not count */
    bool little_endian;
    bool commands;         /* each message is a command; rare->commands is there */
    bool counts_data_only; /* PLX_COMMANDS_DATA_LENGTH; records keep it for a stream */
    bool unfit; /* CONNECTED: the first message cannot be received, settle ends the connection */
    uint8_t delimiter[PLX__DELIMITER_SIZE];
};

/* What commands need besides, see lib/socket/commands.h. Once made it lasts as long as the socket:
 * a handler may look at `lent` when commands are set no longer. */
struct plx__commands {
    struct plx__buffer lent;   /* the bytes that the handler of command_received looks at */
    struct plx__buffer waited; /* what the last wait has returned */
    int32_t awaited;           /* the number that the last wait waited for */
    bool awaits;               /* a wait goes on: command_received is not called */
    bool lends;                /* the handler of command_received runs */
};

/* The message at the front of the received bytes. */
struct plx__front {
    enum {
        PLX__FRONT_PARTIAL,
        PLX__FRONT_WHOLE,
        PLX__FRONT_TOO_LONG, /* this one and those that follow cannot be received */
        PLX__FRONT_SHORT,
        PLX__FRONT_NEGATIVE
    } is;
    size_t before, size, behind; /* bytes: the length or the record, the message, the delimiter */
};

/* plx__front_whole returns how many bytes the message has with its frame. */
static inline size_t plx__front_whole(const struct plx__front *front)
{
    return front->before + front->size + front->behind;
}

/* plx__framing_of returns the frame of a socket, NULL: the stream is not cut into messages. Inline
 * and without plx__no_rare, because each poll asks. */
static inline struct plx__framing *plx__framing_of(const plx_socket *socket)
{
    return socket->rare == NULL ? NULL : socket->rare->framing;
}

/* plx__framing_has_commands returns whether the socket has commands. */
static inline bool plx__framing_has_commands(const plx_socket *socket)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    return framing != NULL && framing->commands;
}

/* plx__framing_awaits returns whether a wait for a command goes on. */
static inline bool plx__framing_awaits(const plx_socket *socket)
{
    return socket->rare != NULL && socket->rare->commands != NULL && socket->rare->commands->awaits;
}

/* plx__framing_is_valid returns whether the members of a frame fit together and are in range.
 * plx__framing_longest returns the greatest maximum of a frame with a length of that size. */
bool plx__framing_is_valid(const plx_frame *frame);
size_t plx__framing_longest(size_t length_size);

/* plx__framing_set gives the socket a valid frame, plx__framing_copy gives `to` the frame of
 * `from`, if it has one, or its commands. plx__framing_set_commands gives commands, with the maximum
 * of the frame before. False when memory ran out. plx__framing_clear removes the frame,
 * plx__framing_free all that is kept. */
bool plx__framing_set(plx_socket *socket, const plx_frame *frame);
bool plx__framing_set_commands(plx_socket *socket, bool counts_data_only);
bool plx__framing_copy(plx_socket *to, const plx_socket *from);
void plx__framing_clear(plx_socket *socket);
void plx__framing_free(struct plx__rare *rare);

/* plx__framing_maximum returns the longest message that commands would have. */
size_t plx__framing_maximum(const plx_socket *socket);

/* These are only for a socket with a frame. plx__framing_front parses the front, plx__framing_at
 * what begins behind `offset` received bytes, not with a delimiter. plx__framing_note parses the
 * front and sets the pending events. A message in progress may exceed READ_LIMIT. */
struct plx__front plx__framing_front(const plx_socket *socket);
struct plx__front plx__framing_at(const plx_socket *socket, size_t offset);
void plx__framing_note(plx_socket *socket);

/* plx__framing_note_commands notes commands that are there already. For any socket. */
void plx__framing_note_commands(plx_socket *socket);

/* plx__framing_is_unfit returns whether the first message cannot be received. For any socket. */
static inline bool plx__framing_is_unfit(const plx_socket *socket)
{
    const struct plx__framing *framing = plx__framing_of(socket);
    return framing != NULL && framing->unfit;
}

/* plx__framing_note_unfit notes that the first message cannot be received: plx__message_settle ends
 * the connection. */
void plx__framing_note_unfit(plx_socket *socket);

/* plx__framing_lift lets a message in progress exceed READ_LIMIT. */
void plx__framing_lift(plx_socket *socket);

/* plx__framing_taken is called after `size` bytes were taken from the front, plx__framing_dropped
 * after all were dropped. */
static inline void plx__framing_taken(plx_socket *socket, size_t size)
{
    struct plx__framing *framing = plx__framing_of(socket);
    framing->searched -= size < framing->searched ? size : framing->searched;
    framing->checked -= size < framing->checked ? size : framing->checked;
}

static inline void plx__framing_dropped(plx_socket *socket)
{
    struct plx__framing *framing = plx__framing_of(socket);
    framing->searched = framing->checked = framing->gone = 0;
}

/* plx__framing_given_back is called after `size` bytes were put before the front. */
void plx__framing_given_back(plx_socket *socket, size_t size);

/* plx__framing_write_length writes the length before a message, if the frame has one. */
void plx__framing_write_length(const struct plx__framing *framing, uint8_t *bytes, size_t length);

#endif
