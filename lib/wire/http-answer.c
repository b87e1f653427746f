/* lib/wire/http-answer.c -- reads a proxy's answer byte by byte: its head, and a body to skip.
 *
 * A header line is looked at when the first byte of the next line is there, because a line that
 * begins with a blank continues the one before it (obs-fold, RFC 9112 section 5.2). */
#include "config.h"

#include "lib/wire/http-challenge.h"
#include "lib/wire/http-connect.h"
#include "lib/wire/part.h"

#include <string.h>

/* `step` of an answer. */
enum step {
    STATUS_LINE,
    LINE_BEGINS, /* the first byte of a header line, or the empty line */
    LINE,
    HEAD_READ,
    SIZED_BODY,
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_DATA,
    CHUNK_END,
    TRAILER,
    BODY_READ,
    BROKEN
};

/* ---- the status line ------------------------------------------------------------------------- */

static const char version[] = "HTTP/1.";

enum {
    VERSION_SIZE = sizeof version - 1,
    STATUS_AT = VERSION_SIZE + 2,
    STATUS_END = STATUS_AT + 3
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* read_status_line reads "HTTP/1.1 200" and perhaps a phrase behind a space. The version has been
 * checked byte by byte: another protocol is detected by its first byte. */
static bool read_status_line(struct plx__http_answer *answer)
{
    const char *line = answer->line;
    if (answer->line_size < STATUS_END || !is_digit(line[VERSION_SIZE]) ||
        line[VERSION_SIZE + 1] != ' ' ||
        (answer->line_size > STATUS_END && line[STATUS_END] != ' ')) {
        return false;
    }
    for (size_t i = STATUS_AT; i < STATUS_END; i++) {
        if (!is_digit(line[i])) {
            return false;
        }
        answer->status = answer->status * 10 + (line[i] - '0');
    }
    size_t kept = sizeof answer->status_line - 1;
    kept = answer->line_size < kept ? answer->line_size : kept;
    for (size_t i = 0; i < kept; i++) {
        answer->status_line[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : '?';
    }
    answer->is_http_1_0 = line[VERSION_SIZE] == '0';
    return answer->status >= 100;
}

/* ---- headers --------------------------------------------------------------------------------- */

/* read_content_length accepts what is one number. Equal lines are one (RFC 9112 section 6.3). */
static void read_content_length(struct plx__http_answer *answer, struct plx__part value)
{
    uint32_t number = 0;
    for (size_t i = 0; i < value.length && number <= PLX__HTTP_BODY_LIMIT; i++) {
        if (!is_digit(value.text[i])) {
            answer->is_vague = true;
            return;
        }
        number = number * 10 + (uint32_t)(value.text[i] - '0');
    }
    answer->is_vague |= value.length == 0 || number > PLX__HTTP_BODY_LIMIT ||
                        (answer->has_length && number != answer->body_left);
    answer->has_length = true;
    answer->body_left = number;
}

static bool has_close(struct plx__part value)
{
    while (value.length > 0) {
        const char *comma = memchr(value.text, ',', value.length);
        size_t length = comma == NULL ? value.length : (size_t)(comma - value.text);
        if (plx__part_is(plx__part_trimmed((struct plx__part){value.text, length}), "close")) {
            return true;
        }
        length += comma != NULL;
        value.text += length;
        value.length -= length;
    }
    return false;
}

/* read_header looks at a complete header line. A line without a colon says nothing. */
static void read_header(struct plx__http_answer *answer)
{
    const char *colon = memchr(answer->line, ':', answer->line_size);
    if (colon == NULL) {
        return;
    }
    size_t length = (size_t)(colon - answer->line);
    struct plx__part name = plx__part_trimmed((struct plx__part){answer->line, length});
    struct plx__part value =
        plx__part_trimmed((struct plx__part){colon + 1, answer->line_size - length - 1});
    if (plx__part_is(name, "content-length")) {
        read_content_length(answer, value);
    } else if (plx__part_is(name, "transfer-encoding")) {
        answer->is_vague |= answer->has_coding || !plx__part_is(value, "chunked");
        answer->has_coding = true;
    } else if (plx__part_is(name, "connection") || plx__part_is(name, "proxy-connection")) {
        answer->closes |= has_close(value);
    } else if (plx__part_is(name, "proxy-authenticate")) {
        plx__http_challenge_read(value.text, value.length, answer);
    }
}

/* end_head ends an answer, or begins the next one behind a 1xx (RFC 9110 section 15.2). */
static enum plx__http_progress end_head(struct plx__http_answer *answer)
{
    if (answer->status < 200) {
        *answer = (struct plx__http_answer){.lines = answer->lines, .head_size = answer->head_size};
        return PLX__HTTP_MORE;
    }
    answer->step = HEAD_READ;
    return PLX__HTTP_DONE;
}

static enum plx__http_progress end_line(struct plx__http_answer *answer)
{
    bool empty = answer->step == LINE_BEGINS;
    if (answer->step == STATUS_LINE) {
        if (!read_status_line(answer)) {
            return PLX__HTTP_MALFORMED;
        }
        answer->line_size = 0;
    } else if (empty) {
        read_header(answer);
        return end_head(answer);
    } else if (++answer->lines > PLX__HTTP_LINES_LIMIT) {
        return PLX__HTTP_MALFORMED;
    }
    answer->step = LINE_BEGINS;
    return PLX__HTTP_MORE;
}

/* add_byte adds a byte to the line. */
static enum plx__http_progress add_byte(struct plx__http_answer *answer, char c)
{
    if (answer->step == STATUS_LINE && answer->line_size < VERSION_SIZE &&
        c != version[answer->line_size]) {
        return PLX__HTTP_MALFORMED;
    }
    if (answer->step == LINE_BEGINS) {
        answer->step = LINE;
        if (!is_blank(c)) {
            read_header(answer);
            answer->line_size = 0;
        }
    }
    if (answer->line_size == sizeof answer->line) {
        answer->closes = true; /* the part that is dropped may say anything */
        return PLX__HTTP_MORE;
    }
    answer->line[answer->line_size++] = c;
    return PLX__HTTP_MORE;
}

/* read_byte reads a byte of the head. A line ends with LF, or with CR and LF; a CR elsewhere could
 * be the end of a line for one reader and not for another (RFC 9112 section 2.2). */
static enum plx__http_progress read_byte(struct plx__http_answer *answer, char c)
{
    if (++answer->head_size > PLX__HTTP_HEAD_LIMIT) {
        return PLX__HTTP_MALFORMED;
    }
    if (c == '\n') {
        answer->after_cr = false;
        return end_line(answer);
    }
    if (answer->after_cr || c == '\0') {
        return PLX__HTTP_MALFORMED;
    }
    answer->after_cr = c == '\r';
    return answer->after_cr ? PLX__HTTP_MORE : add_byte(answer, c);
}

enum plx__http_progress plx__http_answer_read(struct plx__http_answer *answer, const void *bytes,
                                              size_t size, size_t *ret_used)
{
    const char *at = bytes;
    enum plx__http_progress progress = answer->step == BROKEN ? PLX__HTTP_MALFORMED
                                       : answer->step > LINE  ? PLX__HTTP_DONE
                                                              : PLX__HTTP_MORE;
    size_t used = 0;
    while (used < size && progress == PLX__HTTP_MORE) {
        progress = read_byte(answer, at[used++]);
    }
    if (progress == PLX__HTTP_MALFORMED) {
        answer->step = BROKEN;
    }
    *ret_used = used;
    return progress;
}

/* ---- the body -------------------------------------------------------------------------------- */

bool plx__http_answer_keeps(const struct plx__http_answer *answer)
{
    return !answer->is_http_1_0 && !answer->closes && !answer->is_vague &&
           answer->has_length != answer->has_coding;
}

static void begin_body(struct plx__http_answer *answer)
{
    answer->line_size = 0;
    if (!plx__http_answer_keeps(answer)) {
        answer->step = BROKEN;
    } else if (answer->has_coding) {
        answer->step = CHUNK_SIZE;
        answer->body_left = 0;
    } else {
        answer->step = answer->body_left > 0 ? SIZED_BODY : BODY_READ;
    }
}

/* read_chunk_size reads a byte of "1f;extension" (RFC 9112 section 7.1) and returns the next step.
 * `line_size` counts the digits. */
static enum step read_chunk_size(struct plx__http_answer *answer, char c)
{
    int digit = answer->step == CHUNK_SIZE ? plx__part_digit(c) : -1;
    if (digit >= 0) {
        answer->body_left = answer->body_left * 16 + (uint32_t)digit;
        answer->line_size++;
        return answer->body_left > PLX__HTTP_BODY_LIMIT ? BROKEN : CHUNK_SIZE;
    }
    if (answer->line_size == 0) {
        return BROKEN;
    }
    if (c == '\n') {
        answer->line_size = 0;
        return answer->body_left > 0 ? CHUNK_DATA : TRAILER;
    }
    bool follows = is_blank(c) || c == ';' || c == '\r';
    return answer->step == CHUNK_EXTENSION || follows ? CHUNK_EXTENSION : BROKEN;
}

/* read_trailer reads a byte of the lines behind the last chunk, the last of which is empty. */
static enum step read_trailer(struct plx__http_answer *answer, char c)
{
    if (c == '\n') {
        bool empty = answer->line_size == 0;
        answer->line_size = 0;
        return empty ? BODY_READ : TRAILER;
    }
    answer->line_size += c != '\r';
    return TRAILER;
}

/* skip_byte reads a byte of the body and returns the next step. */
static enum step skip_byte(struct plx__http_answer *answer, char c)
{
    if (++answer->body_size > PLX__HTTP_BODY_LIMIT) {
        return BROKEN;
    }
    switch (answer->step) {
    case SIZED_BODY: return --answer->body_left > 0 ? SIZED_BODY : BODY_READ;
    case CHUNK_SIZE:
    case CHUNK_EXTENSION: return read_chunk_size(answer, c);
    case CHUNK_DATA: return --answer->body_left > 0 ? CHUNK_DATA : CHUNK_END;
    case CHUNK_END: return c == '\n' ? CHUNK_SIZE : c == '\r' ? CHUNK_END : BROKEN;
    case TRAILER: return read_trailer(answer, c);
    default: return BROKEN;
    }
}

enum plx__http_progress plx__http_body_skip(struct plx__http_answer *answer, const void *bytes,
                                            size_t size, size_t *ret_used)
{
    const char *at = bytes;
    size_t used = 0;
    if (answer->step == HEAD_READ) {
        begin_body(answer);
    }
    while (used < size && answer->step != BODY_READ && answer->step != BROKEN) {
        answer->step = (uint8_t)skip_byte(answer, at[used++]);
    }
    *ret_used = used;
    return answer->step == BODY_READ ? PLX__HTTP_DONE
           : answer->step == BROKEN  ? PLX__HTTP_MALFORMED
                                     : PLX__HTTP_MORE;
}
