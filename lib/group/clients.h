/* lib/group/clients.h -- what a socket is to a server; lib/group/clients.c writes it.
 *
 *      NOT ---accepted, with filters---> ENTERING ---filters are established---> COUNTED
 *       | ^                                 |                                     |  |
 *       | +------- ended, or left ----------+-------------------------------------+  |
 *       | |                                                                          |
 *       +-|--------accepted, without filters-----------------------------------------+
 *       | |
 *       | +------- ended, or left ------- RETURNED
 *       +----------connects again------------^
 *
 * ENTERING and RETURNED count as clients too. RETURNED does not count for its peer's address: the
 * server has not accepted it. */
#ifndef PLX_LIB_CLIENTS_H
#define PLX_LIB_CLIENTS_H

enum plx__client { PLX__CLIENT_NOT, PLX__CLIENT_ENTERING, PLX__CLIENT_COUNTED, PLX__CLIENT_RETURNED };

#endif
