/* lib/os/sockaddr.c -- socket addresses of all families. */
#include "config.h"

#include "lib/os/posix.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(union plx__native) <= PLX__OS_SOCKADDR_SIZE &&
                   _Alignof(union plx__native) <= 8,
               "struct plx__sockaddr has no room for an address of the kernel's");
_Static_assert(sizeof(struct sockaddr_in) == PLX__OS_IPV4_SIZE &&
                   sizeof(struct sockaddr_in6) == PLX__OS_IPV6_SIZE,
               "the sizes that plx__sockaddr_equal compares");
_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2 <= PLX__OS_SOCKADDR_TEXT_SIZE,
               "PLX__OS_SOCKADDR_TEXT_SIZE is too small for a path");

/* The kernel's number of the family; AF_UNSPEC for none. */
static int native_family(const struct plx__sockaddr *name)
{
    const struct sockaddr *any = &plx__native_in(name)->any;
    return name->size < sizeof any->sa_family ? AF_UNSPEC : any->sa_family;
}

/* RFC 4291, 2.5.5.2: the first twelve bytes of an IPv4-mapped IPv6 address. */
static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void set_ipv4(struct plx__sockaddr *name, const plx_address *address)
{
    struct sockaddr_in *ipv4 = &plx__native_of(name)->ipv4;
    name->size = sizeof *ipv4;
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(address->port);
    memcpy(&ipv4->sin_addr, address->bytes, 4);
}

static void set_ipv6(struct plx__sockaddr *name, const plx_address *address)
{
    struct sockaddr_in6 *ipv6 = &plx__native_of(name)->ipv6;
    uint8_t *bytes = ipv6->sin6_addr.s6_addr;
    name->size = sizeof *ipv6;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address->port);
    ipv6->sin6_scope_id = address->scope;
    if (address->family == 4) {
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + sizeof mapped, address->bytes, 4);
    } else {
        memcpy(bytes, address->bytes, sizeof address->bytes);
    }
}

void plx__sockaddr_from_address(struct plx__sockaddr *name, const plx_address *address,
                                enum plx__family family)
{
    memset(name, 0, sizeof *name);
    if (address->family == 6 || (address->family == 4 && family == PLX__FAMILY_IPV6)) {
        set_ipv6(name, address);
    } else if (address->family == 4) {
        set_ipv4(name, address);
    }
}

bool plx__sockaddr_to_address(const struct plx__sockaddr *name, plx_address *ret_address)
{
    const union plx__native *native = plx__native_in(name);
    plx_address address = {0};
    int family = native_family(name);
    if (family == AF_INET) {
        address.family = 4;
        address.port = ntohs(native->ipv4.sin_port);
        memcpy(address.bytes, &native->ipv4.sin_addr, 4);
    } else if (family == AF_INET6) {
        const uint8_t *bytes = native->ipv6.sin6_addr.s6_addr;
        bool is_mapped = memcmp(bytes, mapped, sizeof mapped) == 0;
        address.family = is_mapped ? 4 : 6;
        address.port = ntohs(native->ipv6.sin6_port);
        address.scope = is_mapped ? 0 : native->ipv6.sin6_scope_id;
        memcpy(address.bytes, is_mapped ? bytes + sizeof mapped : bytes, is_mapped ? 4 : 16);
    } else {
        return false;
    }
    *ret_address = address;
    return true;
}

/* A path keeps its final zero byte inside the field, as portable programs do; an abstract name has
 * no zero byte, its length counts. */
static void set_path(struct plx__sockaddr *name, const char *path, size_t size)
{
    struct sockaddr_un *unix_path = &plx__native_of(name)->path;
    bool is_abstract = path[0] == '@';
    unix_path->sun_family = AF_UNIX;
    memcpy(unix_path->sun_path, path, size);
    if (is_abstract) {
        unix_path->sun_path[0] = '\0';
    }
    name->size = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + size + (is_abstract ? 0 : 1));
}

#ifdef O_PATH
static int set_far_path(struct plx__sockaddr *name, const char *path, size_t size)
{
    const char *last = strrchr(path, '/');
    size_t folder = last == NULL ? 0 : (size_t)(last + 1 - path);
    if (size >= PATH_MAX || size - folder > PLX__OS_LONGEST_NAME) {
        return -ENAMETOOLONG;
    }
    plx__native_of(name)->path.sun_family = AF_UNIX;
    name->size = offsetof(struct sockaddr_un, sun_path);
    name->long_path = path;
    return 0;
}
#endif

int plx__sockaddr_from_path(struct plx__sockaddr *name, const char *path, size_t size)
{
    bool is_abstract = size > 0 && path[0] == '@';
    memset(name, 0, sizeof *name);
    if (size == 0 || (is_abstract && size == 1)) {
        return -ENOENT;
    }
    if (size + (is_abstract ? 0 : 1) <= sizeof plx__native_of(name)->path.sun_path) {
        set_path(name, path, size);
        return 0;
    }
#ifdef O_PATH
    return is_abstract ? -ENAMETOOLONG : set_far_path(name, path, size);
#else
    return -ENAMETOOLONG;
#endif
}

bool plx__sockaddr_to_path(const struct plx__sockaddr *name, char *text, size_t size)
{
    size_t start = offsetof(struct sockaddr_un, sun_path);
    if (native_family(name) != AF_UNIX || name->size <= start || size == 0) {
        return false;
    }
    const char *path = plx__native_in(name)->path.sun_path;
    bool is_abstract = path[0] == '\0';
    int most = (int)(name->size - start) - (is_abstract ? 1 : 0);
    snprintf(text, size, "%s%.*s", is_abstract ? "@" : "", most, path + (is_abstract ? 1 : 0));
    return true;
}

bool plx__sockaddr_from_native(struct plx__sockaddr *name, const void *native, size_t size)
{
    memset(name, 0, sizeof *name);
    if (size > sizeof name->bytes) {
        return false;
    }
    memcpy(name->bytes, native, size);
    name->size = (uint32_t)size;
    return true;
}

size_t plx__sockaddr_to_native(const struct plx__sockaddr *name, void *native, size_t size)
{
    size_t most = name->size < size ? name->size : size;
    memcpy(native, name->bytes, most);
    return most;
}

enum plx__family plx__sockaddr_family(const struct plx__sockaddr *name)
{
    switch (native_family(name)) {
    case AF_UNSPEC: return PLX__FAMILY_NONE;
    case AF_INET: return PLX__FAMILY_IPV4;
    case AF_INET6: return PLX__FAMILY_IPV6;
    case AF_UNIX: return PLX__FAMILY_UNIX;
    default: return PLX__FAMILY_OTHER;
    }
}
