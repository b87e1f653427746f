/* tests/denial.h -- system calls that the kernel refuses this process and its children (seccomp(2)).
 *
 * A refusal is a filter, and the filters of a process all apply. glibc makes the calls of sockets on i386
 * by socketcall(2), whose arguments are in memory, where no filter can read them; and on 32 bit the calls
 * with a time have a younger twin. A refusal holds for all ways of making its call. */
#ifndef POLLUX_TESTS_DENIAL_H
#define POLLUX_TESTS_DENIAL_H

#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* seccomp_data has arguments of 64 bits, of which these filters compare the lower half. */
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define DENIAL_ARGUMENT(index) ((unsigned)offsetof(struct seccomp_data, args[index]) + 4)
#else
#define DENIAL_ARGUMENT(index) (unsigned)offsetof(struct seccomp_data, args[index])
#endif

enum { DENIAL_ANY = -1 };

/* Another number of a call: the call, and where that has a first argument to name it, this. */
struct denial_twin {
    long call, twin, first;
};

static const struct denial_twin denial_twins[] = {
#ifdef SYS_recvmmsg_time64
    {SYS_recvmmsg, SYS_recvmmsg_time64, DENIAL_ANY},
#endif
#ifdef SYS_clock_gettime64
    {SYS_clock_gettime, SYS_clock_gettime64, DENIAL_ANY},
#endif
#ifdef SYS_socketcall
    {SYS_socket, SYS_socketcall, SYS_SOCKET},
    {SYS_bind, SYS_socketcall, SYS_BIND},
    {SYS_connect, SYS_socketcall, SYS_CONNECT},
    {SYS_getsockname, SYS_socketcall, SYS_GETSOCKNAME},
    {SYS_getsockopt, SYS_socketcall, SYS_GETSOCKOPT},
    {SYS_setsockopt, SYS_socketcall, SYS_SETSOCKOPT},
    {SYS_sendto, SYS_socketcall, SYS_SENDTO},
    {SYS_sendmsg, SYS_socketcall, SYS_SENDMSG},
    {SYS_sendmmsg, SYS_socketcall, SYS_SENDMMSG},
    {SYS_recvmsg, SYS_socketcall, SYS_RECVMSG},
    {SYS_recvmmsg, SYS_socketcall, SYS_RECVMMSG},
    {SYS_accept4, SYS_socketcall, SYS_ACCEPT4},
#endif
    {-1, -1, DENIAL_ANY},
};

static inline bool denial_filter(long call, const long wanted[3], int error)
{
    struct sock_filter steps[2 + 2 * 3 + 2];
    unsigned short count = 0;

    steps[count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    steps[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 7);
    for (unsigned i = 0; i < 3; i++) {
        /* An argument that may have any value is compared as well, and does not matter. */
        unsigned char on = 0, off = wanted[i] == DENIAL_ANY ? 0 : (unsigned char)(5 - 2 * i);

        steps[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DENIAL_ARGUMENT(i));
        steps[count++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)wanted[i], on, off);
    }
    steps[count++] =
        (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error);
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){count, steps}) == 0;
}

/* deny_call makes the call fail with `error`, if its second and third argument have these values, of
 * which DENIAL_ANY is any. Returns false where the kernel has no filters or they cannot see that. */
static inline bool deny_call(long call, long second, long third, int error)
{
    bool is_done = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   denial_filter(call, (long[]){DENIAL_ANY, second, third}, error);

    for (const struct denial_twin *twin = denial_twins; is_done && twin->call >= 0; twin++) {
        if (twin->call != call)
            continue;
        if (twin->first == DENIAL_ANY)
            is_done = denial_filter(twin->twin, (long[]){DENIAL_ANY, second, third}, error);
        else
            is_done =
                second == DENIAL_ANY && third == DENIAL_ANY &&
                denial_filter(twin->twin, (long[]){twin->first, DENIAL_ANY, DENIAL_ANY}, error);
    }
    return is_done;
}

#endif
