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

# wait_for TEXT WHAT [FILE]: until the daemon has printed the text, or the file has it, thirty seconds at
# most.
wait_for()
{
    tries=0
    until grep -q -- "$1" "${3:-said}" 2> /dev/null; do
        tries=$((tries + 1))
        [ $tries -le 300 ] || { fail "$2: '$1' was not printed:"; tail -n 20 said; return 1; }
        sleep 0.1
    done
    echo "ok: $2"
}

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
    wait_for ready "$way: it begins" || continue
    wait_for '0 clients' "$way: the beat"
    answers=$(python3 client.py one two three | tr '\n' ' ')
    [ "$answers" = '1 2 3 ' ] || fail "$way: a client was answered '$answers'"
    echo how many >&3
    wait_for '3 lines' "$way: standard input"
    kill -HUP $service
    wait_for 'counting again' "$way: SIGHUP"
    exec 3>&- # the end of standard input ends nothing
    answers=$(python3 client.py one)
    [ "$answers" = 1 ] || fail "$way: after SIGHUP a client was answered '$answers'"
    python3 client.py > other &
    other=$!
    started="$started $other"
    wait_for waits "$way: a client that stays" other
    wait_for '1 clients' "$way: the beat counts it"
    kill -TERM $service
    wait_for stopping "$way: SIGTERM"
    wait $service || fail "$way: it ends with status $?"
    wait $other
    grep -q ended other || fail "$way: the client that stayed has not seen the end"
done

"$daemon" 2> usage && fail 'no arguments were accepted'
grep -q usage usage || fail 'no word about the arguments'
"$daemon" /nowhere/at/all < /dev/null > said 2>&1 && fail 'it listens nowhere'
[ $failed -eq 0 ] || exit 1
