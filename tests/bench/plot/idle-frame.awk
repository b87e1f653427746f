# tests/bench/plot/idle-frame.awk -- draws the picture of the README: what an idle frame costs.
#
#   awk -f idle-frame.awk doc/performance.md > doc/pictures/idle-frame.svg
#
# The figures are those of the page: the column of 1000 connections in the table of idle frames, and the
# machine. Lengths are true to them; a bar is at least one point long. It is a card with a background of
# its own, light or dark as the reader's screen is.
function bar(side, name, note, class,    length_, y) {
    if (!(side in cost)) { print "idle-frame.awk: no figure for " side > "/dev/stderr"; failed = 1; exit }
    length_ = cost[side] / cost["Qt 5"] * 410
    y = 62 + 34 * bars++
    if (length_ < 1) length_ = 1
    row[bars] = sprintf("<text x=\"190\" y=\"%d\" text-anchor=\"end\" class=\"%s\">%s</text>\n", y + 16, class, name)
    row[bars] = row[bars] sprintf("<rect x=\"200\" y=\"%d\" width=\"%.1f\" height=\"22\" class=\"%s bar\"/>\n", y, length_, class)
    row[bars] = row[bars] sprintf("<text x=\"%.1f\" y=\"%d\" class=\"%s\">%s</text>", 210 + length_, y + 16, class, time_of(cost[side]) note)
}
function time_of(nanoseconds) {
    if (nanoseconds < 1000) return sprintf(nanoseconds < 10 ? "%.1f ns" : "%d ns", nanoseconds + (nanoseconds < 10 ? 0 : 0.5))
    return sprintf("%d 000 ns", nanoseconds / 1000 + 0.5)
}
/^<!-- bench peers select="\^idle frame"/ { idle = 1 }
/^<!-- bench machine/ { machine = 1 }
/^<!-- end/ { idle = machine = 0 }
idle && /^\|/ {
    cells = split($0, cell, "|")
    for (i = 2; i < cells; i++) if (cell[i] ~ /^ 1000 connections, ns/) column = i
    side = cell[2]; gsub(/^ +| +$/, "", side)
    value = cell[column]; sub(/\(.*/, "", value); gsub(/ /, "", value)
    if (value ~ /^[0-9.]+$/) cost[side] = value + 0
}
machine && /^- processors: / { processors = $0; sub(/^- processors: /, "", processors); gsub(/\(R\)/, "", processors); sub(/^[0-9]+, /, "", processors) }
machine && /^- system: / { system_ = $3; version = $4; sub(/^[0-9]+\.[0-9]+/, "&\n", version); sub(/\n.*/, "", version) }
END {
    if (failed) exit 1
    bar("Pollux (io_uring)", "Pollux (io_uring)", ": no system call", "ours")
    bar("Pollux (epoll)", "Pollux (epoll)", ": one system call", "ours")
    bar("libuv", "libuv", "", "other")
    bar("SDL2_net", "SDL2_net", "", "other")
    bar("Qt 5", "Qt 5", "", "other")
    if (failed) exit 1
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 286\" width=\"720\" height=\"286\" role=\"img\" aria-label=\"What a frame costs in which none of 1000 connections has anything\">"
    print "<style>"
    print "text { font: 15px sans-serif; fill: #1f2328 } .title { font-weight: bold; font-size: 18px }"
    print ".ours { font-weight: bold } .ours.bar { fill: #1a7f37 } .other.bar { fill: #8c959f } .note { font-size: 12px; fill: #59636e }"
    print ".card { fill: #ffffff; stroke: #d1d9e0 }"
    print "@media (prefers-color-scheme: dark) {"
    print "text { fill: #f0f6fc } .ours.bar { fill: #3fb950 } .note { fill: #9198a1 } .card { fill: #0d1117; stroke: #3d444d }"
    print "}"
    print "</style>"
    print "<rect x=\"0.5\" y=\"0.5\" width=\"719\" height=\"285\" rx=\"8\" class=\"card\"/>"
    print "<text x=\"24\" y=\"38\" class=\"title\">One frame, 1000 connections, nothing has arrived</text>"
    for (i = 1; i <= bars; i++) print row[i]
    print "<text x=\"24\" y=\"250\" class=\"note\">Processor time in which one call polls all connections; shorter is better.</text>"
    printf "<text x=\"24\" y=\"268\" class=\"note\">The median of make bench on one core of an %s, %s %s.</text>\n", processors, system_, version
    print "</svg>"
}
