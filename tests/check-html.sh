#!/bin/sh
# tests/check-html.sh -- `make html` makes a page of each page of Markdown and of the manual, all of whose
# links lead somewhere: to a file, and to a part of it.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
for tool in mandoc pandoc; do
    command -v "$tool" > /dev/null || { echo "SKIP: $tool is not installed, which makes the pages"; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-html.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export srcdir
sh "$srcdir/doc/html/pages.sh" "$work/html" || exit 1
cd "$work/html" || exit 1

# A line for each part of a page, "page.html#part", and one for each link to a part of a page of ours.
find . -name '*.html' | sed 's|^\./||' | LC_ALL=C sort > ../pages
while read -r page; do
    grep -o ' id="[^"]*"' "$page" | sed "s|^ id=\"|$page#|; s|\"\$||"
done < ../pages | LC_ALL=C sort -u > ../parts
while read -r page; do
    folder=$(dirname "$page")
    grep -o 'href="[^":]*#[^"]*"' "$page" | sed 's/^href="//; s/"$//' | LC_ALL=C sort -u | while read -r link; do
        case $link in
            '#'*) echo "$page$link" ;;
            *) echo "$folder/$link" | sed -e ':a' -e 's|^\./||; s|[^/.][^/]*/\.\./||; ta' ;;
        esac
    done
done < ../pages | LC_ALL=C sort -u > ../links
LC_ALL=C comm -13 ../parts ../links > ../dead
sed 's/^/there is no /' ../dead
made=$(($(ls man | wc -l) - 1))
pages=$(ls "$srcdir"/doc/man/*.[0-9] | wc -l)
[ "$made" -eq "$pages" ] || echo "$made pages of $pages of the manual were made"
echo "$(wc -l < ../pages) pages, $(wc -l < ../links) links to parts of them, $(wc -l < ../dead) dead"
[ ! -s ../dead ] && [ "$made" -eq "$pages" ]
