/* lib/tls/connection.h -- one TLS connection: a filter of a socket.
 *
 *      program  <- SSL_read  <- [ SSL ] <- lower.c <- the layer below
 *      program  -> SSL_write -> [ SSL ] -> lower.c -> the layer below
 *
 * Design: the filter's state. What is known about the last connection stays, for `error` and
 * plx_socket_tls_info, until the next one begins.
 *
 * The settings have their own share: `ssl` uses their tables as long as it lives. So `ssl` is freed
 * before the settings are exchanged. */
#ifndef PLX_LIB_TLS_CONNECTION_H
#define PLX_LIB_TLS_CONNECTION_H

#include "lib/tls/lower.h"
#include "lib/tls/problem.h"
#include "lib/tls/tls.h"

#include <pollux/filter.h>
#include <pollux/tls.h>

#include <openssl/ssl.h>

/* The question whether to go on with a peer; lib/tls/question.c alone writes it.
 *
 *      UNASKED --put--> ASKED --the handler says PAUSE--> PAUSED
 *         |               | says ACCEPT, REFUSE              | plx_socket_resume
 *         | nobody to ask v                                  v
 *         +--------> ACCEPTED, REFUSED <---------------------+ */
enum plx__tls_answer {
    PLX__TLS_UNASKED,
    PLX__TLS_ASKED,
    PLX__TLS_PAUSED,
    PLX__TLS_ACCEPTED,
    PLX__TLS_REFUSED
};

struct plx__tls_connection {
    plx_tls *tls; /* has a share of it; NULL: not set yet */
    SSL *ssl;     /* NULL: no connection has begun */
    struct plx__tls_lower lower;
    struct plx__tls_problem problem;
    char *peer;           /* a client: "name port", for the session; NULL: none */
    unsigned number;      /* of the connection: each one that begins has another */
    int taken;            /* bytes of the program whose record is not all sent yet */
    unsigned messages;    /* of TLS itself, since the last byte for the program */
    unsigned char answer; /* plx__tls_answer */
    unsigned char verify; /* PLX_TLS_VERIFY when the connection began: later changes do not count */
    bool more;            /* SSL_read has not yet said that it has nothing */
    bool is_in_stream;    /* by plx_socket_start_tls, for one connection */
};

/* The table of the filter: lib/tls/steps.c. */
extern const plx_filter_kind plx__tls_kind;

/* plx__tls_connection_of returns the connection of a filter of plx__tls_kind. */
static inline struct plx__tls_connection *plx__tls_connection_of(plx_filter *filter)
{
    return plx_filter_state(filter);
}

/* plx__tls_verifies returns whether the connection verifies the certificate of the peer. */
static inline bool plx__tls_verifies(const struct plx__tls_connection *connection)
{
    return connection->verify != PLX_TLS_VERIFY_NONE;
}

/* plx__tls_filter_of returns the filter whose connection has this SSL. */
static inline plx_filter *plx__tls_filter_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

#endif
