#!/bin/sh
# tests/count.sh BUILD... -- counts the test cases of finished `make check` runs.
#
# A program written with Check prints one line per suite runner, "100%: Checks: 12, Failures: 0, Errors: 0";
# each check counts, as skipped if its case wrote a line "SKIP: why" because not all of it can run here.
# Everything else (scripts) counts as one. A program that failed although its own lines report no failure
# (a sanitizer's report, a crash before the line) adds one failure.
# Prints "N passed, M failed", and ", K skipped" if any were; exits 1 if M is not 0.
for build in "${@:-.}"; do
    find "$build" -path "$build/tests/*" -name '*.trs' -print
done | LC_ALL=C sort | awk '
{
    result = "ERROR"
    while ((getline line < $0) > 0)
        if (line ~ /^:test-result: /) { split(line, word, " "); result = word[2] }
    close($0)
    log_name = $0; sub(/\.trs$/, ".log", log_name)
    checks = bad = left_out = 0
    while ((getline line < log_name) > 0)
        if (line ~ /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
            gsub(/[^0-9]+/, " ", line); split(line, n, " ")
            checks += n[2]; bad += n[3] + n[4]
        } else if (line ~ /^SKIP: /) left_out++
    close(log_name)
    good_result = (result == "PASS" || result == "XFAIL")
    if (result == "SKIP") skipped++
    else if (!checks) { if (good_result) passed++; else failed++ }
    else {
        if (left_out > checks - bad) left_out = checks - bad
        skipped += left_out
        passed += checks - bad - left_out
        failed += bad; if (!good_result && !bad) failed++
    }
}
END {
    printf "%d passed, %d failed", passed, failed
    if (skipped) printf ", %d skipped", skipped
    printf "\n"
    exit (failed || !(passed + failed))
}'
