/* tests/parties.c -- programs that discover each other. */
#include "config.h"

#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "tests/parties.h"

static int used_port; /* 0: the process's own */

int party_port(void)
{
    return used_port != 0 ? used_port : 20000 + (int)getpid() % 12000;
}

void party_use_port(int port)
{
    used_port = port;
}

static void note(struct party *party, const char *format, ...)
{
    size_t used = strlen(party->log);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(party->log + used, sizeof party->log - used, format, arguments);
    va_end(arguments);
}

static void act(struct party *party)
{
    if (party->act != NULL)
        party->act(party);
    party->inside = false;
}

static void enter(struct party *party, plx_discovery *discovery)
{
    ck_assert_ptr_eq(discovery, party->discovery);
    ck_assert_msg(!party->inside, "a handler inside a handler");
    party->inside = true;
}

static void on_joined(plx_discovery *discovery, const char *group, const plx_member *member,
                      void *user)
{
    struct party *party = user;

    enter(party, discovery);
    ck_assert_str_eq(group, "team");
    party->joined++;
    party->last = *member;
    if (member->is_self)
        note(party, "+self ");
    else
        note(party, "+%.*s ", (int)member->about_size, (const char *)member->about);
    act(party);
}

static void on_left(plx_discovery *discovery, const char *group, const plx_member *member,
                    void *user)
{
    struct party *party = user;

    enter(party, discovery);
    ck_assert_str_eq(group, "team");
    party->left++;
    party->last = *member;
    note(party, "-%.*s ", (int)member->about_size, (const char *)member->about);
    act(party);
}

static void on_message(plx_discovery *discovery, const char *group, const plx_member *from,
                       int32_t command, const void *data, size_t size, void *user)
{
    struct party *party = user;

    enter(party, discovery);
    ck_assert_ptr_nonnull(data);
    party->messages++;
    party->last = *from;
    note(party, "%s:%d=%.*s ", group == NULL ? "alone" : "group", (int)command,
         size > 40 ? 40 : (int)size, (const char *)data);
    act(party);
}

static void on_error(plx_discovery *discovery, const plx_error *error, void *user)
{
    struct party *party = user;

    enter(party, discovery);
    ck_assert_int_ne(error->code, 0);
    party->errors++;
    note(party, "error %d ", error->code);
    act(party);
}

void party_begin(struct party *party, struct world *w)
{
    static const plx_discovery_events events = {on_joined, on_left, on_message, on_error};

    memset(party, 0, sizeof *party);
    party->discovery = plx_discovery_new();
    ck_assert_ptr_nonnull(party->discovery);
    party->group = w->group;
    plx_discovery_set_events(party->discovery, &events, party);
    if (w->group != NULL)
        ck_assert_int_eq(plx_group_add_discovery(w->group, party->discovery), 0);
    ck_assert_int_eq(plx_discovery_bind(party->discovery, party_port()), 0);
}

void party_join(struct party *party, const char *name)
{
    ck_assert_int_eq(plx_discovery_join(party->discovery, "team", name, strlen(name)), 0);
}

void party_end(struct party *party)
{
    party->discovery = plx_discovery_free(party->discovery);
    ck_assert_ptr_null(party->discovery);
}

void parties_serve(struct world *w, struct party *parties, int count)
{
    if (w->group != NULL)
        plx_group_poll(w->group, 2);
    else
        poll(NULL, 0, 1);
    for (int i = 0; w->group == NULL && i < count; i++)
        plx_discovery_poll(parties[i].discovery);
}

void parties_settle(struct world *w, struct party *parties, int count)
{
    for (int i = 0; i < 20; i++)
        parties_serve(w, parties, count);
}

size_t party_knows(const struct party *party)
{
    return plx_discovery_members(party->discovery, "team", NULL, 0);
}

void parties_meet(struct world *w, struct party *pair)
{
    for (int i = 0; i < 2; i++) {
        party_begin(&pair[i], w);
        party_join(&pair[i], i == 0 ? "anna" : "bob");
    }
    time_stop();
    for (int i = 0; i < 3; i++) {
        parties_settle(w, pair, 2);
        time_pass(SECOND);
    }
    PARTIES_UNTIL(w, pair, 2, pair[0].joined == 2 && pair[1].joined == 2);
    PARTY_SAID(&pair[0], "+self +bob ");
    PARTY_SAID(&pair[1], "+self +anna ");
}

void parties_part(struct party *pair)
{
    for (int i = 0; i < 2; i++)
        if (pair[i].discovery != NULL)
            party_end(&pair[i]);
    time_run();
}
