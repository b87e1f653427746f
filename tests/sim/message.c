/* tests/sim/message.c -- bytes in a row, and queues of messages. */
#include "config.h"

#include "tests/sim/kernel.h"

#include <stdlib.h>
#include <string.h>

void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size)
{
    if (size == 0) {
        return;
    }
    if (bytes->at + bytes->size + size > bytes->capacity) {
        if (bytes->size > 0) {
            memmove(bytes->data, bytes->data + bytes->at, bytes->size);
        }
        bytes->at = 0;
        if (bytes->size + size > bytes->capacity) {
            bytes->capacity = 2 * (bytes->size + size);
            bytes->data = realloc(bytes->data, bytes->capacity);
        }
    }
    memcpy(bytes->data + bytes->at + bytes->size, data, size);
    bytes->size += size;
}

size_t sim_bytes_take(struct sim_bytes *bytes, void *data, size_t size)
{
    size = size < bytes->size ? size : bytes->size;
    if (data != NULL && size > 0) {
        memcpy(data, bytes->data + bytes->at, size);
    }
    bytes->at += size;
    bytes->size -= size;
    return size;
}

void sim_bytes_free(struct sim_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct sim_bytes){0};
}

struct sim_message *sim_message_new(const void *data, size_t size)
{
    struct sim_message *message = calloc(1, sizeof *message + size + 1);
    message->size = size;
    if (size > 0) {
        memcpy(message->data, data, size);
    }
    return message;
}

/* The descriptors that nobody has received are closed. */
void sim_message_free(struct sim_message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        sim_drop(message->passed[i]);
    }
    free(message->passed);
    free(message);
}

void sim_queue_add(struct sim_open *open, struct sim_message *message)
{
    message->next = NULL;
    *open->last = message;
    open->last = &message->next;
    open->held += message->charge;
    if (message->sender != NULL) {
        message->sender->charged += message->charge;
    }
}

void sim_queue_remove(struct sim_open *open)
{
    struct sim_message *message = open->first;
    open->first = message->next;
    if (open->first == NULL) {
        open->last = &open->first;
    }
    open->held -= message->charge;
    if (message->sender != NULL) {
        message->sender->charged -= message->charge;
    }
    sim_message_free(message);
}

void sim_queue_clear(struct sim_open *open)
{
    while (open->first != NULL) {
        sim_queue_remove(open);
    }
}
