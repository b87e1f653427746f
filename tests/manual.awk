# tests/manual.awk -- what the pages of the manual have, a fact a line:
#
#   page NAME SECTION FILE                    each page
#   name PAGE NAME                            what its section NAME lists
#   prototype NAME TEXT                       a function of its section SYNOPSIS
#   section PAGE TITLE                        each of its sections
#   described PAGE NAME                       a function that its section DESCRIPTION has with .Fn
#   error NAME CODE                           what its section ERRORS says of a function
#   link PAGE NAME SECTION                    a page that it refers to
#   word PAGE NAME                            an argument, a member or a handler, by .Fa, .It Va or .It Fn
#   struct PAGE TEXT                          a struct that its section DESCRIPTION declares
#   program PAGE:LINE FILE WAY                an example; WAY is "compiles" or "runs"
#
# With -v folder=DIR the examples become files of DIR, "PAGE-N.c", and what they print "PAGE-N.c.printed".
# doc/man/README has the rules of the pages.

function complain(what) { print FILENAME ":" FNR ": " what > "/dev/stderr"; bad = 1 }

# words LINE: the arguments of a macro, in `word`; returns their number.
function words(line, n)
{
    n = 0
    sub(/^\.[A-Za-z]+[ \t]*/, "", line)
    while (line != "") {
        if (line ~ /^"/) { match(line, /^"[^"]*"/); word[++n] = substr(line, 2, RLENGTH - 2) }
        else { match(line, /^[^ \t]+/); word[++n] = substr(line, 1, RLENGTH) }
        line = substr(line, RLENGTH + 1)
        sub(/^[ \t]+/, "", line)
    }
    return n
}
function plain(text)
{
    gsub(/\\\(aq/, "'", text)
    gsub(/\\&/, "", text)
    gsub(/\\-/, "-", text)
    gsub(/\\e/, "\\", text)
    return text
}
function prototype(name, arguments, text)
{
    text = type " " name "(" arguments ")"
    gsub(/\* /, "*", text)
    print "prototype", name, text
    type = ""
}
# plain_struct TEXT: without comments, with one space between words.
function plain_struct(text)
{
    gsub(/\/\*[^*]*\*\//, "", text)
    gsub(/[ \t]+/, " ", text)
    sub(/^ /, "", text)
    return text
}

FNR == 1 {
    if (text_of != "") complain("an example before this page has no end")
    page = FILENAME
    sub(/.*\//, "", page)
    section_number = page
    sub(/.*\./, "", section_number)
    sub(/\.[0-9]$/, "", page)
    print "page", page, section_number, FILENAME
    title = type = mark = text_of = ""
    examples = 0
}

# ---- examples ----------------------------------------------------------------------------------------
text_of != "" && /^\.Ed/ { close(text_of); text_of = ""; next }
text_of != "" { print plain($0) > text_of; next }
/^\.\\" (compiles|runs|prints|shell)$/ { mark = $2; next }
title == "EXAMPLES" && /^\.Bd/ {
    if (mark == "") complain("an example without a mark: compiles, runs, prints or shell")
    if (mark == "prints" && last != "runs") complain("what is printed, without a program that runs before it")
    if (mark == "compiles" || mark == "runs") {
        file = page "-" ++examples ".c"
        print "program", FILENAME ":" FNR, file, mark
    }
    text_of = "/dev/null"
    if (folder != "" && mark != "shell") text_of = folder "/" file (mark == "prints" ? ".printed" : "")
    if (text_of ~ /\.c$/) printf "#line %d \"%s\"\n", FNR + 1, FILENAME > text_of
    last = mark
    mark = ""
    next
}

# ---- sections ----------------------------------------------------------------------------------------
/^\.Sh / {
    title = $0
    sub(/^\.Sh /, "", title)
    print "section", page, title
    group = ""
    listed = 0
}
title == "NAME" && /^\.Nm / { print "name", page, $2 }
title == "SYNOPSIS" && /^\.Ft / {
    n = words($0)
    type = word[1]
    for (i = 2; i <= n; i++) type = type " " word[i]
}
title == "SYNOPSIS" && /^\.Fn / {
    n = words($0)
    arguments = n > 1 ? word[2] : ""
    for (i = 3; i <= n; i++) arguments = arguments ", " word[i]
    prototype(word[1], arguments)
}
title == "SYNOPSIS" && /^\.Fo / { function_name = $2; arguments = "" }
title == "SYNOPSIS" && /^\.Fa / {
    n = words($0)
    for (i = 1; i <= n; i++) arguments = arguments (arguments == "" ? "" : ", ") word[i]
}
title == "SYNOPSIS" && /^\.Fc/ { prototype(function_name, arguments) }

title == "DESCRIPTION" && /^\.(Fn|It Fn) plx_/ { print "described", page, /^\.It/ ? $3 : $2 }

# The functions named since the last paragraph have the errors of the list that follows.
title == "ERRORS" && (/^\.Pp/ || /^\.El/) { group = ""; listed = 0 }
title == "ERRORS" && /^\.Bl/ { listed = 1; if (group == "") complain("a list of errors without functions before it") }
title == "ERRORS" && /^\.Fn / && !listed { group = group " " $2 }
title == "ERRORS" && /^\.It Bq Er / {
    n = split(group, function_of, " ")
    for (i = 1; i <= n; i++) print "error", function_of[i], $4
}
/^\.Fa [a-z]|^\.It (Va|Fn) [a-z]/ && title != "SYNOPSIS" {
    for (i = 2; i <= NF && $i !~ /^"/; i++) if ($i ~ /^[a-z_0-9]+$/) print "word", page, $i
}
title == "DESCRIPTION" && /^typedef struct / { structure = "" }
title == "DESCRIPTION" && /^typedef struct /, /^}/ {
    structure = structure " " $0
    if (/^}/) print "struct", page, plain_struct(structure)
}
# The name of a page is also inside other macros, as in ".It Xr plx_udp 3 , Xr plx_udp_multicast 3".
/^\./ { for (i = 1; i < NF - 1; i++) if ($i ~ /^\.?Xr$/) print "link", page, $(i + 1), $(i + 2) }
END { exit bad }
