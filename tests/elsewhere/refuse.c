/* tests/elsewhere/refuse.c -- runs a program for which the kernel refuses system calls.
 *
 *   refuse ERRNO PROGRAM [ARGUMENT...]      ERRNO is ENOSYS, as of a kernel before the call was
 *                                           added, or EPERM, as of a container (seccomp(2))
 *
 * The program and its children get that errno from each call below. Each of them has an older call
 * that the library must then use. Exits with 77 where the kernel has no seccomp filters. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers of Linux 5.0 to 6.4 lack some of these (linux/udp.h, asm-generic/socket.h). */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* seccomp_data has arguments of 64 bits; those that are compared here are below 2^32. */
#ifdef __BYTE_ORDER__
#define HALF (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)
#endif
#define ARGUMENT(index) (offsetof(struct seccomp_data, args[index]) + HALF)

enum { SKIPPED = 77, BROKEN = 125 };

/* A call, or if `level` is not negative, only for that option of a socket. */
static const struct {
    long call;
    int level, option;
} refused[] = {
    {SYS_io_uring_setup, -1, 0},
    {SYS_recvmmsg, -1, 0},
#ifdef SYS_recvmmsg_time64
    {SYS_recvmmsg_time64, -1, 0},
#endif
    {SYS_sendmmsg, -1, 0},
    {SYS_accept4, -1, 0},
    {SYS_eventfd2, -1, 0},
    {SYS_setsockopt, IPPROTO_UDP, UDP_SEGMENT},
    {SYS_setsockopt, IPPROTO_UDP, UDP_GRO},
    {SYS_getsockopt, SOL_SOCKET, SO_PEERPIDFD},
};

/* The filters of a process all apply, so that each refusal is a filter of its own. */
static int refuse(long call, int level, int option, int error)
{
    unsigned char next = level < 0 ? 4 : 0;
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, next, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)level, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)option, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int error_named(const char *name)
{
    return strcmp(name, "ENOSYS") == 0 ? ENOSYS : strcmp(name, "EPERM") == 0 ? EPERM : 0;
}

int main(int count, char **arguments)
{
    int error = count > 2 ? error_named(arguments[1]) : 0;

    if (error == 0) {
        fputs("usage: refuse ENOSYS|EPERM PROGRAM [ARGUMENT...]\n", stderr);
        return BROKEN;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        perror("SKIP: prctl(PR_SET_NO_NEW_PRIVS)");
        return SKIPPED;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (refuse(refused[i].call, refused[i].level, refused[i].option, error) != 0) {
            perror("SKIP: prctl(PR_SET_SECCOMP)");
            return SKIPPED;
        }
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    return BROKEN;
}
