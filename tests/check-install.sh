#!/bin/sh
# tests/check-install.sh -- what `make install` installs serves a program outside the tree.
#
# Installs below a temporary DESTDIR, looks at the links of the pages there, compiles and runs a small
# program by pkg-config alone (C99, C++, and C linked with the static library), the same with TLS, the
# programs of doc/adding-a-filter.md and doc/tls.md, and examples that are installed, one for each library
# that they need, then uninstalls and looks for left-overs.
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

# All pages, pictures and examples, with links that lead somewhere where they are now.
. "$here/links.sh"
docs=$(dirname "$(find "$root" -name README.md)")
pages=$(cd "$here/.." && find ./*.md doc/*.md doc/pictures examples -name '*.md' -o -name '*.svg' -o -name '*.png' -o -name '*.[ch]' | sed 's|^\./||' | LC_ALL=C sort)
for page in $pages; do
    [ -f "$docs/$page" ] || { echo "Makefile.am:1: $page is not installed"; exit 1; }
done
# shellcheck disable=SC2046,SC2086 # names without blanks
dead=$(dead_links "$docs" $(echo "$pages" | grep '\.md$'))
[ -z "$dead" ] || { echo "$dead"; echo "$docs:1: installed pages have dead links"; exit 1; }
installed=$(find "$root" ! -type d | wc -l)

# A link of the manual is one line that names the page.
links=0
for link in $(find "$root" -name 'plx_*.3' -print); do
    read -r word page < "$link"
    [ "$word" = .so ] || continue
    links=$((links + 1))
    [ -e "${link%/man3/*}/$page" ] || { echo "Makefile.am:1: ${link##*/} leads to $page, which is not installed"; exit 1; }
done
[ $links -gt 0 ] || { echo "Makefile.am:1: no links of the manual were installed"; exit 1; }
pc=$(find "$root" -name pollux.pc -print)
[ -n "$pc" ] || { echo "pollux.pc.in:1: no pollux.pc was installed"; exit 1; }

# A build without shared libraries needs the libraries that Pollux uses, too.
[ -n "$(find "$root" -name 'libpollux.so' -o -name 'libpollux.dylib')" ] || PKG_CONFIG="$PKG_CONFIG --static"

# The sysroot precedes the paths of the .pc file, as for a cross compiler.
PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
module=pollux
flags()
{
    # shellcheck disable=SC2086 # it may come with an option
    PKG_CONFIG_SYSROOT_DIR="$root" $PKG_CONFIG "$@" $module || { echo "$module.pc.in:1: pkg-config $* failed"; exit 1; }
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
        echo "$module.pc.in:1: $what does not compile: $*"
        failed=1
    elif ! printed=$(run "$work/program" 2>&1) ||
        [ "$printed" != "$version" ]; then
        echo "$module.pc.in:1: $what compiled, but printed \"$printed\" instead of $version"
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

# libpollux-tls, by its own .pc file alone; and its page, whose three commands make the certificates.
tls=$(find "$root" -name pollux-tls.pc)
if [ -z "$tls" ]; then
    echo "TLS: not in this build"
else
    module=pollux-tls
    tls_cflags=$(flags --cflags) || { echo "$tls_cflags"; exit 1; }
    tls_libs=$(flags --libs) || { echo "$tls_libs"; exit 1; }
    tls_static_libs=$(flags --libs --static) || { echo "$tls_static_libs"; exit 1; }
    cat > "$work/tls.c" <<'END'
#include <pollux.h>
#include <pollux/tls.h>
#include <stdio.h>

int main(void)
{
    plx_socket *socket = plx_tcp_new();
    plx_tls *tls = plx_tls_new_client();
    int code = plx_socket_set_tls(socket, tls);
    plx_tls_free(tls);
    plx_socket_free(socket);
    printf("%s\n", plx_version());
    return code;
}
END
    cp "$work/tls.c" "$work/tls.cpp"
    # shellcheck disable=SC2086 # lists of flags
    {
        attempt "TLS, C99" $CC -std=c99 -pedantic -Wall -Wextra -Werror $PROGRAM_FLAGS $tls_cflags "$work/tls.c" $tls_libs
        [ $cxx_missing = yes ] || attempt "TLS, C++" $CXX -std=c++11 -pedantic -Wall -Wextra -Werror $PROGRAM_FLAGS \
            $tls_cflags "$work/tls.cpp" $tls_libs
        if [ -n "$static" ]; then
            cp "$(find "$root" -name libpollux-tls.a)" "$work/static"
            attempt "TLS, static" $CC -std=c99 $PROGRAM_FLAGS $tls_cflags "$work/tls.c" -L"$work/static" $tls_static_libs
        fi
    }
    page=$(find "$root" -name tls.md)
    mkdir "$work/tls"
    for file in client.c server.c starttls.c; do
        awk -v name=$file -f "$here/page.awk" "$page" > "$work/tls/$file" || failed=1
    done
    awk -v name=certificates.sh -f "$here/page.awk" "$page" > "$work/tls/certificates" || failed=1
    cat > "$work/tls/try.c" <<'END'
#include <pollux.h>
#include <pollux/tls.h>
#include <stdio.h>
#include <string.h>

plx_socket *begin_client(const char *where);
plx_server *begin_server(plx_group *group, const char *where);
void on_line(plx_socket *socket, void *user);

static void start_client(plx_socket *socket, void *user)
{
    char line[512];
    while (plx_socket_read_line(socket, line, sizeof line) > 0) {
        if (strncmp(line, "220", 3) == 0 && plx_socket_start_tls(socket, (plx_tls *)user) != 0) {
            fprintf(stderr, "%s\n", plx_tls_error((plx_tls *)user)->message);
        }
    }
}

static int is_encrypted(plx_group *group, plx_socket *socket)
{
    plx_group_add(group, socket);
    while (plx_socket_state(socket) != PLX_UNCONNECTED && !plx_socket_is_encrypted(socket)) {
        plx_group_poll(group, -1);
    }
    fprintf(stderr, "%s", plx_socket_error(socket)->message);
    return plx_socket_is_encrypted(socket);
}

int main(void)
{
    static plx_events server_events, client_events;
    plx_group *group = plx_group_new();
    plx_server *server = begin_server(group, "127.0.0.1:0");
    plx_server *later = plx_server_new(plx_tcp_new);
    plx_tls *server_tls = plx_tls_new_server(), *client_tls = plx_tls_new_client();
    plx_socket *client, *starter = plx_tcp_new();
    char where[64];
    int good;

    snprintf(where, sizeof where, "localhost:%d", plx_server_port(server));
    client = begin_client(where);
    good = is_encrypted(group, client);

    server_events.line_available = on_line;
    client_events.line_available = start_client;
    plx_tls_use_file(server_tls, "server.pem", "server.key", NULL);
    plx_server_set_client_events(later, &server_events, server_tls);
    plx_group_add_server(group, later);
    plx_server_listen_on(later, "127.0.0.1:0");
    snprintf(where, sizeof where, "localhost:%d", plx_server_port(later));
    plx_socket_set_events(starter, &client_events, client_tls);
    plx_socket_connect_to(starter, where);
    plx_socket_write_text(starter, "EHLO\r\nSTARTTLS\r\n");
    good = is_encrypted(group, starter) && good;

    plx_socket_free(client);
    plx_socket_free(starter);
    plx_server_free(server);
    plx_server_free(later);
    plx_group_free(group);
    plx_tls_free(server_tls);
    plx_tls_free(client_tls);
    puts(good ? "encrypted" : "in clear");
    return 0;
}
END
    # shellcheck disable=SC2086 # lists of flags
    if ! $CC -std=c99 -pedantic -Wall -Wextra -Wconversion -Werror $PROGRAM_FLAGS $tls_cflags "$work"/tls/*.c \
        -o "$work/tls/try" $tls_libs > "$work/out" 2>&1; then
        cat "$work/out"
        echo "doc/tls.md:1: the programs of the page do not compile"
        failed=1
    elif ! command -v openssl > /dev/null; then
        echo "page of TLS: compiled; openssl is not installed, which makes the certificates"
    elif ! (cd "$work/tls" && sh -e certificates) > "$work/out" 2>&1; then
        cat "$work/out"
        echo "doc/tls.md:1: the commands of the page make no certificates"
        failed=1
    elif ! printed=$(cd "$work/tls" && SSL_CERT_FILE=ca.pem run ./try 2>&1) || [ "$printed" != encrypted ]; then
        echo "doc/tls.md:1: the programs of the page printed \"$printed\" instead of encrypted"
        failed=1
    else
        echo "page of TLS: $printed"
    fi
fi

# The examples. The .pc files of their libraries must not get the sysroot.
mkdir "$work/pc"
for file in "${pc%/*}"/*.pc; do
    sed "s|^\([a-z_]*\)=/|\1=$root/|" "$file" > "$work/pc/${file##*/}"
done
cp -R "$docs/examples" "$work/examples"

# there MODULE: a library that an example needs is installed.
there()
{
    PKG_CONFIG_PATH=$work/pc:$PKG_CONFIG_PATH ${PKG_CONFIG%% *} --exists "$1"
}

# build_examples FOLDER PROGRAM [TARGET...]: by the Makefile of the folder. The program then prints its usage
# and fails.
build_examples()
{
    folder=$1 program=$2
    shift 2
    if ! (cd "$work/$folder" && unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR &&
        PKG_CONFIG_PATH=$work/pc:$PKG_CONFIG_PATH "$MAKE" CC="$CC" CFLAGS="-Wall -Wextra -Werror $PROGRAM_FLAGS" \
            PKG_CONFIG="$PKG_CONFIG" "$@") > "$work/out" 2>&1; then
        cat "$work/out"
        echo "$folder/Makefile:1: the installed examples do not build"
        failed=1
    elif run "$work/$folder/$program" > "$work/out" 2>&1 || ! grep -q '^usage: ' "$work/out"; then
        cat "$work/out"
        echo "$folder/Makefile:1: the installed $program prints no usage"
        failed=1
    else
        echo "$folder: ${*:-$program}"
    fi
}

zlib_missing=no
if there zlib
then build_examples examples/compressed-chat compressed-chat
else zlib_missing=yes; fi
examples='blocking daemon'
for example in in-epoll: https-get:pollux-tls in-glib:glib-2.0 in-libuv:libuv sdl-game/sdl-game:sdl2; do
    library=${example#*:}
    if there "${library:-pollux}"
    then examples="$examples ${example%:*}"
    else echo "${example%:*}: $library is not installed"; fi
done
# shellcheck disable=SC2086 # a list of names
build_examples examples blocking $examples

run_make uninstall DESTDIR="$root"
left=$(find "$root" ! -type d -o -name pollux)
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
