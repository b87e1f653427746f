/* lib/transfer/handles.c -- descriptors that ride on the bytes of a stream (SCM_RIGHTS,
 * unix(7)). */
#include "config.h"

#include "lib/os/errno.h"
#include "lib/os/os.h"
#include "lib/transfer/handles.h"

#include <string.h>

/* As many descriptors as one recvmsg(2) can bring. */
#define MOST_ARRIVED PLX__OS_HANDLES

struct rider {
    uint64_t at; /* the byte it rides on */
    plx__fd descriptor;
};

/* ---- sending --------------------------------------------------------------------------------- */

int plx__handles_queue(struct plx__handles *handles, size_t ahead, plx__fd descriptor)
{
    struct rider rider;
    memset(&rider, 0, sizeof rider);
    rider.at = handles->sent + ahead;
    rider.descriptor = plx__os_copy(descriptor);
    if (rider.descriptor < 0) {
        return rider.descriptor;
    }
    if (!plx__buffer_append(&handles->waiting, &rider, sizeof rider, NULL)) {
        plx__os_close(rider.descriptor);
        return -PLX__ENOMEM;
    }
    return 0;
}

static bool get_rider(const struct plx__handles *handles, size_t number, struct rider *ret_rider)
{
    size_t offset = number * sizeof *ret_rider;
    if (offset >= handles->waiting.size) {
        return false;
    }
    memcpy(ret_rider, plx__buffer_data(&handles->waiting) + offset, sizeof *ret_rider);
    return true;
}

/* Puts the descriptors of the next byte into `list`, up to PLX__OS_HANDLES_SENT. Any beyond that
 * leave with the byte after it. */
static size_t collect_due(const struct plx__handles *handles, plx__fd *list)
{
    struct rider rider;
    size_t count = 0;
    while (count < PLX__OS_HANDLES_SENT && get_rider(handles, count, &rider) &&
           rider.at <= handles->sent) {
        list[count++] = rider.descriptor;
    }
    return count;
}

/* How many bytes precede the next byte that has descriptors; `due` descriptors belong to the
 * first. */
static size_t bytes_to_next(const struct plx__handles *handles, size_t due, size_t size)
{
    struct rider rider;
    if (!get_rider(handles, due, &rider)) {
        return size;
    }
    uint64_t distance = rider.at > handles->sent ? rider.at - handles->sent : 1;
    return distance < size ? (size_t)distance : size;
}

static void close_riders(struct plx__handles *handles, size_t count)
{
    struct rider rider;
    for (size_t i = 0; i < count && get_rider(handles, 0, &rider); i++) {
        plx__os_close(rider.descriptor);
        plx__buffer_skip(&handles->waiting, sizeof rider);
    }
    plx__buffer_release(&handles->waiting, NULL);
}

/* Sends the bytes before the next one that has descriptors. Sets *ret_wanted to the number of these
 * bytes. */
static ptrdiff_t send_piece(struct plx__handles *handles, plx__fd socket, const uint8_t *data,
                            size_t size, size_t *ret_wanted)
{
    plx__fd list[PLX__OS_HANDLES_SENT];
    size_t due = collect_due(handles, list);
    *ret_wanted = bytes_to_next(handles, due, size);
    ptrdiff_t count = due == 0 ? plx__os_send(socket, data, *ret_wanted)
                               : plx__os_send_handles(socket, data, *ret_wanted, list, due);
    if (count > 0) {
        handles->sent += (uint64_t)count;
        close_riders(handles, due);
    }
    return count;
}

ptrdiff_t plx__handles_send(struct plx__handles *handles, plx__fd socket, const void *data,
                            size_t size)
{
    size_t total = 0, wanted = 0;
    ptrdiff_t count;
    do {
        count = send_piece(handles, socket, (const uint8_t *)data + total, size - total, &wanted);
        total += count > 0 ? (size_t)count : 0;
    } while (count == (ptrdiff_t)wanted && total < size);
    return total > 0 ? (ptrdiff_t)total : count;
}

void plx__handles_drop_waiting(struct plx__handles *handles)
{
    close_riders(handles, SIZE_MAX);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static size_t count_arrived(const struct plx__handles *handles)
{
    return handles->arrived.size / sizeof(plx__fd);
}

static void close_all(const plx__fd *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        plx__os_close(list[i]);
    }
}

/* A peer that sends more descriptors than the program takes loses the connection: to lose
 * descriptors silently would be worse. So does a peer whose descriptors the kernel could not
 * install (MSG_CTRUNC). */
static void keep_handles(struct plx__handles *handles, const struct plx__os_handles *came)
{
    bool room = count_arrived(handles) + came->count <= MOST_ARRIVED;
    if (room &&
        plx__buffer_append(&handles->arrived, came->list, came->count * sizeof(plx__fd), NULL)) {
        handles->failure = came->lost ? -PLX__EMFILE : 0;
    } else {
        close_all(came->list, came->count);
        handles->failure = room ? -PLX__ENOMEM : -PLX__ETOOMANYREFS;
    }
}

ptrdiff_t plx__handles_receive(struct plx__handles *handles, plx__fd socket, void *data,
                               size_t size, bool *ret_came)
{
    struct plx__os_handles came;
    if (handles->failure != 0) {
        return handles->failure;
    }
    ptrdiff_t count = plx__os_receive_handles(socket, data, size, &came);
    *ret_came = count >= 0 && (came.count > 0 || came.lost);
    if (*ret_came) {
        keep_handles(handles, &came);
    }
    return count;
}

plx__fd plx__handles_take(struct plx__handles *handles)
{
    plx__fd descriptor = PLX__NO_FD;
    if (count_arrived(handles) > 0) {
        memcpy(&descriptor, plx__buffer_data(&handles->arrived), sizeof descriptor);
        plx__buffer_skip(&handles->arrived, sizeof descriptor);
        plx__buffer_release(&handles->arrived, NULL);
    }
    return descriptor;
}

void plx__handles_drop_arrived(struct plx__handles *handles)
{
    plx__fd descriptor;
    while ((descriptor = plx__handles_take(handles)) >= 0) {
        plx__os_close(descriptor);
    }
    handles->failure = 0;
}
