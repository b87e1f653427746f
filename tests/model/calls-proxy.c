/* tests/model/calls-proxy.c -- calls of programs with proxies, and the answer to a question for
 * credentials. */
#include "config.h"

#include "tests/model/desk.h"
#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/route.h"
#include "tests/model/supply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 400 };

static const char *const scheme_names[] = {"", "socks5", "socks5h", "http"};

/* ---- settings -------------------------------------------------------------------------------- */

/* What a proxy will be set to. */
struct setting {
    enum scheme scheme;
    enum flavour flavour;
    int absence;
    char where[PEER_WHERE], user[PEER_WHERE], password[PEER_WHERE];
};

static int port_in(const char *where)
{
    return atoi(strrchr(where, ':') + 1);
}

static void draw_user(struct turn *turn, struct setting *setting)
{
    int number = chance_of(&turn->chance, 1000);

    snprintf(setting->user, sizeof setting->user, "sesame%s-%d-%d", number % 4 == 0 ? "@" : "",
             port_in(setting->where), number);
    snprintf(setting->password, sizeof setting->password, "sesame%d", number);
}

/* Mostly a raw proxy by its address; else by a name, or where none is. */
static void draw_where(struct turn *turn, struct setting *setting)
{
    int choice = chance_of(&turn->chance, 100);
    const char *where = desk_place(setting->scheme == SCHEME_HTTP, setting->flavour);
    const char *host = choice < 76 ? "127.0.0.1" : choice < 83 ? "localhost" : "somebody.example";

    setting->absence = choice >= 83 ? CAUSE_NAME : choice >= 76 ? CAUSE_ABSENT : 0; /* ::1 */
    if (choice < 88) {
        snprintf(setting->where, sizeof setting->where, "%s:%d", host, port_in(where));
        return;
    }
    if (choice < 92)
        where = "nobody.example:1080";
    else
        where = choice < 96 ? place_silent(SORT_TCP) : place_refusing(SORT_TCP);
    setting->absence = choice < 92 ? CAUSE_NAME : choice < 96 ? 0 : CAUSE_ABSENT;
    snprintf(setting->where, sizeof setting->where, "%s", where);
}

static struct setting draw_setting(struct turn *turn, const struct model *model)
{
    struct setting setting = {.scheme = (enum scheme)(1 + chance_of(&turn->chance, 3)),
                              .flavour = model->flavour};

    draw_where(turn, &setting);
    if (chance_in(&turn->chance, 50))
        draw_user(turn, &setting);
    return setting;
}

static void write_text(const struct setting *setting, char *ret_text, size_t size)
{
    char user[PEER_WHERE] = "";
    const char *at = strchr(setting->user, '@');

    if (at != NULL)
        snprintf(user, sizeof user, "%.*s%%40%s", (int)(at - setting->user), setting->user, at + 1);
    else
        strcpy(user, setting->user);
    if (user[0] == '\0')
        snprintf(ret_text, size, "%s://%s", scheme_names[setting->scheme], setting->where);
    else
        snprintf(ret_text, size, "%s://%s:%s@%s", scheme_names[setting->scheme], user,
                 setting->password, setting->where);
}

/* Sets a proxy, and expects that the call has worked if it may. */
static void set_text(struct model *model, const char *text, bool may)
{
    char before[LONGEST];
    int code;

    snprintf(before, sizeof before, "%s", plx_socket_proxy(model->socket));
    code = plx_socket_set_proxy(model->socket, text);
    trace("set_proxy %s: %d", text == NULL ? "NULL" : text, code);
    model_failed(model, "set_proxy", code);
    if (code != 0 && strcmp(before, plx_socket_proxy(model->socket)) != 0)
        fault("set_proxy failed, and the proxy is %s", plx_socket_proxy(model->socket));
    if ((code == 0) != may && !(code == PLX_OUT_OF_MEMORY && supply_has_refused()))
        fault("set_proxy %s returned %d", text == NULL ? "NULL" : text, code);
}

static void set_setting(struct model *model, const struct setting *setting)
{
    char text[LONGEST], shown[LONGEST];
    struct route *route = &model->route;

    write_text(setting, text, sizeof text);
    snprintf(shown, sizeof shown, "%s://%s", scheme_names[setting->scheme], setting->where);
    set_text(model, text, model->sort == SORT_TCP);
    if (model->sort != SORT_TCP || strcmp(shown, plx_socket_proxy(model->socket)) != 0)
        return;
    route->scheme = setting->scheme;
    route->flavour = setting->flavour;
    route->absence = setting->absence;
    strcpy(route->where, setting->where);
    strcpy(route->user, setting->user);
    strcpy(route->password, setting->password);
}

/* A target of the last connect that no real kernel is asked for: AUTO_CONNECT would do it. */
static bool was_far(const struct model *model)
{
    return !ground_is_simulated() && model->route.port == 99;
}

static void set_none(struct turn *turn, struct model *model)
{
    if (was_far(model))
        return;
    set_text(model, chance_in(&turn->chance, 50) ? NULL : "", true);
    model->route.scheme = SCHEME_NONE;
}

static void set_nonsense(struct turn *turn, struct model *model)
{
    static const char *const texts[] = {
        "proxy",
        "sesame@sesame",
        "http://sesame:sesame@host",
        "ftp://sesame:sesame@host:1",
        "http://host:0",
        "http://host:65536",
        "http://sesame%3a:sesame@host:1",
        "socks5h://sesame:sesame@host:1/x",
        "socks5h://sesame%0a:sesame@host:1",
        "socks5://:sesame@host:1",
        "socks5://sesame@sesame@host:1",
        "http://[::1:1",
    };

    set_text(model, texts[chance_of(&turn->chance, 12)], false);
}

void proxy_set_any(struct turn *turn, struct model *model)
{
    struct setting setting = draw_setting(turn, model);

    set_setting(model, &setting);
}

void call_proxy_set(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int choice = chance_of(&turn->chance, 100);

    if (model == NULL)
        return;
    if (choice < 10)
        set_none(turn, model);
    else if (choice < 22)
        set_nonsense(turn, model);
    else
        proxy_set_any(turn, model);
}

/* ---- credentials ----------------------------------------------------------------------------- */

static void set_user(struct model *model, const char *user, const char *password, bool may)
{
    struct route *route = &model->route;
    int code = plx_socket_set_proxy_credentials(model->socket, user, password);

    trace("set_proxy_credentials %.40s: %d", user == NULL ? "NULL" : user, code);
    model_failed(model, "set_proxy_credentials", code);
    if ((code == 0) != (may && route->scheme != SCHEME_NONE))
        fault("set_proxy_credentials returned %d", code);
    if (code != 0)
        return;
    route->changed = true;
    if (route->due == DUE_QUESTION ||
        (route->due == DUE_ERROR && route->reason == PLX_REASON_PROXY_AUTHENTICATION_REQUIRED))
        route->due = DUE_NOTHING; /* it is answered before the next poll */
    snprintf(route->user, sizeof route->user, "%s", user == NULL ? "" : user);
    snprintf(route->password, sizeof route->password, "%s", password == NULL ? "" : password);
}

static void set_other_user(struct turn *turn, struct model *model)
{
    struct setting setting = {.scheme = model->route.scheme};

    strcpy(setting.where, model->route.scheme == SCHEME_NONE ? "nobody:1" : model->route.where);
    draw_user(turn, &setting);
    set_user(model, setting.user, setting.password, true);
}

static void set_same_user(struct model *model)
{
    char user[PEER_WHERE], password[PEER_WHERE];

    strcpy(user, model->route.user);
    strcpy(password, model->route.password);
    set_user(model, user, password, true);
}

static void set_odd_user(struct turn *turn, struct model *model)
{
    char longest[257], colon[PEER_WHERE];
    bool is_http = model->route.scheme == SCHEME_HTTP;

    memset(longest, 'x', sizeof longest - 1);
    memcpy(longest, "sesame", 6);
    longest[sizeof longest - 1] = '\0';
    switch (chance_of(&turn->chance, 4)) {
    case 0: set_user(model, longest, "sesame", false); break;
    case 1: set_user(model, "sesame", longest, false); break;
    case 2: set_user(model, "sesame\n", "sesame", false); break;
    default:
        snprintf(colon, sizeof colon, "sesame:-%d-7",
                 model->route.scheme == SCHEME_NONE ? 0 : port_in(model->route.where));
        set_user(model, colon, "sesame7", !is_http);
    }
}

void call_proxy_user(struct turn *turn)
{
    struct model *model = pick_socket(turn);
    int choice = chance_of(&turn->chance, 100);

    if (model == NULL)
        return;
    if (choice < 60)
        set_other_user(turn, model);
    else if (choice < 70)
        set_same_user(model);
    else if (choice < 80)
        set_user(model, chance_in(&turn->chance, 50) ? NULL : "", NULL, true);
    else
        set_odd_user(turn, model);
}

/* ---- the question ---------------------------------------------------------------------------- */

static void look_at_question(const struct model *model, const char *proxy, const char *realm)
{
    const struct route *route = &model->route;
    plx_state state = plx_socket_state(model->socket);

    trace("> proxy_authentication_required of %u: %s, %s", model->end->number, proxy, realm);
    route_keep_secret(proxy, "a question");
    route_keep_secret(realm, "a realm");
    if (state != PLX_CONNECTING && !model_is_murky(model))
        fault("a question of a proxy in state %s", plx_state_name(state));
    if (model->reconnects || model_is_murky(model))
        return;
    if (!route->changed && !route_has_cause(model, CAUSE_QUESTION))
        fault("a question that no proxy has asked");
    if (route->leads == LEADS_NOT)
        fault("a question of a proxy that is not used");
    if (strcmp(proxy, route->shown) != 0)
        fault("a question of the proxy %s, not %s", proxy, route->shown);
    if (route->due == DUE_QUESTION && strcmp(realm, route->realm) != 0)
        fault("the realm is \"%s\", not \"%s\"", realm, route->realm);
    if (route->due == DUE_TUNNEL || route->due == DUE_ERROR)
        fault("a question of a proxy, and due is %d", (int)route->due);
}

static void connect_anew(struct turn *turn, struct model *model)
{
    trace("close of %u, and another connect", model->end->number);
    plx_socket_close(model->socket);
    model_cut(model);
    connect_model(model, place_for(turn, model));
}

static void answer(struct turn *turn, struct model *model)
{
    int choice = chance_of(&turn->chance, player.settling ? 75 : 100);

    if (choice < 55) {
        set_other_user(turn, model);
    } else if (choice < 63) {
        set_same_user(model);
    } else if (choice < 67) {
        set_user(model, NULL, NULL, true);
    } else if (choice < 80) {
        trace("no answer");
    } else if (choice < 87) {
        trace("close of %u", model->end->number);
        plx_socket_close(model->socket);
        model_cut(model);
    } else if (choice < 94) {
        connect_anew(turn, model);
    } else {
        proxy_set_any(turn, model);
    }
}

/* Without an answer the connect ends, if this handler was the one that could have answered. */
static void follow_answer(struct model *model, const struct end *end)
{
    struct route *route = &model->route;

    bool changed = route->changed;

    route->changed = false;
    if (model->socket == NULL || model->end != end || model->reconnects || changed ||
        plx_socket_state(model->socket) != PLX_CONNECTING || model_is_murky(model))
        return;
    route->due = DUE_ERROR;
    route->code = EACCES;
    route->reason = PLX_REASON_PROXY_AUTHENTICATION_REQUIRED;
}

/* The handler makes calls as others do, which may free the socket, and then answers by chance. */
void proxy_asks(plx_socket *socket, const char *proxy, const char *realm, void *user)
{
    struct turn turn = {chance_for(player.program->seed, LIST_DESKS, -1 - player.asked++), user};
    struct model *model = user;
    const struct end *end = model == NULL ? NULL : model->end;

    player.moved++;
    trace_page()->events++;
    if (polls_running() == 0)
        fault("a question of a proxy outside a poll");
    if (model == NULL || model->socket != socket || model->inside++ > 0) {
        fault("a question of a proxy after free, or inside another handler");
        return;
    }
    look_at_question(model, proxy, realm);
    model->route.due = DUE_NOTHING;
    model->route.causes |= CAUSE_QUESTION;
    model->route.questions++;
    trace_in();
    ruin();
    play_inner(model);
    if (model->socket != NULL && model->end == end &&
        plx_socket_state(model->socket) == PLX_CONNECTING)
        answer(&turn, model);
    follow_answer(model, end);
    trace_out();
    model_leave(model);
}

/* ---- the protocol's tag, and the environment ------------------------------------------------- */

void call_proxy_tag(struct turn *turn)
{
    static const struct {
        const char *tag;
        bool may;
    } tags[] = {{"irc", true},
                {"a+b-c.1", true},
                {"", true},
                {NULL, true},
                {"IRC", false},
                {"two words", false},
                {"a-word-of-more-than-32-characters", false}};
    struct model *model = pick_socket(turn);
    int at = chance_of(&turn->chance, 7), code;

    if (model == NULL)
        return;
    code = plx_socket_set_protocol_tag(model->socket, tags[at].tag);
    trace("tag %s: %d", tags[at].tag == NULL ? "NULL" : tags[at].tag, code);
    model_failed(model, "set_protocol_tag", code);
    if ((code == 0) != tags[at].may && !(code == PLX_OUT_OF_MEMORY && supply_has_refused()))
        fault("set_protocol_tag returned %d", code);
    if (code == 0 && strcmp(plx_socket_protocol_tag(model->socket),
                            tags[at].tag == NULL ? "" : tags[at].tag) != 0)
        fault("the tag is %s", plx_socket_protocol_tag(model->socket));
}

/* The proxy that the environment names for a host, which is then the socket's. */
void call_proxy_environment(struct turn *turn)
{
    static const char *const hosts[] = {"e7.far",         "198.18.0.7", "localhost",
                                        "direct.example", "127.0.0.9",  "[::1]"};
    enum { FAR_HOSTS = 2 };
    struct model *model = pick_socket(turn);
    struct setting setting = {.scheme = SCHEME_HTTP};
    char text[LONGEST], found[LONGEST];
    int at = chance_of(&turn->chance, 6);
    size_t size = chance_in(&turn->chance, 80) ? sizeof found : 5;
    bool fits, known;

    if (model == NULL || model->sort != SORT_TCP)
        return;
    setting.flavour = model->flavour;
    strcpy(setting.where, desk_place(true, model->flavour));
    draw_user(turn, &setting);
    write_text(&setting, text, sizeof text);
    ground_set_variable("all_proxy", text);
    ground_set_variable("no_proxy", "direct.example,192.0.2.0/24");
    known = plx_proxy_from_environment(plx_socket_protocol_tag(model->socket), hosts[at], 99, found,
                                       size);
    fits = at >= FAR_HOSTS || size > 5;
    trace("the environment has a proxy for %s: %d", hosts[at], known);
    if (known != fits || strcmp(found, known && at < FAR_HOSTS ? text : "") != 0)
        fault("the environment has the proxy \"%s\" for %s: %d", found, hosts[at], known);
    if (known && found[0] != '\0')
        set_setting(model, &setting);
}
