/* lib/os/datagram.c -- several datagrams with one system call. */
#include "config.h"

#include "lib/base/address.h"
#include "lib/base/base.h"
#include "lib/os/posix.h"

#include <netinet/udp.h>
#include <string.h>
#ifdef HAVE_LINUX_ERRQUEUE_H
#include <linux/errqueue.h>
#endif
#ifdef HAVE_LINUX_SOCK_DIAG_H
#include <linux/sock_diag.h>
#endif

/* ---- sending --------------------------------------------------------------------------------- */

/* An IPv6 socket needs the longer of the two control messages, for IPv4 addresses too. */
#ifdef IPV6_RECVPKTINFO
#define SOURCE_SIZE sizeof(struct in6_pktinfo)
#else
#define SOURCE_SIZE ((size_t)20)
#endif

/* Room for two control messages, the length of the segments and the address to send from, aligned
 * as cmsg(3) requires. */
struct send_control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(SOURCE_SIZE)];
};

static void add_control(struct msghdr *header, struct send_control *control, int level, int type,
                        const void *data, size_t size)
{
    /* Not by CMSG_NXTHDR, which reads the length of the next message, which is not written yet. */
    struct cmsghdr *entry = (struct cmsghdr *)(void *)(control->bytes + header->msg_controllen);
    memset(entry, 0, CMSG_SPACE(size));
    entry->cmsg_level = level;
    entry->cmsg_type = type;
    entry->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(entry), data, size);
    header->msg_control = control->bytes;
    header->msg_controllen += CMSG_SPACE(size);
}

bool plx__os_has_segments(plx__fd descriptor)
{
#ifdef UDP_SEGMENT
    /* A kernel older than Linux 4.18 (udp(7)) would ignore the control message without an error,
     * and send the whole run as one datagram. */
    int value;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
#else
    (void)descriptor;
    return false;
#endif
}

static void ask_for_segments(struct msghdr *header, struct send_control *control, size_t segment)
{
#ifdef UDP_SEGMENT
    uint16_t value = (uint16_t)segment;
    add_control(header, control, IPPROTO_UDP, UDP_SEGMENT, &value, sizeof value);
#else
    (void)header;
    (void)control;
    (void)segment;
#endif
}

/* The source address is given in the family of the socket: on an IPv6 socket source and receiver
 * are both v4-mapped. */
static void ask_for_source(struct msghdr *header, struct send_control *control,
                           const struct plx__os_message *message)
{
    enum plx__family family = plx__sockaddr_family(message->name);
    struct plx__sockaddr source;
    plx__sockaddr_from_address(&source, message->from, family);
    if (plx__sockaddr_family(&source) == PLX__FAMILY_IPV6) {
#ifdef IPV6_RECVPKTINFO
        struct in6_pktinfo value = {.ipi6_addr = plx__native_of(&source)->ipv6.sin6_addr,
                                    .ipi6_ifindex = message->from->scope};
        add_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, &value, sizeof value);
#endif
        return;
    }
#ifdef IP_PKTINFO
    struct in_pktinfo value = {.ipi_spec_dst = plx__native_of(&source)->ipv4.sin_addr,
                               .ipi_ifindex = (int)message->from->scope};
    add_control(header, control, IPPROTO_IP, IP_PKTINFO, &value, sizeof value);
#endif
}

static PLX__APART void fill_control(struct msghdr *header, struct send_control *control,
                                    const struct plx__os_message *message)
{
    if (message->segment > 0) {
        ask_for_segments(header, control, message->segment);
    }
    if (message->from != NULL) {
        ask_for_source(header, control, message);
    }
}

static inline void fill_header(struct msghdr *header, struct iovec *piece,
                               struct send_control *control, const struct plx__os_message *message)
{
    /* The kernel only reads these bytes; struct iovec has no const. */
    *piece = (struct iovec){.iov_base = (void *)(uintptr_t)message->data, .iov_len = message->size};
    memset(header, 0, sizeof *header);
    header->msg_iov = piece;
    header->msg_iovlen = 1;
    if (message->name != NULL) {
        header->msg_name = (void *)(uintptr_t)message->name->bytes;
        header->msg_namelen = message->name->size;
    }
    if (message->segment > 0 || message->from != NULL) {
        fill_control(header, control, message);
    }
}

static ptrdiff_t send_one(plx__fd descriptor, const struct plx__os_message *message)
{
    struct msghdr header;
    struct iovec piece;
    struct send_control control;
    ptrdiff_t count;
    if (message->segment == 0 && message->from == NULL) {
        return plx__os_send_to(descriptor, message->data, message->size, message->name);
    }
    fill_header(&header, &piece, &control, message);
    do {
        count = plx__os_count(sendmsg(descriptor, &header, MSG_NOSIGNAL));
    } while (count == -EINTR);
    return count;
}

#ifdef HAVE_SENDMMSG
static ptrdiff_t send_several(plx__fd descriptor, const struct plx__os_message *messages,
                              size_t count)
{
    struct mmsghdr headers[PLX__OS_MESSAGES];
    struct iovec pieces[PLX__OS_MESSAGES];
    struct send_control controls[PLX__OS_MESSAGES];
    ptrdiff_t sent;
    for (size_t i = 0; i < count; i++) {
        fill_header(&headers[i].msg_hdr, &pieces[i], &controls[i], &messages[i]);
    }
    do {
        sent = plx__os_count(sendmmsg(descriptor, headers, (unsigned)count, MSG_NOSIGNAL));
    } while (sent == -EINTR);
    return sent;
}
#endif

ptrdiff_t plx__os_send_messages(plx__fd descriptor, const struct plx__os_message *messages,
                                size_t count)
{
    if (count == 1) {
        ptrdiff_t result = send_one(descriptor, messages);
        return result < 0 ? result : 1;
    }
#ifdef HAVE_SENDMMSG
    return send_several(descriptor, messages, count);
#else
    return -ENOSYS;
#endif
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Room for our three control messages and for some that the program that opened the descriptor has
 * asked for: those come first, and the kernel cuts off what does not fit (recvmsg(2)). */
struct arrival_control {
    _Alignas(struct cmsghdr) char bytes[256];
};

void plx__os_prepare_arrivals(plx__fd descriptor)
{
    int one = 1;
    (void)one;
    (void)descriptor;
#ifdef UDP_GRO
    (void)setsockopt(descriptor, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
#endif
#ifdef SO_RXQ_OVFL
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
#endif
    plx__os_ask_target(descriptor, true);
}

void plx__os_ask_target(plx__fd descriptor, bool wanted)
{
    int value = wanted;
    (void)value;
    (void)descriptor;
    /* On an IPv6 socket the option of IPv6 also reports the addresses of IPv4 datagrams, v4-mapped.
     * With both options on, an IPv4 datagram would have two control messages. */
#ifdef IPV6_RECVPKTINFO
    if (setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &value, sizeof value) == 0) {
        return;
    }
#endif
#ifdef IP_PKTINFO
    (void)setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &value, sizeof value);
#endif
}

/* bind(2) accepts the local addresses and the broadcast addresses, and connect(2) fails for a
 * broadcast address unless the socket has set SO_BROADCAST. */
static int try_source(plx__fd descriptor, const struct plx__sockaddr *name)
{
    int result = plx__os_bind(descriptor, name);
    if (result < 0) {
        return result == -EADDRNOTAVAIL ? result : 0;
    }
    return plx__os_connect(descriptor, name) == -EACCES ? -EACCES : 0;
}

int plx__os_check_source(const plx_address *address)
{
    struct plx__sockaddr name;
    plx_address any_port = *address;
    any_port.port = 0;
    plx__sockaddr_from_address(&name, &any_port, PLX__FAMILY_NONE);
    plx__fd descriptor = plx__os_socket(plx__sockaddr_family(&name), PLX__TYPE_DATAGRAM);
    if (descriptor < 0) {
        return 0; /* the result is not known */
    }
    int result = try_source(descriptor, &name);
    plx__os_close(descriptor);
    return result;
}

int plx__os_dropped(plx__fd descriptor, uint32_t *ret_dropped)
{
#if defined SO_MEMINFO && defined HAVE_LINUX_SOCK_DIAG_H
    uint32_t numbers[SK_MEMINFO_VARS];
    socklen_t size = sizeof numbers;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, numbers, &size) < 0) {
        return -errno;
    }
    if (size < sizeof numbers) {
        return -ENOPROTOOPT;
    }
    *ret_dropped = numbers[SK_MEMINFO_DROPS];
    return 0;
#else
    (void)descriptor;
    (void)ret_dropped;
    return -ENOPROTOOPT;
#endif
}

static void offer_place(struct msghdr *header, struct iovec *piece, struct arrival_control *control,
                        struct plx__os_arrival *arrival)
{
    *piece = (struct iovec){.iov_base = arrival->place, .iov_len = arrival->size};
    *header = (struct msghdr){.msg_name = arrival->from.bytes,
                              .msg_namelen = sizeof arrival->from.bytes,
                              .msg_iov = piece,
                              .msg_iovlen = 1,
                              .msg_control = control->bytes,
                              .msg_controllen = sizeof control->bytes};
}

#ifdef IPV6_RECVPKTINFO
static void read_target6(const struct cmsghdr *entry, plx_address *ret_to)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(entry), sizeof info);
    const uint8_t *bytes = info.ipi6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) {
        ret_to->family = 4;
        memcpy(ret_to->bytes, bytes + 12, 4);
        return;
    }
    ret_to->family = 6;
    bool has_scope = plx__address_is_link_local(bytes) || IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
    ret_to->scope = has_scope ? (uint32_t)info.ipi6_ifindex : 0;
    memcpy(ret_to->bytes, bytes, sizeof ret_to->bytes);
}
#endif

#ifdef IP_PKTINFO
static void read_target4(const struct cmsghdr *entry, plx_address *ret_to)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(entry), sizeof info);
    ret_to->family = 4;
    /* ipi_spec_dst is an address of this computer (ip(7)). */
    ret_to->scope =
        info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr ? 0 : (uint32_t)info.ipi_ifindex;
    memcpy(ret_to->bytes, &info.ipi_addr, sizeof info.ipi_addr);
}
#endif

/* The most frequent control message is compared first, in the order of its own family. */
static inline void read_entry(const struct cmsghdr *entry, struct plx__os_arrival *arrival)
{
    (void)entry;
    (void)arrival;
#ifdef IP_PKTINFO
    if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_PKTINFO) {
        read_target4(entry, &arrival->to);
        return;
    }
#endif
#ifdef IPV6_RECVPKTINFO
    if (entry->cmsg_level == IPPROTO_IPV6 && entry->cmsg_type == IPV6_PKTINFO) {
        read_target6(entry, &arrival->to);
        return;
    }
#endif
#ifdef UDP_GRO
    if (entry->cmsg_level == IPPROTO_UDP && entry->cmsg_type == UDP_GRO) {
        int segment = 0;
        memcpy(&segment, CMSG_DATA(entry), sizeof segment);
        arrival->segment = segment > 0 ? (size_t)segment : 0;
    }
#endif
#ifdef SO_RXQ_OVFL
    if (entry->cmsg_level == SOL_SOCKET && entry->cmsg_type == SO_RXQ_OVFL) {
        memcpy(&arrival->dropped, CMSG_DATA(entry), sizeof arrival->dropped);
        arrival->counted = true;
    }
#endif
}

static void read_header(struct msghdr *header, size_t size, struct plx__os_arrival *arrival)
{
    arrival->size = size;
    arrival->from.size = header->msg_namelen;
    arrival->truncated = (header->msg_flags & MSG_TRUNC) != 0;
    arrival->counted = false;
    arrival->segment = 0;
    arrival->to = (plx_address){0};
    if (header->msg_controllen == 0) {
        return; /* as usual when the kernel does not report local addresses */
    }
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(header); entry != NULL;
         entry = CMSG_NXTHDR(header, entry)) {
        read_entry(entry, arrival);
    }
}

static ptrdiff_t receive_one(plx__fd descriptor, struct plx__os_arrival *arrival)
{
    struct msghdr header;
    struct iovec piece;
    struct arrival_control control;
    ptrdiff_t size;
    offer_place(&header, &piece, &control, arrival);
    do {
        size = plx__os_count(recvmsg(descriptor, &header, 0));
    } while (size == -EINTR);
    if (size < 0) {
        return size;
    }
    read_header(&header, (size_t)size, arrival);
    return 1;
}

#ifdef HAVE_RECVMMSG
static ptrdiff_t receive_several(plx__fd descriptor, struct plx__os_arrival *arrivals, size_t count)
{
    struct mmsghdr headers[PLX__OS_ARRIVALS];
    struct iovec pieces[PLX__OS_ARRIVALS];
    struct arrival_control controls[PLX__OS_ARRIVALS];
    ptrdiff_t received;
    for (size_t i = 0; i < count; i++) {
        offer_place(&headers[i].msg_hdr, &pieces[i], &controls[i], &arrivals[i]);
    }
    do {
        received = plx__os_count(recvmmsg(descriptor, headers, (unsigned)count, 0, NULL));
    } while (received == -EINTR);
    for (ptrdiff_t i = 0; i < received; i++) {
        read_header(&headers[i].msg_hdr, headers[i].msg_len, &arrivals[i]);
    }
    return received;
}
#endif

ptrdiff_t plx__os_receive_arrivals(plx__fd descriptor, struct plx__os_arrival *arrivals,
                                   size_t count)
{
    if (count == 1) {
        return receive_one(descriptor, arrivals);
    }
#ifdef HAVE_RECVMMSG
    return receive_several(descriptor, arrivals, count);
#else
    return -ENOSYS;
#endif
}

/* ---- refusals -------------------------------------------------------------------------------- */

#if defined HAVE_LINUX_ERRQUEUE_H && defined IP_RECVERR && defined IPV6_RECVERR

int plx__os_heed_refusals(plx__fd descriptor, bool heed)
{
    int value = heed ? 1 : 0;
    /* An IPv6 socket receives the errors of its IPv4 datagrams by the option of IPv4. */
    int six = setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value);
    int four = setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &value, sizeof value);
    return six < 0 && four < 0 ? -errno : 0;
}

/* Returns the error, or 0 for an error that the failing call itself has returned (EMSGSIZE): the
 * kernel queues that error here as well (Linux, ip_local_error), although it belongs to no earlier
 * datagram. */
static int error_in(struct msghdr *header)
{
    for (struct cmsghdr *one = CMSG_FIRSTHDR(header); one != NULL; one = CMSG_NXTHDR(header, one)) {
        struct sock_extended_err error;
        bool fits = one->cmsg_len >= CMSG_LEN(sizeof error);
        if (fits && ((one->cmsg_level == IPPROTO_IP && one->cmsg_type == IP_RECVERR) ||
                     (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_RECVERR))) {
            memcpy(&error, CMSG_DATA(one), sizeof error);
            return error.ee_origin == SO_EE_ORIGIN_LOCAL ? 0 : -(int)error.ee_errno;
        }
    }
    return -EIO;
}

/* Removes the next error from the queue. False when the queue is empty. */
static bool take_error(plx__fd descriptor, plx_address *ret_to, int *ret_error)
{
    union {
        struct cmsghdr aligned;
        char bytes[512];
    } control;
    char byte;
    struct plx__sockaddr name;
    struct iovec piece = {&byte, sizeof byte};
    struct msghdr header = {.msg_name = name.bytes,
                            .msg_namelen = sizeof name.bytes,
                            .msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    if (recvmsg(descriptor, &header, MSG_ERRQUEUE) < 0) {
        return false;
    }
    name.size = header.msg_namelen;
    *ret_to = (plx_address){0};
    plx__sockaddr_to_address(&name, ret_to);
    *ret_error = error_in(&header);
    return true;
}

int plx__os_take_refusal(plx__fd descriptor, plx_address *ret_to)
{
    int error = 0;
    while (take_error(descriptor, ret_to, &error) && error == 0) {
    }
    return error;
}

#else

int plx__os_heed_refusals(plx__fd descriptor, bool heed)
{
    (void)descriptor;
    return heed ? -ENOPROTOOPT : 0;
}

int plx__os_take_refusal(plx__fd descriptor, plx_address *ret_to)
{
    (void)descriptor;
    (void)ret_to;
    return 0;
}

#endif
