/* lib/filter/talk.h -- what is said to a proxy before the tunnel is there, and what it answers.
 *
 * A talk belongs to one connection. It receives no byte behind the proxy's last answer: the next
 * one belongs to the tunnel. */
#ifndef PLX_LIB_TALK_H
#define PLX_LIB_TALK_H

#include "lib/filter/way.h"
#include "lib/wire/http-connect.h"
#include "lib/wire/proxy-failure.h"
#include "lib/wire/socks5.h"

#include <pollux/filter.h>

#include <stddef.h>
#include <stdint.h>

/* One step receives this many bytes at most: a proxy may answer with 16 KiB of headers, which are
 * received one by one. */
#define PLX__TALK_ALLOWANCE 1024

/* The question for credentials. It is put while its handler runs, which may wait for the socket; it
 * is over when the handler has returned. Other credentials end it at any time: what the program has
 * set meanwhile is its answer. */
enum plx__talk_question { PLX__TALK_UNASKED, PLX__TALK_ASKED, PLX__TALK_PUT, PLX__TALK_OVER };

struct plx__talk {
    plx_filter *filter;
    struct plx__way *way;
    uint8_t step;       /* of the protocol */
    uint8_t question;   /* enum plx__talk_question */
    bool is_expendable; /* the proxy may end the connection now, and another one will do */
    unsigned sent_with; /* the credentials that the last message has, or that it has none */
    struct plx__proxy_text said; /* with these: the program may have set others since */
    size_t size, sent;           /* of `out`; size 0: the message of the step is not written yet */
    size_t taken;                /* in `in` */
    size_t allowance;
    uint8_t out[PLX__HTTP_REQUEST_SIZE];
    uint8_t in[PLX__SOCKS5_REPLY_SIZE];
    struct plx__http_answer answer;
};

/* plx__talk_receive receives `more` bytes behind those of `in`. Returns 0 when all are there,
 * EAGAIN, ERESTART when the proxy has ended a connection that is expendable, or a code after
 * plx_filter_fail. */
int plx__talk_receive(struct plx__talk *talk, size_t more);

/* plx__talk_enter enters a step of the protocol, which has sent and received nothing. */
void plx__talk_enter(struct plx__talk *talk, unsigned step);

/* plx__talk_say sends the rest of `out`, and then enters the next step. Returns as
 * plx__talk_receive does; with a size of 0, which means that the message cannot be sent, it fails
 * with `trouble`. */
int plx__talk_say(struct plx__talk *talk, enum plx__proxy_trouble trouble, unsigned next);

/* plx__talk_fail records a failure and returns its code, plx__talk_fail_by that of a trouble. */
int plx__talk_fail(struct plx__talk *talk, struct plx__proxy_failure failure);
int plx__talk_fail_by(struct plx__talk *talk, enum plx__proxy_trouble trouble);

/* plx__talk_credentials returns the credentials for a message, NULL if there are none, and notes
 * that the proxy gets these. */
const struct plx__proxy_text *plx__talk_credentials(struct plx__talk *talk);

/* plx__talk_ask asks the program for credentials in the place of those that the proxy has refused.
 * Returns 0 when there are others, EAGAIN while the program has not answered, and a code after
 * plx_filter_fail with `failure` when there are none. plx__talk_put_question enters the time in which the
 * handler runs; it returns false when there are others already. plx__talk_end_question is for its
 * end, and does nothing when the question was answered already. */
int plx__talk_ask(struct plx__talk *talk, struct plx__proxy_failure failure);
bool plx__talk_put_question(struct plx__talk *talk);
void plx__talk_end_question(struct plx__talk *talk);

/* The protocols. Return 0 when the tunnel is there, EAGAIN, ERESTART for another connection, or
 * another code after plx_filter_fail. */
int plx__socks5_establish(struct plx__talk *talk);
int plx__http_establish(struct plx__talk *talk);

#endif
