/* lib/endpoint/path.c -- what sockets with a path share. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/base/memory.h"
#include "lib/endpoint/path.h"
#include "lib/os/errno.h"
#include "lib/socket/failure.h"
#include "lib/socket/options.h"
#include "lib/socket/property.h"
#include "lib/socket/race.h"

#include <stdio.h>
#include <string.h>

/* Other programs may bind and close while we try, but we do not try for ever. */
#define BIND_ATTEMPTS 8

struct plx__claim {
    struct plx__os_file file;
    char path[]; /* absolute: the program may change its working directory */
};

/* ---- names ----------------------------------------------------------------------------------- */

static int path_check(const char *path, size_t size)
{
    struct plx__sockaddr name;
    return plx__sockaddr_from_path(&name, path, size);
}

static int path_parse(plx_socket *socket, const char *where, bool to_listen)
{
    const char *call = to_listen ? "listen on" : "connect to";
    size_t size = strlen(where);
    int result = path_check(where, size);
    if (result == 0 && !plx__socket_keep_path(socket, where, size)) {
        result = -PLX__ENOMEM;
    }
    if (result == -PLX__ENOENT) {
        return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION,
                                  "%s \"%s\": no %s given", call, where,
                                  size == 0 ? "path" : "name");
    }
    return result == 0 ? 0 : plx__socket_fail_system(socket, result, "%s \"%.255s\"", call, where);
}

static int refuse_without_path(plx_socket *socket, const char *call, const char *other)
{
    return plx__socket_refuse(socket, PLX_REASON_OPERATION,
                              "%s: no path is set, call plx_socket_set_path or %s", call, other);
}

static int path_target(plx_socket *socket, struct plx__target *ret_target)
{
    struct plx__target target = {.host = NULL};
    if (plx__socket_properties(socket)->path == NULL) {
        return refuse_without_path(socket, "connect", "plx_socket_connect_to");
    }
    plx__sockaddr_from_path(&target.name, plx__socket_properties(socket)->path,
                            plx__socket_properties(socket)->path_size);
    *ret_target = target;
    return 0;
}

static bool is_abstract(const plx_socket *socket)
{
    return plx__socket_properties(socket)->path[0] == '@';
}

/* ---- left-overs ------------------------------------------------------------------------------ */

enum tenant { NOBODY, LEFT_OVER, ALIVE };

/* connect(2) of a datagram socket finds out without the listener noticing: a stream socket returns
 * EPROTOTYPE, whether it listens or is only bound; a file whose listener has died returns
 * ECONNREFUSED. */
static enum tenant ask_target(const struct plx__sockaddr *name, const char *path)
{
    struct plx__os_file file;
    int result = plx__os_file(path, &file);
    if (result < 0 || !file.is_socket) {
        return result == -PLX__ENOENT ? NOBODY : ALIVE;
    }
    plx__fd probe = plx__os_socket(PLX__FAMILY_UNIX, PLX__TYPE_DATAGRAM);
    if (probe < 0) {
        return ALIVE;
    }
    result = plx__os_connect(probe, name);
    plx__os_close(probe);
    return result == -PLX__ECONNREFUSED ? LEFT_OVER : result == -PLX__ENOENT ? NOBODY : ALIVE;
}

static int bind_or_replace(plx__fd descriptor, const struct plx__sockaddr *name, const char *path)
{
    int result = plx__os_bind(descriptor, name);
    for (int i = 0; i < BIND_ATTEMPTS && result == -PLX__EADDRINUSE; i++) {
        enum tenant tenant = ask_target(name, path);
        if (tenant == ALIVE) {
            break;
        }
        if (tenant == LEFT_OVER) {
            plx__os_remove_file(path);
        }
        result = plx__os_bind(descriptor, name);
    }
    /* A name that is too long for a sockaddr is bound by a short name, which linkat(2) then links
     * to the long one. If a program without our lock has taken the long one meanwhile, the next
     * bind(2) of the bound socket returns EINVAL. */
    return result == -PLX__EINVAL ? -PLX__EADDRINUSE : result;
}

/* ---- claims ---------------------------------------------------------------------------------- */

static struct plx__claim *free_claim(struct plx__claim *claim)
{
    plx__memory_free(claim);
    return NULL;
}

/* Sets `folder` to what stands before a path to make it absolute. */
static void set_folder(char *folder, size_t size, const char *path)
{
    if (path[0] == '/') {
        folder[0] = '\0';
    } else if (plx__os_working_folder(folder, size - 1) == 0) {
        strcat(folder, "/");
    } else {
        strcpy(folder, "./");
    }
}

static struct plx__claim *make_claim(const char *path)
{
    char folder[PLX__OS_PATH_SIZE + 1];
    set_folder(folder, sizeof folder, path);
    size_t size = strlen(folder) + strlen(path) + 1;
    struct plx__claim *claim = plx__memory_new(sizeof *claim + size);
    if (claim != NULL) {
        snprintf(claim->path, size, "%s%s", folder, path);
    }
    return claim;
}

static int set_mode(const struct plx__claim *claim, int mode)
{
    return mode == 0 ? 0 : plx__os_set_file_mode(claim->path, &claim->file, mode);
}

/* No program can connect before listen(2), so the mode is exact from the first connection on. The
 * mode is never wider than asked for: until it is exact, it is that mode less the umask. The umask
 * belongs to the whole process, so it is not changed. */
static int bind_and_claim(plx__fd descriptor, const struct plx__sockaddr *name, int mode,
                          bool locked, struct plx__claim *claim)
{
    int result = mode == 0 ? 0 : plx__os_restrict_mode(descriptor, mode);
    if (result == 0) {
        result = locked ? bind_or_replace(descriptor, name, claim->path)
                        : plx__os_bind(descriptor, name);
    }
    if (result < 0) {
        return result;
    }
    result = plx__os_file(claim->path, &claim->file);
    result = result < 0 ? result : set_mode(claim, mode);
    if (result < 0) {
        plx__os_remove_file(claim->path);
    }
    return result;
}

/* Sets `text` to the path of the lock, in the file's folder. A file name that is too long for the
 * suffix is cut. */
static void set_lock_path(char *text, size_t size, const char *path)
{
    static const char suffix[] = ".lock";
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    size_t most = PLX__OS_LONGEST_NAME - (sizeof suffix - 1);
    size_t length = strlen(file) < most ? strlen(file) : most;
    snprintf(text, size, "%.*s%s", (int)((size_t)(file - path) + length), path, suffix);
}

/* Where no lock is available (plx__os_has_no_lock), bind(2) alone decides, and no file is
 * replaced. */
static int bind_under_lock(plx__fd descriptor, const struct plx__sockaddr *name, int mode,
                           struct plx__claim *claim)
{
    char path[PLX__OS_PATH_SIZE + sizeof ".lock"];
    set_lock_path(path, sizeof path, claim->path);
    plx__fd lock = plx__os_lock(path);
    if (lock < 0 && !plx__os_has_no_lock(lock)) {
        return lock;
    }
    int result = bind_and_claim(descriptor, name, mode, lock >= 0, claim);
    if (lock >= 0) {
        plx__os_unlock(path, lock);
    }
    return result;
}

static int bind_file(plx_socket *socket, plx__fd descriptor, const struct plx__sockaddr *name)
{
    int mode = plx__option_value(socket->options, PLX_OPTION_MODE);
    struct plx__properties *properties = socket->rare->properties; /* they have a path */
    struct plx__claim *claim = make_claim(properties->path);
    if (claim == NULL) {
        return -PLX__ENOMEM;
    }
    int result = bind_under_lock(descriptor, name, mode, claim);
    properties->claim = result < 0 ? free_claim(claim) : claim;
    return result;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static int check_mode(plx_socket *socket)
{
    bool refused = is_abstract(socket) && plx__option_value(socket->options, PLX_OPTION_MODE) != 0;
    return !refused ? 0
                    : plx__socket_refuse(
                          socket, PLX_REASON_UNSUPPORTED_OPERATION,
                          "listen on %s: MODE is set, and an abstract name has no permissions",
                          plx__socket_properties(socket)->path);
}

/* EAGAIN is from the lock: another program holds a lock of that name, perhaps without listening at
 * the path. */
static int fail_to_bind(plx_socket *socket, int error)
{
    char lock[PLX__OS_PATH_SIZE + sizeof ".lock"];
    if (error != -PLX__EAGAIN) {
        return plx__socket_fail_system(socket, error, "bind to %s",
                                       plx__socket_properties(socket)->path);
    }
    set_lock_path(lock, sizeof lock, plx__socket_properties(socket)->path);
    const char *slash = strrchr(lock, '/');
    return plx__socket_fail_system(
        socket, -PLX__EADDRINUSE, "bind to %s (%s is locked by another program)",
        plx__socket_properties(socket)->path, slash == NULL ? lock : slash + 1);
}

static plx__fd path_bind(plx_socket *socket)
{
    struct plx__target target;
    if (plx__socket_properties(socket)->path == NULL) {
        return -refuse_without_path(socket, "listen", "plx_socket_listen_on");
    }
    int code = path_target(socket, &target);
    code = code == 0 ? check_mode(socket) : code;
    if (code != 0) {
        return -code;
    }
    plx__fd descriptor = plx__options_open(socket, PLX__FAMILY_UNIX);
    int result = descriptor;
    if (descriptor >= 0) {
        result = is_abstract(socket) ? plx__os_bind(descriptor, &target.name)
                                     : bind_file(socket, descriptor, &target.name);
    }
    if (result < 0) {
        plx__os_close(descriptor);
        return -fail_to_bind(socket, result);
    }
    return descriptor;
}

/* Removes the socket file, before the descriptor is closed. While the descriptor is open no other
 * file can have its inode number, and no other listener takes the file for a left-over. */
static void path_finish(plx_socket *socket)
{
    struct plx__claim *claim = plx__socket_properties(socket)->claim;
    struct plx__os_file now;
    if (claim == NULL) {
        return;
    }
    if (plx__os_file(claim->path, &now) == 0 && plx__os_is_same_file(&now, &claim->file)) {
        plx__os_remove_file(claim->path);
    }
    socket->rare->properties->claim = free_claim(claim);
}

const struct plx__endpoint plx__path_endpoint = {
    .families = {PLX__FAMILY_UNIX, PLX__FAMILY_NONE},
    .has_paths = true,
    .parse = path_parse,
    .check_path = path_check,
    .target = path_target,
    .bind = path_bind,
    .finish = path_finish,
};
