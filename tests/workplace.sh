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
