/* tests/model/goodbye.c -- what the end of a connection that the peer has ended says. */
#include "config.h"

#include "tests/model/goodbye.h"

#include "tests/model/ground.h"
#include "tests/model/player.h"
#include "tests/model/tls.h"

#include <errno.h>

/* What a peer sent before a reset may have waited in its own kernel: a little has not, unless the
 * buffers are smaller than usual. */
static bool may_be_lost(const struct model *model, const plx_error *error)
{
    enum { LITTLE = 1500, USUAL = 20000 };

    return model->sort == SORT_TCP && error->os_error != 0 &&
           (ground_cuts() || model->end->from->put > LITTLE ||
            model_option(model, PLX_OPTION_RECEIVE_BUFFER_SIZE) < USUAL);
}

/* All bytes that a peer sent before its orderly end were received, if the socket did not end
 * too. */
static void expect_all(const struct model *model, const plx_error *error)
{
    const struct end *end = model->end, *from = end->from;
    uint64_t received = end->got + plx_socket_bytes_available(model->socket);

    if (from == NULL || from->outlet != OUTLET_ENDED || from->noise || end->blind ||
        !model_is_stream(model) || model->closing || may_be_lost(model, error))
        return;
    if (received != from->put)
        fault("end %u: the end was reported after %llu bytes of %llu", end->number,
              (unsigned long long)received, (unsigned long long)from->put);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static bool is_known(const struct model *model)
{
    const struct end *end = model->end, *from = end->from;

    return model_is_encrypted(model) && model->phase == PHASE_UP && !model->closing &&
           from != NULL && !from->noise && !from->drops && !end->blind && !tls_allows_truncation();
}

/* An end that comes before all bytes is none that the peer has said in TLS (EPROTO), or a reset. An
 * orderly end says that nobody has cut the stream, also where the other end was closed at once. */
static void expect_cut(const struct model *model, const plx_error *error)
{
    const struct end *end = model->end, *from = end->from;
    uint64_t received = end->got + plx_socket_bytes_available(model->socket);
    bool says_cut = error->os_error == EPROTO || error->os_error == ECONNRESET ||
                    error->os_error == EPIPE || error->os_error == ECONNABORTED;

    if (received != from->put && !says_cut)
        fault("end %u: an end with os_error %d after %llu bytes of %llu", end->number,
              error->os_error, (unsigned long long)received, (unsigned long long)from->put);
}

/* TLS 1.2 has no half-open connections: where the program has asked for one, the goodbye of the
 * peer is not an orderly end. */
static void expect_no_half(const struct model *model, const plx_error *error)
{
    if (model->flavour == FLAVOUR_TLS12 && model->was_half_open && error->os_error == 0)
        fault("end %u: an orderly end of TLS 1.2, which was to stay half open", model->end->number);
    if (model->flavour == FLAVOUR_TLS13 && model->has_input_end && error->os_error == EPROTO)
        fault("end %u: a cut behind the goodbye", model->end->number);
}

void goodbye_look(const struct model *model, const plx_error *error)
{
    expect_all(model, error);
    if (!is_known(model))
        return;
    expect_cut(model, error);
    if (model->owner == NULL && !model->was_taken && !model->reconnects)
        expect_no_half(model, error);
}
