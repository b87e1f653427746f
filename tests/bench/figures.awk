# tests/bench/figures.awk -- Pollux beside raw system calls, with what is to be reached.
#
#   awk -f json.awk -f figures.awk [-v style=markdown] *.jsonl
#
# Shown is all that has a target, and what the programs measure of Pollux alone. `twice` is twice the
# target, or half of it where more is better.
function print_head() {
    if (style == "markdown") {
        print "| what | side | unit | reference | Pollux | ratio | to reach | |"
        print "|---|---|---|---:|---:|---:|---:|---|"
        form = "| %s | %s | %s | %s | %s | %s | %s | %.0s%s |\n"
        return
    }
    form = "%-56s %-22s %-5s %11s %11s %8s %9s %8s  %s\n"
    printf form, "what", "side", "unit", "reference", "Pollux", "ratio", "target", "twice", ""
}
function print_row(    target) {
    target = field("target") == "-" ? "-" : field("bound") " " field("target")
    if (style == "markdown") gsub(/[<>]=/, substr(target, 1, 1) == "<" ? "≤" : "≥", target)
    printf form, field("what"), field("side"), field("unit"), number("reference", 1),
        number("value", value("value") < 10 ? 3 : 1), number("ratio", 3), target, field("twice"),
        field("verdict")
}
BEGIN { print_head() }
field("side") !~ /^Pollux/ { next }
field("target") == "-" && (style == "markdown" || field("program") !~ /^(poll|ipc|memory|flood)$/) { next }
{
    if (style != "markdown" && field("program") != last) print "-- " field("program")
    last = field("program")
    print_row()
    seen[field("verdict")]++
}
END {
    printf "\n%d figures reached, %d missed, %d missed by far\n",
        seen["reached"], seen["missed"], seen["MISSED BY FAR"]
}
