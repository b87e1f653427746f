/* tests/sim/extra.h -- what a peer of the library needs of a kernel beyond lib/os/os.h. Implemented
 * for the real kernel (extra.c) and for the simulated one (call.c, bytes.c). */
#ifndef POLLUX_TESTS_SIM_EXTRA_H
#define POLLUX_TESTS_SIM_EXTRA_H

#include "lib/os/os.h"

/* sim_listen is listen(2) with this backlog. sim_send_urgent sends bytes, the last one urgent
 * (MSG_OOB). Both return as the calls of os.h do. */
int sim_listen(plx__fd descriptor, int backlog);
ptrdiff_t sim_send_urgent(plx__fd descriptor, const void *data, size_t size);

/* sim_found returns the bits of poll(2) that are set now, with POLLRDHUP. */
int sim_found(plx__fd descriptor);

/* sim_folder returns a folder that exists and is empty, for sockets. */
const char *sim_folder(void);

/* sim_settle lets what is on its way arrive. */
void sim_settle(void);

#endif
