/* tests/fuzz/fuzz-where.c -- "host:port" strings: what is split can be put together again, and what
 * is refused has a sentence and changes nothing. */
#include "lib/endpoint/where.h"
#include "tests/fuzz/fuzz.h"

#include <pollux.h>

/* Longer than "connect to", twice a string of 255 bytes and the longest advice. */
enum { LONGEST_SENTENCE = 1024 };

static void need_split(const char *where, const char *host, int port, enum plx__port wanted)
{
    char again[PLX__ADDRESS_HOST_SIZE + 16];
    bool bracket = where[0] == '[';
    NEED(port <= 65535 && port >= (wanted == PLX__PORT_OF_A_PEER ? 1 : 0));
    NEED(wanted == PLX__PORT_OF_OURS || host[0] != '\0');
    NEED(bracket == (strchr(host, ':') != NULL));
    snprintf(again, sizeof again, bracket ? "[%s]:%d" : "%s:%d", host, port);
    NEED(strcmp(again, where) == 0);
}

static void need_refusal(const plx_socket *socket, int code, const char *host, int port)
{
    const plx_error *error = plx_socket_error(socket);
    NEED(code == PLX_INVALID_STATE || code == PLX_INVALID_PORT || code == PLX_NAME_RESOLUTION);
    NEED(error->code == code && error->reason != PLX_REASON_NONE && error->os_error == 0);
    NEED(strncmp(error->message, "connect to \"", 12) == 0);
    NEED(strlen(error->message) < LONGEST_SENTENCE);
    NEED(host[0] == 'x' && host[1] == '\0' && port == -2);
}

static void split(const char *where, enum plx__port wanted)
{
    char host[PLX__ADDRESS_HOST_SIZE] = "x";
    int port = -2;
    plx_socket *socket = plx_tcp_new();
    int code = plx__where_split(socket, "connect to", wanted, where, host, &port);
    if (code == 0) {
        need_split(where, host, port, wanted);
    } else {
        need_refusal(socket, code, host, port);
    }
    plx_socket_free(socket);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tape tape = {data, size};
    char *where = tape_text(&tape);
    split(where, PLX__PORT_OF_A_PEER);
    split(where, PLX__PORT_OF_OURS);
    free(where);
    return 0;
}
