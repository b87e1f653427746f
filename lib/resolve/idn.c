/* lib/resolve/idn.c -- host names with letters beyond ASCII, converted to the form that hosts files
 * and name servers use: "b\xc3\xbc" becomes "xn--b-xga".
 *
 * libidn2 does it: IDNA2008 with the mappings of Unicode TR46, non-transitional, as browsers do.
 * Tables of all of Unicode would be larger than the rest of Pollux. c-ares has ARES_AI_IDN since
 * 1.34.8, which is too new to require. */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/resolve/resolver.h"

#ifdef HAVE_LIBIDN2

#include <idn2.h>
#include <string.h>

bool plx__host_to_ascii(const char *host, char ret_name[PLX__HOST_SIZE],
                        struct plx__failure *ret_failure)
{
    char *name = NULL;
    int result = idn2_to_ascii_8z(host, &name, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    size_t length = result == IDN2_OK ? strlen(name) : 0;
    if (result == IDN2_MALLOC) {
        *ret_failure = plx__failure_of_system(-PLX__ENOMEM);
    } else if (result != IDN2_OK) {
        *ret_failure = plx__failure_refused("it has letters that no host name may have (IDNA2008)");
    } else if (length >= PLX__HOST_SIZE) {
        *ret_failure = plx__failure_refused("it is longer than a host name can be");
    } else {
        memcpy(ret_name, name, length + 1);
    }
    idn2_free(name);
    return result == IDN2_OK && length < PLX__HOST_SIZE;
}

#else

bool plx__host_to_ascii(const char *host, char ret_name[PLX__HOST_SIZE],
                        struct plx__failure *ret_failure)
{
    (void)host;
    (void)ret_name;
    *ret_failure = plx__failure_refused("it has letters beyond ASCII, which this library was built "
                                        "without libidn2 to read: write its ASCII form (xn--...)");
    return false;
}

#endif
