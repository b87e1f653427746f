/* lib/socket/settings.h -- setting options and reading them. */
#ifndef PLX_LIB_SETTINGS_H
#define PLX_LIB_SETTINGS_H

#include <pollux/socket.h>

/* plx__option_name returns the name of an option, such as "KEEP_ALIVE"; NULL if there is no such
 * option. Static. */
const char *plx__option_name(plx_option option);

#endif
