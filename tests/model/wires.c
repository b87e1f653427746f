/* tests/model/wires.c -- connected descriptors of the program, for its watches. */
#include "config.h"

#include "tests/model/ground.h"
#include "tests/model/guests.h"

#include <string.h>

enum { PIECE = 4096, MOST_PIECES_SENT = 400 };

static struct wire wires[WIRES];

void wires_begin(void)
{
    memset(wires, 0, sizeof wires);
    for (int i = 0; i < WIRES; i++)
        wires[i].ends[0] = wires[i].ends[1] = -1;
}

struct wire *wire_at(int slot)
{
    return &wires[slot];
}

static bool is_open(const struct wire *wire, int side)
{
    return wire->ends[side] >= 0;
}

/* One end lasts longer than the other: then the wire is made anew only when both are gone. */
bool wire_open(struct wire *wire, enum sort sort)
{
    if (is_open(wire, 0) || is_open(wire, 1))
        return true;
    if (!peer_pair(sort, wire->ends)) {
        wire->ends[0] = wire->ends[1] = -1;
        return false;
    }
    trace("new wire %d of sort %d", (int)(wire - wires), sort);
    wire->sort = sort;
    wire->moved = guest_serial();
    return true;
}

void wire_say(struct wire *wire, int side, int size)
{
    static const char bytes[PIECE];

    if (!is_open(wire, side))
        return;
    trace("wire %d: end %d says %d", (int)(wire - wires), side, size);
    (void)peer_send(wire->ends[side], bytes, (size_t)(size < PIECE ? size : PIECE));
    wire->moved = guest_serial();
}

void wire_fill(struct wire *wire, int side)
{
    static const char bytes[PIECE];
    int left = MOST_PIECES_SENT;

    if (!is_open(wire, side))
        return;
    trace("wire %d: end %d says all that fits", (int)(wire - wires), side);
    while (left-- > 0 && peer_send(wire->ends[side], bytes, PIECE) > 0)
        ;
    wire->moved = guest_serial();
}

void wire_hear(struct wire *wire, int side, int size)
{
    static char bytes[PIECE];
    struct gifts gifts;

    if (!is_open(wire, side))
        return;
    trace("wire %d: end %d hears %d", (int)(wire - wires), side, size);
    while (size > 0) {
        ptrdiff_t count =
            peer_receive(wire->ends[side], bytes, size < PIECE ? (size_t)size : PIECE, &gifts);

        if (count <= 0)
            break;
        size -= (int)count;
    }
    wire->moved = guest_serial();
}

void wire_end(struct wire *wire, int side)
{
    if (!is_open(wire, side))
        return;
    trace("wire %d: end %d ends", (int)(wire - wires), side);
    peer_end(wire->ends[side]);
    wire->moved = guest_serial();
}

/* The end of a file that nobody watches is known at the other end at once. */
void wire_close(struct wire *wire, int side)
{
    int other = wire->ends[1 - side];
    bool kept;

    if (!is_open(wire, side))
        return;
    trace("wire %d: end %d is closed", (int)(wire - wires), side);
    kept = sights_keep_end(wire, side);
    peer_close(wire->ends[side]);
    wire->ends[side] = -1;
    wire->moved = guest_serial();
    if (!kept && wire->sort != SORT_TCP && other >= 0 && (ground_ready(other) & GROUND_ENDED) == 0)
        fault("wire %d was closed, and somebody keeps it open", (int)(wire - wires));
    sights_forget_lost();
}

void wires_end(void)
{
    for (int i = 0; i < WIRES; i++)
        for (int side = 0; side < 2; side++)
            wire_close(&wires[i], side);
}
