/* lib/tls/steps.h -- the steps of the filter, which lib/tls/connection.h names. */
#ifndef PLX_LIB_TLS_STEPS_H
#define PLX_LIB_TLS_STEPS_H

#include "lib/tls/connection.h"

/* plx__tls_forget_connection forgets the last connection, and keeps the settings. */
void plx__tls_forget_connection(struct plx__tls_connection *connection);

#endif
