/* tests/deaf.h -- peers that vanish without a FIN or a reset.
 *
 * A filter on a peer's socket drops every segment (SO_ATTACH_FILTER, socket(7)). To the other side
 * the peer looks like a computer that was switched off: nothing is acknowledged. The filter needs
 * no firewall and no privilege, and can be removed again. */
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

/* Bytes that were sent meanwhile arrive with the next retransmission. */
static inline void hear_again(int raw)
{
    int none = 0;

    ck_assert_int_eq(setsockopt(raw, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof none), 0);
}

#endif
