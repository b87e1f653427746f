# tests/bench/figures.awk -- the table of figures with a target, and of Pollux's own: JSON lines in,
# text out.
#
# tests/bench/json.awk comes first on the command line.
BEGIN {
    form = "%-56s %-22s %-5s %11s %11s %8s %9s %8s  %s\n"
    printf form, "what", "side", "unit", "reference", "Pollux", "ratio", "target", "twice", ""
}
field("side") ~ /^Pollux/ && (field("verdict") != "" || field("against") == "" || field("program") ~ /^(poll|ipc|memory|flood)$/) {
    if (field("target") == "-" && field("program") !~ /^(poll|ipc|memory|flood)$/) next
    if (field("program") != last) { last = field("program"); print "-- " last }
    target = field("target")
    printf form, field("what"), field("side"), field("unit"), number("reference", 1),
        number("value", value("value") < 10 ? 3 : 1), number("ratio", 3),
        target == "-" ? "-" : field("bound") " " target, field("twice"), field("verdict")
    seen[field("verdict")]++
}
END {
    printf "\n%d figures reached, %d within twice, %d over twice the target\n",
        seen["reached"], seen["within twice"], seen["OVER TWICE"]
}
