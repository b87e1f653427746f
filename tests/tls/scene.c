/* tests/tls/scene.c -- a client and a server of ours that meet over TLS. See scene.h. */
#include "config.h"

#include "tests/tls/scene.h"

#include <openssl/err.h>

#include <stdlib.h>

/* ---- certificates ---------------------------------------------------------------------------- */

struct certificate *scene_paper(struct scene *scene, const struct paper *paper,
                                const struct certificate *issuer)
{
    struct certificate *certificate = certificate_new(paper, issuer);

    ck_assert_int_lt(scene->papers_used, SCENE_PAPERS);
    scene->papers[scene->papers_used++] = certificate;
    return certificate;
}

struct certificate *scene_signed(struct scene *scene, const struct paper *paper)
{
    return scene_paper(scene, paper, scene->root);
}

static void name_file(struct scene *scene, char *ret_name)
{
    snprintf(ret_name, WHERE_SIZE, "file%d.pem", scene->files++);
}

void scene_file(struct scene *scene, const struct certificate *certificate, char *ret_path)
{
    char name[WHERE_SIZE];

    name_file(scene, name);
    certificate_write(certificate, scene->w->folder, name, ret_path);
}

void scene_use(struct scene *scene, plx_tls *tls, const struct certificate *certificate)
{
    char name[WHERE_SIZE], path[WHERE_SIZE], key[WHERE_SIZE];

    name_file(scene, name);
    certificate_write_chain(certificate, scene->w->folder, name, path);
    name_file(scene, name);
    certificate_write_key(certificate, NULL, scene->w->folder, name, key);
    ck_assert_msg(plx_tls_use_file(tls, path, key, NULL) == 0, "%s", plx_tls_error(tls)->message);
}

void scene_trust(struct scene *scene, plx_tls *tls, const struct certificate *certificate)
{
    char path[WHERE_SIZE];

    scene_file(scene, certificate, path);
    ck_assert_msg(plx_tls_trust_file(tls, path) == 0, "%s", plx_tls_error(tls)->message);
}

void scene_present(struct scene *scene, const struct paper *paper)
{
    scene_use(scene, scene->server_tls, scene_signed(scene, paper));
}

/* ---- life ------------------------------------------------------------------------------------ */

void scene_renew_client(struct scene *scene, const struct certificate *certificate)
{
    plx_tls_free(scene->client_tls);
    scene->client_tls = plx_tls_new_client();
    ck_assert_ptr_nonnull(scene->client_tls);
    if (certificate != NULL)
        scene_trust(scene, scene->client_tls, certificate);
}

struct scene *scene_open(struct world *world)
{
    struct scene *scene = calloc(1, sizeof *scene);

    ck_assert_ptr_nonnull(scene);
    scene->w = world;
    scene->root = scene_paper(scene, &(struct paper){.subject = "scene", .is_ca = true}, NULL);
    scene->server_tls = plx_tls_new_server();
    ck_assert_ptr_nonnull(scene->server_tls);
    scene_renew_client(scene, scene->root);
    scene_present(
        scene, &(struct paper){.subject = "server", .names = "DNS:localhost,IP:127.0.0.1,IP:::1"});
    return scene;
}

static void end_meeting(struct scene *scene)
{
    if (scene->client != NULL)
        world_free(scene->w, scene->client);
    if (scene->server != NULL)
        world_free(scene->w, scene->server);
    scene->client = scene->server = NULL;
    while (scene->w->sockets_used > 0 && scene->w->sockets[scene->w->sockets_used - 1] == NULL)
        scene->w->sockets_used--;
}

void scene_close(struct scene *scene)
{
    end_meeting(scene);
    plx_tls_free(scene->client_tls);
    plx_tls_free(scene->server_tls);
    for (int i = 0; i < scene->papers_used; i++)
        certificate_free(scene->papers[i]);
    free(scene);
}

/* ---- meetings -------------------------------------------------------------------------------- */

void scene_prepare(struct scene *scene)
{
    end_meeting(scene);
    scene->client = world_socket(scene->w, &scene->client_log);
    scene->server = world_socket(scene->w, &scene->server_log);
    ck_assert_int_eq(plx_socket_set_tls(scene->client, scene->client_tls), 0);
    ck_assert_int_eq(plx_socket_set_tls(scene->server, scene->server_tls), 0);
    ck_assert_int_eq(plx_socket_set_tls_name(scene->client, scene->name), 0);
}

static bool has_outcome(const struct record *log)
{
    return log->count[EVENT_ENCRYPTED] + log->count[EVENT_ERROR] > 0;
}

void scene_connect(struct scene *scene)
{
    char where[WHERE_SIZE];

    if (scene->keeps_port && scene->port != 0) {
        snprintf(where, sizeof where, "127.0.0.1:%d", scene->port);
        ck_assert_int_eq(plx_socket_listen_on(scene->server, where), 0);
    } else {
        world_listen(scene->w, scene->server, where);
        scene->port = plx_socket_port(scene->server);
    }
    ck_assert_int_eq(plx_socket_connect_to(scene->client, where), 0);
}

void scene_meet(struct scene *scene)
{
    scene_prepare(scene);
    scene_connect(scene);
    UNTIL(scene->w, has_outcome(&scene->client_log) && has_outcome(&scene->server_log));
    world_settle(scene->w);
    ck_assert_uint_eq(ERR_peek_error(), 0); /* a program may use OpenSSL too */
}

/* ---- outcomes -------------------------------------------------------------------------------- */

plx_tls_info scene_info(const plx_socket *socket)
{
    plx_tls_info info;

    ck_assert(plx_socket_tls_info(socket, &info));
    return info;
}

bool has_words(const char *message, const char *words)
{
    bool found = strstr(message, words) != NULL;

    if (!found)
        fprintf(stderr, "\"%s\" has no \"%s\"\n", message, words);
    return found;
}

void scene_expect_encrypted(struct scene *scene)
{
    ck_assert_msg(plx_socket_is_encrypted(scene->client), "%s: %s", scene->client_log.text,
                  scene->client_log.message);
    LOGGED(scene->w, &scene->client_log,
           "state:CONNECTING state:CONNECTED connected[CONNECTED] encrypted[CONNECTED]");
    LOGGED(scene->w, &scene->server_log,
           "state:LISTENING state:CONNECTING state:CONNECTED connected[CONNECTED] "
           "encrypted[CONNECTED]");
    ck_assert(plx_socket_is_encrypted(scene->server));
}

void scene_expect_refused(struct scene *scene, plx_tls_check check, const char *words)
{
    LOGGED(scene->w, &scene->client_log,
           "state:CONNECTING state:UNCONNECTED error(102,23)[UNCONNECTED]");
    ck_assert(has_words(scene->client_log.message, words));
    ck_assert_int_eq(scene_info(scene->client).check, check);
    ck_assert(!plx_socket_is_encrypted(scene->client));
    ck_assert_int_eq(scene->server_log.count[EVENT_DATA_AVAILABLE], 0);
}

static void expect_bytes(struct world *world, plx_socket *from, plx_socket *to, const char *text)
{
    char got[64] = "";

    ck_assert_int_eq(plx_socket_write(from, text, strlen(text)), (ptrdiff_t)strlen(text));
    UNTIL(world, plx_socket_bytes_available(to) >= strlen(text));
    ck_assert_int_eq(plx_socket_read(to, got, sizeof got - 1), (ptrdiff_t)strlen(text));
    ck_assert_str_eq(got, text);
}

void scene_talk(struct scene *scene)
{
    expect_bytes(scene->w, scene->client, scene->server, "from the client");
    expect_bytes(scene->w, scene->server, scene->client, "from the server");
}
