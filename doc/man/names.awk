# doc/man/names.awk -- the names that a page describes besides its own: each gets a link when it is installed.
# With -v own=1 its own is among them.
FNR == 1 { page = FILENAME; sub(/.*\//, "", page); sub(/\.[0-9]$/, "", page); inside = 0 }
/^\.Sh / { inside = $2 == "NAME" }
inside && /^\.Nm / && (own || $2 != page) { print $2 }
