#!/bin/sh
# tests/check-floors.sh -- a file of the library includes its own floor and lower ones only.
#
# The floors are the variables floor0 ... of Makefile.am. They must name every file in lib/, and the
# number in a file's first line must be the same. A public header stands on the floor of its noun.
# A file in lib/noun/ may include lib/noun.h but none of its siblings.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

floors=$(awk '
    { sub(/[ \t]*#.*/, "") }
    match($0, /^floor[0-9]+[ \t]*\+?=/) { floor = substr($0, 6) + 0; sub(/^[^=]*=/, ""); more = 1 }
    more {
        more = sub(/\\[ \t]*$/, "")
        n = split($0, file, /[ \t]+/)
        for (i = 1; i <= n; i++) if (file[i] != "") print file[i], floor
    }' Makefile.am)

{
    printf '%s\n' "$floors"
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
function floor_of(name,    noun, f) {                 # of a public header: by its noun
    noun = name; sub(/^pollux\//, "", noun); sub(/\.h$/, "", noun)
    if (("noun " noun) in floor) return floor["noun " noun]
    sub(/s$/, "", noun)                               # events.h belongs to lib/event.c
    return ("noun " noun) in floor ? floor["noun " noun] : 0
}
$0 == "---" { part++; next }
part == 0 && NF == 2 {
    if ($1 in floor) complain("Makefile.am:1", $1 " stands on floor " floor[$1] " and on floor " $2)
    floor[$1] = $2; files++
    noun = $1; sub(/.*\//, "", noun); sub(/\.[ch]$/, "", noun)
    if (!(("noun " noun) in floor) || split($1, word, "/") == 2) floor["noun " noun] = $2
    next
}
part == 1 {
    present[$1] = 1
    if (!($1 in floor)) complain($1 ":1", "not listed in any floor of Makefile.am")
    next
}
part == 2 && $1 == "file" {
    name = $2; folder = ""
    if (name ~ /^lib\//) {
        mine = (name in floor) ? floor[name] : 99        # reported above
        if (split(name, word, "/") == 3) folder = "lib/" word[2] "/"
    } else {
        public = name; sub(/^include\//, "", public); sub(/\.in$/, "", public)
        mine = public == "pollux.h" ? 99 : floor_of(public)
    }
    next
}
part == 2 && $1 == "first" {
    if (name !~ /^lib\// || !(name in floor)) next
    if ($0 !~ "^first /\\* " name " -- floor [0-9]+: .") complain(name ":1", "the first line is not \"/* " name " -- floor " mine ": ...\"")
    else if ($0 !~ "-- floor " mine ":") complain(name ":1", "Makefile.am has it on floor " mine)
    next
}
part == 2 {
    line = $1; target = $0
    sub(/^[^<"]*/, "", target); quote = substr(target, 1, 1); sub(/[>"].*$/, "", target)
    target = substr($0, index($0, quote) + 1); sub(/[>"].*$/, "", target)
    where = name ":" line
    if (quote == "\"") {
        if (name !~ /^lib\//) complain(where, "a public header includes \"" target "\"")
        else if (target == "config.h") next
        else if (target ~ /\.c$/) complain(where, "includes the source " target)
        else if (target !~ /^lib\//) complain(where, "\"" target "\" is not written from the root (\"lib/...\")")
        else if (!(target in present)) complain(where, target " is not there")
        else if ((target in floor) && floor[target] > mine) complain(where, "floor " mine " includes " target " of floor " floor[target])
        else if (folder != "" && index(target, folder) == 1) complain(where, "includes its sibling " target)
        includes++
    } else if (target ~ /^pollux\//) {
        # The numbers of the options, nothing else: the door turns them into those of the system.
        if (name == "lib/os.h" && target == "pollux/socket.h") next
        if (floor_of(target) > mine) complain(where, "floor " mine " includes <" target "> of floor " floor_of(target))
        includes++
    } else if (target == "pollux.h") {
        complain(where, "the umbrella <pollux.h> is for users; include what is needed")
    }
}
END {
    for (file in floor) if (file ~ /\// && !(file in present)) complain("Makefile.am:1", file " is listed but not there")
    if (!files) complain("Makefile.am:1", "no floors found")
    printf "%d files on their floors, %d includes looked at\n", files, includes
    exit bad
}'
