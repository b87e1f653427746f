/* tests/test-proxy-socks5.c -- SOCKS5 proxies: RFC 1928, and RFC 1929 for credentials. */
#include "config.h"

#include "tests/nameserver.h"
#include "tests/proxies.h"

/* ---- replies --------------------------------------------------------------------------------- */

SECTION("replies");

/* To a name, and to an address. */
static const struct row {
    int reply;
    int name_code, code;
    plx_reason name_reason, reason;
} rows[] = {
    {1, PLX_NAME_RESOLUTION, EIO, PLX_REASON_HOST_NOT_FOUND, PLX_REASON_NETWORK},
    {2, EACCES, EACCES, PLX_REASON_SOCKET_ACCESS, PLX_REASON_SOCKET_ACCESS},
    {3, PLX_OPEN_DRIVER, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, PLX_REASON_NETWORK},
    {4, PLX_NAME_RESOLUTION, EHOSTUNREACH, PLX_REASON_HOST_NOT_FOUND, PLX_REASON_NETWORK},
    {5, ECONNREFUSED, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX_REASON_CONNECTION_REFUSED},
    {6, ETIMEDOUT, ETIMEDOUT, PLX_REASON_NETWORK, PLX_REASON_NETWORK},
    {7, PLX_INVALID_STATE, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
     PLX_REASON_UNSUPPORTED_OPERATION},
    {8, PLX_INVALID_STATE, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
     PLX_REASON_UNSUPPORTED_OPERATION},
    {9, EPROTO, EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX_REASON_PROXY_PROTOCOL},
    {255, EPROTO, EPROTO, PLX_REASON_PROXY_PROTOCOL, PLX_REASON_PROXY_PROTOCOL},
};

static void replies(struct world *w, const struct row *row, bool name)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], reply[] = GRANTED;
    int listener = raw_listen(w, 5, where), proxy;

    proxy_set(socket, name ? "socks5h" : "socks5", SECRETS, where);
    ck_assert_int_eq(plx_socket_connect_to(socket, name ? TARGET : "192.0.2.7:99"), 0);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_NONE);
    if (name)
        HEARS(w, proxy, REQUEST);
    else
        HEARS(w, proxy, "\5\1\0\1\300\0\2\7\0\143");
    reply[1] = (char)row->reply;
    raw_send(proxy, reply, sizeof reply - 1);
    proxy_fails(w, socket, &log, name ? row->name_code : row->code,
                name ? row->name_reason : row->reason, "proxy socks5");
    if (row->reply == 3)
        ck_assert_int_eq(log.os_error, ENETUNREACH);
    world_free(w, socket);
}

MODE_CASE(each_reply)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        replies(w, &rows[i], true);
        replies(w, &rows[i], false);
    }
}

/* The proxy reports where it connects from in three forms. */
MODE_CASE(each_form_of_the_address)
{
    static const struct {
        const char *bytes;
        size_t size;
    } forms[] = {
        {"\5\0\0\1\1\2\3\4\0\7", 10},
        {"\5\0\377\3\3abc\0\7", 10}, /* a reserved byte that is not 0 */
        {"\5\0\0\3\0\0\7", 7},
        {"\5\0\0\4\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\0\7", 22},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, "socks5h", "");

        HEARS(w, proxy, GREETING);
        SAYS(proxy, METHOD_NONE);
        HEARS(w, proxy, REQUEST);
        raw_send(proxy, forms[i].bytes, forms[i].size);
        proxy_talks(w, socket, proxy);
    }
}

/* A byte of each answer that breaks the protocol. */
MODE_CASE(broken_answers)
{
    static const struct {
        int step;
        char answer[16];
    } broken[] = {
        {0, "\4\0"},           {0, "\5\1"},           {0, "\5\3"},
        {0, "\5\200"},         {1, "\5\0"},           {1, "\2\0"},
        {2, "\4\0\0\1xxxxxx"}, {2, "\5\0\0\2xxxxxx"}, {2, "\0\0\0\1xxxxxx"},
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int proxy = proxy_meets(w, socket, "socks5h", SECRETS);

        HEARS(w, proxy, GREETING_WITH);
        if (broken[i].step == 1) {
            SAYS(proxy, METHOD_PASSWORD);
            HEARS(w, proxy, PROOF);
        }
        if (broken[i].step == 2) {
            SAYS(proxy, METHOD_NONE);
            HEARS(w, proxy, REQUEST);
        }
        raw_send(proxy, broken[i].answer, broken[i].step == 2 ? 10 : 2);
        proxy_fails(w, socket, &log, EPROTO, PLX_REASON_PROXY_PROTOCOL, "not understood");
    }
}

/* The method was not offered. */
MODE_CASE(a_password_that_there_is_not)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = proxy_meets(w, socket, "socks5h", "");

    HEARS(w, proxy, GREETING);
    SAYS(proxy, METHOD_PASSWORD);
    proxy_fails(w, socket, &log, EPROTO, PLX_REASON_PROXY_PROTOCOL, "not understood");
}

/* ---- credentials ----------------------------------------------------------------------------- */

SECTION("credentials");

static void answer(struct record *log, plx_socket *socket)
{
    const char *password = log->data;

    if (password != NULL)
        ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, password), 0);
}

/* Each piece of the talk arrives byte by byte. */
static void says_slowly(struct world *w, int proxy, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        raw_send(proxy, bytes + i, 1);
        world_poll(w);
    }
}

static void lets_in(struct world *w, plx_socket *socket, int proxy)
{
    HEARS(w, proxy, GREETING_WITH);
    says_slowly(w, proxy, METHOD_PASSWORD, 2);
    HEARS(w, proxy, PROOF);
    says_slowly(w, proxy, ACCEPTED, 2);
    HEARS(w, proxy, REQUEST);
    says_slowly(w, proxy, GRANTED, sizeof GRANTED - 1);
    proxy_talks(w, socket, proxy);
}

MODE_CASE(in_the_text)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);

    lets_in(w, socket, proxy_meets(w, socket, "socks5h", SECRETS));
    ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 0);
    secrets_are_kept(socket, &log);
}

MODE_CASE(by_call)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE];
    int listener = raw_listen(w, 5, where);

    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), PLX_INVALID_STATE);
    has_no_secret(plx_socket_error(socket)->message);
    proxy_set(socket, "socks5h", "other:pass@", where);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, PASSWORD), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    lets_in(w, socket, raw_accept(w, listener));
    secrets_are_kept(socket, &log);
}

/* Asks in two ways: no method is acceptable, and the password is wrong. The answer goes by a new
 * connection. */
MODE_CASE(by_event)
{
    for (int wrong = 0; wrong < 2; wrong++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int listener = proxy_listens(w, socket, "socks5h", wrong ? "sesame:wrong@" : "");
        int proxy = raw_accept(w, listener);

        record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)PASSWORD);
        if (wrong) {
            HEARS(w, proxy, GREETING_WITH);
            SAYS(proxy, METHOD_PASSWORD);
            HEARS(w, proxy, "\1\6sesame\5wrong");
            SAYS(proxy, REJECTED);
        } else {
            HEARS(w, proxy, GREETING);
            SAYS(proxy, METHOD_REFUSED);
        }
        lets_in(w, socket, raw_accept(w, listener));
        ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 1);
        ck_assert_ptr_nonnull(strstr(log.text, "state:CONNECTING proxy_asks()[CONNECTING] "
                                               "state:CONNECTED connected[CONNECTED]"));
        secrets_are_kept(socket, &log);
    }
}

/* No answer, the same credentials again, and none instead: the connect ends. */
MODE_CASE(unanswered)
{
    static const char *const answers[] = {NULL, PASSWORD};

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct record log;
        plx_socket *socket = world_socket(w, &log);
        int listener = proxy_listens(w, socket, "socks5h", SECRETS);
        int proxy = raw_accept(w, listener);

        record_on(&log, EVENT_PROXY_ASKS, answer, (void *)(uintptr_t)answers[i]);
        HEARS(w, proxy, GREETING_WITH);
        SAYS(proxy, METHOD_PASSWORD);
        HEARS(w, proxy, PROOF);
        SAYS(proxy, REJECTED);
        proxy_fails(w, socket, &log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED,
                    "other credentials");
        ck_assert_int_eq(log.count[EVENT_PROXY_ASKS], 1);
        ck_assert(!raw_has_caller(w, listener));
    }
}

static void take_away(struct record *log, plx_socket *socket)
{
    (void)log;
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, NULL, NULL), 0);
}

static void guess(struct record *log, plx_socket *socket)
{
    char password[16];

    snprintf(password, sizeof password, "guess%d", log->count[EVENT_PROXY_ASKS]);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, USER, password), 0);
}

MODE_CASE(taken_away)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int proxy = proxy_meets(w, socket, "socks5h", SECRETS);

    record_on(&log, EVENT_PROXY_ASKS, take_away, NULL);
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_REFUSED);
    proxy_fails(w, socket, &log, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, "credentials");
}

/* A program that guesses for ever is stopped, and the proxy too. */
MODE_CASE(guessed_for_ever)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    int listener = proxy_listens(w, socket, "socks5h", "");
    int callers = 0;

    record_on(&log, EVENT_PROXY_ASKS, guess, NULL);
    log.always = true;
    while (log.count[EVENT_ERROR] == 0) {
        UNTIL(w, raw_has_caller(w, listener) || log.count[EVENT_ERROR] > 0);
        if (log.count[EVENT_ERROR] == 0) {
            SAYS(raw_accept(w, listener), METHOD_REFUSED);
            callers++;
        }
    }
    ck_assert_int_eq(callers, 9);
    ck_assert_int_eq(log.code, PLX_LOST_CONNECTION);
}

/* The longest credentials and the longest name. */
MODE_CASE(longest)
{
    struct record log;
    plx_socket *socket = world_socket(w, &log);
    char where[WHERE_SIZE], user[257], proof[600];
    int listener = raw_listen(w, 5, where), proxy;

    memset(user, 'u', 256);
    user[256] = '\0';
    proxy_set(socket, "socks5h", "", where);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, user, "x"), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, "x", user), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, "a\nb", "x"), PLX_INVALID_STATE);
    user[255] = '\0';
    ck_assert_int_eq(plx_socket_set_proxy_credentials(socket, user, user), 0);
    ck_assert_int_eq(plx_socket_connect_to(socket, TARGET), 0);
    proxy = raw_accept(w, listener);
    HEARS(w, proxy, GREETING_WITH);
    SAYS(proxy, METHOD_PASSWORD);
    snprintf(proof, sizeof proof, "\1\377%s\377%s", user, user);
    proxy_hears(w, proxy, proof, 513);
    SAYS(proxy, ACCEPTED);
    HEARS(w, proxy, REQUEST);
    SAYS(proxy, GRANTED);
    proxy_talks(w, socket, proxy);
}

WORLD_MAIN("proxy-socks5")
