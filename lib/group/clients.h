/* lib/group/clients.h -- what a socket is to a server; lib/group/clients.c writes it.
 *
 *      NOT ---accepted, with filters---> ENTERING ---filters are established---> COUNTED
 *       | ^                                 |                                     |  |
 *       | +------- ended, or left ----------+-------------------------------------+  |
 *       +-----------accepted, or connects again--------------------------------------+
 *
 * ENTERING counts as a client too. */
#ifndef PLX_LIB_CLIENTS_H
#define PLX_LIB_CLIENTS_H

enum plx__client { PLX__CLIENT_NOT, PLX__CLIENT_ENTERING, PLX__CLIENT_COUNTED };

#endif
