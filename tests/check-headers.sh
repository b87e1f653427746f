#!/bin/sh
# tests/check-headers.sh -- each public header stands alone, in C99, C11 and C++, without a warning.
#
# Each is included twice, so that a missing include guard shows. A public header may include only C
# standard headers, so the dialects are strict and no feature macro is defined.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
builddir=${builddir:-.}
CC=${CC:-cc}
CXX=${CXX-c++}

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-headers.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
warnings='-Wall -Wextra -Wshadow -Wconversion -Wundef -pedantic -Werror'

# try COMPILER DIALECT SUFFIX FLAGS: compiles every header with it.
tried=0 failed=0
try()
{
    for file in "$srcdir"/include/pollux.h "$srcdir"/include/pollux/*.h "$builddir"/include/pollux/*.h; do
        [ -f "$file" ] || continue
        header=${file##*/include/}
        source=$work/$(echo "$header" | tr '/.' '__').$3
        # The declaration keeps a header of macros alone from being an empty translation unit.
        printf '#include <%s>\n#include <%s>\nextern int something;\n' "$header" "$header" > "$source"
        tried=$((tried + 1))
        # shellcheck disable=SC2086 # the compiler may come with arguments
        if ! $1 -std="$2" $4 $warnings -I"$srcdir/include" -I"$builddir/include" -fsyntax-only \
            "$source" > "$work/out" 2>&1; then
            failed=$((failed + 1))
            echo "include/$header:1: does not stand alone in $2 ($1)"
            cat "$work/out"
        fi
    done
}

# has COMPILER DIALECT SUFFIX: whether the compiler knows the dialect.
has()
{
    echo 'extern int something;' > "$work/has.$3"
    $1 -std="$2" -fsyntax-only "$work/has.$3" > /dev/null 2>&1
}

for dialect in c99 c11 c2x; do
    has "$CC" $dialect c && try "$CC" $dialect c '-Wmissing-prototypes -Wstrict-prototypes'
done
[ $tried -gt 0 ] || { echo "$CC compiles no C99"; exit 1; }

cxx_tried=0
if [ -n "$CXX" ]; then
    for dialect in c++11 c++17 c++20; do
        if has "$CXX" $dialect cpp; then
            try "$CXX" $dialect cpp -Wold-style-cast
            cxx_tried=1
        fi
    done
fi

echo "$tried compilations, $failed failed"
[ $failed -eq 0 ] || exit 1
if [ $cxx_tried -eq 0 ]; then
    echo "SKIP: C is fine; there is no C++ compiler for the other half (Debian, Ubuntu: apt-get install g++)"
    exit 77
fi
