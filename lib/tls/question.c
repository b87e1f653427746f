/* lib/tls/question.c -- the question to the program whether to go on with a peer. */
#include "lib/tls/question.h"
#include "lib/tls/info.h"

static void enter(struct plx__tls_connection *connection, enum plx__tls_answer answer)
{
    connection->answer = (unsigned char)answer;
}

void plx__tls_question_begin(struct plx__tls_connection *connection)
{
    connection->number++;
    enter(connection, PLX__TLS_UNASKED);
}

bool plx__tls_question_is_due(const struct plx__tls_connection *connection)
{
    bool always =
        connection->verify == PLX_TLS_VERIFY_OPTIONAL && connection->tls->check_peer != NULL;
    return connection->problem.check != PLX_TLS_CHECK_NONE || always;
}

void plx__tls_question_put(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    const plx_tls *tls = connection->tls;
    if (tls->check_peer != NULL) {
        enter(connection, PLX__TLS_ASKED);
        plx_filter_ask(filter);
    } else {
        bool pauses = tls->options[PLX_TLS_PAUSE_ON_PROBLEM] != 0;
        enter(connection, pauses ? PLX__TLS_PAUSED : PLX__TLS_REFUSED);
    }
}

/* The handler may have answered by plx_socket_resume, or ended the connection: then its return
 * value means nothing, least of all for another connection, whose SSL may be at the same address.
 * The program may also have taken the handler away before it was called. */
void plx__tls_question_ask(plx_filter *filter)
{
    struct plx__tls_connection *connection = plx__tls_connection_of(filter);
    const plx_tls *tls = connection->tls;
    plx_tls_info problem;
    if (connection->answer != PLX__TLS_ASKED || tls->check_peer == NULL) {
        enter(connection, PLX__TLS_REFUSED);
        return;
    }
    unsigned number = connection->number;
    plx__tls_info_fill(connection, &problem);
    enter(connection, PLX__TLS_PAUSED);
    int answer = tls->check_peer(plx_filter_socket(filter), &problem, tls->user);
    if (connection->answer == PLX__TLS_PAUSED && connection->number == number &&
        answer != PLX_TLS_PAUSE) {
        enter(connection, answer == PLX_TLS_ACCEPT ? PLX__TLS_ACCEPTED : PLX__TLS_REFUSED);
    }
}

int plx_socket_resume(plx_socket *socket, bool accept)
{
    plx_filter *filter = plx_socket_filter(socket, &plx__tls_kind);
    struct plx__tls_connection *connection = filter == NULL ? NULL : plx__tls_connection_of(filter);
    bool is_open = plx_socket_state(socket) != PLX_UNCONNECTED;
    if (connection == NULL || connection->answer != PLX__TLS_PAUSED || !is_open) {
        return PLX_INVALID_STATE;
    }
    enter(connection, accept ? PLX__TLS_ACCEPTED : PLX__TLS_REFUSED);
    plx_filter_set_want(filter, PLX_WANT_READ, 0);
    return 0;
}
