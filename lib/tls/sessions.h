/* lib/tls/sessions.h -- the sessions that clients with the same settings can resume (RFC 5077, RFC
 * 8446, 4.6.1): one for each name and port, LARGEST at most; the one unused for longest goes first.
 *
 * A session skips the check of the peer, so it is kept only if the check has found nothing, is used
 * for the name that was checked only, and is forgotten with each change of the settings. */
#ifndef PLX_LIB_TLS_SESSIONS_H
#define PLX_LIB_TLS_SESSIONS_H

#include <openssl/ssl.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The zero value is empty. */
struct plx__tls_sessions {
    struct plx__tls_session {
        char *peer; /* "name port" */
        SSL_SESSION *session;
        uint64_t used; /* larger is later */
    } * list;
    size_t count;
    uint64_t clock; /* how many times a session was kept or taken */
};

/* plx__tls_sessions_keep takes the session if it can; without memory, or if the session cannot be
 * resumed, it returns false and the session remains the caller's. */
bool plx__tls_sessions_keep(struct plx__tls_sessions *sessions, const char *peer,
                            SSL_SESSION *session);

/* plx__tls_sessions_take returns a session to resume, which the caller frees; NULL: there is none.
 * A session of TLS 1.3 is used once, so that nobody can link two connections (RFC 8446, C.4). */
SSL_SESSION *plx__tls_sessions_take(struct plx__tls_sessions *sessions, const char *peer);

/* plx__tls_session_is_stale returns whether the certificate of the peer has expired since the
 * session was made: the check that it skips would fail. */
bool plx__tls_session_is_stale(const SSL_SESSION *session);

/* plx__tls_sessions_clear forgets all of them. */
void plx__tls_sessions_clear(struct plx__tls_sessions *sessions);

#endif
