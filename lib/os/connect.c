/* lib/os/connect.c -- binding and connecting to a name, also to one that is too long.
 *
 * The kernel accepts paths of 107 bytes (unix(7)). On Linux this file reaches a longer path from a
 * descriptor of its folder, through /proc/self/fd (proc(5)); changing the working directory instead
 * would affect the other threads. */
#include "config.h"

#include "lib/base/base.h"
#include "lib/os/posix.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef O_PATH

/* The path in the address of a Unix socket. */
typedef char place_text[sizeof((struct sockaddr_un *)NULL)->sun_path];

/* Without /proc a path through /proc leads nowhere, although the folder or file behind it has been
 * opened. */
static int result_below_proc(int result)
{
    return result == -ENOENT ? -ENAMETOOLONG : result;
}

static int bind_at(plx__fd descriptor, const place_text place)
{
    struct plx__sockaddr name;
    int result = plx__sockaddr_from_path(&name, place, strlen(place));
    return result < 0 ? result
                      : plx__os_result(bind(descriptor, &plx__native_of(&name)->any, name.size));
}

static bool set_place(place_text place, plx__fd folder, const char *file)
{
    int length = snprintf(place, sizeof(place_text), "/proc/self/fd/%d/%s", folder, file);
    return length > 0 && (size_t)length < sizeof(place_text);
}

/* Writes a short name that is always the same for the same long one: FNV-1a (Fowler, Noll, Vo). */
static void set_short_name(char *name, size_t size, const char *file)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *file != '\0'; file++) {
        hash = (hash ^ (uint8_t)*file) * 0x100000001b3u;
    }
    snprintf(name, size, ".plx-%016llx", (unsigned long long)hash);
}

static void remove_socket(plx__fd folder, const char *file)
{
    struct stat status;
    if (fstatat(folder, file, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status.st_mode)) {
        unlinkat(folder, file, 0);
    }
}

/* For a file name that leaves no room for the path to its folder: binds a short name, then links
 * the long name to the same file. A process that was killed between the two steps has left the
 * short name. */
static int bind_and_link(plx__fd descriptor, plx__fd folder, const char *file)
{
    char name[24];
    place_text place;
    struct stat status;
    /* bind works only once for a socket: so check first whether the file exists. */
    if (fstatat(folder, file, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        return -EADDRINUSE;
    }
    set_short_name(name, sizeof name, file);
    remove_socket(folder, name);
    int result = set_place(place, folder, name) ? bind_at(descriptor, place) : -ENAMETOOLONG;
    if (result == 0) {
        result = plx__os_result(linkat(folder, name, folder, file, 0));
        unlinkat(folder, name, 0);
    }
    return result == -EEXIST ? -EADDRINUSE : result;
}

static plx__fd open_folder(const char *path, const char *file)
{
    char folder[PATH_MAX];
    size_t size = (size_t)(file - path);
    if (size >= sizeof folder) {
        return -ENAMETOOLONG;
    }
    memcpy(folder, path, size);
    folder[size] = '\0';
    return plx__os_result(open(size == 0 ? "." : folder, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int bind_long_path(plx__fd descriptor, const char *path)
{
    const char *last = strrchr(path, '/');
    const char *file = last == NULL ? path : last + 1;
    place_text place;
    plx__fd folder = open_folder(path, file);
    if (folder < 0) {
        return folder;
    }
    int result = set_place(place, folder, file) ? bind_at(descriptor, place)
                                                : bind_and_link(descriptor, folder, file);
    close(folder);
    return result_below_proc(result);
}

static int connect_long_path(plx__fd descriptor, const char *path)
{
    place_text place;
    struct plx__sockaddr name;
    plx__fd target = plx__os_result(open(path, O_PATH | O_CLOEXEC));
    if (target < 0) {
        return target;
    }
    snprintf(place, sizeof place, "/proc/self/fd/%d", target);
    plx__sockaddr_from_path(&name, place, strlen(place));
    int result = result_below_proc(
        plx__os_result(connect(descriptor, &plx__native_of(&name)->any, name.size)));
    close(target);
    return result;
}

#else

static int bind_long_path(plx__fd descriptor, const char *path)
{
    (void)descriptor;
    (void)path;
    return -ENAMETOOLONG;
}

static int connect_long_path(plx__fd descriptor, const char *path)
{
    return bind_long_path(descriptor, path);
}

#endif

int plx__os_bind(plx__fd descriptor, const struct plx__sockaddr *name)
{
    return name->long_path == NULL
               ? plx__os_result(bind(descriptor, &plx__native_in(name)->any, name->size))
               : bind_long_path(descriptor, name->long_path);
}

int plx__os_connect(plx__fd descriptor, const struct plx__sockaddr *name)
{
    int result = name->long_path == NULL
                     ? plx__os_result(connect(descriptor, &plx__native_in(name)->any, name->size))
                     : connect_long_path(descriptor, name->long_path);
    /* The kernel continues an interrupted connect (connect(2)). */
    return result == -EINPROGRESS || result == -EINTR ? 0 : result;
}

int plx__os_dissolve(plx__fd descriptor)
{
    struct sockaddr nobody;
    int result;
    memset(&nobody, 0, sizeof nobody);
    nobody.sa_family = AF_UNSPEC;
    do {
        result = plx__os_result(connect(descriptor, &nobody, sizeof nobody));
    } while (result == -EINTR);
    return result;
}
