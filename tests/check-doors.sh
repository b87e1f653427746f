#!/bin/sh
# tests/check-doors.sh -- only the doors make system calls: the sources of lib/os/, lib/poll/, lib/resolve/.
#
# Elsewhere in the library, and in the headers of those folders too: no header but those of C11 and our own,
# no system call, no errno, and none of POSIX's types, constants and members, so that a port fills lib/os/
# and does not change what stands above it. Errnos that decide something have names in lib/os/errno.h;
# the table of all errnos, lib/base/error.c, is the one other place that includes <errno.h>. Only lib/os/
# includes lib/os/posix.h. The name of a slot (`kind->connect(...)`) is not a system call. No TLS header
# anywhere; c-ares only in lib/resolve/. The same holds for the conformance suite (tests/conform/ and what
# tests/world.h includes), so that its cases run wherever the library does: tests/kernel.c is its door.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

cases="$(find tests/conform -name '*.[ch]') $(printf 'tests/%s.h ' kernel kinds raw record suite world)"
if grep -n '"tests/sockets.h"' $cases; then
    echo 'a case of every kind makes a socket by hand'
    exit 1
fi
{
    sed -n 's/^ *ROW(\(E[A-Z0-9]*\),.*/@errno \1/p' lib/base/error.c
    {
        find lib -name '*.[ch]' -print
        find include -name '*.h' -print
        find include -name '*.h.in' -print
        printf '%s\n' $cases
    } |
    LC_ALL=C sort -u | while read -r file; do
        echo "@file $file"
        awk -f "$here/uncomment.awk" "$file"
    done
} | awk '
function list(array, words,    i, n, word) { n = split(words, word, " "); for (i = 1; i <= n; i++) array[word[i]] = 1 }
BEGIN {
    # C11, 7.1.2; without errno.h and those that a library does not need (locale, setjmp, signal, threads).
    list(standard, "assert.h ctype.h float.h inttypes.h limits.h math.h stdalign.h stdarg.h stdatomic.h " \
        "stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h")

    list(system_call, "socket socketpair bind connect listen accept accept4 shutdown close read write readv writev " \
        "pread pwrite send sendto sendmsg sendmmsg sendfile splice recv recvfrom recvmsg recvmmsg getsockopt " \
        "setsockopt getsockname getpeername ioctl fcntl open openat creat pipe pipe2 dup dup2 dup3 eventfd " \
        "eventfd_read eventfd_write poll ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait " \
        "epoll_pwait epoll_pwait2 kqueue kevent unlink stat lstat fstat chmod fchmod rename umask getaddrinfo " \
        "freeaddrinfo getnameinfo gai_strerror gethostbyname getservbyname getifaddrs freeifaddrs if_nameindex " \
        "if_nametoindex if_indextoname fork vfork getpid signal sigaction kill raise nanosleep usleep sleep " \
        "clock_gettime clock_nanosleep gettimeofday time syscall mmap munmap flock getcwd mkdir geteuid getuid " \
        "getenv secure_getenv htons ntohs htonl ntohl inet_pton inet_ntop")

    list(type, "ssize_t socklen_t sa_family_t in_addr_t in_port_t nfds_t mode_t pid_t uid_t gid_t off_t dev_t " \
        "ino_t time_t clockid_t suseconds_t sigset_t fd_set DIR")
    list(structure, "sockaddr sockaddr_in sockaddr_in6 sockaddr_un sockaddr_storage sockaddr_ll sockaddr_dl " \
        "in_addr in6_addr ip_mreq ip_mreqn ipv6_mreq in_pktinfo in6_pktinfo pollfd iovec msghdr mmsghdr cmsghdr " \
        "addrinfo hostent ifaddrs ifreq ucred linger stat timespec timeval tcp_info epoll_event kevent")
    list(member, "sa_family sun_path sun_family sin_family sin_port sin_addr sin6_family sin6_port sin6_addr " \
        "sin6_scope_id s_addr s6_addr iov_base iov_len revents st_dev st_ino st_mode tv_sec tv_nsec tv_usec")
    constant = "^((AF|PF|SOCK|SOL|SO|IPPROTO|IP|IPV6|TCP|UDP|MSG|SHUT|SCM|CMSG|EPOLL|EPOLLIN|EPOLLOUT|INADDR|IN6ADDR|" \
        "IN6|IFF|IFNAMSIZ|SIOC|CLOCK|LOCK|AT|EFD|F|FD|O)_[A-Z0-9_]+|POLL(IN|OUT|PRI|ERR|HUP|NVAL|RDHUP)|" \
        "SIOC[A-Z]+|FIONREAD|FIONBIO|SOMAXCONN|IF_NAMESIZE|PATH_MAX|NAME_MAX|IOV_MAX|S_I[A-Z]+|INET6?_ADDRSTRLEN)$"
}
function complain(what) { print file ":" line ": " what; bad = 1 }
$1 == "@errno" { number[$2] = 1; numbers++; next }
$1 == "@file" {
    file = $2; line = 0; files++
    door = file ~ /^lib\/(os|poll|resolve)\/[^\/]*\.c$/ || file == "lib/os/posix.h"
    names = file == "lib/os/errno.h" || file == "lib/base/error.c"
    doors += door
    test = file ~ /^tests\//
    next
}
{ line++; text = $0 }
text ~ /^[ \t]*#[ \t]*include[ \t]*"/ {
    if (text ~ /"lib\/os\/posix\.h"/ && file !~ /^lib\/os\//) complain("lib/os/posix.h outside lib/os/")
    next
}
text ~ /^[ \t]*#[ \t]*include[ \t]*</ {
    header = text; sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
    if (header ~ /^(openssl|gnutls|mbedtls|wolfssl|nss|tls\.h|s2n)/) complain("<" header "> is a TLS library")
    else if (header == "ares.h" && file !~ /^lib\/resolve\/[^\/]*\.c$/) complain("<" header "> belongs into the sources of lib/resolve/")
    else if (test && (header == "pollux.h" || header == "check.h")) next
    else if (test && header == "errno.h") complain("<errno.h> in a case: ask errno_of")
    else if (!door && !(header in standard) && header !~ /^pollux\// && !(names && header == "errno.h"))
        complain("<" header "> outside the doors")
    next
}
door { next }
{
    before = ""
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        lead = substr(text, 1, RSTART - 1); name = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        sub(/[ \t]+$/, "", lead)
        if (name == "errno") complain("errno outside the doors")
        else if ((name in number) && !names) complain(name " outside the doors: see lib/os/errno.h")
        else if ((name in system_call) && text ~ /^[ \t]*\(/ && lead !~ /(->|\.)$/)
            complain("calls " name "() outside the doors")
        else if (file ~ /^tests\/[^\/]*\.h$/) continue
        else if ((name in type) || (name in member) || (before == "struct" && (name in structure)) ||
                 (name ~ constant))
            complain(name " of POSIX outside the doors")
        else if (name ~ /^(ares|SSL|BIO|gnutls|mbedtls)_/ && file !~ /^lib\/resolve\//) complain(name " outside the doors")
        before = name
    }
}
END {
    printf "%d files, %d of them doors, %d errnos\n", files, doors, numbers
    exit (bad || !files || numbers < 60)
}'
