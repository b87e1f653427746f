#!/usr/bin/env python3
"""tests/mutation/mutate.py SOURCE BUILD [COUNT [SEED]] -- breaks lines of lib/, and looks who notices.

Each mutant is one line of lib/ with one change: an operator, a constant, or a dropped statement. A
mutant that compiles is tried with the test programs that reach its line, the shortest first, 60
seconds each, until one fails twice. The programs that are named after the file come first. The seed
chooses the lines; the same seed gives the same mutants of the same lines.

BUILD is a build of its own with `--coverage`, which tests/mutation/run makes. The first use runs
test programs once, to learn which lines each reaches and how long it takes: BUILD/reach.json. That
lasts MUTATION_LEARN seconds of the environment at most, 3600 without it, those of general names
first (test-tcp); the next use goes on with the rest. Programs that are named after the file of a
survivor are learnt then, and tried. All figures are for the programs that are known, whose number
is printed: a survivor may be noticed by the rest.

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
ALL = int(os.environ.get("MUTATION_SECONDS", "3600"))  # for all mutants
LEARN = int(os.environ.get("MUTATION_LEARN", "3600"))  # seconds, for all programs

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


def remake(build, name):
    """Compiles a file of lib/ into the archives. libtool would write each of them anew, by a thousand
    processes: this takes a hundredth of it. False if the file does not compile."""
    part = "os" if name.startswith("lib/os/") else "core"
    part = "tls_all" if name.startswith("lib/tls/") else part
    base = "libpollux_%s_la-%s" % (part, os.path.basename(name)[:-2])
    stem = os.path.join(os.path.dirname(name), base)
    if os.path.exists(os.path.join(build, os.path.dirname(name), "libpollux_core_la-%s.o" %
                                   os.path.basename(name)[:-2])):
        stem = stem.replace("_os_la", "_core_la")  # what lib/os has for each system
    if run(["make", "-s", stem + ".lo"], build, 300):
        return False
    own = "libpollux-%s" % ("tls-all" if part == "tls_all" else
                            "core" if "_core_la" in stem else "os")
    names = [own] if own == "libpollux-tls-all" else [own, "libpollux-all"]
    for library in names:
        archive = ".libs/%s.a" % library
        members = subprocess.run(["ar", "t", archive], cwd=build, check=True,
                                 stdout=subprocess.PIPE).stdout.decode().split()
        same = [member for member in members if member.endswith(os.path.basename(stem) + ".o")]
        if len(same) != 1:  # libtool has renamed those of equal names
            return not run(["make", "-s", "libpollux-all.la"], build, 300)
        subprocess.run(["ar", "r", archive, stem + ".o"], cwd=build, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for library in names:
        os.utime(os.path.join(build, library + ".la"))
    return True


class Reach:
    """What is known of the programs: {test: [seconds, lines, verdict]}, kept in reach.json."""

    def __init__(self, source, build):
        self.source, self.build = source, build
        self.place = os.path.join(build, "reach.json")
        self.known = {}
        if os.path.exists(self.place):
            with open(self.place, encoding="utf-8") as file:
                self.known = json.load(file)
        self.sets = {test: set(known[1]) for test, known in self.known.items()}
        self.stale = set()  # the files that have changed since they were compiled
        if run(["make", "-s", "libpollux-all.la", "libpollux-tls-all.la"], build, 600):
            sys.exit("the library does not build")

    def make_library(self):
        """Compiles the stale files. Returns whether that was possible."""
        return all([remake(self.build, name) for name in sorted(self.stale)])

    def learn(self, test):
        """Runs a program alone, without a mutant, and in parts if it takes too long in all rows."""
        if test not in self.known:
            if not self.make_library() or run(["make", "-s"] + targets(test), self.build, 300):
                sys.exit("%s: does not build" % test)
            for note in objects(self.build):
                os.remove(note)
            begin = time.monotonic()
            verdict = play(self.source, self.build, test, LONGEST)
            seconds = time.monotonic() - begin
            lines = [] if verdict else sorted(reached(self.source, self.build))
            self.known[test] = [seconds, lines, verdict]
            self.sets[test] = set(lines)
            with open(self.place, "w", encoding="utf-8") as file:
                json.dump(self.known, file)
            print("%-40s %5.1f s %s" % (test, seconds, verdict and verdict + ": not used"),
                  flush=True)
        if self.known[test][2] == "does not end" and re.match(r"test-\S+$", test):
            for part in PARTS:
                self.learn(test + " " + part)

    def of_line(self, line):
        """Returns the tests that reach a line, the shortest first."""
        return sorted((test for test in self.known if line in self.sets[test]),
                      key=lambda test: self.known[test][0])

    def lines(self):
        return set().union(*self.sets.values())


def named_after(name, test):
    """Is the program named after a file of lib/, or after a word of the file's name?"""
    words = re.split(r"[-.]", os.path.basename(name))[:-1]
    return any(word in re.split(r"[-/ ]", test) for word in words)


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
    """Returns which test notices the mutant in the library, and how: "" if none does."""
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


def learn_most(reach):
    """Learns for LEARN seconds, those of short names first, which are of general matters."""
    tests = sorted(programs(reach.build), key=lambda test: (len(test), test))
    end = time.monotonic() + LEARN
    for test in tests:
        if time.monotonic() < end:
            reach.learn(test)
    print("%d of %d programs are known" % (sum(test in reach.known for test in tests), len(tests)),
          flush=True)


def try_all(reach, place, new):
    """Returns how many programs have tried a mutant, and what `judge` has found."""
    name, number = place
    tests = reach.of_line("%s:%d" % place)
    found = judge_healed(reach, name, number, new,
                         sorted(tests, key=lambda test: not named_after(name, test)))
    if found:
        return len(tests), found
    for test in programs(reach.build):
        if named_after(name, test):
            reach.learn(test)
    more = [test for test in reach.of_line("%s:%d" % place) if test not in tests]
    return len(tests) + len(more), judge_healed(reach, name, number, new, more) if more else ""


def judge_healed(reach, name, number, new, tests):
    """Judges a mutant, and heals the file. The build keeps the mutant until the next one."""
    mutant = Mutant(reach.source, name, number, new)
    reach.stale.add(name)
    try:
        if not reach.make_library():
            return "compiler"
        reach.stale = {name}
        return judge(reach.source, reach.build, tests)
    finally:
        mutant.heal()


def main():
    source, build = (os.path.abspath(name) for name in sys.argv[1:3])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
    reach = Reach(source, build)
    learn_most(reach)
    lines = reach.lines()
    known = equivalents()
    total = {"noticed": 0, "survived": 0, "equivalent": 0}
    end = time.monotonic() + ALL
    print("seed %d: %d lines of lib/ are reached" % (seed, len(lines)), flush=True)
    for name, number, old, new in choose(source, lines, -1, seed):
        if sum(total.values()) == count or time.monotonic() > end:
            break
        tried, found = try_all(reach, (name, number), new)
        if found in ("compiler", "linker"):
            continue
        reason = known.get((name, old.strip(), new.strip()))
        verdict = "noticed" if found else "equivalent" if reason else "survived"
        total[verdict] += 1
        print("%-10s %s:%d\n    - %s\n    + %s\n      %s" % (
            verdict, name, number, old.strip(), new.strip(), found or reason or
            "%d programs reach the line" % tried), flush=True)
    judged = total["noticed"] + total["survived"]
    print("seed %d: %d mutants, %d noticed, %d survived, %d equivalent: %.0f %% noticed" % (
        seed, sum(total.values()), total["noticed"], total["survived"], total["equivalent"],
        100.0 * total["noticed"] / max(judged, 1)))
    return 0 if total["noticed"] >= 0.85 * judged else 1


if __name__ == "__main__":
    sys.exit(main())
