#!/bin/sh
# tests/check-install.sh -- what `make install` installs serves a program outside the tree.
#
# Installs below a temporary DESTDIR, compiles and runs a small program by pkg-config alone (C99, C++, and
# C linked with the static library), the program of doc/adding-a-filter.md, and the example that is
# installed, then uninstalls and looks for left-overs.
set -u
here=$(cd "${srcdir:-$(dirname "$0")/..}/tests" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
CC=${CC:-cc}
CXX=${CXX-c++}
MAKE=${MAKE:-make}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
PROGRAM_FLAGS=${PROGRAM_FLAGS-}

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-install.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/root

# This make must not use the job server or the variables of the make that runs the tests.
run_make()
{
    (cd "$builddir" && unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR && "$MAKE" "$@") > "$work/out" 2>&1 &&
        return
    cat "$work/out"
    echo "Makefile:1: make $* failed"
    exit 1
}

run_make install DESTDIR="$root"
installed=$(find "$root" ! -type d | wc -l)
pc=$(find "$root" -name pollux.pc -print)
[ -n "$pc" ] || { echo "pollux.pc.in:1: no pollux.pc was installed"; exit 1; }

# The sysroot precedes the paths of the .pc file, as for a cross compiler.
PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
flags()
{
    PKG_CONFIG_SYSROOT_DIR="$root" "$PKG_CONFIG" "$@" pollux || { echo "pollux.pc.in:1: pkg-config $* failed"; exit 1; }
}
version=$(flags --modversion) || { echo "$version"; exit 1; }
cflags=$(flags --cflags) || { echo "$cflags"; exit 1; }
libs=$(flags --libs) || { echo "$libs"; exit 1; }
static_libs=$(flags --libs --static) || { echo "$static_libs"; exit 1; }
shared=$(find "$root" -name 'libpollux.so' -o -name 'libpollux.dylib' | head -n 1)
static=$(find "$root" -name libpollux.a)

cat > "$work/program.c" <<'END'
#include <pollux.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    plx_socket *socket = plx_tcp_new();
    int good = socket != NULL && strcmp(plx_version(), PLX_VERSION) == 0 && plx_socket_handle(socket) == -1;
    socket = plx_socket_free(socket);
    printf("%s\n", plx_version());
    return good && socket == NULL ? 0 : 1;
}
END
cp "$work/program.c" "$work/program.cpp"

failed=0
# run PROGRAM...: with the shared library that was installed.
run()
{
    LD_LIBRARY_PATH="${shared%/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" "$@"
}
# attempt WHAT COMMAND...: compiles by the command, runs, compares the version that the program prints.
attempt()
{
    what=$1
    shift
    if ! "$@" -o "$work/program" > "$work/out" 2>&1; then
        cat "$work/out"
        echo "pollux.pc.in:1: $what does not compile: $*"
        failed=1
    elif ! printed=$(run "$work/program" 2>&1) ||
        [ "$printed" != "$version" ]; then
        echo "pollux.pc.in:1: $what compiled, but printed \"$printed\" instead of $version"
        failed=1
    else
        echo "$what: version $printed"
    fi
}

# shellcheck disable=SC2086 # lists of flags
{
    attempt C99 $CC -std=c99 -pedantic -Wall -Wextra -Werror $PROGRAM_FLAGS $cflags "$work/program.c" $libs
    cxx_missing=yes
    if [ -n "$CXX" ] && command -v ${CXX%% *} > /dev/null 2>&1; then
        cxx_missing=no
        attempt C++ $CXX -std=c++11 -pedantic -Wall -Wextra -Werror $PROGRAM_FLAGS $cflags "$work/program.cpp" $libs
    fi
    if [ -n "$static" ]; then
        mkdir "$work/static"
        cp "$static" "$work/static"
        attempt static $CC -std=c99 $PROGRAM_FLAGS $cflags "$work/program.c" -L"$work/static" $static_libs
    fi
}

# The page, as it stands: its files are its blocks of C.
page=$(find "$root" -name adding-a-filter.md)
mkdir "$work/page"
for file in mask.h mask.c greet.c try.c; do
    awk -v name=$file -f "$here/page.awk" "$page" > "$work/page/$file" || failed=1
done
# shellcheck disable=SC2086 # lists of flags
if ! $CC -std=c99 -pedantic -Wall -Wextra -Wconversion -Werror $PROGRAM_FLAGS $cflags "$work"/page/*.c \
    -o "$work/page/try" $libs > "$work/out" 2>&1; then
    cat "$work/out"
    echo "doc/adding-a-filter.md:1: the files of the page do not compile"
    failed=1
elif ! printed=$(run "$work/page/try" 2>&1) || [ "$printed" != hello ]; then
    echo "doc/adding-a-filter.md:1: the program of the page printed \"$printed\" instead of hello"
    failed=1
else
    echo "page: $printed"
fi

# The example, by its own Makefile. It prints its usage and ends with 2.
chat=$(find "$root" -type d -name compressed-chat)
zlib_missing=no
if ! "$PKG_CONFIG" --exists zlib; then
    zlib_missing=yes
else
    cp -R "$chat" "$work/chat"
    if ! (cd "$work/chat" && unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR &&
        PKG_CONFIG_SYSROOT_DIR="$root" "$MAKE" CC="$CC" CFLAGS="-Wall -Wextra -Werror $PROGRAM_FLAGS" \
            PKG_CONFIG="$PKG_CONFIG") > "$work/out" 2>&1; then
        cat "$work/out"
        echo "examples/compressed-chat/Makefile:1: the installed example does not build"
        failed=1
    elif run "$work/chat/compressed-chat" > "$work/out" 2>&1 || ! grep -q '^usage: ' "$work/out"; then
        cat "$work/out"
        echo "examples/compressed-chat/main.c:1: the installed example prints no usage"
        failed=1
    else
        echo "example: $(head -n 1 "$work/out")"
    fi
fi

run_make uninstall DESTDIR="$root"
left=$(find "$root" ! -type d)
if [ -n "$left" ]; then
    printf '%s\n' "$left" | sed "s|^$root||; s|\$|:1: left over after make uninstall|"
    failed=1
fi

echo "$installed files installed, $(printf '%s' "$left" | grep -c .) left over"
[ $failed -eq 0 ] || exit 1
if [ $zlib_missing = yes ]; then
    echo "SKIP: the rest is fine; the installed example needs zlib (Debian, Ubuntu: apt-get install zlib1g-dev)"
    exit 77
fi
if [ $cxx_missing = yes ]; then
    echo "SKIP: C is fine; there is no C++ compiler for the other half (Debian, Ubuntu: apt-get install g++)"
    exit 77
fi
