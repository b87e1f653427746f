# tests/bench/plot/frames.gp -- how long the polls of a 60 Hz loop take under a flood.
load source . "/style.gp"
set output directory . "/frames.svg"
file = directory . "/frames.dat"
list = names(file)
set title "A loop of 60 Hz, 50 clients send all they can: how long each poll takes"
set xlabel "share of polls that took no longer (%)"
set ylabel "CPU time of one poll (ms)"
set logscale y
set xrange [0:100]
set key outside right
set arrow from 0,16.67 to 100,16.67 nohead lc rgb "#000000" dt 2
set label "a frame: 16.7 ms" at 2,20 textcolor rgb "#222222"
plot for [i=1:words(list)] file index i-1 using ($1 * 100):2 with lines \
    lc rgb color(word(list, i)) lw width(word(list, i)) title word(list, i)
