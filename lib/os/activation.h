/* lib/os/activation.h -- descriptors that a service manager opened for this process.
 *
 * The protocol is that of systemd, sd_listen_fds(3): LISTEN_FDS descriptors from 3 on, if
 * LISTEN_PID is this process, with names in LISTEN_FDNAMES, separated by colons. Adopting a
 * descriptor makes it close-on-exec, and a close-on-exec descriptor counts as taken: so nothing has
 * to be remembered. A program that has more rights than its caller ignores the variables: see
 * plx__os_variable. */
#ifndef PLX_LIB_ACTIVATION_H
#define PLX_LIB_ACTIVATION_H

#include "lib/os/fd.h"

/* plx__activation_next returns the next descriptor behind `previous` (PLX__NO_FD: the first one)
 * that was passed under that name (NULL: any name) and has not been taken yet; PLX__NO_FD when no
 * descriptor is left. */
plx__fd plx__activation_next(const char *name, plx__fd previous);

#endif
