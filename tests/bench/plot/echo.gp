# tests/bench/plot/echo.gp -- what a message costs an echo server of 1 000 connections.
load source . "/style.gp"
set output directory . "/echo.svg"
file = directory . "/echo.dat"
list = names(file)
set title "Echo server with 1 000 connections: CPU time for each message"
set ylabel "CPU time (µs)"
set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.85 noborder
set boxwidth 0.9
set logscale y
set yrange [1:*]
set key outside right
set grid noxtics
plot for [i=1:words(list)] file index i-1 using ($2 / 1000):xticlabels(sprintf("%d active", $1)) \
    lc rgb color(word(list, i)) title word(list, i)
