#!/bin/sh
# tests/check-exports.sh -- the shared library exports exactly the symbols that include/ marks PLX_API.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
srcdir=$(cd "$srcdir" && pwd) || exit 1
builddir=${builddir:-.}
NM=${NM:-nm}

library=
for candidate in "$builddir"/.libs/libpollux.so "$builddir"/.libs/libpollux.dylib; do
    [ -e "$candidate" ] && library=$candidate
done
if [ -z "$library" ]; then
    echo "SKIP: there is no shared library in $builddir/.libs (configured with --disable-shared?)"
    exit 77
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-exports.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

{ find "$srcdir/include" "$builddir/include" -name '*.h' -print; } | LC_ALL=C sort -u | while read -r file; do
    echo "@file ${file#"$srcdir"/}"
    awk -f "$srcdir/tests/uncomment.awk" "$file"
done | awk '
$1 == "@file" { file = $2; line = 0; open = 0; next }
{ line++ }
/^[ \t]*#/ { next }
{
    text = $0
    if (!open && match(text, /(^|[^A-Za-z_0-9])PLX_API([^A-Za-z_0-9]|$)/)) {
        text = substr(text, RSTART + RLENGTH); open = 1; where = file ":" line; all = ""
    }
    if (!open) next
    all = all " " text
    if (all !~ /[;{]/) next
    open = 0
    if (match(all, /plx_[a-z0-9_]+[ \t]*\(/)) name = substr(all, RSTART, RLENGTH)
    else { sub(/[;=\[{].*/, "", all); sub(/[ \t]+$/, "", all); n = split(all, word, /[ \t*]+/); name = word[n] }
    sub(/[ \t]*\($/, "", name)
    print name, where
}' | LC_ALL=C sort -u -k1,1 > "$work/marked"

$NM -D --defined-only "$library" > "$work/nm" || exit 1
awk '$NF !~ /^(_init|_fini|_edata|_end|__bss_start)$/ { sub(/@.*/, "", $NF); print $NF }' "$work/nm" |
    LC_ALL=C sort -u > "$work/exported"

awk -v library="${library#"$builddir"/}" '
FILENAME ~ /marked$/ { where[$1] = $2; marked++; next }
{ exported[$1] = 1; count++; if (!($1 in where)) { print library ": exports " $1 ", which no header marks PLX_API"; bad = 1 } }
END {
    for (name in where) if (!(name in exported)) { print where[name] ": " name " is marked PLX_API but not exported"; bad = 1 }
    printf "%d symbols exported, %d marked\n", count, marked
    exit (bad || !marked)
}' "$work/marked" "$work/exported"
