/* tests/elsewhere/refuse.c -- runs a program for which the kernel refuses system calls.
 *
 *   refuse ERRNO PROGRAM [ARGUMENT...]      ERRNO is ENOSYS, as of a kernel before the call was
 *                                           added, or EPERM, as of a container (seccomp(2))
 *   refuse segments PROGRAM [ARGUMENT...]   ENOPROTOOPT for UDP_SEGMENT and UDP_GRO alone
 *
 * The program and its children get that errno from each call below. Each of them has an older call
 * that the library must then use. Exits with 77 where the kernel has no seccomp filters. */
#include "../denial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

enum { SKIPPED = 77, BROKEN = 125 };

/* A call, or if `level` is a number, only for that option of a socket. */
static const struct {
    long call;
    int level, option;
} refused[] = {
    {SYS_io_uring_setup, DENIAL_ANY, DENIAL_ANY},
    {SYS_recvmmsg, DENIAL_ANY, DENIAL_ANY},
    {SYS_sendmmsg, DENIAL_ANY, DENIAL_ANY},
    {SYS_accept4, DENIAL_ANY, DENIAL_ANY},
    {SYS_eventfd2, DENIAL_ANY, DENIAL_ANY},
    {SYS_getsockopt, IPPROTO_UDP, UDP_SEGMENT}, /* by which the library looks whether it is there */
    {SYS_setsockopt, IPPROTO_UDP, UDP_SEGMENT},
    {SYS_setsockopt, IPPROTO_UDP, UDP_GRO},
    {SYS_getsockopt, SOL_SOCKET, SO_PEERPIDFD},
};

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"segments", ENOPROTOOPT}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0)
            return known[i].error;
    return 0;
}

int main(int count, char **arguments)
{
    int error = count > 2 ? error_named(arguments[1]) : 0;

    if (error == 0) {
        fputs("usage: refuse ENOSYS|EPERM|segments PROGRAM [ARGUMENT...]\n", stderr);
        return BROKEN;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if ((error != ENOPROTOOPT || refused[i].level == IPPROTO_UDP) &&
            !deny_call(refused[i].call, refused[i].level, refused[i].option, error)) {
            perror("SKIP: no seccomp filters here that see all calls");
            return SKIPPED;
        }
    execvp(arguments[2], arguments + 2);
    perror(arguments[2]);
    return BROKEN;
}
