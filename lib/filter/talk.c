/* lib/filter/talk.c -- what is said to a proxy before the tunnel is there, and what it answers. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/filter/talk.h"
#include "lib/os/errno.h"
#include "lib/socket/step.h"

#include <stdio.h>

int plx__talk_fail(struct plx__talk *talk, struct plx__proxy_failure failure)
{
    int code = plx_filter_fail(talk->filter, failure.code, failure.reason, "proxy %s: %s",
                               talk->way->shown, failure.text);
    plx__step_note_errno(talk->filter, failure.os_error);
    return code;
}

int plx__talk_fail_by(struct plx__talk *talk, enum plx__proxy_trouble trouble)
{
    return plx__talk_fail(talk, plx__proxy_failure(trouble));
}

void plx__talk_enter(struct plx__talk *talk, unsigned step)
{
    talk->step = (uint8_t)step;
    talk->size = talk->sent = talk->taken = 0;
}

/* The connection is lost. As for every connection only lack of memory keeps its own code. */
static int fail_lost(struct plx__talk *talk, int error)
{
    struct plx__proxy_failure failure = plx__proxy_failure(PLX__PROXY_CLOSED);
    bool ours = plx__error_code(error) == PLX_OUT_OF_MEMORY;
    failure.code = ours ? PLX_OUT_OF_MEMORY : PLX_LOST_CONNECTION;
    failure.reason = plx__route_reason(plx_filter_socket(talk->filter), plx__error_reason(error));
    failure.os_error = error;
    snprintf(failure.text, sizeof failure.text, "connection lost: %s", plx__error_os_text(error));
    return plx__talk_fail(talk, failure);
}

/* The kernel reports whether it was the proxy that has ended the connection. */
static int end_talk(struct plx__talk *talk, int error)
{
    struct plx__proxy_failure failure = plx__proxy_failure(PLX__PROXY_CLOSED);
    if (error != 0 && plx__error_reason(error) != PLX_REASON_REMOTE_HOST_CLOSED) {
        return fail_lost(talk, error);
    }
    failure.os_error = error;
    return talk->is_expendable ? PLX__ERESTART : plx__talk_fail(talk, failure);
}

static int send_rest(struct plx__talk *talk)
{
    while (talk->sent < talk->size) {
        ptrdiff_t count =
            plx_filter_lower_send(talk->filter, talk->out + talk->sent, talk->size - talk->sent);
        if (count == -PLX__EAGAIN) {
            return PLX__EAGAIN;
        }
        if (count < 0) {
            return end_talk(talk, (int)-count);
        }
        talk->sent += (size_t)count;
    }
    return 0;
}

int plx__talk_say(struct plx__talk *talk, enum plx__proxy_trouble trouble, unsigned next)
{
    if (talk->size == 0) {
        return plx__talk_fail_by(talk, trouble);
    }
    int code = send_rest(talk);
    if (code == 0) {
        plx__talk_enter(talk, next);
    }
    return code;
}

/* The next poll goes on. */
static int pause_talk(struct plx__talk *talk)
{
    plx_filter_set_want(talk->filter, PLX_WANT_READ, 0);
    return PLX__EAGAIN;
}

int plx__talk_receive(struct plx__talk *talk, size_t more)
{
    size_t end = talk->taken + more;
    while (talk->taken < end) {
        if (talk->allowance == 0) {
            return pause_talk(talk);
        }
        ptrdiff_t count =
            plx_filter_lower_receive(talk->filter, talk->in + talk->taken, end - talk->taken);
        if (count == -PLX__EAGAIN) {
            return PLX__EAGAIN;
        }
        if (count <= 0) {
            return end_talk(talk, (int)-count);
        }
        talk->taken += (size_t)count;
        talk->allowance -= (size_t)count < talk->allowance ? (size_t)count : talk->allowance;
    }
    return 0;
}

const struct plx__proxy_text *plx__talk_credentials(struct plx__talk *talk)
{
    const struct plx__way *way = talk->way;
    talk->sent_with = way->credentials;
    talk->said = way->proxy;
    return way->proxy.has_credentials ? &way->proxy : NULL;
}

/* Whether there are credentials that the proxy has not refused. */
static bool has_others(const struct plx__talk *talk)
{
    return talk->way->proxy.has_credentials && talk->way->credentials != talk->sent_with;
}

int plx__talk_ask(struct plx__talk *talk, struct plx__proxy_failure failure)
{
    bool others = has_others(talk);
    if (others || talk->question == PLX__TALK_OVER) {
        talk->question = PLX__TALK_UNASKED;
        return others ? 0 : plx__talk_fail(talk, failure);
    }
    if (talk->question == PLX__TALK_UNASKED) {
        talk->question = PLX__TALK_ASKED;
        plx_filter_ask(talk->filter);
    }
    plx_filter_set_want(talk->filter, PLX_WANT_NOTHING, -1);
    return PLX__EAGAIN;
}

bool plx__talk_put_question(struct plx__talk *talk)
{
    bool puts = talk->question == PLX__TALK_ASKED && !has_others(talk);
    talk->question = puts ? PLX__TALK_PUT : talk->question;
    return puts;
}

void plx__talk_end_question(struct plx__talk *talk)
{
    if (talk->question == PLX__TALK_PUT) {
        talk->question = PLX__TALK_OVER;
    }
}
