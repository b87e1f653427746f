/* lib/endpoint/where.c -- reads "host:port", or says what is wrong with the string. */
#include "config.h"

#include "lib/base/error.h"
#include "lib/endpoint/where.h"
#include "lib/os/address.h"
#include "lib/socket/failure.h"

#include <stdio.h>
#include <string.h>

/* A sentence repeats at most this much of a refused string: as much as a DNS name has. */
#define MOST "%.255s"

/* The room for the advice in a sentence. */
#define ADVICE_SIZE 160

static bool is_ipv6(const char *text, size_t length)
{
    plx_address address;
    return memchr(text, ':', length) != NULL && plx__address_parse_host(text, length, &address);
}

/* "::1:80" is a valid address, but the program probably means "[::1]:80". */
static bool put_in_brackets(const char *where, char *advice)
{
    const char *colon = strrchr(where, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - where);
    size_t whole = strlen(where);
    if (length > 0 && is_ipv6(where, length)) {
        snprintf(advice, ADVICE_SIZE, "an IPv6 address is written in brackets, as in [%.*s]%s",
                 (int)length, where, colon);
    } else if (is_ipv6(where, whole)) {
        snprintf(advice, ADVICE_SIZE, "an IPv6 address is written in brackets, as in [%s]:80",
                 where);
    } else {
        return false;
    }
    return true;
}

static const char *advise(const char *where, char *advice)
{
    bool bracket = where[0] == '[' || strchr(where, ']') != NULL;
    if (where[0] == '\0') {
        return "no address given, write host:port";
    }
    if (strstr(where, "://") != NULL) {
        return "write host:port, without a scheme";
    }
    if (where[0] == '@' || strchr(where, '/') != NULL) {
        return "a path is for local sockets, write host:port";
    }
    if (!bracket && put_in_brackets(where, advice)) {
        return advice;
    }
    if (bracket && strchr(where, '%') != NULL) {
        return "not a numeric IPv6 address with an interface of this computer behind the %";
    }
    if (bracket) {
        return "only a numeric IPv6 address goes in brackets, as in [::1]:80";
    }
    if (strlen(where) > PLX__ADDRESS_HOST_SIZE) {
        return "longer than any host name";
    }
    return "no host name, write host:port";
}

static int refuse_where(plx_socket *socket, const char *call, const char *where)
{
    char advice[ADVICE_SIZE];
    return plx__socket_refuse(socket, PLX_REASON_UNSUPPORTED_OPERATION, "%s \"" MOST "\": %s", call,
                              where, advise(where, advice));
}

static int refuse_port(plx_socket *socket, const char *call, enum plx__port wanted,
                       const char *where)
{
    const char *end = strrchr(where, ']');
    const char *colon = strrchr(end == NULL ? where : end, ':');
    bool missing = colon == NULL || colon[1] == '\0';
    return plx__socket_fail(socket, PLX_INVALID_PORT, PLX_REASON_PORT_OUT_OF_RANGE, -PLX__SENTENCE,
                            "%s \"" MOST "\": %s", call, where,
                            missing                         ? "no port given, write host:port"
                            : wanted == PLX__PORT_OF_A_PEER ? "the port is not 1 to 65535"
                                                            : "the port is not 0 to 65535");
}

int plx__where_split(plx_socket *socket, const char *call, enum plx__port wanted, const char *where,
                     char *ret_host, int *ret_port)
{
    char host[PLX__ADDRESS_HOST_SIZE];
    int port;
    int code = plx__address_split(where, host, sizeof host, &port);
    bool peer = wanted == PLX__PORT_OF_A_PEER;
    if (code == 0 && peer && host[0] == '\0') {
        return plx__socket_fail(socket, PLX_NAME_RESOLUTION, PLX_REASON_EMPTY_HOST_NAME,
                                -PLX__SENTENCE, "%s \"%s\": no host name given", call, where);
    }
    if (code == PLX_INVALID_PORT || (code == 0 && peer && port == 0)) {
        return refuse_port(socket, call, wanted, where);
    }
    if (code != 0) {
        return refuse_where(socket, call, where);
    }
    memcpy(ret_host, host, strlen(host) + 1);
    *ret_port = port;
    return 0;
}
