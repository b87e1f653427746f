/* arena/guest.c -- see guest.h. */
#include "guest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *name_of(const struct guest *guest)
{
    return guest->is_spectator ? "a spectator" : guest->name;
}

/* Ends a connection that breaks the rules. The server frees the socket. */
static void turn_out(struct guests *guests, struct guest *guest, const char *why)
{
    if (guest->stage != GUEST_NEW) { /* any program may connect; that is no problem of the game */
        report_complain(guests->report, "%s was turned out: %s", name_of(guest), why);
    }
    plx_socket_abort(guest->link.socket);
    guest->link.socket = NULL;
    guest->has_ended = true;
}

/* Everything that is sent to a guest after its admission is sent here or by END. */
static void tell(struct guests *guests, struct guest *guest, enum command command, const char *text)
{
    if (guest->stage == GUEST_IN && !guest->has_ended &&
        !link_send(&guest->link, command, "%s", text)) {
        turn_out(guests, guest, "it does not read what was sent to it");
    }
}

static void tell_all(struct guests *guests, enum command command, const char *text)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        tell(guests, &guests->all[i], command, text);
    }
}

void guests_tell_spectators(struct guests *guests, enum command command, const char *text)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        if (guests->all[i].is_spectator) {
            tell(guests, &guests->all[i], command, text);
        }
    }
}

/* ---- joining -------------------------------------------------------------------------------- */

/* A bot gets the first letter of its name, or else the next free letter; -1 if none is free. */
static int free_letter(const struct guests *guests, const char *name)
{
    int wanted = isalpha((unsigned char)name[0]) ? toupper((unsigned char)name[0]) - 'A' : 0;
    for (int i = 0; i < PLAYERS_MAX; i++) {
        int id = (wanted + i) % PLAYERS_MAX;
        if (guests->bots[id] == NULL) {
            return id;
        }
    }
    return -1;
}

/* A name is shown in terminals, so only harmless characters may be in it. */
static void copy_name(char *to, const char *from)
{
    int length = 0;
    while (length < NAME_SIZE - 1 && isgraph((unsigned char)from[length])) {
        to[length] = from[length];
        length++;
    }
    to[length] = '\0';
}

static void introduce(struct guests *guests, const struct guest *bot, struct guest *to)
{
    char text[64];
    snprintf(text, sizeof text, "%d %s", bot->id, bot->name);
    if (to != NULL) {
        tell(guests, to, SAY_PLAYER, text);
    } else {
        guests_tell_spectators(guests, SAY_PLAYER, text);
    }
}

static void take_join(struct guests *guests, struct guest *guest, const char *name)
{
    int id = free_letter(guests, name);
    if (id < 0) {
        turn_out(guests, guest, "there is no letter left for it");
        return;
    }
    guest->id = id;
    guest->key = random_below(&guests->random, 0xFFFFFFFF);
    copy_name(guest->name, name);
    guest->stage = GUEST_IN;
    guests->bots[id] = guest;
    guests->report->bots_joined++;
    world_join(guests->world, id);
    char text[64];
    snprintf(text, sizeof text, "%d %d %lu %d", id, plx_socket_port(guests->udp),
             (unsigned long)guest->key, guests->world->frames_per_second);
    tell(guests, guest, SAY_WELCOME, text);
    introduce(guests, guest, NULL);
}

static void take_watch(struct guests *guests, struct guest *guest)
{
    guest->stage = GUEST_IN;
    guest->is_spectator = true;
    guests->report->spectators_joined++;
    for (int id = 0; id < PLAYERS_MAX; id++) {
        if (guests->bots[id] != NULL) {
            introduce(guests, guests->bots[id], guest);
        }
    }
}

/* ---- playing -------------------------------------------------------------------------------- */

/* A bot claims that it has reached a star. The server decides. */
static void take_claim(struct guests *guests, struct guest *guest, int star, int generation)
{
    char text[64];
    if (world_claim(guests->world, guest->id, star, generation)) {
        snprintf(text, sizeof text, "%d %u", guest->id, guests->world->players[guest->id].score);
        tell_all(guests, SAY_STAR, text);
    } else {
        snprintf(text, sizeof text, "%d", star);
        tell(guests, guest, SAY_MISSED, text);
    }
}

void guests_tell_hits(struct guests *guests)
{
    for (int i = 0; i < guests->world->hit_count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%d %d", guests->world->hits[i].thief,
                 guests->world->hits[i].victim);
        tell_all(guests, SAY_HIT, text);
    }
}

static void take_input(struct guests *guests, const plx_datagram *datagram)
{
    struct input input;
    struct guest *guest = NULL;
    if (input_unpack(datagram->data, datagram->size, &input)) {
        guest = guests->bots[input.id];
    }
    if (guest == NULL || guest->key != input.key) {
        guests->report->strangers++;
        return;
    }
    guest->in.received++;
    guest->in.bytes += datagram->size;
    guest->address = datagram->from;
    if (input.sequence > guest->newest) { /* else it was overtaken by a later one */
        guest->newest = input.sequence;
        world_steer(guests->world, input.id, input.along_x, input.along_y);
    }
}

void guests_take_datagrams(struct guests *guests)
{
    plx_datagram datagram;
    while (plx_udp_read(guests->udp, &datagram)) {
        take_input(guests, &datagram);
    }
}

static void show_to_bot(struct guests *guests, struct guest *guest, const struct picture *picture)
{
    unsigned char bytes[DATAGRAM_MAX];
    if (guest->stage != GUEST_IN || guest->address.family == 0) {
        return;
    }
    size_t size = picture_pack(picture, guest->sequence + 1, bytes);
    if (plx_udp_write(guests->udp, &guest->address, bytes, size) == PLX_OK) {
        guest->sequence++;
        guest->out.sent++;
        guest->out.bytes += size;
    }
}

/* Back pressure: a spectator whose terminal is slow gets fewer pictures, and slows nobody down. */
static void show_to_spectator(struct guests *guests, struct guest *guest, const char *text)
{
    if (guest->stage != GUEST_IN || guest->has_ended) {
        return;
    }
    if (plx_socket_bytes_left_to_send(guest->link.socket) > GUEST_ENOUGH_QUEUED) {
        guests->report->pictures_left_out++;
    } else {
        tell(guests, guest, SAY_FRAME, text);
    }
}

void guests_show(struct guests *guests)
{
    struct picture picture;
    char text[TEXT_SIZE];
    world_picture(guests->world, &picture);
    picture_format(&picture, text);
    for (int i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->all[i];
        if (guest->is_spectator) {
            show_to_spectator(guests, guest, text);
        } else {
            show_to_bot(guests, guest, &picture);
        }
    }
}

/* ---- leaving -------------------------------------------------------------------------------- */

static void say_end(struct guests *guests, struct guest *guest)
{
    tell(guests, guest, SAY_END, "");
    if (guest->stage == GUEST_IN) {
        guest->stage = GUEST_ENDING;
    }
}

void guests_say_end(struct guests *guests)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        say_end(guests, &guests->all[i]);
    }
}

/* Both ends have counted; neither counts the goodbye itself. */
static void take_goodbye(struct guests *guests, struct guest *guest, const struct goodbye *goodbye)
{
    const struct link *link = &guest->link;
    guest->goodbye = *goodbye;
    guest->stage = GUEST_GOODBYE;
    bool out_is_equal = flow_equal(&goodbye->in, &link->out);
    bool in_is_equal = flow_equal(&goodbye->out, &link->in_before);
    guests->report->links_compared++;
    guests->report->links_equal += out_is_equal && in_is_equal;
    if (!out_is_equal) {
        report_complain(guests->report, "%s received %llu bytes of %llu, or different bytes",
                        name_of(guest), goodbye->in.bytes, link->out.bytes);
    }
    if (!in_is_equal) {
        report_complain(guests->report, "%s sent %llu bytes, %llu arrived, or different bytes",
                        name_of(guest), goodbye->out.bytes, link->in_before.bytes);
    }
}

static void add_counts(struct guests *guests, const struct guest *guest)
{
    struct report *report = guests->report;
    bool knows = guest->stage == GUEST_GOODBYE; /* else the counts of the other end are unknown */
    flow_add(guest->by_ipc ? &report->ipc_out : &report->tcp_out, &guest->link.out);
    flow_add(guest->by_ipc ? &report->ipc_in : &report->tcp_in, &guest->link.in);
    report->udp_out.sent += guest->out.sent;
    report->udp_out.bytes += guest->out.bytes;
    report->udp_out.received += knows ? guest->goodbye.datagrams_in : guest->out.sent;
    report->udp_in.sent += knows ? guest->goodbye.datagrams_out : guest->newest;
    report->udp_in.bytes += guest->in.bytes;
    report->udp_in.received += guest->in.received;
}

static void clear(struct guests *guests, struct guest *guest)
{
    bool was_in = guest->stage >= GUEST_IN;
    if (was_in && guest->stage != GUEST_GOODBYE) {
        report_complain(guests->report, "%s left without a goodbye", name_of(guest));
    } else if (was_in && guest->is_spectator) {
        guests->report->spectators_left++;
    } else if (was_in) {
        guests->report->bots_left++;
    }
    add_counts(guests, guest);
    guest->stage = GUEST_NONE;
    if (was_in && !guest->is_spectator) {
        char text[32];
        snprintf(text, sizeof text, "%d", guest->id);
        guests->bots[guest->id] = NULL;
        world_leave(guests->world, guest->id);
        guests_tell_spectators(guests, SAY_LEFT, text);
    }
}

void guests_clear(struct guests *guests)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        if (guests->all[i].stage != GUEST_NONE && guests->all[i].has_ended) {
            clear(guests, &guests->all[i]);
        }
    }
}

int guests_count(const struct guests *guests)
{
    int count = 0;
    for (int i = 0; i < GUESTS_MAX; i++) {
        count += guests->all[i].stage != GUEST_NONE;
    }
    return count;
}

void guests_complain(struct guests *guests)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->all[i];
        if (guest->stage >= GUEST_IN) {
            report_complain(guests->report, "%s did not leave", name_of(guest));
            add_counts(guests, guest);
        }
    }
}

/* ---- what they say -------------------------------------------------------------------------- */

static void on_command(plx_socket *socket, int32_t command, const void *data, size_t size,
                       void *user)
{
    (void)socket;
    struct guest *guest = user;
    struct guests *guests = guest->guests;
    const char *text = link_receive(&guest->link, command, data, size);
    bool is_new = guest->stage == GUEST_NEW;
    struct goodbye goodbye;
    int star, generation;
    if (command == SAY_JOIN && is_new) {
        take_join(guests, guest, text);
    } else if (command == SAY_WATCH && is_new) {
        take_watch(guests, guest);
    } else if (command == SAY_LEAVE && !is_new) {
        say_end(guests, guest);
    } else if (command == SAY_CLAIM && !is_new && !guest->is_spectator &&
               sscanf(text, "%d %d", &star, &generation) == 2) {
        take_claim(guests, guest, star, generation);
    } else if (command == SAY_GOODBYE && guest->stage == GUEST_ENDING &&
               link_parse_goodbye(text, &goodbye)) {
        take_goodbye(guests, guest, &goodbye);
    } else {
        turn_out(guests, guest, "it said something strange");
    }
}

static void on_disconnected(plx_socket *socket, void *user)
{
    (void)socket;
    struct guest *guest = user;
    guest->link.socket = NULL;
    guest->has_ended = true;
}

static const plx_events guest_events = {
    .command_received = on_command,
    .disconnected = on_disconnected,
};

void guests_admit(struct guests *guests, plx_socket *client, bool by_ipc)
{
    for (int i = 0; i < GUESTS_MAX; i++) {
        struct guest *guest = &guests->all[i];
        if (guest->stage == GUEST_NONE) {
            memset(guest, 0, sizeof *guest);
            guest->guests = guests;
            guest->stage = GUEST_NEW;
            guest->by_ipc = by_ipc;
            link_start(&guest->link, client);
            plx_socket_set_events(client, &guest_events, guest);
            return;
        }
    }
    plx_socket_abort(client);
}
