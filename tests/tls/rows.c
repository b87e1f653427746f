/* tests/tls/rows.c -- the rows of TLS: a program whose linker is asked for tls_rows has them. */
#include "config.h"

#include "lib/socket/object.h"
#include "lib/tls/connection.h"
#include "lib/tls/steps.h"

#include <pollux/tls.h>

#include <errno.h>

#include "tests/counting.h"
#include "tests/tls/authority.h"
#include "tests/tls/must.h"
#include "tests/tls/rows.h"
#include "tests/tls/talker.h"

/* What all connections of a version use, on both sides. */
struct version {
    plx_tls *client, *server;
    SSL_CTX *raw_client, *raw_server;
};

static struct version versions[2]; /* TLS 1.2 and 1.3 */

/* ---- sockets of ours ------------------------------------------------------------------------- */

/* A socket that connects is the client of TLS, one that accepts or adopts is the server. Settings
 * have one role, and a socket of a row may do all of these: so a filter below TLS exchanges the
 * settings when a connection begins. */
struct role {
    const struct version *version;
    size_t most;          /* bytes that one step moves, if it is narrow */
    bool receives, sends; /* the last call has moved some */
};

static int role_begin(plx_filter *filter)
{
    const struct role *own = plx_filter_state(filter);
    plx_socket *socket = plx_filter_socket(filter);
    struct plx__tls_connection *connection =
        plx__tls_connection_of(plx_socket_filter(socket, &plx__tls_kind));
    plx_tls *tls = socket->is_caller ? own->version->client : own->version->server;

    plx__tls_forget_connection(connection);
    plx_tls_free(connection->tls);
    connection->tls = plx__tls_share(tls);
    return 0;
}

static size_t most; /* bytes below TLS in a step; 0: all */

void tls_narrow(size_t bytes)
{
    most = bytes;
}

/* Every second call finds nothing. */
static bool has_turn(plx_filter *filter, bool *turn)
{
    *turn = !*turn;
    if (!*turn)
        plx_filter_set_want(filter, PLX_WANT_NOTHING, 0);
    return *turn;
}

static ptrdiff_t narrow_receive(plx_filter *filter, void *data, size_t size)
{
    struct role *own = plx_filter_state(filter);

    if (!has_turn(filter, &own->receives))
        return -EAGAIN;
    return plx_filter_lower_receive(filter, data, size < own->most ? size : own->most);
}

static ptrdiff_t narrow_send(plx_filter *filter, const void *data, size_t size)
{
    struct role *own = plx_filter_state(filter);

    if (!has_turn(filter, &own->sends))
        return -EAGAIN;
    return plx_filter_lower_send(filter, data, size < own->most ? size : own->most);
}

static const plx_filter_kind narrow_filter = {
    .size = sizeof narrow_filter,
    .state_size = sizeof(struct role),
    .name = "narrow role",
    .begin = role_begin,
    .receive = narrow_receive,
    .send = narrow_send,
};

static const plx_filter_kind role_filter = {
    .size = sizeof role_filter,
    .state_size = sizeof(struct role),
    .name = "role",
    .begin = role_begin,
};

static const struct version *version_of(int number)
{
    return &versions[number - 12];
}

plx_socket *tls_row_new(plx_socket *socket, int number)
{
    const struct version *version = version_of(number);
    const plx_filter_kind *kind = most == 0 ? &role_filter : &narrow_filter;
    plx_filter *role = socket == NULL ? NULL : plx_socket_push_filter(socket, kind);

    if (role == NULL || plx_socket_set_tls(socket, version->client) != 0)
        return plx_socket_free(socket);
    *(struct role *)plx_filter_state(role) = (struct role){.version = version, .most = most};
    return socket;
}

/* A Unix address is no name of a host. */
static plx_socket *name(plx_socket *socket)
{
    return socket == NULL || plx_socket_set_tls_name(socket, "localhost") == 0
               ? socket
               : plx_socket_free(socket);
}

static plx_socket *tls12_tcp_new(void)
{
    return tls_row_new(plx_tcp_new(), 12);
}

static plx_socket *tls13_tcp_new(void)
{
    return tls_row_new(plx_tcp_new(), 13);
}

static plx_socket *tls12_ipc_new(void)
{
    return name(tls_row_new(plx_ipc_new(), 12));
}

static plx_socket *tls13_ipc_new(void)
{
    return name(tls_row_new(plx_ipc_new(), 13));
}

/* ---- raw peers ------------------------------------------------------------------------------- */

void tls_row_begin(struct raw *raw, bool accepted, int number, const char *below)
{
    const struct version *version = version_of(number);

    talker_begin(raw, accepted, kind_of_name(below),
                 accepted ? version->raw_server : version->raw_client);
}

/* The bytes of a Unix socket are as plain as those of TCP. */
static void tls12_begin(struct raw *raw, bool accepted)
{
    tls_row_begin(raw, accepted, 12, "tcp");
}

static void tls13_begin(struct raw *raw, bool accepted)
{
    tls_row_begin(raw, accepted, 13, "tcp");
}

/* ---- settings -------------------------------------------------------------------------------- */

static SSL_CTX *new_raw_context(int number, const struct certificate *certificate)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    int version = number == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;

    MUST(context != NULL && SSL_CTX_set_min_proto_version(context, version) == 1 &&
         SSL_CTX_set_max_proto_version(context, version) == 1);
    if (certificate != NULL)
        certificate_use(certificate, context);
    return context;
}

/* A session that is remembered would be a block that the world has not freed. */
static void set_version(plx_tls *tls, int number)
{
    MUST(plx_tls_set_option(tls, number == 13 ? PLX_TLS_MINIMUM : PLX_TLS_MAXIMUM, number) == 0);
    MUST(plx_tls_set_option(tls, PLX_TLS_SESSIONS, 0) == 0);
}

static struct version new_version(int number, const struct certificate *root,
                                  const struct certificate *server)
{
    struct version version = {plx_tls_new_client(), plx_tls_new_server(),
                              new_raw_context(number, NULL), new_raw_context(number, server)};
    char pem[4096], key[4096];
    size_t size = certificate_pem(root, pem, sizeof pem), key_size;

    MUST(plx_tls_trust_memory(version.client, pem, size) == 0);
    size = certificate_pem(server, pem, sizeof pem);
    key_size = certificate_key_pem(server, key, sizeof key);
    MUST(plx_tls_use_memory(version.server, pem, size, key, key_size, NULL) == 0);
    set_version(version.client, number);
    set_version(version.server, number);
    return version;
}

plx_tls *tls_settings(int number, bool is_server)
{
    const struct version *version = version_of(number);

    return is_server ? version->server : version->client;
}

/* ---- the rows -------------------------------------------------------------------------------- */

/* The linker is asked for it. */
extern int tls_rows;
int tls_rows;

void tls_row_add(const char *row, const char *below, plx_constructor *create,
                 void (*begins)(struct raw *raw, bool accepted), bool ends_both)
{
    struct kind kind = *kind_of_name(below);

    kind.name = row;
    kind.create = create;
    kind.filtered = kind.establishes = true;
    kind.ends_both = ends_both;
    kind.begin = begins;
    kind.say = talker_say;
    kind.hear = talker_hear;
    kind.turn = talker_turn;
    kind.end = talker_end;
    kind.close = talker_close;
    kind.forget = talker_forget;
    kinds_add(&kind);
}

/* The settings are made before the first case, which counts the blocks of memory, and for all cases
 * at once: each one reads the certificates that are installed. */
__attribute__((constructor)) static void add_rows(void)
{
    static const struct paper authority = {.is_ca = true};
    static const struct paper host = {.names = "DNS:localhost,IP:127.0.0.1"};
    struct certificate *root, *server;

    count_memory();
    root = certificate_new(&authority, NULL);
    server = certificate_new(&host, root);
    versions[0] = new_version(12, root, server);
    versions[1] = new_version(13, root, server);
    certificate_free(server);
    certificate_free(root);
    tls_row_add("tls12 tcp", "tcp", tls12_tcp_new, tls12_begin, true);
    tls_row_add("tls13 tcp", "tcp", tls13_tcp_new, tls13_begin, false);
    tls_row_add("tls12 ipc", "ipc", tls12_ipc_new, tls12_begin, true);
    tls_row_add("tls13 ipc", "ipc", tls13_ipc_new, tls13_begin, false);
}
