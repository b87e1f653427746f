#!/bin/sh
# tests/test-redis.sh -- a real redis server, over TCP and over its Unix socket, by tests/redis-client.
#
# Skipped, loudly, only where redis-server is not installed.
set -u
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
client=$builddir/tests/redis-client
work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-redis.XXXXXX") || exit 1
server=

finish()
{
    [ -z "$server" ] || kill "$server" 2> /dev/null
    [ -z "$server" ] || wait "$server" 2> /dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

if ! command -v redis-server > /dev/null; then
    echo "################ SKIPPED: redis-server is not installed, so nothing was tried with it"
    exit 77
fi
[ -x "$client" ] || { echo "$client was not built"; exit 1; }

# redis cannot choose a free port, so the test tries some, which differ from process to process.
start()
{
    redis-server --bind 127.0.0.1 --port "$1" --unixsocket "$work/redis" --save '' --appendonly no \
        --dir "$work" --daemonize no > "$work/log" 2>&1 &
    server=$!
    tries=0
    until grep -q 'Ready to accept connections' "$work/log"; do
        tries=$((tries + 1))
        kill -0 "$server" 2> /dev/null && [ $tries -le 100 ] || return 1
        sleep 0.1
    done
}
port=
for attempt in 0 1 2 3 4 5 6 7; do
    port=$((10000 + ($$ * 8 + attempt) % 20000))
    start $port && break
    port=
done
[ -n "$port" ] || { echo "redis-server does not start:"; cat "$work/log"; exit 1; }

# The dialogue, and the answers that redis must give: a value of 3000 bytes needs more than one packet.
value=$(head -c 2250 /dev/zero | base64 -w 0)
cat > "$work/commands" << END
PING
SET pollux $value
STRLEN pollux
GET pollux
INCR visitors
INCR visitors
GET missing
NONSENSE
DEL pollux visitors
QUIT
END
cat > "$work/wanted" << END
+PONG
+OK
:3000
\$3000
$value
:1
:2
\$-1
-ERR
:2
+OK
END

failed=0
for place in "127.0.0.1:$port" "$work/redis"; do
    "$client" "$place" < "$work/commands" > "$work/answers" 2> "$work/errors"
    status=$?
    sed 's/^-ERR.*/-ERR/' "$work/answers" > "$work/got"
    if [ $status -eq 0 ] && cmp -s "$work/wanted" "$work/got"; then
        echo "ok: redis answers at $place"
    else
        echo "FAILED: redis at $place, status $status"
        cat "$work/errors"
        diff "$work/wanted" "$work/got"
        failed=1
    fi
done
exit $failed
