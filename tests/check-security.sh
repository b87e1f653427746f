#!/bin/sh
# tests/check-security.sh [PAGE] -- every claim of SECURITY.md names a test that make check runs.
#
# - A row of a table with the column "shown by" names at least one test there.
# - `test-hostile/random_bytes` is a case of a program of `test_programs` or `tls_test_programs`
#   (Makefile.am): a macro with CASE or EACH in its name begins with that name in a source of the program.
# - `fuzz-answers` is a program of `fuzz_programs`, and its corpus has an input.
# The last line counts the rows and the tests.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
cd "$srcdir" || exit 1
page=${1:-SECURITY.md}
[ -f "$page" ] || { echo "$page:1: there is no such page"; exit 1; }

# ---- "test-hostile tests/test-hostile.c", a line for each source of each program
sources()
{
    awk '
    {
        line = $0
        if (!goes_on) {
            name = ""
            if (match(line, /^[A-Za-z0-9_]+ *\+?=/)) {
                name = substr(line, 1, RLENGTH); sub(/ *\+?=$/, "", name)
                line = substr(line, RLENGTH + 1)
            }
        }
        goes_on = sub(/\\$/, "", line)
        if (name != "") list[name] = list[name] " " line
    }
    END {
        count = split(list["test_programs"] " " list["tls_test_programs"] " " list["fuzz_programs"], program, " ")
        for (i = 1; i <= count; i++) {
            short = variable = program[i]
            sub(/.*\//, "", short); gsub(/[^a-z0-9]/, "_", variable)
            files = list[variable "_SOURCES"]
            if (files == "") files = program[i] ".c"
            parts = split(files, file, " ")
            for (k = 1; k <= parts; k++) if (file[k] ~ /\.c$/) print short, file[k]
        }
    }' Makefile.am
}

# ---- "test-hostile/random_bytes", a line for each case; "fuzz-answers", a line for each target
known=$(mktemp "${TMPDIR:-/tmp}/pollux-security.XXXXXX") || exit 1
trap 'rm -f "$known"' EXIT
trap 'exit 1' HUP INT TERM
sources | while read -r program source; do
    corpus=tests/fuzz/corpus/${program#fuzz-}.txt
    case $program in
        fuzz-*) grep -q '^[^#]' "$corpus" 2> /dev/null && echo "$program" ;;
        *) sed -n "s/^[A-Z_]*\(CASE\|EACH\)[A-Z_]*(\([a-z_0-9]*\)[,)].*/$program\/\2/p" "$source" ;;
    esac
done > "$known"

awk -v page="$page" -v known="$known" '
BEGIN { while ((getline line < known) > 0) there[line] = 1 }
function complain(what) { print page ":" NR ": " what; bad = 1 }
function check(text,    part, parts, i, named) {
    parts = split(text, part, "`")
    for (i = 2; i <= parts; i += 2) {
        if (part[i] !~ /^test-[a-z0-9-]*\/[a-z0-9_]*$/ && part[i] !~ /^fuzz-[a-z]*$/) continue
        named++; tests++
        if (!(part[i] in there)) complain("there is no test " part[i])
    }
    return named
}
/^\|/ {
    cells = split($0, cell, "|")
    if (!in_table) { in_table = 1; shown = cell[cells - 1] ~ /^ *shown by *$/; next }
    if (cell[2] ~ /^-+$/) next
    if (shown) rows++
    if (!check($0) && shown) complain("a row without a test")
    next
}
{ in_table = 0; check($0) }
END {
    printf "%s: %d rows, %d tests\n", page, rows, tests
    exit (bad || rows < 40 || tests < 80)
}' "$page"
