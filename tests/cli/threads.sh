#!/bin/bash
# The number of threads changes no bit: neither losses nor weights, on 20 steps of a net with every part.
source "${BASH_SOURCE%/*}/lib/check.bash"
for threads in 1 2 3 4 8; do
    expect 0 "$REEL" train "${data[@]}" --model s2s++ --width 0.02 --size 32x64 --frames 2 --batch 2 --steps 20 \
        --quiet --seed 3 --affine --threads $threads --workers $((1 + threads % 3)) --out "$T/$threads"
    [ "$(grep -c . "$T/$threads/log.csv")" -eq 21 ] || fail "$threads threads: the log has not one line a step"
    same_run "$T/1" "$T/$threads" "$threads threads"
done
for threads in 1 2 3; do
    expect 0 "$REEL" train "${data[@]}" --model s2s++ --width 0.02 --size 32x64 --frames 2 --steps 5 --quiet --seed 3 \
        --dtype bf16 --threads $threads --out "$T/bf16.$threads"
    same_run "$T/bf16.1" "$T/bf16.$threads" "$threads threads in bf16"
done
echo "5 numbers of threads, the same bits; 1 passed"
