# Shared by the scripts in tests/cli, each of which begins with
#   source "${BASH_SOURCE%/*}/lib/check.bash"
# and gets a fresh folder $T that is removed at the end. REEL is the command under test, B the build folder. A script
# ends at its first failed check with a line that says which one, and non-zero.
set -u
B=${B:-build}
REEL=${REEL:-$PWD/$B/reel}
export OMP_WAIT_POLICY=passive
T=$(mktemp -d "${TMPDIR:-/tmp}/reel-cli.XXXXXX") || exit 1
child=
finish() {
    [ -z "$child" ] || kill -KILL "$child" 2>"$T/kill" || :
    rm -rf "$T"
}
trap finish EXIT

fail() {
    echo "FAIL $(basename "$0" .sh), line ${BASH_LINENO[${#BASH_LINENO[@]} - 2]}: $*"
    exit 1
}

# skip WHAT…: says loudly what is left out.
skip() {
    echo "SKIP $(basename "$0" .sh): $*"
}

sanitized() {
    [[ $B == *sanitize* ]]
}

# expect CODE COMMAND…: runs it, with its output in $T/out and $T/err.
expect() {
    local want=$1 code=0
    shift
    "$@" >"$T/out" 2>"$T/err" </dev/null || code=$?
    [ "$code" -eq "$want" ] || fail "exit code $code, expected $want: $* | $(head -c 600 "$T/err")"
}

# same A B WHAT: two files of the same bytes.
same() {
    cmp -s "$1" "$2" || fail "$3: $1 and $2 differ"
}

# losses RUN: the log without its last column, the seconds.
losses() {
    sed 's/,[^,]*$//' "$1/log.csv"
}

same_run() {
    same "$1/last.safetensors" "$2/last.safetensors" "$3"
    [ "$(losses "$1")" = "$(losses "$2")" ] || fail "$3: the logs of $1 and $2 differ"
}

# number FILE KEY: the number that follows "KEY" in JSON.
number() {
    grep -o "\"$2\": [-0-9.e+]*" "$1" | head -n 1 | sed 's/.*: //'
}

# The smallest training that has every part: S2S++ with a few channels, on a few generated frames in files.
"$REEL" shapes --out "$T/data" --videos 3 --frames 6 --size 32x64 --seed 7 || fail "no data to train on"
data=(--data "$T/data" --split val)
tiny=("${data[@]}" --width 0.01 --size 32x64 --frames 2 --quiet --seed 3 --threads 2)
train() {
    "$REEL" train "${tiny[@]}" "$@"
}
