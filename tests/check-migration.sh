#!/bin/sh
# tests/check-migration.sh [PAGE...] -- the tables of the pages doc/coming-from-*.md are whole and true.
#
# - A word in backquotes in a column "Pollux" is a member of a public struct or the end of a call's name
#   (`listen_on` of plx_server_listen_on), and under a heading "Signals" a member of plx_events; a word in
#   capitals (`CONNECTED`) is the end of a constant's name, unless it is an errno.
# - In a table with the columns "Pollux" and "what differs", a row with a dash for Pollux's name gives the
#   reason: "on purpose, because ...", or "not in this version".
# - Each member that tests/members.txt lists for a page has a row there: it is in backquotes in the
#   first column of a table of its section.
# What all pages have in common, names and links and blocks, is for tests/check-docs.sh.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
LC_ALL=C
export LC_ALL

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-migration.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

all=
if [ $# -eq 0 ]; then
    cd "$srcdir" || exit 1
    all=yes
    include=include
    set -- doc/coming-from-*.md
else
    include=$srcdir/include
fi
for page in "$@"; do
    [ -f "$page" ] || { echo "$page:1: there is no such page"; exit 1; }
done

# ---- what there is
for header in "$include"/pollux.h "$include"/pollux/*.h "$builddir"/include/pollux/*.h; do
    [ -f "$header" ] && awk -f "$here/uncomment.awk" "$header"
done | awk -f "$here/public.awk" > "$work/known"
[ -s "$work/known" ] || { echo "include/pollux.h:1: no public names found"; exit 1; }

# ---- the tables
for page in "$@"; do
    awk -v page="$page" -v known="$work/known" '
BEGIN {
    while ((getline line < known) > 0) {
        split(line, word, " ")
        if (word[1] == "end") ends[word[2]] = 1
        if (word[1] == "member") members[word[3]] = member[word[2], word[3]] = 1
    }
}
function complain(what) { print page ":" NR ": " what; bad = 1 }

# The words in backquotes of the column "Pollux".
function check_words(text,    part, parts, i, word) {
    parts = split(text, part, "`")
    for (i = 2; i <= parts; i += 2) {
        word = part[i]
        sub(/\(.*/, "", word)
        if (word ~ /^(plx|PLX)_/) {
            found++
        } else if (word ~ /^[a-z][a-z_0-9]*$/) {
            found++
            if (signals) {
                if (!(("plx_events", word) in member)) complain("plx_events has no member " word)
            } else if (!(word in members) && !(word in ends)) {
                complain(word " is no public member, and no public name ends in it")
            }
        } else if (word ~ /^[A-Z][A-Z_0-9]*$/ && word !~ /^E[A-Z0-9]+$/) {
            found++
            if (!(word in ends)) complain("no public name ends in " word)
        }
    }
}

/^```/ { fenced = !fenced; next }
fenced { next }
/^\|/ {
    cells = split($0, cell, "|")
    if (!in_table) {
        in_table = 1; column = reasons = 0
        for (i = 2; i < cells; i++) {
            head = cell[i]; gsub(/^[ \t]+|[ \t]+$/, "", head)
            if (head == "Pollux") column = i
            if (head == "what differs") reasons = i
        }
        next
    }
    if (column && reasons && cell[column] ~ /^ *\342\200\223 *$/ && cell[reasons] !~ /on purpose|not in this version/)
        complain("no reason why Pollux does not have" cell[2])
    if (column) check_words(cell[column])
    next
}
/^#/ { signals = /^#+ Signals$/ }
{ in_table = 0 }
END {
    if (!found) complain("no name of Pollux at all")
    printf "%s: %d names\n", page, found
    exit bad
}' "$page" || : > "$work/failed"
done

# ---- the members
[ -z "$all" ] || awk '
function check_section(    i, count, member) {
    count = split(wanted[page, section], member, " ")
    for (i = 1; i <= count; i++)
        if (!(member[i] in rows)) { print page ":" line ": no row for " member[i] " in \"" section "\""; bad = 1 }
    members += count
    if (count) checked++
    split("", rows)
}
# The words in backquotes of a first column: System.NetworkInterface, connectToHost(name, port).
function add_rows(cell,    part, parts, i, word) {
    parts = split(cell, part, "`")
    for (i = 2; i <= parts; i += 2) {
        word = part[i]
        sub(/\(.*/, "", word); sub(/^.*[.: ]/, "", word)
        rows[word] = 1
    }
}
FILENAME ~ /members\.txt$/ {
    if (/^#/ || /^$/) next
    if ($1 == "@page") listed = $2
    else if (/^[^ ].*:$/) { heading = substr($0, 1, length($0) - 1); sections++ }
    else wanted[listed, heading] = wanted[listed, heading] $0 " "
    next
}
FNR == 1 { check_section(); page = FILENAME; section = "" }
/^## / { check_section(); section = substr($0, 4) }
{ line = FNR }
/^\|/ { split($0, column, "|"); add_rows(column[2]) }
END {
    check_section()
    if (checked != sections) { print "tests/members.txt:1: " sections - checked " sections are on no page"; bad = 1 }
    printf "%d members have a row\n", members
    exit bad
}' tests/members.txt doc/coming-from-*.md || : > "$work/failed"

[ ! -f "$work/failed" ]
