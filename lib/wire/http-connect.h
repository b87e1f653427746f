/* lib/wire/http-connect.h -- the CONNECT request of HTTP/1.1 and the proxy's answer: RFC 9110
 * sections 9.3.6 and 11.7, RFC 9112.
 *
 *     ANSWER: status line, header lines, empty line    read by plx__http_answer_read
 *       |-- 1xx: another answer follows, which is read in the same call
 *       |-- 2xx: the next byte belongs to the tunnel, whatever the headers say
 *       |-- 407: a body may follow                     skipped by plx__http_body_skip
 *       `-- any other status: plx__http_connect_failure
 */
#ifndef PLX_LIB_WIRE_HTTP_CONNECT_H
#define PLX_LIB_WIRE_HTTP_CONNECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wire/proxy-failure.h"

enum {
    PLX__HTTP_REQUEST_SIZE = 1536, /* room for every request with its zero byte */
    PLX__HTTP_HEAD_LIMIT = 16384,  /* bytes of an answer with those of the 1xx before it */
    PLX__HTTP_LINES_LIMIT = 100,   /* header lines of the same */
    PLX__HTTP_BODY_LIMIT = 65536,  /* bytes of a body that is skipped, with those around chunks */
    PLX__HTTP_LINE_SIZE = 4096     /* bytes of a line that are looked at, the others are dropped */
};

/* Where reading stands. */
enum plx__http_progress { PLX__HTTP_MORE, PLX__HTTP_DONE, PLX__HTTP_MALFORMED };

/* An answer, while it is read and afterwards. Read the first group of members when the answer is
 * done; the others belong to the functions below. A zeroed answer is one that begins. */
struct plx__http_answer {
    int status;           /* 200 to 999 */
    char status_line[81]; /* its first 80 bytes, '?' for each that is not printable ASCII */
    bool offers_basic;    /* a Proxy-Authenticate header has Basic */
    char realm[128];      /* of the first Basic, '?' as above; "" */
    char schemes[80];     /* the names of the other schemes, as in "Digest, NTLM"; "" */

    uint8_t step; /* enum step, lib/wire/http-answer.c */
    bool is_http_1_0, closes;
    bool has_length, has_coding; /* Content-Length, Transfer-Encoding */
    bool is_vague;               /* these do not say where the body ends, or it is too long */
    bool after_cr;
    unsigned lines;     /* header lines so far */
    uint32_t head_size; /* bytes so far */
    uint32_t body_left; /* of the body or of a chunk */
    uint32_t body_size; /* bytes skipped so far */
    size_t line_size;
    char line[PLX__HTTP_LINE_SIZE];
};

/* plx__http_connect_write writes a request for a tunnel to `host`, a name or an address without
 * brackets, with Basic credentials unless `user` is NULL. Returns the size without the zero byte; 0
 * for a host that is neither a name (plx__proxy_is_name) nor an address without a scope, for a port
 * that is not 1 to 65535, and for credentials that Basic cannot send: a user with a colon, or a
 * control character or more than 255 bytes in either (RFC 7617 section 2). ret_text has
 * PLX__HTTP_REQUEST_SIZE bytes. */
size_t plx__http_connect_write(const char *host, int port, const char *user, const char *password,
                               char *ret_text);

/* plx__http_answer_read reads the next bytes of an answer, and sets *ret_used to how many of them
 * belong to it: fewer than `size` only when it is done or malformed. */
enum plx__http_progress plx__http_answer_read(struct plx__http_answer *answer, const void *bytes,
                                              size_t size, size_t *ret_used);

/* plx__http_answer_keeps returns whether another request can be sent on the same connection once
 * the body has been skipped: the answer is HTTP/1.1, no header announces the end of the connection,
 * and the end of the body is known and not beyond PLX__HTTP_BODY_LIMIT. */
bool plx__http_answer_keeps(const struct plx__http_answer *answer);

/* plx__http_body_skip skips the next bytes of the body of such an answer, as plx__http_answer_read
 * reads. Call it with size 0 first: a body may be empty. PLX__HTTP_MALFORMED, also for a body that
 * turns out to be beyond the limit, means that a new connection is needed. */
enum plx__http_progress plx__http_body_skip(struct plx__http_answer *answer, const void *bytes,
                                            size_t size, size_t *ret_used);

/* plx__http_connect_failure returns the failure of an answer that is done and whose status is not
 * 2xx. The text of 407 names the schemes that were offered. */
struct plx__proxy_failure plx__http_connect_failure(const struct plx__http_answer *answer);

#endif
