/* lib/socket/move.h -- the steps of serving a socket that call no handler. */
#ifndef PLX_LIB_MOVE_H
#define PLX_LIB_MOVE_H

#include "lib/socket/object.h"

/* The bytes for one poll of a socket alone, and one socket's share of a group's poll. */
#define PLX__LONE_BUDGET ((size_t)256 * 1024)

/* plx__socket_budget returns the budget of one poll of a socket alone. */
static inline struct plx__budget plx__socket_budget(void)
{
    return (struct plx__budget){PLX__LONE_BUDGET, 0, plx__budget_steps(PLX__LONE_BUDGET)};
}

/* plx__socket_move_in goes on connecting, accepts and receives. plx__socket_move_out sends.
 * plx__socket_settle goes on with an ending. */
void plx__socket_move_in(plx_socket *socket, struct plx__budget *budget);
void plx__socket_move_out(plx_socket *socket, struct plx__budget *budget);
void plx__socket_settle(plx_socket *socket);

#endif
