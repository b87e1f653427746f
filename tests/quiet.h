/* tests/quiet.h -- frames that make no system call.
 *
 * A filter of the kernel (seccomp(2)) watches over children of these tests: one that makes a system
 * call where none is allowed is killed. */
#ifndef POLLUX_TESTS_QUIET_H
#define POLLUX_TESTS_QUIET_H

#include <check.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QUIET_SKIPPED = 77 }; /* the child could not make a filter */

/* allow_either lets the kernel kill this process if it makes a system call other than these two,
 * allow_only if it makes another than `call`, and allow_nothing if it makes any. The end of the
 * process stays allowed. */
static inline void allow_either(long call, long other)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)other, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog filter = {sizeof code / sizeof code[0], code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(QUIET_SKIPPED);
}

static inline void allow_only(long call)
{
    allow_either(call, call);
}

static inline void allow_nothing(void)
{
    allow_only(SYS_exit_group);
}

/* status_of runs the body in a child, and returns how that has ended, as waitpid(2) does. */
static inline int status_of(void (*body)(void *), void *argument)
{
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        body(argument);
        syscall(SYS_exit_group, 0); /* _exit of a sanitizer makes other calls before */
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

/* expect_well expects that no filter has struck. */
static inline void expect_well(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == QUIET_SKIPPED)
        fprintf(stderr, "SKIP: no seccomp filters here\n");
    else
        ck_assert_int_eq(status, 0);
}

#endif
