# tests/bench/blocks.awk -- data for gnuplot: a block for each side, its name first, then the number
# that stands in `what` and the value. Where a side was measured more than once the first one counts.
field("what") ~ select && field("side") !~ /read\)$/ {
    side = field("side"); text = field("what")
    sub(/^echo 64 B, /, "", text); gsub(/[^0-9]*of 1000.*/, "", text); gsub(/[^0-9]/, "", text)
    if (!(side in seen)) { seen[side] = 1; names[++rows] = side }
    if ((side, text) in figure) next
    at[side, ++count[side]] = text
    figure[side, text] = value("value")
}
END {
    for (i = 1; i <= rows; i++) {
        print "# " names[i]
        for (j = 1; j <= count[names[i]]; j++)
            print at[names[i], j], figure[names[i], at[names[i], j]]
        print "\n"
    }
}
