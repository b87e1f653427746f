/* tests/test-ipc-place.c -- Unix sockets: where the sockets of one user belong, and what is not
 * taken for such a place. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/names.h"

/* What the environment says of folders; put back at the end, for other tests may follow in this
 * process. */
struct surroundings {
    char *runtime, *temporary;
    char folder[SIZE], runtime_folder[SIZE], fallback[SIZE]; /* of the test's own */
};

static char *copy_of(const char *variable)
{
    const char *value = getenv(variable);

    return value == NULL ? NULL : strdup(value);
}

static void set_variable(const char *variable, const char *value)
{
    ck_assert_int_eq(value == NULL ? unsetenv(variable) : setenv(variable, value, 1), 0);
}

static void begin_surroundings(const struct world *w, struct surroundings *here)
{
    here->runtime = copy_of("XDG_RUNTIME_DIR");
    here->temporary = copy_of("TMPDIR");
    path_of(w, "run", here->runtime_folder);
    snprintf(here->fallback, SIZE, "%s/pollux-%lu", w->folder, (unsigned long)getuid());
    ck_assert_int_eq(mkdir(here->runtime_folder, 0700), 0);
    set_variable("XDG_RUNTIME_DIR", here->runtime_folder);
    set_variable("TMPDIR", w->folder);
}

static void end_surroundings(const struct world *w, struct surroundings *here)
{
    set_variable("XDG_RUNTIME_DIR", here->runtime);
    set_variable("TMPDIR", here->temporary);
    free(here->runtime);
    free(here->temporary);
    expect_tidy(w);
}

/* `folder` NULL: that it is refused with this code. */
static void expect_private(const char *folder, int code)
{
    char path[SIZE], wanted[SIZE + 8];

    memset(path, 7, sizeof path);
    ck_assert_int_eq(plx_ipc_private_path("name", path, sizeof path), code);
    if (folder == NULL) {
        for (size_t i = 0; i < sizeof path; i++)
            ck_assert_int_eq(path[i], 7);
        return;
    }
    snprintf(wanted, sizeof wanted, "%s/name", folder);
    ck_assert_str_eq(path, wanted);
}

MODE_CASE(private_path_below_the_runtime_folder)
{
    struct surroundings here;
    char path[SIZE];

    begin_surroundings(w, &here);
    expect_private(here.runtime_folder, 0);
    ck_assert(!exists(here.fallback)); /* not made where it is not needed */
    ck_assert_int_eq(plx_ipc_private_path("name", path, sizeof path), 0);
    expect_works(w, path);
    end_surroundings(w, &here);
}

MODE_CASE(private_path_without_a_runtime_folder)
{
    struct surroundings here;
    char file[SIZE];
    int before = open(".", O_PATH | O_CLOEXEC);

    begin_surroundings(w, &here);
    path_of(w, "file", file);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0700));
    ck_assert_int_eq(chdir(w->folder), 0); /* where the relative one is, and is not taken */
    for (int i = 0; i < 6; i++) {
        const char *const values[] = {
            NULL, "", "run", "/nowhere/at/all", file, here.runtime_folder};
        mode_t mask = umask(i % 2 == 0 ? 0 : 077);
        struct stat status;

        set_variable("XDG_RUNTIME_DIR", values[i]);
        ck_assert_int_eq(chmod(here.runtime_folder, i == 5 ? 0777 : 0700), 0);
        expect_private(here.fallback, 0);
        expect_private(here.fallback, 0); /* it is there now */
        ck_assert_int_eq(lstat(here.fallback, &status), 0);
        ck_assert_int_eq((int)status.st_mode, S_IFDIR | 0700);
        ck_assert_int_eq(rmdir(here.fallback), 0);
        umask(mask);
    }
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(fchdir(before), 0);
    close(before);
    end_surroundings(w, &here);
}

/* Somebody else may have been there first. */
MODE_CASE(private_path_is_refused)
{
    struct surroundings here;
    static const mode_t modes[] = {0755, 0701, 0710, 0777, 01777};
    char far[10000] = "";

    begin_surroundings(w, &here);
    set_variable("XDG_RUNTIME_DIR", NULL);
    ck_assert_int_eq(mkdir(here.fallback, 0700), 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        ck_assert_int_eq(chmod(here.fallback, modes[i]), 0);
        expect_private(NULL, EACCES);
    }
    ck_assert_int_eq(chmod(here.fallback, 0700), 0);
    if (getuid() == 0) {
        ck_assert_int_eq(chown(here.fallback, 65534, 65534), 0);
        expect_private(NULL, EACCES);
    }
    ck_assert_int_eq(rmdir(here.fallback), 0);
    ck_assert_int_eq(symlink(here.runtime_folder, here.fallback), 0); /* our own, even */
    expect_private(NULL, EACCES);
    ck_assert_int_eq(unlink(here.fallback), 0);
    ck_assert_int_eq(mkfifo(here.fallback, 0700), 0);
    expect_private(NULL, EACCES);
    ck_assert_int_eq(unlink(here.fallback), 0);
    set_variable("TMPDIR", "/nowhere/at/all");
    expect_private(NULL, ENOENT);
    memset(far, 'x', sizeof far - 1);
    far[0] = '/';
    set_variable("TMPDIR", far);
    expect_private(NULL, ENAMETOOLONG);
    end_surroundings(w, &here);
}

MODE_CASE(private_path_and_bad_arguments)
{
    static const char *const names[] = {NULL, "", "/", "a/b", "/a", "a/", "..", "."};
    struct surroundings here;
    char path[SIZE], before[SIZE];
    size_t size;

    begin_surroundings(w, &here);
    memset(before, 7, sizeof before);
    memset(path, 7, sizeof path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_int_eq(plx_ipc_private_path(names[i], path, sizeof path), PLX_INVALID_STATE);
    ck_assert_int_eq(plx_ipc_private_path("name", NULL, sizeof path), PLX_INVALID_STATE);
    size = strlen(here.runtime_folder) + sizeof "/name";
    for (size_t few = 0; few < size; few++)
        ck_assert_int_eq(plx_ipc_private_path("name", path, few), ENAMETOOLONG);
    ck_assert_mem_eq(path, before, sizeof path);
    ck_assert_int_eq(plx_ipc_private_path("name", path, size), 0);
    ck_assert_uint_eq(strlen(path) + 1, size);
    ck_assert_mem_eq(path + size, before, sizeof path - size);
    end_surroundings(w, &here);
}

WORLD_MAIN("ipc-place")
