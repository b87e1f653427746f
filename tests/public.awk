# tests/public.awk -- lists what public headers name: "name plx_socket_read", "member plx_error reason", and
# the ends of names, as pages have them: "end socket_read", "end read".
#
# It reads headers without their comments (uncomment.awk).
{
    text = $0
    while (match(text, /[A-Za-z_][A-Za-z_0-9]*/)) {
        name = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        if (name ~ /^(plx|PLX)_/ && !(name in seen)) { seen[name] = 1; print "name", name; print_ends(name) }
    }
}
function print_ends(name,    at) {
    while ((at = index(name, "_")) > 0) {
        name = substr(name, at + 1)
        if (!(name in ends)) { ends[name] = 1; print "end", name }
    }
}
# A declaration ends at its semicolon, which may be on a later line.
function declare(declaration,    part, parts, i) {
    if (match(declaration, /\(\*[ \t]*[a-z_0-9]+\)/)) {
        declaration = substr(declaration, RSTART, RLENGTH); gsub(/[^a-z_0-9]/, "", declaration)
        print "member", struct, declaration
        return
    }
    parts = split(declaration, part, ",")
    for (i = 1; i <= parts; i++) {
        sub(/[ \t]*(\[.*|:.*)?$/, "", part[i]); sub(/.*[^A-Za-z_0-9]/, "", part[i])
        if (part[i] != "") print "member", struct, part[i]
    }
}
/^typedef struct [a-z_0-9]+ {/ { struct = $3; declaration = ""; next }
struct != "" && /^}/ { struct = ""; next }
struct != "" {
    declaration = declaration " " $0
    while ((at = index(declaration, ";")) > 0) {
        declare(substr(declaration, 1, at - 1))
        declaration = substr(declaration, at + 1)
    }
}
