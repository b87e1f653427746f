#!/bin/sh
# tests/check-circles.sh -- no circle in the library: none of functions across files, none of files.
#
# Three graphs, of the sources that Makefile.am lists; a circle is printed with the arrows that make it:
# - which function calls which. A function may call itself within its own file.
# - which source calls functions of which.
# - which file includes which, where x.h and x.c are one file. lib/socket/object.h defines the socket, with
#   what its parts keep in it: it includes headers of them and all of them include it. An include of
#   object.h is not counted.
#
# The calls are read from the objects (objdump -dr), so that the compiled code counts. A call through a
# table does not count: a lower floor calls a higher one in that way.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
OBJDUMP=${OBJDUMP:-objdump}
cd "$builddir" || exit 1

command -v "$OBJDUMP" > /dev/null 2>&1 || { echo "SKIP: no objdump here (package binutils)"; exit 77; }

# A line for each source: its name, and whether it is built always or depends on a feature.
sources() {
    awk '/^if /{ depth++ } /^endif/{ depth-- }
         { line = $0
           while (match(line, /lib\/[a-z-]+\/[a-z0-9-]+\.c/)) {
               print substr(line, RSTART, RLENGTH), depth ? "maybe" : "always"
               line = substr(line, RSTART + RLENGTH)
           } }' "$srcdir/Makefile.am"
}

# Disassembles each source's object, whichever kinds of objects libtool builds. An object of a source
# that Makefile.am does not list is a left-over and does not count.
disassemble() {
    sources | while read -r source built; do
        folder=${source%/*} noun=${source##*/}; noun=${noun%.c}
        for object in "$folder"/libpollux_*_la-"$noun.o" "$folder"/.libs/libpollux_*_la-"$noun.o" ""; do
            [ -f "$object" ] && break
        done
        if [ -n "$object" ]; then
            echo "@source $source"
            "$OBJDUMP" -t "$object" | awk '$2 == "l" && $3 == "F" { print "@local", $NF }
                                           $2 == "g" && $3 == "F" { print "@global", $NF }'
            "$OBJDUMP" -dr --no-show-raw-insn "$object"
        elif [ "$built" = always ]; then
            echo "@missing $source"
        fi
    done
}

# Arrows "source:function source:function". A part that the compiler split off belongs to its function.
calls() {
    disassemble | awk '
    function whole(name) { gsub(/\.(part|cold|constprop|isra|localalias)(\.[0-9]+)*/, "", name); return name }
    function full(name) { return (source, name) in is_local && !((source, name) in is_global) ? source ":" name : name }
    # An instruction names where it leads; one with a relocation leads where that says.
    function pass() { if (pending != "") arrow(pending); pending = "" }
    function arrow(name) {
        name = full(whole(name))
        if (current != "" && !((current, name) in seen)) {
            seen[current, name] = 1
            from[++arrows] = current; to[arrows] = name
        }
    }
    /R_[A-Z0-9_]+/ {
        name = $NF; sub(/[-+]0x[0-9a-f]+$/, "", name); pending = ""
        if (name !~ /^\./) arrow(name)
        next
    }
    { pass() }
    $1 == "@missing" { print "@missing", $2; next }
    $1 == "@source" { source = $2; current = ""; next }
    $1 == "@local" { is_local[source, whole($2)] = 1; next }
    $1 == "@global" { is_global[source, whole($2)] = 1; next }
    /^[0-9a-f]+ <[^>]+>:$/ {
        name = $2; gsub(/[<>:]/, "", name)
        current = full(whole(name)); home[current] = source
        next
    }
    /<[A-Za-z_][A-Za-z_0-9.]*>$/ { name = $NF; gsub(/[<>]/, "", name); pending = name }
    function node(name) { return index(name, ":") ? name : home[name] ":" name }
    END {
        for (name in home) print "@function"
        for (i = 1; i <= arrows; i++) if (to[i] in home) print node(from[i]), node(to[i])
    }'
}

# Arrows "folder/noun folder/noun".
includes() {
    { cd "$srcdir" && find lib -name '*.[ch]' -print; } | LC_ALL=C sort | while read -r file; do
        awk -v keep=1 -f "$srcdir/tests/uncomment.awk" "$srcdir/$file" | awk -v file="$file" '
            match($0, /^[ \t]*#[ \t]*include[ \t]*"lib\/[^"]*"/) {
                target = $0; sub(/^[^"]*"/, "", target); sub(/".*$/, "", target)
                if (target == "lib/socket/object.h") next
                from = file; sub(/\.[ch]$/, "", from); sub(/\.[ch]$/, "", target)
                if (from != target) print from, target
            }'
    done
}

calls=$(calls)
missing=$(printf '%s\n' "$calls" | sed -n 's/^@missing //p')
[ -z "$missing" ] || { echo "no object in $builddir, build first:" $missing; exit 1; }
functions=$(printf '%s\n' "$calls" | grep -c '^@function')
arrows=$(printf '%s\n' "$calls" | grep -v '^@')
[ -n "$arrows" ] || { echo "no calls found in the objects in $builddir"; exit 1; }
files=$(printf '%s\n' "$arrows" | awk '
    { split($1, a, ":"); split($2, b, ":") }
    a[1] != b[1] && !((a[1], $2) in seen) { seen[a[1], $2] = 1; print a[1], b[1], b[2] }')
included=$(includes)

status=0
printf '%s\n' "$arrows" | awk -v what=functions -f "$srcdir/tests/circles.awk" || status=1
printf '%s\n' "$files" | awk -v what="files, by calls" -f "$srcdir/tests/circles.awk" || status=1
printf '%s\n' "$included" | awk -v what="files, by includes" -f "$srcdir/tests/circles.awk" || status=1
printf '%d functions, %d calls between files, %d includes looked at\n' "$functions" \
    "$(printf '%s\n' "$files" | wc -l)" "$(printf '%s\n' "$included" | wc -l)"
exit $status
