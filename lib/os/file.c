/* lib/os/file.c -- files to read, the files that Unix sockets leave behind, and their folder. */
#include "config.h"

#include "lib/os/posix.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* LOCK_ATTEMPTS: how often plx__os_lock retries when another process has removed the file between
 * open and flock. HELD_ATTEMPTS: how often it retries when another process has the lock: a process
 * that binds holds the lock for a moment only, and to wait for any other process would be blocking.
 */
#define LOCK_ATTEMPTS 100
#define HELD_ATTEMPTS 10

/* A change longer ago than this was not in the same tick of the kernel as the next change. */
#define SETTLED_SECONDS 2

/* ---- reading --------------------------------------------------------------------------------- */

plx__fd plx__os_open_file(const char *path)
{
    return plx__os_result(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

ptrdiff_t plx__os_read_file(plx__fd file, void *data, size_t size)
{
    return plx__os_count(read(file, data, size));
}

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static bool is_settled(const struct stat *status)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           status->st_mtim.tv_sec + SETTLED_SECONDS < now.tv_sec &&
           status->st_ctim.tv_sec + SETTLED_SECONDS < now.tv_sec;
}

int plx__os_version(plx__fd file, struct plx__os_version *ret_version)
{
    struct stat status;
    if (fstat(file, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return -EINVAL;
    }
    *ret_version = (struct plx__os_version){
        .device = (uint64_t)status.st_dev,
        .inode = (uint64_t)status.st_ino,
        .size = (uint64_t)status.st_size,
        .modified = nanoseconds(&status.st_mtim),
        .changed = nanoseconds(&status.st_ctim),
        .settled = is_settled(&status),
    };
    return 0;
}

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
    /* lstat does not follow a symbolic link: a link in the place of a socket belongs to another
     * program. */
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

/* Through a descriptor, so that the mode is set on the very file that was checked: chmod(2) would
 * follow a link that has replaced the file since. */
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
        /* Without /proc, for instance after chroot(2), only the path is left. */
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

/* Returns whether the locked file is still the one at `path`. The process that held the lock before
 * has removed the file otherwise, and then the lock is of no use: the next process makes another
 * file. */
static bool still_stands(const char *path, plx__fd lock)
{
    struct stat here, there;
    return fstat(lock, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

void plx__os_unlock(const char *path, plx__fd lock)
{
    struct stat status;
    /* A file that is not empty was not made by plx__os_lock. */
    if (fstat(lock, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0) {
        unlink(path);
    }
    /* A child that was forked meanwhile has the descriptor too, and close alone would leave the
     * lock to the child. */
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
    /* In a folder that every user may write to, another user may have made this folder. */
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
