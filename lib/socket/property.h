/* lib/socket/property.h -- the properties of a socket. */
#ifndef PLX_LIB_PROPERTY_H
#define PLX_LIB_PROPERTY_H

#include "lib/socket/object.h"
#include "lib/socket/rare.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plx__claim;

/* What a program sets before it connects or listens, and the strings that it asked for. They are
 * made on demand: the sockets of a server's clients never have any. */
struct plx__properties {
    char *address, *path, *interface; /* NULL: not set */
    char *listen_host;                /* of listen_on or a bind, which prefer it to the interface */
    char *local_text, *remote_text;   /* addresses as strings; NULL: no call has asked for one */
    char *tag;                        /* plx_socket_set_protocol_tag; NULL: not set */
    uint16_t port, local_port;        /* as set */
    uint16_t path_size;               /* of `path`: an abstract name may contain zero bytes */
    struct plx__claim *claim; /* the file that bind made (lib/endpoint/path.h); NULL: none */
};

/* All of them as they are when nothing is set. */
extern const struct plx__properties plx__no_properties;

/* plx__socket_properties returns the properties for reading. */
static inline const struct plx__properties *plx__socket_properties(const plx_socket *socket)
{
    const struct plx__properties *properties = plx__rare_of(socket)->properties;
    return properties != NULL ? properties : &plx__no_properties;
}

/* plx__socket_keep_path replaces the path by a copy of `size` bytes; 0: no path. False when memory
 * ran out; the path is unchanged then. */
bool plx__socket_keep_path(plx_socket *socket, const char *path, size_t size);

/* plx__socket_set_path is plx_socket_set_path for `size` bytes without a terminating zero byte. */
int plx__socket_set_path(plx_socket *socket, const char *path, size_t size);

/* plx__properties_make returns the properties for writing, NULL when memory ran out;
 * plx__properties_free frees properties, which may be NULL. */
struct plx__properties *plx__properties_make(plx_socket *socket);
void plx__properties_free(struct plx__properties *properties);

/* plx__text_set replaces *text by a copy; "" and NULL: by NULL. False when memory ran out; *text is
 * unchanged then. */
bool plx__text_set(char **text, const char *value);

#endif
