#!/bin/sh
# tests/check-doors.sh -- only the doors make system calls: lib/os/, lib/poll/ and lib/resolve/.
#
# Elsewhere in the library: no system header beyond the C standard ones and the short list below, no
# errno (its numbers, EAGAIN and so on, are allowed), no call of a socket function. The name of a
# slot (`kind->connect(...)`) is not a system call. No TLS header anywhere; c-ares only in
# lib/resolve/. The same holds for the conformance suite (tests/conform/ and what tests/world.h
# includes), so that its cases run wherever the library does: tests/kernel.c is its door.
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
    find lib -name '*.[ch]' -print
    find include -name '*.h' -print
    find include -name '*.h.in' -print
    printf '%s\n' $cases
} |
LC_ALL=C sort -u | while read -r file; do
    echo "@file $file"
    awk -f "$here/uncomment.awk" "$file"
done | awk '
BEGIN {
    # C11, 7.1.2; without those that a library does not need (locale, setjmp, signal, threads).
    n = split("assert ctype errno float inttypes limits math stdalign stdarg stdatomic stdbool stddef stdint " \
              "stdio stdlib string", word, " ")
    for (i = 1; i <= n; i++) standard[word[i] ".h"] = 1

    n = split("socket socketpair bind connect listen accept accept4 shutdown close read write readv writev " \
        "pread pwrite send sendto sendmsg sendmmsg sendfile splice recv recvfrom recvmsg recvmmsg getsockopt " \
        "setsockopt getsockname getpeername ioctl fcntl open openat creat pipe pipe2 dup dup2 dup3 eventfd " \
        "eventfd_read eventfd_write poll ppoll select pselect epoll_create epoll_create1 epoll_ctl epoll_wait " \
        "epoll_pwait epoll_pwait2 kqueue kevent unlink stat lstat fstat chmod fchmod rename umask getaddrinfo " \
        "freeaddrinfo getnameinfo gai_strerror gethostbyname getservbyname getifaddrs freeifaddrs if_nameindex " \
        "if_nametoindex if_indextoname fork vfork getpid signal sigaction kill raise nanosleep usleep sleep " \
        "clock_gettime clock_nanosleep gettimeofday time syscall mmap munmap", word, " ")
    for (i = 1; i <= n; i++) system_call[word[i]] = 1
}
function complain(what) { print file ":" line ": " what; bad = 1 }
$1 == "@file" {
    file = $2; line = 0; files++
    door = file ~ /^lib\/(os|poll|resolve)\//
    doors += door
    test = file ~ /^tests\//
    next
}
{ line++; text = $0 }
text ~ /^[ \t]*#[ \t]*include[ \t]*</ {
    header = text; sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
    if (header ~ /^(openssl|gnutls|mbedtls|wolfssl|nss|tls\.h|s2n)/) complain("<" header "> is a TLS library")
    else if (header == "ares.h" && file !~ /^lib\/resolve\//) complain("<" header "> belongs into lib/resolve/")
    else if (test && (header == "pollux.h" || header == "check.h")) next
    else if (test && header == "errno.h") complain("<errno.h> in a case: ask errno_of")
    else if (!door && !(header in standard) && header !~ /^pollux\// && !((file " " header) in allowed))
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
        else if ((name in system_call) && text ~ /^[ \t]*\(/ && lead !~ /(->|\.)$/ &&
                 !((file " " name) in allowed_call))
            complain("calls " name "() outside the doors")
        else if (name ~ /^(ares|SSL|BIO|gnutls|mbedtls)_/ && file !~ /^lib\/resolve\//) complain(name " outside the doors")
    }
}
END {
    printf "%d files, %d of them doors\n", files, doors
    exit (bad || !files)
}'
