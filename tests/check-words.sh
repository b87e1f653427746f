#!/bin/sh
# tests/check-words.sh [FILE...] -- the words that comments, printed lines and pages do not use.
#
# They are listed in CONTRIBUTING.md under "English", the one section that may name them, and in the
# table below. Of C only comments and strings are read. A phrase is found across the end of a line.
# "System call", "filesystem" and "operating system" are not "the system". The names of functions in a
# block of ```calls (doc/architecture.md) are those of the code.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

folders='include lib doc examples'
pages='README.md CHANGES.md CONTRIBUTING.md SECURITY.md Makefile.am configure.ac quickstart'

if [ $# -eq 0 ]; then
    for folder in $folders; do
        [ -d "$folder" ] || { echo "$folder:1: there is no such folder"; exit 1; }
    done
    # shellcheck disable=SC2046,SC2086 # names without blanks
    set -- $(find $folders tests -name '*.[ch]' -o -name '*.cc' -o -name '*.h.in' -o -name '*.md' -o -name '*.[37]' | LC_ALL=C sort) \
        $pages $(find tests -name '*.sh' ! -name check-words.sh -o -name '*.awk' | LC_ALL=C sort) \
        tests/bench/run tests/bench/document
fi

for file in "$@"; do
    [ -f "$file" ] || { echo "$file:1: there is no such file"; exit 1; }
    echo "@file $file"
    case $file in
        *.[ch] | *.cc | *.h.in) awk -v prose=1 -f "$here/uncomment.awk" "$file" ;;
        *) cat "$file" ;;
    esac
done | awk '
function rule(words, instead) { pattern[++rules] = " (" words ") "; advice[rules] = instead }
BEGIN {
    rule("told|tell|tells|telling", "reports, is reported, distinguishes")
    rule("news", "pending events")
    rule("come to|comes to|came to|has come|have come", "arrives, reaches, becomes")
    rule("take in|takes in", "receives, reads")
    rule("the system|the system'\''s", "the kernel")
    rule("a text|one text", "a string")
    rule("look-up|look-ups", "lookup")
    rule("mend|mends|mended", "fix")
    rule("want of", "lack of, there is no")
    rule("to be had", "available")
    rule("so many", "a number, that number")
    rule("the like", "similar")
    rule("as it were", "nothing")
    rule("says so", "reports it")
    rule("whoever", "the one that")
    rule("nobody who|somebody who|anybody who|sockets? who|peers? who|programs? who|process who|processes who", "that, which")
}
function plain(line) {
    line = tolower(line)
    gsub(/[^a-z0-9_'\''-]+/, " ", line)
    line = " " line " "
    gsub(/ the system calls? /, " ", line)
    gsub(/ +/, " ", line)
    return line
}
function found(line, i) { return match(line, pattern[i]) ? substr(line, RSTART + 1, RLENGTH - 2) : "" }
/^```/ { calls = $0 == "```calls" }
calls && NF { $2 = ""; sub(/\[[a-z_]+\]/, "") }
$1 == "@file" { file = $2; line = calls = 0; before = " "; exempt = 0; files++; next }
{ line++; here = plain($0) }
file == "CONTRIBUTING.md" && /^## / { exempt = $2 == "English" }
exempt { before = " "; next }
{
    both = before substr(here, 2)
    gsub(/ the system calls? /, " ", both)
    for (i = 1; i <= rules; i++) {
        word = found(here, i)
        if (word == "" && found(before, i) == "") word = found(both, i)
        if (word != "") { print file ":" line ": \"" word "\": write " advice[i]; bad++ }
    }
    before = here
}
END {
    printf "%d files: %d words that are not used here\n", files, bad
    exit (bad || !files)
}'
