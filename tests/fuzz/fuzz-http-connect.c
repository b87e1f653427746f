/* tests/fuzz/fuzz-http-connect.c -- what an HTTP proxy answers, at once and in pieces: both ways
 * read the same, and the body behind a 407 is skipped the same; and the request.
 *
 * The input: what is played (an even byte: an answer, an odd one: a request), the size of the
 * pieces, then the answer with its body; or the host, the user and the password, a zero byte
 * between them. */
#include "lib/wire/http-connect.h"
#include "tests/fuzz/fuzz.h"

/* ---- answers --------------------------------------------------------------------------------- */

typedef enum plx__http_progress reader(struct plx__http_answer *answer, const void *bytes,
                                       size_t size, size_t *ret_used);

/* Reads until the reader is done, in pieces that are blocks of their own size. */
static enum plx__http_progress read_pieces(reader *read, struct plx__http_answer *answer,
                                           const uint8_t *bytes, size_t size, size_t piece,
                                           size_t *ret_used)
{
    size_t at = 0, used;
    enum plx__http_progress progress = read(answer, "", 0, &used);
    while (progress == PLX__HTTP_MORE && at < size) {
        size_t count = size - at < piece ? size - at : piece;
        uint8_t *block = malloc(count);
        NEED(block != NULL);
        memcpy(block, bytes + at, count);
        progress = read(answer, block, count, &used);
        NEED(used <= count && (used == count || progress != PLX__HTTP_MORE));
        at += used;
        free(block);
    }
    *ret_used = at;
    return progress;
}

static void need_printable(const char *text, size_t most)
{
    NEED(strlen(text) <= most);
    for (; *text != '\0'; text++) {
        NEED(*text >= ' ' && *text <= '~');
    }
}

static void need_answer(const struct plx__http_answer *answer)
{
    NEED(answer->status >= 200 && answer->status <= 999);
    NEED(strncmp(answer->status_line, "HTTP/1.", 7) == 0);
    NEED(atoi(answer->status_line + 9) == answer->status);
    need_printable(answer->status_line, 80);
    need_printable(answer->realm, 127);
    need_printable(answer->schemes, 79);
    NEED(answer->offers_basic || answer->realm[0] == '\0');
    NEED(answer->lines <= PLX__HTTP_LINES_LIMIT && answer->head_size <= PLX__HTTP_HEAD_LIMIT);
    if (answer->status >= 300) {
        struct plx__proxy_failure failure = plx__http_connect_failure(answer);
        NEED(failure.code > 0 && failure.reason != PLX_REASON_NONE);
        need_printable(failure.text, PLX__PROXY_FAILURE_SIZE - 1);
    }
}

static void need_same(const struct plx__http_answer *a, const struct plx__http_answer *b)
{
    NEED(a->status == b->status && strcmp(a->status_line, b->status_line) == 0);
    NEED(a->offers_basic == b->offers_basic && strcmp(a->realm, b->realm) == 0);
    NEED(strcmp(a->schemes, b->schemes) == 0);
    NEED(plx__http_answer_keeps(a) == plx__http_answer_keeps(b));
}

static void play_answer(const uint8_t *bytes, size_t size, size_t piece)
{
    static struct plx__http_answer whole, parts;
    size_t used, used_parts;
    memset(&whole, 0, sizeof whole);
    memset(&parts, 0, sizeof parts);
    enum plx__http_progress progress =
        read_pieces(plx__http_answer_read, &whole, bytes, size, size, &used);
    NEED(progress == read_pieces(plx__http_answer_read, &parts, bytes, size, piece, &used_parts));
    NEED(used == used_parts);
    if (progress != PLX__HTTP_DONE) {
        return;
    }
    need_answer(&whole);
    need_same(&whole, &parts);
    NEED(used >= 2 && bytes[used - 1] == '\n');
    bytes += used;
    size -= used;
    bool keeps = plx__http_answer_keeps(&whole);
    progress = read_pieces(plx__http_body_skip, &whole, bytes, size, size, &used);
    NEED(progress == read_pieces(plx__http_body_skip, &parts, bytes, size, piece, &used_parts));
    NEED(used == used_parts && used <= PLX__HTTP_BODY_LIMIT + 1);
    NEED(keeps || (progress == PLX__HTTP_MALFORMED && used == 0));
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Counts the lines of a request: those that it should have, and no line of the caller's. */
static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        NEED(*text != '\n');
        if (*text == '\r') {
            lines++;
            NEED(*++text == '\n');
        }
    }
    return lines;
}

static const char *cut(char **rest, const char *end)
{
    char *text = *rest;
    size_t length = strlen(text);
    *rest = text + length < end ? text + length + 1 : text + length;
    return text;
}

static void play_request(struct tape *tape, int port)
{
    size_t left = tape->left;
    char *text = tape_text(tape), *rest = text, *request = malloc(PLX__HTTP_REQUEST_SIZE);
    NEED(request != NULL);
    const char *host = cut(&rest, text + left);
    const char *user = cut(&rest, text + left), *password = cut(&rest, text + left);
    size_t size = plx__http_connect_write(host, port, user, password, request);
    if (size > 0) {
        NEED(size == strlen(request) && lines_of(request) == 5);
        NEED(strncmp(request, "CONNECT ", 8) == 0);
        NEED(strncmp(strchr(request, '\n') - 10, " HTTP/1.1", 9) == 0);
    }
    size = plx__http_connect_write(host, port, NULL, NULL, request);
    NEED(size == 0 || (size == strlen(request) && lines_of(request) == 4));
    free(request);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    bool is_request = tape_byte(&tape) % 2 == 1;
    unsigned number = tape_byte(&tape);
    if (is_request) {
        play_request(&tape, (int)number * 257);
    } else {
        play_answer(tape.at, tape.left, number + 1);
    }
    return 0;
}
