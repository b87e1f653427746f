# tests/bench/plot/style.gp -- what all pictures share: `directory` is where the figures are.
set terminal svg size 860,520 font "sans-serif,13" background rgb "white" dynamic
set encoding utf8
set grid back lc rgb "#dddddd" lw 1
set border lc rgb "#444444"
set tics textcolor rgb "#222222"
set key textcolor rgb "#222222" noenhanced

# The names of the blocks of a file; a blank inside one is a no-break space, so that `word` keeps it.
names(file) = system("sed -n 's/^# //p' '" . file . "' | sed 's/ /\302\240/g'")

is(name, begin) = strstrt(name, begin) == 1
color(name) = is(name, "raw") ? 0x777777 : \
    is(name, "Pollux\302\240(io_uring)") ? 0x7a0177 : \
    is(name, "Pollux\302\240(0.5") ? 0xf768a1 : \
    is(name, "Pollux") ? 0xc51b1b : \
    is(name, "libuv") ? 0x1f77b4 : \
    is(name, "libevent") ? 0x17a2a2 : \
    is(name, "Qt") ? 0x3a9a3a : \
    is(name, "SDL2") ? 0xe08a00 : \
    is(name, "ENet") ? 0x8c564b : \
    is(name, "nng") ? 0x9a9a00 : 0x5b4bb0
width(name) = is(name, "Pollux") ? 3 : is(name, "raw") ? 2.5 : 1.6
point(name) = is(name, "raw") ? 2 : is(name, "Pollux") ? 7 : 6
