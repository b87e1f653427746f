#!/bin/sh
# tests/test-find.sh -- the examples of discovery: two udp-beacons find each other and talk, and the
# guests of arena and of its demo find a server; on the networks of this computer, and once more
# where there is nothing but loopback.
#
# Names and groups have the number of this process: others on the network may run the test, too.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
beacon=$builddir/examples/udp-beacon
arena=$builddir/examples/arena/arena
[ -x "$beacon" ] && [ -x "$arena" ] || {
    echo "################ SKIPPED: the examples were not built"
    exit 77
}
[ -e /proc/net/igmp ] || {
    echo "SKIP: this kernel has no multicast" >&2
    exit 77
}
workplace=find
. "$srcdir/tests/workplace.sh"

# ends_with STATUS PROCESS WHAT: waits for the end of a process.
ends_with()
{
    wait "$2"
    status=$?
    if [ $status -eq "$1" ]
    then echo "ok: $3 ends with $1"
    else fail "$3 ends with $status instead of $1"; fi
}

# begin NAME COMMAND...: starts it as process $begun, with its output in NAME.
begin()
{
    name=$1
    shift
    "$@" > "$name" 2>&1 &
    begun=$!
    started="$started $begun"
}

# ---- udp-beacon ----------------------------------------------------------------------------------

beacons()
{
    ada=ada-$$ bob=bob-$$
    rm -f to-ada to-bob
    mkfifo to-ada to-bob
    "$beacon" $ada < to-ada > ada 2>&1 &
    first=$!
    "$beacon" $bob < to-bob > bob 2>&1 &
    second=$!
    started="$started $first $second"
    exec 3> to-ada 4> to-bob # only now, or bob would keep the pipe of ada open
    wait_for "^$bob joins" ada 'ada finds bob' || return
    wait_for "^$ada joins" bob 'bob finds ada' || return
    echo 'good morning' >&3
    wait_for "^$ada: good morning" bob 'bob hears ada'
    exec 3>&-
    ends_with 0 $first ada
    wait_for "^$ada leaves" bob 'bob sees that ada leaves'
    exec 4>&-
    ends_with 0 $second bob
}

# ---- arena ---------------------------------------------------------------------------------------

guests()
{
    begin server "$arena" server --listen :0 --group "find-$$" --seconds 1 --bots 1 --spectators 1
    server=$begun
    begin bot "$arena" bot --group "find-$$" --name Zoe
    bot=$begun
    begin spectator "$arena" spectator --group "find-$$"
    ends_with 0 $bot 'a bot that finds the server'
    ends_with 0 $begun 'a spectator that finds the server'
    wait $server # its status also depends on datagrams, of which a busy computer loses some
    wait_for '1 joined, 1 left' server 'the server counts them'
    "$arena" --seconds 1 --bots 2 > demo 2>&1
    wait_for 'bots *2 joined, 2 left' demo 'the bots of the demo find its server'
}

nobody()
{
    begin nobody "$arena" bot --group "nobody-$$" --seconds 3
    ends_with 1 $begun 'a bot that finds nobody'
    wait_for "looking for a server in the group nobody-$$" nobody 'it prints that it looks'
    wait_for "no server was found in the group nobody-$$" nobody 'it prints that it gives up'
}

beacons
guests
if [ -z "${POLLUX_LONELY:-}" ]; then
    nobody
    if command -v ip > /dev/null && unshare --net true 2> /dev/null; then
        echo 'and with nothing but loopback:'
        POLLUX_LONELY=yes srcdir=$srcdir builddir=$builddir \
            unshare --net sh -c 'ip link set lo up && sh "$srcdir/tests/test-find.sh"' ||
            fail 'on loopback alone'
    else
        echo 'SKIP: a network of its own is not allowed here, so loopback alone was not tried' >&2
    fi
fi
[ $failed -eq 0 ] || exit 1
