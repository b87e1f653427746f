/* tests/tls/talker.c -- how raw peers speak TLS. See talker.h. */
#include "config.h"

#include "tests/tls/talker.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <check.h>
#include <stdlib.h>

#include "tests/codec.h"
#include "tests/plain.h"

enum { PIECE = 16384, MOST_BEFORE = 256 * 1024 };

enum talker_state { SPEAKS, ENDS, HAS_ENDED, IS_GONE };

struct talker {
    struct raw below; /* the same descriptor, of the row that speaks below TLS */
    SSL *ssl;
    struct bytes out; /* said, and not yet in the kernel */
    enum talker_state state;
    ptrdiff_t over; /* how the input has ended; RAW_NOTHING: it has not */
};

/* ---- below TLS ------------------------------------------------------------------------------- */

/* OpenSSL's own BIO would raise SIGPIPE; no row does. */

static int read_below(BIO *bio, char *data, int size)
{
    struct talker *talker = BIO_get_data(bio);
    ptrdiff_t got = talker->below.kind->hear(&talker->below, data, (size_t)size);

    BIO_clear_retry_flags(bio);
    if (got > 0)
        return (int)got;
    if (got == RAW_NOTHING)
        BIO_set_retry_read(bio);
    else
        talker->over = got;
    return got == RAW_END ? 0 : -1;
}

static int write_below(BIO *bio, const char *data, int size)
{
    struct talker *talker = BIO_get_data(bio);
    ptrdiff_t sent = talker->below.kind->say(&talker->below, data, (size_t)size);

    BIO_clear_retry_flags(bio);
    if (sent > 0)
        return (int)sent;
    if (sent == 0)
        BIO_set_retry_write(bio);
    return -1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    const struct talker *talker = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && talker->over != RAW_NOTHING);
}

static BIO *new_below(struct talker *talker)
{
    static BIO_METHOD *method;
    BIO *bio;

    if (method == NULL) {
        method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "raw peer");
        BIO_meth_set_read(method, read_below);
        BIO_meth_set_write(method, write_below);
        BIO_meth_set_ctrl(method, control);
    }
    bio = BIO_new(method);
    ck_assert_ptr_nonnull(bio);
    BIO_set_data(bio, talker);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- the connection -------------------------------------------------------------------------- */

/* A peer that was made elsewhere begins when it speaks. */
static struct talker *talker_of(struct raw *raw)
{
    if (raw->state == NULL)
        raw->kind->begin(raw, false);
    return raw->state;
}

static struct raw begin_below(const struct raw *raw, bool accepted, const struct kind *kind)
{
    struct raw below = {.kind = kind, .descriptor = raw->descriptor, .listener = -1};

    if (kind->begin != NULL)
        kind->begin(&below, accepted);
    return below;
}

void talker_begin(struct raw *raw, bool accepted, const struct kind *below_kind,
                  struct ssl_ctx_st *context)
{
    struct talker *talker = calloc(1, sizeof *talker);
    BIO *below;

    ck_assert_ptr_nonnull(talker);
    talker->below = begin_below(raw, accepted, below_kind);
    talker->over = RAW_NOTHING;
    below = new_below(talker);
    talker->ssl = SSL_new(context);
    ck_assert_ptr_nonnull(talker->ssl);
    SSL_set_mode(talker->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_bio(talker->ssl, below, below);
    if (accepted)
        SSL_set_accept_state(talker->ssl);
    else
        SSL_set_connect_state(talker->ssl);
    raw->state = talker;
    /* One that was accepted may be given away: then it has received nothing. */
    if (!accepted)
        talker_turn(raw);
}

/* What is left to receive ends with what has ended the connection. */
static ptrdiff_t end_below(struct talker *talker)
{
    struct raw *below = &talker->below;
    unsigned char piece[PIECE];
    ptrdiff_t got = talker->over;

    while (got == RAW_NOTHING || got > 0) {
        got = below->kind->hear(below, piece, sizeof piece);
        if (got == RAW_NOTHING)
            return got;
    }
    return got;
}

/* Whether a call that has returned `result` can go on later. The peers of the cases speak TLS
 * without a fault: only the end of the connection may stop a raw one. */
static bool can_wait(struct talker *talker, int result)
{
    int error = SSL_get_error(talker->ssl, result);
    unsigned long cause = ERR_peek_error();

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return true;
    ck_assert_msg(error != SSL_ERROR_SSL ||
                      ERR_GET_REASON(cause) == SSL_R_UNEXPECTED_EOF_WHILE_READING,
                  "TLS of the raw peer: %s", ERR_reason_error_string(cause));
    talker->state = IS_GONE;
    return false;
}

static bool shakes_hands(struct talker *talker)
{
    int result;

    if (SSL_is_init_finished(talker->ssl))
        return true;
    if (talker->state == IS_GONE)
        return false;
    ERR_clear_error();
    result = SSL_do_handshake(talker->ssl);
    return result == 1 || (can_wait(talker, result) && false);
}

static void flush(struct talker *talker)
{
    while (talker->out.size > 0 && talker->state != IS_GONE) {
        size_t most = talker->out.size < PIECE ? talker->out.size : PIECE;
        int sent;

        ERR_clear_error();
        sent = SSL_write(talker->ssl, talker->out.data, (int)most);
        if (sent > 0)
            bytes_drop(&talker->out, (size_t)sent);
        else if (can_wait(talker, sent))
            return;
    }
    if (talker->state == ENDS) {
        ERR_clear_error();
        SSL_shutdown(talker->ssl);
        talker->below.kind->end(&talker->below);
        talker->state = HAS_ENDED;
    }
}

static void go_on(struct raw *raw)
{
    struct talker *talker = talker_of(raw);

    if (talker->below.kind->turn != NULL)
        talker->below.kind->turn(&talker->below);
    if (shakes_hands(talker))
        flush(talker);
}

void talker_turn(struct raw *raw)
{
    go_on(raw);
}

/* ---- both ways ------------------------------------------------------------------------------- */

ptrdiff_t talker_say(struct raw *raw, const void *data, size_t size)
{
    struct talker *talker = talker_of(raw);

    go_on(raw);
    if (talker->state != SPEAKS)
        return -1;
    if (talker->out.size > (SSL_is_init_finished(talker->ssl) ? 0 : MOST_BEFORE))
        return 0;
    size = size < PIECE ? size : PIECE;
    bytes_add(&talker->out, data, size);
    go_on(raw);
    return talker->state == SPEAKS ? (ptrdiff_t)size : -1;
}

ptrdiff_t talker_hear(struct raw *raw, void *data, size_t size)
{
    struct talker *talker = talker_of(raw);
    int got;

    go_on(raw);
    if (!SSL_is_init_finished(talker->ssl))
        return talker->state == IS_GONE ? end_below(talker) : RAW_NOTHING;
    ERR_clear_error();
    got = SSL_read(talker->ssl, data, (int)size);
    if (got > 0)
        return got;
    if (SSL_get_error(talker->ssl, got) == SSL_ERROR_ZERO_RETURN)
        return end_below(talker);
    return can_wait(talker, got) ? RAW_NOTHING : end_below(talker);
}

/* ---- ending ---------------------------------------------------------------------------------- */

void talker_end(struct raw *raw)
{
    struct talker *talker = talker_of(raw);

    if (talker->state == SPEAKS)
        talker->state = ENDS;
    go_on(raw);
}

/* An orderly close says goodbye, if the kernel accepts the goodbye. */
void talker_close(struct raw *raw)
{
    if (raw->state != NULL)
        talker_end(raw);
    plain_close(raw);
}

void talker_forget(struct raw *raw)
{
    struct talker *talker = raw->state;

    if (talker == NULL)
        return;
    SSL_free(talker->ssl);
    if (talker->below.kind->forget != NULL)
        talker->below.kind->forget(&talker->below);
    bytes_free(&talker->out);
    free(talker);
}
