#!/bin/sh
# tests/check-docs.sh [PAGE...] -- what the pages state is true of this tree.
#
# Without arguments it reads all pages: *.md and doc/*.md.
# - README.md has at most 120 lines, and its picture the figures of doc/performance.md.
# - Links lead to a file of the tree or to a heading (tests/links.sh).
# - Every block has a fence with a language (tests/blocks.awk), and each of C and C++ compiles: as C99
#   behind <pollux.h>; as it stands, if its first line names its file; as a source of the library, if that
#   file is in lib/; behind FILE, if the fence has the word FILE ("```c tests/kinds.c"); with the module of
#   pkg-config that the word names otherwise. Blocks of one page may include each other.
# - Blocks of sh, and commands in backquotes, parse; the files, programs, targets, variables and options
#   that they name exist. Files that the text names exist.
# - Every plx_... and PLX_... is a name of the public headers (their comments do not count); one that ends
#   in an ellipsis (PLX_REASON_…) is the beginning of at least one. A word after a struct and a dot
#   (plx_error.reason) is a member of it, and so is a word in backquotes that begins with a dot. A word
#   with an underscore in backquotes is a member of a public struct or the end of a public name
#   (`listen_on`), unless it is in the first column of a table. Pages for developers name what is in lib/
#   and tests/, too.
# tests/check-programs.sh runs the programs, tests/check-migration.sh looks at the tables of the pages
# coming-from-*.md, tests/check-exports.sh at the cheat sheet.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
CC=${CC:-cc}
CXX=${CXX-c++}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
LC_ALL=C
export LC_ALL
# What is named like a call of ours and is not: system calls, other libraries, variables of the environment.
others='io_uring_enter pthread_atfork bufferevent_filter irc_proxy all_proxy no_proxy'
developers=' CONTRIBUTING.md doc/adding-a-socket.md doc/architecture.md doc/performance.md doc/rationale.md '

workplace=docs
. "$srcdir/tests/workplace.sh"
. "$srcdir/tests/links.sh"
cd "$srcdir" || exit 1
[ $# -gt 0 ] || set -- *.md doc/*.md
for page in "$@"; do
    [ -f "$page" ] || { echo "$page:1: there is no such page"; exit 1; }
done

# complain TEXT: one line for what is wrong. Loops that read a pipe have no variables to count in.
complain()
{
    echo "$1"
    echo "$1" >> "$work/complaints"
}
: > "$work/complaints"

# ---- blocks and links --------------------------------------------------------------------------------
for page in "$@"; do
    folder=$work/$page
    mkdir -p "$folder"
    awk -v folder="$folder" -f tests/blocks.awk "$page" > "$folder/list" 2> "$work/out" || complain "$(cat "$work/out")"
    while read -r number _ _ _ name; do
        [ "$name" = - ] && continue
        mkdir -p "$folder/files/$(dirname "$name")"
        cp "$folder/$number" "$folder/files/$name"
        echo "$name"
    done < "$folder/list" >> "$work/named"
done
[ "$(wc -l < README.md)" -le 120 ] || complain "README.md:121: 120 lines are the limit"
awk -f tests/bench/plot/idle-frame.awk doc/performance.md | cmp -s - doc/pictures/idle-frame.svg ||
    complain "doc/pictures/idle-frame.svg:1: not the figures of doc/performance.md (tests/bench/plot/idle-frame.awk)"
dead_links . "$@" > "$work/out"
[ ! -s "$work/out" ] || complain "$(cat "$work/out")"

# ---- names -------------------------------------------------------------------------------------------
for header in include/pollux.h include/pollux/*.h "$builddir"/include/pollux/*.h; do
    [ ! -f "$header" ] || awk -f tests/uncomment.awk "$header"
done | awk -f tests/public.awk > "$work/public"
[ -s "$work/public" ] || complain 'include/pollux.h:1: no public names found'
echo "$others" | cat - $(find examples -name '*.[ch]') > "$work/examples"
{ find lib include tests -name '*.[ch]' -exec cat {} + ; cat Makefile.am; } | tr -cs 'A-Za-z0-9_' '\n' | sort -u > "$work/identifiers"

for page in "$@"; do
    inside=
    case $developers in *" $page "*) inside=yes ;; esac
    cat "$work/$page"/[0-9]* "$work/examples" 2> /dev/null | tr -cs 'A-Za-z0-9_' '\n' > "$work/own"
    awk -v page="$page" -v public="$work/public" -v identifiers="$work/identifiers" -v own="$work/own" -v inside="$inside" '
BEGIN {
    ellipsis = "\342\200\246"
    while ((getline line < public) > 0) {
        split(line, word, " ")
        if (word[1] == "name") names[word[2]] = 1
        if (word[1] == "end") ends[word[2]] = 1
        if (word[1] == "member") structs[word[2]] = members[word[3]] = member[word[2], word[3]] = 1
    }
    # What the blocks of a page name is for the compiler to judge.
    while ((getline line < own) > 0) here[line] = 1
    if (inside) while ((getline line < identifiers) > 0) here[line] = 1
}
function complain(what) { print page ":" NR ": " what }
function begins(prefix,    name) {
    for (name in names) if (index(name, prefix) == 1) return 1
    if (inside) for (name in here) if (index(name, prefix) == 1) return 1
    return 0
}
# Every name of Pollux in a line, with what follows it: a member, an ellipsis, or neither.
function check_names(text,    name, field) {
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        if (name !~ /^(plx|PLX)__?[A-Za-z0-9]/) continue
        if (index(text, ellipsis) == 1 || text ~ /^\*/) {
            if (!begins(name)) complain("no public name begins with " name)
        } else if (!(name in names) && !(name in here)) {
            complain(name " is in no public header")
        } else if ((name in structs) && match(text, /^\.[a-z_][a-z_0-9]*/)) {
            field = substr(text, 2, RLENGTH - 1)
            if (field !~ /^(h|c|pc)$/ && !((name, field) in member)) complain(name " has no member " field)
        }
    }
}
# The words in backquotes.
function check_words(text,    part, parts, i, word) {
    parts = split(text, part, "`")
    for (i = 2; i <= parts; i += 2) {
        word = part[i]
        sub(/\(.*/, "", word)
        if (word ~ /^\.[a-z_0-9]+$/) {
            if (!(substr(word, 2) in members) && !(substr(word, 2) in here)) complain("no public struct has a member " substr(word, 2))
        } else if (word ~ /^[a-z][a-z_0-9]*$/ && word ~ /_/ && word !~ /^plx_/) {
            if (!(word in members) && !(word in ends) && !(word in here)) complain(word " is no public member, and no public name ends in it")
        }
    }
}
/^```/ { fenced = !fenced; next }
fenced { next }
{ check_names($0) }
/^\|/ { cells = split($0, cell, "|"); for (i = 3; i < cells; i++) check_words(cell[i]); next }
{ check_words($0) }' "$page" > "$work/out"
    [ ! -s "$work/out" ] || complain "$(cat "$work/out")"
done

# ---- files -------------------------------------------------------------------------------------------

# is_there PATH: in the tree, made by the build, or shown by a page. A variable of a shell stands for
# anything.
is_there()
{
    set +f
    for each in $1 include/$1 tests/$1; do
        [ ! -e "$each" ] || { set -f; return 0; }
    done
    set -f
    case $1 in *'*'*) ;; *) grep -qxF "${1#include/}" "$work/named" && return ;; esac
    grep -qE "(^|[ 	/])$(echo "$1" | sed 's/[.]/[.]/g; s/[*]/[a-z-]*/g')([ :]|\$)" Makefile.am
}
set -f
for page in "$@"; do
    awk -v page="$page" '
/^```/ { fenced = !fenced; code = fenced && $0 !~ /^```(sh|text|calls)/ }
code { next }
{
    text = $0
    gsub(/\]\([^)]*\)/, "", text)
    gsub(/[a-z]+:\/\/[^ ]*/, "", text)
    while (match(text, /(lib|include|tests|doc|examples|m4|packaging|\.ci|pollux)\/[A-Za-z0-9_.*<{},\/-]*[A-Za-z0-9_*}\/]/)) {
        path = substr(text, RSTART, RLENGTH)
        before = RSTART > 1 ? substr(text, RSTART - 1, 1) : " "
        text = substr(text, RSTART + RLENGTH)
        if (before ~ /[A-Za-z0-9_\/.$~-]/ || path ~ /[<{]|KIND|NOUN/) continue
        sub(/\/$/, "", path)
        print page ":" NR, path
    }
}' "$page"
done | sort -u | while read -r where path; do
    is_there "$path" || complain "$where: there is no $path"
done

# ---- commands ----------------------------------------------------------------------------------------
set +f
for page in doc/man/*.[0-9]; do awk -v own=1 -f doc/man/names.awk "$page"; basename "${page%.*}"; done > "$work/manual"
set -f
"$srcdir/configure" --help=short > "$work/configure-help" 2> /dev/null || : > "$work/configure-help"

# check_option FILE OPTION: a program of ours knows the option.
check_option()
{
    grep -qF -e "$2" "$1" 2> /dev/null || complain "$where: $1 has no $2"
}
check_configure()
{
    for word in "$@"; do
        feature=$(echo "$word" | sed -n 's/^--\(with\|without\|enable\|disable\)-\([a-z0-9-]*\).*/\2/p')
        case $word in
            --with-* | --without-*) grep -qE -- "--with(out)?-$feature([ =[]|\$)" "$work/configure-help" ;;
            --enable-* | --disable-*) grep -qE -- "--(en|dis)able-$feature([ =[]|\$)" "$work/configure-help" ;;
            --*) grep -qE -- "(^|[ ,])${word%%=*}([ =[]|\$)" "$work/configure-help" ;;
        esac || complain "$where: configure has no $word"
    done
}
# A variable is one that the tree reads, or one of the tools.
check_variable()
{
    case $1 in
        CC | CXX | CFLAGS | DESTDIR | VERBOSE | TESTS | V) return ;;
        CK_* | TSAN_OPTIONS | ASAN_OPTIONS | LD_LIBRARY_PATH | SSL_CERT_FILE) return ;;
    esac
    grep -qrwF --include='*.[ch]' --include='*.sh' --include=run --include=refusals --include='*.py' --include='*.am' \
        --include='*.ac' -e "$1" lib tests examples Makefile.am configure.ac || complain "$where: nothing reads $1"
}
check_make()
{
    while [ $# -gt 0 ]; do
        case $1 in
            -C) shift ;;
            -*) ;;
            *=*) check_variable "${1%%=*}" ;;
            all | check | clean | dist | distcheck | distdir | install | uninstall) ;;
            *) is_there "$1" || grep -qE "^([a-z-]+ )*$1( [a-z-]+)*:" Makefile.am || complain "$where: make has no target $1" ;;
        esac
        shift
    done
}
# A page shows the file that is compiled.
check_compiler()
{
    for word in "$@"; do
        case $word in *.c | *.cpp) grep -qxF "$word" "$work/named" || complain "$where: no page has $word" ;; esac
    done
}
# A page of the manual is one of ours, as a file or as a name in it.
check_man()
{
    for word in "$@"; do
        case $word in [1-9]) continue ;; esac
        grep -qxF -e "$word" "$work/manual" || complain "$where: the manual has no $word"
    done
}
check_packages()
{
    for word in "$@"; do
        case $word in apt-get | install | -*) continue ;; esac
        grep -qwF -e "$word" quickstart configure.ac tests/bench/run || complain "$where: nothing else names the package $word"
    done
}
check_ours()
{
    path=$1
    shift
    while :; do
        case $path in ../* | ./* | build/*) path=${path#*/} ;; *) break ;; esac
    done
    path=$(echo "$path" | sed 's/\$[a-z]*/*/g')
    [ "$path" = configure ] && { check_configure "$@"; return; }
    is_there "$path" || { complain "$where: there is no $path"; return; }
    source=$path
    [ -f "$source" ] || source=$path.c
    [ -f "$source" ] || source=${path%/*}/main.c
    [ -f "$source" ] || return
    for word in "$@"; do
        case $word in -?*) check_option "$source" "$word" ;; esac
    done
    [ "$path" != quickstart ] || grep -qE "^#   ./quickstart ${1-}" quickstart || complain "$where: quickstart has no ${1-}"
}
# check_command WORD...: a simple command, without redirections.
check_command()
{
    while [ $# -gt 0 ]; do
        case $1 in
            [A-Z_]*=*) check_variable "${1%%=*}" ;;
            do | sudo | then) ;;
            *) break ;;
        esac
        shift
    done
    [ $# -gt 0 ] || return
    command=$1
    case $command in sh | valgrind) shift; while :; do case ${1-} in -*) shift ;; *) break ;; esac; done; command=${1-} ;; esac
    [ $# -eq 0 ] || shift
    case $command in
        make) check_make "$@" ;;
        cc | c++) check_compiler "$@" ;;
        apt-get) check_packages "$@" ;;
        pkg-config)
            for word in "$@"; do
                case $word in -*) ;; *) [ -f "$word.pc.in" ] || complain "$where: there is no $word.pc.in" ;; esac
            done
            ;;
        configure) check_configure "$@" ;;
        */*) check_ours "$command" "$@" ;;
        quickstart) check_ours ./quickstart "$@" ;;
        man) check_man "$@" ;;
        cd | cp | for | done | ldconfig | mkdir | openssl | '') ;;
        *) complain "$where: an unknown command: $command" ;;
    esac
}
for page in "$@"; do
    while read -r number line language _ _; do
        [ "$language" = sh ] || continue
        sh -n "$work/$page/$number" 2> "$work/out" || complain "$page:$line: $(cat "$work/out")"
        awk -v page="$page" -v line="$line" '
        { line++; sub(/(^|[ \t]+)#.*/, "") }
        /\\$/ { sub(/\\$/, ""); kept = kept $0; next }
        { print page ":" line, kept $0; kept = "" }' "$work/$page/$number"
    done < "$work/$page/list"
    awk -v page="$page" '
    /^```/ { fenced = !fenced; next }
    fenced { next }
    {
        parts = split($0, part, "`")
        for (i = 2; i <= parts; i += 2) {
            if (part[i] ~ /^(--(with|without|enable|disable)-)/) print page ":" NR, "configure", part[i]
            else if (part[i] ~ /^(sudo )?((\.\/)?(configure|quickstart)|make|man|sh|cc|apt-get|pkg-config|(\.\.?\/|build\/|tests\/|\.ci\/)+[a-z\/-]+) ./) print page ":" NR, part[i]
            else if (part[i] ~ /^build\/[a-z\/-]+$/) print page ":" NR, part[i]
            else if (part[i] ~ /^POLLUX_[A-Z_]+(=.*)?$/) print page ":" NR, (part[i] ~ /=/ ? part[i] : part[i] "=")
        }
    }' "$page"
done > "$work/commands"
awk '{
    where = $1; sub(/^[^ ]+ */, "")
    gsub(/\047[^\047]*\047/, "word")
    while (match($0, /\$\([^)]*\)/)) {
        print where, substr($0, RSTART + 2, RLENGTH - 3)
        $0 = substr($0, 1, RSTART - 1) "word" substr($0, RSTART + RLENGTH)
    }
    parts = split($0, part, /&&|[;|]+/)
    for (i = 1; i <= parts; i++) { sub(/[<>].*/, "", part[i]); if (part[i] ~ /[^ \t]/) print where, part[i] }
}' "$work/commands" > "$work/simple"
while read -r where words; do
    # shellcheck disable=SC2086 # words
    check_command $words
done < "$work/simple"
set +f

# ---- compiling ---------------------------------------------------------------------------------------
public="-I$srcdir/include -I$builddir/include"
strict='-Wall -Wextra -Werror -Wno-unused-function -Wno-unused-variable'

# compile WHERE FILE FLAG...: looks at a block as a compiler does.
compile()
{
    at=$1
    file=$2
    shift 2
    compiler=$CC
    case $file in *.cpp) compiler=$CXX ;; esac
    # shellcheck disable=SC2086 # the compiler may come with arguments
    $compiler $strict "$@" -fsyntax-only "$file" > "$work/out" 2>&1 && return
    cat "$work/out"
    complain "$at: the block does not compile"
}

# look WHERE NUMBER LINE LANGUAGE WORD NAME: compiles a block, if it is C or C++.
look()
{
    where=$1:$3
    block=$work/$1/$2
    here=-I$work/$1/files
    case $4 in
        c) ;;
        cpp) command -v "${CXX%% *}" > /dev/null || { skip "$where: there is no compiler of C++"; return; } ;;
        python)
            command -v python3 > /dev/null || { skip "$where: python3 is not installed"; return; }
            python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$block" || complain "$where: not Python"
            return
            ;;
        calls | qml | sh | text) return ;;
        *) complain "$where: an unknown language: $4"; return ;;
    esac
    passed=$((passed + 1))
    extension=$4
    standard=-std=c99
    [ "$4" = c ] || standard='-std=c++17 -fPIC' # Qt asks for the latter
    flags=
    case $5 in
        -) ;;
        */*) [ -f "$5" ] || complain "$where: there is no $5" ;;
        *)
            "$PKG_CONFIG" --exists "$5" 2> /dev/null || { skip "$where: $5 is not installed"; return; }
            flags="$("$PKG_CONFIG" --cflags "$5")"
            standard=$(echo "$standard" | sed 's/=c/=gnu/') # headers of others may need it
            ;;
    esac
    {
        [ "$6" != - ] || [ "$4" = cpp ] || echo '#include <pollux.h>'
        case $5 in */*) echo "#include \"$5\"" ;; esac
        echo "#line $(($3 + 1)) \"$1\""
        cat "$block"
    } > "$block.$extension"
    # shellcheck disable=SC2086 # lists of flags
    case $5:$6 in
        */*:* | *:lib/*)
            "$PKG_CONFIG" --exists check 2> /dev/null || { skip "$where: Check is not installed"; return; }
            compile "$where" "$block.$extension" -std=gnu11 -D_GNU_SOURCE "$here" -I. -I"$builddir" $public \
                $("$PKG_CONFIG" --cflags check)
            ;;
        *:-) compile "$where" "$block.$extension" $standard -D_POSIX_C_SOURCE=200809L -pedantic "$here" $public $flags ;;
        *) compile "$where" "$block.$extension" $standard -pedantic "$here" $public $flags ;;
    esac
}
for page in "$@"; do
    while read -r number line language word name; do
        look "$page" "$number" "$line" "$language" "$word" "$name"
    done < "$work/$page/list"
done

failed=$(wc -l < "$work/complaints")
echo "$# pages, $(cat "$work"/*.md/list "$work"/doc/*.md/list 2> /dev/null | wc -l) blocks, $passed compiled, $skipped skipped, $(wc -l < "$work/simple") commands, $failed faults"
[ "$failed" -eq 0 ]
