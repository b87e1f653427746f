/* arena/link.c -- see link.h. */
#include "link.h"
#include "picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FNV_START 14695981039346656037U
#define FNV_PRIME 1099511628211U

static void flow_count(struct flow *flow, const char *bytes, size_t size)
{
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

bool link_send(struct link *link, const char *format, ...)
{
    char line[LINE_MAX_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof line - 1) {
        return false;
    }
    line[size++] = '\n';
    if (plx_socket_write(link->socket, line, (size_t)size) != size) {
        return false;
    }
    flow_count(&link->out, line, (size_t)size);
    return true;
}

/* plx_socket_read_line is enough for a chat. The checksum needs the bytes themselves, and
 * plx_socket_lookahead shows them without taking or copying them. */
bool link_receive(struct link *link, char *line, size_t size)
{
    size_t available = 0;
    const char *bytes = plx_socket_lookahead(link->socket, &available);
    const char *end = available > 0 ? memchr(bytes, '\n', available) : NULL;
    if (end == NULL || (size_t)(end - bytes) >= size) {
        return false;
    }
    size_t length = (size_t)(end - bytes);
    memcpy(line, bytes, length);
    line[length] = '\0';
    link->in_before = link->in;
    flow_count(&link->in, bytes, length + 1);
    plx_socket_skip(link->socket, length + 1);
    return true;
}

bool link_send_goodbye(struct link *link, unsigned long long datagrams_out,
                       unsigned long long datagrams_in)
{
    return link_send(link, "GOODBYE %llu %llu %llu %llu %llx %llu %llu %llx", datagrams_out,
                     datagrams_in, link->out.messages, link->out.bytes,
                     (unsigned long long)link->out.sum, link->in.messages, link->in.bytes,
                     (unsigned long long)link->in.sum);
}

bool link_parse_goodbye(const char *line, struct goodbye *ret_goodbye)
{
    struct goodbye goodbye;
    unsigned long long out_sum, in_sum;
    if (sscanf(line, "GOODBYE %llu %llu %llu %llu %llx %llu %llu %llx", &goodbye.datagrams_out,
               &goodbye.datagrams_in, &goodbye.out.messages, &goodbye.out.bytes, &out_sum,
               &goodbye.in.messages, &goodbye.in.bytes, &in_sum) != 8) {
        return false;
    }
    goodbye.out.sum = out_sum;
    goodbye.in.sum = in_sum;
    *ret_goodbye = goodbye;
    return true;
}
