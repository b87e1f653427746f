#!/bin/sh
# tests/test-sdl-game.sh -- the example with windows: two of them find each other, each draws the square of
# the other where it really is, and one sees that the other leaves. Its networking is short.
#
# The pictures of both windows stay in the build as tests/sdl-game.png. Where there is no Xvfb, SDL draws
# without a screen.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
game=$builddir/examples/sdl-game/sdl-game
failed=0

# A line of code is one that has more than comments and braces: all lines between the marks, and each line
# elsewhere that calls the library.
awk '
/networking: begin/ { inside = 1 }
/networking: end/ { inside = 0 }
{ sub(/\/\*.*\*\//, ""); sub(/^ ?[\/ ]\*.*/, "") }
/plx_/ { calls++ }
inside && NF { all++ }
/^[ {}]*$/ { next }
inside { count++ }
!inside && /plx_/ { count++; all++ }
END {
    printf "networking: %d lines (%d with those of a brace alone), %d of them with a name of the library\n", count, all, calls
    exit !(count > 20 && count <= 35)
}' "$srcdir/examples/sdl-game/main.c" || { echo 'FAILED: the networking has more than 35 lines'; failed=1; }

if [ ! -x "$game" ]; then
    echo "SKIP: sdl-game was not built; it needs SDL 2 (Debian, Ubuntu: apt-get install libsdl2-dev)"
    [ $failed -eq 0 ] && exit 77
    exit 1
fi
[ -e /proc/net/igmp ] || {
    echo "SKIP: this kernel has no multicast"
    exit 77
}
lines=$failed
workplace=sdl-game
. "$srcdir/tests/workplace.sh"
failed=$lines
room=room-$$

# until_it COMMAND...: repeats it until it is true, thirty seconds at most.
until_it()
{
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ $tries -le 300 ] || return 1
        sleep 0.1
    done
}

# Libraries of the screen do not free all that they have, which is no fault of the game.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
SDL_RENDER_DRIVER=software
SDL_AUDIODRIVER=dummy
export ASAN_OPTIONS SDL_RENDER_DRIVER SDL_AUDIODRIVER
screen='no screen'
if command -v Xvfb > /dev/null; then
    Xvfb -displayfd 3 -screen 0 1200x800x24 3> display > Xvfb 2>&1 &
    started="$started $!"
    until_it [ -s display ] && screen=Xvfb
fi
if [ "$screen" = Xvfb ]; then
    DISPLAY=:$(cat display) SDL_VIDEODRIVER=x11
    export DISPLAY SDL_VIDEODRIVER
else
    echo "there is no Xvfb: SDL draws without a screen"
    SDL_VIDEODRIVER=dummy
    export SDL_VIDEODRIVER
fi

"$game" Ada $room ada.bmp > ada 2>&1 &
ada=$!
"$game" Grace $room grace.bmp > grace 2>&1 &
grace=$!
started="$started $ada $grace"
if until_it grep -q saved ada && until_it grep -q saved grace
then echo "ok: both have met somebody, with $screen"
else fail "no pictures: $(cat ada grace)"; fi

# sees WHO COLOUR LEAST MOST: in the picture of WHO a square has the colour; its middle is in a column where
# no square begins.
sees()
{
    # shellcheck disable=SC2046 # three numbers
    set -- "$@" $(python3 "$srcdir/tests/bmp.py" count "$1.bmp" "$2")
    if [ "$5" -gt 1200 ] && [ "$5" -lt 2500 ] && [ "$6" -ge "$3" ] && [ "$6" -le "$4" ]
    then echo "ok: $1 sees $5 points of $2 around $6, $7"
    else fail "$1 sees $5 points of $2 around $6, $7"; fi
}
python=yes
if ! command -v python3 > /dev/null; then
    python=no
elif [ -s ada.bmp ] && [ -s grace.bmp ]; then
    for who in ada grace; do
        sees $who 78,205,196 150 240
        sees $who 255,209,102 400 500
    done
    python3 "$srcdir/tests/bmp.py" png "$builddir/tests/sdl-game.png" ada.bmp grace.bmp &&
        echo "the pictures are in tests/sdl-game.png"
fi

kill -TERM $grace
wait $grace || fail "Grace ends with $?"
until_it sh -c 'tail -n 1 ada | grep -q "^1 in "' || fail "Ada does not see that Grace leaves: $(cat ada)"
"$game" Grace $room again.bmp > again 2>&1 & # she returns as another member
grace=$!
started="$started $grace"
until_it grep -q saved again && until_it sh -c 'tail -n 1 ada | grep -q "^2 in "' || fail "Grace returns, and meets nobody: $(cat again ada)"
echo "ok: Ada sees: $(tr '\n' ',' < ada)"
for process in $ada $grace; do
    kill -TERM $process
    wait $process || fail "a game ends with $?"
done
"$game" > usage 2>&1 && fail 'no arguments were accepted'
grep -q '^usage' usage || fail 'no word about the arguments'
[ $failed -eq 0 ] || exit 1
[ $python = yes ] || {
    echo 'SKIP: the rest is fine; python3, which looks at the pictures, is not installed'
    exit 77
}
