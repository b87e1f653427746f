#!/usr/bin/env python3
"""tests/mutation/mutate.py SOURCE BUILD [COUNT [SEED]] -- breaks lines of lib/, and looks who notices.

Each mutant is one line of lib/ with one change: an operator, a constant, or a dropped statement. A
mutant that compiles is tried with the test programs that reach its line, the shortest first, 60
seconds each, until one fails twice. The seed chooses the lines; the same seed gives the same mutants.

BUILD is a build of its own with `--coverage`, which tests/mutation/run makes. The first use runs
each test program once, to learn which lines it reaches and how long it takes: BUILD/reach.json.

equivalent.txt beside this file names mutants that no test can notice, each with its reason. The last
line counts: noticed, survived, equivalent.
"""

import json
import os
import random
import re
import subprocess
import sys
import time

LIMIT = 60  # seconds for one test program
LONGEST = 40  # seconds of a program that is used: a busy machine must not make it reach the limit

# A program that takes longer is used in parts: these rows of tests/kinds.c (POLLUX_TEST_WORLDS).
PARTS = ["tcp/lone", "ipc/uring", "seqpacket/poll", "bits tcp/epoll", "order ipc/epoll"]
ALL = 3600  # seconds for all mutants

# What a change replaces, and by what. The first that fits at a random place of the line is used.
CHANGES = [
    (r"==", "!="),
    (r"!=", "=="),
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<![-<=])<(?![<=])", "<="),
    (r"(?<![->=])>(?![>=])", ">="),
    (r"&&", "||"),
    (r"\|\|", "&&"),
    (r"(?<![+\w(])\+(?![+=])", "-"),
    (r"(?<![-\w(,])-(?![-=>\w])", "+"),
    (r"\+=", "-="),
    (r"-=", "+="),
    (r"\|=", "&="),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"\b0\b", "1"),
    (r"\b1\b", "2"),
    (r"(?<=[ (])!(?=[\w(])", ""),
    (r"\breturn (?!;)(.*);", r"return !(\1);"),
]

STATEMENT = re.compile(r"^\s+[\w>.\[\]*-]+(\(.*\)| [|&+-]?= .*);$|^\s+(break|continue|return);$")


def run(command, directory, limit=None, **variables):
    """Returns "" if the command succeeds, else "fails" or "does not end" within the limit."""
    process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True, env=dict(os.environ, **variables))
    try:
        return "" if process.wait(timeout=limit) == 0 else "fails"
    except subprocess.TimeoutExpired:
        end_session(process.pid)
        process.wait()
        return "does not end"


def end_session(leader):
    """Ends a command with all its children: those of Check are process groups of their own."""
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8") as file:
                session = int(file.read().rsplit(")", 1)[1].split()[3])
            if session == leader:
                os.kill(int(name), 9)
        except (OSError, ValueError, IndexError):
            pass  # no process, or one that has ended meanwhile


# ---- which program reaches which line ---------------------------------------------------------


def programs(build):
    """Returns what make check runs, by its name below tests/."""
    found = ["sim/run", "model/play"]
    for folder, begin in (("", "test-"), ("fuzz", "fuzz-")):
        names = os.listdir(os.path.join(build, "tests", folder))
        found += [os.path.join(folder, name) for name in names
                  if name.startswith(begin) and "." not in name]
    return sorted(name for name in found if os.access(os.path.join(build, "tests", name), os.X_OK))


def play(source, build, test, limit, **variables):
    """Runs a test, "program" or "program part", as `run` does. The model's needs its script."""
    program, _, part = test.partition(" ")
    command = ["./tests/" + program]
    if program == "model/play":
        command = ["sh", os.path.join(source, "tests/test-model.sh")]
    return run(command, build, limit, srcdir=source, POLLUX_PROGRAMS="50", POLLUX_TEST_WORLDS=part,
               **variables)


def targets(test):
    """Returns what make has to build for a test."""
    program = test.partition(" ")[0]
    return ["tests/" + name for name in
            (["model/play", "model/play-sim"] if program == "model/play" else [program])]


def objects(build):
    """Returns the counters of the library's objects; those of the tests are of no interest."""
    found = []
    for folder, _, names in os.walk(os.path.join(build, "lib")):
        found += [os.path.join(folder, name) for name in names if name.endswith(".gcda")]
    return found


def reached(source, build):
    """Returns the lines of lib/ that have run since the counters were removed, as "file:line"."""
    lines, counted = set(), objects(build)
    if not counted:
        return lines
    text = subprocess.run(["gcov", "--json-format", "--stdout"] + counted, cwd=build,
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for document in text.decode().splitlines():
        for file in json.loads(document)["files"]:
            path = os.path.normpath(os.path.join(build, file["file"]))
            name = os.path.relpath(path, source)
            if name.startswith("lib/"):
                lines.update("%s:%d" % (name, line["line_number"])
                             for line in file["lines"] if line["count"] != 0)
    return lines


def learn(source, build):
    """Runs each program alone, but those that were run before. Returns {test: [seconds, lines]}."""
    place = os.path.join(build, "reach.json")
    reach, tests = {}, programs(build)
    if os.path.exists(place):
        with open(place, encoding="utf-8") as file:
            reach = json.load(file)
    for test in tests:
        if test not in reach:
            for note in objects(build):
                os.remove(note)
            begin = time.monotonic()
            verdict = play(source, build, test, LONGEST)
            seconds = time.monotonic() - begin
            reach[test] = [seconds, [] if verdict else sorted(reached(source, build)), verdict]
            with open(place, "w", encoding="utf-8") as file:
                json.dump(reach, file)
            print("%-40s %5.1f s %s" % (test, seconds, verdict and verdict + ": not used"), flush=True)
        if reach[test][2] == "does not end" and " " not in test:
            tests += [test + " " + part for part in PARTS]
    return {test: [seconds, lines] for test, (seconds, lines, verdict) in reach.items() if lines}


# ---- mutants ----------------------------------------------------------------------------------


def mutations(line):
    """Returns all lines that one change makes of a line of code."""
    code = line.split("/*")[0]
    if line.lstrip().startswith(("/*", "*", "#", "case ", "static const")) or '"' in code:
        return []
    made = []
    for pattern, instead in CHANGES:
        for place in re.finditer(pattern, code):
            made.append(code[:place.start()] + place.expand(instead) + code[place.end():])
    if STATEMENT.match(code.rstrip()):
        made.append(re.match(r"\s*", code).group() + ";")
    return [text for text in made if text != code]


def choose(source, lines, count, seed):
    """Yields (file, number, old, new), at random, each line once."""
    chance = random.Random(seed)
    places = sorted(lines)
    chance.shuffle(places)
    for place in places:
        name, number = place.split(":")
        with open(os.path.join(source, name), encoding="utf-8") as file:
            text = file.read().split("\n")[int(number) - 1]
        made = mutations(text)
        if made:
            yield name, int(number), text, chance.choice(made)
            count -= 1
            if count == 0:
                return


def equivalents():
    """Returns {(file, old line, new line): reason}; the lines without the blanks around them."""
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt")
    known = {}
    with open(place, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, old, new, reason = (part.strip() for part in line.split("\t"))
                known[name, old, new] = reason
    return known


class Mutant:
    """A line of a file that is broken until `heal`."""

    def __init__(self, source, name, number, new):
        self.path = os.path.join(source, name)
        with open(self.path, encoding="utf-8") as file:
            self.whole = file.read()
        lines = self.whole.split("\n")
        lines[number - 1] = new
        self.write("\n".join(lines))

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def heal(self):
        self.write(self.whole)


def judge(source, build, tests):
    """Returns which test notices the mutant in the tree, and how: "" or "compiler" if none does."""
    if run(["make", "-s", "libpollux-all.la"], build, 300):
        return "compiler"
    for test in tests:
        if run(["make", "-s"] + targets(test), build, 300):
            return "linker"
        verdict = play_again(source, build, test)
        if verdict:
            return test + " " + verdict
    return ""


def play_again(source, build, test):
    """Plays a test, and once more if it has failed: the first time can be the fault of a busy machine."""
    verdict = ""
    for _ in range(2):
        # Counters are of no use here, and a folder that cannot be made saves the time to write them.
        verdict = play(source, build, test, LIMIT, GCOV_PREFIX="/dev/null/none")
        if not verdict:
            break
    return verdict


def main():
    source, build = (os.path.abspath(name) for name in sys.argv[1:3])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
    reach = learn(source, build)
    shortest = sorted(reach, key=lambda test: reach[test][0])
    sets = {test: set(reach[test][1]) for test in reach}
    lines = set().union(*sets.values())
    known = equivalents()
    total = {"noticed": 0, "survived": 0, "equivalent": 0}
    end = time.monotonic() + ALL
    print("seed %d: %d lines of lib/ are reached" % (seed, len(lines)), flush=True)
    for name, number, old, new in choose(source, lines, -1, seed):
        if sum(total.values()) == count or time.monotonic() > end:
            break
        tests = [test for test in shortest if "%s:%d" % (name, number) in sets[test]]
        mutant = Mutant(source, name, number, new)
        try:
            found = judge(source, build, tests)
        finally:
            mutant.heal()
        if found in ("compiler", "linker"):
            continue
        reason = known.get((name, old.strip(), new.strip()))
        verdict = "noticed" if found else "equivalent" if reason else "survived"
        total[verdict] += 1
        print("%-10s %s:%d\n    - %s\n    + %s\n      %s" % (
            verdict, name, number, old.strip(), new.strip(), found or reason or
            "%d programs reach the line" % len(tests)), flush=True)
    judged = total["noticed"] + total["survived"]
    print("seed %d: %d mutants, %d noticed, %d survived, %d equivalent: %.0f %% noticed" % (
        seed, sum(total.values()), total["noticed"], total["survived"], total["equivalent"],
        100.0 * total["noticed"] / max(judged, 1)))
    return 0 if total["noticed"] >= 0.85 * judged else 1


if __name__ == "__main__":
    sys.exit(main())
