/* tests/model/people.c -- the raw peers of a program. */
#include "config.h"

#include "tests/model/commands.h"
#include "tests/model/player.h"

#include <string.h>

static bool has_records(const struct person *person)
{
    return person->sort >= SORT_SEQPACKET || flavour_has_frame(person->flavour);
}

struct person *person_new(int peer, enum sort sort, enum flavour flavour)
{
    for (int i = 0; i < PEERS; i++) {
        struct person *person = &player.people[i];

        if (person->used && !(player.program->proxies && person->peer < 0))
            continue;
        memset(person, 0, offsetof(struct person, outbox));
        person->used = true;
        person->peer = peer;
        person->sort = sort;
        person->flavour = flavour;
        person->end = end_new(true);
        person->outbox_size = person->inbox_size = 0;
        if (flavour == FLAVOUR_NOISE)
            person->end->noise = person->end->blind = true;
        trace("peer %d is end %u", i, person->end->number);
        return person;
    }
    peer_close(peer);
    return NULL;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void turn_bits(const struct person *person, uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && person->flavour == FLAVOUR_BITS; i++)
        data[i] = (uint8_t)~data[i];
}

void person_fail(struct person *person, ptrdiff_t how)
{
    person->ended = true;
    person->end->outlet = OUTLET_CUT;
    if (how == PEER_UNANSWERED)
        person->heard_end = PEER_UNANSWERED;
}

static void say_bytes(struct person *person, size_t size)
{
    static uint8_t data[PEER_LONGEST];
    ptrdiff_t count;

    end_bytes(person->end, data, size);
    turn_bits(person, data, size);
    count = peer_send(person->peer, data, size);
    trace("end %u sends %zu bytes: %td", person->end->number, size, count);
    if (count < 0)
        person_fail(person, count);
    else
        end_put(person->end, (size_t)count);
}

/* Sends what the kernel did not take of a message; returns whether nothing is left. */
static bool say_rest(struct person *person)
{
    ptrdiff_t count;

    if (person->outbox_size == 0)
        return true;
    count = peer_send(person->peer, person->outbox, person->outbox_size);
    if (count < 0) {
        person_fail(person, count);
        return false;
    }
    person->outbox_size -= (size_t)count;
    person->end->partly = person->outbox_size > 0;
    memmove(person->outbox, person->outbox + count, person->outbox_size);
    return person->outbox_size == 0;
}

/* The frame has two bytes: the length before a message, or the delimiter behind it. */
static size_t write_message(struct person *person, uint8_t *data, size_t size)
{
    bool is_line = person->flavour == FLAVOUR_LINES;

    data[0] = (uint8_t)(size >> 8);
    data[1] = (uint8_t)size;
    end_record(person->end, data + (is_line ? 0 : 2), size);
    if (is_line)
        memcpy(data + size, "\r\n", 2);
    person->end->records++;
    trace("end %u sends message %u of %zu", person->end->number, person->end->records - 1, size);
    return size + 2;
}

static void say_message(struct person *person, size_t size)
{
    if (!say_rest(person))
        return;
    if (flavour_has_commands(person->flavour)) {
        person->outbox_size = person_write_command(person, person->outbox);
        person->end->records++;
    } else {
        person->outbox_size = write_message(person, person->outbox, size);
    }
    say_rest(person);
}

size_t person_write(struct person *person, uint8_t *data, size_t size)
{
    if (flavour_has_frame(person->flavour))
        return write_message(person, data, size + RECORD_HEAD);
    end_bytes(person->end, data, size);
    turn_bits(person, data, size);
    end_put(person->end, size);
    trace("end %u sends %zu bytes behind it", person->end->number, size);
    return size;
}

static void say_packet(struct person *person, size_t size)
{
    static uint8_t data[PEER_LONGEST];
    ptrdiff_t count;

    if (flavour_has_commands(person->flavour))
        size = person_write_command(person, data);
    else
        end_record(person->end, data, size);
    count = peer_send(person->peer, data, size);
    trace("end %u sends packet %u of %zu: %td", person->end->number, person->end->records, size,
          count);
    if (count < 0)
        person_fail(person, count);
    else if (count > 0)
        person->end->records++;
}

void person_say(struct person *person, size_t size)
{
    if (person->peer < 0 || person->ended)
        return;
    if (person->desk.step != DESK_NONE) {
        desk_turn(person);
        return;
    }
    if (!has_records(person)) {
        say_bytes(person, size);
        return;
    }
    size = size % 3000 + RECORD_HEAD;
    if (flavour_has_frame(person->flavour) && person->sort != SORT_SEQPACKET)
        say_message(person, size);
    else
        say_packet(person, size);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Takes the first message of `data`; returns its size with the frame, 0 while it is not whole. */
static size_t hear_message(struct person *person, const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\r', size);
    bool is_line = person->flavour == FLAVOUR_LINES;
    size_t length = 0;

    if (is_line && end != NULL)
        length = (size_t)(end - data);
    else if (!is_line && size >= 2)
        length = (size_t)data[0] << 8 | data[1];
    if (length == 0 || size < length + 2)
        return 0;
    if (is_line && end[1] != '\n')
        fault("end %u received half of a delimiter", person->end->number);
    end_take_record(person->end, data + (is_line ? 0 : 2), length, false, false);
    return length + 2;
}

/* A message of a frame may arrive in parts: they are collected behind a limit that holds two. */
static void hear_messages(struct person *person, const uint8_t *data, size_t size)
{
    size_t at = 0, taken = 1;

    if (person->inbox_size + size > sizeof person->inbox) {
        fault("end %u received a message without an end", person->end->number);
        return;
    }
    memcpy(person->inbox + person->inbox_size, data, size);
    person->inbox_size += size;
    for (; taken > 0; at += taken)
        taken = flavour_has_commands(person->flavour)
                    ? person_hear_command(person, person->inbox + at, person->inbox_size - at)
                    : hear_message(person, person->inbox + at, person->inbox_size - at);
    person->inbox_size -= at;
    memmove(person->inbox, person->inbox + at, person->inbox_size);
}

static void hear_bytes(struct person *person, uint8_t *data, size_t size)
{
    player.moved++;
    turn_bits(person, data, size);
    if (person->end->blind)
        return;
    if (flavour_has_commands(person->flavour) && person->sort == SORT_SEQPACKET)
        person_hear_packet(person, data, size);
    else if (flavour_has_frame(person->flavour))
        hear_messages(person, data, size);
    else if (has_records(person))
        end_take_record(person->end, data, size, person->sort == SORT_UDP, false);
    else
        end_take(person->end, data, size, "peer");
}

static void take_tokens(struct person *person, const struct gifts *gifts)
{
    for (int i = 0; i < gifts->count; i++) {
        end_take_token(person->end, peer_token_number(gifts->descriptors[i]));
        peer_close(gifts->descriptors[i]);
    }
}

/* The peer sees the orderly end of an end that has disconnected and lost nothing: nothing is
 * missing. */
static void hear_end(struct person *person, int how)
{
    const struct end *end = person->end, *from = end->from;

    trace("end %u hears %s", end->number,
          how == PEER_END          ? "the end"
          : how == PEER_UNANSWERED ? "nothing"
                                   : "a reset");
    person->heard_end = how;
    player.moved++;
    if (how == PEER_END && from != NULL && from->outlet == OUTLET_ENDED && !has_records(person) &&
        !end->blind && end->got != from->put)
        fault("end %u heard the end after %llu bytes of %llu", end->number,
              (unsigned long long)end->got, (unsigned long long)from->put);
}

void person_hear(struct person *person, size_t size)
{
    static uint8_t data[PEER_LONGEST];
    struct gifts gifts;
    ptrdiff_t count;

    if (person->peer < 0 || person->heard_end != 0)
        return;
    if (person->desk.step != DESK_NONE) {
        desk_turn(person);
        return;
    }
    if (person->sort >= SORT_SEQPACKET)
        size = sizeof data;
    count = peer_receive(person->peer, data, size, &gifts);
    if (count > 0) {
        trace("end %u hears %td bytes", person->end->number, count);
        hear_bytes(person, data, (size_t)count);
    } else if (count != PEER_NOTHING && person->sort != SORT_UDP) {
        hear_end(person, (int)count);
    }
    take_tokens(person, &gifts);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void drain(struct person *person)
{
    for (long before = -1; before != player.moved && person->heard_end == 0;) {
        before = player.moved;
        person_hear(person, PEER_LONGEST);
    }
}

/* A close with unread bytes is a reset (RFC 2525, 2.17): what was not sent yet is lost. */
void person_close(struct person *person, bool hard)
{
    bool whole;

    if (person->peer < 0)
        return;
    trace("end %u %s", person->end->number, hard ? "resets" : "closes");
    whole = desk_leave(person);
    if (!hard)
        drain(person);
    if (!person->ended)
        person->end->outlet = hard || !whole || person->outbox_size > 0 ? OUTLET_CUT : OUTLET_ENDED;
    person->ended = true;
    person->end->gone = true;
    person->reset = hard;
    if (hard && person->sort == SORT_TCP)
        route_reset(person->peer);
    if (hard)
        peer_reset(person->peer);
    else
        peer_close(person->peer);
    person->peer = -1;
}

void person_end(struct person *person)
{
    bool whole;

    if (person->peer < 0 || person->ended)
        return;
    trace("end %u ends sending", person->end->number);
    whole = desk_leave(person);
    peer_end(person->peer);
    person->ended = true;
    person->end->outlet = !whole || person->outbox_size > 0 ? OUTLET_CUT : OUTLET_ENDED;
}

void people_forget(void)
{
    for (int i = 0; i < PEERS; i++) {
        if (player.people[i].used)
            person_close(&player.people[i], false);
        player.people[i].used = false;
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

struct person *pick_person(struct turn *turn)
{
    struct person *person = NULL;

    for (int i = 0; i < 3 && (person == NULL || !person->used || person->peer < 0); i++)
        person = &player.people[chance_of(&turn->chance, PEERS)];
    return person->used && person->peer >= 0 ? person : NULL;
}

void person_visit(struct house *house)
{
    int peer = peer_connect(house->sort, house->where);
    struct person *person;

    if (peer < 0)
        return;
    person = person_new(peer, house->sort,
                        house->flavour < FLAVOUR_NOISE ? house->flavour : FLAVOUR_NOISE);
    trace("which connects to a server");
    if (person == NULL)
        return;
    person->house = house;
    person->listening = house->listening;
}

static void connect_to_listener(const struct model *model)
{
    int peer;

    if (model == NULL || model->sort == SORT_UDP || !plx_socket_is_listening(model->socket))
        return;
    peer = peer_connect(model->sort, model->where);
    if (peer >= 0)
        person_new(peer, model->sort,
                   model->flavour < FLAVOUR_NOISE ? model->flavour : FLAVOUR_NOISE);
}

static void bind_person(void)
{
    char where[PEER_WHERE];

    int peer = peer_listen(SORT_UDP, 0, where);

    if (peer >= 0)
        person_new(peer, SORT_UDP, FLAVOUR_PLAIN);
}

void call_peer_connect(struct turn *turn)
{
    struct house *house = pick_house(turn);

    switch (chance_of(&turn->chance, 6)) {
    case 0: bind_person(); break;
    case 1:
    case 2: connect_to_listener(player.sockets[chance_of(&turn->chance, SOCKETS)]); break;
    default:
        if (house->server != NULL && plx_server_is_listening(house->server))
            person_visit(house);
    }
}

void call_peer_accept(struct turn *turn)
{
    (void)turn;
    people_accept();
}

static size_t pick_size(struct turn *turn)
{
    static const int most[] = {7, 60, 300, 300, 3000, 20000, 100000};

    return 1 + (size_t)chance_of(&turn->chance, most[chance_of(&turn->chance, 7)]);
}

void call_peer_say(struct turn *turn)
{
    struct person *person = pick_person(turn);
    int port = 0;

    if (person == NULL || person->sort != SORT_UDP) {
        if (person != NULL)
            person_say(person, pick_size(turn));
        return;
    }
    for (int i = 0; i < SOCKETS; i++)
        if (player.sockets[i] != NULL && player.sockets[i]->sort == SORT_UDP &&
            plx_socket_is_connected(player.sockets[i]->socket))
            port = plx_socket_port(player.sockets[i]->socket);
    if (port != 0) {
        uint8_t data[400];
        size_t size = RECORD_HEAD + (size_t)chance_of(&turn->chance, 300);

        end_record(person->end, data, size);
        if (peer_send_to(person->peer, port, data, size) > 0)
            person->end->records++;
    }
}

void call_peer_hear(struct turn *turn)
{
    struct person *person = pick_person(turn);

    if (person != NULL && !person->deaf)
        person_hear(person, pick_size(turn));
}

void call_peer_end(struct turn *turn)
{
    struct person *person = pick_person(turn);

    if (person != NULL && !person->ended && person->sort != SORT_UDP)
        person_end(person);
}

void call_peer_close(struct turn *turn)
{
    struct person *person = pick_person(turn);

    if (person != NULL)
        person_close(person, chance_in(&turn->chance, 50));
}

/* The urgent byte has its place in the stream, because the library sets SO_OOBINLINE. */
static void say_urgent(struct person *person)
{
    uint8_t byte[1];
    ptrdiff_t count;

    end_bytes(person->end, byte, 1);
    turn_bits(person, byte, 1);
    trace("end %u sends an urgent byte", person->end->number);
    count = peer_urgent(person->peer, byte[0]);
    if (count < 0)
        person_fail(person, count);
    else
        end_put(person->end, (size_t)count);
}

static void give_token(struct person *person)
{
    uint8_t byte[1];
    int token = peer_token((int)(person->end->number % 1000) * 1000 + person->end->tokens);

    end_bytes(person->end, byte, 1);
    turn_bits(person, byte, 1);
    if (token >= 0 && peer_give(person->peer, token, byte, 1) == 1) {
        end_put(person->end, 1);
        person->end->tokens++;
    }
    peer_close(token);
}

void call_peer_odd(struct turn *turn)
{
    struct person *person = pick_person(turn);
    bool is_stream = person != NULL && !has_records(person) && !person->ended;

    if (person == NULL || person->desk.step != DESK_NONE)
        return;
    if (is_stream && person->sort == SORT_TCP && chance_in(&turn->chance, 50)) {
        say_urgent(person);
    } else if (is_stream && person->sort == SORT_IPC) {
        trace("end %u gives a descriptor", person->end->number);
        give_token(person);
    } else {
        person->deaf = !person->deaf;
    }
}
