/* lib/tls/info.h -- what is known about a connection, for the program. */
#ifndef PLX_LIB_TLS_INFO_H
#define PLX_LIB_TLS_INFO_H

#include "lib/tls/connection.h"

void plx__tls_info_fill(const struct plx__tls_connection *connection, plx_tls_info *ret_info);

#endif
