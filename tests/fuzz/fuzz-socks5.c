/* tests/fuzz/fuzz-socks5.c -- what a SOCKS5 proxy answers, byte by byte and at once, and the
 * messages that a client sends.
 *
 * The input: which message (a byte), then its bytes. */
#include "lib/wire/socks5.h"
#include "tests/fuzz/fuzz.h"

enum message { METHOD, VERDICT, REPLY, NAME, CREDENTIALS, ADDRESS, MESSAGES };

/* What a reader returned, and what it has read. */
struct result {
    int missing;
    int method;
    bool accepted;
    struct plx__socks5_reply reply;
};

static struct result read_message(enum message message, const uint8_t *bytes, size_t size)
{
    struct result result = {.method = -7, .accepted = false};
    result.missing = message == METHOD    ? plx__socks5_read_method(bytes, size, &result.method)
                     : message == VERDICT ? plx__socks5_read_verdict(bytes, size, &result.accepted)
                                          : plx__socks5_read_reply(bytes, size, &result.reply);
    return result;
}

static void need_failure(const struct plx__socks5_reply *reply, bool name)
{
    struct plx__proxy_failure failure = plx__socks5_failure(reply->code, name);
    NEED(failure.code > 0 && failure.reason != PLX_REASON_NONE && failure.text[0] != '\0');
}

static void need_reply(const struct plx__socks5_reply *reply, const uint8_t *bytes)
{
    const plx_address *bound = &reply->bound;
    uint8_t request[PLX__SOCKS5_REQUEST_SIZE];
    NEED(reply->size >= 7 && reply->size <= PLX__SOCKS5_REPLY_SIZE && reply->code == bytes[1]);
    NEED(bound->scope == 0 && bound->family != 0 ? bytes[3] != 3 : bytes[3] == 3);
    if (reply->code != 0) {
        need_failure(reply, true);
        need_failure(reply, false);
    }
    /* An address has the same form in a request. */
    if (bound->family != 0 && bound->port != 0) {
        size_t size = plx__socks5_write_address(bound, request);
        NEED(size == (bound->family == 4 ? 10u : 22u));
        size_t same = bound->family == 4 ? 6 : 18;
        NEED(memcmp(request + size - same, bytes + reply->size - same, same) == 0);
    }
}

/* Reads after every byte. The number of missing bytes never leads beyond the message, and each part
 * of a malformed message is malformed or misses bytes. */
static void play_answer(enum message message, const uint8_t *bytes, size_t size)
{
    struct result whole = read_message(message, bytes, size);
    size_t message_size = message == REPLY ? whole.reply.size : 2;
    NEED(whole.missing >= PLX__SOCKS5_MALFORMED);
    for (size_t count = 0; count <= size; count++) {
        struct result part = read_message(message, bytes, count);
        if (whole.missing != 0) {
            NEED(part.missing > 0 || (part.missing < 0 && whole.missing < 0));
        } else if (count < message_size) {
            NEED(part.missing > 0 && count + (size_t)part.missing <= message_size);
        } else {
            NEED(part.missing == 0 && part.method == whole.method);
            NEED(part.accepted == whole.accepted && part.reply.size == whole.reply.size);
        }
    }
    if (whole.missing == 0 && message == REPLY) {
        need_reply(&whole.reply, bytes);
    }
}

static void play_name(const char *name, int port)
{
    uint8_t request[PLX__SOCKS5_REQUEST_SIZE];
    struct plx__socks5_reply reply;
    size_t size = plx__socks5_write_name(name, port, request);
    NEED(size == 0 || size == strlen(name) + 7);
    if (size > 0) {
        NEED(plx__socks5_read_reply(request, size, &reply) == 0);
        NEED(reply.size == size && reply.code == 1 && reply.bound.port == port);
        NEED(memcmp(request + 5, name, strlen(name)) == 0);
    }
}

static void play_credentials(const char *user, const char *password)
{
    uint8_t request[PLX__SOCKS5_CREDENTIALS_SIZE];
    size_t length = strlen(user), size = plx__socks5_write_credentials(user, password, request);
    NEED((size == 0) == (length == 0 || length > 255 || strlen(password) > 255));
    if (size > 0) {
        NEED(request[1] == length && memcmp(request + 2, user, length) == 0);
        NEED(request[2 + length] == strlen(password) && size == 3 + length + strlen(password));
    }
}

static void play_address(struct tape *tape)
{
    plx_address address = {.family = (uint16_t)tape_byte(tape), .port = (uint16_t)tape_byte(tape)};
    uint8_t request[PLX__SOCKS5_REQUEST_SIZE];
    for (size_t i = 0; i < sizeof address.bytes; i++) {
        address.bytes[i] = (uint8_t)tape_byte(tape);
    }
    size_t size = plx__socks5_write_address(&address, request);
    bool is_one = (address.family == 4 || address.family == 6) && address.port != 0;
    NEED(is_one ? size == 10 || size == 22 : size == 0);
    if (is_one) {
        play_answer(REPLY, request, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    enum message message = tape_byte(&tape) % MESSAGES;
    if (message <= REPLY) {
        play_answer(message, tape.at, tape.left);
    } else if (message == ADDRESS) {
        play_address(&tape);
    } else {
        int port = (int)tape_byte(&tape) * 257;
        size_t left = tape.left;
        char *text = tape_text(&tape);
        play_name(text, port);
        play_credentials(text, strlen(text) < left ? text + strlen(text) + 1 : "");
        free(text);
    }
    return 0;
}
