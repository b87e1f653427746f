/* tests/sockets.h -- sockets made by socket(2), and the headers for them. */
#ifndef POLLUX_TESTS_SOCKETS_H
#define POLLUX_TESTS_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* unix_name makes a sockaddr_un from a string, in which a first '@' stands for an abstract name
 * (unix(7)). Returns the length of the sockaddr_un. */
socklen_t unix_name(const char *where, struct sockaddr_un *ret_name);

/* Return a stream socket that is bound or connected to a path; -1 if bind(2) or connect(2)
 * fails. */
int unix_raw_bind_at(const char *where);
int unix_raw_connect(const char *where);

#endif
