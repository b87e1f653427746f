#!/bin/sh
# tests/check-manual.sh -- the manual pages of doc/man describe what the headers and the libraries have.
#
# Each exported or inline function is in the section NAME of one page, with its prototype of the header;
# page and header name the same errors for it; each page has its sections; the examples compile, those
# that are marked run and print what the page says; pages refer to pages that exist, and pollux(7) lists
# all; types, enumerators, macros and members of the headers are on a page, and pages name no others.
# mandoc, if it is there, finds nothing to complain about, and no line of a page is wider than a terminal.
# doc/man/README has the rules.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
CC=${CC:-cc}
NM=${NM:-nm}
PROGRAM_FLAGS=${PROGRAM_FLAGS-}
libs=$builddir/.libs

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-manual.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/programs"
failed=0

# complaints WHAT FILE: prints the lines of a file, which are failures.
complaints()
{
    [ -s "$2" ] || return 0
    sed "s/^/$1: /" "$2"
    failed=$((failed + $(wc -l < "$2")))
}

# ---- what is there -------------------------------------------------------------------------------------
LC_ALL=C
export LC_ALL
cd "$srcdir" || exit 1
codes=$(awk '/^enum plx_code/ { inside = 1 } /^}/ { inside = 0 } inside && /^    PLX_/ && $3 != "0," { print $1 }' \
    include/pollux/error.h | tr '\n' ' ')
headers=$(ls include/pollux/*.h include/pollux/*.h.in)
# shellcheck disable=SC2086 # a list of files
awk -v codes="$codes" -f tests/header.awk $headers > "$work/header" || exit 1
awk -v folder="$work/programs" -f tests/manual.awk doc/man/*.[0-9] > "$work/manual" 2> "$work/form"
complaints form "$work/form"

# ---- names, prototypes, errors, links --------------------------------------------------------------------
awk '
FILENAME ~ /header$/ {
    if ($1 == "function") {
        at[$3] = $2
        order[++functions] = $3
    }
    if ($1 == "symbol") symbol[$3] = $2
    if ($1 == "prototype") { name = $2; sub(/^prototype [^ ]+ /, ""); declared[name] = $0 }
    if ($1 == "error") { said[$2 " " $3] = 1 }
    if ($1 == "as") { other[$2] = other[$2] " " $3 }
    next
}
$1 == "page" { pages++; section[$2] = $3; path[$2] = $4; next }
$1 == "name" {
    if ($3 in page_of) print $2 ": " $3 " is also on the page " page_of[$3]
    page_of[$3] = $2
}
$1 == "prototype" { name = $2; sub(/^prototype [^ ]+ /, ""); shown[name] = $0 }
$1 == "section" { title = $3; if (NF > 3) title = title " " $4; has[$2 " " title] = 1 }
$1 == "described" { is_described[$3] = 1 }
$1 == "error" { written[$2 " " $3] = 1 }
$1 == "link" { link[$2 " " $3 " " $4] = 1; if ($2 == "pollux") listed[$3] = 1 }

# gather NAME OF: adds the errors of OF, and of those that it returns as, to what NAME has.
function gather(name, of, list, n, i, key, part) {
    if ((name " " of) in been) return
    been[name " " of] = 1
    for (key in said) { split(key, part, " "); if (part[1] == of) all[name " " part[2]] = 1 }
    n = split(other[of], list, " ")
    for (i = 1; i <= n; i++) gather(name, list[i])
}
END {
    for (i = 1; i <= functions; i++) {
        name = order[i]
        gather(name, name)
        if (!(name in page_of)) {
            print at[name] ": " name " has no page"
            continue
        }
        described++
        if (!(name in is_described)) print page_of[name] ": DESCRIPTION does not name " name
        if (!(name in shown)) print page_of[name] ": the prototype of " name " is missing"
        else if (shown[name] != declared[name])
            print page_of[name] ": " shown[name] "; the header has " declared[name]
    }
    for (key in all) {
        split(key, part, " ")
        if (!(part[1] in page_of)) continue
        compared++
        if (!(key in written))
            print page_of[part[1]] ": ERRORS of " part[1] " lacks " part[2] ", which " at[part[1]] " names"
    }
    for (key in written) if (!(key in all)) {
        split(key, part, " ")
        if (!(part[1] in at)) print part[1] " is in a section ERRORS and no function"
        else print page_of[part[1]] ": ERRORS of " part[1] " names " part[2] ", which " at[part[1]] " does not"
    }
    for (name in shown) if (!(name in declared)) print "no header declares " shown[name]
    else if (shown[name] != declared[name] && !(name in at)) print shown[name] "; the header has " declared[name]
    for (name in page_of) {
        page = page_of[name]
        if (section[page] == 3 && !(name in at)) print page ": " name " is no function of a header"
        if (section[page] != 3 && name != page) print page ": " name " is not its name"
    }
    # No call returns an errno that has a class (error.h); filters return negative ones.
    n = split("ENETDOWN ENETUNREACH EMFILE ENFILE EAFNOSUPPORT EPROTONOSUPPORT ECONNRESET ECONNABORTED " \
        "ENETRESET EPIPE EADDRINUSE EISCONN ENOTCONN ESHUTDOWN ENOMEM ENOBUFS", wanted, " ")
    for (name in at) for (i = 1; i <= n; i++) if (name !~ /^plx_filter_/ && (name " " wanted[i]) in written)
        print page_of[name] ": ERRORS of " name " names " wanted[i] ", which is returned as its class"
    n = split("NAME SYNOPSIS DESCRIPTION RETURN_VALUES EXAMPLES ERRORS SEE_ALSO", wanted, " ")
    for (page in section) if (section[page] == 3) for (i = 1; i <= n; i++) {
        title = wanted[i]; sub(/_/, " ", title)
        if (!((page " " title) in has)) print page ": there is no section " title
    }
    for (key in link) {
        split(key, part, " ")
        if (part[2] !~ /^(plx_|pollux)/) continue
        if (!(part[2] in page_of) && !(part[2] in section))
            print part[1] ": there is no page " part[2] "(" part[3] ")"
        if (part[2] in page_of && part[3] != section[page_of[part[2]]])
            print part[1] ": " part[2] " is not in section " part[3]
    }
    for (name in listed) listed[page_of[name]] = 1
    for (page in section) if (page != "pollux" && !(page in listed)) print "pollux: " page " is not among the pages"
    for (name in symbol) print name > symbols
    printf "%d pages, %d of %d functions, %d errors of functions\n", pages, described, functions, compared > counts
}' symbols="$work/symbols" counts="$work/counts" "$work/header" "$work/manual" | sort > "$work/wrong"
complaints 'manual' "$work/wrong"
cat "$work/counts"

for page in doc/man/*.[0-9]; do
    grep -q "[^a-z]$page\\( \\|\$\\)" Makefile.am || echo "$page is not in manual_pages of Makefile.am"
done > "$work/unlisted"
complaints 'installing' "$work/unlisted"

# ---- types, enumerators and macros -----------------------------------------------------------------------
grep -hv '^\.Dt ' doc/man/*.[0-9] | tr -c 'A-Za-z0-9_' '\n' | sort -u > "$work/words"
sort -u "$work/symbols" 2> /dev/null | comm -23 - "$work/words" | sed 's/$/ is on no page/' > "$work/absent"
complaints 'types and constants' "$work/absent"

# The other way round: what a page names is in a header. The names of pages are names of their own.
for header in $headers; do awk -f tests/uncomment.awk "$header"; done > "$work/code"
tr -c 'A-Za-z0-9_' '\n' < "$work/code" | sort -u > "$work/identifiers"
{
    grep -E '^(plx|PLX)_.*[A-Za-z0-9]$' "$work/words"
    awk '$1 == "word" { print $3 }' "$work/manual"
} | sort -u > "$work/named"
awk '$1 == "page" { print $2 }' "$work/manual" | cat - "$work/identifiers" | sort -u | comm -23 "$work/named" - |
    sed 's/$/ is in no header/' > "$work/unknown"
complaints 'names' "$work/unknown"
awk '/^typedef struct .*\{/, /^\}/ { printf "%s ", $0 } /^\}/ { print "" }' "$work/code" |
    awk '{ gsub(/[ \t]+/, " "); sub(/ $/, ""); print }' | sort -u > "$work/structs"
awk '$1 == "struct" { sub(/^struct [^ ]+ /, ""); print }' "$work/manual" | sort -u | comm -23 - "$work/structs" |
    sed 's/$/ is not as in the header/' > "$work/unknown"
complaints 'structs' "$work/unknown"
awk -f tests/public.awk "$work/code" | awk '$1 == "member" { print $2, $3 }' | while read -r struct member; do
    # shellcheck disable=SC2046 # a list of files
    grep -qw -e "$member" $(grep -lE "^(\.Vt|typedef struct) $struct( |\$)" doc/man/*.3) /dev/null ||
        echo "no page describes $member of $struct"
done > "$work/absent"
complaints 'members' "$work/absent"
grep -h '^\.In ' doc/man/*.3 | sort -u | while read -r _ name; do
    [ -f "include/$name" ] || echo "there is no header $name"
done > "$work/absent"
complaints 'SYNOPSIS' "$work/absent"

# ---- the libraries ---------------------------------------------------------------------------------------
awk '$1 == "function" { print $3 }' "$work/header" | sort -u > "$work/functions"
for library in libpollux libpollux-tls; do
    [ -e "$libs/$library.so" ] || continue
    $NM -D --defined-only "$libs/$library.so" |
        awk '$NF ~ /^plx_/ { sub(/@.*/, "", $NF); print $NF }' | sort -u > "$work/exported"
    comm -13 "$work/functions" "$work/exported" | sed "s/\$/ of $library is in no header/" > "$work/unknown"
    complaints "$library" "$work/unknown"
    echo "$library: $(wc -l < "$work/exported") functions exported"
done

# ---- examples --------------------------------------------------------------------------------------------
patience='timeout --foreground 20'
$patience true 2> /dev/null || patience='timeout 20'
XDG_RUNTIME_DIR=$work
export XDG_RUNTIME_DIR
unset http_proxy all_proxy HTTP_PROXY ALL_PROXY no_proxy NO_PROXY
compiled=0
ran=0
skipped=0
flags="-std=c11 -Wall -Wextra -Werror $PROGRAM_FLAGS -I$srcdir/include -I$builddir/include"
awk '$1 == "program" { print $2, $3, $4 }' "$work/manual" > "$work/list"
while read -r where file way <&4; do
    source=$work/programs/$file
    needs=$builddir/libpollux.la
    if grep -q '<pollux/tls\.h>' "$source"; then
        needs="$builddir/libpollux-tls.la $needs"
        if [ ! -e "$builddir/libpollux-tls.la" ]; then
            echo "SKIP: $where: this build has no TLS"
            skipped=$((skipped + 1))
            continue
        fi
    fi
    # shellcheck disable=SC2086 # lists of flags
    if ! "$builddir/libtool" --silent --tag=CC --mode=link $CC $flags -pthread \
        -o "$work/programs/${file%.c}" "$source" $needs > "$work/out" 2>&1; then
        cat "$work/out"
        echo "$where: the example does not compile"
        failed=$((failed + 1))
        continue
    fi
    compiled=$((compiled + 1))
    [ "$way" = runs ] || continue
    (cd "$work/programs" && LD_LIBRARY_PATH=$libs $patience "./${file%.c}") > "$work/out" 2>&1
    status=$?
    if [ -e "$source.printed" ]; then expected=$source.printed; else expected=$work/out; fi
    if [ $status -ne 0 ] || ! cmp -s "$expected" "$work/out"; then
        diff "$expected" "$work/out"
        echo "$where: the example ends with $status, and prints as above"
        failed=$((failed + 1))
        continue
    fi
    ran=$((ran + 1))
done 4< "$work/list"
echo "$compiled examples compiled, $ran ran, $skipped skipped"

# ---- the form ----------------------------------------------------------------------------------------------
if command -v mandoc > /dev/null; then
    # It looks for the pages that these refer to among those that are installed here: other ones than ours.
    mandoc -T lint -W style doc/man/*.[0-9] 2> /dev/null | grep -v "STYLE: referenced manual not found" > "$work/lint"
    complaints 'mandoc' "$work/lint"
    for page in doc/man/*.[0-9]; do
        mandoc -T ascii -O width=78 "$page" |
            awk -v page="$page" '{ gsub(/.\010/, "") } length($0) > 78 { print page ": " $0 }'
    done > "$work/wide"
    complaints 'wider than 78 columns' "$work/wide"
    echo "mandoc: $(wc -l < "$work/lint") complaints, $(wc -l < "$work/wide") wide lines"
else
    echo 'SKIP: mandoc is not installed, which checks the form of the pages'
fi

echo "$failed mistakes"
[ "$failed" -eq 0 ]
