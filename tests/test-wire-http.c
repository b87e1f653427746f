/* tests/test-wire-http.c -- the CONNECT request, and the proxy's answer in every split. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/base.h"
#include "lib/os/errno.h"
#include "lib/wire/http-challenge.h"
#include "lib/wire/http-connect.h"
#include "tests/sanitized.h"
#include "tests/suite.h"

/* A string of `length` bytes, which the next call overwrites. */
static const char *filled(size_t length)
{
    static char text[512];
    memset(text, 'a', length);
    text[length] = '\0';
    return text;
}

/* ---- the request ----------------------------------------------------------------------------- */

SECTION("request");

static char request[PLX__HTTP_REQUEST_SIZE];

static const struct {
    const char *host;
    int port;
    const char *user, *password, *request;
} requests[] = {
    {"example.com", 443, NULL, NULL,
     "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n"
     "Proxy-Connection: keep-alive\r\n\r\n"},
    {"10.0.0.1", 1, NULL, "ignored",
     "CONNECT 10.0.0.1:1 HTTP/1.1\r\nHost: 10.0.0.1:1\r\nProxy-Connection: keep-alive\r\n\r\n"},
    {"2001:db8::1", 65535, "Aladdin", "open sesame",
     "CONNECT [2001:db8::1]:65535 HTTP/1.1\r\nHost: [2001:db8::1]:65535\r\n"
     "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
     "Proxy-Connection: keep-alive\r\n\r\n"},
    {"a", 80, "u", "p:q",
     "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nProxy-Authorization: Basic dTpwOnE=\r\n"
     "Proxy-Connection: keep-alive\r\n\r\n"},
    {"a", 80, "", "",
     "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nProxy-Authorization: Basic Og==\r\n"
     "Proxy-Connection: keep-alive\r\n\r\n"},
    /* RFC 7617 section 2.1 */
    {"a", 80, "test", "123\xc2\xa3",
     "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nProxy-Authorization: Basic dGVzdDoxMjPCow==\r\n"
     "Proxy-Connection: keep-alive\r\n\r\n"},
};

LOOP_CASE(a_request, 0, (int)PLX__COUNT_OF(requests))
{
    size_t size = plx__http_connect_write(requests[_i].host, requests[_i].port, requests[_i].user,
                                          requests[_i].password, request);
    ck_assert_str_eq(request, requests[_i].request);
    ck_assert_uint_eq(size, strlen(request));
}

static const struct {
    const char *host;
    int port;
    const char *user, *password;
} refused[] = {
    {"", 80, NULL, NULL},         {" ", 80, NULL, NULL},
    {"a b", 80, NULL, NULL},      {"a\r\nX: y", 80, NULL, NULL},
    {"a\n", 80, NULL, NULL},      {"a\t", 80, NULL, NULL},
    {"a/b", 80, NULL, NULL},      {"/", 80, NULL, NULL},
    {"a:80", 80, NULL, NULL},     {"[::1]", 80, NULL, NULL},
    {"::g", 80, NULL, NULL},      {":", 80, NULL, NULL},
    {"fe80::1%1", 80, NULL, NULL}, {"fe80::1%lo", 80, NULL, NULL},
    {"a@b", 80, NULL, NULL},      {"a?", 80, NULL, NULL},
    {"a#", 80, NULL, NULL},       {"a\\b", 80, NULL, NULL},
    {"a%41", 80, NULL, NULL},     {"a\x7f", 80, NULL, NULL},
    {"caf\xc3\xa9", 80, NULL, NULL}, {"a", 0, NULL, NULL},
    {"a", -1, NULL, NULL},        {"a", 65536, NULL, NULL},
    {"a", 80, "u:v", "p"},        {"a", 80, "u\r\n", "p"},
    {"a", 80, "u", "p\n"},        {"a", 80, "u\x7f", "p"},
    {"a", 80, "u", "\1"},
};

LOOP_CASE(a_request_is_refused, 0, (int)PLX__COUNT_OF(refused))
{
    ck_assert_uint_eq(plx__http_connect_write(refused[_i].host, refused[_i].port, refused[_i].user,
                                              refused[_i].password, request),
                      0);
}

PLAIN_CASE(the_longest_request)
{
    char host[256], user[256];
    memcpy(host, filled(255), 256);
    memcpy(user, filled(255), 256);
    char *exact = malloc(PLX__HTTP_REQUEST_SIZE);
    size_t size = plx__http_connect_write(host, 65535, user, user, exact);
    ck_assert_uint_gt(size, 2 * 255 + 684);
    ck_assert_uint_lt(size, PLX__HTTP_REQUEST_SIZE);
    ck_assert_uint_eq(strlen(exact), size);
    ck_assert_str_eq(exact + size - 4, "\r\n\r\n");
    ck_assert_ptr_ne(strstr(exact, "YWFhYQ==\r\n"), NULL); /* "aaaa", the last of 511 bytes */
    ck_assert_uint_eq(plx__http_connect_write(filled(256), 1, NULL, NULL, exact), 0);
    ck_assert_uint_eq(plx__http_connect_write("a", 1, filled(256), "", exact), 0);
    ck_assert_uint_eq(plx__http_connect_write("a", 1, "", filled(256), exact), 0);
    free(exact);
}

/* Every byte in user and password: refused, or one of the bytes that base64 encodes. */
LOOP_CASE(every_byte_in_credentials, 1, 256)
{
    char text[2] = {(char)_i, '\0'};
    bool control = _i < 0x20 || _i == 0x7f;
    ck_assert((plx__http_connect_write("a", 1, text, "p", request) > 0) ==
              (!control && _i != ':'));
    ck_assert((plx__http_connect_write("a", 1, "u", text, request) > 0) == !control);
}

/* ---- answers --------------------------------------------------------------------------------- */

static struct plx__http_answer answer;

/* Reads the bytes in two pieces, each a block of its own size. Returns how many were used. */
static size_t read_in_two(const char *bytes, size_t size, size_t cut,
                          enum plx__http_progress *ret_progress)
{
    size_t used, more = 0;
    char *piece = malloc(size + 1);
    answer = (struct plx__http_answer){0};
    memcpy(piece, bytes, cut);
    *ret_progress = plx__http_answer_read(&answer, piece, cut, &used);
    if (*ret_progress == PLX__HTTP_MORE) {
        ck_assert_uint_eq(used, cut);
        piece = realloc(piece, size - cut + 1);
        memcpy(piece, bytes + cut, size - cut);
        *ret_progress = plx__http_answer_read(&answer, piece, size - cut, &more);
    }
    free(piece);
    return used + more;
}

/* Reads an answer, split after every byte, with the tunnel's bytes behind it; and every cut of it
 * has no result. */
static void expect_done(const char *head, int status)
{
    static const char tunnel[] = "\r\ntunnel";
    size_t size = strlen(head);
    char *whole = malloc(size + sizeof tunnel);
    enum plx__http_progress progress;
    memcpy(whole, head, size);
    memcpy(whole + size, tunnel, sizeof tunnel);
    for (size_t cut = 0; cut <= size + sizeof tunnel; cut += 1 + size / 512) {
        ck_assert_uint_eq(read_in_two(whole, size + sizeof tunnel, cut, &progress), size);
        ck_assert_int_eq(progress, PLX__HTTP_DONE);
        ck_assert_int_eq(answer.status, status);
        ck_assert_uint_eq(read_in_two(whole, cut < size ? cut : size - 1, cut / 2, &progress),
                          cut < size ? cut : size - 1);
        ck_assert_int_eq(progress, PLX__HTTP_MORE);
    }
    read_in_two(whole, size, size, &progress);
    free(whole);
}

static void expect_malformed(const char *bytes, size_t size)
{
    enum plx__http_progress progress;
    size_t used = read_in_two(bytes, size, 0, &progress);
    ck_assert_msg(progress == PLX__HTTP_MALFORMED, "\"%.60s\" gives %d", bytes, (int)progress);
    for (size_t cut = 0; cut <= size; cut += 1 + size / 512) {
        ck_assert_uint_eq(read_in_two(bytes, size, cut, &progress), used);
        ck_assert_int_eq(progress, PLX__HTTP_MALFORMED);
    }
    ck_assert_int_eq(plx__http_answer_read(&answer, "HTTP", 4, &used), PLX__HTTP_MALFORMED);
    ck_assert_uint_eq(used, 0);
}

SECTION("head");

static const struct {
    const char *head;
    int status;
    const char *status_line;
} heads[] = {
    {"HTTP/1.1 200 OK\r\n\r\n", 200, "HTTP/1.1 200 OK"},
    {"HTTP/1.0 200 Connection established\r\n\r\n", 200, "HTTP/1.0 200 Connection established"},
    {"HTTP/1.1 200\r\n\r\n", 200, "HTTP/1.1 200"},
    {"HTTP/1.1 200 \r\n\r\n", 200, "HTTP/1.1 200 "},
    {"HTTP/1.1 200 OK\n\n", 200, "HTTP/1.1 200 OK"},
    {"HTTP/1.1 200 OK\n\r\n", 200, "HTTP/1.1 200 OK"},
    {"HTTP/1.1 200 OK\r\nA: b\n\n", 200, "HTTP/1.1 200 OK"},
    {"HTTP/1.9 299 \x01\xff\t.\r\n\r\n", 299, "HTTP/1.9 299 ???."},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "HTTP/1.1 204 No Content"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n", 200,
     "HTTP/1.1 200 OK"},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\nContent-Length: 99999999999\r\n\r\n", 200,
     "HTTP/1.1 200 OK"},
    {"HTTP/1.1 200 OK\r\n no header\r\nno colon\r\n: no name\r\nA :b\r\n folded\r\n \r\n\r\n", 200,
     "HTTP/1.1 200 OK"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "HTTP/1.1 200 OK"},
    {"HTTP/1.1 103\r\nA: b\r\n\r\nHTTP/1.1 199\r\n\r\nHTTP/1.0 503 Busy\r\nA: b\r\n\r\n", 503,
     "HTTP/1.0 503 Busy"},
    {"HTTP/1.1 301 Moved\r\nLocation: x\r\n\r\n", 301, "HTTP/1.1 301 Moved"},
    {"HTTP/1.1 999 x\r\n\r\n", 999, "HTTP/1.1 999 x"},
    {"HTTP/1.1 404 345678901234567890123456789012345678901234567890123456789012345678901234567\r\n"
     "\r\n",
     404, "HTTP/1.1 404 3456789012345678901234567890123456789012345678901234567890123456789"},
};

LOOP_CASE(a_head, 0, (int)PLX__COUNT_OF(heads))
{
    expect_done(heads[_i].head, heads[_i].status);
    ck_assert_uint_le(strlen(heads[_i].status_line), 80);
    ck_assert_int_eq(strncmp(answer.status_line, heads[_i].status_line,
                             strlen(heads[_i].status_line)),
                     0);
    ck_assert_uint_le(strlen(answer.status_line), 80);
}

PLAIN_CASE(a_status_line_keeps_80_bytes)
{
    char head[128];
    snprintf(head, sizeof head, "HTTP/1.1 500 %.80s\r\n\r\n", filled(80));
    expect_done(head, 500);
    ck_assert_uint_eq(strlen(answer.status_line), 80);
    snprintf(head, sizeof head, "HTTP/1.1 500 %.67s\r\n\r\n", filled(67));
    expect_done(head, 500);
    ck_assert_uint_eq(strlen(answer.status_line), 80);
    snprintf(head, sizeof head, "HTTP/1.1 500 %.66s\r\n\r\n", filled(66));
    expect_done(head, 500);
    ck_assert_uint_eq(strlen(answer.status_line), 79);
}

static const char *const malformed[] = {
    "\n", "\r\n", " ", "SSH-2.0-OpenSSH\r\n", "\5\1", "h", "http/1.1 200 OK\r\n\r\n",
    "HTTP/2 200\r\n", "HTTP/2.0 200 OK\r\n", "HTTP/1 200 OK\r\n", "HTTP/1.\r\n", "HTTP/1.1\r\n",
    "HTTP/1.1 \r\n", "HTTP/1.1 20\r\n", "HTTP/1.1 2000\r\n", "HTTP/1.1 20x\r\n",
    "HTTP/1.1 200OK\r\n", "HTTP/1.1 -20\r\n", "HTTP/1.1 +20\r\n", "HTTP/1.1  200\r\n",
    "HTTP/1.1\t200\r\n", "HTTP/1.10 200\r\n", "HTTP/1.x 200\r\n", "HTTP/1.1 099 x\r\n",
    "HTTP/1.1 000\r\n", "ICY 200 OK\r\n", "HTTP/1.1 200 O\rK\r\n", "HTTP/1.1 200 OK\r\r\n",
    "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\n\rA: b\r\n\r\n",
    "HTTP/1.1 100\r\n\r\nnothing", "HTTP/1.1 100\r\n\r\n\r\n", "<html>",
};

LOOP_CASE(no_head, 0, (int)PLX__COUNT_OF(malformed))
{
    expect_malformed(malformed[_i], strlen(malformed[_i]));
}

PLAIN_CASE(a_zero_byte_is_malformed)
{
    expect_malformed("HTTP/1.1 200 O\0K\r\n\r\n", 20);
    expect_malformed("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 24);
    expect_malformed("\0", 1);
}

/* Another protocol is detected by its first wrong byte. */
PLAIN_CASE(the_version_is_checked_byte_by_byte)
{
    for (size_t i = 0; i < 7; i++) {
        char text[16] = "HTTP/1.1 200";
        enum plx__http_progress progress;
        text[i] = '!';
        ck_assert_uint_eq(read_in_two(text, 12, 0, &progress), i + 1);
        ck_assert_int_eq(progress, PLX__HTTP_MALFORMED);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

SECTION("limits");

/* An answer of exactly `size` bytes with lines of 1000 bytes, in a block that the caller frees. */
static char *sized_head(size_t size)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\n";
    char *head = malloc(size + 1);
    memset(head, 'a', size);
    memcpy(head, begin, sizeof begin - 1);
    for (size_t at = 1000; at + 1000 < size; at += 1000)
        memcpy(head + at, "\r\nA: ", 5);
    memcpy(head + size - 4, "\r\n\r\n", 5);
    return head;
}

PLAIN_CASE(a_head_of_16_kib)
{
    char *head = sized_head(PLX__HTTP_HEAD_LIMIT);
    expect_done(head, 200);
    free(head);
    head = sized_head(PLX__HTTP_HEAD_LIMIT + 1);
    expect_malformed(head, strlen(head));
    free(head);
}

PLAIN_CASE(a_line_of_16_kib)
{
    char *head = malloc(PLX__HTTP_HEAD_LIMIT + 2);
    memset(head, 'a', PLX__HTTP_HEAD_LIMIT);
    memcpy(head, "HTTP/1.1 407 No\r\nContent-Length: 0\r\nProxy-Authenticate: Basic, ", 63);
    memcpy(head + PLX__HTTP_HEAD_LIMIT - 4, "\r\n\r\n", 5);
    expect_done(head, 407);
    ck_assert(answer.offers_basic);
    ck_assert(!plx__http_answer_keeps(&answer));
    memset(head, 'a', PLX__HTTP_HEAD_LIMIT + 1);
    memcpy(head, "HTTP/1.1 407 ", 13);
    expect_malformed(head, PLX__HTTP_HEAD_LIMIT + 1);
    free(head);
}

/* An answer with that many header lines. */
static const char *lined_head(char *head, int count)
{
    size_t size = (size_t)sprintf(head, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < count; i++)
        size += (size_t)sprintf(head + size, i % 3 == 2 ? " folded\r\n" : "A: %d\n", i);
    strcpy(head + size, "\r\n");
    return head;
}

PLAIN_CASE(a_hundred_lines)
{
    char head[4096];
    expect_done(lined_head(head, 100), 200);
    lined_head(head, 101);
    expect_malformed(head, strlen(head));
}

/* So that an endless row of them ends. */
PLAIN_CASE(the_limits_hold_for_1xx_too)
{
    char bytes[PLX__HTTP_HEAD_LIMIT + 64];
    size_t size = 0;
    while (size <= PLX__HTTP_HEAD_LIMIT)
        size += (size_t)sprintf(bytes + size, "HTTP/1.1 100 Continue\r\n\r\n");
    expect_malformed(bytes, size);
    size = 0;
    for (int i = 0; i < 51; i++)
        size += (size_t)sprintf(bytes + size, "HTTP/1.1 100\r\nA: b\r\nA: b\r\n\r\n");
    expect_malformed(bytes, size);
}

/* ---- challenges ------------------------------------------------------------------------------ */

SECTION("challenges");

static const struct {
    const char *headers;
    bool basic;
    const char *realm, *schemes;
} challenges[] = {
    {"", false, "", ""},
    {"WWW-Authenticate: Basic realm=x\r\n", false, "", ""},
    {"Proxy-Authenticate: Basic realm=\"office\"\r\n", true, "office", ""},
    {"proxy-AUTHENTICATE:bAsIc\trEALM = office\r\n", true, "office", ""},
    {"Proxy-Authenticate : Basic realm=\"a \\\"b\\\" \\\\, c=d\"\r\n", true, "a \"b\" \\, c=d", ""},
    {"Proxy-Authenticate: Basic\r\n", true, "", ""},
    {"Proxy-Authenticate: Basic realm=\r\n", true, "", ""},
    {"Proxy-Authenticate: Basic realm=\"\"\r\n", true, "", ""},
    {"Proxy-Authenticate: Basic realm=\"open\r\n", true, "open", ""},
    {"Proxy-Authenticate: Basic realm=\"open\\\r\n", true, "open\\", ""},
    {"Proxy-Authenticate: Basic realm=\"\xc3\xa9\t\x01\"\r\n", true, "????", ""},
    {"Proxy-Authenticate: Basic charset=\"UTF-8\", realm=x, y=z\r\n", true, "x", ""},
    {"Proxy-Authenticate: Basic realm=a, Basic realm=b\r\n", true, "a", ""},
    {"Proxy-Authenticate: Basic realm=a\r\nProxy-Authenticate: Basic realm=b\r\n", true, "a", ""},
    {"Proxy-Authenticate: Basic, Digest realm=b\r\n", true, "", "Digest"},
    {"Proxy-Authenticate: Digest realm=\"d\", nonce=\"a,Basic\", Basic realm=\"b\"\r\n", true, "b",
     "Digest"},
    {"Proxy-Authenticate: Negotiate, NTLM, Basic realm=\"b\"\r\n", true, "b", "Negotiate, NTLM"},
    {"Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic\r\n",
     true, "", "Negotiate, NTLM"},
    {"Proxy-Authenticate: NTLM TlRMTVNTUAAC==\r\n", false, "", "NTLM"},
    {"Proxy-Authenticate: Negotiate a+/-._~z=, Basic realm=b\r\n", true, "b", "Negotiate"},
    {"Proxy-Authenticate: Negotiate Basic\r\n", false, "", "Negotiate"},
    {"Proxy-Authenticate: Digest qop=\"auth, Basic realm=x\"\r\n", false, "", "Digest"},
    {"Proxy-Authenticate: Digest a=b,\r\n Basic realm=c\r\n", true, "c", "Digest"},
    {"Proxy-Authenticate: ,, ,Basic,, realm=c,,\r\n", true, "c", ""},
    {"Proxy-Authenticate: A, B\r\n", false, "", "A, B"},
    {"Proxy-Authenticate: Basically realm=c\r\n", false, "", "Basically"},
    {"Proxy-Authenticate: realm=c\r\n", false, "", ""},
    {"Proxy-Authenticate: \"Basic\"\r\n", false, "", ""},
    {"Proxy-Authenticate: Digest a=b; Basic\r\n", false, "", "Digest"},
    {"Proxy-Authenticate:\r\n", false, "", ""},
    {"Proxy-Authenticate: = = =\r\n", false, "", ""},
    {"Proxy-Authenticate: a1234567890123456789012345678901234567890, "
     "b1234567890123456789012345678901234567890, c123456789\r\n",
     false, "", "a1234567890123456789012345678901234567890, c123456789"},
};

LOOP_CASE(a_challenge, 0, (int)PLX__COUNT_OF(challenges))
{
    char head[1024];
    snprintf(head, sizeof head, "HTTP/1.1 407 No\r\n%s\r\n", challenges[_i].headers);
    expect_done(head, 407);
    ck_assert(answer.offers_basic == challenges[_i].basic);
    ck_assert_str_eq(answer.realm, challenges[_i].realm);
    ck_assert_str_eq(answer.schemes, challenges[_i].schemes);
}

PLAIN_CASE(a_realm_has_127_bytes_at_most)
{
    char head[1024];
    snprintf(head, sizeof head, "HTTP/1.1 407\r\nProxy-Authenticate: Basic realm=\"%s\"\r\n\r\n",
             filled(127));
    expect_done(head, 407);
    ck_assert_str_eq(answer.realm, filled(127));
    snprintf(head, sizeof head, "HTTP/1.1 407\r\nProxy-Authenticate: Basic realm=\"%s\"\r\n\r\n",
             filled(128));
    expect_done(head, 407);
    ck_assert_str_eq(answer.realm, filled(127));
}

PLAIN_CASE(a_1xx_offers_nothing)
{
    expect_done("HTTP/1.1 100\r\nProxy-Authenticate: Basic realm=a, NTLM\r\nConnection: close\r\n"
                "Content-Length: 7\r\n\r\nHTTP/1.1 407\r\nContent-Length: 0\r\n\r\n",
                407);
    ck_assert(!answer.offers_basic);
    ck_assert_str_eq(answer.realm, "");
    ck_assert_str_eq(answer.schemes, "");
    ck_assert(plx__http_answer_keeps(&answer));
}

/* A name that does not fit is left out, and 79 bytes fit. */
PLAIN_CASE(schemes_fill_79_bytes)
{
    for (int length = 37; length <= 40; length++) {
        char head[256];
        snprintf(head, sizeof head, "HTTP/1.1 407\r\nProxy-Authenticate: %.39s, %.*s, C\r\n\r\n",
                 filled(39), length, filled(40));
        expect_done(head, 407);
        ck_assert_uint_eq(strlen(answer.schemes), length <= 38 ? 41 + (size_t)length : 42);
    }
}

/* A value that is cut off or has any byte in any place: nothing is read beyond its end. */
PLAIN_CASE(every_cut_of_a_challenge)
{
    static const char value[] = "Digest a=\"b\\\"c\", d = e,Basic realm = \"f\\g\" , NTLM h+/==, i";
    for (size_t length = 0; length < sizeof value; length++) {
        char *block = malloc(length + (length == 0));
        memcpy(block, value, length);
        answer = (struct plx__http_answer){0};
        plx__http_challenge_read(block, length, &answer);
        ck_assert(answer.offers_basic == (length >= 28));
        free(block);
    }
}

/* ---- the connection afterwards --------------------------------------------------------------- */

SECTION("keeps");

static const struct {
    const char *version, *headers;
    bool keeps;
} keeping[] = {
    {"1.1", "", false},
    {"1.1", "Content-Length: 5\r\n", true},
    {"1.1", "Content-Length: 0\r\n", true},
    {"1.1", "content-length:5\r\nConnection: keep-alive\r\n", true},
    {"1.1", "Content-Length: 65536\r\n", true},
    {"1.1", "Content-Length: 65537\r\n", false},
    {"1.1", "Content-Length: 18446744073709551616\r\n", false},
    {"1.1", "Content-Length: 4294967301\r\n", false},
    {"1.1", "Content-Length: 5\r\nContent-Length: 5\r\n", true},
    {"1.1", "Content-Length: 5\r\nContent-Length: 6\r\n", false},
    {"1.1", "Content-Length: 5, 5\r\n", false},
    {"1.1", "Content-Length: \r\n", false},
    {"1.1", "Content-Length: -1\r\n", false},
    {"1.1", "Content-Length: +5\r\n", false},
    {"1.1", "Content-Length: 0x5\r\n", false},
    {"1.1", "Content-Length: 5\r\n 6\r\n", false},
    {"1.1", "Transfer-Encoding: chunked\r\n", true},
    {"1.1", "Transfer-Encoding: CHUNKED\r\n", true},
    {"1.1", "Transfer-Encoding: gzip, chunked\r\n", false},
    {"1.1", "Transfer-Encoding: identity\r\n", false},
    {"1.1", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", false},
    {"1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", false},
    {"1.1", "Content-Length: 5\r\nConnection: close\r\n", false},
    {"1.1", "Content-Length: 5\r\nProxy-Connection: Close\r\n", false},
    {"1.1", "Content-Length: 5\r\nConnection: a,\t CLOSE ,b\r\n", false},
    {"1.1", "Content-Length: 5\r\nConnection: closed, clos, not-close\r\n", true},
    {"1.1", "Content-Length: 5\r\nConnection:\r\nConnection: ,\r\n", true},
    {"1.1", "Content-Length: 5\r\nConnection: keep-alive,\r\n close\r\n", false},
    {"1.1", "Content-Length: 5\r\nConnection: close\r\nProxy-Connection: keep-alive\r\n", false},
    {"1.0", "Content-Length: 5\r\n", false},
    {"1.0", "Content-Length: 5\r\nConnection: keep-alive\r\n", false},
};

LOOP_CASE(a_connection_is_kept, 0, (int)PLX__COUNT_OF(keeping))
{
    char head[256];
    size_t used;
    snprintf(head, sizeof head, "HTTP/%s 407 No\r\n%s\r\n", keeping[_i].version,
             keeping[_i].headers);
    expect_done(head, 407);
    ck_assert(plx__http_answer_keeps(&answer) == keeping[_i].keeps);
    enum plx__http_progress progress = plx__http_body_skip(&answer, "", 0, &used);
    ck_assert((progress != PLX__HTTP_MALFORMED) == keeping[_i].keeps);
}

/* ---- bodies ---------------------------------------------------------------------------------- */

SECTION("bodies");

/* Skips the bytes in two pieces; each is a block of its own size. Returns how many were used. */
static size_t skip_in_two(const char *header, const char *body, size_t size, size_t cut,
                          enum plx__http_progress *ret_progress)
{
    char head[128];
    size_t used, more = 0;
    snprintf(head, sizeof head, "HTTP/1.1 407 No\r\n%s\r\n\r\n", header);
    ck_assert_uint_eq(read_in_two(head, strlen(head), 0, ret_progress), strlen(head));
    ck_assert_int_eq(*ret_progress, PLX__HTTP_DONE);
    char *piece = malloc(size + 1);
    memcpy(piece, body, cut);
    *ret_progress = plx__http_body_skip(&answer, piece, cut, &used);
    if (*ret_progress == PLX__HTTP_MORE) {
        ck_assert_uint_eq(used, cut);
        piece = realloc(piece, size - cut + 1);
        memcpy(piece, body + cut, size - cut);
        *ret_progress = plx__http_body_skip(&answer, piece, size - cut, &more);
    }
    free(piece);
    return used + more;
}

static const struct {
    bool chunked;
    const char *body;
    enum plx__http_progress progress;
    size_t used;
} bodies[] = {
    {false, "12345HTTP/1.1", PLX__HTTP_DONE, 5},
    {false, "12345", PLX__HTTP_DONE, 5},
    {false, "1234", PLX__HTTP_MORE, 4},
    {true, "0\r\n\r\nHTTP", PLX__HTTP_DONE, 5},
    {true, "0\n\nHTTP", PLX__HTTP_DONE, 3},
    {true, "5\r\n12345\r\n0\r\n\r\nH", PLX__HTTP_DONE, 15},
    {true, "5\n12345\n0\n\nH", PLX__HTTP_DONE, 11},
    {true, "1\r\n\n\r\n02;a=\"b\r\"\r\n\r\n\r\n000\r\n\r\n", PLX__HTTP_DONE, 28},
    {true, "a \t\r\n1234567890\r\nA;x\r\n1234567890\r\n0;y\r\n\r\nH", PLX__HTTP_DONE, 41},
    {true, "0\r\nTrailer: 1\r\nB: 2\n\r\nH", PLX__HTTP_DONE, 22},
    {true, "5\r\n12345\r\n", PLX__HTTP_MORE, 10},
    {true, "5\r\n12345\r\n0\r\n", PLX__HTTP_MORE, 13},
    {true, "", PLX__HTTP_MORE, 0},
    {true, "\r\n", PLX__HTTP_MALFORMED, 1},
    {true, "\n", PLX__HTTP_MALFORMED, 1},
    {true, ";x\r\n", PLX__HTTP_MALFORMED, 1},
    {true, "-1\r\n", PLX__HTTP_MALFORMED, 1},
    {true, "0x5\r\n", PLX__HTTP_MALFORMED, 2},
    {true, "5g\r\n", PLX__HTTP_MALFORMED, 2},
    {true, "1\r\n12\r\n", PLX__HTTP_MALFORMED, 5},
    {true, "10001\r\n", PLX__HTTP_MALFORMED, 5},
    {true, "fffffffffffffffff\r\n", PLX__HTTP_MALFORMED, 5},
};

LOOP_CASE(a_body, 0, (int)PLX__COUNT_OF(bodies))
{
    const char *header = bodies[_i].chunked ? "Transfer-Encoding: chunked" : "Content-Length: 5";
    size_t size = strlen(bodies[_i].body);
    for (size_t cut = 0; cut <= size; cut++) {
        enum plx__http_progress progress;
        size_t used = skip_in_two(header, bodies[_i].body, size, cut, &progress);
        ck_assert_msg(progress == bodies[_i].progress && used == bodies[_i].used,
                      "\"%s\" in %zu + %zu: %d, %zu used", bodies[_i].body, cut, size - cut,
                      (int)progress, used);
    }
}

PLAIN_CASE(no_body_before_the_head)
{
    size_t used = 9;

    answer = (struct plx__http_answer){.status = 0};

    ck_assert_int_eq(plx__http_body_skip(&answer, "x", 1, &used), PLX__HTTP_MALFORMED);
    ck_assert_int_eq(plx__http_body_skip(&answer, "x", 1, &used), PLX__HTTP_MALFORMED);
    ck_assert_uint_eq(used, 0);
}

PLAIN_CASE(a_body_of_a_byte_and_an_empty_one)
{
    enum plx__http_progress progress;
    ck_assert_uint_eq(skip_in_two("Content-Length: 1", "aH", 2, 0, &progress), 1);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    ck_assert_uint_eq(skip_in_two("Content-Length: 1", "aH", 2, 1, &progress), 1);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    ck_assert_uint_eq(skip_in_two("Content-Length: 0", "H", 1, 0, &progress), 0);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    ck_assert_uint_eq(skip_in_two("Content-Length: 0", "H", 1, 1, &progress), 0);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
}

/* 64 KiB are skipped; of chunks the bytes around the data count, too. */
PLAIN_CASE(a_body_of_64_kib)
{
    enum plx__http_progress progress;
    size_t limit = PLX__HTTP_BODY_LIMIT;
    char *body = malloc(limit + 64);
    memset(body, 'x', limit + 64);
    ck_assert_uint_eq(skip_in_two("Content-Length: 65536", body, limit + 9, 9, &progress), limit);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    /* ffee\r\n, 65518 bytes, and \r\n0\r\n\r\n are 65531 */
    memcpy(body, "ffee\r\n", 6);
    memcpy(body + 6 + 65518, "\r\n0\r\n\r\n", 7);
    ck_assert_uint_eq(skip_in_two("Transfer-Encoding: chunked", body, limit, 9, &progress), 65531);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    memcpy(body, "fff3\r\n", 6);
    memcpy(body + 6 + 65523, "\r\n0\r\n\r\n", 7);
    ck_assert_uint_eq(skip_in_two("Transfer-Encoding: chunked", body, limit, 9, &progress), limit);
    ck_assert_int_eq(progress, PLX__HTTP_DONE);
    memcpy(body, "fff4\r\n", 6);
    memcpy(body + 6 + 65524, "\r\n0\r\n\r\n", 7);
    ck_assert_uint_eq(skip_in_two("Transfer-Encoding: chunked", body, limit + 1, 9, &progress),
                      limit + 1);
    ck_assert_int_eq(progress, PLX__HTTP_MALFORMED);
    free(body);
}

/* ---- failures -------------------------------------------------------------------------------- */

SECTION("failures");

/* All statuses: those of the table, and the others. */
static const struct {
    int status, code;
    plx_reason reason;
    int os_error;
} rows[] = {
    {403, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {405, PLX__EACCES, PLX_REASON_SOCKET_ACCESS, PLX__EACCES},
    {404, PLX_NAME_RESOLUTION, PLX_REASON_HOST_NOT_FOUND, 0},
    {407, PLX__EACCES, PLX_REASON_PROXY_AUTHENTICATION_REQUIRED, PLX__EACCES},
    {502, PLX__EHOSTUNREACH, PLX_REASON_NETWORK, PLX__EHOSTUNREACH},
    {503, PLX__ECONNREFUSED, PLX_REASON_CONNECTION_REFUSED, PLX__ECONNREFUSED},
    {504, PLX__ETIMEDOUT, PLX_REASON_NETWORK, PLX__ETIMEDOUT},
};

LOOP_CASE(failure_of_a_status, 300, 1000)
{
    char head[64], text[64];
    int code = PLX__EPROTO, os_error = PLX__EPROTO;
    plx_reason reason = PLX_REASON_PROXY_PROTOCOL;
    for (size_t i = 0; i < PLX__COUNT_OF(rows); i++) {
        if (rows[i].status == _i) {
            code = rows[i].code;
            reason = rows[i].reason;
            os_error = rows[i].os_error;
        }
    }
    snprintf(head, sizeof head, "HTTP/1.1 %d Why \x1b[31m\r\n\r\n", _i);
    expect_done(head, _i);
    struct plx__proxy_failure failure = plx__http_connect_failure(&answer);
    ck_assert_int_eq(failure.code, code);
    ck_assert_int_eq(failure.reason, reason);
    ck_assert_int_eq(failure.os_error, os_error);
    snprintf(text, sizeof text, "the proxy answers \"HTTP/1.1 %d Why ?[31m\"", _i);
    if (_i != 407)
        ck_assert_str_eq(failure.text, text);
}

static const struct {
    const char *header, *text;
} unanswered[] = {
    {"Proxy-Authenticate: Basic, NTLM", "the proxy requires other credentials"},
    {"Proxy-Authenticate: Digest, NTLM",
     "the proxy requires authentication by Digest, NTLM, and only Basic is supported"},
    {"Proxy-Authenticate: X",
     "the proxy requires authentication by X, and only Basic is supported"},
    {"A: b", "the proxy requires authentication, and names no scheme for it"},
};

LOOP_CASE(failure_of_407, 0, (int)PLX__COUNT_OF(unanswered))
{
    char head[128];
    snprintf(head, sizeof head, "HTTP/1.1 407 No\r\n%s\r\n\r\n", unanswered[_i].header);
    expect_done(head, 407);
    ck_assert_str_eq(plx__http_connect_failure(&answer).text, unanswered[_i].text);
}

PLAIN_CASE(the_longest_text_of_a_failure)
{
    char head[1024];
    snprintf(head, sizeof head, "HTTP/1.1 407\r\nProxy-Authenticate: %s\r\n\r\n", filled(79));
    expect_done(head, 407);
    ck_assert_uint_eq(strlen(answer.schemes), 79);
    const char *end = strstr(plx__http_connect_failure(&answer).text, "supported");
    ck_assert_ptr_ne(end, NULL);
    ck_assert_str_eq(end, "supported");
}

LEAKS_ARE_COUNTED

SUITE_MAIN("wire-http")
