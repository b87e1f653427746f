#!/bin/sh
# tests/check-kinds.sh -- kinds stay home: no kind is named outside its own file and its public header,
# and the other files ask only the properties of its tables.
#
# The kinds are the files of lib/kind/. A name counts when one of its parts between underscores
# is a kind (tcp_open, plx_udp_new, PLX_IPC_MODE), in whatever case. Comments and strings do not
# count; the umbrella header includes every kind; lib/group/discovery-socket uses one by its header, as a
# program does; the doors may use the constants of system headers (TCP_NODELAY, IPPROTO_UDP), these headers
# and their one structure of such a name (struct tcp_info).
#
# The tables are the structures of lib/socket/kind.h. None has more than 11 functions. A function of a
# table is called and nothing else: whatever points at it. Only the one place that applies its default,
# which its comment states ("NULL: ..."), compares it with NULL, and calls it in the same function. A
# pointer to a table has the table's name (kind, endpoint, transport, association), is no condition and is
# not compared, except in plx__socket_is. No type of a transport is compared.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

kinds=$(find lib/kind -name '*.c' -print 2>/dev/null | sed 's|.*/||; s|\.c$||' | LC_ALL=C sort | tr '\n' ' ')
[ -n "$kinds" ] || { echo "lib/kind/: no kinds found"; exit 1; }

status=0
find lib include -name '*.[ch]' ! -path include/pollux.h ! -path 'lib/group/discovery-socket.[ch]' -print | LC_ALL=C sort | while read -r file; do
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
tables=lib/socket/kind.h
{
    cat "$tables"
    find lib/socket lib/transfer lib/endpoint lib/kind lib/group -name '*.[ch]' ! -path "$tables" \
        ! -path 'lib/socket/filtered.[ch]' -print |
        LC_ALL=C sort | while read -r file; do
        echo "@file $file"
        awk -f "$here/uncomment.awk" "$file"
    done
} | awk -v most=11 -v tables_file="$tables" '
function complain(at, what) { print file ":" line_of[at] ": " what; bad = 1 }
function list(array, words,    i, n, word) { n = split(words, word, " "); for (i = 1; i <= n; i++) array[word[i]] = 1 }
BEGIN {
    file = tables_file
    # Members of other structures, and the function udp_of, that share the name of a slot.
    list(other, "owner.incoming self.incoming udp_of.incoming facts.connected loop.input loop.output " \
        "race.target target.target task.deadline socket.pending client.pending listener.pending " \
        "socket.unconfirmed table.receive table.send table.pending table.shutdown")
    list(untyped, "typeof __typeof__ __typeof __auto_type")
    list(transparent, "( ) & * ! const void struct uintptr_t intptr_t")
}
function is_name(token) { return token ~ /^[A-Za-z_]/ }
# The token before the expression whose last token is `at`: a->b, f(x)->b and a[i].b are one expression.
function before(at,    depth) {
    for (;;) {
        if (token[at] == ")" || token[at] == "]") {
            depth = 0
            do {
                if (token[at] ~ /^[])]$/) depth++
                if (token[at] ~ /^[[(]$/) depth--
                at--
            } while (depth > 0 && at > 0)
            if (is_name(token[at])) continue
        } else at--
        if (token[at] != "->" && token[at] != ".") return at
        at--
    }
}
# The name before the `->` or `.` at `at`; of a call the name of the function.
function base_of(at,    depth) {
    at--
    if (token[at] != ")") return token[at]
    do { depth += (token[at] == ")") - (token[at] == "("); at-- } while (depth > 0 && at > 0)
    return token[at]
}
# The last name of the operand that begins behind the operator at `at`.
function right_of(at,    name) {
    while (token[++at] in transparent) ;
    while (is_name(token[at])) {
        name = token[at++]
        if (token[at] == "->" || token[at] == ".") at++
    }
    return name
}
# The last name of the operand that ends before the operator at `at`.
function left_of(at) {
    while (token[--at] == ")") ;
    return token[at]
}
function has_default_here(at) { return token[at + 1] ~ /^[!=]=$/ && token[at + 2] == "NULL" && token[at - 1] == "->" && (token[at - 2] in noun) }

# A function of a table is called, or checked in the one place of its default.
function look_at_slot(at,    name, base) {
    name = token[at]; base = base_of(at - 1)
    if (token[at - 1] == "." && token[at - 2] ~ /^[{,]$/ && token[at + 1] == "=") return      # of a table
    if (token[at + 1] == "(") { if (name in place_function && place_function[name] == file " " current) called[name] = 1; return }
    if (!(base in noun) && ((base "." name) in other)) return
    if (!has_default[name]) complain(at, "looks whether " name " is there, which has no default")
    else if (!has_default_here(at)) complain(at, "uses " name " without calling it: only its default compares it with NULL")
    else if (name in place) complain(at, "looks whether " name " is there, as " place[name] " does")
    else { place[name] = file ":" line_of[at]; place_function[name] = file " " current; return }
}
# A pointer to a table has the name of the table, so that no other name hides one; a table is const.
function look_at_type(at,    name, next_at) {
    name = token[at]; next_at = at + 1
    if (token[next_at] == ";") return
    if (token[next_at] == "*") {
        if (token[++next_at] == "const") next_at++
        if (token[next_at] != noun_of[name]) complain(at, "a pointer to struct " name " is called " noun_of[name])
    } else if (is_name(token[next_at]) && token[at - 2] == "const" && token[next_at + 1] ~ /^[=;]$/) {
        variable[token[next_at]] = 1
    } else complain(at, "struct " name " other than a const table or a pointer called " noun_of[name])
}
# A pointer to a table, or a sentence that belongs to a property, is no condition.
function look_at_value(at,    first, lead, next_token) {
    next_token = token[at + 1]
    if (next_token ~ /^(->|[(]|[!=]=)$/) return
    first = before(at); lead = token[first]
    if (lead ~ /^[!=]=$/) return # look_at_comparison finds it
    if (lead == "!" || lead == "&&" || lead == "||" || next_token ~ /^(&&|[|][|]|[?])$/ ||
        (lead == "(" && token[first - 1] ~ /^(if|while|!)$/ && next_token == ")")) {
        complain(at, "a condition asks whether " token[at] " is there: ask one of its properties")
    } else if (lead == "return" || (lead == "=" && token[first - 1] != token[at] && next_token == ";")) {
        complain(at, "the pointer " token[at] " gets another name or type")
    } else if ((token[at] in axis) && lead != "*" && lead != "const" && lead != "=" && token[at - 1] != "." &&
               !(lead in noun_of) && !(lead == "&" && token[first - 1] == "=")) {
        complain(at, "the table " token[at] " is passed or compared: ask one of its properties")
    }
}
function look_at_comparison(at,    left, right) {
    left = left_of(at); right = right_of(at)
    if (file == "lib/socket/object.h" && current == "plx__socket_is" && left == "kind" && right == "kind") return
    if ((left in compared) || (right in compared) || (left in variable) || (right in variable)) {
        complain(at, "a table is compared: ask one of its properties, or plx__socket_is")
    } else if (left ~ /^PLX__TYPE_/ || right ~ /^PLX__TYPE_/ || ((left == "type" || right == "type") && (left ~ /^SOCK_/ || right ~ /^SOCK_/))) {
        complain(at, "a type is compared: ask a property of the transport")
    }
}
# The member that a macro names by its parameter may be a slot, unless it is a member of another structure.
function look_at_macro(at,    base) {
    base = base_of(at - 1)
    if (!is_name(base) || (base in noun) || ((line_of[at], base) in parameter)) {
        complain(at, "the macro takes the name of a member of what may be a table")
    }
}
function look_at_file(    at, depth, parentheses, head) {
    for (at = 1; at <= tokens; at++) {
        if (token[at] == "{") { if (depth++ == 0) current = head }
        else if (token[at] == "}") { if (--depth == 0) current = "" }
        else if (token[at] == "(") { if (depth == 0 && parentheses++ == 0) head = token[at - 1] }
        else if (token[at] == ")") { if (depth == 0) parentheses-- }
        else if (token[at] ~ /^[!=]=$/) look_at_comparison(at)
        else if (token[at] in untyped) complain(at, token[at] " hides the type of a table")
        if (!is_name(token[at])) continue
        if ((token[at] in table_of) && token[at - 1] ~ /^(->|[.])$/) look_at_slot(at)
        if ((token[at] in noun_of) && token[at - 1] == "struct") look_at_type(at)
        if (token[at] in compared) look_at_value(at)
        if (((line_of[at], token[at]) in parameter) && token[at - 1] ~ /^(->|[.])$/) look_at_macro(at)
    }
    tokens = 0
    split("", parameter)
}
$1 == "@file" { if (files++) look_at_file(); file = $2; line = 0; macro = ""; next }
{ line++ }
!files && /^struct plx_.*\{$/ {
    table = $2; name = table; sub(/^.*_/, "", name)
    noun_of[table] = name; noun[name] = compared[name] = 1
    if (table != "plx_kind") axis[name] = 1
}
!files && /^}/ { table = "" }
!files && table == "" { next }
!files && /\/\*/ { comment = "" }
!files && /^ *(\/\*| \*)/ { comment = comment $0; next }
!files && match($0, /\(\*[a-z0-9_]+\)/) {
    slot = substr($0, RSTART + 2, RLENGTH - 3)
    line_of[0] = line
    if (slot in table_of) complain(0, "the slot " slot " is in two tables")
    if (!(table in count)) tables++
    if (++count[table] == most + 1) complain(0, table " has more than " most " functions")
    table_of[slot] = table; has_default[slot] = comment ~ /NULL:/; slots++
    next
}
!files && table == "plx_kind" && match($0, /\*(un|without_)[a-z_]+;/) { compared[substr($0, RSTART + 1, RLENGTH - 2)] = 1 }
!files { next }
{
    text = $0
    if (text ~ /^[ \t]*#[ \t]*include/) next
    if (match(text, /^[ \t]*#[ \t]*define[ \t]+[A-Za-z_0-9]+\([^)]*\)/)) {
        macro = substr(text, RSTART, RLENGTH); sub(/^[^(]*\(/, "", macro); sub(/\)$/, "", macro); gsub(/[ \t,]+/, " ", macro)
    } else if (!continued) macro = ""
    continued = text ~ /\\$/
    if (macro != "") { n = split(macro, word, " "); for (i = 1; i <= n; i++) parameter[line, word[i]] = 1 }
    gsub(/[A-Za-z_0-9]+|->|==|!=|<=|>=|&&|[|][|]|[-+*\/%&|^<>]=|[^ \tA-Za-z_0-9]/, " & ", text)
    n = split(text, word, " ")
    for (i = 1; i <= n; i++) { token[++tokens] = word[i]; line_of[tokens] = line }
}
END {
    look_at_file()
    for (name in place) if (!(name in called)) {
        print place[name] ": looks whether " name " is there, and does not call it in the same function"; bad = 1
    }
    printf "%d tables, %d functions, looked at in %d files\n", tables, slots, files
    exit (bad || tables < 4 || slots < 20 || !files)
}' || status=1

exit $status
