#!/usr/bin/env python3
"""tests/coverage/compare.py UNCOVERED LINES -- is the reason of every uncovered line known?

UNCOVERED lists functions of lib/ with lines that no test reaches: file, function, the number of its
lines, and the reason, separated by one tab each; a line that begins with # is a comment. LINES is the
report of `gcovr --json`. Fails when a function has more uncovered lines than listed, and when the list
names a function that there is not. A function with fewer is printed: the list can be made shorter.
"""

import json
import sys


def listed(path):
    """Returns {(file, function): number of lines}."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip() and not line.startswith("#"):
                part = line.rstrip("\n").split("\t")
                if len(part) != 4 or not part[3]:
                    sys.exit("%s:%d: not file, function, lines, reason" % (path, number))
                found[part[0], part[1]] = int(part[2])
    return found


def function_at(functions, number):
    """Returns the name of the function that has the line; functions in C are not nested."""
    before = [function for function in functions if function["lineno"] <= number]
    return max(before, key=lambda function: function["lineno"])["name"] if before else "(none)"


def measured(path):
    """Returns {(file, function): [numbers of uncovered lines]}, empty for functions without any."""
    found = {}
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    for source in report["files"]:
        for function in source["functions"]:
            found.setdefault((source["file"], function["name"]), [])
        for line in source["lines"]:
            if line["count"] == 0 and not line.get("gcovr/noncode", False):
                name = function_at(source["functions"], line["line_number"])
                found.setdefault((source["file"], name), []).append(line["line_number"])
    return found


def main():
    known, found = listed(sys.argv[1]), measured(sys.argv[2])
    bad = 0
    for place in sorted(set(known) - set(found)):
        print("%s: there is no function %s" % place)
        bad += 1
    for place, lines in sorted(found.items()):
        most = known.get(place, 0)
        if len(lines) > most:
            print("%s:%d: %s: %d lines are not reached, %d are listed: %s" % (
                place[0], lines[0], place[1], len(lines), most, " ".join(map(str, lines))))
            bad += 1
        elif len(lines) < most:
            print("%s: %s: only %d of %d listed lines are not reached" % (
                place[0], place[1], len(lines), most))
    print("%d lines of %d functions are not reached, %d functions are listed, %d faults" % (
        sum(map(len, found.values())), sum(1 for lines in found.values() if lines), len(known), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
