#!/bin/sh
# tests/test-dialogues.sh -- the simulated kernel of tests/sim/ answers as the real one does.
#
# Each dialogue of tests/sim/rows-*.h is played on both. A dialogue with a different answer is printed
# with the line of the real kernel (-) and that of the simulated one (+).
set -u
builddir=${builddir:-.}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

play()
{
    "$builddir/tests/sim/dialogues-$1" > "$work/$1" || { echo "dialogues-$1 failed"; exit 1; }
    awk '/^[^ ]/ { name = $0 } { print name ": " $0 }' "$work/$1" > "$work/$1.named"
}

# The port that the real kernel chose for IPv6 may be that of another program for IPv4: up to three times.
play sim
for attempt in 1 2 3; do
    play real
    diff -U 0 "$work/real.named" "$work/sim.named" | grep '^[-+][^-+]' > "$work/different"
    [ -s "$work/different" ] || break
    echo "attempt $attempt: $(wc -l < "$work/different") lines differ"
done
total=$(sed -n 's/^\([0-9]*\) dialogues$/\1/p' "$work/real")
cat "$work/different"
bad=$(sed 's/^.//; s/:   .*//' "$work/different" | sort -u | wc -l)
[ "${total:-0}" -gt 100 ] || { echo "only ${total:-0} dialogues"; exit 1; }
echo "$((100 * (total - bad) / total))%: Checks: $total, Failures: $((bad)), Errors: 0"
[ "$bad" = 0 ]
