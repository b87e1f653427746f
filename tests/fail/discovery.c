/* tests/fail/discovery.c -- the scenario of two programs that find each other. */
#include "config.h"

#include <unistd.h>

#include "tests/fail/bodies.h"

struct member {
    struct play *play;
    plx_discovery *discovery;
    plx_address address; /* of the other one; family 0: not found yet */
    int messages, left;
};

static void on_joined(plx_discovery *discovery, const char *group, const plx_member *member,
                      void *user)
{
    struct member *self = user;

    (void)discovery;
    (void)group;
    if (!member->is_self)
        self->address = member->address;
}

static void on_left(plx_discovery *discovery, const char *group, const plx_member *member,
                    void *user)
{
    (void)discovery;
    (void)group;
    (void)member;
    ((struct member *)user)->left++;
}

static void on_message(plx_discovery *discovery, const char *group, const plx_member *from,
                       int32_t command, const void *data, size_t size, void *user)
{
    (void)discovery;
    (void)group;
    (void)from;
    ck_assert_int_eq(command, 7);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(data, "hello", 5);
    ((struct member *)user)->messages++;
}

static void on_error(plx_discovery *discovery, const plx_error *error, void *user)
{
    struct member *self = user;

    (void)discovery;
    if (self->play != NULL)
        play_try_group(self->play, error->code, error->message);
}

static void open_member(struct play *p, struct member *member, const char *name)
{
    static const plx_discovery_events events = {on_joined, on_left, on_message, on_error};
    int port = 20000 + (int)getpid() % 12000;

    member->play = p;
    member->discovery = plx_discovery_new();
    if (member->discovery == NULL)
        STEP(p, play_miss(p, "a discovery"));
    plx_discovery_set_events(member->discovery, &events, member);
    if (play_try_group(p, plx_group_add_discovery(p->groups[0], member->discovery),
                       "plx_group_add_discovery") &&
        play_try_group(p, plx_discovery_bind(member->discovery, port), "plx_discovery_bind"))
        play_try_group(p, plx_discovery_join(member->discovery, "team", name, 4),
                       "plx_discovery_join");
}

/* Lets the time of the library pass with each look: what was lost is said again within seconds. */
static bool found(const struct member *pair)
{
    time_pass(100);
    return pair[0].address.family != 0 && pair[1].address.family != 0;
}

static void play_members(struct play *p, struct member *pair)
{
    plx_member other = {0};

    STEP(p, play_open_group(p, 0));
    STEP(p, open_member(p, &pair[0], "anna"));
    STEP(p, open_member(p, &pair[1], "bert"));
    AWAIT(p, found(pair));
    other.address = pair[0].address;
    play_try_group(p, plx_discovery_send_to(pair[0].discovery, &other, 7, "hello", 5), "send_to");
    play_try_group(p, plx_discovery_send_to_group(pair[0].discovery, NULL, 7, "hello", 5),
                   "send_to_group");
    AWAIT(p, pair[1].messages == 2);
    play_try_group(p, plx_discovery_leave(pair[0].discovery, "team"), "leave");
    AWAIT(p, pair[1].left == 1);
}

/* Two members of a group of discovery, which find each other, speak and part. */
void run_discovery(struct play *p)
{
    struct member pair[2] = {0};

    time_stop();
    play_members(p, pair);
    time_run();
    for (int i = 0; i < 2; i++)
        plx_discovery_free(pair[i].discovery);
}
