/* lib/base/version.c -- the version of the library that runs. */
#include "config.h"

#include <pollux/version.h>

const char *plx_version(void)
{
    return PLX_VERSION;
}
