/* tests/test-hostile-handles.c -- a server of Unix sockets among peers that send descriptors
 * without end: none of them stays open, and a good client is answered all the while. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "tests/fort.h"

enum { HANDLES = 253 }; /* that ride on one byte at most: SCM_MAX_FD, unix(7) */

/* Sends as many copies of a descriptor as ride on a byte; false where the connection has ended. */
static bool push_handles(int raw, int handle, int count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * HANDLES)];
        struct cmsghdr align;
    } control;
    char byte = 0;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    memset(&control, 0, sizeof control);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * (size_t)count);
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + sizeof(int) * (size_t)i, &handle, sizeof handle);
    /* As the kernel has it: musl's sendmsg takes no more than 252. */
    if (syscall(SYS_sendmsg, raw, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN)
        return true;
    ck_assert_msg(errno == EPIPE || errno == ECONNRESET, "a peer cannot send: %s", strerror(errno));
    return false;
}

static bool is_ended(int raw)
{
    char bytes[4096];

    return raw_take(raw, bytes, sizeof bytes) == 0;
}

static struct fort *open_ipc_fort(struct world *w, bool collecting)
{
    struct fort *fort;

    w->kind = &kinds[1];
    fort = open_fort(w);
    fort->collecting = collecting;
    return fort;
}

MODE_CASE(descriptors_for_ever_and_all_are_taken)
{
    struct fort *fort = open_ipc_fort(w, true);
    int raw = peer(fort), rounds = times(300), null = world_raw(w, open("/dev/null", O_CLOEXEC));

    for (int i = 0; i < rounds; i++) {
        ck_assert(push_handles(raw, null, HANDLES));
        TURNS_UNTIL(fort, fort->collected == ((size_t)i + 1) * HANDLES);
    }
    ck_assert_uint_eq(plx_server_active_count(fort->server), 2);
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 3);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 128 * KIB);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_for_ever_and_faster_than_they_are_taken)
{
    struct fort *fort = open_ipc_fort(w, true);
    int raw = peer(fort), rounds = times(300), null = world_raw(w, open("/dev/null", O_CLOEXEC));

    /* Whether they are all taken or the peer loses its connection, nothing piles up here. */
    for (int i = 0; i < rounds; i++) {
        for (int k = 0; k < 4; k++)
            if (!push_handles(raw, null, HANDLES))
                raw = peer(fort);
        turn(fort);
    }
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 2 * HANDLES + 2 * fort->count + 8);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 256 * KIB);
    close_peers(fort);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_for_ever_and_none_is_taken)
{
    struct fort *fort = open_ipc_fort(w, false);
    int null = world_raw(w, open("/dev/null", O_CLOEXEC)), rounds = times(100);

    for (int i = 0; i < rounds; i++) {
        int raw = peer(fort);

        for (int k = 0; k < 10 && push_handles(raw, null, HANDLES); k++)
            turn(fort);
        TURNS_UNTIL(fort, is_ended(raw));
        fort->count--;
        close(raw);
    }
    ck_assert_int_le(fort->most_descriptors, fort->descriptors + 3 + 2 * HANDLES);
    ck_assert_uint_lt(fort->most_bytes, fort->bytes + 128 * KIB);
    raw_close(w, null);
    expect_calm(fort);
}

MODE_CASE(descriptors_of_many_that_end_by_themselves)
{
    struct fort *fort = open_ipc_fort(w, false);
    int null = world_raw(w, open("/dev/null", O_CLOEXEC)), rounds = times(300);
    uint32_t seed = 88675123u;

    for (int i = 0; i < rounds; i++) { /* some never polled for before they are gone */
        int raw = peer(fort);

        for (uint32_t left = chance(&seed) % 4; left > 0; left--) {
            ck_assert(push_handles(raw, null, 1 + (int)(chance(&seed) % 60)));
            if (chance(&seed) % 2 == 0)
                turn(fort);
        }
        fort->count--;
        close(raw);
    }
    raw_close(w, null);
    expect_calm(fort);
}

WORLD_MAIN("hostile-handles", .timeout = 180, .setup = raise_limit)
