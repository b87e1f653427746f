/* tests/scenes.h -- a socket in each of its states, for what may happen to a process at any time: a
 * fork, a program that replaces it.
 *
 * `begin` brings what the world has into the state. `go_on` ends the state and goes through all
 * that follows: it fails if the event in between has cost a byte, an event or the connection. */
#ifndef POLLUX_TESTS_SCENES_H
#define POLLUX_TESTS_SCENES_H

#include "tests/nameserver.h"
#include "tests/world.h"

struct stage {
    plx_socket *socket, *other;
    plx_server *server;
    struct record log, other_log;
    int raw;
    uint64_t offset;
    struct nameserver names;
    char where[WHERE_SIZE];
};

struct scene {
    void (*begin)(struct world *w, struct stage *stage);
    void (*go_on)(struct world *w, struct stage *stage);
};

/* Of each kind. */
extern const struct scene scene_unconnected, scene_connecting, scene_establishing, scene_connected,
    scene_blocked, scene_closing, scene_half_open, scene_listening, scene_serving, scene_pausing;

/* Of one kind, whatever the world's kind is: a lookup that is not answered, datagrams without and
 * with a peer and in a multicast group, descriptors that were received or are queued. */
extern const struct scene scene_looking_up, scene_bound, scene_with_peer, scene_with_handles;

/* SCENES and SCENES_OF_ONE_KIND define a case for each scene: PLAY(w, &scene) in the world w. */
#define SCENES(SORT, PREFIX, PLAY)                                                                 \
    SCENE_CASE(SORT, PREFIX, PLAY, unconnected)                                                    \
    SCENE_CASE(SORT, PREFIX, PLAY, connecting)                                                     \
    SCENE_CASE(SORT, PREFIX, PLAY, establishing)                                                   \
    SCENE_CASE(SORT, PREFIX, PLAY, connected)                                                      \
    SCENE_CASE(SORT, PREFIX, PLAY, blocked)                                                        \
    SCENE_CASE(SORT, PREFIX, PLAY, closing)                                                        \
    SCENE_CASE(SORT, PREFIX, PLAY, half_open)                                                      \
    SCENE_CASE(SORT, PREFIX, PLAY, listening)                                                      \
    SCENE_CASE(SORT, PREFIX, PLAY, serving)                                                        \
    SCENE_CASE(SORT, PREFIX, PLAY, pausing)
#define SCENES_OF_ONE_KIND(SORT, PREFIX, PLAY)                                                     \
    SCENE_CASE(SORT, PREFIX, PLAY, looking_up)                                                     \
    SCENE_CASE(SORT, PREFIX, PLAY, bound)                                                          \
    SCENE_CASE(SORT, PREFIX, PLAY, with_peer)                                                      \
    SCENE_CASE(SORT, PREFIX, PLAY, with_handles)
#define SCENE_CASE(SORT, PREFIX, PLAY, NAME)                                                       \
    SORT(PREFIX##NAME)                                                                             \
    {                                                                                              \
        PLAY(w, &scene_##NAME);                                                                    \
    }

#endif
