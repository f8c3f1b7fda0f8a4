#!/bin/bash
# Runs every test program and script; `make test` builds them first. B is the build folder.
# Usage: tests/run.sh [NAME…]   only these, by the name of the program or script
set -u
B=${B:-build}
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
logs=$B/test-logs
mkdir -p "$logs"
passed=0 failed=0 skips=0

# run NAME COMMAND…: one test with its log; failures and skips are shown.
run() {
    local name=$1 started=$SECONDS code=0
    shift
    "$@" >"$logs/$name.log" 2>&1 </dev/null || code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok    $name ($((SECONDS - started)) s)  $(grep -E '^[0-9]+%: Checks|[0-9]+ passed' "$logs/$name.log" | tail -n 1)"
    else
        failed=$((failed + 1))
        echo "FAIL  $name (exit $code)"
        tail -n 40 "$logs/$name.log" | sed 's/^/      /'
    fi
    skips=$((skips + $(grep -c '^SKIP' "$logs/$name.log")))
    grep '^SKIP' "$logs/$name.log" | sort -u | sed 's/^/      /'
}

wanted() {
    [ ${#only[@]} -eq 0 ] && return 0
    local name
    for name in "${only[@]}"; do [ "$name" = "$1" ] && return 0; done
    return 1
}

only=("$@")
for name in "${only[@]}"; do
    [ -e "tests/$name.c" ] || [ -e "tests/cli/$name.sh" ] || {
        echo "$0: there is no test $name, neither tests/$name.c nor tests/cli/$name.sh" >&2
        exit 1
    }
done
for source in tests/*.c; do
    name=$(basename "$source" .c)
    wanted "$name" && run "$name" "$B/tests/$name"
done
for script in tests/cli/*.sh; do
    name=$(basename "$script" .sh)
    [ -e "$script" ] && wanted "$name" && run "$name" env REEL="$PWD/$B/reel" B="$B" bash "$script"
done
echo
[ "$skips" -eq 0 ] || echo "$skips skipped, each named above"
echo "$passed passed, $failed failed, $skips skipped"
[ "$failed" -eq 0 ]
