/* lib/tls/name.h -- the name that the certificate of the peer has to have. */
#ifndef PLX_LIB_TLS_NAME_H
#define PLX_LIB_TLS_NAME_H

#include <pollux/tls.h>

#include <stdbool.h>

struct plx__tls_name {
    char text[256];  /* "": none */
    bool is_address; /* an IP address */
};

/* plx__tls_name_of returns the name that plx_socket_set_tls_name has set, else the host of the
 * socket's address. */
struct plx__tls_name plx__tls_name_of(const plx_socket *socket);

#endif
