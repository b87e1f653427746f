#!/bin/sh
# tests/test-dialogues.sh -- the simulated kernel of tests/sim/ answers as the real one does.
#
# Each dialogue of tests/sim/rows-*.h is played on both. A dialogue with a different answer is printed
# with the line of the real kernel (-) and that of the simulated one (+).
set -u
builddir=${builddir:-.}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

for kernel in real sim; do
    "$builddir/tests/sim/dialogues-$kernel" > "$work/$kernel" || { echo "dialogues-$kernel failed"; exit 1; }
done
total=$(sed -n 's/^\([0-9]*\) dialogues$/\1/p' "$work/real")
awk '/^[^ ]/ { name = $0 } { print name ": " $0 }' "$work/real" > "$work/real.named"
awk '/^[^ ]/ { name = $0 } { print name ": " $0 }' "$work/sim" > "$work/sim.named"
diff -U 0 "$work/real.named" "$work/sim.named" | grep '^[-+][^-+]' > "$work/different"
cat "$work/different"
bad=$(sed 's/^.//; s/:   .*//' "$work/different" | sort -u | wc -l)
[ "${total:-0}" -gt 100 ] || { echo "only ${total:-0} dialogues"; exit 1; }
echo "$((100 * (total - bad) / total))%: Checks: $total, Failures: $((bad)), Errors: 0"
[ "$bad" = 0 ]
