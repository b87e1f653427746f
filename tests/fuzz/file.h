/* tests/fuzz/file.h -- a file in memory, in place of the one that the library opens: the functions
 * that `-Wl,--wrap` puts before those of lib/os/file.c. */
#ifndef POLLUX_TESTS_FUZZ_FILE_H
#define POLLUX_TESTS_FUZZ_FILE_H

#include "lib/os/os.h"
#include "tests/fuzz/fuzz.h"

enum { FILE_DESCRIPTOR = 1 << 20 };

/* The file that the next open finds. */
static struct {
    const char *path;
    const char *text;
    size_t size;
    size_t at;
    size_t piece;       /* the most that a read returns */
    uint64_t said_size; /* the size that the kernel reports */
    uint64_t version;
    int opened; /* and not closed */
} file;

plx__fd __wrap_plx__os_open_file(const char *path);
ptrdiff_t __wrap_plx__os_read_file(plx__fd descriptor, void *data, size_t size);
int __wrap_plx__os_version(plx__fd descriptor, struct plx__os_version *ret_version);
int __wrap_plx__os_close(plx__fd descriptor);
int __real_plx__os_close(plx__fd descriptor);

plx__fd __wrap_plx__os_open_file(const char *path)
{
    NEED(strcmp(path, file.path) == 0);
    file.at = 0;
    file.opened++;
    return FILE_DESCRIPTOR;
}

ptrdiff_t __wrap_plx__os_read_file(plx__fd descriptor, void *data, size_t size)
{
    NEED(descriptor == FILE_DESCRIPTOR && file.opened == 1);
    size_t count = file.size - file.at;
    count = count < size ? count : size;
    count = count < file.piece ? count : file.piece;
    if (count > 0) {
        memcpy(data, file.text + file.at, count);
    }
    file.at += count;
    return (ptrdiff_t)count;
}

int __wrap_plx__os_version(plx__fd descriptor, struct plx__os_version *ret_version)
{
    NEED(descriptor == FILE_DESCRIPTOR);
    *ret_version = (struct plx__os_version){
        .inode = 1, .size = file.said_size, .modified = file.version, .settled = true};
    return 0;
}

int __wrap_plx__os_close(plx__fd descriptor)
{
    if (descriptor != FILE_DESCRIPTOR) {
        return __real_plx__os_close(descriptor);
    }
    file.opened--;
    return 0;
}

#endif
