/* lib/arrival.h -- floor 4: datagrams as they come in. */
#ifndef PLX_LIB_ARRIVAL_H
#define PLX_LIB_ARRIVAL_H

#include "lib/socket.h"

/* plx__arrival_input moves datagrams from the system into the receive buffer, as records
 * (lib/record.h), and sets news: the slot `input` of a kind. */
void plx__arrival_input(plx_socket *socket, struct plx__budget *budget);

#endif
