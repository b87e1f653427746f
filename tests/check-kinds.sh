#!/bin/sh
# tests/check-kinds.sh -- kinds stay home: no kind is named outside its own file and its public header.
#
# The kinds are the files of lib/kind/. A name counts when one of its parts between underscores
# is a kind (tcp_open, plx_udp_new, PLX_IPC_MODE), in whatever case. Comments and strings do not
# count; the umbrella header includes every kind; the doors may use the constants of system headers
# (TCP_NODELAY, IPPROTO_UDP), these headers and their one structure of such a name (struct tcp_info).
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

kinds=$(find lib/kind -name '*.c' -print 2>/dev/null | sed 's|.*/||; s|\.c$||' | LC_ALL=C sort | tr '\n' ' ')
[ -n "$kinds" ] || { echo "lib/kind/: no kinds found"; exit 1; }

find lib include -name '*.[ch]' ! -path include/pollux.h -print | LC_ALL=C sort | while read -r file; do
    echo "@file $file"
    awk -f "$here/uncomment.awk" "$file"
done | awk -v kinds="$kinds" '
BEGIN { count = split(kinds, word, " "); for (i = 1; i <= count; i++) kind[word[i]] = 1 }
function complain(what) { print file ":" line ": " what; bad = 1 }
$1 == "@file" {
    file = $2; line = 0; files++
    home = file; sub(/.*\//, "", home); sub(/\.[ch]$/, "", home)
    if (file !~ /^lib\/kind\// && file !~ /^include\/pollux\//) home = ""
    door = file ~ /^lib\/(os|poll|resolve)\//
    next
}
{ line++; text = $0 }
door && /^[ \t]*#[ \t]*include[ \t]*</ { next }
{
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        if (door && name ~ /^[A-Z0-9_]+$/ && name !~ /^PLX_/) continue
        if (door && name == "tcp_info") continue
        parts = split(tolower(name), part, "_")
        for (i = 1; i <= parts; i++)
            if ((part[i] in kind) && part[i] != home) complain(name " names the kind " part[i])
    }
}
END {
    printf "%d files, kinds: %s\n", files, kinds
    exit (bad || !files)
}'
