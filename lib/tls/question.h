/* lib/tls/question.h -- the question to the program whether to go on with a peer. */
#ifndef PLX_LIB_TLS_QUESTION_H
#define PLX_LIB_TLS_QUESTION_H

#include "lib/tls/connection.h"

/* plx__tls_question_is_due returns whether the peer needs an answer of the program: its check has
 * failed, or somebody wants to be asked always. */
bool plx__tls_question_is_due(const struct plx__tls_connection *connection);

/* plx__tls_question_put asks. Without a handler the answer is known when it returns. */
void plx__tls_question_put(plx_filter *filter);

/* plx__tls_question_ask calls the handler: the `ask` of the filter. */
void plx__tls_question_ask(plx_filter *filter);

/* plx__tls_question_waits returns whether the answer is not known yet. */
static inline bool plx__tls_question_waits(const struct plx__tls_connection *connection)
{
    return connection->answer == PLX__TLS_ASKED || connection->answer == PLX__TLS_PAUSED;
}

/* plx__tls_question_begin forgets the answer: a connection begins. */
void plx__tls_question_begin(struct plx__tls_connection *connection);

#endif
