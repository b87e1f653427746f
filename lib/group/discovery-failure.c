/* lib/group/discovery-failure.c -- the errors of a discovery. */
#include "config.h"

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/group/discovery-object.h"

#include <stdarg.h>
#include <stdio.h>

void plx__discovery_keep(plx_discovery *discovery, const plx_error *error)
{
    plx__error_copy(&discovery->error, error);
    if (discovery->waiting.code == 0) {
        plx__error_copy(&discovery->waiting, error);
    }
    plx__task_set_deadline(&discovery->guest.task, PLX__PAST_MOMENT);
}

int plx__discovery_fail(plx_discovery *discovery, int code, plx_reason reason, int os_error,
                        const char *format, ...)
{
    char step[PLX__DISCOVERY_NAME + 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(step, sizeof step, format, arguments);
    va_end(arguments);
    plx_error error = {0};
    plx__error_set(&error, code, reason, os_error, "%s", step);
    plx__discovery_keep(discovery, &error);
    plx__error_clear(&error);
    return code;
}
