#!/bin/sh
# tests/check-machines.sh -- the state of a socket is a few small machines, each with one writer.
#
# A machine is a member of struct plx_socket (lib/socket/object.h) whose comment names its enum and the
# header of its picture, "plx__tx, lib/socket/sending.h". That header and its source are the one place that
# writes the member: assigns it, counts it up or down, or takes its address. No code assigns a socket as a
# whole or clears it by memset. A socket has at most 12 flags, each a bool of one bit, and no other bits.
set -u
srcdir=${srcdir:-$(dirname "$0")/..}
here=$(cd "$srcdir/tests" && pwd) || exit 1
cd "$srcdir" || exit 1

object=lib/socket/object.h
[ -f "$object" ] || { echo "$object:1: there is no such file"; exit 1; }
{
    cat "$object"
    for round in types uses; do
        find lib/socket lib/transfer lib/endpoint lib/kind lib/group -name '*.[ch]' -print | LC_ALL=C sort |
            while read -r file; do
            echo "@file $file $round"
            awk -f "$here/uncomment.awk" "$file"
        done
    done
    echo '@file end'
} | awk -v object="$object" -v most=12 '
function complain(where, what) { print where ": " what; bad = 1 }
function is_name(word) { return word ~ /^[A-Za-z_]/ }
function list(array, words,    i, n, word) { n = split(words, word, " "); for (i = 1; i <= n; i++) array[word[i]] = 1 }
BEGIN {
    list(machine_expected, "state rx tx reconnect ending accepting read_size peer")
    list(other, "verdict.state") # members of other structures that share the name of a machine
    list(filler, "memset memcpy memmove explicit_bzero bzero")
}

# ---- the members, with their comments ----
function look_at_member(    text, name, enum, home) {
    text = $0; sub(/^[ \t]+/, "", text); sub(/\/\*.*/, "", text)
    if (text ~ /^bool / || text ~ /:[ \t]*[0-9]+[ \t]*[,;]/) {
        flags += gsub(/[,;]/, "&", text)
        if (text !~ /^bool [a-z0-9_]+ : 1;[ \t]*$/) complain(object ":" FNR, "a flag is not of the form \"bool name : 1;\"")
        if (flags > most && !too_many++) complain(object ":" FNR, "struct plx_socket has more than " most " flags")
    }
    if (!match($0, /\/\* plx_[a-z_]+/)) return
    enum = substr($0, RSTART + 3, RLENGTH - 3)
    name = text; sub(/;.*/, "", name); sub(/.* /, "", name)
    if (text !~ /^uint8_t [a-z_]+;[ \t]*$/) { complain(object ":" FNR, "a machine is not one uint8_t in a line"); return }
    if (!match($0, /lib\/[a-z]+\/[a-z0-9-]+\.h/)) { complain(object ":" FNR, "the comment of " name " does not name the header that writes it"); return }
    home = substr($0, RSTART, RLENGTH); sub(/\.h$/, "", home)
    home_of[name] = home; enum_of[name] = enum; line_of_machine[name] = FNR; machines++
}

# ---- the types that contain a socket, and the pointers to them ----
function look_at_types(    at, depth, outer) {
    for (at = 1; at <= tokens; at++) {
        if (token[at] == "{") { if (depth++ == 0) outer = token[at - 2] == "struct" ? token[at - 1] : "" }
        else if (token[at] == "}") depth--
        else if ((token[at] in whole) && outer != "" && outer != token[at] && is_name(token[at + 1]) && token[at + 2] == ";") {
            whole[outer] = 1
            part[token[at + 1]] = 1
        }
    }
}

# ---- the writes ----
function is_assignment(word) { return word ~ /^([-+*\/%&|^]|<<|>>)?=$/ || word == "++" || word == "--" }
function before(at,    depth) { # the token before the expression that ends at `at`
    for (;;) {
        if (token[at] == ")" || token[at] == "]") {
            depth = 0
            do {
                if (token[at] ~ /^[])]$/) depth++
                if (token[at] ~ /^[[(]$/) depth--
                at--
            } while (depth > 0 && at > 0)
            if (is_name(token[at]) && token[at] !~ /^(if|while|for|return|sizeof)$/) continue
        } else at--
        if (token[at] != "->" && token[at] != ".") return at
        at--
    }
}
function starts(word) { return word ~ /^[;{})]$/ || word == "else" }
function note_write(at, name) {
    writes[name, stem]++
    if (stem != home_of[name]) complain(file ":" line_of[at], "writes " name " (" enum_of[name] "), which only " home_of[name] ".[ch] does")
}
function look_at_machine(at,    name, first, lead) {
    name = token[at]
    if (token[at - 1] == "." && token[at - 2] ~ /^[{,]$/) {
        if (literal && token[at + 1] == "=") note_write(at, name)
        return
    }
    if ((token[at - 2] "." name) in other) return
    first = before(at); lead = token[first]
    while (lead == "(") lead = token[--first]
    while (token[at + 1] == ")") at++
    if (is_assignment(token[at + 1]) || lead == "++" || lead == "--") note_write(at, name)
    else if (lead == "&" && (token[first - 1] !~ /^[])A-Za-z_0-9]/ || token[first - 1] == "return" || is_cast(first - 1))) note_write(at, name)
}
# Whether the parenthesis that closes at `at` is a cast: (uint8_t *).
function is_cast(at) { return token[at] == ")" && (token[at - 1] == "*" || token[at - 1] ~ /^(u?int[0-9]*_t|int|unsigned|char|size_t)$/) }
function look_at_whole(at,    i) {
    if ((token[at] in pointer) && token[at - 1] == "*" && token[at + 1] == "=" && starts(token[at - 2])) {
        complain(file ":" line_of[at], "assigns a socket as a whole")
    } else if ((token[at] in pointer) && token[at + 1] == "[" && token[at + 3] == "]" && token[at + 4] == "=") {
        complain(file ":" line_of[at], "assigns a socket as a whole")
    } else if ((token[at] in part) && token[at - 1] ~ /^(->|[.])$/ && token[at + 1] == "=" && token[at - 2] !~ /^[{,]$/) {
        complain(file ":" line_of[at], "assigns a socket as a whole")
    } else if ((token[at] in filler) && token[at + 1] == "(") {
        for (i = at + 2; i <= tokens && token[i] !~ /^[,;]$/; i++) {
            if (token[i + 1] ~ /^(->|[.])$/) continue
            if (token[i - 1] ~ /^(->|[.])$/ ? (token[i] in part) : (token[i] in pointer)) {
                complain(file ":" line_of[at], token[at] " of a socket as a whole")
            }
        }
    }
}
function look_at_uses(    at, depth) {
    literal = 0
    for (at = 1; at <= tokens; at++) {
        if (token[at] == "{") { if (token[at - 1] == ")" && (token[at - 2] in whole)) literal = depth + 1; depth++ }
        else if (token[at] == "}") { if (literal == depth) literal = 0; depth-- }
        if (!is_name(token[at])) continue
        if ((token[at] in whole) && token[at + 1] == "*" && is_name(token[at + 2]) && token[at + 3] != "(") pointer[token[at + 2]] = 1
        if ((token[at] in home_of) && token[at - 1] ~ /^(->|[.])$/) look_at_machine(at)
        look_at_whole(at)
    }
    split("", pointer)
}
$1 == "@file" {
    if (round == "types") look_at_types()
    if (round == "uses") { look_at_uses(); files++ }
    tokens = line = 0; file = $2; round = $3
    stem = file; sub(/\.[ch]$/, "", stem)
    whole["plx_socket"] = 1
    next
}
file == "" && /^struct plx_socket \{/ { inside = 1; next }
file == "" && /^}/ { inside = 0 }
file == "" { if (inside) look_at_member(); next }
{
    line++; text = $0
    if (text ~ /^[ \t]*#[ \t]*include/) next
    gsub(/[A-Za-z_0-9]+|->|==|!=|<<=|>>=|<=|>=|\+\+|--|&&|[|][|]|[-+*\/%&|^]=|[^ \tA-Za-z_0-9]/, " & ", text)
    n = split(text, word, " ")
    for (i = 1; i <= n; i++) { token[++tokens] = word[i]; line_of[tokens] = line }
}
END {
    for (name in machine_expected) if (!(name in home_of)) complain(object ":1", "the machine " name " is not found in struct plx_socket")
    for (name in home_of) if (!((name, home_of[name]) in writes)) complain(object ":" line_of_machine[name], home_of[name] ".[ch] does not write " name)
    printf "%d machines, %d flags, looked at in %d files\n", machines, flags, files
    exit (bad || !files || !flags)
}'
