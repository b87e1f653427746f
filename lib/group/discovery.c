/* lib/group/discovery.c -- the life of a discovery, its groups, messages and members. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/group/discovery-object.h"
#include "lib/group/discovery-socket.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/socket/object.h"

#include <string.h>

/* ---- life ------------------------------------------------------------------------------------ */

plx_discovery *plx_discovery_new(void)
{
    plx_discovery *discovery = plx__guest_new(sizeof *discovery, PLX__MEMBER_DISCOVERY);
    if (discovery != NULL) {
        plx__list_init(&discovery->groups);
        plx__error_clear(&discovery->error);
        discovery->random = plx__os_random();
        discovery->id = plx__os_random();
        discovery->id += discovery->id == 0;
    }
    return discovery;
}

/* Frees what handlers may still use until they have returned. */
static void free_rest(plx_discovery *discovery)
{
    struct plx__list *link;
    while ((link = plx__list_take_first(&discovery->groups)) != NULL) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        plx__discovery_drop_receivers(group);
        plx__memory_free(group);
    }
    plx__memory_free(discovery->networks);
    plx__memory_free(discovery->message);
    plx__error_clear(&discovery->error);
    plx__error_clear(&discovery->waiting);
    plx_group_free(discovery->own);
}

void plx__discovery_release(plx_discovery *discovery)
{
    if (discovery->guest.hold.freed && discovery->guest.hold.count == 1) {
        free_rest(discovery);
    }
    plx__guest_release(&discovery->guest);
}

static void flush(plx_discovery *discovery)
{
    for (int i = 0; i < PLX__DISCOVERY_FAMILIES; i++) {
        plx_socket_flush(discovery->sockets[i]);
    }
}

/* Leaves all groups. There is no time for a second `bye` 50 ms later. What is queued goes first: a
 * full queue has no room for a `bye`. */
static void leave_all(plx_discovery *discovery)
{
    bool may_speak = discovery->process == plx__os_process();
    struct plx__list *head = &discovery->groups;
    if (may_speak) {
        flush(discovery);
    }
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (may_speak && group->stage != PLX__GROUP_LEFT) {
            plx__discovery_say(discovery, group, PLX__DISCOVERY_BYE);
            plx__discovery_say(discovery, group, PLX__DISCOVERY_BYE);
        }
        group->stage = PLX__GROUP_LEFT;
        plx__discovery_close_receivers(group);
        plx__members_clear(&group->members);
    }
    if (may_speak) {
        flush(discovery);
    }
    plx__discovery_close(discovery->sockets);
}

plx_discovery *plx_discovery_free(plx_discovery *discovery)
{
    if (discovery != NULL && !discovery->guest.hold.freed) {
        leave_all(discovery);
        if (discovery->guest.hold.count == 0) {
            free_rest(discovery);
        }
        plx__guest_free(&discovery->guest);
    }
    return NULL;
}

void plx_discovery_set_events_sized(plx_discovery *discovery, const plx_discovery_events *events,
                                    size_t size, void *user)
{
    if (discovery != NULL) {
        discovery->events = events;
        discovery->events_size = size;
        discovery->user = user;
    }
}

const plx_error *plx_discovery_error(const plx_discovery *discovery)
{
    static const plx_error none = {PLX_INVALID_STATE, PLX_REASON_OPERATION, 0,
                                   "there is no discovery"};
    return discovery == NULL ? &none : &discovery->error;
}

/* ---- binding, joining, leaving --------------------------------------------------------------- */

static int refuse(plx_discovery *discovery, const char *sentence)
{
    return plx__discovery_fail(discovery, PLX_INVALID_STATE, PLX_REASON_OPERATION, PLX__SENTENCE,
                               "%s", sentence);
}

/* The port of the own socket of a family stands in each datagram. */
static int find_port(plx_discovery *discovery, int family)
{
    struct plx__sockaddr name;
    plx_address address = {0};
    int result = plx__os_local_sockaddr(discovery->sockets[family]->watch.descriptor, &name);
    if (result < 0) {
        return plx__discovery_fail(discovery, plx__error_code(-result), plx__error_reason(-result),
                                   -result, "find the port of a socket");
    }
    plx__sockaddr_to_address(&name, &address);
    discovery->ports[family] = address.port;
    return 0;
}

/* Opens the own socket of a family, and finds out whether the shared port can be shared. */
static int open_family(plx_discovery *discovery, int family, int port)
{
    plx_socket *probe;
    int code = plx__discovery_open(discovery, family, port, &probe);
    if (code != 0 || probe == NULL) {
        return code;
    }
    plx_socket_free(probe);
    code = plx__discovery_open(discovery, family, 0, &discovery->sockets[family]);
    return code != 0 || discovery->sockets[family] == NULL ? code : find_port(discovery, family);
}

int plx_discovery_bind(plx_discovery *discovery, int port)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    if (discovery->port != 0) {
        return refuse(discovery, "bind: the discovery is bound already");
    }
    if (port < 1 || port > 65535) {
        return plx__discovery_fail(discovery, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                   PLX__SENTENCE, "bind to port %d: out of range", port);
    }
    int code = 0;
    for (int i = 0; code == 0 && i < PLX__DISCOVERY_FAMILIES; i++) {
        code = open_family(discovery, i, port);
    }
    if (code == 0 && discovery->sockets[0] == NULL && discovery->sockets[1] == NULL) {
        code = plx__discovery_fail(discovery, plx__error_code(PLX__EAFNOSUPPORT),
                                   plx__error_reason(PLX__EAFNOSUPPORT), PLX__EAFNOSUPPORT,
                                   "bind to port %d", port);
    }
    if (code != 0) {
        plx__discovery_close(discovery->sockets);
        return code;
    }
    discovery->port = port;
    discovery->process = plx__os_process();
    int error = plx__discovery_look(discovery, plx__clock_now());
    if (error != 0) {
        plx__discovery_fail(discovery, plx__error_code(error), plx__error_reason(error), error,
                            "find a network interface that is up");
    }
    plx__task_set_deadline(&discovery->guest.task, plx__discovery_next(discovery));
    return 0;
}

/* Ends the farewell to a group of that name, which this program joins again. */
static void end_farewell(plx_discovery *discovery, const char *name)
{
    struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->next; link != head; link = link->next) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (group->stage == PLX__GROUP_LEAVING && strcmp(group->name, name) == 0) {
            group->stage = PLX__GROUP_LEFT;
            group->here_at = 0;
        }
    }
    plx__discovery_reap(discovery);
}

static int check_join(plx_discovery *discovery, const char *name, const void *about, size_t size)
{
    if (discovery->port == 0) {
        return refuse(discovery, "join: not bound, call plx_discovery_bind");
    }
    if (name == NULL || !plx__discovery_is_name(name, strlen(name))) {
        return refuse(discovery, "join: the name of a group has 1 to 63 bytes of UTF-8");
    }
    if (about == NULL && size > 0) {
        return refuse(discovery, "join: about is NULL and has a size");
    }
    if (size > PLX__DISCOVERY_ABOUT) {
        return plx__discovery_fail(discovery, plx__error_code(PLX__EMSGSIZE),
                                   PLX_REASON_DATAGRAM_TOO_LARGE, PLX__EMSGSIZE,
                                   "join with %zu bytes about this member", size);
    }
    if (plx__discovery_find(discovery, name) == NULL &&
        discovery->joined == PLX__DISCOVERY_GROUPS) {
        return refuse(discovery, "join: 16 groups are joined already");
    }
    return 0;
}

/* Replaces what the program says about itself. Returns 0 or a code. */
static int set_about(plx_discovery *discovery, struct plx__discovery_group *group,
                     const void *about, size_t size)
{
    struct plx__known *self = plx__members_find(&group->members, discovery->id);
    if (self == NULL || plx__members_add_self(&group->members, discovery->id, &self->address, about,
                                              size) == NULL) {
        return plx__discovery_fail(discovery, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, 0,
                                   "join group %s", group->name);
    }
    return 0;
}

int plx_discovery_join(plx_discovery *discovery, const char *name, const void *about, size_t size)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    int code = check_join(discovery, name, about, size);
    if (code != 0) {
        return code;
    }
    struct plx__discovery_group *group = plx__discovery_find(discovery, name);
    if (group == NULL) {
        end_farewell(discovery, name);
        group = plx__discovery_enter(discovery, name, about, size);
    } else {
        code = set_about(discovery, group, about, size);
    }
    if (group == NULL || code != 0) {
        return discovery->error.code;
    }
    plx__discovery_announce(discovery, group);
    return 0;
}

static int refuse_group(plx_discovery *discovery, const char *call, const char *name)
{
    return plx__discovery_fail(discovery, PLX_INVALID_STATE, PLX_REASON_OPERATION, PLX__SENTENCE,
                               name == NULL ? "%s: not exactly one group is joined"
                                            : "%s group %.63s: it is not joined",
                               call, name);
}

/* Ends farewells that wait for a poll: groups that a program leaves without a poll take no more
 * memory than that. */
static void end_farewells(plx_discovery *discovery)
{
    size_t count = 0;
    struct plx__list *head = &discovery->groups;
    for (struct plx__list *link = head->previous; link != head; link = link->previous) {
        struct plx__discovery_group *group = plx__discovery_group_at(link);
        if (group->stage == PLX__GROUP_LEAVING && ++count >= PLX__DISCOVERY_FAREWELLS) {
            group->stage = PLX__GROUP_LEFT;
        }
    }
    plx__discovery_reap(discovery);
}

int plx_discovery_leave(plx_discovery *discovery, const char *name)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    struct plx__discovery_group *group = plx__discovery_find(discovery, name);
    if (group == NULL) {
        return refuse_group(discovery, "leave", name);
    }
    end_farewells(discovery);
    plx__discovery_exit(discovery, group);
    plx__task_set_deadline(&discovery->guest.task, plx__discovery_next(discovery));
    return 0;
}

/* ---- messages and members -------------------------------------------------------------------- */

/* `room` is what a datagram has for the data. */
static int check_message(plx_discovery *discovery, int32_t command, const void *data, size_t size,
                         size_t room)
{
    if (command < 0) {
        return refuse(discovery, "send: the command is negative");
    }
    if (data == NULL && size > 0) {
        return refuse(discovery, "send: data is NULL and has a size");
    }
    if (size > room) {
        return plx__discovery_fail(discovery, plx__error_code(PLX__EMSGSIZE),
                                   PLX_REASON_DATAGRAM_TOO_LARGE, PLX__EMSGSIZE,
                                   "send %zu bytes in a datagram with room for %zu", size, room);
    }
    return 0;
}

/* Returns the code of a call that has sent, after plx__discovery_fail unless it is EAGAIN. */
static int finish_send(plx_discovery *discovery, int code, const char *group)
{
    return code == 0 || code == PLX__EAGAIN
               ? code
               : plx__discovery_fail(discovery, plx__error_code_of(code), plx__error_reason(code),
                                     code, "send to %s", group);
}

int plx_discovery_send_to_group(plx_discovery *discovery, const char *name, int32_t command,
                                const void *data, size_t size)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    struct plx__discovery_group *group = plx__discovery_find(discovery, name);
    if (group == NULL) {
        return refuse_group(discovery, "send to", name);
    }
    int code = check_message(discovery, command, data, size,
                             PLX__DISCOVERY_SIZE - PLX__DISCOVERY_HEAD - group->name_size);
    if (code != 0) {
        return code;
    }
    struct plx__discovery_datagram datagram = {.kind = PLX__DISCOVERY_MESSAGE,
                                               .is_to_group = true,
                                               .name = group->name,
                                               .name_size = group->name_size,
                                               .value = (uint32_t)command,
                                               .data = data,
                                               .size = size};
    return finish_send(discovery, plx__discovery_send(discovery, &datagram), group->name);
}

int plx_discovery_send_to(plx_discovery *discovery, const plx_member *member, int32_t command,
                          const void *data, size_t size)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    if (member == NULL) {
        return refuse(discovery, "send: the member is NULL");
    }
    if (discovery->port == 0 || (member->address.family != 4 && member->address.family != 6)) {
        return refuse(discovery, discovery->port == 0 ? "send: not bound, call plx_discovery_bind"
                                                      : "send: the member has no address");
    }
    if (member->address.port == 0) {
        return plx__discovery_fail(discovery, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE,
                                   PLX__SENTENCE, "send: the member has no port");
    }
    int code =
        check_message(discovery, command, data, size, PLX__DISCOVERY_SIZE - PLX__DISCOVERY_HEAD);
    if (code != 0) {
        return code;
    }
    struct plx__discovery_datagram datagram = {
        .kind = PLX__DISCOVERY_MESSAGE, .value = (uint32_t)command, .data = data, .size = size};
    code = plx__discovery_send_one(discovery, &member->address, &datagram);
    return finish_send(discovery, code, "a member");
}

size_t plx_discovery_members_sized(const plx_discovery *discovery, const char *name,
                                   plx_member *list, size_t count, size_t size)
{
    struct plx__discovery_group *group =
        plx__discovery_is_usable(discovery) ? plx__discovery_find(discovery, name) : NULL;
    if (group == NULL) {
        return 0;
    }
    uint64_t now = plx__clock_now();
    uint8_t *place = (uint8_t *)list;
    size_t known_size = size < sizeof *list ? size : sizeof *list;
    struct plx__known *known = plx__members_step(&group->members, NULL);
    for (size_t i = 0; list != NULL && i < count && known != NULL; i++) {
        plx_member member;
        plx__discovery_describe(known, now, &member);
        memcpy(place + i * size, &member, known_size);
        memset(place + i * size + known_size, 0, size - known_size); /* of a later version */
        known = plx__members_step(&group->members, known);
    }
    return group->members.listed;
}

int plx_discovery_refresh(plx_discovery *discovery, const char *name)
{
    if (!plx__discovery_is_usable(discovery)) {
        return PLX_INVALID_STATE;
    }
    struct plx__discovery_group *group = plx__discovery_find(discovery, name);
    if (group == NULL) {
        return refuse_group(discovery, "refresh", name);
    }
    uint64_t now = plx__clock_now();
    plx__members_doubt(&group->members, now);
    group->who_at = now;
    plx__task_set_deadline(&discovery->guest.task, plx__discovery_next(discovery));
    return 0;
}
