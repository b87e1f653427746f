/* lib/tls/problem.c -- what is wrong with a peer. */
#include "lib/tls/problem.h"

void plx__tls_problem_set(struct plx__tls_problem *problem, plx_tls_check check)
{
    if (problem->check == PLX_TLS_CHECK_NONE) {
        problem->check = check;
    }
}

void plx__tls_problem_clear(struct plx__tls_problem *problem)
{
    X509_free(problem->culprit);
    *problem = (struct plx__tls_problem){PLX_TLS_CHECK_NONE, X509_V_OK, 0, NULL};
}

void plx__tls_problem_note(struct plx__tls_problem *problem, plx_tls_check check, int error,
                           int depth, X509 *culprit)
{
    plx__tls_problem_clear(problem);
    *problem = (struct plx__tls_problem){check, error, depth, culprit};
    if (culprit != NULL) {
        X509_up_ref(culprit);
    }
}
