#!/bin/sh
# tests/test-model.sh -- random programs, held against a model, on the real kernel and in greater number on
# the simulated one: those that have found a fault once, and some for each way of polling. On the simulated
# kernel the log of a program is the same each time. `make storm` plays new ones for hours.
#
# A port that a program has closed may be opened by any other process, which no model knows of. So the
# programs have a network of their own where that is allowed.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
builddir=${builddir:-.}
if [ -z "${POLLUX_ALONE:-}" ] && command -v ip > /dev/null && unshare --net true 2> /dev/null; then
    export POLLUX_ALONE=yes srcdir builddir
    exec unshare --net sh -c 'ip link set lo up && exec sh "$0"' "$0"
fi
play=$builddir/tests/model/play
count=${POLLUX_PROGRAMS:-150}
checks=0 failures=0

if ! grep -q '^#define HAVE_CARES 1' "$builddir/config.h"; then
    echo 'SKIP: built without c-ares: the model has name servers of its own'
    exit 77
fi

run()
{
    checks=$((checks + 1))
    "$@" || failures=$((failures + 1))
}

run "$play" corpus "$srcdir/tests/model/corpus"
for way in uring epoll poll lone; do
    printf '%s: ' "$way"
    run "$play" "$way" 1 "$count"
done
printf 'simulated: '
run "$play-sim" corpus "$srcdir/tests/model/corpus-sim"
printf 'simulated: '
run "$play-sim" 1 $((20 * count))
printf 'simulated, twice: '
run "$play-sim" twice $((20 * count + 1)) $((5 * count))
printf 'TLS: '
run "$play" tls 1 $((count / 3))
printf 'simulated, TLS: '
run "$play-sim" tls twice 1 $((2 * count))
printf 'proxies: '
run "$play" proxies 1 $((count / 3))
printf 'simulated, proxies: '
run "$play-sim" proxies twice 1 $((2 * count))
printf 'daemons: '
run "$play" daemons 1 $((count / 3))
printf 'simulated, daemons: '
run "$play-sim" daemons twice 1 $((5 * count))
printf '%d%%: Checks: %d, Failures: %d, Errors: 0\n' $((100 * (checks - failures) / checks)) $checks $failures
[ $failures -eq 0 ]
