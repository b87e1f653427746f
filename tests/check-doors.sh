#!/bin/sh
# tests/check-doors.sh -- only the doors make system calls: the sources of lib/os/, and of lib/poll/ and
# lib/resolve/ the few that a mechanism of the kernel or a library needs, each with what it needs.
#
# Elsewhere in the library, and in all headers but lib/os/posix.h: no header but those of C11 and our own,
# no system call, no errno, and none of POSIX's types, constants and members, so that a port fills lib/os/
# and does not change what stands above it. Errnos that decide something have names in lib/os/errno.h;
# the table of all errnos, lib/base/error.c, is the one other place that includes <errno.h>. Only lib/os/
# includes lib/os/posix.h. The name of a slot (`kind->connect(...)`) is not a system call. Only lib/tls/
# sees OpenSSL; it is a library of its own, and as a user of the public headers it has <errno.h> for the
# names of errnos, and <time.h> for the days of certificates. The same holds for the conformance suite (tests/conform/ and what tests/world.h includes), so
# that its cases run wherever the library does: tests/kernel.c is its door.
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
        "getenv secure_getenv lseek access readlink opendir readdir htons ntohs htonl ntohl inet_pton inet_ntop")

    list(type, "ssize_t socklen_t sa_family_t in_addr_t in_port_t nfds_t mode_t pid_t uid_t gid_t off_t dev_t " \
        "ino_t time_t clockid_t suseconds_t sigset_t fd_set DIR")
    list(structure, "sockaddr sockaddr_in sockaddr_in6 sockaddr_un sockaddr_storage sockaddr_ll sockaddr_dl " \
        "in_addr in6_addr ip_mreq ip_mreqn ipv6_mreq in_pktinfo in6_pktinfo pollfd iovec msghdr mmsghdr cmsghdr " \
        "addrinfo hostent ifaddrs ifreq ucred linger stat timespec timeval tcp_info epoll_event kevent")
    list(member, "sa_family sun_path sun_family sin_family sin_port sin_addr sin6_family sin6_port sin6_addr " \
        "sin6_scope_id s_addr s6_addr iov_base iov_len revents st_dev st_ino st_mode tv_sec tv_nsec tv_usec")
    constant = "^((AF|PF|SOCK|SOL|SO|IPPROTO|IP|IPV6|TCP|UDP|MSG|SHUT|SCM|CMSG|EPOLL|EPOLLIN|EPOLLOUT|INADDR|IN6ADDR|" \
        "IN6|IFF|IFNAMSIZ|SIOC|CLOCK|LOCK|AT|EFD|F|FD|O)_[A-Z0-9_]+|POLL(IN|OUT|PRI|ERR|HUP|NVAL|RDHUP)|" \
        "SIOC[A-Z]+|FIONREAD|FIONBIO|SOMAXCONN|IF_NAMESIZE|PATH_MAX|NAME_MAX|IOV_MAX|S_I[A-Z]+|EPOLL[A-Z]+|INET6?_ADDRSTRLEN)$"

    # The doors above lib/os/, each with the headers and names that its mechanism needs.
    allow("lib/poll/epoll.c", "errno.h sys/epoll.h", "errno epoll_create1 epoll_ctl epoll_wait epoll_event " \
        "EPOLLIN EPOLLOUT EPOLLPRI EPOLLRDHUP EPOLLERR EPOLLHUP EPOLLET EPOLL_CLOEXEC EPOLL_CTL_ADD " \
        "EPOLL_CTL_MOD EPOLL_CTL_DEL")
    allow("lib/poll/uring.c", "liburing.h", "io_*")
    # The functions that c-ares calls have types of POSIX, and it reads errno behind them.
    allow("lib/resolve/ares.c", "ares.h errno.h sys/time.h sys/uio.h", "ares_* errno sockaddr iovec iov_base iov_len " \
        "timeval tv_sec tv_usec AF_INET6 SOCK_STREAM")
    allow("lib/resolve/idn.c", "idn2.h", "idn2_*")
}
function allow(file, headers, names,    i, n, word) {
    doors_above++
    n = split(headers " " names, word, " ")
    for (i = 1; i <= n; i++) unused[file, word[i]] = 1
}
# Whether the present file is a door that needs the header or the name; a name with * stands for a prefix.
function may(name,    prefix) {
    prefix = name; sub(/_.*/, "_*", prefix)
    if ((file, name) in unused) { unused[file, name] = 0; return 1 }
    if ((file, prefix) in unused) { unused[file, prefix] = 0; return 1 }
    return 0
}
function complain(what) { print file ":" line ": " what; bad = 1 }
$1 == "@errno" { number[$2] = 1; numbers++; next }
$1 == "@file" {
    file = $2; line = 0; files++
    door = file ~ /^lib\/os\/[^\/]*\.c$/ || file == "lib/os/posix.h"
    tls = file ~ /^lib\/tls\//
    names = file == "lib/os/errno.h" || file == "lib/base/error.c" || tls
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
    if (tls && (header ~ /^openssl\// || header == "time.h" || header == "idn2.h")) next
    else if (header ~ /^(openssl|gnutls|mbedtls|wolfssl|nss|tls\.h|s2n)/) complain("<" header "> is a TLS library")
    else if (header ~ /^(ares|liburing|idn2)/ ? !may(header) : 0) complain("<" header "> outside its door")
    else if (test && (header == "pollux.h" || header == "check.h")) next
    else if (test && header == "errno.h") complain("<errno.h> in a case: ask errno_of")
    else if (!door && !(header in standard) && header !~ /^pollux\// && !(names && header == "errno.h") && !may(header))
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
        if (may(name) || (tls && name ~ /^(SSL|BIO|idn2)_/)) ;
        else if (name == "errno") complain("errno outside the doors")
        else if ((name in number) && !names) complain(name " outside the doors: see lib/os/errno.h")
        else if ((name in system_call) && text ~ /^[ \t]*\(/ && lead !~ /(->|\.)$/)
            complain("calls " name "() outside the doors")
        else if (file ~ /^tests\/[^\/]*\.h$/) continue
        else if ((name in type) || (name in member) || (before == "struct" && (name in structure)) ||
                 (name ~ constant))
            complain(name " of POSIX outside the doors")
        else if (name ~ /^(ares|idn2|io_uring|SSL|BIO|gnutls|mbedtls)_/) complain(name " outside the doors")
        before = name
    }
}
END {
    for (each in unused) if (unused[each]) {
        split(each, word, SUBSEP)
        print word[1] ":1: " word[2] " is allowed by tests/check-doors.sh and not used"; bad = 1
    }
    printf "%d files, %d of them doors, %d errnos\n", files, doors + doors_above, numbers
    exit (bad || !files || numbers < 60)
}'
