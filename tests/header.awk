# tests/header.awk -- what the public headers say of their functions, a fact a line:
#
#   function HEADER:LINE NAME                 a function that is exported, or inline
#   exported HEADER:LINE NAME                 a function that is marked PLX_API
#   prototype NAME TEXT                       its declaration; also the typedef of a function
#   error NAME CODE                           the comment above the function names the code; an errno
#                                             in quotes, behind os_error or in PLX_CODE (ERRNO) is none
#   as NAME OTHER                             the function returns what OTHER returns
#   symbol HEADER:LINE NAME                   a type, an enumerator or a macro
#
# A comment belongs to the functions below it, up to the next empty line. One that begins with "The calls
# below" belongs to all functions that return int as well, up to the next rule.
#
# Variables: `codes`, a list of the classes in enum plx_code.

function squeeze(text)
{
    gsub(/[ \t\n]+/, " ", text)
    gsub(/\* /, "*", text)
    gsub(/\( /, "(", text)
    sub(/^ /, "", text)
    sub(/ $/, "", text)
    return text
}

# name_errors NAME TEXT: prints the codes and the other functions that a comment names.
function name_errors(name, text, word, other, n, i, rest)
{
    gsub(/[ \t\n]+/, " ", text)
    gsub(/"[A-Za-z0-9]*"/, "", text)
    gsub(/os_error E[A-Z0-9]+/, "os_error", text)
    while (match(text, /PLX_[A-Z_]+[a-z ]*\(E[A-Z0-9]+\)/)) {
        word = substr(text, RSTART, RLENGTH)
        sub(/\(.*/, "", word)
        text = substr(text, 1, RSTART - 1) word substr(text, RSTART + RLENGTH)
    }
    rest = text
    while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
        word = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if ((word ~ /^E[A-Z0-9]+$/ && length(word) > 3) || index(" " codes " ", " " word " ")) print "error", name, word
    }
    rest = text
    while (match(rest, /([Rr]eturns|also) as plx_[a-z0-9_]+ does|what plx_[a-z0-9_]+ returns/)) {
        other = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        match(other, /plx_[a-z0-9_]+/)
        print "as", name, substr(other, RSTART, RLENGTH)
    }
}

function declare(text, name)
{
    gsub(/__attribute__ *\(\(.*\)\)\)/, "", text)
    sub(/^[ \t]+/, "", text)
    sub(/;[ \t]*$/, "", text)
    if (text ~ /^typedef / && text !~ /\(/) {
        n = split(text, part, /[ *]+/)
        print "symbol", where, part[n]
        return
    }
    if (text !~ /^(PLX_API|static inline|typedef) /) return
    if (text ~ /^PLX_API / && match(text, /plx_[a-z0-9_]+\(/)) print "exported", where, substr(text, RSTART, RLENGTH - 1)
    sub(/^(PLX_API|static inline) /, "", text)
    text = squeeze(text)
    if (!match(text, /plx_[a-z0-9_]+\(/)) {
        if (match(text, /\(plx_[a-z0-9_]+\)/)) print "symbol", where, substr(text, RSTART + 1, RLENGTH - 2)
        return
    }
    name = substr(text, RSTART, RLENGTH - 1)
    print "prototype", name, text
    if (text ~ /^typedef /) {
        print "symbol", where, name
        return
    }
    print "function", where, name
    name_errors(name, comment)
    if (text ~ /^int / && below != "") name_errors(name, below)
}

FNR == 1 { below = comment = code = ""; inside = braces = continued = 0 }

# ---- comments at the left edge ----------------------------------------------------------------------
!braces && code == "" && /^\/\*/ && !inside {
    comment = ""
    inside = 1
    if ($0 ~ /^\/\* ---- /) below = ""
}
inside {
    text = $0
    sub(/^(\/\*| \*\/?)/, "", text)
    comment = comment " " text
    if ($0 ~ /\*\//) inside = 0
    next
}
/^[ \t]*$/ {
    if (comment ~ /^ *The calls below/) below = comment
    if (!braces && code == "") comment = ""
    next
}

# ---- code -------------------------------------------------------------------------------------------
/^#define PLX_/ && !/^#define PLX_(API|BEGIN_DECLS|END_DECLS)/ {
    match($0, /PLX_[A-Z_0-9]+/)
    print "symbol", FILENAME ":" FNR, substr($0, RSTART, RLENGTH)
}
continued || /^[ \t]*#/ || /^PLX_(BEGIN|END)_DECLS/ { continued = /\\$/; next }
braces {
    if ($0 ~ /^    PLX_[A-Z]/ && enumerators) {
        match($0, /PLX_[A-Z_0-9]+/)
        print "symbol", FILENAME ":" FNR, substr($0, RSTART, RLENGTH)
    }
    if ($0 ~ /^}/) {
        braces = 0
        if (match($0, /plx_[a-z_0-9]+/)) print "symbol", FILENAME ":" FNR, substr($0, RSTART, RLENGTH)
    }
    next
}
{
    text = $0
    sub(/[ \t]*\/\*.*/, "", text)
    if (code == "") where = FILENAME ":" FNR
    code = code " " text
    if (text ~ /\{[^}]*$/ || /^\{/) {
        braces = 1
        enumerators = code ~ /enum/
        sub(/\{.*/, "", code)
        if (code ~ /\(/) declare(code)
        code = ""
    } else if (text ~ /;[ \t]*$/) {
        declare(code)
        code = ""
    }
}
