# tests/page.awk -- prints one file of a page: the block that begins with "/* NAME -- " or "# NAME -- ".
#
#   awk -v name=mask.c -f page.awk doc/adding-a-filter.md
/^```./ && !inside { inside = 1; first = 1; next }
/^```$/ { inside = 0; wanted = 0; next }
inside && first { first = 0; wanted = index($0, "/* " name " -- ") == 1 || index($0, "# " name " -- ") == 1; found = found || wanted }
wanted { print }
END { if (!found) { print "no block is " name > "/dev/stderr"; exit 1 } }
