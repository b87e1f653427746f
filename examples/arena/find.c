/* arena/find.c -- see find.h.
 *
 * What a server says about itself is its port; a guest says nothing. The address is the one that
 * the server was heard from, so that nobody can send the guests to a third computer. */
#include "find.h"
#include "stop.h"

#include <stdio.h>
#include <string.h>

/* The port of discovery, the same in all programs of this game. */
#define DISCOVERY_PORT 47789
/* After this time without a server a guest prints that it is still looking. */
#define SILENCE_MS 2000

struct search {
    const struct settings *settings;
    plx_address server; /* family 0 until it was found */
    bool is_over;
};

/* ---- events --------------------------------------------------------------------------------- */

static void on_joined(plx_discovery *discovery, const char *group, const plx_member *member,
                      void *user)
{
    (void)discovery, (void)group;
    struct search *search = user;
    char about[8];
    int port;
    snprintf(about, sizeof about, "%.*s", (int)member->about_size, (const char *)member->about);
    if (!search->is_over && sscanf(about, "%d", &port) == 1 && port > 0 && port <= 65535) {
        search->server = member->address;
        search->server.port = (uint16_t)port;
        search->is_over = true;
    }
}

static void on_error(plx_discovery *discovery, const plx_error *error, void *user)
{
    (void)discovery, (void)user;
    fprintf(stderr, "arena: %s\n", error->message);
}

static void on_silence(plx_timer *timer, void *user)
{
    (void)timer;
    const struct search *search = user;
    fprintf(stderr, "arena: looking for a server in the group %s\n", search->settings->group);
}

static void on_end(plx_timer *timer, void *user)
{
    (void)timer;
    struct search *search = user;
    fprintf(stderr,
            "arena: no server was found in the group %s: start one (arena server), or "
            "give the address of one\n",
            search->settings->group);
    search->is_over = true;
}

static const plx_discovery_events search_events = {.member_joined = on_joined, .error = on_error};
static const plx_discovery_events server_events = {.error = on_error};

/* ---- calls ---------------------------------------------------------------------------------- */

static plx_discovery *join(const struct settings *settings, const char *about,
                           const plx_discovery_events *events, void *user)
{
    plx_discovery *discovery = plx_discovery_new();
    plx_discovery_set_events(discovery, events, user);
    if (plx_discovery_bind(discovery, DISCOVERY_PORT) != PLX_OK ||
        plx_discovery_join(discovery, settings->group, about, strlen(about)) != PLX_OK) {
        fprintf(stderr, "arena: %s\n", plx_discovery_error(discovery)->message);
        return plx_discovery_free(discovery);
    }
    return discovery;
}

plx_discovery *announce_server(const struct settings *settings, plx_group *group, int port)
{
    char about[8];
    snprintf(about, sizeof about, "%d", port);
    plx_discovery *discovery = join(settings, about, &server_events, NULL);
    plx_group_add_discovery(group, discovery);
    return discovery;
}

static void look(struct search *search)
{
    plx_group *group = plx_group_new();
    plx_timer *silence = plx_timer_new(on_silence, search);
    plx_timer *end = plx_timer_new(on_end, search);
    plx_discovery *discovery = join(search->settings, "", &search_events, search);
    plx_timer_set(silence, SILENCE_MS, false);
    plx_timer_set(end, search->settings->seconds * 1000, false);
    plx_group_add_timer(group, silence);
    plx_group_add_timer(group, end);
    plx_group_add_discovery(group, discovery);
    while (discovery != NULL && !search->is_over && !stop_is_wanted()) {
        plx_group_poll(group, 500); /* the half second is for a signal just before the sleep */
    }
    plx_discovery_free(discovery);
    plx_timer_free(end);
    plx_timer_free(silence);
    plx_group_free(group);
}

bool connect_to_server(const struct settings *settings, plx_socket *socket)
{
    struct search search = {.settings = settings};
    if (settings->where != NULL) {
        plx_socket_connect_to(socket, settings->where);
        return socket != NULL;
    }
    look(&search);
    if (search.server.family == 0) {
        return false;
    }
    plx_socket_connect_to_address(socket, &search.server);
    return socket != NULL;
}
