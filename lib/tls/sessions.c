/* lib/tls/sessions.c -- the sessions that clients can resume. */
#include "lib/tls/sessions.h"
#include "lib/tls/text.h"

#include <pollux/memory.h>

#include <string.h>

enum { LARGEST = 256 };

static struct plx__tls_session *find(struct plx__tls_sessions *sessions, const char *peer)
{
    struct plx__tls_session *end = sessions->list + sessions->count;
    struct plx__tls_session *session = sessions->list;
    while (session != end && strcmp(session->peer, peer) != 0) {
        session++;
    }
    return session == end ? NULL : session;
}

static struct plx__tls_session *oldest(struct plx__tls_sessions *sessions)
{
    struct plx__tls_session *oldest = sessions->list;
    for (size_t place = 1; place < sessions->count; place++) {
        struct plx__tls_session *session = &sessions->list[place];
        oldest = session->used < oldest->used ? session : oldest;
    }
    return oldest;
}

/* The last one takes its place. */
static void drop(struct plx__tls_sessions *sessions, struct plx__tls_session *session)
{
    SSL_SESSION_free(session->session);
    plx_memory_resize(session->peer, 0);
    *session = sessions->list[--sessions->count];
}

static struct plx__tls_session *add(struct plx__tls_sessions *sessions, const char *peer)
{
    if (sessions->count == LARGEST) {
        drop(sessions, oldest(sessions));
    }
    size_t size = (sessions->count + 1) * sizeof *sessions->list;
    struct plx__tls_session *list = plx_memory_resize(sessions->list, size);
    if (list == NULL) {
        return NULL;
    }
    sessions->list = list;
    char *copy = plx__tls_copy(peer);
    if (copy == NULL) {
        return NULL;
    }
    struct plx__tls_session *session = &list[sessions->count++];
    *session = (struct plx__tls_session){copy, NULL, 0};
    return session;
}

bool plx__tls_sessions_keep(struct plx__tls_sessions *sessions, const char *peer,
                            SSL_SESSION *session)
{
    struct plx__tls_session *place = find(sessions, peer);
    place = place == NULL ? add(sessions, peer) : place;
    if (place == NULL) {
        return false;
    }
    SSL_SESSION_free(place->session);
    place->session = session;
    place->used = ++sessions->clock;
    return true;
}

bool plx__tls_session_is_stale(const SSL_SESSION *session)
{
    const X509 *own = SSL_SESSION_get0_peer((SSL_SESSION *)session);
    return own != NULL && X509_cmp_current_time(X509_get0_notAfter(own)) <= 0;
}

SSL_SESSION *plx__tls_sessions_take(struct plx__tls_sessions *sessions, const char *peer)
{
    struct plx__tls_session *place = find(sessions, peer);
    if (place != NULL && plx__tls_session_is_stale(place->session)) {
        drop(sessions, place);
        place = NULL;
    }
    if (place == NULL) {
        return NULL;
    }
    SSL_SESSION *session = place->session;
    place->used = ++sessions->clock;
    SSL_SESSION_up_ref(session);
    if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) {
        drop(sessions, place);
    }
    return session;
}

void plx__tls_sessions_clear(struct plx__tls_sessions *sessions)
{
    while (sessions->count > 0) {
        drop(sessions, &sessions->list[0]);
    }
    plx_memory_resize(sessions->list, 0);
    *sessions = (struct plx__tls_sessions){0};
}
