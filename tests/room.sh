# tests/room.sh -- read by the scripts that try the room for chat in a foreign loop, behind `program`, its
# name in examples/, and `needs`, what it cannot be built without.
#
# In each way of polling: what a client says returns to it, the loop's own timer reaches a client, the
# loop sleeps while nothing happens, and a signal ends it.
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
room=$builddir/examples/$program
blocking=$builddir/examples/blocking
[ -x "$blocking" ] || {
    echo "SKIP: the examples were not built"
    exit 77
}
[ -x "$room" ] || {
    echo "SKIP: $program was not built; it needs $needs"
    exit 77
}
workplace=$program
. "$srcdir/tests/workplace.sh"

# try WAY: the process is $process, what it prints is in WAY.
try()
{
    POLLUX_POLLER=$1 "$room" 127.0.0.1:0 > "$1" 2>&1 &
    process=$!
    started="$started $process"
    tries=0
    until grep -q listening "$1" || ! kill -0 $process 2> /dev/null || [ $tries -gt 300 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if [ "$1" != poll ] && ! kill -0 $process 2> /dev/null; then
        echo "there is no $1 here"
        return
    fi
    wait_for '^listening on port' "$1" "$1: it listens" || return
    where=127.0.0.1:$(sed -n 's/^listening on port //p' "$1")
    said=$("$blocking" "$where" hello 'how are you' 2>&1 | grep -v ' in the room$' | tr '\n' '/')
    [ "$said" = 'hello/how are you/' ] || fail "$1: a client heard '$said'"
    said=$("$blocking" "$where" 2>&1)
    [ "$said" = '1 in the room' ] || fail "$1: the timer of the loop reached a client as '$said'"
    wait_for '^1 in the room' "$1" "$1: the timer of the loop"
    ticks=$(sed 's/.*) //' "/proc/$process/stat" 2> /dev/null | awk '{ print $12 + $13 }')
    [ "${ticks:-0}" -lt 30 ] || fail "$1: it was busy for $ticks hundredths of a second"
    kill -TERM $process
    wait $process || fail "$1: it ends with status $?"
    echo "ok: $1: $said, ${ticks:-unknown} ticks of processor time"
}

for way in uring epoll poll; do
    try $way
done
"$room" nowhere > refused 2>&1 && fail 'it listens nowhere'
grep -q 'no port given' refused || fail "the reason is '$(cat refused)'"
[ $failed -eq 0 ] || exit 1
