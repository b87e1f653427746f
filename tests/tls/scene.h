/* tests/tls/scene.h -- a client and a server of ours that meet over TLS, with certificates that an
 * authority of the case has signed.
 *
 * scene_open makes the authority, settings of a client that trusts it, and settings of a server
 * with a certificate for "localhost", 127.0.0.1 and ::1. The case changes what it is about, and
 * scene_meet lets the two connect and polls until the client has an outcome. The scene can meet
 * again; scene_close frees everything. */
#ifndef POLLUX_TESTS_TLS_SCENE_H
#define POLLUX_TESTS_TLS_SCENE_H

#include <pollux/tls.h>

#include "tests/tls/authority.h"
#include "tests/world.h"

enum { SCENE_PAPERS = 80 };

struct scene {
    struct world *w;
    struct certificate *root;
    struct certificate *papers[SCENE_PAPERS]; /* to free at the end, with the root */
    int papers_used, files;
    plx_tls *client_tls, *server_tls;
    bool keeps_port; /* the server listens on the port of the last meeting */
    int port;
    const char *name;            /* for plx_socket_set_tls_name; NULL: none */
    plx_socket *client, *server; /* of the last meeting; NULL: none */
    struct record client_log, server_log;
};

/* SCENE_CASE(name) { ... } runs in one way of polling, with a scene `s` of TCP in the world `w`.
 * SCENE_MODE_CASE runs in each way of polling. */
#define SCENE_CASE(name)                                                                           \
    SCENE_BODY(name, WORLD_CASE(name, world_begin_of(&world_, "tcp", MODE_POLL), 1, NULL))
#define SCENE_MODE_CASE(name)                                                                      \
    SCENE_BODY(name, WORLD_CASE(name, world_begin_of(&world_, "tcp", (enum mode)_i),               \
                                world_modes(), NULL))
#define SCENE_BODY(name, begin)                                                                    \
    static void name##_played(struct world *w, struct scene *s);                                   \
    begin                                                                                          \
    {                                                                                              \
        struct scene *scene_ = scene_open(w);                                                      \
                                                                                                   \
        name##_played(w, scene_);                                                                  \
        scene_close(scene_);                                                                       \
    }                                                                                              \
    static void name##_played(struct world *w CK_ATTRIBUTE_UNUSED,                                 \
                              struct scene *s CK_ATTRIBUTE_UNUSED)

struct scene *scene_open(struct world *world);
void scene_close(struct scene *scene);

/* scene_paper makes a certificate; issuer NULL: it signs itself. scene_signed makes one that the
 * authority of the scene has signed. */
struct certificate *scene_paper(struct scene *scene, const struct paper *paper,
                                const struct certificate *issuer);
struct certificate *scene_signed(struct scene *scene, const struct paper *paper);

/* scene_path returns the path of a new file, for certificate_write and others. */
void scene_file(struct scene *scene, const struct certificate *certificate, char *ret_path);

/* scene_use gives settings a certificate, with those that have signed it, and its key; scene_trust
 * lets them trust one; scene_present gives the server a certificate of the authority. */
void scene_use(struct scene *scene, plx_tls *tls, const struct certificate *certificate);
void scene_trust(struct scene *scene, plx_tls *tls, const struct certificate *certificate);
void scene_present(struct scene *scene, const struct paper *paper);

/* scene_distrust replaces the settings of the client by new ones, which trust `certificate`
 * alone. */
void scene_renew_client(struct scene *scene, const struct certificate *certificate);

/* scene_prepare makes the two sockets, and ends those of the last meeting; scene_connect connects
 * them, and scene_meet does both. */
void scene_prepare(struct scene *scene);
void scene_connect(struct scene *scene);
void scene_meet(struct scene *scene);

/* What the last meeting must have become: both sides encrypted; or the client's refusal, with a
 * message that has these words. */
void scene_expect_encrypted(struct scene *scene);
void scene_expect_refused(struct scene *scene, plx_tls_check check, const char *words);

/* scene_info returns what is known about a connection. */
plx_tls_info scene_info(const plx_socket *socket);

/* scene_talk expects that bytes travel both ways. */
void scene_talk(struct scene *scene);

/* has_words returns whether a message has the words, and prints both if not. */
bool has_words(const char *message, const char *words);

#endif
