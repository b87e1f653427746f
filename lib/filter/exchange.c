/* lib/filter/exchange.c -- the filter that asks a proxy for a tunnel and then lets bytes pass. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/filter/exchange.h"
#include "lib/filter/talk.h"
#include "lib/os/errno.h"
#include "lib/socket/chain.h"
#include "lib/socket/handlers.h"

#include <string.h>

/* The talk is there while the tunnel is not. */
struct exchange {
    struct plx__talk *talk;
    unsigned number; /* of the talk */
};

static void end_talk(struct exchange *exchange)
{
    plx__memory_free(exchange->talk);
    exchange->talk = NULL;
}

static int begin(plx_filter *filter)
{
    struct exchange *exchange = plx_filter_state(filter);
    plx_socket *socket = plx_filter_socket(filter);
    end_talk(exchange);
    if (!plx__route_leads(socket)) {
        return 0;
    }
    exchange->talk = plx__memory_new(sizeof *exchange->talk);
    if (exchange->talk == NULL) {
        return plx_filter_fail(filter, PLX_OUT_OF_MEMORY, PLX_REASON_SOCKET_RESOURCE, "proxy: %s",
                               plx_code_text(PLX_OUT_OF_MEMORY));
    }
    exchange->number++;
    exchange->talk->filter = filter;
    exchange->talk->way = &plx__proxy_of(socket)->way;
    return 0;
}

/* Which of the target's addresses it is, is known only now. */
static void note_peer(struct plx__proxy *proxy)
{
    if (!plx__way_sends_name(&proxy->way)) {
        proxy->route.remote = proxy->way.addresses[proxy->way.next];
    }
}

static int establish(plx_filter *filter)
{
    struct exchange *exchange = plx_filter_state(filter);
    struct plx__talk *talk = exchange->talk;
    if (talk == NULL) {
        return 0; /* straight to the peer */
    }
    talk->allowance = PLX__TALK_ALLOWANCE;
    bool http = talk->way->proxy.scheme == PLX__PROXY_HTTP;
    int code = http ? plx__http_establish(talk) : plx__socks5_establish(talk);
    if (code == 0) {
        note_peer(plx__proxy_of(plx_filter_socket(filter)));
    }
    if (code != PLX__EAGAIN) {
        end_talk(exchange);
    }
    return code;
}

/* The handler may connect anew, which begins another talk, and still look at its strings. That talk
 * may be where this one was, and is not the one that was asked about. */
static void ask(plx_filter *filter)
{
    const struct exchange *exchange = plx_filter_state(filter);
    plx_socket *socket = plx_filter_socket(filter);
    struct plx__talk *talk = exchange->talk;
    char proxy[sizeof talk->way->shown], realm[sizeof talk->answer.realm];
    if (talk == NULL || !plx__talk_put_question(talk)) {
        return;
    }
    unsigned number = exchange->number;
    memcpy(proxy, talk->way->shown, sizeof proxy);
    memcpy(realm, talk->answer.realm, sizeof realm);
    plx__handlers_proxy_authentication_required(&socket->handlers, socket, proxy, realm);
    if (exchange->talk != NULL && exchange->number == number) {
        plx__talk_end_question(exchange->talk);
    }
}

static void forget(plx_filter *filter)
{
    end_talk(plx_filter_state(filter));
}

static const plx_filter_kind kind = {
    .size = sizeof kind,
    .state_size = sizeof(struct exchange),
    .name = "proxy",
    .begin = begin,
    .establish = establish,
    .ask = ask,
    .forget = forget,
};

bool plx__exchange_put(plx_socket *socket)
{
    if (plx_socket_filter(socket, &kind) != NULL) {
        return true;
    }
    plx_filter *filter = plx__chain_new_filter(socket, &kind);
    if (filter == NULL) {
        return false;
    }
    plx__chain_add_first(plx__chain_of(socket), filter);
    filter->is_setting = true;
    return true;
}

void plx__exchange_wake(plx_socket *socket)
{
    plx_filter *filter = plx_socket_filter(socket, &kind);
    const struct exchange *exchange = filter == NULL ? NULL : plx_filter_state(filter);
    if (exchange != NULL && exchange->talk != NULL) {
        plx_filter_set_want(filter, PLX_WANT_READ, 0);
    }
}

void plx__exchange_take(plx_socket *socket)
{
    plx_filter *filter = plx_socket_filter(socket, &kind);
    if (filter != NULL) {
        plx__chain_remove(plx__chain_of(socket), filter);
    }
}
