# tests/bench/plot/idle.gp -- what an idle frame costs, over the number of connections.
load source . "/style.gp"
set output directory . "/idle.svg"
file = directory . "/idle.dat"
list = names(file)
set title "A frame in which nothing arrived"
set xlabel "connections"
set ylabel "CPU time of one poll (ns)"
set logscale xy
set xrange [0.8:14000]
set format y "10^{%L}"
set key outside right
plot for [i=1:words(list)] file index i-1 using 1:2 with linespoints \
    lc rgb color(word(list, i)) lw width(word(list, i)) pt point(word(list, i)) ps 0.7 title word(list, i)
