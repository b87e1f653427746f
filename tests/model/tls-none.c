/* tests/model/tls-none.c -- no program has TLS. See tls.h. */
#include "config.h"

#include "tests/model/tls.h"

bool tls_is_here(void)
{
    return false;
}

void tls_papers(void)
{
}

void tls_begin(void)
{
}

void tls_end(void)
{
}

enum flavour tls_flavour(struct turn *turn)
{
    (void)turn;
    return FLAVOUR_PLAIN;
}

void tls_prepare(struct turn *turn, struct model *model, enum tls_side side)
{
    (void)turn;
    (void)model;
    (void)side;
}

bool tls_equip(struct house *house)
{
    (void)house;
    return false;
}

bool tls_allows_truncation(void)
{
    return false;
}

void call_tls_set(struct turn *turn)
{
    (void)turn;
}

void call_tls_name(struct turn *turn)
{
    (void)turn;
}

void call_tls_start(struct turn *turn)
{
    (void)turn;
}

void call_tls_resume(struct turn *turn)
{
    (void)turn;
}

void call_tls_setting(struct turn *turn)
{
    (void)turn;
}

void call_tls_ask(struct turn *turn)
{
    (void)turn;
}

void call_tls_meet(struct turn *turn)
{
    (void)turn;
}

void call_tls_upgrade(struct turn *turn)
{
    (void)turn;
}
