# tests/bench/peers.awk -- all peers beside each other: a row each, a column for each work.
#
#   awk -f json.awk -f peers.awk -v select='^idle frame' [-v style=markdown] [-v strip='^idle frame, ']
#       [-v sides='^(raw|Pollux)'] *.jsonl
#
# select   a regular expression: what to show
# style    text (as it is), or markdown
# strip    a regular expression: what to leave out of the heads of the columns
# sides    a regular expression: which sides to show; all without it
#
# A cell has the figure, and behind it, in brackets, the ratio to raw. Where a side was measured more
# than once, as raw is beside each peer over idle connections, the first one counts.
function significant(x) {
    if (x >= 100 || x == 0) return grouped(sprintf("%.0f", x))
    return sprintf(x >= 10 ? "%.1f" : "%.2f", x)
}
function grouped(text,    out) {
    while (length(text) > 4 || (length(text) > 3 && out != "")) {
        out = " " substr(text, length(text) - 2) out
        text = substr(text, 1, length(text) - 3)
    }
    return text out
}
function ratio(x) { return sprintf(x >= 10 ? "%.0f" : "%.2f", x) }

field("what") ~ select && (sides == "" || field("side") ~ sides) {
    what = field("what"); side = field("side")
    if (!(what in heads)) { heads[what] = field("unit"); works[++columns] = what }
    if (!(side in seen)) { seen[side] = 1; names[++rows] = side }
    if ((side, what) in cell) next
    cell[side, what] = significant(value("value"))
    if (side != "raw" && field("ratio") != "-" && field("ratio") != "")
        cell[side, what] = cell[side, what] " (" ratio(value("ratio")) ")"
}
END {
    if (rows == 0) exit
    line = style == "markdown" ? "| |" : sprintf("%-22s", "")
    rule = "|---|"
    for (j = 1; j <= columns; j++) {
        head = works[j]; if (strip != "") sub(strip, "", head)
        if (heads[works[j]] != "") head = head ", " heads[works[j]]
        width[j] = length(head) > 14 ? length(head) : 14
        line = line (style == "markdown" ? " " head " |" : sprintf("  %*s", width[j], head))
        rule = rule "---:|"
    }
    print line
    if (style == "markdown") print rule
    for (i = 1; i <= rows; i++) {
        line = style == "markdown" ? "| " names[i] " |" : sprintf("%-22s", names[i])
        for (j = 1; j <= columns; j++) {
            text = ((names[i], works[j]) in cell) ? cell[names[i], works[j]] : "–"
            line = line (style == "markdown" ? " " text " |" : sprintf("  %*s", width[j], text))
        }
        print line
    }
}
