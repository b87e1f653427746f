#!/bin/sh
# tests/test-compressed-chat.sh -- the room of compressed-chat and its guests, good and bad ones.
#
# A bad one speaks plain text, ends without a goodbye, sends a line without an end, or sends bytes
# that inflate to a thousand times their size. Each of them must end with a sentence, or be served
# within the room's limits, while the good ones go on chatting.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
chat=$builddir/examples/compressed-chat/compressed-chat
[ -x "$chat" ] || {
    echo "################ SKIPPED: compressed-chat was not built (Debian, Ubuntu: apt-get install zlib1g-dev)"
    exit 77
}
workplace=chat
. "$srcdir/tests/workplace.sh"

# guest NAME FILE: a guest sends the file and leaves.
guest()
{
    "$chat" "$1" "$place" < "$2" > "$1.heard" 2> "$1.log"
}

"$chat" --serve 127.0.0.1:0 2> room.log &
room=$!
started="$started $room"
wait_for 'listening on port' room.log 'the room listens' || exit 1
place=127.0.0.1:$(sed -n 's/^listening on port //p' room.log)

mkfifo typed
"$chat" ann "$place" < typed > ann.heard 2> ann.log &
ann=$!
started="$started $ann"
exec 3> typed
wait_for connected ann.log 'ann is in the room'

# ---- good guests --------------------------------------------------------------------------------------

number=0
while [ $number -lt 2000 ]; do
    number=$((number + 1))
    echo "bob says for the time number $number that he likes to hear himself"
done > story
guest bob story || { fail "bob ends with status $?"; cat bob.log; }
wait_for 'number 2000 that' ann.heard 'ann hears the last line of bob'
grep '^bob says' ann.heard | cmp - story || fail 'ann heard something else than what bob said'
wire=$(sed -n 's/^[0-9]* bytes, \([0-9]*\) on the wire$/\1/p' bob.log)
plain=$(wc -c < story)
if [ -n "$wire" ] && [ "$wire" -lt $((plain / 4)) ]
then echo "ok: $plain bytes were sent as $wire"
else fail "$plain bytes were sent as ${wire:-nobody knows}"; fi

# ---- bad guests -----------------------------------------------------------------------------------------

head -c 2000000 /dev/zero > endless
guest eve endless && fail 'a line without an end was accepted'
wait_for 'a client: Error .*message' room.log 'a line without an end ends with a sentence'

if command -v python3 > /dev/null; then
    cat > send.py <<'END'
import socket, sys, zlib
host, port = sys.argv[1].split(':')
peer = socket.create_connection((host, int(port)))
packer = zlib.compressobj(9, zlib.DEFLATED, 12)
if sys.argv[2] == 'plain':
    peer.sendall(b'GET / HTTP/1.0\r\n\r\n')
elif sys.argv[2] == 'cut':
    peer.sendall(packer.compress(b'half a li') + packer.flush(zlib.Z_SYNC_FLUSH))
elif sys.argv[2] == 'bomb':
    line = b'x' * 999 + b'\n'
    bomb = b''.join(packer.compress(line) for _ in range(60000)) + packer.compress(b'it was 60 MB\n') + packer.flush()
    print(len(bomb), 'bytes are a bomb')
    peer.sendall(bomb)
peer.shutdown(socket.SHUT_WR)
while peer.recv(65536):
    pass
END
    python3 send.py "$place" plain 2> python.log
    wait_for 'a client: Error .*not compressed' room.log 'plain text ends with a sentence'
    python3 send.py "$place" cut 2> python.log
    wait_for 'a client: Error .*without the end' room.log 'an end without goodbye ends with a sentence'
    python3 send.py "$place" bomb 2> python.log
    wait_for 'a client has left: 600[0-9]* bytes' room.log 'a bomb was served'
    peak=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$room/status" 2> /dev/null)
    case $builddir in *sanitize*) peak= ;; esac # the sanitizers keep what was freed
    if [ "${peak:-0}" -le 20000 ]
    then echo "ok: the room needed ${peak:-an unknown number of} kB at most"
    else fail "the room needed $peak kB"; fi
else
    echo "################ SKIPPED: python3 is not installed, so no bad bytes were sent"
    skipped=1
fi

# ---- and the room goes on -------------------------------------------------------------------------------

echo 'good night' > night
guest dan night || { fail "dan ends with status $?"; cat dan.log; }
wait_for 'good night' ann.heard 'ann still hears'
exec 3>&-
wait "$ann" || { fail "ann ends with status $?"; cat ann.log; }
kill -INT "$room"
wait "$room" || { fail "the room ends with status $?"; tail -n 20 room.log; }

[ $failed -eq 0 ] || exit 1
[ $skipped -eq 0 ] || exit 77
