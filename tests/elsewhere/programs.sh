# tests/elsewhere/programs.sh -- read by the scripts beside it: which test programs they run, how they
# install packages, and how they count.
#
# A script sets `platform`, its name, and may set `way`, a command in front of each program. SKIP lines
# and the exit status 77 say that a platform cannot be had here.
choice='test-tcp test-udp test-ipc test-server test-group test-udp-batches test-peers test-sleep'
section=bytes         # of tests/conform, run by a program of its own
model=play            # of tests/model: on the real kernel, or play-sim on the simulated one
random_programs=60    # of the model
limit=${LIMIT:-100}   # seconds for one program
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2)}
at_once=$((3 * jobs)) # programs, which sleep most of their time
way=
passed=0 failed=0 skipped=0

skip_platform()
{
    echo "SKIP: $platform: $*" >&2
    exit 77
}

# install PACKAGE...: Debian's packages that are missing, with apt-get and as root only.
install()
{
    missing=
    for package; do
        dpkg -s "$package" 2> /dev/null | grep -q '^Status: install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get > /dev/null || skip_platform "no apt-get to install$missing"
    [ "$(id -u)" = 0 ] || skip_platform "only root can install$missing"
    # shellcheck disable=SC2086 # a list of packages
    { timeout 60 apt-get -qq update && DEBIAN_FRONTEND=noninteractive timeout 200 apt-get \
        -o DPkg::Lock::Timeout=60 -qq install -y --no-install-recommends $missing; } \
        < /dev/null > "$work/packages.log" 2>&1 || {
        tail -n 3 "$work/packages.log" >&2
        skip_platform "apt-get could not install$missing"
    }
}

# archive: the archive of Debian that this system uses, as in a line of sources.list. Others in its package
# lists need not have each architecture, nor sources.
archive()
{
    # shellcheck disable=SC2016 # fields of apt
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" && $4 !~ /-/ { print $3, $4, "main"; exit }'
}

# excused NAME LOG: the failed cases of a program that the file $excuses, if a script names one, gives a
# reason for: a line for each. emulator.txt describes the file.
excused()
{
    [ -z "${excuses:-}" ] || awk -v program="$1" -v platform="$platform" '
        NR == FNR && /:$/ { reason = substr($0, 1, length($0) - 1) }
        NR == FNR && $1 == program && NF == 3 && ($3 == "*" || index("," $3 ",", "," platform ",")) {
            reasons[$2] = reason
        }
        NR != FNR && match($0, /:[FE]:[^:]*:[^:]*:/) {
            split(substr($0, RSTART + 1, RLENGTH - 2), part, ":")
            name = part[3] in reasons ? part[3] : "*"
            if (name in reasons) print "SKIP: " part[3] ": under qemu-user, " reasons[name]
        }' "$excuses" "$2"
}

# note NAME STATUS LOG: adds the cases of a finished program; tests/count.sh describes the lines.
note()
{
    cases=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' "$3" |
        awk '{ checks += $1; bad += $2 + $3 } END { print checks + 0, bad + 0 }')
    checks=${cases% *} bad=${cases#* } left_out=$(grep -c '^SKIP: ' "$3")
    : > "$work/excused"
    [ "$bad" -eq 0 ] || excused "$1" "$3" > "$work/excused"
    count=$(wc -l < "$work/excused")
    [ "$count" -le "$bad" ] || count=$bad
    bad=$((bad - count)) left_out=$((left_out + count))
    if [ "$2" -eq 77 ] && [ "$bad" -eq 0 ]; then
        checks=1 left_out=1
    elif [ "$checks" -eq 0 ]; then
        checks=1 left_out=0 bad=$(($2 != 0))
    elif [ "$bad" -eq 0 ] && [ "$2" -gt $((count > 0)) ]; then
        # It crashed, or ran too long, behind its last line: failed cases alone make the status 1.
        checks=$((checks + 1)) bad=1
    fi
    [ "$left_out" -le $((checks - bad)) ] || left_out=$((checks - bad))
    printf '%-10s %-24s %5d passed %3d failed %3d skipped\n' \
        "$platform" "$1" $((checks - bad - left_out)) "$bad" "$left_out"
    [ "$bad" -eq 0 ] || grep -E ':[FE]:|fault|^.*error' "$3" | tail -n 15
    grep -E '^SKIP: |^LEFT OUT: .* is not built in or refused here' -h "$3" "$work/excused" | sort -u
    passed=$((passed + checks - bad - left_out)) failed=$((failed + bad)) skipped=$((skipped + left_out))
}

# clean_up: removes the temporary files, and ends the programs that run when the script is interrupted.
# timeout gives each a process group of its own, so the signal of the terminal does not reach them.
clean_up()
{
    running=$(cat "$work"/*.pid "$work"/*/*.pid 2> /dev/null)
    rm -rf "$work"
    # shellcheck disable=SC2086 # a list of processes
    [ -z "$running" ] || kill $running 2> /dev/null
}

# run_each: runs the programs of $work/list, several at once, and adds them up in its order. Each line is
# NAME PROGRAM [ARGUMENT...], with the path of the program in the build.
run_each()
{
    # shellcheck disable=SC2016 # for the shell that xargs starts
    limit=$limit way=$way work=$work xargs -P "$at_once" -L 1 sh -c '
        name=$1 program=$PWD/$2
        shift 2
        sh -c "echo \$\$ > \"\$0\"; exec \"\$@\"" "$work/$name.pid" \
            timeout "$limit" $way "$program" "$@" < /dev/null > "$work/$name.log" 2>&1
        echo $? > "$work/$name.status"
        rm -f "$work/$name.pid"' one < "$work/list"
    while read -r name command; do
        note "$name" "$(cat "$work/$name.status")" "$work/$name.log"
    done < "$work/list"
}

# programs: what a build has to make for run_choice.
programs()
{
    for name in $choice test-conform-$section; do
        echo "tests/$name"
    done
    # The model has name servers of its own, which need c-ares.
    ! grep -q '^#define HAVE_CARES 1' config.h || echo "tests/model/$model"
}

# answers LINE: the names of configure's answers in config.h that have a line of this form.
answers()
{
    for name in SYS_EPOLL_H SYS_EVENTFD_H LINUX_ERRQUEUE_H LINUX_SOCKIOS_H LINUX_SOCK_DIAG_H GETRANDOM \
        RECVMMSG SECURE_GETENV SENDMMSG CARES LIBURING LIBIDN2 OPENSSL; do
        # shellcheck disable=SC2059 # a format
        ! grep -qxF "$(printf "$1" "HAVE_$name")" config.h || printf ' %s' "$name"
    done
}

# describe: what runs here, and the answers of configure, for doc/platforms.md.
describe()
{
    host=$(sed -n 's/^S\["host"\]="\(.*\)"$/\1/p' config.status)
    printf '%-10s ON: %s, Linux %s\n' "$platform" "$host" "${kernel:-$(uname -r | sed 's/-.*//')}"
    printf '%-10s HAS:%s\n' "$platform" "$(answers '#define %s 1')"
    printf '%-10s LACKS:%s\n' "$platform" "$(answers '/* #undef %s */')"
}

# run_choice: the programs of the choice in the build that is the working directory.
run_choice()
{
    describe
    for program in $(programs); do
        case $program in
        tests/model/*) echo "model $program 1 $random_programs" ;;
        *) echo "${program##*/} $program" ;;
        esac
    done > "$work/list"
    run_each
}

# run_all: every test program of the build; those that need a script of their own are left out.
run_all()
{
    describe
    limit=${LIMIT:-600}
    # Where the build files are older than their sources, make prints what it does about that.
    make -s Makefile > "$work/make.log" 2>&1
    for program in $(make -s --no-print-directory -f Makefile -f "$here/list.mk" list-test-programs); do
        echo "${program##*/} $program"
    done > "$work/list"
    run_each
}

# prepare [--all] [FOLDER]: what a script begins with that builds for its platform. FOLDER keeps what it
# has made, for the next run; build/elsewhere/PLATFORM without the argument.
prepare()
{
    all=
    [ "${1:-}" != --all ] || { all=yes; shift; }
    source=$(cd "$here/../.." && pwd) || exit 1
    folder=${1:-$source/build/elsewhere/$platform}
    mkdir -p "$folder" && folder=$(cd "$folder" && pwd) || exit 1
    work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-$platform.XXXXXX") || exit 1
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    [ "$(uname -s)" = Linux ] || skip_platform 'it is of Linux'
}

# build_and_run: configures the build in the folder by `configure_build`, which the script defines, makes
# the programs and runs them.
build_and_run()
{
    if [ ! -x "$source/configure" ]; then
        install autoconf automake libtool pkg-config
        (cd "$source" && ./autogen.sh) > "$work/build.log" 2>&1 || { tail -n 20 "$work/build.log"; exit 1; }
    fi
    mkdir -p "$folder/build" && cd "$folder/build" || exit 1
    {
        [ -f config.status ] || configure_build || rm -f config.status
        # shellcheck disable=SC2046 # a list of programs
        [ -f config.status ] && make -s -j"$jobs" $(if [ -n "$all" ]; then echo test-programs; else programs; fi)
    } > "$work/build.log" 2>&1 || { tail -n 20 "$work/build.log"; exit 1; }
    if [ -n "$all" ]; then run_all; else run_choice; fi
}

# finish: the sum, in the form that .ci/run adds up. Fails also where no program ran.
finish()
{
    printf '%d passed, %d failed' $passed $failed
    [ $skipped -eq 0 ] || printf ', %d skipped' $skipped
    printf '\n'
    [ $failed -eq 0 ] && [ $((passed + skipped)) -gt 0 ]
}
