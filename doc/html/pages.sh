#!/bin/sh
# doc/html/pages.sh FOLDER -- the guide, the other pages and the manual for a browser; `make html`.
#
# pandoc turns the pages of Markdown into FOLDER/NAME.html, mandoc those of the manual into
# FOLDER/man/NAME.SECTION.html. Links between pages lead to these, links to other files of the tree to a
# page with that file, and the name of a function to its page of the manual.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/../..}" && pwd) || exit 1
for tool in mandoc pandoc; do
    command -v "$tool" > /dev/null || missing="${missing-} $tool"
done
if [ -n "${missing-}" ]; then
    echo "make html: missing:$missing (Debian, Ubuntu: apt-get install$missing); nothing was made" >&2
    exit 1
fi
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
rm -rf "$1" && mkdir -p "$1/man" && out=$(cd "$1" && pwd) || exit 1
cd "$srcdir" || exit 1
LC_ALL=C
export LC_ALL
trap 'rm -f "$out"/.list.*' EXIT
trap 'exit 1' HUP INT TERM
cp doc/html/style.css "$out" || exit 1

# begin TITLE ROOT CLASS, end: the frame of a page; ROOT leads from it to FOLDER, as "../".
begin()
{
    cat << HTML
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$1</title>
<link rel="stylesheet" href="$2style.css">
</head>
<body>
<header><nav><a href="$2index.html">Pollux</a><a href="$2doc/guide.html">Guide</a><a
href="$2doc/cheat-sheet.html">Cheat sheet</a><a href="$2man/index.html">Manual</a></nav></header>
<main class="$3">
HTML
}
end()
{
    printf '</main>\n</body>\n</html>\n'
}
# root_of PATH: "../" for each folder of the path.
root_of() { echo "$1" | sed 's|[^/]||g; s|/|../|g'; }
escape() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' "$@"; }
# title_of PAGE: the first heading of a page of Markdown.
title_of() { sed -n '/^# /{ s/^# //; s/`//g; p; q; }' "$1" | escape; }

# ---- the manual --------------------------------------------------------------------------------------

# NAME TARGET, for each function and each page.
for page in doc/man/*.[0-9]; do
    name=$(basename "$page")
    echo "${name%.*} $name.html"
    awk -v own=1 -f doc/man/names.awk "$page" | sed "s|.*|& $name.html#&|"
done | awk '!($1 in seen) { seen[$1] = 1; print }' > "$out/.list.names"

for page in doc/man/*.[0-9]; do
    name=$(basename "$page")
    {
        begin "${name%.*}(${name##*.})" ../ manual
        echo "<h1 class=\"title\">${name%.*}(${name##*.})</h1>"
        mandoc -T html -O 'fragment,man=%N.%S.html' "$page" | awk '
        FILENAME != "-" { page[$1] = $2; next }
        {
            done = ""
            while (match($0, /href="[^"#:]*\.[0-9]\.html"/)) {
                name = substr($0, RSTART + 6, RLENGTH - 14)
                done = done substr($0, 1, RSTART - 1) (name in page ? "href=\"" page[name] "\"" : "")
                $0 = substr($0, RSTART + RLENGTH)
            }
            print done $0
        }' "$out/.list.names" -
        end
    } > "$out/man/$name.html"
done

# list_manual FOLDER: an entry for each page of the manual, which is in that folder of HTML.
list_manual()
{
    for page in doc/man/*.7 doc/man/*.3; do
        name=$(basename "$page")
        echo "<dt><a href=\"$1$name.html\">${name%.*}(${name##*.})</a></dt><dd>$(sed -n 's/^\.Nd //p' "$page" | escape)</dd>"
    done
}
{
    begin 'The manual of Pollux' ../ manual-index
    echo '<h1>The manual</h1>'
    echo '<h2>Pages</h2><dl class="pages">'
    list_manual ''
    echo '</dl><h2 id="functions">Functions</h2><ul class="functions">'
    for page in doc/man/*.3; do
        awk -v own=1 -f doc/man/names.awk "$page" |
            sed "s|.*|<li><a href=\"$(basename "$page").html#&\">&</a></li>|"
    done | sort
    echo '</ul>'
    end
} > "$out/man/index.html"

# ---- pages of Markdown ---------------------------------------------------------------------------------

# refer PAGE: its links and the names of functions, of HTML; notes the other files in .list.files.
refer()
{
    awk -v page="$1" -v root="$(root_of "$1")" -v files="$out/.list.files" '
    FILENAME != "-" { manual[$1] = $2; next }
    function is(kind, path) { return system("test -" kind " \"" path "\"") == 0 }
    # plain("doc", "../README.md") is "README.md".
    function plain(folder, path) {
        while (path ~ /^\.\.\//) { path = substr(path, 4); if (!sub(/[^\/]*\/$/, "", folder)) return "" }
        return folder path
    }
    # target(WHERE): where the link leads in the folder of HTML.
    function target(where, at, rest, file) {
        at = index(where, "#"); rest = at ? substr(where, at) : ""
        if (at) where = substr(where, 1, at - 1)
        if (where == "" || where ~ /:/) return where rest
        sub(/\/$/, "", where)
        file = plain(folder, where)
        if (where ~ /\.md$/) { sub(/\.md$/, ".html", where); return where rest }
        print file >> files
        if (where ~ /\.(svg|png|jpg)$/) return where rest
        return where (is("d", file) ? "/index" : "") ".html" rest
    }
    function attributes(line, done, name, value) {
        done = ""
        while (match(line, /(href|src|srcset)="[^"]*"/)) {
            name = value = substr(line, RSTART, RLENGTH)
            sub(/=.*/, "", name); sub(/^[a-z]*="/, "", value); sub(/"$/, "", value)
            done = done substr(line, 1, RSTART - 1) name "=\"" target(value) "\""
            line = substr(line, RSTART + RLENGTH)
        }
        return done line
    }
    function functions(line, done, name, before) {
        done = ""
        while (match(line, /<code>plx_[a-z0-9_]+<\/code>/)) {
            before = done substr(line, 1, RSTART - 1)
            name = substr(line, RSTART + 6, RLENGTH - 13)
            if (name in manual && before !~ /<a [^>]*>$/)
                done = before "<a href=\"" root "man/" manual[name] "\"><code>" name "</code></a>"
            else done = before substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
        }
        return done line
    }
    BEGIN { folder = page; if (!sub(/[^\/]*$/, "", folder)) folder = "" }
    { print functions(attributes($0)) }' "$out/.list.names" -
}

: > "$out/.list.files"
for page in *.md doc/*.md; do
    mkdir -p "$out/$(dirname "$page")"
    {
        begin "$(title_of "$page")" "$(root_of "$page")" page
        pandoc -f gfm -t html5 --no-highlight "$page" | refer "$page"
        end
    } > "$out/${page%.md}.html"
done

# show FILE: a page with a file of the tree.
show()
{
    mkdir -p "$out/$(dirname "$1")"
    { begin "$1" "$(root_of "$1")" file; echo "<h1>$1</h1><pre>"; escape "$1"; echo '</pre>'; end; } > "$out/$1.html"
}
sort -u "$out/.list.files" | while read -r file; do
    if [ -d "$file" ]; then
        mkdir -p "$out/$file"
        {
            begin "$file" "$(root_of "$file/")" file
            echo "<h1>$file</h1><ul>"
            for each in "$file"/*; do
                [ ! -f "$each" ] || { show "$each"; echo "<li><a href=\"${each##*/}.html\">${each##*/}</a></li>"; }
            done
            echo '</ul>'
            end
        } > "$out/$file/index.html"
    elif [ -f "$file" ]; then
        case $file in
            *.svg | *.png | *.jpg) mkdir -p "$out/$(dirname "$file")" && cp "$file" "$out/$file" ;;
            *) show "$file" ;;
        esac
    fi
done

# ---- the first page ------------------------------------------------------------------------------------
{
    begin Pollux '' index
    echo '<h1>Pollux</h1><p>A C library of polled sockets: the pages of this version.</p>'
    echo '<h2>Pages</h2><dl class="pages">'
    for page in README.md doc/guide.md doc/cheat-sheet.md doc/*.md *.md; do
        case " ${seen-} " in *" $page "*) continue ;; esac
        seen="${seen-} $page"
        title=$(title_of "$page")
        echo "<dt><a href=\"${page%.md}.html\">$title</a></dt><dd>$page</dd>"
    done
    echo '</dl><h2>Manual</h2><dl class="pages">'
    list_manual man/
    echo '</dl><p><a href="man/index.html#functions">All functions</a></p>'
    end
} > "$out/index.html"
# Each link leads to a file that is there.
for page in $(cd "$out" && find . -name '*.html' | sort); do
    grep -o '\(href\|src\|srcset\)="[^":#]*' "$out/$page" | sed 's/^[a-z]*="//' | sort -u | while read -r link; do
        [ -z "$link" ] || [ -e "$out/$(dirname "$page")/$link" ] || echo "make html: $page: there is no $link"
    done
done > "$out/.list.dead"
[ ! -s "$out/.list.dead" ] || { cat "$out/.list.dead"; exit 1; }

echo "make html: $(find "$out" -name '*.html' | wc -l) pages in $1"
