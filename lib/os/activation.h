/* lib/os/activation.h -- descriptors that a service manager opened for this process.
 *
 * The protocol of systemd, sd_listen_fds(3): LISTEN_FDS descriptors from 3 on, if LISTEN_PID is this
 * process, with names in LISTEN_FDNAMES, separated by colons. One that was adopted is close-on-exec
 * from then on, which is how it is known as taken: nothing needs to be remembered. */
#ifndef PLX_LIB_ACTIVATION_H
#define PLX_LIB_ACTIVATION_H

#include "lib/os/fd.h"

/* plx__activation_next returns the next descriptor behind `previous` (NO_FD: the first) that was passed
 * under that name (NULL: any) and not taken yet; NO_FD: there is none. */
plx__fd plx__activation_next(const char *name, plx__fd previous);

#endif
