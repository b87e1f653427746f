/* tests/tls/peer.h -- a raw peer that speaks TLS by OpenSSL alone, for what our settings refuse to
 * do: weak keys, old versions, ends without a goodbye.
 *
 * Its bytes pass through memory, so that a case can hold back, cut or change them. It verifies
 * nothing and is allowed everything unless the case sets its `context` before peer_begin. */
#ifndef POLLUX_TESTS_TLS_PEER_H
#define POLLUX_TESTS_TLS_PEER_H

#include <openssl/ssl.h>

#include "tests/tls/scene.h"
#include "tests/world.h"

struct peer {
    struct world *w;
    SSL_CTX *context;
    SSL *ssl;         /* NULL: has not begun */
    int descriptor;   /* the raw peer */
    size_t most;      /* bytes that one turn sends at most; 0: all */
    bool is_mute;     /* sends nothing: what it would send waits */
    bool is_deaf;     /* receives nothing */
    bool is_done;     /* the handshake is done */
    bool has_ended;   /* the end of the connection has arrived, or a reset */
    bool has_goodbye; /* close_notify has arrived */
    int reason;       /* OpenSSL's reason of the last failure; 0: none */
    int alert;        /* the last alert that has arrived, but close_notify; -1: none */
    uint64_t arrived; /* bytes that have arrived from the other side, in records */
    char got[1024];   /* bytes of the program that have arrived, a string */
    uint64_t got_all; /* how many have, also those that `got` has no room for */
    size_t got_length;
    BIO *in, *out;
};

/* peer_new makes a peer that has a certificate and those that have signed it (NULL: none);
 * peer_begin lets it speak over a raw peer of the world. peer_free accepts NULL; the world closes
 * the descriptor. */
struct peer *peer_new(struct world *world, bool is_server, const struct certificate *own);
void peer_begin(struct peer *peer, int descriptor);
void peer_free(struct peer *peer);

/* peer_face_client lets the client of a scene connect to a raw server, which has the certificate of
 * the scene's server; peer_face_server lets a raw client connect to the server of a scene. Both
 * begin, with TLS 1.2 or 1.3 (12, 13; 0: any). peer_meet_client and peer_meet_server turn them till
 * the handshake is done, and empty the log. */
struct peer *peer_face_client(struct scene *scene, int version);
struct peer *peer_face_server(struct scene *scene, int version);
struct peer *peer_meet_client(struct scene *scene, int version);
struct peer *peer_meet_server(struct scene *scene, int version);

/* peer_turn moves what can be moved: bytes in, a step of the handshake, bytes out. */
void peer_turn(struct peer *peer);

/* PEER_UNTIL turns the peer and polls the world until the condition is true. */
#define PEER_UNTIL(peer, condition) UNTIL((peer)->w, (peer_turn(peer), (condition)))

/* peer_settle turns and polls several times. */
void peer_settle(struct peer *peer);

/* peer_say queues bytes of the program, peer_goodbye close_notify; peer_send_raw sends bytes that
 * are no TLS behind all that is queued. */
void peer_say(struct peer *peer, const char *text);
void peer_goodbye(struct peer *peer);
void peer_send_raw(struct peer *peer, const void *data, size_t size);

#endif
