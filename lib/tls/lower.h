/* lib/tls/lower.h -- OpenSSL's way to the layer below: a BIO that moves bytes by
 * plx_filter_lower_receive and plx_filter_lower_send. OpenSSL's own BIO of a socket would use
 * write(2), and a peer that is gone would kill the process by SIGPIPE. */
#ifndef PLX_LIB_TLS_LOWER_H
#define PLX_LIB_TLS_LOWER_H

#include <pollux/filter.h>

#include <openssl/bio.h>

#include <stdbool.h>
#include <stddef.h>

/* The bytes that one step receives at most: a peer may send records without any byte of the program
 * in them for as long as it likes, and OpenSSL would not return. */
#define PLX__TLS_ALLOWANCE ((size_t)64 * 1024)

/* What a BIO has found. */
struct plx__tls_lower {
    plx_filter *filter;
    size_t allowance; /* bytes that this step may still receive */
    ptrdiff_t error;  /* negative: the errno that the layer below has returned; 0: none */
    bool ended;       /* the layer below has ended */
    bool refuses;     /* nothing is received any more: the peer has sent too much of one sort */
    bool keeps;       /* SSL_write runs: the rest of its record is kept below */
    struct plx__tls_rest {
        unsigned char *data; /* NULL: none */
        size_t size, sent, room;
    } rest; /* what OpenSSL has handed over and the layer below has not taken */
};

/* plx__tls_lower_new makes the table of the BIOs; NULL when there is no memory.
 * plx__tls_lower_bio makes a BIO, which borrows `lower`. */
BIO_METHOD *plx__tls_lower_new(void);
BIO *plx__tls_lower_bio(const BIO_METHOD *method, struct plx__tls_lower *lower);

/* plx__tls_lower_flush sends the rest. Returns 0, -EAGAIN, or another negative errno, which is the
 * `error` then. plx__tls_lower_clear forgets the rest. */
ptrdiff_t plx__tls_lower_flush(struct plx__tls_lower *lower);
void plx__tls_lower_clear(struct plx__tls_lower *lower);

#endif
