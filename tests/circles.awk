# tests/circles.awk -- strongly connected components of a graph: its circles.
#
# A line is an arrow: where it begins, where it ends, and (if there is more) why. A node "file:name" stands
# in that file, another one is a file. A component that lies within one file is no circle. Each circle is
# printed with the arrows that make it; -v what=... names the sort of circle. Exits 1 if there is one.
function home(node) { sub(/:.*$/, "", node); return node }
function visit(v,    n, list, i, w) {                  # Tarjan's algorithm
    number[v] = low[v] = ++order
    stack[++top] = v; on_stack[v] = 1
    n = split(arrows[v], list, " ")
    for (i = 1; i <= n; i++) {
        w = list[i]
        if (!(w in number)) { visit(w); if (low[w] < low[v]) low[v] = low[w] }
        else if (on_stack[w] && number[w] < low[v]) low[v] = number[w]
    }
    if (low[v] == number[v]) finish(v)
}
function finish(root,    w, members, homes, files, i, j) {
    members = 0; homes = 0; split("", files); split("", member)
    do {
        w = stack[top--]; on_stack[w] = 0
        member[++members] = w
        if (!(home(w) in files)) { files[home(w)] = 1; homes++ }
    } while (w != root)
    if (homes < 2) return
    bad = 1
    printf "a circle of %s:", what
    for (i = members; i > 0; i--) printf " %s", member[i]
    printf "\n"
    for (i = members; i > 0; i--)
        for (j = members; j > 0; j--)
            if ((member[i], member[j]) in why && i != j)
                printf "    %s -> %s%s\n", member[i], member[j], why[member[i], member[j]]
}
NF >= 2 {
    from = $1; to = $2
    if (!(from in known)) { known[from] = 1; nodes[++count] = from }
    if (!((from, to) in why)) { arrows[from] = arrows[from] " " to; why[from, to] = NF > 2 ? ":" : "" }
    for (i = 3; i <= NF; i++) why[from, to] = why[from, to] " " $i
}
END {
    for (k = 1; k <= count; k++) if (!(nodes[k] in number)) visit(nodes[k])
    exit bad
}
