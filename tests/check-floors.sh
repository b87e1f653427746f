#!/bin/sh
# tests/check-floors.sh -- a folder of the library is a floor: a file includes its own floor and those
# below it only.
#
# The order of the floors is the variable `floors` of Makefile.am, the lowest first. Each file in lib/
# is in one of them, is listed in Makefile.am, and names itself in its first line. A public header is on
# the floor of its noun. The kinds of one floor do not know each other: no file in lib/kind/ includes
# another one. lib/tls/ is a library of its own, and includes public headers and itself only.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

{
    sed -n 's/^floors *= *//p' Makefile.am
    echo ---
    grep -o 'lib/[a-z-]*/[a-z0-9-]*\.[ch]' Makefile.am
    echo ---
    find lib -name '*.[ch]' -print | LC_ALL=C sort
    echo ---
    { find lib include -name '*.[ch]' -print; find include -name '*.h.in' -print; } | LC_ALL=C sort |
        while read -r file; do
            echo "file $file"
            sed -n '1s/^/first /p' "$file"
            awk -v keep=1 -f "$here/uncomment.awk" "$file" |
                sed -n -e '/^[ \t]*#[ \t]*include/!d' -e '=;p' | sed -e 'N;s/\n/ /'
        done
} | awk '
function complain(where, what) { print where ": " what; bad = 1 }
function floor_of_header(name,    noun) {             # of a public header: by its noun
    noun = name; sub(/^pollux\//, "", noun); sub(/\.h$/, "", noun)
    if (noun == "socket") noun = "object"             # its struct is in lib/socket/object.h
    if (noun == "discovery") noun = "group"           # lib/wire/discovery.h has only the datagrams
    if (noun in of_noun) return of_noun[noun]
    sub(/s$/, "", noun)                               # events.h belongs to event.c
    return noun in of_noun ? of_noun[noun] : 1
}
$0 == "---" { part++; next }
part == 0 { for (i = 1; i <= NF; i++) floor[$i] = i; next }
part == 1 {
    if ($1 in listed) complain("Makefile.am:1", $1 " is listed twice")
    listed[$1] = 1
    next
}
part == 2 {
    split($1, word, "/"); noun = word[3]; sub(/\.[ch]$/, "", noun)
    present[$1] = 1
    if (!(word[2] in floor) || word[3] == "") { complain($1 ":1", "stands on no floor"); next }
    if (!($1 in listed)) complain($1 ":1", "not listed in Makefile.am")
    if (!(noun in of_noun) || floor[word[2]] < of_noun[noun]) of_noun[noun] = floor[word[2]]
    files++
    next
}
$1 == "file" {
    name = $2; split(name, word, "/")
    if (name ~ /^lib\//) { mine = floor[word[2]]; folder = word[2] }
    else {
        public = name; sub(/^include\//, "", public); sub(/\.in$/, "", public)
        mine = public == "pollux.h" ? 99 : floor_of_header(public); folder = ""
    }
    next
}
$1 == "first" {
    if (name ~ /^lib\// && $0 !~ "^first /\\* " name " -- .") complain(name ":1", "the first line is not \"/* " name " -- ...\"")
    next
}
{
    target = $0
    sub(/^[^<"]*/, "", target); quote = substr(target, 1, 1)
    target = substr($0, index($0, quote) + 1); sub(/[>"].*$/, "", target)
    where = name ":" $1
    if (quote == "\"") {
        split(target, word, "/")
        if (name !~ /^lib\//) complain(where, "a public header includes \"" target "\"")
        else if (target == "config.h") next
        else if (target ~ /\.c$/) complain(where, "includes the source " target)
        else if (target !~ /^lib\//) complain(where, "\"" target "\" is not written from the root (\"lib/...\")")
        else if (!(target in present)) complain(where, target " is not there")
        else if (floor[word[2]] > mine) complain(where, folder " is below " word[2] ", and includes " target)
        else if (folder == "kind" && word[2] == "kind") complain(where, "a kind includes " target)
        else if (folder == "tls" && word[2] != "tls") complain(where, "libpollux-tls includes " target)
        includes++
    } else if (target ~ /^pollux\//) {
        # The numbers of the options, nothing else: the door turns them into those of the kernel.
        if (name == "lib/os/os.h" && target == "pollux/option.h") next
        if (floor_of_header(target) > mine) complain(where, "includes <" target ">, which stands above")
        includes++
    } else if (target == "pollux.h") {
        complain(where, "the umbrella <pollux.h> is for users; include what is needed")
    }
}
END {
    for (file in listed) if (!(file in present)) complain("Makefile.am:1", file " is listed but not there")
    if (!files) complain("Makefile.am:1", "no floors found")
    printf "%d files on their floors, %d includes looked at\n", files, includes
    exit bad
}'
