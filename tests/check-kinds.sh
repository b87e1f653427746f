#!/bin/sh
# tests/check-kinds.sh -- kinds stay home: no kind is named outside its own file and its public header,
# and the other files ask only the properties of its tables.
#
# The kinds are the files of lib/kind/. A name counts when one of its parts between underscores
# is a kind (tcp_open, plx_udp_new, PLX_IPC_MODE), in whatever case. Comments and strings do not
# count; the umbrella header includes every kind; the doors may use the constants of system headers
# (TCP_NODELAY, IPPROTO_UDP), these headers and their one structure of such a name (struct tcp_info).
#
# The tables are the structures of lib/socket/kind.h. None has more than 11 functions. A function of a
# table is called; only the one place that applies its default, which its comment states ("NULL: ..."),
# may check whether it is there. No table and no type of a transport is compared with anything.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

kinds=$(find lib/kind -name '*.c' -print 2>/dev/null | sed 's|.*/||; s|\.c$||' | LC_ALL=C sort | tr '\n' ' ')
[ -n "$kinds" ] || { echo "lib/kind/: no kinds found"; exit 1; }

status=0
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
}' || status=1

# ---- the tables -----------------------------------------------------------------------------------------
{
    cat lib/socket/kind.h
    find lib -name '*.[ch]' ! -path 'lib/os/*' ! -path lib/socket/kind.h -print | LC_ALL=C sort | while read -r file; do
        echo "@file $file"
        awk -f "$here/uncomment.awk" "$file"
    done
} | awk -v most=11 '
function complain(what) { print file ":" line ": " what; bad = 1 }
BEGIN { file = "lib/socket/kind.h" }
$1 == "@file" { file = $2; line = 0; files++; next }
{ line++ }
!files && /^struct plx_.*\{$/ { table = $2 }
!files && /^}/ { table = "" }
!files && table == "" { next }
!files && /\/\*/ { comment = "" }
!files && /^ *(\/\*| \*)/ { comment = comment $0; next }
!files && match($0, /\(\*[a-z0-9_]+\)/) {
    slot = substr($0, RSTART + 2, RLENGTH - 3)
    if (slot in table_of) complain("the slot " slot " is in two tables")
    if (!(table in count)) tables++
    if (++count[table] == most + 1) complain(table " has more than " most " functions")
    table_of[slot] = table; has_default[slot] = comment ~ /NULL:/; slots++
    next
}
!files { next }
/(endpoint|transport|association) *[!=]=/ || /[!=]= *&?plx__[a-z_]*_(endpoint|transport|association)/ {
    complain("a table is compared: ask one of its properties")
}
/[!=]= *PLX__TYPE_|->type *[!=]= *SOCK_/ { complain("a type is compared: ask a property of the transport") }
{
    text = $0
    while (match(text, /(kind|endpoint|transport|association)->[a-z_]+/)) {
        name = substr(text, RSTART, RLENGTH); sub(/^.*->/, "", name)
        text = substr(text, RSTART + RLENGTH - length(name)) # what is pointed at may point on
        if (!(name in table_of) || substr(text, length(name) + 1) ~ /^\(/) continue
        if (!has_default[name]) complain("looks whether " name " is there, which has no default")
        else if (name in place) complain("looks whether " name " is there, as " place[name] " does")
        place[name] = file ":" line
    }
}
END {
    printf "%d tables, %d functions, looked at in %d files\n", tables, slots, files
    exit (bad || tables < 4 || slots < 20 || !files)
}' || status=1
exit $status
