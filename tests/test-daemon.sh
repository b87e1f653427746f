#!/bin/sh
# tests/test-daemon.sh -- the example that lives in a group: clients, signals, a beat, standard input.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
daemon=$builddir/examples/daemon
[ -x "$daemon" ] || {
    echo "################ SKIPPED: the examples were not built"
    exit 77
}
command -v python3 > /dev/null || {
    echo "################ SKIPPED: python3 is not installed"
    exit 77
}
workplace=daemon
. "$srcdir/tests/workplace.sh"

cat > client.py <<'END'
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.connect('place')
lines = peer.makefile('r')
for line in sys.argv[1:]:
    peer.sendall(line.encode() + b'\n')
    print(lines.readline(), end='')
if len(sys.argv) == 1:
    print('waits', flush=True)
    print('ended' if peer.recv(100) == b'' else 'heard something')
END

for way in uring epoll poll; do
    rm -f place said typed other
    mkfifo typed
    POLLUX_POLLER=$way "$daemon" place 50 < typed > said 2>&1 &
    service=$!
    started="$started $service"
    exec 3> typed
    if [ $way = uring ] && { sleep 1; ! kill -0 $service 2> /dev/null; }; then
        echo "no io_uring here"
        exec 3>&-
        continue
    fi
    wait_for ready said "$way: it begins" || continue
    wait_for '0 clients' said "$way: the beat"
    answers=$(python3 client.py one two three | tr '\n' ' ')
    [ "$answers" = '1 2 3 ' ] || fail "$way: a client was answered '$answers'"
    echo how many >&3
    wait_for '3 lines' said "$way: standard input"
    kill -HUP $service
    wait_for 'counting again' said "$way: SIGHUP"
    exec 3>&- # the end of standard input ends nothing
    answers=$(python3 client.py one)
    [ "$answers" = 1 ] || fail "$way: after SIGHUP a client was answered '$answers'"
    python3 client.py > other &
    other=$!
    started="$started $other"
    wait_for waits other "$way: a client that stays"
    wait_for '1 clients' said "$way: the beat counts it"
    kill -TERM $service
    wait_for stopping said "$way: SIGTERM"
    wait $service || fail "$way: it ends with status $?"
    wait $other
    grep -q ended other || fail "$way: the client that stayed has not seen the end"
done

"$daemon" 2> usage && fail 'no arguments were accepted'
grep -q usage usage || fail 'no word about the arguments'
"$daemon" /nowhere/at/all < /dev/null > said 2>&1 && fail 'it listens nowhere'
[ $failed -eq 0 ] || exit 1
