/* lib/tls/lower.c -- OpenSSL's way to the layer below. */
#include "lib/tls/lower.h"

#include <pollux/memory.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Room behind a record for what TLS has to answer: 27 bytes to each key update, of which lib/tls/
 * notice.c allows 32 without data. While there is none, nothing is received. */
#define ROOM_FOR_MESSAGES 1024

/* -1 with "retry": OpenSSL's step stops, and goes on from here when it is called again. */
static int postpone(BIO *bio, bool to_send)
{
    if (to_send) {
        BIO_set_retry_write(bio);
    } else {
        BIO_set_retry_read(bio);
    }
    return -1;
}

static int stop(struct plx__tls_lower *lower, ptrdiff_t count)
{
    lower->error = count;
    return -1;
}

static int receive_below(BIO *bio, char *data, int size)
{
    struct plx__tls_lower *lower = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || lower->refuses) {
        return -1;
    }
    if (lower->allowance == 0) {
        return postpone(bio, false);
    }
    size_t most = (size_t)size < lower->allowance ? (size_t)size : lower->allowance;
    ptrdiff_t count = plx_filter_lower_receive(lower->filter, data, most);
    if (count == -EAGAIN) {
        return postpone(bio, false);
    }
    if (count < 0) {
        return stop(lower, count);
    }
    lower->ended = count == 0;
    lower->allowance -= (size_t)count;
    return (int)count;
}

/* ---- the rest of a record -------------------------------------------------------------------- */

void plx__tls_lower_clear(struct plx__tls_lower *lower)
{
    plx_memory_resize(lower->rest.data, 0);
    lower->rest = (struct plx__tls_rest){NULL, 0, 0, 0};
}

ptrdiff_t plx__tls_lower_flush(struct plx__tls_lower *lower)
{
    struct plx__tls_rest *rest = &lower->rest;
    while (rest->sent < rest->size) {
        ptrdiff_t count =
            plx_filter_lower_send(lower->filter, rest->data + rest->sent, rest->size - rest->sent);
        if (count < 0) {
            lower->error = count == -EAGAIN ? lower->error : count;
            return count;
        }
        rest->sent += (size_t)count;
    }
    plx__tls_lower_clear(lower);
    return 0;
}

static bool make_room(struct plx__tls_rest *rest, size_t size)
{
    unsigned char *data = plx_memory_resize(rest->data, size);
    if (data != NULL) {
        rest->data = data;
        rest->room = size;
    }
    return data != NULL;
}

/* OpenSSL 3.0 ends the connection by "bad length" if it has to answer a key update while a record
 * is half sent: so no record is, as far as it knows. Returns whether the bytes were taken. */
static bool keep(struct plx__tls_lower *lower, const char *data, size_t size)
{
    struct plx__tls_rest *rest = &lower->rest;
    bool fits = size <= rest->room - rest->size;
    if (!fits && lower->keeps) {
        fits = make_room(rest, rest->size + size + ROOM_FOR_MESSAGES);
    }
    if (fits) {
        memcpy(rest->data + rest->size, data, size);
        rest->size += size;
    }
    return fits;
}

static int send_below(BIO *bio, const char *data, int size)
{
    struct plx__tls_lower *lower = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ptrdiff_t count = plx__tls_lower_flush(lower);
    if (count == 0) {
        count = plx_filter_lower_send(lower->filter, data, (size_t)size);
    }
    if (count == -EAGAIN) {
        return keep(lower, data, (size_t)size) ? size : postpone(bio, true);
    }
    return count < 0 ? stop(lower, count) : (int)count;
}

/* ---- the BIO --------------------------------------------------------------------------------- */

static long control(BIO *bio, int command, long number, void *pointer)
{
    const struct plx__tls_lower *lower = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return lower->ended;
    default: return 0;
    }
}

BIO_METHOD *plx__tls_lower_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "Pollux");
    if (method != NULL) { /* none of these calls can fail */
        BIO_meth_set_read(method, receive_below);
        BIO_meth_set_write(method, send_below);
        BIO_meth_set_ctrl(method, control);
    }
    return method;
}

BIO *plx__tls_lower_bio(const BIO_METHOD *method, struct plx__tls_lower *lower)
{
    BIO *bio = BIO_new(method);
    if (bio != NULL) {
        BIO_set_data(bio, lower);
        BIO_set_init(bio, 1);
    }
    return bio;
}
