/* tests/test-proxy-question.c -- proxy_authentication_required beside other sockets: raised in a wait
 * or in a poll that a handler of another socket has begun, answered there, late or never. */
#include "config.h"

#include "tests/proxies.h"

#define ASKS                                                                                       \
    "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"gate\"\r\nContent-Length: 0\r\n\r\n"

static void answer(struct record *log, plx_socket *socket)
{
    (void)log;
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
}

/* Connects by a proxy that has said everything in advance: it asks, and then the tunnel is there. */
static int meets_asker(struct world *w, plx_socket *socket)
{
    int proxy = proxy_meets(w, socket, "http", "");

    SAYS(proxy, ASKS ESTABLISHED);
    return proxy;
}

#define CONNECTS "state:CONNECTING state:CONNECTED connected[CONNECTED]"
#define ASKED "state:CONNECTING proxy_asks(gate)[CONNECTING] state:CONNECTED connected[CONNECTED]"

/* ---- waits ----------------------------------------------------------------------------------- */

SECTION("waits");

TCP_SOCKET_CASE(in_a_wait)
{
    int proxy = meets_asker(w, socket);

    record_on(log, EVENT_PROXY_ASKS, answer, NULL);
    ck_assert(plx_socket_wait_for_connected(socket, 5000));
    LOGGED(w, log, ASKED);
    HEARS(w, proxy, CONNECT CONNECT_WITH);
    proxy_talks(w, socket, proxy);
}

TCP_SOCKET_CASE(unanswered_in_a_wait)
{
    meets_asker(w, socket);
    ck_assert(!plx_socket_wait_for_connected(socket, 5000));
    proxy_fails(w, socket, log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, "credentials");
}

/* In a handler of the same socket the question waits until the handler has returned. */
struct inside {
    struct world *w;
    int listener, proxy;
    bool answers;
};

static void wait_inside(struct record *log, plx_socket *socket)
{
    struct inside *inside = log->data;

    ck_assert(!plx_socket_wait_for_connected(socket, 20));
    inside->proxy = raw_accept(inside->w, inside->listener);
    SAYS(inside->proxy, ASKS ESTABLISHED);
    ck_assert(!plx_socket_wait_for_connected(socket, 50));
    ck_assert_int_eq(log->count[EVENT_PROXY_ASKS], 0);
    if (inside->answers)
        answer(log, socket);
    else
        record_on(log, EVENT_PROXY_ASKS, answer, NULL);
}

static void starts_in_a_wait(struct world *w, bool answers)
{
    struct inside inside = {.w = w, .answers = answers};
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    record_on(&log, EVENT_STATE_CHANGED, wait_inside, &inside);
    log.picky = true;
    log.at = PLX_CONNECTING;
    inside.listener = proxy_listens(w, socket, "http", "");
    UNTIL(w, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
    LOGGED(w, &log, answers ? CONNECTS : ASKED);
    proxy_hears(w, inside.proxy, CONNECT CONNECT_WITH, sizeof CONNECT CONNECT_WITH - 1);
    proxy_talks(w, socket, inside.proxy);
}

MODE_CASE(in_a_wait_inside_a_handler)
{
    starts_in_a_wait(w, false);
}

/* A question that was answered before it could be put is not put. */
MODE_CASE(answered_before_the_question)
{
    starts_in_a_wait(w, true);
}

/* The handler of the question waits itself, before or after it answers. */
static void wait_and_answer(struct record *log, plx_socket *socket)
{
    ck_assert(!plx_socket_wait_for_connected(socket, 30));
    ck_assert_int_eq(plx_socket_state(socket), PLX_CONNECTING);
    answer(log, socket);
}

static void answer_and_wait(struct record *log, plx_socket *socket)
{
    answer(log, socket);
    ck_assert(plx_socket_wait_for_connected(socket, 5000));
    ck_assert_int_eq(log->count[EVENT_CONNECTED], 0);
}

MODE_CASE(waits_in_the_question)
{
    record_act *const acts[] = {wait_and_answer, answer_and_wait};

    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = meets_asker(w, socket);

        record_on(&log, EVENT_PROXY_ASKS, acts[i], NULL);
        UNTIL(w, log.count[EVENT_CONNECTED] + log.count[EVENT_ERROR] > 0);
        LOGGED(w, &log, ASKED);
        HEARS(w, proxy, CONNECT CONNECT_WITH);
        proxy_talks(w, socket, proxy);
        world_settle(w);
        ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 1);
    }
}

/* The time of the connect goes on, and it is the time that is over. */
static void wait_too_long(struct record *log, plx_socket *socket)
{
    (void)log;
    for (int i = 0; plx_socket_state(socket) == PLX_CONNECTING; i++) {
        ck_assert_int_lt(i, 1000);
        time_pass(10);
        ck_assert(!plx_socket_wait_for_connected(socket, 1));
    }
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
}

TCP_SOCKET_CASE(waits_too_long_in_the_question)
{
    time_stop();
    ck_assert_int_eq(plx_socket_set_option(socket, PLX_OPTION_CONNECT_TIMEOUT, 500), 0);
    meets_asker(w, socket);
    record_on(log, EVENT_PROXY_ASKS, wait_too_long, NULL);
    UNTIL(w, log->fired);
    proxy_fails(w, socket, log, ETIMEDOUT, PLX_REASON_PROXY_CONNECTION_TIMEOUT, "");
    time_run();
}

/* ---- handlers of another socket -------------------------------------------------------------- */

SECTION("beside");

/* What a handler of another socket does while the question is raised. */
struct beside {
    struct world *w;
    plx_socket *asker, *other; /* which asks, and whose handler runs */
    plx_group *group;          /* of the asker; NULL: it is the world's or has none */
    struct record *log, *other_log;
    int elsewhere; /* a listener that is no proxy */
    char where[WHERE_SIZE];
    bool asker_is_gone;
};

static struct beside beside;

static void wait_for_asker(struct record *log, plx_socket *socket)
{
    (void)log;
    (void)socket;
    plx_socket_wait_for_connected(beside.asker, 2000);
    ck_assert(beside.log->fired);
}

static void poll_group_of_asker(struct record *log, plx_socket *socket)
{
    (void)log;
    (void)socket;
    for (int i = 0; !beside.log->fired; i++) {
        ck_assert_int_lt(i, ROUNDS);
        plx_group_poll(beside.group, 1);
    }
}

static void free_asker(struct record *log, plx_socket *socket)
{
    (void)log;
    beside.asker_is_gone = true;
    world_forget(beside.w, socket);
    plx_socket_free(socket);
}

static void free_other(struct record *log, plx_socket *socket)
{
    world_forget(beside.w, beside.other);
    plx_socket_free(beside.other);
    answer(log, socket);
}

static void free_both(struct record *log, plx_socket *socket)
{
    free_other(log, socket);
    free_asker(log, socket);
}

static void close_asker(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_close(socket);
}

static void close_other(struct record *log, plx_socket *socket)
{
    plx_socket_close(beside.other);
    answer(log, socket);
}

static void abort_asker(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_abort(socket);
}

static void connect_elsewhere(struct record *log, plx_socket *socket)
{
    (void)log;
    plx_socket_close(socket);
    ck_assert_int_eq(plx_socket_connect_to(socket, beside.where), 0);
}

/* The answer is for the new proxy then, and not for the one that asks. */
static void set_another_proxy(struct record *log, plx_socket *socket)
{
    proxy_set(socket, "socks5h", "", beside.where);
    answer(log, socket);
}

static void take_the_proxy_away(struct record *log, plx_socket *socket)
{
    (void)log;
    ck_assert_int_eq(plx_socket_set_proxy(socket, NULL), 0);
}

static void leave_the_group(struct record *log, plx_socket *socket)
{
    if (beside.group != NULL)
        plx_group_remove(beside.group, socket);
    else if (beside.w->group != NULL)
        plx_group_remove(beside.w->group, socket);
    answer(log, socket);
}

static void free_the_group(struct record *log, plx_socket *socket)
{
    beside.group = plx_group_free(beside.group);
    answer(log, socket);
}

static void ignore(struct record *log, plx_socket *socket)
{
    (void)log;
    (void)socket;
}

/* What comes of it. */
enum outcome { CONNECTS_BY_PROXY, CONNECTS_ELSEWHERE, REFUSED_BY_PROXY, CLOSED, GONE };

static const struct {
    record_act *act;
    enum outcome outcome;
} acts[] = {
    {answer, CONNECTS_BY_PROXY},
    {ignore, REFUSED_BY_PROXY},
    {free_asker, GONE},
    {free_other, CONNECTS_BY_PROXY},
    {free_both, GONE},
    {close_asker, CLOSED},
    {close_other, CONNECTS_BY_PROXY},
    {abort_asker, CLOSED},
    {connect_elsewhere, CONNECTS_ELSEWHERE},
    {set_another_proxy, REFUSED_BY_PROXY},
    {take_the_proxy_away, REFUSED_BY_PROXY},
    {leave_the_group, CONNECTS_BY_PROXY},
    {free_the_group, CONNECTS_BY_PROXY},
};

/* The asker may be in a group of its own, or in none. */
static void poll_all(void)
{
    world_poll(beside.w);
    if (beside.group != NULL)
        plx_group_poll(beside.group, 0);
    if (!beside.asker_is_gone)
        plx_socket_poll(beside.asker);
}

#define UNTIL_ALL(condition) UNTIL(beside.w, (poll_all(), (condition)))

static void expect_outcome(struct record *log, int proxy, enum outcome outcome)
{
    struct world *w = beside.w;

    switch (outcome) {
    case CONNECTS_BY_PROXY:
        UNTIL_ALL(log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
        LOGGED(w, log, ASKED);
        UNTIL_ALL(is_readable(proxy));
        HEARS(w, proxy, CONNECT CONNECT_WITH);
        break;
    case CONNECTS_ELSEWHERE:
        UNTIL_ALL(log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
        LOGGED(w, log,
               "state:CONNECTING proxy_asks(gate)[CONNECTING] state:CONNECTING state:CONNECTED "
               "connected[CONNECTED]");
        ck_assert_str_eq(plx_socket_remote_address(beside.asker), "127.0.0.1");
        break;
    case REFUSED_BY_PROXY:
        UNTIL_ALL(log->count[EVENT_CONNECTED] + log->count[EVENT_ERROR] > 0);
        proxy_fails(w, beside.asker, log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                    "credentials");
        break;
    case CLOSED:
    case GONE:
        for (int i = 0; i < 5; i++)
            poll_all();
        LOGGED(w, log, "state:CONNECTING proxy_asks(gate)[CONNECTING]");
        ck_assert(outcome == GONE || plx_socket_state(beside.asker) == PLX_UNCONNECTED);
        break;
    }
}

/* A question beside a handler of another socket, which waits for the asker or polls its group. */
static void ask_beside(struct world *w, record_act *from, bool own_group, size_t i)
{
    struct record log, other_log;
    plx_socket *socket = world_socket(w, &log), *other = world_socket(w, &other_log);
    int raw = world_pair(w, other, &other_log), proxy, elsewhere;

    memset(&beside, 0, sizeof beside);
    beside = (struct beside){
        .w = w, .asker = socket, .other = other, .log = &log, .other_log = &other_log};
    elsewhere = raw_listen(w, 5, beside.where);
    proxy = meets_asker(w, socket);
    if (own_group) {
        beside.group = plx_group_new();
        ck_assert_int_eq(plx_group_add(beside.group, socket), 0);
    }
    record_on(&log, EVENT_PROXY_ASKS, acts[i].act, NULL);
    record_on(&other_log, EVENT_DATA_AVAILABLE, from, NULL);
    raw_say(raw, "go");
    world_readable(plx_socket_handle(other));
    /* The handler of the other one comes first: nobody else polls the asker. */
    plx_socket_poll(other);
    ck_assert(other_log.fired);
    ck_assert(log.fired);
    expect_outcome(&log, proxy, acts[i].outcome);
    if (!beside.asker_is_gone)
        world_free(w, socket);
    plx_group_free(beside.group);
    raw_close(w, elsewhere);
}

MODE_CASE(in_a_wait_of_a_handler)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (acts[i].act != free_the_group)
            ask_beside(w, wait_for_asker, false, i);
}

MODE_CASE(in_a_wait_for_a_member_of_another_group)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        ask_beside(w, wait_for_asker, true, i);
}

MODE_CASE(in_a_poll_of_another_group)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        ask_beside(w, poll_group_of_asker, true, i);
}

/* ---- two that ask ---------------------------------------------------------------------------- */

SECTION("two");

static void answer_the_other(struct record *log, plx_socket *socket)
{
    (void)socket;
    answer(log, log->data);
}

/* The one that is asked answers for the other one, which is not asked then, and not for itself. */
MODE_CASE(one_answers_for_the_other)
{
    struct record logs[2];
    plx_socket *sockets[2];
    int proxies[2];

    for (int i = 0; i < 2; i++)
        sockets[i] = world_socket(w, &logs[i]);
    for (int i = 0; i < 2; i++) {
        proxies[i] = proxy_meets(w, sockets[i], "http", "");
        HEARS(w, proxies[i], CONNECT);
    }
    for (int i = 0; i < 2; i++) {
        record_on(&logs[i], EVENT_PROXY_ASKS, answer_the_other, sockets[1 - i]);
        SAYS(proxies[i], ASKS ESTABLISHED);
    }
    for (int i = 0; i < 2; i++)
        UNTIL(w, logs[i].count[EVENT_CONNECTED] + logs[i].count[EVENT_ERROR] > 0);
    ck_assert_int_eq(logs[0].count[EVENT_PROXY_ASKS] + logs[1].count[EVENT_PROXY_ASKS], 1);
    for (int i = 0; i < 2; i++) {
        if (logs[i].count[EVENT_PROXY_ASKS] == 0)
            LOGGED(w, &logs[i], CONNECTS);
        else
            proxy_fails(w, sockets[i], &logs[i], EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                        "credentials");
    }
}

/* ---- too late -------------------------------------------------------------------------------- */

/* The connect has ended by then; the next one sends what was answered, and asks no more. */
TCP_SOCKET_CASE(answered_later)
{
    int proxy = meets_asker(w, socket), listener;

    proxy_fails(w, socket, log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, "credentials");
    raw_expect(w, proxy, CONNECT);
    record_clear(log);
    listener = proxy_listens(w, socket, "http", "");
    plx_socket_close(socket);
    raw_accept(w, listener);
    answer(log, socket);
    world_settle(w);
    LOGGED(w, log, "");
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, CONNECT_WITH);
    SAYS(proxy, ESTABLISHED);
    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(log->count[EVENT_PROXY_ASKS], 0);
}

/* Credentials that nobody has asked for yet, set while the connect is under way, are the answer. */
TCP_SOCKET_CASE(answered_before_the_proxy_asks)
{
    int proxy = proxy_meets(w, socket, "http", "");

    HEARS(w, proxy, CONNECT);
    answer(log, socket);
    SAYS(proxy, ASKS);
    UNTIL(w, log->count[EVENT_PROXY_ASKS] + log->count[EVENT_ERROR] > 0 || is_readable(proxy));
    HEARS(w, proxy, CONNECT_WITH);
    SAYS(proxy, ESTABLISHED);
    proxy_talks(w, socket, proxy);
}

/* The same of SOCKS5, whose greeting says whether there are credentials. */
TCP_SOCKET_CASE(answered_behind_the_greeting)
{
    int listener = proxy_listens(w, socket, "socks5h", ""), proxy = raw_accept(w, listener);

    HEARS(w, proxy, GREETING);
    answer(log, socket);
    SAYS(proxy, METHOD_REFUSED);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_PASSWORD);
    HEARS(w, proxy, PROOF);
    SAYS(proxy, ACCEPTED);
    HEARS(w, proxy, REQUEST);
    SAYS(proxy, GRANTED);
    proxy_talks(w, socket, proxy);
    ck_assert_int_eq(log->count[EVENT_PROXY_ASKS], 0);
}

TCP_SOCKET_CASE(a_method_that_was_not_offered)
{
    int proxy = proxy_meets(w, socket, "socks5h", "");

    HEARS(w, proxy, GREETING);
    answer(log, socket);
    SAYS(proxy, METHOD_PASSWORD);
    proxy_fails(w, socket, log, EPROTO, PLX_REASON_PROXY_PROTOCOL, "not understood");
}

TCP_SOCKET_CASE(taken_away_behind_the_greeting)
{
    int listener = proxy_listens(w, socket, "socks5h", SECRETS), proxy = raw_accept(w, listener);

    record_on(log, EVENT_PROXY_ASKS, answer, NULL);
    HEARS(w, proxy, GREETING_WITH);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, NULL, NULL), 0);
    SAYS(proxy, METHOD_PASSWORD);
    UNTIL(w, log->fired);
    HEARS(w, raw_accept(w, listener), GREETING_WITH);
    ck_assert_int_eq(log->count[EVENT_PROXY_ASKS], 1);
}

WORLD_MAIN("proxy-question")
