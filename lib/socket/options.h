/* lib/socket/options.h -- options, remembered until the descriptor exists.
 *
 * Design: a socket has no table of options until one is set; then it has its own, and a server's
 * clients get copies of the server's. A new descriptor gets the options of the kernel. The library
 * reads its own options here. */
#ifndef PLX_LIB_OPTIONS_H
#define PLX_LIB_OPTIONS_H

#include "lib/base/patience.h"
#include "lib/os/os.h"

#include <pollux/socket.h>

#include <stdbool.h>
#include <stdint.h>

/* One bit for each plx_option. */
typedef uint32_t plx__option_set;

#define PLX__OPTION(name) ((plx__option_set)1 << PLX_OPTION_##name)
/* Those that every socket has in the kernel. */
#define PLX__OPTIONS_OF_SOCKETS (PLX__OPTION(SEND_BUFFER_SIZE) | PLX__OPTION(RECEIVE_BUFFER_SIZE))
/* Those of the internet's sockets, and the family they may use. */
#define PLX__OPTIONS_OF_INTERNET                                                                   \
    (PLX__OPTION(PROTOCOL) | PLX__OPTION(TYPE_OF_SERVICE) | PLX__OPTION(PATH_MTU) |                \
     PLX__OPTION(SHARE_ADDRESS))

#define PLX__OPTION_COUNT (PLX_OPTION_DIRECTION + 1)

/* What two options note of the socket that has set them: IDLE_TIMEOUT (lib/socket/idle.h) and
 * AUTO_CONNECT (lib/socket/reconnect.h). */
struct plx__option_notes {
    struct plx__patience silence; /* how long nothing may arrive */
    uint64_t arrived; /* when last asked: bytes that the peer's kernel had acknowledged */
    size_t held;      /* when last asked: bytes in the kernel that the program does not receive */
    bool under_way;   /* when last asked: other bytes were not acknowledged, or still queued */
    uint16_t last_pause; /* ms before the last attempt, without its jitter */
};

struct plx__options {
    plx__option_set set; /* by the program */
    int values[PLX__OPTION_COUNT];
    struct plx__option_notes notes; /* the socket's own: no copy gets it */
};

/* The values of options that the program has not set. */
extern const int plx__option_defaults[PLX__OPTION_COUNT];

/* plx__option_value returns the value set, or the default. `options` may be NULL. */
static inline int plx__option_value(const struct plx__options *options, plx_option option)
{
    bool set = options != NULL && (options->set & ((plx__option_set)1 << option)) != 0;
    return set ? options->values[option] : plx__option_defaults[option];
}

/* plx__option_limit returns a limit in bytes, or SIZE_MAX if there is none. */
static inline size_t plx__option_limit(const struct plx__options *options, plx_option option)
{
    int limit = plx__option_value(options, option);
    return limit == 0 ? SIZE_MAX : (size_t)limit;
}

/* Values of PLX_OPTION_DIRECTION. */
enum { PLX__BOTH_WAYS, PLX__RECEIVE_ONLY, PLX__SEND_ONLY };

/* Options of a kind that the library obeys: the kernel does not know them. */
#define PLX__OPTIONS_OBEYED                                                                        \
    (PLX__OPTION(PROTOCOL) | PLX__OPTION(MODE) | PLX__OPTION(AUTO_CONNECT) |                       \
     PLX__OPTION(RECEIVE_HANDLES))

/* plx__options_make gives the socket a table if it has none. False when memory ran out. */
bool plx__options_make(plx_socket *socket);

/* plx__options_open opens a descriptor of a family with the socket's options. Returns the
 * descriptor, or a negative errno. */
plx__fd plx__options_open(plx_socket *socket, enum plx__family family);

/* plx__options_apply sets on a new descriptor the options that were set, and the kind's defaults
 * that differ from the kernel's. If the kernel refuses an option, its value stays the kernel's. */
void plx__options_apply(plx_socket *socket, plx__fd descriptor);

/* plx__options_copy gives `to` the values that the program has set in `from`; others that were set
 * in `to` stay. False when memory ran out. */
bool plx__options_copy(plx_socket *to, const plx_socket *from);

/* plx__options_replace (settings.c) makes the options that the kinds of both have what they are in
 * `from`, set or not. `to` is unconnected, and has a table if `from` has one. */
void plx__options_replace(plx_socket *to, const plx_socket *from);

#endif
