/* tests/model/desk-says.c -- what a raw proxy answers, by chance. See desk.h. */
#include "config.h"

#include "tests/model/desk.h"

#include "tests/model/player.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- answers --------------------------------------------------------------------------------- */

static void say(struct desk *desk, const void *bytes, size_t size)
{
    if (desk->out_size + size > sizeof desk->out)
        abort();
    memcpy(desk->out + desk->out_size, bytes, size);
    desk->out_size += size;
}

#define SAY(desk, literal) say(desk, literal, sizeof(literal) - 1)

static void write_line(struct desk *desk, const char *format, ...)
{
    char line[200];
    va_list rest;

    va_start(rest, format);
    vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    say(desk, line, strlen(line));
}

static void effect(struct desk *desk, int causes, enum due due, int code, plx_reason reason)
{
    desk->effect.causes |= causes;
    desk->effect.due = due;
    desk->effect.code = code;
    desk->effect.reason = reason;
}

static void ask(struct desk *desk)
{
    effect(desk, CAUSE_QUESTION, DUE_QUESTION, 0, PLX_REASON_NONE);
}

/* Nothing is heard after that, or nothing is left to hear. */
static void end_talk(struct desk *desk)
{
    static const enum desk_end ends[] = {DESK_GOES_ON, DESK_GOES_ON, DESK_CLOSES, DESK_RESETS};

    desk->next = DESK_OVER;
    desk->end = ends[chance_of(&desk->chance, 4)];
}

/* A reset may overtake what was said. */
static void look_at_end(struct desk *desk)
{
    if (desk->end != DESK_GOES_ON)
        desk->effect.causes |= CAUSE_END;
    if (desk->end == DESK_RESETS)
        desk->effect.due = DUE_NOTHING;
}

static void say_nothing(struct desk *desk)
{
    desk->out_size = 0;
    desk->end = DESK_GOES_ON;
    desk->effect = (struct effect){.realm = desk->realm};
}

static void nonsense(struct desk *desk, const void *bytes, size_t size)
{
    desk->out_size = 0;
    desk->realm[0] = '\0';
    say(desk, bytes, size);
    desk->effect = (struct effect){.realm = desk->realm};
    effect(desk, CAUSE_NONSENSE, DUE_ERROR, EPROTO, PLX_REASON_PROXY_PROTOCOL);
    end_talk(desk);
}

/* Ends within the answer. `head`: the bytes without which it says nothing. */
static void cut(struct desk *desk, size_t head)
{
    desk->out_size = (size_t)chance_of(&desk->chance, (int)desk->out_size);
    desk->next = DESK_OVER;
    desk->end = chance_in(&desk->chance, 50) ? DESK_CLOSES : DESK_RESETS;
    if (desk->out_size < head)
        effect(desk, CAUSE_END, DUE_ERROR, PLX_LOST_CONNECTION, PLX_REASON_PROXY_CONNECTION_CLOSED);
    else
        effect(desk, CAUSE_END, DUE_NOTHING, 0, PLX_REASON_NONE);
}

/* Mostly all at once, else byte by byte or in small pieces. */
static int pace(struct desk *desk)
{
    enum { LONG = 800 };
    int choice = chance_of(&desk->chance, 100);

    if (choice < 60 || desk->out_size > LONG)
        return DESK_OUT;
    return choice < 75 ? 1 : 1 + chance_of(&desk->chance, 40);
}

/* ---- SOCKS5 ---------------------------------------------------------------------------------- */

static void answer_greeting(struct person *person)
{
    struct desk *desk = &person->desk;
    const uint8_t *in = desk->in;
    bool offers = desk->in_size == 4;

    if ((desk->in_size != 3 && !offers) || in[0] != 5 || in[2] != 0 || (offers && in[3] != 2)) {
        fault("a greeting of %zu bytes: %d %d %d", desk->in_size, in[0], in[1], in[2]);
        return;
    }
    if (desk->demands && !offers) {
        SAY(desk, "\5\377");
        ask(desk);
        end_talk(desk);
    } else if (desk->demands || (offers && chance_in(&desk->chance, 20))) {
        SAY(desk, "\5\2");
        desk->next = DESK_PROOF;
    } else {
        SAY(desk, "\5\0");
        desk->next = DESK_REQUEST;
    }
}

static void answer_proof(struct person *person)
{
    struct desk *desk = &person->desk;
    const uint8_t *in = desk->in;
    char user[256] = "", password[256] = "";
    size_t size = in[1];

    memcpy(user, in + 2, size);
    memcpy(password, in + 3 + size, in[2 + size]);
    if (in[0] != 1)
        fault("credentials of version %d", in[0]);
    desk_hears_user(person, user, password);
    if (chance_in(&desk->chance, 70)) {
        SAY(desk, "\1\0");
        desk->next = DESK_REQUEST;
    } else {
        SAY(desk, "\1\1");
        ask(desk);
        end_talk(desk);
    }
}

/* What each reply means for a name that was sent, and for an address. */
static const struct {
    int name_code, code;
    plx_reason name_reason, reason;
} replies[] = {
    [1] = {PLX_NAME_RESOLUTION, EIO, PLX_REASON_HOST_NOT_FOUND, PLX_REASON_NETWORK},
    [2] = {EACCES, EACCES, PLX_REASON_SOCKET_ACCESS, PLX_REASON_SOCKET_ACCESS},
    [3] = {PLX_OPEN_DRIVER, PLX_OPEN_DRIVER, PLX_REASON_NETWORK, PLX_REASON_NETWORK},
    [4] = {PLX_NAME_RESOLUTION, EHOSTUNREACH, PLX_REASON_HOST_NOT_FOUND, PLX_REASON_NETWORK},
    [5] = {ECONNREFUSED, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED,
           PLX_REASON_CONNECTION_REFUSED},
    [6] = {ETIMEDOUT, ETIMEDOUT, PLX_REASON_NETWORK, PLX_REASON_NETWORK},
    [7] = {PLX_INVALID_STATE, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
           PLX_REASON_UNSUPPORTED_OPERATION},
    [8] = {PLX_INVALID_STATE, PLX_INVALID_STATE, PLX_REASON_UNSUPPORTED_OPERATION,
           PLX_REASON_UNSUPPORTED_OPERATION},
};

/* Another address of the target is asked for, if it has more: a name has one to three. */
static bool goes_on(struct person *person, int reply)
{
    const struct model *model = route_of_peer(person->peer);
    unsigned number = 0;

    if (model == NULL || model->route.leads != LEADS_PERHAPS || reply == 2 || reply > 6 ||
        sscanf(model->route.host, "e%u.far", &number) != 1)
        return false;
    return model->route.refusals + 1 < (int)(1 + number % 3);
}

static void refuse(struct person *person, bool by_name)
{
    struct desk *desk = &person->desk;
    int reply = 1 + chance_of(&desk->chance, 8);
    struct model *model = route_of_peer(person->peer);

    desk->out[desk->out_size - 9] = (uint8_t)reply;
    if (goes_on(person, reply))
        effect(desk, CAUSE_REFUSAL, DUE_NOTHING, 0, PLX_REASON_NONE);
    else
        effect(desk, CAUSE_REFUSAL, DUE_ERROR,
               by_name ? replies[reply].name_code : replies[reply].code,
               by_name ? replies[reply].name_reason : replies[reply].reason);
    if (model != NULL)
        model->route.refusals++;
    end_talk(desk);
}

/* The tunnel is there; what the target says first may arrive with the answer. */
static void grant(struct person *person)
{
    struct desk *desk = &person->desk;

    effect(desk, CAUSE_TUNNEL, DUE_TUNNEL, 0, PLX_REASON_NONE);
    desk->next = DESK_NONE;
}

static void host_of_request(const struct desk *desk, char *ret_host, size_t size)
{
    const uint8_t *in = desk->in;

    if (in[3] == 1)
        snprintf(ret_host, size, "%d.%d.%d.%d", in[4], in[5], in[6], in[7]);
    else if (in[3] == 4) /* those of this program are 2001:db8::number */
        snprintf(ret_host, size, "%x:%x::%x", in[4] << 8 | in[5], in[6] << 8 | in[7],
                 in[18] << 8 | in[19]);
    else
        snprintf(ret_host, size, "%.*s", in[4], (const char *)in + 5);
}

static void answer_request(struct person *person)
{
    struct desk *desk = &person->desk;
    const uint8_t *in = desk->in;
    char host[256];

    host_of_request(desk, host, sizeof host);
    if (in[0] != 5 || in[1] != 1 || in[2] != 0)
        fault("a request that begins with %d %d %d", in[0], in[1], in[2]);
    desk_hears_target(person, host, in[desk->in_size - 2] << 8 | in[desk->in_size - 1]);
    SAY(desk, "\5\0\0\1\300\0\2\1\4\1");
    if (chance_in(&desk->chance, 25))
        refuse(person, in[3] == 3);
    else
        grant(person);
}

static void say_nonsense(struct desk *desk)
{
    static const struct {
        enum desk_step step;
        const char *bytes;
        size_t size;
    } answers[] = {
        {DESK_GREETING, "\4\0", 2},
        {DESK_GREETING, "\5\1", 2},
        {DESK_GREETING, "HT", 2},
        {DESK_PROOF, "\5\0", 2},
        {DESK_PROOF, "\0\0", 2},
        {DESK_REQUEST, "\4\0\0\1xxxxxx", 10},
        {DESK_REQUEST, "\5\0\0\2xxxxxx", 10},
        {DESK_REQUEST, "\5\11\0\1xxxxxx", 10},
        {DESK_REQUEST, "\5\377\0\3\1axx", 8},
        {DESK_CONNECT, "\5\0", 2},
        {DESK_CONNECT, "HTTP/2 200 OK\r\n\r\n", 17},
        {DESK_CONNECT, "HTTP/1.1 20 OK\r\n\r\n", 18},
        {DESK_CONNECT, "HTTP/1.1 301 Moved\r\nContent-Length: 3\r\n\r\nno\n", 44},
        {DESK_CONNECT, "HTTP/1.1 500 No\r\n\r\n", 19},
        {DESK_CONNECT, "HTTP/1.1 999\r\n\r\n", 16},
        {DESK_CONNECT, "HTTP/1.1 200 OK\rA\n\r\n", 20},
    };
    enum { ANSWERS = sizeof answers / sizeof answers[0] };
    int at = chance_of(&desk->chance, ANSWERS);

    while (answers[at].step != desk->step)
        at = (at + 1) % ANSWERS;
    nonsense(desk, answers[at].bytes, answers[at].size);
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static int value_of(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(letters, letter);

    return at == NULL || letter == '\0' ? -1 : (int)(at - letters);
}

/* Decodes base64 up to '=' or the end of the line, into a string. */
static void decode(const char *text, char *ret_plain, size_t size)
{
    unsigned bits = 0;
    size_t count = 0, length = 0;

    for (; value_of(text[count]) >= 0 && length + 1 < size; count++) {
        bits = bits << 6 | (unsigned)value_of(text[count]);
        if (count % 4 != 0)
            ret_plain[length++] = (char)(bits >> (6 - 2 * (count % 4)) & 0xff);
    }
    ret_plain[length] = '\0';
}

/* Returns whether there are credentials, and checks them. */
static bool hears_basic(struct person *person, const char *text)
{
    struct desk *desk = &person->desk;
    const char *line = strstr(text, "\r\nProxy-Authorization: Basic ");
    char plain[600], *colon;

    if (line == NULL)
        return false;
    decode(line + 29, plain, sizeof plain);
    snprintf(desk->secret, sizeof desk->secret, "%.*s", (int)strcspn(line + 29, "\r"), line + 29);
    colon = strchr(plain, ':');
    if (colon == NULL) {
        fault("credentials without a colon: %s", plain);
        return true;
    }
    *colon = '\0';
    desk_hears_user(person, plain, colon + 1);
    if (chance_in(&desk->chance, 70))
        snprintf(desk->secret, sizeof desk->secret, "%.40s",
                 chance_in(&desk->chance, 50) ? plain : colon + 1);
    return true;
}

static bool hear_connect(struct person *person)
{
    const struct desk *desk = &person->desk;
    char text[DESK_IN + 1], host[256] = "", again[300], *bare = host, *bracket;
    int port = 0;

    memcpy(text, desk->in, desk->in_size);
    text[desk->in_size] = '\0';
    if (sscanf(text, "CONNECT [%255[^]]]:%d HTTP/1.1\r\n", host, &port) != 2 &&
        sscanf(text, "CONNECT %255[^:]:%d HTTP/1.1\r\n", host, &port) != 2)
        fault("a proxy heard \"%s\"", text);
    bracket = strchr(host, ':') != NULL ? "[]" : NULL;
    snprintf(again, sizeof again, "\r\nHost: %s%s%s:%d\r\n", bracket ? "[" : "", host,
             bracket ? "]" : "", port);
    if (strstr(text, again) == NULL || strstr(text, "\r\nProxy-Connection: keep-alive\r\n") == NULL)
        fault("a request without a host: \"%s\"", text);
    desk_hears_target(person, bare, port);
    return hears_basic(person, text);
}

static void grant_http(struct person *person)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\nServer: bare\n\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Wait\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    struct desk *desk = &person->desk;
    const char *answer = answers[chance_of(&desk->chance, 6)];

    say(desk, answer, strlen(answer));
    grant(person);
}

/* More than a step of the library receives. */
static void grant_at_length(struct person *person)
{
    struct desk *desk = &person->desk;

    SAY(desk, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 60; i++)
        write_line(desk, "X-Line-%d: a header that says nothing at all\r\n", i);
    SAY(desk, "\r\n");
    grant(person);
}

static void refuse_http(struct desk *desk)
{
    static const struct {
        int status, code;
        plx_reason reason;
    } statuses[] = {
        {403, EACCES, PLX_REASON_SOCKET_ACCESS},
        {404, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND},
        {405, EACCES, PLX_REASON_SOCKET_ACCESS},
        {502, EHOSTUNREACH, PLX_REASON_NETWORK},
        {503, ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED},
        {504, ETIMEDOUT, PLX_REASON_NETWORK},
    };
    int at = chance_of(&desk->chance, 6);

    write_line(desk, "HTTP/1.1 %d No %s\r\nContent-Length: 3\r\n\r\nno\n", statuses[at].status,
               chance_in(&desk->chance, 30) ? desk->secret : "");
    effect(desk, CAUSE_REFUSAL, DUE_ERROR, statuses[at].code, statuses[at].reason);
    end_talk(desk);
}

/* The question is answered by the same connection, or by another one. */
static void ask_http(struct desk *desk)
{
    int way = chance_of(&desk->chance, 5);
    bool repeats = desk->secret[0] != '\0' && chance_in(&desk->chance, 30);

    snprintf(desk->realm, sizeof desk->realm, "desk %d", chance_of(&desk->chance, 1000));
    write_line(desk, "HTTP/1.1 407 Who\r\nProxy-Authenticate: %s realm=\"%s\"\r\n",
               way == 4                       ? "Digest"
               : chance_in(&desk->chance, 50) ? "basic"
                                              : "NTLM, Basic",
               repeats ? desk->secret : desk->realm);
    if (repeats)
        desk->realm[0] = '\0'; /* which no event has */
    ask(desk);
    desk->next = DESK_CONNECT;
    if (way < 2) {
        SAY(desk, "Content-Length: 5\r\n\r\nwho?\n");
    } else if (way == 2) {
        SAY(desk, "Transfer-Encoding: chunked\r\n\r\n4;a\r\nwho?\r\n0\r\nB: c\r\n\r\n");
    } else {
        SAY(desk, "Proxy-Connection: close\r\n\r\n");
        end_talk(desk);
    }
    if (way == 4) {
        effect(desk, CAUSE_QUESTION, DUE_ERROR, EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED);
        end_talk(desk);
    }
}

static void answer_connect(struct person *person)
{
    struct desk *desk = &person->desk;
    bool knows = hear_connect(person);

    if (desk->demands && (!knows || chance_in(&desk->chance, 30)))
        ask_http(desk);
    else if (chance_in(&desk->chance, 20))
        refuse_http(desk);
    else if (chance_in(&desk->chance, 10))
        grant_at_length(person);
    else
        grant_http(person);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static size_t size_of_head(const struct desk *desk)
{
    bool has_body = desk->effect.due == DUE_QUESTION || desk->effect.due == DUE_ERROR;

    return desk->step == DESK_CONNECT && has_body ? 0 : desk->out_size;
}

static void say_first_bytes(struct person *person)
{
    struct desk *desk = &person->desk;

    if (desk->next != DESK_NONE || chance_in(&desk->chance, 50))
        return;
    desk->tail =
        person_write(person, desk->out + desk->out_size, 1 + (size_t)chance_of(&desk->chance, 400));
    desk->out_size += desk->tail;
}

void desk_answer(struct person *person)
{
    enum { CUT = 7, NONSENSE = 14, SILENT = 17 };
    struct desk *desk = &person->desk;
    int manner = chance_of(&desk->chance, 100);

    switch (desk->step) {
    case DESK_GREETING: answer_greeting(person); break;
    case DESK_PROOF: answer_proof(person); break;
    case DESK_REQUEST: answer_request(person); break;
    default: answer_connect(person); break;
    }
    if (manner < CUT)
        cut(desk, size_of_head(desk));
    else if (manner < NONSENSE)
        say_nonsense(desk);
    else if (manner < SILENT)
        say_nothing(desk);
    else
        say_first_bytes(person);
    look_at_end(desk);
    desk->effect.size = desk->out_size;
    desk->pace = pace(desk);
    trace("a proxy answers with %zu bytes: due %d", desk->out_size, (int)desk->effect.due);
}
