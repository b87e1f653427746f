/* udp-beacon -- sends its name to every program nearby once a second, and lists the names it hears.
 *
 * It shows datagrams without a peer: how games find each other on a local network before they know
 * an address. Multicast reaches programs that joined a group, broadcast every computer on the
 * network.
 *
 * Try it, in two terminals or on two computers:
 *     ./udp-beacon                       under the name of this computer
 *     ./udp-beacon Ada
 *     ./udp-beacon --broadcast Ada
 *     ./udp-beacon --interface lo Ada    on this computer only, also without any network
 *     ./udp-beacon --once; echo $?       for scripts: listens for two seconds
 * Ctrl-C ends it, with a goodbye to the others. The exit status is 0 if it heard another beacon, 1
 * if it heard none or could not begin, 2 for bad arguments. */
#define _POSIX_C_SOURCE 200809L

#include <pollux.h>

#include <ctype.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A multicast group that stays within an organisation (RFC 2365), and an unregistered port. */
#define GROUP "239.192.77.88"
#define PORT 47788

#define PERIOD_MS 1000
#define FORGET_MS 3500 /* after three missed beacons a neighbour has left */
#define NEIGHBOURS_MAX 64
#define NAME_SIZE 32

struct neighbour {
    unsigned long id; /* of the program, because two may have one name; 0 is a free place */
    char name[NAME_SIZE];
    long long heard; /* the time of its last beacon, in milliseconds */
};

struct beacon {
    plx_socket *socket;
    const char *target; /* the multicast group, or the broadcast address */
    unsigned long id;
    char name[NAME_SIZE];
    struct neighbour neighbours[NEIGHBOURS_MAX];
    unsigned long heard_of; /* how many neighbours there have been */
};

struct settings {
    const char *name, *interface;
    bool broadcasts;
    long seconds; /* 0 is until a signal arrives */
};

static plx_group *group;
static volatile sig_atomic_t stopping;

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- neighbours ----------------------------------------------------------------------------- */

static struct neighbour *find(struct beacon *beacon, unsigned long id)
{
    for (int i = 0; i < NEIGHBOURS_MAX; i++) {
        if (beacon->neighbours[i].id == id) {
            return &beacon->neighbours[i];
        }
    }
    return NULL;
}

static void forget(struct neighbour *neighbour, const char *why)
{
    printf("- %s %s\n", neighbour->name, why);
    neighbour->id = 0;
}

static void greet(struct beacon *beacon, unsigned long id, const char *name,
                  const plx_address *from)
{
    struct neighbour *neighbour = find(beacon, id);
    if (neighbour == NULL) {
        neighbour = find(beacon, 0);
        if (neighbour == NULL) {
            return; /* the list is full */
        }
        char address[64];
        plx_address_format(from, address, sizeof address);
        neighbour->id = id;
        snprintf(neighbour->name, sizeof neighbour->name, "%s", name);
        beacon->heard_of++;
        printf("+ %s at %s\n", name, address);
    }
    neighbour->heard = milliseconds();
}

static void forget_the_silent(struct beacon *beacon)
{
    for (int i = 0; i < NEIGHBOURS_MAX; i++) {
        struct neighbour *neighbour = &beacon->neighbours[i];
        if (neighbour->id != 0 && milliseconds() - neighbour->heard > FORGET_MS) {
            forget(neighbour, "is silent");
        }
    }
}

/* ---- datagrams ------------------------------------------------------------------------------ */

/* A beacon is one line: "beacon", the program's id, its name. "leaving" marks the last beacon. */
static void send_beacon(struct beacon *beacon, const char *word)
{
    char text[80];
    int size = snprintf(text, sizeof text, "%s %lx %s\n", word, beacon->id, beacon->name);
    plx_udp_write_to(beacon->socket, beacon->target, PORT, text, (size_t)size);
}

/* Any program can send any bytes, so a name is shown only if it cannot harm a terminal. */
static bool is_printable(const char *text)
{
    while (isprint((unsigned char)*text)) {
        text++;
    }
    return *text == '\0';
}

static void take_datagram(struct beacon *beacon, const plx_datagram *datagram)
{
    char text[80], word[8], name[NAME_SIZE];
    unsigned long id;
    if (datagram->size >= sizeof text) {
        return;
    }
    memcpy(text, datagram->data, datagram->size);
    text[datagram->size] = '\0';
    if (sscanf(text, "%7s %lx %31[^\n]", word, &id, name) != 3 || id == 0 || id == beacon->id ||
        !is_printable(name)) {
        return; /* our own, or not a beacon */
    }
    struct neighbour *known = find(beacon, id);
    if (strcmp(word, "beacon") == 0) {
        greet(beacon, id, name, &datagram->from);
    } else if (strcmp(word, "leaving") == 0 && known != NULL) {
        forget(known, "has left");
    }
}

static void on_data_available(plx_socket *socket, void *user)
{
    plx_datagram datagram;
    while (plx_udp_read(socket, &datagram)) {
        take_datagram(user, &datagram);
    }
}

/* Prints every error. The program goes on without a network: there may be one in a second. */
static void on_error(plx_socket *socket, const plx_error *error, void *user)
{
    (void)socket;
    (void)user;
    fprintf(stderr, "udp-beacon: %s\n", error->message);
}

static const plx_events events = {
    .data_available = on_data_available,
    .error = on_error,
};

/* ---- beginning ------------------------------------------------------------------------------ */

/* Binds the port and joins the multicast group. Returns 0 or the error. */
static int open_on(plx_socket *socket, const char *interface)
{
    plx_socket_set_option(socket, PLX_OPTION_PROTOCOL, 0);      /* the group is an IPv4 address */
    plx_socket_set_option(socket, PLX_OPTION_SHARE_ADDRESS, 1); /* many programs, one port */
    plx_socket_set_option(socket, PLX_OPTION_SEND_TO_SELF, 1);  /* to reach programs here, too */
    plx_socket_set_interface(socket, interface);
    plx_socket_set_port(socket, PORT);
    int code = plx_socket_connect(socket); /* binds the socket: UDP has no connections */
    return code == PLX_OK ? plx_udp_join_multicast_group(socket, GROUP) : code;
}

/* The loopback interface, for a computer that has no other; NULL if unknown. */
static const char *loopback(void)
{
    static plx_interface list[32];
    size_t count = plx_interface_list(list, 32);
    for (size_t i = 0; i < count && i < 32; i++) {
        if (list[i].is_loopback) {
            return list[i].name;
        }
    }
    return NULL;
}

/* Opens the socket on the given interface; without one on the default, or else on the loopback. */
static int open_socket(plx_socket *socket, const char *interface)
{
    int code = open_on(socket, interface);
    if (code != PLX_OK && interface == NULL) {
        fputs("udp-beacon: there seems to be no network; trying this computer alone\n", stderr);
        plx_socket_close(socket);
        code = open_on(socket, loopback());
    }
    return code;
}

/* A name ends at its first line end, because a beacon is one line. */
static void set_name(struct beacon *beacon, const char *name)
{
    char host[NAME_SIZE] = "somebody";
    if (name == NULL && gethostname(host, sizeof host) == 0) {
        host[sizeof host - 1] = '\0';
    }
    snprintf(beacon->name, sizeof beacon->name, "%s", name != NULL ? name : host);
    beacon->name[strcspn(beacon->name, "\r\n")] = '\0';
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void run(struct beacon *beacon, long seconds)
{
    long long start = milliseconds(), next = start;
    while (!stopping && (seconds == 0 || milliseconds() - start < seconds * 1000)) {
        if (milliseconds() >= next) {
            next += PERIOD_MS;
            send_beacon(beacon, "beacon");
            forget_the_silent(beacon);
            plx_group_flush(group);
        }
        long long rest = next - milliseconds();
        plx_group_poll(group, rest > 0 ? (int)rest : 0);
    }
    send_beacon(beacon, "leaving");
    plx_group_flush(group);
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
    plx_group_wake(group);
}

/* Sends and receives until the time is over or a signal arrives. */
static int speak_and_listen(struct beacon *beacon, const struct settings *settings)
{
    int code = open_socket(beacon->socket, settings->interface);
    if (code != PLX_OK) {
        /* on_error has printed the message, or prints it in this poll. */
        plx_group_poll(group, 0);
        return EXIT_FAILURE;
    }
    if (settings->broadcasts) {
        beacon->target = plx_udp_broadcast_address(beacon->socket);
    }
    run(beacon, settings->seconds);
    return beacon->heard_of > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_beacon(const struct settings *settings)
{
    struct beacon beacon = {.socket = plx_udp_new(), .target = GROUP};
    group = plx_group_new();
    if (beacon.socket == NULL || group == NULL) {
        fputs("udp-beacon: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    beacon.id = (unsigned long)getpid() << 16 | ((unsigned long)time(NULL) & 0xFFFF);
    set_name(&beacon, settings->name);
    plx_socket_set_events(beacon.socket, &events, &beacon);
    plx_group_add(group, beacon.socket);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int status = speak_and_listen(&beacon, settings);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    plx_socket_free(beacon.socket);
    plx_group_free(group);
    return status;
}

/* Reads the arguments; false if any of them is invalid. */
static bool read_arguments(struct settings *settings, char **arguments)
{
    for (; *arguments != NULL; arguments++) {
        const char *argument = *arguments;
        if (strcmp(argument, "--broadcast") == 0) {
            settings->broadcasts = true;
        } else if (strcmp(argument, "--once") == 0) {
            settings->seconds = 2;
        } else if (strcmp(argument, "--interface") == 0 && arguments[1] != NULL) {
            settings->interface = *++arguments;
        } else if (strcmp(argument, "--seconds") == 0 && arguments[1] != NULL) {
            char *end;
            settings->seconds = strtol(*++arguments, &end, 10);
            if (*end != '\0' || settings->seconds < 1 || settings->seconds > 86400) {
                return false;
            }
        } else if (argument[0] == '-' || argument[0] == '\0' || settings->name != NULL) {
            return false;
        } else {
            settings->name = argument;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct settings settings = {.seconds = 0};
    if (!read_arguments(&settings, argv + (argc > 0))) {
        fputs("usage: udp-beacon [--broadcast] [--interface NAME] [--once | --seconds N] [name]\n",
              stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a piped list is written line by line, too */
    return run_beacon(&settings);
}
