/* tests/deaf.h -- peers that vanish without a word.
 *
 * A filter on a peer's socket that drops every segment (SO_ATTACH_FILTER, socket(7)) makes it look to
 * the other side like a computer that was switched off: nothing is acknowledged. It needs no firewall
 * and no rights, and it can be taken away again. */
#ifndef POLLUX_TESTS_DEAF_H
#define POLLUX_TESTS_DEAF_H

#include <check.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

static inline void deafen(int raw)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &drop};

    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

/* What was sent meanwhile comes with the next retransmission. */
static inline void hear_again(int raw)
{
    int none = 0;

    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none), 0);
}

#endif
