/* lib/socket/attempt.c -- one attempt to connect to one address. */
#include "config.h"

#include "lib/base/memory.h"
#include "lib/os/clock.h"
#include "lib/os/errno.h"
#include "lib/socket/attempt.h"

/* Milliseconds until connect(2) to a full Unix listener is tried again: doubled each time up to the
 * last. */
#define FIRST_RETRY 1
#define LAST_RETRY 50

static void fail(struct plx__attempt *attempt, int error)
{
    attempt->progress = PLX__FAILED;
    attempt->error = error;
}

static void wait_to_retry(struct plx__attempt *attempt)
{
    attempt->retry_pause = plx__clock_back_off(attempt->retry_pause, FIRST_RETRY, LAST_RETRY);
    attempt->retry_at = plx__clock_after(plx__clock_now(), (int)attempt->retry_pause);
}

/* Returns whether this computer has a source address for that one; true also when that is unknown. A
 * datagram socket needs such an address too, and no port that another connection may use. */
static bool has_source(const struct plx__sockaddr *name)
{
    plx__fd descriptor = plx__os_socket(plx__sockaddr_family(name), PLX__TYPE_DATAGRAM);
    if (descriptor < 0) {
        return true;
    }
    int result = plx__os_connect(descriptor, name);
    plx__os_close(descriptor);
    return result != -PLX__EADDRNOTAVAIL;
}

static void begin(struct plx__attempt *attempt)
{
    plx__fd descriptor = attempt->opener->open(attempt->opener->user, &attempt->name);
    if (descriptor < 0) {
        fail(attempt, descriptor);
        return;
    }
    int result = plx__os_connect(descriptor, &attempt->name);
    bool full = result == -PLX__EAGAIN;
    if (result == -PLX__EADDRNOTAVAIL && attempt->opener->has_port && has_source(&attempt->name)) {
        /* Another connection to this peer leaves from that port (connect(2)): bind(2) could not
         * know, because the port may be shared by connections to several peers. */
        result = -PLX__EADDRINUSE;
    }
    if (result == 0) {
        result = plx__watch_start(&attempt->watch, attempt->task, descriptor, PLX__WRITE);
    }
    if (result < 0) {
        plx__os_close(descriptor);
    }
    if (full) {
        /* The queue of a Unix listener is full: no readiness reports room in it (connect(2)). */
        wait_to_retry(attempt);
    } else if (result < 0) {
        fail(attempt, result);
    }
}

struct plx__attempt *plx__attempt_new(struct plx__task *task, const struct plx__opener *opener,
                                      const struct plx__sockaddr *name)
{
    struct plx__attempt *attempt = plx__memory_new(sizeof *attempt);
    if (attempt != NULL) {
        attempt->task = task;
        attempt->opener = opener;
        attempt->name = *name;
        begin(attempt);
    }
    return attempt;
}

struct plx__sockaddr plx__attempt_peer(plx__fd descriptor, const struct plx__sockaddr *asked)
{
    struct plx__sockaddr remote;
    return plx__os_remote_sockaddr(descriptor, &remote) == 0 ? remote : *asked;
}

/* Whether the socket is connected to itself. If nobody listens at the port and the kernel chooses
 * the same port for this socket, TCP's simultaneous open (RFC 9293, 3.5) connects both ends of one
 * socket. */
static bool is_itself(plx__fd descriptor)
{
    struct plx__sockaddr local, remote;
    plx_address here, there;
    return plx__os_remote_sockaddr(descriptor, &remote) == 0 &&
           plx__os_local_sockaddr(descriptor, &local) == 0 &&
           plx__sockaddr_to_address(&local, &here) && plx__sockaddr_to_address(&remote, &there) &&
           plx_address_equal(&here, &there);
}

/* ECONNRESET instead of ECONNREFUSED means that the connection was established (RFC 9293,
 * 3.10.7.3), and so does EPIPE: Linux reports a reset as EPIPE when the peer has ended its side
 * before. */
static bool is_reset(int error)
{
    return error == -PLX__ECONNRESET || error == -PLX__EPIPE;
}

/* What connect(2) began is over. Bytes received before a reset can still be read. The kernel has
 * reported the reset now, and receive will return 0 behind the bytes, as behind an orderly end. */
static void conclude(struct plx__attempt *attempt, plx__fd descriptor)
{
    int error = plx__os_take_error(descriptor);
    if (error != 0 && !is_reset(error)) {
        fail(attempt, error);
    } else if (is_itself(descriptor)) {
        fail(attempt, -PLX__ECONNREFUSED);
    } else {
        attempt->progress = PLX__WON;
        attempt->error = error;
    }
}

void plx__attempt_continue(struct plx__attempt *attempt)
{
    bool due = attempt->retry_at != 0 && plx__clock_now() >= attempt->retry_at;
    if (due) {
        attempt->retry_at = 0;
        begin(attempt);
    } else if (attempt->watch.task != NULL && attempt->watch.ready != 0) {
        conclude(attempt, attempt->watch.descriptor);
    }
}

plx__fd plx__attempt_take(struct plx__attempt *attempt)
{
    plx__fd descriptor = attempt->watch.descriptor;
    plx__watch_stop(&attempt->watch);
    return descriptor;
}

/* Resets a connection to itself: its TIME_WAIT would block the port for a minute, which a server
 * may want to bind (RFC 9293, 3.6.1). Asks again, because plx__attempt_continue may not have run
 * yet. */
static void give_up(plx__fd descriptor)
{
    if (is_itself(descriptor)) {
        plx__os_set_reset(descriptor);
    }
    plx__os_close(descriptor);
}

void plx__attempt_free(struct plx__attempt *attempt)
{
    if (attempt == NULL) {
        return;
    }
    if (attempt->watch.task != NULL) {
        give_up(plx__attempt_take(attempt));
    }
    plx__memory_free(attempt);
}
