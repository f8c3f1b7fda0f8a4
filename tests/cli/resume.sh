#!/bin/bash
# A run that is stopped, or killed, and goes on is bit for bit the run that never stopped; at every moment there are
# weights that load.
source "${BASH_SOURCE%/*}/lib/check.bash"
steps=20

expect 0 train --steps $steps --save-every 5 --out "$T/straight"
expect 0 train --steps 7 --out "$T/parts"
expect 0 train --steps 12 --out "$T/parts" --resume --save-every 3
expect 0 train --steps $steps --out "$T/parts" --resume --workers 2
same_run "$T/straight" "$T/parts" "7 + 5 + 8 steps"
[ "$(grep -c . "$T/parts/log.csv")" -eq $((steps + 1)) ] || fail "the log has not one line a step"
cp "$T/parts/last.safetensors" "$T/finished.safetensors"
expect 0 train --steps $steps --out "$T/parts" --resume
same "$T/finished.safetensors" "$T/parts/last.safetensors" "resuming a finished run changes nothing"

# kill_after LINES ARGUMENTS…: trains, reads that many steps from its standard output, and kills it without mercy.
kill_after() {
    local left=$1 line
    shift
    rm -f "$T/pipe"
    mkfifo "$T/pipe"
    "$REEL" train "${tiny[@]}" --json --save-every 1 "$@" >"$T/pipe" 2>"$T/err" &
    child=$!
    exec 3<"$T/pipe"
    while [ "$left" -gt 0 ] && read -r line <&3; do left=$((left - 1)); done
    kill -KILL "$child" 2>"$T/kill"
    exec 3<&-
    wait "$child" 2>"$T/kill"
    child=
    [ "$left" -eq 0 ] || [ -e "$T/killed/loss.svg" ] || fail "the run ended by itself: $(cat "$T/err")"
}

# From its second step on, a run that saves after every step always has a checkpoint. On a busy machine the kill may come
# when the run is over already, which changes nothing.
again=()
for lines in 2 1 3 1 2; do
    kill_after $lines --steps $steps --out "$T/killed" "${again[@]}"
    again=(--resume)
    [ -e "$T/killed/last.safetensors" ] || fail "killed after $lines lines: no weights"
    for name in last previous; do
        [ -e "$T/killed/$name.safetensors" ] || continue
        rm -rf "$T/copy"
        mkdir "$T/copy"
        cp "$T/killed/$name.safetensors" "$T/copy/last.safetensors"
        expect 0 train --steps $steps --out "$T/copy" --resume
        same "$T/straight/last.safetensors" "$T/copy/last.safetensors" "going on from $name.safetensors of a killed run"
    done
done
touch "$T/killed/last.safetensors.tmp.1" # as a kill within a save leaves it
expect 0 train --steps $steps --out "$T/killed" --resume
same_run "$T/straight" "$T/killed" "killed five times"
[ "$(cd "$T/killed" && echo *)" = "last.safetensors lock log.csv loss.svg previous.safetensors" ] ||
    fail "unexpected files are left in the run: $(ls "$T/killed")"

# Optimiser, precision and batch are part of what goes on.
for options in "--dtype bf16 --recompute" "--optimiser sgd --clip 0.1 --batch 2" "--dtype fp64 --weight-decay 0.01 --affine --max-step 2"; do
    rm -rf "$T/a" "$T/b"
    read -r -a more <<<"$options"
    expect 0 train --steps 6 --out "$T/a" "${more[@]}"
    expect 0 train --steps 2 --out "$T/b" "${more[@]}"
    expect 0 train --steps 6 --out "$T/b" "${more[@]}" --resume
    same_run "$T/a" "$T/b" "2 + 4 steps with $options"
done
echo "5 kills, 5 resumes and 10 checkpoints: the same bits; 1 passed"
