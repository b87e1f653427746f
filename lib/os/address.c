/* lib/os/address.c -- addresses from strings, with the names of interfaces that the kernel knows.
 */
#include "config.h"

#include "lib/os/address.h"
#include "lib/os/os.h"

#include <pollux/interface.h>

#include <string.h>

static uint32_t scope_of(const char *name, size_t length)
{
    char text[sizeof ((plx_interface *)NULL)->name];
    if (length >= sizeof text) {
        return 0;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    return plx__os_interface_index(text);
}

bool plx__address_parse_scope(const char *text, size_t length, uint32_t *ret_scope)
{
    return plx__address_read_scope(text, length, scope_of, ret_scope);
}

bool plx__address_parse_host(const char *text, size_t length, plx_address *ret_address)
{
    return plx__address_read_host(text, length, scope_of, ret_address);
}

int plx_address_parse(const char *text, plx_address *ret_address)
{
    return plx__address_read(text, scope_of, ret_address);
}

int plx__address_split(const char *where, char *ret_host, size_t host_size, int *ret_port)
{
    return plx__address_read_where(where, scope_of, ret_host, host_size, ret_port);
}
