/* tests/sockets.h -- sockets of the kernel, made by hand, and the headers that this takes. */
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

/* unix_name fills in a Unix name from its string, in which '@' stands for the abstract name space;
 * returns its length. */
socklen_t unix_name(const char *where, struct sockaddr_un *ret_name);

/* A bound and a connected stream socket at a path; -1 where that is refused. */
int unix_raw_bind_at(const char *where);
int unix_raw_connect(const char *where);

#endif
