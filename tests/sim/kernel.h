/* tests/sim/kernel.h -- what the files of the simulated kernel share.
 *
 * A descriptor is a place in a table and leads to an open file, which several descriptors and
 * messages in flight may share. A closed file stays in memory until the kernel ends, without its
 * bytes: an event may still name it.
 *
 *     descriptors --> open file: TCP, UDP, Unix, wake, file --> name: address and port, or path
 *     events, by moment --> segments, datagrams, retries: each goes to one open file */
#ifndef POLLUX_TESTS_SIM_KERNEL_H
#define POLLUX_TESTS_SIM_KERNEL_H

#include "lib/os/os.h"
#include "tests/sim/sim.h"

#include <errno.h>

enum { SIM_TABLE = 8192, SIM_OPTIONS = 32 };
#define SIM_SECOND ((uint64_t)1000000000)

enum sim_sort { SIM_TCP, SIM_UDP, SIM_STREAM, SIM_PACKET, SIM_WAKE, SIM_FILE };
enum sim_state { SIM_CLOSED, SIM_LISTENING, SIM_SYN_SENT, SIM_ESTABLISHED };

/* Bytes in a row; a zeroed one is empty. */
struct sim_bytes {
    uint8_t *data;
    size_t at, size, capacity;
};
void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size);
size_t sim_bytes_take(struct sim_bytes *bytes, void *data, size_t size); /* data NULL: drops */
void sim_bytes_free(struct sim_bytes *bytes);

/* A message in a queue: a datagram, a packet, or a piece of a Unix stream. */
struct sim_message {
    struct sim_message *next;
    struct sim_open *sender; /* of a Unix socket: whose send buffer it fills */
    plx_address from, to;
    size_t size, at, charge;
    size_t count;
    struct sim_open **passed; /* the descriptors */
    uint8_t data[];
};

struct sim_node {
    struct sim_node *next;
    char *path;
    uint64_t number;
    bool is_socket, removed;
    int mode;
    uint64_t changed;
    struct sim_open *bound, *lock;
    char *contents;
    size_t size;
};

struct sim_refusal {
    struct sim_refusal *next;
    int error;
    plx_address to;
};

/* igmp_max_memberships, which is 20 */
enum { SIM_GROUPS = 20 };

struct sim_open {
    struct sim_open *next_of_all;
    enum sim_sort sort;
    enum plx__family family;
    enum sim_state state;
    int references; /* descriptors, and messages in flight */
    bool dead;      /* no reference is left */
    int error;      /* SO_ERROR, positive */
    bool receive_shut, send_shut;
    bool end_shown; /* once an end was shown, no packet can precede it any more */
    int options[SIM_OPTIONS];
    bool connecting; /* SS_CONNECTING: no connect has reported the end of the attempt */
    bool only_ipv6, reuse, share, late_port, reset_at_close, urgent_inline, heeds, wants_target;

    /* names */
    plx_address local, remote; /* family 0: none */
    bool is_bound, is_bound_to_any;
    struct sim_node *node; /* of a Unix socket or file */
    char *name;            /* the name of a Unix socket; inherited by accepted ones */
    size_t offset;         /* of a file */

    /* listening */
    int backlog, embryos;
    struct sim_open *queue, *next_waiting;
    struct sim_open *listener; /* of a connection that was not accepted yet */
    int queued;

    /* connections; the other end */
    struct sim_open *peer;
    struct sim_bytes in, out; /* TCP; out: not acknowledged, the first `flight` bytes are sent */
    size_t flight;
    uint64_t written, unacknowledged;     /* numbers of bytes, with the FIN */
    uint64_t received, allowed, promised; /* may send up to; has let the peer send up to */
    bool fin_wanted, fin_sent, fin_received, fin_acknowledged;
    bool has_mark, has_out_mark;
    uint64_t mark, out_mark; /* the numbers of the urgent byte received, and to send */
    uint64_t latency, last_arrival, stalled_until, heard, waits_since;
    uint64_t attempt; /* the number of the connect */
    int tries;

    /* messages */
    struct sim_message *first, **last;
    size_t held;    /* bytes in the queue of messages */
    size_t charged; /* bytes in the peer's queue */
    uint32_t dropped;
    struct sim_refusal *refusals;
    plx_address groups[SIM_GROUPS]; /* multicast groups joined; family 0: none */
    bool signalled; /* wake */
};

struct sim_event {
    uint64_t at, order;
    void (*run)(struct sim_event *event);
    struct sim_open *to, *from;
    plx_address address;
    uint64_t number, more;
    struct sim_message *message;
};

extern struct sim_kernel {
    uint64_t seed, chance, now, order, ports, numbers;
    bool calm, spares, begun;
    unsigned rates[SIM_FAULTS];
    uint64_t least_latency, most_latency;
    struct sim_counts counts;
    struct sim_open *table[SIM_TABLE];
    int limit;
    struct sim_open *all, *over; /* over: closed, and nothing is on the way */
    uint64_t made;
    struct sim_node *nodes;
    struct sim_event **events;
    size_t event_count, event_capacity;
    uint64_t (*idle)(void *user);
    void *idle_user;
    bool in_idle;
} sim;

/* ---- world.c --------------------------------------------------------------------------------- */

bool sim_happens(enum sim_fault fault);
size_t sim_short(size_t size); /* `size`, or by chance a smaller count, at least 1 */
struct sim_event *sim_schedule(uint64_t at, void (*run)(struct sim_event *), struct sim_open *to);
void sim_run(void);   /* runs the events that are due */
void sim_enter(void); /* begins a call: a microsecond passes */

struct sim_open *sim_new(enum sim_sort sort);
int sim_give(struct sim_open *open);         /* a descriptor for it, or -EMFILE */
struct sim_open *sim_of(plx__fd descriptor); /* NULL: none */
void sim_drop(struct sim_open *open);        /* one reference fewer */
struct sim_open *sim_socket_of(plx__fd descriptor, int *ret_error);

/* ---- messages (message.c) -------------------------------------------------------------------- */

struct sim_message *sim_message_new(const void *data, size_t size);
void sim_message_free(struct sim_message *message);
void sim_queue_add(struct sim_open *open, struct sim_message *message);
void sim_queue_remove(struct sim_open *open);
void sim_queue_clear(struct sim_open *open);

/* ---- names (name.c) -------------------------------------------------------------------------- */

bool sim_is_local(const plx_address *address);
bool sim_is_any(const plx_address *address);
bool sim_is_group(const plx_address *address);
int sim_bind_address(struct sim_open *open, const plx_address *address);
int sim_choose_port(struct sim_open *open);
bool sim_is_free(const struct sim_open *open); /* no other socket forbids its address */
struct sim_open *sim_find_listener(const plx_address *to);
struct sim_open *sim_find_receiver(const plx_address *to, const plx_address *from);
/* Whether a socket gets a copy of a datagram to a group. */
bool sim_hears_group(const struct sim_open *open, const plx_address *to, const plx_address *from);
struct sim_node *sim_node_at(const char *path);
struct sim_node *sim_node_new(const char *path, bool is_socket);

/* ---- kinds ----------------------------------------------------------------------------------- */

int sim_tcp_connect(struct sim_open *open, const plx_address *to);
void sim_tcp_close(struct sim_open *open);
int sim_tcp_end(struct sim_open *open);
ptrdiff_t sim_tcp_send(struct sim_open *open, const void *data, size_t size, bool urgent);
ptrdiff_t sim_tcp_receive(struct sim_open *open, void *data, size_t size);
size_t sim_tcp_readable(const struct sim_open *open);
void sim_tcp_fail(struct sim_open *open, int error);

int sim_udp_connect(struct sim_open *open, const plx_address *to);
ptrdiff_t sim_udp_send(struct sim_open *open, const void *data, size_t size, const plx_address *to,
                       const plx_address *from);
int sim_udp_end(struct sim_open *open);
struct sim_message *sim_udp_take(struct sim_open *open, int *ret_error);

int sim_unix_bind(struct sim_open *open, const char *path);
int sim_unix_connect(struct sim_open *open, const char *path);
void sim_unix_close(struct sim_open *open);
int sim_unix_end(struct sim_open *open);
ptrdiff_t sim_unix_send(struct sim_open *open, const void *data, size_t size,
                        struct sim_open **passed, size_t count);
ptrdiff_t sim_unix_receive(struct sim_open *open, void *data, size_t size,
                           struct plx__os_handles *handles, bool *ret_truncated);

void sim_file_close(struct sim_open *open);

/* ---- readiness (ready.c): the bits of poll(2) ------------------------------------------------ */

enum { SIM_IN = 1, SIM_OUT = 4, SIM_ERR = 8, SIM_HUP = 16, SIM_NVAL = 32, SIM_RDHUP = 0x2000 };
int sim_ready(const struct sim_open *open);
size_t sim_send_room(const struct sim_open *open);

#endif
