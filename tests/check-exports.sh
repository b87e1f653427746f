#!/bin/sh
# tests/check-exports.sh -- the shared libraries export exactly the symbols that include/ marks PLX_API:
# libpollux-tls those of include/pollux/tls.h, where it is built, and libpollux all others. <pollux.h>
# does not include tls.h, and libpollux links nothing of OpenSSL. doc/cheat-sheet.md has all of them.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
srcdir=$(cd "$srcdir" && pwd) || exit 1
builddir=${builddir:-.}
NM=${NM:-nm}

suffix=so
[ -e "$builddir/.libs/libpollux.so" ] || suffix=dylib
if [ ! -e "$builddir/.libs/libpollux.$suffix" ]; then
    echo "SKIP: there is no shared library in $builddir/.libs (configured with --disable-shared?)"
    exit 77
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-exports.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

(cd "$srcdir" && awk -f tests/header.awk include/pollux/*.h include/pollux/*.h.in) |
    awk '$1 == "exported" { print $3, $2 }' | LC_ALL=C sort -u -k1,1 > "$work/marked"

# compare LIBRARY MARKED: what the library exports, with the names that are marked.
compare()
{
    $NM -D --defined-only "$1" > "$work/nm" || return 1
    awk '$NF !~ /^(_init|_fini|_edata|_end|__bss_start)$/ { sub(/@.*/, "", $NF); print $NF }' "$work/nm" |
        LC_ALL=C sort -u > "$work/exported"
    awk -v library="${1#"$builddir"/}" '
    FILENAME ~ /marked-[a-z]*$/ { where[$1] = $2; marked++; next }
    { exported[$1] = 1; count++; if (!($1 in where)) { print library ": exports " $1 ", which no header marks PLX_API for it"; bad = 1 } }
    END {
        for (name in where) if (!(name in exported)) { print where[name] ": " name " is marked PLX_API but not exported"; bad = 1 }
        printf "%s: %d symbols exported, %d marked\n", library, count, marked
        exit (bad || !marked)
    }' "$2" "$work/exported"
}

status=0
grep ' include/pollux/tls\.h:' "$work/marked" > "$work/marked-tls"
grep -v ' include/pollux/tls\.h:' "$work/marked" > "$work/marked-core"
compare "$builddir/.libs/libpollux.$suffix" "$work/marked-core" || status=1
if [ -e "$builddir/.libs/libpollux-tls.$suffix" ]; then
    compare "$builddir/.libs/libpollux-tls.$suffix" "$work/marked-tls" || status=1
fi
awk -v page=doc/cheat-sheet.md '
FILENAME ~ /cheat-sheet\.md$/ {
    while (match($0, /plx_[a-z0-9_]+/)) { listed[substr($0, RSTART, RLENGTH)] = 1; $0 = substr($0, RSTART + RLENGTH) }
    next
}
!($1 in listed) { print page ":1: " $1 " of " $2 " is missing"; bad = 1 }
END { printf "%s: %d calls\n", page, FNR; exit (bad || !FNR) }' "$srcdir/doc/cheat-sheet.md" "$work/marked" || status=1
if grep -n 'pollux/tls\.h' "$srcdir/include/pollux.h"; then
    echo 'include/pollux.h: includes the header of libpollux-tls'
    status=1
fi
if $NM -D --undefined-only "$builddir/.libs/libpollux.$suffix" | grep -E ' (SSL|BIO|X509|EVP|ERR|CRYPTO|OPENSSL)_'; then
    echo "libpollux.$suffix: uses OpenSSL"
    status=1
fi
exit $status
