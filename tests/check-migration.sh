#!/bin/sh
# tests/check-migration.sh [PAGE...] -- every name in the pages for users exists.
#
# Without arguments it reads README.md, SECURITY.md, doc/guide.md, doc/cheat-sheet.md, doc/coming-from-*.md,
# doc/discovery.md, doc/groups.md and doc/tls.md. In each page
# - every plx_... and PLX_... is a name of the public headers (their comments do not count); one that
#   ends in an ellipsis (PLX_REASON_…) is the beginning of at least one;
# - the word after a struct and a dot (plx_error.reason) is a member of the struct;
# - a word in backquotes (`data_available`, `.size`, `listen_on`) is a member of a public struct or the
#   end of a call's name (plx_server_listen_on), if it is in a table's column "Pollux", or anywhere but
#   in a table's first column if it has an underscore; under a heading "Signals" the column "Pollux"
#   holds members of plx_events only; a word in capitals (`CONNECTED`) in that column is the end of a
#   constant's name, unless it is an errno;
# - in a table with the columns "Pollux" and "what differs", a row with a dash for Pollux's name gives the
#   reason: "on purpose, because ...", or "not in this version";
# - every block of C compiles.
# Each member that tests/members.txt lists for a page has a row there: it stands in backquotes in the
# first column of a table of its section.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
CC=${CC:-cc}
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
    set -- README.md SECURITY.md doc/guide.md doc/cheat-sheet.md doc/coming-from-*.md doc/discovery.md doc/groups.md doc/tls.md
else
    include=$srcdir/include
fi
for page in "$@"; do
    [ -f "$page" ] || { echo "$page:1: there is no such page"; exit 1; }
done

# ---- what there is: "name plx_read" and "member plx_error reason"
for header in "$include"/pollux.h "$include"/pollux/*.h "$builddir"/include/pollux/*.h; do
    [ -f "$header" ] && awk -f "$here/uncomment.awk" "$header"
done | awk '
{
    text = $0
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        if (name ~ /^(plx|PLX)_/ && !(name in seen)) { seen[name] = 1; print "name", name }
    }
}
# A declaration ends at its semicolon, which may be on a later line.
function declare(declaration,    part, parts, i) {
    if (match(declaration, /\(\*[ \t]*[a-z_0-9]+\)/)) {
        declaration = substr(declaration, RSTART, RLENGTH); gsub(/[^a-z_0-9]/, "", declaration)
        print "member", struct, declaration
        return
    }
    parts = split(declaration, part, ",")
    for (i = 1; i <= parts; i++) {
        sub(/[ \t]*(\[.*|:.*)?$/, "", part[i]); sub(/.*[^A-Za-z_0-9]/, "", part[i])
        if (part[i] != "") print "member", struct, part[i]
    }
}
/^typedef struct [a-z_0-9]+ {/ { struct = $3; declaration = ""; next }
struct != "" && /^}/ { struct = ""; next }
struct != "" {
    declaration = declaration " " $0
    while ((at = index(declaration, ";")) > 0) {
        declare(substr(declaration, 1, at - 1))
        declaration = substr(declaration, at + 1)
    }
}' > "$work/known"
[ -s "$work/known" ] || { echo "include/pollux.h:1: no public names found"; exit 1; }

# ---- the names in the pages; their blocks of C go into files of their own
for page in "$@"; do
    awk -v page="$page" -v known="$work/known" -v blocks="$work/block-$(basename "$page" .md)" '
BEGIN {
    ellipsis = "\342\200\246"
    while ((getline line < known) > 0) {
        split(line, word, " ")
        if (word[1] == "name") {
            names[word[2]] = 1
            # plx_server_listen_on ends in server_listen_on, listen_on and on.
            rest = word[2]
            while ((at = index(rest, "_")) > 0) { rest = substr(rest, at + 1); ends[rest] = 1 }
        } else {
            structs[word[2]] = members[word[3]] = member[word[2], word[3]] = 1
        }
    }
}
function complain(what) { print page ":" NR ": " what; bad = 1 }

function begins(prefix,    name) {
    for (name in names) if (index(name, prefix) == 1) return 1
    return 0
}

# Every name of Pollux in a line, with what follows it: a member, an ellipsis, or neither.
function check_names(text,    name, field) {
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        if (name !~ /^(plx|PLX)_/) continue
        found++
        if (index(text, ellipsis) == 1) {
            if (!begins(name)) complain("no public name begins with " name)
        } else if (!(name in names)) {
            complain(name " is in no public header")
        } else if ((name in structs) && match(text, /^\.[a-z_][a-z_0-9]*/)) {
            field = substr(text, 2, RLENGTH - 1)
            if (!((name, field) in member)) complain(name " has no member " field)
        }
    }
}

# The words in backquotes. `ours`: in the column "Pollux".
function check_words(text, ours,    part, parts, i, word) {
    parts = split(text, part, "`")
    for (i = 2; i <= parts; i += 2) {
        word = part[i]
        sub(/\(.*/, "", word)
        if (word ~ /^\.[a-z_0-9]+$/) {
            if (!(substr(word, 2) in members)) complain("no public struct has a member " substr(word, 2))
        } else if (word ~ /^(plx|PLX)_/) {
            continue
        } else if (word ~ /^[a-z][a-z_0-9]*$/ && (ours || word ~ /_/)) {
            found++
            if (ours && signals) {
                if (!(("plx_events", word) in member)) complain("plx_events has no member " word)
            } else if (!(word in members) && !(word in ends)) {
                complain(word " is no public member, and no public name ends in it")
            }
        } else if (ours && word ~ /^[A-Z][A-Z_0-9]*$/ && word !~ /^E[A-Z0-9]+$/) {
            found++
            if (!(word in ends)) complain("no public name ends in " word)
        }
    }
}

/^[ \t]*```/ {
    fenced = !fenced
    compile = fenced && $0 ~ /^[ \t]*```c[ \t]*$/
    if (compile) {
        file = blocks "-" ++count ".c"
        printf "#include <pollux.h>\n#line %d \"%s\"\n", NR + 1, page > file
    } else if (!fenced && file != "") {
        close(file); file = ""
    }
    next
}
{ check_names($0) }
fenced { if (compile) print > file; next }
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
    for (i = 3; i < cells; i++) check_words(cell[i], i == column)
    next
}
/^#/ { signals = /^#+ Signals$/ }
{ in_table = 0; check_words($0, 0) }
END {
    if (fenced) complain("a block that is not closed")
    if (!found) complain("no name of Pollux at all")
    printf "%s: %d names, %d blocks of C\n", page, found, count
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

# ---- the blocks
for block in "$work"/block-*.c; do
    [ -f "$block" ] || continue
    # shellcheck disable=SC2086 # the compiler may come with arguments
    if ! $CC -std=c99 -D_POSIX_C_SOURCE=200809L -pedantic -Wall -Wextra -Werror -Wno-unused-function \
        -Wno-unused-variable -I"$include" -I"$builddir/include" -fsyntax-only "$block" > "$work/out" 2>&1; then
        cat "$work/out"
        : > "$work/failed"
    fi
done

[ ! -f "$work/failed" ]
