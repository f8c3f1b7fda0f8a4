#!/bin/bash
# Ctrl-C and its relatives end the step, save, and leave with 128 + their number; going on gives the bits of a run that
# was never stopped. A closed standard output is exit code 4 at the end and harms nothing.
source "${BASH_SOURCE%/*}/lib/check.bash"
steps=16
expect 0 train --steps $steps --out "$T/straight"

# The first line of standard output says that training runs; then the signals come, one after the other. `obey` undoes
# what this script inherited, such as from nohup.
obey=(env --default-signal=INT,TERM,HUP)
signalled() { # OUT SIGNAL…
    local out=$1 line signal code=0
    shift
    rm -f "$T/pipe"
    mkfifo "$T/pipe"
    "${obey[@]}" "$REEL" train "${tiny[@]}" --json --steps 1000000 --out "$out" >"$T/pipe" 2>"$T/err" &
    child=$!
    exec 3<"$T/pipe"
    read -r line <&3 || fail "no step was taken: $(cat "$T/err")"
    for signal in "$@"; do kill -"$signal" "$child" 2>"$T/kill"; done
    cat <&3 >"$T/rest"
    exec 3<&-
    wait "$child" 2>"$T/kill" || code=$?
    child=
    return $code
}

for signal in INT TERM HUP; do
    out=$T/$signal
    signalled "$out" $signal
    code=$?
    [ $code -eq $((128 + $(kill -l $signal))) ] || fail "SIG$signal: exit code $code | $(cat "$T/err")"
    done=$(tail -n 1 "$out/log.csv" | cut -d, -f1)
    [ "$(grep -c . "$out/log.csv")" -eq $((done + 1)) ] || fail "SIG$signal: the log has not one line a step"
    # A machine may be so quick that more steps were taken than the straight run has; then that one is as good.
    [ "$done" -le $steps ] || expect 0 train --steps "$done" --out "$T/straight" --resume
    [ "$done" -le $steps ] || steps=$done
    expect 0 train --steps $steps --out "$out" --resume
    same_run "$T/straight" "$out" "SIG$signal, then --resume"
done

# Twice: at once, whatever it does; what is there loads.
signalled "$T/twice" INT INT
code=$?
[ $code -eq 130 ] || fail "SIGINT twice: exit code $code"
if [ -e "$T/twice/last.safetensors" ]; then
    expect 0 train --steps $steps --out "$T/twice" --resume
    same_run "$T/straight" "$T/twice" "SIGINT twice, then --resume"
fi

# nohup ignores SIGHUP, and so does what it runs.
nohup_hangup() {
    trap '' HUP
    obey=()
    signalled "$T/nohup" HUP TERM
}
(nohup_hangup)
code=$?
[ $code -eq 143 ] || fail "an ignored SIGHUP, then SIGTERM: exit code $code, expected 143"

# Nobody reads: `| head -n 1` closes the pipe. Training goes on and tells at its end.
mkfifo "$T/closed"
train --json --steps $steps --save-every 3 --out "$T/head" >"$T/closed" 2>"$T/err" &
waiting=$!
head -n 1 <"$T/closed" >"$T/first"
wait $waiting
code=$?
[ $code -eq 4 ] || [ $code -eq 0 ] || fail "closed standard output: exit code $code | $(cat "$T/err")"
same_run "$T/straight" "$T/head" "a run whose output was closed"
expect 0 "$REEL" ops
"$REEL" ops >/dev/full 2>"$T/err"
code=$?
[ $code -eq 4 ] || fail "a full disk behind standard output: exit code $code"
[ "$(grep -c . "$T/err")" -eq 1 ] || fail "a full disk behind standard output: $(cat "$T/err")"

# No standard streams at all: what would be printed goes nowhere, and into no file of the run.
loud=()
for word in "${tiny[@]}"; do [ "$word" = --quiet ] || loud+=("$word"); done
"$REEL" train "${loud[@]}" --json --steps $steps --out "$T/deaf" <&- >&- 2>&-
code=$?
[ $code -eq 4 ] || fail "closed standard streams: exit code $code"
same_run "$T/straight" "$T/deaf" "a run without standard streams"
[ ! -s "$T/deaf/lock" ] || fail "closed standard streams: $(head -n 1 "$T/deaf/lock") is in the lock"
echo "3 signals, twice one, nohup and closed outputs; 1 passed"
