/* lib/socket/settings.c -- setting options and reading them. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/socket/connect.h"
#include "lib/socket/ending.h"
#include "lib/socket/failure.h"
#include "lib/socket/idle.h"
#include "lib/socket/interest.h"
#include "lib/socket/object.h"
#include "lib/socket/options.h"
#include "lib/socket/progress.h"
#include "lib/socket/race.h"
#include "lib/socket/rare.h"
#include "lib/socket/read.h"
#include "lib/socket/reconnect.h"

#include <limits.h>
#include <stdio.h>

/* The name of an option and the range of its values. */
struct rule {
    const char *name; /* without PLX_OPTION_ */
    int least, most;
};

static const struct rule rules[PLX__OPTION_COUNT] = {
    [PLX_OPTION_KEEP_ALIVE] = {"KEEP_ALIVE", 0, 1},
    /* The kernel's limits (tcp(7)). */
    [PLX_OPTION_KEEP_ALIVE_IDLE] = {"KEEP_ALIVE_IDLE", 1, 32767},
    [PLX_OPTION_KEEP_ALIVE_INTERVAL] = {"KEEP_ALIVE_INTERVAL", 1, 32767},
    [PLX_OPTION_KEEP_ALIVE_COUNT] = {"KEEP_ALIVE_COUNT", 1, 127},
    [PLX_OPTION_LOW_DELAY] = {"LOW_DELAY", 0, 1},
    [PLX_OPTION_TYPE_OF_SERVICE] = {"TYPE_OF_SERVICE", 0, 255},
    [PLX_OPTION_SEND_BUFFER_SIZE] = {"SEND_BUFFER_SIZE", 1, INT_MAX},
    [PLX_OPTION_RECEIVE_BUFFER_SIZE] = {"RECEIVE_BUFFER_SIZE", 1, INT_MAX},
    [PLX_OPTION_PATH_MTU] = {"PATH_MTU", 1280, 65535}, /* RFC 8200, 5: no link has less */
    [PLX_OPTION_PROTOCOL] = {"PROTOCOL", 0, 2},
    [PLX_OPTION_READ_LIMIT] = {"READ_LIMIT", 0, INT_MAX},
    [PLX_OPTION_WRITE_LIMIT] = {"WRITE_LIMIT", 0, INT_MAX},
    [PLX_OPTION_CONNECT_TIMEOUT] = {"CONNECT_TIMEOUT", 0, INT_MAX},
    [PLX_OPTION_LINGER_TIMEOUT] = {"LINGER_TIMEOUT", 0, INT_MAX},
    [PLX_OPTION_IDLE_TIMEOUT] = {"IDLE_TIMEOUT", 0, INT_MAX},
    [PLX_OPTION_HALF_OPEN] = {"HALF_OPEN", 0, 1},
    [PLX_OPTION_AUTO_CONNECT] = {"AUTO_CONNECT", 0, 1},
    [PLX_OPTION_ROUTER_HOPS] = {"ROUTER_HOPS", 1, 255},
    [PLX_OPTION_SEND_TO_SELF] = {"SEND_TO_SELF", 0, 1},
    [PLX_OPTION_BROADCAST] = {"BROADCAST", 0, 1},
    [PLX_OPTION_SHARE_ADDRESS] = {"SHARE_ADDRESS", 0, 1},
    [PLX_OPTION_MODE] = {"MODE", 0, 0777},
    [PLX_OPTION_RECEIVE_HANDLES] = {"RECEIVE_HANDLES", 0, 1},
    [PLX_OPTION_UNACKNOWLEDGED_TIMEOUT] = {"UNACKNOWLEDGED_TIMEOUT", 0, INT_MAX},
    [PLX_OPTION_MULTICAST_HOPS] = {"MULTICAST_HOPS", 0, 255},
    [PLX_OPTION_PAUSE_READING] = {"PAUSE_READING", 0, 1},
    [PLX_OPTION_DIRECTION] = {"DIRECTION", PLX__BOTH_WAYS, PLX__SEND_ONLY},
};

/* Options that the library obeys itself, for all kinds. */
#define OURS                                                                                       \
    (PLX__OPTION(READ_LIMIT) | PLX__OPTION(WRITE_LIMIT) | PLX__OPTION(CONNECT_TIMEOUT) |           \
     PLX__OPTION(LINGER_TIMEOUT) | PLX__OPTION(IDLE_TIMEOUT) | PLX__OPTION(HALF_OPEN) |            \
     PLX__OPTION(PAUSE_READING) | PLX__OPTION(DIRECTION))

const char *plx_option_name(plx_option option)
{
    return (unsigned)option < PLX__OPTION_COUNT ? rules[option].name : NULL;
}

static char capital(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static bool is_name(const char *name, const char *text)
{
    while (*name != '\0' && *name == capital(*text)) {
        name++;
        text++;
    }
    return *name == *text;
}

int plx_option_by_name(const char *name)
{
    for (int option = 0; name != NULL && option < PLX__OPTION_COUNT; option++) {
        if (is_name(rules[option].name, name)) {
            return option;
        }
    }
    return -1;
}

/* Writes permissions in octal, as chmod(1) does. */
static const char *put_value(char *text, size_t size, plx_option option, int value)
{
    if (option == PLX_OPTION_MODE && value > 0) {
        snprintf(text, size, "0%o", (unsigned)value);
    } else {
        snprintf(text, size, "%d", value);
    }
    return text;
}

static bool is_known(const plx_socket *socket, plx_option option)
{
    return (unsigned)option < PLX__OPTION_COUNT &&
           ((OURS | socket->kind->options) & ((plx__option_set)1 << option)) != 0;
}

/* Sets the option on the attempts' descriptors too: one of them becomes the socket's. */
static int apply_now(plx_socket *socket, plx_option option, int value)
{
    plx__option_set kernels = socket->kind->options & ~PLX__OPTIONS_OBEYED;
    if ((kernels & ((plx__option_set)1 << option)) == 0) {
        return 0;
    }
    if (!plx__os_has_option(option)) {
        return -PLX__ENOPROTOOPT;
    }
    struct plx__race *race = plx__rare_of(socket)->race;
    if (race != NULL) {
        plx__race_set_option(race, option, value);
    }
    return socket->watch.task == NULL ? 0
                                      : plx__os_set_option(socket->watch.descriptor, option, value);
}

static bool is_set(const plx_socket *socket, plx_option option)
{
    return socket->options != NULL && (socket->options->set & ((plx__option_set)1 << option)) != 0;
}

/* ROUTER_HOPS sets the hop limit of multicast datagrams, too (lib/os/option.c): a limit of their
 * own is set again. */
static int apply_all(plx_socket *socket, plx_option option, int value)
{
    int result = apply_now(socket, option, value);
    if (result == 0 && option == PLX_OPTION_ROUTER_HOPS &&
        is_set(socket, PLX_OPTION_MULTICAST_HOPS)) {
        result = apply_now(socket, PLX_OPTION_MULTICAST_HOPS,
                           socket->options->values[PLX_OPTION_MULTICAST_HOPS]);
    }
    return result;
}

/* Refuses an option that the socket does not have, or a value out of range. */
static int refuse_value(plx_socket *socket, plx_option option, int value)
{
    const plx_reason reason = PLX_REASON_UNSUPPORTED_OPERATION;
    const char *name = plx_option_name(option);
    char given[16], least[16], most[16];
    put_value(given, sizeof given, option, value);
    if (name == NULL) {
        return plx__socket_refuse(socket, reason, "set option %d to %s: there is no such option",
                                  (int)option, given);
    }
    if (!is_known(socket, option)) {
        return plx__socket_refuse(socket, reason,
                                  "set %s to %s: %s sockets do not have this option", name, given,
                                  socket->kind->name);
    }
    return plx__socket_refuse(socket, reason, "set %s to %s: out of range %s to %s", name, given,
                              put_value(least, sizeof least, option, rules[option].least),
                              put_value(most, sizeof most, option, rules[option].most));
}

/* Does at once what an option that the library obeys changes: a new IDLE_TIMEOUT counts from now,
 * and so does a new LINGER_TIMEOUT if an ending is under way. */
static void obey(plx_socket *socket, plx_option option, int value)
{
    if (option == PLX_OPTION_IDLE_TIMEOUT) {
        plx__idle_restart(socket);
    } else if (option == PLX_OPTION_LINGER_TIMEOUT) {
        plx__ending_restart(socket);
    } else if (option == PLX_OPTION_AUTO_CONNECT && value == 0 &&
               socket->reconnect == PLX__RECONNECT_WAITING) {
        plx__reconnect_stop(socket);
    } else if (option == PLX_OPTION_DIRECTION && value == PLX__SEND_ONLY) {
        plx__socket_drop_unread(socket);
    }
}

int plx_socket_set_option(plx_socket *socket, plx_option option, int value)
{
    if (socket == NULL) {
        return PLX_INVALID_STATE;
    }
    if (!is_known(socket, option) || value < rules[option].least || value > rules[option].most) {
        return refuse_value(socket, option, value);
    }
    if (!plx__options_make(socket)) {
        return plx__socket_fail_memory(socket, "set %s", rules[option].name);
    }
    int result = apply_all(socket, option, value);
    if (result < 0) {
        char given[16];
        return plx__socket_fail_system(socket, result, "set %s to %s", rules[option].name,
                                       put_value(given, sizeof given, option, value));
    }
    socket->options->values[option] = value;
    socket->options->set |= (plx__option_set)1 << option;
    obey(socket, option, value);
    /* A new limit or time-out may let writes or reads go on. */
    plx__socket_note_room(socket);
    plx__socket_update(socket);
    return 0;
}

void plx__options_replace(plx_socket *to, const plx_socket *from)
{
    plx__option_set both = ~(to->kind->options ^ from->kind->options);
    if (to->options == NULL) {
        return;
    }
    for (int option = 0; option < PLX__OPTION_COUNT; option++) {
        plx__option_set bit = (plx__option_set)1 << option;
        if ((both & bit) != 0) {
            int value = plx__option_value(from->options, (plx_option)option);
            to->options->set &= ~bit;
            to->options->set |= from->options == NULL ? 0 : from->options->set & bit;
            to->options->values[option] = value;
            obey(to, (plx_option)option, value);
        }
    }
    plx__socket_note_room(to);
    plx__socket_update(to);
}

int plx_socket_option(const plx_socket *socket, plx_option option)
{
    int value;
    if (socket == NULL || !is_known(socket, option)) {
        return -1;
    }
    /* Listeners always have SO_REUSEADDR: the kernel's value does not say whether the program asked
     * for sharing. */
    plx__option_set kernels =
        socket->kind->options & ~(PLX__OPTIONS_OBEYED | PLX__OPTION(SHARE_ADDRESS));
    bool asked = (kernels & ((plx__option_set)1 << option)) != 0 && socket->watch.task != NULL;
    if (asked && plx__os_option(socket->watch.descriptor, option, &value) == 0) {
        return value;
    }
    if (asked && option == PLX_OPTION_PATH_MTU) {
        return 0; /* the kernel knows no path MTU: not the value that was set */
    }
    bool follows = option == PLX_OPTION_MULTICAST_HOPS && !is_set(socket, option);
    return plx__option_value(socket->options, follows ? PLX_OPTION_ROUTER_HOPS : option);
}
