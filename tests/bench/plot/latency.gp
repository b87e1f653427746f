# tests/bench/plot/latency.gp -- from sending to data_available, for four ways to poll.
load source . "/style.gp"
set terminal svg size 960,720 font "sans-serif,13" background rgb "white" dynamic
set output directory . "/latency.svg"
ways = "spin wait loop frame"
array titles[4] = ["polling without a pause", "sleeping in a wait", "a loop with a pause of 1 ms", "a frame of 60 Hz"]
set multiplot layout 2,2 title "From sending a message to the program's handler, over a Unix socket"
set ylabel "share of messages (%)"
set yrange [0:100]
set key bottom right
do for [w=1:4] {
    file = directory . "/latency-" . word(ways, w) . ".dat"
    list = names(file)
    set title titles[w]
    set xlabel w < 3 ? "latency (µs)" : "latency (ms)"
    if (w < 3) { set logscale x; set xrange [1:1000] } else { unset logscale x; set xrange [0:(w == 3 ? 2.5 : 20)] }
    if (w > 1) { unset key }
    scale = w < 3 ? 1.0 : 1000.0
    plot for [i=1:words(list)] file index i-1 using ($2 / scale):($1 * 100) with lines \
        lc rgb color(word(list, i)) lw width(word(list, i)) title word(list, i)
}
unset multiplot
