/* tests/model/tls.c -- TLS in programs. See tls.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* OpenSSL 3 would have a provider for RAND_set_rand_method */
#include "config.h"

#include "tests/model/tls.h"

#include "tests/kinds.h"
#include "tests/model/ground.h"
#include "tests/model/handlers.h"
#include "tests/model/supply.h"
#include "tests/tls/authority.h"

#include <pollux/tls.h>

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSIONS = 2, SIDES = 2 };

/* The files of the process; `folder` is empty until they are made. */
static struct {
    char folder[40];
    char root[WHERE_SIZE], own[SIDES][WHERE_SIZE], key[SIDES][WHERE_SIZE];
} papers;

/* The settings of the program. */
static struct {
    plx_tls *settings[VERSIONS][SIDES]; /* NULL: there was no memory */
    int usual;                          /* the version of most sockets */
    bool checks, mutual;
    bool allows_truncation;
    int asked; /* how often a check handler was */
} tls;

bool tls_is_here(void)
{
    return true;
}

bool tls_allows_truncation(void)
{
    return tls.allows_truncation;
}

/* ---- random numbers -------------------------------------------------------------------------- */

/* The simulated kernel plays a program in the same way each time, and so must OpenSSL: a session has
 * random numbers whose length in DER varies, and the size of a ticket with it. */
static struct chance numbers;

static int fill(unsigned char *bytes, int size)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)chance_of(&numbers, 256);
    return 1;
}

static int is_seeded(void)
{
    return 1;
}

static void number(uint64_t seed)
{
    static const RAND_METHOD method = {.bytes = fill, .pseudorand = fill, .status = is_seeded};

    numbers = chance_for(seed, LIST_TRAITS, 5);
    if (ground_is_simulated())
        RAND_set_rand_method(&method);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static void remove_papers(void)
{
    unlink(papers.root);
    for (int side = 0; side < SIDES; side++) {
        unlink(papers.own[side]);
        unlink(papers.key[side]);
    }
    rmdir(papers.folder);
}

static void write_paper(const struct certificate *root, enum tls_side side, const char *name)
{
    struct certificate *certificate = certificate_new(
        &(struct paper){.subject = name, .names = "DNS:localhost,IP:127.0.0.1", .key = "ED25519"},
        root);
    char file[40];

    snprintf(file, sizeof file, "%s.pem", name);
    certificate_write(certificate, papers.folder, file, papers.own[side]);
    snprintf(file, sizeof file, "%s-key.pem", name);
    certificate_write_key(certificate, NULL, papers.folder, file, papers.key[side]);
    certificate_free(certificate);
}

/* New settings of a client read the installed certificates: here the authority's own, which is
 * faster. */
void tls_papers(void)
{
    struct certificate *root;

    number(0);
    strcpy(papers.folder, "/tmp/pollux-model-XXXXXX");
    if (mkdtemp(papers.folder) == NULL)
        abort();
    atexit(remove_papers);
    root = certificate_new(&(struct paper){.is_ca = true, .key = "ED25519"}, NULL);
    certificate_write(root, papers.folder, "root.pem", papers.root);
    write_paper(root, TLS_CLIENT, "client");
    write_paper(root, TLS_SERVER, "server");
    certificate_free(root);
    setenv("SSL_CERT_FILE", papers.root, 1);
    setenv("SSL_CERT_DIR", papers.folder, 1);
}

/* ---- the check of the peer ------------------------------------------------------------------- */

/* The handler makes calls as others do, which may free the socket, and then answers by chance. */
static int on_check(plx_socket *socket, const plx_tls_info *problem, void *user)
{
    static const int answers[] = {PLX_TLS_ACCEPT, PLX_TLS_ACCEPT, PLX_TLS_REFUSE, PLX_TLS_PAUSE};
    struct chance chance =
        chance_for(player.program->seed, LIST_INNER, 2 * PROGRAM_INNER + tls.asked++);
    struct model *model = model_of(socket);
    int answer = answers[chance_of(&chance, 4)];

    (void)user;
    player.moved++;
    trace_page()->events++;
    trace("> check of a peer: %d", (int)problem->check);
    if (polls_running() == 0)
        fault("a check outside a poll");
    if (model == NULL || model->socket != socket || model->inside++ > 0) {
        fault("a check before accepted, after free, or inside another handler");
        return PLX_TLS_REFUSE;
    }
    trace_in();
    ruin();
    play_inner(model);
    trace_out();
    model_leave(model);
    trace("  answer %d", answer);
    return answer;
}

/* ---- settings -------------------------------------------------------------------------------- */

static int use_own(plx_tls *settings, enum tls_side side)
{
    return plx_tls_use_file(settings, papers.own[side], papers.key[side], NULL);
}

static bool prepare_server(plx_tls *settings)
{
    return use_own(settings, TLS_SERVER) == 0 &&
           (!tls.mutual || (plx_tls_trust_file(settings, papers.root) == 0 &&
                            plx_tls_set_option(settings, PLX_TLS_VERIFY,
                                               PLX_TLS_VERIFY_OPTIONAL) == 0));
}

static bool prepare_client(plx_tls *settings)
{
    return plx_tls_trust_file(settings, papers.root) == 0 &&
           (!tls.mutual || use_own(settings, TLS_CLIENT) == 0);
}

static bool prepare_any(plx_tls *settings, int version)
{
    return plx_tls_set_option(settings, PLX_TLS_MAXIMUM, 12 + version) == 0 &&
           plx_tls_set_option(settings, PLX_TLS_MINIMUM, 12 + version) == 0 &&
           (!tls.checks || plx_tls_set_check(settings, on_check, NULL) == 0);
}

/* New settings take the place of old ones, which sockets may still use. */
static void renew(int version, enum tls_side side)
{
    plx_tls *settings = side == TLS_SERVER ? plx_tls_new_server() : plx_tls_new_client();
    bool good = settings != NULL &&
                (side == TLS_SERVER ? prepare_server(settings) : prepare_client(settings)) &&
                prepare_any(settings, version);

    plx_tls_free(tls.settings[version][side]);
    tls.settings[version][side] = good ? settings : plx_tls_free(settings);
}

void tls_begin(void)
{
    struct chance chance = chance_for(player.program->seed, LIST_TRAITS, 3);

    memset(&tls, 0, sizeof tls);
    if (!player.program->tls)
        return;
    number(player.program->seed);
    tls.usual = chance_of(&chance, VERSIONS);
    tls.checks = chance_in(&chance, 70);
    tls.mutual = chance_in(&chance, 30);
    for (int version = 0; version < VERSIONS; version++)
        for (int side = 0; side < SIDES; side++) {
            renew(version, (enum tls_side)side);
            if (tls.settings[version][side] == NULL)
                fault("no settings of TLS");
        }
}

void tls_end(void)
{
    for (int version = 0; version < VERSIONS; version++)
        for (int side = 0; side < SIDES; side++)
            tls.settings[version][side] = plx_tls_free(tls.settings[version][side]);
}

static const struct {
    plx_tls_option option;
    int value;
} choices[] = {{PLX_TLS_SESSIONS, 0},         {PLX_TLS_SESSIONS, 1},
               {PLX_TLS_PAUSE_ON_PROBLEM, 1}, {PLX_TLS_PAUSE_ON_PROBLEM, 0},
               {PLX_TLS_ALLOW_TRUNCATION, 1}, {PLX_TLS_ALLOW_TRUNCATION, 0},
               {PLX_TLS_VERIFY, 0},           {PLX_TLS_VERIFY, 2},
               {PLX_TLS_VERIFY_DEPTH, 1}};

static int set_choice(struct turn *turn, plx_tls *settings)
{
    int choice = chance_of(&turn->chance, (int)(sizeof choices / sizeof choices[0]));
    int code = plx_tls_set_option(settings, choices[choice].option, choices[choice].value);

    trace("option %d of TLS = %d: %d", (int)choices[choice].option, choices[choice].value, code);
    if (code == 0 && choices[choice].option == PLX_TLS_ALLOW_TRUNCATION)
        tls.allows_truncation |= choices[choice].value != 0;
    return code;
}

static int set_protocols(struct turn *turn, plx_tls *settings)
{
    static const char *const names[] = {"h2", "http/1.1"};

    return plx_tls_set_protocols(settings, names + chance_of(&turn->chance, 2),
                                 (size_t)chance_of(&turn->chance, 2));
}

void call_tls_setting(struct turn *turn)
{
    int version = chance_in(&turn->chance, 80) ? tls.usual : chance_of(&turn->chance, VERSIONS);
    enum tls_side side = (enum tls_side)chance_of(&turn->chance, SIDES);
    plx_tls *settings = tls.settings[version][side];
    int code = 0;

    if (settings == NULL)
        return;
    switch (chance_of(&turn->chance, 8)) {
    case 0: code = plx_tls_reload(settings); break;
    case 1:
        trace("free of settings of TLS");
        renew(version, side);
        return;
    case 2: code = plx_tls_set_check(settings, on_check, NULL); break;
    case 3: code = plx_tls_set_check(settings, NULL, NULL); break;
    case 4: code = set_protocols(turn, settings); break;
    default: code = set_choice(turn, settings);
    }
    trace("a setting of TLS: %d", code);
    if (code != plx_tls_error(settings)->code && code != 0)
        fault("a setting of TLS returned %d, and its error is %d", code,
              plx_tls_error(settings)->code);
    if (code != 0 && !supply_has_refused() && !player.program->starves)
        fault("a setting of TLS failed: %s", plx_tls_error(settings)->message);
}

/* ---- sockets --------------------------------------------------------------------------------- */

enum flavour tls_flavour(struct turn *turn)
{
    int version = chance_in(&turn->chance, 85) ? tls.usual : chance_of(&turn->chance, VERSIONS);

    return (enum flavour)((int)FLAVOUR_TLS12 + version);
}

static int version_of(enum flavour flavour)
{
    return (int)flavour - (int)FLAVOUR_TLS12;
}

/* Whether the socket, too, knows of a lack of memory depends on what was lacking. */
static void set(struct model *model, plx_tls *settings)
{
    plx_state before = plx_socket_state(model->socket);
    int code = plx_socket_set_tls(model->socket, settings);

    trace("set_tls%s: %d", settings == NULL ? " to none" : "", code);
    if (code == 0)
        model->has_tls = settings != NULL;
    if (code != PLX_OUT_OF_MEMORY && (code == 0) != (before == PLX_UNCONNECTED))
        fault("set_tls returned %d in state %s", code, plx_state_name(before));
}

static void set_name(struct model *model, const char *name)
{
    plx_state state = plx_socket_state(model->socket);
    int code = plx_socket_set_tls_name(model->socket, name);

    trace("name %s: %d", name == NULL ? "NULL" : name, code);
    if (code != 0 && code != PLX_OUT_OF_MEMORY)
        model_failed(model, "set_tls_name", code);
    if (code != 0 && code != PLX_OUT_OF_MEMORY && state != PLX_LISTENING && state != PLX_CLOSING)
        fault("set_tls_name returned %d in state %s", code, plx_state_name(state));
}

/* What start_tls has given to the last connection, the next one does not have. */
static void forget_start(struct model *model)
{
    if (model->has_begun_tls) {
        model->flavour = FLAVOUR_PLAIN;
        model->has_begun_tls = false;
    }
}

void tls_prepare(struct turn *turn, struct model *model, enum tls_side side)
{
    int choice, version;

    if (!model_is_tls(model) || plx_socket_state(model->socket) != PLX_UNCONNECTED)
        return;
    forget_start(model);
    if (!model_is_tls(model))
        return;
    choice = chance_of(&turn->chance, 100);
    version = version_of(model->flavour);
    if (side == TLS_ANY || choice < 3)
        side = (enum tls_side)chance_of(&turn->chance, SIDES);
    set(model, choice > 95 ? NULL : tls.settings[version][side]);
    if (choice < 90 && (model->sort != SORT_TCP || choice < 50))
        set_name(model, "localhost");
}

bool tls_equip(struct house *house)
{
    plx_tls *settings = tls.settings[version_of(house->flavour)][TLS_SERVER];

    return settings != NULL && plx_server_set_tls(house->server, settings) == 0;
}

void call_tls_set(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    enum tls_side side = (enum tls_side)chance_of(&turn->chance, SIDES);
    bool none = chance_in(&turn->chance, 20);

    if (model != NULL && model_is_tls(model) && !model->has_begun_tls)
        set(model, none ? NULL : tls.settings[version_of(model->flavour)][side]);
}

void call_tls_name(struct turn *turn)
{
    static const char *const names[] = {"localhost", "localhost",     "127.0.0.1",
                                        "::1",       "wrong.example", NULL};
    struct model *model = pick_socket(turn);

    if (model != NULL && model_is_stream(model))
        set_name(model, names[chance_of(&turn->chance, 6)]);
}

void call_tls_resume(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    bool accept = chance_in(&turn->chance, 70);

    if (model == NULL)
        return;
    trace("resume: %d", plx_socket_resume(model->socket, accept));
}

/* ---- in mid-stream --------------------------------------------------------------------------- */

/* The client of a server lives as long as the server has it among its own. */
static struct model *client_that_reads(const struct house *house, const struct end *end)
{
    plx_socket *client = house->server == NULL ? NULL : plx_server_next_active(house->server, NULL);

    while (client != NULL && (model_of(client) == NULL || model_of(client)->end->from != end))
        client = plx_server_next_active(house->server, client);
    return client == NULL ? NULL : model_of(client);
}

/* The socket that reads what an end sends; NULL: none, or it is not known yet. */
static struct model *reader_of(const struct end *end)
{
    struct model *model = NULL;

    for (int i = 0; i < SOCKETS && model == NULL; i++)
        if (player.sockets[i] != NULL && player.sockets[i]->end != NULL &&
            player.sockets[i]->end->from == end)
            model = player.sockets[i];
    for (int i = 0; i < SERVERS && model == NULL; i++)
        model = client_that_reads(&player.houses[i], end);
    return model;
}

static bool may_start(const struct model *model)
{
    return model_is_quiet(model) && model->flavour == FLAVOUR_PLAIN && model->inside == 0 &&
           !model->closing && model->phase == PHASE_UP && !model->end->noise;
}

static void start(struct model *model, enum tls_side side)
{
    plx_tls *settings = tls.settings[tls.usual][side];
    int code;

    set_name(model, "localhost");
    code = plx_socket_start_tls(model->socket, settings);
    trace("start_tls of %u: %d", model->end->number, code);
    if (code != 0 && settings != NULL)
        fault("start_tls returned %d: %s", code, plx_tls_error(settings)->message);
    model->flavour = (enum flavour)((int)FLAVOUR_TLS12 + tls.usual);
    model->has_begun_tls = model->waits_encrypted = true;
}

static void expect_refused(struct model *model)
{
    int code;

    if (!model_is_encrypted(model) || tls.settings[0][TLS_CLIENT] == NULL)
        return;
    code = plx_socket_start_tls(model->socket, tls.settings[0][TLS_CLIENT]);
    if (code != PLX_INVALID_STATE)
        fault("start_tls of an encrypted connection, or of none, returned %d", code);
}

/* Both ends begin TLS, or one alone: then the other reads what it does not understand. */
static bool start_both(struct turn *turn, struct model *model, struct model *other)
{
    int side = chance_of(&turn->chance, SIDES);

    if (other == NULL || !may_start(model) || !may_start(other) ||
        model->end->from != other->end || other->end->from != model->end ||
        supply_refuses() || supply_has_refused() || player.program->starves)
        return false;
    start(model, (enum tls_side)side);
    if (chance_in(&turn->chance, 10))
        model->end->noise = other->end->noise = other->end->blind = true;
    else
        start(other, (enum tls_side)(1 - side));
    return true;
}

void call_tls_start(struct turn *turn)
{
    struct model *model = pick_socket(turn);

    if (model == NULL || supply_has_refused() || player.program->starves)
        return;
    if (may_start(model))
        start_both(turn, model, reader_of(model->end));
    else
        expect_refused(model);
}

/* ---- two ends that meet ---------------------------------------------------------------------- */

/* A house that has a flavour, of either sort of stream, which is opened if there is none. */
static struct house *house_of_flavour(struct turn *turn, enum flavour flavour)
{
    struct house *house = pick_house(turn);

    for (int i = 0; i < SERVERS; i++)
        if (player.houses[i].server != NULL && player.houses[i].flavour == flavour &&
            player.houses[i].sort < SORT_SEQPACKET)
            house = &player.houses[i];
    if (house->server == NULL) {
        house->sort = chance_in(&turn->chance, 60) ? SORT_TCP : SORT_IPC;
        house->flavour = flavour;
        house_open(turn, house, false);
    }
    return house->server != NULL && house->flavour == flavour && house->sort < SORT_SEQPACKET &&
                   plx_server_is_listening(house->server)
               ? house
               : NULL;
}

static struct model *new_client(struct turn *turn, enum sort sort, enum flavour flavour)
{
    int slot = free_slot_of_sockets(), group = pick_group(turn);
    plx_socket *socket = slot < SOCKETS ? make_socket(sort, flavour) : NULL;
    struct model *model;

    if (socket == NULL)
        return NULL;
    model = player.sockets[slot] = model_new(socket, sort, flavour);
    plx_socket_set_events(socket, &all_events, model);
    if (player.groups[group] != NULL && plx_group_add(player.groups[group], socket) == 0)
        model->group = player.groups[group];
    return model;
}

/* A socket that can connect to a house; one that has another version of TLS gets that of the
 * house. */
static struct model *client_for(struct turn *turn, const struct house *house)
{
    for (int i = 0; i < SOCKETS; i++) {
        struct model *model = player.sockets[i];

        if (model == NULL || model->sort != house->sort || model->phase != PHASE_IDLE ||
            model->reconnects || model->has_begun_tls ||
            plx_socket_state(model->socket) != PLX_UNCONNECTED)
            continue;
        if (model->flavour == house->flavour)
            return model;
        if (model_is_tls(model) && house->flavour >= FLAVOUR_TLS12) {
            model->flavour = house->flavour;
            return model;
        }
    }
    return new_client(turn, house->sort, house->flavour);
}

static void take_of_house(const struct house *house)
{
    plx_socket *client = house->server == NULL ? NULL : plx_server_next_active(house->server, NULL);

    for (; client != NULL; client = plx_server_next_active(house->server, client))
        if (model_of(client) != NULL)
            take_all(model_of(client));
}

/* Polls and reads; returns whether the socket is still there. */
static bool go_on(struct model *model, const struct house *house, int rounds)
{
    for (int i = 0; i < rounds && model->socket != NULL; i++) {
        poll_all();
        ground_pause(1);
        take_of_house(house);
        if (model->socket != NULL)
            take_all(model);
    }
    return model->socket != NULL;
}

/* A socket connects to a house, and some bytes are written on the way. */
static struct model *meet(struct turn *turn, enum flavour flavour, struct house **ret_house)
{
    struct house *house = polls_running() > 0 ? NULL : house_of_flavour(turn, flavour);
    struct model *model = house == NULL ? NULL : client_for(turn, house);

    if (model == NULL)
        return NULL;
    *ret_house = house;
    tls_prepare(turn, model, TLS_CLIENT);
    connect_model(model, house->where);
    if (chance_in(&turn->chance, 50))
        write_bytes(turn, model);
    return go_on(model, house, 1 + chance_of(&turn->chance, 10)) ? model : NULL;
}

void call_tls_meet(struct turn *turn)
{
    struct house *house;
    struct model *model = meet(turn, tls_flavour(turn), &house);

    if (model == NULL || model->has_dropped)
        return;
    write_bytes(turn, model);
    go_on(model, house, chance_of(&turn->chance, 4));
}

/* The other end has sent its number, and bytes have passed in both directions. */
static struct model *acquaint(struct turn *turn, struct model *model, const struct house *house)
{
    struct model *other;

    if (model->has_dropped)
        return NULL;
    write_bytes(turn, model);
    if (!go_on(model, house, 4) || model->end == NULL)
        return NULL;
    other = reader_of(model->end);
    if (other == NULL || other->has_dropped)
        return NULL;
    write_bytes(turn, other);
    return go_on(model, house, 4) && model->end != NULL ? reader_of(model->end) : NULL;
}

/* Two ends in clear begin TLS. */
void call_tls_upgrade(struct turn *turn)
{
    struct house *house;
    struct model *model = meet(turn, FLAVOUR_PLAIN, &house);
    struct model *other = model == NULL ? NULL : acquaint(turn, model, house);

    if (other == NULL || !start_both(turn, model, other))
        return;
    write_bytes(turn, model);
    go_on(model, house, chance_of(&turn->chance, 8));
}

/* ---- what is known --------------------------------------------------------------------------- */

static void look_at_info(const struct model *model)
{
    bool is_encrypted = model_is_encrypted(model) && plx_socket_is_encrypted(model->socket) &&
                        plx_socket_state(model->socket) == PLX_CONNECTED && !model->reconnects;
    plx_tls_info info = {0};
    bool known = plx_socket_tls_info(model->socket, &info);

    if (!is_encrypted)
        return;
    trace("TLS 1.%d, resumed: %d", info.version - 10, info.resumed);
    if (!known || info.version != 12 + version_of(model->flavour) || info.cipher[0] == '\0')
        fault("an encrypted connection has version %d and cipher \"%s\"", info.version,
              info.cipher);
}

void call_tls_ask(struct turn *turn)
{
    const struct model *model = pick_socket(turn);
    size_t depth = (size_t)chance_of(&turn->chance, 3), size;
    unsigned char der[2000];

    if (model == NULL)
        return;
    look_at_info(model);
    size = plx_socket_peer_certificate(model->socket, depth, der,
                                       chance_in(&turn->chance, 50) ? sizeof der : 10);
    if (size > sizeof der)
        fault("a certificate of %zu bytes", size);
    plx_socket_is_encrypted(model->socket);
}
