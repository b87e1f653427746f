/* lib/transfer/unreached.h -- the addresses that datagrams do not reach, as already reported.
 *
 * Design: a game sends sixty datagrams a second, and an address where nobody listens refuses as
 * many. The failure to reach an address is reported once. It is reported again after a datagram has
 * arrived from that address, or after sendmsg(2) to that address has worked without a peer (a
 * socket with a peer learns of a refusal only later, udp(7)). The reported addresses are a short
 * list behind the socket's errors. When the list is full, a failure counts as reported if the list
 * has the same errno for any address. An errno that blames the datagram itself, such as EMSGSIZE,
 * is reported each time. */
#ifndef PLX_LIB_UNREACHED_H
#define PLX_LIB_UNREACHED_H

#include "lib/resolve/trial.h"
#include "lib/socket/object.h"

#define PLX__UNREACHED 8

struct plx__unreached {
    struct {
        plx_address address; /* family 0: the failure named no address */
        int error;           /* a negative errno */
    } list[PLX__UNREACHED];
    unsigned count;
};

/* plx__unreached_is_trials passes a failure to the trials; NULL: there are none. Returns whether it
 * belongs to one, and is not for the program. */
bool plx__unreached_is_trials(plx_socket *socket, struct plx__trials *trials, const plx_address *to,
                              int error);

/* plx__unreached_report calls plx__socket_fail_system unless the failure was reported before. The
 * sentence is `step`, such as "receive from", and the address. plx__unreached_fail does the same
 * unless the failure belongs to a trial, which goes on to another address of the name; `trials` may
 * be NULL. */
void plx__unreached_report(plx_socket *socket, const plx_address *address, int error,
                           const char *step);
void plx__unreached_fail(plx_socket *socket, struct plx__trials *trials, const plx_address *address,
                         int error, const char *step);

/* plx__unreached_read reads from the error queue which datagrams were refused, and passes them to
 * the trials. Returns how many. */
size_t plx__unreached_read(plx_socket *socket, struct plx__trials *trials);

/* plx__unreached_remove removes an address from the list, and the failures that named no address:
 * their next failure is reported again. */
void plx__unreached_remove(plx_socket *socket, const plx_address *address);

/* plx__unreached_reached calls plx__unreached_remove if there is a list. plx__unreached_heard is
 * for a datagram that arrived from the address: it passes the address to the trials too. */
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
