#!/bin/sh
# tests/test-interop.sh -- the examples talk to programs of other projects.
#
# socat and `nc -U` to ipc-chat, curl, socat and nc to echo-server, http-get from python3's web server.
# A missing program is named loudly and its part is omitted; the test then counts as skipped, not as
# passed. The test uses a folder of its own, and ports that the kernel chose.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
examples=$builddir/examples
workplace=interop
. "$srcdir/tests/workplace.sh"

passed() { echo "ok: $1"; }

# wait_for TEXT FILE: until the text is in the file, ten seconds at most.
wait_for()
{
    tries=0
    until grep -q -- "$1" "$2" 2> /dev/null; do
        tries=$((tries + 1))
        [ $tries -le 100 ] || { echo "in vain: '$1' in $2, which has:"; cat "$2"; return 1; }
        sleep 0.1
    done
}

# ends PROCESS WANTED: it ends by itself, with that exit status, within ten seconds.
ends()
{
    tries=0
    while kill -0 "$1" 2> /dev/null; do
        tries=$((tries + 1))
        [ $tries -le 100 ] || { echo "process $1 does not end"; return 1; }
        sleep 0.1
    done
    wait "$1"
    status=$?
    [ $status -eq "$2" ] || { echo "exit status $status instead of $2"; return 1; }
}

for example in echo-server ipc-chat http-get; do
    [ -x "$examples/$example" ] || { echo "SKIPPED: $example was not built"; exit 77; }
done
head -c 5000000 /dev/urandom > bytes

# ---- echo-server ------------------------------------------------------------------------------------

"$examples/echo-server" 127.0.0.1:0 > echo.log 2>&1 &
echo_server=$!
started="$started $echo_server"
wait_for 'listening on' echo.log || fail "echo-server does not listen"
place=$(sed -n 's/^listening on //p' echo.log)

if has curl; then
    # Raw bytes: the server echoes curl's request, and curl reads that as an answer in HTTP 0.9.
    curl -s --http0.9 --max-time 2 "http://$place/some/page" > curl.out
    if grep -q '^GET /some/page HTTP/1.1' curl.out && grep -qi '^User-Agent: curl' curl.out
    then passed "curl gets its own request back"
    else fail "curl did not get its request back"; cat curl.out; fi
    { echo 'a line by telnet'; sleep 1; } | curl -s -N --max-time 5 "telnet://$place" > telnet.out
    if [ "$(cat telnet.out)" = 'a line by telnet' ]
    then passed "curl gets a line back by telnet"
    else fail "curl did not get its line back by telnet"; cat telnet.out; fi
fi
if has socat; then
    socat -t 10 - "TCP:$place" < bytes > socat.out
    if cmp bytes socat.out
    then passed "socat gets 5 MB back, and the end"
    else fail "socat did not get its bytes back"; fi
fi
if has nc; then
    visitors=
    for number in 1 2 3 4 5 6 7 8; do
        echo "visitor $number" | nc -N -w 5 "${place%:*}" "${place##*:}" > "nc.$number" &
        visitors="$visitors $!"
    done
    # shellcheck disable=SC2086
    wait $visitors
    if [ "$(cat nc.[1-8])" = "$(for number in 1 2 3 4 5 6 7 8; do echo "visitor $number"; done)" ]
    then passed "eight times nc at once"
    else fail "nc did not get its line back"; cat nc.[1-8]; fi
fi
kill -INT "$echo_server"
ends "$echo_server" 0 && passed "echo-server ends by Ctrl-C" || fail "echo-server does not end by Ctrl-C"

if command -v socat > /dev/null; then
    "$examples/echo-server" "$work/echo" > unix.log 2>&1 &
    echo_server=$!
    started="$started $echo_server"
    wait_for 'listening' unix.log || fail "echo-server does not listen at a path"
    socat -t 10 - "UNIX-CONNECT:$work/echo" < bytes > socat.out
    if cmp bytes socat.out
    then passed "socat gets 5 MB back from a Unix socket"
    else fail "socat did not get its bytes back from a Unix socket"; fi
    kill -INT "$echo_server"
    ends "$echo_server" 0 || fail "echo-server does not end"
    [ ! -e "$work/echo" ] || fail "echo-server left its socket file behind"
fi

# ---- ipc-chat -----------------------------------------------------------------------------------------

# talk NAME COMMAND...: the command connects to ipc-chat at $work/chat; each side sends a line, then the
# command ends and ipc-chat must print Error 102.
talk()
{
    name=$1
    shift
    rm -f chat.log heard other.heard
    mkfifo typed said
    "$examples/ipc-chat" "$work/chat" < typed > heard 2> chat.log &
    chat=$!
    exec 3> typed
    started="$started $chat"
    wait_for 'listening' chat.log || fail "ipc-chat does not listen"
    "$@" < said > other.heard &
    other=$!
    exec 4> said
    started="$started $other"
    echo "from $name" >&4
    wait_for "from $name" heard || fail "$name was not heard by ipc-chat"
    echo "from ipc-chat" >&3
    wait_for 'from ipc-chat' other.heard || fail "ipc-chat was not heard by $name"
    exec 4>&-
    kill "$other" 2> /dev/null
    if wait_for 'Error 102' chat.log && ends "$chat" 0
    then passed "$name talks to ipc-chat"
    else fail "ipc-chat did not notice that $name has gone"; cat chat.log; fi
    exec 3>&-
    wait "$other" 2> /dev/null
    rm -f typed said
}

has socat && talk socat socat - "UNIX-CONNECT:$work/chat"
if has nc; then
    if nc -h 2>&1 | grep -q -- '-[0-9A-Za-z]*U'; then
        talk nc nc -U "$work/chat"
    else
        skip "this nc knows no Unix sockets (netcat-openbsd does)"
    fi
fi
talk "another ipc-chat" "$examples/ipc-chat" --connect "$work/chat"

if command -v socat > /dev/null; then
    socat -t 10 UNIX-LISTEN:"$work/there" SYSTEM:'cat bytes; sleep 1' &
    listener=$!
    started="$started $listener"
    tries=0
    while [ ! -S there ] && [ $tries -lt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    rm -f chat.log heard
    mkfifo typed
    "$examples/ipc-chat" --connect "$work/there" < typed > heard 2> chat.log &
    chat=$!
    exec 3> typed
    started="$started $chat"
    tries=0
    until cmp -s bytes heard || [ $tries -gt 100 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if cmp bytes heard && wait_for 'Error 102' chat.log
    then passed "ipc-chat hears 5 MB from socat"
    else fail "ipc-chat did not hear what socat had to say"; cat chat.log; fi
    exec 3>&-
fi

# ---- http-get -----------------------------------------------------------------------------------------

if has python3; then
    mkdir pages
    cp bytes pages/page
    (cd pages && exec python3 -u -m http.server --bind 127.0.0.1 0) > http.log 2>&1 &
    started="$started $!"
    wait_for 'port [0-9]' http.log || fail "the web server does not start"
    port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' http.log | head -n 1)
    "$examples/http-get" "http://127.0.0.1:$port/page" > page 2> http-get.log
    status=$?
    if [ $status -eq 0 ] && cmp bytes page
    then passed "http-get fetches 5 MB"
    else fail "http-get did not fetch the page (status $status)"; cat http-get.log; fi
    "$examples/http-get" "http://localhost:$port/page" > page 2> http-get.log
    status=$?
    if [ $status -eq 0 ] && cmp bytes page
    then passed "http-get fetches from localhost by name"
    else fail "http-get did not fetch from localhost (status $status)"; cat http-get.log; fi
    "$examples/http-get" "http://127.0.0.1:$port/missing" > page 2> http-get.log
    status=$?
    if [ $status -eq 1 ] && grep -q 404 http-get.log
    then passed "http-get reports 404"
    else fail "http-get did not report 404 (status $status)"; cat http-get.log; fi
fi

echo "$failed failed, $skipped left out"
[ $failed -eq 0 ] || exit 1
[ $skipped -eq 0 ] || exit 77
