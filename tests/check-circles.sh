#!/bin/sh
# tests/check-circles.sh -- no function of the library calls itself by way of another file.
#
# Reads who calls whom out of the objects (objdump -dr), so that what counts is what was compiled. A call
# through a table is none here: that is how a lower floor reaches a higher one. A function may call itself
# within its own file.
set -u
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
OBJDUMP=${OBJDUMP:-objdump}
cd "$builddir" || exit 1

command -v "$OBJDUMP" > /dev/null 2>&1 || { echo "SKIP: no objdump here (package binutils)"; exit 77; }
objects=$(find lib -path '*/.libs/*' -prune -o -name '*.o' -print | LC_ALL=C sort)
[ -n "$objects" ] || objects=$(find lib -name '*.o' -print | LC_ALL=C sort)
[ -n "$objects" ] || { echo "no objects in $builddir/lib: build first"; exit 1; }

for object in $objects; do
    echo "@object $object"
    # Local functions first: two files may each have one of a name.
    "$OBJDUMP" -t "$object" | awk '$2 == "l" && $3 == "F" { print "@local " $NF }'
    "$OBJDUMP" -dr --no-show-raw-insn "$object"
done | awk '
function full(name) { return ((object " " name) in is_local) ? object ":" name : name }
function edge(name) {
    name = full(name)
    if (current != "" && !((current SUBSEP name) in seen)) {
        seen[current, name] = 1
        calls[current] = calls[current] " " name
    }
}
# Tarjan: strongly connected components, of which those of several files are circles.
function visit(v,    n, list, i, w, files, count, text) {
    number[v] = low[v] = ++order
    stack[++top] = v; on_stack[v] = 1
    n = split(calls[v], list, " ")
    for (i = 1; i <= n; i++) {
        w = list[i]
        if (!(w in home)) continue
        if (!(w in number)) { visit(w); if (low[w] < low[v]) low[v] = low[w] }
        else if (on_stack[w] && number[w] < low[v]) low[v] = number[w]
    }
    if (low[v] != number[v]) return
    text = ""; count = 0; split("", files)
    do {
        w = stack[top--]; on_stack[w] = 0
        if (!(home[w] in files)) { files[home[w]] = 1; count++ }
        text = text " " w
    } while (w != v)
    if (count > 1) { print "a circle of functions:" text; bad = 1 }
}
$1 == "@object" { object = $2; current = ""; next }
$1 == "@local" { is_local[object " " $2] = 1; next }
/^[0-9a-f]+ <[^>]+>:$/ {
    name = $2; gsub(/[<>:]/, "", name); sub(/\.(part|cold|constprop|isra)\..*$/, "", name); sub(/\.cold$/, "", name)
    current = full(name); home[current] = object; functions[current] = 1
    next
}
/R_[A-Z0-9_]+/ { name = $NF; sub(/[-+]0x[0-9a-f]+$/, "", name); if (name !~ /^\./) edge(name); next }
/<[A-Za-z_][A-Za-z_0-9.]*>$/ { name = $NF; gsub(/[<>]/, "", name); sub(/\.(part|cold|constprop|isra)\..*$/, "", name); edge(name) }
END {
    for (v in functions) { total++; if (!(v in number)) visit(v) }
    printf "%d functions\n", total
    exit (bad || !total)
}'
