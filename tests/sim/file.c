/* tests/sim/file.c -- files, locks, folders, and the environment. */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

static struct sim_open *open_node(struct sim_node *node)
{
    struct sim_open *open = sim_new(SIM_FILE);
    open->node = node;
    return open;
}

plx__fd plx__os_open_file(const char *path)
{
    sim_enter();
    struct sim_node *node = sim_node_at(path);
    if (node == NULL || node->is_socket) {
        return node == NULL ? -ENOENT : -ENXIO;
    }
    return sim_happens(SIM_MFILE) ? -EMFILE : sim_give(open_node(node));
}

ptrdiff_t plx__os_read_file(plx__fd file, void *data, size_t size)
{
    sim_enter();
    struct sim_open *open = sim_of(file);
    if (open == NULL || open->sort != SIM_FILE) {
        return open == NULL ? -EBADF : -EINVAL;
    }
    size_t left = open->node->size - open->offset;
    size = sim_short(size < left ? size : left);
    if (size > 0) {
        memcpy(data, open->node->contents + open->offset, size);
    }
    open->offset += size;
    return (ptrdiff_t)size;
}

int plx__os_version(plx__fd file, struct plx__os_version *ret_version)
{
    sim_enter();
    const struct sim_open *open = sim_of(file);
    if (open == NULL || open->sort != SIM_FILE) {
        return open == NULL ? -EBADF : -EINVAL;
    }
    *ret_version =
        (struct plx__os_version){.device = 1,
                                 .inode = open->node->number,
                                 .size = open->node->size,
                                 .modified = open->node->changed,
                                 .changed = open->node->changed,
                                 .settled = sim.now > open->node->changed + 2 * SIM_SECOND};
    return 0;
}

void sim_set_file(const char *path, const char *contents)
{
    struct sim_node *node = sim_node_at(path);
    if (node == NULL) {
        node = sim_node_new(path, false);
    }
    free(node->contents);
    node->contents = strdup(contents);
    node->size = strlen(contents);
    node->changed = sim.now;
}

/* ---- files ----------------------------------------------------------------------------------- */

int plx__os_file(const char *path, struct plx__os_file *ret_file)
{
    sim_enter();
    const struct sim_node *node = sim_node_at(path);
    if (node == NULL) {
        return -ENOENT;
    }
    *ret_file = (struct plx__os_file){1, node->number, node->is_socket};
    return 0;
}

int plx__os_remove_file(const char *path)
{
    sim_enter();
    struct sim_node *node = sim_node_at(path);
    if (node == NULL) {
        return -ENOENT;
    }
    node->removed = true;
    return 0;
}

int plx__os_restrict_mode(plx__fd descriptor, int mode)
{
    int error;
    sim_enter();
    struct sim_open *open = sim_socket_of(descriptor, &error);
    if (open != NULL) {
        open->options[PLX_OPTION_MODE] = mode;
    }
    return open == NULL ? error : 0;
}

int plx__os_set_file_mode(const char *path, const struct plx__os_file *file, int mode)
{
    sim_enter();
    struct sim_node *node = sim_node_at(path);
    if (node == NULL || node->number != file->inode) {
        return -ENOENT;
    }
    node->mode = mode;
    return 0;
}

/* ---- locks ----------------------------------------------------------------------------------- */

plx__fd plx__os_lock(const char *path)
{
    sim_enter();
    struct sim_node *node = sim_node_at(path);
    if (node != NULL && (node->is_socket || node->lock != NULL)) {
        return node->is_socket ? -ENXIO : -EAGAIN;
    }
    if (sim_happens(SIM_MFILE)) {
        return -EMFILE;
    }
    node = node == NULL ? sim_node_new(path, false) : node;
    struct sim_open *open = open_node(node);
    int descriptor = sim_give(open);
    if (descriptor >= 0) {
        node->lock = open;
    }
    return descriptor;
}

void sim_file_close(struct sim_open *open)
{
    if (open->node->lock == open) {
        open->node->lock = NULL;
    }
}

bool plx__os_has_no_lock(int error)
{
    return error == -EACCES || error == -EPERM || error == -EROFS || error == -ENOLCK ||
           error == -EOPNOTSUPP || error == -EISDIR || error == -ELOOP || error == -ENXIO;
}

void plx__os_unlock(const char *path, plx__fd lock)
{
    struct sim_node *node = sim_node_at(path);
    if (node != NULL && !node->is_socket && node->size == 0) {
        node->removed = true;
    }
    plx__os_close(lock);
}

/* ---- folders and the environment ------------------------------------------------------------- */

int plx__os_working_folder(char *ret_path, size_t size)
{
    return snprintf(ret_path, size, "/sim") < (int)size ? 0 : -ERANGE;
}

int plx__os_private_folder(char *ret_path, size_t size)
{
    return snprintf(ret_path, size, "/run/sim") < (int)size ? 0 : -ERANGE;
}

static struct {
    const char *name;
    char value[256];
} variables[8] = {{"POLLUX_POLLER", "poll"}};

void sim_set_variable(const char *name, const char *value)
{
    size_t i = 0;
    while (variables[i].name != NULL && strcmp(variables[i].name, name) != 0) {
        i++;
    }
    variables[i].name = name;
    snprintf(variables[i].value, sizeof variables[i].value, "%s", value);
}

/* epoll and io_uring know nothing of this kernel: its groups poll with poll(2). */
const char *plx__os_variable(const char *name)
{
    for (size_t i = 0; variables[i].name != NULL; i++) {
        if (strcmp(variables[i].name, name) == 0) {
            return variables[i].value[0] == '\0' ? NULL : variables[i].value;
        }
    }
    return NULL;
}
