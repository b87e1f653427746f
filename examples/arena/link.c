/* arena/link.c -- see link.h. */
#include "link.h"
#include "picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FNV_START 14695981039346656037U
#define FNV_PRIME 1099511628211U

static void flow_count(struct flow *flow, int32_t command, const char *bytes, size_t size)
{
    flow->sum = (flow->sum ^ (uint32_t)command) * FNV_PRIME;
    for (size_t i = 0; i < size; i++) {
        flow->sum = (flow->sum ^ (unsigned char)bytes[i]) * FNV_PRIME;
    }
    flow->messages++;
    flow->bytes += size;
}

bool flow_equal(const struct flow *a, const struct flow *b)
{
    return a->messages == b->messages && a->bytes == b->bytes && a->sum == b->sum;
}

void flow_add(struct flow *total, const struct flow *more)
{
    total->messages += more->messages;
    total->bytes += more->bytes;
}

void link_start(struct link *link, plx_socket *socket)
{
    memset(link, 0, sizeof *link);
    link->socket = socket;
    link->out.sum = FNV_START;
    link->in.sum = FNV_START;
}

bool link_send(struct link *link, enum command command, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = (size_t)length + 1;
    if (length < 0 || size > sizeof text ||
        plx_socket_send_command(link->socket, (int32_t)command, text, size) != PLX_OK) {
        return false;
    }
    flow_count(&link->out, (int32_t)command, text, size);
    return true;
}

const char *link_receive(struct link *link, int32_t command, const void *data, size_t size)
{
    const char *text = data;
    link->in_before = link->in;
    flow_count(&link->in, command, text, size);
    return size > 0 && text[size - 1] == '\0' ? text : "";
}

bool link_send_goodbye(struct link *link, unsigned long long datagrams_out,
                       unsigned long long datagrams_in)
{
    return link_send(link, SAY_GOODBYE, "%llu %llu %llu %llu %llx %llu %llu %llx", datagrams_out,
                     datagrams_in, link->out.messages, link->out.bytes, link->out.sum,
                     link->in.messages, link->in.bytes, link->in.sum);
}

bool link_parse_goodbye(const char *text, struct goodbye *ret_goodbye)
{
    struct goodbye *all = ret_goodbye;
    return sscanf(text, "%llu %llu %llu %llu %llx %llu %llu %llx", &all->datagrams_out,
                  &all->datagrams_in, &all->out.messages, &all->out.bytes, &all->out.sum,
                  &all->in.messages, &all->in.bytes, &all->in.sum) == 8;
}
