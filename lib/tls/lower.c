/* lib/tls/lower.c -- OpenSSL's way to the layer below. */
#include "lib/tls/lower.h"

#include <errno.h>
#include <limits.h>

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

static int send_below(BIO *bio, const char *data, int size)
{
    struct plx__tls_lower *lower = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    ptrdiff_t count = plx_filter_lower_send(lower->filter, data, (size_t)size);
    if (count == -EAGAIN) {
        return postpone(bio, true);
    }
    return count < 0 ? stop(lower, count) : (int)count;
}

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
    if (method != NULL &&
        (BIO_meth_set_read(method, receive_below) != 1 ||
         BIO_meth_set_write(method, send_below) != 1 || BIO_meth_set_ctrl(method, control) != 1)) {
        BIO_meth_free(method);
        method = NULL;
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
