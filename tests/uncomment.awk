# tests/uncomment.awk -- C without its comments, its strings and its character constants emptied.
#
# Lines keep their numbers. With -v keep=1 strings stay as they are (for the names in #include "...").
{
    out = ""
    rest = $0
    while (rest != "") {
        if (inside) {                                  # in a comment
            at = index(rest, "*/")
            if (!at) { rest = ""; break }
            rest = substr(rest, at + 2); inside = 0; out = out " "
            continue
        }
        at = match(rest, /\/\*|\/\/|"|'/)
        if (!at) { out = out rest; break }
        mark = substr(rest, at, 1)
        out = out substr(rest, 1, at - 1)
        rest = substr(rest, at)
        if (mark == "/") {
            if (substr(rest, 2, 1) == "/") { rest = ""; break }
            inside = 1; rest = substr(rest, 3)
            continue
        }
        if (mark == "\"") match(rest, /^"([^"\\]|\\.)*("|$)/)
        else match(rest, /^'([^'\\]|\\.)*('|$)/)
        if (RLENGTH < 1) RLENGTH = 1
        out = out (keep ? substr(rest, 1, RLENGTH) : mark mark)
        rest = substr(rest, RLENGTH + 1)
    }
    print out
}
