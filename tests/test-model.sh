#!/bin/sh
# tests/test-model.sh -- random programs, held against a model: those that have found a fault once, and
# some for each way of polling. `make storm` plays new ones for hours.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
builddir=${builddir:-.}
play=$builddir/tests/model/play
count=${POLLUX_PROGRAMS:-150}
checks=0 failures=0

run()
{
    checks=$((checks + 1))
    "$play" "$@" || failures=$((failures + 1))
}

run corpus "$srcdir/tests/model/corpus"
for way in uring epoll poll lone; do
    printf '%s: ' "$way"
    run "$way" 1 "$count"
done
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' $((100 * (checks - failures) / checks)) $checks $failures
[ $failures -eq 0 ]
