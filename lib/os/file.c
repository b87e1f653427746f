/* lib/os/file.c -- floor 2: the files that Unix sockets leave behind. */
#include "config.h"

#include "lib/os.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int plx__os_file(const char *path, struct plx__os_file *ret_file)
{
    struct stat status;
    /* lstat: a link in the place of a socket is somebody else's, and is not followed. */
    if (lstat(path, &status) < 0) {
        return -errno;
    }
    ret_file->device = (uint64_t)status.st_dev;
    ret_file->inode = (uint64_t)status.st_ino;
    ret_file->is_socket = S_ISSOCK(status.st_mode);
    return 0;
}

int plx__os_remove_file(const char *path)
{
    return unlink(path) < 0 ? -errno : 0;
}

int plx__os_set_file_mode(const char *path, int mode)
{
    return chmod(path, (mode_t)mode) < 0 ? -errno : 0;
}
