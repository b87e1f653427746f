# tests/links.sh -- read by scripts that look at pages: which of their links lead nowhere.
#
# dead_links FOLDER PAGE...: prints "PAGE:LINE: why" for each dead link of the pages, which are in FOLDER.
# A link is [text](target), ![text](target) or an attribute (src, srcset, href) of HTML. Its target is a
# file or folder beside the page, a heading of a page ("#a-heading" or "page.md#a-heading", written as
# GitHub does), or elsewhere ("https:"), which is not asked. A link must stay inside FOLDER.
dead_links()
{
    (cd "$1" && shift && awk '
function slug(text) {
    text = tolower(text)
    gsub(/`/, "", text); gsub(/\]\([^)]*\)/, "", text)
    gsub(/[^a-z0-9 _-]/, "", text); gsub(/ /, "-", text)
    return text
}
function folder_of(path) { return path ~ /\// ? substr(path, 1, match(path, /[^\/]*$/) - 1) : "" }
# "doc/../README.md" is "README.md"; what leaves the folder begins with "../".
function plain(path,    part, parts, i, kept, depth) {
    parts = split(path, part, "/"); depth = 0
    for (i = 1; i <= parts; i++) {
        if (part[i] == "" || part[i] == ".") continue
        if (part[i] == ".." && depth > 0 && kept[depth] != "..") depth--
        else kept[++depth] = part[i]
    }
    path = ""
    for (i = 1; i <= depth; i++) path = path (i > 1 ? "/" : "") kept[i]
    return path
}
function add(target) { where[++links] = FILENAME ":" FNR; from[links] = FILENAME; to[links] = target }
FNR == 1 { fenced = 0; page[FILENAME] = 1 }
/^```/ { fenced = !fenced; next }
fenced { next }
/^#+ / {
    text = $0; sub(/^#+ /, "", text); text = slug(text)
    heading[FILENAME, (count[FILENAME, text]++ ? text "-" (count[FILENAME, text] - 1) : text)] = 1
}
{
    # A link may have a line end in its text, never in its target.
    line = $0; gsub(/`[^`]*`/, "", line)
    while (match(line, /\]\([^()]*\)/)) {
        add(substr(line, RSTART + 2, RLENGTH - 3)); line = substr(line, RSTART + RLENGTH)
    }
    while (match(line, /(src|srcset|href)="[^"]*"/)) {
        target = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
        sub(/^[^"]*"/, "", target); sub(/"$/, "", target); add(target)
    }
}
END {
    for (i = 1; i <= links; i++) {
        if (to[i] ~ /^[a-z]+:/) continue
        at = index(to[i], "#")
        path = at ? substr(to[i], 1, at - 1) : to[i]
        name = at ? substr(to[i], at + 1) : ""
        path = path == "" ? from[i] : plain(folder_of(from[i]) path)
        if (at && (path in page)) {
            if (!((path, name) in heading)) print where[i], "none", to[i]
        } else print where[i], "file", path
    }
}' "$@" | while read -r where what target; do
        case $what:$target in
            none:*) echo "$where: there is no heading $target" ;;
            file:../*) echo "$where: $target is outside" ;;
            *) [ -e "$target" ] || echo "$where: there is no $target" ;;
        esac
    done)
}
