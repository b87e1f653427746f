#!/bin/sh
# tests/test-blocking.sh -- the example of a client that waits: with a server, without one, and with one
# that ends.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
blocking=$builddir/examples/blocking
[ -x "$blocking" ] || {
    echo "SKIP: the examples were not built"
    exit 77
}
workplace=blocking
. "$srcdir/tests/workplace.sh"

"$builddir/examples/echo-server" 127.0.0.1:0 > server 2>&1 &
server=$!
started=$server
wait_for '^listening' server 'the server listens'
where=$(sed -n 's/^listening on //p' server)

# ends_with STATUS TEXT ARGUMENT...: what it prints contains the text.
ends_with()
{
    expected=$1 text=$2
    shift 2
    "$blocking" "$@" > said 2>&1
    status=$?
    if [ $status -eq "$expected" ] && grep -q -- "$text" said
    then echo "ok: $expected, $text"
    else fail "blocking $*: it ends with $status instead of $expected, and prints '$(cat said)'"; fi
}

ends_with 0 '^hello$' "$where" hello 'how are you'
grep -q '^how are you$' said || fail "it prints '$(cat said)'"
ends_with 2 '^usage: '
ends_with 1 'no port given' nowhere hello
kill $server
wait $server
ends_with 1 'connection refused' "$where" hello
[ $failed -eq 0 ] || exit 1
