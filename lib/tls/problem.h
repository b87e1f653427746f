/* lib/tls/problem.h -- what is wrong with a peer. */
#ifndef PLX_LIB_TLS_PROBLEM_H
#define PLX_LIB_TLS_PROBLEM_H

#include <pollux/tls.h>

#include <openssl/x509_vfy.h>

/* The zero value: nothing is wrong. */
struct plx__tls_problem {
    plx_tls_check check;
    int error;     /* the X509_V_ERR_… behind it */
    int depth;     /* of the certificate */
    X509 *culprit; /* the certificate, of which it has a share; NULL: none */
};

/* plx__tls_problem_note notes a problem with a certificate in the place of what was noted before;
 * plx__tls_problem_set notes one of the handshake, unless something is noted already;
 * plx__tls_problem_clear forgets it. */
void plx__tls_problem_note(struct plx__tls_problem *problem, plx_tls_check check, int error,
                           int depth, X509 *culprit);
void plx__tls_problem_set(struct plx__tls_problem *problem, plx_tls_check check);
void plx__tls_problem_clear(struct plx__tls_problem *problem);

#endif
