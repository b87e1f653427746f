/* lib/os/name-lookup.c -- names to addresses by the C library, in a thread.
 *
 * A lookup has two users, its owner and its thread, and the last of them frees it. The stage shows
 * which of them still use it. Each arrow is one atomic operation. After LEFT the thread touches
 * nothing of the lookup, after ABANDONED the owner does not:
 *
 *                 thread: has the answer       thread: has woken the owner
 *      RUNNING ------------------------> ANSWERED ------------------------> LEFT
 *         | owner: drops                    | owner: drops                    | owner: drops
 *         +--------------> ABANDONED <------+                                 +--> the owner frees
 *                              +--> the thread frees, at its next arrow
 *
 * The descriptor is closed by the owner, who gives it back even while the thread still hangs; only
 * between ANSWERED and LEFT by the thread, which writes to it there: it must not write to whatever
 * has the number next. A mutex for the two was rejected: a child that was forked while the thread
 * held it would hang.
 *
 * getaddrinfo_a(3) of glibc was rejected: it cannot drop a lookup that runs, its threads take
 * signals, and no other C library has it. */
#include "config.h"

#include "lib/os/name-lookup.h"
#include "lib/os/posix.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The usual 8 MiB count against RLIMIT_AS, and some hundreds of threads against the address space
 * of a 32-bit process. Modules of the name service switch need some tens of KiB. */
#define STACK_SIZE ((size_t)256 * 1024)

enum stage { RUNNING, ANSWERED, LEFT, ABANDONED };

struct plx__os_name_lookup {
    atomic_int stage; /* enum stage */
    int process;      /* whose thread it is */
    plx__fd wake[2];
    struct addrinfo hints;
    int result; /* of getaddrinfo */
    int error;  /* the errno behind it */
    struct addrinfo *first, *next;
    char host[];
};

/* Frees all but the descriptor. */
static void free_lookup(struct plx__os_name_lookup *lookup)
{
    if (lookup->first != NULL) {
        freeaddrinfo(lookup->first);
    }
    free(lookup);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Moves the stage on, unless the owner has dropped the lookup. */
static bool advance(struct plx__os_name_lookup *lookup, int from, int to)
{
    return atomic_compare_exchange_strong(&lookup->stage, &from, to);
}

static void *look_up(void *argument)
{
    struct plx__os_name_lookup *lookup = argument;
    struct addrinfo *found = NULL;
    errno = 0; /* answer_of looks at it, also where the C library did not set it */
    lookup->result = getaddrinfo(lookup->host, NULL, &lookup->hints, &found);
    lookup->error = errno;
    /* What a failed call leaves in `found` is not specified. */
    lookup->first = lookup->next = lookup->result == 0 ? found : NULL;
    if (!advance(lookup, RUNNING, ANSWERED)) {
        free_lookup(lookup);
        return NULL;
    }
    plx__os_wake_signal(lookup->wake[1]);
    if (!advance(lookup, ANSWERED, LEFT)) {
        plx__os_wake_close(lookup->wake);
        free_lookup(lookup);
    }
    return NULL;
}

/* Starts a detached thread; stack_size 0 is the usual size. Returns 0 or an errno. */
static int start_detached(struct plx__os_name_lookup *lookup, size_t stack_size)
{
    pthread_t thread;
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return error;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_size > 0) {
        pthread_attr_setstacksize(&attributes, stack_size);
    }
    error = pthread_create(&thread, &attributes, look_up, lookup);
    pthread_attr_destroy(&attributes);
    return error;
}

/* A thread inherits the mask: no signal of the program is ever handled in the new one, not even
 * before its first line. Returns 0 or a negative errno. */
static int start_thread(struct plx__os_name_lookup *lookup)
{
    sigset_t all, before;
    sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error != 0) {
        return -error;
    }
    error = start_detached(lookup, STACK_SIZE);
    if (error == EINVAL) {
        /* The program's thread-local variables, which glibc puts on the stack, leave no room. */
        error = start_detached(lookup, 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

/* ---- the owner ------------------------------------------------------------------------------- */

/* NULL when out of memory. */
static struct plx__os_name_lookup *new_lookup(const char *host, int family)
{
    size_t size = strlen(host) + 1;
    struct plx__os_name_lookup *lookup = malloc(sizeof *lookup + size);
    if (lookup == NULL) {
        return NULL;
    }
    *lookup = (struct plx__os_name_lookup){
        .process = plx__os_process(),
        .hints = {.ai_family = family == 4   ? AF_INET
                               : family == 6 ? AF_INET6
                                             : AF_UNSPEC,
                  /* One type, because each address comes once for each. */
                  .ai_socktype = SOCK_STREAM},
    };
    atomic_init(&lookup->stage, RUNNING);
    memcpy(lookup->host, host, size);
    return lookup;
}

int plx__os_name_lookup_start(const char *host, int family, struct plx__os_name_lookup **ret_lookup,
                              bool *ret_threadless)
{
    struct plx__os_name_lookup *lookup = new_lookup(host, family);
    *ret_threadless = false;
    if (lookup == NULL) {
        return -ENOMEM;
    }
    int result = plx__os_wake_open(lookup->wake);
    if (result < 0) {
        free(lookup);
        return result;
    }
    result = start_thread(lookup);
    if (result < 0) {
        plx__os_wake_close(lookup->wake);
        free_lookup(lookup);
        *ret_threadless = true;
        return result;
    }
    *ret_lookup = lookup;
    return 0;
}

plx__fd plx__os_name_lookup_descriptor(const struct plx__os_name_lookup *lookup)
{
    return lookup->wake[0];
}

/* glibc reports EAI_NONAME also where a module of it had no descriptor or no memory. */
static enum plx__os_name_answer answer_of_none(int error, int *ret_error)
{
    if (error == EMFILE || error == ENFILE || error == ENOMEM) {
        *ret_error = -error;
        return PLX__NAME_ERROR;
    }
    return PLX__NAME_UNKNOWN;
}

/* EAI_NODATA and EAI_ADDRFAMILY are older names, which glibc still returns and others lack. */
static enum plx__os_name_answer answer_of(const struct plx__os_name_lookup *lookup, int *ret_error)
{
    switch (lookup->result) {
    case 0: return PLX__NAME_FOUND;
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY:
#endif
    case EAI_NONAME: return answer_of_none(lookup->error, ret_error);
    case EAI_AGAIN: return PLX__NAME_TEMPORARY;
    case EAI_MEMORY: *ret_error = -ENOMEM; return PLX__NAME_ERROR;
    case EAI_SYSTEM:
        *ret_error = -lookup->error;
        return lookup->error == 0 ? PLX__NAME_FAILED : PLX__NAME_ERROR;
    default: return PLX__NAME_FAILED;
    }
}

enum plx__os_name_answer plx__os_name_lookup_answer(struct plx__os_name_lookup *lookup,
                                                    int *ret_error)
{
    if (atomic_load(&lookup->stage) != RUNNING) {
        return answer_of(lookup, ret_error);
    }
    return lookup->process == plx__os_process() ? PLX__NAME_AWAITED : PLX__NAME_FORKED;
}

bool plx__os_name_lookup_next(struct plx__os_name_lookup *lookup, plx_address *ret_address)
{
    while (lookup->next != NULL) {
        const struct addrinfo *entry = lookup->next;
        struct plx__sockaddr name;
        lookup->next = entry->ai_next;
        if (plx__sockaddr_from_native(&name, entry->ai_addr, entry->ai_addrlen) &&
            plx__sockaddr_to_address(&name, ret_address)) {
            ret_address->port = 0;
            return true;
        }
    }
    return false;
}

void plx__os_name_lookup_drop(struct plx__os_name_lookup *lookup)
{
    bool is_ours = lookup->process == plx__os_process();
    plx__fd wake[2] = {lookup->wake[0], lookup->wake[1]};
    int before = atomic_exchange(&lookup->stage, ABANDONED);
    /* From here on a thread that has not left may free the lookup at any moment. */
    if (before != ANSWERED || !is_ours) {
        plx__os_wake_close(wake);
    }
    if (before == LEFT || !is_ours) {
        free_lookup(lookup);
    }
}
