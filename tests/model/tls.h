/* tests/model/tls.h -- TLS in programs: the settings that their sockets share, and what is set at a
 * socket. tls.c has it, tls-none.c stands for it where libpollux-tls is not built.
 *
 * Certificates are made once per process, settings once per program, so that no program inherits a
 * session from the one before. The keys are Ed25519: their signatures always have the same size. On
 * the simulated kernel OpenSSL's random numbers follow from the seed of the program, so that a
 * program has the same log each time. Raw peers do not speak TLS: to a socket with TLS
 * their bytes are noise. */
#ifndef POLLUX_TESTS_MODEL_TLS_H
#define POLLUX_TESTS_MODEL_TLS_H

#include <stdbool.h>

#include "tests/model/player.h"

/* The part that a socket plays; TLS_ANY: one of the two by chance. */
enum tls_side { TLS_CLIENT, TLS_SERVER, TLS_ANY };

bool tls_is_here(void);

/* tls_papers makes the certificates, which are removed when the process ends. Those that it forks
 * use them, too. */
void tls_papers(void);

/* tls_begin makes the settings of a program with TLS, tls_end gives them up. */
void tls_begin(void);
void tls_end(void);

/* tls_flavour draws TLS 1.2 or 1.3, mostly the one that most sockets of the program have. */
enum flavour tls_flavour(struct turn *turn);

/* tls_prepare mostly gives a socket with a flavour of TLS the settings for its part, before it
 * begins a connection. tls_equip does it for the clients of a server; returns whether it could. */
void tls_prepare(struct turn *turn, struct model *model, enum tls_side side);
bool tls_equip(struct house *house);

/* tls_allows_truncation returns whether the program has set PLX_TLS_ALLOW_TRUNCATION. */
bool tls_allows_truncation(void);

#endif
