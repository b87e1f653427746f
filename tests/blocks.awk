# tests/blocks.awk -- writes the blocks of a page into files, and lists them.
#
#   awk -v folder=FOLDER -f blocks.awk PAGE > list
#
# FOLDER/1, FOLDER/2 ... are the blocks between fences. A line of the list is
#
#   NUMBER LINE LANGUAGE WORD NAME
#
# LINE is that of the fence, WORD what follows the language behind it, NAME the file that the first line
# of the block names: "/* NAME -- ", "// NAME -- " or "# NAME -- "; each of the last two may be "-". Every
# block has a fence with a language: a block that is only indented is a fault, and so is an open fence.
function complain(what) { print FILENAME ":" FNR ": " what > "/dev/stderr"; bad = 1 }
function end_of_block() {
    if (name == "") name = "-"
    close(file)
    print blocks, start, language, word, name
}
/^```/ && !inside {
    inside = 1; start = FNR; name = ""
    language = substr($1, 4); word = NF > 1 ? $2 : "-"
    if (language == "") complain("a block without a language")
    file = folder "/" ++blocks
    printf "" > file
    next
}
/^```$/ { inside = 0; end_of_block(); blank = 1; next }
inside {
    if (FNR == start + 1 && $1 ~ /^(\/\*|\/\/|#)$/ && $2 ~ /\./ && $3 == "--") name = $2
    print > file
    next
}
/^[ \t]+```/ { complain("a fence that is indented") }
/^(    |\t)/ && blank { complain("a block that is only indented: give it a fence with a language") }
{ blank = /^[ \t]*$/ }
END {
    if (inside) complain("a block that is not closed")
    exit bad
}
