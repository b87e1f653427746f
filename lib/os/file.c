/* lib/os/file.c -- the files that Unix sockets leave behind, and the folder they belong in. */
#include "config.h"

#include "lib/os/posix.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a lock is tried again whose file was removed between opening and locking it, and one that
 * somebody else has: those who lock for binding have it for a moment only, and waiting for others
 * would be blocking. */
#define LOCK_ATTEMPTS 100
#define HELD_ATTEMPTS 10

/* ---- files ----------------------------------------------------------------------------------- */

static struct plx__os_file file_of(const struct stat *status)
{
    return (struct plx__os_file){
        .device = (uint64_t)status->st_dev,
        .inode = (uint64_t)status->st_ino,
        .is_socket = S_ISSOCK(status->st_mode),
    };
}

int plx__os_file(const char *path, struct plx__os_file *ret_file)
{
    struct stat status;
    /* lstat: a link in the place of a socket is somebody else's, and is not followed. */
    if (lstat(path, &status) < 0) {
        return -errno;
    }
    *ret_file = file_of(&status);
    return 0;
}

int plx__os_remove_file(const char *path)
{
    return plx__os_result(unlink(path));
}

/* ---- modes ----------------------------------------------------------------------------------- */

int plx__os_restrict_mode(plx__fd descriptor, int mode)
{
    return plx__os_result(fchmod(descriptor, (mode_t)mode));
}

#ifdef O_PATH

/* By way of a descriptor, so that the mode is given to the very file that was looked at: chmod(2)
 * would follow whatever has come to stand at the path since. */
int plx__os_set_file_mode(const char *path, const struct plx__os_file *file, int mode)
{
    char place[32];
    struct stat status;
    plx__fd descriptor = plx__os_result(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (descriptor < 0) {
        return descriptor;
    }
    bool same = fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode) &&
                (uint64_t)status.st_dev == file->device && (uint64_t)status.st_ino == file->inode;
    snprintf(place, sizeof place, "/proc/self/fd/%d", descriptor);
    int result = same ? 0 : -ENOENT;
    if (same && (status.st_mode & 07777) != (mode_t)mode) {
        result = plx__os_result(chmod(place, (mode_t)mode));
        /* Without /proc, as after chroot(2), there is only the path. */
        result = result == -ENOENT ? plx__os_result(chmod(path, (mode_t)mode)) : result;
    }
    close(descriptor);
    return result;
}

#else

int plx__os_set_file_mode(const char *path, const struct plx__os_file *file, int mode)
{
    (void)file;
    return plx__os_result(chmod(path, (mode_t)mode));
}

#endif

/* ---- locks ----------------------------------------------------------------------------------- */

/* Whoever had the lock before has removed its file: then the lock is of no use, for the next one
 * makes another file. */
static bool still_stands(const char *path, plx__fd lock)
{
    struct stat here, there;
    return fstat(lock, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

void plx__os_unlock(const char *path, plx__fd lock)
{
    struct stat status;
    /* A file with something in it is not one that we have made. */
    if (fstat(lock, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0) {
        unlink(path);
    }
    /* A child that was forked meanwhile has the descriptor too, and closing leaves it the lock. */
    flock(lock, LOCK_UN);
    close(lock);
}

plx__fd plx__os_lock(const char *path)
{
    int held = 0;
    for (int i = 0; i < LOCK_ATTEMPTS; i++) {
        plx__fd lock = plx__os_result(
            open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
        if (lock < 0) {
            return lock;
        }
        int result = plx__os_result(flock(lock, LOCK_EX | LOCK_NB));
        if (result == 0 && still_stands(path, lock)) {
            return lock;
        }
        if (result < 0 && result != -EAGAIN) {
            plx__os_unlock(path, lock);
            return result;
        }
        close(lock);
        if (result < 0 && ++held == HELD_ATTEMPTS) {
            return result;
        }
        sched_yield();
    }
    return -EAGAIN;
}

bool plx__os_has_no_lock(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS || error == -ENOLCK ||
           error == -EOPNOTSUPP || error == -EISDIR || error == -ELOOP || error == -ENXIO;
}

/* ---- folders --------------------------------------------------------------------------------- */

int plx__os_working_folder(char *ret_path, size_t size)
{
    return getcwd(ret_path, size) == NULL ? -errno : 0;
}

static bool is_private(const char *folder)
{
    struct stat status;
    return lstat(folder, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & 077) == 0;
}

const char *plx__os_variable(const char *name)
{
#if defined HAVE_SECURE_GETENV
    return secure_getenv(name);
#elif defined HAVE_ISSETUGID
    return issetugid() ? NULL : getenv(name);
#else
    return getuid() != geteuid() || getgid() != getegid() ? NULL : getenv(name);
#endif
}

static const char *folder_from(const char *variable)
{
    const char *folder = plx__os_variable(variable);
    return folder != NULL && folder[0] == '/' ? folder : NULL;
}

static int make_folder(char *ret_path, size_t size)
{
    const char *temporary = folder_from("TMPDIR");
    int length = snprintf(ret_path, size, "%s/pollux-%lu", temporary == NULL ? "/tmp" : temporary,
                          (unsigned long)geteuid());
    if (length < 0 || (size_t)length >= size) {
        return -ERANGE;
    }
    if (mkdir(ret_path, 0700) < 0 && errno != EEXIST) {
        return -errno;
    }
    /* Anybody may have made it in a folder where all may write. */
    return is_private(ret_path) ? 0 : -EACCES;
}

int plx__os_private_folder(char *ret_path, size_t size)
{
    const char *runtime = folder_from("XDG_RUNTIME_DIR");
    if (runtime == NULL || !is_private(runtime)) {
        return make_folder(ret_path, size);
    }
    int length = snprintf(ret_path, size, "%s", runtime);
    return length < 0 || (size_t)length >= size ? -ERANGE : 0;
}
