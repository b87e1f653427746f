/* lib/transfer/unreached.h -- whom datagrams do not reach, as far as the program was told.
 *
 * Design: a game sends sixty times a second, and is answered as often that nobody is there. A failure
 * to reach somebody is told once, until that somebody is heard again, or takes a datagram where the
 * kernel says so at once (a socket with a peer hears of it only later, udp(7)). Who was told about is
 * a short list behind the socket's errors, which are there by then; when it is full a failure counts as
 * told if the list has one like it about anybody. Told each time is what the datagram itself is wrong
 * for, such as its size. */
#ifndef PLX_LIB_UNREACHED_H
#define PLX_LIB_UNREACHED_H

#include "lib/resolve/trial.h"
#include "lib/socket/object.h"

#define PLX__UNREACHED 8

struct plx__unreached {
    struct {
        plx_address address; /* family 0: nobody in particular */
        int error;           /* a negative errno */
    } list[PLX__UNREACHED];
    unsigned count;
};

/* plx__unreached_report is plx__socket_fail_system, unless the program was told so. The step is such as
 * "receive from"; the address follows it. plx__unreached_fail is that, unless the failure is a trial's,
 * which goes on to another address of the name; `trials` may be NULL. */
void plx__unreached_report(plx_socket *socket, const plx_address *address, int error,
                           const char *step);
void plx__unreached_fail(plx_socket *socket, struct plx__trials *trials, const plx_address *address,
                         int error, const char *step);

/* plx__unreached_read reads which datagrams were refused, for the trials. Returns how many. */
size_t plx__unreached_read(plx_socket *socket, struct plx__trials *trials);

/* plx__unreached_remove has a next failure to reach the address told again, and one that is about
 * nobody. */
void plx__unreached_remove(plx_socket *socket, const plx_address *address);

/* plx__unreached_reached is that where anything was told at all; plx__unreached_heard is for a datagram
 * that came from there, of which trials hear too. */
static inline void plx__unreached_reached(plx_socket *socket, const plx_address *address)
{
    if (socket->errors != NULL && socket->errors->unreached != NULL) {
        plx__unreached_remove(socket, address);
    }
}

static inline void plx__unreached_heard(plx_socket *socket, struct plx__trials *trials,
                                        const plx_address *address)
{
    if (trials != NULL) {
        plx__trials_heard(trials, address);
    }
    plx__unreached_reached(socket, address);
}

#endif
