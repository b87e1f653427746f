/* lib/wire/http-challenge.h -- the challenges of a Proxy-Authenticate header: RFC 9110 section
 * 11.6.1. */
#ifndef PLX_LIB_WIRE_HTTP_CHALLENGE_H
#define PLX_LIB_WIRE_HTTP_CHALLENGE_H

#include "lib/wire/http-connect.h"

/* plx__http_challenge_read adds what the value of one header offers to `offers_basic`, `realm` and
 * `schemes` of the answer. What is malformed ends the value; challenges before it count. */
void plx__http_challenge_read(const char *value, size_t length, struct plx__http_answer *answer);

#endif
