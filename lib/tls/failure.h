/* lib/tls/failure.h -- why a TLS connection ends, in codes and words. */
#ifndef PLX_LIB_TLS_FAILURE_H
#define PLX_LIB_TLS_FAILURE_H

#include "lib/tls/connection.h"

#include <stddef.h>

/* plx__tls_fail_handshake records why the last step of the handshake has failed: by OpenSSL's queue
 * of errors, which it empties, by the layer below, or by the check of the peer. Returns the
 * code. */
int plx__tls_fail_handshake(plx_filter *filter);

/* plx__tls_fail_bytes does so for a step that moved bytes. Returns a negative errno: that of the
 * layer below, or -EPROTO. */
ptrdiff_t plx__tls_fail_bytes(plx_filter *filter);

/* plx__tls_fail_memory records that there was no memory, plx__tls_fail_settings that the settings
 * make no connection possible. Return the code for `begin`. */
int plx__tls_fail_memory(plx_filter *filter);
int plx__tls_fail_settings(plx_filter *filter, const char *why);

#endif
