#!/bin/sh
# tests/check-programs.sh [PROGRAM...] -- the programs of README.md and doc/guide.md compile, run and print
# what the pages say; with arguments only these are run.
#
# A program is a block that names its file in its first line (tests/blocks.awk). A word behind the language
# of its fence is a module of pkg-config that it needs beside Pollux. The block of text behind a program is
# what it prints, to the letter. A program runs in a folder of its own for 20 seconds at most, over loopback
# at ports that the kernel chooses; run() below knows which ones need arguments, certificates or another
# program. A program for what is not here is skipped with a line. What else the pages state is for
# tests/check-docs.sh.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
CC=${CC:-cc}
CXX=${CXX-c++}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
PROGRAM_FLAGS=${PROGRAM_FLAGS-}
libs=$builddir/.libs
if [ ! -e "$libs/libpollux.so" ]; then
    echo "SKIP: there is no shared library in $libs (configured with --disable-shared?)"
    exit 77
fi
workplace=programs
. "$srcdir/tests/workplace.sh"
mkdir blocks pages folders
patience='timeout --foreground 20' # else it passes a signal on twice, to the process and to its group
$patience true 2> /dev/null || patience='timeout 20'
LD_LIBRARY_PATH=$libs${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
XDG_RUNTIME_DIR=$work
export XDG_RUNTIME_DIR
unset http_proxy all_proxy HTTP_PROXY ALL_PROXY no_proxy NO_PROXY

# ---- the pages -----------------------------------------------------------------------------------------

# Files "blocks/NAME.c" and "blocks/NAME.c.printed"; a line "NAME.c MODULE PAGE:LINE" for each program.
for page in README.md doc/guide.md; do
    folder=pages/$(basename "$page" .md)
    mkdir "$folder"
    awk -v folder="$folder" -f "$srcdir/tests/blocks.awk" "$srcdir/$page" > list || fail "$page"
    program=
    while read -r number line language word name; do
        case $language:$name in
            text:*)
                [ -z "$program" ] || cp "$folder/$number" "blocks/$program.printed"
                program=
                continue
                ;;
            cpp:- | python:-) fail "$page:$line: a program without a name" ;;
            *:-) continue ;;
        esac
        [ -z "$program" ] || fail "$page: $program has no block of what it prints"
        program=$name
        [ "$language" = python ] || echo "#line $((line + 1)) \"$page\"" > "blocks/$name"
        cat "$folder/$number" >> "blocks/$name"
        echo "$name $word $page:$line" >> programs
    done < list
    [ -z "$program" ] || fail "$page: $program has no block of what it prints"
done
[ -s programs ] || fail 'there are no programs'

# ---- compiling -----------------------------------------------------------------------------------------

# compile NAME MODULE: the program folders/NAME/NAME; 1 without a word if it cannot be tried here.
compile()
{
    stem=${1%.*}
    [ ! -d "folders/$stem" ] || { [ -e "folders/$stem/$stem" ]; return; }
    mkdir "folders/$stem"
    flags="-Wall -Wextra -Werror $PROGRAM_FLAGS -I$srcdir/include -I$builddir/include"
    needs="-L$libs -lpollux -pthread"
    standard=-std=c11
    if grep -q '<pollux/tls\.h>' "blocks/$1"; then
        [ -e "$libs/libpollux-tls.so" ] || { skip "$1: this build has no TLS"; return 1; }
        needs="-L$libs -lpollux-tls $needs"
    fi
    if [ "$2" != - ]; then
        "$PKG_CONFIG" --exists "$2" 2> /dev/null || { skip "$1: $2 is not installed"; return 1; }
        flags="$flags $("$PKG_CONFIG" --cflags "$2")"
        needs="$needs $("$PKG_CONFIG" --libs "$2")"
        standard=-std=gnu11 # headers of others may need it
    fi
    # shellcheck disable=SC2086 # lists of flags
    case $1 in
        *.c) $CC $standard -pedantic $flags "blocks/$1" -o "folders/$stem/$stem" $needs ;;
        *.cpp)
            command -v "${CXX%% *}" > /dev/null || { skip "$1: there is no compiler of C++"; return 1; }
            $CXX -std=c++17 -fPIC -pedantic $flags "blocks/$1" -o "folders/$stem/$stem" $needs
            ;;
        *.py)
            [ -z "$PROGRAM_FLAGS" ] || { skip "$1: Python does not load a library with sanitizers"; return 1; }
            command -v python3 > /dev/null || { skip "$1: python3 is not installed"; return 1; }
            { echo '#!/usr/bin/env python3'; cat "blocks/$1"; } > "folders/$stem/$stem"
            chmod +x "folders/$stem/$stem"
            ;;
    esac || { fail "$1 does not compile"; return 1; }
}

# need NAME: compiles another program of the pages.
need()
{
    compile "$1.c" -
}

# ---- running -------------------------------------------------------------------------------------------

# begin NAME ARGUMENT...: starts a server; its first line is "... port NUMBER", which becomes $port.
# "said" has what it prints, with 7777 as its port.
begin()
{
    rm -f pipe
    mkfifo pipe
    begun=$1
    shift
    (cd "folders/$begun" && exec $patience "./$begun" "$@" > ../../pipe 2>&1) &
    server=$!
    started="$started $server"
    exec 3< pipe
    read -r line <&3
    port=${line##* }
    case $line in
        *' port '*) echo "${line% *} 7777" > said ;;
        *) echo "$line" > said ;;
    esac
}

# stop LAST: reads until a line ends in LAST, stops the server, and reads the rest.
stop()
{
    line=
    while [ "${line%"$1"}" = "$line" ] && read -r line <&3; do
        echo "$line" >> said
    done
    {
        kill "$server"
        cat <&3 >> said
        exec 3<&-
        wait "$server"
    } 2> /dev/null # where a shell reports that it was terminated
}

alone()
{
    program=$1
    shift
    (cd "folders/$program" && exec $patience "./$program" "$@")
}

# apart NAME: runs a program in a network of its own, where nobody else listens; 77 if there is none.
apart()
{
    network='unshare --net'
    $network true 2> /dev/null || network='unshare --map-root-user --net' # not root
    $network true 2> /dev/null && command -v ip > /dev/null || return 77
    $network sh -c "ip link set lo up && cd folders/$1 && exec $patience ./$1"
}

# certificates FOLDER: makes them by certificates.sh of doc/tls.md.
certificates()
{
    command -v openssl > /dev/null || { echo 'openssl is not installed, which makes the certificates'; return 1; }
    awk -v name=certificates.sh -f "$srcdir/tests/page.awk" "$srcdir/doc/tls.md" > commands
    (cd "$1" && sh -e ../../commands > made 2>&1) || { cat "$1/made"; return 1; }
}

# mechanism: how groups poll here.
mechanism()
{
    cat > blocks/mechanism.c << 'END'
#include <pollux.h>
#include <stdio.h>

int main(void)
{
    plx_group *group = plx_group_new();
    puts(plx_group_mechanism(group));
    plx_group_free(group);
    return 0;
}
END
    # shellcheck disable=SC2086 # a list of flags
    $CC -std=c11 $PROGRAM_FLAGS "-I$srcdir/include" "-I$builddir/include" blocks/mechanism.c -o mechanism "-L$libs" \
        -lpollux && ./mechanism
}

# visitor: makes a player for relay, which repeats its datagram until it returns.
visitor()
{
    mkdir folders/visitor
    cat > blocks/visitor.c << 'END'
#include <pollux.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    char text[100];
    ptrdiff_t size = 0;
    plx_socket *udp = plx_udp_new();
    plx_socket_connect_to(udp, count > 1 ? arguments[1] : "");
    for (int tries = 0; tries < 100 && size <= 0; tries++) {
        plx_socket_write_text(udp, "hello");
        plx_socket_wait_for_data(udp, 100);
        size = plx_socket_read(udp, text, sizeof text);
    }
    printf("%.*s\n", size > 0 ? (int)size : 0, text);
    plx_socket_free(udp);
    return 0;
}
END
    # shellcheck disable=SC2086 # a list of flags
    $CC -std=c11 $PROGRAM_FLAGS "-I$srcdir/include" "-I$builddir/include" blocks/visitor.c -o folders/visitor/visitor \
        "-L$libs" -lpollux
}

# run NAME: what the program prints; a port that the kernel chose is written as 7777.
run()
{
    case $1 in
        first)
            need server || return 77
            begin server 127.0.0.1:0
            alone first "127.0.0.1:$port" || return
            stop left
            ;;
        server)
            need first || return 77
            begin server 127.0.0.1:0
            alone first "127.0.0.1:$port" > heard || return
            stop left && cat said
            ;;
        game-server)
            need game-bot || return 77
            begin game-server 127.0.0.1:0
            alone game-bot "127.0.0.1:$port" > heard || return
            stop 10
            cat said # it has no end of its own
            ;;
        game-bot)
            need game-server || return 77
            begin game-server 127.0.0.1:0
            alone game-bot "127.0.0.1:$port" || return
            stop 10 || :
            ;;
        client)
            need server || return 77
            begin server 127.0.0.1:0
            alone client "127.0.0.1:$port" || return
            stop left
            ;;
        talk)
            need server || return 77
            begin server 127.0.0.1:0
            alone talk "127.0.0.1:$port" || return
            stop left
            ;;
        relay)
            visitor || return
            begin relay 127.0.0.1:0
            folders/visitor/visitor "127.0.0.1:$port" > heard || return
            kill "$server"
            [ "$(cat heard)" = hello ] && cat said
            ;;
        note)
            begin note
            alone note > heard 2>&1 || return
            stop hello && cat said
            ;;
        in-glib | in-uv | in-qt)
            case $(mechanism) in poll) echo 'poll(2) has no descriptor to watch'; return 77 ;; esac
            alone "$1"
            ;;
        secret)
            certificates folders/secret || return 77
            alone secret
            ;;
        table) # it would join multicast groups on all interfaces
            [ -e /proc/net/igmp ] || { echo 'the kernel has no multicast'; return 77; }
            apart table
            status=$?
            [ $status -ne 77 ] || echo 'there is no network of its own'
            return $status
            ;;
        errors | way) # they expect that nobody listens at port 1
            apart "$1" || { [ $? -eq 77 ] && alone "$1"; }
            ;;
        *) alone "$1" ;;
    esac
}

while read -r name module where <&4; do
    if [ $# -gt 0 ]; then
        case " $* " in *" ${name%.*} "*) ;; *) continue ;; esac
    fi
    compile "$name" "$module" || continue
    run "${name%.*}" > "folders/${name%.*}/output" 2>&1
    status=$?
    [ $status -ne 77 ] || { skip "$name: $(cat "folders/${name%.*}/output")"; continue; }
    if [ $status -eq 0 ] && cmp -s "folders/${name%.*}/output" "blocks/$name.printed"; then
        passed=$((passed + 1))
    else
        diff "blocks/$name.printed" "folders/${name%.*}/output" 2>&1
        fail "$where: $name ends with $status, and prints as above"
    fi
done 4< programs

echo "$passed programs of the pages ran, $skipped skipped, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
