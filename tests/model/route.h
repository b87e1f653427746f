/* tests/model/route.h -- what a connect through a proxy may do, and must.
 *
 * The raw proxies (desk.h) note what they do, at the socket whose connection they have: each error
 * of a connect has a cause, and each answer that has arrived has its effect.
 *
 *      the proxy has said all of it      what is due
 *      a tunnel                          connected
 *      a question for credentials        proxy_authentication_required
 *      a refusal, nonsense, the end      an error, with that code and reason
 *
 * A socket that has no connection yet, or another one, is not known to a proxy: what that one does
 * then counts as a cause for all. */
#ifndef POLLUX_TESTS_MODEL_ROUTE_H
#define POLLUX_TESTS_MODEL_ROUTE_H

#include "tests/model/model.h"

/* What may be the cause of an error, or of `connected`. */
enum {
    CAUSE_TUNNEL = 1,
    CAUSE_REFUSAL = 2,  /* of the target */
    CAUSE_NONSENSE = 4, /* an answer that breaks the protocol */
    CAUSE_QUESTION = 8,
    CAUSE_END = 16,    /* the proxy has closed or reset the connection */
    CAUSE_ABSENT = 32, /* nobody listens where the proxy should be */
    CAUSE_NAME = 64    /* the proxy's name has no address */
};

/* What a proxy does to a connect. */
struct effect {
    int causes;
    enum due due;
    int code; /* of an error that is due */
    plx_reason reason;
    const char *realm; /* of a question that is due */
    size_t size;       /* of the answer */
};

void routes_begin(void);

/* route_of_peer returns the socket that connects through the raw proxy with that descriptor; NULL:
 * it is not known. route_causes notes what the proxy begins to do, route_due what is due when it
 * has done it. */
struct model *route_of_peer(int peer);
void route_causes(int peer, int causes);
void route_due(int peer, const struct effect *effect);
bool route_has_cause(const struct model *model, int causes);

/* route_reset notes that the proxy resets the connection, which may destroy what it has said. */
void route_reset(int peer);

/* route_begin follows a connect, route_forget any other beginning or an end, route_connected and
 * route_error the events. */
void route_begin(struct model *model, const char *where);
void route_forget(struct model *model);
void route_connected(struct model *model);
void route_error(struct model *model, const plx_error *error);

/* route_keep_secret reports a fault if a string has a user or a password. All of them have
 * "sesame", the user's name at its beginning. */
void route_keep_secret(const char *string, const char *what);
void route_keep_secrets(const struct model *model);

/* route_is_due returns whether two polls do all that the proxy's answer wants. route_expect_known
 * expects that what was due has happened. */
bool route_is_due(const struct model *model);
void route_expect_known(const struct model *model);

#endif
