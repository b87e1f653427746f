# tests/uncomment.awk -- C without its comments, its strings and its character constants emptied.
#
# Lines keep their numbers. With -v keep=1 strings stay as they are (for the names in #include "...").
# With -v prose=1 it is the other way round: the comments and the strings alone.
{
    out = prose_out = ""
    rest = $0
    while (rest != "") {
        if (inside) {                                  # in a comment
            at = index(rest, "*/")
            if (!at) { prose_out = prose_out rest; rest = ""; break }
            prose_out = prose_out substr(rest, 1, at - 1) " "
            rest = substr(rest, at + 2); inside = 0; out = out " "
            continue
        }
        at = match(rest, /\/\*|\/\/|"|'/)
        if (!at) { out = out rest; break }
        mark = substr(rest, at, 1)
        out = out substr(rest, 1, at - 1)
        rest = substr(rest, at)
        if (mark == "/") {
            if (substr(rest, 2, 1) == "/") { prose_out = prose_out substr(rest, 3); rest = ""; break }
            inside = 1; rest = substr(rest, 3)
            continue
        }
        if (mark == "\"") match(rest, /^"([^"\\]|\\.)*("|$)/)
        else match(rest, /^'([^'\\]|\\.)*('|$)/)
        if (RLENGTH < 1) RLENGTH = 1
        out = out (keep ? substr(rest, 1, RLENGTH) : mark mark)
        prose_out = prose_out substr(rest, 2, RLENGTH - 2) " "
        rest = substr(rest, RLENGTH + 1)
    }
    print (prose ? prose_out : out)
}
