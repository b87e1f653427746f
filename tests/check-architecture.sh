#!/bin/sh
# tests/check-architecture.sh [--write] -- doc/architecture.md shows the library as it is.
#
# The drawing of the floors and the list of their files, between two markers of the page, are made from
# the tree: the floors and the purpose of each (the comment above its variable) from Makefile.am, the
# arrows from the includes. `sh tests/check-architecture.sh --write` writes them into the page.
#
# A block of ```calls has one function in each line: its file, its name, a note. Each function is defined
# in that file, and the body of the line above that is indented less calls it. A name in [brackets] is
# what that body calls instead, a function pointer; then the function is used as a value somewhere. The
# file (program) is the code of the program and is not checked.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

page=doc/architecture.md
begin='<!-- the drawing: made by tests/check-architecture.sh --write -->'
end='<!-- the end of the drawing -->'
status=0

sources() { find lib -name '*.[ch]' -print | LC_ALL=C sort; }

# One line for each floor, its purpose, each file and each include.
facts() {
    awk '/^floors *=/ { sub(/^floors *= */, ""); print "floors", $0 }
         /^#/ { comment = $0; sub(/^#+ */, "", comment) }
         /^lib_[a-z]+ *= *\\?$/ { name = $1; sub(/^lib_/, "", name); print "purpose", name, comment }' Makefile.am
    sources | while read -r file; do
        echo "file $file"
        awk -v keep=1 -f "$here/uncomment.awk" "$file" |
            sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\(lib\/[^"]*\)".*/include \1/p'
    done
}

draw() {
    facts | awk '
    function repeat(text, count,    out) { while (count-- > 0) out = out text; return out }
    function pad(text, width) { return text repeat(" ", width - length(text)) }
    function lane_at(target) { return place[target] * 3 }         # the column behind the box
    # What stands behind a box: in each lane that is open, a line; with `arrow` the arrow into the floor,
    # with `leave` the arrows that leave it.
    function lanes(at, arrow, leave,    out, target, last, i, cell) {
        for (target = n - 1; target >= 1; target--) {
            if (target < at && (at, target) in uses) last = lane_at(target)
        }
        for (i = 1; i <= used * 3; i++) {
            cell = leave && i < last ? "-" : " "
            for (target = n - 1; target >= 1; target--) {
                if (!place[target] || lane_at(target) != i) continue
                if (leave && (at, target) in uses) cell = "o"
                else if (target < at && open[target]) cell = "|"
                else if (target == at && open[target] && !leave) cell = arrow ? "+" : "|"
            }
            if (arrow && open[at] && i < lane_at(at)) cell = i == 1 ? "<" : "-"
            out = out cell
        }
        sub(/ +$/, "", out)
        return out
    }
    function print_files(name,    count, list, i, line) {
        count = split(nouns[name], list, " ")
        line = pad(name, 10)
        for (i = 1; i <= count; i++) {
            if (length(line) + 1 + length(list[i]) > 98) { print line; line = pad("", 10) }
            line = line " " list[i]
        }
        print line
    }
    BEGIN { width = 55 }
    $1 == "floors" { for (i = 2; i <= NF; i++) { floor[$i] = i - 1; name_of[i - 1] = $i } n = NF - 1 }
    $1 == "purpose" {
        text = $0; sub(/^purpose [a-z]+ /, "", text); sub(/\.$/, "", text)
        for (i = length(text); i > width || (i < length(text) && substr(text, i + 1, 1) != " "); i--) ;
        purpose[$2] = substr(text, 1, i)
        second[$2] = substr(text, i + 2)
        if (length(second[$2]) > width) {
            print "Makefile.am:1: the comment on lib_" $2 " is longer than two lines of a box" > "/dev/stderr"; exit 1
        }
    }
    $1 == "file" {
        split($2, word, "/"); folder = word[2]
        if (!(folder in floor)) { print "lib/" folder "/ is no floor" > "/dev/stderr"; exit 1 }
        noun = word[3]; sub(/\.[ch]$/, "", noun)
        if (!((folder, noun) in seen)) nouns[folder] = nouns[folder] " " noun
        seen[folder, noun] = 1
    }
    $1 == "include" {
        split($2, word, "/")
        if (word[2] != folder) uses[floor[folder], floor[word[2]]] = 1
    }
    END {
        for (target = n; target >= 1; target--) {
            for (at = n; at > target; at--) if ((at, target) in uses) break
            if (at > target) place[target] = ++used
        }
        edge = "+" repeat("-", width + 13) "+"
        for (at = n; at >= 1; at--) {
            print edge lanes(at, 0, 0)
            print "| " pad(name_of[at], 9) "  " pad(purpose[name_of[at]], width) " |" lanes(at, 1, 0)
            open[at] = 0
            print "| " pad("", 9) "  " pad(second[name_of[at]], width) " |" lanes(at, 0, 1)
            for (target = 1; target < at; target++) if ((at, target) in uses) open[target] = 1
        }
        print edge
        print ""
        for (at = n; at >= 1; at--) print_files(name_of[at])
    }'
}

drawing=$(draw) || exit 1
block=$(printf '```text\n%s\n```' "$drawing")

[ -f "$page" ] || { echo "$page:1: there is no such file"; exit 1; }
for marker in "$begin" "$end"; do
    [ "$(grep -cxF -e "$marker" "$page")" = 1 ] || { echo "$page:1: not exactly one line \"$marker\""; exit 1; }
done

if [ "${1-}" = --write ]; then
    new=$({ printf '%s\n' "$block"; echo @page; cat "$page"; } | awk -v begin="$begin" -v end="$end" '
        !reading && $0 == "@page" { reading = 1; next }
        !reading { block = block $0 "\n"; next }
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin { printf "%s", block; inside = 1 }') || exit 1
    printf '%s\n' "$new" > "$page"
    exit
fi

# ---- the drawing is that of this tree
there=$(awk -v begin="$begin" -v end="$end" '$0 == end { inside = 0 } inside { print } $0 == begin { inside = 1 }' "$page")
if [ "$there" != "$block" ]; then
    printf '%s\n' "$block" | awk -v page="$page" -v begin="$begin" '
        FILENAME == "-" { made[++count] = $0; next }
        inside && $0 != made[++at] { print page ":" FNR ": is   " $0; print page ":" FNR ": must " made[at]; exit }
        $0 == begin { inside = 1 }' - "$page"
    echo "$page: the drawing is not that of this tree; sh tests/check-architecture.sh --write writes it"
    status=1
fi

# ---- each function of the paths is there, and is called by the one above it
{
    awk '/^```/ { inside = $0 == "```calls"; next } inside && NF { print "@step", FNR, $0 }' "$page"
    sources | while read -r file; do
        echo "@file $file"
        awk -f "$here/uncomment.awk" "$file"
    done
} | awk -v page="$page" '
function complain(at, what) { print page ":" at ": " what; bad = 1 }
function has(text, name, after) { return match(text, "(^|[^A-Za-z_0-9])" name "[ \t]*" after) }
$1 == "@step" {
    n++; at[n] = $2; file[n] = $3; name[n] = $4
    text = $0; sub(/^@step [0-9]+ /, "", text)
    rest = substr(text, length($3) + 1); match(rest, /[^ ]/); column[n] = length($3) + RSTART
    if ($5 ~ /^\[[a-z_]+\]$/) slot[n] = substr($5, 2, length($5) - 2)
    for (above[n] = n - 1; above[n] > 0 && column[above[n]] >= column[n]; above[n]--) ;
    if (file[n] != "(program)") wanted[name[n]] = 1
    next
}
$1 == "@file" { source = $2; sub(/^lib\//, "", source); head = ""; current = ""; next }
/^[a-z]/ && /\(/ {
    head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head)
}
head != "" && /;$/ { head = "" }
/^[{]/ && head != "" { current = head; head = ""; present[source, current] = 1; next }
/^[}]/ { current = ""; next }
{
    if (current != "") body[source, current] = body[source, current] $0 "\n"
    for (each in wanted) {
        if (!(each in value) && index($0, each) && has($0, each, "([^A-Za-z_0-9( \t]|$)")) value[each] = 1
    }
}
END {
    for (i = 1; i <= n; i++) {
        known = file[i] != "(program)"
        if (known && !((file[i], name[i]) in present)) {
            complain(at[i], "lib/" file[i] " does not define " name[i])
        }
        if (!above[i] || file[above[i]] == "(program)") continue
        text = body[file[above[i]], name[above[i]]]
        if (slot[i] == "" && !has(text, name[i], "\\(")) {
            complain(at[i], name[above[i]] " does not call " name[i])
        } else if (slot[i] != "" && !has(text, slot[i], "[(,]")) {
            complain(at[i], name[above[i]] " does not call " slot[i])
        }
        if (known && slot[i] != "" && !(name[i] in value)) {
            complain(at[i], name[i] " is called by its name only")
        }
    }
    if (!n) complain(1, "no block of ```calls")
    printf "%d steps of the paths looked at\n", n
    exit bad
}' || status=1

exit $status
