#!/bin/sh
# tests/check-names.sh -- the rules of naming, and how long functions and files may be.
#
# No type of ours ends in _t (POSIX owns those). A static function in a .c file carries no prefix.
# plx__ (internal) is never exported. No file is called utils, common, misc, helper or manager. No
# function in lib/ has more than 40 lines, no file more than 500; the median is reported. No test
# names START_TEST: the macros that register a case do (tests/suite.h).
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
NM=${NM:-nm}
cd "$srcdir" || exit 1
status=0

folders=
for folder in lib include tests examples doc; do
    [ -d "$folder" ] && folders="$folders $folder"
done

# ---- names of files
bad=$(find $folders -print | awk '{
    name = tolower($0); sub(/.*\//, "", name); sub(/\..*/, "", name)
    n = split(name, word, /[-_]/)
    for (i = 1; i <= n; i++)
        if (word[i] ~ /^(util|utils|utility|utilities|common|misc|helper|helpers|manager|managers)$/) {
            print $0 ":1: a name that says nothing"; break
        }
}')
[ -z "$bad" ] || { printf '%s\n' "$bad"; status=1; }

# ---- cases: the macros that define one register it, and nobody else speaks to Check
bad=$(grep -rnE '(^|[^A-Za-z_0-9])(START_TEST|tcase_[a-z_]+|suite_create|srunner_create)[ \t]*\(' tests \
    --include='*.c' --include='*.h' | grep -vE '^tests/(suite|world)\.[ch]:')
[ -z "$bad" ] || { printf '%s\n' "$bad" | sed 's/$/  <- a case registers itself (tests\/suite.h)/'; status=1; }

# ---- names in the code, and lengths
find lib include tests examples -name '*.[ch]' -print 2>/dev/null | LC_ALL=C sort | while read -r file; do
    echo "@file $file"
    awk -f "$here/uncomment.awk" "$file"
done | awk '
function complain(at, what) { print file ":" at ": " what; bad = 1 }
function end_of_file() {
    if (file == "") return
    if (file ~ /^(lib|include)\// && line > 500) complain(line, line " lines; 500 is the limit")
    if (inside) complain(start, "the function does not end with a } in the first column")
}
$1 == "@file" { end_of_file(); file = $2; line = static_line = start = inside = 0; files++; source = file ~ /^lib\/.*\.c$/; next }
{ line++ }

# types
/(^|[^A-Za-z_0-9])(struct|union|enum)[ \t]+[A-Za-z_0-9]+_t([^A-Za-z_0-9]|$)/ { complain(line, "a type that ends in _t") }
/(^|[^A-Za-z_0-9])typedef([^A-Za-z_0-9]|$)/ { declaring = 1; members = 0 }
declaring {
    if (/\{/) members = 1
    if ($0 ~ /[A-Za-z_0-9]+_t[ \t]*(\[[^]]*\][ \t]*)?;/ && ($0 ~ /^}/ || $0 ~ /typedef/)) complain(line, "a type that ends in _t")
    else if ($0 ~ /\(\*?[ \t]*[A-Za-z_0-9]+_t[ \t]*\)[ \t]*\(/) complain(line, "a type that ends in _t")
    if ($0 ~ /typedef.*;/ || $0 ~ /^}.*;/ || (!members && /;/)) declaring = 0
}

# static functions of the library, declared or defined; the name may be on the second line
source && /^static / { static_line = line; signature = "" }
source && static_line {
    signature = signature " " $0
    if (signature ~ /[=(;{]/) {
        if (match(signature, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(/)) {
            name = substr(signature, RSTART, RLENGTH); sub(/[ \t]*\($/, "", name)
            if (name ~ /^(plx|PLX)_/) complain(static_line, "static " name "() carries a prefix")
        }
        static_line = 0
    }
}

# functions: a signature in the first column, a { of its own, a } in the first column
file !~ /^lib\// { next }
/^{[ \t]*$/ { inside = 1; if (!start) start = line; next }
inside && /^}/ {
    inside = 0
    size = line - start + 1
    sizes[++functions] = size
    if (size > longest) { longest = size; longest_at = file ":" start }
    if (size > 40) complain(start, "a function of " size " lines; 40 is the limit")
    start = 0
    next
}
!inside && /^[A-Za-z_].*\).*{[ \t]*$/ && !/=[ \t]*{/ && !/^(struct|enum|union|extern)/ { complain(line, "the opening brace of a function stands on its own line") }
!inside && /^[A-Za-z_]/ && !start { start = line }
!inside && (/;[ \t]*$/ || /^[ \t]*$/ || /^#/ || /^}/) { start = 0 }
END {
    end_of_file()
    for (i = 2; i <= functions; i++) {
        size = sizes[i]
        for (j = i - 1; j > 0 && sizes[j] > size; j--) sizes[j + 1] = sizes[j]
        sizes[j + 1] = size
    }
    for (i = 1; i <= functions; i++) if (sizes[i] <= 40) short++
    if (functions)
        printf "%d functions: median %d lines, %d %% of at most 40, longest %d (%s); %d files\n", functions,
               sizes[int((functions + 1) / 2)], int(100 * short / functions), longest, longest_at, files
    exit (bad || !functions)
}' || status=1

# ---- names in the library
if [ -e "$builddir/.libs/libpollux.so" ]; then
    bad=$($NM -D --defined-only "$builddir/.libs/libpollux.so" | awk '$NF ~ /^plx__/ { print $NF }')
    for name in $bad; do
        echo ".libs/libpollux.so: exports the internal $name"
        status=1
    done
else
    echo "no shared library here: exports not looked at"
fi
exit $status
