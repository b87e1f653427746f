# tests/workplace.sh -- read by the scripts that let programs of other projects talk to ours, behind
# `workplace`, its name: a folder of its own, in which the script goes on, and processes that end with it.
#
# A script adds the processes that it starts to `started`.
work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-$workplace.XXXXXX") || exit 1
started=
passed=0
failed=0
skipped=0

finish()
{
    for process in $started; do
        kill "$process" 2> /dev/null
    done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1

fail()
{
    echo "FAILED: $1"
    failed=$((failed + 1))
}
skip()
{
    echo "################ SKIPPED: $1"
    skipped=$((skipped + 1))
}
has()
{
    command -v "$1" > /dev/null && return
    skip "$1 is not installed, so nothing was tried with it"
    return 1
}

# wait_for TEXT FILE WHAT: until the text is in the file, thirty seconds at most.
wait_for()
{
    tries=0
    until grep -q -- "$1" "$2" 2> /dev/null; do
        tries=$((tries + 1))
        [ $tries -le 300 ] || {
            fail "$3: '$1' is not in $2, which has:"
            tail -n 20 "$2"
            return 1
        }
        sleep 0.1
    done
    echo "ok: $3"
}
